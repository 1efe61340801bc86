//! Graphs learned, written, drawn and compared without a run.

use domino::core::{Seed, Stream};
use domino::data::npz::{Array, write_arrays};
use nalgebra::DMatrix;
use rand::RngExt;
use serde_json::Value;

use crate::place::Place;

const NETWORK: &str = "network weather {}
variable wet { type discrete [ 2 ] { no, yes }; }
variable rain { type discrete [ 2 ] { no, yes }; }
variable wind { type discrete [ 3 ] { calm, breeze, storm }; }
probability ( rain ) { table 0.6, 0.4; }
probability ( wind ) { table 0.5, 0.3, 0.2; }
probability ( wet | wind, rain ) {
  (calm, no) 0.95, 0.05; (breeze, no) 0.8, 0.2; (storm, no) 0.45, 0.55;
  (calm, yes) 0.1, 0.9; (breeze, yes) 0.05, 0.95; (storm, yes) 0.3, 0.7;
}";

/// What a comparison says.
fn compared(place: &Place, truth: &str, other: &str) -> Value {
    place.succeeds(&format!("graph compare {truth} {other} --json cmp.json"));
    place.json("cmp.json")
}

#[test]
fn rows_of_a_random_network_give_its_graph_back_in_every_format() {
    let place = Place::new();
    let network = "graph sample random:0.4 --variables 5 --mechanisms linear --seed 3";
    place.succeeds(&format!("{network} --rows 1000 --interventions 100 --out rows.npz"));
    let files = ["json", "svg", "dot", "graphml", "npy"].map(|end| format!("graph.{end}"));
    let out: Vec<String> = files.iter().map(|file| format!("--out {file}")).collect();
    let learn = format!("graph learn rows.npz --method gies --bootstrap 5 {}", out.join(" "));
    let shown = place.succeeds(&learn).stdout;
    assert!(shown.contains(" -> ") && shown.ends_with("graph.npy\n"), "{shown}");
    let none = Value::Array(vec![]);
    for file in &files {
        let found = compared(&place, "rows.npz", file);
        assert_eq!((&found["shd"], &found["sid"]), (&0.into(), &0.into()), "{file}");
        assert_eq!((&found["missing"], &found["added"]), (&none, &none), "{file}");
    }
    let graph = place.json("graph.json");
    let how = &graph["learned_by"];
    assert_eq!(
        (&how["method"], &how["bootstrap"], &how["seed"]),
        (&"gies".into(), &5.into(), &0.into())
    );
    assert_eq!(how["data"]["rows"], 1500);
    assert_eq!(how["alternatives"]["undirected"], Value::Array(vec![]), "all were intervened upon");
    let edge = &graph["dag"]["edges"][0];
    let at = |k: usize| edge[k].as_u64().unwrap() as usize;
    assert!(graph["edge_probs"][at(0)][at(1)].as_f64().unwrap() > 0.5);
    assert_eq!(place.read("graph.json"), {
        place.succeeds(&learn);
        place.read("graph.json")
    });
}

#[test]
fn a_network_file_gives_rows_and_their_graph_compares_with_it_by_name() {
    let place = Place::new();
    place.write("weather.bif", NETWORK);
    place.succeeds("graph sample weather.bif --rows 3000 --interventions 300 --out rows.npz");
    let quick = "--set epochs=6 --set hidden=16";
    place.succeeds(&format!("graph learn rows.npz {quick} --out graph.json --out graph.dot"));
    for file in ["graph.json", "graph.dot"] {
        let found = compared(&place, "weather.bif", file);
        assert_eq!(found["matched_by"], "name");
        assert_eq!(found["shd"], 0, "{file}: {found}");
    }
    let graph = place.json("graph.json");
    assert_eq!(graph["names"], Value::from(vec!["wet", "rain", "wind"]));
    let how = &graph["learned_by"];
    assert_eq!((&how["method"], &how["settings"]["epochs"]), (&"enco".into(), &6.into()));
    place.write("other.dot", "digraph { wind -> rain; wet -> wind; }");
    let found = compared(&place, "weather.bif", "other.dot");
    assert_eq!(found["missing"], serde_json::json!([["rain", "wet"]]));
    assert_eq!(found["added"], serde_json::json!([["wind", "rain"]]));
    assert_eq!(found["reversed"], serde_json::json!([["wind", "wet"]]));
}

