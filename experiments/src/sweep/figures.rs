use std::collections::BTreeMap;

use serde_json::Value;

use super::plan::text;
use super::results::Metric;
use super::summary::{Group, Spread, Summary};
use crate::report::canvas::{Area, Canvas, Ink, Stroke, TextStyle, fitted, text_width};
use crate::report::figures::axes::{Axis, Law, Panel};
use crate::report::numbers::fixed;
use crate::report::{Better, Figure};

const WIDTH: f64 = 460.0;
const ROW: f64 = 34.0;
const NUMBERS: f64 = 150.0;
const LABEL: f64 = 13.0;
const WIDEST_LABEL: f64 = 300.0;

/// Colours of lines, in order.
const LINES: [Ink; 5] = [Ink::Accent, Ink::Bad, Ink::Turned, Ink::Good, Ink::Muted];

/// The figures of a study, by metric: every seed of every group, then curves over each numeric
/// factor, then mean ranks of the variants.
pub fn study_figures(summary: &Summary, metrics: &[&'static Metric]) -> Vec<Figure> {
    let mut figures: Vec<Figure> =
        metrics.iter().filter_map(|metric| strips(summary, metric)).collect();
    for factor in &summary.factors {
        figures.extend(metrics.iter().filter_map(|metric| scaling(summary, factor, metric)));
    }
    figures.extend(metrics.iter().filter_map(|metric| ranks(summary, metric)));
    figures
}

fn spreads<'a>(summary: &'a Summary, metric: &Metric) -> Vec<(&'a Group, &'a Spread)> {
    let known = |group: &'a Group| Some((group, group.metrics.get(metric.name)?));
    summary.groups.iter().filter_map(known).collect()
}

/// One row per group, one dot per seed, a bar for the mean's interval.
fn strips(summary: &Summary, metric: &'static Metric) -> Option<Figure> {
    let rows = spreads(summary, metric);
    if rows.is_empty() {
        return None;
    }
    let name = |group: &Group| if group.factors.is_empty() { "all".into() } else { group.label() };
    let label = rows.iter().map(|(group, _)| text_width(&name(group), LABEL)).fold(60.0, f64::max);
    let left = label.min(WIDEST_LABEL) + 26.0;
    let values = rows.iter().flat_map(|(_, spread)| spread.values.iter().map(|(_, v)| *v));
    let x = Axis::around(values);
    let height = 12.0 + ROW * rows.len() as f64 + 26.0;
    let mut canvas = Canvas::new(left + WIDTH + NUMBERS, height);
    let y = Axis { low: 0.0, high: 1.0, law: Law::Linear };
    for (n, (group, spread)) in rows.iter().enumerate() {
        let area = Area::new(left, 8.0 + ROW * n as f64, WIDTH, ROW - 8.0);
        let panel = Panel { area, x, y };
        let (_, middle) = panel.place(x.low, 0.5);
        let text = fitted(&name(group), LABEL, WIDEST_LABEL);
        canvas.text((left - 14.0, middle + 4.5), text, TextStyle::new(LABEL, Ink::Text).end());
        canvas.line((left, middle), (left + WIDTH, middle), Stroke::solid(Ink::Faint, 1.0));
        strip(&mut canvas, &panel, spread);
        let said = format!(
            "{} [{}, {}]",
            fixed(spread.mean.estimate, 3),
            fixed(spread.mean.low, 3),
            fixed(spread.mean.high, 3)
        );
        canvas.text((left + WIDTH + 12.0, middle + 4.5), said, TextStyle::new(12.0, Ink::Muted));
        if n + 1 == rows.len() {
            panel.labels_x(&mut canvas, 5);
        }
    }
    let way = metric.better.text();
    let caption = format!(
        "{}, {way}. One dot per run, the worst one hollow and red; the bar is the 95 % bootstrap \
         interval of the mean. Failed runs have no dot: the table counts them.",
        metric.name
    );
    Some(Figure { name: metric.name, title: metric.name, caption, canvas })
}

