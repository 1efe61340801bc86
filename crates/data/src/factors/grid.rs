use std::ops::Range;

use nalgebra::DMatrix;

/// All combinations of discrete variables, counted so that the last variable changes fastest.
///
/// ```
/// use domino_data::factors::Grid;
///
/// let grid = Grid::new(&[3, 6, 40, 32, 32]);
/// assert_eq!(grid.len(), 737_280);
/// assert_eq!(grid.values(32), [0, 0, 0, 1, 0]);
/// assert_eq!(grid.index(&[0, 0, 0, 1, 0]), Some(32));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    sizes: Vec<usize>,
}

impl Grid {
    /// The combinations of variables with this many values each.
    pub fn new(sizes: &[usize]) -> Self {
        Self { sizes: sizes.to_vec() }
    }

    /// Number of values of each variable, `[d]`.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Number of combinations.
    pub fn len(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Whether there is no combination.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The combination at a place, `[d]`, counting on from the start past the end.
    pub fn values(&self, index: usize) -> Vec<usize> {
        let mut rest = index;
        let mut values: Vec<usize> = self
            .sizes
            .iter()
            .rev()
            .map(|&size| {
                let value = rest % size;
                rest /= size;
                value
            })
            .collect();
        values.reverse();
        values
    }

    /// The place of a combination; `None` if it is none of these.
    pub fn index(&self, values: &[usize]) -> Option<usize> {
        let fits = values.len() == self.sizes.len();
        let pairs = || self.sizes.iter().zip(values);
        (fits && pairs().all(|(size, value)| value < size))
            .then(|| pairs().fold(0, |index, (size, value)| index * size + value))
    }

    /// A range of combinations as states of a generator, `[n, d]`.
    pub fn states(&self, range: Range<usize>) -> DMatrix<f64> {
        let rows = range.len();
        let values = range.flat_map(|index| self.values(index)).map(|value| value as f64);
        DMatrix::from_row_iterator(rows, self.sizes.len(), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_combinations_are_inverse() {
        let grid = Grid::new(&[3, 1, 4, 2]);
        for index in 0..grid.len() {
            assert_eq!(grid.index(&grid.values(index)), Some(index));
        }
        assert_eq!(grid.values(grid.len() + 5), grid.values(5));
    }

    #[test]
    fn the_last_variable_changes_fastest() {
        let states = Grid::new(&[2, 3]).states(0..6);
        assert_eq!(states.column(0).as_slice(), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(states.column(1).as_slice(), [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    fn what_is_not_on_the_grid_has_no_place() {
        let grid = Grid::new(&[2, 3]);
        assert_eq!(grid.index(&[0, 3]), None);
        assert_eq!(grid.index(&[0]), None);
    }
}
