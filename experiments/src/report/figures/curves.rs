use super::Figure;
use super::axes::{Axis, Law, Panel, TICK};
use crate::report::canvas::{Area, Canvas, Ink, Paint, Stroke, TextStyle, fitted};
use crate::report::numbers::count;
use crate::report::{Curves, Phase};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 132.0;
const GAP: (f64, f64) = (62.0, 66.0);
const LEFT: f64 = 52.0;
const TOP: f64 = 54.0;
/// Points drawn per curve; more are averaged, since a panel has fewer pixels.
const MOST_POINTS: usize = 300;

/// Every loss term over the steps, phases shaded in turn.
pub(super) fn learning_curves(curves: &Curves) -> Option<Figure> {
    let series: Vec<_> = curves.series.iter().filter(|s| !s.points.is_empty()).collect();
    let last = curves.phases.last()?.end;
    if series.is_empty() {
        return None;
    }
    let columns = if matches!(series.len(), 1 | 2 | 4) { 2 } else { 3 };
    let rows = series.len().div_ceil(columns);
    let width = (WIDTH + GAP.0) / columns as f64 - GAP.0;
    let shown = series.len().min(columns) as f64;
    let canvas_width = LEFT + shown * (width + GAP.0) - GAP.0 + 16.0;
    let mut canvas = Canvas::new(canvas_width, TOP + rows as f64 * (HEIGHT + GAP.1) - 40.0);
    let x = Axis { low: 0.0, high: last.max(1) as f64, law: Law::Linear };
    for (n, series) in series.iter().enumerate() {
        let (col, row) = ((n % columns) as f64, (n / columns) as f64);
        let left = LEFT + col * (width + GAP.0);
        let area = Area::new(left, TOP + row * (HEIGHT + GAP.1), width, HEIGHT);
        let points = thinned(&series.points);
        let values: Vec<f64> = points.iter().map(|point| point.1).collect();
        let panel = Panel { area, x, y: Axis::suited(&values) };
        shade_phases(&mut canvas, &panel, curves);
        panel.grid_y(&mut canvas, 5);
        panel.labels_x(&mut canvas, 5);
        panel.curve(&mut canvas, &points, Stroke::solid(Ink::Accent, 1.6));
        panel.frame(&mut canvas);
        let title = fitted(&series.term, 13.0, width);
        canvas.text((area.x, area.y - 22.0), title, TextStyle::new(13.0, Ink::Text).bold());
    }
    let (name, title, caption) = ("curves", "Learning curves", caption(curves));
    Some(Figure { name, title, caption, canvas })
}

fn caption(curves: &Curves) -> String {
    let phase = |(n, phase): (usize, &Phase)| {
        format!("{} {} (to step {})", n + 1, phase.name, count(phase.end))
    };
    let phases: Vec<_> = curves.phases.iter().enumerate().map(phase).collect();
    format!(
        "Each term of the loss over the optimizer's steps, as logged during training. Phases: {}. \
         An axis whose marks are powers of ten is logarithmic.",
        phases.join(", ")
    )
}

/// Bands for the phases, with their numbers above.
fn shade_phases(canvas: &mut Canvas, panel: &Panel, curves: &Curves) {
    let style = TextStyle::new(TICK, Ink::Muted).middle();
    let mut free_from = f64::NEG_INFINITY;
    for (n, phase) in curves.phases.iter().enumerate() {
        let (from, _) = panel.place(phase.start as f64, panel.y.low);
        let (to, _) = panel.place(phase.end as f64, panel.y.low);
        let band = Area::new(from, panel.area.y, to - from, panel.area.height);
        canvas.rect(band, Paint::faded(Ink::Muted, if n % 2 == 0 { 0.0 } else { 0.09 }));
        canvas.hover(format!("{}: steps {} to {}", phase.name, phase.start, phase.end));
        let middle = band.centre().0;
        if middle >= free_from {
            canvas.text((middle, panel.area.y - 5.0), (n + 1).to_string(), style);
            free_from = middle + 1.6 * TICK;
        }
    }
}

/// At most [`MOST_POINTS`] points: means of as many neighbours as that takes.
fn thinned(points: &[(u64, f64)]) -> Vec<(f64, f64)> {
    let bucket = points.len().div_ceil(MOST_POINTS).max(1);
    let mean = |chunk: &[(u64, f64)]| {
        let n = chunk.len() as f64;
        let sum = chunk.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0 as f64, sum.1 + p.1));
        (sum.0 / n, sum.1 / n)
    };
    points.chunks(bucket).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_mean() {
        let points: Vec<_> = (0..3000).map(|n| (n, n as f64)).collect();
        let thin = thinned(&points);
        assert_eq!(thin.len(), MOST_POINTS);
        assert_eq!(thin[0], (4.5, 4.5));
        assert_eq!(thinned(&points[..3]), [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]);
    }
}
