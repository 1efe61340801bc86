use nalgebra::DMatrix;

use crate::{DagError, LearnedGraph, Samples};

/// Variables with something of their own to tell: not constant, and no exact repeat of an earlier
/// column.
pub(crate) fn distinct(samples: &Samples) -> Vec<usize> {
    let columns = samples.columns();
    let mut kept: Vec<usize> = Vec::with_capacity(columns.len());
    for (k, column) in columns.iter().enumerate() {
        if !column.is_constant() && kept.iter().all(|&j| columns[j] != *column) {
            kept.push(k);
        }
    }
    kept
}

/// Learns on the distinct variables; the others stay without edges.
pub(crate) fn on_distinct(
    samples: &Samples,
    learn: impl FnOnce(&Samples) -> Result<LearnedGraph, DagError>,
) -> Result<LearnedGraph, DagError> {
    let (d, kept) = (samples.dim(), distinct(samples));
    if kept.len() == d && d > 1 {
        return learn(samples);
    }
    if kept.len() < 2 {
        return LearnedGraph::from_edge_probs(DMatrix::zeros(d, d));
    }
    let LearnedGraph { dag, order, edge_probs, strengths } = learn(&samples.project(&kept))?;
    let edges: Vec<_> = dag.edges().map(|(i, j)| (kept[i], kept[j])).collect();
    let mut whole: Vec<usize> = order.iter().map(|&k| kept[k]).collect();
    whole.extend((0..d).filter(|k| !kept.contains(k)));
    Ok(LearnedGraph {
        dag: domino_core::Dag::from_edges(d, &edges)?,
        order: whole,
        edge_probs: expanded(&edge_probs, &kept, d),
        strengths: expanded(&strengths, &kept, d),
    })
}

/// A matrix over some variables as one over all, 0 elsewhere.
pub(crate) fn expanded(part: &DMatrix<f64>, kept: &[usize], d: usize) -> DMatrix<f64> {
    let mut whole = DMatrix::zeros(d, d);
    for (a, &i) in kept.iter().enumerate() {
        for (b, &j) in kept.iter().enumerate() {
            whole[(i, j)] = part[(a, b)];
        }
    }
    whole
}
