use domino_core::{Embedding, InterventionTarget, Pairs};
use domino_dag::{Chains, LearnedGraph};
use domino_model::{
    Action, LatentCausalModel, Noise, Obs, PairBatch, Scm, download, upload, upload_rows,
};
use domino_train::TrainContext;
use domino_vae::start::{WhitenError, Whitening, target_entropy};
use domino_vae::{FittedIlcm, Latents, TargetInference};
use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::candidates::{nearest, shares_of_usual};
use super::causal::{Causal, causal_model};
use super::picture::fit_picture;
use super::scales::{Features, Learned, coarse_to_fine, handed_over};
use super::tears::{largest_gaps, largest_steps};
use super::variables::{Codes, Variables, encode, learn_variables, rows_by_target};
use super::{Candidate, FitError, RecipeConfig, VariableStage};
use crate::diagnose::{Separation, VariableCount};

/// Rows that a model embeds at once: larger blocks are mapped and faulted anew by every operation.
const CHUNK: usize = 1024;

/// Rows per input from which on a regression tells a dependence from chance.
const ROWS_PER_INPUT: usize = 5;

/// What the fit itself says of its quality, without labels, on held-out pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Share of each change that one code carries, or where several variables may have been set at once the
    /// codes that were, in `(0, 1]`; 1 is ideal.
    pub sparsity_of_change: f64,
    /// The models that were trained side by side, in their order.
    pub candidates: Vec<Candidate>,
    /// The one that was kept.
    pub kept: usize,
    /// Entropy of the inferred targets over its maximum.
    pub target_entropy: f64,
    /// How often the rarest of the inferred targets is one, over how often the median one is; [`HARDLY_EVER`](super::HARDLY_EVER) or
    /// less where a variable is never set.
    pub rarest_target: f64,
    /// Mean squared error of the reconstruction over the variance of the observations.
    pub reconstruction_error: f64,
    /// Share of each variable's squared change that the model does not foresee from the noise
    /// before and the values that the targets were set to, `[d]`; 0 is ideal.
    pub unforeseen: Vec<f64>,
    /// What the noise of the other variables before explains of newly set values; nothing for a
    /// perfect intervention on a rightly learned variable.
    pub dependence: Explained,
    /// What a variable's own noise before explains of its newly set values; nothing for a perfect
    /// intervention, which keeps nothing of the old value.
    pub persistence: Explained,
    /// The largest step between neighbouring ones of two hundred equally likely values of each code, in what
    /// is drawn of them while the other codes stay, over the largest distance between any two, `[d]`: small
    /// where a code runs over its values without a jump.
    pub largest_steps: Vec<f64>,
    /// The largest gap between neighbouring values of each code over their extent, without the hundredth part at
    /// either end, `[d]`: `1 / (L − 1)` where a variable takes `L` evenly spaced values.
    pub largest_gaps: Vec<f64>,
    /// Whether the linear start was enough.
    pub linear: bool,
    /// How many variables the pairs support: of vectors all directions that they vary in, also those
    /// that the fit leaves out, and of pictures the features that variables were learned from.
    pub count: VariableCount,
}

impl Diagnosis {
    /// The best agreement of another candidate with the kept one; none where only one was trained.
    pub fn agreement(&self) -> Option<f64> {
        nearest(&self.candidates, self.kept)
    }
}

/// How far the values that interventions set follow from the noise before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// Share of the variance of each variable's newly set values, `[d]`, by a quadratic regression,
    /// adjusted for chance; 0 where there are too few pairs to tell.
    pub shares: Vec<f64>,
    /// Standard error of the mean of `shares`, were there no dependence.
    pub error: f64,
}

/// A fitted model and what was learned beside it.
#[derive(Debug)]
pub struct Fit {
    /// The model.
    pub model: FittedIlcm,
    /// The whitening inside it.
    pub whitening: Whitening,
    /// The graph and its beliefs.
    pub graph: LearnedGraph,
    /// The fit's own judgement.
    pub diagnosis: Diagnosis,
}

