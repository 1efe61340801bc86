//! What pairs alone say of the assumptions that learning rests on, before anything is trained.

use domino_core::{InterventionTarget, Pairs, Seed, Stream};
use domino_data::loader::gather;
use domino_vae::start::{
    IcaConfig, WhitenConfig, WhitenError, Whitening, separate_differences, separate_resting,
};
use domino_vae::{LEAST_RESTING, SetPosterior};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// Pairs that are looked at, spread evenly over the data.
const ROWS: usize = 20_000;

/// The same where observations have more values than `WIDE`.
const WIDE_ROWS: usize = 2000;

/// Observations of more values than this are slow to look at.
const WIDE: usize = 1024;

/// Observations whose neighbours are looked for.
const NEIGHBOURS: usize = 2000;

/// Share of the largest distance ratios that the intrinsic dimension leaves out, as the least
/// certain ones.
const DISCARDED: f64 = 0.1;

/// Most directions in which variables are looked for.
const DIRECTIONS: usize = 128;

/// One pair in this many counts as one to which nothing was done.
const LEAST_CHANGED: usize = 100;

/// Directions of which noise makes up more than this share of the variance are noise.
const MOSTLY_NOISE: f64 = 0.5;

/// Directions that change by less than this share of the typical variance of changes stand still.
const STILL: f64 = 0.01;

/// Changes of a code between these shares of its spread when set are neither "kept" nor "set".
const UNCLEAR: (f64, f64) = (0.02, 0.2);

/// Below this share of unclear changes one linear map separates the variables: a normal change lies
/// between the bounds in one of seven cases, and most codes are kept.
const LINEAR: f64 = 0.1;

/// Noise, in standard deviations of the observations: what training was measured with, and from
/// where on a change can hardly be told from noise.
const NOISE: (f64, f64) = (0.1, 0.2);

/// Codes that change together: one and a half is half of the pairs with two targets.
const TOGETHER: (f64, f64) = (1.1, 1.5);

/// Directions up to which codes of several variables at once are looked for: the time it takes grows with
/// their cube, and without a linear map no search ends early.
const RESTING_DIRECTIONS: usize = 16;

/// A variable that is hit this much more rarely than the others is hardly learned.
const RARE: f64 = 0.2;

/// Pairs per target that suffice: where all is linear, and where networks have to be trained.
const ENOUGH: [f64; 2] = [300.0, 5000.0];

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The assumption holds.
    Good,
    /// It holds barely, or it is not certain.
    Doubtful,
    /// It does not hold.
    Bad,
    /// The pairs alone do not tell; a trained model does.
    Unknown,
}

/// One question, its answer and the number behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What was asked.
    pub question: String,
    /// The number that the answer rests on.
    pub value: f64,
    /// What the number is held against.
    pub threshold: f64,
    /// The answer.
    pub answer: Answer,
    /// The answer in words, with the reason for the threshold.
    pub words: String,
}

/// What pairs say of themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairDiagnosis {
    /// Pairs that there are.
    pub pairs: usize,
    /// Values of an observation.
    pub dim_x: usize,
    /// Number of causal variables that the pairs support, or that was given.
    pub variables: usize,
    /// Whether one linear map separates the variables.
    pub linear: bool,
    /// Dimension of the surface on which observations lie, by the ratio of the distances to the two
    /// nearest neighbours (Facco et al. 2017); too small by some tenths above six.
    pub intrinsic_dimension: f64,
    /// Every assumption.
    pub findings: Vec<Finding>,
}

/// Looks at pairs for what learning assumes of them: how many variables there are, that both sides
/// share their noise, that interventions hit one variable at a time and every variable, and that
/// there are enough pairs.
///
/// `d` is the number of variables that is going to be learned, where it is known. Pictures are
/// looked at through their principal directions.
///
/// # Errors
/// [`WhitenError`] if the observations do not vary.
pub fn diagnose(pairs: &Pairs, d: Option<usize>) -> Result<PairDiagnosis, WhitenError> {
    let config =
        WhitenConfig { variance: 1.0, max_components: DIRECTIONS, ..WhitenConfig::default() };
    let whitening = Whitening::fit(pairs, 1, &config)?;
    let [x, after] = sides(pairs, &whitening);
    let changes = &after - &x;
    let (noise, signal) = noise_of(&changes, &whitening);
    let (x, changes) = (x.select_columns(&signal), changes.select_columns(&signal));
    let basis = moving_directions(&changes, noise);
    let still = signal.len() - basis.ncols();
    let dimension = intrinsic_dimension(&(&x * plain_scale(&whitening, &signal)));

    let counted = Counted::best(&(&changes * &basis), noise);
    let linear = counted.linear();
    let found = if linear { signal.len() } else { dimension.round().max(1.0) as usize };
    let variables = d.unwrap_or(found);
    let findings = vec![
        number_of_variables(dimension, signal.len(), &counted, d),
        shared_noise(noise),
        mixing(&counted),
        one_at_a_time(&counted),
        all_hit(&counted, still),
        enough(pairs.len(), variables, &counted),
    ];
    Ok(PairDiagnosis {
        pairs: pairs.len(),
        dim_x: pairs.dim(),
        variables,
        linear,
        intrinsic_dimension: dimension,
        findings,
    })
}

