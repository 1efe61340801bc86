use domino_core::Dag;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DagError;

/// A law over graphs; variables are always named at random, so that no name tells of the order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GraphFamily {
    /// `0 → 1 → … → n − 1`.
    Chain,
    /// A chain in which each variable also causes the next but one.
    Bidiagonal,
    /// One variable with all others as causes.
    Collider,
    /// A binary tree in which each variable also causes its grandchildren.
    Jungle,
    /// Every edge that an order allows.
    Full,
    /// Each edge along an order with this probability; a variable left alone is joined to another.
    Random {
        /// Probability of each edge, 0 to 1.
        edge_probability: f64,
    },
    /// Each edge along an order with one probability, by the expected number of edges per variable.
    ErdosRenyi {
        /// Expected edges divided by variables; at most `(n − 1) / 2`, which is every edge.
        edges_per_variable: f64,
    },
    /// Each new variable takes this many causes among the earlier ones, in proportion to one plus
    /// the number of effects they already have.
    ScaleFree {
        /// Causes of each variable, fewer where there are fewer earlier ones.
        edges_per_variable: usize,
    },
}

impl GraphFamily {
    /// A graph over `dim` variables.
    ///
    /// # Errors
    /// [`DagError::Option`] for a probability outside 0 to 1 or a negative number of edges.
    ///
    /// Chain to random: Ke et al., *Learning neural causal models from unknown interventions*, arXiv
    /// 1910.01075, as Lippe, Cohen & Gavves (ICLR 2022, arXiv 2107.10483) draw them. Erdős & Rényi
    /// 1959. Barabási & Albert 1999.
    ///
    /// ```
    /// use domino_core::{Seed, Stream};
    /// use domino_dag::networks::GraphFamily;
    ///
    /// let mut rng = Seed(0).rng(Stream::World);
    /// let jungle = GraphFamily::Jungle.draw(25, &mut rng)?;
    /// assert_eq!(jungle.edge_count(), 24 + 22); // every variable but the root, but the first three
    /// # Ok::<(), domino_dag::DagError>(())
    /// ```
    pub fn draw(self, dim: usize, rng: &mut dyn Rng) -> Result<Dag, DagError> {
        let mut names: Vec<usize> = (0..dim).collect();
        names.shuffle(rng);
        let edges = self.edges(dim, rng)?;
        let named: Vec<_> = edges.iter().map(|&(i, j)| (names[i], names[j])).collect();
        Ok(Dag::from_edges(dim, &named)?)
    }

    /// Edges from smaller to larger places.
    fn edges(self, n: usize, rng: &mut dyn Rng) -> Result<Vec<(usize, usize)>, DagError> {
        Ok(match self {
            Self::Chain => forward(n, |i, j| j == i + 1),
            Self::Bidiagonal => forward(n, |i, j| j <= i + 2),
            Self::Collider => forward(n, |_, j| j + 1 == n),
            Self::Jungle => forward(n, |i, j| {
                let mother = (j - 1) / 2;
                i == mother || (mother > 0 && i == (mother - 1) / 2)
            }),
            Self::Full => forward(n, |_, _| true),
            Self::Random { edge_probability } => {
                let p = probability("edge_probability", edge_probability)?;
                let edges = forward(n, |_, _| rng.random_bool(p));
                joined(n, edges, rng)
            }
            Self::ErdosRenyi { edges_per_variable } => {
                if !(0.0..=f64::MAX).contains(&edges_per_variable) {
                    let expected = "a number, 0 or more";
                    let (key, got) = ("edges_per_variable", edges_per_variable);
                    return Err(DagError::Option { key, expected, got });
                }
                let p = (2.0 * edges_per_variable / (n.max(2) - 1) as f64).min(1.0);
                forward(n, |_, _| rng.random_bool(p))
            }
            Self::ScaleFree { edges_per_variable } => scale_free(n, edges_per_variable, rng),
        })
    }
}

