//! What cannot be done is refused with exit code 2, one clear line and nothing written.

use domino::core::Observations;
use domino::data::npz::{Array, write_arrays};
use nalgebra::DMatrix;

use crate::place::Place;

/// Runs the program and demands one line of complaint with all parts, and an untouched folder.
fn refuses(place: &Place, arguments: &str, parts: &[&str]) {
    let before = place.names();
    let ran = place.domino(arguments);
    assert_eq!(ran.code, Some(2), "domino {arguments}\n{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.starts_with("error: ") && ran.stdout.is_empty(), "{}", ran.stderr);
    for part in parts {
        assert!(ran.stderr.contains(part), "`{part}` missing in: {}", ran.stderr);
    }
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert_eq!(place.names(), before, "domino {arguments}");
}

const ROWS: usize = 40;

fn vectors(rows: usize, dim: usize) -> Observations {
    let data = (0..rows * dim).map(|n| (n as f32 * 0.37).sin()).collect();
    Observations::Vectors { data, dim }
}

fn arrays(place: &Place, name: &str, arrays: &[(&str, Array<'_>)]) {
    write_arrays(&place.path(name), arrays).unwrap();
}

#[test]
fn broken_files_are_refused() {
    let place = Place::new();
    place.succeeds("data generate linear.toml --pairs 100 --out good.npz");
    let good = place.read("good.npz");
    place.write("truncated.npz", &good[..good.len() / 2]);
    place.write("text.npz", "before, after");
    // `before` begins as an array of single precision; as pickled objects its header says `|O`.
    let mut pickled = good;
    let at = pickled.windows(5).position(|w| w == b"'<f4'").unwrap();
    pickled[at..at + 5].copy_from_slice(b"'|O' ");
    place.write("pickled.npz", pickled);
    for (name, parts) in [
        ("truncated", ["truncated.npz", "expected an .npz file"]),
        ("text", ["text.npz", "expected an .npz file"]),
        ("pickled", ["pickled.npz: before", "pickled Python objects"]),
        ("absent", ["absent.npz", "No such file"]),
    ] {
        for command in [
            format!("run linear.toml data.path={name}.npz model.d=2 --out run"),
            format!("data inspect {name}.npz"),
        ] {
            refuses(&place, &command, &parts);
        }
    }
}

#[test]
fn arrays_that_are_no_pairs_are_refused() {
    let place = Place::new();
    let (two, three, short) = (vectors(ROWS, 2), vectors(ROWS, 3), vectors(ROWS - 1, 2));
    let x = Array::Observations;
    let mut nan = DMatrix::from_element(ROWS, 2, 0.5);
    nan[(3, 1)] = f64::NAN;
    let cycle = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 1.0, 0.0]);
    let z = DMatrix::zeros(ROWS - 1, 2);
    let m = Array::Matrix;
    arrays(&place, "shapes.npz", &[("before", x(&two)), ("after", x(&three))]);
    arrays(&place, "counts.npz", &[("before", x(&two)), ("after", x(&short))]);
    arrays(&place, "nan.npz", &[("before", x(&two)), ("after", m(&nan))]);
    arrays(&place, "lonely.npz", &[("before", x(&two))]);
    let pair = [("before", x(&two)), ("after", x(&two))];
    let with = |extra| [&pair[..], &[extra]].concat();
    arrays(&place, "cycle.npz", &with(("adjacency", m(&cycle))));
    arrays(&place, "truth.npz", &with(("z_before", m(&z))));
    for (name, part) in [
        ("shapes", "before is [40, 2] float and after is [40, 3] float"),
        ("counts", "before is [40, 2] float and after is [39, 2] float"),
        ("nan", "after[3, 1]: expected a finite number, got NaN"),
        ("lonely", "after: no such array"),
        ("cycle", "adjacency: the graph has a cycle"),
        ("truth", "z_before: expected 40 rows, one per pair, got 39"),
    ] {
        let command = format!("run linear.toml data.path={name}.npz --out run");
        refuses(&place, &command, &[&format!("{name}.npz: "), part]);
    }
}

#[test]
fn wrong_configurations_are_refused_by_key() {
    let place = Place::new();
    place.write("odd.toml", "nmae = 'x'\n[data.scaling]\n");
    place.write("broken.toml", "name = \n");
    place.write("cyclic.toml", "[data.scaling]\nd = 2\ngraph = { edges = [[0, 1], [1, 0]] }\n");
    for (arguments, parts) in [
        ("odd.toml", ["odd.toml: nmae: unknown field", "expected one of `name`, `seed`"]),
        ("cyclic.toml", ["data.scaling: graph", "cycle"]),
        (
            "linear.toml model.dd=3",
            ["override `model.dd=3`: model.dd", "expected one of `d`, `targets`, `replicas`"],
        ),
        ("linear.toml seed=many", ["override `seed=many`: seed", "expected u64"]),
        ("linear.toml seed", ["override `seed`", "expected key.sub=value"]),
        ("linear.toml model.replicas=0", ["model.replicas: expected at least 1", "got 0"]),
        ("linear.toml data.test=0", ["data.test: expected at least 1", "got 0"]),
        ("linear.toml name=../up", ["name: expected letters", "`../up`"]),
        ("linear.toml device=cuda:0", ["device `cuda:0`", "--features cuda"]),
        ("linear.toml device=tpu", ["device: expected `cpu` or `cuda:N`", "got `tpu`"]),
        ("absent.toml", ["absent.toml", "No such file"]),
    ] {
        if cfg!(feature = "cuda") && arguments.contains("cuda:0") {
            continue;
        }
        refuses(&place, &format!("run {arguments} --out run"), &parts);
    }
    let syntax = place.domino("run broken.toml");
    assert_eq!(syntax.code, Some(2));
    assert!(syntax.stderr.starts_with("error: broken.toml: "), "{}", syntax.stderr);
}

#[test]
fn folders_that_are_taken_or_cannot_be_made_are_refused() {
    let place = Place::new();
    place.write("file", "");
    refuses(&place, "run linear.toml --out file/run", &["cannot write file/run"]);
    std::fs::create_dir(place.path("home")).unwrap();
    place.write("home/letter.txt", "dear");
    refuses(&place, "run linear.toml --out home", &["home: expected a new folder", "letter.txt"]);
    refuses(&place, "run linear.toml --out home --fresh", &["home: expected a new folder"]);
    refuses(&place, "evaluate home", &["home: expected the folder of a finished run"]);
    place.succeeds("run linear.toml --out run");
    let report = place.text("run/report.json");
    refuses(&place, "run linear.toml seed=9 --out run", &["another configuration", "--fresh"]);
    assert_eq!(place.text("run/report.json"), report);
    refuses(
        &place,
        "data generate linear.toml --out nowhere/a.npz",
        &["cannot write nowhere/a.npz"],
    );
}

#[test]
fn a_fit_that_cannot_begin_leaves_nothing() {
    let place = Place::new();
    place.succeeds("data generate linear.toml --pairs 100 --out pairs.npz");
    place.succeeds("data export pairs.npz --without-truth --out mine.npz");
    refuses(
        &place,
        "run linear.toml data.path=mine.npz model.d=5 --out run",
        &["expected at least 5, one per causal variable"],
    );
}
