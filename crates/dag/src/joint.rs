use nalgebra::{DMatrix, DVector};

use crate::least_squares::{spd_inverse, spd_solve};
use crate::weight_law::Estimate;

/// Gauss-Newton steps at most; from the start used here convergence takes two to five.
const STEPS: usize = 30;

/// Steps whose largest change of a weight is below this end the iteration: a tenth of a thousandth
/// of a typical standard error changes no decision.
const TOLERANCE: f64 = 1e-6;

/// Halvings of a step that does not lower the misfit.
const HALVINGS: usize = 8;

/// Total effects of a linear system as the pairs show them, in causal order.
///
/// With `z = (I − W)⁻ᵀ e` the new code of `k` is `z̃_k − Σ_{a<k} T_ak e_a`, where
/// `T = (I − W)⁻¹` is `[from, to]`. Regressing it on the codes before gives estimates of column `k`
/// of `T` with precision matrix `G_k / σ_k²`.
pub(crate) struct TotalEffects {
    /// Estimates of `T_ak`, `a < k`, for each `k`.
    pub(crate) estimates: Vec<DVector<f64>>,
    /// `G_k / σ_k²`, `[k, k]`; all zero without rows.
    pub(crate) precisions: Vec<DMatrix<f64>>,
}

/// Weights fitted to all total effects at once, and what their tests need.
pub(crate) struct JointFit {
    /// `[from, to]`, strictly upper triangular.
    pub(crate) weights: DMatrix<f64>,
    /// Statistic on one degree of freedom for each pair `from < to`: Wald for weights in the
    /// support, score for the others.
    pub(crate) statistics: DMatrix<f64>,
    /// Standard errors of the weights, of those outside the support as if each alone were added;
    /// infinite where nothing is known.
    pub(crate) errors: DMatrix<f64>,
}

impl JointFit {
    /// The weight, or that which one step would give it if it were added, up to its sign.
    pub(crate) fn estimate(&self, at: (usize, usize)) -> Estimate {
        let error = self.errors[at];
        Estimate { weight: self.statistics[at].sqrt() * error, error }
    }
}

impl TotalEffects {
    /// Maximum-likelihood weights with the given support.
    ///
    /// Minimises `Σ_k (t_k − T_·k)ᵀ (G_k / σ_k²) (t_k − T_·k)` over the weights in `support` by
    /// Gauss-Newton steps from `start`, with `∂T = T ∂W T`. Weights of all variables are fitted at
    /// once, since a variable's total effects also say something of its causes' mechanisms.
    pub(crate) fn fit(&self, start: &DMatrix<f64>, support: &[(usize, usize)]) -> JointFit {
        let mut weights = masked(start, support);
        let mut misfit = self.misfit(&total_effects(&weights));
        for _ in 0..STEPS {
            let (information, gradient) = self.normal_equations(&weights, support);
            let step = spd_solve(&information, &gradient);
            let Some((next, lower)) = self.line_search(&weights, support, &step, misfit) else {
                break;
            };
            let largest = (&next - &weights).amax();
            (weights, misfit) = (next, lower);
            if largest < TOLERANCE {
                break;
            }
        }
        let [statistics, errors] = self.statistics(&weights, support);
        JointFit { weights, statistics, errors }
    }

    fn line_search(
        &self,
        weights: &DMatrix<f64>,
        support: &[(usize, usize)],
        step: &DVector<f64>,
        misfit: f64,
    ) -> Option<(DMatrix<f64>, f64)> {
        let mut length = 1.0;
        for _ in 0..HALVINGS {
            let mut next = weights.clone();
            support.iter().zip(step.iter()).for_each(|(&at, s)| next[at] += length * s);
            let lower = self.misfit(&total_effects(&next));
            if lower < misfit {
                return Some((next, lower));
            }
            length *= 0.5;
        }
        None
    }

    /// `Σ_k (T̂_·k − T_·k)ᵀ P_k (T̂_·k − T_·k)`.
    pub(crate) fn misfit(&self, total: &DMatrix<f64>) -> f64 {
        (0..total.ncols())
            .map(|k| {
                let gap = self.gap(total, k);
                gap.dot(&(&self.precisions[k] * &gap))
            })
            .sum()
    }

    fn gap(&self, total: &DMatrix<f64>, k: usize) -> DVector<f64> {
        &self.estimates[k] - total.view((0, k), (k, 1))
    }

    /// Information matrix and gradient over the given weights.
    ///
    /// `∂T_·k / ∂W_ij = T_·i T_jk`, so an entry of the information is
    /// `Σ_k (T_·iᵀ P_k T_·i') T_jk T_j'k`.
    fn normal_equations(
        &self,
        weights: &DMatrix<f64>,
        at: &[(usize, usize)],
    ) -> (DMatrix<f64>, DVector<f64>) {
        let total = total_effects(weights);
        let mut information = DMatrix::zeros(at.len(), at.len());
        let mut gradient = DVector::zeros(at.len());
        for k in 1..total.ncols() {
            let top = total.view((0, 0), (k, k));
            let weighted = top.transpose() * &self.precisions[k];
            let slope = &weighted * self.gap(&total, k);
            let metric = &weighted * top;
            let reaching: Vec<usize> = (0..at.len()).filter(|&a| at[a].1 <= k).collect();
            for (place, &b) in reaching.iter().enumerate() {
                let (i, j) = at[b];
                let reach = total[(j, k)];
                if reach == 0.0 {
                    continue;
                }
                gradient[b] += reach * slope[i];
                let scaled: Vec<f64> = metric.column(i).iter().map(|m| reach * m).collect();
                let mut column = information.column_mut(b);
                for &a in &reaching[place..] {
                    let (other_i, other_j) = at[a];
                    column[a] += total[(other_j, k)] * scaled[other_i];
                }
            }
        }
        information.fill_upper_triangle_with_lower_triangle();
        (information, gradient)
    }

