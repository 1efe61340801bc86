use super::mechanisms::LocationScale;
use crate::normal;
use crate::unit::another_level;

/// The numbers `0, 1, …` that a discrete variable takes, `z = #{k : t_k < u}` where `u` is what a continuous
/// one would be.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    /// Ascending, one fewer than there are numbers.
    thresholds: Vec<f64>,
}

impl Levels {
    /// Thresholds that make all `count` numbers equally frequent among `u`.
    pub(super) fn fit(count: usize, mut u: Vec<f64>) -> Self {
        u.sort_by(f64::total_cmp);
        Self { thresholds: (1..count).map(|k| u[k * u.len() / count]).collect() }
    }

    /// The number of `u`.
    pub(super) fn of(&self, u: f64) -> f64 {
        self.thresholds.partition_point(|t| *t < u) as f64
    }

    /// The number nearest to `z`; 0 for NaN.
    pub(super) fn nearest(&self, z: f64) -> f64 {
        let z = if z.is_nan() { 0.0 } else { z };
        z.round().clamp(0.0, self.thresholds.len() as f64)
    }

    /// Another number than `old`, each equally likely; `fresh` is a draw from `N(0, 1)`.
    pub(super) fn another(&self, old: f64, fresh: f64) -> f64 {
        another_level(old, self.thresholds.len() + 1, fresh)
    }

    /// The median of the noise `N(0, 1)` that leads to the number nearest to `z`.
    pub(super) fn noise(&self, z: f64, law: &LocationScale<'_>, row: usize) -> f64 {
        let at = self.nearest(z) as usize;
        let noise = |t: f64| (t - law.location[row]) / law.scale[row];
        let below = at.checked_sub(1).map_or(f64::NEG_INFINITY, |k| noise(self.thresholds[k]));
        let above = self.thresholds.get(at).map_or(f64::INFINITY, |&t| noise(t));
        median_between(below, above)
    }
}

/// The median of `N(0, 1)` between two bounds, of which one at least is finite; where no mass can be told
/// between them, their middle or a value beyond the finite one.
fn median_between(below: f64, above: f64) -> f64 {
    // The smaller tail is the one that is known to full precision.
    let side = if below + above > 0.0 { -1.0 } else { 1.0 };
    let mass = 0.5 * (normal::cdf(side * below) + normal::cdf(side * above));
    let median = if mass > 0.0 { side * normal::quantile(mass) } else { f64::NAN };
    if below < median && median < above {
        return median;
    }
    let low = if below.is_finite() { below } else { above - 2.0 };
    let high = if above.is_finite() { above } else { below + 2.0 };
    0.5 * (low + high)
}
