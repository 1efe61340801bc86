//! What pairs alone say of the assumptions that learning rests on, before anything is trained.

mod look;
mod neighbours;
mod variables;

use domino_core::Pairs;
use domino_vae::start::WhitenError;
use serde::{Deserialize, Serialize};

use look::{Counted, LINEAR, Look};
pub(crate) use variables::Separation;
pub use variables::{Evidence, VariableCount};

/// Pairs that are looked at, spread evenly over the data.
const ROWS: usize = 20_000;

/// The same where observations have more values than `WIDE`.
const WIDE_ROWS: usize = 2000;

/// Observations of more values than this are slow to look at.
const WIDE: usize = 1024;

/// Noise, in standard deviations of the observations: what training was measured with, and from
/// where on a change can hardly be told from noise.
const NOISE: (f64, f64) = (0.1, 0.2);

/// Codes that change together: one and a half is half of the pairs with two targets.
const TOGETHER: (f64, f64) = (1.1, 1.5);

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
    /// nearest neighbours (Facco et al. 2017); above six too small, by up to a half.
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
    let look = Look::at(pairs, if pairs.dim() > WIDE { WIDE_ROWS } else { ROWS })?;
    let (counted, still) = look.counted_in_sets();
    let dimension = look.dimension();
    let count = VariableCount::seen(pairs, &look, dimension, &counted);
    let variables = d.unwrap_or_else(|| count.number());
    let findings = vec![
        number_of_variables(&count, d),
        shared_noise(look.noise),
        mixing(&counted),
        one_at_a_time(&counted),
        all_hit(&counted, still),
        enough(pairs.len(), variables, &counted),
    ];
    Ok(PairDiagnosis {
        pairs: pairs.len(),
        dim_x: pairs.dim(),
        variables,
        linear: counted.linear(),
        intrinsic_dimension: dimension,
        findings,
    })
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

fn number_of_variables(count: &VariableCount, d: Option<usize>) -> Finding {
    let question = "How many variables are there?";
    let (number, found, from) = (count.number(), count.supported, count.words());
    let Some(d) = d else {
        let words = format!("{from}: learn {number} variables.");
        return finding(question, (found, number as f64), (Answer::Good, words));
    };
    let words = format!("{d} are asked for; {from}.");
    finding(question, (found, d as f64), (count.answer(d), words))
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

    #[test]
    fn directions_of_mere_noise_are_no_variables() {
        for (seed, observation_noise) in [(5, 0.01), (6, 0.05)] {
            let interventions = InterventionConfig::default();
            let config = ScalingConfig { seed, observation_noise, ..linear(4, interventions) };
            let config = ScalingConfig { dim_x: Some(8), ..config };
            let (pairs, _) = World::draw(&config).unwrap().sample(8000, Split::Train).unwrap();
            let answer = |d| diagnose(&pairs, Some(d)).unwrap().findings[0].answer;
            assert_eq!([3, 4, 5].map(answer), [Answer::Bad, Answer::Good, Answer::Bad]);
        }
    }
}
