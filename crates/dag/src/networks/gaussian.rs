use domino_core::Dag;
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CausalNetwork, Intervention};
use crate::Column;
use crate::draw::normal;
use crate::sample::mean_and_inverse_std;

/// Range of the absolute linear weights.
const WEIGHTS: std::ops::Range<f64> = 0.5..2.0;

/// Mean of a value that is set, and of the noise under a soft intervention.
const SHIFT: f64 = 2.0;

/// Hidden units of a random mechanism.
const HIDDEN: usize = 10;

/// Noise of nonlinear mechanisms, whose signal has variance 1.
const NONLINEAR_NOISE: std::ops::Range<f64> = 0.4..0.8;

/// Rows on which scales are measured.
const PILOT: usize = 2_000;

/// Whether variables keep the scale that the mechanisms give them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Variance grows along the order, which gives the order away to learners that look at it.
    Raw,
    /// Each variable is standardised before its effects see it, so that neither its variance nor its
    /// explained share tells its place.
    #[default]
    Unit,
}

/// A structural causal model with additive Gaussian noise, `z_k = f_k(z_pa) + σ_k e_k`.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianScm {
    dag: Dag,
    mechanisms: Vec<Mechanism>,
    noise_std: Vec<f64>,
    /// Mean and reciprocal scale that turn each variable into what its effects and the observer see.
    standard: Vec<(f64, f64)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Mechanism {
    /// One weight per parent, ascending.
    Linear(Vec<f64>),
    /// `v · tanh(U z_pa + b)`, `U` is `[HIDDEN, parents]`.
    Network { u: DMatrix<f64>, b: Vec<f64>, v: Vec<f64> },
}

impl GaussianScm {
    /// Linear mechanisms: weights uniform on ±[0.5, 2], noise of variance 1.
    ///
    /// Zheng, Aragam, Ravikumar & Xing, *DAGs with NO TEARS*, NeurIPS 2018, arXiv 1803.01422, for the
    /// weights; Ormaniec et al., *Standardizing structural causal models*, ICLR 2025, arXiv
    /// 2406.11601, for [`Scale::Unit`].
    pub fn linear(dag: Dag, scale: Scale, rng: &mut dyn Rng) -> Self {
        let mechanisms = (0..dag.dim())
            .map(|k| {
                let sign = |rng: &mut dyn Rng| if rng.random() { 1.0 } else { -1.0 };
                let parents = dag.parents(k);
                let weights = parents.map(|_| sign(rng) * rng.random_range(WEIGHTS));
                Mechanism::Linear(weights.collect())
            })
            .collect();
        let noise_std = vec![1.0; dag.dim()];
        Self::scaled(dag, mechanisms, noise_std, scale, rng)
    }

    /// Nonlinear mechanisms: a random network of ten `tanh` units per variable, its output scaled to
    /// variance 1, and noise with a standard deviation from 0.4 to 0.8.
    ///
    /// After Brouillard et al., *Differentiable causal discovery from interventional data*, NeurIPS
    /// 2020, arXiv 2007.01754, appendix ("additive noise model"); variables are standardised here.
    pub fn nonlinear(dag: Dag, rng: &mut dyn Rng) -> Self {
        let mechanisms: Vec<_> =
            (0..dag.dim()).map(|k| Mechanism::network(dag.parents(k).count(), rng)).collect();
        let noise = (0..dag.dim()).map(|k| match dag.parents(k).next() {
            Some(_) => rng.random_range(NONLINEAR_NOISE),
            None => 1.0,
        });
        let noise_std = noise.collect();
        Self::scaled(dag, mechanisms, noise_std, Scale::Unit, rng)
    }

    fn scaled(
        dag: Dag,
        mechanisms: Vec<Mechanism>,
        noise_std: Vec<f64>,
        scale: Scale,
        rng: &mut dyn Rng,
    ) -> Self {
        let standard = vec![(0.0, 1.0); dag.dim()];
        let mut model = Self { dag, mechanisms, noise_std, standard };
        if scale == Scale::Raw {
            return model;
        }
        let mut pilot = DMatrix::zeros(PILOT, model.dag.dim());
        for k in model.dag.topological_order().to_vec() {
            let signal = model.signal(k, &pilot);
            if let Mechanism::Network { v, .. } = &mut model.mechanisms[k] {
                let (_, inverse) = mean_and_inverse_std(&signal);
                let factor = if inverse > 0.0 { inverse } else { 1.0 };
                for weight in v {
                    *weight *= factor;
                }
            }
            let signal = model.signal(k, &pilot);
            let values: Vec<f64> =
                signal.iter().map(|f| f + model.noise_std[k] * normal(rng)).collect();
            model.standard[k] = mean_and_inverse_std(&values);
            let (mean, inverse) = model.standard[k];
            pilot
                .column_mut(k)
                .iter_mut()
                .zip(values)
                .for_each(|(to, v)| *to = (v - mean) * inverse);
        }
        model
    }

