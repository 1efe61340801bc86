//! Numbers that may be missing: JSON has no NaN, so a diverged run's report holds `null`.

use serde::{Deserialize, Deserializer};

pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Option::deserialize(from).map(or_nan)
}

pub(super) fn vector<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    Vec::deserialize(from).map(|row: Vec<_>| row.into_iter().map(or_nan).collect())
}

pub(super) fn matrix<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<f64>>, D::Error> {
    let rows: Vec<Vec<Option<f64>>> = Deserialize::deserialize(from)?;
    Ok(rows.into_iter().map(|row| row.into_iter().map(or_nan).collect()).collect())
}

fn or_nan(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}
