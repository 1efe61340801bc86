use std::f64::consts::TAU;

use super::Figure;
use super::geometry::{arrow_head, bend, distance};
use super::nodes::Nodes;
use crate::report::Report;
use crate::report::canvas::{
    Anchor, Canvas, Dash, Ink, Paint, Point, Stroke, TextStyle, fitted, text_width,
};

const LABEL: f64 = 13.0;
/// Widest name that is drawn inside its node.
const INSIDE: f64 = 30.0;
const LABEL_ROOM: f64 = 110.0;
const HEADER: f64 = 34.0;
const LEGEND: f64 = 34.0;

/// What the truth says of an edge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Drawn in the true graph, or where no truth is known.
    Plain,
    Found,
    Extra,
    Missing,
    Turned,
}

/// Whose graph a panel shows.
#[derive(Clone, Copy)]
enum Side {
    Truth,
    Model,
}

impl Side {
    fn title(self) -> &'static str {
        match self {
            Self::Truth => "True graph",
            Self::Model => "Learned graph",
        }
    }

    /// Whether a node is a variable there.
    fn has(self, nodes: &Nodes, node: usize) -> bool {
        match self {
            Self::Truth => nodes.is_factor(node),
            Self::Model => nodes.code(node).is_some(),
        }
    }
}

struct DrawnEdge {
    from: usize,
    to: usize,
    kind: Kind,
    probability: f64,
}

/// The true and the learned graph side by side, nodes at the same places.
pub(super) fn graphs(report: &Report) -> Option<Figure> {
    let nodes = Nodes::of(report);
    if nodes.len() < 2 {
        return None;
    }
    let layout = Layout::new(&nodes, &nodes.order(report));
    let learned = learned(report, &nodes);
    let panels = if nodes.true_edges.is_some() { 2.0 } else { 1.0 };
    let mut canvas =
        Canvas::new((panels * layout.width).max(430.0), HEADER + layout.height + LEGEND);
    if let Some(edges) = &nodes.true_edges {
        let plain = |&(from, to)| DrawnEdge { from, to, kind: Kind::Plain, probability: 1.0 };
        let edges: Vec<_> = edges.iter().map(plain).collect();
        layout.panel(&mut canvas, 0.0, Side::Truth, &edges);
        layout.panel(&mut canvas, layout.width, Side::Model, &learned);
        legend(&mut canvas, &learned);
    } else {
        let left = (canvas.size().0 - layout.width) / 2.0;
        layout.panel(&mut canvas, left, Side::Model, &learned);
    }
    let caption = caption(&nodes, &learned);
    Some(Figure { name: "graph", title: "Causal graph", caption, canvas })
}

fn caption(nodes: &Nodes, edges: &[DrawnEdge]) -> String {
    let strength = "Thicker lines are edges the model believes in more.";
    let Some(truth) = &nodes.true_edges else {
        return format!(
            "The learned graph has {} edges; causes come first, clockwise from the top. {strength}",
            edges.len()
        );
    };
    let whole = (0..nodes.len())
        .all(|node| [Side::Truth, Side::Model].iter().all(|side| side.has(nodes, node)));
    let absent = if whole { "" } else { ", broken where one of the two does not have them" };
    let number = |kind| edges.iter().filter(|edge| edge.kind == kind).count();
    format!(
        "Of {} true edges, {} found, {} missing and {} turned round; learned edges that do not \
         exist: {}. Variables stand at the same places in both graphs, causes first, clockwise from \
         the top{absent}. {strength}",
        truth.len(),
        number(Kind::Found),
        number(Kind::Missing),
        number(Kind::Turned),
        number(Kind::Extra),
    )
}

/// Learned edges and, where the truth is known, what is wrong with them.
fn learned(report: &Report, nodes: &Nodes) -> Vec<DrawnEdge> {
    let learned = nodes.learned_edges(report);
    let kind = |from, to| match (nodes.is_true(from, to), nodes.is_true(to, from)) {
        (None, _) => Kind::Plain,
        (Some(true), _) => Kind::Found,
        (_, Some(true)) => Kind::Turned,
        _ => Kind::Extra,
    };
    let has = |a, b| learned.iter().any(|edge| (edge.from, edge.to) == (a, b));
    let truth = nodes.true_edges.iter().flatten();
    let missing = truth
        .filter(|&&(from, to)| !has(from, to) && !has(to, from))
        .map(|&(from, to)| DrawnEdge { from, to, kind: Kind::Missing, probability: 0.0 });
    let found = learned.iter().map(|edge| DrawnEdge {
        from: edge.from,
        to: edge.to,
        kind: kind(edge.from, edge.to),
        probability: edge.probability,
    });
    missing.chain(found).collect()
}

impl Kind {
    fn ink(self) -> Ink {
        match self {
            Self::Plain | Self::Found => Ink::Text,
            Self::Extra | Self::Missing => Ink::Bad,
            Self::Turned => Ink::Turned,
        }
    }

    fn stroke(self, probability: f64) -> Stroke {
        let belief = if probability.is_nan() { 0.5 } else { probability.clamp(0.0, 1.0) };
        let (width, opacity, dash) = match self {
            Self::Missing => (1.6, 1.0, Dash::Dashed),
            _ => (0.7 + 1.5 * belief, 0.45 + 0.55 * belief, Dash::Solid),
        };
        Stroke { paint: Paint::faded(self.ink(), opacity), width, dash }
    }
}

/// Nodes on a circle: no straight edge passes behind a third node.
struct Layout<'a> {
    nodes: &'a Nodes,
    /// Place of each node relative to the panel.
    places: Vec<Point>,
    centre: Point,
    node_radius: f64,
    width: f64,
    height: f64,
}

