use nalgebra::{Cholesky, DMatrix, DVector, Dyn, QR};

use crate::joint::{JointFit, TotalEffects, weights_of};
use crate::least_squares::spd_inverse;

/// Times that the errors of the predecessors' total effects are weighed by the weights found.
const ROUNDS: usize = 2;

/// The weights into one variable as a regression in causal order.
///
/// `T_·k = T_{·,<k} W_·k` holds of the true total effects. Of the estimates `T̂` it holds up to an error
/// of covariance `C_k + Σ_j W_jk² C_j`, where `C_j` is that of column `j`: a regression of `k` numbers on
/// as many columns, linear in the weights whatever the size of the effects.
struct Column {
    /// `T̂_{<k,<k}`, its errors made white, `[k, k]`.
    design: DMatrix<f64>,
    /// `T̂_{<k,k}`, likewise.
    response: DVector<f64>,
}

/// Weights, statistics and errors of all predecessors, given which of them are causes.
struct Tested {
    weights: DVector<f64>,
    statistics: DVector<f64>,
    errors: DVector<f64>,
}

impl TotalEffects {
    /// Chooses and fits the causes of one variable after the other, in causal order, by backward
    /// elimination: of `excess(fit, edge)`, what an edge's statistic exceeds that which it takes, the
    /// least below 0 goes first.
    ///
    /// Effects of long orders grow without bound (to `10⁵` for 64 variables with weights of 1), and a
    /// fit of all weights at once, in which each moves all later effects, has no scale on which it is
    /// nearly linear. This one is; it pays by not using what the effects of later variables say of
    /// earlier weights.
    pub(crate) fn in_order(
        &self,
        excess: impl Fn(&JointFit, (usize, usize)) -> f64,
    ) -> (JointFit, Vec<(usize, usize)>) {
        let d = self.estimates.len();
        let mut fit = JointFit {
            weights: DMatrix::zeros(d, d),
            statistics: DMatrix::zeros(d, d),
            errors: DMatrix::from_element(d, d, f64::INFINITY),
        };
        let start = weights_of(&self.estimates);
        let covariances: Vec<DMatrix<f64>> = self.precisions.iter().map(spd_inverse).collect();
        let (mut fitted, mut chosen) = (DMatrix::identity(d, d), Vec::new());
        for k in 1..d {
            let mut weights = start.view((0, k), (k, 1)).column(0).into_owned();
            let mut support = Vec::new();
            for _ in 0..ROUNDS {
                let Some(column) = self.column(k, &weights, &covariances) else { break };
                support = column.eliminate(k, &mut fit, &excess);
                weights = fit.weights.view((0, k), (k, 1)).column(0).into_owned();
            }
            // What is left is fitted to the effects that the predecessors' chosen causes have.
            let refitted = self.refit(k, &fitted, &support);
            let mut own = fit.weights.column_mut(k);
            support.iter().zip(refitted.iter()).for_each(|(&j, &w)| own[j] = w);
            let effects = fitted.view((0, 0), (d, k)) * fit.weights.view((0, k), (k, 1));
            let mut own = fitted.column_mut(k);
            own += effects;
            chosen.extend(support.into_iter().map(|j| (j, k)));
        }
        (fit, chosen)
    }

    /// The regression of variable `k`; none where nothing is known of its effects.
    fn column(
        &self,
        k: usize,
        weights: &DVector<f64>,
        covariances: &[DMatrix<f64>],
    ) -> Option<Column> {
        let mut errors = covariances[k].clone();
        for (j, weight) in weights.iter().enumerate() {
            let mut block = errors.view_mut((0, 0), (j, j));
            block += &covariances[j] * weight.powi(2);
        }
        let is_known = self.precisions[k].amax() > 0.0;
        let root = Cholesky::new(errors).filter(|_| is_known)?.unpack();
        let mut design = DMatrix::identity(k, k);
        for j in 1..k {
            design.view_mut((0, j), (j, 1)).copy_from(&self.estimates[j]);
        }
        let mut response = self.estimates[k].clone();
        root.solve_lower_triangular_mut(&mut design).then_some(())?;
        root.solve_lower_triangular_mut(&mut response).then_some(())?;
        Some(Column { design, response })
    }

    /// The weights in `support` that give variable `k` its total effects, given those of its
    /// predecessors.
    fn refit(&self, k: usize, total: &DMatrix<f64>, support: &[usize]) -> DVector<f64> {
        let Some(root) = Cholesky::new(self.precisions[k].clone()) else {
            return DVector::zeros(support.len());
        };
        let upper = root.unpack().transpose();
        let design = &upper * total.view((0, 0), (k, k)).select_columns(support);
        regression(&design).map_or_else(
            || DVector::zeros(support.len()),
            |(qr, inverse)| inverse * (qr.q().tr_mul(&(upper * &self.estimates[k]))),
        )
    }
}

