use super::Figure;
use super::nodes::Nodes;
use crate::report::Report;
use crate::report::canvas::{Area, Canvas, Ink, Stroke, TextStyle, fitted, text_width};
use crate::report::numbers::percent;

const LABEL: f64 = 12.0;
const LABEL_ROOM: f64 = 130.0;
const BAR_ROOM: f64 = 330.0;
const ROW: f64 = 24.0;

struct Bar {
    name: String,
    share: f64,
    truth: Option<f64>,
}

/// How often the model holds each variable to be the target.
pub(super) fn target_shares(report: &Report) -> Option<Figure> {
    if report.target_shares.is_empty() {
        return None;
    }
    let bars = bars(report);
    let known = bars.iter().any(|bar| bar.truth.is_some());
    let mark = if known { " The upright mark is the true share." } else { "" };
    let caption =
        format!("Share of pairs in which the model holds each variable to be intervened on.{mark}");
    let canvas = draw(&bars);
    Some(Figure { name: "targets", title: "How often each target occurs", caption, canvas })
}

fn bars(report: &Report) -> Vec<Bar> {
    let nodes = Nodes::of(report);
    let confusion = report.scores.as_ref().map_or(&[][..], |scores| &scores.confusion);
    let total: u64 = confusion.iter().flatten().sum();
    let truth = |label: usize| {
        let pairs: u64 = confusion.get(label)?.iter().sum();
        (total > 0).then(|| pairs as f64 / total as f64)
    };
    let share = |label: usize| report.target_shares.get(label).copied().unwrap_or(f64::NAN);
    let none = Bar { name: "none".to_owned(), share: share(0), truth: truth(0) };
    let variable = |node: usize| {
        // What was not learned is never held to be the target.
        let share = nodes.code(node).map_or(0.0, |code| share(code + 1));
        Bar { name: nodes.names[node].clone(), share, truth: truth(node + 1) }
    };
    std::iter::once(none).chain((0..nodes.len()).map(variable)).collect()
}

fn draw(bars: &[Bar]) -> Canvas {
    let widest = bars.iter().map(|bar| text_width(&bar.name, LABEL)).fold(0.0, f64::max);
    let left = widest.min(LABEL_ROOM) + 14.0;
    let largest = bars.iter().flat_map(|bar| [bar.share, bar.truth.unwrap_or(0.0)]);
    let largest = largest.fold(1e-9, f64::max);
    let mut canvas = Canvas::new(left + BAR_ROOM + 60.0, ROW * bars.len() as f64 + 8.0);
    for (n, bar) in bars.iter().enumerate() {
        let y = 4.0 + ROW * n as f64;
        let baseline = y + ROW / 2.0 + LABEL * 0.36;
        let label = TextStyle::new(LABEL, Ink::Text);
        canvas.text((left - 8.0, baseline), fitted(&bar.name, LABEL, LABEL_ROOM), label.end());
        let length = |share: f64| BAR_ROOM * (share / largest).clamp(0.0, 1.0);
        let reach = if bar.share.is_nan() { 0.0 } else { length(bar.share) };
        canvas.rect(Area::new(left, y + 4.0, reach.max(0.5), ROW - 8.0), Ink::Accent);
        canvas.hover(format!("{}: {}", bar.name, percent(bar.share)));
        let mark = bar.truth.map(|truth| left + length(truth));
        if let Some(x) = mark {
            canvas.line((x, y + 1.0), (x, y + ROW - 1.0), Stroke::solid(Ink::Text, 2.0));
        }
        let end = mark.unwrap_or(0.0).max(left + reach);
        let value = TextStyle::new(LABEL, Ink::Muted);
        canvas.text((end + 7.0, baseline), percent(bar.share), value);
    }
    canvas
}
