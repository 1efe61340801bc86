//! Whether a result can be trusted, judged without labels.

use domino::diagnose::Evidence;
use domino::recipe::{APART, Diagnosis, Explained, HARDLY_EVER, TORN};

use crate::report::{Level, Verdict};

/// One number, the bounds up to which it is good and doubtful, and what is said of it.
struct Check {
    value: f64,
    good: f64,
    doubtful: f64,
    words: String,
}

/// Share of a variable's change that a trusted model may fail to foresee, and that a doubtful one
/// may, on average over variables.
pub const UNFORESEEN: (f64, f64) = (0.14, 0.25);

/// Share of the variance of set values that other noise may explain beyond chance.
pub const DEPENDENCE: (f64, f64) = (0.006, 0.03);

/// Share of the variance of set values that a variable's own noise may explain beyond chance. Where
/// targets keep a tenth of their old value it is .013, where they keep a quarter .10.
const PERSISTENCE: (f64, f64) = (0.03, 0.15);

/// Standard errors that chance may explain.
const CHANCE: f64 = 2.0;

/// How far the entropy of the targets may lie below that of the evenest replica. A replica in which
/// one code took over the interventions on another loses more.
const LESS_EVEN: (f64, f64) = (0.01, 0.03);

/// How far the replica nearest to the kept one may be from it, as 1 minus its agreement. Where no two
/// starts end in the same variables, none of them may be right.
const ALONE: (f64, f64) = (APART, 1.0);

/// Largest step between neighbouring values of a code in what is drawn of them, over the extent of all that is
/// drawn. What jumps by nature is in doubt at most.
const STEP: (f64, f64) = (TORN, 1.0);

/// A gap between neighbouring values of a code, over their extent, from which on its variable takes few values. A
/// code without gaps leaves .04 between a thousand normal values, and less between more.
const GAP: f64 = 0.1;

/// The verdict on a fit, and the sentences it rests on.
///
/// A model that is right foresees what an intervention does to all other variables, gives values
/// to set variables that depend on no noise, their own included, has the evenest targets of all replicas and every
/// variable among them, as many variables as the pairs support, codes along which what is drawn does not jump, and another
/// replica agrees with it. docs/every-seed.md has where the bounds come from, and how well the verdict
/// does.
pub fn verdict(diagnosis: &Diagnosis, log_likelihood: Option<f64>) -> Verdict {
    let always = [
        foreseeing(diagnosis),
        independence(diagnosis),
        perfection(diagnosis),
        evenness(diagnosis),
        presence(diagnosis),
        number(diagnosis),
        wholeness(diagnosis),
    ];
    let checks: Vec<Check> = always.into_iter().chain(company(diagnosis)).collect();
    let level = checks.iter().map(Check::level).max();
    let lost = 100.0 * diagnosis.reconstruction_error;
    let reconstruction =
        format!("Reconstructions lose {lost:.2} % of the variance of the observations.");
    Verdict {
        level: level.unwrap_or(Level::Failed),
        sparsity_of_change: finite(diagnosis.sparsity_of_change),
        target_entropy: finite(diagnosis.target_entropy),
        agreement: diagnosis.agreement(),
        unforeseen: finite(mean(&diagnosis.unforeseen)),
        dependence: finite(mean(&diagnosis.dependence.shares)),
        persistence: finite(mean(&diagnosis.persistence.shares)),
        supported_variables: finite(diagnosis.count.supported),
        largest_step: diagnosis.largest_steps.iter().copied().reduce(f64::max).and_then(finite),
        reconstruction: finite(diagnosis.reconstruction_error),
        log_likelihood: log_likelihood.and_then(finite),
        reasons: checks
            .into_iter()
            .map(|check| check.words)
            .chain([reconstruction])
            .chain(candidates(diagnosis))
            .collect(),
    }
}

fn foreseeing(diagnosis: &Diagnosis) -> Check {
    let value = mean(&diagnosis.unforeseen);
    let (good, doubtful) = UNFORESEEN;
    let words = format!(
        "Of the change of a variable the model fails to foresee {value:.4}, at most {good} asked \
         for: codes that answer to interventions on others are no noise."
    );
    Check { value, good, doubtful, words }
}

