use burn::module::Module;
use burn::tensor::{Device, Tensor};
use domino_core::ImageShape;
use domino_model::{
    Action, Causal, LatentCausalModel, ModelError, Noise, NoisePosterior, Obs, PairBatch, Scm,
    download, standard_normal, uniform, upload,
};
use nalgebra::DMatrix;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::start::{SmoothingTensors, Whitening};
use crate::{ChangePosterior, ConvolutionEncoder, Ilcm, Mechanisms, PictureDecoder, SetPosterior};

/// How a fitted model infers targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetInference {
    /// Calibrated on the changes of the training pairs.
    Calibrated(ChangePosterior),
    /// The same, of variables of which several may have been set at once.
    Sets(SetPosterior),
    /// The model's own heuristic posterior, trained along.
    Heuristic,
}

/// What encoder and decoder deal in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Latents {
    /// Noise encodings `e`: an implicit latent causal model.
    #[default]
    Noise,
    /// Causal variables `z`: an explicit one.
    Causal,
}

/// A trained model of observations: encoder and decoder around mechanisms on a learned graph.
#[derive(Debug)]
pub struct FittedIlcm {
    model: Ilcm,
    mechanisms: Mechanisms,
    latents: Latents,
    targets: TargetInference,
    edge_probs: DMatrix<f64>,
    picture: Option<PictureDecoder>,
    convolution: Option<ConvolutionEncoder>,
    /// The whitening, on the device.
    smoothing: Option<SmoothingTensors>,
    mean: Tensor<2>,
    forward: Tensor<2>,
    backward: Tensor<2>,
    /// `ln |det ∂x̃/∂x|` on the kept directions.
    log_volume: f64,
}

impl FittedIlcm {
    /// A model of one replica; tensors move to `device`, which carries no gradients.
    ///
    /// # Errors
    /// [`ModelError::Size`] if the parts disagree in the number of variables or components.
    pub fn new(
        model: Ilcm,
        mechanisms: Mechanisms,
        targets: TargetInference,
        edge_probs: DMatrix<f64>,
        whitening: &Whitening,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let d = model.dim();
        for (what, got) in
            [("mechanisms", mechanisms.dim()), ("edge probabilities", edge_probs.nrows())]
        {
            if got != d {
                return Err(ModelError::Size { what, expected: d, got });
            }
        }
        if model.replicas() != 1 {
            return Err(ModelError::Size { what: "replicas", expected: 1, got: model.replicas() });
        }
        let volumes = whitening.forward.column_iter().map(|c| c.norm().ln());
        Ok(Self {
            mechanisms,
            latents: Latents::Noise,
            targets,
            edge_probs,
            picture: None,
            convolution: None,
            smoothing: whitening.smoothing.as_ref().map(|smoothing| smoothing.on(device)),
            mean: upload(
                &DMatrix::from_columns(std::slice::from_ref(&whitening.mean)).transpose(),
                device,
            ),
            forward: upload(&whitening.forward, device),
            backward: upload(&whitening.backward, device),
            log_volume: volumes.sum(),
            model: model.valid().to_device(device),
        })
    }

    /// The same model with encoder and decoder of other latents.
    #[must_use]
    pub fn with_latents(self, latents: Latents) -> Self {
        Self { latents, ..self }
    }

    /// What encoder and decoder deal in.
    pub fn encodes(&self) -> Latents {
        self.latents
    }

    /// The same model, whose observations are drawn by a decoder of pictures.
    #[must_use]
    pub fn with_picture(self, picture: PictureDecoder) -> Self {
        let picture = picture.valid().to_device(&self.device());
        Self { picture: Some(picture), ..self }
    }

    /// What draws its pictures, if it is a model of pictures.
    pub fn picture(&self) -> Option<&PictureDecoder> {
        self.picture.as_ref()
    }

