use nalgebra::DMatrix;
use rand::{Rng, RngExt};

use crate::MetricError;
use crate::sample::{check_dim, check_matrix};

/// A representation of a world of independent discrete factors: what metrics need that choose the
/// factors of the points they look at.
///
/// ```
/// use domino_metrics::{BetaVaeOptions, MetricError, Representation, beta_vae};
/// use domino_core::{Seed, Stream};
/// use nalgebra::DMatrix;
///
/// /// Latents that are the factors themselves.
/// struct Truth([usize; 2]);
///
/// impl Representation for Truth {
///     fn cardinalities(&self) -> &[usize] {
///         &self.0
///     }
///     fn encode(&self, factors: &DMatrix<usize>) -> Result<DMatrix<f64>, MetricError> {
///         Ok(factors.map(|v| v as f64))
///     }
/// }
///
/// let options = BetaVaeOptions { train: 300, test: 100, ..Default::default() };
/// let scores = beta_vae(&Truth([3, 4]), &options, &mut Seed(0).rng(Stream::Eval))?;
/// assert_eq!(scores.test_accuracy, 1.0);
/// # Ok::<(), MetricError>(())
/// ```
pub trait Representation {
    /// Number of values of each factor, `[K]`; factor `j` takes values `0..cardinalities[j]`.
    fn cardinalities(&self) -> &[usize];

    /// Latents, `[n, D]`, of the observations with the given factors, `[n, K]`.
    ///
    /// # Errors
    /// Whatever keeps the latents from being computed.
    fn encode(&self, factors: &DMatrix<usize>) -> Result<DMatrix<f64>, MetricError>;
}

/// A [`Representation`] by a table of the latents of every combination of factors, the last factor
/// running fastest.
///
/// ```
/// use domino_metrics::{LatentTable, Representation};
/// use nalgebra::DMatrix;
///
/// let table = LatentTable::new(vec![2, 3], DMatrix::from_fn(6, 1, |row, _| row as f64))?;
/// let latents = table.encode(&DMatrix::from_row_slice(1, 2, &[1, 2]))?;
/// assert_eq!(latents[0], 5.0);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LatentTable {
    cardinalities: Vec<usize>,
    table: DMatrix<f64>,
}

impl LatentTable {
    /// The table of latents `[Π cardinalities, D]`.
    ///
    /// # Errors
    /// [`MetricError::Rows`] unless there is one row per combination, [`MetricError::Empty`] or
    /// [`MetricError::NotFinite`] for a table without entries or with NaN.
    pub fn new(cardinalities: Vec<usize>, table: DMatrix<f64>) -> Result<Self, MetricError> {
        check_matrix("latents", &table)?;
        let (expected, got) = (cardinalities.iter().product(), table.nrows());
        if expected != got {
            return Err(MetricError::Rows { what: "table of latents", expected, got });
        }
        Ok(Self { cardinalities, table })
    }
}

impl Representation for LatentTable {
    fn cardinalities(&self) -> &[usize] {
        &self.cardinalities
    }

    fn encode(&self, factors: &DMatrix<usize>) -> Result<DMatrix<f64>, MetricError> {
        check_dim("factors", self.cardinalities.len(), factors.ncols())?;
        let mut rows = vec![0; factors.nrows()];
        for (column, &count) in factors.column_iter().zip(&self.cardinalities) {
            for (row, &value) in rows.iter_mut().zip(column.iter()) {
                *row = *row * count + value;
            }
        }
        if let Some(row) = rows.iter().position(|&row| row >= self.table.nrows()) {
            let (col, expected) = (factors.ncols() - 1, "values below the cardinalities");
            let value = factors[(row, col)] as f64;
            return Err(MetricError::Range { what: "factors", row, col, expected, value });
        }
        let mut latents = DMatrix::zeros(rows.len(), self.table.ncols());
        for (mut column, source) in latents.column_iter_mut().zip(self.table.column_iter()) {
            let source = source.as_slice();
            column.iter_mut().zip(&rows).for_each(|(z, &row)| *z = source[row]);
        }
        Ok(latents)
    }
}

