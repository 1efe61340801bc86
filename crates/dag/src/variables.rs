use nalgebra::DMatrix;

use crate::{DagError, PairCodes};

/// The causal variables themselves before and after interventions, everything that was not
/// intervened upon having kept its noise: `z_j = f_j(z_pa, e_j)` on both sides with the same `e_j`.
///
/// Where the variables can be seen, as in a simulator that is run twice or in the true states of a
/// generated data set, they tell far more than noise codes do: each pair shows what a change of the
/// target does to all variables after it, and each state shows every mechanism once. All values are
/// finite, there is at least one pair and one variable, and the shapes agree.
///
/// ```
/// use domino_core::{Dag, Seed, Stream};
/// use domino_dag::{PairRegression, PairVariables, StructureLearner};
/// use nalgebra::DMatrix;
/// use rand::RngExt;
///
/// // z₁ = 0.01 z₀ + e₁, seen in 40 pairs that set z₀ and 40 that set z₁.
/// let mut rng = Seed(1).rng(Stream::Data);
/// let (mut before, mut after) = (DMatrix::zeros(80, 2), DMatrix::zeros(80, 2));
/// let mut target_probs = DMatrix::zeros(80, 3);
/// for row in 0..80 {
///     let [z, e, new]: [f64; 3] = std::array::from_fn(|_| rng.random_range(-1.0..1.0));
///     target_probs[(row, 1 + row % 2)] = 1.0;
///     (before[(row, 0)], before[(row, 1)]) = (z, 0.01 * z + e);
///     let set = if row % 2 == 0 { [new, 0.01 * new + e] } else { [z, new] };
///     (after[(row, 0)], after[(row, 1)]) = (set[0], set[1]);
/// }
/// let variables = PairVariables::new(before, after, target_probs)?;
/// let learned = PairRegression::default().learn(&variables, &mut rng)?;
/// assert_eq!(learned.dag, Dag::from_edges(2, &[(0, 1)])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PairVariables(PairCodes);

impl PairVariables {
    /// Variables `before` and `after`, `[n, d]`, with target probabilities `[n, d + 1]`, column 0 for
    /// "none" and column `k + 1` for variable `k`. They need no particular mean or scale.
    ///
    /// # Errors
    /// As [`PairCodes::new`].
    pub fn new(
        before: DMatrix<f64>,
        after: DMatrix<f64>,
        target_probs: DMatrix<f64>,
    ) -> Result<Self, DagError> {
        PairCodes::new(before, after, target_probs).map(Self)
    }

    /// Variables before the intervention, `[n, d]`.
    pub fn before(&self) -> &DMatrix<f64> {
        self.0.before()
    }

    /// Variables after the intervention, `[n, d]`.
    pub fn after(&self) -> &DMatrix<f64> {
        self.0.after()
    }

    /// Posterior over targets, `[n, d + 1]`; column 0 is "none".
    pub fn target_probs(&self) -> &DMatrix<f64> {
        self.0.target_probs()
    }

    /// Number of pairs `n`.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Always false: there is at least one pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of variables `d`.
    pub fn dim(&self) -> usize {
        self.0.dim()
    }

    /// The given pairs, repeats included, as a bootstrap draws them.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        Self(self.0.select(rows))
    }

    /// Variables with something of their own to tell: not constant over both sides, and no exact
    /// repeat of an earlier variable.
    pub(crate) fn distinct(&self) -> Vec<usize> {
        let both = |k: usize| self.before().column(k).into_iter().chain(self.after().column(k));
        let mut kept: Vec<usize> = Vec::with_capacity(self.dim());
        for k in 0..self.dim() {
            let constant = both(k).all(|v| v.total_cmp(&self.before()[(0, k)]).is_eq());
            let repeats = |&j: &usize| both(j).eq(both(k));
            if !constant && !kept.iter().any(repeats) {
                kept.push(k);
            }
        }
        kept
    }
}
