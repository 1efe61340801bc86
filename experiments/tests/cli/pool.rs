//! Two hundred short runs through the pool of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use domino_experiments::sweep::{Pool, State, SweepFolder};

use crate::place::Place;

const RUNS: usize = 200;

/// Called as `PROGRAM sweep run FOLDER --index N`: notes its start and leaves a report.
const PROGRAM: &str = r#"#!/bin/sh
id=$(sed -n "$(($5 + 1))s/.*\"id\":\"\([0-9a-f]*\)\".*/\1/p" "$3/plan.jsonl")
echo "$5" >>"$3/begun"
mkdir -p "$3/runs/$id"
echo '{}' >"$3/runs/$id/report.json"
"#;

#[test]
fn two_hundred_runs_at_once_are_each_done_once_and_soon() {
    let place = Place::new();
    place.write("program", PROGRAM);
    fs::set_permissions(place.path("program"), fs::Permissions::from_mode(0o755)).unwrap();
    let seeds = format!("seeds = {{ count = {RUNS} }}");
    place.write("study.toml", format!("name = 'study'\nconfig = 'linear.toml'\n{seeds}\n"));
    let folder = SweepFolder::plan(&place.path("study.toml"), &place.path("out")).unwrap();

    let begun = Instant::now();
    let pool = Pool::new(&folder, place.path("program"), RUNS);
    let end = pool.perform(&AtomicBool::new(false)).unwrap();
    let each = begun.elapsed() / RUNS as u32;
    assert_eq!((end.finished, end.reused, end.failed.len()), (RUNS, 0, 0));
    let text = place.text("out/begun");
    let mut starts: Vec<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
    starts.sort_unstable();
    assert_eq!(starts, (0..RUNS).collect::<Vec<_>>());
    for line in &folder.runs().lines {
        assert_eq!(folder.state(line).unwrap(), State::Finished);
    }
    // The program's own time is in it: what the pool adds is less.
    assert!(each < Duration::from_millis(50), "{each:?} for each run");
}
