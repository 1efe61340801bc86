//! Published numbers, met and missed.

use std::fs;
use std::path::{Path, PathBuf};

use domino_experiments::sweep::{Expected, Plan};

use crate::place::Place;

/// Files of a folder of the package.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_study_can_be_planned_and_every_published_number_is_of_one() {
    for path in files("sweeps") {
        let (_, plan) = Plan::of_file(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(path.file_stem().unwrap().to_str(), Some(plan.name.as_str()));
    }
    for path in files("expected") {
        let expected: Expected = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(path.file_stem().unwrap().to_str(), Some(expected.study.as_str()));
        let study = path.with_file_name(format!("../sweeps/{}.toml", expected.study));
        let (_, plan) = Plan::of_file(&study).unwrap();
        for check in &expected.checks {
            let found = plan.lines.iter().any(|line| line.factors == check.factors);
            assert!(found, "{}: {}", expected.study, check.label());
        }
    }
}

#[test]
fn a_study_that_is_run_again_meets_its_numbers_and_a_wrong_one_fails() {
    let place = Place::new();
    let study = "name = 'study'\nconfig = 'linear.toml'\nseeds = { count = 2 }\n";
    place.write("study.toml", study);
    place.succeeds("sweep run study.toml --out first");
    place.succeeds("sweep expect first --out expected.json");
    place.succeeds("sweep run study.toml --out second --workers 1");
    let said = place.succeeds("sweep check second expected.json").stdout;
    assert!(said.contains("numbers are as published") && !said.contains("MISSED"), "{said}");

    let mut expected = place.json("expected.json");
    let checks = expected["checks"].as_array_mut().unwrap();
    let count = checks.len();
    let wrong = checks.iter_mut().find(|check| check["statistic"] == "mean").unwrap();
    wrong["value"] = (wrong["value"].as_f64().unwrap() - 0.5).into();
    place.write("wrong.json", expected.to_string());
    let missed = place.domino("sweep check second wrong.json");
    assert_eq!(missed.code, Some(2), "{}", missed.stdout);
    assert_eq!(missed.stdout.matches("MISSED").count(), 1, "{}", missed.stdout);
    let said = format!("1 of {count} numbers are not as published");
    assert!(missed.stderr.contains(&said), "{}", missed.stderr);
}

#[test]
fn a_run_that_is_missing_is_a_miss_and_another_study_is_refused() {
    let place = Place::new();
    let study = "name = 'study'\nconfig = 'linear.toml'\nseeds = { count = 2 }\n";
    place.write("study.toml", study);
    place.succeeds("sweep run study.toml --out whole");
    place.succeeds("sweep expect whole --out expected.json");
    place.succeeds("sweep plan study.toml --out part");
    place.succeeds("sweep run part --index 0");
    let missed = place.domino("sweep check part expected.json");
    assert_eq!(missed.code, Some(2));
    let lost = missed.stdout.lines().find(|line| line.starts_with("lost runs")).unwrap();
    assert!(lost.ends_with("MISSED"), "{lost}");
    let refused = place.domino("sweep expect part --out part.json");
    assert!(
        refused.stderr.contains("1 of 2 runs have no result (1 missing)"),
        "{}",
        refused.stderr
    );

    place.write("other.toml", study.replace("'study'", "'other'"));
    place.succeeds("sweep plan other.toml --out other");
    let refused = place.domino("sweep check other expected.json");
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("expected numbers of the study other"), "{}", refused.stderr);
}