/// Whitened observations of both sides, `[n, directions]`.
fn sides(pairs: &Pairs, whitening: &Whitening) -> [DMatrix<f64>; 2] {
    let n = pairs.len();
    let take = n.min(if pairs.dim() > WIDE { WIDE_ROWS } else { ROWS });
    let rows: Vec<usize> = (0..take).map(|i| i * n / take).collect();
    let looked_at = gather(pairs, &rows).expect("pairs in memory are there to be read");
    [looked_at.before(), looked_at.after()].map(|side| {
        let data = whitening.apply(side).into_iter().map(f64::from);
        DMatrix::from_row_iterator(take, whitening.components(), data)
    })
}

/// Standard deviations of the given whitened directions, which undo the whitening up to a rotation.
fn plain_scale(whitening: &Whitening, directions: &[usize]) -> DMatrix<f64> {
    let norms = whitening.backward.row_iter().map(|row| row.norm());
    let norms: Vec<f64> = norms.collect();
    DMatrix::from_fn(directions.len(), directions.len(), |i, j| {
        if i == j { norms[directions[i]] } else { 0.0 }
    })
}

/// The noise that unchanged pairs show, in standard deviations of the observations, and the
/// directions that are more than noise.
fn noise_of(changes: &DMatrix<f64>, whitening: &Whitening) -> (f64, Vec<usize>) {
    let all: Vec<usize> = (0..changes.ncols()).collect();
    let plain = changes * plain_scale(whitening, &all);
    let sizes: Vec<f64> = plain.row_iter().map(|row| row.norm_squared()).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
    order.truncate((sizes.len() / LEAST_CHANGED).max(1));
    let least = changes.select_rows(&order);
    // Both sides have noise, so that a change has twice its variance.
    let share = |j: &usize| least.column(*j).norm_squared() / (2.0 * order.len() as f64);
    let signal: Vec<usize> = all.iter().copied().filter(|j| share(j) < MOSTLY_NOISE).collect();
    if signal.is_empty() {
        return (1.0, all);
    }
    let noise = signal.iter().map(share).sum::<f64>() / signal.len() as f64;
    (noise.sqrt(), signal)
}

/// An orthonormal basis of the directions in which changes happen, `[directions, moving]`.
fn moving_directions(changes: &DMatrix<f64>, noise: f64) -> DMatrix<f64> {
    let covariance = changes.tr_mul(changes) / changes.nrows().max(1) as f64;
    let eigen = covariance.symmetric_eigen();
    let mut sorted: Vec<f64> = eigen.eigenvalues.iter().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let least = (STILL * sorted[sorted.len() / 2]).max(4.0 * noise * noise);
    let moving: Vec<usize> = (0..sorted.len()).filter(|&i| eigen.eigenvalues[i] > least).collect();
    if moving.is_empty() {
        return eigen.eigenvectors;
    }
    eigen.eigenvectors.select_columns(&moving)
}

/// Changes of the independent components, `[n, components]`.
fn changes_of_codes(changes: &DMatrix<f64>) -> DMatrix<f64> {
    let mut rng = Seed(0).rng(Stream::Eval);
    changes * separate_differences(changes, &IcaConfig::default(), &mut rng)
}

