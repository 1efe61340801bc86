//! How properties of a picture cause each other.

use domino_core::Dag;
use rand::{Rng, RngExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::VariableError;
use super::variable::{Domain, Variable};
use crate::config_error::{ConfigError, positive, probability};
use crate::normal;
use crate::scaling::{GraphConfig, RandomGraph};
use crate::unit::{UnitLaw, UnitMechanisms};

/// Least and largest mean of a variable with causes.
const MEANS: [f64; 2] = [0.1, 0.9];

/// Options of the mechanisms between properties of a picture.
///
/// A variable without causes is uniform. One with causes follows a Beta law,
///
/// ```text
/// z_j ~ Beta(c m_j, c (1 − m_j)),   m_j = 0.1 + 0.8 Φ(Σ_i w_ij s_ij (u_i − 1/2) / √(Σ_i w_ij² / 12))
/// ```
///
/// where `c` is the concentration, `Φ` the standard normal distribution function, `u_i` the cause
/// between 0 and 1 (the `k`-th of `n` discrete values at `(k + 1/2) / n`), the sign `s_ij` is 1 or −1,
/// either equally likely, and `w_ij ~ U(0.5, 1)`; both are drawn once for a world. Of independent
/// uniform causes the argument of `Φ` has variance 1, so that `m_j` spreads over its range however
/// many there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BetaConfig {
    /// How closely a variable follows its causes: its standard deviation given them is
    /// `√(m (1 − m) / (c + 1))`.
    #[schemars(range(min = 0.0))]
    pub concentration: f64,
}

impl Default for BetaConfig {
    /// A standard deviation of at most 0.12.
    fn default() -> Self {
        Self { concentration: 16.0 }
    }
}

/// A weighted cause.
#[derive(Clone, Copy, Debug)]
struct Cause {
    variable: usize,
    /// Negative where more of the cause makes less of the effect.
    weight: f64,
}

/// The mechanisms of a world of pictures.
#[derive(Clone, Debug)]
pub(crate) struct Causes {
    variables: Vec<Variable>,
    dag: Dag,
    concentration: f64,
    /// Causes of each variable, `[d]`.
    of: Vec<Vec<Cause>>,
}

impl Causes {
    /// Draws mechanisms for a graph: two numbers per edge, by effect and then by cause.
    pub(crate) fn draw(
        variables: Vec<Variable>,
        dag: Dag,
        config: &BetaConfig,
        rng: &mut dyn Rng,
    ) -> Result<Self, ConfigError> {
        positive("mechanisms.concentration", config.concentration)?;
        let mut cause = |variable| {
            let weight = rng.random_range(0.5..1.0);
            Cause { variable, weight: if rng.random_bool(0.5) { weight } else { -weight } }
        };
        let of = (0..dag.dim()).map(|j| dag.parents(j).map(&mut cause).collect()).collect();
        Ok(Self { variables, dag, concentration: config.concentration, of })
    }

    pub(crate) fn variables(&self) -> &[Variable] {
        &self.variables
    }
}

impl UnitMechanisms for Causes {
    fn dag(&self) -> &Dag {
        &self.dag
    }

    fn names(&self) -> Vec<String> {
        self.variables.iter().map(|variable| variable.name.clone()).collect()
    }

    fn law(&self, of: usize, z: &[f64]) -> UnitLaw {
        match (self.variables[of].domain, &self.of[of][..]) {
            (Domain::Values(count), _) => UnitLaw::Levels(count),
            (Domain::Interval, []) => UnitLaw::Uniform,
            (Domain::Interval, causes) => {
                let push = |&Cause { variable, weight }: &Cause| {
                    weight * (self.variables[variable].domain.place(z[variable]) - 0.5)
                };
                let variance: f64 = causes.iter().map(|c| c.weight * c.weight / 12.0).sum();
                let push = causes.iter().map(push).sum::<f64>() / variance.sqrt();
                let [low, high] = MEANS;
                UnitLaw::beta(low + (high - low) * normal::cdf(push), self.concentration)
            }
        }
    }
}

/// The graph over variables: `random`, `full` and `chain` join the continuous ones, each edge from
/// one that is named earlier; given edges may also start at discrete ones.
///
/// # Errors
/// [`ConfigError`] for an edge into a discrete variable, for a cycle or for a number out of range.
pub(crate) fn graph(
    config: &GraphConfig,
    variables: &[Variable],
    rng: &mut dyn Rng,
) -> Result<Dag, ConfigError> {
    let is_continuous = |&j: &usize| variables[j].domain == Domain::Interval;
    let continuous: Vec<usize> = (0..variables.len()).filter(is_continuous).collect();
    let inner = match config {
        GraphConfig::Edges(edges) => return given(edges, variables),
        GraphConfig::Empty => Dag::empty(continuous.len()),
        GraphConfig::Chain => Dag::chain(continuous.len()),
        GraphConfig::Full => Dag::full(continuous.len()),
        GraphConfig::Random(RandomGraph { edge_probability }) => {
            probability("graph.random.edge_probability", *edge_probability)?;
            Dag::forward(continuous.len(), |_, _| rng.random_bool(*edge_probability))
        }
    };
    let edges: Vec<_> = inner.edges().map(|(i, j)| (continuous[i], continuous[j])).collect();
    Dag::from_edges(variables.len(), &edges).map_err(ConfigError::Graph)
}

fn given(edges: &[(usize, usize)], variables: &[Variable]) -> Result<Dag, ConfigError> {
    let dag = Dag::from_edges(variables.len(), edges).map_err(ConfigError::Graph)?;
    let discrete = dag.edges().find(|&(_, to)| variables[to].domain != Domain::Interval);
    match discrete {
        None => Ok(dag),
        Some((from, to)) => {
            let [cause, name] = [from, to].map(|j| variables[j].name.clone());
            Err(VariableError::CausedDiscrete { name, cause }.into())
        }
    }
}
