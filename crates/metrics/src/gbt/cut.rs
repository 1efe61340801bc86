use super::columns::SMALLEST_GAP;

/// The best place to cut one feature's ascending points in two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cut {
    /// Points on the left: the first `left` of the ascending order.
    pub(crate) left: usize,
    /// Decrease of the sum of squared deviations from the mean.
    pub(crate) gain: f64,
}

/// The points of one tree node as the scan over a feature sees them.
pub(crate) struct Scan<'a> {
    /// Residuals of all points, `[n]`.
    pub(crate) residuals: &'a [f64],
    /// Mean residual in the node.
    pub(crate) mean: f64,
    /// Entry `l - 1` is `m / (l (m - l))` for a node of `m` points, `l` of them on the left.
    pub(crate) weights: &'a [f64],
}

impl Scan<'_> {
    /// The first best cut of a feature with a gain above `floor`.
    ///
    /// With `s` the sum of the centred residuals on the left, the gain of a cut is
    /// `s² m / (l (m - l))`: one addition and two products per point.
    pub(crate) fn best_cut(&self, values: &[f32], order: &[u32], floor: f64) -> Option<Cut> {
        let mut best = Cut { left: 0, gain: floor };
        let mut sum = 0.0;
        for ((left, pair), weight) in order.windows(2).enumerate().zip(self.weights) {
            let (here, next) = (pair[0] as usize, pair[1] as usize);
            sum += self.residuals[here] - self.mean;
            let gain = sum * sum * weight;
            // The gap is read only where it matters: hardly ever.
            if gain > best.gain && values[next] > values[here] + SMALLEST_GAP {
                best = Cut { left: left + 1, gain };
            }
        }
        (best.left > 0).then_some(best)
    }
}

/// Fills `weights[l - 1] = m / (l (m - l))` for `l` in `1..m`.
pub(crate) fn cut_weights(m: usize, weights: &mut Vec<f64>) {
    let total = m as f64;
    weights.clear();
    weights.extend((1..m).map(|l| total / (l as f64 * (total - l as f64))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(values: &[f32], residuals: &[f64]) -> Option<Cut> {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        let mean = residuals.iter().sum::<f64>() / residuals.len() as f64;
        let mut weights = Vec::new();
        cut_weights(values.len(), &mut weights);
        Scan { residuals, mean, weights: &weights }.best_cut(values, &order, -1.0)
    }

    #[test]
    fn a_step_is_cut_where_it_is_and_all_its_variance_is_gained() {
        let cut = best(&[3.0, 1.0, 4.0, 2.0], &[1.0, -1.0, 1.0, -1.0]).unwrap();
        assert_eq!(cut, Cut { left: 2, gain: 4.0 });
    }

    #[test]
    fn values_too_close_are_never_parted() {
        assert_eq!(best(&[0.0, 5e-8, 9e-8], &[1.0, -1.0, 0.0]), None);
        let cut = best(&[0.0, 5e-8, 1.0], &[1.0, -1.0, 0.0]).unwrap();
        assert_eq!(cut.left, 2);
    }
}