fn strip(canvas: &mut Canvas, panel: &Panel, spread: &Spread) {
    let (low, middle) = panel.place(spread.mean.low, 0.5);
    let (high, _) = panel.place(spread.mean.high, 0.5);
    canvas.rect(Area::new(low, middle - 8.0, (high - low).max(1.5), 16.0), Ink::Faint);
    let (mean, _) = panel.place(spread.mean.estimate, 0.5);
    canvas.line((mean, middle - 10.0), (mean, middle + 10.0), Stroke::solid(Ink::Text, 2.0));
    for (n, &(seed, value)) in spread.values.iter().enumerate() {
        // Runs take turns above, on and below the line, so that equal values stay visible.
        let (x, y) = panel.place(value, 0.5 + 0.22 * (n % 3) as f64 - 0.22);
        let is_worst = seed == spread.worst_seed && spread.values.len() > 1;
        let ink = if is_worst { Ink::Bad } else { Ink::Accent };
        canvas.disc((x, y), 3.6, if is_worst { Ink::Paper } else { ink });
        canvas.hover(format!("seed {seed}: {}", fixed(value, 4)));
        canvas.ring((x, y), 3.6, Stroke::solid(ink, 1.2));
    }
}

/// The metric over a numeric factor, one line for each combination of the others.
fn scaling(summary: &Summary, factor: &str, metric: &'static Metric) -> Option<Figure> {
    let mut lines: BTreeMap<String, Vec<(f64, &Spread)>> = BTreeMap::new();
    for (group, spread) in spreads(summary, metric) {
        let at = group.factors.get(factor).and_then(Value::as_f64)?;
        let mut others = group.clone();
        others.factors.remove(factor);
        lines.entry(others.label()).or_default().push((at, spread));
    }
    let places: Vec<f64> = lines.values().flatten().map(|(at, _)| *at).collect();
    let distinct = places.iter().any(|at| (at - places[0]).abs() > 0.0);
    if !distinct || lines.len() > LINES.len() {
        return None;
    }
    let ends = lines.values().flatten().flat_map(|(_, s)| [s.mean.low, s.mean.high, s.worst]);
    let (left, legend) = (64.0, 18.0 * lines.len() as f64);
    let mut canvas = Canvas::new(left + WIDTH + 20.0, 270.0 + legend);
    let area = Area::new(left, legend + 14.0, WIDTH, 200.0);
    let panel = Panel { area, x: Axis::suited(&places), y: Axis::around(ends) };
    panel.grid_y(&mut canvas, 5);
    panel.labels_x(&mut canvas, 6);
    panel.frame(&mut canvas);
    let (middle, _) = area.centre();
    let axis = TextStyle::new(12.0, Ink::Muted).middle();
    canvas.text((middle, area.bottom() + 36.0), factor, axis);
    for (n, (label, points)) in lines.iter_mut().enumerate() {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        curve(&mut canvas, &panel, points, LINES[n]);
        let at = 14.0 + 18.0 * n as f64;
        canvas.line((left, at - 4.0), (left + 22.0, at - 4.0), Stroke::solid(LINES[n], 2.0));
        let name = if label.is_empty() { metric.name } else { label };
        canvas.text((left + 30.0, at), name, TextStyle::new(12.0, Ink::Text));
    }
    let caption = format!(
        "{} over {factor}: mean with its 95 % bootstrap interval, and the worst seed as a dashed \
         line.",
        metric.name
    );
    Some(Figure { name: metric.name, title: metric.name, caption, canvas })
}

fn curve(canvas: &mut Canvas, panel: &Panel, points: &[(f64, &Spread)], ink: Ink) {
    let line = |of: fn(&Spread) -> f64| points.iter().map(|(x, s)| (*x, of(s))).collect::<Vec<_>>();
    panel.curve(canvas, &line(|s| s.worst), Stroke::dashed(ink, 1.0));
    panel.curve(canvas, &line(|s| s.mean.estimate), Stroke::solid(ink, 2.0));
    for (x, spread) in points {
        let (from, to) = (panel.place(*x, spread.mean.low), panel.place(*x, spread.mean.high));
        canvas.line(from, to, Stroke::solid(ink, 1.2));
        canvas.disc(panel.place(*x, spread.mean.estimate), 3.2, ink);
        canvas.hover(format!("{}: {}", fixed(*x, 0), fixed(spread.mean.estimate, 4)));
    }
}

