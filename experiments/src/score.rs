//! A fitted model against the truth.

use domino::core::{Dag, Embedding, GroundTruth, InterventionTarget, Seed, Stream};
use domino::metrics::{
    Correlation, Dci, DciOptions, EdgeScores, Matching, Mcc, MetricError, Reversal, Sample,
    SetAccuracy, TargetAccuracy, dci, edge_scores, mcc, set_accuracy, shd, target_accuracy,
};
use nalgebra::DMatrix;

use crate::report::Scores;

/// Part of the evaluation stream that the trees draw from.
const DCI_PART: u64 = 2;

/// What a model says of pairs whose truth is known to some extent.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The model's variables and targets.
    pub embedding: &'a Embedding,
    /// What is known.
    pub truth: &'a GroundTruth,
}

impl<'a> Answer<'a> {
    /// Learned and true causal variables, before the intervention where those are known.
    pub fn variables(&self) -> Option<(&'a DMatrix<f64>, &'a DMatrix<f64>)> {
        let before = self.truth.z_before.as_ref().map(|z| (&self.embedding.z_before, z));
        before.or_else(|| self.truth.z_after.as_ref().map(|z| (&self.embedding.z_after, z)))
    }

    fn sample(&self) -> Result<Option<Sample<'a>>, MetricError> {
        self.variables().map(|(z, truth)| Sample::new(z, truth)).transpose()
    }

    /// Number of factors: what the truth tells, or else as many as there are codes, or labels.
    fn factors(&self, labels: &[usize]) -> usize {
        let named = labels.iter().copied().max().unwrap_or(0);
        self.truth.dim().unwrap_or_else(|| named.max(self.embedding.dim()))
    }

    /// How well sets of targets are named, where the model names sets.
    fn sets(&self) -> Result<Option<SetAccuracy>, MetricError> {
        let (Some(probs), Some(targets)) = (&self.embedding.set_probs, &self.truth.targets) else {
            return Ok(None);
        };
        let highest = targets.iter().flat_map(InterventionTarget::variables).max();
        let named = highest.map_or(0, |k| k + 1).max(self.embedding.dim());
        set_accuracy(probs, targets, self.truth.dim().unwrap_or(named)).map(Some)
    }

    /// True labels, where every pair has one.
    fn labels(&self) -> Option<Vec<usize>> {
        self.truth.targets.as_ref()?.iter().map(InterventionTarget::label).collect()
    }
}

/// Scores a model, each part as far as the truth reaches; nothing where neither variables nor
/// targets are known, since then no learned variable can be matched with a true one.
///
/// Variables are matched by their Pearson correlations, or else by targets; that matching relabels
/// the graph and the confusion matrix. The accuracies of targets and of sets of them are taken under the
/// best assignments of their own, as published. `train` holds other pairs to fit the trees of the DCI scores on.
///
/// The model may have more variables than the truth, or fewer: as many are matched as there are pairs
/// of them. A factor without a code counts as correlation 0, its edges as missing, and
/// interventions on it as named wrongly; the edges of a code without a factor do not exist.
///
/// # Errors
/// [`MetricError`] if the model's answer is not finite or does not fit the truth.
pub fn score(
    test: Answer<'_>,
    train: Option<Answer<'_>>,
    learned: &Dag,
    options: &DciOptions,
    seed: Seed,
) -> Result<Option<Scores>, MetricError> {
    let variables = match test.sample()? {
        Some(sample) => Some(Correlations::of(sample)?),
        None => None,
    };
    let targets = match test.labels() {
        Some(labels) => {
            let factors = test.factors(&labels);
            Some(target_accuracy(&test.embedding.target_probs, &labels, factors)?)
        }
        None => None,
    };
    let by_variables = variables.as_ref().map(|v| &v.pearson.matching);
    let sets = test.sets()?;
    let by_targets = targets.as_ref().map(|t| &t.accuracy.matching);
    let by_sets = sets.as_ref().map(|s| &s.matching);
    let Some(matching) = by_variables.or(by_targets).or(by_sets).cloned() else { return Ok(None) };
    let trees = dci_scores(test, train, options, seed)?;
    let whole = matching.with_unmatched(learned.dim());
    let graph = graph_scores(test.truth.dag.as_ref(), learned, &whole)?;
    let edges = graph.as_ref().and_then(|g| g.edges);
    let names = test.truth.names.clone();
    let names =
        names.unwrap_or_else(|| (1..=matching.factors()).map(|k| format!("true z{k}")).collect());
    Ok(Some(Scores {
        disentanglement: trees.as_ref().map(|t| t.disentanglement.score),
        completeness: trees.as_ref().map(|t| t.completeness.score),
        informativeness_test: trees.as_ref().map(|t| t.informativeness_test.mean),
        mcc: variables.as_ref().map(|v| v.pearson.score),
        mcc_spearman: variables.as_ref().map(|v| v.spearman.score),
        smallest_correlation: variables.as_ref().map(|v| v.pearson.smallest),
        target_accuracy: targets.as_ref().map(|t| t.accuracy.score),
        exact_sets: sets.as_ref().map(|s| s.exact),
        set_states: sets.as_ref().map(|s| s.per_variable),
        shd: graph.as_ref().map(|g| g.shd),
        edge_precision: edges.map(|e| e.precision),
        edge_recall: edges.map(|e| e.recall),
        edge_f1: edges.map(|e| e.f1),
        factor_names: names,
        importance: trees.map_or_else(Vec::new, |t| rows(&t.importance)),
        confusion: targets.map_or_else(Vec::new, |t| confusion(&t, &whole)),
        true_edges: test.truth.dag.as_ref().map(|dag| dag.edges().collect()),
        matching: matching.latents().to_vec(),
    }))
}

