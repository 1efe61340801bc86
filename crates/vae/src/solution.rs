use burn::module::{Module, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};
use domino_core::{Dag, Seed, Stream};
use domino_model::{Action, Causal, Mlp, Noise, StackedLinear, upload};
use nalgebra::DMatrix;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::monotone::Monotone;

/// Smallest scale of an affine solution function: keeps `z_k = (e_k − b_k) / s_k` bounded. That of
/// `M` components is as much smaller.
const MIN_SCALE: f64 = 0.2;

/// Scales between the line and the outermost components of a linear start.
const START_WIDTH: f64 = 1.5;

/// Spread of the first shift weights of a network without a linear start.
const SHIFT_STD: f64 = 0.1;

/// Spread of the first log-scale weights.
const LOG_SCALE_STD: f64 = 1e-3;

/// Shape of the solution functions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SolutionConfig {
    /// Units per hidden layer.
    pub hidden: usize,
    /// Hidden layers.
    pub layers: usize,
    /// Log-scale at the start; 2.3 makes the interventional prior broad.
    pub initial_log_scale: f64,
    /// Logistic components per function: 1 for affine functions.
    pub components: usize,
}

impl Default for SolutionConfig {
    fn default() -> Self {
        Self { hidden: 64, layers: 2, initial_log_scale: 2.3, components: 1 }
    }
}

/// What a solution function sees of the other variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// Their noise encodings: `z_k = s_k(e_k; e_\k)`, the form of Brehmer et al. 2022, section 4.
    Noise,
    /// Their causal variables, as in a structural equation: `z_k = f_k(e_k; z_pa(k))`.
    Causal,
}

/// Monotone solution functions of `stack` variables, as one batch of small networks:
///
/// ```text
/// z_k = logit Σ_m w_m(c_k) σ((e_k − b_m(c_k)) / s_m(c_k)),   s_m = exp(a_m(c_k)) + 0.2 / M
/// ```
///
/// where the context `c_k [d]` is what [`Context`] says, masked to the variables that may matter.
/// One component (`M = 1`) is the affine function `z_k = (e_k − b) / s` of Brehmer et al. 2022; more
/// of them bend, which noise that acts through bounded or skewed laws needs. The interventional
/// density is `p(e'_k | e) = N(z_k; 0, 1) dz_k / de_k`.
#[derive(Module, Debug)]
pub struct SolutionFunctions {
    linear: Param<Tensor<3>>,
    trunk: Mlp,
    shift: StackedLinear,
    log_scale: StackedLinear,
    /// Logits of the components' weights, where there are several.
    weight: Option<StackedLinear>,
    /// `[stack, 1, d]`: which inputs each function may see. Constant.
    mask: Param<Tensor<3>>,
}

impl SolutionFunctions {
    /// Functions whose inputs are masked by `mask [stack, d]`.
    pub fn new(
        mask: &DMatrix<f64>,
        config: &SolutionConfig,
        rng: &mut dyn Rng,
        device: &Device,
    ) -> Self {
        let (stack, d) = mask.shape();
        let trunk = Mlp::new([stack, d, config.hidden], config.layers, rng, device);
        let head = [stack, config.hidden, config.components];
        let bias = config.initial_log_scale;
        let shift = StackedLinear::with_normal_weights(head, SHIFT_STD, 0.0, rng, device);
        let log_scale = StackedLinear::with_normal_weights(head, LOG_SCALE_STD, bias, rng, device);
        let weight = (config.components > 1)
            .then(|| StackedLinear::with_normal_weights(head, LOG_SCALE_STD, 0.0, rng, device));
        Self {
            linear: Param::from_tensor(Tensor::zeros([stack, d, 1], device)),
            trunk,
            shift,
            log_scale,
            weight,
            mask: constant(upload(mask, device).reshape([stack, 1, d])),
        }
    }

