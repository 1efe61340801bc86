use domino::core::Dag;

use super::Graph;
use super::layout::Layout;
use crate::report::canvas::{Area, Canvas, Dash, Ink, Paint, Point, Stroke, TextStyle, text_width};

const LABEL: f64 = 14.0;
const SMALL: f64 = 11.0;
const HEIGHT: f64 = 30.0;
const MARGIN: f64 = 24.0;
const LEGEND: f64 = 44.0;
const HEAD: f64 = 8.0;
/// The legend fits in it.
const NARROWEST: f64 = 430.0;
/// Beliefs below are written beside their edges.
const SURE: f64 = 0.95;
/// Points of a curve between two layers.
const STEPS: usize = 20;

/// A drawing in layers, causes above effects; the stronger a line, the surer its edge. Edges that the
/// data cannot direct are dashed.
pub fn draw(graph: &Graph) -> Canvas {
    let widths: Vec<f64> =
        graph.names.iter().map(|name| (text_width(name, LABEL) + 22.0).max(40.0)).collect();
    let layout = Layout::of(&graph.learned.dag, &widths);
    let sides =
        layout.nodes.iter().zip(&widths).flat_map(|(at, w)| [at.0 - w / 2.0, at.0 + w / 2.0]);
    let bends = layout.edges.iter().flat_map(|(_, bends)| bends.iter().map(|at| at.0));
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let (least, most) = sides.chain(bends).fold(none, |(a, b), x| (a.min(x), b.max(x)));
    let (least, most) = if least < most { (least, most) } else { (0.0, 0.0) };
    let width = (most - least + 2.0 * MARGIN).max(NARROWEST);
    let lowest = layout.nodes.iter().map(|at| at.1).fold(0.0, f64::max);
    let top = MARGIN + HEIGHT / 2.0;
    let mut canvas = Canvas::new(width, lowest + top + HEIGHT / 2.0 + LEGEND + MARGIN / 2.0);
    let drawing = Drawing {
        graph,
        origin: (width / 2.0 - f64::midpoint(least, most), top),
        open: open_edges(graph),
        layout,
        widths,
    };
    for number in 0..drawing.layout.edges.len() {
        drawing.edge(&mut canvas, number);
    }
    for number in 0..graph.dim() {
        drawing.node(&mut canvas, number);
    }
    drawing.legend(&mut canvas);
    canvas
}

fn open_edges(graph: &Graph) -> Vec<(usize, usize)> {
    let alternatives = graph.provenance.as_ref().and_then(|p| p.alternatives.as_ref());
    alternatives.map_or_else(Vec::new, |a| a.undirected.clone())
}

struct Drawing<'a> {
    graph: &'a Graph,
    layout: Layout,
    widths: Vec<f64>,
    origin: Point,
    /// Edges whose direction the data leave open.
    open: Vec<(usize, usize)>,
}

