use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::assignments;
use super::results::Metric;
use super::summary::{Group, Spread, Summary};

/// A published table: what its study found, and how far another run of it may be off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Name of the study, as in its sweep file.
    pub study: String,
    /// Where the numbers come from.
    pub provenance: Provenance,
    /// The numbers.
    pub checks: Vec<Check>,
}

/// Where published numbers come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Revision of the source.
    pub revision: String,
    /// Versions of what the numbers depend on, as (name, version).
    pub versions: Vec<(String, String)>,
    /// The command that made them.
    pub command: String,
}

/// One number of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The group of runs, by all its factors.
    pub factors: BTreeMap<String, Value>,
    /// The metric.
    pub metric: String,
    /// What is taken of it.
    pub statistic: Statistic,
    /// Its published value.
    pub value: f64,
    /// Largest difference that still counts as the same.
    pub tolerance: f64,
}

/// A number taken of a metric over the runs of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Mean.
    Mean,
    /// Median.
    Median,
    /// Worst value.
    Worst,
    /// Runs without a result.
    Lost,
}

/// A check with what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked<'a> {
    /// The check.
    pub check: &'a Check,
    /// What was found; nothing if there is no such group or number.
    pub found: Option<f64>,
}

impl Checked<'_> {
    /// Whether the number was found within its tolerance.
    pub fn holds(&self) -> bool {
        self.found.is_some_and(|found| (found - self.check.value).abs() <= self.check.tolerance)
    }
}

impl Expected {
    /// What a study found, to be expected of another run of it: mean, median and worst value of
    /// each metric within `tolerance`, as many lost runs.
    pub fn of(
        summary: &Summary,
        metrics: &[&Metric],
        tolerance: f64,
        provenance: Provenance,
    ) -> Self {
        let mut checks = Vec::new();
        for group in &summary.groups {
            let check = |metric: &str, statistic, value, tolerance| Check {
                factors: group.factors.clone(),
                metric: metric.to_owned(),
                statistic,
                value,
                tolerance,
            };
            checks.push(check("", Statistic::Lost, lost(group), 0.0));
            for metric in metrics {
                let Some(spread) = group.metrics.get(metric.name) else { continue };
                for statistic in [Statistic::Mean, Statistic::Median, Statistic::Worst] {
                    let value = statistic_of(statistic, spread);
                    checks.push(check(metric.name, statistic, value, tolerance));
                }
            }
        }
        Self { study: summary.name.clone(), provenance, checks }
    }

    /// Every check with what a study found.
    pub fn check<'a>(&'a self, summary: &Summary) -> Vec<Checked<'a>> {
        let found = |check: &Check| {
            let group = summary.groups.iter().find(|group| group.factors == check.factors)?;
            match check.statistic {
                Statistic::Lost => Some(lost(group)),
                of => Some(statistic_of(of, group.metrics.get(check.metric.as_str())?)),
            }
        };
        self.checks.iter().map(|check| Checked { check, found: found(check) }).collect()
    }
}

impl Check {
    /// What is checked, in words.
    pub fn label(&self) -> String {
        let what = match self.statistic {
            Statistic::Mean => format!("mean {}", self.metric),
            Statistic::Median => format!("median {}", self.metric),
            Statistic::Worst => format!("worst {}", self.metric),
            Statistic::Lost => "lost runs".to_owned(),
        };
        format!("{} {what}", assignments(&self.factors)).trim_start().to_owned()
    }
}

fn lost(group: &Group) -> f64 {
    (group.failed.len() + group.missing.len()) as f64
}

fn statistic_of(statistic: Statistic, spread: &Spread) -> f64 {
    match statistic {
        Statistic::Mean | Statistic::Lost => spread.mean.estimate,
        Statistic::Median => spread.median,
        Statistic::Worst => spread.worst,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::summarise;
    use crate::sweep::summary::tests::results;

    #[test]
    fn a_study_meets_its_own_expectations_and_a_worse_one_does_not() {
        let good = summarise(&results(&[("a", 1, Some(0.0)), ("a", 2, Some(1.0))]));
        let provenance =
            Provenance { revision: String::new(), versions: vec![], command: String::new() };
        let shd = Metric::named("shd").unwrap();
        let expected = Expected::of(&good, &[shd], 0.1, provenance);
        assert!(expected.check(&good).iter().all(Checked::holds));

        let worse = summarise(&results(&[("a", 1, Some(0.0)), ("a", 2, Some(2.0))]));
        let missed: Vec<String> = expected
            .check(&worse)
            .iter()
            .filter(|checked| !checked.holds())
            .map(|checked| checked.check.label())
            .collect();
        assert_eq!(missed, ["variant=a mean shd", "variant=a median shd", "variant=a worst shd"]);
        let failed = summarise(&results(&[("a", 1, Some(0.0)), ("a", 2, None)]));
        assert!(!expected.check(&failed)[0].holds());
        let other = summarise(&results(&[("b", 1, Some(0.0))]));
        assert!(expected.check(&other).iter().all(|checked| checked.found.is_none()));
    }
}