/// The intrinsic dimension by two nearest neighbours: with `μ = r₂ / r₁`, `−ln(1 − F(μ)) = d ln μ`,
/// fitted through the origin without the largest ratios.
fn intrinsic_dimension(x: &DMatrix<f64>) -> f64 {
    let take = x.nrows().min(NEIGHBOURS);
    let rows: Vec<Vec<f64>> =
        (0..take).map(|i| x.row(i * x.nrows() / take).iter().copied().collect()).collect();
    let mut ratios = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let (mut first, mut second) = (f64::INFINITY, f64::INFINITY);
        for (_, other) in rows.iter().enumerate().filter(|&(j, _)| j != i) {
            let distance: f64 = row.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum();
            if distance < first {
                (first, second) = (distance, first);
            } else if distance < second {
                second = distance;
            }
        }
        if first > 0.0 && second.is_finite() {
            ratios.push(0.5 * (second / first).ln());
        }
    }
    ratios.sort_by(f64::total_cmp);
    let n = ratios.len() as f64;
    ratios.truncate((n * (1.0 - DISCARDED)) as usize);
    let (mut moment, mut square) = (0.0, 0.0);
    for (i, log_ratio) in ratios.iter().enumerate() {
        moment -= log_ratio * (1.0 - (i + 1) as f64 / (n + 1.0)).ln();
        square += log_ratio * log_ratio;
    }
    if square > 0.0 { moment / square } else { 0.0 }
}

/// How many codes change in a pair, and how clearly.
struct Counted {
    /// Share of changes that are neither nothing nor large.
    unclear: f64,
    /// Codes that change in a pair in which any does.
    together: f64,
    /// Pairs that hit the rarest code over those that hit the median one.
    rarest: f64,
}

impl Counted {
    /// Of codes that one variable at a time changes, or if a linear map finds none, several at once.
    fn best(changes: &DMatrix<f64>, noise: f64) -> Self {
        let codes = changes_of_codes(changes);
        let (n, d) = codes.shape();
        // The spread of a code when it is set, were all targets equally frequent.
        let spread = codes
            .column_iter()
            .map(|c| (c.norm_squared() * (d + 1) as f64 / n.max(1) as f64).sqrt());
        let one = Self::of(&codes, &spread.collect::<Vec<_>>(), noise);
        if one.linear() && one.together <= TOGETHER.0 {
            return one;
        }
        Self::of_several(changes, noise).unwrap_or(one)
    }

    /// Of codes that rest in as many pairs as they can, if a linear map separates them.
    fn of_several(changes: &DMatrix<f64>, noise: f64) -> Option<Self> {
        if changes.ncols() > RESTING_DIRECTIONS {
            return None;
        }
        let mut rng = Seed(0).rng(Stream::Eval);
        let codes = changes * separate_resting(changes, &mut rng);
        let posterior = SetPosterior::fit(&codes);
        let spread: Vec<f64> = posterior.codes.iter().map(|code| code.spread).collect();
        let Self { unclear, .. } = Self::of(&codes, &spread, noise);
        let probs = posterior.probs(&codes);
        let counted = Self {
            unclear,
            ..Self::of_sets(&InterventionTarget::most_probable(&probs), codes.ncols())
        };
        let resting = SetPosterior::least_resting(&probs);
        (counted.linear() && resting >= LEAST_RESTING).then_some(counted)
    }

    /// Of changes `[n, d]`, and the spread of each code when it is set.
    fn of(changes: &DMatrix<f64>, spread: &[f64], noise: f64) -> Self {
        let (n, d) = changes.shape();
        let kept = UNCLEAR.0.max(4.0 * noise);
        let set = UNCLEAR.1.max(2.0 * kept);
        let (mut unclear, mut changed_pairs, mut hits) = (0_usize, 0_usize, vec![0_usize; d]);
        for row in changes.row_iter() {
            let mut any = false;
            for (j, change) in row.iter().enumerate() {
                let share = change.abs() / spread[j].max(f64::MIN_POSITIVE);
                unclear += usize::from(share > kept && share < set);
                if share >= set {
                    hits[j] += 1;
                    any = true;
                }
            }
            changed_pairs += usize::from(any);
        }
        let total: usize = hits.iter().sum();
        Self {
            unclear: ratio(unclear, n * d),
            together: ratio(total, changed_pairs),
            rarest: rarest(hits),
        }
    }

    /// Of sets of `d` variables, of which nothing is unclear.
    fn of_sets(targets: &[InterventionTarget], d: usize) -> Self {
        let mut hits = vec![0; d];
        targets.iter().flat_map(InterventionTarget::variables).for_each(|&k| hits[k] += 1);
        let changed = targets.iter().filter(|target| !target.variables().is_empty()).count();
        let together = ratio(hits.iter().sum(), changed);
        Self { unclear: 0.0, together, rarest: rarest(hits) }
    }

    /// Whether the map under which codes were counted separates the variables.
    fn linear(&self) -> bool {
        self.unclear < LINEAR
    }
}

