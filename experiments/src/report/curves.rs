use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Loss terms over the steps of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// The training phases in order.
    pub phases: Vec<Phase>,
    /// One curve per loss term, in order of first appearance.
    pub series: Vec<Series>,
}

/// One training phase; steps count from the start of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Step at which it starts.
    pub start: u64,
    /// Last step that was logged.
    pub end: u64,
}

/// One loss term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Name of the term.
    pub term: String,
    /// (step since the start of the run, value); a value that is no number is left out.
    pub points: Vec<(u64, f64)>,
}

/// A line of `metrics.jsonl` that cannot be read.
#[derive(Debug, Error)]
#[error("line {line}: expected {{\"phase\", \"step\", \"terms\"}}: {source}")]
pub struct CurvesError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What serde says.
    pub source: serde_json::Error,
}

/// One line of `metrics.jsonl`.
#[derive(Deserialize)]
struct Line {
    phase: String,
    step: u64,
    terms: serde_json::Map<String, serde_json::Value>,
}

impl Curves {
    /// Reads `metrics.jsonl`: lines `{"phase": "variables", "step": 100, "terms": {"total": 1.2}}`.
    ///
    /// Steps count within a phase. A resumed run repeats the steps since its last checkpoint: the
    /// last line of a step wins. A last line without a line break is what a killed run leaves, and
    /// is skipped if it is incomplete.
    ///
    /// # Errors
    /// [`CurvesError`] for any other line that is not of that form.
    ///
    /// ```
    /// use domino_experiments::report::Curves;
    ///
    /// let lines = r#"{"phase": "a", "step": 10, "terms": {"total": 2.0}}
    /// {"phase": "b", "step": 5, "terms": {"total": 1.0}}
    /// {"phase": "b", "st"#;
    /// let curves = Curves::from_jsonl(lines)?;
    /// assert_eq!(curves.series[0].points, [(10, 2.0), (15, 1.0)]);
    /// # Ok::<(), domino_experiments::report::CurvesError>(())
    /// ```
    pub fn from_jsonl(text: &str) -> Result<Self, CurvesError> {
        let mut steps = Steps::default();
        for (n, line) in text.split_inclusive('\n').enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str(line) {
                Ok(line) => steps.insert(line),
                Err(_) if !line.ends_with('\n') => {}
                Err(source) => return Err(CurvesError { line: n + 1, source }),
            }
        }
        Ok(steps.curves())
    }
}

/// Log lines sorted by phase and step.
#[derive(Default)]
struct Steps {
    phases: Vec<String>,
    terms: Vec<String>,
    /// Values by (phase, step) and term.
    values: BTreeMap<(usize, u64), BTreeMap<usize, f64>>,
}

impl Steps {
    fn insert(&mut self, line: Line) {
        let phase = position(&mut self.phases, &line.phase);
        let terms = line.terms.iter().filter_map(|(term, value)| {
            let value = value.as_f64().filter(|value| value.is_finite())?;
            Some((position(&mut self.terms, term), value))
        });
        let terms = terms.collect();
        self.values.insert((phase, line.step), terms);
    }

    fn curves(self) -> Curves {
        let mut series: Vec<Series> =
            self.terms.into_iter().map(|term| Series { term, points: Vec::new() }).collect();
        let mut phases: Vec<Phase> = Vec::new();
        for ((phase, step), terms) in self.values {
            if phases.len() == phase {
                let start = phases.last().map_or(0, |previous| previous.end);
                phases.push(Phase { name: self.phases[phase].clone(), start, end: start });
            }
            let step = phases[phase].start + step;
            phases[phase].end = step;
            for (term, value) in terms {
                series[term].points.push((step, value));
            }
        }
        Curves { phases, series }
    }
}

/// The place of a name in the list, at its end if it is new.
fn position(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(phase: &str, step: u64, total: f64) -> String {
        format!("{{\"phase\": \"{phase}\", \"step\": {step}, \"terms\": {{\"total\": {total}}}}}\n")
    }

    #[test]
    fn phases_follow_each_other() -> Result<(), CurvesError> {
        let text =
            line("variables", 0, 4.0) + &line("variables", 100, 3.0) + &line("graph", 50, 1.0);
        let curves = Curves::from_jsonl(&text)?;
        let ends: Vec<_> =
            curves.phases.iter().map(|p| (p.name.as_str(), p.start, p.end)).collect();
        assert_eq!(ends, [("variables", 0, 100), ("graph", 100, 150)]);
        assert_eq!(curves.series[0].points, [(0, 4.0), (100, 3.0), (150, 1.0)]);
        Ok(())
    }

    #[test]
    fn a_resumed_run_overwrites_the_steps_it_repeats() -> Result<(), CurvesError> {
        let text = line("a", 10, 4.0) + &line("a", 20, 9.0) + &line("a", 20, 2.0);
        assert_eq!(Curves::from_jsonl(&text)?.series[0].points, [(10, 4.0), (20, 2.0)]);
        Ok(())
    }

    #[test]
    fn only_the_last_line_may_be_cut_off() -> Result<(), CurvesError> {
        let cut = &line("a", 20, 1.0)[..12];
        let text = line("a", 10, 4.0) + cut;
        assert_eq!(Curves::from_jsonl(&text)?.series[0].points, [(10, 4.0)]);
        let error = Curves::from_jsonl(&format!("{cut}\n{}", line("a", 10, 4.0))).unwrap_err();
        assert_eq!(error.line, 1);
        Ok(())
    }

    #[test]
    fn a_value_that_is_no_number_leaves_a_gap() -> Result<(), CurvesError> {
        let text =
            line("a", 1, 4.0) + &line("a", 2, 4.0).replace("4}", "null}") + &line("a", 3, 2.0);
        assert_eq!(Curves::from_jsonl(&text)?.series[0].points, [(1, 4.0), (3, 2.0)]);
        Ok(())
    }

    #[test]
    fn no_line_means_no_curve() {
        assert_eq!(Curves::from_jsonl("").unwrap(), Curves::default());
    }
}
