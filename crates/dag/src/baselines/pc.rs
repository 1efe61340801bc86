use nalgebra::DMatrix;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::belief::normal_cdf;
use crate::distinct::on_distinct;
use crate::equivalence::EquivalenceClass;
use crate::least_squares::spd_inverse;
use crate::{Column, DagError, LearnedGraph, Samples, StructureLearner};

/// Observational rows from which on interventional rows are left out.
const ENOUGH_OBSERVATIONAL: usize = 50;

/// The PC algorithm in its order-independent form.
///
/// Edges between variables that some set of neighbours makes independent are removed, by Fisher's z
/// for continuous columns and the G² test for categorical ones; colliders and Meek's rules direct
/// what they can. Interventional rows are not used unless there are fewer than 50 others. Undirected
/// edges have a probability of 1/2 each way. G² has the tail of Wilson & Hilferty's approximation.
///
/// Spirtes, Glymour & Scheines, *Causation, Prediction, and Search*, 2000; Colombo & Maathuis,
/// *Order-independent constraint-based causal structure learning*, JMLR 2014.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pc {
    /// Level of the tests.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub level: f64,
    /// Variables conditioned upon, at most.
    pub most_conditions: usize,
}

impl Default for Pc {
    fn default() -> Self {
        Self { level: 0.01, most_conditions: 4 }
    }
}

impl StructureLearner<Samples> for Pc {
    fn learn(&self, samples: &Samples, _: &mut dyn Rng) -> Result<LearnedGraph, DagError> {
        if !(0.0..=1.0).contains(&self.level) {
            let expected = "a number from 0 to 1";
            return Err(DagError::Option { key: "level", expected, got: self.level });
        }
        let rows = samples.observational_rows();
        let part = if rows.len() >= ENOUGH_OBSERVATIONAL {
            samples.select(&rows)
        } else {
            samples.clone()
        };
        on_distinct(&part, |part| {
            let test = Test::new(part)?;
            self.search(part.dim(), &test).learned()
        })
    }
}

impl Pc {
    fn search(&self, d: usize, test: &Test<'_>) -> EquivalenceClass {
        let all = (0..d).flat_map(|j| (0..j).map(move |i| (i, j)));
        let mut class = EquivalenceClass::skeleton(d, all);
        let mut separators = vec![None; d * d];
        for size in 0..=self.most_conditions.min(d.saturating_sub(2)) {
            // Neighbours as they are before this size, so that the order of variables has no say.
            let neighbours: Vec<Vec<usize>> = (0..d)
                .map(|i| (0..d).filter(|&j| j != i && class.adjacent(i, j)).collect())
                .collect();
            for (i, j) in (0..d).flat_map(|i| (0..d).map(move |j| (i, j))).filter(|(i, j)| i != j) {
                if !class.adjacent(i, j) {
                    continue;
                }
                let others: Vec<usize> =
                    neighbours[i].iter().copied().filter(|&k| k != j).collect();
                let found = subsets(&others, size)
                    .into_iter()
                    .find(|given| test.p_value(i, j, given) > self.level);
                if let Some(given) = found {
                    class.remove(i, j);
                    (separators[i * d + j], separators[j * d + i]) =
                        (Some(given.clone()), Some(given));
                }
            }
        }
        direct_colliders(&mut class, &separators);
        class.close();
        class
    }
}

/// `i → k ← j` where `k` is not in the set that separates `i` and `j`; an edge that another collider
/// has directed the other way is left as it is.
fn direct_colliders(class: &mut EquivalenceClass, separators: &[Option<Vec<usize>>]) {
    let d = class.dim();
    let skeleton = class.clone();
    for (i, j) in (0..d).flat_map(|j| (0..j).map(move |i| (i, j))) {
        let Some(given) = &separators[i * d + j] else { continue };
        let between =
            |&k: &usize| k != i && k != j && skeleton.adjacent(i, k) && skeleton.adjacent(j, k);
        for k in (0..d).filter(between).filter(|k| !given.contains(k)) {
            if !class.runs(k, i) && !class.runs(k, j) {
                class.direct(i, k);
                class.direct(j, k);
            }
        }
    }
}

/// All subsets of a size, in lexicographic order.
fn subsets(of: &[usize], size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for at in 0..of.len() {
        for mut rest in subsets(&of[at + 1..], size - 1) {
            rest.insert(0, of[at]);
            all.push(rest);
        }
    }
    all
}