    /// The functions that start as given linear ones: `b_m(c) = c · slopes_k + intercept_k` and a
    /// constant scale, with networks that contribute nothing yet. Several components start side by
    /// side, 1.5 scales to either side of the line.
    ///
    /// `slopes [stack, d]`; `intercepts` and `scales` have one entry per function.
    #[must_use]
    pub fn with_linear_start(
        self,
        slopes: &DMatrix<f64>,
        intercepts: &[f64],
        scales: &[f64],
    ) -> Self {
        let device = self.mask.val().device();
        let (stack, d) = slopes.shape();
        let m = self.components();
        let heads = |value: &dyn Fn(usize, usize) -> f64| {
            upload(&DMatrix::from_fn(stack, m, value), &device).reshape([stack, 1, m])
        };
        let last = (m - 1).max(1) as f64;
        let offset =
            |c: usize| if m == 1 { 0.0 } else { START_WIDTH * (2.0 * c as f64 / last - 1.0) };
        let shifts = heads(&|s, c| intercepts[s] + scales[s] * offset(c));
        let log_scales = heads(&|s, _| (scales[s] - MIN_SCALE).max(0.05).ln());
        let silent = |head: &StackedLinear| head.weight.val().zeros_like();
        Self {
            linear: Param::from_tensor(upload(slopes, &device).reshape([stack, d, 1])),
            shift: StackedLinear::from_parts(silent(&self.shift), shifts),
            log_scale: StackedLinear::from_parts(silent(&self.log_scale), log_scales),
            weight: self
                .weight
                .map(|head| StackedLinear::from_parts(silent(&head), heads(&|_, _| 0.0))),
            ..self
        }
    }

    /// Number of functions.
    pub fn stack(&self) -> usize {
        self.mask.val().dims()[0]
    }

    /// Logistic components per function.
    pub fn components(&self) -> usize {
        let [_, _, components] = self.shift.bias.val().dims();
        components
    }

    /// Every function of every row: `c [rows, d]` to `stack · rows` maps, grouped by function.
    pub fn of_all(&self, context: Tensor<2>) -> Monotone {
        let [rows, d] = context.dims();
        let stack = self.stack();
        let rows_of_all = context.reshape([1, rows, d]) * self.mask.val();
        self.of_masked(rows_of_all.reshape([stack * rows, d]))
    }

    /// Each function of its own rows: `c [stack · rows, d]` to as many maps; rows are grouped by
    /// function.
    pub fn of_own(&self, context: Tensor<2>) -> Monotone {
        let [rows, d] = context.dims();
        let stack = self.stack();
        let masked = context.reshape([stack, rows / stack, d]) * self.mask.val();
        self.of_masked(masked.reshape([rows, d]))
    }

    fn of_masked(&self, context: Tensor<2>) -> Monotone {
        let [rows, d] = context.dims();
        let stack = self.stack();
        let linear = context.clone().reshape([stack, rows / stack, d]).matmul(self.linear.val());
        let hidden = self.trunk.forward(context);
        let weight = self.weight.as_ref().map(|head| head.forward(hidden.clone()));
        Monotone {
            shift: self.shift.forward(hidden.clone()) + linear.reshape([rows, 1]),
            scale: self.log_scale.forward(hidden).exp() + MIN_SCALE / self.components() as f64,
            log_weight: weight.map(|logits| log_softmax(logits, 1)),
        }
    }

    /// One stack of the functions of several, in the given order of functions.
    ///
    /// # Panics
    /// If `parts` is empty, or the functions differ in shape.
    pub fn gather(parts: &[Self], order: &[usize]) -> Self {
        let gathered = Gathered { parts, order };
        let head = |of: &dyn Fn(&Self) -> &StackedLinear| {
            StackedLinear::gather(&parts.iter().map(of).collect::<Vec<_>>(), order)
        };
        Self {
            linear: gathered.param(|p| p.linear.val()),
            trunk: Mlp::gather(&parts.iter().map(|p| &p.trunk).collect::<Vec<_>>(), order),
            shift: head(&|p| &p.shift),
            log_scale: head(&|p| &p.log_scale),
            weight: parts[0]
                .weight
                .is_some()
                .then(|| head(&|p| p.weight.as_ref().expect("functions of one shape"))),
            mask: gathered.param(|p| p.mask.val()),
        }
    }

