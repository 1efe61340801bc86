use nalgebra::DMatrix;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::whiten::sorted_eigen;

/// Limits of the fixed-point iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IcaConfig {
    /// Most difference vectors that are used.
    pub rows: usize,
    /// Most iterations.
    pub iterations: usize,
    /// Largest change of a direction, `1 − |cos|`, that counts as converged.
    pub tolerance: f64,
}

impl Default for IcaConfig {
    fn default() -> Self {
        Self { rows: 20_000, iterations: 400, tolerance: 1e-8 }
    }
}

/// Separates difference vectors `x̃' − x̃ [n, d]` into independent directions: the unmixing matrix
/// `[d, d]`, whose columns give `e = x̃ A` up to order, sign and scale.
///
/// A perfect intervention moves the noise encodings along one axis only, so the differences are
/// 1-sparse in the right basis and symmetric FastICA (Hyvärinen 1999, contrast `log cosh`) finds
/// it. The differences are not centred, and pairs without an intervention stay in.
pub fn separate_differences(
    differences: &DMatrix<f64>,
    config: &IcaConfig,
    rng: &mut dyn Rng,
) -> DMatrix<f64> {
    let n = differences.nrows().min(config.rows);
    let used = differences.rows(0, n);
    let d = used.ncols();
    let (variances, directions) = sorted_eigen(used.tr_mul(&used) / n as f64);
    let floor = variances.first().copied().unwrap_or(1.0).max(f64::MIN_POSITIVE) * 1e-12;
    let scale =
        DMatrix::from_fn(
            d,
            d,
            |i, j| {
                if i == j { 1.0 / variances[i].max(floor).sqrt() } else { 0.0 }
            },
        );
    let sphering = directions * scale;
    let y = used * &sphering;
    let mut rotation = random_rotation(d, rng);
    for _ in 0..config.iterations {
        let next = fixed_point(&y, &rotation);
        let turned = next.tr_mul(&rotation).diagonal().map(|c| (1.0 - c.abs()).abs()).max();
        rotation = next;
        if turned < config.tolerance {
            break;
        }
    }
    sphering * rotation
}

/// A rotation or reflection `[d, d]` drawn uniformly.
pub fn random_rotation(d: usize, rng: &mut dyn Rng) -> DMatrix<f64> {
    let gaussian = DMatrix::from_fn(d, d, |_, _| StandardNormal.sample(rng));
    polar(gaussian)
}

/// One symmetric step: `B ← polar(yᵀ tanh(yB)/n − B diag(mean(1 − tanh²)))`.
fn fixed_point(y: &DMatrix<f64>, rotation: &DMatrix<f64>) -> DMatrix<f64> {
    let n = y.nrows() as f64;
    let bent = (y * rotation).map(f64::tanh);
    let mut next = y.tr_mul(&bent) / n;
    for (k, column) in bent.column_iter().enumerate() {
        let slope = 1.0 - column.norm_squared() / n;
        next.column_mut(k).axpy(-slope, &rotation.column(k), 1.0);
    }
    polar(next)
}

/// The orthogonal factor of the polar decomposition.
fn polar(matrix: DMatrix<f64>) -> DMatrix<f64> {
    let svd = matrix.svd(true, true);
    svd.u.expect("asked for") * svd.v_t.expect("asked for")
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;

    #[test]
    fn one_sparse_sources_are_separated_up_to_order_sign_and_scale() {
        for d in [1, 2, 8] {
            let mut rng = Seed(d as u64).rng(Stream::Data);
            let n = 4000;
            let mut sparse = DMatrix::zeros(n, d);
            for mut row in sparse.row_iter_mut() {
                let hit: usize = rng.random_range(0..=d);
                if hit < d {
                    row[hit] = StandardNormal.sample(&mut rng);
                }
            }
            let mixing = random_rotation(d, &mut rng) + DMatrix::identity(d, d) * 0.5;
            let unmixing =
                separate_differences(&(sparse * &mixing), &IcaConfig::default(), &mut rng);
            let product = (mixing * unmixing).abs();
            for row in product.row_iter() {
                let (largest, rest) = (row.max(), row.sum() - row.max());
                assert!(rest < 0.02 * largest * d as f64, "d = {d}: {row}");
            }
        }
    }
}
