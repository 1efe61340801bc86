use domino_core::Dag;
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::config::{LinearConfig, MechanismConfig, MlpConfig, WeightLaw};
use super::levels::Levels;
use super::linalg::{mean_and_std, standard_normal};

/// Rows handled at a time, so that the parents' values stay in the cache over all hidden units.
const BLOCK: usize = 512;

/// Spread of the absolute weights around 1 under [`WeightLaw::Bimodal`].
const BIMODAL_SPREAD: f64 = 0.3;

/// The mechanisms of all variables, `z_j = f_j(z_pa) + g_j(z_pa) e_j` with `g_j > 0`, of a discrete one the
/// number of the level that this falls into.
#[derive(Clone, Debug)]
pub(super) struct Mechanisms {
    functions: Functions,
    /// Of each variable, where it is discrete.
    levels: Vec<Option<Levels>>,
}

/// The functions `f` and `g` of all variables.
#[derive(Clone, Debug)]
enum Functions {
    /// Weights `[from, to]`, zero where there is no edge.
    Linear(DMatrix<f64>),
    /// One network per variable; none for a variable without parents.
    Mlp(Vec<Option<Mlp>>),
}

/// Location `f` and scale `g` of one variable, one value per row, and its levels where it is discrete.
pub(super) struct LocationScale<'a> {
    pub(super) location: Vec<f64>,
    pub(super) scale: Vec<f64>,
    pub(super) levels: Option<&'a Levels>,
}

impl LocationScale<'_> {
    /// The value in a row that follows from noise.
    pub(super) fn predict(&self, row: usize, e: f64) -> f64 {
        let u = self.location[row] + self.scale[row] * e;
        self.levels.map_or(u, |levels| levels.of(u))
    }

    /// The noise that a value in a row follows from.
    pub(super) fn abduct(&self, row: usize, z: f64) -> f64 {
        match self.levels {
            Some(levels) => levels.noise(z, self, row),
            None => (z - self.location[row]) / self.scale[row],
        }
    }
}

impl Mechanisms {
    /// Draws mechanisms; networks and levels are calibrated on the states that the noise `[n, d]` produces.
    ///
    /// `levels` has the number of values of each variable, 0 of a continuous one; empty where all are.
    pub(super) fn draw(
        config: &MechanismConfig,
        levels: &[usize],
        dag: &Dag,
        noise: &DMatrix<f64>,
        rng: &mut dyn Rng,
    ) -> Self {
        let functions = match config {
            MechanismConfig::Linear(config) => Functions::Linear(draw_weights(config, dag, rng)),
            MechanismConfig::Mlp(config) => {
                Functions::Mlp((0..dag.dim()).map(|j| Mlp::draw(config, dag, j, rng)).collect())
            }
        };
        let mut drawn = Self { functions, levels: vec![None; dag.dim()] };
        drawn.calibrate(config, levels, dag, noise);
        drawn
    }

    /// Location and scale of variable `of` in the states `z`, of which only its parents are read.
    pub(super) fn location_scale(&self, of: usize, z: &DMatrix<f64>) -> LocationScale<'_> {
        let n = z.nrows();
        let levels = self.levels[of].as_ref();
        let mut law = LocationScale { location: vec![0.0; n], scale: vec![1.0; n], levels };
        match &self.functions {
            Functions::Linear(weights) => {
                for (from, column) in z.column_iter().enumerate() {
                    let weight = weights[(from, of)];
                    if weight.abs() > 0.0 {
                        law.location.iter_mut().zip(&column).for_each(|(f, z)| *f += weight * z);
                    }
                }
            }
            Functions::Mlp(networks) => {
                if let Some(network) = &networks[of] {
                    network.location_scale(z, &mut law);
                }
            }
        }
        law
    }

    /// The weights `[from, to]` of linear functions.
    pub(super) fn weights(&self) -> Option<&DMatrix<f64>> {
        match &self.functions {
            Functions::Linear(weights) => Some(weights),
            Functions::Mlp(_) => None,
        }
    }

    /// The states `[n, d]` that follow from noise.
    pub(super) fn z_from_e(&self, dag: &Dag, e: &DMatrix<f64>) -> DMatrix<f64> {
        let mut z = e.clone();
        dag.topological_order().iter().for_each(|&j| self.settle(j, &mut z));
        z
    }

    /// Replaces the noise of variable `j` in `z` by its value, where its parents have theirs.
    fn settle(&self, j: usize, z: &mut DMatrix<f64>) {
        let law = self.location_scale(j, z);
        for (row, z) in z.column_mut(j).iter_mut().enumerate() {
            *z = law.predict(row, *z);
        }
    }

    /// Sets the mean and spread of each network's outputs and the thresholds between levels, causes before
    /// effects.
    fn calibrate(
        &mut self,
        config: &MechanismConfig,
        levels: &[usize],
        dag: &Dag,
        noise: &DMatrix<f64>,
    ) {
        let mut z = noise.clone();
        for &j in dag.topological_order() {
            if let (MechanismConfig::Mlp(config), Functions::Mlp(networks)) =
                (config, &mut self.functions)
                && let Some(network) = &mut networks[j]
            {
                network.calibrate(config, &z);
            }
            if let Some(&count @ 1..) = levels.get(j) {
                let mut u = z.clone();
                self.settle(j, &mut u);
                self.levels[j] = Some(Levels::fit(count, u.column(j).iter().copied().collect()));
            }
            self.settle(j, &mut z);
        }
    }
}