/// Tests of conditional independence.
enum Test<'a> {
    Gaussian { correlations: DMatrix<f64>, rows: usize },
    Categorical { columns: Vec<(&'a [u32], usize)> },
}

impl<'a> Test<'a> {
    fn new(samples: &'a Samples) -> Result<Self, DagError> {
        let states = samples.columns().iter().map(|c| match c {
            Column::Categorical { values, states } => Some((values.as_slice(), *states)),
            Column::Continuous(_) => None,
        });
        if let Some(columns) = states.collect() {
            return Ok(Self::Categorical { columns });
        }
        let z = samples.standardised()?;
        Ok(Self::Gaussian { correlations: z.transpose() * &z / z.nrows() as f64, rows: z.nrows() })
    }

    /// Probability of data at least as dependent, if `i` and `j` are independent given the set.
    fn p_value(&self, i: usize, j: usize, given: &[usize]) -> f64 {
        match self {
            Self::Gaussian { correlations, rows } => {
                let all: Vec<usize> = [i, j].iter().chain(given).copied().collect();
                let part =
                    DMatrix::from_fn(all.len(), all.len(), |a, b| correlations[(all[a], all[b])]);
                let inverse = spd_inverse(&part);
                let partial = -inverse[(0, 1)] / (inverse[(0, 0)] * inverse[(1, 1)]).sqrt();
                let freedom = (*rows as f64 - given.len() as f64 - 3.0).max(0.0);
                let z = freedom.sqrt() * partial.clamp(-0.999_999, 0.999_999).atanh();
                2.0 * normal_cdf(-z.abs())
            }
            Self::Categorical { columns } => g_test(columns, i, j, given),
        }
    }
}

/// G² test; strata without two states of either variable do not count.
fn g_test(columns: &[(&[u32], usize)], i: usize, j: usize, given: &[usize]) -> f64 {
    let [(x, kx), (y, ky)] = [columns[i], columns[j]];
    let mut rows: Vec<(Vec<u32>, usize)> =
        (0..x.len()).map(|row| (given.iter().map(|&k| columns[k].0[row]).collect(), row)).collect();
    rows.sort_unstable();
    let (mut statistic, mut freedom) = (0.0, 0.0);
    for stratum in rows.chunk_by(|a, b| a.0 == b.0) {
        let mut counts = DMatrix::<f64>::zeros(kx, ky);
        for (_, row) in stratum {
            counts[(x[*row] as usize, y[*row] as usize)] += 1.0;
        }
        let (of_x, of_y) = (counts.column_sum(), counts.row_sum());
        let present = |sums: &[f64]| sums.iter().filter(|s| **s > 0.0).count() as f64;
        freedom += (present(of_x.as_slice()) - 1.0) * (present(of_y.as_slice()) - 1.0);
        for (a, b) in (0..kx).flat_map(|a| (0..ky).map(move |b| (a, b))) {
            let n = counts[(a, b)];
            if n > 0.0 {
                statistic += 2.0 * n * (n * stratum.len() as f64 / (of_x[a] * of_y[b])).ln();
            }
        }
    }
    if freedom <= 0.0 {
        return 1.0;
    }
    let spread = 2.0 / (9.0 * freedom);
    normal_cdf(-((statistic / freedom).cbrt() - 1.0 + spread) / spread.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_complete() {
        assert_eq!(subsets(&[1, 2, 3], 2), [vec![1, 2], vec![1, 3], vec![2, 3]]);
        assert_eq!(subsets(&[1], 2), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn the_g_test_rejects_at_its_table() {
        // A 2 x 2 table with counts (60, 40; 40, 60): G² = 8.055, p = 0.0045.
        let counts = [(0, 0, 60), (0, 1, 40), (1, 0, 40), (1, 1, 60)];
        let values = |pick: fn(&(u32, u32, usize)) -> u32| -> Vec<u32> {
            counts.iter().flat_map(|c| std::iter::repeat_n(pick(c), c.2)).collect()
        };
        let (x, y) = (values(|c| c.0), values(|c| c.1));
        let p = g_test(&[(&x, 2), (&y, 2)], 0, 1, &[]);
        assert!((p - 0.0045).abs() < 0.001, "{p}");
        assert!((g_test(&[(&x, 2), (&y, 2)], 0, 1, &[0]) - 1.0).abs() < 1e-12, "constant strata");
    }
}
