use super::Figure;
use super::axes::{Axis, Law, Panel};
use crate::report::Curves;
use crate::report::canvas::{Area, Canvas, Ink, Paint, Stroke, TextStyle, fitted};

const COLUMNS: usize = 3;
const PANEL: (f64, f64) = (272.0, 132.0);
const GAP: (f64, f64) = (62.0, 62.0);
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
    let columns = series.len().min(COLUMNS);
    let rows = series.len().div_ceil(columns);
    let width = LEFT + columns as f64 * (PANEL.0 + GAP.0) - GAP.0 + 16.0;
    let mut canvas = Canvas::new(width, TOP + rows as f64 * (PANEL.1 + GAP.1) - 24.0);
    let x = Axis { low: 0.0, high: last.max(1) as f64, law: Law::Linear };
    for (n, series) in series.iter().enumerate() {
        let (col, row) = ((n % columns) as f64, (n / columns) as f64);
        let left = LEFT + col * (PANEL.0 + GAP.0);
        let area = Area::new(left, TOP + row * (PANEL.1 + GAP.1), PANEL.0, PANEL.1);
        let points = thinned(&series.points);
        let values: Vec<f64> = points.iter().map(|point| point.1).collect();
        let panel = Panel { area, x, y: Axis::suited(&values) };
        shade_phases(&mut canvas, &panel, curves);
        panel.grid_y(&mut canvas, 4);
        panel.labels_x(&mut canvas, 4);
        panel.curve(&mut canvas, &points, Stroke::solid(Ink::Accent, 1.6));
        panel.frame(&mut canvas);
        let title = fitted(&series.term, 13.0, PANEL.0);
        canvas.text((area.x, area.y - 22.0), title, TextStyle::new(13.0, Ink::Text).bold());
    }
    let caption = "Each term of the loss over the optimizer's steps, as logged during training. \
                   Bands are the phases of training; an axis whose marks are powers of ten is \
                   logarithmic.";
    let (name, title, caption) = ("curves", "Learning curves", caption.to_owned());
    Some(Figure { name, title, caption, canvas })
}

fn shade_phases(canvas: &mut Canvas, panel: &Panel, curves: &Curves) {
    let mut free_from = f64::NEG_INFINITY;
    for (n, phase) in curves.phases.iter().enumerate() {
        let (from, _) = panel.place(phase.start as f64, panel.y.low);
        let (to, _) = panel.place(phase.end as f64, panel.y.low);
        let band = Area::new(from, panel.area.y, to - from, panel.area.height);
        let shade = if n % 2 == 0 { 0.0 } else { 0.07 };
        canvas.rect(band, Paint::faded(Ink::Muted, shade));
        canvas.hover(format!("{}: steps {} to {}", phase.name, phase.start, phase.end));
        let style = TextStyle::new(10.5, Ink::Muted);
        let name = fitted(&phase.name, 10.5, to - from - 2.0);
        if name.chars().count() > 2 && from >= free_from {
            canvas.text((from + 1.0, panel.area.y - 5.0), name, style);
            free_from = to;
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
