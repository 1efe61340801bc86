use nalgebra::DMatrix;

use crate::{DagError, LearnedGraph};

/// Largest weight that enters the exponential, which beyond it overflows and says no more than "far
/// too cyclic".
const MOST_WEIGHT: f64 = 50.0;

/// A graph in relaxed form, for objectives that learn one by gradients: edge probabilities or squared
/// weights `A`, `[from, to]`, square, finite and not negative.
///
/// A model whose prior is a graph adds [`SoftGraph::acyclicity`] and [`SoftGraph::sparsity`] to its
/// loss, carries their gradients on to its own parameters, and ends with [`SoftGraph::harden`].
///
/// ```
/// use domino_core::Dag;
/// use domino_dag::SoftGraph;
/// use nalgebra::dmatrix;
///
/// let mut probs = dmatrix![0.0, 0.9; 0.7, 0.0];
/// for _ in 0..100 {
///     let acyclicity = SoftGraph::new(probs.clone())?.acyclicity();
///     probs = (probs - 0.1 * acyclicity.gradient).map(|p| p.clamp(0.0, 1.0));
///     (0..2).for_each(|k| probs[(k, k)] = 0.0);
/// }
/// let soft = SoftGraph::new(probs)?;
/// assert!(soft.acyclicity().value < 0.01); // only one direction is left
/// assert!(soft.harden()?.dag.edge_count() <= 1);
/// # Ok::<(), domino_dag::DagError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SoftGraph(DMatrix<f64>);

/// A term of an objective and its gradient by the entries of the graph, `[from, to]`.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphTerm {
    /// The value.
    pub value: f64,
    /// `∂ value / ∂A`, `[d, d]`.
    pub gradient: DMatrix<f64>,
}

impl SoftGraph {
    /// The graph with entries `[d, d]`; edge probabilities if it is to be hardened.
    ///
    /// # Errors
    /// [`DagError::Shape`] if the matrix is not square, [`DagError::NotFinite`] for a NaN or infinity,
    /// [`DagError::Option`] for a negative entry.
    pub fn new(entries: DMatrix<f64>) -> Result<Self, DagError> {
        let [d, cols] = [entries.nrows(), entries.ncols()];
        if cols != d {
            return Err(DagError::Shape { what: "entries", expected: [d, d], got: [d, cols] });
        }
        for (at, &value) in entries.iter().enumerate() {
            if !value.is_finite() {
                let (row, col) = (at % d, at / d);
                return Err(DagError::NotFinite { what: "entries", row, col, value });
            }
            if value < 0.0 {
                let expected = "a number, 0 or more";
                return Err(DagError::Option { key: "entries", expected, got: value });
            }
        }
        Ok(Self(entries))
    }

    /// As [`SoftGraph::new`], of entries that cannot be amiss.
    pub(crate) fn trusted(entries: DMatrix<f64>) -> Self {
        Self(entries)
    }

    /// The entries, `[from, to]`.
    pub fn entries(&self) -> &DMatrix<f64> {
        &self.0
    }

    /// `h(A) = tr e^A − d` with gradient `(e^A)ᵀ`: 0 if and only if the positive entries form no cycle,
    /// and the sum over all closed walks of the products of their entries, divided by the factorial of
    /// their length.
    ///
    /// Zheng, Aragam, Ravikumar & Xing, *DAGs with NO TEARS*, NeurIPS 2018, arXiv 1803.01422.
    pub fn acyclicity(&self) -> GraphTerm {
        let exponential = self.0.map(|a| a.min(MOST_WEIGHT)).exp();
        let value = exponential.trace() - self.0.nrows() as f64;
        GraphTerm { value, gradient: exponential.transpose() }
    }

    /// `Σ_{i≠j} A_ij` with gradient 1 off the diagonal: the expected number of edges.
    pub fn sparsity(&self) -> GraphTerm {
        let d = self.0.nrows();
        let gradient = DMatrix::from_fn(d, d, |i, j| if i == j { 0.0 } else { 1.0 });
        GraphTerm { value: self.0.dot(&gradient), gradient }
    }

    /// The acyclic graph of the entries above 0.5; see [`LearnedGraph::from_edge_probs`].
    ///
    /// # Errors
    /// [`DagError::Option`] for an entry above 1, which is no probability.
    pub fn harden(self) -> Result<LearnedGraph, DagError> {
        match self.0.iter().find(|&&p| p > 1.0) {
            Some(&got) => {
                Err(DagError::Option { key: "entries", expected: "a number from 0 to 1", got })
            }
            None => LearnedGraph::from_edge_probs(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;
    use proptest::prelude::*;

    use super::*;

    fn soft(entries: DMatrix<f64>) -> SoftGraph {
        SoftGraph::new(entries).expect("finite and not negative")
    }

    #[test]
    fn acyclicity_is_0_on_graphs_and_that_of_one_cycle_is_known() {
        let chain = dmatrix![0.0, 2.0, 0.5; 0.0, 0.0, 1.0; 0.0, 0.0, 0.0];
        assert!(soft(chain).acyclicity().value.abs() < 1e-12);
        // e^A of [0 a; b 0] has cosh √(ab) on its diagonal.
        let cycle = soft(dmatrix![0.0, 0.8; 0.5, 0.0]).acyclicity();
        assert!((cycle.value - 2.0 * (0.4_f64.sqrt().cosh() - 1.0)).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn gradients_agree_with_finite_differences(
            values in proptest::collection::vec(0.0..1.0_f64, 16),
            at in 0_usize..16,
        ) {
            let entries = DMatrix::from_column_slice(4, 4, &values);
            let (mut above, mut below) = (entries.clone(), entries.clone());
            above[at] += 1e-5;
            below[at] += -1e-5_f64.min(values[at]);
            let step = above[at] - below[at];
            for term in [SoftGraph::acyclicity, SoftGraph::sparsity] {
                let slope = (term(&soft(above.clone())).value - term(&soft(below.clone())).value) / step;
                let expected = term(&soft(entries.clone())).gradient[at];
                prop_assert!((slope - expected).abs() < 1e-4 * (1.0 + expected), "{slope} {expected}");
            }
        }
    }

    #[test]
    fn faults_are_named_with_numbers() {
        let fault = |entries| SoftGraph::new(entries).unwrap_err().to_string();
        assert_eq!(fault(DMatrix::zeros(2, 3)), "entries: expected shape [2, 2], got [2, 3]");
        assert_eq!(
            fault(dmatrix![0.0, f64::NAN; 0.0, 0.0]),
            "entries[0, 1]: expected a finite number, got NaN"
        );
        assert_eq!(fault(dmatrix![-0.5]), "entries: expected a number, 0 or more, got -0.5");
        let above = soft(dmatrix![0.0, 1.5; 0.0, 0.0]).harden().unwrap_err().to_string();
        assert_eq!(above, "entries: expected a number from 0 to 1, got 1.5");
    }
}
