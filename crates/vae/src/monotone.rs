use burn::tensor::Tensor;

/// Halvings of the bracket in which an inverse lies: as many as single precision resolves.
const HALVINGS: usize = 40;

/// Strictly increasing maps `e ↦ z`, one per row, each a mixture of logistic distribution functions
/// read on the logit scale:
///
/// ```text
/// z = logit F(e),   F(e) = Σ_m w_m σ((e − b_m) / s_m)
/// ```
///
/// With one component `z = (e − b) / s`. Far from all components `z` is linear in `e`, so both
/// directions are defined everywhere.
#[derive(Clone, Debug)]
pub struct Monotone {
    /// `b_m`, `[rows, M]`.
    pub(crate) shift: Tensor<2>,
    /// `s_m > 0`, `[rows, M]`.
    pub(crate) scale: Tensor<2>,
    /// `ln w_m`, `[rows, M]`; absent with one component.
    pub(crate) log_weight: Option<Tensor<2>>,
}

/// `ln F`, `ln (1 − F)` and `ln dF/de`, `[rows, 1]` each.
struct Logs {
    below: Tensor<2>,
    above: Tensor<2>,
    density: Tensor<2>,
}

impl Monotone {
    /// `z` of `e [rows, 1]`.
    pub fn forward(&self, e: Tensor<2>) -> Tensor<2> {
        match &self.log_weight {
            None => self.standardised(e),
            Some(log_weight) => {
                let logs = self.logs(e, log_weight);
                logs.below - logs.above
            }
        }
    }

    /// `e` of `z [rows, 1]`: exact with one component, by bisection with more.
    pub fn backward(&self, z: Tensor<2>) -> Tensor<2> {
        let ends = z.clone() * self.scale.clone() + self.shift.clone();
        if self.log_weight.is_none() {
            return ends;
        }
        // A mean of σ(a_m) lies between its smallest and largest member, and so does its logit.
        let (mut low, mut high) = (ends.clone().min_dim(1), ends.max_dim(1));
        for _ in 0..HALVINGS {
            let middle = (low.clone() + high.clone()) * 0.5;
            let too_low = self.forward(middle.clone()).lower(z.clone());
            low = low.mask_where(too_low.clone(), middle.clone());
            high = middle.mask_where(too_low, high);
        }
        (low + high) * 0.5
    }

    /// `ln N(z; 0, 1) + ln dz/de` without the constant, of `e [rows, 1]`.
    pub fn log_density(&self, e: Tensor<2>) -> Tensor<2> {
        match &self.log_weight {
            None => self.standardised(e).square() * -0.5 - self.scale.clone().log(),
            Some(log_weight) => {
                let Logs { below, above, density } = self.logs(e, log_weight);
                let z = below.clone() - above.clone();
                density - below - above - z.square() * 0.5
            }
        }
    }

    /// `ln N(e; 0, 1) + ln de/dz` without the constant, of `z [rows, 1]`.
    ///
    /// # Panics
    /// If there are several components.
    pub fn log_observed(&self, z: Tensor<2>) -> Tensor<2> {
        assert!(self.log_weight.is_none(), "affine maps");
        self.backward(z).square() * -0.5 + self.scale.clone().log()
    }

    fn standardised(&self, e: Tensor<2>) -> Tensor<2> {
        (e - self.shift.clone()) / self.scale.clone()
    }

    fn logs(&self, e: Tensor<2>, log_weight: &Tensor<2>) -> Logs {
        let a = self.standardised(e);
        // ln σ(±a) = min(±a, 0) − ln(1 + exp(−|a|)), finite in both tails.
        let tail = (a.clone().abs().neg().exp() + 1.0).log();
        let low = a.clone().clamp_max(0.0) - tail.clone();
        let high = a.neg().clamp_max(0.0) - tail;
        let density = low.clone() + high.clone() - self.scale.clone().log();
        let mix = |terms: Tensor<2>| log_sum_exp(terms + log_weight.clone());
        Logs { below: mix(low), above: mix(high), density: mix(density) }
    }
}

/// `ln Σ_m exp`, `[rows, M]` to `[rows, 1]`.
fn log_sum_exp(terms: Tensor<2>) -> Tensor<2> {
    let top = terms.clone().max_dim(1).detach();
    (terms - top.clone()).exp().sum_dim(1).log() + top
}

#[cfg(test)]
mod tests {
    use domino_model::{cpu, download, upload_rows};

    use super::*;

    fn column(values: &[f32]) -> Tensor<2> {
        upload_rows(values.to_vec(), 1, &cpu())
    }

    fn three(rows: usize) -> Monotone {
        let repeat = |values: [f32; 3]| upload_rows(values.repeat(rows), 3, &cpu());
        let weights = [0.5_f32, 0.3, 0.2].map(f32::ln);
        Monotone {
            shift: repeat([-1.0, 0.5, 2.0]),
            scale: repeat([0.3, 0.1, 0.7]),
            log_weight: Some(repeat(weights)),
        }
    }

    #[test]
    fn a_map_is_the_logit_of_its_mixture() {
        let z = download(three(1).forward(column(&[0.7])))[(0, 0)];
        let sigma = |a: f64| 1.0 / (1.0 + (-a).exp());
        let f = 0.5 * sigma(1.7 / 0.3) + 0.3 * sigma(0.2 / 0.1) + 0.2 * sigma(-1.3 / 0.7);
        assert!((z - (f / (1.0 - f)).ln()).abs() < 1e-4, "{z}");
    }

    #[test]
    fn backward_undoes_forward_into_the_far_tails() {
        let e = [-40.0, -3.0, -1.0, 0.0, 0.49, 0.6, 2.0, 5.0, 60.0];
        let maps = three(e.len());
        let back = download(maps.backward(maps.forward(column(&e))));
        for (got, want) in back.iter().zip(e) {
            assert!((got - f64::from(want)).abs() < 2e-3 * (1.0 + f64::from(want).abs()));
        }
    }

    #[test]
    fn the_density_is_the_slope_times_the_normal_density() {
        let (e, step) = (0.3_f32, 1e-2_f32);
        let maps = three(3);
        let z = download(maps.forward(column(&[e - step, e, e + step])));
        let slope = (z[(2, 0)] - z[(0, 0)]) / (2.0 * f64::from(step));
        let want = slope.ln() - 0.5 * z[(1, 0)].powi(2);
        let got = download(maps.log_density(column(&[e; 3])))[(0, 0)];
        assert!((got - want).abs() < 1e-2, "{got} against {want}");
    }

    #[test]
    fn one_component_is_affine() {
        let maps = Monotone { shift: column(&[1.0]), scale: column(&[4.0]), log_weight: None };
        assert!((download(maps.forward(column(&[3.0])))[(0, 0)] - 0.5).abs() < 1e-6);
        assert!((download(maps.backward(column(&[0.5])))[(0, 0)] - 3.0).abs() < 1e-6);
        let log_density = download(maps.log_density(column(&[3.0])))[(0, 0)];
        assert!((log_density + 0.125 + 4.0_f64.ln()).abs() < 1e-6);
        let log_observed = download(maps.log_observed(column(&[0.5])))[(0, 0)];
        assert!((log_observed + 4.5 - 4.0_f64.ln()).abs() < 1e-6);
    }
}
