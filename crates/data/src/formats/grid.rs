use std::path::Path;

use nalgebra::DMatrix;

use super::error::FormatError;

/// Discrete factors of variation, every combination of which has a picture; the last factor varies
/// fastest.
///
/// ```
/// use domino_data::formats::FactorGrid;
///
/// let grid = FactorGrid::new(&[("shape", 3), ("scale", 6)]);
/// assert_eq!(grid.len(), 18);
/// assert_eq!(grid.index(&[2, 1])?, 13);
/// assert_eq!(grid.factors(13), [2, 1]);
/// # Ok::<(), domino_data::formats::FormatError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorGrid {
    names: Vec<String>,
    sizes: Vec<usize>,
}

impl FactorGrid {
    /// The grid of the given factors; those with one value, which cannot change, are left out.
    pub fn new(factors: &[(&str, usize)]) -> Self {
        let changing = || factors.iter().filter(|(_, size)| *size != 1);
        Self {
            names: changing().map(|(name, _)| (*name).to_owned()).collect(),
            sizes: changing().map(|&(_, size)| size).collect(),
        }
    }

    /// Names of the factors.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of values of each factor.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Number of combinations; saturates where there are more than memory could count.
    pub fn len(&self) -> usize {
        self.sizes.iter().fold(1, |n, &size| n.saturating_mul(size))
    }

    /// Whether there is no combination.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of a combination.
    ///
    /// # Errors
    /// [`FormatError::Factors`] if there is no such combination.
    pub fn index(&self, factors: &[usize]) -> Result<usize, FormatError> {
        let inside = factors.iter().zip(&self.sizes).all(|(value, size)| value < size);
        if factors.len() != self.sizes.len() || !inside {
            return Err(FormatError::Factors { got: factors.to_vec(), sizes: self.sizes.clone() });
        }
        Ok(factors.iter().zip(&self.sizes).fold(0, |index, (value, size)| index * size + value))
    }

    /// The combination of a number below [`len`](Self::len).
    pub fn factors(&self, index: usize) -> Vec<usize> {
        let mut rest = index;
        let mut factors = vec![0; self.sizes.len()];
        for (value, &size) in factors.iter_mut().zip(&self.sizes).rev() {
            *value = rest % size;
            rest /= size;
        }
        factors
    }
}

/// The grid whose combinations are the rows of `labels`, one factor per column, in order and each
/// once: the file itself says how many values a factor has.
pub(super) fn grid_from_labels(
    path: &Path,
    names: &[&'static str],
    labels: &DMatrix<f64>,
) -> Result<FactorGrid, FormatError> {
    let values: Vec<Vec<f64>> = labels.column_iter().map(|c| distinct(c.iter())).collect();
    let sizes: Vec<usize> = values.iter().map(Vec::len).collect();
    let malformed = |place: String, expected: String, got: String| FormatError::Malformed {
        path: path.to_owned(),
        place,
        expected,
        got,
    };
    let product = sizes.iter().fold(1, |n: u128, &size| n.saturating_mul(size as u128));
    if labels.is_empty() {
        let got = format!("{} x {}", labels.nrows(), labels.ncols());
        return Err(malformed("labels".into(), "at least one row and one factor".into(), got));
    }
    if product != labels.nrows() as u128 {
        let expected = format!("{product} rows, one per combination of {sizes:?} values");
        return Err(malformed("labels".into(), expected, labels.nrows().to_string()));
    }
    let mut repeat = labels.nrows();
    for (factor, values) in values.iter().enumerate() {
        repeat /= values.len();
        for row in 0..labels.nrows() {
            let (value, got) = (values[row / repeat % values.len()], labels[(row, factor)]);
            // One of the values was copied from the other: they agree in all bits or not at all.
            if value.total_cmp(&got).is_ne() {
                let place = format!("labels[{row}, {factor}]");
                let expected = format!("{value}, as all combinations in order have it");
                return Err(malformed(place, expected, got.to_string()));
            }
        }
    }
    let named: Vec<(&str, usize)> = names.iter().copied().zip(sizes).collect();
    Ok(FactorGrid::new(&named))
}

fn distinct<'a>(values: impl Iterator<Item = &'a f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.copied().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup_by(|a, b| a.total_cmp(b).is_eq());
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn index_and_factors_invert_each_other(
            sizes in proptest::collection::vec(2_usize..5, 1..5), pick: prop::sample::Index,
        ) {
            let named: Vec<_> = sizes.iter().map(|&size| ("f", size)).collect();
            let grid = FactorGrid::new(&named);
            let index = pick.index(grid.len());
            prop_assert_eq!(grid.index(&grid.factors(index)).unwrap(), index);
        }
    }

    #[test]
    fn labels_give_sizes_and_must_be_in_order() {
        let labels = nalgebra::dmatrix![0.5, 1.0, 3.0; 0.5, 1.0, 4.0; 0.5, 2.0, 3.0; 0.5, 2.0, 4.0];
        let path = Path::new("set.npz");
        let grid = grid_from_labels(path, &["one", "two", "three"], &labels).unwrap();
        assert_eq!(
            (grid.names(), grid.sizes()),
            (&["two".into(), "three".into()][..], &[2, 2][..])
        );
        let mut swapped = labels.clone();
        swapped.swap_rows(0, 1);
        let error = grid_from_labels(path, &["one", "two", "three"], &swapped).unwrap_err();
        assert_eq!(
            error.to_string(),
            "set.npz: labels[0, 2]: expected 3, as all combinations in order have it, got 4"
        );
        let short = labels.rows(0, 3).into_owned();
        let error = grid_from_labels(path, &["one", "two", "three"], &short).unwrap_err();
        assert!(error.to_string().contains("expected 4 rows, one per combination of [1, 2, 2]"));
        let error = grid_from_labels(path, &["one"], &DMatrix::zeros(0, 1)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "set.npz: labels: expected at least one row and one factor, got 0 x 1"
        );
    }
}