/// Mean rank of every variant among the others, over all that they share.
fn ranks(summary: &Summary, metric: &'static Metric) -> Option<Figure> {
    let mean = mean_ranks(summary, metric);
    if mean.len() < 2 {
        return None;
    }
    let left = mean.iter().map(|(name, _)| text_width(name, LABEL)).fold(60.0, f64::max) + 26.0;
    let mut canvas = Canvas::new(left + WIDTH + 60.0, 12.0 + ROW * mean.len() as f64 + 26.0);
    let x = Axis { low: 1.0, high: mean.len() as f64, law: Law::Linear };
    let y = Axis { low: 0.0, high: 1.0, law: Law::Linear };
    for (n, (name, rank)) in mean.iter().enumerate() {
        let area = Area::new(left, 8.0 + ROW * n as f64, WIDTH, ROW - 8.0);
        let panel = Panel { area, x, y };
        let (place, middle) = panel.place(*rank, 0.5);
        canvas.text(
            (left - 14.0, middle + 4.5),
            name.as_str(),
            TextStyle::new(LABEL, Ink::Text).end(),
        );
        canvas.line((left, middle), (left + WIDTH, middle), Stroke::solid(Ink::Faint, 1.0));
        canvas.disc((place, middle), 6.0, Ink::Accent);
        canvas.text(
            (left + WIDTH + 12.0, middle + 4.5),
            fixed(*rank, 2),
            TextStyle::new(12.0, Ink::Muted),
        );
        if n + 1 == mean.len() {
            panel.labels_x(&mut canvas, mean.len());
        }
    }
    let caption = format!(
        "Mean rank by {}: 1 is the best of {}. Variants are ranked on every seed that all of them \
         share; equal values share their rank, and a failed run is last.",
        metric.name,
        mean.len()
    );
    Some(Figure { name: metric.name, title: metric.name, caption, canvas })
}

/// Variants with their mean ranks, the best first.
pub(super) fn mean_ranks(summary: &Summary, metric: &Metric) -> Vec<(String, f64)> {
    // By everything but the variant, then by variant: its value, or the worst there is.
    let mut blocks: BTreeMap<(String, u64), BTreeMap<String, f64>> = BTreeMap::new();
    for group in &summary.groups {
        let Some(variant) = group.factors.get("variant").map(text) else { return Vec::new() };
        let mut others: BTreeMap<&String, &Value> = group.factors.iter().collect();
        others.remove(&"variant".to_owned());
        let key = format!("{others:?}");
        let gone = group.failed.iter().map(|seed| (*seed, f64::INFINITY));
        let there = group.metrics.get(metric.name).into_iter().flat_map(|s| s.values.iter());
        let badness = |value: f64| if metric.better == Better::Higher { -value } else { value };
        for (seed, bad) in there.map(|(seed, v)| (*seed, badness(*v))).chain(gone) {
            blocks.entry((key.clone(), seed)).or_default().insert(variant.clone(), bad);
        }
    }
    let most = blocks.values().map(BTreeMap::len).max().unwrap_or(0);
    let mut sums: BTreeMap<String, (f64, usize)> = BTreeMap::new();
    for block in blocks.values().filter(|block| block.len() == most && most > 1) {
        for (variant, bad) in block {
            let better = block.values().filter(|other| *other < bad).count() as f64;
            let equal = block.values().filter(|other| *other <= bad).count() as f64 - better;
            let (sum, count) = sums.entry(variant.clone()).or_default();
            *sum += better + 0.5 * (equal + 1.0);
            *count += 1;
        }
    }
    let mut mean: Vec<_> =
        sums.into_iter().map(|(name, (sum, n))| (name, sum / n as f64)).collect();
    mean.sort_by(|a, b| a.1.total_cmp(&b.1));
    mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::summarise;
    use crate::sweep::summary::tests::results;

    #[test]
    fn failed_runs_rank_last_and_equals_share() {
        let summary = summarise(&results(&[
            ("a", 1, Some(0.0)),
            ("b", 1, Some(0.0)),
            ("a", 2, Some(9.0)),
            ("b", 2, None),
        ]));
        let ranks = mean_ranks(&summary, Metric::named("shd").unwrap());
        assert_eq!(ranks, [("a".to_owned(), 1.25), ("b".to_owned(), 1.75)]);
    }
}
