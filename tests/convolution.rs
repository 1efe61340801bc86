//! Pictures whose features are learned, through the whole recipe.

use domino::core::ImageShape;
use domino::prelude::*;
use domino::recipe::{CoarseToFine, ConvolutionStage, JointStage, VariableStage};
use rand::RngExt;

const SHAPE: ImageShape = ImageShape { height: 16, width: 16, channels: 3 };

/// Spots of three colours, each in a row of its own, of which one moves between before and after.
fn spots(n: usize, seed: u64) -> Pairs {
    let mut rng = Seed(seed).rng(Stream::Data);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for at in 0..n {
        let mut places: [f64; 3] = [0; 3].map(|_| rng.random_range(3.0..13.0));
        before.extend(drawn(places));
        places[at % 3] = rng.random_range(3.0..13.0);
        after.extend(drawn(places));
    }
    let [before, after] = [before, after].map(|data| Observations::Images { data, shape: SHAPE });
    Pairs::new(before, after).unwrap()
}

fn drawn(places: [f64; 3]) -> Vec<u8> {
    let pixel = |at: usize| {
        let (row, column, colour) = (at / 48, at / 3 % 16, at % 3);
        let (down, across) =
            (row as f64 - 3.0 - 5.0 * colour as f64, column as f64 - places[colour]);
        (250.0 * (-(down * down + across * across) / 8.0).exp()) as u8
    };
    (0..SHAPE.len()).map(pixel).collect()
}

fn as_floats(pairs: &Pairs) -> Pairs {
    let [before, after] = [pairs.before(), pairs.after()].map(|side| {
        let mut data = Vec::new();
        (0..side.len()).for_each(|row| side.push_row(row, &mut data));
        Observations::Vectors { data, dim: SHAPE.len() }
    });
    Pairs::new(before, after).unwrap()
}

/// Coarse pictures first, then convolutions, with too few steps to learn much.
fn config(joint: Option<JointStage>) -> RecipeConfig {
    let mut config = RecipeConfig::default();
    (config.model.d, config.model.replicas) = (3, 2);
    let mut stage = CoarseToFine::default();
    let mut convolution = ConvolutionStage { pictures: 100, joint, ..ConvolutionStage::default() };
    (convolution.network.latents, convolution.network.channels) = (8, 4);
    (convolution.phase.steps, convolution.phase.batch) = (10, 8);
    for scale in &mut stage.scales {
        (scale.phase.steps, scale.extra) = (10, 3);
    }
    stage.scales[1].convolution = Some(convolution);
    stage.handover.steps = 10;
    config.variables = VariableStage::CoarseToFine(stage);
    config.picture.phase.steps = 10;
    config.picture.network.directions = 8;
    config
}

fn joint() -> JointStage {
    let mut joint = JointStage::default();
    (joint.phase.steps, joint.phase.batch) = (5, 8);
    joint
}

#[test]
fn a_saved_model_gives_the_same_codes() {
    let (pairs, held_out) = (spots(200, 1), spots(40, 2));
    let config = config(Some(joint()));
    let fit = crate::fit(&pairs, &held_out, &config, 0).unwrap();
    let again = crate::fit(&pairs, &held_out, &config, 0).unwrap();
    let codes = recipe::embed(&fit.model, &held_out).unwrap();
    assert_eq!(codes, recipe::embed(&again.model, &held_out).unwrap(), "one seed, one model");

    let folder = tempfile::tempdir().unwrap();
    recipe::save(folder.path(), &fit, &config).unwrap();
    let loaded = recipe::load(folder.path(), &cpu()).unwrap();
    assert_eq!(codes, recipe::embed(&loaded.model, &held_out).unwrap());
    assert_eq!(codes, recipe::embed(&loaded.model, &as_floats(&held_out)).unwrap());
    assert_eq!(loaded.model.picture_shape(), Some(SHAPE));

    std::fs::remove_file(folder.path().join("convolution.safetensors")).unwrap();
    let error = recipe::load(folder.path(), &cpu()).unwrap_err();
    assert!(error.to_string().contains("convolution.safetensors"), "{error}");
}

#[test]
fn training_together_moves_the_convolutions() {
    let (pairs, held_out) = (spots(120, 1), spots(20, 2));
    let [staged, together] = [None, Some(joint())].map(|joint| {
        let fit = crate::fit(&pairs, &held_out, &config(joint), 0).unwrap();
        fit.model.convolution().unwrap().encode(&held_out)
    });
    assert_ne!(staged, together);
}

#[test]
fn pictures_and_sizes_that_do_not_fit_are_named() {
    let (pairs, held_out) = (spots(20, 1), spots(20, 2));
    let refused = |change: &dyn Fn(&mut ConvolutionStage), pairs: &Pairs| {
        let mut config = config(None);
        if let VariableStage::CoarseToFine(stage) = &mut config.variables {
            change(stage.scales[1].convolution.as_mut().unwrap());
        }
        crate::fit(pairs, &held_out, &config, 0).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&|stage| stage.network.latents = 2, &pairs),
        "convolution.network.latents: expected at least model.d of them, got 2 for 3"
    );
    assert_eq!(
        refused(&|stage| stage.network.side = 24, &pairs),
        "convolution.network.side: expected a power of two from 16 up, got 24"
    );
    let [before, after] = [pairs.before(), pairs.after()].map(|side| {
        let Observations::Images { data, .. } = side else { unreachable!("they are pictures") };
        let shape = ImageShape { height: 16, width: 48, channels: 1 };
        Observations::Images { data: data.clone(), shape }
    });
    let grey = Pairs::new(before, after).unwrap();
    assert!(refused(&|_| (), &grey).ends_with("got [16, 48, 1] uint8"));
}
