//! Saved files are enough to rebuild a model elsewhere, as `docs/domino_model.py` does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use domino::data::scaling::{LeakyReluConfig, MechanismConfig, MixingConfig, MlpConfig};
use domino::prelude::*;
use domino::recipe::VariableStage;
use nalgebra::{DMatrix, RowDVector};
use serde_json::Value;

/// Shape and values of each tensor by name.
type Weights = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

fn weights(path: &Path) -> Weights {
    let file = fs::read(path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&file).unwrap();
    let value = |b: &[u8]| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let named = tensors.iter().map(|(name, view)| {
        let values = view.data().chunks_exact(4).map(value).collect();
        (name.to_owned(), (view.shape().to_vec(), values))
    });
    named.collect()
}

/// The `k`-th matrix of a stack of them.
fn matrix(weights: &Weights, name: &str, k: usize) -> DMatrix<f64> {
    let (shape, values) = &weights[name];
    let [_, rows, columns] = shape[..] else { panic!("{name}: expected three axes") };
    DMatrix::from_row_slice(rows, columns, &values[k * rows * columns..(k + 1) * rows * columns])
}

fn affine(weights: &Weights, name: &str, k: usize, x: &RowDVector<f64>) -> RowDVector<f64> {
    let weight = matrix(weights, &format!("{name}.weight"), k);
    x * weight + matrix(weights, &format!("{name}.bias"), k).row(0)
}

fn relu(h: f64) -> f64 {
    h.max(0.0)
}

fn rounded_leaky(h: f64) -> f64 {
    0.6 * h + 0.4 * (h * h + 0.01).sqrt()
}

fn trunk(
    (weights, activation): (&Weights, fn(f64) -> f64),
    name: &str,
    k: usize,
    x: &RowDVector<f64>,
) -> RowDVector<f64> {
    let named = |layer: usize| format!("{name}.layers.{layer}");
    let layers = (0..).map(named).take_while(|l| weights.contains_key(&format!("{l}.weight")));
    layers.fold(x.clone(), |x, layer| affine(weights, &layer, k, &x).map(activation))
}

/// A matrix of the description: values by column, rows, columns.
fn described(value: &Value) -> DMatrix<f64> {
    let numbers = value[0].as_array().unwrap().iter().map(|v| v.as_f64().unwrap());
    let side = |at: usize| value[at].as_u64().map_or(1, |n| n as usize);
    DMatrix::from_iterator(side(1), side(2), numbers)
}

fn encode(description: &Value, networks: &Weights, x: &RowDVector<f64>) -> RowDVector<f64> {
    let whitening = &description["whitening"];
    let mean = described(&whitening["mean"]).transpose();
    let white = (x - mean.row(0)) * described(&whitening["forward"]);
    assert_eq!(description["networks"]["encoder"]["activation"], "rounded_leaky");
    let hidden = trunk((networks, rounded_leaky), "encoder.trunk", 0, &white);
    affine(networks, "encoder.mean", 0, &hidden) + white * matrix(networks, "encoder.skip", 0)
}

fn solve(description: &Value, mechanisms: &Weights, e: &RowDVector<f64>) -> RowDVector<f64> {
    assert_eq!(description["context"], "causal");
    let mut z = RowDVector::zeros(e.len());
    for k in description["graph"]["order"].as_array().unwrap() {
        let k = k.as_u64().unwrap() as usize;
        let context = z.component_mul(&matrix(mechanisms, "mask", k).row(0).into_owned());
        let hidden = trunk((mechanisms, relu), "trunk", k, &context);
        let shift = affine(mechanisms, "shift", k, &hidden)[0]
            + (&context * matrix(mechanisms, "linear", k))[0];
        let scale = affine(mechanisms, "log_scale", k, &hidden)[0].exp() + 0.2;
        z[k] = (e[k] - shift) / scale;
    }
    z
}

#[test]
fn files_alone_give_the_same_noise_and_variables() {
    let world = World::draw(&ScalingConfig {
        seed: 2,
        d: 3,
        mechanisms: MechanismConfig::Mlp(MlpConfig::default()),
        mixing: MixingConfig::LeakyRelu(LeakyReluConfig::default()),
        ..ScalingConfig::default()
    })
    .unwrap();
    let (pairs, _) = world.sample(4000, Split::Train).unwrap();
    let (held_out, _) = world.sample(200, Split::Test).unwrap();
    let mut config = RecipeConfig::default();
    (config.model.d, config.model.replicas) = (3, 1);
    if let VariableStage::Thin(stage) = &mut config.variables {
        (stage.flow.replicas, stage.flow.rounds) = (1, 1);
        (stage.flow.phase.steps, stage.flow.decoding.steps) = (100, 100);
        // What is trained beside a model that no other confirms.
        stage.phase.steps = 1;
    }
    let fit = crate::fit(&pairs, &held_out, &config, 0).unwrap();
    assert!(!fit.diagnosis.linear, "a linear model would leave the networks untested");
    let folder = tempfile::tempdir().unwrap();
    recipe::save(folder.path(), &fit, &config).unwrap();
    let expected = recipe::embed(&fit.model, &held_out).unwrap();

    let file = |name: &str| folder.path().join(name);
    let description: Value =
        serde_json::from_slice(&fs::read(file("model.json")).unwrap()).unwrap();
    let networks = weights(&file("networks.safetensors"));
    let mechanisms = weights(&file("mechanisms.safetensors"));
    for row in 0..held_out.len() {
        let x = held_out.before().slice(row..row + 1);
        let mut values = Vec::new();
        x.push_row(0, &mut values);
        let x = RowDVector::from_iterator(values.len(), values.iter().map(|&v| f64::from(v)));
        let e = encode(&description, &networks, &x);
        let z = solve(&description, &mechanisms, &e);
        assert!((e - expected.e_before.row(row)).amax() < 1e-4);
        assert!((z - expected.z_before.row(row)).amax() < 1e-3);
    }
}
