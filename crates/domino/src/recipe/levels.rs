use burn::module::Module;
use burn::tensor::Tensor;
use domino_core::{Dag, Observations, Stream};
use domino_dag::Mechanisms as Form;
use domino_model::{download, upload, upload_rows};
use domino_train::{PairSource, TrainContext, train};
use domino_vae::{
    Context, Law, LinearFit, MechanismRegression, Mechanisms, Monotone, SolutionFunctions, ridge,
};
use nalgebra::{DMatrix, DVector};

use super::variables::Codes;
use super::{FitError, RegressionStage};

/// One row in this many is kept out of a regression, to judge it.
const HELD_OUT: usize = 10;

/// Standard errors by which a gain must exceed what it is held against.
const CERTAIN: f64 = 3.0;

/// Rows evaluated at once: the hidden layers of as many fit the cache.
const CHUNK: usize = 2048;

/// Fits the mechanisms along the graph, causes before effects, so that each variable's inputs are
/// the causal variables as the mechanisms above it give them.
///
/// `labels [n]` are the targets of the pairs, 0 for none; `place` is the number of the first phase.
/// Mechanisms known to be [`Form::Linear`] are fitted without networks.
pub(super) fn fit_mechanisms(
    codes: &Codes,
    labels: &[usize],
    (dag, form): (&Dag, Form),
    stage: &RegressionStage,
    place: u64,
    context: &mut TrainContext<'_>,
) -> Result<Mechanisms, FitError> {
    let d = dag.dim();
    let pools = codes.rightly_named(labels);
    let mut z = DMatrix::zeros(codes.before.nrows(), d);
    let (mut parts, mut fitted) = (Vec::new(), Vec::new());
    for (depth, level) in dag.levels().into_iter().enumerate() {
        let (variables, law) = (&level, Law::Interventional);
        let drawn = &codes.after;
        let problem = Level { variables, dag, form, law, z: &z, drawn, pools: &pools, stage };
        let functions = problem.fit(place + depth as u64, context)?;
        let solved: Vec<_> = (0..level.len())
            .map(|at| problem.solution(&functions, at, &codes.before, context))
            .collect();
        for (&k, column) in level.iter().zip(&solved) {
            z.set_column(k, column);
        }
        fitted.extend(level);
        parts.push(functions);
    }
    let order: Vec<usize> = (0..d)
        .map(|k| fitted.iter().position(|&f| f == k).expect("levels cover every variable"))
        .collect();
    let functions = SolutionFunctions::gather(&parts, &order);
    Ok(Mechanisms::new(functions, dag, Context::Causal))
}

/// Fits affine mechanisms along the graph to causal variables `z [n, d]` of states in which nothing was set.
///
/// Where variables are right this has all states to learn from, in place of the pairs that set each variable.
pub(super) fn fit_observed(
    z: &DMatrix<f64>,
    dag: &Dag,
    stage: &RegressionStage,
    place: u64,
    context: &mut TrainContext<'_>,
) -> Result<SolutionFunctions, FitError> {
    let (n, d) = z.shape();
    let variables: Vec<usize> = (0..d).collect();
    let pools = vec![(0..n).collect(); d];
    let (variables, pools) = (&variables, &pools);
    let (form, law) = (Form::Any, Law::Observational);
    Level { variables, dag, form, law, z, drawn: z, pools, stage }.fit(place, context)
}

/// The regressions of one level.
struct Level<'a> {
    variables: &'a [usize],
    dag: &'a Dag,
    form: Form,
    law: Law,
    /// Causal variables, of the levels above at least, `[n, d]`.
    z: &'a DMatrix<f64>,
    /// What the law is of: codes of the pairs after, or causal variables, `[n, d]`.
    drawn: &'a DMatrix<f64>,
    /// The rows of each variable's law.
    pools: &'a [Vec<usize>],
    stage: &'a RegressionStage,
}

