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
    let sphering = sphering(used.tr_mul(&used) / n as f64);
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

/// The map under which rows of the given second moments `[d, d]` have unit ones.
pub(super) fn sphering(moment: DMatrix<f64>) -> DMatrix<f64> {
    let d = moment.nrows();
    let (variances, directions) = sorted_eigen(moment);
    // Below this a direction is rounding.
    let floor = variances.first().copied().unwrap_or(1.0).max(f64::MIN_POSITIVE) * 1e-12;
    let scale = |i: usize| 1.0 / variances[i].max(floor).sqrt();
    directions * DMatrix::from_fn(d, d, |i, j| if i == j { scale(i) } else { 0.0 })
}

/// The unmixing `[d, d]` whose inverse has as columns the directions in which the differences
/// `[n, d]` of each target lie, by the targets that a given unmixing names.
///
/// A perfect intervention on `e_k` moves a linear mixture along one line, so that the leading
/// direction of the differences that code `k` explains best is column `k` of the mixing: exact
/// without noise, where independent components have sampling errors, which drown codes whose changes
/// are small beside those of others. A target without differences keeps its direction.
pub fn along_targets(differences: &DMatrix<f64>, unmixing: &DMatrix<f64>) -> DMatrix<f64> {
    let d = unmixing.ncols();
    let mut unit = unmixing.clone();
    let mut codes = differences * unmixing;
    for (mut column, mut unit) in codes.column_iter_mut().zip(unit.column_iter_mut()) {
        let size = (column.norm_squared() / column.nrows().max(1) as f64).sqrt();
        column /= size.max(f64::MIN_POSITIVE);
        unit /= size.max(f64::MIN_POSITIVE);
    }
    let mut moments = vec![DMatrix::zeros(d, d); d];
    for row in codes.row_iter() {
        let code = row.transpose();
        moments[code.iamax()].ger(1.0, &code, &code, 1.0);
    }
    let mut mixing = DMatrix::identity(d, d);
    for (k, moment) in moments.into_iter().enumerate().filter(|(_, m)| m.trace() > 0.0) {
        let (_, directions) = sorted_eigen(moment);
        mixing.column_mut(k).copy_from(&directions.column(0));
    }
    mixing.try_inverse().map_or_else(|| unmixing.clone(), |inverse| unit * inverse.transpose())
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

    /// Sources of sizes 1 to 10,000; the code of the smallest has as much of the largest in it.
    #[test]
    fn directions_of_targets_are_exact() {
        let (d, n) = (4, 2000);
        let mut rng = Seed(7).rng(Stream::Data);
        let mut sparse = DMatrix::zeros(n, d);
        for mut row in sparse.row_iter_mut() {
            let hit: usize = rng.random_range(0..d);
            let size: f64 = StandardNormal.sample(&mut rng);
            row[hit] = size * [1.0, 1e2, 1e3, 1e4][hit];
        }
        let mixing = random_rotation(d, &mut rng) + DMatrix::identity(d, d) * 0.5;
        let exact = mixing.clone().try_inverse().unwrap();
        let mut near = exact.clone();
        let astray = exact.column(3) * 1e-4;
        near.column_mut(0).axpy(1.0, &astray, 1.0);
        let product = (&mixing * along_targets(&(sparse * &mixing), &near)).abs();
        for column in product.column_iter() {
            let rest = column.sum() - column.max();
            assert!(rest < 1e-9 * column.max(), "{column}");
        }
    }
}
