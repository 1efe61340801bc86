use std::iter;

use burn::module::Module;
use burn::tensor::Device;
use domino_core::{Dag, Pairs, Stream};
use domino_dag::{GraphTerm, LearnedGraph, SoftGraph, rightly_named};
use domino_model::{Causal, Noise, download, upload, upload_rows};
use domino_train::{PairSource, TrainContext, train};
use domino_vae::start::{
    IcaConfig, Whitening, along_targets, random_rotation, separate_differences, sparsity_of_change,
};
use domino_vae::{
    ChangePosterior, Context, Elbo, Elcm, ElcmWeights, GroupVae, GroupWeights, Ilcm, IlcmConfig,
    Mechanisms, Referee, Sizes, ThinManifold, ThinWeights,
};
use nalgebra::DMatrix;

use super::candidates::{Candidate, choose, confirmed};
use super::flows::{BestFlow, is_quiet, repeats};
use super::several::resting_variables;
use super::{
    AtOnce, ElboPhase, ExplicitStage, FitError, FlowStage, GroupStage, RecipeConfig, ThinStage,
    VariableStage,
};

/// Rows encoded at once: few enough for the hidden layers to stay in cache.
const CHUNK: usize = 2048;

/// Whitened observations of both sides, row-major `[n, components]`.
pub(super) struct Whitened {
    pub(super) before: Vec<f32>,
    pub(super) after: Vec<f32>,
    components: usize,
}

impl Whitened {
    pub(super) fn new(pairs: &Pairs, whitening: &Whitening) -> Self {
        Self {
            before: whitening.apply(pairs.before()),
            after: whitening.apply(pairs.after()),
            components: whitening.components(),
        }
    }

    pub(super) fn components(&self) -> usize {
        self.components
    }

    /// Where a stack of `models` draws its pairs from: all of them.
    pub(super) fn source(&self, models: usize) -> PairSource {
        PairSource::new(self.before.clone(), self.after.clone(), self.components, models)
    }

    pub(super) fn matrix(&self, side: &[f32]) -> DMatrix<f64> {
        let rows = side.len() / self.components;
        DMatrix::from_row_iterator(rows, self.components, side.iter().map(|&v| f64::from(v)))
    }
}

/// Codes of both sides, `[n, d]`.
#[derive(Clone)]
pub(super) struct Codes {
    pub(super) before: DMatrix<f64>,
    pub(super) after: DMatrix<f64>,
}

impl Codes {
    pub(super) fn sparsity(&self) -> f64 {
        sparsity_of_change(&self.before, &self.after)
    }

    /// The sparsity of change without the part that observation noise has in it: noise of the
    /// same covariance is taken off the square of every code's change.
    fn sparsity_beyond_noise(&self) -> f64 {
        let (n, d) = self.before.shape();
        let (changes, spread) = (self.changes(), self.before.row_variance());
        let noise = ChangePosterior::fit(&changes).noise.diagonal();
        let over_spread = |j: usize, value: f64| value / spread[j].max(f64::MIN_POSITIVE);
        let noise: f64 = (0..d).map(|j| over_spread(j, noise[j])).sum();
        let all = (0..d).map(|j| over_spread(j, changes.column(j).norm_squared())).sum::<f64>()
            / n.max(1) as f64;
        // The top code has its own noise too.
        let top = self.sparsity() * all - noise / d as f64;
        if all > 2.0 * noise { top / (all - noise) } else { self.sparsity() }
    }

    pub(super) fn changes(&self) -> DMatrix<f64> {
        &self.after - &self.before
    }

    /// The rows of each target that are rightly named, `labels [n]` the targets, 0 for none.
    pub(super) fn rightly_named(&self, labels: &[usize]) -> Vec<Vec<usize>> {
        let sides = [&self.before, &self.after];
        let named = rows_by_target(labels, self.before.ncols());
        named.iter().enumerate().map(|(k, rows)| rightly_named(sides, k, rows)).collect()
    }

    /// The noise behind these codes, where they are causal variables.
    pub(super) fn abducted(&self, mechanisms: &Mechanisms, device: &Device) -> Self {
        let side = |z: &DMatrix<f64>| {
            download(mechanisms.abduct(&Causal(upload(z, &device.clone().inner()))).0)
        };
        Self { before: side(&self.before), after: side(&self.after) }
    }

