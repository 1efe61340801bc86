use super::Figure;
use super::axes::{Axis, Law, Panel};
use crate::report::Report;
use crate::report::canvas::{Area, Canvas, Ink, Stroke, TextStyle};
use crate::report::numbers::fixed;
use crate::report::scores::{Better, SCORES, ScoreKind};

const LEFT: f64 = 170.0;
const WIDTH: f64 = 440.0;
const ROW: f64 = 46.0;
const DOT: f64 = 4.5;

/// One run's value of a score.
struct Dot {
    value: f64,
    seed: u64,
    trustworthy: bool,
}

/// Every score of several runs on a line, one dot per run.
pub(in crate::report) fn score_strips(reports: &[&Report]) -> Option<Figure> {
    let rows: Vec<_> = SCORES
        .iter()
        .map(|kind| (kind, dots(reports, kind)))
        .filter(|(_, dots)| !dots.is_empty())
        .collect();
    if rows.is_empty() {
        return None;
    }
    let shares = rows.iter().filter(|(kind, _)| is_share(kind)).flat_map(|(_, dots)| dots);
    let lowest = shares.map(|dot| dot.value).fold(1.0, f64::min);
    let low = ((lowest * 10.0 - 1e-9).floor() / 10.0).min(0.8);
    let mut canvas = Canvas::new(LEFT + WIDTH + 190.0, 16.0 + ROW * rows.len() as f64);
    for (n, (kind, dots)) in rows.iter().enumerate() {
        let axis = if is_share(kind) {
            Axis { low, high: 1.0, law: Law::Linear }
        } else {
            let high = dots.iter().map(|dot| dot.value).fold(0.0, f64::max);
            Axis { low: 0.0, high: if high > 0.0 { high } else { 1.0 }, law: Law::Linear }
        };
        strip(&mut canvas, 8.0 + ROW * n as f64, (kind, dots), axis);
    }
    let caption = "One dot per run; the tall mark is the median. Filled: the label-free verdict \
                   trusts the run. Hollow and red: it does not. Scores that lie between 0 and 1 \
                   share one axis.";
    let (name, title) = ("scores", "Scores of all runs");
    Some(Figure { name, title, caption: caption.to_owned(), canvas })
}

fn is_share(kind: &ScoreKind) -> bool {
    kind.better == Better::Higher
}

fn dots(reports: &[&Report], kind: &ScoreKind) -> Vec<Dot> {
    let dot = |report: &&Report| {
        let value = (kind.value)(report.scores.as_ref()?).filter(|value| value.is_finite())?;
        Some(Dot { value, seed: report.seed, trustworthy: report.verdict.trustworthy() })
    };
    reports.iter().filter_map(dot).collect()
}

fn strip(canvas: &mut Canvas, top: f64, (kind, dots): (&ScoreKind, &[Dot]), x: Axis) {
    let y = Axis { low: 0.0, high: 1.0, law: Law::Linear };
    let panel = Panel { area: Area::new(LEFT, top, WIDTH, ROW - 20.0), x, y };
    let (start, middle) = panel.place(x.low, 0.5);
    let label = TextStyle::new(13.0, Ink::Text);
    canvas.text((LEFT - 16.0, middle + 4.5), kind.label, label.end());
    canvas.line((start, middle), (LEFT + WIDTH, middle), Stroke::solid(Ink::Faint, 1.0));
    panel.labels_x(canvas, 5);
    let values = sorted(dots);
    let (median_x, _) = panel.place(median(&values), 0.0);
    let median_mark = Stroke::solid(Ink::Muted, 2.0);
    canvas.line((median_x, top + 1.0), (median_x, panel.area.bottom() - 1.0), median_mark);
    for (n, dot) in dots.iter().enumerate() {
        // Runs take turns above, on and below the line, so that equal values stay visible.
        let (x, y) = panel.place(dot.value, 0.5 + 0.22 * (n % 3) as f64 - 0.22);
        let ink = if dot.trustworthy { Ink::Accent } else { Ink::Bad };
        canvas.disc((x, y), DOT, if dot.trustworthy { ink } else { Ink::Paper });
        canvas.hover(format!("seed {}: {}", dot.seed, fixed(dot.value, kind.decimals)));
        canvas.ring((x, y), DOT, Stroke::solid(ink, 1.2));
    }
    let text = summary(&values, kind.decimals.min(3));
    canvas.text((LEFT + WIDTH + 16.0, middle + 4.5), text, TextStyle::new(12.0, Ink::Muted));
}

fn sorted(dots: &[Dot]) -> Vec<f64> {
    let mut values: Vec<f64> = dots.iter().map(|dot| dot.value).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Median of sorted values.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

/// Median and range of sorted values.
pub(in crate::report) fn summary(sorted: &[f64], decimals: usize) -> String {
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return String::new() };
    let median = median(sorted);
    let halves = decimals == 0 && median.fract() > 0.0;
    let median = fixed(median, if halves { 1 } else { decimals });
    format!("{median} ({} to {})", fixed(low, decimals), fixed(high, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert!((median(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < 1e-12);
        assert!((median(&[1.0, 2.0, 9.0]) - 2.0).abs() < 1e-12);
        assert_eq!(summary(&[0.0, 3.0], 0), "1.5 (0 to 3)");
    }
}
