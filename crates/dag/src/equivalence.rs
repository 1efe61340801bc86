use domino_core::Dag;
use nalgebra::DMatrix;

use crate::acyclic::without_cycles;
use crate::{DagError, LearnedGraph};

/// Graphs that data cannot tell apart, as one partially directed graph: directed edges are common to
/// all members, undirected ones run either way.
///
/// ```
/// use domino_core::Dag;
/// use domino_dag::EquivalenceClass;
///
/// let class = EquivalenceClass::of(&Dag::chain(3));
/// assert_eq!(class.undirected().collect::<Vec<_>>(), [(0, 1), (1, 2)]);
/// assert_eq!(class.members(10).len(), 3); // all but the collider
///
/// let seen = EquivalenceClass::of_interventions(&Dag::chain(3), &[vec![0]]);
/// assert_eq!(seen.directed().collect::<Vec<_>>(), [(0, 1), (1, 2)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EquivalenceClass {
    dim: usize,
    /// Row-major `[from, to]`; undirected edges are present both ways.
    arcs: Vec<bool>,
}

impl EquivalenceClass {
    /// The graphs that have the same conditional independences as `dag`.
    ///
    /// Verma & Pearl, *Equivalence and synthesis of causal models*, UAI 1990; Meek, *Causal inference
    /// and causal explanation with background knowledge*, UAI 1995.
    pub fn of(dag: &Dag) -> Self {
        Self::of_interventions(dag, &[])
    }

    /// The graphs that observational data and perfect interventions on each of these sets of
    /// variables cannot tell from `dag`: besides colliders, edges are directed that enter or leave a
    /// set.
    ///
    /// Hauser & Bühlmann, *Characterization and greedy learning of interventional Markov equivalence
    /// classes of directed acyclic graphs*, JMLR 2012, theorem 10.
    pub fn of_interventions(dag: &Dag, targets: &[Vec<usize>]) -> Self {
        let mut class = Self::skeleton(dag.dim(), dag.edges());
        let cut = |i: usize, j: usize| targets.iter().any(|t| t.contains(&i) != t.contains(&j));
        for (i, j) in dag.edges() {
            let collider =
                dag.parents(j).any(|k| k != i && !dag.has_edge(i, k) && !dag.has_edge(k, i));
            if collider || cut(i, j) {
                class.direct(i, j);
            }
        }
        class.close();
        class
    }

    /// Undirected edges between these pairs.
    pub(crate) fn skeleton(dim: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut arcs = vec![false; dim * dim];
        pairs.for_each(|(i, j)| (arcs[i * dim + j], arcs[j * dim + i]) = (true, true));
        Self { dim, arcs }
    }

    /// Number of variables.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Edges whose direction is common to all members, `(from, to)`.
    pub fn directed(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.pairs().filter(|&(i, j)| self.runs(i, j))
    }

    /// Edges that run either way, smaller variable first.
    pub fn undirected(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.pairs().filter(|&(i, j)| i < j && self.is_undirected(i, j))
    }

    /// Members, at most `limit` of them.
    pub fn members(&self, limit: usize) -> Vec<Dag> {
        let mut found = Vec::new();
        self.collect_members(limit, &mut found);
        found
    }

    /// A member, if there is one.
    ///
    /// Dor & Tarsi, *A simple algorithm to construct a consistent extension of a partially oriented
    /// graph*, 1992.
    pub fn representative(&self) -> Option<Dag> {
        let mut directed = self.clone();
        let mut alive = vec![true; self.dim];
        for _ in 0..self.dim {
            let sink = (0..self.dim).find(|&k| alive[k] && self.can_be_last(k, &alive))?;
            for i in (0..self.dim).filter(|&i| alive[i] && self.is_undirected(i, sink)) {
                directed.direct(i, sink);
            }
            alive[sink] = false;
        }
        Dag::from_edges(self.dim, &directed.directed().collect::<Vec<_>>()).ok()
    }

    /// Whether a variable has no effect among the living and its undirected neighbours are adjacent
    /// to all its neighbours, so that directing them into it makes no new collider.
    fn can_be_last(&self, k: usize, alive: &[bool]) -> bool {
        let living = || (0..self.dim).filter(|&i| i != k && alive[i]);
        living().all(|i| !self.runs(k, i))
            && living().filter(|&i| self.is_undirected(i, k)).all(|i| {
                living().filter(|&j| j != i && self.adjacent(j, k)).all(|j| self.adjacent(i, j))
            })
    }

    fn collect_members(&self, limit: usize, found: &mut Vec<Dag>) {
        if found.len() >= limit {
            return;
        }
        let Some((i, j)) = self.undirected().next() else {
            found.extend(self.representative());
            return;
        };
        for (from, to) in [(i, j), (j, i)] {
            let mut choice = self.clone();
            choice.direct(from, to);
            choice.close();
            choice.collect_members(limit, found);
        }
    }

    /// `i → j`, and not back.
    pub(crate) fn runs(&self, i: usize, j: usize) -> bool {
        self.arcs[i * self.dim + j] && !self.arcs[j * self.dim + i]
    }

    pub(crate) fn is_undirected(&self, i: usize, j: usize) -> bool {
        self.arcs[i * self.dim + j] && self.arcs[j * self.dim + i]
    }

    pub(crate) fn adjacent(&self, i: usize, j: usize) -> bool {
        self.arcs[i * self.dim + j] || self.arcs[j * self.dim + i]
    }

    /// Makes an edge `i → j`, whatever was between them.
    pub(crate) fn direct(&mut self, i: usize, j: usize) {
        self.arcs[i * self.dim + j] = true;
        self.arcs[j * self.dim + i] = false;
    }

