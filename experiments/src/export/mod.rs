//! Runs handed on to the trackers that others use.
//!
//! [`long_csv`] writes losses for any tool that reads tables, [`parquet()`] any table, and
//! [`tensorboard_events`] what TensorBoard reads; [`mlflow`] replays a run to an MLflow server.

mod csv;
pub mod mlflow;
mod parquet;
mod tensorboard;

pub use csv::long_csv;
pub use parquet::{Cells, Column, parquet};
pub use tensorboard::tensorboard_events;

use crate::report::{Scores, score_values};

/// Every score with the name that trackers know it by, such as `score/edge_f1`.
fn score_tags(scores: Option<&Scores>) -> impl Iterator<Item = (String, f64)> {
    scores.into_iter().flat_map(score_values).map(|(label, value)| {
        (format!("score/{}", label.to_lowercase().replace([' ', '(', ')'], "_")), value)
    })
}

/// A whole number in groups of seven bits, the lowest first, as protocol buffers and Thrift have it.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trackers_get_finite_scores_in_full() {
        let text = r#"{ "mcc": 0.123456789, "edge_f1": 1, "shd": null, "factor_names": [],
            "matching": [], "importance": [], "confusion": [] }"#;
        let scores = Scores { completeness: Some(f64::NAN), ..serde_json::from_str(text).unwrap() };
        let tags: Vec<_> = score_tags(Some(&scores)).collect();
        let expected = [("score/mcc", 0.123_456_789), ("score/edge_f1", 1.0)];
        assert_eq!(tags, expected.map(|(tag, value)| (tag.to_owned(), value)));
        assert_eq!(score_tags(None).count(), 0);
    }
}
