use std::borrow::Cow;

use rand::Rng;
use rand::seq::SliceRandom;

use super::columns::Columns;
use super::cut::{Cut, Scan, cut_weights};

/// A node whose residuals have at most this variance is not split; scikit-learn's value, the
/// spacing of double-precision numbers at 1.
const PURE: f64 = f64::EPSILON;

/// A curvature below this is 0: scikit-learn's value, under which a leaf takes no step.
const FLAT: f64 = 1e-150;

/// The value of a leaf.
#[derive(Clone, Copy)]
pub(crate) enum LeafRule<'a> {
    /// The mean residual.
    Mean,
    /// A Newton step, `scale · Σ r / Σ curvature` over the points of the leaf.
    Newton { curvature: &'a [f64], scale: f64 },
}

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug)]
enum Node {
    Leaf(f64),
    /// Points with `value <= threshold` go to node `left`, others to `left + 1`.
    Split {
        feature: usize,
        threshold: f64,
        left: usize,
    },
}

/// A binary regression tree; its root is node 0.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// The value of the leaf that a point falls in.
    pub(crate) fn value(&self, columns: &Columns, point: usize) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf(value) => return value,
                Node::Split { feature, threshold, left } => {
                    let right = f64::from(columns.values(feature)[point]) > threshold;
                    at = left + usize::from(right);
                }
            }
        }
    }
}

/// A node that is still to be split: a stretch of every feature's order.
#[derive(Clone, Copy)]
struct Open {
    node: usize,
    start: usize,
    len: usize,
    sum: f64,
    sum_of_squares: f64,
}

impl Open {
    fn new(node: usize, start: usize, residuals: impl Iterator<Item = f64>) -> Self {
        let (mut len, mut sum, mut sum_of_squares) = (0, 0.0, 0.0);
        for r in residuals {
            len += 1;
            sum += r;
            sum_of_squares += r * r;
        }
        Self { node, start, len, sum, sum_of_squares }
    }

    fn mean(&self) -> f64 {
        self.sum / self.len as f64
    }

    fn is_pure(&self) -> bool {
        self.sum_of_squares / self.len as f64 - self.mean() * self.mean() <= PURE
    }

    fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.len
    }
}

/// Grows trees on the same features, one after another.
///
/// Every feature's ascending order is split along with the nodes, stably, so that the points of a
/// node are a stretch of every order and remain ascending in it.
pub(crate) struct Grower<'a> {
    columns: &'a Columns,
    max_depth: usize,
    /// The points of the root in every feature's order, `[D][n]`; a point may occur repeatedly.
    roots: Cow<'a, [Vec<u32>]>,
    /// The orders of the level being split and of the next one, `[D][n]`.
    orders: [Vec<Vec<u32>>; 2],
    goes_left: Vec<bool>,
    weights: Vec<f64>,
    features: Vec<usize>,
    /// Sum over the splits of the last tree of the decrease in squared error, per feature.
    gains: Vec<f64>,
}

impl<'a> Grower<'a> {
    pub(crate) fn new(columns: &'a Columns, max_depth: usize) -> Self {
        Self::from_roots(columns, Cow::Borrowed(columns.orders()), max_depth)
    }

    /// Grows on a bag of points, in which point `i` occurs `copies[i]` times.
    pub(crate) fn on_bag(columns: &'a Columns, copies: &[usize], max_depth: usize) -> Self {
        let repeated = |&i: &u32| std::iter::repeat_n(i, copies[i as usize]);
        let bag = |order: &Vec<u32>| order.iter().flat_map(repeated).collect();
        let roots = columns.orders().iter().map(bag).collect();
        Self::from_roots(columns, Cow::Owned(roots), max_depth)
    }

    fn from_roots(columns: &'a Columns, roots: Cow<'a, [Vec<u32>]>, max_depth: usize) -> Self {
        let blank = vec![vec![0; roots[0].len()]; columns.dim()];
        Self {
            columns,
            max_depth,
            roots,
            orders: [blank.clone(), blank],
            goes_left: vec![false; columns.len()],
            weights: Vec::new(),
            features: columns.splittable().to_vec(),
            gains: vec![0.0; columns.dim()],
        }
    }

    /// Sum over the splits of the last tree of the decrease in squared error, per feature, `[D]`.
    pub(crate) fn gains(&self) -> &[f64] {
        &self.gains
    }

    /// Grows a tree on residuals `[n]` and adds its value at every point, times `rate`, to
    /// `fitted`.
    pub(crate) fn grow(
        &mut self,
        residuals: &[f64],
        rule: LeafRule<'_>,
        fitted: &mut [f64],
        rate: f64,
        rng: &mut dyn Rng,
    ) -> Tree {
        self.gains.fill(0.0);
        let mut tree = Tree { nodes: vec![Node::Leaf(0.0)] };
        let root = self.order(0, self.carrier()).iter().map(|&i| residuals[i as usize]);
        let mut level = vec![Open::new(0, 0, root)];
        for depth in 0..=self.max_depth {
            let mut next = Vec::new();
            for open in level {
                let cut = if depth < self.max_depth && !open.is_pure() {
                    self.best_cut(depth, &open, residuals, rng)
                } else {
                    None
                };
                if let Some(cut) = cut {
                    next.extend(self.split(depth, &open, cut, residuals, &mut tree));
                } else {
                    let value = self.leaf_value(depth, &open, rule);
                    tree.nodes[open.node] = Node::Leaf(value);
                    self.settle(depth, &open, rate * value, fitted);
                }
            }
            level = next;
        }
        tree
    }

