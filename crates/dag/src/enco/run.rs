use nalgebra::DMatrix;
use rand::Rng;
use rand::seq::SliceRandom;

use super::belief::{Belief, Gain};
use super::fitting::Fitting;
use super::parents::{DrawnSets, ParentLaw};
use super::{Enco, EncoFit};
use crate::neural::{Encoded, Evaluate, Stack};
use crate::{DagError, LearnedGraph, Samples};

/// Observational rows from which on interventional rows are left out of distribution fitting.
const ENOUGH_OBSERVATIONAL: usize = 100;

/// Beliefs within this of 0 or 1 are settled.
const SETTLED: f64 = 0.05;

/// Rounds in a row with all beliefs settled that end a run. Indirect causes are believed in at first
/// and dropped once the direct ones are sure, which takes some rounds.
const CALM: usize = 5;

/// A run of [`Enco`] between its steps.
pub struct EncoRun {
    options: Enco,
    data: Encoded,
    belief: Belief,
    /// Distribution fitting for the rows of each fold, which it does not learn from.
    fittings: Vec<Fitting>,
    /// Rows of graph fitting by what they target and by fold.
    groups: Vec<Group>,
    /// Groups yet to come in the current round over them.
    waiting: Vec<usize>,
    epochs: usize,
}

/// Rows with one likeliest target.
struct Group {
    target: Option<usize>,
    fold: usize,
    rows: Vec<usize>,
    /// Target probabilities of variables per row where some is not 0 or 1, `[rows, d]`.
    uncertain: Option<DMatrix<f64>>,
}

impl EncoRun {
    pub(super) fn new(options: Enco, samples: &Samples, rng: &mut dyn Rng) -> Self {
        let observational = samples.observational_rows();
        let all: Vec<usize> = (0..samples.len()).collect();
        let enough = observational.len() >= ENOUGH_OBSERVATIONAL;
        let folds = if enough { options.folds } else { 1 };
        let groups = groups(samples, &observational, folds);
        let fitted = if enough { observational } else { all };
        let data = Encoded::new(samples, &fitted);
        let mut fitting = |fold: usize| {
            let mut rows = fitted.clone();
            let others = groups.iter().filter(|g| g.fold != fold && g.is_certain());
            others.for_each(|group| rows.extend(&group.rows));
            Fitting::new(Stack::draw(&data, options.hidden, rng), samples, rows)
        };
        let fittings = (0..folds).map(&mut fitting).collect();
        let belief = Belief::new(samples.dim(), options.gamma_rate, options.theta_rate);
        Self { options, data, fittings, belief, groups, waiting: Vec::new(), epochs: 0 }
    }

    /// One step of distribution fitting: every network learns from one batch. Returns the mean loss
    /// of the networks in nats.
    pub fn distribution_step(&mut self, rng: &mut dyn Rng) -> f64 {
        let laws = self.laws();
        let all: Vec<usize> = (0..self.data.dim()).collect();
        let step = |f: &mut Fitting| f.step(&all, &self.data, &laws, &self.options, &mut *rng);
        let losses: Vec<f64> = self.fittings.iter_mut().map(step).collect();
        losses.iter().sum::<f64>() / losses.len() as f64
    }

    /// One step of graph fitting on rows with one target; the targets take turns.
    pub fn graph_step(&mut self, rng: &mut dyn Rng) {
        if self.waiting.is_empty() {
            self.waiting = (0..self.groups.len()).collect();
            self.waiting.shuffle(rng);
        }
        let Some(at) = self.waiting.pop() else { return };
        let group = &self.groups[at];
        let size = self.options.graph_batch.min(group.rows.len());
        let mut places: Vec<usize> = (0..group.rows.len()).collect();
        let places = &*places.partial_shuffle(rng, size).0;
        let target = group.target;
        let mut gains = Vec::new();
        for effect in (0..self.data.dim()).filter(|&j| Some(j) != target) {
            let drawn = self.law(effect).draw_distinct(self.options.graphs, rng);
            let means = self.mean_losses(&self.groups[at], places, effect, &drawn);
            gains.extend(edge_gains(effect, self.data.dim(), &drawn, &means));
        }
        for gain in &gains {
            self.belief.update(gain, target, self.options.sparsity);
        }
    }

