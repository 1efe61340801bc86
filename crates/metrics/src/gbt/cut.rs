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
    /// `s² m / (l (m - l))`. Points are taken four at a time: one running sum would make each
    /// addition wait for the one before.
    pub(crate) fn best_cut(&self, values: &[f32], order: &[u32], floor: f64) -> Option<Cut> {
        let mut best = Cut { left: 0, gain: floor };
        let mut sum = 0.0;
        let centred = |point: u32| self.residuals[point as usize] - self.mean;
        let cuts = order.len().saturating_sub(1);
        let blocks = order[..cuts].chunks_exact(4).zip(self.weights.chunks_exact(4));
        for (block, (points, weights)) in blocks.enumerate() {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| centred(points[i]));
            let (two, three) = (a + b, (a + b) + c);
            let sums = [sum + a, sum + two, sum + three, sum + (two + (c + d))];
            sum = sums[3];
            let gains = [0, 1, 2, 3].map(|i| sums[i] * sums[i] * weights[i]);
            // The gaps are read only where they matter: hardly ever.
            if gains[0].max(gains[1]).max(gains[2].max(gains[3])) > best.gain {
                for (i, gain) in gains.into_iter().enumerate() {
                    best = better(best, 4 * block + i + 1, gain, values, order);
                }
            }
        }
        for left in cuts / 4 * 4..cuts {
            sum += centred(order[left]);
            best = better(best, left + 1, sum * sum * self.weights[left], values, order);
        }
        (best.left > 0).then_some(best)
    }
}

/// The cut with `left` points on its left, if it gains more than `best` and parts two values.
fn better(best: Cut, left: usize, gain: f64, values: &[f32], order: &[u32]) -> Cut {
    let value = |at: usize| values[order[at] as usize];
    if gain > best.gain && value(left) > value(left - 1) + SMALLEST_GAP {
        Cut { left, gain }
    } else {
        best
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
