use std::collections::BTreeSet;

use domino_core::{Dag, InterventionTarget, Seed, Stream, StreamRng};
use nalgebra::DMatrix;
use rand::RngExt;

use super::card::{Points, ScoreOptions};
use super::input::{Prediction, Truth};
use super::reason::Reason;
use crate::{Correlation, Digraph, Matching, MetricError, Sample, mcc, target_accuracy};

/// Whole numbers of more distinct values than this are read as continuous.
const MOST_VALUES: usize = 256;

/// Latents and factors of the same points, `[n, D]` and `[n, K]`.
pub(super) type Part = [DMatrix<f64>; 2];

/// What a metric is computed from, and what it leaves on record.
pub(super) struct Context<'a> {
    pub(super) said: Prediction<'a>,
    pub(super) known: Truth<'a>,
    pub(super) options: &'a ScoreOptions,
    /// The points in the order in which they are parted.
    pub(super) order: &'a [usize],
    /// Of the metric's own draws.
    pub(super) rng: StreamRng,
    /// Where rows are resampled, what draws them.
    pub(super) resampling: Option<StreamRng>,
    /// The points that were used.
    pub(super) points: Option<Points>,
    /// What a reader of the value should know.
    pub(super) notes: BTreeSet<String>,
}

impl<'a> Context<'a> {
    /// Latents and factors: before the intervention, or else after it.
    pub(super) fn variables(&self) -> Result<[&'a DMatrix<f64>; 2], Reason> {
        let before = self.said.latents.zip(self.known.factors);
        let both = before.or_else(|| self.said.latents_after.zip(self.known.factors_after));
        let lacking = match (self.said.latents, self.known.factors) {
            (None, _) => Reason::prediction_lacks("latents"),
            _ => Reason::truth_lacks("true factors"),
        };
        both.map(|(z, y)| [z, y]).ok_or(lacking)
    }

    pub(super) fn noises(&self) -> Result<[&'a DMatrix<f64>; 2], Reason> {
        let said = self.said.noise.ok_or(Reason::prediction_lacks("noise encodings"))?;
        Ok([said, self.known.noise.ok_or(Reason::truth_lacks("true noise encodings"))?])
    }

    /// At most `most` points.
    pub(super) fn sample(&mut self, of: [&DMatrix<f64>; 2], most: usize) -> Part {
        let rows = self.order[..most.min(self.order.len())].to_vec();
        self.points = Some(Points { train: None, test: rows.len() });
        self.take(of, &rows)
    }

    /// Points to fit on and others to score on, as many as published or in the same proportion.
    pub(super) fn split(
        &mut self,
        of: [&DMatrix<f64>; 2],
        [train, test]: [usize; 2],
    ) -> Result<[Part; 2], Reason> {
        let n = self.order.len();
        if n < 2 {
            return Err(MetricError::TooFew { what: "points to part", least: 2, got: n }.into());
        }
        let (train, test) = if n >= train + test {
            (train, test)
        } else {
            let share = (n * train / (train + test)).clamp(1, n - 1);
            (share, n - share)
        };
        self.points = Some(Points { train: Some(train), test });
        let (seen, unseen) = self.order.split_at(train);
        let [seen, unseen] = [seen.to_vec(), unseen[..test].to_vec()];
        Ok([self.take(of, &seen), self.take(of, &unseen)])
    }

    /// All points.
    pub(super) fn all_rows(&mut self) -> Vec<usize> {
        let rows: Vec<usize> = (0..self.order.len()).collect();
        self.points = Some(Points { train: None, test: rows.len() });
        self.drawn(&rows)
    }

    fn take(&mut self, of: [&DMatrix<f64>; 2], rows: &[usize]) -> Part {
        let rows = self.drawn(rows);
        of.map(|m| m.select_rows(&rows))
    }

    /// The rows, or as many drawn from them with replacement.
    fn drawn(&mut self, rows: &[usize]) -> Vec<usize> {
        match &mut self.resampling {
            None => rows.to_vec(),
            Some(rng) => rows.iter().map(|_| rows[rng.random_range(0..rows.len())]).collect(),
        }
    }