    /// The causal variables that these codes are the noise of.
    pub(super) fn solved(&self, mechanisms: &Mechanisms, device: &Device) -> Self {
        let side = |e: &DMatrix<f64>| {
            download(mechanisms.solve(&Noise(upload(e, &device.clone().inner()))).0)
        };
        Self { before: side(&self.before), after: side(&self.after) }
    }

    /// The same codes with the mean 0 and the variance 1 of those before.
    pub(super) fn standardised(mut self) -> Self {
        let (mean, std) = (self.before.row_mean(), self.before.row_variance().map(f64::sqrt));
        for side in [&mut self.before, &mut self.after] {
            for mut row in side.row_iter_mut() {
                row -= &mean;
                row.component_div_assign(&std.map(|s| s.max(f64::MIN_POSITIVE)));
            }
        }
        self
    }
}

/// The rows of each of `d` targets, `labels [n]`, 0 for none.
pub(super) fn rows_by_target(labels: &[usize], d: usize) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); d];
    for (row, &label) in labels.iter().enumerate().filter(|&(_, &label)| label > 0) {
        rows[label - 1].push(row);
    }
    rows
}

/// A chosen model, and what held-out pairs say of all that it was chosen from.
pub(super) struct Variables {
    pub(super) model: Ilcm,
    /// The graph, where the model's prior is one and its codes are causal variables.
    pub(super) prior: Option<LearnedGraph>,
    /// Its place among the candidates.
    pub(super) kept: usize,
    pub(super) candidates: Vec<Candidate>,
    pub(super) linear: bool,
    /// Phases that were run.
    pub(super) phases: u64,
}

impl Variables {
    /// An implicit model that was trained in one phase; nothing is known of it.
    pub(super) fn of(model: Ilcm) -> Self {
        Self { model, prior: None, kept: 0, candidates: Vec::new(), linear: false, phases: 1 }
    }
}

/// The mechanisms that an explicit model trained along, on its graph.
pub(super) fn mechanisms_of(model: &Ilcm, dag: &Dag) -> Mechanisms {
    Mechanisms::new(model.solution_functions().clone(), dag, Context::Causal)
}

/// Learns encoder and decoder.
pub(super) fn learn_variables(
    train_on: &Whitened,
    held_out: &Whitened,
    config: &RecipeConfig,
    context: &mut TrainContext<'_>,
) -> Result<Variables, FitError> {
    if let (VariableStage::Thin(thin), AtOnce::Several) = (&config.variables, config.model.targets)
    {
        return resting_variables([train_on, held_out], thin, config, context);
    }
    let start = linear_start(train_on, 0, config, context);
    if let VariableStage::Thin(thin) = &config.variables {
        let codes = linear_codes(held_out, &start);
        if codes.sparsity_beyond_noise() >= thin.skip_above {
            let (start, codes) = sharpened(&start, codes, [train_on, held_out]);
            let networks = &config.model.networks;
            let model = new_models(&[start], networks, 0, context).silenced();
            let candidates = vec![codes.judged()];
            return Ok(Variables { candidates, linear: true, phases: 0, ..Variables::of(model) });
        }
    }
    let Some(stage) = exact_likelihood(train_on, config) else {
        return best_of_stack([train_on, held_out], start, 0, config, context);
    };
    let flow = BestFlow::train([train_on, held_out], stage, config, context)?;
    let place = flow.rounds;
    if flow.is_confirmed() {
        return flow.decoded(train_on, (place, stage), context);
    }
    let others = best_of_stack([train_on, held_out], start, place, config, context)?;
    if confirmed(&others.candidates, others.kept) {
        return Ok(others);
    }
    flow.decoded(train_on, (others.phases, stage), context)
}

/// How the exact likelihood of pairs is learned by, where it is: it needs as many features as variables, no noise, and observations that
/// have a density.
fn exact_likelihood<'a>(data: &Whitened, config: &'a RecipeConfig) -> Option<&'a FlowStage> {
    let d = config.model.d;
    match &config.variables {
        VariableStage::Thin(thin) => {
            let exists = thin.exact && data.components == d && is_quiet(data, d) && !repeats(data);
            exists.then_some(&thin.flow)
        }
        _ => None,
    }
}

