//! Places of nodes in layers, causes above effects.
//!
//! Sugiyama, Tagawa & Toda, *Methods for visual understanding of hierarchical system structures*,
//! IEEE Transactions on Systems, Man, and Cybernetics, 1981: layers by the longest path, a bend in
//! every layer that an edge passes, orders by the mean place of neighbours.

use domino::core::Dag;

use crate::report::canvas::Point;

/// Room between neighbours of a layer.
const GAP: f64 = 26.0;
/// Room that an edge takes where it passes a layer.
const BEND: f64 = 10.0;
/// From the middle of a layer to that of the next.
const LAYER: f64 = 92.0;
/// Rows of nodes without edges are at least so wide before the next begins.
const ROW: f64 = 640.0;
const SWEEPS: usize = 12;

/// Where everything stands; the middle of the top layer is at a height of 0.
pub(super) struct Layout {
    /// Middles of the nodes, `[d]`.
    pub(super) nodes: Vec<Point>,
    /// Edges with the points that they pass between their ends, from top to bottom.
    pub(super) edges: Vec<((usize, usize), Vec<Point>)>,
}

/// Something that takes room in a layer.
#[derive(Clone, Debug)]
struct Item {
    width: f64,
    layer: usize,
    x: f64,
    /// Items of the layer above and of that below.
    linked: [Vec<usize>; 2],
}

impl Layout {
    /// The layout of a graph whose nodes have these widths.
    pub(super) fn of(dag: &Dag, widths: &[f64]) -> Self {
        let lone = |&k: &usize| dag.parents(k).next().is_none() && dag.children(k).next().is_none();
        let mut items = Vec::new();
        let levels = dag.levels();
        for (k, &width) in widths.iter().enumerate() {
            let layer = levels.iter().position(|level| level.contains(&k)).unwrap_or(0);
            items.push(Item { width, layer, x: 0.0, linked: <_>::default() });
        }
        let mut paths = Vec::new();
        for (from, to) in dag.edges() {
            let mut path = vec![from];
            for layer in items[from].layer + 1..items[to].layer {
                path.push(items.len());
                items.push(Item { width: BEND, layer, x: 0.0, linked: <_>::default() });
            }
            path.push(to);
            for ends in path.windows(2) {
                items[ends[0]].linked[1].push(ends[1]);
                items[ends[1]].linked[0].push(ends[0]);
            }
            paths.push(((from, to), path));
        }
        let mut layers = vec![Vec::new(); levels.len()];
        for (number, item) in items.iter().enumerate() {
            if number >= dag.dim() || !lone(&number) {
                layers[item.layer].push(number);
            }
        }
        layers.retain(|layer| !layer.is_empty());
        order(&mut layers, &mut items);
        place(&layers, &mut items);
        let mut points: Vec<Point> =
            items.iter().map(|item| (item.x, item.layer as f64 * LAYER)).collect();
        let lone: Vec<usize> = (0..dag.dim()).filter(lone).collect();
        place_lone(&lone, widths, layers.len(), &mut points);
        let inner = |path: &[usize]| path[1..path.len() - 1].iter().map(|&n| points[n]).collect();
        let edges = paths.iter().map(|(ends, path)| (*ends, inner(path))).collect();
        Self { nodes: points[..dag.dim()].to_vec(), edges }
    }
}

