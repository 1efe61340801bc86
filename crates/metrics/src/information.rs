use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::classes::Classes;
use crate::{MetricError, Sample};

/// How points are sorted into bins before their mutual information is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinOptions {
    /// Number of bins of equal width between the smallest and the largest value, at least 1.
    pub bins: usize,
    /// What the values of a factor are.
    pub factors: FactorValues,
}

/// The published 20 bins of `disentanglement_lib`, and discrete factors.
impl Default for BinOptions {
    fn default() -> Self {
        Self { bins: 20, factors: FactorValues::Discrete }
    }
}

impl BinOptions {
    pub(crate) fn check(&self) -> Result<(), MetricError> {
        check_bins(self.bins)
    }
}

pub(crate) fn check_bins(bins: usize) -> Result<(), MetricError> {
    if bins > 0 {
        return Ok(());
    }
    Err(MetricError::Option { name: "bins", expected: "at least 1", value: 0.0 })
}

/// What the values of a factor are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorValues {
    /// Classes: every distinct value is one.
    #[default]
    Discrete,
    /// Numbers, which are sorted into bins as latents are.
    Binned,
}

/// Mutual information of every latent with every factor, in nats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MutualInformation {
    /// Information of latent `i` on factor `j`, `[D, K]`, at least 0.
    #[serde(with = "crate::rows")]
    pub matrix: DMatrix<f64>,
    /// Entropy of each factor, `[K]`.
    pub entropy: Vec<f64>,
}

/// Mutual information `I(a; b) = Σ p(a, b) ln (p(a, b) / (p(a) p(b)))` of every binned latent with
/// every factor, and the factors' entropies, from counts over the sample.
///
/// Counting overestimates the information of independent variables, by about
/// `(bins − 1)(classes − 1) / 2n`.
///
/// # Errors
/// [`MetricError::Classes`] for a factor that is said to be discrete and is not,
/// [`MetricError::Option`] for no bins.
pub fn mutual_information(
    sample: Sample<'_>,
    options: &BinOptions,
) -> Result<MutualInformation, MetricError> {
    options.check()?;
    let latents = Binned::columns(sample.latents(), options.bins);
    let factors = match options.factors {
        FactorValues::Binned => Binned::columns(sample.factors(), options.bins),
        FactorValues::Discrete => {
            let classes = Classes::of_all(sample)?;
            classes.iter().map(|c| Binned::new(c.labels().to_vec(), c.count())).collect()
        }
    };
    Ok(MutualInformation {
        matrix: DMatrix::from_fn(latents.len(), factors.len(), |i, j| {
            latents[i].information(&factors[j])
        }),
        entropy: factors.iter().map(Binned::entropy).collect(),
    })
}

/// A variable with finitely many values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binned {
    bins: Vec<usize>,
    counts: Vec<usize>,
}

impl Binned {
    fn new(bins: Vec<usize>, count: usize) -> Self {
        let counts = crate::classes::class_counts(&bins, count);
        Self { bins, counts }
    }

    /// Every column of a matrix in bins of equal width between its extremes.
    pub(crate) fn columns(values: &DMatrix<f64>, bins: usize) -> Vec<Self> {
        values.column_iter().map(|c| Self::new(bins_of(c.as_slice(), bins), bins)).collect()
    }

    /// The bin of every point, `[n]`.
    pub(crate) fn bins(&self) -> &[usize] {
        &self.bins
    }

    /// Points in every bin.
    pub(crate) fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// Mutual information with another variable of the same points, in nats.
    pub(crate) fn information(&self, other: &Self) -> f64 {
        let width = other.counts.len();
        let mut joint = vec![0_u32; self.counts.len() * width];
        for (&a, &b) in self.bins.iter().zip(&other.bins) {
            joint[a * width + b] += 1;
        }
        let n = self.bins.len() as f64;
        let term = |(at, &count): (usize, &u32)| {
            let apart = self.counts[at / width] as f64 * other.counts[at % width] as f64;
            f64::from(count) * (f64::from(count) * n / apart).ln()
        };
        let sum: f64 = joint.iter().enumerate().filter(|&(_, &c)| c > 0).map(term).sum();
        (sum / n).max(0.0)
    }

