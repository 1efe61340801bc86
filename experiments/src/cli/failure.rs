use anyhow::Error;
use domino::dag::DagError;
use domino::metrics::MetricError;
use domino::recipe::FitError;

use crate::report::ReportError;

/// The user can mend it.
const MISTAKE: u8 = 2;

/// The program is at fault.
pub(super) const FAULT: u8 = 1;

/// The user stopped it, as shells number it.
pub(super) const INTERRUPTED: u8 = 130;

/// The exit code of a failure.
pub(super) fn code(error: &Error) -> u8 {
    let is_fault = error.chain().any(|cause| {
        let graph = cause.downcast_ref::<FitError>().is_some_and(
            |e| matches!(e, FitError::Graph(graph) if !matches!(graph, DagError::Option { .. })),
        );
        let drawing = cause
            .downcast_ref::<ReportError>()
            .is_some_and(|e| matches!(e, ReportError::Png { .. } | ReportError::Json(_)));
        graph || drawing || cause.is::<MetricError>()
    });
    if is_fault { FAULT } else { MISTAKE }
}

/// The error and its causes on one line, those left out that an earlier part already quotes.
pub(super) fn chain(error: &Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_and_faults_differ() {
        let mistake = Error::new(FitError::Graph(DagError::Option {
            key: "graph.pairs.least_effect",
            expected: "at least 0",
            got: -1.0,
        }));
        assert_eq!(code(&mistake.context("f.toml")), MISTAKE);
        let fault = MetricError::Empty { what: "latents", rows: 0, cols: 0 };
        assert_eq!(code(&Error::new(fault)), FAULT);
    }

    #[test]
    fn a_cause_is_told_once() {
        let inner = Error::msg("disk full").context("cannot write a: disk full").context("run b");
        assert_eq!(chain(&inner), "run b: cannot write a: disk full");
    }
}
