//! The dimension of the surface on which observations lie.

use nalgebra::DMatrix;

/// Observations whose neighbours are looked for.
const NEIGHBOURS: usize = 2000;

/// Share of the largest distance ratios that the intrinsic dimension leaves out, as the least
/// certain ones.
const DISCARDED: f64 = 0.1;

/// Two observations whose squared distance is less than this share of the mean squared length are the same but for
/// rounding.
const SAME: f64 = 1e-10;

/// The intrinsic dimension by two nearest neighbours: with `μ = r₂ / r₁`, `−ln(1 − F(μ)) = d ln μ`,
/// fitted through the origin without the largest ratios; 0 where most observations are there more than
/// once, since variables that take few values have none.
pub(super) fn intrinsic_dimension(x: &DMatrix<f64>) -> f64 {
    let take = x.nrows().min(NEIGHBOURS);
    let rows: Vec<Vec<f64>> =
        (0..take).map(|i| x.row(i * x.nrows() / take).iter().copied().collect()).collect();
    let length: f64 = rows.iter().flatten().map(|v| v * v).sum::<f64>() / take.max(1) as f64;
    let mut ratios = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let (mut first, mut second) = (f64::INFINITY, f64::INFINITY);
        for (_, other) in rows.iter().enumerate().filter(|&(j, _)| j != i) {
            let distance: f64 = row.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum();
            if distance < first {
                (first, second) = (distance, first);
            } else if distance < second {
                second = distance;
            }
        }
        if first > SAME * length && second.is_finite() {
            ratios.push(0.5 * (second / first).ln());
        }
    }
    if 2 * ratios.len() < take {
        return 0.0;
    }
    ratios.sort_by(f64::total_cmp);
    let n = ratios.len() as f64;
    ratios.truncate((n * (1.0 - DISCARDED)) as usize);
    let (mut moment, mut square) = (0.0, 0.0);
    for (i, log_ratio) in ratios.iter().enumerate() {
        moment -= log_ratio * (1.0 - (i + 1) as f64 / (n + 1.0)).ln();
        square += log_ratio * log_ratio;
    }
    if square > 0.0 { moment / square } else { 0.0 }
}
