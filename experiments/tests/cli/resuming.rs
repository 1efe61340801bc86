//! Runs that are stopped, by force or politely, and go on.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::place::{Place, Ran};

/// Longer than any phase takes to begin.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for a checkpoint of a phase.
fn wait_for_checkpoint(folder: &Path, phase: &str) {
    let begun = Instant::now();
    let name = format!("-{phase}.safetensors");
    let there = |entry: fs::DirEntry| entry.file_name().to_string_lossy().ends_with(&name);
    while begun.elapsed() < PATIENCE {
        let entries = fs::read_dir(folder.join("checkpoints")).into_iter().flatten();
        if entries.flatten().any(there) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("no checkpoint in {}", folder.display());
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    let place = Place::new();
    place.succeeds("run trained.toml --out whole");
    for (phase, out) in [("variables", "first"), ("mechanisms", "second")] {
        let mut child = place.start(&format!("run trained.toml --out {out}"));
        wait_for_checkpoint(&place.path(out), phase);
        child.kill().unwrap();
        child.wait().unwrap();
        if place.has(&format!("{out}/report.json")) {
            assert_eq!(phase, "mechanisms", "the run was over before it could be killed");
        }
        place.succeeds(&format!("run trained.toml --out {out}"));
        assert_eq!(place.text("whole/report.json"), place.text(&format!("{out}/report.json")));
        assert_eq!(place.read("whole/embedding.npz"), place.read(&format!("{out}/embedding.npz")));
    }
    let resumed = place.succeeds("report first second --out both.html");
    assert!(resumed.stdout.contains("both.html"));
}

#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let place = Place::new();
    let child = place.start("run trained.toml seed=5 --out run --fresh");
    wait_for_checkpoint(&place.path("run"), "variables");
    interrupt(&child);
    let stopped = Ran::new(&child.wait_with_output().unwrap());
    assert_eq!(stopped.code, Some(130), "{}", stopped.stderr);
    let resume = stopped.stderr.lines().last().unwrap();
    assert!(resume.ends_with("run trained.toml seed=5 --out run"), "{resume}");
    assert!(!place.has("run/report.json"));

    let resumed = place.succeeds("run trained.toml seed=5 --out run");
    assert!(resumed.stderr.contains("going on at step"), "{}", resumed.stderr);
    place.succeeds("run trained.toml seed=5 --out whole");
    assert_eq!(place.text("whole/report.json"), place.text("run/report.json"));
}

#[test]
fn seeds_decide_the_report_and_folders_do_not() {
    let place = Place::new();
    for (seed, out) in [(1, "a"), (1, "b/c"), (2, "d")] {
        place.succeeds(&format!("run trained.toml seed={seed} --out {out}"));
    }
    let report = |out| place.text(&format!("{out}/report.json"));
    assert_eq!(report("a"), report("b/c"));
    assert_ne!(report("a").replace("\"seed\": 1", "\"seed\": 2"), report("d"));
    let folder = place.path("").display().to_string();
    assert!(!report("a").contains(&folder));
}

#[test]
fn a_finished_run_is_reused_until_asked_otherwise() {
    let place = Place::new();
    let first = place.succeeds("run linear.toml");
    let page = first.stdout.lines().next().unwrap().to_owned();
    assert!(page.starts_with("experiments/runs/linear/") && page.ends_with("/0/report.html"));
    let run = page.trim_end_matches("report.html").to_owned();
    let started = |place: &Place| place.json(&format!("{run}run.json"))["started"].clone();
    let (before, report) = (started(&place), place.text(&format!("{run}report.json")));

    std::thread::sleep(Duration::from_millis(1100));
    let again = place.succeeds("run linear.toml");
    assert!(again.stderr.contains("finished before"), "{}", again.stderr);
    assert_eq!((again.stdout, started(&place)), (first.stdout, before.clone()));

    place.succeeds("run linear.toml --fresh");
    assert_ne!(started(&place), before);
    assert_eq!(place.text(&format!("{run}report.json")), report);
}

#[test]
fn a_flipped_bit_in_any_checkpoint_is_named_and_changes_nothing() {
    let place = Place::new();
    place.succeeds("run trained.toml --out run");
    let results = ["report.json", "embedding.npz", "model/networks.safetensors"];
    let read = || results.map(|name| place.read(&format!("run/{name}")));
    let whole = read();
    let entries = fs::read_dir(place.path("run/checkpoints")).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let path = format!("run/checkpoints/{name}");
        let mut bytes = place.read(&path);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        place.write(&path, &bytes);
        fs::remove_file(place.path("run/report.json")).unwrap();
        let said = place.succeeds("run trained.toml --out run").stderr;
        // The file before the last is looked at only where the last is damaged.
        let warned = said.contains(&format!("{name}: damaged: expected content of checksum"));
        assert_eq!(warned, !name.contains(".earlier."), "{said}");
        assert!(read() == whole, "{name}");
    }
}