fn ratio(a: usize, b: usize) -> f64 {
    a as f64 / b.max(1) as f64
}

/// How often the rarest is hit over how often the median one is.
fn rarest(mut hits: Vec<usize>) -> f64 {
    hits.sort_unstable();
    ratio(hits[0], hits[hits.len() / 2])
}

fn finding(
    question: &str,
    (value, threshold): (f64, f64),
    (answer, words): (Answer, String),
) -> Finding {
    Finding { question: question.to_owned(), value, threshold, answer, words }
}

/// `Good` up to the first bound, `Doubtful` up to the second.
fn at_most(value: f64, (good, doubtful): (f64, f64)) -> Answer {
    match value {
        v if v <= good => Answer::Good,
        v if v <= doubtful => Answer::Doubtful,
        _ => Answer::Bad,
    }
}

fn number_of_variables(
    dimension: f64,
    directions: usize,
    counted: &Counted,
    d: Option<usize>,
) -> Finding {
    let linear = counted.linear();
    let found = if linear { directions as f64 } else { dimension };
    let from = if linear {
        format!("the observations vary in {directions} directions")
    } else {
        format!(
            "the observations lie on a surface of about {dimension:.1} dimensions in {directions} \
             directions"
        )
    };
    let question = "How many variables are there?";
    let Some(d) = d else {
        let words = format!("{from}: learn {} variables.", found.round().max(1.0));
        return finding(question, (found, found.round()), (Answer::Good, words));
    };
    let off = (found - d as f64).abs();
    let answer = match (d > directions, linear) {
        (true, _) => Answer::Bad,
        (_, true) => at_most(off, (0.0, 0.0)),
        // The estimate from neighbours is a fifth too small at ten dimensions.
        (_, false) => at_most(off, (0.5 + 0.2 * d as f64, f64::INFINITY)),
    };
    finding(question, (found, d as f64), (answer, format!("{d} are asked for; {from}.")))
}

fn shared_noise(noise: f64) -> Finding {
    let answer = at_most(noise, NOISE);
    let words = match answer {
        Answer::Good => {
            format!("yes: pairs that change least differ by {noise:.4} standard deviations.")
        }
        _ => format!(
            "hardly: even the pairs that change least differ by {noise:.2} standard deviations. \
             Either observations are noisy or the noise was drawn anew; from {} on changes drown.",
            NOISE.1
        ),
    };
    finding("Do both sides share their noise?", (noise, NOISE.0), (answer, words))
}

fn mixing(counted: &Counted) -> Finding {
    let (answer, words) = if counted.linear() {
        (Answer::Good, "yes: one linear map makes every change nothing or large.".to_owned())
    } else {
        let words = format!(
            "no: under the best linear map {:.0} % of all changes are neither nothing nor large. \
             Networks have to be trained.",
            100.0 * counted.unclear
        );
        (Answer::Doubtful, words)
    };
    finding("Does a linear map separate the variables?", (counted.unclear, LINEAR), (answer, words))
}

fn one_at_a_time(counted: &Counted) -> Finding {
    let question = "Does an intervention hit one variable?";
    let value = (counted.together, TOGETHER.0);
    if !counted.linear() {
        let words = "only a trained model tells: its sparsity of change.".to_owned();
        return finding(question, value, (Answer::Unknown, words));
    }
    let answer = at_most(counted.together, TOGETHER);
    let several = " With `model.targets = \"several\"` such pairs are learned from.";
    let (yes, advice) = if answer == Answer::Good { ("yes", "") } else { ("no", several) };
    let words =
        format!("{yes}: {:.2} codes change in a pair in which any does.{advice}", counted.together);
    finding(question, value, (answer, words))
}

fn all_hit(counted: &Counted, still: usize) -> Finding {
    let question = "Is every variable intervened upon?";
    if still > 0 && counted.linear() {
        let words = format!(
            "no: in {still} directions observations vary but never change within a pair. \
             Variables that are never set cannot be told apart."
        );
        return finding(question, (0.0, RARE), (Answer::Bad, words));
    }
    let value = (counted.rarest, RARE);
    if !counted.linear() {
        let words = "only a trained model tells: the shares of its targets.".to_owned();
        return finding(question, value, (Answer::Unknown, words));
    }
    let answer = if counted.rarest >= RARE { Answer::Good } else { Answer::Doubtful };
    let words = format!("the rarest is hit {:.2} times as often as the median.", counted.rarest);
    finding(question, value, (answer, words))
}