impl Level<'_> {
    fn fit(
        &self,
        place: u64,
        context: &mut TrainContext<'_>,
    ) -> Result<SolutionFunctions, FitError> {
        let linear = self.linear(place, context);
        let has_inputs = self.variables.iter().any(|&k| self.dag.parents(k).next().is_some());
        if (self.form == Form::Linear || !has_inputs) && linear.components() == 1 {
            return Ok(linear);
        }
        let pools = self.variables.iter().map(|&k| {
            let kept = self.rows(k, |row| !row.is_multiple_of(HELD_OUT));
            kept.into_iter().map(|row| row as u32).collect()
        });
        let row_major = |m: &DMatrix<f64>| m.transpose().iter().map(|&v| v as f32).collect();
        let table = |m: &DMatrix<f64>| Observations::Vectors { data: row_major(m), dim: m.ncols() };
        let tables = [table(self.z), table(self.drawn)];
        let source = PairSource::with_pools(tables, pools.collect());
        let (functions, variables) = (linear.clone(), self.variables.to_vec());
        let objective = MechanismRegression { functions, variables, law: self.law };
        let name = (place, "mechanisms");
        let trained = train(objective, &source, name, &self.stage.phase, |_| (), context)?;
        // Several components lying still are no law: they are only where training starts.
        if linear.components() > 1 {
            return Ok(trained.functions);
        }
        let (linear_cost, trained_cost) =
            (self.costs(&linear, context), self.costs(&trained.functions, context));
        let stack = self.variables.len();
        let choice: Vec<usize> = (0..stack)
            .map(|s| {
                let gains = linear_cost[s].iter().zip(&trained_cost[s]).map(|(a, b)| a - b);
                if is_worth(gains.collect(), self.stage.worth) { stack + s } else { s }
            })
            .collect();
        Ok(SolutionFunctions::gather(&[linear, trained.functions], &choice))
    }

    /// The linear fits, as functions whose networks are silent.
    fn linear(&self, place: u64, context: &TrainContext<'_>) -> SolutionFunctions {
        let d = self.dag.dim();
        let fits: Vec<LinearFit> = self
            .variables
            .iter()
            .map(|&k| {
                let parents: Vec<usize> = self.dag.parents(k).collect();
                ridge(self.z, self.drawn, k, &parents, &self.pools[k], self.stage.ridge)
            })
            .map(|fit| match self.law {
                Law::Interventional => fit,
                Law::Observational => fit.solved(),
            })
            .collect();
        let stack = self.variables.len();
        let mask = DMatrix::from_fn(stack, d, |s, j| {
            f64::from(u8::from(self.dag.has_edge(j, self.variables[s])))
        });
        let slopes = DMatrix::from_fn(stack, d, |s, j| fits[s].slopes[j]);
        let intercepts: Vec<f64> = fits.iter().map(|f| f.intercept).collect();
        let scales: Vec<f64> = fits.iter().map(|f| f.scale).collect();
        let mut rng = context.seed.rng_at(Stream::Init, (1 << 32) + place);
        SolutionFunctions::new(&mask, &self.stage.networks, &mut rng, &context.device)
            .with_linear_start(&slopes, &intercepts, &scales)
    }

    fn rows(&self, k: usize, keep: impl Fn(usize) -> bool) -> Vec<usize> {
        let pool = &self.pools[k];
        (0..pool.len()).filter(|&at| keep(at)).map(|at| pool[at]).collect()
    }

    /// The negative log-likelihood of each variable's held-out pairs, in nats without constants.
    fn costs(&self, functions: &SolutionFunctions, context: &TrainContext<'_>) -> Vec<Vec<f64>> {
        let cost = |(at, &k): (usize, &usize)| {
            let rows = self.rows(k, |row| row.is_multiple_of(HELD_OUT));
            let drawn = self.drawn.column(k);
            let density = |maps: &Monotone, value| self.law.log_likelihood(maps, value).neg();
            self.evaluate((functions, at), &rows, |row| drawn[row], density, context)
        };
        self.variables.iter().enumerate().map(cost).collect()
    }

    /// What a function makes of the codes of its variable, of all rows.
    fn solution(
        &self,
        functions: &SolutionFunctions,
        at: usize,
        codes: &DMatrix<f64>,
        context: &TrainContext<'_>,
    ) -> DVector<f64> {
        let rows: Vec<usize> = (0..self.z.nrows()).collect();
        let own = codes.column(self.variables[at]);
        let solve = |maps: &Monotone, e| maps.forward(e);
        self.evaluate((functions, at), &rows, |row| own[row], solve, context).into()
    }

    /// What `f` makes of one function's maps at the rows and the code of each.
    fn evaluate(
        &self,
        (functions, at): (&SolutionFunctions, usize),
        rows: &[usize],
        code: impl Fn(usize) -> f64,
        f: impl Fn(&Monotone, Tensor<2>) -> Tensor<2>,
        context: &TrainContext<'_>,
    ) -> Vec<f64> {
        let one = SolutionFunctions::gather(std::slice::from_ref(functions), &[at]).valid();
        let device = context.device.clone().inner();
        let mut values = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(CHUNK) {
            let maps = one.of_own(upload(&self.z.select_rows(chunk), &device));
            let codes = chunk.iter().map(|&row| code(row) as f32).collect();
            values.extend(download(f(&maps, upload_rows(codes, 1, &device))).iter());
        }
        values
    }
}

/// Whether a mean gain exceeds `worth` by more than chance explains.
fn is_worth(gains: Vec<f64>, worth: f64) -> bool {
    let n = gains.len() as f64;
    let mean = gains.iter().sum::<f64>() / n.max(1.0);
    let variance = gains.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    mean > worth + CERTAIN * (variance / n.max(1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_must_exceed_chance() {
        assert!(is_worth(vec![0.1, 0.12, 0.11, 0.09], 0.002));
        assert!(!is_worth(vec![0.4, -0.3, 0.5, -0.4], 0.002));
        assert!(!is_worth(vec![], 0.002));
    }
}