fn independence(diagnosis: &Diagnosis) -> Check {
    free_of(
        &diagnosis.dependence,
        DEPENDENCE,
        "The noise of other variables",
        "mechanisms learned from too few pairs, or interventions that are not perfect",
    )
}

fn perfection(diagnosis: &Diagnosis) -> Check {
    free_of(
        &diagnosis.persistence,
        PERSISTENCE,
        "A variable's own noise",
        "interventions that leave a part of the old value, and variables that are wrong by it",
    )
}

/// Whether values that are set follow from `noise` no more than chance explains; `fault` is what it
/// means if they do.
fn free_of(explained: &Explained, (good, doubtful): (f64, f64), noise: &str, fault: &str) -> Check {
    let (share, chance) = (mean(&explained.shares), CHANCE * explained.error);
    let words = format!(
        "{noise} explains {share:.4} of the values that are set, at most {:.4} asked for, \
         {chance:.4} of it for chance: more than that means {fault}.",
        good + chance
    );
    Check { value: share - chance, good, doubtful, words }
}

fn evenness(diagnosis: &Diagnosis) -> Check {
    let evenest = diagnosis.candidates.iter().map(|c| c.target_entropy).fold(0.0, f64::max);
    let value = evenest - diagnosis.candidates[diagnosis.kept].target_entropy;
    let (good, doubtful) = LESS_EVEN;
    let words = format!(
        "The entropy of the targets is {value:.4} below that of the evenest replica, at most \
         {good} asked for."
    );
    Check { value, good, doubtful, words }
}

/// Whether every variable is the target of some pairs. One that is not cannot be told from functions of the others; and
/// where a code answers to interventions on two variables, another answers to none.
fn presence(diagnosis: &Diagnosis) -> Check {
    let (rarest, entropy) = (diagnosis.rarest_target, diagnosis.target_entropy);
    let words = format!(
        "The rarest target is inferred {rarest:.2} times as often as the median one, at least {HARDLY_EVER} asked \
         for: a variable that is hardly ever set may be anything, and another may stand for two. The entropy of targets is \
         {entropy:.3} of at most 1."
    );
    Check { value: HARDLY_EVER - rarest, good: 0.0, doubtful: f64::INFINITY, words }
}

/// Whether there are as many variables as the pairs support. Where directions are counted, one left out
/// fails: its changes end in the codes of others, all of which may be wrong. One too many leaves the others
/// right and takes their targets, and the dimension of a surface is rough: both are doubted at most.
fn number(diagnosis: &Diagnosis) -> Check {
    let (d, count) = (diagnosis.unforeseen.len(), &diagnosis.count);
    let (value, good) = count.distance(d);
    let left_out = count.supported > d as f64;
    let exact = count.evidence == Evidence::Directions;
    let doubtful = if left_out && exact { good } else { f64::INFINITY };
    let bound = match good {
        exact if exact <= 0.0 => String::new(),
        rough if rough.is_finite() => format!(", at most {rough:.1} away asked for"),
        _ if count.supported > 0.0 => ", which may also be what nobody sets".to_owned(),
        _ => String::new(),
    };
    let fault = match (value <= good, left_out) {
        (true, _) => "",
        (_, true) => ": changes of what is left out end in other codes, so learn more",
        (_, false) => ": one too many is noise that takes the targets of others, so learn fewer",
    };
    let words = format!("{d} variables are learned; {}{bound}{fault}.", count.words());
    Check { value, good, doubtful, words }
}

