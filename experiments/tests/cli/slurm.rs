//! A study on a real Slurm cluster of this machine alone; skipped where Slurm is not installed.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::place::{Place, Ran};

/// Longer than a busy machine takes for a handful of short runs.
const PATIENCE: Duration = Duration::from_mins(5);

/// A cluster that ends with its owner.
struct Cluster {
    folder: PathBuf,
}

fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.ci/slurm")
}

impl Cluster {
    /// Starts one, or says why there is none.
    fn start(place: &Place) -> Option<Self> {
        let folder = place.path("cluster");
        let started = Command::new(script()).arg("start").arg(&folder).output().unwrap();
        if started.status.code() == Some(69) {
            println!("skipped: {}", String::from_utf8_lossy(&started.stderr).trim());
            return None;
        }
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        Some(Self { folder })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.folder.join("slurm.conf"));
        command
    }

    /// Waits until a condition holds; the queue is what a failure tells.
    fn wait_for(&self, what: &str, condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            if begun.elapsed() > PATIENCE {
                let queue = self.command("squeue").output().unwrap();
                panic!("no {what}: {}", String::from_utf8_lossy(&queue.stdout));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What it leaves behind if this fails is its daemons, which the machine ends.
        let _ = Command::new(script()).arg("stop").arg(&self.folder).status();
    }
}

#[test]
fn an_array_gives_the_same_results_even_when_a_task_is_queued_again() {
    let place = Place::new();
    let Some(cluster) = Cluster::start(&place) else { return };
    let study = "name = 'study'\nconfig = 'trained.toml'\nseeds = { count = 3 }\n\
                 [set]\n'variables.thin.flow.phase.steps' = 2000\n[resources]\nmemory = 0.2\n";
    place.write("study.toml", study);
    let submitted = cluster
        .command(env!("CARGO_BIN_EXE_domino"))
        .args("sweep run study.toml --out out --engine slurm --throttle 2".split(' '))
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let submitted = Ran::new(&submitted);
    assert_eq!(submitted.code, Some(0), "{}", submitted.stderr);
    let job = submitted.stdout.split_whitespace().nth(1).unwrap().to_owned();

    let id = place.text("out/plan.jsonl").lines().next().unwrap().to_owned();
    let id = id.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let checkpoints = place.path(&format!("out/runs/{id}/checkpoints"));
    cluster.wait_for("checkpoint", || {
        std::fs::read_dir(&checkpoints).is_ok_and(|mut all| all.next().is_some())
    });
    let again =
        cluster.command("scontrol").args(["requeue", &format!("{job}_0")]).status().unwrap();
    assert!(again.success());

    cluster.wait_for("page of the collecting job", || place.has("out/study.html"));
    assert!(place.succeeds("sweep status out").stdout.contains("3 of 3 finished"));
    place.succeeds("sweep run study.toml --out here --workers 2");
    assert_eq!(place.text("out/results.csv"), place.text("here/results.csv"));
}
