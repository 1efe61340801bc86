use std::fs;
use std::path::Path;

use burn::tensor::Device;
use domino_core::files::write_bytes;
use domino_core::{Dag, Seed, Stream};
use domino_dag::LearnedGraph;
use domino_train::{load_weights, save_weights};
use domino_vae::start::Whitening;
use domino_vae::{
    Context, ConvolutionEncoder, ConvolutionForm, FittedIlcm, Ilcm, IlcmConfig, Latents,
    Mechanisms, PictureConfig, PictureDecoder, Sizes, SolutionConfig, SolutionFunctions,
    TargetInference,
};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{Diagnosis, Fit, FitError, MechanismStage, RecipeConfig};

/// Files of a saved model.
const DESCRIPTION: &str = "model.json";
const NETWORKS: &str = "networks.safetensors";
const MECHANISMS: &str = "mechanisms.safetensors";
const CONVOLUTION: &str = "convolution.safetensors";
const PICTURE: &str = "picture.safetensors";

/// All of a model but its weights.
#[derive(Serialize, Deserialize)]
struct Description {
    format: u32,
    d: usize,
    networks: IlcmConfig,
    mechanisms: SolutionConfig,
    context: Context,
    latents: Latents,
    whitening: Whitening,
    /// What pictures go through before the whitening, if it is learned.
    convolution: Option<ConvolutionForm>,
    /// The network that draws pictures, and how many directions it mixes.
    picture: Option<(PictureConfig, usize)>,
    targets: TargetInference,
    graph: LearnedGraph,
    diagnosis: Diagnosis,
}

/// Version of the layout of saved models.
const FORMAT: u32 = 9;

/// Saves a fit as `model.json`, `networks.safetensors` and `mechanisms.safetensors`, and where it
/// draws pictures `picture.safetensors`, and where it learned their features `convolution.safetensors`.
///
/// # Errors
/// [`FitError::Write`] if the folder refuses.
pub fn save(folder: &Path, fit: &Fit, config: &RecipeConfig) -> Result<(), FitError> {
    let mechanisms = match &config.mechanisms {
        MechanismStage::Regression(stage) => stage.networks.clone(),
        MechanismStage::Joint => config.model.networks.solution.clone(),
        MechanismStage::Identity => SolutionConfig::default(),
    };
    let description = Description {
        format: FORMAT,
        d: config.model.d,
        networks: fit.model.model().config().clone(),
        mechanisms,
        context: fit.model.mechanisms().context(),
        latents: fit.model.encodes(),
        whitening: fit.whitening.clone(),
        convolution: fit.model.convolution().map(|encoder| encoder.form().clone()),
        picture: fit.model.picture().map(|p| (config.picture.network.clone(), p.directions())),
        targets: fit.model.targets().clone(),
        graph: fit.graph.clone(),
        diagnosis: fit.diagnosis.clone(),
    };
    save_weights(&folder.join(NETWORKS), fit.model.model())?;
    save_weights(&folder.join(MECHANISMS), fit.model.mechanisms().functions())?;
    if let Some(picture) = fit.model.picture() {
        save_weights(&folder.join(PICTURE), picture)?;
    }
    if let Some(convolution) = fit.model.convolution() {
        save_weights(&folder.join(CONVOLUTION), convolution)?;
    }
    let path = folder.join(DESCRIPTION);
    let json = serde_json::to_vec_pretty(&description)
        .map_err(|e| FitError::Read { path: path.clone(), reason: e.to_string() })?;
    Ok(write_bytes(&path, &json)?)
}

/// Loads a saved fit onto a device.
///
/// # Errors
/// [`FitError::Read`] if a file is missing or not of this format.
pub fn load(folder: &Path, device: &Device) -> Result<Fit, FitError> {
    let path = folder.join(DESCRIPTION);
    let unreadable = |reason: String| FitError::Read { path: path.clone(), reason };
    let text = fs::read(&path).map_err(|e| unreadable(e.to_string()))?;
    let saved: Description = serde_json::from_slice(&text)
        .map_err(|e| unreadable(format!("expected the description of a model: {e}")))?;
    if saved.format != FORMAT {
        return Err(unreadable(format!("expected format {FORMAT}, got {}", saved.format)));
    }
    // The weights drawn here are all replaced.
    let mut rng = Seed(0).rng(Stream::Init);
    let sizes = Sizes { replicas: 1, components: saved.whitening.components(), d: saved.d };
    let model = Ilcm::new(sizes, &saved.networks, &mut rng, device);
    let model = load_weights(&folder.join(NETWORKS), model)?;
    let mask = DMatrix::zeros(saved.d, saved.d);
    let functions = SolutionFunctions::new(&mask, &saved.mechanisms, &mut rng, device);
    let functions = load_weights(&folder.join(MECHANISMS), functions)?;
    let dag: &Dag = &saved.graph.dag;
    let mechanisms = Mechanisms::new(functions, dag, saved.context);
    let edge_probs = saved.graph.edge_probs.clone();
    let model =
        FittedIlcm::new(model, mechanisms, saved.targets, edge_probs, &saved.whitening, device)?
            .with_latents(saved.latents);
    let model = match saved.convolution {
        Some(form) => {
            let encoder = ConvolutionEncoder::new(form, &mut rng, device);
            model.with_convolution(load_weights(&folder.join(CONVOLUTION), encoder)?)?
        }
        None => model,
    };
    let model = match &saved.picture {
        Some((config, directions)) => {
            let sizes = [saved.d, *directions, model.dim_x()];
            let picture = PictureDecoder::empty(sizes, config, &mut rng, device);
            model.with_picture(load_weights(&folder.join(PICTURE), picture)?)
        }
        None => model,
    };
    let (whitening, graph, diagnosis) = (saved.whitening, saved.graph, saved.diagnosis);
    Ok(Fit { model, whitening, graph, diagnosis })
}