    /// The same functions seeing only what `mask [stack, d]` allows.
    #[must_use]
    pub fn with_mask(self, mask: &DMatrix<f64>) -> Self {
        let (stack, d) = mask.shape();
        let device = self.mask.val().device();
        Self { mask: constant(upload(mask, &device).reshape([stack, 1, d])), ..self }
    }
}

struct Gathered<'a> {
    parts: &'a [SolutionFunctions],
    order: &'a [usize],
}

impl Gathered<'_> {
    fn param(&self, field: impl Fn(&SolutionFunctions) -> Tensor<3>) -> Param<Tensor<3>> {
        let all = Tensor::cat(self.parts.iter().map(field).collect(), 0);
        Param::from_tensor(domino_model::take_stack(all, self.order))
    }
}

fn constant(tensor: Tensor<3>) -> Param<Tensor<3>> {
    Param::from_tensor(tensor).set_require_grad(false)
}

/// Solution functions of all `d` variables along an acyclic graph: an invertible map between
/// noise and causal variables.
#[derive(Clone, Debug)]
pub struct Mechanisms {
    functions: SolutionFunctions,
    context: Context,
    /// The same functions by level of the graph: those of one level depend on earlier ones alone.
    levels: Vec<Level>,
    dim: usize,
}

/// The functions of some variables.
#[derive(Clone, Debug)]
struct Level {
    variables: Vec<usize>,
    functions: SolutionFunctions,
}

impl Level {
    /// The columns of this level's variables, `[rows, d]` to `[rows, variables]`.
    fn pick(&self, x: &Tensor<2>) -> Tensor<2> {
        Tensor::cat(self.variables.iter().map(|&k| x.clone().narrow(1, k, 1)).collect(), 1)
    }
}

impl Mechanisms {
    /// Functions that see, of their context, only what the graph allows: the parents in
    /// [`Context::Causal`], the ancestors in [`Context::Noise`].
    pub fn new(functions: SolutionFunctions, dag: &Dag, context: Context) -> Self {
        let d = dag.dim();
        let mask = match context {
            Context::Causal => dag.adjacency().transpose(),
            Context::Noise => ancestors(dag),
        };
        // Fitted functions carry no gradients: a forward pass that records them keeps every
        // intermediate alive.
        let functions = functions.valid().with_mask(&mask);
        let level = |variables: Vec<usize>| {
            let own = SolutionFunctions::gather(std::slice::from_ref(&functions), &variables);
            Level { variables, functions: own }
        };
        let levels = dag.levels().into_iter().map(level).collect();
        Self { functions, context, levels, dim: d }
    }

    /// `z = e`: mechanisms of `d` variables of which none has a cause.
    pub fn identity(d: usize, device: &Device) -> Self {
        let mask = DMatrix::zeros(d, d);
        let mut rng = Seed(0).rng(Stream::Init);
        let functions = SolutionFunctions::new(&mask, &SolutionConfig::default(), &mut rng, device)
            .with_linear_start(&mask, &vec![0.0; d], &vec![1.0; d]);
        Self::new(functions, &Dag::empty(d), Context::Causal)
    }

    /// Number of variables.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The functions themselves.
    pub fn functions(&self) -> &SolutionFunctions {
        &self.functions
    }

    /// What the functions see.
    pub fn context(&self) -> Context {
        self.context
    }

    /// `z = s(e)`.
    pub fn solve(&self, e: &Noise) -> Causal {
        match self.context {
            Context::Noise => Causal(self.forward(&e.0)),
            Context::Causal => Causal(self.along_the_graph(&e.0, |level, maps| {
                per_variable(&level.pick(&e.0), |column| maps.forward(column))
            })),
        }
    }

    /// `e = s⁻¹(z)`.
    pub fn abduct(&self, z: &Causal) -> Noise {
        match self.context {
            Context::Causal => {
                let maps = self.functions.of_all(z.0.clone());
                Noise(per_variable(&z.0, |column| maps.backward(column)))
            }
            Context::Noise => Noise(self.along_the_graph(&z.0, |level, maps| {
                per_variable(&level.pick(&z.0), |column| maps.backward(column))
            })),
        }
    }

