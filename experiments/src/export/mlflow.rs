//! A run replayed to an MLflow server over its REST interface.

use std::time::Duration;

use serde_json::{Value, json};
use thiserror::Error;

use super::score_tags;
use crate::report::{Curves, Report, RunInfo};

/// Most entries that the server takes in one request.
const MOST_METRICS: usize = 1000;
const MOST_PARAMS: usize = 100;

/// Longest value of a parameter that every version of the server takes.
const LONGEST_PARAM: usize = 500;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a run cannot be replayed.
#[derive(Debug, Error)]
#[error("{url}: {reason}")]
pub struct MlflowError {
    /// The address asked.
    pub url: String,
    /// What came back.
    pub reason: String,
}

/// What of a run is replayed.
#[derive(Clone, Copy, Debug)]
pub struct Replay<'a> {
    /// What the run found.
    pub report: &'a Report,
    /// Its losses.
    pub curves: &'a Curves,
    /// What ran where, if it is known.
    pub info: Option<&'a RunInfo>,
    /// Its configuration as TOML.
    pub config: &'a str,
    /// Milliseconds since 1970 that stand at every number.
    pub time: u64,
}

/// A server by its address, such as `http://127.0.0.1:5000`. There is no TLS: go through a tunnel
/// to a server elsewhere.
#[derive(Debug)]
pub struct Server {
    address: String,
    agent: ureq::Agent,
}

impl Server {
    /// The server at an address.
    pub fn new(address: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build();
        Self { address: address.trim_end_matches('/').to_owned(), agent: config.into() }
    }

    /// Replays a run and returns its id on the server.
    ///
    /// # Errors
    /// [`MlflowError`] if the server cannot be reached or refuses.
    pub fn replay(&self, run: &Replay<'_>) -> Result<String, MlflowError> {
        let experiment = self.experiment(&run.report.experiment)?;
        let name = format!("{} seed {}", run.report.config_hash, run.report.seed);
        let created = self.post(
            "runs/create",
            &json!({
                "experiment_id": experiment,
                "run_name": name,
                "start_time": run.time,
                "tags": tags(run),
            }),
        )?;
        let id = self.text_at(&created, "/run/info/run_id", "runs/create")?;
        for params in params(run.config).chunks(MOST_PARAMS) {
            self.post("runs/log-batch", &json!({ "run_id": id, "params": params }))?;
        }
        for metrics in metrics(run).chunks(MOST_METRICS) {
            self.post("runs/log-batch", &json!({ "run_id": id, "metrics": metrics }))?;
        }
        let ended = json!({ "run_id": id, "status": "FINISHED", "end_time": run.time });
        self.post("runs/update", &ended)?;
        Ok(id)
    }

    /// The id of the experiment of a name, which is made if there is none.
    fn experiment(&self, name: &str) -> Result<String, MlflowError> {
        let path = "experiments/get-by-name";
        let url = self.url(path);
        let asked = self.agent.get(&url).query("experiment_name", name).call();
        let (status, found) = Self::answer(&url, asked)?;
        if status == 200 {
            return self.text_at(&found, "/experiment/experiment_id", path);
        }
        let made = self.post("experiments/create", &json!({ "name": name }))?;
        self.text_at(&made, "/experiment_id", "experiments/create")
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/2.0/mlflow/{path}", self.address)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, MlflowError> {
        let url = self.url(path);
        let sent =
            self.agent.post(&url).header("Content-Type", "application/json").send(body.to_string());
        let (status, answer) = Self::answer(&url, sent)?;
        if status == 200 {
            return Ok(answer);
        }
        let said = answer.get("message").and_then(Value::as_str).unwrap_or("no message");
        Err(MlflowError { url, reason: format!("expected status 200, got {status}: {said}") })
    }

    /// Status and content of an answer; content that is no JSON is nothing.
    fn answer(
        url: &str,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<(u16, Value), MlflowError> {
        let failed = |e: ureq::Error| MlflowError { url: url.to_owned(), reason: e.to_string() };
        let mut answer = answer.map_err(failed)?;
        let text = answer.body_mut().read_to_string().map_err(failed)?;
        Ok((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    fn text_at(&self, answer: &Value, place: &str, path: &str) -> Result<String, MlflowError> {
        answer.pointer(place).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
            let reason = format!("expected {place} in the answer, got {answer}");
            MlflowError { url: self.url(path), reason }
        })
    }
}

fn tags(run: &Replay<'_>) -> Vec<Value> {
    let tag = |key: &str, value: &str| json!({ "key": key, "value": value });
    let mut tags = vec![
        tag("domino.config_hash", &run.report.config_hash),
        tag("domino.data", &run.report.data.checksum),
        tag("domino.verdict", run.report.verdict.level.word()),
    ];
    if let Some(info) = run.info {
        tags.push(tag("mlflow.source.git.commit", &info.revision));
        tags.push(tag("domino.command", &info.command_line));
    }
    tags
}

/// Every key of the configuration, in dotted form.
fn params(config: &str) -> Vec<Value> {
    let mut out = Vec::new();
    if let Ok(table) = config.parse::<toml::Table>() {
        flatten("", &toml::Value::Table(table), &mut out);
    }
    out
}

fn flatten(key: &str, value: &toml::Value, out: &mut Vec<Value>) {
    let toml::Value::Table(table) = value else {
        let text: String = value.to_string().chars().take(LONGEST_PARAM).collect();
        out.push(json!({ "key": key, "value": text }));
        return;
    };
    for (part, value) in table {
        let key = if key.is_empty() { part.clone() } else { format!("{key}.{part}") };
        flatten(&key, value, out);
    }
}

fn metrics(run: &Replay<'_>) -> Vec<Value> {
    let entry = |key: String, value: f64, step: u64| json!({ "key": key, "value": value, "timestamp": run.time, "step": step });
    let losses = run.curves.series.iter().flat_map(|series| {
        series
            .points
            .iter()
            .map(|(step, value)| entry(format!("loss/{}", series.term), *value, *step))
    });
    let scores = score_tags(run.report.scores.as_ref()).map(|(name, value)| entry(name, value, 0));
    losses.chain(scores).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_becomes_dotted_parameters() {
        let params = params("seed = 3\n[data.scaling]\nd = 4\nmixing = 'rotation'\n");
        let pairs: Vec<_> = params
            .iter()
            .map(|p| (p["key"].as_str().unwrap(), p["value"].as_str().unwrap()))
            .collect();
        assert_eq!(
            pairs,
            [("data.scaling.d", "4"), ("data.scaling.mixing", "\"rotation\""), ("seed", "3")]
        );
    }

    #[test]
    fn a_server_that_is_not_there_is_named() {
        let server = Server::new("http://127.0.0.1:9/");
        let error = server.experiment("x").unwrap_err().to_string();
        assert!(error.starts_with("http://127.0.0.1:9/api/2.0/mlflow/experiments"), "{error}");
    }
}
