use nalgebra::DMatrix;

use super::distance::{FactorDistance, FactorKind, factor_distance};
use crate::MetricError;
use crate::sample::check_dim;

/// Decodes latents `[n, D]` and reads one prediction `[n, width]` per factor off what they show.
pub type ReadFactors<'a> = dyn FnMut(&DMatrix<f64>) -> Result<Vec<DMatrix<f64>>, MetricError> + 'a;

/// Pairs of encoded images whose latents are to be combined.
#[derive(Clone, Copy, Debug)]
pub struct Triplets<'a> {
    /// Latents of the first and the second image, `[n, D]`.
    pub latents: [&'a DMatrix<f64>; 2],
    /// True factors of the two, `[n, K]`.
    pub factors: [&'a DMatrix<f64>; 2],
    /// The latents of each factor; all others come from the second image.
    pub groups: &'a [Vec<usize>],
    /// Which factors come from the first image, `[n, K]`.
    pub from_first: &'a DMatrix<bool>,
}

impl Triplets<'_> {
    /// The combined latents, `[n, D]`, and the true factors they should show, `[n, K]`.
    ///
    /// # Errors
    /// [`MetricError::Rows`] or [`MetricError::Dim`] if shapes differ or a group names a latent that
    /// does not exist.
    pub fn combined(&self) -> Result<[DMatrix<f64>; 2], MetricError> {
        self.check()?;
        let mut latents = self.latents[1].clone();
        let mut factors = self.factors[1].clone();
        for (k, group) in self.groups.iter().enumerate() {
            for row in (0..latents.nrows()).filter(|&row| self.from_first[(row, k)]) {
                factors[(row, k)] = self.factors[0][(row, k)];
                for &latent in group {
                    latents[(row, latent)] = self.latents[0][(row, latent)];
                }
            }
        }
        Ok([latents, factors])
    }

    fn check(&self) -> Result<(), MetricError> {
        let (n, dim) = self.latents[0].shape();
        let factors = self.groups.len();
        for (what, rows, cols, expected) in [
            ("latents", self.latents[1].nrows(), self.latents[1].ncols(), dim),
            ("factors", self.factors[0].nrows(), self.factors[0].ncols(), factors),
            ("factors", self.factors[1].nrows(), self.factors[1].ncols(), factors),
            ("from_first", self.from_first.nrows(), self.from_first.ncols(), factors),
        ] {
            if rows != n {
                return Err(MetricError::Rows { what, expected: n, got: rows });
            }
            check_dim(what, expected, cols)?;
        }
        let needed = self.groups.iter().flatten().map(|latent| latent + 1).max().unwrap_or(0);
        check_dim("group", needed.max(dim), dim)
    }
}

/// Triplet distance: combine the latents of two images, decode, read the factors off the decoded
/// image, and compare each with the factor that it should show.
///
/// `read` maps latents `[n, D]` to one prediction `[n, width]` per factor: the decoder followed by a
/// causal encoder that was trained on true factors. The result has one distance per factor; lower is
/// better. It does not see errors that decoder and causal encoder share.
///
/// ```
/// use domino_metrics::{FactorKind, Triplets, triplet_distance};
/// use nalgebra::DMatrix;
///
/// // Latents are factors, so that reading them is decoding.
/// let (first, second) = (DMatrix::from_element(1, 2, 0.0), DMatrix::from_element(1, 2, 1.0));
/// let triplets = Triplets {
///     latents: [&first, &second],
///     factors: [&first, &second],
///     groups: &[vec![0], vec![1]],
///     from_first: &DMatrix::from_row_slice(1, 2, &[true, false]),
/// };
/// let kinds = [FactorKind::Continuous { range: 2.0 }; 2];
/// let read = |z: &DMatrix<f64>| (0..2).map(|j| z.columns(j, 1).into_owned()).collect::<Vec<_>>();
/// let distances = triplet_distance(&triplets, &kinds, &mut |z| Ok(read(z)))?;
/// assert!(distances.iter().all(|d| d.mean == 0.0));
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`Triplets::combined`] and [`factor_distance`]; [`MetricError::Dim`] if there are more or
/// fewer kinds or predictions than factors; what `read` fails with.
///
/// Lippe et al., *CITRIS*, ICML 2022, section 5.
pub fn triplet_distance(
    triplets: &Triplets<'_>,
    kinds: &[FactorKind],
    read: &mut ReadFactors<'_>,
) -> Result<Vec<FactorDistance>, MetricError> {
    check_dim("kinds", triplets.groups.len(), kinds.len())?;
    let [latents, truth] = triplets.combined()?;
    let predictions = read(&latents)?;
    check_dim("predictions", kinds.len(), predictions.len())?;
    let of_factor = |(j, (&kind, predicted)): (usize, (&FactorKind, &DMatrix<f64>))| {
        let truth: Vec<f64> = truth.column(j).iter().copied().collect();
        factor_distance(kind, &truth, predicted)
    };
    kinds.iter().zip(&predictions).enumerate().map(of_factor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latents_without_factor_come_from_the_second_image() {
        let (a, b) = (DMatrix::from_element(2, 3, 0.0), DMatrix::from_element(2, 3, 1.0));
        let (y, w) = (a.columns(0, 2).into_owned(), b.columns(0, 2).into_owned());
        let from_first = DMatrix::from_row_slice(2, 2, &[true, false, true, true]);
        let groups = [vec![2], vec![0]];
        let triplets = Triplets {
            latents: [&a, &b],
            factors: [&y, &w],
            groups: &groups,
            from_first: &from_first,
        };
        let [latents, factors] = triplets.combined().unwrap();
        assert_eq!(latents, DMatrix::from_row_slice(2, 3, &[1.0, 1.0, 0.0, 0.0, 1.0, 0.0]));
        assert_eq!(factors, DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 0.0, 0.0]));
        let beyond = [vec![3], vec![0]];
        assert!(Triplets { groups: &beyond, ..triplets }.combined().is_err());
    }
}