/// Fits a model to pairs; `held_out` pairs choose between replicas and judge the result.
///
/// # Errors
/// [`FitError`] if the configuration, the data or a checkpoint does not fit, if training diverged
/// or was stopped.
pub fn fit(
    pairs: &Pairs,
    held_out: &Pairs,
    config: &RecipeConfig,
    context: &mut TrainContext<'_>,
) -> Result<Fit, FitError> {
    config.validate()?;
    let learned = match &config.variables {
        VariableStage::CoarseToFine(stage) => {
            coarse_to_fine([pairs, held_out], stage, config, context)?
        }
        VariableStage::Supervised(_) => {
            return Err(FitError::Config {
                key: "variables.supervised",
                expected: "pairs whose true noise before and after is known",
                got: "pairs alone".to_owned(),
            });
        }
        _ => {
            let features = whitened([pairs, held_out], config)?;
            let variables =
                learn_variables(&features.train_on, &features.judge_on, config, context)?;
            Learned { features, convolution: None, variables }
        }
    };
    complete(learned, [pairs, held_out], config, context)
}

/// Fits a model to pairs whose true noise before and after is given, `[n, d]` each: the ceiling of
/// what the rest of the recipe makes of codes that labels gave. `config.variables` must be
/// [`VariableStage::Supervised`].
///
/// # Errors
/// As [`fit`], and if the noise is not that of the pairs in number and width.
pub fn fit_supervised(
    pairs: &Pairs,
    noise: [&DMatrix<f64>; 2],
    held_out: &Pairs,
    config: &RecipeConfig,
    context: &mut TrainContext<'_>,
) -> Result<Fit, FitError> {
    config.validate()?;
    let VariableStage::Supervised(phase) = &config.variables else {
        return Err(FitError::Config {
            key: "variables",
            expected: "`supervised` where the true noise is given",
            got: "another stage".to_owned(),
        });
    };
    let expected = (pairs.len(), config.model.d);
    if let Some(wrong) = noise.iter().find(|side| side.shape() != expected) {
        return Err(FitError::Config {
            key: "variables.supervised",
            expected: "noise of as many rows as there are pairs, and of model.d columns",
            got: format!("{:?} for {expected:?}", wrong.shape()),
        });
    }
    let features = whitened([pairs, held_out], config)?;
    let [before, after] = noise.map(Clone::clone);
    let model =
        handed_over(&Codes { before, after }, &features.train_on, 0, phase, config, context)?;
    let candidates = vec![encode(&model, &features.judge_on, &context.device).judged()];
    let variables = Variables { candidates, ..Variables::of(model) };
    let learned = Learned { features, convolution: None, variables };
    complete(learned, [pairs, held_out], config, context)
}

/// The features of both sets of pairs, without pictures in mind.
fn whitened(sides: [&Pairs; 2], config: &RecipeConfig) -> Result<Features, FitError> {
    Features::fit(sides, config.model.d, &config.start.whiten)
}

/// Everything after the variables: targets, graph, mechanisms, pictures, and the judgement.
fn complete(
    Learned { features, convolution, mut variables }: Learned,
    [pairs, held_out]: [&Pairs; 2],
    config: &RecipeConfig,
    context: &mut TrainContext<'_>,
) -> Result<Fit, FitError> {
    let Causal { variables: seen, noise: codes, targets, mechanisms, graph, separation } =
        causal_model(&mut variables, &features, config, context)?;
    let latents = if seen.is_some() { Latents::Causal } else { Latents::Noise };
    let encoded = seen.as_ref().unwrap_or(&codes);
    let largest_steps = largest_steps(&variables.model, &encoded.before, &context.device);
    let largest_gaps = largest_gaps(&encoded.before);
    let device = context.device.clone().inner();
    let edge_probs = graph.edge_probs.clone();
    let phases = variables.phases;
    let Variables { model, candidates, kept, linear, .. } = variables;
    let count = count_variables(&features, pairs, separation)?;
    let whitening = features.whitening;
    let model = FittedIlcm::new(model, mechanisms, targets, edge_probs, &whitening, &device)?
        .with_latents(latents);
    let model = match convolution {
        Some(encoder) => model.with_convolution(encoder)?,
        None => model,
    };
    let model = if model.picture_shape().is_some() {
        let place = phases + graph.dag.levels().len() as u64;
        let picture = fit_picture(&model, pairs, &codes, &config.picture, place, context)?;
        model.with_picture(picture)
    } else {
        model
    };
    let embedding = embed(&model, held_out)?;
    let targets = embedding.targets();
    let sides = [&embedding.e_before, &embedding.e_after];
    let chains = Chains::new(sides, &targets, Some(&graph.order))?;
    let set = SetValues { chains: &chains, z_after: &embedding.z_after };
    let diagnosis = Diagnosis {
        sparsity_of_change: candidates[kept].sparsity_of_change,
        candidates,
        kept,
        target_entropy: target_entropy(&chains.labels, config.model.d),
        rarest_target: shares_of_usual(&chains.labels, config.model.d)
            .into_iter()
            .fold(f64::INFINITY, f64::min),
        reconstruction_error: reconstruction_error(&model, held_out),
        unforeseen: unforeseen(&model, &embedding, &targets),
        dependence: set.explained(|k, noise| noise.remove_column(k)),
        persistence: set.explained(|k, noise| noise.select_columns(&[k])),
        largest_steps,
        largest_gaps,
        linear,
        count,
    };
    Ok(Fit { model, whitening, graph, diagnosis })
}