    /// The rounds that are left, and the answer.
    ///
    /// # Errors
    /// [`DagError::NotFinite`] if a belief is NaN, after rates that make the networks diverge.
    pub fn finish(mut self, rng: &mut dyn Rng) -> Result<EncoFit, DagError> {
        let mut calm = 0;
        while self.epochs < self.options.epochs && calm < CALM {
            let laws = self.laws();
            for fitting in &mut self.fittings {
                fitting.epoch(&self.data, &laws, &self.options, rng);
            }
            (0..self.options.graph_steps).for_each(|_| self.graph_step(rng));
            self.epochs += 1;
            calm = if self.is_settled() { calm + 1 } else { 0 };
        }
        self.result()
    }

    /// The answer as it stands.
    ///
    /// # Errors
    /// As [`EncoRun::finish`].
    pub fn result(&self) -> Result<EncoFit, DagError> {
        let d = self.data.dim();
        let matrix = |f: &dyn Fn(usize, usize) -> f64| {
            DMatrix::from_fn(d, d, |i, j| if i == j { 0.0 } else { f(i, j) })
        };
        let belief = &self.belief;
        Ok(EncoFit {
            graph: LearnedGraph::from_edge_probs(matrix(&|i, j| belief.edge(i, j)))?,
            existence: matrix(&|i, j| belief.existence(i, j)),
            orientation: matrix(&|i, j| belief.orientation(i, j)),
            confounders: matrix(&|i, j| belief.unexplained(i, j) * belief.unexplained(j, i)),
            epochs: self.epochs,
        })
    }

    fn is_settled(&self) -> bool {
        let d = self.data.dim();
        let sure = |p: f64| !(SETTLED..=1.0 - SETTLED).contains(&p);
        (0..d).all(|i| (0..d).all(|j| sure(self.belief.edge(i, j))))
    }

    fn laws(&self) -> Vec<ParentLaw> {
        (0..self.data.dim()).map(|j| self.law(j)).collect()
    }

    /// The law of the causes of a variable under the current beliefs.
    fn law(&self, of: usize) -> ParentLaw {
        ParentLaw::new((0..self.data.dim()).map(|i| self.belief.edge(i, of)))
    }

    /// Mean losses of `effect` per set of causes, weighted for existence and for orientation.
    fn mean_losses(
        &self,
        group: &Group,
        places: &[usize],
        effect: usize,
        drawn: &DrawnSets,
    ) -> Vec<[f64; 2]> {
        let rows: Vec<usize> = places.iter().map(|&p| group.rows[p]).collect();
        let (stack, data, sets) = (&self.fittings[group.fold].stack, &self.data, &drawn.sets);
        let always = &drawn.always;
        let evaluate = Evaluate { stack, data, target: effect, rows: &rows, always, sets };
        let losses = evaluate.losses();
        let weights: Vec<[f64; 2]> = places.iter().map(|&p| group.weights(p, effect)).collect();
        let mean = |losses: &[f32], kind: usize| {
            let pairs = losses.iter().zip(&weights);
            let (sum, total) = pairs.fold((0.0, 0.0), |(sum, total), (l, w)| {
                (sum + w[kind] * f64::from(*l), total + w[kind])
            });
            if total > 0.0 { sum / total } else { 0.0 }
        };
        losses.chunks_exact(rows.len()).map(|set| [mean(set, 0), mean(set, 1)]).collect()
    }
}

impl Group {
    /// Whether the targets of all rows are known, an intervention among them.
    fn is_certain(&self) -> bool {
        self.target.is_some() && self.uncertain.is_none()
    }