    /// `de_k / dz_k` at causal variables, `[rows, d]`, of affine mechanisms in [`Context::Causal`].
    ///
    /// # Panics
    /// If they are not affine, or see noise.
    pub(crate) fn slopes(&self, z: &Causal) -> Tensor<2> {
        assert_eq!((self.context, self.functions.components()), (Context::Causal, 1), "affine");
        let maps = self.functions.of_all(z.0.clone());
        per_variable(&z.0, |_| maps.scale)
    }

    /// `s(e')` where the targets' noise is replaced by that which gives them the action's values.
    pub fn intervene(&self, e: &Noise, action: &Action) -> Causal {
        let set = |free: Tensor<2>, fixed: Tensor<2>, mask: Tensor<2>| {
            free * (mask.clone().neg() + 1.0) + fixed * mask
        };
        match self.context {
            Context::Causal => Causal(self.along_the_graph(&e.0, |level, maps| {
                let free = per_variable(&level.pick(&e.0), |column| maps.forward(column));
                set(free, level.pick(&action.value), level.pick(&action.mask))
            })),
            Context::Noise => {
                let replaced = self.along_the_graph(&e.0, |level, maps| {
                    let value = level.pick(&action.value);
                    let fixed = per_variable(&value, |column| maps.backward(column));
                    set(level.pick(&e.0), fixed, level.pick(&action.mask))
                });
                Causal(set(self.forward(&replaced), action.value.clone(), action.mask.clone()))
            }
        }
    }

    /// `ln p(e'_k | e)` of each variable as the only target, up to the constant `½ ln 2π`,
    /// `[rows, d]`; `context` is what the functions see of the state before.
    pub(crate) fn interventional(&self, drawn: Tensor<2>, context: Tensor<2>) -> Tensor<2> {
        interventional(&self.functions, drawn, context)
    }

    /// Every function of its own noise, in the context of all noise.
    fn forward(&self, e: &Tensor<2>) -> Tensor<2> {
        let maps = self.functions.of_all(e.clone());
        per_variable(e, |column| maps.forward(column))
    }

    /// What `step` makes of each level, whose maps see what it made of the levels before:
    /// `[rows, d]`, as is `like`.
    fn along_the_graph(
        &self,
        like: &Tensor<2>,
        step: impl Fn(&Level, &Monotone) -> Tensor<2>,
    ) -> Tensor<2> {
        let [rows, d] = like.dims();
        let mut columns = vec![Tensor::zeros([rows, 1], &like.device()); d];
        for level in &self.levels {
            let maps = level.functions.of_all(Tensor::cat(columns.clone(), 1));
            let values = step(level, &maps);
            for (at, &k) in level.variables.iter().enumerate() {
                columns[k] = values.clone().narrow(1, at, 1);
            }
        }
        Tensor::cat(columns, 1)
    }
}

/// `ln N(z_k; 0, 1) + ln dz_k / de_k` without the constant, `[rows, d]`.
pub(crate) fn interventional(
    functions: &SolutionFunctions,
    drawn: Tensor<2>,
    context: Tensor<2>,
) -> Tensor<2> {
    let maps = functions.of_all(context);
    per_variable(&drawn, |column| maps.log_density(column))
}

/// What a function of all variables' values under one another, `[d · rows, 1]`, makes of
/// `[rows, d]`.
fn per_variable(values: &Tensor<2>, f: impl FnOnce(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
    let [rows, d] = values.dims();
    f(values.clone().transpose().reshape([d * rows, 1])).reshape([d, rows]).transpose()
}

/// `[k, j] = 1` where `j` is an ancestor of `k`.
fn ancestors(dag: &Dag) -> DMatrix<f64> {
    let d = dag.dim();
    let mut mask = DMatrix::zeros(d, d);
    for j in 0..d {
        for (k, reached) in dag.descendants(j).into_iter().enumerate() {
            mask[(k, j)] = f64::from(u8::from(reached));
        }
    }
    mask
}