fn forward(n: usize, mut keep: impl FnMut(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let all = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    all.filter(|&(i, j)| keep(i, j)).collect()
}

fn probability(key: &'static str, got: f64) -> Result<f64, DagError> {
    let expected = "a number from 0 to 1";
    if (0.0..=1.0).contains(&got) { Ok(got) } else { Err(DagError::Option { key, expected, got }) }
}

/// Joins each variable without an edge to a random other one.
fn joined(n: usize, mut edges: Vec<(usize, usize)>, rng: &mut dyn Rng) -> Vec<(usize, usize)> {
    let mut touched = vec![n < 2; n];
    for &(i, j) in &edges {
        (touched[i], touched[j]) = (true, true);
    }
    for v in 0..n {
        if !touched[v] {
            let pick = rng.random_range(0..n - 1);
            let other = if pick >= v { pick + 1 } else { pick };
            edges.push((v.min(other), v.max(other)));
            (touched[v], touched[other]) = (true, true);
        }
    }
    edges
}

fn scale_free(n: usize, causes: usize, rng: &mut dyn Rng) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    let mut weights = vec![1.0_f64; n];
    for v in 1..n {
        let mut open: Vec<usize> = (0..v).collect();
        for _ in 0..causes.min(v) {
            let total: f64 = open.iter().map(|&u| weights[u]).sum();
            let level = rng.random::<f64>() * total;
            let mut sum = 0.0;
            let at = open.iter().position(|&u| {
                sum += weights[u];
                level < sum
            });
            let u = open.swap_remove(at.unwrap_or(open.len() - 1));
            edges.push((u, v));
        }
        edges.iter().filter(|e| e.1 == v).for_each(|&(u, _)| weights[u] += 1.0);
    }
    edges
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;

    fn count(family: GraphFamily, n: usize, seed: u64) -> usize {
        family.draw(n, &mut Seed(seed).rng(Stream::World)).unwrap().edge_count()
    }

    #[test]
    fn fixed_families_have_their_edges() {
        for (family, edges) in [
            (GraphFamily::Chain, 24),
            (GraphFamily::Bidiagonal, 47),
            (GraphFamily::Collider, 24),
            (GraphFamily::Jungle, 46),
            (GraphFamily::Full, 300),
            (GraphFamily::ScaleFree { edges_per_variable: 2 }, 47),
        ] {
            assert_eq!(count(family, 25, 3), edges, "{family:?}");
            assert_eq!(count(family, 1, 3), 0);
        }
    }

    #[test]
    fn random_families_have_their_mean_and_nobody_is_alone() {
        let mean = |family| (0..50).map(|s| count(family, 20, s)).sum::<usize>() as f64 / 50.0;
        assert!((mean(GraphFamily::ErdosRenyi { edges_per_variable: 2.0 }) - 40.0).abs() < 2.5);
        assert!((mean(GraphFamily::Random { edge_probability: 0.3 }) - 57.0).abs() < 3.0);
        let sparse = GraphFamily::Random { edge_probability: 0.0 };
        let dag = sparse.draw(9, &mut Seed(0).rng(Stream::World)).unwrap();
        assert!((0..9).all(|v| dag.parents(v).chain(dag.children(v)).next().is_some()));
    }

    #[test]
    fn scale_free_graphs_have_hubs() {
        let most = |family: GraphFamily| {
            let dag = family.draw(300, &mut Seed(5).rng(Stream::World)).unwrap();
            (0..300).map(|v| dag.children(v).count()).max().unwrap()
        };
        let hub = most(GraphFamily::ScaleFree { edges_per_variable: 2 });
        assert!(hub > 2 * most(GraphFamily::ErdosRenyi { edges_per_variable: 2.0 }), "{hub}");
    }

    #[test]
    fn names_do_not_tell_the_order_and_bad_options_are_named() {
        let starts: Vec<usize> = (0..20)
            .map(|seed| {
                let dag = GraphFamily::Chain.draw(10, &mut Seed(seed).rng(Stream::World)).unwrap();
                dag.topological_order()[0]
            })
            .collect();
        assert!(starts.iter().any(|&s| s != starts[0]));
        let bad = GraphFamily::Random { edge_probability: 1.5 };
        let error = bad.draw(3, &mut Seed(0).rng(Stream::World)).unwrap_err();
        assert_eq!(error.to_string(), "edge_probability: expected a number from 0 to 1, got 1.5");
    }

    #[test]
    fn a_thousand_variables_are_no_problem() {
        assert_eq!(count(GraphFamily::Chain, 1000, 0), 999);
    }
}
