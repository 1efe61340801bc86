//! Whether a result can be trusted, judged without labels.

use domino::recipe::Diagnosis;

use crate::report::Verdict;

/// Least share of each change that one variable must carry for a result to be trusted.
pub const LEAST_SPARSITY_OF_CHANGE: f64 = 0.98;

/// Below this entropy of the targets some variable is hardly ever intervened upon; a remark.
const EVEN_TARGETS: f64 = 0.8;

/// The verdict on a fit, and the sentences it rests on.
///
/// It rests on sparsity of change alone: an intervention changes one noise code, so that a model
/// whose changes are spread over several has not found the variables.
pub fn verdict(diagnosis: &Diagnosis, log_likelihood: Option<f64>) -> Verdict {
    let sparsity = diagnosis.sparsity_of_change;
    let trustworthy = sparsity >= LEAST_SPARSITY_OF_CHANGE;
    let changes = if trustworthy {
        format!(
            "The change of a pair lies almost wholly in one variable: {sparsity:.4} of it, at \
             least {LEAST_SPARSITY_OF_CHANGE} asked for."
        )
    } else {
        format!(
            "The change of a pair is spread over several variables: the top one carries \
             {sparsity:.4} of it, expected at least {LEAST_SPARSITY_OF_CHANGE}."
        )
    };
    let entropy = diagnosis.target_entropy;
    let targets = if entropy >= EVEN_TARGETS {
        format!("Every variable is a target of some pairs: entropy {entropy:.3} of at most 1.")
    } else {
        format!(
            "Targets are uneven: entropy {entropy:.3} of at most 1. Variables that are hardly ever \
             intervened upon are learned badly."
        )
    };
    let lost = 100.0 * diagnosis.reconstruction_error;
    let reconstruction =
        format!("Reconstructions lose {lost:.2} % of the variance of the observations.");
    Verdict {
        trustworthy,
        sparsity_of_change: finite(sparsity),
        target_entropy: finite(entropy),
        reconstruction: finite(diagnosis.reconstruction_error),
        log_likelihood: log_likelihood.and_then(finite),
        reasons: [changes, targets, reconstruction]
            .into_iter()
            .chain(candidates(diagnosis))
            .chain([format!("unforeseen {:?}", diagnosis.unforeseen)])
            .collect(),
    }
}

/// The verdict on one line.
pub fn one_line(verdict: &Verdict) -> String {
    let word = if verdict.trustworthy { "trustworthy" } else { "not trustworthy" };
    let parts = [
        ("sparsity of change", verdict.sparsity_of_change),
        ("target entropy", verdict.target_entropy),
        ("reconstruction error", verdict.reconstruction),
    ];
    let known = parts.into_iter().filter_map(|(name, v)| v.map(|v| format!("   {name} {v:.4}")));
    format!("{word}{}", known.collect::<String>())
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
    let list: Vec<String> = diagnosis
        .candidates
        .iter()
        .map(|c| format!("{:.4}/{:.4}/{:.3}", c.sparsity_of_change, c.target_entropy, c.agreement))
        .collect();
    (list.len() > 1).then(|| {
        let (count, list) = (list.len(), list.join(", "));
        format!("Chosen among {count} replicas by sparsity of change: {list}.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosis(sparsity_of_change: f64) -> Diagnosis {
        Diagnosis {
            sparsity_of_change,
            candidates: vec![sparsity_of_change, 0.5],
            target_entropy: 0.97,
            reconstruction_error: 0.001,
            unforeseen: vec![0.01, 0.02],
            kept: 0,
            linear: false,
        }
    }

    #[test]
    fn trust_rests_on_the_sparsity_of_change() {
        assert!(verdict(&diagnosis(LEAST_SPARSITY_OF_CHANGE), None).trustworthy);
        let spread = verdict(&diagnosis(0.9), Some(-3.0));
        assert!(!spread.trustworthy && spread.reasons[0].contains("0.9000"));
        assert!(spread.reasons[3].ends_with("0.9000, 0.5000."));
        assert!(one_line(&spread).starts_with("not trustworthy   sparsity of change 0.9000"));
    }

    #[test]
    fn what_is_not_a_number_is_not_trusted() {
        let verdict = verdict(&diagnosis(f64::NAN), Some(f64::NAN));
        assert!(!verdict.trustworthy);
        assert_eq!((verdict.sparsity_of_change, verdict.log_likelihood), (None, None));
    }
}
