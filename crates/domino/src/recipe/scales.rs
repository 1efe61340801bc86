//! From coarse pictures to fine ones.

use domino_core::{Observations, Pairs, Stream};
use domino_model::{download, upload_rows};
use domino_train::{PairSource, PhaseConfig, TrainContext, train};
use domino_vae::start::{Doubled, SlowConfig, SlowFunctions, WhitenConfig, Whitening, take_apart};
use domino_vae::{
    ChangePosterior, ConvolutionEncoder, GivenTargets, Handover, Ilcm, Referee, Sizes,
    ThinManifold, ThinWeights,
};
use nalgebra::DMatrix;

use super::candidates::{Candidate, judge};
use super::convolution::Convolutions;
use super::tears::sewn;
use super::variables::{Codes, Variables, Whitened, encode, linear_start, new_models};
use super::{ApartStage, CoarseToFine, FitError, RecipeConfig, Scale};

/// Penalty on the linear maps between two scales, per row.
const RIDGE: f64 = 1e-6;

/// Least logarithm of a probability that a target is named with.
const LEAST_LOG: f64 = -30.0;

/// Rows on which reconstructions are compared.
const JUDGED: usize = 2048;

/// What was learned, and the features of the last scale that it was learned on.
pub(super) struct Learned {
    pub(super) features: Features,
    /// What pictures go through before the features are taken, if anything.
    pub(super) convolution: Option<ConvolutionEncoder>,
    pub(super) variables: Variables,
}

/// Features of the pairs.
pub(super) struct Features {
    pub(super) whitening: Whitening,
    pub(super) train_on: Whitened,
    pub(super) judge_on: Whitened,
}

impl Features {
    /// The features of both sets of pairs, by the first.
    pub(super) fn fit(
        sides: [&Pairs; 2],
        d: usize,
        config: &WhitenConfig,
    ) -> Result<Self, FitError> {
        Ok(Self::through(Whitening::fit(sides[0], d, config)?, sides))
    }

    /// The features of both sets of pairs by a given whitening.
    fn through(whitening: Whitening, [pairs, held_out]: [&Pairs; 2]) -> Self {
        let [train_on, judge_on] = [pairs, held_out].map(|side| Whitened::new(side, &whitening));
        Self { whitening, train_on, judge_on }
    }
}

/// Learns encoder and decoder on one scale after another: the first from the usual starts, of which
/// the best reconstruction is kept, every other one from the codes of the scale before.
pub(super) fn coarse_to_fine(
    sides: [&Pairs; 2],
    stage: &CoarseToFine,
    config: &RecipeConfig,
    context: &mut TrainContext<'_>,
) -> Result<Learned, FitError> {
    let mut place = 0;
    let mut last: Option<Learned> = None;
    for (at, scale) in stage.scales.iter().enumerate() {
        let (features, convolutions) = learned_features(scale, sides, config, &mut place, context)?;
        let scene = Scene { stage, scale, data: &features.train_on, config };
        let models = match (&last, &stage.slow) {
            (None, Some(slow)) => from_slow_functions(slow, scene, &mut place, context)?,
            (None, None) => {
                let start = |replica| linear_start(&features.train_on, replica, config, context);
                let starts: Vec<_> = (0..config.model.replicas).map(start).collect();
                let start = new_models(&starts, &config.model.networks, 0, context);
                train_scale(start, &features.train_on, &mut place, scale, context)?
            }
            (Some(before), _) => {
                let model = &before.variables.model;
                let codes = encode(model, &before.features.train_on, &context.device);
                taken_over(&codes.standardised(), scene, &mut place, context)?
            }
        };
        // Only the first scale has a choice; a later one goes on with its model.
        let (model, choice) = match last.take() {
            None => best(&models, &features.judge_on, context),
            Some(before) => (models, (before.variables.kept, before.variables.candidates)),
        };
        let learned = Refined { scale, features, convolutions, model };
        let Refined { features, convolutions, mut model, .. } =
            learned.refined(sides, &mut place, context)?;
        if at + 1 == stage.scales.len() {
            let scene = Scene { stage, scale, data: &features.train_on, config };
            model = mended(model, scene, &mut place, context)?;
        }
        let (kept, mut candidates) = choice;
        // The kept one is what it has become; the others stay what they were on the first scale.
        candidates[kept] = encode(&model, &features.judge_on, &context.device).judged();
        let variables = Variables { kept, candidates, phases: place, ..Variables::of(model) };
        let convolution = convolutions.as_ref().map(Convolutions::encoder);
        last = Some(Learned { features, convolution, variables });
    }
    last.ok_or_else(|| FitError::Config {
        key: "variables.coarse_to_fine.scales",
        expected: "at least one scale",
        got: "none".to_owned(),
    })
}

