use rand::{Rng, RngExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DagError, LearnedGraph, PairCodes, PairVariables, Samples, StructureLearner};

/// A learner's beliefs averaged over resamples of the data, beside its answer on the data itself.
///
/// `P(i → j) = (p_0 + Σ_b p_b) / (B + 1)`, where `p_0` are the learner's own probabilities and `p_b`
/// those on `B` resamples of the rows with replacement. The average is less sure where the choice of
/// edges depends on the sample, which a learner's own probabilities, given the other edges it chose,
/// do not know. Where the average crosses 1/2, the graph changes with it.
///
/// Friedman, Goldszmidt & Wyner, *Data analysis with Bayesian networks: a bootstrap approach*, UAI
/// 1999.
///
/// ```
/// use domino_core::{Dag, Seed, Stream};
/// use domino_dag::baselines::Gies;
/// use domino_dag::networks::{GaussianScm, Intervention, Plan, Scale, draw_samples};
/// use domino_dag::{Bootstrap, StructureLearner};
///
/// let mut rng = Seed(0).rng(Stream::World);
/// let scm = GaussianScm::linear(Dag::chain(3), Scale::Unit, &mut rng);
/// let plan = Plan { observational: 300, per_target: 30, intervention: Intervention::Perfect };
/// let samples = draw_samples(&scm, &plan, &mut rng)?;
/// let learned = Bootstrap { learner: Gies::default(), resamples: 20 }.learn(&samples, &mut rng)?;
/// assert!(learned.edge_probs[(0, 1)] > 0.9 && learned.edge_probs[(0, 2)] < 0.4);
/// # Ok::<(), domino_dag::DagError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap<L> {
    /// The learner.
    pub learner: L,
    /// Resamples `B`; 0 leaves the learner as it is.
    pub resamples: usize,
}

/// Data whose rows can be drawn with replacement.
pub trait Resample: Sized {
    /// As many rows as there are, each drawn uniformly from all.
    fn resample(&self, rng: &mut dyn Rng) -> Self;
}

impl Resample for PairCodes {
    fn resample(&self, rng: &mut dyn Rng) -> Self {
        self.select(&draw_rows(self.len(), rng))
    }
}

impl Resample for PairVariables {
    fn resample(&self, rng: &mut dyn Rng) -> Self {
        self.select(&draw_rows(self.len(), rng))
    }
}

impl Resample for Samples {
    fn resample(&self, rng: &mut dyn Rng) -> Self {
        self.select(&draw_rows(self.len(), rng))
    }
}

fn draw_rows(n: usize, rng: &mut dyn Rng) -> Vec<usize> {
    (0..n).map(|_| rng.random_range(0..n)).collect()
}

impl<Data: Resample, L: StructureLearner<Data>> StructureLearner<Data> for Bootstrap<L> {
    fn learn(&self, data: &Data, rng: &mut dyn Rng) -> Result<LearnedGraph, DagError> {
        let own = self.learner.learn(data, rng)?;
        if self.resamples == 0 {
            return Ok(own);
        }
        let mut sum = own.edge_probs.clone();
        for _ in 0..self.resamples {
            sum += self.learner.learn(&data.resample(rng), rng)?.edge_probs;
        }
        let mut learned = LearnedGraph::from_edge_probs(sum / (self.resamples + 1) as f64)?;
        learned.strengths = own.strengths.component_mul(&learned.dag.adjacency());
        Ok(learned)
    }
}