    /// `f_k` of the rows of `z`.
    fn signal(&self, k: usize, z: &DMatrix<f64>) -> Vec<f64> {
        let parents: Vec<usize> = self.dag.parents(k).collect();
        (0..z.nrows())
            .map(|row| {
                let of = |p: usize| z[(row, parents[p])];
                match &self.mechanisms[k] {
                    Mechanism::Linear(w) => (0..parents.len()).map(|p| w[p] * of(p)).sum(),
                    Mechanism::Network { u, b, v } => (0..v.len())
                        .map(|h| {
                            let input: f64 = (0..parents.len()).map(|p| u[(h, p)] * of(p)).sum();
                            v[h] * (input + b[h]).tanh()
                        })
                        .sum(),
                }
            })
            .collect()
    }
}

impl Mechanism {
    fn network(parents: usize, rng: &mut dyn Rng) -> Self {
        let spread = (2.0 / parents.max(1) as f64).sqrt();
        let units = if parents == 0 { 0 } else { HIDDEN };
        Self::Network {
            u: DMatrix::from_fn(units, parents, |_, _| spread * normal(rng)),
            b: (0..units).map(|_| normal(rng)).collect(),
            v: (0..units).map(|_| normal(rng)).collect(),
        }
    }
}

impl CausalNetwork for GaussianScm {
    fn dag(&self) -> &Dag {
        &self.dag
    }

    fn sample(
        &self,
        rows: usize,
        targets: &[usize],
        intervention: Intervention,
        rng: &mut dyn Rng,
    ) -> Vec<Column> {
        let mut z = DMatrix::zeros(rows, self.dag.dim());
        for &k in self.dag.topological_order() {
            let target = targets.contains(&k);
            let (mean, inverse) = self.standard[k];
            let shift = if target { SHIFT } else { 0.0 };
            let values: Vec<f64> = if target && intervention == Intervention::Perfect {
                (0..rows).map(|_| SHIFT + normal(rng)).collect()
            } else {
                let noise = |f: f64| f + self.noise_std[k] * (normal(rng) + shift);
                let seen = |f: f64| (f - mean) * inverse;
                self.signal(k, &z).into_iter().map(noise).map(seen).collect()
            };
            z.column_mut(k).copy_from_slice(&values);
        }
        z.column_iter().map(|c| Column::Continuous(c.iter().copied().collect())).collect()
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;

    fn moments(column: &Column) -> (f64, f64) {
        let Column::Continuous(values) = column else { unreachable!("Gaussian") };
        let (mean, inverse) = mean_and_inverse_std(values);
        (mean, inverse.recip())
    }

    #[test]
    fn unit_scale_standardises_and_raw_scale_grows() {
        let mut rng = Seed(1).rng(Stream::World);
        let dag = Dag::full(6);
        let raw = GaussianScm::linear(dag.clone(), Scale::Raw, &mut rng);
        let last = &raw.sample(4_000, &[], Intervention::Perfect, &mut rng)[5];
        assert!(moments(last).1 > 2.0);
        for model in [
            GaussianScm::linear(dag.clone(), Scale::Unit, &mut rng),
            GaussianScm::nonlinear(dag, &mut rng),
        ] {
            for column in model.sample(8_000, &[], Intervention::Perfect, &mut rng) {
                let (mean, std) = moments(&column);
                assert!(mean.abs() < 0.12 && (std - 1.0).abs() < 0.08, "{mean} {std}");
            }
        }
    }

    #[test]
    fn perfect_interventions_cut_and_soft_ones_shift() {
        let mut rng = Seed(2).rng(Stream::World);
        let model = GaussianScm::linear(Dag::chain(2), Scale::Unit, &mut rng);
        let slope = |how, rng: &mut dyn Rng| {
            let columns = model.sample(20_000, &[1], how, rng);
            let [Column::Continuous(x), Column::Continuous(y)] = &columns[..] else {
                unreachable!("two Gaussian columns")
            };
            let mean = y.iter().sum::<f64>() / 20_000.0;
            let sxy: f64 = x.iter().zip(y).map(|(x, y)| x * (y - mean)).sum();
            (sxy / 20_000.0, mean)
        };
        let (cut, mean) = slope(Intervention::Perfect, &mut rng);
        assert!(cut.abs() < 0.03 && (mean - 2.0).abs() < 0.03);
        let (kept, mean) = slope(Intervention::Soft, &mut rng);
        assert!(kept.abs() > 0.3 && mean > 0.5, "{kept} {mean}");
    }
}
