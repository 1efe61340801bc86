use domino_core::Dag;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distinct::on_distinct;
use crate::equivalence::EquivalenceClass;
use crate::gaussian_score::{GaussianScore, LEAST_GAIN};
use crate::{DagError, LearnedGraph, Samples, StructureLearner};

/// Undirected neighbours that an insertion directs or a deletion frees, at most.
const MOST_TURNED: usize = 4;

/// Greedy interventional equivalence search for linear Gaussian data with known targets.
///
/// Three phases, repeated until none gains: insert edges, delete edges, turn edges, each the best
/// single change of the score of the class. Insertions and deletions are Chickering's operators on
/// the interventional essential graph; turning is tried on the edges of one member of the class. The
/// score is the Gaussian likelihood without the rows that target a variable, minus `ln n / 2` per
/// edge. Without interventions this is greedy equivalence search (GES).
///
/// Hauser & Bühlmann, JMLR 2012, arXiv 1104.2808; Chickering, *Optimal structure identification with
/// greedy search*, JMLR 2002.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gies {}

impl StructureLearner<Samples> for Gies {
    fn learn(&self, samples: &Samples, _: &mut dyn Rng) -> Result<LearnedGraph, DagError> {
        on_distinct(samples, |samples| {
            let mut search = Search::new(samples)?;
            search.run();
            search.class.learned()
        })
    }
}

struct Search {
    score: GaussianScore,
    targets: Vec<Vec<usize>>,
    class: EquivalenceClass,
    /// Score of the class, from which each change has to rise.
    reached: f64,
}

/// A change of the class: what it gains, and a member of the class after it.
type Change = (f64, Dag);

impl Search {
    fn new(samples: &Samples) -> Result<Self, DagError> {
        let targets = samples.rows_by_target().into_iter().enumerate();
        let targets = targets.filter(|(_, rows)| !rows.is_empty()).map(|(k, _)| vec![k]).collect();
        let class = EquivalenceClass::skeleton(samples.dim(), std::iter::empty());
        let score = GaussianScore::new(samples, 0.0)?;
        let mut search = Self { score, targets, class, reached: 0.0 };
        search.reached = search.score.of(&Dag::empty(samples.dim()));
        Ok(search)
    }

    fn run(&mut self) {
        loop {
            let before = self.class.clone();
            self.climb(Self::best_insertion);
            self.climb(Self::best_deletion);
            self.climb(Self::best_turn);
            if self.class == before {
                return;
            }
        }
    }

    /// Takes the best change while there is one.
    fn climb(&mut self, best: fn(&mut Self) -> Option<Change>) {
        while let Some((gain, dag)) = best(self) {
            self.reached += gain;
            self.class = EquivalenceClass::of_interventions(&dag, &self.targets);
        }
    }

    /// Keeps the change to a partially directed graph, if it has a member that gains more.
    fn consider(&mut self, changed: &EquivalenceClass, best: &mut Option<Change>) {
        if let Some(dag) = changed.representative() {
            let gain = self.score.of(&dag) - self.reached;
            if gain > LEAST_GAIN && best.as_ref().is_none_or(|b| gain > b.0) {
                *best = Some((gain, dag));
            }
        }
    }

    fn best_insertion(&mut self) -> Option<Change> {
        let mut best: Option<Change> = None;
        for (x, y) in self.pairs().filter(|&(x, y)| !self.class.adjacent(x, y)).collect::<Vec<_>>()
        {
            let (common, free) = self.neighbours(x, y);
            for turned in small_subsets(&free) {
                let clique = [common.as_slice(), &turned].concat();
                if !self.is_clique(&clique) || self.reaches(y, x, &clique) {
                    continue;
                }
                let base = self.with_parents(y, &clique, x);
                let gain = self.score.local(y, &with(&base, x)) - self.score.local(y, &base);
                if gain > LEAST_GAIN && best.as_ref().is_none_or(|b| gain > b.0) {
                    let mut changed = self.class.clone();
                    for &t in &clique {
                        changed.direct(t, y);
                    }
                    changed.direct(x, y);
                    self.consider(&changed, &mut best);
                }
            }
        }
        best
    }

