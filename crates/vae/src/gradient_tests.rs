//! Finite differences against autodiff for every objective, along a random direction.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};
use domino_core::{Observations, Pairs, Seed, Stream};
use domino_model::{
    Activation, Obs, PairBatch, PairObjective, StackedLinear, cpu, standard_normal, upload_rows,
};
use nalgebra::DMatrix;

use crate::start::{WhitenConfig, Whitening};
use crate::{
    AutoencoderWeights, ConvolutionConfig, ConvolutionForm, Elbo, ElboWeights, Elcm, ElcmWeights,
    Flow, FlowWeights, GivenTargets, Ilcm, IlcmConfig, JointThin, JointWeights, Law, MechanismMode,
    MechanismRegression, PictureAutoencoder, Sizes, SolutionConfig, SolutionFunctions, TargetMode,
    ThinManifold, ThinWeights,
};

/// Moves every parameter along a direction that its place and shape determine.
struct Shift(f64, u64);

fn direction<const D: usize>(shape: [usize; D], place: u64) -> Tensor<D> {
    standard_normal(shape, &mut Seed(77).rng_at(Stream::Eval, place), &cpu())
}

impl ModuleMapper for Shift {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.1 += 1;
        let (step, place) = (self.0, self.1);
        param.map(|tensor| {
            let tracked = tensor.is_require_grad();
            if !tracked {
                return tensor;
            }
            let along = direction(tensor.dims(), place) * step;
            Tensor::from_inner(tensor.inner() + along).require_grad()
        })
    }
}

/// The gradient's component along the same direction.
struct Slope<'a>(&'a Gradients, u64, f64);

impl ModuleVisitor for Slope<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.1 += 1;
        if let Some(grad) = param.val().grad(self.0) {
            let along = direction(grad.dims(), self.1);
            self.2 += (grad * along).sum().into_scalar::<f64>();
        }
    }
}

fn assert_gradient<O: PairObjective>(objective: &O, pairs: &PairBatch, weights: &O::Weights) {
    let at = |step: f64| {
        let moved = objective.clone().map(&mut Shift(step, 0));
        let loss = moved.loss(pairs, weights, &mut Seed(3).rng(Stream::Noise));
        loss.total.into_scalar::<f64>()
    };
    let grads = objective.loss(pairs, weights, &mut Seed(3).rng(Stream::Noise)).total.backward();
    let mut slope = Slope(&grads, 0, 0.0);
    objective.visit(&mut slope);
    let step = 2e-4;
    let numeric = (at(step) - at(-step)) / (2.0 * step);
    let scale = numeric.abs().max(slope.2.abs());
    assert!((numeric - slope.2).abs() < 0.02 * scale, "{numeric} against {}", slope.2);
}

fn setting() -> (Ilcm, PairBatch) {
    let device = cpu().autodiff();
    let mut rng = Seed(8).rng(Stream::Init);
    let mut config = IlcmConfig::default();
    config.encoder.initial_std = 0.5;
    config.decoder.initial_std = 0.7;
    config.solution.initial_log_scale = 0.0;
    let sizes = Sizes { replicas: 2, components: 3, d: 3 };
    let start = [DMatrix::identity(3, 3), DMatrix::identity(3, 3) * 0.5];
    let model = Ilcm::new(sizes, &config, &mut rng, &device).with_linear_start(&start, &device);
    let mut side = || Obs(standard_normal([2 * 16, 3], &mut rng, &device));
    (model, PairBatch { before: side(), after: side() })
}

#[test]
fn thin_manifold() {
    let (model, pairs) = setting();
    for noise in [None, Some(0.4)] {
        let weights = ThinWeights { tau: 0.5, beta: 0.7, noise };
        assert_gradient(&ThinManifold { model: model.clone(), referee: None }, &pairs, &weights);
    }
}

#[test]
fn exact_likelihood_of_pairs() {
    let device = cpu().autodiff();
    let mut rng = Seed(8).rng(Stream::Init);
    let mut config = IlcmConfig::default();
    config.encoder.activation = Activation::RoundedLeaky;
    let sizes = Sizes { replicas: 2, components: 3, d: 3 };
    let start = [DMatrix::identity(3, 3), DMatrix::identity(3, 3) * 0.5];
    let (_, pairs) = setting();
    let model = Ilcm::new(sizes, &config, &mut rng, &device).with_linear_start(&start, &device);
    assert_gradient(&Flow::new(model, &device), &pairs, &FlowWeights { tau: 0.5 });
}

#[test]
fn thin_manifold_of_given_targets() {
    let (model, pairs) = setting();
    let weights = ThinWeights { tau: 0.5, beta: 0.7, noise: Some(0.4) };
    let [rows, _] = pairs.before.0.dims();
    let log_probs: Vec<f32> =
        [0.1_f32, 0.2, 0.3, 0.4].repeat(rows).iter().map(|q| q.ln()).collect();
    let both = Tensor::cat(vec![pairs.before.0.clone(), pairs.after.0], 1);
    let log_probs = upload_rows(log_probs, 4, &pairs.before.0.device());
    let named = PairBatch { before: Obs(both), after: Obs(log_probs) };
    assert_gradient(&GivenTargets { model }, &named, &weights);
}