    /// The same model, whose whitening is of the latents of pictures that go through convolutions.
    ///
    /// # Errors
    /// [`ModelError::Size`] if there are more or fewer latents than the whitening takes.
    pub fn with_convolution(self, encoder: ConvolutionEncoder) -> Result<Self, ModelError> {
        let ([expected, _], got) = (self.forward.dims(), encoder.form().config.latents);
        if got != expected {
            return Err(ModelError::Size { what: "latents of the convolutions", expected, got });
        }
        let encoder = encoder.valid().to_device(&self.device());
        Ok(Self { convolution: Some(encoder), ..self })
    }

    /// The convolutions in front of the whitening, if there are any.
    pub fn convolution(&self) -> Option<&ConvolutionEncoder> {
        self.convolution.as_ref()
    }

    /// Shape of the pictures that it sees, if they are smoothed or go through convolutions.
    pub fn picture_shape(&self) -> Option<ImageShape> {
        let smoothed = || self.smoothing.as_ref().map(SmoothingTensors::shape);
        self.convolution.as_ref().map(ConvolutionEncoder::shape).or_else(smoothed)
    }

    /// Values of an observation before anything is done to it.
    pub fn dim_x(&self) -> usize {
        let [kept, _] = self.forward.dims();
        self.picture_shape().map_or(kept, ImageShape::len)
    }

    /// The mechanisms on the learned graph.
    pub fn mechanisms(&self) -> &Mechanisms {
        &self.mechanisms
    }

    /// How targets are inferred.
    pub fn targets(&self) -> &TargetInference {
        &self.targets
    }

    /// Encoder, decoder and heuristic posterior.
    pub fn model(&self) -> &Ilcm {
        &self.model
    }

    /// Checks the width of observations.
    ///
    /// # Errors
    /// [`ModelError::Size`] if it is not the model's.
    pub fn check_width(&self, dim_x: usize) -> Result<(), ModelError> {
        let expected = self.dim_x();
        if dim_x == expected {
            return Ok(());
        }
        Err(ModelError::Size { what: "values per observation", expected, got: dim_x })
    }

    /// The features of observations that the encoder sees, `[rows, components]`.
    pub fn whiten(&self, x: Obs) -> Tensor<2> {
        let x = match (&self.convolution, &self.smoothing) {
            (Some(convolution), _) => convolution.forward(x.0),
            (None, Some(smoothing)) => smoothing.forward(x.0),
            (None, None) => x.0,
        };
        (x - self.mean.clone()).matmul(self.forward.clone())
    }

    /// The device of the weights.
    pub fn device(&self) -> Device {
        self.mean.device()
    }

    /// `ln q(I)` of changes `[rows, d]` of the codes, `[rows, d + 1]`, "none" first; and where several variables
    /// may have been set at once, the probability that each was, `[rows, d]`.
    pub fn infer_targets(&self, change: Tensor<2>) -> (Tensor<2>, Option<DMatrix<f64>>) {
        match &self.targets {
            TargetInference::Heuristic => (self.model.posterior(change).log(), None),
            TargetInference::Calibrated(posterior) => {
                (upload(&posterior.log_probs(&download(change)), &self.device()), None)
            }
            TargetInference::Sets(posterior) => {
                let probs = posterior.probs(&download(change));
                let targets = SetPosterior::target_probs(&probs).map(f64::ln);
                (upload(&targets, &self.device()), Some(probs))
            }
        }
    }

    /// `ln p(e'_k | e)` of each variable as the only target, `[rows, d]`, constant left out.
    fn interventional(&self, drawn: Tensor<2>, before: &Noise) -> Tensor<2> {
        let context = match self.mechanisms.context() {
            crate::Context::Noise => before.0.clone(),
            crate::Context::Causal => self.solve(before.clone()).0,
        };
        self.mechanisms.interventional(drawn, context)
    }
}

impl Scm for FittedIlcm {
    fn dim(&self) -> usize {
        self.model.dim()
    }

