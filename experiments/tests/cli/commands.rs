//! Every command on files that are as they should be.

use domino::data::npz::{Limits, read_embedding, read_pairs};
use domino_experiments::config::resolve;
use domino_experiments::settings::Settings;

use crate::place::Place;

#[test]
fn a_run_leaves_everything_a_reader_needs() {
    let place = Place::new();
    let ran = place.succeeds("run linear.toml --out run");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "run/report.html");
    assert!(lines[1].starts_with("disentanglement ") && lines.len() == 2, "{}", ran.stdout);
    for name in [
        "config.toml",
        "run.json",
        "metrics.jsonl",
        "checkpoints",
        "model/model.json",
        "embedding.npz",
        "report.json",
        "report.html",
        "figures/graph.svg",
        "figures/counterfactuals.png",
    ] {
        assert!(place.has(&format!("run/{name}")), "{name}");
    }
    let report = place.json("run/report.json");
    assert!(report["scores"]["disentanglement"].as_f64().unwrap() > 0.95);
    assert_eq!(report["scores"]["shd"], 0.0);
    assert_eq!(report["scores"]["target_accuracy"], 1.0);
    assert_eq!(report["verdict"]["level"], "trustworthy");
    assert_eq!(report["counterfactuals"][1]["truth"][8].as_array().unwrap().len(), 2);
    assert!(place.text("run/config.toml").contains("d = 2"));
    let embedding = read_embedding(&place.path("run/embedding.npz"), Limits::default()).unwrap();
    assert_eq!((embedding.len(), embedding.dim()), (300, 2));
}

#[test]
fn another_number_of_variables_than_the_data_has_is_scored_as_far_as_it_goes() {
    let place = Place::new();
    let wide = "data.scaling.dim_x=4 data.scaling.observation_noise=0.05";
    for (overrides, d, smallest, largest_mcc) in [
        ("data.scaling.d=3 model.d=2".to_owned(), 2, 0.0, 0.6667),
        (format!("{wide} model.d=3"), 3, 0.9, 1.0),
    ] {
        let out = format!("run{d}");
        let ran = place.succeeds(&format!("run linear.toml {overrides} --out {out}"));
        let said = format!("model.d is {d}, but the data has d = {}", 5 - d);
        assert!(ran.stderr.contains(&format!("warning: {said}")), "{}", ran.stderr);
        let page = place.text(&format!("{out}/report.html"));
        assert!(page.contains(&said) && page.contains("Without a "));
        let report = place.json(&format!("{out}/report.json"));
        let scores = &report["scores"];
        let matching = scores["matching"].as_array().unwrap();
        let matched = matching.iter().filter(|code| !code.is_null()).count();
        assert_eq!((matching.len(), matched), (5 - d, 2));
        let number = |name: &str| scores[name].as_f64().unwrap();
        assert!(number("mcc") <= largest_mcc, "{}", number("mcc"));
        assert!(number("smallest_correlation") >= smallest);
        assert_eq!(scores["importance"].as_array().unwrap().len(), d);
        for name in ["disentanglement", "completeness", "target_accuracy", "shd"] {
            assert!(number(name).is_finite(), "{name}");
        }

        let again = place.succeeds(&format!("evaluate {out}"));
        assert!(again.stderr.contains(&said), "{}", again.stderr);
        assert_eq!(place.json(&format!("{out}/evaluation.json"))["scores"], *scores);
    }
}

#[test]
fn pairs_are_diagnosed_before_training() {
    let place = Place::new();
    place.succeeds("data generate linear.toml --pairs 1200 --out pairs.npz");
    let said = place.succeeds("diagnose pairs.npz --d 2").stdout;
    assert!(said.starts_with("pairs.npz: 1200 pairs of 2 values"), "{said}");
    assert_eq!(said.matches("\ngood").count(), 6, "{said}");
    let too_many = place.succeeds("diagnose pairs.npz --d 3 --json").stdout;
    let found: serde_json::Value = serde_json::from_str(&too_many).unwrap();
    assert_eq!(found["findings"][0]["answer"], "bad");
    assert_eq!(found["linear"], true);
    let refused = place.domino("diagnose nowhere.npz");
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("nowhere.npz"), "{}", refused.stderr);
}

#[test]
fn data_without_truth_gives_everything_but_scores() {
    let place = Place::new();
    place.succeeds("data generate linear.toml --pairs 1200 --out pairs.npz");
    place.succeeds("data export pairs.npz --without-truth --out mine.npz");
    let ran = place.succeeds("run linear.toml data.path=mine.npz model.d=2 --out run");
    assert!(ran.stdout.lines().nth(1).unwrap().starts_with("trustworthy   unforeseen change 0.0"));
    let report = place.json("run/report.json");
    assert!(report["scores"].is_null());
    assert_eq!(report["data"]["name"], "mine");
    assert_eq!(report["variables"].as_array().unwrap().len(), 2);
    assert_eq!(report["learned_edges"].as_array().unwrap().len(), 1);
    assert_eq!(report["target_shares"].as_array().unwrap().len(), 3);
    assert_eq!(report["counterfactuals"].as_array().unwrap().len(), 2);

    // The truth, once it is there, scores the same model.
    let refused = place.domino("evaluate run");
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("expected true variables or targets"), "{}", refused.stderr);
    let table = place.succeeds("evaluate run --data pairs.npz --out scores.json").stdout;
    assert!(table.contains("Disentanglement") && table.ends_with("scores.json\n"), "{table}");
    assert!(place.json("scores.json")["scores"]["mcc"].as_f64().unwrap() > 0.99);
}