/// Weights are drawn for every pair of variables, so that an edge more does not change the others.
fn draw_weights(config: &LinearConfig, dag: &Dag, rng: &mut dyn Rng) -> DMatrix<f64> {
    let d = dag.dim();
    let mut weights = DMatrix::zeros(d, d);
    for from in 0..d {
        for to in 0..d {
            let normal: f64 = StandardNormal.sample(rng);
            let weight = match config.weights {
                WeightLaw::Standard => normal,
                WeightLaw::Bimodal => {
                    let sign = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
                    sign * (1.0 + BIMODAL_SPREAD * normal)
                }
            };
            if dag.has_edge(from, to) {
                weights[(from, to)] = weight;
            }
        }
    }
    weights
}

/// A network of one tanh layer from the parents to a location and the logarithm of a scale.
#[derive(Clone, Debug)]
pub(super) struct Mlp {
    parents: Vec<usize>,
    /// `[hidden, d]`; only the parents' columns are read.
    input: DMatrix<f64>,
    bias: Vec<f64>,
    /// `[hidden, 2]`: location, log-scale.
    output: DMatrix<f64>,
    location: Standardised,
    log_scale: Standardised,
    largest_log_scale: f64,
}

/// `gain · (raw − mean)`.
#[derive(Clone, Copy, Debug)]
struct Standardised {
    mean: f64,
    gain: f64,
}

impl Standardised {
    const RAW: Self = Self { mean: 0.0, gain: 1.0 };

    /// Gives `values` mean 0 and standard deviation `std`; a constant stays constant.
    fn to_std(std: f64, values: &[f64]) -> Self {
        let (mean, spread) = mean_and_std(values);
        Self { mean, gain: if spread > 0.0 { std / spread } else { 0.0 } }
    }

    fn of(self, raw: f64) -> f64 {
        self.gain * (raw - self.mean)
    }
}

impl Mlp {
    /// Inputs are weighted for every variable, parent or not, so that an edge more does not shift
    /// the draws of the others.
    fn draw(config: &MlpConfig, dag: &Dag, of: usize, rng: &mut dyn Rng) -> Option<Self> {
        let input = standard_normal(config.hidden, dag.dim(), rng);
        let bias = standard_normal(1, config.hidden, rng).data.into();
        let output = standard_normal(config.hidden, 2, rng);
        let parents: Vec<usize> = dag.parents(of).collect();
        if parents.is_empty() {
            return None;
        }
        Some(Self {
            input: input / (parents.len() as f64).sqrt(),
            parents,
            bias,
            output,
            location: Standardised::RAW,
            log_scale: Standardised::RAW,
            largest_log_scale: config.log_scale,
        })
    }

    fn calibrate(&mut self, config: &MlpConfig, z: &DMatrix<f64>) {
        let n = z.nrows();
        let (mut location, mut log_scale) = (vec![0.0; n], vec![0.0; n]);
        self.add_raw(z, &mut location, &mut log_scale);
        self.location = Standardised::to_std(config.location_std, &location);
        self.log_scale = Standardised::to_std(1.0, &log_scale);
    }

    fn location_scale(&self, z: &DMatrix<f64>, law: &mut LocationScale<'_>) {
        law.scale.fill(0.0);
        self.add_raw(z, &mut law.location, &mut law.scale);
        law.location.iter_mut().for_each(|f| *f = self.location.of(*f));
        let bounded = |raw| self.largest_log_scale * f64::tanh(self.log_scale.of(raw));
        law.scale.iter_mut().for_each(|g| *g = bounded(*g).exp());
    }

    /// Adds the network's two outputs before standardisation.
    fn add_raw(&self, z: &DMatrix<f64>, location: &mut [f64], log_scale: &mut [f64]) {
        let mut hidden = [0.0; BLOCK];
        for start in (0..z.nrows()).step_by(BLOCK) {
            let rows = start..(start + BLOCK).min(z.nrows());
            let hidden = &mut hidden[..rows.len()];
            for unit in 0..self.bias.len() {
                hidden.fill(self.bias[unit]);
                for &parent in &self.parents {
                    let (weight, column) = (self.input[(unit, parent)], z.column(parent));
                    let values = &column.as_slice()[rows.clone()];
                    hidden.iter_mut().zip(values).for_each(|(h, z)| *h += weight * z);
                }
                let (to_location, to_scale) = (self.output[(unit, 0)], self.output[(unit, 1)]);
                let outputs = location[rows.clone()].iter_mut().zip(&mut log_scale[rows.clone()]);
                for ((f, g), h) in outputs.zip(&*hidden) {
                    let active = h.tanh();
                    *f += to_location * active;
                    *g += to_scale * active;
                }
            }
        }
    }
}
