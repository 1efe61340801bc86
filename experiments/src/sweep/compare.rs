use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::plan::text;
use super::results::{Metric, ResultRow, Results};
use super::stats::{mean_interval, signed_rank};
use crate::report::Better;
use domino::metrics::Interval;

/// Pairs below which even the clearest difference stays above p = 0.05.
const ENOUGH_PAIRS: usize = 6;

/// Two values of a factor, compared on runs that share everything else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The metric.
    pub metric: &'static str,
    /// One value of the factor.
    pub first: String,
    /// The other value.
    pub second: String,
    /// Runs of both that share seed, repeat and all other factors.
    pub pairs: usize,
    /// Pairs in which the first is better.
    pub wins: usize,
    /// Pairs in which the second is better.
    pub losses: usize,
    /// First minus second, mean with its 95 % bootstrap interval.
    pub difference: Interval,
    /// Two-sided p-value of the signed-rank test.
    pub p: f64,
    /// The same, corrected by Holm for the number of comparisons of this metric.
    pub p_corrected: f64,
    /// What a reader must be warned of.
    pub warning: Option<String>,
}

/// Compares every two values of a factor by a metric.
///
/// A failed run counts as worse than any finished one in wins and losses, and is left out of
/// differences and test, with a warning.
///
/// Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of
/// Statistics 6, 1979.
pub fn compare(results: &Results, factor: &str, metric: &Metric) -> Vec<Comparison> {
    let mut values: Vec<String> = Vec::new();
    for row in &results.rows {
        let value = row.line.factors.get(factor).map(text).unwrap_or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let mut all = Vec::new();
    for (at, first) in values.iter().enumerate() {
        for second in &values[at + 1..] {
            all.extend(pair(results, factor, metric, [first, second]));
        }
    }
    correct(&mut all);
    all
}

/// What must agree for two runs to be a pair.
type Key = (BTreeMap<String, String>, u64, usize);

fn by_key<'a>(results: &'a Results, factor: &str, value: &str) -> BTreeMap<Key, &'a ResultRow> {
    let others = |row: &ResultRow| -> BTreeMap<String, String> {
        let all = row.line.factors.iter().filter(|(key, _)| *key != factor);
        all.map(|(key, value): (&String, &Value)| (key.clone(), text(value))).collect()
    };
    let is_its =
        |row: &&ResultRow| row.line.factors.get(factor).map(text).unwrap_or_default() == value;
    let rows = results.rows.iter().filter(is_its);
    rows.map(|row| ((others(row), row.line.seed, row.line.repeat), row)).collect()
}

fn pair(
    results: &Results,
    factor: &str,
    metric: &Metric,
    [first, second]: [&String; 2],
) -> Option<Comparison> {
    let (ours, theirs) = (by_key(results, factor, first), by_key(results, factor, second));
    let value = |row: &ResultRow| row.values.as_ref()?.get(metric.name).copied();
    let (mut wins, mut losses, mut failures) = (0, 0, 0);
    let mut differences = Vec::new();
    for (key, our) in &ours {
        let Some(their) = theirs.get(key) else { continue };
        match (value(our), value(their)) {
            (Some(a), Some(b)) => {
                let gain = if metric.better == Better::Higher { a - b } else { b - a };
                wins += usize::from(gain > 0.0);
                losses += usize::from(gain < 0.0);
                differences.push(a - b);
            }
            (Some(_), None) => (wins, failures) = (wins + 1, failures + 1),
            (None, Some(_)) => (losses, failures) = (losses + 1, failures + 1),
            (None, None) => failures += 1,
        }
    }
    let p = signed_rank(&differences);
    let warning = warning(differences.len(), failures);
    Some(Comparison {
        metric: metric.name,
        first: first.clone(),
        second: second.clone(),
        pairs: differences.len(),
        wins,
        losses,
        difference: mean_interval(&differences)?,
        p,
        p_corrected: p,
        warning,
    })
}

fn warning(pairs: usize, failures: usize) -> Option<String> {
    let few = (pairs < ENOUGH_PAIRS).then(|| {
        let least = 2.0 * 0.5_f64.powf(pairs as f64);
        format!("{pairs} pairs: p cannot fall below {least:.3}, whatever the difference")
    });
    let failed = (failures > 0)
        .then(|| format!("{failures} pairs lack a run and are left out of difference and test"));
    let said: Vec<String> = few.into_iter().chain(failed).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Holm's correction: the k-th smallest of m p-values counts m − k times, and never less than a
/// smaller one.
fn correct(all: &mut [Comparison]) {
    let count = all.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| all[a].p.total_cmp(&all[b].p));
    let mut least = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        least = least.max((all[at].p * (count - rank) as f64).min(1.0));
        all[at].p_corrected = least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::summary::tests::results;

    #[test]
    fn runs_are_compared_seed_by_seed() {
        let results = results(&[
            ("a", 1, Some(0.0)),
            ("a", 2, Some(5.0)),
            ("a", 3, Some(1.0)),
            ("b", 3, Some(2.0)),
            ("b", 1, Some(1.0)),
            ("b", 2, None),
        ]);
        let all = compare(&results, "variant", Metric::named("shd").unwrap());
        let [one] = &all[..] else { panic!("one comparison") };
        // Seeds 1 and 3 by the lower distance, seed 2 by the failure of b.
        assert_eq!((one.pairs, one.wins, one.losses), (2, 3, 0));
        assert!((one.difference.estimate + 1.0).abs() < 1e-12);
        assert!((one.p - 0.5).abs() < 1e-12);
        let warning = one.warning.as_ref().unwrap();
        assert!(warning.contains("p cannot fall below 0.500") && warning.contains("1 pairs lack"));
    }

    #[test]
    fn many_comparisons_are_held_to_a_higher_bar() {
        let p = |p| Comparison {
            metric: "shd",
            first: String::new(),
            second: String::new(),
            pairs: 9,
            wins: 0,
            losses: 0,
            difference: Interval { estimate: 0.0, low: 0.0, high: 0.0, confidence: 0.95 },
            p,
            p_corrected: p,
            warning: None,
        };
        let mut all = [0.04, 0.01, 0.03].map(p);
        correct(&mut all);
        let corrected = all.map(|c| c.p_corrected);
        // 3 · 0.01, 2 · 0.03, and the largest not below that.
        assert!(corrected.iter().zip([0.06, 0.03, 0.06]).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