struct Correlations {
    pearson: Mcc,
    spearman: Mcc,
}

impl Correlations {
    fn of(sample: Sample<'_>) -> Result<Self, MetricError> {
        let pearson = mcc(sample, Correlation::Pearson)?;
        Ok(Self { pearson, spearman: mcc(sample, Correlation::Spearman)? })
    }
}

fn dci_scores(
    test: Answer<'_>,
    train: Option<Answer<'_>>,
    options: &DciOptions,
    seed: Seed,
) -> Result<Option<Dci>, MetricError> {
    let train = train.map(|answer| answer.sample()).transpose()?.flatten();
    let (Some(train), Some(test)) = (train, test.sample()?) else { return Ok(None) };
    let mut rng = seed.rng_at(Stream::Eval, DCI_PART);
    dci(train, test, options, &mut rng).map(Some)
}

struct GraphFit {
    shd: f64,
    /// Nothing where neither graph has an edge.
    edges: Option<EdgeScores>,
}

/// The true graph against the learned one, both over the factors and the codes without a factor, of which
/// the true graph has no edge.
fn graph_scores(
    truth: Option<&Dag>,
    learned: &Dag,
    whole: &Matching,
) -> Result<Option<GraphFit>, MetricError> {
    let Some(truth) = truth else { return Ok(None) };
    let edges: Vec<_> = truth.edges().collect();
    let truth = Dag::from_edges(whole.factors(), &edges)?;
    let relabelled = whole.relabel(learned)?;
    let distance = shd(&truth, &relabelled, Reversal::Once)?;
    let any = truth.edge_count() + relabelled.edge_count() > 0;
    let edges = edge_scores(&truth, &relabelled)?.directed;
    Ok(Some(GraphFit { shd: distance as f64, edges: any.then_some(edges) }))
}

/// Counts by true label and the factor that the inferred target stands for, or the code without one.
fn confusion(targets: &TargetAccuracy, whole: &Matching) -> Vec<Vec<u64>> {
    let counts = &targets.confusion;
    let columns: Vec<Option<usize>> = std::iter::once(Some(0))
        .chain(whole.latents().iter().map(|latent| latent.map(|i| i + 1)))
        .collect();
    let row = |label: usize| {
        columns.iter().map(|&c| c.map_or(0, |c| counts[(label, c)] as u64)).collect()
    };
    (0..counts.nrows()).map(row).collect()
}

/// The rows of a matrix.
pub(crate) fn rows(m: &DMatrix<f64>) -> Vec<Vec<f64>> {
    m.row_iter().map(|row| row.iter().copied().collect()).collect()
}

/// Named scores on one line, those that are known.
pub fn one_line(scores: &Scores) -> String {
    let parts = [
        ("disentanglement", scores.disentanglement, 3),
        ("completeness", scores.completeness, 3),
        ("mcc", scores.mcc, 3),
        ("target accuracy", scores.target_accuracy, 3),
        ("exact sets", scores.exact_sets, 3),
        ("shd", scores.shd, 0),
        ("edge f1", scores.edge_f1, 3),
    ];
    let text = |(name, value, decimals): (&str, Option<f64>, usize)| {
        value.map(|value| format!("{name} {value:.decimals$}"))
    };
    parts.into_iter().filter_map(text).collect::<Vec<_>>().join("   ")
}

#[cfg(test)]
mod tests {
    use domino::data::scaling::{GraphConfig, ScalingConfig, World};
    use domino::data::{Generator, Split};

    use super::*;

