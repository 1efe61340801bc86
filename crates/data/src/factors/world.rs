//! Worlds that are seen in pictures.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use domino_core::{
    Dag, Form, GroundTruth, InterventionTarget, Observations, Pairs, PairsError, Seed, Stream,
};
use nalgebra::DMatrix;
use rand::RngExt;

use super::cast::Cast;
use super::causes::{BetaConfig, Causes, graph};
use super::grid::Grid;
use super::painting::Painter;
use super::states::states;
use super::variable::Variable;
use crate::config_error::ConfigError;
use crate::generator::{Counterfactual, Generator, Split};
use crate::interventions::InterventionConfig;
use crate::pictures::{fill, threads};
use crate::rows::{Part as RowPart, RowRngs};
use crate::scaling::GraphConfig;
use crate::unit::{UnitMechanisms, UnitScm};

/// What a [`PictureWorld`] is made of besides its pictures.
pub(crate) struct Plan<'a> {
    pub(crate) seed: u64,
    /// Everything about a picture that may vary.
    pub(crate) properties: Vec<Variable>,
    /// Names of those that do; all where absent.
    pub(crate) variables: Option<&'a [String]>,
    /// Values of the others, where they are not as usual.
    pub(crate) fixed: &'a BTreeMap<String, f64>,
    pub(crate) graph: &'a GraphConfig,
    pub(crate) mechanisms: &'a BetaConfig,
    pub(crate) interventions: &'a InterventionConfig,
}

/// A structural causal model whose variables are properties of a picture.
///
/// Continuous variables lie between 0 and 1; a discrete one holds the number of its value, is
/// uniform and has no causes. Noise is on the normal scale of [`crate::unit`], that of a discrete
/// variable being the middle of its value's share, so that `e_from_z` gives back all noise.
///
/// An intervention draws a continuous variable anew, uniformly or as its
/// [options](InterventionConfig) say, and sets a discrete one to another value, each equally likely;
/// `leak` has no meaning for it.
#[derive(Clone, Debug)]
pub struct PictureWorld {
    seed: u64,
    cast: Cast,
    scm: UnitScm<Causes>,
    painter: Arc<dyn Painter>,
}

/// Parts of [`Stream::World`].
#[derive(Clone, Copy)]
#[repr(u64)]
enum Part {
    Graph = 0,
    Mechanisms = 1,
}

impl PictureWorld {
    pub(crate) fn new(plan: &Plan<'_>, painter: Arc<dyn Painter>) -> Result<Self, ConfigError> {
        let cast = Cast::new(plan.properties.clone(), plan.variables, plan.fixed)?;
        let variables = cast.variables();
        let rng = |part: Part| Seed(plan.seed).rng_at(Stream::World, part as u64);
        let dag = graph(plan.graph, &variables, &mut rng(Part::Graph))?;
        let interventions = plan.interventions.law(variables.len())?;
        let rng = &mut rng(Part::Mechanisms);
        let scm = UnitScm::new(Causes::draw(variables, dag, plan.mechanisms, rng)?, interventions);
        Ok(Self { seed: plan.seed, cast, scm, painter })
    }

    /// The variables, `[d]`.
    pub fn variables(&self) -> &[Variable] {
        self.scm.mechanisms().variables()
    }

    /// All combinations of the variables' values; `None` where one of them is continuous.
    pub fn grid(&self) -> Option<Grid> {
        let sizes: Option<Vec<usize>> = self.variables().iter().map(|v| v.domain.count()).collect();
        sizes.map(|sizes| Grid::new(&sizes))
    }

    fn pictures(&self, z: &DMatrix<f64>, chances: &[f64]) -> Observations {
        fill(z.nrows(), self.painter.shape(), threads(), |row, into| {
            let z: Vec<f64> = z.row(row).iter().copied().collect();
            self.painter.paint(&self.cast.properties(&z), chances[row], into);
        })
    }
}

impl Generator for PictureWorld {
    fn dag(&self) -> &Dag {
        self.scm.mechanisms().dag()
    }

    fn names(&self) -> Vec<String> {
        self.scm.mechanisms().names()
    }

    fn form(&self) -> Form {
        Form::Image(self.painter.shape())
    }

    fn z_from_e(&self, e: &DMatrix<f64>) -> DMatrix<f64> {
        self.scm.z_from_e(e)
    }

    fn e_from_z(&self, z: &DMatrix<f64>) -> DMatrix<f64> {
        self.scm.e_from_z(z)
    }

    fn intervene(
        &self,
        e: &DMatrix<f64>,
        targets: &[InterventionTarget],
        values: &DMatrix<f64>,
    ) -> Counterfactual {
        self.scm.intervene(e, targets, values)
    }

    /// Values that no variable takes are drawn as the nearest that one does.
    fn observation_of(&self, z: &DMatrix<f64>) -> Observations {
        self.pictures(z, &vec![0.0; z.nrows()])
    }

    fn states(&self, split: Split, rows: Range<usize>) -> GroundTruth {
        states(&self.scm, self.seed, split, rows)
    }

    fn observe(
        &self,
        split: Split,
        rows: Range<usize>,
        states: &GroundTruth,
    ) -> Result<Pairs, PairsError> {
        // What no variable decides is the same before and after.
        let rngs = RowRngs::new(self.seed, split, RowPart::SensorBefore);
        let chances: Vec<f64> = rows.map(|row| rngs.row(row).random()).collect();
        let side = |z: &Option<DMatrix<f64>>| {
            self.pictures(z.as_ref().expect("the states of a world are complete"), &chances)
        };
        Pairs::new(side(&states.z_before), side(&states.z_after))
    }
}
