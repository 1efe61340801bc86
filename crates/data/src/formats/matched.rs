use std::path::{Path, PathBuf};

use domino_core::{GroundTruth, Pairs, Stream};
use nalgebra::DMatrix;
use rand::RngExt;

use super::error::FormatError;
use super::factored::target_of;
use super::options::ReadOptions;
use super::pictures::{Gather, Pictures};

/// Pictures with continuous latents, no two of which agree in any latent.
pub(super) struct LatentImages {
    pub(super) path: PathBuf,
    /// `[n, d]`, one row per picture.
    pub(super) latents: DMatrix<f64>,
    pub(super) names: Vec<String>,
    /// Latents from here on never differ within a pair, such as the class of an object.
    pub(super) fixed_from: usize,
    pub(super) pictures: Box<dyn Pictures>,
}

/// Pairs that agree in the kept latents only nearly.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchedPairs {
    /// The two pictures.
    pub pairs: Pairs,
    /// Latents and targets.
    pub truth: GroundTruth,
    /// How far the kept latents of each pair lie apart: the root mean square of the differences,
    /// each divided by the range of its latent, from 0 (equal) to 1.
    pub distances: Vec<f64>,
}

impl LatentImages {
    /// For each pair a picture drawn uniformly, the latents that the rule draws, and the picture
    /// that is nearest to the first in all other latents.
    pub(super) fn pairs(&self, options: &ReadOptions) -> Result<MatchedPairs, FormatError> {
        let (n, available) = (options.pairs, self.latents.nrows());
        if n == 0 || available < 2 {
            return Err(FormatError::TooFew { path: self.path.clone(), asked: n, available });
        }
        let search = Search::new(&self.path, &self.latents, self.fixed_from)?;
        let mut rng = options.seed.rng(Stream::Data);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let (mut targets, mut distances) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let changed = options.rule.draw(self.fixed_from, &mut rng)?;
            let first = rng.random_range(0..available);
            let (second, distance) = if changed.is_empty() {
                (first, 0.0)
            } else {
                search.nearest(first, &changed).ok_or_else(|| self.alone(first))?
            };
            before.push(first);
            after.push(second);
            targets.push(target_of(changed));
            distances.push(distance);
        }
        let truth = GroundTruth {
            z_before: Some(self.latents.select_rows(&before)),
            z_after: Some(self.latents.select_rows(&after)),
            targets: Some(targets),
            names: Some(self.names.clone()),
            ..GroundTruth::default()
        };
        let pairs = Gather::new(&self.path, options).pairs(&*self.pictures, &before, &after)?;
        Ok(MatchedPairs { pairs, truth, distances })
    }

    fn alone(&self, picture: usize) -> FormatError {
        FormatError::Malformed {
            path: self.path.clone(),
            place: format!("picture {picture}"),
            expected: "another one of its class".into(),
            got: "none".into(),
        }
    }
}

/// Latents scaled to ranges of 1, row-major.
struct Search {
    scaled: Vec<f64>,
    d: usize,
    fixed_from: usize,
}

impl Search {
    fn new(path: &Path, latents: &DMatrix<f64>, fixed_from: usize) -> Result<Self, FormatError> {
        let (n, d) = latents.shape();
        if let Some(at) = latents.iter().position(|v| !v.is_finite()) {
            return Err(FormatError::Malformed {
                path: path.to_owned(),
                place: format!("latents[{}, {}]", at % n, at / n),
                expected: "a finite number".into(),
                got: latents[at].to_string(),
            });
        }
        let mut scaled = vec![0.0; n * d];
        for (k, column) in latents.column_iter().enumerate() {
            let (low, range) = (column.min(), column.max() - column.min());
            // A latent that never differs keeps no picture from another.
            let scale = if range > 0.0 { range.recip() } else { 0.0 };
            for (row, v) in column.iter().enumerate() {
                scaled[row * d + k] = (v - low) * scale;
            }
        }
        Ok(Self { scaled, d, fixed_from })
    }

    /// The nearest other picture in the latents that are not `free`, the first of equals, and its
    /// distance.
    fn nearest(&self, from: usize, free: &[usize]) -> Option<(usize, f64)> {
        let kept: Vec<usize> = (0..self.fixed_from).filter(|k| !free.contains(k)).collect();
        let point = &self.scaled[from * self.d..][..self.d];
        let mut best = (None, f64::INFINITY);
        for (other, candidate) in self.scaled.chunks_exact(self.d).enumerate() {
            let same_group =
                (self.fixed_from..self.d).all(|k| point[k].total_cmp(&candidate[k]).is_eq());
            if other == from || !same_group {
                continue;
            }
            let mut square = 0.0;
            for &k in &kept {
                square += (point[k] - candidate[k]).powi(2);
                if square >= best.1 {
                    break;
                }
            }
            if square < best.1 {
                best = (Some(other), square);
            }
        }
        let count = kept.len().max(1) as f64;
        best.0.map(|other| (other, (best.1 / count).sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_in_the_kept_latents_is_found_within_its_class() {
        let latents = nalgebra::dmatrix![
            0.0, 0.0, 0.0;
            1.0, 1.0, 0.0;
            0.9, 0.1, 0.0;
            0.0, 0.0, 1.0
        ];
        let search = Search::new(Path::new("set"), &latents, 2).unwrap();
        // Free to change latent 0, row 2 is 0.1 away in latent 1; row 3 is of another class.
        let (other, distance) = search.nearest(0, &[0]).unwrap();
        assert_eq!(other, 2);
        assert!((distance - 0.1).abs() < 1e-12);
        assert_eq!(search.nearest(0, &[1]).unwrap().0, 2);
        assert_eq!(search.nearest(3, &[0]), None);
    }

    #[test]
    fn a_nan_is_named() {
        let latents = nalgebra::dmatrix![0.0, f64::NAN; 1.0, 2.0];
        let error = Search::new(Path::new("set"), &latents, 2).err().unwrap().to_string();
        assert_eq!(error, "set: latents[0, 1]: expected a finite number, got NaN");
    }
}