impl<'a> Layout<'a> {
    fn new(nodes: &'a Nodes, order: &[usize]) -> Self {
        let count = nodes.len();
        let inside = nodes.names.iter().all(|name| text_width(name, LABEL) <= INSIDE);
        let node_radius = if inside { 18.0 } else { 8.0 };
        let radius = (count as f64 * 13.0).clamp(90.0, 190.0);
        let widest = nodes.names.iter().map(|name| text_width(name, LABEL)).fold(0.0, f64::max);
        let room = if inside { 10.0 } else { widest.min(LABEL_ROOM) + 8.0 };
        let half_width = (radius + node_radius + room).max(170.0);
        let half_height = radius + node_radius + if inside { 8.0 } else { 26.0 };
        let centre = (half_width, half_height);
        let mut places = vec![centre; count];
        for (turn, &node) in order.iter().enumerate() {
            let angle = TAU * (turn as f64 / count as f64 - 0.25);
            places[node] = (centre.0 + radius * angle.cos(), centre.1 + radius * angle.sin());
        }
        let (width, height) = (2.0 * half_width + 10.0, 2.0 * half_height);
        Self { nodes, places, centre, node_radius, width, height }
    }

    fn panel(&self, canvas: &mut Canvas, left: f64, side: Side, edges: &[DrawnEdge]) {
        let style = TextStyle::new(14.0, Ink::Text).bold().middle();
        canvas.text((left + self.centre.0, 20.0), side.title(), style);
        for edge in edges {
            self.edge(canvas, left, edge);
        }
        for node in 0..self.nodes.len() {
            self.node(canvas, left, side, node);
        }
    }

    fn edge(&self, canvas: &mut Canvas, left: f64, edge: &DrawnEdge) {
        let shift = |(x, y): Point| (x + left, y + HEADER);
        let (from, to) = (shift(self.places[edge.from]), shift(self.places[edge.to]));
        let curve = bend(from, to, shift(self.centre));
        let stroke = edge.kind.stroke(edge.probability);
        let head = 7.0 + stroke.width;
        let near = |point: &Point, end: Point, gap: f64| distance(*point, end) < gap;
        let tip_gap = self.node_radius + 2.0;
        let visible = |p: &Point| !near(p, from, tip_gap) && !near(p, to, tip_gap + head * 0.8);
        let line: Vec<Point> = curve.iter().copied().filter(visible).collect();
        let Some(&last) = line.last() else { return };
        canvas.polyline(line, stroke);
        canvas.hover(self.describe(edge));
        canvas.polygon(arrow_head(last, to, tip_gap, head), stroke.paint);
    }

    fn describe(&self, edge: &DrawnEdge) -> String {
        let (from, to) = (&self.nodes.names[edge.from], &self.nodes.names[edge.to]);
        let what = match edge.kind {
            Kind::Plain if self.nodes.true_edges.is_some() => return format!("{from} → {to}"),
            Kind::Missing => return format!("{from} → {to}: missing"),
            Kind::Plain => "",
            Kind::Found => "found, ",
            Kind::Extra => "does not exist, ",
            Kind::Turned => "turned round, ",
        };
        format!("{from} → {to}: {what}belief {:.2}", edge.probability)
    }

    fn node(&self, canvas: &mut Canvas, left: f64, side: Side, node: usize) {
        let (x, y) = self.places[node];
        let place = (x + left, y + HEADER);
        let name = &self.nodes.names[node];
        canvas.disc(place, self.node_radius, Ink::Paper);
        let (fill, ring, ink) = if side.has(self.nodes, node) {
            (0.16, Stroke::solid(Ink::Accent, 1.4), Ink::Text)
        } else {
            (0.0, Stroke::dashed(Ink::Muted, 1.4), Ink::Muted)
        };
        canvas.disc(place, self.node_radius, Paint::faded(Ink::Accent, fill));
        canvas.hover(name.clone());
        canvas.ring(place, self.node_radius, ring);
        let style = TextStyle::new(LABEL, ink);
        if self.node_radius > 10.0 {
            canvas.text((place.0, place.1 + 4.5), name.clone(), style.middle());
            return;
        }
        let out = (x - self.centre.0, y - self.centre.1);
        let length = out.0.hypot(out.1).max(1.0);
        let (cos, sin) = (out.0 / length, out.1 / length);
        let anchor = match cos {
            c if c > 0.35 => Anchor::Start,
            c if c < -0.35 => Anchor::End,
            _ => Anchor::Middle,
        };
        let gap = self.node_radius + 6.0;
        let at = (place.0 + gap * cos, place.1 + (gap + 3.0) * sin + 4.5);
        canvas.text(at, fitted(name, LABEL, LABEL_ROOM), TextStyle { anchor, ..style });
    }
}

fn legend(canvas: &mut Canvas, edges: &[DrawnEdge]) {
    let entries = [
        (Kind::Found, "found"),
        (Kind::Missing, "missing"),
        (Kind::Turned, "turned round"),
        (Kind::Extra, "does not exist"),
    ];
    let present = |kind: Kind| edges.iter().any(|edge| edge.kind == kind);
    let entries: Vec<_> = entries.into_iter().filter(|(kind, _)| present(*kind)).collect();
    let size = 12.0;
    let entry_width = |text: &str| 34.0 + text_width(text, size) + 20.0;
    let total: f64 = entries.iter().map(|(_, text)| entry_width(text)).sum();
    let (width, height) = canvas.size();
    let mut x = (width * 0.75 - total / 2.0).min(width - total).max(0.0);
    for (kind, text) in entries {
        let y = height - 12.0;
        canvas.line((x, y - 4.0), (x + 28.0, y - 4.0), kind.stroke(1.0));
        canvas.text((x + 34.0, y), text, TextStyle::new(size, Ink::Muted));
        x += entry_width(text);
    }
}
