//! Runs handed on to other tools, read back by those tools; skipped where Python lacks them.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::place::Place;

const PATIENCE: Duration = Duration::from_mins(3);

/// A Python that can import a module, or the reason why there is none.
fn python(module: &str) -> Option<String> {
    let python = std::env::var("DOMINO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python)
        .args(["-c", &format!("import {module}")])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        println!("skipped: {python} cannot import {module}; DOMINO_PYTHON names one that can");
    }
    found.then_some(python)
}

fn answer(python: &str, script: &str, arguments: &[&str]) -> String {
    let output = Command::new(python).arg("-c").arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn losses_become_a_table() {
    let place = Place::new();
    place.succeeds("run trained.toml --out run");
    place.succeeds("export csv run");
    let table = place.text("run/losses.csv");
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("phase,step,term,value"));
    assert!(lines.clone().count() > 2 && lines.all(|line| line.split(',').count() == 4), "{table}");
}

#[test]
fn tensorboard_reads_every_point() {
    let Some(python) = python("tensorboard.backend.event_processing.event_accumulator") else {
        return;
    };
    let place = Place::new();
    place.succeeds("run trained.toml --out run");
    place.succeeds("export csv run");
    let written = place.succeeds("export tensorboard run --out board").stdout;
    let folder = place.path(written.trim());
    let folder = folder.parent().unwrap().display().to_string();
    let script = "import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
board = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0}); board.Reload()
tags = board.Tags()['scalars']
print(sum(len(board.Scalars(tag)) for tag in tags if tag.startswith('loss/')), 'score/mcc' in tags)";
    let points = place.text("run/losses.csv").lines().count() - 1;
    assert_eq!(answer(&python, script, &[&folder]), format!("{points} True"));
}

#[test]
fn pyarrow_reads_the_results_of_a_study() {
    let Some(python) = python("pyarrow.parquet") else { return };
    let place = Place::new();
    let study = "name = 'study'\nconfig = 'linear.toml'\nseeds = { first = 7, count = 2 }\n\
                 grid = { 'data.scaling.d' = [2, 9], 'data.scaling.mixing' = ['rotation'] }\n\
                 [set]\n'data.train' = 600\n";
    place.write("study.toml", study);
    place.succeeds("sweep plan study.toml --out out");
    for index in [0, 1] {
        place.succeeds(&format!("sweep run out --index {index}"));
    }
    place.succeeds("sweep collect out");
    let script = "import csv, sys, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1] + '/results.parquet')
rows = list(csv.DictReader(open(sys.argv[1] + '/results.csv', newline='')))
said = lambda cell: '' if cell is None else cell if isinstance(cell, str) else repr(cell)
same = all(said(a[k]) == b[k] or float(said(a[k])) == float(b[k])
           for a, b in zip(table.to_pylist(), rows) for k in b)
print(same and len(rows) == table.num_rows > 20 and table.column_names == list(rows[0]),
      *(str(field.type) for field in table.schema))";
    let out = place.path("out").display().to_string();
    assert_eq!(
        answer(&python, script, &[&out]),
        "True uint64 string int64 string uint64 uint64 string string double"
    );
}

/// A server that ends with its owner.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // With the processes that it has started, which have its number as their group.
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

#[test]
fn mlflow_takes_a_run_whole() {
    let Some(python) = python("mlflow.server") else { return };
    let place = Place::new();
    place.succeeds("run trained.toml --out run");
    // Free now; nobody else on this machine is likely to take it within a second.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Command::new(&python)
        .args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--backend-store-uri", "sqlite:///mlflow.db", "--workers", "1"])
        .current_dir(place.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let _server = Server(server);
    let begun = Instant::now();
    let export = format!("export mlflow run --server http://127.0.0.1:{port}");
    let mut said = place.domino(&export);
    while said.code != Some(0) {
        assert!(begun.elapsed() < PATIENCE, "{}", said.stderr);
        std::thread::sleep(Duration::from_millis(500));
        said = place.domino(&export);
    }
    let id = said.stdout.split_whitespace().nth(2).unwrap().to_owned();
    let script = "import sys, mlflow
client = mlflow.MlflowClient(sys.argv[1]); run = client.get_run(sys.argv[2])
losses = [m for m in run.data.metrics if m.startswith('loss/')]
print(run.info.status, run.data.params['data.scaling.d'], 'score/mcc' in run.data.metrics,
      sum(len(client.get_metric_history(sys.argv[2], m)) for m in losses))";
    let address = format!("http://127.0.0.1:{port}");
    place.succeeds("export csv run");
    let points = place.text("run/losses.csv").lines().count() - 1;
    assert_eq!(answer(&python, script, &[&address, &id]), format!("FINISHED 2 True {points}"));
}

#[test]
fn a_run_is_verified_to_the_byte() {
    let place = Place::new();
    place.succeeds("run linear.toml --out run");
    let said = place.succeeds("verify run").stdout;
    assert!(
        said.contains("same    report.json") && said.contains("same    embedding.npz"),
        "{said}"
    );

    let report = place.text("run/report.json").replacen("0.", "0.9", 1);
    place.write("run/report.json", report);
    let refused = place.domino("verify run");
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("report.json differ"), "{}", refused.stderr);
}
