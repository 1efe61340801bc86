use domino::core::{Embedding, InterventionTarget, Observations};
use domino::data::Generator;
use domino::metrics::{KernelRidge, KernelRidgeOptions, Sample as Points};
use domino::model::{Action, Causal, LatentCausalModel, Obs, Scm, download, upload, upload_rows};
use domino::vae::FittedIlcm;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::strip::{like, psnr};
use crate::dataset::Sample;

/// Counterfactuals of each variable that are compared with the truth.
const COMPARED: usize = 200;

/// Pictures decoded at once.
const CHUNK: usize = 256;

/// Pairs, beyond those that are compared, on which it is learned to read variables off pictures.
const READ: usize = 500;

/// Penalty and inverse squared width of that regression, which reads variables of rendered pictures of circuits
/// with errors of .01 of their standard deviation.
const READER: (f64, f64) = (1e-4, 1e-3);

/// How far a model's pictures are from rendered ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PictureScores {
    /// Mean peak signal-to-noise ratio of reconstructions, in decibels.
    pub reconstruction_psnr: f64,
    /// Counterfactuals, one entry per true variable; empty where there is no generator to render
    /// the truth.
    pub counterfactuals: Vec<EditScore>,
}

/// Pictures of what would be if one variable were set, against the rendered truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EditScore {
    /// The true variable.
    pub variable: String,
    /// Mean peak signal-to-noise ratio, in decibels.
    pub psnr: f64,
    /// The ratio below which one picture in ten lies.
    pub low_psnr: f64,
    /// The mean ratio of the picture before, left as it is: what doing nothing would reach.
    pub unchanged_psnr: f64,
    /// Root mean squared error of every true variable in the model's pictures over its standard deviation, in
    /// the order of the variables. Variables are read off a picture by a regression on the model's features that
    /// is fitted to true pictures; empty where there are too few.
    pub errors: Vec<f64>,
    /// The same of the rendered pictures: what is the reading's own.
    pub reading_errors: Vec<f64>,
}

impl PictureScores {
    /// The mean ratio of the variable whose counterfactuals are worst.
    pub fn worst(&self) -> Option<f64> {
        self.counterfactuals.iter().map(|edit| edit.psnr).reduce(f64::min)
    }
}

/// A model of pictures beside the pictures that it is asked about.
pub struct Studio<'a> {
    /// The model.
    pub model: &'a FittedIlcm,
    /// Pairs, with what is known of them.
    pub test: &'a Sample,
    /// What the model says of the pairs.
    pub embedding: &'a Embedding,
}

/// The generator of the pictures, the code that each of its variables is matched with, and what a value of one
/// is in the other.
pub(super) struct World<'a> {
    pub(super) generator: &'a dyn Generator,
    pub(super) matching: &'a [usize],
    pub(super) z: &'a DMatrix<f64>,
    pub(super) e: &'a DMatrix<f64>,
    pub(super) rulers: Vec<Ruler>,
}