#[test]
fn pairs_embeddings_and_runs_are_learned_from_alike() {
    let place = Place::new();
    place.succeeds("data generate linear.toml --pairs 1500 --out pairs.npz");
    place.succeeds("graph learn pairs.npz --out pairs.json");
    assert_eq!(compared(&place, "pairs.npz", "pairs.json")["shd"], 0);
    assert_eq!(place.json("pairs.json")["learned_by"]["method"], "pairs");
    place.succeeds("graph learn pairs.npz --method gies --out gies.json");
    assert_eq!(compared(&place, "pairs.npz", "gies.json")["shd"], 0);

    place.succeeds("run linear.toml --out run");
    place.succeeds("embed run --data pairs.npz --out codes.npz");
    for (data, rows) in [("run", 300), ("codes.npz", 1500)] {
        place.succeeds(&format!("graph learn {data} --out learned.json"));
        let graph = place.json("learned.json");
        let summary = &graph["learned_by"]["data"];
        assert_eq!((&summary["kind"], &summary["rows"]), (&"embedding".into(), &rows.into()));
        assert_eq!(graph["dag"]["edges"].as_array().map(Vec::len), Some(1), "{data}");
    }
}

/// Rows of `x2 = 2 x1 + noise`, a constant and a copy of `x1`; `x2` alone is intervened upon.
fn trap(place: &Place, name: &str) {
    let mut rng = Seed(5).rng(Stream::Data);
    let mut noise = || rng.random_range(-1.0..1.0);
    let n = 400;
    let mut x = DMatrix::zeros(n, 4);
    let mut targets = DMatrix::zeros(n, 1);
    for row in 0..n {
        let (cause, hit) = (noise(), row % 4 == 0);
        targets[row] = if hit { 2.0 } else { 0.0 };
        let effect = if hit { 3.0 * noise() } else { 2.0 * cause + 0.5 * noise() };
        x.row_mut(row).copy_from_slice(&[cause, effect, 7.0, cause]);
    }
    let arrays = [("x", Array::Matrix(&x)), ("targets", Array::Matrix(&targets))];
    write_arrays(&place.path(name), &arrays).unwrap();
}

#[test]
fn constants_copies_and_variables_left_alone_are_no_trouble() {
    let place = Place::new();
    trap(&place, "trap.npz");
    for method in
        ["gies", "enco --set epochs=4 --set hidden=16", "notears", "pc", "dcdi --set steps=300"]
    {
        let shown = place.succeeds(&format!("graph learn trap.npz --method {method} --out g.json"));
        let graph = place.json("g.json");
        let probability = |i: usize, j: usize| graph["edge_probs"][i][j].as_f64().unwrap();
        for k in 0..4 {
            for other in [2, 3] {
                assert!(probability(k, other).abs() < 1e-12, "{method}");
                assert!(probability(other, k).abs() < 1e-12, "{method}");
            }
        }
        assert!(shown.stdout.contains("never intervened upon: x1, x3, x4"), "{}", shown.stdout);
        assert_eq!(graph["learned_by"]["data"]["never_intervened"], serde_json::json!([0, 2, 3]));
    }
    place.succeeds("graph learn trap.npz --method gies --out g.json");
    assert_eq!(place.json("g.json")["dag"]["edges"], serde_json::json!([[0, 1]]));
}