/// The features of a scale, and the convolutions behind them where they are learned.
fn learned_features(
    scale: &Scale,
    sides: [&Pairs; 2],
    config: &RecipeConfig,
    place: &mut u64,
    context: &mut TrainContext<'_>,
) -> Result<(Features, Option<Convolutions>), FitError> {
    let d = config.model.d;
    let Some(stage) = &scale.convolution else {
        return Ok((Features::fit(sides, d, &scale.features(d))?, None));
    };
    let convolutions = Convolutions::learned(sides[0], stage, place, context)?;
    let [pairs, held_out] = sides.map(|side| convolutions.encoder().encode(side));
    Ok((Features::fit([&pairs, &held_out], d, &scale.features(d))?, Some(convolutions)))
}

/// What one scale has learned.
struct Refined<'a> {
    scale: &'a Scale,
    features: Features,
    convolutions: Option<Convolutions>,
    model: Ilcm,
}

impl Refined<'_> {
    /// The same after convolutions and variables were trained together, where that is asked for.
    fn refined(
        self,
        sides: [&Pairs; 2],
        place: &mut u64,
        context: &mut TrainContext<'_>,
    ) -> Result<Self, FitError> {
        let Self { scale, features, convolutions, model } = self;
        let asked =
            scale.convolution.as_ref().and_then(|stage| Some((stage, stage.joint.as_ref()?)));
        match (asked, convolutions) {
            (Some((stage, joint)), Some(convolutions)) => {
                let stages = (scale, stage, joint);
                let (convolutions, model) =
                    convolutions.fine_tuned(model, &features, stages, place, context)?;
                let [pairs, held_out] = sides.map(|side| convolutions.encoder().encode(side));
                let features = Features::through(features.whitening, [&pairs, &held_out]);
                Ok(Self { scale, features, convolutions: Some(convolutions), model })
            }
            (_, convolutions) => Ok(Self { scale, features, convolutions, model }),
        }
    }
}

/// What everything that is learned on one scale has in common.
#[derive(Clone, Copy)]
struct Scene<'a> {
    stage: &'a CoarseToFine,
    scale: &'a Scale,
    data: &'a Whitened,
    config: &'a RecipeConfig,
}

/// A model of given codes, trained on.
fn taken_over(
    codes: &Codes,
    Scene { stage, scale, data, config }: Scene<'_>,
    place: &mut u64,
    context: &mut TrainContext<'_>,
) -> Result<Ilcm, FitError> {
    let start = handed_over(codes, data, *place, &stage.handover, config, context)?;
    *place += 1;
    train_scale(start, data, place, scale, context)
}

/// The model, trained on from codes whose pieces are in order where some are torn.
fn mended(
    mut model: Ilcm,
    scene: Scene<'_>,
    place: &mut u64,
    context: &mut TrainContext<'_>,
) -> Result<Ilcm, FitError> {
    for _ in 0..scene.stage.mendings {
        let codes = encode(&model, scene.data, &context.device);
        let Some(sewn) = sewn(&model, &codes, &context.device) else { break };
        model = taken_over(&sewn.standardised(), scene, place, context)?;
    }
    Ok(model)
}

/// A model that starts from slow functions. Where one of its codes has come to answer to two targets
/// and another to none, both are taken apart: left to name the targets itself, the model would let an
/// effect that is seen well win the interventions on a cause that is not.
fn from_slow_functions(
    slow: &SlowConfig,
    scene: Scene<'_>,
    place: &mut u64,
    context: &mut TrainContext<'_>,
) -> Result<Ilcm, FitError> {
    let data = scene.data;
    let mut rng = context.seed.rng_at(Stream::Init, 1 << 34);
    let sides = [&data.before, &data.after].map(|side| data.matrix(side));
    let functions = SlowFunctions::new(sides, scene.config.model.d, slow, &mut rng);
    let [before, after] = functions.codes(&mut rng);
    let mut model = taken_over(&Codes { before, after }, scene, place, context)?;
    for _ in 0..slow.splits {
        let trained = encode(&model, data, &context.device).standardised();
        let Some(doubled) = functions.doubled([&trained.before, &trained.after]) else { break };
        let [before, after] = functions.block(&doubled.inside);
        let block = Codes { before, after };
        let told = trained.told(&doubled, &block, scene, place, context)?;
        let sides = [&told.before, &told.after];
        let parts = take_apart(sides, &doubled.inside, slow.starts, &mut rng);
        let Some([before, after]) = parts else { break };
        let codes = trained.with(&doubled.places, &Codes { before, after });
        let log_probs = codes.target_log_probs();
        model = given_targets(&codes, &log_probs, scene, place, context)?;
    }
    Ok(model)
}