impl Studio<'_> {
    /// Pictures of causal variables `[n, d]`.
    pub fn draw(&self, z: &DMatrix<f64>) -> Observations {
        let mut decoded = DMatrix::zeros(z.nrows(), self.test.pairs.dim());
        for start in (0..z.nrows()).step_by(CHUNK) {
            let part = z.rows(start, CHUNK.min(z.nrows() - start)).into_owned();
            let x = self.model.decode(Causal(upload(&part, &self.model.device()))).0;
            decoded.rows_mut(start, part.nrows()).copy_from(&download(x));
        }
        like(self.test.pairs.before(), &decoded)
    }

    /// What the encoder sees of pictures, `[n, components]`.
    fn features(&self, pictures: &Observations) -> DMatrix<f64> {
        let features = |start: usize| {
            let rows = start..(start + CHUNK).min(pictures.len());
            let mut data = Vec::with_capacity(rows.len() * pictures.dim());
            rows.for_each(|row| pictures.push_row(row, &mut data));
            let x = Obs(upload_rows(data, pictures.dim(), &self.model.device()));
            download(self.model.whiten(x))
        };
        stacked(&(0..pictures.len()).step_by(CHUNK).map(features).collect::<Vec<_>>())
    }

    /// A regression that reads true variables off pictures, where there are pictures to learn it from.
    fn reader(&self) -> Option<KernelRidge> {
        let (pairs, truth) = (&self.test.pairs, &self.test.truth);
        let (first, rows) = (COMPARED, pairs.len().saturating_sub(COMPARED).min(READ));
        if rows == 0 {
            return None;
        }
        let (mut features, mut z) = (Vec::new(), Vec::new());
        for (x, known) in [(pairs.before(), &truth.z_before), (pairs.after(), &truth.z_after)] {
            features.push(self.features(&x.slice(first..first + rows)));
            z.push(known.as_ref()?.rows(first, rows).into_owned());
        }
        let (features, z) = (stacked(&features), stacked(&z));
        let options = KernelRidgeOptions {
            alphas: vec![READER.0],
            gammas: vec![READER.1],
            ..KernelRidgeOptions::default()
        };
        KernelRidge::fit(Points::new(&features, &z).ok()?, &options).ok()
    }

    /// Causal variables after one of them is set, row by row: `z [n, d]`, `values [n]`.
    pub fn set(&self, z: &DMatrix<f64>, variable: usize, values: &[f64]) -> DMatrix<f64> {
        let device = self.model.device();
        let mask = |_, k| f64::from(u8::from(k == variable));
        let action = Action {
            mask: upload(&DMatrix::from_fn(z.nrows(), z.ncols(), mask), &device),
            value: upload(&DMatrix::from_fn(z.nrows(), z.ncols(), |n, _| values[n]), &device),
        };
        download(self.model.counterfactual(Causal(upload(z, &device)), &action).0)
    }

    /// How far its pictures are from the true ones; `matching` is the code of every true variable.
    pub fn scores(
        &self,
        generator: Option<&dyn Generator>,
        matching: Option<&[usize]>,
    ) -> PictureScores {
        let n = self.test.pairs.len().min(COMPARED);
        let before = self.test.pairs.before().slice(0..n);
        let back = self.draw(&self.embedding.z_before.rows(0, n).into_owned());
        let world = generator.zip(matching).and_then(|(g, m)| self.world(g, m));
        let reader = world.as_ref().and_then(|_| self.reader());
        PictureScores {
            reconstruction_psnr: mean(&psnr(&back, &before)),
            counterfactuals: world.map_or_else(Vec::new, |world| {
                (0..world.matching.len()).map(|at| self.edit(&world, reader.as_ref(), at)).collect()
            }),
        }
    }

    /// The generator, where it can answer for these pairs and every variable has its code.
    pub(super) fn world<'b>(
        &'b self,
        generator: &'b dyn Generator,
        matching: &'b [usize],
    ) -> Option<World<'b>> {
        let (z, e) = (self.test.truth.z_before.as_ref()?, self.test.truth.e_before.as_ref()?);
        let whole = matching.len() == self.embedding.dim() && matching.len() == z.ncols();
        whole.then(|| {
            let codes = &self.embedding.z_before;
            let ruler = |(k, &code)| Ruler::new(z.column(k), codes.column(code));
            let rulers = matching.iter().enumerate().map(ruler).collect();
            World { generator, matching, z, e, rulers }
        })
    }

    fn edit(&self, world: &World<'_>, reader: Option<&KernelRidge>, factor: usize) -> EditScore {
        let n = self.test.pairs.len().min(COMPARED);
        let values = self.drawn_values(factor, n);
        let state = world.state_after(&(0..n).collect::<Vec<_>>(), factor, &values);
        let truth = world.generator.observation_of(&state);
        let code = world.matching[factor];
        let set: Vec<f64> = values.iter().map(|&v| world.rulers[factor].code_of(v)).collect();
        let before = self.embedding.z_before.rows(0, n).into_owned();
        let drawn = self.draw(&self.set(&before, code, &set));
        let [errors, reading_errors] = [&drawn, &truth].map(|pictures| {
            let read = reader.map(|reader| reader.predict(&self.features(pictures)));
            read.map_or_else(Vec::new, |read| world.errors(&read, &state))
        });
        let mut ratios = psnr(&drawn, &truth);
        let unchanged = psnr(&self.test.pairs.before().slice(0..n), &truth);
        let psnr = mean(&ratios);
        ratios.sort_by(f64::total_cmp);
        EditScore {
            variable: world.generator.names()[factor].clone(),
            psnr,
            low_psnr: ratios[ratios.len() / 10],
            unchanged_psnr: mean(&unchanged),
            errors,
            reading_errors,
        }
    }

    /// Values that interventions gave a variable in the pairs, or else that it has, for `n` rows.
    fn drawn_values(&self, factor: usize, n: usize) -> Vec<f64> {
        let truth = &self.test.truth;
        let hit = |row: &usize| {
            let targets = truth.targets.as_ref();
            targets.is_some_and(|all| all[*row] == InterventionTarget::Atomic(factor))
        };
        let column = truth.z_after.as_ref().or(truth.z_before.as_ref()).map(|z| z.column(factor));
        let Some(column) = column else { return vec![0.0; n] };
        let rows: Vec<usize> = (0..self.test.pairs.len()).filter(hit).collect();
        let row = |i: usize| if rows.is_empty() { i } else { rows[i % rows.len()] };
        (0..n).map(|i| column[row(i)]).collect()
    }
}