/// The best of `model.replicas` models that are trained side by side, the first from a given linear encoder; `place` is the
/// number of the first phase.
fn best_of_stack(
    [train_on, held_out]: [&Whitened; 2],
    first: DMatrix<f64>,
    place: u64,
    config: &RecipeConfig,
    context: &mut TrainContext<'_>,
) -> Result<Variables, FitError> {
    let others = 1..config.model.replicas;
    let others = others.map(|replica| linear_start(train_on, replica, config, context));
    let starts: Vec<_> = iter::once(first).chain(others).collect();
    let models = new_models(&starts, &config.model.networks, 0, context);
    let source = train_on.source(models.replicas());
    let mut priors: Vec<Option<LearnedGraph>> = vec![None; models.replicas()];
    let (models, phases) = match &config.variables {
        VariableStage::Thin(thin) => {
            (train_thin(models, &source, (place, thin), context)?, place + 1)
        }
        VariableStage::Elbo(phases) => {
            (train_elbo(models, &source, phases, context)?, phases.len() as u64)
        }
        VariableStage::Group(stage) => (train_group(models, &source, stage, context)?, 1),
        VariableStage::Explicit(stage) => {
            let (models, graphs) = train_explicit(models, &source, stage, context)?;
            priors = graphs.into_iter().map(Some).collect();
            (models, 1)
        }
        VariableStage::CoarseToFine(_) | VariableStage::Supervised(_) => {
            unreachable!("these stages have ways of their own")
        }
    };
    let mut replicas: Vec<Ilcm> =
        (0..models.replicas()).map(|replica| models.clone().replica(replica)).collect();
    let codes = replicas.iter().zip(&priors).map(|(model, prior)| {
        let codes = encode(model, held_out, &context.device);
        match prior {
            Some(graph) => codes.abducted(&mechanisms_of(model, &graph.dag), &context.device),
            None => codes,
        }
    });
    let (kept, candidates) = choose(&codes.collect::<Vec<_>>());
    let (model, prior) = (replicas.swap_remove(kept), priors.swap_remove(kept));
    Ok(Variables { prior, kept, candidates, phases, ..Variables::of(model) })
}

/// The means of `q(e | x̃)` of both sides.
pub(super) fn encode(model: &Ilcm, data: &Whitened, device: &Device) -> Codes {
    let device = device.clone().inner();
    let plain = model.clone().valid();
    let side = |rows: &[f32]| {
        let chunks = rows.chunks(CHUNK * data.components).map(|chunk| {
            download(plain.mean_codes(upload_rows(chunk.to_vec(), data.components, &device)))
        });
        let parts: Vec<DMatrix<f64>> = chunks.collect();
        let mut codes = DMatrix::zeros(rows.len() / data.components, model.dim());
        let mut at = 0;
        for part in parts {
            codes.rows_mut(at, part.nrows()).copy_from(&part);
            at += part.nrows();
        }
        codes
    };
    Codes { before: side(&data.before), after: side(&data.after) }
}

pub(super) fn linear_codes(data: &Whitened, unmixing: &DMatrix<f64>) -> Codes {
    Codes {
        before: data.matrix(&data.before) * unmixing,
        after: data.matrix(&data.after) * unmixing,
    }
}

/// The encoder along the directions of the targets that a linear encoder names, and its codes of
/// held-out pairs, if their changes are sparser; else the encoder and its codes as they are.
fn sharpened(
    start: &DMatrix<f64>,
    codes: Codes,
    [train_on, held_out]: [&Whitened; 2],
) -> (DMatrix<f64>, Codes) {
    let d = start.ncols();
    let [before, after] = [&train_on.before, &train_on.after]
        .map(|side| train_on.matrix(side).columns(0, d).into_owned());
    let unmixing = along_targets(&(after - &before), &start.rows(0, d).into_owned());
    let found = padded(&of_unit_spread(unmixing, &before), start.nrows());
    let sharper = linear_codes(held_out, &found);
    if sharper.sparsity() > codes.sparsity() { (found, sharper) } else { (start.clone(), codes) }
}

/// The unmixing whose codes of these rows have unit spread.
pub(super) fn of_unit_spread(mut unmixing: DMatrix<f64>, rows: &DMatrix<f64>) -> DMatrix<f64> {
    let spread = (rows * &unmixing).row_variance().map(f64::sqrt);
    for (mut column, s) in unmixing.column_iter_mut().zip(spread.iter()) {
        column /= s.max(f64::MIN_POSITIVE);
    }
    unmixing
}