impl Codes {
    /// `ln q(I)` of the pairs' changes, `[n, d + 1]`.
    fn target_log_probs(&self) -> DMatrix<f64> {
        let changes = self.changes();
        ChangePosterior::fit(&changes).log_probs(&changes)
    }

    /// These codes with the given ones in some places.
    fn with(&self, places: &[usize], given: &Self) -> Self {
        let put = |codes: &DMatrix<f64>, given: &DMatrix<f64>| {
            let columns = places.iter().map(|place| place + 1).max().unwrap_or(0);
            let mut codes = codes.clone().resize_horizontally(columns.max(codes.ncols()), 0.0);
            places.iter().enumerate().for_each(|(at, &p)| codes.set_column(p, &given.column(at)));
            codes
        };
        Self { before: put(&self.before, &given.before), after: put(&self.after, &given.after) }
    }

    /// A block of codes that tells both variables of a doubled code, learned from slow functions
    /// `[n, m]` of both sides that take the place of it and of the empty one: pairs that are inside
    /// may change all of the block, so that the wrong code has nothing to win.
    fn told(
        &self,
        doubled: &Doubled,
        block: &Self,
        scene: Scene<'_>,
        place: &mut u64,
        context: &mut TrainContext<'_>,
    ) -> Result<Self, FitError> {
        let (d, size) = (self.before.ncols(), block.before.ncols());
        let places: Vec<usize> = doubled.places.into_iter().chain(d..d + size - 2).collect();
        let codes = self.with(&places, block);
        let mut log_probs =
            self.target_log_probs().resize_horizontally(codes.before.ncols() + 1, LEAST_LOG);
        for row in (0..log_probs.nrows()).filter(|&row| doubled.inside[row]) {
            log_probs.row_mut(row).fill(LEAST_LOG);
            for place in &places {
                log_probs[(row, place + 1)] = 0.0;
            }
        }
        let model = given_targets(&codes, &log_probs, scene, place, context)?;
        let Self { before, after } = encode(&model, scene.data, &context.device);
        let pick = |side: &DMatrix<f64>| side.select_columns(&places);
        Ok(Self { before: pick(&before), after: pick(&after) })
    }
}

/// A model of given codes, trained with given targets `ln q(I)`, `[n, d + 1]`.
fn given_targets(
    codes: &Codes,
    log_probs: &DMatrix<f64>,
    Scene { stage, scale, data, config }: Scene<'_>,
    place: &mut u64,
    context: &mut TrainContext<'_>,
) -> Result<Ilcm, FitError> {
    let ApartStage { handover, tau, phase } = &stage.apart;
    let model = handed_over(codes, data, *place, handover, config, context)?;
    let width = data.components();
    let rows = data.before.chunks(width).zip(data.after.chunks(width));
    let both = rows.flat_map(|(before, after)| [before, after].concat()).collect();
    let q = log_probs.transpose().iter().map(|&v| v.max(LEAST_LOG) as f32).collect();
    let both = Observations::Vectors { data: both, dim: 2 * width };
    let named = Observations::Vectors { data: q, dim: model.dim() + 1 };
    let pool = (0..log_probs.nrows() as u32).collect();
    let source = PairSource::with_pools([both, named], vec![pool]);
    let weights = |progress| ThinWeights { tau: tau.at(progress), ..thin_weights(scale, progress) };
    *place += 2;
    let name = (*place - 1, "variables");
    Ok(train(GivenTargets { model }, &source, name, phase, weights, context)?.model)
}

impl Scale {
    fn features(&self, d: usize) -> WhitenConfig {
        WhitenConfig {
            variance: 1.0,
            max_components: d + self.extra,
            power: self.power,
            smoothing: self.convolution.is_none().then_some(self.smoothing),
        }
    }
}