#[test]
fn one_variable_and_no_edge_are_graphs() {
    let place = Place::new();
    place.succeeds("graph sample chain --variables 1 --rows 60 --out one.npz");
    place.succeeds("graph learn one.npz --out one.json --out one.svg --out one.npy");
    assert_eq!(place.json("one.json")["edge_probs"], serde_json::json!([[0.0]]));
    assert_eq!(compared(&place, "one.svg", "one.npy")["shd"], 0);

    let empty = "graph sample erdos-renyi:0 --variables 4 --mechanisms linear";
    place.succeeds(&format!("{empty} --rows 2000 --interventions 200 --out none.npz"));
    let shown = place.succeeds("graph learn none.npz --method gies --out none.svg").stdout;
    assert!(shown.contains("4 variables, "), "{shown}");
    let svg = String::from_utf8(place.read("none.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains(">x4</text>"));
    let found = compared(&place, "none.npz", "none.svg");
    assert_eq!(found["edges"][0], 0);
}

#[test]
fn directions_that_the_data_leave_open_are_listed() {
    let place = Place::new();
    let chain = "graph sample chain --variables 3 --mechanisms linear";
    place.succeeds(&format!("{chain} --rows 2000 --out rows.npz"));
    let shown =
        place.succeeds("graph learn rows.npz --method gies --out g.json --out g.svg").stdout;
    assert!(shown.contains("edges whose direction the data cannot tell: 2"), "{shown}");
    let alternatives = &place.json("g.json")["learned_by"]["alternatives"];
    assert_eq!(alternatives["undirected"].as_array().map(Vec::len), Some(2));
    assert_eq!(alternatives["members"].as_array().map(Vec::len), Some(3));
    let svg = String::from_utf8(place.read("g.svg")).unwrap();
    assert!(svg.contains("direction open") && svg.contains("stroke-dasharray"));
}

#[test]
fn what_does_not_fit_is_refused_in_one_line() {
    let place = Place::new();
    place.write("weather.bif", NETWORK);
    place.write("cycle.dot", "digraph { a -> b -> a }");
    place.succeeds("graph sample weather.bif --rows 100 --out states.npz");
    place.succeeds("graph sample chain --variables 3 --mechanisms linear --rows 50 --out real.npz");
    let odd = DMatrix::from_element(5, 2, 0.5);
    let save = |name: &str, arrays: &[(&str, Array<'_>)]| {
        write_arrays(&place.path(name), arrays).unwrap();
    };
    let label = |value: f64| DMatrix::from_element(5, 1, value);
    save("y.npz", &[("y", Array::Matrix(&odd))]);
    save("target.npz", &[("x", Array::Matrix(&odd)), ("targets", Array::Matrix(&label(3.0)))]);
    let names = ["only".to_owned()];
    save("names.npz", &[("x", Array::Matrix(&odd)), ("names", Array::Strings(&names))]);
    for (arguments, part) in [
        ("graph learn real.npz --method pairs --out g.json", "expected noise codes of pairs"),
        ("graph learn states.npz --method gies --out g.json", "expected real columns"),
        ("graph learn real.npz --set epoch=1 --out g.json", "unknown field `epoch`"),
        ("graph learn real.npz --out g.txt", "expected a file that ends in .json"),
        ("graph learn weather.bif --out g.json", "draw rows from it with `domino graph sample`"),
        ("graph learn y.npz --out g.json", "found y"),
        ("graph learn target.npz --out g.json", "targets: expected [5] whole numbers"),
        ("graph learn names.npz --out g.json", "names: expected 2, one per column of x, got 1"),
        ("graph learn nowhere --out g.json", "nowhere"),
        ("graph compare weather.bif cycle.dot", "the graph has a cycle"),
        ("graph compare weather.bif y.npz", "y.npz"),
        ("graph sample star --out rows.npz", "expected a .bif file or one of chain"),
        ("graph sample chain --rows 0 --out rows.npz", "expected at least one row"),
        ("graph sample nowhere.bif --out rows.npz", "nowhere.bif"),
    ] {
        let before = place.names();
        let ran = place.domino(arguments);
        assert_eq!(ran.code, Some(2), "domino {arguments}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(part) && ran.stderr.lines().count() == 1, "{}", ran.stderr);
        assert_eq!(place.names(), before, "domino {arguments}");
    }
}
