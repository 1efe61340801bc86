use std::fmt::Write;

use crate::report::{Curves, Phase};

/// Losses in the long form: `phase,step,term,value`, steps counted from the start of the run.
///
/// ```
/// use domino_experiments::export::long_csv;
/// use domino_experiments::report::Curves;
///
/// let line = r#"{"phase": "variables", "step": 10, "terms": {"total": 2.5}}"#;
/// let csv = long_csv(&Curves::from_jsonl(&format!("{line}\n"))?);
/// assert_eq!(csv, "phase,step,term,value\nvariables,10,total,2.5\n");
/// # Ok::<(), domino_experiments::report::CurvesError>(())
/// ```
pub fn long_csv(curves: &Curves) -> String {
    let mut out = "phase,step,term,value\n".to_owned();
    for series in &curves.series {
        for (step, value) in &series.points {
            let phase = phase_at(curves, *step).map_or("", |phase| phase.name.as_str());
            let _ = writeln!(out, "{phase},{step},{},{value}", series.term);
        }
    }
    out
}

/// The phase that a step belongs to: the last that begins before it.
fn phase_at(curves: &Curves, step: u64) -> Option<&Phase> {
    curves.phases.iter().rev().find(|phase| phase.start < step).or(curves.phases.first())
}