    pub(crate) fn remove(&mut self, i: usize, j: usize) {
        self.arcs[i * self.dim + j] = false;
        self.arcs[j * self.dim + i] = false;
    }

    /// Directs what follows from the directed edges without a new collider or a cycle.
    ///
    /// Meek 1995, rules 1 to 4.
    pub(crate) fn close(&mut self) {
        while let Some((i, j)) =
            self.pairs().find(|&(i, j)| self.is_undirected(i, j) && self.follows(i, j))
        {
            self.direct(i, j);
        }
    }

    /// Whether one of Meek's rules makes `i − j` run from `i` to `j`.
    fn follows(&self, i: usize, j: usize) -> bool {
        let all = 0..self.dim;
        let others = || all.clone().filter(|&k| k != i && k != j);
        let new_collider = others().any(|k| self.runs(k, i) && !self.adjacent(k, j));
        let cycle = others().any(|k| self.runs(i, k) && self.runs(k, j));
        let pair = |into: &dyn Fn(usize, usize) -> bool| {
            others()
                .filter(|&k| self.is_undirected(i, k))
                .any(|k| others().filter(|&l| l != k && !self.adjacent(k, l)).any(|l| into(k, l)))
        };
        let two =
            |k: usize, l: usize| self.is_undirected(i, l) && self.runs(k, j) && self.runs(l, j);
        // i − k, i adjacent to m, k → m → j, k and j not adjacent.
        let detour = others()
            .filter(|&k| self.is_undirected(i, k) && !self.adjacent(k, j))
            .any(|k| others().any(|m| self.adjacent(i, m) && self.runs(k, m) && self.runs(m, j)));
        new_collider || cycle || pair(&two) || detour
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let d = self.dim;
        (0..d).flat_map(move |i| (0..d).map(move |j| (i, j))).filter(|(i, j)| i != j)
    }

    /// The class as beliefs: 1 for directed edges, 1/2 each way for undirected ones; the graph is a
    /// member where there is one.
    pub(crate) fn learned(&self) -> Result<LearnedGraph, DagError> {
        let d = self.dim;
        let mut probs = DMatrix::zeros(d, d);
        self.directed().for_each(|at| probs[at] = 1.0);
        self.undirected().for_each(|(i, j)| (probs[(i, j)], probs[(j, i)]) = (0.5, 0.5));
        let (fallback, order, cut) = without_cycles(probs.clone())?;
        let strengths = DMatrix::zeros(d, d);
        Ok(match self.representative() {
            Some(dag) => {
                let order = dag.topological_order().to_vec();
                LearnedGraph { dag, order, edge_probs: probs, strengths }
            }
            None => LearnedGraph { dag: fallback, order, edge_probs: cut, strengths },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_dag() -> impl Strategy<Value = Dag> {
        (1_usize..6, any::<u16>()).prop_map(|(d, bits)| {
            let mut at = 0;
            let dag = Dag::forward(d, |_, _| {
                at += 1;
                bits >> (at - 1) & 1 == 1
            });
            let names: Vec<usize> = (0..d).map(|k| (k * 7 + 3) % d.max(1)).collect();
            if d % 7 == 0 { dag } else { dag.relabelled(&names).expect("a permutation") }
        })
    }

    /// Skeleton and colliders, by which classes are defined, both as lists of variables.
    fn signature(dag: &Dag) -> [Vec<Vec<usize>>; 2] {
        let joined = |i, j| dag.has_edge(i, j) || dag.has_edge(j, i);
        let mut skeleton: Vec<_> = dag.edges().map(|(i, j)| vec![i.min(j), i.max(j)]).collect();
        skeleton.sort_unstable();
        let colliders = (0..dag.dim()).flat_map(|k| {
            let parents: Vec<usize> = dag.parents(k).collect();
            let pairs = parents.iter().flat_map(|&a| parents.iter().map(move |&b| (a, b)));
            pairs
                .filter(|&(a, b)| a < b && !joined(a, b))
                .map(move |(a, b)| vec![a, b, k])
                .collect::<Vec<_>>()
        });
        [skeleton, colliders.collect()]
    }

    proptest! {
        #[test]
        fn members_are_all_graphs_with_the_skeleton_and_colliders(dag in any_dag()) {
            let class = EquivalenceClass::of(&dag);
            let members = class.members(1000);
            prop_assert!(members.contains(&dag));
            let edges: Vec<_> = dag.edges().collect();
            let mut count = 0;
            for flips in 0..1_u32 << edges.len() {
                let turned: Vec<_> = edges.iter().enumerate()
                    .map(|(e, &(i, j))| if flips >> e & 1 == 1 { (j, i) } else { (i, j) }).collect();
                let Ok(other) = Dag::from_edges(dag.dim(), &turned) else { continue };
                if signature(&other) == signature(&dag) {
                    count += 1;
                    prop_assert!(members.contains(&other));
                    prop_assert_eq!(EquivalenceClass::of(&other), class.clone());
                }
            }
            prop_assert_eq!(members.len(), count);
        }

        #[test]
        fn interventions_on_every_variable_leave_one_graph(dag in any_dag()) {
            let targets: Vec<_> = (0..dag.dim()).map(|k| vec![k]).collect();
            let class = EquivalenceClass::of_interventions(&dag, &targets);
            prop_assert_eq!(class.members(10), vec![dag]);
        }
    }

    #[test]
    fn a_class_without_member_still_gives_a_graph() {
        let mut cycle = EquivalenceClass::skeleton(3, [(0, 1), (1, 2), (2, 0)].into_iter());
        for (i, j) in [(0, 1), (1, 2), (2, 0)] {
            cycle.direct(i, j);
        }
        assert_eq!(cycle.representative(), None);
        assert_eq!(cycle.learned().unwrap().dag.edge_count(), 2);
    }
}
