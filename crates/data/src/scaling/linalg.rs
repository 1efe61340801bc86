use nalgebra::DMatrix;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Rows handled at a time, so that a block of all columns stays in the cache.
const BLOCK: usize = 512;

/// Independent draws from `N(0, 1)`, row by row.
pub(super) fn standard_normal(rows: usize, cols: usize, rng: &mut dyn Rng) -> DMatrix<f64> {
    let mut drawn = DMatrix::zeros(rows, cols);
    for row in 0..rows {
        for col in 0..cols {
            drawn[(row, col)] = StandardNormal.sample(rng);
        }
    }
    drawn
}

/// A matrix `[rows, cols]`, `rows >= cols`, with orthonormal columns, uniformly among all such.
///
/// Mezzadri 2007: the QR decomposition of a Gaussian matrix, its signs made unique.
pub(super) fn orthonormal(rows: usize, cols: usize, rng: &mut dyn Rng) -> DMatrix<f64> {
    let qr = standard_normal(rows, cols, rng).qr();
    let (mut q, r) = (qr.q(), qr.r());
    for (k, mut column) in q.column_iter_mut().enumerate() {
        column *= r[(k, k)].signum();
    }
    q
}

/// The rotation `exp(−S)` with `S` skew-symmetric and `S_ij ~ N(0, 1)` for `i < j`.
pub(super) fn random_rotation(dim: usize, rng: &mut dyn Rng) -> DMatrix<f64> {
    let mut skew = DMatrix::zeros(dim, dim);
    for i in 0..dim {
        for j in i + 1..dim {
            let c: f64 = StandardNormal.sample(rng);
            skew[(i, j)] = -c;
            skew[(j, i)] = c;
        }
    }
    skew.exp()
}

/// `rows · mapᵀ`: the map `[out, in]` applied to every row of `[n, in]`.
///
/// Each row is computed alike, whatever the others and the processor are, so that equal rows have
/// equal images to the last bit; a general matrix product does not promise that.
pub(super) fn map_rows(rows: &DMatrix<f64>, map: &DMatrix<f64>) -> DMatrix<f64> {
    let n = rows.nrows();
    let mut images = DMatrix::zeros(n, map.nrows());
    for start in (0..n).step_by(BLOCK) {
        let len = BLOCK.min(n - start);
        for (out, mut image) in images.column_iter_mut().enumerate() {
            for (input, column) in rows.column_iter().enumerate() {
                image.rows_mut(start, len).axpy(map[(out, input)], &column.rows(start, len), 1.0);
            }
        }
    }
    images
}

/// Mean and standard deviation of values, of which there are some.
pub(super) fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}