/// Latents `[n, D]` and factors `[n, K]` of points whose factors are drawn uniformly and
/// independently: what [`Sample::new`](crate::Sample::new) takes.
///
/// # Errors
/// Those of [`Representation::encode`]; [`MetricError::Empty`] or [`MetricError::Option`] for a world
/// without factors or a factor without values; [`MetricError::Rows`] or [`MetricError::NotFinite`]
/// for latents that are not one finite row per point.
pub fn draw_sample(
    world: &dyn Representation,
    points: usize,
    rng: &mut dyn Rng,
) -> Result<[DMatrix<f64>; 2], MetricError> {
    check_world(world)?;
    let factors = draw_factors(world, points, rng);
    let latents = encode(world, &factors)?;
    Ok([latents, factors.map(|v| v as f64)])
}

/// Fails unless there is a factor and every factor has a value.
pub(crate) fn check_world(world: &dyn Representation) -> Result<(), MetricError> {
    let cardinalities = world.cardinalities();
    if cardinalities.is_empty() {
        return Err(MetricError::Empty { what: "factors", rows: 0, cols: 0 });
    }
    if cardinalities.contains(&0) {
        let (name, expected) = ("cardinalities", "at least 1 each");
        return Err(MetricError::Option { name, expected, value: 0.0 });
    }
    Ok(())
}

/// Factors drawn uniformly and independently, `[n, K]`.
pub(crate) fn draw_factors(
    world: &dyn Representation,
    points: usize,
    rng: &mut dyn Rng,
) -> DMatrix<usize> {
    let cardinalities = world.cardinalities();
    let mut factors = DMatrix::zeros(points, cardinalities.len());
    for (mut column, &count) in factors.column_iter_mut().zip(cardinalities) {
        column.iter_mut().for_each(|value| *value = below(count, rng));
    }
    factors
}

/// A number below `count`, by one draw of 32 bits: its bias is below `count / 2³²`.
pub(crate) fn below(count: usize, rng: &mut dyn Rng) -> usize {
    match u32::try_from(count) {
        Ok(count) => ((u64::from(rng.next_u32()) * u64::from(count)) >> 32) as usize,
        Err(_) => rng.random_range(0..count),
    }
}

/// The latents of given factors, checked.
pub(crate) fn encode(
    world: &dyn Representation,
    factors: &DMatrix<usize>,
) -> Result<DMatrix<f64>, MetricError> {
    let latents = world.encode(factors)?;
    check_matrix("latents", &latents)?;
    let (expected, got) = (factors.nrows(), latents.nrows());
    if expected != got {
        return Err(MetricError::Rows { what: "latents", expected, got });
    }
    Ok(latents)
}

/// Fails unless a number of points is at least 1.
pub(crate) fn check_points(name: &'static str, value: usize) -> Result<(), MetricError> {
    if value > 0 {
        return Ok(());
    }
    Err(MetricError::Option { name, expected: "at least 1", value: 0.0 })
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;

    fn table() -> LatentTable {
        LatentTable::new(vec![2, 3], DMatrix::from_fn(6, 2, |i, j| (10 * i + j) as f64)).unwrap()
    }

    #[test]
    fn samples_hold_the_latents_of_their_factors_and_every_combination() {
        let [z, y] = draw_sample(&table(), 600, &mut Seed(0).rng(Stream::Eval)).unwrap();
        let mut seen = [0; 6];
        for i in 0..600 {
            let row = 3.0 * y[(i, 0)] + y[(i, 1)];
            assert!((z[(i, 0)] - 10.0 * row).abs() < 1e-12);
            seen[row as usize] += 1;
        }
        // Expected 100 each, standard deviation 9.
        assert!(seen.iter().all(|&n| (60..140).contains(&n)), "{seen:?}");
    }

    #[test]
    fn tables_and_factors_that_do_not_fit_are_refused() {
        let error = LatentTable::new(vec![2, 2], DMatrix::zeros(5, 1)).unwrap_err();
        assert_eq!(error.to_string(), "table of latents: expected 4 rows, one per point, got 5");
        let error = table().encode(&DMatrix::from_row_slice(1, 2, &[2, 0])).unwrap_err();
        assert!(matches!(error, MetricError::Range { row: 0, .. }));
    }
}