impl Column {
    /// The causes that are left, with the column of each predecessor in `fit`.
    fn eliminate(
        &self,
        k: usize,
        fit: &mut JointFit,
        excess: impl Fn(&JointFit, (usize, usize)) -> f64,
    ) -> Vec<usize> {
        let mut support: Vec<usize> = (0..k).collect();
        loop {
            let Tested { weights, statistics, errors } = self.test(&support);
            for (target, values) in [
                (&mut fit.weights, weights),
                (&mut fit.statistics, statistics),
                (&mut fit.errors, errors),
            ] {
                target.view_mut((0, k), (k, 1)).copy_from(&values);
            }
            let judged = support.iter().map(|&j| excess(fit, (j, k))).enumerate();
            match judged.min_by(|(_, a), (_, b)| a.total_cmp(b)) {
                Some((weakest, least)) if least < 0.0 => drop(support.remove(weakest)),
                _ => return support,
            }
        }
    }

    /// Wald statistics of the causes, score statistics of the others.
    fn test(&self, support: &[usize]) -> Tested {
        let k = self.response.len();
        let mut found = Tested {
            weights: DVector::zeros(k),
            statistics: DVector::zeros(k),
            errors: DVector::from_element(k, f64::INFINITY),
        };
        let causes = self.design.select_columns(support);
        let Some((qr, inverse)) = regression(&causes) else { return found };
        let q = qr.q();
        let shares = q.tr_mul(&self.response);
        let weights = &inverse * &shares;
        for (at, &j) in support.iter().enumerate() {
            let error = inverse.row(at).norm();
            found.weights[j] = weights[at];
            found.statistics[j] = (weights[at] / error).powi(2);
            found.errors[j] = error;
        }
        let rest = &self.response - &q * shares;
        for j in (0..k).filter(|j| !support.contains(j)) {
            let own = self.design.column(j);
            let own = own - &q * q.tr_mul(&own);
            let length = own.norm();
            if length > 0.0 {
                found.statistics[j] = (own.dot(&rest) / length).powi(2);
                found.errors[j] = length.recip();
            }
        }
        found
    }
}

/// `QR` of a design and `R⁻¹`; none where columns repeat one another.
fn regression(design: &DMatrix<f64>) -> Option<(QR<f64, Dyn, Dyn>, DMatrix<f64>)> {
    let p = design.ncols();
    let qr = QR::new(design.clone());
    let mut inverse = DMatrix::identity(p, p);
    qr.r().solve_upper_triangular_mut(&mut inverse).then_some((qr, inverse))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 → 1 → 2 → 3 and 0 → 3, with weights of 20: effects up to 8020.
    fn steep() -> TotalEffects {
        let w = 20.0;
        let total = [vec![], vec![w], vec![w * w, w], vec![w * w * w + w, w * w, w]];
        let estimates = total.map(DVector::from_vec).into_iter().collect();
        let precisions = (0..4).map(|k| DMatrix::identity(k, k) * 1e6).collect();
        TotalEffects { estimates, precisions }
    }

    #[test]
    fn steep_chains_are_found() {
        let (fit, edges) = steep().in_order(|fit, at| fit.statistics[at] - 20.0);
        assert_eq!(edges, [(0, 1), (1, 2), (0, 3), (2, 3)]);
        for &at in &edges {
            assert!((fit.weights[at] - 20.0).abs() < 1e-6, "{at:?}: {}", fit.weights[at]);
        }
        assert!(fit.statistics[(0, 2)] < 1e-3, "no edge, no statistic");
    }

    #[test]
    fn errors_of_predecessors_count() {
        let steep = steep();
        let (fit, _) = steep.in_order(|_, _| 1.0);
        let own = fit.errors[(0, 1)];
        assert!((own - 1e-3).abs() < 1e-9, "{own}");
        // That of T₀₂, of W₁₂ times T₀₁, and of T₀₁ times W₁₂.
        let both = (1.0_f64 + 400.0 + 400.0).sqrt() * 1e-3;
        assert!((fit.errors[(0, 2)] - both).abs() < 1e-6, "{}", fit.errors[(0, 2)]);
    }

    #[test]
    fn variables_without_rows_get_no_causes() {
        let mut steep = steep();
        steep.precisions[2] = DMatrix::zeros(2, 2);
        let (fit, edges) = steep.in_order(|fit, at| fit.statistics[at] - 20.0);
        assert!(edges.iter().all(|&(_, to)| to != 2), "{edges:?}");
        assert!(fit.errors[(0, 2)].is_infinite());
    }
}