    /// A model that knows everything, under other names: factor `k` is code `order[k]`.
    fn perfect(truth: &GroundTruth, order: &[usize]) -> Embedding {
        let d = order.len();
        let permuted = |m: &Option<DMatrix<f64>>| {
            let m = m.as_ref().unwrap();
            let factor_of = |code| order.iter().position(|&c| c == code).unwrap();
            DMatrix::from_fn(m.nrows(), d, |n, code| 3.0 - 2.0 * m[(n, factor_of(code))])
        };
        let targets = truth.targets.as_ref().unwrap();
        let column = |n: usize| targets[n].variables().first().map_or(0, |&k| order[k] + 1);
        Embedding {
            z_before: permuted(&truth.z_before),
            z_after: permuted(&truth.z_after),
            e_before: permuted(&truth.e_before),
            e_after: permuted(&truth.e_after),
            target_probs: DMatrix::from_fn(targets.len(), d + 1, |n, c| {
                f64::from(u8::from(column(n) == c))
            }),
            set_probs: None,
            edge_probs: DMatrix::zeros(d, d),
        }
    }

    fn chain() -> (GroundTruth, GroundTruth) {
        let config = ScalingConfig { d: 3, graph: GraphConfig::Chain, ..ScalingConfig::default() };
        let world = World::draw(&config).unwrap();
        (world.sample(400, Split::DciTrain).unwrap().1, world.sample(300, Split::Test).unwrap().1)
    }

    const ORDER: [usize; 3] = [2, 0, 1];

    fn score_with(change: impl Fn(&mut GroundTruth)) -> Option<Scores> {
        let (mut train, mut test) = chain();
        let (a, b) = (perfect(&train, &ORDER), perfect(&test, &ORDER));
        change(&mut train);
        change(&mut test);
        let learned = Dag::from_edges(3, &[(2, 0), (0, 1)]).unwrap();
        let test = Answer { embedding: &b, truth: &test };
        let train = Some(Answer { embedding: &a, truth: &train });
        score(test, train, &learned, &DciOptions::default(), Seed(0)).unwrap()
    }

    #[test]
    fn a_perfect_model_under_other_names_scores_perfectly() {
        let scores = score_with(|_| ()).unwrap();
        assert!(scores.disentanglement.unwrap() > 0.9 && scores.mcc.unwrap() > 0.999_999);
        assert_eq!([scores.target_accuracy, scores.shd], [Some(1.0), Some(0.0)]);
        assert_eq!([scores.edge_precision, scores.edge_recall, scores.edge_f1], [Some(1.0); 3]);
        assert_eq!(scores.matching, ORDER.map(Some));
        let off_diagonal = (0..4).flat_map(|i| (0..4).map(move |j| (i, j))).filter(|(i, j)| i != j);
        assert!(off_diagonal.into_iter().all(|(i, j)| scores.confusion[i][j] == 0));
    }

    /// The scores of a model whose answer to the chain was changed, and of one that was not.
    fn score_changed(change: impl Fn(&mut Embedding), learned: &Dag) -> [Scores; 2] {
        let (train, test) = chain();
        let [a, b] = [&train, &test].map(|truth| perfect(truth, &ORDER));
        let [mut c, mut d] = [a.clone(), b.clone()];
        change(&mut c);
        change(&mut d);
        let whole = Dag::from_edges(3, &[(2, 0), (0, 1)]).unwrap();
        [(&c, &d, learned), (&a, &b, &whole)].map(|(a, b, learned)| {
            let test = Answer { embedding: b, truth: &test };
            let train = Some(Answer { embedding: a, truth: &train });
            score(test, train, learned, &DciOptions::default(), Seed(0)).unwrap().unwrap()
        })
    }

    fn close(a: Option<f64>, b: f64) -> bool {
        (a.unwrap() - b).abs() < 1e-9
    }

    #[test]
    fn a_code_too_few_costs_its_factor_and_nothing_else() {
        // Factor 1 is code 0, which is taken away: factor 0 becomes code 1 and factor 2 code 0. The
        // targets of the code that is gone are given to the code after it.
        let shorten = |embedding: &mut Embedding| {
            for z in [&mut embedding.z_before, &mut embedding.z_after] {
                *z = z.clone().remove_column(0);
            }
            let lost = embedding.target_probs.column(1).into_owned();
            embedding.target_probs = embedding.target_probs.clone().remove_column(1);
            embedding.target_probs.column_mut(1).zip_apply(&lost, |q, lost| *q += lost);
        };
        let learned = Dag::from_edges(2, &[(1, 0)]).unwrap();
        let [few, whole] = score_changed(shorten, &learned);
        assert_eq!(few.matching, [Some(1), None, Some(0)]);
        assert!(close(few.mcc, 2.0 / 3.0) && close(few.mcc_spearman, 2.0 / 3.0));
        assert!(close(few.smallest_correlation, 0.0));
        let hits = |row: usize| whole.confusion[row].iter().sum::<u64>() as f64;
        let all = (0..4).map(hits).sum::<f64>();
        // One code is the target for factors 1 and 2: it counts as the one that is hit more often.
        assert!(close(few.target_accuracy, 1.0 - hits(2).min(hits(3)) / all));
        // The chain 0 -> 1 -> 2 against 0 -> 2: two edges are missing, one is made up.
        assert!(close(few.shd, 3.0) && close(few.edge_recall, 0.0));
        assert_eq!((few.importance.len(), few.importance[0].len()), (2, 3));
        assert_eq!(few.confusion.iter().map(Vec::len).collect::<Vec<_>>(), [4; 4]);
        assert!(few.confusion.iter().all(|row| row[2] == 0));
    }