impl Drawing<'_> {
    fn shift(&self, (x, y): Point) -> Point {
        (x + self.origin.0, y + self.origin.1)
    }

    fn stroke(belief: f64, dash: Dash) -> Stroke {
        let sure = belief.clamp(0.0, 1.0);
        let paint = Paint::faded(Ink::Text, 0.25 + 0.75 * sure);
        Stroke { paint, width: 0.6 + 2.4 * (2.0 * sure - 1.0).max(0.0), dash }
    }

    fn edge(&self, canvas: &mut Canvas, number: usize) {
        let ((from, to), bends) = &self.layout.edges[number];
        let belief = self.graph.learned.edge_probs[(*from, *to)];
        let is_open = self.open.iter().any(|e| *e == (*from, *to) || *e == (*to, *from));
        let stroke = Self::stroke(belief, if is_open { Dash::Dashed } else { Dash::Solid });
        let head = HEAD + stroke.width;
        let (x, y) = self.shift(self.layout.nodes[*from]);
        let start = (x + self.port(number, *from), y + HEIGHT / 2.0);
        let (x, y) = self.shift(self.layout.nodes[*to]);
        let tip = (x + self.port(number, *to), y - HEIGHT / 2.0 - 1.0);
        let mut stops = vec![start];
        stops.extend(bends.iter().map(|&at| self.shift(at)));
        stops.push((tip.0, tip.1 - head * 0.8));
        let curve: Vec<Point> = stops.windows(2).flat_map(|ends| bow(ends[0], ends[1])).collect();
        let middle = curve[curve.len() / 2];
        canvas.polyline(curve, stroke);
        let names = &self.graph.names;
        canvas.hover(format!("{} → {}: {belief:.3}", names[*from], names[*to]));
        let half = 0.42 * head;
        let base = tip.1 - head;
        canvas.polygon(vec![tip, (tip.0 - half, base), (tip.0 + half, base)], stroke.paint);
        if belief < SURE {
            let text = format!("{belief:.2}");
            let width = text_width(&text, SMALL) + 4.0;
            let ground = Area::new(middle.0 - width / 2.0, middle.1 - 8.0, width, 15.0);
            canvas.rect(ground, Paint::faded(Ink::Paper, 0.85));
            canvas.text(
                (middle.0, middle.1 + 4.0),
                text,
                TextStyle::new(SMALL, Ink::Muted).middle(),
            );
        }
    }

    /// How far from the middle of a node an edge meets it: edges arrive and leave side by side, in
    /// the order of where they come from or go to.
    fn port(&self, number: usize, node: usize) -> f64 {
        let toward = |n: usize| {
            let ((from, to), bends) = &self.layout.edges[n];
            let next = if *from == node { bends.first() } else { bends.last() };
            let other = if *from == node { *to } else { *from };
            next.unwrap_or(&self.layout.nodes[other]).0
        };
        let leaves = |n: usize| self.layout.edges[n].0.0 == node;
        let meets = |n: &usize| {
            let (from, to) = self.layout.edges[*n].0;
            (from == node || to == node) && leaves(*n) == leaves(number)
        };
        let mut beside: Vec<usize> = (0..self.layout.edges.len()).filter(meets).collect();
        beside.sort_by(|a, b| toward(*a).total_cmp(&toward(*b)));
        let place = beside.iter().position(|n| *n == number).unwrap_or(0) as f64;
        let step = (0.7 * self.widths[node] / beside.len() as f64).min(14.0);
        (place - (beside.len() as f64 - 1.0) / 2.0) * step
    }

    fn node(&self, canvas: &mut Canvas, number: usize) {
        let (x, y) = self.shift(self.layout.nodes[number]);
        let width = self.widths[number];
        let area = Area::new(x - width / 2.0, y - HEIGHT / 2.0, width, HEIGHT);
        canvas.rect(area, Ink::Paper);
        canvas.rect(area, Paint::faded(Ink::Accent, 0.16));
        canvas.frame(area, Stroke::solid(Ink::Accent, 1.4));
        let name = self.graph.names[number].clone();
        canvas.text((x, y + 5.0), name, TextStyle::new(LABEL, Ink::Text).middle());
    }

    fn legend(&self, canvas: &mut Canvas) {
        let (width, height) = canvas.size();
        let y = height - 16.0;
        let mut entries = vec![
            ("probability 0.5", 0.5, Dash::Solid),
            ("0.75", 0.75, Dash::Solid),
            ("1", 1.0, Dash::Solid),
        ];
        if !self.open.is_empty() {
            entries.push(("direction open", 0.9, Dash::Dashed));
        }
        if self.graph.learned.dag == Dag::empty(self.graph.dim()) {
            let text = "no edge is likelier than not";
            canvas.text((width / 2.0, y), text, TextStyle::new(SMALL, Ink::Muted).middle());
            return;
        }
        let room = |text: &str| 32.0 + text_width(text, SMALL) + 16.0;
        let mut x = (width - entries.iter().map(|e| room(e.0)).sum::<f64>()) / 2.0;
        for (text, belief, dash) in entries {
            canvas.line((x, y - 4.0), (x + 26.0, y - 4.0), Self::stroke(belief, dash));
            canvas.text((x + 32.0, y), text, TextStyle::new(SMALL, Ink::Muted));
            x += room(text);
        }
    }
}

/// A curve that leaves and arrives upright.
fn bow(from: Point, to: Point) -> impl Iterator<Item = Point> {
    (0..=STEPS).map(move |step| {
        let t = step as f64 / STEPS as f64;
        // The cubic with both handles at half the height.
        let across = t * t * (3.0 - 2.0 * t);
        let down = 1.5 * t - 1.5 * t * t + t * t * t;
        (from.0 + across * (to.0 - from.0), from.1 + down * (to.1 - from.1))
    })
}