/// The unmixing of leading components, all others without effect.
pub(super) fn padded(unmixing: &DMatrix<f64>, components: usize) -> DMatrix<f64> {
    let mut all = DMatrix::zeros(components, unmixing.ncols());
    all.rows_mut(0, unmixing.nrows()).copy_from(unmixing);
    all
}

/// The linear encoder `[components, d]` that a replica starts from, with codes of unit spread.
pub(super) fn linear_start(
    data: &Whitened,
    replica: usize,
    config: &RecipeConfig,
    context: &TrainContext<'_>,
) -> DMatrix<f64> {
    let d = config.model.d;
    let before = data.matrix(&data.before).columns(0, d).into_owned();
    let mut rng = context.seed.rng_at(Stream::Init, 1 + replica as u64);
    let rotation = if replica < config.start.from_components {
        let differences = data.matrix(&data.after).columns(0, d) - &before;
        separate_differences(&differences, &IcaConfig::default(), &mut rng)
    } else {
        random_rotation(d, &mut rng)
    };
    padded(&of_unit_spread(rotation, &before), data.components)
}

/// Models with the given linear encoders `[components, d]`, and random weights from a part of the stream of starts.
///
/// # Panics
/// If there is no encoder.
pub(super) fn new_models(
    starts: &[DMatrix<f64>],
    networks: &IlcmConfig,
    part: u64,
    context: &TrainContext<'_>,
) -> Ilcm {
    let (components, d) = starts[0].shape();
    let sizes = Sizes { replicas: starts.len(), components, d };
    let mut rng = context.seed.rng_at(Stream::Init, part);
    Ilcm::new(sizes, networks, &mut rng, &context.device).with_linear_start(starts, &context.device)
}

fn train_thin(
    model: Ilcm,
    source: &PairSource,
    (place, stage): (u64, &ThinStage),
    context: &mut TrainContext<'_>,
) -> Result<Ilcm, FitError> {
    let weights = |progress| ThinWeights {
        tau: stage.tau.at(progress),
        beta: stage.beta.at(progress),
        noise: stage.noise.as_ref().map(|noise| noise.at(progress)),
    };
    let (replicas, d) = (model.replicas(), model.dim());
    let referee = stage.referee.then(|| Referee::new(replicas, d, &context.device));
    let objective = ThinManifold { model, referee };
    Ok(train(objective, source, (place, "variables"), &stage.phase, weights, context)?.model)
}

fn train_group(
    model: Ilcm,
    source: &PairSource,
    stage: &GroupStage,
    context: &mut TrainContext<'_>,
) -> Result<Ilcm, FitError> {
    let weights =
        |progress| GroupWeights { beta: stage.beta.at(progress), noise: stage.noise.at(progress) };
    let objective = GroupVae { model, averaging: stage.averaging };
    Ok(train(objective, source, (0, "variables"), &stage.phase, weights, context)?.model)
}

/// Explicit models and the graph of each.
fn train_explicit(
    model: Ilcm,
    source: &PairSource,
    stage: &ExplicitStage,
    context: &mut TrainContext<'_>,
) -> Result<(Ilcm, Vec<LearnedGraph>), FitError> {
    let weights = |progress| ElcmWeights {
        tau: stage.tau.at(progress),
        beta: stage.beta.at(progress),
        noise: stage.noise.at(progress),
        sparsity: stage.sparsity.at(progress),
        acyclicity: stage.acyclicity.at(progress),
    };
    let acyclicity = |probs: &DMatrix<f64>| {
        let soft = SoftGraph::new(probs.clone()).expect("probabilities of a square of edges");
        let GraphTerm { value, gradient } = soft.acyclicity();
        (value, gradient)
    };
    let objective = Elcm::new(model, acyclicity, &context.device);
    let trained = train(objective, source, (0, "variables"), &stage.phase, weights, context)?;
    let graphs = trained.edge_probs().into_iter().map(|probs| SoftGraph::new(probs)?.harden());
    let graphs = graphs.collect::<Result<_, _>>()?;
    Ok((trained.model, graphs))
}

fn train_elbo(
    mut model: Ilcm,
    source: &PairSource,
    phases: &[ElboPhase],
    context: &mut TrainContext<'_>,
) -> Result<Ilcm, FitError> {
    for (place, phase) in phases.iter().enumerate() {
        let weights = |progress| phase.weights(progress);
        let name = (place as u64, phase.name.as_str());
        model = train(Elbo { model }, source, name, &phase.phase, weights, context)?.model;
    }
    Ok(model)
}