fn enough(pairs: usize, variables: usize, counted: &Counted) -> Finding {
    let linear = counted.linear();
    let each = pairs as f64 / (variables + 1) as f64;
    let wanted = ENOUGH[usize::from(!linear)];
    let answer = match each / wanted {
        r if r >= 1.0 => Answer::Good,
        r if r >= 0.2 => Answer::Doubtful,
        _ => Answer::Bad,
    };
    let kind = if linear { "linear data" } else { "data that networks are trained on" };
    let words = format!("{each:.0} pairs per target; {wanted} suffice for {kind}.");
    finding("Are there enough pairs?", (each, wanted), (answer, words))
}

#[cfg(test)]
mod tests {
    use domino_data::interventions::{Effect, InterventionConfig, TargetLaw};
    use domino_data::scaling::{LeakyReluConfig, MixingConfig, ScalingConfig, World};
    use domino_data::{Generator, Split};

    use super::*;

    fn answers(config: ScalingConfig, rows: usize) -> (PairDiagnosis, Vec<Answer>) {
        let world = World::draw(&config).unwrap();
        let (pairs, _) = world.sample(rows, Split::Train).unwrap();
        let found = diagnose(&pairs, None).unwrap();
        let answers = found.findings.iter().map(|f| f.answer).collect();
        (found, answers)
    }

    fn linear(d: usize, interventions: InterventionConfig) -> ScalingConfig {
        ScalingConfig { seed: 5, d, interventions, ..ScalingConfig::default() }
    }

    #[test]
    fn the_textbook_setting_is_good_throughout() {
        for (d, dim_x) in [(3, None), (5, Some(9))] {
            let config = ScalingConfig { dim_x, ..linear(d, InterventionConfig::default()) };
            let (found, answers) = answers(config, 8000);
            assert_eq!(found.variables, d);
            assert!(found.linear && answers.iter().all(|&a| a == Answer::Good), "{found:?}");
        }
    }

    #[test]
    fn broken_assumptions_are_named() {
        let never = InterventionConfig { weights: vec![1.0, 1.0, 0.0, 1.0], ..Default::default() };
        assert_eq!(answers(linear(4, never), 8000).1[4], Answer::Bad);
        let drifting = InterventionConfig { drift: 1.0, ..Default::default() };
        assert_eq!(answers(linear(6, drifting), 8000).1[1], Answer::Bad);
        assert_ne!(answers(linear(4, InterventionConfig::default()), 200).1[5], Answer::Good);
    }

    #[test]
    fn several_targets_at_once_are_counted_and_the_key_is_named() {
        for (targets, expected) in [(TargetLaw::Exactly(2), 2.0), (TargetLaw::Each(0.3), 1.58)] {
            let several = InterventionConfig { targets, ..Default::default() };
            let (found, answers) = answers(linear(4, several), 8000);
            assert!(found.linear && answers[3] != Answer::Good, "{found:?}");
            assert!((found.findings[3].value - expected).abs() < 0.15, "{found:?}");
            assert!(found.findings[3].words.contains("model.targets"), "{found:?}");
        }
    }

    #[test]
    fn soft_interventions_are_atomic_too() {
        let soft = InterventionConfig { effect: Effect::Soft, ..Default::default() };
        assert_eq!(answers(linear(4, soft), 8000).1[3], Answer::Good);
    }

    #[test]
    fn a_bent_mixing_is_not_taken_for_a_linear_one() {
        let mixing = MixingConfig::LeakyRelu(LeakyReluConfig::default());
        let config = ScalingConfig { mixing, ..linear(4, InterventionConfig::default()) };
        let (found, answers) = answers(config, 20_000);
        assert!(!found.linear);
        assert_eq!(found.variables, 4, "{found:?}");
        assert_eq!((answers[2], answers[3]), (Answer::Doubtful, Answer::Unknown));
    }

    #[test]
    fn a_wrong_number_of_variables_is_noticed() {
        let world = World::draw(&linear(4, InterventionConfig::default())).unwrap();
        let (pairs, _) = world.sample(8000, Split::Train).unwrap();
        assert_eq!(diagnose(&pairs, Some(4)).unwrap().findings[0].answer, Answer::Good);
        assert_eq!(diagnose(&pairs, Some(6)).unwrap().findings[0].answer, Answer::Bad);
        assert_eq!(diagnose(&pairs, Some(3)).unwrap().findings[0].answer, Answer::Bad);
    }
}