/// How many variables the pairs support, by the pairs themselves or, where those are slow to look at, by
/// their features.
fn count_variables(
    features: &Features,
    pairs: &Pairs,
    known: Separation,
) -> Result<VariableCount, WhitenError> {
    if VariableCount::needs_features(pairs) {
        let before = features.train_on.matrix(&features.train_on.before);
        return Ok(VariableCount::of_features(&before, &features.whitening));
    }
    VariableCount::of(pairs, known)
}

/// What a model says of pairs, computed in chunks and read back to the host.
///
/// # Errors
/// [`FitError::Model`] if the pairs have another width than the model's observations.
pub fn embed(model: &FittedIlcm, pairs: &Pairs) -> Result<Embedding, FitError> {
    model.check_width(pairs.dim())?;
    let (n, d) = (pairs.len(), model.dim());
    let zeros = || DMatrix::zeros(n, d);
    let mut embedding = Embedding {
        z_before: zeros(),
        z_after: zeros(),
        e_before: zeros(),
        e_after: zeros(),
        target_probs: DMatrix::zeros(n, d + 1),
        set_probs: matches!(model.targets(), TargetInference::Sets(_)).then(zeros),
        edge_probs: download(model.edge_probs()),
    };
    for start in (0..n).step_by(CHUNK) {
        let rows = start..(start + CHUNK).min(n);
        let batch = upload_pairs(model, pairs, rows.clone());
        let before = model.encode(batch.before.clone()).mean;
        let after = model.encode(batch.after.clone()).mean;
        let put = |m: &mut DMatrix<f64>, values: DMatrix<f64>| {
            m.rows_mut(start, rows.len()).copy_from(&values);
        };
        put(&mut embedding.z_before, download(model.solve(before.clone()).0));
        put(&mut embedding.z_after, download(model.solve(after.clone()).0));
        let (targets, sets) = model.infer_targets(after.0.clone() - before.0.clone());
        put(&mut embedding.e_before, download(before.0));
        put(&mut embedding.e_after, download(after.0));
        put(&mut embedding.target_probs, download(targets).map(f64::exp));
        if let (Some(all), Some(probs)) = (&mut embedding.set_probs, sets) {
            put(all, probs);
        }
    }
    Ok(embedding)
}

/// A range of pairs on the model's device.
fn upload_pairs(model: &FittedIlcm, pairs: &Pairs, rows: std::ops::Range<usize>) -> PairBatch {
    let [before, after] = [pairs.before(), pairs.after()].map(|side| {
        let mut data = Vec::with_capacity(rows.len() * side.dim());
        rows.clone().for_each(|row| side.push_row(row, &mut data));
        Obs(upload_rows(data, side.dim(), &model.device()))
    });
    PairBatch { before, after }
}

/// Share of each variable's squared change that `do(z_k = z'_k)` on the noise before does not
/// explain, `k` the inferred target, or all of them at once.
fn unforeseen(
    model: &FittedIlcm,
    embedding: &Embedding,
    targets: &[InterventionTarget],
) -> Vec<f64> {
    let d = model.dim();
    let device = model.device();
    let mut missed = vec![0.0; d];
    for start in (0..targets.len()).step_by(CHUNK) {
        let rows = CHUNK.min(targets.len() - start);
        let is_set = |row: usize, j: usize| targets[start + row].variables().contains(&j);
        let mask = DMatrix::from_fn(rows, d, |row, j| f64::from(is_set(row, j)));
        let after = embedding.z_after.rows(start, rows).into_owned();
        let action = Action { mask: upload(&mask, &device), value: upload(&after, &device) };
        let noise = embedding.e_before.rows(start, rows).into_owned();
        let foreseen = download(model.intervene(Noise(upload(&noise, &device)), &action).0);
        for (sum, (a, b)) in missed.iter_mut().zip(foreseen.column_iter().zip(after.column_iter()))
        {
            *sum += (a - b).norm_squared();
        }
    }
    let changes = &embedding.z_after - &embedding.z_before;
    let shares = missed.iter().zip(changes.column_iter());
    shares.map(|(sum, c)| sum / c.norm_squared().max(f64::MIN_POSITIVE)).collect()
}

