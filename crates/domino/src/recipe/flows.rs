//! Encoders that are changes of variables.

use std::iter;

use domino_core::Stream;
use domino_train::{TrainContext, train};
use domino_vae::start::random_rotation;
use domino_vae::{Decoding, Flow, FlowWeights, Ilcm, IlcmConfig};
use nalgebra::DMatrix;
use rand::Rng;

use super::candidates::{Candidate, Doubts, choose, confirmed, doubts};
use super::scales::decoded_from;
use super::variables::{Codes, Variables, Whitened, encode, new_models, of_unit_spread};
use super::{FitError, FlowStage, RecipeConfig};

/// Parts of the stream of starts that belong to flows: rounds have one for the networks and one for the rotations each.
const STARTS: u64 = 1 << 34;

/// Rounds from starts of their own before codes in doubt are turned, and most of them.
const OWN_STARTS: (u64, u64) = (2, 4);

/// Largest part of a code that is turned in any code after that, so that models which learn nothing more do not agree.
const MOST_LEFT: f64 = 0.8;

/// Most that pairs in which little was changed may change, over what unrelated observations differ by: a likelihood without noise
/// takes more for changes.
const QUIET: f64 = 1e-3;

/// Whether what rests does so without noise: by the median change of as many of the pairs that change least as would show no
/// intervention, were all `d + 1` targets equally frequent.
pub(super) fn is_quiet(data: &Whitened, d: usize) -> bool {
    let [before, after] = [&data.before, &data.after].map(|side| data.matrix(side));
    let total = 2.0 * before.row_variance().sum();
    let mut changes: Vec<f64> = (after - before).row_iter().map(|c| c.norm_squared()).collect();
    let middle = changes.len() / (2 * (d + 1));
    let (_, change, _) = changes.select_nth_unstable_by(middle, f64::total_cmp);
    *change <= QUIET * total
}

/// Whether most observations before are those of other pairs too, as where variables take few values: what is as likely as that has no
/// density.
pub(super) fn repeats(data: &Whitened) -> bool {
    let mut rows: Vec<Vec<u32>> = data
        .before
        .chunks_exact(data.components().max(1))
        .map(|row| row.iter().map(|v| v.to_bits()).collect())
        .collect();
    let count = rows.len();
    rows.sort_unstable();
    rows.dedup();
    2 * rows.len() < count
}

/// The best of several encoders that were trained by the exact likelihood of pairs, which needs as many features as
/// variables.
pub(super) struct BestFlow {
    model: Ilcm,
    kept: usize,
    candidates: Vec<Candidate>,
    /// Rounds of training, each a phase.
    pub(super) rounds: u64,
}

impl BestFlow {
    /// Trains models a few at a time, until the best of all has found what another has: wrong solutions differ.
    ///
    /// Where several rounds from starts of their own do not end in one that agrees with another, most of its codes may have been
    /// found by another all the same. These stay where they are in the rounds that follow, and those in doubt are turned
    /// among themselves at random: what is left to be found has fewer variables. Codes that are the target much more or less
    /// often than most are in doubt even where models agree, since many starts lead to the same theft: one code that answers
    /// to two variables, and one to none. As interventions may be as uneven, they are turned once, and as long as there
    /// is a code that is hardly ever the target.
    pub(super) fn train(
        [train_on, held_out]: [&Whitened; 2],
        stage: &FlowStage,
        config: &RecipeConfig,
        context: &mut TrainContext<'_>,
    ) -> Result<Self, FitError> {
        let (mut replicas, mut codes): (Vec<Ilcm>, Vec<Codes>) = (Vec::new(), Vec::new());
        let (mut rounds, mut own, mut turned) = (0, 0, false);
        let mut models = from_rotations(train_on, rounds, stage, config, context);
        loop {
            let trained = trained(models, train_on, rounds, stage, context)?;
            for replica in 0..trained.replicas() {
                let model = trained.clone().replica(replica);
                codes.push(encode(&model, held_out, &context.device));
                replicas.push(model);
            }
            rounds += 1;
            own += u64::from(!turned);
            let (kept, candidates) = choose(&codes);
            let Doubts { alone, idle, codes: doubted } = doubts(&codes, &candidates, kept);
            let settled = !alone && (doubted.is_empty() || (turned && !idle));
            // Where models agree in little, as where variables take few values, the rest is no smaller task.
            let few = 2 * doubted.len() < config.model.d;
            turned = !doubted.is_empty() && (!alone || (few && own >= OWN_STARTS.0));
            let exhausted = rounds == stage.rounds as u64 || (!turned && own == OWN_STARTS.1);
            if settled || exhausted {
                let model = replicas.swap_remove(kept);
                return Ok(Self { model, kept, candidates, rounds });
            }
            models = if turned {
                let mut rng = context.seed.rng_at(Stream::Init, STARTS + 2 * rounds);
                let turns: Vec<_> = (0..stage.replicas)
                    .map(|_| rotation_among(&doubted, config.model.d, &mut rng))
                    .collect();
                replicas[kept].clone().turned(&turns, &context.device)
            } else {
                from_rotations(train_on, rounds, stage, config, context)
            };
        }
    }

    /// Whether another model has found the same.
    pub(super) fn is_confirmed(&self) -> bool {
        confirmed(&self.candidates, self.kept)
    }