    fn edge_probs(&self) -> Tensor<2> {
        upload(&self.edge_probs, &self.device())
    }

    fn solve(&self, e: Noise) -> Causal {
        self.mechanisms.solve(&e)
    }

    fn abduct(&self, z: Causal) -> Noise {
        self.mechanisms.abduct(&z)
    }

    fn intervene(&self, e: Noise, action: &Action) -> Causal {
        self.mechanisms.intervene(&e, action)
    }
}

impl LatentCausalModel for FittedIlcm {
    fn encode(&self, x: Obs) -> NoisePosterior {
        let (mean, std) = self.model.encoder.forward(self.whiten(x));
        match self.latents {
            Latents::Noise => NoisePosterior { mean: Noise(mean), std },
            Latents::Causal => {
                let slope = self.mechanisms.slopes(&Causal(mean.clone()));
                NoisePosterior { mean: self.abduct(Causal(mean)), std: std * slope }
            }
        }
    }

    fn decode(&self, z: Causal) -> Obs {
        if let Some(picture) = &self.picture {
            let e = self.abduct(z.clone()).0;
            return Obs(picture.forward(z.0, e));
        }
        let latents = match self.latents {
            Latents::Noise => self.abduct(z).0,
            Latents::Causal => z.0,
        };
        let whitened = self.model.decoder.mean(latents);
        Obs(whitened.matmul(self.backward.clone()) + self.mean.clone())
    }

    fn target_log_probs(&self, pairs: &PairBatch) -> Tensor<2> {
        let before = self.encode(pairs.before.clone()).mean.0;
        self.infer_targets(self.encode(pairs.after.clone()).mean.0 - before).0
    }

    /// The evidence lower bound of one sample, targets summed exactly:
    ///
    /// ```text
    /// ln p(x, x̃) ≥ Σ_I q(I) [ln p(x|e) + ln p(x̃|e') + ln p(e, e'|I) + ln π_I − ln q(e, e') − ln q(I)]
    /// ```
    ///
    /// with projected encodings (Brehmer et al. 2022, equation 6), the kept principal directions
    /// as observations, and uniform `π`. Where several variables may have been set at once, `q` is certain of the
    /// most probable set, `π` is uniform over all sets, and new noise follows causes that were set along.
    fn log_likelihood(
        &self,
        pairs: &PairBatch,
        rng: &mut dyn Rng,
    ) -> Result<Tensor<1>, ModelError> {
        let [rows, dim_x] = pairs.before.0.dims();
        self.check_width(dim_x)?;
        let d = self.dim();
        let codes = [&pairs.before, &pairs.after].map(|x| self.encode(x.clone()));
        let change = codes[1].mean.0.clone() - codes[0].mean.0.clone();
        let (log_q, set_probs) = self.infer_targets(change);
        let lambda = uniform([rows, d], rng, &self.device());
        let noise = [(); 2].map(|()| standard_normal([rows, d], rng, &self.device()));
        let sampled = Sampled { pairs, codes: &codes, lambda: &lambda, noise: &noise };
        if let Some(probs) = set_probs {
            let hit = probs.map(|p| f64::from(u8::from(p > 0.5)));
            let given = self.bound_of(upload(&hit, &self.device()), &sampled);
            return Ok((given - d as f64 * std::f64::consts::LN_2).reshape([rows]));
        }
        let mut bound = Tensor::zeros([rows, 1], &self.device());
        for target in 0..=d {
            let hit = Action::set(rows, d, target.saturating_sub(1), 1.0, &self.device()).mask
                * f64::from(u8::from(target > 0));
            let given = self.bound_of(hit, &sampled);
            let log_q = log_q.clone().narrow(1, target, 1);
            let prior = ((d + 1) as f64).ln();
            // 0 · ln 0 = 0 where a target is ruled out.
            let weight = log_q.clone().exp();
            bound = bound
                + weight * (given - log_q.clamp_min(f64::from(f32::MIN_POSITIVE).ln()) - prior);
        }
        Ok(bound.reshape([rows]))
    }
}