    fn best_deletion(&mut self) -> Option<Change> {
        let mut best: Option<Change> = None;
        let joined = |c: &EquivalenceClass, x, y| c.runs(x, y) || c.is_undirected(x, y);
        for (x, y) in self.pairs().filter(|&(x, y)| joined(&self.class, x, y)).collect::<Vec<_>>() {
            let (common, _) = self.neighbours(x, y);
            for freed in small_subsets(&common) {
                let kept: Vec<usize> =
                    common.iter().copied().filter(|k| !freed.contains(k)).collect();
                if !self.is_clique(&kept) {
                    continue;
                }
                let base = self.with_parents(y, &kept, x);
                let gain = self.score.local(y, &base) - self.score.local(y, &with(&base, x));
                if gain > LEAST_GAIN && best.as_ref().is_none_or(|b| gain > b.0) {
                    let mut changed = self.class.clone();
                    changed.remove(x, y);
                    for &h in &freed {
                        changed.direct(y, h);
                        if changed.is_undirected(x, h) {
                            changed.direct(x, h);
                        }
                    }
                    self.consider(&changed, &mut best);
                }
            }
        }
        best
    }

    /// The best edge of a member to turn.
    fn best_turn(&mut self) -> Option<Change> {
        let dag = self.class.representative()?;
        let mut best: Option<Change> = None;
        for (x, y) in dag.edges() {
            let turned = dag.edges().map(|e| if e == (x, y) { (y, x) } else { e });
            let Ok(turned) = Dag::from_edges(dag.dim(), &turned.collect::<Vec<_>>()) else {
                continue;
            };
            let mut score = |dag: &Dag| -> f64 {
                [x, y]
                    .iter()
                    .map(|&k| self.score.local(k, &dag.parents(k).collect::<Vec<_>>()))
                    .sum()
            };
            let gain = score(&turned) - score(&dag);
            if gain > LEAST_GAIN && best.as_ref().is_none_or(|b| gain > b.0) {
                best = Some((gain, turned));
            }
        }
        best
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let d = self.class.dim();
        (0..d).flat_map(move |x| (0..d).map(move |y| (x, y))).filter(|(x, y)| x != y)
    }

    /// Undirected neighbours of `y` adjacent to `x`, and those that are not.
    fn neighbours(&self, x: usize, y: usize) -> (Vec<usize>, Vec<usize>) {
        let near =
            (0..self.class.dim()).filter(|&k| k != x && k != y && self.class.is_undirected(k, y));
        near.partition(|&k| self.class.adjacent(k, x))
    }

    fn is_clique(&self, of: &[usize]) -> bool {
        of.iter().enumerate().all(|(a, &i)| of[..a].iter().all(|&j| self.class.adjacent(i, j)))
    }

    /// Whether a path of directed and undirected edges leads from `from` to `to` around `blocked`.
    fn reaches(&self, from: usize, to: usize, blocked: &[usize]) -> bool {
        let d = self.class.dim();
        let mut seen = vec![false; d];
        for &k in blocked {
            seen[k] = true;
        }
        seen[from] = true;
        let mut open = vec![from];
        while let Some(i) = open.pop() {
            if i == to {
                return true;
            }
            let leads = |&j: &usize| self.class.runs(i, j) || self.class.is_undirected(i, j);
            let next: Vec<usize> = (0..d).filter(|&j| !seen[j]).filter(leads).collect();
            for &j in &next {
                seen[j] = true;
            }
            open.extend(next);
        }
        false
    }

    /// The causes of `y` without `x`, and these, ascending.
    fn with_parents(&self, y: usize, these: &[usize], x: usize) -> Vec<usize> {
        let included = |&k: &usize| k != x && (self.class.runs(k, y) || these.contains(&k));
        (0..self.class.dim()).filter(included).collect()
    }
}

fn with(set: &[usize], x: usize) -> Vec<usize> {
    let mut more = set.to_vec();
    more.push(x);
    more.sort_unstable();
    more
}

/// Subsets of the first few elements.
fn small_subsets(of: &[usize]) -> Vec<Vec<usize>> {
    let few = &of[..of.len().min(MOST_TURNED)];
    let member = |bits: usize| (0..few.len()).filter(move |b| bits >> b & 1 == 1);
    (0..1 << few.len()).map(|bits| member(bits).map(|b| few[b]).collect()).collect()
}