#[test]
fn evidence_lower_bound_in_every_mode() {
    let (model, pairs) = setting();
    for targets in [TargetMode::Absent, TargetMode::Soft, TargetMode::Hard] {
        for mechanisms in [MechanismMode::Absent, MechanismMode::Learned] {
            let weights = ElboWeights {
                beta: 0.6,
                z_regularization: 0.1,
                consistency: 0.2,
                entropy: 0.5,
                offset: 0.01,
                targets,
                mechanisms,
            };
            assert_gradient(&Elbo { model: model.clone() }, &pairs, &weights);
        }
    }
}

/// With edges that are certain: the gradient by those that are not is no derivative of the loss.
#[test]
fn explicit_models() {
    let (model, pairs) = setting();
    let device = cpu().autodiff();
    let logits = (0..18).map(|at| if at % 4 == 1 { 30.0 } else { -30.0 }).collect();
    let logits = upload_rows(logits, 3, &device).reshape([2, 3, 3]);
    let model = Elcm::new(model, |p| (p.sum(), p.map(|_| 1.0)), &device).with_edges(logits);
    let weights = ElcmWeights { tau: 0.5, beta: 0.7, noise: 0.4, sparsity: 0.1, acyclicity: 0.2 };
    assert_gradient(&model, &pairs, &weights);
}

#[test]
fn mechanism_regression() {
    let device = cpu().autodiff();
    let mut rng = Seed(8).rng(Stream::Init);
    let mask = DMatrix::from_row_slice(2, 3, &[0.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
    let config = SolutionConfig { initial_log_scale: 0.0, ..SolutionConfig::default() };
    let functions = SolutionFunctions::new(&mask, &config, &mut rng, &device);
    let mut side = || Obs(standard_normal([2 * 16, 3], &mut rng, &device));
    let pairs = PairBatch { before: side(), after: side() };
    for law in [Law::Interventional, Law::Observational] {
        let functions = functions.clone();
        let objective = MechanismRegression { functions, variables: vec![0, 2], law };
        assert_gradient(&objective, &pairs, &());
    }
}

/// The check itself: a loss whose gradient is wrong by construction must fail it.
#[test]
#[should_panic(expected = "against")]
fn a_wrong_gradient_is_noticed() {
    #[derive(Module, Debug)]
    struct Wrong {
        layer: StackedLinear,
    }
    impl PairObjective for Wrong {
        type Weights = ();
        fn loss(
            &self,
            pairs: &PairBatch,
            _weights: &(),
            _rng: &mut dyn rand::Rng,
        ) -> domino_model::Loss {
            let y = self.layer.forward(pairs.before.0.clone());
            let total = (y.clone() * y.detach()).mean();
            domino_model::Loss { total, terms: vec![] }
        }
    }
    let (_, pairs) = setting();
    let mut rng = Seed(8).rng(Stream::Init);
    let layer = StackedLinear::new([1, 3, 2], &mut rng, &cpu().autodiff());
    assert_gradient(&Wrong { layer }, &pairs, &());
}

/// Pictures of 16 by 16, an autoencoder of them, and the whitening of its latents.
fn picture_setting() -> (PictureAutoencoder, Whitening, PairBatch) {
    let device = cpu().autodiff();
    let mut rng = Seed(9).rng(Stream::Init);
    let mut side = || domino_model::uniform([12, 16 * 16 * 3], &mut rng, &device);
    let [before, after] = [side(), side()];
    let observed = [&before, &after].map(|x| {
        let data = x.clone().into_data().iter::<f32>().collect();
        Observations::Vectors { data, dim: 16 * 16 * 3 }
    });
    let [x, x_after] = observed;
    let pairs = Pairs::new(x, x_after).unwrap();
    let config = ConvolutionConfig { side: 16, latents: 4, channels: 3, most_channels: 4 };
    let (form, _) = ConvolutionForm::fit(&pairs, 100, &config, &cpu()).unwrap();
    let autoencoder = PictureAutoencoder::new(form, &mut rng, &device);
    let latents = autoencoder.encoder.encode(&pairs);
    let whitening = Whitening::fit(&latents, 3, &WhitenConfig::default()).unwrap();
    (autoencoder, whitening, PairBatch { before: Obs(before), after: Obs(after) })
}

#[test]
fn pictures_through_convolutions() {
    let (autoencoder, _, pairs) = picture_setting();
    assert_gradient(&autoencoder, &pairs, &AutoencoderWeights { beta: 0.1 });
}

#[test]
fn convolutions_and_variables_together() {
    let (autoencoder, whitening, pairs) = picture_setting();
    let device = cpu().autodiff();
    let sizes = Sizes { replicas: 1, components: whitening.components(), d: 3 };
    let mut config = IlcmConfig::default();
    config.encoder.initial_std = 0.5;
    let model = Ilcm::new(sizes, &config, &mut Seed(8).rng(Stream::Init), &device);
    let start = DMatrix::identity(whitening.components(), 3);
    let model = model.with_linear_start(&[start], &device);
    let thin = ThinManifold { model, referee: None };
    let weights = JointWeights {
        thin: ThinWeights { tau: 0.5, beta: 0.7, noise: Some(0.4) },
        pictures: 20.0,
        autoencoder: AutoencoderWeights { beta: 0.1 },
    };
    assert_gradient(&JointThin::new(autoencoder, thin, &whitening, &device), &pairs, &weights);
}