impl FittedIlcm {
    /// The bound given what was set, 1 in `hit [rows, d]`: `[rows, 1]`.
    fn bound_of(&self, hit: Tensor<2>, sampled: &Sampled<'_>) -> Tensor<2> {
        let Sampled { pairs, codes, lambda, noise } = sampled;
        let kept = hit.clone().neg() + 1.0;
        let blend = |a: &Tensor<2>, b: &Tensor<2>| {
            let shared = b.clone() + (a.clone() - b.clone()) * (*lambda).clone();
            a.clone() * hit.clone() + shared * kept.clone()
        };
        let mean = blend(&codes[0].mean.0, &codes[1].mean.0);
        let std = blend(&codes[0].std, &codes[1].std);
        let before = mean + std.clone() * noise[0].clone();
        let drawn = codes[1].mean.0.clone() + codes[1].std.clone() * noise[1].clone();
        let after = before.clone() * kept + drawn.clone() * hit.clone();
        let half = |x: &Tensor<2>| x.clone().square() * 0.5;
        let prior = (std.log() + half(&noise[0]) - half(&before)).sum_dim(1);
        // Causes of a single target are what they were before.
        let context = match self.targets {
            TargetInference::Sets(_) => &after,
            _ => &before,
        };
        let density = self.interventional(drawn, &Noise(context.clone()));
        let redrawn = (density + codes[1].std.clone().log() + half(&noise[1])) * hit;
        prior
            + redrawn.sum_dim(1)
            + self.log_observation(&pairs.before, before)
            + self.log_observation(&pairs.after, after)
    }

    /// `ln p(x | e)` on the kept directions, `[rows, 1]`.
    fn log_observation(&self, x: &Obs, e: Tensor<2>) -> Tensor<2> {
        let latents = match self.latents {
            Latents::Noise => e,
            Latents::Causal => self.solve(Noise(e)).0,
        };
        let (mean, std) = self.model.decoder.forward(latents);
        let [_, components] = mean.dims();
        let residual = (self.whiten(x.clone()) - mean) / std.clone();
        let constant = components as f64 * 0.5 * std::f64::consts::TAU.ln() - self.log_volume;
        (residual.square() * -0.5 - std.log()).sum_dim(1) - constant
    }
}

/// What is drawn for a bound.
struct Sampled<'a> {
    pairs: &'a PairBatch,
    codes: &'a [NoisePosterior; 2],
    /// Where between both sides' codes that are kept lie, `[rows, d]`.
    lambda: &'a Tensor<2>,
    noise: &'a [Tensor<2>; 2],
}

#[cfg(test)]
mod tests {
    use domino_core::{Dag, Observations, Pairs, Seed, Stream};
    use domino_model::{cpu, laws::assert_scm_laws};

    use super::*;
    use crate::start::WhitenConfig;
    use crate::{Context, IlcmConfig, Sizes, SolutionConfig, SolutionFunctions};

    const D: usize = 4;

    fn dag() -> Dag {
        Dag::from_edges(D, &[(2, 0), (0, 3), (2, 3)]).unwrap()
    }

