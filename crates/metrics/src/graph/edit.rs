use crate::{Digraph, MetricError, Reversal, shd_of_digraphs};

/// Most variables that [`unlabelled_edit_distance`] takes: its time grows exponentially with them.
pub const MAX_EDIT_DIM: usize = 10;

/// Graph edit distance of graphs whose variables are matched: edges to insert and to delete.
///
/// It is [`shd_of_digraphs`] with [`Reversal::Twice`], a metric from 0 to `d (d − 1)`; lower is
/// better.
///
/// # Errors
/// [`MetricError::Dim`] if the graphs differ in size.
pub fn edit_distance(a: &Digraph, b: &Digraph) -> Result<usize, MetricError> {
    shd_of_digraphs(a, b, Reversal::Twice)
}

/// Graph edit distance of graphs without labels: the least [`edit_distance`] over all ways to match
/// their variables.
///
/// It is 0 for isomorphic graphs, whatever their variables mean: it does not see whether the right
/// variables are joined. Exact, by branch and bound, up to [`MAX_EDIT_DIM`] variables.
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::unlabelled_edit_distance;
///
/// let (chain, reversed) = (Dag::chain(3), Dag::from_edges(3, &[(2, 1), (1, 0)])?);
/// assert_eq!(unlabelled_edit_distance(&(&chain).into(), &(&reversed).into())?, 0);
/// let fork = Dag::from_edges(3, &[(1, 0), (1, 2)])?;
/// assert_eq!(unlabelled_edit_distance(&(&chain).into(), &(&fork).into())?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the graphs differ in size, [`MetricError::TooLarge`] if they have more
/// than [`MAX_EDIT_DIM`] variables.
///
/// Sanfeliu & Fu, *A distance measure between attributed relational graphs*, 1983, with unit costs.
pub fn unlabelled_edit_distance(a: &Digraph, b: &Digraph) -> Result<usize, MetricError> {
    a.check_same_dim(b)?;
    let dim = a.dim();
    if dim > MAX_EDIT_DIM {
        return Err(MetricError::TooLarge { what: "graph", most: MAX_EDIT_DIM, got: dim });
    }
    let mut search = Search {
        graphs: [a, b],
        partner: Vec::with_capacity(dim),
        used: vec![false; dim],
        best: edit_distance(a, b)?,
    };
    search.extend(0);
    Ok(search.best)
}

/// Matches the variables of the first graph in turn with free ones of the second.
struct Search<'a> {
    graphs: [&'a Digraph; 2],
    /// The partner of each variable of the first graph that has one.
    partner: Vec<usize>,
    used: Vec<bool>,
    best: usize,
}

impl Search<'_> {
    fn extend(&mut self, cost: usize) {
        if cost + self.least_cost_of_the_rest() >= self.best {
            return;
        }
        let next = self.partner.len();
        if next == self.used.len() {
            self.best = cost;
            return;
        }
        for candidate in 0..self.used.len() {
            if self.used[candidate] {
                continue;
            }
            let more = self.cost_of(next, candidate);
            self.used[candidate] = true;
            self.partner.push(candidate);
            self.extend(cost + more);
            self.partner.pop();
            self.used[candidate] = false;
        }
    }

    /// Edits of the edges between a new couple and those already matched.
    fn cost_of(&self, node: usize, candidate: usize) -> usize {
        let [a, b] = self.graphs;
        let differs = |(earlier, &partner): (usize, &usize)| {
            usize::from(a.has_edge(node, earlier) != b.has_edge(candidate, partner))
                + usize::from(a.has_edge(earlier, node) != b.has_edge(partner, candidate))
        };
        self.partner.iter().enumerate().map(differs).sum()
    }

    /// A bound from the numbers of edges: from each couple to the rest, from the rest to it, and
    /// within the rest.
    fn least_cost_of_the_rest(&self) -> usize {
        let [a, b] = self.graphs;
        let (dim, done) = (self.used.len(), self.partner.len());
        let free: Vec<usize> = (0..dim).filter(|&k| !self.used[k]).collect();
        let rest: Vec<usize> = (done..dim).collect();
        let across = |(node, &partner): (usize, &usize)| {
            let outward = count(&rest, |k| a.has_edge(node, k));
            let inward = count(&rest, |k| a.has_edge(k, node));
            outward.abs_diff(count(&free, |k| b.has_edge(partner, k)))
                + inward.abs_diff(count(&free, |k| b.has_edge(k, partner)))
        };
        let within = |g: &Digraph, nodes: &[usize]| -> usize {
            nodes.iter().map(|&i| count(nodes, |j| g.has_edge(i, j))).sum()
        };
        let crossing: usize = self.partner.iter().enumerate().map(across).sum();
        crossing + within(a, &rest).abs_diff(within(b, &free))
    }
}

fn count(nodes: &[usize], holds: impl Fn(usize) -> bool) -> usize {
    nodes.iter().filter(|&&k| holds(k)).count()
}

#[cfg(test)]
mod tests {
    use domino_core::{Dag, Seed, Stream};
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;
    use crate::graph::tests::{dag, digraph};

    /// All orders of `0..d`.
    fn orders(d: usize) -> Vec<Vec<usize>> {
        let longer = |all: Vec<Vec<usize>>, _| {
            let grown = all.into_iter().flat_map(|order| {
                let free: Vec<usize> = (0..d).filter(|k| !order.contains(k)).collect();
                free.into_iter().map(move |k| [order.clone(), vec![k]].concat())
            });
            grown.collect()
        };
        (0..d).fold(vec![vec![]], longer)
    }

    fn permuted(g: &Digraph, order: &[usize]) -> Digraph {
        Digraph::from_fn(g.dim(), |i, j| g.has_edge(order[i], order[j]))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_search_finds_what_trying_all_orders_finds(a in digraph(), b in digraph()) {
            let all = orders(5).into_iter().map(|o| edit_distance(&a, &permuted(&b, &o)).unwrap());
            prop_assert_eq!(unlabelled_edit_distance(&a, &b).unwrap(), all.min().unwrap());
        }

        #[test]
        fn names_do_not_matter(
            a in dag(),
            order in Just([0usize, 1, 2, 3, 4]).prop_shuffle(),
        ) {
            let a = Digraph::from(&a);
            prop_assert_eq!(unlabelled_edit_distance(&a, &permuted(&a, &order)).unwrap(), 0);
        }
    }

    #[test]
    fn the_largest_graphs_are_matched_and_larger_ones_refused() {
        let mut rng = Seed(0).rng(Stream::Data);
        let mut graph = || Digraph::from_fn(MAX_EDIT_DIM, |_, _| rng.random::<f64>() < 0.4);
        let (a, b) = (graph(), graph());
        let (least, labelled) =
            (unlabelled_edit_distance(&a, &b).unwrap(), edit_distance(&a, &b).unwrap());
        assert!(least < labelled);
        let large = Digraph::from(&Dag::empty(MAX_EDIT_DIM + 1));
        let error = unlabelled_edit_distance(&large, &large).unwrap_err().to_string();
        assert_eq!(error, "graph: expected at most 10 variables, got 11");
        let nothing = Digraph::from(&Dag::empty(0));
        assert_eq!(unlabelled_edit_distance(&nothing, &nothing).unwrap(), 0);
    }
}
