use super::Figure;
use super::nodes::{Nodes, code_name};
use crate::report::canvas::{Area, Canvas, Ink, Paint, Stroke, TextStyle, fitted, text_width};
use crate::report::numbers::{MISSING, count, fixed};
use crate::report::{Report, Scores};

const LABEL: f64 = 12.0;
const LABEL_ROOM: f64 = 130.0;
/// From this intensity on, text is written in the colour that contrasts with the data's.
const DARK_CELL: f64 = 0.55;
/// Below this intensity text steps back.
const FAINT_CELL: f64 = 0.05;

/// A matrix of coloured cells with their values.
struct Heat {
    row_title: &'static str,
    col_title: &'static str,
    rows: Vec<String>,
    cols: Vec<String>,
    cells: Vec<Vec<Cell>>,
}

struct Cell {
    /// From 0, ground, to 1, full colour.
    intensity: f64,
    text: String,
    hover: String,
    frame: Option<Ink>,
}

impl Cell {
    fn blank() -> Self {
        Self { intensity: 0.0, text: String::new(), hover: String::new(), frame: None }
    }
}

/// Importance of codes for factors; codes in the order of the factors they are matched with, then those
/// without one.
pub(super) fn importance(report: &Report) -> Option<Figure> {
    let scores = report.scores.as_ref()?;
    let largest = scores.importance.iter().flatten().copied().fold(0.0, f64::max);
    if scores.importance.is_empty() || largest <= 0.0 {
        return None;
    }
    let nodes = Nodes::of(report);
    let codes: Vec<usize> = (0..nodes.len()).filter_map(|node| nodes.code(node)).collect();
    let cell = |code: usize, factor: usize| {
        let value = *scores.importance.get(code)?.get(factor)?;
        let names = (code_name(report, code), &scores.factor_names[factor]);
        let hover = format!("{} for {}: {}", names.0, names.1, fixed(value, 4));
        Some(Cell { intensity: value / largest, text: fixed(value, 2), hover, frame: None })
    };
    let row = |&code: &usize| {
        let factors = 0..scores.factor_names.len();
        factors.map(|factor| cell(code, factor).unwrap_or_else(Cell::blank)).collect()
    };
    let heat = Heat {
        row_title: "learned variable",
        col_title: "true variable",
        rows: codes.iter().map(|&code| code_name(report, code)).collect(),
        cols: scores.factor_names.clone(),
        cells: codes.iter().map(row).collect(),
    };
    let caption = "How much each learned variable (row) matters when boosted trees predict each \
                   true variable (column). Rows are in the order of the true variables they are \
                   matched with: a diagonal means that every learned variable speaks of one true \
                   variable.";
    Some(Figure {
        name: "importance",
        title: "What the learned variables say",
        caption: caption.to_owned(),
        canvas: heat.draw(),
    })
}

/// Inferred against true targets, each row as shares.
pub(super) fn confusion(report: &Report) -> Option<Figure> {
    let scores = report.scores.as_ref().filter(|scores| !scores.confusion.is_empty())?;
    let names = |of: &[String]| -> Vec<String> {
        std::iter::once("none".to_owned()).chain(of.iter().cloned()).collect()
    };
    let (rows, cols) = (names(&scores.factor_names), names(&Nodes::of(report).names));
    let heat = Heat {
        row_title: "true target",
        col_title: "inferred target",
        cells: confusion_cells(scores, [&rows, &cols]),
        rows,
        cols,
    };
    let caption = "Which variable was intervened on, according to the model (column), for each \
                   true target (row), as shares of the row. A diagonal of 1.00 is perfect; a row \
                   without values is a target that never occurs.";
    Some(Figure {
        name: "confusion",
        title: "Intervention targets",
        caption: caption.to_owned(),
        canvas: heat.draw(),
    })
}

fn confusion_cells(scores: &Scores, [rows, cols]: [&[String]; 2]) -> Vec<Vec<Cell>> {
    let cell = |row: usize, col: usize, pairs: u64, total: u64| {
        if total == 0 {
            return Cell { text: MISSING.to_owned(), ..Cell::blank() };
        }
        let share = pairs as f64 / total as f64;
        let name = |of: &[String], n: usize| of.get(n).map_or(MISSING, String::as_str).to_owned();
        let (pairs_text, total) = (count(pairs), count(total));
        let (truth, said) = (name(rows, row), name(cols, col));
        let hover = format!("{truth} taken for {said}: {pairs_text} of {total} pairs");
        let text = if pairs == 0 { "0".to_owned() } else { fixed(share, 2) };
        Cell { intensity: share, text, hover, frame: None }
    };
    let counted = scores.confusion.iter().enumerate();
    counted
        .map(|(row, counts)| {
            let total = counts.iter().sum();
            counts.iter().enumerate().map(|(col, &n)| cell(row, col, n, total)).collect()
        })
        .collect()
}