    /// The encoder with a decoder of its codes; `place` is the number of the phase.
    pub(super) fn decoded(
        self,
        data: &Whitened,
        (place, stage): (u64, &FlowStage),
        context: &mut TrainContext<'_>,
    ) -> Result<Variables, FitError> {
        let Self { model, kept, candidates, .. } = self;
        let source = decoded_from(&encode(&model, data, &context.device), data);
        let name = (place, "decoder");
        let trained = train(Decoding { model }, &source, name, &stage.decoding, |_| (), context)?;
        Ok(Variables { kept, candidates, phases: place + 1, ..Variables::of(trained.model) })
    }
}

/// New models for one round, from random rotations: where observations bend, the independent components of their
/// differences are wrong in a way that training keeps to.
fn from_rotations(
    data: &Whitened,
    round: u64,
    stage: &FlowStage,
    config: &RecipeConfig,
    context: &TrainContext<'_>,
) -> Ilcm {
    let before = data.matrix(&data.before);
    let mut rng = context.seed.rng_at(Stream::Init, STARTS + 2 * round);
    let mut rotated = || of_unit_spread(random_rotation(config.model.d, &mut rng), &before);
    let starts: Vec<_> = (0..stage.replicas).map(|_| rotated()).collect();
    let (encoder, decoder) = (stage.encoder.clone(), stage.decoder.clone());
    let networks = IlcmConfig { encoder, decoder, ..config.model.networks.clone() };
    new_models(&starts, &networks, STARTS + 2 * round + 1, context)
}

/// A random rotation `[d, d]` of two axes or more among themselves, after which none is close to what it was or another; all others
/// stay as they are.
fn rotation_among(axes: &[usize], d: usize, rng: &mut dyn Rng) -> DMatrix<f64> {
    let small = iter::repeat_with(|| random_rotation(axes.len(), rng))
        .find(|turn| turn.amax() <= MOST_LEFT)
        .expect("there are such rotations of two axes and more");
    let mut all = DMatrix::identity(d, d);
    for (row, &i) in axes.iter().enumerate() {
        for (col, &j) in axes.iter().enumerate() {
            all[(i, j)] = small[(row, col)];
        }
    }
    all
}

/// The models of one round, trained.
fn trained(
    models: Ilcm,
    data: &Whitened,
    round: u64,
    stage: &FlowStage,
    context: &mut TrainContext<'_>,
) -> Result<Ilcm, FitError> {
    let source = data.source(models.replicas());
    let weights = |progress| FlowWeights { tau: stage.tau.at(progress) };
    let name = (round, "variables");
    let objective = Flow::new(models, &context.device);
    Ok(train(objective, &source, name, &stage.phase, weights, context)?.model)
}

#[cfg(test)]
mod tests {
    use domino_core::{Observations, Pairs, Seed};
    use domino_vae::start::{WhitenConfig, Whitening};
    use rand::RngExt;

    use super::*;

    #[test]
    fn variables_of_few_values_repeat() {
        for (levels, repeated) in [(Some(3.0), true), (None, false)] {
            let mut rng = Seed(5).rng(Stream::Data);
            let mut value = || {
                let value = rng.random_range(0.0..1.0_f32);
                levels.map_or(value, |levels: f32| (value * levels).floor())
            };
            let [before, after] = [0, 1].map(|_| {
                let data = (0..400).map(|_| value()).collect();
                Observations::Vectors { data, dim: 2 }
            });
            let pairs = Pairs::new(before, after).unwrap();
            let whitening = Whitening::fit(&pairs, 2, &WhitenConfig::default()).unwrap();
            assert_eq!(repeats(&Whitened::new(&pairs, &whitening)), repeated);
        }
    }

    #[test]
    fn some_axes_are_turned_among_themselves() {
        let turn = rotation_among(&[1, 3], 4, &mut Seed(8).rng(Stream::Init));
        assert!((&turn * turn.transpose() - DMatrix::identity(4, 4)).amax() < 1e-12);
        let kept = DMatrix::<f64>::identity(4, 4);
        for still in [0, 2] {
            assert_eq!(turn.row(still), kept.row(still));
            assert_eq!(turn.column(still), kept.column(still));
        }
        assert!(turn[(1, 3)].abs() >= 0.6 - 1e-12 && turn[(1, 1)].abs() >= 0.6 - 1e-12);
    }

    #[test]
    fn noise_is_heard_where_nothing_was_changed() {
        for (noise, quiet) in [(0.0, true), (0.02, true), (0.2, false)] {
            let mut rng = Seed(4).rng(Stream::Data);
            let (mut before, mut after) = (Vec::new(), Vec::new());
            for row in 0..900 {
                let x = [0, 1].map(|_| rng.random_range(-1.0..1.0_f32));
                let set = rng.random_range(-1.0..1.0);
                let mut y = x;
                if row % 3 > 0 {
                    y[row % 3 - 1] = set;
                }
                before.extend(x);
                after.extend(y.map(|y| y + noise * rng.random_range(-1.0..1.0)));
            }
            let [before, after] =
                [before, after].map(|data| Observations::Vectors { data, dim: 2 });
            let pairs = Pairs::new(before, after).unwrap();
            let whitening = Whitening::fit(&pairs, 2, &WhitenConfig::default()).unwrap();
            assert_eq!(is_quiet(&Whitened::new(&pairs, &whitening), 2), quiet, "noise {noise}");
        }
    }
}
