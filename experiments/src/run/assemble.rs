use anyhow::Result;
use domino::core::{Embedding, InterventionTarget, Pairs, Seed, Stream};
use domino::dag::LearnedGraph;
use domino::model::{LatentCausalModel, Obs, PairBatch, download, upload_rows};
use domino::recipe::{Fit, embed};
use domino::vae::FittedIlcm;

use crate::counterfactuals::Sweep;
use crate::dataset::Dataset;
use crate::pictures::{Panel, PictureScores, Studio, panels};
use crate::report::{
    CounterfactualStrip, DataSummary, Edge, Report, Scores, VariableSummary, Verdict,
};
use crate::score::{Answer, rows, score};
use crate::settings::Settings;
use crate::verdict::verdict;

/// Pairs that the likelihood is averaged over, at most.
const LIKELIHOOD_ROWS: usize = 8192;

/// Part of the evaluation stream that the likelihood's sample is drawn from.
const LIKELIHOOD_PART: u64 = 3;

/// What was measured of a fit on the test pairs.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Against the truth, as far as it is known.
    pub scores: Option<Scores>,
    /// Without it.
    pub verdict: Verdict,
    /// Share of pairs by inferred target, `[d + 1]`.
    pub target_shares: Vec<f64>,
    /// One sweep per variable.
    pub counterfactuals: Vec<CounterfactualStrip>,
    /// Of a model of pictures: how good they are.
    pub pictures: Option<PictureScores>,
    /// And the pages that show them.
    pub panels: Vec<Panel>,
}

/// Measures a fit on the test pairs, whose embedding is `test`.
///
/// # Errors
/// If the model's answers are not finite.
pub fn measure(
    fit: &Fit,
    test: &Embedding,
    settings: &Settings,
    data: &Dataset,
) -> Result<Measured> {
    let seed = Seed(settings.seed);
    let train = data.dci_train.as_ref();
    let embedding = train.map(|sample| embed(&fit.model, &sample.pairs)).transpose()?;
    let train = train.zip(embedding.as_ref());
    let train = train.map(|(sample, embedding)| Answer { embedding, truth: &sample.truth });
    let answer = Answer { embedding: test, truth: &data.test.truth };
    let scores = score(answer, train, &fit.graph.dag, &settings.eval.dci.options(), seed)?;

    let sweep = Sweep::new(test, settings.eval.sweep);
    let mut counterfactuals = sweep.of_model(&fit.model);
    if let (Some(scores), Some(world)) = (&scores, &data.world) {
        sweep.add_truth(&mut counterfactuals, world.as_ref(), &data.test, &scores.matching);
    }
    let matching: Option<Vec<usize>> =
        scores.as_ref().and_then(|scores| scores.matching.iter().copied().collect());
    let matching = matching.as_deref();
    let world = data.world.as_deref();
    let studio = Studio { model: &fit.model, test: &data.test, embedding: test };
    let studio = fit.model.picture().map(|_| studio);
    let pictures = studio.as_ref().map(|studio| studio.scores(world, matching));
    let panels = studio.map_or_else(Vec::new, |studio| panels(&studio, world, matching));
    let likelihood = log_likelihood(&fit.model, &data.test.pairs, seed)?;
    Ok(Measured {
        scores,
        verdict: verdict(&fit.diagnosis, Some(likelihood)),
        target_shares: target_shares(test),
        counterfactuals,
        pictures,
        panels,
    })
}

impl Measured {
    /// The report of a run.
    ///
    /// # Errors
    /// If the settings have no hash.
    pub fn into_report(self, fit: &Fit, settings: &Settings, data: &Dataset) -> Result<Report> {
        let graph = &fit.graph;
        let variable = |k: usize| VariableSummary {
            name: format!("z{}", k + 1),
            intervened_share: self.target_shares[k + 1],
            parents: graph.dag.parents(k).collect(),
        };
        let d = graph.dim();
        Ok(Report {
            experiment: settings.name.clone(),
            config_hash: settings.hash()?,
            seed: settings.seed,
            data: summary(data),
            model: settings.in_words(),
            d,
            variables: (0..d).map(variable).collect(),
            learned_edges: edges(graph),
            edge_probs: rows(&graph.edge_probs),
            order: graph.order.clone(),
            target_shares: self.target_shares,
            verdict: self.verdict,
            scores: self.scores,
            counterfactuals: self.counterfactuals,
            pictures: self.pictures,
        })
    }
}

fn summary(data: &Dataset) -> DataSummary {
    DataSummary {
        name: data.name.clone(),
        rows: data.train.len(),
        held_out_rows: data.test.pairs.len(),
        dim_x: data.train.dim(),
        checksum: data.checksum.clone(),
    }
}

fn edges(graph: &LearnedGraph) -> Vec<Edge> {
    let edge = |(from, to)| Edge {
        from,
        to,
        probability: graph.edge_probs[(from, to)],
        // Permuting a cause doubles the variance that it explains.
        strength: (graph.strengths[(from, to)] / 2.0).max(0.0).sqrt(),
    };
    graph.dag.edges().map(edge).collect()
}

/// Share of pairs by inferred target, `[d + 1]`, none first; a pair counts for every variable that was set.
pub(super) fn target_shares(embedding: &Embedding) -> Vec<f64> {
    let mut shares = vec![0.0; embedding.dim() + 1];
    let one = 1.0 / embedding.len().max(1) as f64;
    for label in embedding.targets().iter().flat_map(InterventionTarget::labels) {
        shares[label] += one;
    }
    shares
}

/// The mean lower bound of the log likelihood of a pair, in nats.
fn log_likelihood(model: &FittedIlcm, pairs: &Pairs, seed: Seed) -> Result<f64> {
    let n = pairs.len().min(LIKELIHOOD_ROWS);
    let [before, after] = [pairs.before(), pairs.after()].map(|side| {
        let mut data = Vec::with_capacity(n * side.dim());
        (0..n).for_each(|row| side.push_row(row, &mut data));
        Obs(upload_rows(data, side.dim(), &model.device()))
    });
    let mut rng = seed.rng_at(Stream::Eval, LIKELIHOOD_PART);
    let bound = model.log_likelihood(&PairBatch { before, after }, &mut rng)?;
    Ok(download(bound.reshape([1, n])).mean())
}
