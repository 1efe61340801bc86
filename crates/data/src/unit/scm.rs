use std::fmt;
use std::ops::Range;

use domino_core::{Dag, GroundTruth, InterventionTarget};
use nalgebra::DMatrix;

use super::law::UnitLaw;
use crate::generator::{Counterfactual, Split};
use crate::interventions::{Effect, InterventionLaw};
use crate::normal;
use crate::rows::{Part, RowRngs};

/// How the variables of a [`UnitScm`] depend on each other.
pub trait UnitMechanisms: fmt::Debug + Send + Sync {
    /// The causal graph.
    fn dag(&self) -> &Dag;

    /// Names of the variables, `[d]`.
    fn names(&self) -> Vec<String>;

    /// The law of variable `of` in the state `z` `[d]`, of which it reads only the parents.
    fn law(&self, of: usize, z: &[f64]) -> UnitLaw;
}

/// A structural causal model over variables in `[0, 1]` and levels, `z_j = F_j⁻¹(Φ(e_j); z_pa)`,
/// with what happens to it between before and after.
///
/// A perfect intervention draws the new value uniformly; a soft one draws it from the law of
/// `1 − z_k` given the parents ([`UnitLaw::mirrored`]).
///
/// ```
/// use domino_core::Dag;
/// use domino_core::InterventionTarget::Atomic;
/// use domino_data::interventions::InterventionConfig;
/// use domino_data::unit::{UnitLaw, UnitMechanisms, UnitScm};
/// use nalgebra::dmatrix;
///
/// #[derive(Debug)]
/// struct Dimmer(Dag);
///
/// impl UnitMechanisms for Dimmer {
///     fn dag(&self) -> &Dag {
///         &self.0
///     }
///     fn names(&self) -> Vec<String> {
///         vec!["knob".into(), "lamp".into()]
///     }
///     fn law(&self, of: usize, z: &[f64]) -> UnitLaw {
///         if of == 0 { UnitLaw::Uniform } else { UnitLaw::beta(0.1 + 0.8 * z[0], 50.0) }
///     }
/// }
///
/// let scm = UnitScm::new(Dimmer(Dag::chain(2)), InterventionConfig::default().law(2)?);
/// let e = dmatrix![-1.0, 0.5];
/// let before = scm.z_from_e(&e);
/// let after = scm.intervene(&e, &[Atomic(0)], &dmatrix![0.9, 0.0]);
/// assert_eq!(after.z[(0, 0)], 0.9);
/// assert!(after.z[(0, 1)] > before[(0, 1)]); // the lamp follows,
/// assert_eq!(after.e[(0, 1)], 0.5); // with its noise kept
/// # Ok::<(), domino_data::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct UnitScm<M> {
    mechanisms: M,
    interventions: InterventionLaw,
}

impl<M: UnitMechanisms> UnitScm<M> {
    /// The model of these mechanisms.
    pub fn new(mechanisms: M, interventions: InterventionLaw) -> Self {
        Self { mechanisms, interventions }
    }

    /// How the variables depend on each other.
    pub fn mechanisms(&self) -> &M {
        &self.mechanisms
    }

    /// The law of what happens between before and after.
    pub fn interventions(&self) -> &InterventionLaw {
        &self.interventions
    }

    /// Variables from noise, `[n, d]`.
    pub fn z_from_e(&self, e: &DMatrix<f64>) -> DMatrix<f64> {
        let mut z = e.clone();
        (0..e.nrows()).for_each(|row| set_row(&mut z, row, &self.solve(&row_of(e, row))));
        z
    }

    /// Noise from variables, `[n, d]`: the inverse of [`UnitScm::z_from_e`] but for values at the
    /// ends of their range and for levels, where it is one of many.
    pub fn e_from_z(&self, z: &DMatrix<f64>) -> DMatrix<f64> {
        let mut e = z.clone();
        for row in 0..z.nrows() {
            let state = row_of(z, row);
            for (j, value) in state.iter().enumerate() {
                e[(row, j)] = self.mechanisms.law(j, &state).e_from_z(*value);
            }
        }
        e
    }

