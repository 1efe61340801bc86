//! Curved edges and arrow heads.

use crate::report::canvas::Point;

/// Points of a curved edge; enough to cut it off close to its nodes.
const CURVE_POINTS: usize = 100;

/// A curve from node to node, drawn towards the centre so that edges to one node arrive apart; the
/// shorter the edge, the less it bends.
pub(super) fn bend(from: Point, to: Point, centre: Point) -> Vec<Point> {
    let mid = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
    let across = (to.1 - from.1, from.0 - to.0);
    let inward = (centre.0 - mid.0, centre.1 - mid.1);
    let pull = (0.25 * distance(from, to) / inward.0.hypot(inward.1).max(1e-6)).min(0.3);
    let control =
        (mid.0 + pull * inward.0 + 0.05 * across.0, mid.1 + pull * inward.1 + 0.05 * across.1);
    let point = |n: usize| {
        let t = n as f64 / CURVE_POINTS as f64;
        let blend = |a: f64, b: f64, c: f64| {
            (1.0 - t).powi(2) * a + 2.0 * t * (1.0 - t) * b + t.powi(2) * c
        };
        (blend(from.0, control.0, to.0), blend(from.1, control.1, to.1))
    };
    (0..=CURVE_POINTS).map(point).collect()
}

/// A triangle that starts at the end of the line and whose tip touches the node.
pub(super) fn arrow_head(line_end: Point, node: Point, gap: f64, length: f64) -> Vec<Point> {
    let reach = distance(line_end, node).max(1e-6);
    let (ux, uy) = ((node.0 - line_end.0) / reach, (node.1 - line_end.1) / reach);
    let tip = (node.0 - gap * ux, node.1 - gap * uy);
    let base = (tip.0 - length * ux, tip.1 - length * uy);
    let half = 0.42 * length;
    vec![tip, (base.0 - half * uy, base.1 + half * ux), (base.0 + half * uy, base.1 - half * ux)]
}

/// Euclidean distance.
pub(super) fn distance(a: Point, b: Point) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_ends_at_its_nodes_and_bends_inward() {
        let (from, to, centre) = ((0.0, 0.0), (100.0, 0.0), (50.0, 80.0));
        let curve = bend(from, to, centre);
        assert!(distance(curve[0], from) < 1e-9 && distance(curve[CURVE_POINTS], to) < 1e-9);
        let middle = curve[CURVE_POINTS / 2];
        assert!(middle.1 > 5.0 && middle.1 < 20.0, "{middle:?}");
    }

    #[test]
    fn an_arrow_stops_short_of_its_node() {
        let head = arrow_head((0.0, 0.0), (50.0, 0.0), 10.0, 8.0);
        assert_eq!(head[0], (40.0, 0.0));
        assert!(head[1..].iter().all(|base| (base.0 - 32.0).abs() < 1e-9));
    }
}
