//! The states of a world of pictures.

use std::ops::Range;

use domino_core::{Dag, GroundTruth, InterventionTarget};
use nalgebra::DMatrix;

use super::causes::Causes;
use super::variable::Domain;
use crate::generator::Split;
use crate::interventions::{Attempt, Effect};
use crate::normal;
use crate::rows::{Part, RowRngs};
use crate::unit::{UnitLaw, UnitMechanisms, UnitScm, another_level};

/// The states of rows of a split; each row has random numbers of its own.
///
/// Discrete targets take another value than they have, and the noise of discrete variables is that
/// in the middle of their value's share.
pub(super) fn states(
    scm: &UnitScm<Causes>,
    seed: u64,
    split: Split,
    rows: Range<usize>,
) -> GroundTruth {
    let (n, d) = (rows.len(), scm.mechanisms().dag().dim());
    let noise = RowRngs::new(seed, split, Part::States);
    let chance = RowRngs::new(seed, split, Part::Interventions);
    let (mut e, mut kept) = (DMatrix::zeros(n, d), DMatrix::zeros(n, d));
    let mut attempts = Vec::with_capacity(n);
    for (at, row) in rows.enumerate() {
        let rng = &mut noise.row(row);
        let mut before: Vec<f64> = (0..d).map(|_| normal::draw(rng)).collect();
        settle(scm.mechanisms(), &mut before);
        let mut attempt = scm.interventions().draw(&before, &mut chance.row(row));
        settle(scm.mechanisms(), &mut attempt.e);
        for j in 0..d {
            e[(at, j)] = before[j];
            kept[(at, j)] = attempt.e[j];
        }
        attempts.push(attempt);
    }
    let z = scm.z_from_e(&e);
    let values = values(scm, &z, &kept, &attempts);
    let targets: Vec<_> = attempts.into_iter().map(|attempt| attempt.target).collect();
    let after = scm.intervene(&kept, &targets, &values);
    GroundTruth {
        z_before: Some(z),
        z_after: Some(after.z),
        e_before: Some(e),
        e_after: Some(after.e),
        targets: Some(targets),
        dag: Some(scm.mechanisms().dag().clone()),
        names: Some(scm.mechanisms().names()),
    }
}

/// Sets the noise of discrete variables to that in the middle of their value's share.
fn settle(causes: &Causes, e: &mut [f64]) {
    for (variable, e) in causes.variables().iter().zip(e) {
        if let Domain::Values(count) = variable.domain {
            let law = UnitLaw::Levels(count);
            *e = law.e_from_z(law.z_from_e(*e));
        }
    }
}

/// The values that targets take, `[n, d]`.
fn values(
    scm: &UnitScm<Causes>,
    z: &DMatrix<f64>,
    kept: &DMatrix<f64>,
    attempts: &[Attempt],
) -> DMatrix<f64> {
    let mut values = DMatrix::zeros(z.nrows(), z.ncols());
    for (row, attempt) in attempts.iter().enumerate() {
        let mut set = Vec::new();
        for k in causes_first(scm.mechanisms().dag(), &attempt.target) {
            let (old, fresh) = (z[(row, k)], attempt.fresh[k]);
            values[(row, k)] = match scm.mechanisms().variables()[k].domain {
                Domain::Values(count) => another_level(old, count, fresh),
                Domain::Interval => {
                    let law = new_law(scm, k, kept, row, &set, &values);
                    scm.interventions().leaked(old, law.z_from_e(fresh))
                }
            };
            set.push(k);
        }
    }
    values
}

fn causes_first<'a>(
    dag: &'a Dag,
    target: &'a InterventionTarget,
) -> impl Iterator<Item = usize> + 'a {
    dag.topological_order().iter().copied().filter(|k| target.variables().contains(k))
}

/// The law that target `k` of a row is drawn from, when its targets in `set` have their values.
fn new_law(
    scm: &UnitScm<Causes>,
    k: usize,
    kept: &DMatrix<f64>,
    row: usize,
    set: &[usize],
    values: &DMatrix<f64>,
) -> UnitLaw {
    match scm.interventions().effect() {
        Effect::Perfect => UnitLaw::Uniform,
        Effect::Soft => {
            let mask: Vec<bool> = (0..values.ncols()).map(|j| set.contains(&j)).collect();
            let one = |m: &DMatrix<f64>| m.rows(row, 1).into_owned();
            let target = InterventionTarget::from_mask(&mask);
            let z = scm.intervene(&one(kept), &[target], &one(values)).z;
            let state: Vec<f64> = z.iter().copied().collect();
            scm.mechanisms().law(k, &state).mirrored()
        }
    }
}