    fn fitted(context: Context) -> FittedIlcm {
        let mut rng = Seed(2).rng(Stream::Init);
        let config = SolutionConfig { initial_log_scale: 0.0, ..SolutionConfig::default() };
        let mask = DMatrix::zeros(D, D);
        let functions = SolutionFunctions::new(&mask, &config, &mut rng, &cpu());
        let slopes = DMatrix::from_fn(D, D, |i, j| (i as f64 - j as f64) * 0.4);
        let functions = SolutionFunctions::gather(
            &[functions.clone(), functions.with_linear_start(&slopes, &[0.3; D], &[1.5; D])],
            &[0, D + 1, D + 2, 3],
        );
        let mut data = || {
            let z = standard_normal([200, D], &mut rng, &cpu());
            Observations::Vectors { data: z.into_data().iter::<f32>().collect(), dim: D }
        };
        let pairs = Pairs::new(data(), data()).unwrap();
        let whitening = Whitening::fit(&pairs, D, &WhitenConfig::default()).unwrap();
        let sizes = Sizes { replicas: 1, components: D, d: D };
        let model = Ilcm::new(sizes, &IlcmConfig::default(), &mut rng, &cpu())
            .with_linear_start(&[DMatrix::identity(D, D)], &cpu())
            .silenced();
        let dag = dag();
        let mechanisms = Mechanisms::new(functions, &dag, context);
        let targets = TargetInference::Heuristic;
        let probs = dag.adjacency();
        FittedIlcm::new(model, mechanisms, targets, probs, &whitening, &cpu()).unwrap()
    }

    #[test]
    fn mechanisms_of_both_forms_obey_the_laws() {
        assert_scm_laws(&fitted(Context::Causal), 1e-3);
        assert_scm_laws(&fitted(Context::Noise), 1e-3);
    }

    #[test]
    fn a_silent_model_decodes_what_it_encoded() {
        let model = fitted(Context::Causal);
        let x = standard_normal([10, D], &mut Seed(5).rng(Stream::Eval), &cpu());
        let back = model.decode(model.latents(Obs(x.clone()))).0;
        assert!((download(back) - download(x)).amax() < 1e-3);
    }

    #[test]
    fn an_explicit_model_encodes_its_variables() {
        let model = fitted(Context::Causal).with_latents(Latents::Causal);
        let x = standard_normal([10, D], &mut Seed(5).rng(Stream::Eval), &cpu());
        let latents = model.latents(Obs(x.clone()));
        let back = model.decode(Causal(latents.0.clone())).0;
        assert!((download(back) - download(x.clone())).amax() < 1e-3);
        let direct = model.model.mean_codes(model.whiten(Obs(x.clone())));
        assert!((download(latents.0) - download(direct)).amax() < 1e-3);
        // Noise spreads as its mean moves with the variable.
        let implicit = fitted(Context::Causal);
        let [explicit, implicit] =
            [&model, &implicit].map(|m| download(m.encode(Obs(x.clone())).std));
        assert!((explicit.column(1) - implicit.column(1) * 1.5).amax() < 1e-3, "a scale of 1.5");
    }

    #[test]
    fn the_likelihood_prefers_pairs_that_share_their_noise() {
        let model = fitted(Context::Causal);
        let mut rng = Seed(6).rng(Stream::Eval);
        let e = Noise(standard_normal([64, D], &mut rng, &cpu()));
        let before = model.solve(e.clone());
        let after = model.intervene(e, &Action::set(64, D, 2, 1.0, &cpu()));
        let unrelated = model.solve(Noise(standard_normal([64, D], &mut rng, &cpu())));
        let before = model.decode(before);
        let mut score = |after: Causal| {
            let pairs = PairBatch { before: before.clone(), after: model.decode(after) };
            model.log_likelihood(&pairs, &mut rng).unwrap().mean().into_scalar::<f64>()
        };
        let (shared, unrelated) = (score(after), score(unrelated));
        assert!(shared > unrelated + 1.0, "{shared} against {unrelated}");
    }

    #[test]
    fn parts_that_do_not_fit_are_named() {
        let model = fitted(Context::Causal);
        let pairs = PairBatch {
            before: Obs(Tensor::zeros([1, 7], &cpu())),
            after: Obs(Tensor::zeros([1, 7], &cpu())),
        };
        let error = model.log_likelihood(&pairs, &mut Seed(0).rng(Stream::Eval)).unwrap_err();
        assert_eq!(error.to_string(), "values per observation: expected 4, got 7");
    }
}