/// Whether neighbouring values of every code are drawn alike. An encoder can tell all values of a variable and
/// yet have them in pieces in the wrong order, which no other check sees. Where a variable takes few values there is
/// nothing between them to be drawn; but then different noise leads to the same value, and what an intervention on
/// its causes would make of it cannot be known.
fn wholeness(diagnosis: &Diagnosis) -> Check {
    let (good, doubtful) = STEP;
    let value = diagnosis.largest_steps.iter().copied().fold(0.0, f64::max);
    let steps = diagnosis.largest_steps.iter().zip(&diagnosis.largest_gaps);
    let discrete = steps.filter(|&(step, gap)| *step > good && *gap > GAP).count();
    let torn = diagnosis.largest_steps.iter().filter(|step| **step > good).count() - discrete;
    let fault = match (torn, discrete) {
        (0, 0) => String::new(),
        (0, _) => format!(
            ": {} few values, so that noise behind them is not known and what follows from other \
             causes can be wrong",
            if discrete == 1 {
                "one variable takes".into()
            } else {
                format!("{discrete} variables take")
            }
        ),
        _ => ": a code is torn".to_owned(),
    };
    let words = format!(
        "Between neighbouring values of a code, what is drawn of them jumps by {value:.3} of its whole \
         extent, at most {good} asked for{fault}."
    );
    Check { value, good, doubtful, words }
}

/// Whether another replica ended in the same variables; nothing where none had to be trained. One that
/// was trained alone has no witness, and is in doubt.
fn company(diagnosis: &Diagnosis) -> Option<Check> {
    if diagnosis.linear {
        return None;
    }
    let (good, doubtful) = ALONE;
    let best = diagnosis.agreement();
    let words = match best {
        Some(best) => format!(
            "The replica nearest to the kept one agrees with it to a rank correlation of {best:.3} \
             in every code, at least {} asked for.",
            1.0 - good
        ),
        None => "Only one model was trained: whether another start ends in the same variables is \
                 not known. Two replicas or more would tell."
            .to_owned(),
    };
    Some(Check { value: 1.0 - best.unwrap_or(0.0), good, doubtful, words })
}

impl Check {
    fn level(&self) -> Level {
        // What is not a number is in no order, and fails.
        if self.value <= self.good {
            Level::Trustworthy
        } else if self.value <= self.doubtful {
            Level::Doubtful
        } else {
            Level::Failed
        }
    }
}

