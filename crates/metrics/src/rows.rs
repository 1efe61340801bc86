//! Matrices in reports: a list of rows, as NumPy writes them.

use nalgebra::{DMatrix, Scalar};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<T: Scalar + Serialize, S: Serializer>(
    m: &DMatrix<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(m.row_iter().map(|row| row.iter().cloned().collect::<Vec<T>>()))
}

pub(crate) fn deserialize<'de, T: Scalar + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<DMatrix<T>, D::Error> {
    let rows = Vec::<Vec<T>>::deserialize(deserializer)?;
    let cols = rows.first().map_or(0, Vec::len);
    if let Some(odd) = rows.iter().find(|row| row.len() != cols) {
        return Err(D::Error::invalid_length(odd.len(), &"rows of one length"));
    }
    Ok(DMatrix::from_row_iterator(rows.len(), cols, rows.into_iter().flatten()))
}
