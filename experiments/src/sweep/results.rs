use std::collections::BTreeMap;

use domino::core::files::write_bytes;
use serde_json::Value;

use super::folder::{State, SweepError, SweepFolder};
use super::plan::{Line, text};
use crate::export::{Cells, Column, parquet};
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
pub const METRICS: [Metric; 22] = [
    Metric::score("disentanglement", Better::Higher, |r| scores(r)?.disentanglement),
    Metric::score("completeness", Better::Higher, |r| scores(r)?.completeness),
    Metric::score("informativeness_mse", Better::Lower, |r| scores(r)?.informativeness_test),
    Metric::score("mcc", Better::Higher, |r| scores(r)?.mcc),
    Metric::score("mcc_spearman", Better::Higher, |r| scores(r)?.mcc_spearman),
    Metric::score("smallest_correlation", Better::Higher, |r| scores(r)?.smallest_correlation),
    Metric::score("target_accuracy", Better::Higher, |r| scores(r)?.target_accuracy),
    Metric::score("exact_sets", Better::Higher, |r| scores(r)?.exact_sets),
    Metric::score("set_states", Better::Higher, |r| scores(r)?.set_states),
    Metric::score("shd", Better::Lower, |r| scores(r)?.shd),
    Metric::score("edge_precision", Better::Higher, |r| scores(r)?.edge_precision),
    Metric::score("edge_recall", Better::Higher, |r| scores(r)?.edge_recall),
    Metric::score("edge_f1", Better::Higher, |r| scores(r)?.edge_f1),
    Metric::score("trustworthy", Better::Higher, |r| {
        Some(f64::from(u8::from(r.verdict.trustworthy())))
    }),
    Metric::score("sparsity_of_change", Better::Higher, |r| r.verdict.sparsity_of_change),
    Metric::score("unforeseen_change", Better::Lower, |r| r.verdict.unforeseen),
    Metric::score("dependence_of_set_values", Better::Lower, |r| r.verdict.dependence),
    Metric::score("largest_step", Better::Lower, |r| r.verdict.largest_step),
    Metric::score("persistence_of_set_values", Better::Lower, |r| r.verdict.persistence),
    Metric::score("reconstruction_error", Better::Lower, |r| r.verdict.reconstruction),
    Metric::score("reconstruction_psnr", Better::Higher, |r| {
        Some(r.pictures.as_ref()?.reconstruction_psnr)
    }),
    Metric::score("worst_counterfactual_psnr", Better::Higher, |r| r.pictures.as_ref()?.worst()),
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
        let rows = self.long().map(|(row, measured)| self.cells(row, measured));
        std::iter::once(head).chain(rows).map(|cells| csv_line(&cells)).collect()
    }

    /// The same as a Parquet file; the column of a factor whose values are all numbers holds numbers.
    pub fn to_parquet(&self) -> Vec<u8> {
        let rows: Vec<(&ResultRow, Option<Measured>)> = self.long().collect();
        let lines = || rows.iter().map(|(row, _)| &row.line);
        let count = |value: usize| Some(value as u64);
        let mut columns = vec![
            ("run", Cells::Unsigned(lines().map(|line| count(line.index)).collect())),
            ("id", Cells::Text(lines().map(|line| Some(line.id.clone())).collect())),
        ];
        for name in &self.factors {
            let values: Vec<_> = lines().map(|line| line.factors.get(name)).collect();
            columns.push((name, factor_cells(&values)));
        }
        let status = |(row, _): &(&ResultRow, _)| Some(row.status.to_owned());
        let metric = |(_, measured): &(_, Option<Measured>)| Some(measured.as_ref()?.0.to_owned());
        let value = |(_, measured): &(_, Option<Measured>)| Some(measured.as_ref()?.1);
        columns.extend([
            ("seed", Cells::Unsigned(lines().map(|line| Some(line.seed)).collect())),
            ("repeat", Cells::Unsigned(lines().map(|line| count(line.repeat)).collect())),
            ("status", Cells::Text(rows.iter().map(status).collect())),
            ("metric", Cells::Text(rows.iter().map(metric).collect())),
            ("value", Cells::Numbers(rows.iter().map(value).collect())),
        ]);
        let column = |(name, cells): (&str, Cells)| Column { name: name.to_owned(), cells };
        parquet(&columns.into_iter().map(column).collect::<Vec<_>>())
    }

    /// Writes [`Results::to_csv`] to `results.csv` and [`Results::to_parquet`] to
    /// `results.parquet` of the study's folder.
    ///
    /// # Errors
    /// [`SweepError::Write`] if the system refuses.
    pub fn write(&self, folder: &SweepFolder) -> Result<(), SweepError> {
        write_bytes(&folder.path().join("results.csv"), self.to_csv().as_bytes())?;
        Ok(write_bytes(&folder.path().join("results.parquet"), &self.to_parquet())?)
    }

    /// Every run with every metric that it has, or once with none.
    fn long(&self) -> impl Iterator<Item = (&ResultRow, Option<Measured>)> {
        self.rows.iter().flat_map(|row| {
            let of = |m: &Metric| Some((m.name, *row.values.as_ref()?.get(m.name)?));
            let measured: Vec<Measured> = METRICS.iter().filter_map(of).collect();
            let none = measured.is_empty().then_some((row, None));
            none.into_iter().chain(measured.into_iter().map(move |one| (row, Some(one))))
        })
    }

    fn cells(&self, row: &ResultRow, measured: Option<Measured>) -> Vec<String> {
        let line = &row.line;
        let factor = |name: &String| line.factors.get(name).map_or_else(String::new, text);
        let mut cells = vec![line.index.to_string(), line.id.clone()];
        cells.extend(self.factors.iter().map(factor));
        cells.extend([line.seed.to_string(), line.repeat.to_string(), row.status.to_owned()]);
        let (metric, value) = measured.map(|(m, v)| (m, v.to_string())).unwrap_or_default();
        cells.extend([metric.to_owned(), value]);
        cells
    }

    /// Runs without a report, as (line, status).
    pub fn absent(&self) -> Vec<(usize, &'static str)> {
        let absent = |row: &ResultRow| row.values.is_none().then_some((row.line.index, row.status));
        self.rows.iter().filter_map(absent).collect()
    }
}

/// The name of a metric and its value.
type Measured = (&'static str, f64);

/// The values of a factor as whole numbers or numbers where all are, and else as text.
fn factor_cells(values: &[Option<&Value>]) -> Cells {
    fn all<T>(values: &[Option<&Value>], of: fn(&Value) -> Option<T>) -> Option<Vec<Option<T>>> {
        let cell = |value: Option<&Value>| value.map(of).map_or(Some(None), |v| v.map(Some));
        values.iter().copied().map(cell).collect()
    }
    all(values, Value::as_i64)
        .map(Cells::Signed)
        .or_else(|| all(values, Value::as_f64).map(Cells::Numbers))
        .unwrap_or_else(|| Cells::Text(values.iter().map(|value| value.map(text)).collect()))
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
