use domino_core::{Dag, GraphError};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::sample::check_matrix;

/// Which latent stands for which factor: each factor has at most one latent, each latent at most
/// one factor.
///
/// In reports it is the list of latents, one entry per factor, `null` for a factor without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Option<usize>>", into = "Vec<Option<usize>>")]
pub struct Matching {
    latent_of: Vec<Option<usize>>,
}

impl Matching {
    /// The matching that gives factor `k` the latent `latent_of[k]`.
    ///
    /// # Errors
    /// [`MetricError::MatchedTwice`] if two factors have the same latent.
    pub fn new(latent_of: Vec<Option<usize>>) -> Result<Self, MetricError> {
        for (second, latent) in latent_of.iter().enumerate() {
            let Some(latent) = *latent else { continue };
            let first = latent_of[..second].iter().position(|&other| other == Some(latent));
            if let Some(first) = first {
                return Err(MetricError::MatchedTwice { latent, first, second });
            }
        }
        Ok(Self { latent_of })
    }

    /// The matching that gives factor `k` latent `k`, for `k` in `0..factors`.
    pub fn identity(factors: usize) -> Self {
        Self { latent_of: (0..factors).map(Some).collect() }
    }

    /// The matching `π` with the largest total `Σ_k gain[k, π(k)]` for a matrix of gains `[K, D]`;
    /// `min(K, D)` factors are matched. Cubic in the larger dimension.
    ///
    /// ```
    /// use domino_metrics::Matching;
    /// use nalgebra::DMatrix;
    ///
    /// // Taking the largest entry first would leave factor 1 with nothing.
    /// let gain = DMatrix::from_row_slice(2, 3, &[0.9, 0.0, 0.8, 0.7, 0.0, 0.1]);
    /// assert_eq!(Matching::best(&gain)?.latents(), [Some(2), Some(0)]);
    /// # Ok::<(), domino_metrics::MetricError>(())
    /// ```
    ///
    /// # Errors
    /// [`MetricError::Empty`] or [`MetricError::NotFinite`] if the matrix is empty or not finite,
    /// [`MetricError::Assignment`] if sums of gains overflow.
    ///
    /// Kuhn, *The Hungarian method for the assignment problem*, 1955.
    pub fn best(gain: &DMatrix<f64>) -> Result<Self, MetricError> {
        check_matrix("gain", gain)?;
        let (factors, latents) = gain.shape();
        let row_major = gain.transpose().as_slice().to_vec();
        let (matched, to) = lsap::solve(factors, latents, &row_major, true)
            .map_err(|_| MetricError::Assignment { factors, latents })?;
        let mut latent_of = vec![None; factors];
        for (factor, latent) in matched.into_iter().zip(to) {
            latent_of[factor] = Some(latent);
        }
        Ok(Self { latent_of })
    }

    /// The latent of each factor, `[K]`.
    pub fn latents(&self) -> &[Option<usize>] {
        &self.latent_of
    }

    /// The latent of a factor; nothing if it has none or does not exist.
    pub fn latent_of(&self, factor: usize) -> Option<usize> {
        self.latent_of.get(factor).copied().flatten()
    }

    /// Number of factors `K`.
    pub fn factors(&self) -> usize {
        self.latent_of.len()
    }

