//! Counterfactual sweeps: how all variables answer when one is set.

use domino::core::{Embedding, InterventionTarget};
use domino::data::Generator;
use domino::model::{Action, Causal, Scm, download, upload};
use domino::vae::FittedIlcm;
use nalgebra::DMatrix;

use crate::dataset::Sample;
use crate::report::CounterfactualStrip;
use crate::score::rows;

/// Quantiles of a variable between which it is swept.
const ENDS: [f64; 2] = [0.05, 0.95];

/// A typical pair and the range of each variable, over which one variable after another is set.
pub struct Sweep<'a> {
    embedding: &'a Embedding,
    /// Row whose variables are nearest to their medians.
    typical: usize,
    values: usize,
}

impl<'a> Sweep<'a> {
    /// Sweeps of `values` values around the typical row of an embedding.
    pub fn new(embedding: &'a Embedding, values: usize) -> Self {
        let z = &embedding.z_before;
        let medians: Vec<f64> = z.column_iter().map(|c| quantile(c.iter(), 0.5)).collect();
        let spreads = z.row_variance().map(|v| v.sqrt().max(f64::MIN_POSITIVE));
        let distance = |row: usize| -> f64 {
            let offset = |k: usize| (z[(row, k)] - medians[k]) / spreads[k];
            (0..z.ncols()).map(|k| offset(k).powi(2)).sum()
        };
        let typical = (0..z.nrows()).min_by(|&a, &b| distance(a).total_cmp(&distance(b)));
        Self { embedding, typical: typical.unwrap_or(0), values }
    }

    /// The model's answers, one strip per variable.
    pub fn of_model(&self, model: &FittedIlcm) -> Vec<CounterfactualStrip> {
        let d = self.embedding.dim();
        let row = self.embedding.z_before.row(self.typical);
        let z = DMatrix::from_fn(self.values, d, |_, k| row[k]);
        let strip = |variable: usize| {
            let values = self.range(variable);
            let set = DMatrix::from_fn(self.values, d, |n, _| values[n]);
            let mask = DMatrix::from_fn(self.values, d, |_, k| f64::from(u8::from(k == variable)));
            let device = model.device();
            let action = Action { mask: upload(&mask, &device), value: upload(&set, &device) };
            let answer = model.counterfactual(Causal(upload(&z, &device)), &action);
            let predicted = rows(&download(answer.0));
            CounterfactualStrip { variable, values, predicted, truth: None }
        };
        (0..d).map(strip).collect()
    }

    /// Adds the answers of the world that made the pairs, in the units of the codes: each code is
    /// compared with the straight line of its true variable that fits it best. `matching` gives
    /// the code of every true variable that has one; where a code has no true variable, the world
    /// has no answer for it, and nothing is added.
    pub fn add_truth(
        &self,
        strips: &mut [CounterfactualStrip],
        world: &dyn Generator,
        test: &Sample,
        matching: &[Option<usize>],
    ) {
        let (Some(z), Some(e)) = (&test.truth.z_before, &test.truth.e_before) else { return };
        let line = |code: usize| {
            let factor = matching.iter().position(|&matched| matched == Some(code))?;
            let codes = self.embedding.z_before.column(code);
            Some((factor, Line::fit(z.column(factor).iter(), codes.iter())))
        };
        let lines: Option<Vec<(usize, Line)>> = (0..self.embedding.dim()).map(line).collect();
        let Some(lines) = lines else { return };
        let e = DMatrix::from_fn(self.values, z.ncols(), |_, k| e[(self.typical, k)]);
        for strip in strips {
            let Some((factor, line)) = lines.get(strip.variable) else { continue };
            let values: Vec<f64> = strip.values.iter().map(|v| line.inverse(*v)).collect();
            let set = DMatrix::from_fn(self.values, z.ncols(), |n, _| values[n]);
            let targets = vec![InterventionTarget::Atomic(*factor); self.values];
            let answer = world.intervene(&e, &targets, &set).z;
            let mut truth = DMatrix::zeros(self.values, lines.len());
            for (code, (factor, line)) in lines.iter().enumerate() {
                truth.column_mut(code).copy_from(&answer.column(*factor).map(|v| line.at(v)));
            }
            strip.truth = truth.iter().all(|v| v.is_finite()).then(|| rows(&truth));
        }
    }

    fn range(&self, variable: usize) -> Vec<f64> {
        let column = self.embedding.z_before.column(variable);
        let [low, high] = ENDS.map(|share| quantile(column.iter(), share));
        let last = (self.values - 1).max(1) as f64;
        (0..self.values).map(|n| low + (high - low) * n as f64 / last).collect()
    }
}

/// `y = intercept + slope x`.
struct Line {
    slope: f64,
    intercept: f64,
}

impl Line {
    fn fit<'a>(
        x: impl ExactSizeIterator<Item = &'a f64> + Clone,
        y: impl ExactSizeIterator<Item = &'a f64> + Clone,
    ) -> Self {
        let n = x.len() as f64;
        let (mean_x, mean_y) = (x.clone().sum::<f64>() / n, y.clone().sum::<f64>() / n);
        let both: f64 = x.clone().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let own: f64 = x.map(|x| (x - mean_x).powi(2)).sum();
        let slope = both / own;
        Self { slope, intercept: mean_y - slope * mean_x }
    }

    fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    fn inverse(&self, y: f64) -> f64 {
        (y - self.intercept) / self.slope
    }
}

/// The value below which a share of the values lies, the nearest one.
fn quantile<'a>(values: impl Iterator<Item = &'a f64>, share: f64) -> f64 {
    let mut sorted: Vec<f64> = values.copied().collect();
    sorted.sort_by(f64::total_cmp);
    let at = share * sorted.len().saturating_sub(1) as f64;
    sorted.get(at.round() as usize).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "small whole numbers")]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occur() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!([0.0, 0.5, 1.0].map(|share| quantile(values.iter(), share)), [1.0, 3.0, 5.0]);
    }

    #[test]
    fn a_line_is_found_again_and_inverted() {
        let x = [0.0, 1.0, 2.0];
        let line = Line::fit(x.iter(), [5.0, 3.0, 1.0].iter());
        assert_eq!(
            [line.slope, line.intercept, line.at(3.0), line.inverse(-1.0)],
            [-2.0, 5.0, -1.0, 3.0]
        );
    }

    #[test]
    fn the_typical_row_is_the_one_nearest_to_the_medians() {
        let z = DMatrix::from_row_slice(3, 2, &[-5.0, 9.0, 0.1, 0.2, 4.0, -7.0]);
        let blank = DMatrix::zeros(3, 2);
        let embedding = Embedding {
            z_after: z.clone(),
            z_before: z,
            e_before: blank.clone(),
            e_after: blank.clone(),
            target_probs: DMatrix::zeros(3, 3),
            set_probs: None,
            edge_probs: DMatrix::zeros(2, 2),
        };
        let sweep = Sweep::new(&embedding, 3);
        assert_eq!(sweep.typical, 1);
        assert_eq!(sweep.range(0), [-5.0, -0.5, 4.0]);
    }
}
