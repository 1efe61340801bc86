//! Synthetic systems whose graph is known, and samples of them under interventions.
//!
//! A [`GraphFamily`] draws a graph; a [`DiscreteNetwork`] or a [`GaussianScm`] puts mechanisms on it;
//! [`draw_samples`] observes it and intervenes on each variable in turn, as a [`Plan`] says.
//!
//! ```
//! use domino_core::{Seed, Stream};
//! use domino_dag::networks::{DiscreteNetwork, GraphFamily, Intervention, Plan, draw_samples};
//!
//! let mut rng = Seed(0).rng(Stream::World);
//! let dag = GraphFamily::Chain.draw(4, &mut rng)?;
//! let network = DiscreteNetwork::random(dag, 10, &mut rng)?;
//! let plan = Plan { observational: 100, per_target: 20, intervention: Intervention::Perfect };
//! let samples = draw_samples(&network, &plan, &mut rng)?;
//! assert_eq!((samples.len(), samples.dim()), (100 + 4 * 20, 4));
//! # Ok::<(), domino_dag::DagError>(())
//! ```

mod conditional;
mod discrete;
mod family;
mod gaussian;

use domino_core::Dag;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use discrete::DiscreteNetwork;
pub use family::GraphFamily;
pub use gaussian::{GaussianScm, Scale};

use crate::{Column, DagError, Regime, Samples};

/// How a variable is intervened upon; its value is random in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intervention {
    /// The value is independent of the causes: uniform over the states, or normal with mean 2 and
    /// variance 1.
    #[default]
    Perfect,
    /// The value still depends on the causes: every second value is replaced by a uniform state, or
    /// the noise gets the mean 2 in units of its standard deviation.
    Soft,
}

/// A system that can be observed and intervened upon.
pub trait CausalNetwork {
    /// Its graph.
    fn dag(&self) -> &Dag;

    /// Draws rows, with these variables as targets in each; one column per variable.
    fn sample(
        &self,
        rows: usize,
        targets: &[usize],
        intervention: Intervention,
        rng: &mut dyn Rng,
    ) -> Vec<Column>;
}

/// What to draw: observational rows first, then for each variable the rows that target it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Rows without intervention.
    pub observational: usize,
    /// Rows under an intervention on each variable.
    pub per_target: usize,
    /// How variables are intervened upon.
    pub intervention: Intervention,
}

/// Rows of a system as the plan says, with known targets.
///
/// # Errors
/// [`DagError::Empty`] if the plan asks for no row or the system has no variable.
pub fn draw_samples(
    network: &dyn CausalNetwork,
    plan: &Plan,
    rng: &mut dyn Rng,
) -> Result<Samples, DagError> {
    let mut part = |rows: usize, targets: &[usize]| {
        let columns = network.sample(rows, targets, plan.intervention, rng);
        Samples::new(columns, vec![Regime::known(targets)], vec![0; rows])
    };
    let mut parts = Vec::new();
    if plan.observational > 0 {
        parts.push(part(plan.observational, &[])?);
    }
    if plan.per_target > 0 {
        for k in 0..network.dag().dim() {
            parts.push(part(plan.per_target, &[k])?);
        }
    }
    Samples::stacked(&parts)
}