    /// The pairs `(factor, latent)`, factors ascending.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.latent_of.iter().enumerate().filter_map(|(k, latent)| latent.map(|i| (k, i)))
    }

    /// The same for `latents` latents, in which those without a factor stand for factors of their own,
    /// in ascending order after the `K` true ones.
    ///
    /// ```
    /// use domino_metrics::Matching;
    ///
    /// let matching = Matching::new(vec![Some(3), None, Some(0)])?;
    /// let whole = matching.with_unmatched(4);
    /// assert_eq!(whole.latents(), [Some(3), None, Some(0), Some(1), Some(2)]);
    /// # Ok::<(), domino_metrics::MetricError>(())
    /// ```
    pub fn with_unmatched(&self, latents: usize) -> Self {
        let alone = (0..latents).map(Some).filter(|latent| !self.latent_of.contains(latent));
        Self { latent_of: self.latent_of.iter().copied().chain(alone).collect() }
    }

    /// A graph over the latents, read as a graph over the factors: `k -> l` where `π(k) -> π(l)`.
    /// Latents without a factor are dropped; factors without a latent have no edge.
    ///
    /// ```
    /// use domino_core::Dag;
    /// use domino_metrics::Matching;
    ///
    /// let learned = Dag::from_edges(3, &[(2, 0), (0, 1)])?;
    /// let matching = Matching::new(vec![Some(2), Some(0), Some(1)])?;
    /// assert_eq!(matching.relabel(&learned)?, Dag::chain(3));
    /// # Ok::<(), domino_metrics::MetricError>(())
    /// ```
    ///
    /// # Errors
    /// [`MetricError::Graph`] if the matching names a latent that the graph does not have.
    pub fn relabel(&self, learned: &Dag) -> Result<Dag, MetricError> {
        let dim = learned.dim();
        if let Some((factor, latent)) = self.pairs().find(|&(_, latent)| latent >= dim) {
            return Err(GraphError::OutOfRange { from: factor, to: latent, dim }.into());
        }
        let has_edge = |k, l| match (self.latent_of(k), self.latent_of(l)) {
            (Some(from), Some(to)) => learned.has_edge(from, to),
            _ => false,
        };
        let all = 0..self.factors();
        let edges: Vec<_> = all
            .clone()
            .flat_map(|k| all.clone().map(move |l| (k, l)))
            .filter(|&(k, l)| has_edge(k, l))
            .collect();
        Ok(Dag::from_edges(self.factors(), &edges)?)
    }
}

impl TryFrom<Vec<Option<usize>>> for Matching {
    type Error = MetricError;

    fn try_from(latent_of: Vec<Option<usize>>) -> Result<Self, MetricError> {
        Self::new(latent_of)
    }
}

impl From<Matching> for Vec<Option<usize>> {
    fn from(matching: Matching) -> Self {
        matching.latent_of
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The largest total over all ways to give rows distinct columns, by trying all.
    fn best_total(gain: &DMatrix<f64>, row: usize, used: &mut Vec<bool>) -> f64 {
        if row == gain.nrows() {
            return 0.0;
        }
        let mut best = f64::NEG_INFINITY;
        for col in 0..gain.ncols() {
            if !used[col] {
                used[col] = true;
                best = best.max(gain[(row, col)] + best_total(gain, row + 1, used));
                used[col] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_matching_is_the_best_of_all(
            (rows, cols) in (1usize..5, 0usize..3).prop_map(|(r, extra)| (r, r + extra)),
            entries in prop::collection::vec(-1.0..1.0f64, 28),
        ) {
            let gain = DMatrix::from_row_slice(rows, cols, &entries[..rows * cols]);
            let best = best_total(&gain, 0, &mut vec![false; cols]);
            for (gain, swapped) in [(gain.clone(), false), (gain.transpose(), true)] {
                let matching = Matching::best(&gain).unwrap();
                let total: f64 = matching.pairs().map(|at| gain[at]).sum();
                prop_assert!((total - best).abs() < 1e-12);
                prop_assert_eq!(matching.pairs().count(), rows, "swapped: {}", swapped);
            }
        }
    }

    #[test]
    fn a_latent_has_one_factor() {
        let error = Matching::new(vec![Some(4), None, None, Some(4)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "factors 0 and 3 are both matched with latent 4: expected one factor per latent"
        );
        let error = serde_json::from_str::<Matching>("[1, 1]").unwrap_err();
        assert!(error.to_string().contains("latent 1"), "{error}");
    }

    #[test]
    fn reports_hold_the_list_of_latents() {
        let matching = Matching::new(vec![Some(2), None, Some(0)]).unwrap();
        assert_eq!(serde_json::to_string(&matching).unwrap(), "[2,null,0]");
        assert_eq!(serde_json::from_str::<Matching>("[2,null,0]").unwrap(), matching);
    }

    #[test]
    fn where_no_latent_is_alone_nothing_is_added() {
        let square = Matching::new(vec![Some(2), Some(0), Some(1)]).unwrap();
        assert_eq!(square.with_unmatched(3), square);
        let few = Matching::new(vec![None, Some(0)]).unwrap();
        assert_eq!(few.with_unmatched(1), few);
    }

    #[test]
    fn relabelling_drops_what_is_not_matched() {
        let learned = Dag::from_edges(4, &[(3, 1), (1, 0), (3, 2)]).unwrap();
        let matching = Matching::new(vec![Some(1), None, Some(3)]).unwrap();
        assert_eq!(matching.relabel(&learned).unwrap(), Dag::from_edges(3, &[(2, 0)]).unwrap());
        assert!(Matching::new(vec![Some(4)]).unwrap().relabel(&learned).is_err());
    }
}