    pub(super) fn targets(&self) -> Result<&'a [InterventionTarget], Reason> {
        self.known.targets.ok_or(Reason::truth_lacks("intervention targets"))
    }

    /// True labels, 0 for none.
    pub(super) fn labels(&self) -> Result<Vec<usize>, Reason> {
        let targets = self.targets()?;
        let labels: Option<Vec<usize>> = targets.iter().map(InterventionTarget::label).collect();
        labels.ok_or(Reason::truth_lacks("one target per pair at most"))
    }

    /// Number of factors: what the truth tells, or else as many as there are latents, or are named as targets.
    pub(super) fn factors(&self, latents: usize) -> usize {
        let Truth { factors, factors_after, noise, targets, dag } = self.known;
        let known = factors.or(factors_after).or(noise).map(DMatrix::ncols);
        let variables = targets.iter().copied().flatten().flat_map(InterventionTarget::variables);
        let named = variables.map(|k| k + 1).max().unwrap_or(0);
        known.or(dag.map(Dag::dim)).unwrap_or_else(|| named.max(latents))
    }

    pub(super) fn posterior(&self) -> Result<&'a DMatrix<f64>, Reason> {
        self.said.target_probs.ok_or(Reason::prediction_lacks("target probabilities"))
    }

    pub(super) fn set_posterior(&self) -> Result<&'a DMatrix<f64>, Reason> {
        self.said.set_probs.ok_or(Reason::prediction_lacks("set probabilities"))
    }

    pub(super) fn true_graph(&self) -> Result<&'a Dag, Reason> {
        self.known.dag.ok_or(Reason::truth_lacks("the true graph"))
    }

    /// Which latent stands for which factor: by correlation, or else by targets, or else by place.
    pub(super) fn matching(&mut self) -> Result<Matching, Reason> {
        let (matching, how) = if let Ok([z, y]) = self.variables() {
            let rows = self.all_rows();
            let [z, y] = [z, y].map(|m| m.select_rows(&rows));
            let matched = mcc(Sample::new(&z, &y)?, Correlation::Pearson)?;
            (matched.matching, "variables matched by correlation")
        } else if let (Ok(posterior), Ok(labels)) = (self.posterior(), self.labels()) {
            let scores = target_accuracy(posterior, &labels, self.factors(latents_of(posterior)))?;
            (scores.accuracy.matching, "variables matched by intervention targets")
        } else {
            (Matching::identity(self.true_graph()?.dim()), "variables taken in the order given")
        };
        self.notes.insert(how.to_owned());
        Ok(matching)
    }

    /// Edge probabilities over the factors, `[K, K]`, 0 for factors without a latent.
    pub(super) fn edge_probs(&mut self) -> Result<DMatrix<f64>, Reason> {
        let probs = self.said.edge_probs.ok_or(Reason::prediction_lacks("edge probabilities"))?;
        let (truth, matching) = (self.true_graph()?, self.matching()?);
        let (rows, cols) = probs.shape();
        if let Some((_, latent)) = matching.pairs().find(|&(_, i)| i >= rows.min(cols)) {
            let (expected, got) = (latent + 1, rows.min(cols));
            return Err(MetricError::Dim { what: "edge_probs", expected, got }.into());
        }
        let belief = |k, l| match (matching.latent_of(k), matching.latent_of(l)) {
            (Some(from), Some(to)) if from != to => probs[(from, to)],
            _ => 0.0,
        };
        Ok(DMatrix::from_fn(truth.dim(), truth.dim(), belief))
    }

    /// The edges believed in, over the factors.
    pub(super) fn predicted_graph(&mut self) -> Result<Digraph, Reason> {
        let probs = self.edge_probs()?;
        Ok(Digraph::from_probs(&probs, self.options.threshold)?)
    }

    /// The same, where it is acyclic.
    pub(super) fn predicted_dag(&mut self) -> Result<Dag, Reason> {
        let graph = self.predicted_graph()?;
        let adjacency = DMatrix::from_fn(graph.dim(), graph.dim(), |i, j| {
            f64::from(u8::from(graph.has_edge(i, j)))
        });
        Dag::from_adjacency(&adjacency).map_err(|e| Reason::Cyclic(e.into()))
    }
}

/// Number of latents that a posterior over targets, "none" among them, is of.
pub(super) fn latents_of(posterior: &DMatrix<f64>) -> usize {
    posterior.ncols().saturating_sub(1)
}

/// Whether a column holds few whole numbers.
pub(super) fn is_discrete(m: &DMatrix<f64>, column: usize) -> bool {
    let column = m.column(column);
    if column.iter().any(|v| v.fract().abs() > 0.0 || !v.is_finite()) {
        return false;
    }
    let mut values: Vec<f64> = column.iter().copied().collect();
    values.sort_by(f64::total_cmp);
    values.dedup_by(|a, b| *a <= *b);
    values.len() <= MOST_VALUES
}

/// The numbers below `n` in an order that depends on the seed.
pub(super) fn shuffled(n: usize, seed: Seed) -> Vec<usize> {
    let mut rng = seed.rng(Stream::Split);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_permutation_that_the_seed_defines() {
        let order = shuffled(50, Seed(1));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert_eq!(order, shuffled(50, Seed(1)));
        assert_ne!(order, shuffled(50, Seed(2)));
    }
}