    fn leaf_value(&self, depth: usize, open: &Open, rule: LeafRule<'_>) -> f64 {
        let LeafRule::Newton { curvature, scale } = rule else { return open.mean() };
        let points = &self.order(depth, self.carrier())[open.range()];
        let total: f64 = points.iter().map(|&i| curvature[i as usize]).sum();
        if total < FLAT { 0.0 } else { scale * open.sum / total }
    }

    /// The best cut of a node over all features. They are visited in random order and the first
    /// best wins, so that features that tie share the splits.
    fn best_cut(
        &mut self,
        depth: usize,
        open: &Open,
        residuals: &[f64],
        rng: &mut dyn Rng,
    ) -> Option<(usize, Cut)> {
        self.features.shuffle(rng);
        cut_weights(open.len, &mut self.weights);
        let scan = Scan { residuals, mean: open.mean(), weights: &self.weights };
        let mut best: Option<(usize, Cut)> = None;
        for &feature in &self.features {
            // Even a cut that gains nothing is better than none: gains are never negative.
            let floor = best.map_or(-1.0, |(_, cut)| cut.gain);
            let order = &self.order(depth, feature)[open.range()];
            let cut = scan.best_cut(self.columns.values(feature), order, floor);
            best = cut.map(|cut| (feature, cut)).or(best);
        }
        best
    }

    /// Splits a node and hands back its two children.
    fn split(
        &mut self,
        depth: usize,
        open: &Open,
        (feature, cut): (usize, Cut),
        residuals: &[f64],
        tree: &mut Tree,
    ) -> [Open; 2] {
        self.gains[feature] += cut.gain;
        let order = if depth == 0 { &self.roots } else { &self.orders[depth % 2][..] };
        let order = &order[feature];
        let (left, right) = order[open.range()].split_at(cut.left);
        for (side, to_left) in [(left, true), (right, false)] {
            for &point in side {
                self.goes_left[point as usize] = to_left;
            }
        }

        let node = tree.nodes.len();
        let values = self.columns.values(feature);
        let [low, high] = [left[left.len() - 1], right[0]].map(|i| f64::from(values[i as usize]));
        tree.nodes[open.node] =
            Node::Split { feature, threshold: low / 2.0 + high / 2.0, left: node };
        tree.nodes.extend([Node::Leaf(0.0); 2]);
        let children = [
            Open::new(node, open.start, left.iter().map(|&i| residuals[i as usize])),
            Open::new(
                node + 1,
                open.start + cut.left,
                right.iter().map(|&i| residuals[i as usize]),
            ),
        ];
        self.part_orders(depth, open, cut.left);
        children
    }

    /// Writes the orders of a node's children to the next level. The last level needs no scan,
    /// hence only one order, to know its points by.
    fn part_orders(&mut self, depth: usize, open: &Open, left: usize) {
        let last = depth + 1 == self.max_depth;
        let carrier = self.carrier();
        for &feature in self.columns.splittable() {
            if last && feature != carrier {
                continue;
            }
            let mut parted = std::mem::take(&mut self.orders[(depth + 1) % 2][feature]);
            let order = &self.order(depth, feature)[open.range()];
            part(order, &self.goes_left, left, &mut parted[open.range()]);
            self.orders[(depth + 1) % 2][feature] = parted;
        }
    }

    /// Adds a leaf's step to all its points.
    fn settle(&self, depth: usize, open: &Open, step: f64, fitted: &mut [f64]) {
        for &point in &self.order(depth, self.carrier())[open.range()] {
            fitted[point as usize] += step;
        }
    }

    /// The feature whose order is kept on every level.
    fn carrier(&self) -> usize {
        self.columns.splittable().first().copied().unwrap_or(0)
    }

    fn order(&self, depth: usize, feature: usize) -> &[u32] {
        if depth == 0 { &self.roots[feature] } else { &self.orders[depth % 2][feature] }
    }
}

/// Copies `order` to `parted`, points that go left first, both sides in their old order.
fn part(order: &[u32], goes_left: &[bool], left: usize, parted: &mut [u32]) {
    let (mut l, mut r) = (0, left);
    for &point in order {
        let to_left = goes_left[point as usize];
        // A selection instead of a branch: which side a point takes cannot be predicted.
        let at = if to_left { l } else { r };
        parted[at] = point;
        l += usize::from(to_left);
        r += usize::from(!to_left);
    }
}