/// The values that variables were set to, and the noise just before each.
struct SetValues<'a> {
    /// Noise before and after, one target at a time.
    chains: &'a Chains,
    /// Causal variables after, of the pairs that the chains are of.
    z_after: &'a DMatrix<f64>,
}

impl SetValues<'_> {
    /// What the columns of the noise before that `inputs` keeps for each variable explain of them.
    fn explained(&self, inputs: impl Fn(usize, DMatrix<f64>) -> DMatrix<f64>) -> Explained {
        let Self { chains, z_after } = self;
        let d = z_after.ncols();
        let (shares, errors): (Vec<f64>, Vec<f64>) = rows_by_target(&chains.labels, d)
            .iter()
            .enumerate()
            .map(|(k, links)| {
                let set = links.iter().map(|&at| z_after[(chains.pairs[at], k)]);
                let set = DVector::from_iterator(links.len(), set);
                explained(&set, &inputs(k, chains.before.select_rows(links)))
            })
            .unzip();
        Explained { shares, error: DVector::from(errors).norm() / d as f64 }
    }
}

/// Adjusted R² of the regression of values on inputs and their squares, `p` features with the
/// constant, and its standard error `√(2p) / n` without dependence; both 0 from too few rows.
fn explained(values: &DVector<f64>, inputs: &DMatrix<f64>) -> (f64, f64) {
    let (n, width) = inputs.shape();
    let count = 2 * width + 1;
    if n < ROWS_PER_INPUT * count {
        return (0.0, 0.0);
    }
    let features = DMatrix::from_fn(n, count, |row, c| match c {
        0 => 1.0,
        c if c <= width => inputs[(row, c - 1)],
        c => inputs[(row, c - 1 - width)].powi(2),
    });
    let total = values.variance() * n as f64;
    let Some(gram) = features.tr_mul(&features).cholesky() else { return (0.0, 0.0) };
    let misfit = (&features * gram.solve(&features.tr_mul(values)) - values).norm_squared();
    let unexplained = misfit / (n - count) as f64 / (total / (n - 1) as f64);
    let error = (2.0 * count as f64).sqrt() / n as f64;
    if unexplained.is_finite() { (1.0 - unexplained, error) } else { (0.0, error) }
}

fn reconstruction_error(model: &FittedIlcm, pairs: &Pairs) -> f64 {
    let rows = 0..pairs.len().min(CHUNK);
    let x = upload_pairs(model, pairs, rows).before;
    let back = model.decode(model.latents(x.clone())).0;
    let error = download(x.0.clone() - back).norm_squared();
    let x = download(x.0);
    let variance: f64 = x.column_iter().map(|c| c.variance() * c.len() as f64).sum();
    error / variance.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use nalgebra::{DMatrix, DVector};
    use rand::RngExt;

    use super::explained;

    /// Rows of noise of variance 1, two variables wide, and a third column beside.
    fn noise(rows: usize) -> (DMatrix<f64>, DVector<f64>) {
        let mut rng = Seed(3).rng(Stream::Eval);
        let mut draw = || rng.random_range(-(3.0_f64.sqrt())..3.0_f64.sqrt());
        let inputs = DMatrix::from_fn(rows, 2, |_, _| draw());
        (inputs, DVector::from_fn(rows, |_, _| draw()))
    }

    #[test]
    fn what_is_explained_is_the_share_of_the_variance() {
        let (inputs, own) = noise(20_000);
        let curve = inputs.column(1).map(|e| (e * e - 1.0) / 0.8_f64.sqrt());
        for share in [0.0_f64, 0.1, 0.5] {
            for cause in [inputs.column(0).into_owned(), curve.clone()] {
                let set = cause * share.sqrt() + &own * (1.0 - share).sqrt();
                let (got, error) = explained(&set, &inputs);
                assert!((got - share).abs() < 0.02, "{got} of {share}");
                assert!((error - 10.0_f64.sqrt() / 20_000.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn too_few_rows_explain_nothing() {
        let (inputs, own) = noise(24);
        assert_eq!(explained(&own, &inputs), (0.0, 0.0));
        let (inputs, own) = noise(25);
        assert!(explained(&own, &inputs).1 > 0.0);
    }
}
