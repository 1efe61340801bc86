use domino_core::{Dag, InterventionTarget, Stream};
use domino_dag::{Chains, LearnedGraph, PairRegression, StructureLearner};
use domino_train::TrainContext;
use domino_vae::start::{separate_resting, target_entropy};
use domino_vae::{LEAST_RESTING, SetPosterior};

use super::variables::{
    Codes, Variables, Whitened, linear_codes, new_models, of_unit_spread, padded,
};
use super::{Candidate, FitError, RecipeConfig, ThinStage};

/// Times that pairs are taken apart along the order learned before; without a change of the order
/// one is enough.
const ROUNDS: usize = 5;

/// A linear encoder whose codes rest in as many pairs as they can.
///
/// # Errors
/// [`FitError::Config`] if no such encoder separates the variables.
pub(super) fn resting_variables(
    [train_on, held_out]: [&Whitened; 2],
    stage: &ThinStage,
    config: &RecipeConfig,
    context: &TrainContext<'_>,
) -> Result<Variables, FitError> {
    let d = config.model.d;
    let [before, after] = [&train_on.before, &train_on.after]
        .map(|side| train_on.matrix(side).columns(0, d).into_owned());
    let mut rng = context.seed.rng_at(Stream::Init, 1);
    let found = separate_resting(&(after - &before), &mut rng);
    let start = padded(&of_unit_spread(found, &before), train_on.components());
    let judged = Judged::of(&linear_codes(held_out, &start));
    if judged.sparsity < stage.skip_above || judged.resting < LEAST_RESTING {
        return Err(judged.refusal(stage));
    }
    let model = new_models(&[start], &config.model.networks, 0, context).silenced();
    let candidates = vec![judged.candidate(d)];
    Ok(Variables { candidates, linear: true, phases: 0, ..Variables::of(model) })
}

/// What codes of held-out pairs say of themselves.
struct Judged {
    sparsity: f64,
    resting: f64,
    targets: Vec<InterventionTarget>,
}

impl Judged {
    fn of(codes: &Codes) -> Self {
        let changes = codes.changes();
        let posterior = SetPosterior::fit(&changes);
        let probs = posterior.probs(&changes);
        Self {
            sparsity: posterior.sparsity(&changes),
            resting: SetPosterior::least_resting(&probs),
            targets: InterventionTarget::most_probable(&probs),
        }
    }

    fn candidate(&self, d: usize) -> Candidate {
        let labels: Vec<usize> = self.targets.iter().flat_map(InterventionTarget::labels).collect();
        Candidate {
            sparsity_of_change: self.sparsity,
            target_entropy: target_entropy(&labels, d),
            agreement: 1.0,
        }
    }

    fn refusal(&self, stage: &ThinStage) -> FitError {
        FitError::Config {
            key: "model.targets",
            expected: "`one`, or with `several` pairs that one linear map separates, each variable \
                       at rest in some of the pairs that set another",
            got: format!(
                "codes whose sets carry {:.3} of the change, at least {} asked for, and of which \
                 one rests in {:.3} of the pairs that set another, at least {LEAST_RESTING} asked for",
                self.sparsity, stage.skip_above, self.resting
            ),
        }
    }
}

/// The graph, and the pairs as chains of single targets along it.
///
/// The order of the chains is that of the graph, which is learned from the chains: they are made and
/// learned from in turn until the order fits the graph.
pub(super) fn learn_chains(
    codes: &Codes,
    targets: &[InterventionTarget],
    learner: &PairRegression,
    context: &TrainContext<'_>,
) -> Result<(Chains, LearnedGraph), FitError> {
    let sides = [&codes.before, &codes.after];
    let mut order = learner.order(&Chains::new(sides, targets, None)?.codes()?)?;
    for round in 1.. {
        let chains = Chains::new(sides, targets, Some(&order))?;
        let mut rng = context.seed.rng_at(Stream::Eval, 1);
        let graph = learner.learn(&chains.codes()?, &mut rng)?;
        if round == ROUNDS || fits(&order, &graph.dag) {
            return Ok((chains, graph));
        }
        order = graph.order;
    }
    unreachable!("the last round returns")
}

/// Whether causes come before effects.
fn fits(order: &[usize], dag: &Dag) -> bool {
    let place = |k: usize| order.iter().position(|&v| v == k);
    dag.edges().all(|(from, to)| place(from) < place(to))
}