    /// Statistics and standard errors of all weights.
    fn statistics(&self, weights: &DMatrix<f64>, support: &[(usize, usize)]) -> [DMatrix<f64>; 2] {
        let d = weights.ncols();
        let absent = (1..d).flat_map(|j| (0..j).map(move |i| (i, j)));
        let absent: Vec<_> = absent.filter(|at| !support.contains(at)).collect();
        let all = [support, &absent].concat();
        let (information, gradient) = self.normal_equations(weights, &all);
        let p = support.len();
        let covariance = spd_inverse(&information.view((0, 0), (p, p)).into_owned());
        let mut statistics = DMatrix::zeros(d, d);
        let mut errors = DMatrix::from_element(d, d, f64::INFINITY);
        for (a, &at) in support.iter().enumerate() {
            statistics[at] = ratio(weights[at].powi(2), covariance[(a, a)]);
            if covariance[(a, a)] > 0.0 {
                errors[at] = covariance[(a, a)].sqrt();
            }
        }
        let cross = information.view((0, p), (p, absent.len()));
        let explained = &covariance * cross;
        for (a, &at) in absent.iter().enumerate() {
            let own = information[(p + a, p + a)] - cross.column(a).dot(&explained.column(a));
            statistics[at] = ratio(gradient[p + a].powi(2), own);
            if own > 0.0 {
                errors[at] = own.sqrt().recip();
            }
        }
        [statistics, errors]
    }
}

/// `T = (I − W)⁻¹` for strictly upper triangular weights.
pub(crate) fn total_effects(weights: &DMatrix<f64>) -> DMatrix<f64> {
    let d = weights.ncols();
    let mut total = DMatrix::identity(d, d);
    for k in 1..d {
        let column = total.view((0, 0), (d, k)) * weights.view((0, k), (k, 1));
        let mut own = total.column_mut(k);
        own += column;
    }
    total
}

/// Weights from total effects in causal order: `W = I − T⁻¹`.
pub(crate) fn weights_of(estimates: &[DVector<f64>]) -> DMatrix<f64> {
    let d = estimates.len();
    let mut total = DMatrix::identity(d, d);
    let mut weights = DMatrix::zeros(d, d);
    for (k, t) in estimates.iter().enumerate().skip(1) {
        total.view_mut((0, k), (k, 1)).copy_from(t);
        // T_·k = T_{·,<k} W_·k is unit triangular: substitute backwards.
        for i in (0..k).rev() {
            let later: f64 = (i + 1..k).map(|m| total[(i, m)] * weights[(m, k)]).sum();
            weights[(i, k)] = t[i] - later;
        }
    }
    weights
}

fn masked(weights: &DMatrix<f64>, support: &[(usize, usize)]) -> DMatrix<f64> {
    let mut kept = DMatrix::zeros(weights.nrows(), weights.ncols());
    for &at in support {
        kept[at] = weights[at];
    }
    kept
}

/// `above / below`, 0 where there is no information.
fn ratio(above: f64, below: f64) -> f64 {
    if below > 0.0 && above.is_finite() { above / below } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 -> 1 -> 2 with weights 2 and -3, seen without error.
    fn chain() -> TotalEffects {
        let estimates =
            [vec![], vec![2.0], vec![-6.0, -3.0]].map(DVector::from_vec).into_iter().collect();
        let precisions = (0..3).map(|k| DMatrix::identity(k, k) * 100.0).collect();
        TotalEffects { estimates, precisions }
    }

    #[test]
    fn total_effects_invert() {
        let weights = weights_of(&chain().estimates);
        let expected = nalgebra::dmatrix![0.0, 2.0, 0.0; 0.0, 0.0, -3.0; 0.0, 0.0, 0.0];
        assert!((&weights - expected).amax() < 1e-12);
        let total = total_effects(&weights);
        assert!((total[(0, 2)] + 6.0).abs() < 1e-12 && (total[(1, 2)] + 3.0).abs() < 1e-12);
    }

    #[test]
    fn absent_and_present_edges_are_told_apart() {
        let effects = chain();
        let start = weights_of(&effects.estimates);
        let fit = effects.fit(&start, &[(0, 1), (1, 2)]);
        assert!((fit.weights[(0, 1)] - 2.0).abs() < 1e-9);
        assert!(fit.statistics[(0, 2)] < 1e-9 && fit.statistics[(1, 2)] > 100.0);
        let wrong = effects.fit(&start, &[(0, 1), (0, 2)]);
        assert!(wrong.statistics[(1, 2)] > 100.0, "the score test asks for the edge");
    }
}