/// Belief in every edge; frames show true edges and mistakes.
pub(super) fn edge_beliefs(report: &Report) -> Option<Figure> {
    let nodes = Nodes::of(report);
    if nodes.len() < 2 || report.edge_probs.is_empty() {
        return None;
    }
    let order = nodes.order(report);
    let learned = nodes.learned_edges(report);
    let has = |from, to| learned.iter().any(|edge| (edge.from, edge.to) == (from, to));
    let cell = |from: usize, to: usize| {
        let (Some(cause), Some(effect)) = (nodes.code(from), nodes.code(to)) else {
            return unknown(&nodes, from, to);
        };
        let belief = *report.edge_probs.get(cause)?.get(effect).filter(|_| from != to)?;
        let frame = match (nodes.is_true(from, to), has(from, to)) {
            (Some(true), true) => Some(Ink::Text),
            (Some(truth), learned) if truth != learned => Some(Ink::Bad),
            _ => None,
        };
        let hover = format!("{} → {}: {}", nodes.names[from], nodes.names[to], fixed(belief, 3));
        Some(Cell { intensity: belief, text: fixed(belief, 2), hover, frame })
    };
    let row = |&from: &usize| {
        order.iter().map(|&to| cell(from, to).unwrap_or_else(Cell::blank)).collect()
    };
    let names: Vec<String> = order.iter().map(|&node| nodes.names[node].clone()).collect();
    let heat = Heat {
        row_title: "cause",
        col_title: "effect",
        rows: names.clone(),
        cols: names,
        cells: order.iter().map(row).collect(),
    };
    let frames = if nodes.true_edges.is_some() {
        " Thin frames are edges found correctly; thick red frames are mistakes: a true edge not found, \
         or a learned edge that does not exist."
    } else {
        ""
    };
    let caption = format!(
        "The model's belief, from 0 to 1, that the row's variable is a direct cause of the \
         column's, causes first.{frames}"
    );
    Some(Figure { name: "edges", title: "Belief in every edge", caption, canvas: heat.draw() })
}

/// The cell of two variables of which one has no code; nothing on the diagonal.
fn unknown(nodes: &Nodes, from: usize, to: usize) -> Option<Cell> {
    let frame = nodes.is_true(from, to).filter(|_| from != to)?.then_some(Ink::Bad);
    let hover = format!("{} → {}: not learned", nodes.names[from], nodes.names[to]);
    Some(Cell { intensity: 0.0, text: MISSING.to_owned(), hover, frame })
}

impl Heat {
    fn draw(&self) -> Canvas {
        let longest = self.rows.len().max(self.cols.len()).max(1);
        let side = (430.0 / longest as f64).clamp(29.0, 60.0);
        let room = |names: &[String]| {
            let widest = names.iter().map(|name| text_width(name, LABEL)).fold(0.0, f64::max);
            widest.min(LABEL_ROOM)
        };
        let turned = room(&self.cols) > side - 4.0;
        let left = 26.0 + room(&self.rows) + 8.0;
        let top = 26.0 + if turned { room(&self.cols) } else { LABEL } + 8.0;
        let (cols, rows) = (self.cols.len() as f64, self.rows.len() as f64);
        let area = Area::new(left, top, side * cols, side * rows);
        let title_width = text_width(self.col_title, LABEL);
        let width = (area.right() + 10.0).max(area.centre().0 + title_width / 2.0 + 4.0);
        let title_height = text_width(self.row_title, LABEL);
        let height = (area.bottom() + 10.0).max(area.centre().1 + title_height / 2.0 + 4.0);
        let mut canvas = Canvas::new(width, height);
        self.draw_labels(&mut canvas, area, side, turned.then_some(room(&self.cols)));
        self.draw_cells(&mut canvas, area, side);
        canvas
    }

    /// `turned` is the room for column labels that read upwards.
    fn draw_labels(&self, canvas: &mut Canvas, area: Area, side: f64, turned: Option<f64>) {
        let title = TextStyle::new(LABEL, Ink::Muted).middle();
        let label = TextStyle::new(LABEL, Ink::Text);
        let (middle_x, middle_y) = area.centre();
        canvas.text((middle_x, 14.0), self.col_title, title);
        canvas.text(
            (14.0, middle_y.max(text_width(self.row_title, LABEL) / 2.0)),
            self.row_title,
            title.upwards(),
        );
        for (n, name) in self.rows.iter().enumerate() {
            let y = area.y + side * (n as f64 + 0.5) + LABEL * 0.36;
            canvas.text((area.x - 8.0, y), fitted(name, LABEL, LABEL_ROOM), label.end());
        }
        for (n, name) in self.cols.iter().enumerate() {
            let x = area.x + side * (n as f64 + 0.5);
            let name = fitted(name, LABEL, LABEL_ROOM);
            match turned {
                Some(_) => canvas.text((x + LABEL * 0.36, area.y - 8.0), name, label.upwards()),
                None => canvas.text((x, area.y - 8.0), name, label.middle()),
            }
        }
    }

    fn draw_cells(&self, canvas: &mut Canvas, area: Area, side: f64) {
        let size = (side * 0.27).clamp(9.5, 13.0);
        let cells = self.cells.iter().enumerate().flat_map(|(row, cells)| {
            cells.iter().enumerate().map(move |(col, cell)| (row as f64, col as f64, cell))
        });
        let place = |row: f64, col: f64| {
            Area::new(
                area.x + col * side + 0.75,
                area.y + row * side + 0.75,
                side - 1.5,
                side - 1.5,
            )
        };
        for (row, col, cell) in cells {
            let place = place(row, col);
            canvas.rect(place, Ink::Panel);
            canvas.rect(place, Paint::faded(Ink::Accent, cell.intensity));
            if !cell.hover.is_empty() {
                canvas.hover(cell.hover.clone());
            }
            let ink = match cell.intensity {
                intensity if intensity > DARK_CELL => Ink::OnAccent,
                intensity if intensity < FAINT_CELL => Ink::Muted,
                _ => Ink::Text,
            };
            let (x, y) = place.centre();
            let at = (x, y + size * 0.36);
            canvas.text(at, cell.text.clone(), TextStyle::new(size, ink).middle());
            if let Some(ink) = cell.frame {
                let inner = Area::new(place.x + 0.75, place.y + 0.75, side - 3.0, side - 3.0);
                canvas.frame(inner, Stroke::solid(ink, if ink == Ink::Bad { 2.4 } else { 1.4 }));
            }
        }
    }
}
