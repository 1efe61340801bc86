//! Studies: planned, done by one worker or several, killed, failed, collected.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::place::Place;

/// Four linear runs.
const STUDY: &str = "
name = 'study'
config = 'linear.toml'
seeds = { first = 0, count = 2, keys = ['seed', 'data.scaling.seed'] }

[[variant]]
name = 'plain'

[[variant]]
name = 'noisy'
set = { 'data.scaling.observation_noise' = 0.2 }

[resources]
memory = 0.1
";

fn place() -> Place {
    let place = Place::new();
    place.write("study.toml", STUDY);
    place
}

#[test]
fn results_do_not_depend_on_who_did_the_runs() {
    let place = place();
    place.succeeds("sweep run study.toml --out one --workers 1");
    place.succeeds("sweep run study.toml --out two --workers 2");
    place.succeeds("sweep plan study.toml --out three");
    for index in 0..4 {
        place.succeeds(&format!("sweep run three --index {index}"));
    }
    place.succeeds("sweep collect three");
    let results = place.text("one/results.csv");
    assert_eq!(place.text("two/results.csv"), results);
    assert_eq!(place.text("three/results.csv"), results);
    assert!(place.read("two/results.parquet") == place.read("one/results.parquet"));
    assert!(results.starts_with("run,id,variant,seed,repeat,status,metric,value\n0,"), "{results}");
    assert_eq!(results.matches(",disentanglement,").count(), 4);

    let again = place.succeeds("sweep run study.toml --out one");
    assert!(
        again.stdout.contains("4 runs finished, 4 of them before; 0 failed"),
        "{}",
        again.stdout
    );
    assert!(place.succeeds("sweep status one").stdout.contains("4 of 4 finished"));
}

#[test]
fn a_study_that_is_killed_loses_nothing() {
    let place = place();
    place.succeeds("sweep run study.toml --out whole --workers 2");
    for pause in [30, 120, 250, 60, 400] {
        let mut child = place.start("sweep run study.toml --out killed --workers 2");
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // What a kill between the two files of a plan leaves.
    fs::remove_file(place.path("killed/plan.jsonl")).unwrap();
    place.succeeds("sweep run study.toml --out killed --workers 2");
    assert_eq!(place.text("killed/results.csv"), place.text("whole/results.csv"));
}

#[test]
fn two_pools_share_a_study() {
    let place = place();
    place.succeeds("sweep plan study.toml --out shared");
    let pools = [(); 2].map(|()| place.start("sweep run shared --workers 2"));
    for pool in pools {
        let output = pool.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let folders = fs::read_dir(place.path("shared/runs")).unwrap().count();
    assert_eq!(folders, 4);
    place.succeeds("sweep run study.toml --out alone");
    assert_eq!(place.text("shared/results.csv"), place.text("alone/results.csv"));
}

#[test]
fn a_failure_is_recorded_counted_and_forgiven() {
    let place = place();

    let study = STUDY
        .replace(
            "config = 'linear.toml'",
            "config = 'linear.toml'\nexclude = [{ variant = 'noisy', seed = 1 }]",
        )
        .replace("set = { 'data.scaling.observation_noise' = 0.2 }", "config = 'path.toml'");
    place.write("path.toml", "name = 'path'\n[data]\npath = 'gone.npz'\n[model]\nd = 2\n");
    place.write("study.toml", study.replace(", keys = ['seed', 'data.scaling.seed']", ""));
    let failed = place.domino("sweep run study.toml --out out");
    assert_eq!(failed.code, Some(2), "{}", failed.stderr);
    assert!(failed.stderr.contains("1 of 3 runs have no result (2 failed)"), "{}", failed.stderr);
    let status = place.succeeds("sweep status out").stdout;
    assert!(status.contains("2 of 3 finished") && status.contains("gone.npz"), "{status}");
    let results = place.text("out/results.csv");
    assert!(results.lines().last().unwrap().ends_with(",noisy,0,0,failed,,"), "{results}");
    place.succeeds("sweep collect out");
    assert!(place.text("out/study.html").contains("Runs without a result"));

    place.succeeds("run linear.toml --out donor");
    place.succeeds("data generate donor/config.toml --out gone.npz");
    assert!(place.domino("sweep run out").stderr.contains("1 of 3"));
    assert!(place.succeeds("sweep retry out").stdout.starts_with("1 failures forgotten"));
    place.succeeds("sweep run out");
    assert!(place.succeeds("sweep status out").stdout.contains("3 of 3 finished"));
}

#[test]
fn a_run_that_is_killed_again_and_again_counts_as_failed() {
    let place = place();
    // Long enough to be found and killed.
    let study = STUDY.replace("linear.toml", "trained.toml").replace("count = 2", "count = 1");
    let study = study.replace(
        "[[variant]]\nname = 'noisy'\nset = { 'data.scaling.observation_noise' = 0.2 }\n",
        "",
    );
    place.write(
        "study.toml",
        format!("{study}\n[set]\n'variables.thin.flow.phase.steps' = 100000\n"),
    );
    let pool = place.start("sweep run study.toml --out out --workers 1");
    let begun = Instant::now();

    while !place.has("out/failures") && begun.elapsed() < Duration::from_mins(1) {
        kill_children(pool.id());
        std::thread::sleep(Duration::from_millis(100));
    }
    let ended = pool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(place.succeeds("sweep status out").stdout.contains("killed 3 times"), "{said}");
}

/// Kills the processes that a process has started.
fn kill_children(parent: u32) {
    let list = Path::new("/proc").join(parent.to_string()).join("task");
    for task in fs::read_dir(list).into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            // It may have ended by itself.
            let _ = std::process::Command::new("kill").args(["-KILL", child]).status();
        }
    }
}

#[test]
fn a_plan_is_replaced_only_when_asked() {
    let place = place();
    place.succeeds("sweep plan study.toml --out out");
    place.write("study.toml", STUDY.replace("count = 2", "count = 3"));
    let refused = place.domino("sweep run study.toml --out out");
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("plan of 4 runs is another"), "{}", refused.stderr);
    let planned = place.succeeds("sweep plan study.toml --out out").stdout;
    assert!(planned.ends_with("6 runs\n"), "{planned}");
    assert!(place.domino("sweep run out --index 6").stderr.contains("expected one of the 6 runs"));
}

#[test]
fn a_study_is_compared_and_drawn() {
    let place = place();
    place.succeeds("sweep run study.toml --out out");
    let said = place.succeeds("sweep collect out --metrics mcc,shd").stdout;
    assert!(said.contains("| noisy | mcc | 0."), "{said}");
    let page = place.text("out/study.html");
    for part in ["Variants, seed by seed", "p cannot fall below", "<svg", "Mean rank by mcc"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(place.text("out/table.tex").contains("\\toprule"));
    let comparisons = place.json("out/comparisons.json");
    assert_eq!(comparisons[0]["pairs"], 2);
    let refused = place.domino("sweep collect out --metrics accuracy");
    assert!(refused.stderr.contains("--metrics accuracy: expected one of disentanglement"));
}

#[test]
fn other_engines_get_their_text() {
    let place = place();
    let commands = place.succeeds("sweep run study.toml --out out --engine parallel");
    assert_eq!(commands.stdout.lines().count(), 4);
    let script = place.succeeds("sweep run out --engine slurm --print --throttle 2").stdout;
    assert!(script.contains("#SBATCH --array=0-3%2"), "{script}");
    let job = place.succeeds("sweep run out --engine kubernetes --image lab/domino:1").stdout;
    assert!(job.contains("completions: 4") && job.contains("image: lab/domino:1"));
}