/// A model of new features that gives the old codes.
pub(super) fn handed_over(
    codes: &Codes,
    data: &Whitened,
    place: u64,
    phase: &PhaseConfig,
    config: &RecipeConfig,
    context: &mut TrainContext<'_>,
) -> Result<Ilcm, FitError> {
    let d = codes.before.ncols();
    let features = [&data.before, &data.after].map(|side| data.matrix(side));
    let unmixing = least_squares(&features, [&codes.before, &codes.after]);
    let mixing =
        least_squares(&[codes.before.clone(), codes.after.clone()], [&features[0], &features[1]]);
    let sizes = Sizes { replicas: 1, components: data.components(), d };
    let mut rng = context.seed.rng_at(Stream::Init, (1 << 33) + place);
    let model = Ilcm::new(sizes, &config.model.networks, &mut rng, &context.device)
        .with_linear_parts(&[unmixing], &[mixing], &context.device);

    let source = decoded_from(codes, data);
    let name = (place, "handover");
    Ok(train(Handover { model }, &source, name, phase, |_| (), context)?.model)
}

/// The features of both sides with their codes, one model's to learn one from the other.
pub(super) fn decoded_from(codes: &Codes, data: &Whitened) -> PairSource {
    let row_major = |m: &DMatrix<f64>| m.transpose().iter().map(|&v| v as f32).collect::<Vec<_>>();
    let both = |sides: [Vec<f32>; 2], dim| Observations::Vectors { data: sides.concat(), dim };
    let x = both([data.before.clone(), data.after.clone()], data.components());
    let c = both([row_major(&codes.before), row_major(&codes.after)], codes.before.ncols());
    let rows = 0..2 * codes.before.nrows() as u32;
    PairSource::with_pools([x, c], vec![rows.collect()])
}

/// The linear map of rows `x [n, p]` to rows `y [n, q]`, of both sides: `[p, q]`.
pub(super) fn least_squares(x: &[DMatrix<f64>; 2], y: [&DMatrix<f64>; 2]) -> DMatrix<f64> {
    let mut gram = x[0].tr_mul(&x[0]) + x[1].tr_mul(&x[1]);
    let moment = x[0].tr_mul(y[0]) + x[1].tr_mul(y[1]);
    let ridge = RIDGE * 2.0 * x[0].nrows() as f64;
    (0..gram.nrows()).for_each(|at| gram[(at, at)] += ridge);
    gram.cholesky().map_or_else(|| DMatrix::zeros(x[0].ncols(), y[0].ncols()), |c| c.solve(&moment))
}

fn train_scale(
    model: Ilcm,
    data: &Whitened,
    place: &mut u64,
    scale: &Scale,
    context: &mut TrainContext<'_>,
) -> Result<Ilcm, FitError> {
    let source = data.source(model.replicas());
    let weights = |progress| thin_weights(scale, progress);
    let (replicas, d) = (model.replicas(), model.dim());
    let referee = scale.referee.then(|| Referee::new(replicas, d, &context.device));
    let objective = ThinManifold { model, referee };
    *place += 1;
    let name = (*place - 1, "variables");
    Ok(train(objective, &source, name, &scale.phase, weights, context)?.model)
}

/// The weights of a scale's objective at a progress in `[0, 1]`.
pub(super) fn thin_weights(scale: &Scale, progress: f64) -> ThinWeights {
    ThinWeights { tau: scale.tau.at(progress), beta: 1.0, noise: Some(scale.noise.at(progress)) }
}

/// The replica that reconstructs best, its place, and what is known of all.
fn best(
    models: &Ilcm,
    data: &Whitened,
    context: &TrainContext<'_>,
) -> (Ilcm, (usize, Vec<Candidate>)) {
    let replicas = (0..models.replicas()).map(|replica| models.clone().replica(replica));
    let mut replicas: Vec<Ilcm> = replicas.collect();
    let errors = replicas.iter().map(|model| reconstruction_error(model, data, context));
    // A replica that diverged has no error, and loses.
    let errors: Vec<f64> = errors.map(|e| if e.is_finite() { e } else { f64::INFINITY }).collect();
    let best = (0..errors.len()).min_by(|&a, &b| errors[a].total_cmp(&errors[b]));
    let best = best.expect("a stack has at least one replica");
    let codes = replicas.iter().map(|model| encode(model, data, &context.device));
    let candidates = judge(&codes.collect::<Vec<_>>(), best);
    (replicas.swap_remove(best), (best, candidates))
}

/// Squared error of the reconstruction, per row.
fn reconstruction_error(model: &Ilcm, data: &Whitened, context: &TrainContext<'_>) -> f64 {
    use burn::module::Module;
    let device = context.device.clone().inner();
    let rows = (data.before.len() / data.components()).min(JUDGED);
    let x = data.before[..rows * data.components()].to_vec();
    let x = upload_rows(x, data.components(), &device);
    let back = model.clone().valid().reconstruct(x.clone());
    download(x - back).norm_squared() / rows.max(1) as f64
}