    /// Entropy in nats.
    pub(crate) fn entropy(&self) -> f64 {
        let n = self.bins.len() as f64;
        let occurring = self.counts.iter().filter(|&&c| c > 0).map(|&c| c as f64);
        occurring.map(|c| c * (n / c).ln()).sum::<f64>() / n
    }
}

/// Bins of equal width between the smallest and the largest value: a value is in bin `b` if it is
/// at or above `b` of the edges after the first, of which the last is left out. As
/// `numpy.histogram` does, a constant is put in the middle of a range of width 1.
fn bins_of(values: &[f64], bins: usize) -> Vec<usize> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low < high { (low, high) } else { (low - 0.5, high + 0.5) };
    let step = high / bins as f64 - low / bins as f64;
    let edges: Vec<f64> = (0..bins).map(|b| b as f64 * step + low).collect();
    let bin = |&x: &f64| {
        // The division finds the bin up to rounding; the edges decide.
        let mut at = (((x - low) / step) as usize).min(bins - 1);
        while at > 0 && edges[at] > x {
            at -= 1;
        }
        while at + 1 < bins && edges[at + 1] <= x {
            at += 1;
        }
        at
    };
    values.iter().map(bin).collect()
}

/// The two largest values of each column, largest first; 0 stands for what is missing.
pub(crate) fn top_two(matrix: &DMatrix<f64>) -> Vec<[f64; 2]> {
    let column =
        |column: nalgebra::DVectorView<'_, f64>| {
            column.iter().fold([0.0; 2], |[first, second], &v| {
                if v > first { [v, first] } else { [first, second.max(v)] }
            })
        };
    matrix.column_iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn edges_belong_to_the_bin_on_their_right_and_the_maximum_to_the_last() {
        assert_eq!(bins_of(&[0.0, 0.99, 1.0, 3.5, 4.0], 4), [0, 0, 1, 3, 3]);
        assert_eq!(bins_of(&[7.0; 3], 20), [10; 3]);
    }

    #[test]
    fn a_copy_shares_all_its_information_and_a_constant_none() {
        let y = DMatrix::from_fn(40, 2, |i, j| if j == 0 { (i % 4) as f64 } else { 1.0 });
        let information =
            mutual_information(Sample::new(&y, &y).unwrap(), &BinOptions::default()).unwrap();
        assert!((information.matrix[(0, 0)] - 4_f64.ln()).abs() < 1e-12);
        assert!((information.entropy[0] - 4_f64.ln()).abs() < 1e-12);
        assert!(information.matrix[(1, 0)] <= 0.0 && information.entropy[1] <= 0.0);
    }

    #[test]
    fn missing_competitors_count_zero() {
        let matrix = DMatrix::from_row_slice(1, 2, &[0.7, 0.0]);
        assert_eq!(top_two(&matrix), [[0.7, 0.0], [0.0, 0.0]]);
        let matrix = DMatrix::from_row_slice(3, 1, &[0.2, 0.9, 0.9]);
        assert_eq!(top_two(&matrix), [[0.9, 0.9]]);
    }

    proptest! {
        #[test]
        fn information_is_symmetric_and_below_both_entropies(
            a in prop::collection::vec(0..4usize, 50),
            b in prop::collection::vec(0..3usize, 50),
        ) {
            let (a, b) = (Binned::new(a, 4), Binned::new(b, 3));
            let information = a.information(&b);
            prop_assert!((information - b.information(&a)).abs() < 1e-12);
            prop_assert!(information <= a.entropy().min(b.entropy()) + 1e-12);
        }
    }
}