    /// The state after perfect interventions, as [`Generator::intervene`](crate::Generator::intervene)
    /// has it; values outside a variable's range are set to the closest inside.
    ///
    /// # Panics
    /// If there are not as many targets and rows of `values` as rows of `e`.
    pub fn intervene(
        &self,
        e: &DMatrix<f64>,
        targets: &[InterventionTarget],
        values: &DMatrix<f64>,
    ) -> Counterfactual {
        assert_eq!(targets.len(), e.nrows(), "one target per row of e");
        assert_eq!(values.shape(), e.shape(), "values of the same shape as e");
        let (mut z, mut e_after) = (e.clone(), e.clone());
        for (row, target) in targets.iter().enumerate() {
            let mut state = row_of(e, row);
            let after = self.follow(&mut state, target, |k, law| law.valid(values[(row, k)]));
            set_row(&mut z, row, &after);
            set_row(&mut e_after, row, &state);
        }
        Counterfactual { z, e: e_after }
    }

    /// Rows of a split of the data of a seed; each row has random numbers of its own.
    ///
    /// Non-descendants of the target come out with the same bits before and after, unless the
    /// options move their noise.
    pub fn states(&self, seed: u64, split: Split, rows: Range<usize>) -> GroundTruth {
        let (n, d) = (rows.len(), self.mechanisms.dag().dim());
        let noise = RowRngs::new(seed, split, Part::States);
        let chance = RowRngs::new(seed, split, Part::Interventions);
        let zeros = || DMatrix::zeros(n, d);
        let (mut z_before, mut z_after) = (zeros(), zeros());
        let (mut e_before, mut e_after) = (zeros(), zeros());
        let mut targets = Vec::with_capacity(n);
        for (at, row) in rows.enumerate() {
            let rng = &mut noise.row(row);
            let e: Vec<f64> = (0..d).map(|_| normal::draw(rng)).collect();
            let z = self.solve(&e);
            let attempt = self.interventions.draw(&e, &mut chance.row(row));
            set_row(&mut e_before, at, &e);
            set_row(&mut z_before, at, &z);
            let mut e = attempt.e;
            let after = self.follow(&mut e, &attempt.target, |k, law| {
                let new = self.new_value(law, attempt.fresh[k]);
                law.valid(self.interventions.leaked(z[k], new))
            });
            set_row(&mut z_after, at, &after);
            set_row(&mut e_after, at, &e);
            targets.push(attempt.target);
        }
        GroundTruth {
            z_before: Some(z_before),
            z_after: Some(z_after),
            e_before: Some(e_before),
            e_after: Some(e_after),
            targets: Some(targets),
            dag: Some(self.mechanisms.dag().clone()),
            names: Some(self.mechanisms.names()),
        }
    }

    /// The variables of one state from its noise.
    fn solve(&self, e: &[f64]) -> Vec<f64> {
        self.follow(&mut e.to_vec(), &InterventionTarget::None, |_, _| 0.0)
    }

    /// What a target is drawn towards, from a draw of `N(0, 1)`.
    fn new_value(&self, law: &UnitLaw, fresh: f64) -> f64 {
        match self.interventions.effect() {
            Effect::Perfect => law.fresh().z_from_e(fresh),
            Effect::Soft => law.mirrored().z_from_e(fresh),
        }
    }

    /// The variables of one state, causes before effects: targets take the value that `value_of`
    /// yields and their noise what explains it, all others follow from parents and noise.
    fn follow(
        &self,
        e: &mut [f64],
        target: &InterventionTarget,
        value_of: impl Fn(usize, &UnitLaw) -> f64,
    ) -> Vec<f64> {
        let mut z = vec![0.0; e.len()];
        for &j in self.mechanisms.dag().topological_order() {
            let law = self.mechanisms.law(j, &z);
            if target.variables().contains(&j) {
                z[j] = value_of(j, &law);
                e[j] = law.e_from_z(z[j]);
            } else {
                z[j] = law.z_from_e(e[j]);
            }
        }
        z
    }
}

fn row_of(m: &DMatrix<f64>, row: usize) -> Vec<f64> {
    m.row(row).iter().copied().collect()
}

fn set_row(m: &mut DMatrix<f64>, row: usize, values: &[f64]) {
    values.iter().enumerate().for_each(|(j, &v)| m[(row, j)] = v);
}