/// Orders each layer by the mean position of the neighbours in the layer above, then below.
fn order(layers: &mut [Vec<usize>], items: &mut [Item]) {
    for layer in layers.iter() {
        number(layer, items);
    }
    let count = layers.len();
    for sweep in 0..SWEEPS {
        let side = sweep % 2;
        for step in 0..count {
            let layer = &mut layers[if side == 0 { step } else { count - 1 - step }];
            let key = |n: usize| mean(&items[n].linked[side], items).unwrap_or(items[n].x);
            let mut keyed: Vec<(f64, usize)> = layer.iter().map(|&n| (key(n), n)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            *layer = keyed.into_iter().map(|(_, n)| n).collect();
            number(layer, items);
        }
    }
}

/// Positions in a layer, as if all items were equally wide.
fn number(layer: &[usize], items: &mut [Item]) {
    for (position, &item) in layer.iter().enumerate() {
        items[item].x = position as f64 - (layer.len() - 1) as f64 / 2.0;
    }
}

fn mean(of: &[usize], items: &[Item]) -> Option<f64> {
    let sum: f64 = of.iter().map(|&n| items[n].x).sum();
    (!of.is_empty()).then(|| sum / of.len() as f64)
}

/// Gives each item room, as near to the mean of its neighbours as order and room allow.
fn place(layers: &[Vec<usize>], items: &mut [Item]) {
    for layer in layers {
        let wanted = vec![0.0; layer.len()];
        spread(layer, &wanted, items);
    }
    for sweep in 0..2 * SWEEPS {
        let side = sweep % 2;
        for step in 0..layers.len() {
            let layer = &layers[if side == 0 { step } else { layers.len() - 1 - step }];
            let last = sweep + 2 >= 2 * SWEEPS;
            let wanted = |&n: &usize| {
                let all = items[n].linked.concat();
                let near = if last { &all } else { &items[n].linked[side] };
                mean(near, items).unwrap_or(items[n].x)
            };
            let wanted: Vec<f64> = layer.iter().map(wanted).collect();
            spread(layer, &wanted, items);
        }
    }
}

/// The mean of pushing everything right and pushing everything left keeps the room between items.
fn spread(layer: &[usize], wanted: &[f64], items: &mut [Item]) {
    let room = |a: usize, b: usize, items: &[Item]| {
        f64::midpoint(items[layer[a]].width, items[layer[b]].width) + GAP
    };
    let (mut right, mut left) = (wanted.to_vec(), wanted.to_vec());
    for k in 1..layer.len() {
        right[k] = right[k].max(right[k - 1] + room(k - 1, k, items));
        let back = layer.len() - 1 - k;
        left[back] = left[back].min(left[back + 1] - room(back, back + 1, items));
    }
    for (k, &item) in layer.iter().enumerate() {
        items[item].x = f64::midpoint(right[k], left[k]);
    }
}

/// Puts nodes without edges in rows below the layers.
fn place_lone(lone: &[usize], widths: &[f64], layers: usize, points: &mut [Point]) {
    let [mut least, mut most] = [0.0_f64, 0.0_f64];
    for (number, (x, _)) in points.iter().enumerate() {
        if !lone.contains(&number) {
            (least, most) = (least.min(*x), most.max(*x));
        }
    }
    let room = (most - least).max(ROW);
    let middle = f64::midpoint(least, most);
    let (mut row, mut layer) = (Vec::new(), layers);
    let mut used = 0.0;
    let mut finish = |row: &mut Vec<usize>, used: f64, layer: usize| {
        let mut x = middle - (used - GAP) / 2.0;
        for node in row.drain(..) {
            points[node] = (x + widths[node] / 2.0, layer as f64 * LAYER);
            x += widths[node] + GAP;
        }
    };
    for &node in lone {
        if used + widths[node] > room && !row.is_empty() {
            finish(&mut row, used, layer);
            (used, layer) = (0.0, layer + 1);
        }
        row.push(node);
        used += widths[node] + GAP;
    }
    finish(&mut row, used, layer);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(layout: &Layout, widths: &[f64]) -> bool {
        let near = |i: usize, j: usize| {
            let (a, b) = (layout.nodes[i], layout.nodes[j]);
            (a.1 - b.1).abs() < 1.0 && (a.0 - b.0).abs() < f64::midpoint(widths[i], widths[j])
        };
        (0..widths.len()).any(|j| (0..j).any(|i| near(i, j)))
    }

    #[test]
    fn effects_stand_below_their_causes_and_nothing_overlaps() {
        for dag in [
            Dag::chain(5),
            Dag::full(6),
            Dag::empty(30),
            Dag::empty(1),
            Dag::forward(20, |i, j| (i * 7 + j * 3) % 5 == 0),
        ] {
            let widths: Vec<f64> = (0..dag.dim()).map(|k| 30.0 + (k * 37 % 90) as f64).collect();
            let layout = Layout::of(&dag, &widths);
            assert!(!overlap(&layout, &widths), "{dag:?}");
            for (i, j) in dag.edges() {
                assert!(layout.nodes[i].1 + 1.0 < layout.nodes[j].1, "{dag:?}");
            }
            assert_eq!(layout.edges.len(), dag.edge_count());
        }
    }

    #[test]
    fn a_long_edge_passes_beside_the_nodes_between() {
        let dag = Dag::from_edges(3, &[(0, 1), (1, 2), (0, 2)]).expect("acyclic");
        let layout = Layout::of(&dag, &[40.0; 3]);
        let (_, bends) = layout.edges.iter().find(|(ends, _)| *ends == (0, 2)).expect("the edge");
        assert_eq!(bends.len(), 1);
        assert!((bends[0].0 - layout.nodes[1].0).abs() > 25.0);
    }

    #[test]
    fn a_chain_is_straight() {
        let layout = Layout::of(&Dag::chain(4), &[40.0, 90.0, 20.0, 60.0]);
        assert!(layout.nodes.iter().all(|(x, _)| x.abs() < 1e-9));
    }
}