/// The verdict on one line.
pub fn one_line(verdict: &Verdict) -> String {
    let parts = [
        ("unforeseen change", verdict.unforeseen),
        ("dependence of set values", verdict.dependence),
        ("persistence of set values", verdict.persistence),
        ("sparsity of change", verdict.sparsity_of_change),
        ("target entropy", verdict.target_entropy),
        ("reconstruction error", verdict.reconstruction),
    ];
    let known = parts.into_iter().filter_map(|(name, v)| v.map(|v| format!("   {name} {v:.4}")));
    format!("{}{}", verdict.level.word(), known.collect::<String>())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn candidates(diagnosis: &Diagnosis) -> Option<String> {
    if diagnosis.linear {
        return Some(
            "The linear start was enough: no network was trained for the variables.".into(),
        );
    }
    let list: Vec<String> =
        diagnosis.candidates.iter().map(|c| format!("{:.4}", c.sparsity_of_change)).collect();
    let (count, list) = (list.len(), list.join(", "));
    (count > 1).then(|| {
        let kept = diagnosis.kept + 1;
        format!("Replica {kept} of {count} was kept; sparsity of change {list}.")
    })
}

#[cfg(test)]
mod tests {
    use domino::diagnose::VariableCount;
    use domino::recipe::Candidate;

    use super::*;

    fn candidate(target_entropy: f64, agreement: f64) -> Candidate {
        Candidate { sparsity_of_change: 0.97, target_entropy, agreement }
    }

    fn diagnosis(unforeseen: f64) -> Diagnosis {
        Diagnosis {
            sparsity_of_change: 0.97,
            candidates: vec![candidate(0.97, 1.0), candidate(0.96, 0.99), candidate(0.95, 0.3)],
            kept: 0,
            target_entropy: 0.97,
            rarest_target: 0.8,
            reconstruction_error: 0.001,
            unforeseen: vec![unforeseen; 3],
            dependence: Explained { shares: vec![0.001; 3], error: 0.002 },
            persistence: Explained { shares: vec![0.002; 3], error: 0.001 },
            largest_steps: vec![0.07, 0.1, 0.05],
            largest_gaps: vec![0.01, 0.02, 0.01],
            linear: false,
            count: count(3.0, Evidence::Directions),
        }
    }

    fn count(supported: f64, evidence: Evidence) -> VariableCount {
        VariableCount { supported, evidence, directions: 5, observations: 2000 }
    }

    #[test]
    fn each_check_decides() {
        let sound = verdict(&diagnosis(0.02), Some(-3.0));
        assert_eq!((sound.level, sound.agreement), (Level::Trustworthy, Some(0.99)));
        assert!(one_line(&sound).starts_with("trustworthy   unforeseen change 0.0200"));
        assert_eq!(verdict(&diagnosis(0.15), None).level, Level::Doubtful);
        assert_eq!(verdict(&diagnosis(0.5), None).level, Level::Failed);
        let explained = |shares: [f64; 3]| Explained { shares: shares.to_vec(), error: 0.002 };
        let dependent = Diagnosis { dependence: explained([0.0, 0.1, 0.2]), ..diagnosis(0.02) };
        assert_eq!(verdict(&dependent, None).level, Level::Failed);
        let leaking = Diagnosis { persistence: explained([0.0, 0.1, 0.2]), ..diagnosis(0.02) };
        assert_eq!(verdict(&leaking, None).level, Level::Doubtful);
        let torn = Diagnosis { largest_steps: vec![0.07, 0.7, 0.05], ..diagnosis(0.02) };
        let judged = verdict(&torn, None);
        assert_eq!(judged.level, Level::Doubtful);
        assert!(judged.reasons.iter().any(|words| words.ends_with("a code is torn.")));
        let discrete = Diagnosis { largest_gaps: vec![0.01, 0.5, 0.01], ..torn };
        let judged = verdict(&discrete, None);
        assert_eq!(judged.level, Level::Doubtful);
        assert!(judged.reasons.iter().any(|words| words.contains("one variable takes few")));
        let mut uneven = diagnosis(0.02);
        uneven.candidates[1].target_entropy = 0.99;
        assert_eq!(verdict(&uneven, None).level, Level::Doubtful);
        let idle = Diagnosis { rarest_target: 0.02, ..diagnosis(0.02) };
        assert_eq!(verdict(&idle, None).level, Level::Doubtful);
        let mut lonely = diagnosis(0.02);
        lonely.candidates[1].agreement = 0.6;
        assert_eq!(verdict(&lonely, None).level, Level::Doubtful);
    }

    #[test]
    fn a_wrong_number_of_variables_is_not_trusted() {
        let level = |supported, evidence| {
            let diagnosis = Diagnosis { count: count(supported, evidence), ..diagnosis(0.02) };
            verdict(&diagnosis, None).level
        };
        assert_eq!(level(4.0, Evidence::Directions), Level::Failed);
        assert_eq!(level(4.0, Evidence::NoisyDirections), Level::Doubtful);
        assert_eq!(level(2.0, Evidence::Directions), Level::Doubtful);
        assert_eq!(level(3.6, Evidence::Surface), Level::Doubtful);
        assert_eq!(level(1.9, Evidence::Surface), Level::Doubtful);
        assert_eq!(level(2.5, Evidence::Surface), Level::Trustworthy);
        assert_eq!(level(5.0, Evidence::Features), Level::Trustworthy);
        let told = verdict(&diagnosis(0.02), None);
        assert_eq!(told.supported_variables, Some(3.0));
        assert!(told.reasons.iter().any(|words| words.starts_with("3 variables are learned; ")));
    }

    #[test]
    fn what_is_not_a_number_is_not_trusted() {
        let verdict = verdict(&diagnosis(f64::NAN), Some(f64::NAN));
        assert_eq!(verdict.level, Level::Failed);
        assert_eq!((verdict.unforeseen, verdict.log_likelihood), (None, None));
    }

    #[test]
    fn one_replica_agrees_with_nobody() {
        let alone = Diagnosis { candidates: vec![candidate(0.97, 1.0)], ..diagnosis(0.02) };
        let judged = verdict(&alone, None);
        assert_eq!((judged.agreement, judged.level), (None, Level::Doubtful));
        let closed_form = Diagnosis { linear: true, ..alone };
        assert_eq!(verdict(&closed_form, None).level, Level::Trustworthy);
    }
}
