use std::collections::BTreeMap;

use domino::core::files::write_bytes;

use super::folder::{State, SweepError, SweepFolder};
use super::plan::{Line, text};
use crate::report::{Better, Report, Scores};

/// A number that is collected from every run.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in tables.
    pub name: &'static str,
    /// Which way it improves.
    pub better: Better,
    value: fn(&Report) -> Option<f64>,
}

/// All metrics, in the order of tables.
pub const METRICS: [Metric; 14] = [
    Metric::score("disentanglement", Better::Higher, |r| scores(r)?.disentanglement),
    Metric::score("completeness", Better::Higher, |r| scores(r)?.completeness),
    Metric::score("informativeness_mse", Better::Lower, |r| scores(r)?.informativeness_test),
    Metric::score("mcc", Better::Higher, |r| scores(r)?.mcc),
    Metric::score("mcc_spearman", Better::Higher, |r| scores(r)?.mcc_spearman),
    Metric::score("smallest_correlation", Better::Higher, |r| scores(r)?.smallest_correlation),
    Metric::score("target_accuracy", Better::Higher, |r| scores(r)?.target_accuracy),
    Metric::score("shd", Better::Lower, |r| scores(r)?.shd),
    Metric::score("edge_precision", Better::Higher, |r| scores(r)?.edge_precision),
    Metric::score("edge_recall", Better::Higher, |r| scores(r)?.edge_recall),
    Metric::score("edge_f1", Better::Higher, |r| scores(r)?.edge_f1),
    Metric::score("trustworthy", Better::Higher, |r| {
        Some(f64::from(u8::from(r.verdict.trustworthy)))
    }),
    Metric::score("sparsity_of_change", Better::Higher, |r| r.verdict.sparsity_of_change),
    Metric::score("reconstruction_error", Better::Lower, |r| r.verdict.reconstruction),
];

impl Metric {
    const fn score(name: &'static str, better: Better, value: fn(&Report) -> Option<f64>) -> Self {
        Self { name, better, value }
    }

    /// The metric of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.name == name)
    }
}

fn scores(report: &Report) -> Option<&Scores> {
    report.scores.as_ref()
}

/// One run as it is collected.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultRow {
    /// The line of the plan.
    pub line: Line,
    /// Its metrics by name; nothing where the run has no report.
    pub values: Option<BTreeMap<&'static str, f64>>,
    /// `finished`, `failed` or `missing`.
    pub status: &'static str,
}

/// What the runs of a study found.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// Name of the study.
    pub name: String,
    /// Names of what varies, besides seed and repeat.
    pub factors: Vec<String>,
    /// One row per line of the plan, in its order.
    pub rows: Vec<ResultRow>,
}

impl Results {
    /// Reads what every run has reported.
    ///
    /// # Errors
    /// [`SweepError`] if a report is unreadable.
    pub fn collect(folder: &SweepFolder) -> Result<Self, SweepError> {
        let plan = folder.runs();
        let row = |line: &Line| {
            let status = match folder.state(line)? {
                State::Finished => "finished",
                State::Failed(_) => "failed",
                State::Running | State::Stopped | State::Pending => "missing",
            };
            let values = match status {
                "finished" => Some(values(&folder.run(line).report()?)),
                _ => None,
            };
            Ok(ResultRow { line: line.clone(), values, status })
        };
        let rows = plan.lines.iter().map(row).collect::<Result<_, SweepError>>()?;
        Ok(Self { name: plan.name.clone(), factors: plan.factors(), rows })
    }

    /// The long form as CSV: one line per run and metric, with `status` alone for a run without
    /// a report. Nothing in it depends on when, where and by how many workers the runs were done.
    pub fn to_csv(&self) -> String {
        let mut head = vec!["run".to_owned(), "id".to_owned()];
        head.extend(self.factors.iter().cloned());
        head.extend(["seed", "repeat", "status", "metric", "value"].map(str::to_owned));
        let mut lines = vec![head];
        for row in &self.rows {
            let none = BTreeMap::new();
            let values = row.values.as_ref().unwrap_or(&none);
            let known = METRICS.iter().filter_map(|m| Some((m.name, values.get(m.name)?)));
            let cells = |metric: &str, value: String| self.cells(row, metric, value);
            let before = lines.len();
            lines.extend(known.map(|(name, value)| cells(name, value.to_string())));
            if lines.len() == before {
                lines.push(cells("", String::new()));
            }
        }
        lines.iter().map(|cells| csv_line(cells)).collect()
    }

    /// Writes [`Results::to_csv`] to `results.csv` of the study's folder.
    ///
    /// # Errors
    /// [`SweepError::Write`] if the system refuses.
    pub fn write_csv(&self, folder: &SweepFolder) -> Result<(), SweepError> {
        Ok(write_bytes(&folder.path().join("results.csv"), self.to_csv().as_bytes())?)
    }

    fn cells(&self, row: &ResultRow, metric: &str, value: String) -> Vec<String> {
        let line = &row.line;
        let factor = |name: &String| line.factors.get(name).map_or_else(String::new, text);
        let mut cells = vec![line.index.to_string(), line.id.clone()];
        cells.extend(self.factors.iter().map(factor));
        cells.extend([line.seed.to_string(), line.repeat.to_string(), row.status.to_owned()]);
        cells.extend([metric.to_owned(), value]);
        cells
    }

    /// Runs without a report, as (line, status).
    pub fn absent(&self) -> Vec<(usize, &'static str)> {
        let absent = |row: &ResultRow| row.values.is_none().then_some((row.line.index, row.status));
        self.rows.iter().filter_map(absent).collect()
    }
}

/// Metrics of a report that are finite numbers.
fn values(report: &Report) -> BTreeMap<&'static str, f64> {
    let known = METRICS.iter().filter_map(|m| Some((m.name, (m.value)(report)?)));
    known.filter(|(_, value)| value.is_finite()).collect()
}

/// Cells as RFC 4180 has them.
pub(super) fn csv_line(cells: &[String]) -> String {
    let quoted = |cell: &String| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_survive_commas_and_quotes() {
        let cells = ["a", "b,c", "say \"x\""].map(str::to_owned);
        assert_eq!(csv_line(&cells), "a,\"b,c\",\"say \"\"x\"\"\"\n");
    }

    #[test]
    fn names_of_metrics_are_their_own() {
        let mut names: Vec<_> = METRICS.iter().map(|m| m.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METRICS.len());
        assert_eq!(Metric::named("shd").map(|m| m.better), Some(Better::Lower));
    }
}
