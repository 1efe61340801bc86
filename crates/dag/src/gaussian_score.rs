use std::collections::BTreeMap;

use domino_core::Dag;
use nalgebra::DMatrix;

use crate::least_squares::{centre, spd_solve};
use crate::{DagError, Samples};

/// Least residual variance of a standardised column: an exact relation must not score infinitely.
const LEAST_VARIANCE: f64 = 1e-9;

/// Gains below this, in nats, are rounding: members of one class score alike only up to that.
pub(crate) const LEAST_GAIN: f64 = 1e-2;

/// The Gaussian likelihood of each variable given causes, on rows that do not target it, less a price
/// per cause.
///
/// Schwarz 1978; for interventions Hauser & Bühlmann 2012, section 4.1.
pub(crate) struct GaussianScore {
    /// Covariance of all variables on the rows that count for each, and their number.
    covariances: Vec<(DMatrix<f64>, f64)>,
    /// Nats per cause.
    price: f64,
    known: BTreeMap<(usize, Vec<usize>), f64>,
}

impl GaussianScore {
    /// A price of `ln n / 2 + surcharge` nats: without a surcharge that of the Bayesian information
    /// criterion.
    pub(crate) fn new(samples: &Samples, surcharge: f64) -> Result<Self, DagError> {
        let z = samples.standardised()?;
        let covariance = |k: usize| {
            let rows = samples.rows_sparing(k);
            let mut part = z.select_rows(&rows);
            centre(&mut part);
            let n = rows.len().max(1) as f64;
            (part.transpose() * &part / n, rows.len() as f64)
        };
        let covariances = (0..samples.dim()).map(covariance).collect();
        let price = 0.5 * (z.nrows() as f64).ln() + surcharge;
        Ok(Self { covariances, price, known: BTreeMap::new() })
    }

    /// Score of a graph: that of all its variables.
    pub(crate) fn of(&mut self, dag: &Dag) -> f64 {
        (0..dag.dim()).map(|k| self.local(k, &dag.parents(k).collect::<Vec<_>>())).sum()
    }

    /// `−n_k / 2 · ln σ²(k | causes) − price · |causes|`; causes ascending.
    pub(crate) fn local(&mut self, k: usize, causes: &[usize]) -> f64 {
        let key = (k, causes.to_vec());
        if let Some(score) = self.known.get(&key) {
            return *score;
        }
        let (c, n) = &self.covariances[k];
        let gram = DMatrix::from_fn(causes.len(), causes.len(), |a, b| c[(causes[a], causes[b])]);
        let moment = nalgebra::DVector::from_fn(causes.len(), |a, _| c[(causes[a], k)]);
        let explained =
            if causes.is_empty() { 0.0 } else { moment.dot(&spd_solve(&gram, &moment)) };
        let variance = (c[(k, k)] - explained).max(LEAST_VARIANCE);
        let score = -0.5 * n * variance.ln() - self.price * causes.len() as f64;
        self.known.insert(key, score);
        score
    }
}