impl World<'_> {
    /// The true pictures after a true variable is set in some rows.
    pub(super) fn after(&self, rows: &[usize], factor: usize, values: &[f64]) -> Observations {
        self.generator.observation_of(&self.state_after(rows, factor, values))
    }

    /// The true variables after one of them is set in some rows.
    fn state_after(&self, rows: &[usize], factor: usize, values: &[f64]) -> DMatrix<f64> {
        let e = self.e.select_rows(rows);
        let set = DMatrix::from_fn(rows.len(), e.ncols(), |n, _| values[n]);
        let targets = vec![InterventionTarget::Atomic(factor); rows.len()];
        self.generator.intervene(&e, &targets, &set).z
    }

    /// Root mean squared errors of variables `[n, d]` that were read, over their standard deviations.
    fn errors(&self, read: &DMatrix<f64>, truth: &DMatrix<f64>) -> Vec<f64> {
        let error = |k: usize| {
            let square = (read.column(k) - truth.column(k)).norm_squared() / read.nrows() as f64;
            (square / self.z.column(k).variance().max(f64::MIN_POSITIVE)).sqrt()
        };
        (0..truth.ncols()).map(error).collect()
    }
}

/// Translates values of a true variable to those of its code: equal shares of both lie below them.
pub(super) struct Ruler {
    truth: Vec<f64>,
    code: Vec<f64>,
}

impl Ruler {
    pub(super) fn new<'a>(
        truth: impl IntoIterator<Item = &'a f64>,
        code: impl IntoIterator<Item = &'a f64>,
    ) -> Self {
        let mut truth: Vec<f64> = truth.into_iter().copied().collect();
        let mut code: Vec<f64> = code.into_iter().copied().collect();
        let middle = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let (t, c) = (middle(&truth), middle(&code));
        let falling = truth.iter().zip(&code).map(|(a, b)| (a - t) * (b - c)).sum::<f64>() < 0.0;
        truth.sort_by(f64::total_cmp);
        code.sort_by(f64::total_cmp);
        if falling {
            code.reverse();
        }
        Self { truth, code }
    }

    /// The code of a true value; beyond all that were seen, that of the outermost.
    pub(super) fn code_of(&self, value: f64) -> f64 {
        let above = self.truth.partition_point(|&t| t < value);
        if above == 0 || above == self.truth.len() {
            return self.code[above.min(self.code.len() - 1)];
        }
        let (low, high) = (self.truth[above - 1], self.truth[above]);
        let along = (value - low) / (high - low).max(f64::MIN_POSITIVE);
        self.code[above - 1] + along * (self.code[above] - self.code[above - 1])
    }

    /// The true value below which a share of all lies.
    pub(super) fn truth_at(&self, share: f64) -> f64 {
        self.truth[(share * (self.truth.len() - 1) as f64).round() as usize]
    }
}

/// Matrices of the same width below each other.
fn stacked(parts: &[DMatrix<f64>]) -> DMatrix<f64> {
    let rows: Vec<_> = parts.iter().flat_map(|part| part.row_iter()).collect();
    DMatrix::from_rows(&rows)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ruler_follows_a_bent_and_falling_code() {
        let truth: Vec<f64> = (0..101).map(|v| f64::from(v) / 100.0).collect();
        let code: Vec<f64> = truth.iter().map(|t| -t.powi(3)).collect();
        let ruler = Ruler::new(&truth, &code);
        assert!((ruler.code_of(0.5) + 0.125).abs() < 1e-9);
        assert!((ruler.code_of(2.0) + 1.0).abs() < 1e-9);
        assert!((ruler.code_of(-2.0)).abs() < 1e-9);
        assert!((ruler.truth_at(0.25) - 0.25).abs() < 1e-9);
    }
}