    /// The group in as many parts as there are folds, if its rows may teach other folds.
    fn parts(self, folds: usize) -> Vec<Self> {
        if folds < 2 || !self.is_certain() {
            return vec![self];
        }
        let part = |fold: usize| Self {
            target: self.target,
            fold,
            rows: self.rows.iter().skip(fold).step_by(folds).copied().collect(),
            uncertain: None,
        };
        (0..folds).map(part).filter(|part| !part.rows.is_empty()).collect()
    }

    /// Weights of a row for the existence of edges into `effect`, and for their orientation.
    fn weights(&self, place: usize, effect: usize) -> [f64; 2] {
        let Some(probs) = &self.uncertain else { return [1.0; 2] };
        let free = 1.0 - probs[(place, effect)];
        [free, free * self.target.map_or(1.0, |t| probs[(place, t)])]
    }
}

/// Rows by likeliest target and fold; observational rows only if there are no others.
fn groups(samples: &Samples, observational: &[usize], folds: usize) -> Vec<Group> {
    let by_target = samples.rows_by_target().into_iter().enumerate();
    let mut groups: Vec<_> = by_target.map(|(t, rows)| (Some(t), rows)).collect();
    groups.retain(|(_, rows)| !rows.is_empty());
    if groups.is_empty() {
        groups.push((None, observational.to_vec()));
    }
    let group = |(target, rows): (Option<usize>, Vec<usize>)| {
        let only = |&row: &usize| {
            let targets = &samples.regime(row).targets;
            targets.iter().all(|&(k, p)| Some(k) == target && p >= 1.0)
        };
        let probs = |a: usize, k: usize| samples.target_probability(rows[a], k);
        let uncertain =
            (!rows.iter().all(only)).then(|| DMatrix::from_fn(rows.len(), samples.dim(), probs));
        Group { target, fold: 0, rows, uncertain }
    };
    groups.into_iter().flat_map(|rows| group(rows).parts(folds)).collect()
}

/// What each edge into `effect` changes, from the mean losses of the sets of causes.
fn edge_gains(effect: usize, dim: usize, drawn: &DrawnSets, means: &[[f64; 2]]) -> Vec<Gain> {
    let mut with = vec![([0.0; 2], 0_usize); dim];
    let (mut sums, mut count) = ([0.0; 2], 0);
    for (set, (mean, &times)) in means.iter().zip(&drawn.counts).enumerate() {
        let weighted = mean.map(|m| m * times as f64);
        let add = |to: &mut [f64; 2]| to.iter_mut().zip(weighted).for_each(|(t, w)| *t += w);
        add(&mut sums);
        count += times;
        for &i in drawn.sets.get(set) {
            let entry = &mut with[i as usize];
            add(&mut entry.0);
            entry.1 += times;
        }
    }
    let gain = |cause: usize| {
        let (inside, times) = with[cause];
        let change = (times > 0 && times < count).then(|| {
            let difference = |kind: usize| {
                inside[kind] / times as f64 - (sums[kind] - inside[kind]) / (count - times) as f64
            };
            [difference(0), difference(1)]
        });
        Gain { cause, effect, change }
    };
    (0..dim).filter(|&i| i != effect).map(gain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_share_out_the_rows_of_known_targets_only() {
        let group =
            |uncertain| Group { target: Some(1), fold: 0, rows: (0..7).collect(), uncertain };
        let parts = group(None).parts(3);
        let rows: Vec<&[usize]> = parts.iter().map(|part| &part.rows[..]).collect();
        assert_eq!(rows, [&[0, 3, 6][..], &[1, 4], &[2, 5]]);
        assert_eq!(parts.iter().map(|part| part.fold).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(group(None).parts(1).len(), 1);
        assert_eq!(group(Some(DMatrix::zeros(7, 2))).parts(3).len(), 1);
    }
}
