use nalgebra::DMatrix;

/// So many rows at most, spread evenly over all.
pub(crate) fn spread_rows(matrix: &DMatrix<f64>, most: usize) -> DMatrix<f64> {
    let n = matrix.nrows();
    let take = n.min(most);
    let rows: Vec<usize> = (0..take).map(|i| i * n / take).collect();
    matrix.select_rows(&rows)
}
