//! Panels with axes.

use crate::report::canvas::{Area, Canvas, Ink, Point, Stroke, TextStyle};
use crate::report::numbers::{fixed, significant, ticks};

/// Size of tick labels.
pub(crate) const TICK: f64 = 10.5;

/// How values become places along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    /// In proportion.
    Linear,
    /// By their logarithm.
    Log,
}

/// One axis: the values that its two ends stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) law: Law,
}

impl Axis {
    /// A linear axis that holds all finite values with a margin; around 0 if there are none.
    pub(crate) fn around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extent(values);
        let margin = if high > low { 0.06 * (high - low) } else { 0.5 * high.abs().max(1.0) };
        Self { low: low - margin, high: high + margin, law: Law::Linear }
    }

    /// As [`Axis::around`], by logarithm where positive values span more than a factor of 50.
    pub(crate) fn suited(values: &[f64]) -> Self {
        let (low, high) = extent(values.iter().copied());
        if low > 0.0 && high > 50.0 * low {
            let margin = (high / low).powf(0.04);
            return Self { low: low / margin, high: high * margin, law: Law::Log };
        }
        Self::around(values.iter().copied())
    }

    /// Place of a value, from 0 to 1.
    pub(crate) fn share(&self, value: f64) -> f64 {
        match self.law {
            Law::Linear => (value - self.low) / (self.high - self.low),
            Law::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }

    /// Values to mark, with their text.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        match self.law {
            Law::Linear => {
                let (values, decimals) = ticks(self.low, self.high, wanted);
                let text = |value: f64| {
                    let small = value.abs() < 1e5 && decimals <= 3;
                    if small { fixed(value, decimals) } else { significant(value) }
                };
                values.into_iter().map(|value| (value, text(value))).collect()
            }
            Law::Log => {
                let (first, last) = (self.low.log10().ceil(), self.high.log10().floor());
                let stride = ((last - first) / wanted.max(1) as f64).floor() as usize + 1;
                let powers = (first as i32..=last as i32).step_by(stride);
                let powers = powers.map(|power| 10_f64.powi(power));
                powers.map(|value| (value, log_label(value))).collect()
            }
        }
    }
}

fn log_label(value: f64) -> String {
    if (0.009..2000.0).contains(&value) { format!("{value}") } else { significant(value) }
}

fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if low > high { (0.0, 0.0) } else { (low, high) }
}

/// A rectangle with two axes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel {
    pub(crate) area: Area,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
}

impl Panel {
    /// Where a pair of values lies.
    pub(crate) fn place(&self, x: f64, y: f64) -> Point {
        let area = self.area;
        (area.x + area.width * self.x.share(x), area.bottom() - area.height * self.y.share(y))
    }

    /// A line through the finite points; gaps where values are missing.
    pub(crate) fn curve(&self, canvas: &mut Canvas, points: &[(f64, f64)], stroke: Stroke) {
        for run in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
            let places: Vec<Point> = run.iter().map(|&(x, y)| self.place(x, y)).collect();
            if places.len() == 1 {
                canvas.disc(places[0], stroke.width, stroke.paint);
            } else if !places.is_empty() {
                canvas.polyline(places, stroke);
            }
        }
    }

    /// Horizontal grid lines with their values on the left.
    pub(crate) fn grid_y(&self, canvas: &mut Canvas, wanted: usize) {
        for (value, text) in self.y.ticks(wanted) {
            let (_, y) = self.place(self.x.low, value);
            canvas.line((self.area.x, y), (self.area.right(), y), Stroke::solid(Ink::Faint, 1.0));
            let style = TextStyle::new(TICK, Ink::Muted).end();
            canvas.text((self.area.x - 5.0, y + TICK * 0.36), text, style);
        }
    }

    /// Values along the bottom.
    pub(crate) fn labels_x(&self, canvas: &mut Canvas, wanted: usize) {
        for (value, text) in self.x.ticks(wanted) {
            let (x, _) = self.place(value, self.y.low);
            let bottom = self.area.bottom();
            canvas.line((x, bottom), (x, bottom + 3.0), Stroke::solid(Ink::Muted, 1.0));
            let style = TextStyle::new(TICK, Ink::Muted).middle();
            canvas.text((x, bottom + 5.0 + TICK), text, style);
        }
    }

    /// The outline.
    pub(crate) fn frame(&self, canvas: &mut Canvas) {
        canvas.frame(self.area, Stroke::solid(Ink::Faint, 1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_positive_range_is_drawn_by_logarithm() {
        let axis = Axis::suited(&[0.01, 10.0]);
        assert_eq!(axis.law, Law::Log);
        assert!((axis.share(0.316_227_766) - 0.5).abs() < 1e-6);
        let marks: Vec<_> = axis.ticks(4).into_iter().map(|(_, text)| text).collect();
        assert_eq!(marks, ["0.01", "0.1", "1", "10"]);
        assert_eq!(Axis::suited(&[-0.01, 10.0]).law, Law::Linear);
    }

    #[test]
    fn an_axis_exists_even_for_one_value_or_none() {
        for values in [vec![], vec![3.0], vec![f64::NAN]] {
            let axis = Axis::suited(&values);
            assert!(axis.high > axis.low, "{axis:?}");
        }
    }
}