    #[test]
    fn a_code_too_many_changes_no_matched_correlation() {
        let lengthen = |embedding: &mut Embedding| {
            let odd = |n: usize| (n as f64 * 12.9898).sin() * 43_758.545 % 1.0;
            for z in [&mut embedding.z_before, &mut embedding.z_after] {
                *z = z.clone().insert_column(0, 0.0);
                z.column_mut(0).iter_mut().enumerate().for_each(|(n, v)| *v = odd(n));
            }
            embedding.target_probs = embedding.target_probs.clone().insert_column(1, 0.0);
        };
        // The chain under other names, and an effect of the code that stands for nothing.
        let learned = Dag::from_edges(4, &[(3, 1), (1, 2), (2, 0)]).unwrap();
        let [many, whole] = score_changed(lengthen, &learned);
        assert_eq!(many.matching, ORDER.map(|code| Some(code + 1)));
        assert!(close(many.mcc, whole.mcc.unwrap()));
        assert!(close(many.mcc_spearman, whole.mcc_spearman.unwrap()));
        assert!(close(many.smallest_correlation, whole.smallest_correlation.unwrap()));
        assert!(close(many.target_accuracy, 1.0) && close(many.shd, 1.0));
        assert!(close(many.edge_recall, 1.0) && close(many.edge_precision, 2.0 / 3.0));
        assert_eq!((many.importance.len(), many.importance[0].len()), (4, 3));
        assert!(many.disentanglement.unwrap() > 0.9);
        let widened = |row: &Vec<u64>| [row.clone(), vec![0]].concat();
        assert_eq!(many.confusion, whole.confusion.iter().map(widened).collect::<Vec<_>>());
    }

    #[test]
    fn each_score_needs_its_part_of_the_truth_only() {
        let no_variables = score_with(|t| {
            t.z_before = None;
            t.z_after = None;
        });
        let no_variables = no_variables.unwrap();
        assert_eq!((no_variables.mcc, no_variables.disentanglement), (None, None));
        assert_eq!(no_variables.matching, ORDER.map(Some));
        assert_eq!(no_variables.shd, Some(0.0));
        let no_graph = score_with(|t| t.dag = None).unwrap();
        assert_eq!((no_graph.shd, no_graph.true_edges), (None, None));
        let after_only = score_with(|t| t.z_before = None).unwrap();
        assert!(after_only.mcc.unwrap() > 0.999_999);
        let only_graph = score_with(|t| {
            *t = GroundTruth { dag: t.dag.take(), ..GroundTruth::default() };
        });
        assert_eq!(only_graph, None);
    }

    #[test]
    fn sets_are_scored_where_the_model_names_sets() {
        let (_, mut test) = chain();
        let mut embedding = perfect(&test, &ORDER);
        let probs = embedding.target_probs.clone().remove_column(0);
        embedding.set_probs = Some(probs);
        let scored = |truth: &GroundTruth| {
            let test = Answer { embedding: &embedding, truth };
            score(test, None, &Dag::empty(3), &DciOptions::default(), Seed(0)).unwrap()
        };
        let scores = scored(&test).unwrap();
        assert_eq!([scores.exact_sets, scores.set_states], [Some(1.0); 2]);
        assert_eq!(score_with(|_| ()).unwrap().exact_sets, None);
        test = GroundTruth { targets: test.targets.take(), ..GroundTruth::default() };
        assert_eq!(scored(&test).unwrap().matching, ORDER.map(Some));
        let first = InterventionTarget::Several(vec![0, 1]);
        test.targets.as_mut().unwrap()[0] = first;
        let scores = scored(&test).unwrap();
        assert_eq!((scores.target_accuracy, scores.matching), (None, ORDER.map(Some).to_vec()));
        assert!(scores.exact_sets.unwrap() > 0.99 && scores.exact_sets.unwrap() < 1.0);
    }

    #[test]
    fn the_line_leaves_out_what_is_not_known() {
        let line = one_line(&score_with(|t| t.dag = None).unwrap());
        assert!(line.contains("mcc 1.000") && !line.contains("shd"), "{line}");
    }
}
