//! Predictions of any origin against the truth.

use domino::data::npz::{Array, Limits, read_pairs, write_arrays};
use nalgebra::DMatrix;

use crate::place::Place;

const PAIRS: usize = 400;

/// A folder with pairs of two variables in `pairs.npz`, and in `pred.npz` a model that knows all but
/// calls the variables in reverse order.
fn place() -> Place {
    let place = Place::new();
    place.succeeds(&format!("data generate linear.toml --pairs {PAIRS} --out pairs.npz"));
    let (_, truth) = read_pairs(&place.path("pairs.npz"), Limits::default()).unwrap();
    let (z, dag) = (truth.z_before.unwrap(), truth.dag.unwrap());
    let targets = truth.targets.unwrap();
    let latents = DMatrix::from_fn(PAIRS, 2, |i, j| -z[(i, 1 - j)]);
    let said = |i: usize| [0, 2, 1][targets[i].label().unwrap()];
    let target_probs = DMatrix::from_fn(PAIRS, 3, |i, k| f64::from(u8::from(said(i) == k)));
    let edge_probs = DMatrix::from_fn(2, 2, |i, j| f64::from(u8::from(dag.has_edge(1 - i, 1 - j))));
    let arrays = [
        ("latents", Array::Matrix(&latents)),
        ("target_probs", Array::Matrix(&target_probs)),
        ("edge_probs", Array::Matrix(&edge_probs)),
    ];
    write_arrays(&place.path("pred.npz"), &arrays).unwrap();
    write_arrays(&place.path("y.npz"), &[("y", Array::Matrix(&z))]).unwrap();
    place
}

#[test]
fn a_prediction_is_scored_as_far_as_the_truth_reaches() {
    let place = place();
    let shown = place.succeeds("metrics --pred pred.npz --truth pairs.npz --json card.json").stdout;
    assert!(shown.contains("targets.accuracy") && shown.ends_with("card.json\n"), "{shown}");
    assert!(shown.contains("dci_noise: needs noise encodings, which the prediction lacks"));
    let card = place.json("card.json");
    let value = |name: &str| {
        let scores = card["scores"].as_array().unwrap();
        let score = scores.iter().find(|s| s["name"] == name);
        score.unwrap_or_else(|| panic!("no {name}"))["value"].as_f64().unwrap()
    };
    for (name, expected) in [
        ("mcc.score", 1.0),
        ("r2.score", 1.0),
        ("targets.accuracy", 1.0),
        ("targets_matched.accuracy", 1.0),
        ("shd.reversal_once", 0.0),
        ("sid.count", 0.0),
    ] {
        assert!((value(name) - expected).abs() < 1e-9, "{name}: {}", value(name));
    }
    assert!(value("dci.disentanglement") > 0.9);

    let shown = place.succeeds("metrics --pred pred.npz --truth y.npz").stdout;
    assert!(shown.contains("mcc.score") && !shown.contains("shd.reversal_once"), "{shown}");
    assert!(shown.contains("sid: needs the true graph, which the truth lacks"), "{shown}");
}

#[test]
fn intervals_are_given_where_asked_for() {
    let place = place();
    let command =
        "metrics --pred pred.npz --truth pairs.npz --only mcc,shd --bootstrap 20 --seed 3";
    let shown = place.succeeds(command).stdout;
    let mcc = shown.lines().find(|line| line.starts_with("mcc.score")).unwrap();
    let cells: Vec<&str> = mcc.split_whitespace().collect();
    assert_eq!(cells, ["mcc.score", "1.0000", "higher", "-", "400", "1.0000", "1.0000"]);
    assert!(!shown.contains("dci"), "{shown}");
    assert_eq!(place.succeeds(command).stdout, shown);
    assert!(place.succeeds("metrics --list").stdout.contains("mcc: "));
}

#[test]
fn what_cannot_be_scored_is_refused() {
    let place = place();
    let short = DMatrix::from_element(7, 2, 0.5);
    write_arrays(&place.path("short.npz"), &[("z", Array::Matrix(&short))]).unwrap();
    write_arrays(&place.path("odd.npz"), &[("w", Array::Matrix(&short))]).unwrap();
    for (arguments, complaint) in [
        ("--pred pred.npz --truth pairs.npz --only dcy", "metric `dcy`: expected one of dci, "),
        ("--pred short.npz --truth pairs.npz", "expected 7 rows, one per point, got 400"),
        ("--pred odd.npz --truth pairs.npz", "odd.npz: expected at least one of the arrays z"),
        (
            "--pred pred.npz --truth odd.npz",
            "odd.npz: expected at least one of the arrays z_before",
        ),
        ("--pred absent.npz --truth pairs.npz", "absent.npz"),
    ] {
        let refused = place.domino(&format!("metrics {arguments} --json card.json"));
        assert_eq!(refused.code, Some(2), "{arguments}");
        assert!(refused.stderr.contains(complaint), "{}", refused.stderr);
        assert!(!place.has("card.json"));
    }
}
