use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::plan::text;
use super::results::{METRICS, Metric, ResultRow, Results};
use super::stats::mean_interval;
use crate::report::Better;
use crate::report::figures::median;
use domino::metrics::Interval;

/// All metrics of all groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Name of the study.
    pub name: String,
    /// Names of what varies, besides seed and repeat.
    pub factors: Vec<String>,
    /// Runs that share their factors, in the order of the plan.
    pub groups: Vec<Group>,
}

/// Runs that differ in their seed and repeat alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// What they share.
    pub factors: BTreeMap<String, Value>,
    /// How many there should be.
    pub runs: usize,
    /// Seeds whose run failed.
    pub failed: Vec<u64>,
    /// Seeds whose run is not there.
    pub missing: Vec<u64>,
    /// Metrics by name, those that no run has left out.
    pub metrics: BTreeMap<&'static str, Spread>,
}

/// One metric over the runs of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Mean with its 95 % bootstrap interval.
    pub mean: Interval,
    /// Median.
    pub median: f64,
    /// The worst value.
    pub worst: f64,
    /// The seed that has it.
    pub worst_seed: u64,
    /// Values with their seeds, in the order of the plan.
    pub values: Vec<(u64, f64)>,
}

impl Group {
    /// The factors in words; empty where nothing varies.
    pub fn label(&self) -> String {
        // The name of a method needs no key beside it.
        let part = |(key, value): (&String, &Value)| match key.as_str() {
            "variant" => text(value),
            _ => format!("{} = {}", key.rsplit('.').next().unwrap_or(key), text(value)),
        };
        let mut parts: Vec<(bool, String)> =
            self.factors.iter().map(|pair| (pair.0 != "variant", part(pair))).collect();
        parts.sort_by_key(|(later, _)| *later);
        parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(", ")
    }
}

/// Mean, median, worst seed and failures of every metric, by group.
pub fn summarise(results: &Results) -> Summary {
    let mut groups: Vec<Group> = Vec::new();
    let mut rows: Vec<Vec<&ResultRow>> = Vec::new();
    for row in &results.rows {
        let known = groups.iter().position(|group| group.factors == row.line.factors);
        let at = known.unwrap_or_else(|| {
            groups.push(Group::new(row));
            rows.push(Vec::new());
            groups.len() - 1
        });
        rows[at].push(row);
    }
    for (group, rows) in groups.iter_mut().zip(&rows) {
        group.fill(rows);
    }
    Summary { name: results.name.clone(), factors: results.factors.clone(), groups }
}

impl Group {
    fn new(row: &ResultRow) -> Self {
        Self {
            factors: row.line.factors.clone(),
            runs: 0,
            failed: Vec::new(),
            missing: Vec::new(),
            metrics: BTreeMap::new(),
        }
    }

    fn fill(&mut self, rows: &[&ResultRow]) {
        self.runs = rows.len();
        for row in rows {
            match row.status {
                "failed" => self.failed.push(row.line.seed),
                "missing" => self.missing.push(row.line.seed),
                _ => {}
            }
        }
        for metric in &METRICS {
            if let Some(spread) = Spread::of(metric, rows) {
                self.metrics.insert(metric.name, spread);
            }
        }
    }
}

impl Spread {
    fn of(metric: &Metric, rows: &[&ResultRow]) -> Option<Self> {
        let value =
            |row: &&ResultRow| Some((row.line.seed, *row.values.as_ref()?.get(metric.name)?));
        let values: Vec<(u64, f64)> = rows.iter().filter_map(value).collect();
        let mut plain: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        let mean = mean_interval(&plain)?;
        plain.sort_by(f64::total_cmp);
        let badness = |value: f64| match metric.better {
            Better::Higher => -value,
            Better::Lower => value,
        };
        let worst = values
            .iter()
            .copied()
            .reduce(|worst, next| if badness(next.1) > badness(worst.1) { next } else { worst });
        let (worst_seed, worst) = worst?;
        Some(Self { mean, median: median(&plain), worst, worst_seed, values })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::sweep::Line;

    /// Results of two variants; a value that is not there is a failed run.
    pub(in crate::sweep) fn results(values: &[(&str, u64, Option<f64>)]) -> Results {
        let row = |(index, &(variant, seed, shd)): (usize, &(&str, u64, Option<f64>))| {
            let factors = BTreeMap::from([("variant".to_owned(), Value::from(variant))]);
            let (id, config) = (format!("id{index}"), String::new());
            let line = Line { index, id, factors, seed, repeat: 0, config };
            let values = shd.map(|v| BTreeMap::from([("shd", v), ("mcc", 1.0 - v / 10.0)]));
            let status = if values.is_some() { "finished" } else { "failed" };
            ResultRow { line, values, status }
        };
        Results {
            name: "study".to_owned(),
            factors: vec!["variant".to_owned()],
            rows: values.iter().enumerate().map(row).collect(),
        }
    }

    #[test]
    fn groups_name_their_worst_seed_and_their_failures() {
        let summary = summarise(&results(&[
            ("a", 1, Some(0.0)),
            ("b", 1, None),
            ("a", 2, Some(3.0)),
            ("b", 2, Some(1.0)),
        ]));
        let [a, b] = &summary.groups[..] else { panic!("two groups") };
        assert_eq!((a.label(), a.runs, b.failed.clone()), ("a".to_owned(), 2, vec![1]));
        let (shd, mcc) = (&a.metrics["shd"], &a.metrics["mcc"]);
        assert_eq!((shd.worst_seed, mcc.worst_seed), (2, 2));
        assert!((shd.mean.estimate - 1.5).abs() < 1e-12 && (shd.median - 1.5).abs() < 1e-12);
        assert!((shd.worst - 3.0).abs() < 1e-12 && (mcc.worst - 0.7).abs() < 1e-12);
        assert_eq!(b.metrics["shd"].values.len(), 1);
    }
}