#[test]
fn a_file_with_truth_is_scored() {
    let place = Place::new();
    place.succeeds("data generate linear.toml --pairs 1200 --out pairs.npz");
    let ran = place.succeeds("run linear.toml data.path=pairs.npz --out run");
    assert!(ran.stdout.contains("shd 0"), "{}", ran.stdout);
    let again = place.succeeds("evaluate run");
    assert!(again.stdout.ends_with("run/evaluation.json\n"));
    let scores = |name: &str| place.json(name)["scores"].clone();
    assert_eq!(scores("run/evaluation.json"), scores("run/report.json"));

    // Embedding the whole file gives the rows of the file.
    place.succeeds("embed run --data pairs.npz --out embedding.npz");
    let embedding = read_embedding(&place.path("embedding.npz"), Limits::default()).unwrap();
    assert_eq!(embedding.len(), 1200);
}

#[test]
fn interventions_answer_for_one_row() {
    let place = Place::new();
    place.succeeds("run linear.toml --out run");
    place.succeeds("data generate linear.toml --pairs 50 --out pairs.npz");
    let ran =
        place.succeeds("intervene run --data pairs.npz --row 7 --set z2=-1.5 --out answer.npz");
    let row = ran.stdout.lines().find(|line| line.starts_with("z2")).unwrap();
    assert!(row.ends_with("-1.5000  set"), "{row}");
    assert!(place.read("answer.npz").starts_with(b"PK"));
    for (arguments, complaint) in [
        ("--row 50 --set z1=0", "expected a row from 0 to 49, as pairs.npz has 50 pairs, got 50"),
        ("--row 0 --set z3=0", "expected a variable from z1 to z2, got `z3`"),
        ("--row 0 --set arm=0", "expected a variable from z1 to z2, got `arm`"),
        ("--row 0 --set z1=x", "expected a finite number, got `x`"),
    ] {
        let refused =
            place.domino(&format!("intervene run --data pairs.npz {arguments} --out no.npz"));
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains(complaint), "{}", refused.stderr);
    }
    assert!(!place.has("no.npz"));
}

#[test]
fn data_is_made_looked_at_and_cut() {
    let place = Place::new();
    place.write("spec.toml", "pairs = 100\n[scaling]\nd = 3\ngraph = 'chain'\n");
    place.succeeds("data generate spec.toml --out a.npz");
    place.succeeds("data generate spec.toml --seed 1 --out b.npz");
    assert_ne!(place.read("a.npz"), place.read("b.npz"));
    let shown = place.succeeds("data inspect a.npz").stdout;
    for part in
        ["[100, 3] float", "z_before", "targets: none", "graph: 3 variables, z1 -> z2, z2 -> z3"]
    {
        assert!(shown.contains(part), "{part} missing in {shown}");
    }
    place.succeeds("data export a.npz --rows 10..30 --out c.npz");
    let read = |name| read_pairs(&place.path(name), Limits::default()).unwrap();
    assert_eq!((read("a.npz").0.slice(10..30), read("a.npz").1.slice(10..30)), read("c.npz"));
    assert_eq!(place.domino("data export a.npz --rows 90..101 --out d.npz").code, Some(2));
}

#[test]
fn reports_are_drawn_again_and_compared() {
    let place = Place::new();
    for seed in [1, 2] {
        place.succeeds(&format!("run linear.toml seed={seed} --out runs/{seed}"));
    }
    let page = place.read("runs/1/report.html");
    std::fs::remove_file(place.path("runs/1/report.html")).unwrap();
    place.succeeds("report runs/1");
    assert_eq!(place.read("runs/1/report.html"), page);
    place.succeeds("report runs/1 runs/2 --out all.html");
    assert!(place.text("all.html").contains("href=\"runs/2/report.html\""));
    assert_eq!(place.domino("report runs").code, Some(2));
}

#[test]
fn the_schema_covers_the_configuration_and_shells_are_completed() {
    let place = Place::new();
    let schema: serde_json::Value = serde_json::from_str(&place.succeeds("schema").stdout).unwrap();
    let described = |key: &str| schema["properties"][key]["description"].is_string();
    assert!(["data", "model", "variables", "graph", "mechanisms"].into_iter().all(described));
    assert!(place.succeeds("completions bash").stdout.contains("_domino"));
}

/// The configurations that come with the program.
const CONFIGS: [(&str, &str); 5] = [
    ("demo", include_str!("../../configs/demo.toml")),
    ("pairs", include_str!("../../configs/pairs.toml")),
    ("reference", include_str!("../../configs/reference.toml")),
    ("scaling", include_str!("../../configs/scaling.toml")),
    ("smoke", include_str!("../../configs/smoke.toml")),
];

#[test]
fn the_configurations_that_come_with_the_program_resolve() {
    for (name, text) in CONFIGS {
        let overrides: &[&str] = if name == "pairs" { &["data.path=x.npz"] } else { &[] };
        let settings: Settings = resolve(text, name, overrides).unwrap();
        assert_eq!(settings.name, name);
        settings.validate().unwrap();
        settings.for_data(Some(4)).unwrap().recipe().validate().unwrap();
    }
}
