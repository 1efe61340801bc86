use serde::{Deserialize, Serialize};

use crate::{Digraph, MetricError};

use super::ratio;

/// Edge rates as gcastle and NOTEARS report them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GcastleRates {
    /// `(reversed + extra) / predicted`, a predicted 2-cycle counted as one undirected edge; 0 for an
    /// empty prediction. Lower is better.
    pub false_discovery: f64,
    /// `right / true edges`, a predicted 2-cycle on a true pair counted as right.
    pub true_positive: f64,
    /// `(reversed + extra) / (pairs − true edges)`; above 1 where more edges are wrong than pairs
    /// are free. Lower is better.
    pub false_positive: f64,
    /// `max(0, right − wrong) / true edges` on directed edges.
    pub gscore: f64,
}

/// The rates of gcastle's `MetricsDAG`, for comparison with published tables.
///
/// Ratios without a denominator are taken over 1, as there, so that graphs of no or one variable
/// have rates of 0. Each is from 0 to 1 but [`GcastleRates::false_positive`].
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::gcastle_rates;
///
/// let rates = gcastle_rates(&(&Dag::full(3)).into(), &(&Dag::chain(3)).into())?;
/// assert_eq!([rates.false_discovery, rates.true_positive], [0.0, 2.0 / 3.0]);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the graphs differ in size.
///
/// Zhang et al., *gCastle: a Python toolbox for causal discovery*, 2021; Zheng et al., *DAGs with NO
/// TEARS*, NeurIPS 2018.
pub fn gcastle_rates(truth: &Digraph, predicted: &Digraph) -> Result<GcastleRates, MetricError> {
    truth.check_same_dim(predicted)?;
    let mut counts = Counts::default();
    for (i, j) in truth.pairs() {
        counts.add(
            [truth.has_edge(i, j), truth.has_edge(j, i)],
            [predicted.has_edge(i, j), predicted.has_edge(j, i)],
        );
    }
    let free = truth.pairs().count().saturating_sub(counts.edges);
    Ok(GcastleRates {
        false_discovery: ratio(counts.wrong, counts.predicted.max(1)),
        true_positive: ratio(counts.right, counts.edges.max(1)),
        false_positive: ratio(counts.wrong, free.max(1)),
        gscore: ratio(
            counts.directed_right.saturating_sub(counts.directed_wrong),
            counts.edges.max(1),
        ),
    })
}

#[derive(Default)]
struct Counts {
    edges: usize,
    predicted: usize,
    right: usize,
    wrong: usize,
    directed_right: usize,
    directed_wrong: usize,
}

impl Counts {
    fn add(&mut self, truth: [bool; 2], predicted: [bool; 2]) {
        let both = truth.iter().zip(predicted);
        let directed_right = both.filter(|&(&t, p)| t && p).count();
        let directed = predicted.iter().filter(|&&p| p).count();
        self.edges += truth.iter().filter(|&&t| t).count();
        self.directed_right += directed_right;
        self.directed_wrong += directed - directed_right;
        // Both directions are one undirected edge, right wherever there is an edge.
        let (predicted, right) = match directed {
            2 => (1, usize::from(truth != [false; 2])),
            _ => (directed, directed_right),
        };
        self.predicted += predicted;
        self.right += right;
        self.wrong += predicted - right;
    }
}
