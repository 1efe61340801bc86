use super::Figure;
use super::axes::{Axis, Panel};
use super::nodes::Nodes;
use crate::report::canvas::{Area, Canvas, Ink, Paint, Stroke, TextStyle, fitted, text_width};
use crate::report::{CounterfactualStrip, Report};

const LABEL: f64 = 12.0;
const LABEL_ROOM: f64 = 110.0;
/// Up to this many variables, panels have room for axes.
const LABELLED: usize = 6;
/// Error, as a share of a column's range, that is marked as one.
const VISIBLE_ERROR: f64 = 0.1;

/// Rows: the variable that is set; columns: the variable that answers.
pub(super) fn counterfactuals(report: &Report) -> Option<Figure> {
    let nodes = Nodes::of(report);
    let shown: Vec<Row<'_>> = (0..nodes.len())
        .filter_map(|node| {
            let code = nodes.code(node)?;
            let strip = report.counterfactuals.iter().find(|s| s.variable == code)?;
            Some(Row { node, strip })
        })
        .collect();
    if shown.is_empty() {
        return None;
    }
    let columns: Vec<usize> = (0..nodes.len()).filter(|&node| nodes.code(node).is_some()).collect();
    let grid = Grid { nodes: &nodes, rows: &shown, columns: &columns };
    let known = shown.iter().any(|row| row.strip.truth.is_some());
    let truth = if known {
        " Grey, broken: the true model's answer. A red ground marks panels that are off by more \
         than a tenth of the column's range."
    } else {
        ""
    };
    let caption = format!(
        "What the model answers when one variable is set by hand and all noise is kept. Row: the \
         variable that is set, along the horizontal axis. Column: the variable that answers. \
         Blue: the model.{truth} Flat means no effect."
    );
    let canvas = grid.draw();
    Some(Figure { name: "counterfactuals", title: "What would be if", caption, canvas })
}

struct Row<'a> {
    node: usize,
    strip: &'a CounterfactualStrip,
}

struct Grid<'a> {
    nodes: &'a Nodes,
    rows: &'a [Row<'a>],
    columns: &'a [usize],
}

/// Where the panels are.
struct Places {
    left: f64,
    top: f64,
    panel: (f64, f64),
    gap: (f64, f64),
    turned: bool,
}

impl Places {
    fn new(grid: &Grid<'_>) -> Self {
        let room = |names: Vec<String>| {
            let widest = names.iter().map(|name| text_width(name, LABEL)).fold(0.0, f64::max);
            widest.min(LABEL_ROOM)
        };
        let titles = room(grid.rows.iter().map(|row| grid.row_title(row)).collect());
        let names = room(grid.columns.iter().map(|&node| grid.nodes.names[node].clone()).collect());
        let share = 900.0 / grid.columns.len() as f64;
        let (panel, gap) = if grid.has_axes() {
            let width = (share - 36.0).clamp(90.0, 190.0);
            ((width, (width * 0.6).max(70.0)), (36.0, 28.0))
        } else {
            let width = (share - 5.0).clamp(46.0, 90.0);
            ((width, width * 0.8), (5.0, 5.0))
        };
        let turned = names > panel.0;
        let top = if turned { names + 10.0 } else { 24.0 };
        let left = titles + 12.0 + if grid.has_axes() { gap.0 } else { 0.0 };
        Self { left, top, panel, gap, turned }
    }

    fn area(&self, row: usize, col: usize) -> Area {
        let x = self.left + col as f64 * (self.panel.0 + self.gap.0);
        let y = self.top + row as f64 * (self.panel.1 + self.gap.1);
        Area::new(x, y, self.panel.0, self.panel.1)
    }
}

impl Grid<'_> {
    fn has_axes(&self) -> bool {
        self.columns.len() <= LABELLED
    }

    fn draw(&self) -> Canvas {
        let places = Places::new(self);
        let end = places.area(self.rows.len(), self.columns.len());
        let mut canvas = Canvas::new(end.x - places.gap.0 + 8.0, end.y + 2.0);
        self.draw_names(&mut canvas, &places);
        for (n, row) in self.rows.iter().enumerate() {
            for col in 0..self.columns.len() {
                self.panel(&mut canvas, places.area(n, col), row, col);
            }
        }
        canvas
    }

    fn draw_names(&self, canvas: &mut Canvas, places: &Places) {
        let style = TextStyle::new(LABEL, Ink::Text);
        for (col, &node) in self.columns.iter().enumerate() {
            let (x, _) = places.area(0, col).centre();
            let name = fitted(&self.nodes.names[node], LABEL, LABEL_ROOM);
            if places.turned {
                let at = (x + LABEL * 0.36, places.top - 6.0);
                canvas.text(at, name, style.upwards());
            } else {
                canvas.text((x, places.top - 8.0), name, style.middle());
            }
        }
        let titles_end = places.left - 8.0 - if self.has_axes() { places.gap.0 } else { 0.0 };
        for (n, row) in self.rows.iter().enumerate() {
            let (_, y) = places.area(n, 0).centre();
            let title = fitted(&self.row_title(row), LABEL, LABEL_ROOM);
            canvas.text((titles_end, y + LABEL * 0.36), title, style.end());
        }
    }

    fn row_title(&self, row: &Row<'_>) -> String {
        format!("do({})", self.nodes.names[row.node])
    }

    fn panel(&self, canvas: &mut Canvas, area: Area, row: &Row<'_>, col: usize) {
        let node = self.columns[col];
        let Some(code) = self.nodes.code(node) else { return };
        let y = self.column_axis(code);
        let x = Axis::around(row.strip.values.iter().copied());
        let panel = Panel { area, x, y };
        canvas.rect(area, Ink::Panel);
        let predicted = curve(row.strip, &row.strip.predicted, code);
        let truth = row.strip.truth.as_ref().map(|truth| curve(row.strip, truth, code));
        let off = truth.as_ref().map_or(0.0, |truth| rms(&predicted, truth));
        if off > VISIBLE_ERROR * (y.high - y.low) && node != row.node {
            canvas.rect(area, Paint::faded(Ink::Bad, 0.14));
        }
        if self.has_axes() {
            panel.grid_y(canvas, 3);
            panel.labels_x(canvas, 3);
        }
        if let Some(truth) = truth {
            panel.curve(canvas, &truth, Stroke::dashed(Ink::Muted, 1.6));
        }
        let width = if self.has_axes() { 1.8 } else { 1.4 };
        panel.curve(canvas, &predicted, Stroke::solid(Ink::Accent, width));
        panel.frame(canvas);
    }

    /// One scale per column, so that effects on one variable can be compared.
    fn column_axis(&self, code: usize) -> Axis {
        let all = self.rows.iter().flat_map(|row| {
            let truth = row.strip.truth.iter().flatten();
            row.strip.predicted.iter().chain(truth).filter_map(move |z| z.get(code).copied())
        });
        Axis::around(all)
    }
}

fn curve(strip: &CounterfactualStrip, z: &[Vec<f64>], code: usize) -> Vec<(f64, f64)> {
    let value = |row: &Vec<f64>| row.get(code).copied().unwrap_or(f64::NAN);
    strip.values.iter().copied().zip(z.iter().map(value)).collect()
}

fn rms(a: &[(f64, f64)], b: &[(f64, f64)]) -> f64 {
    let squares: Vec<f64> = a.iter().zip(b).map(|(a, b)| (a.1 - b.1).powi(2)).collect();
    (squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt()
}
