use std::path::{Path, PathBuf};

use domino_core::{Dag, GroundTruth, ImageShape, InterventionTarget, Pairs};
use nalgebra::DMatrix;

use super::error::FormatError;
use super::options::ReadOptions;
use super::pictures::{Gather, Pictures};
use super::stored::StoredPictures;

/// Frames of one long video, with interventions between consecutive frames.
///
/// Frame `t` is a pair with frame `t + 1`. The variables that an intervention did not set move on by
/// their own dynamics and their own new noise, so that, unlike in counterfactual pairs, they differ
/// between the two sides of a pair too.
#[derive(Clone, Debug)]
pub struct Video {
    pub(super) path: PathBuf,
    pub(super) frames: StoredPictures,
    pub(super) latents: DMatrix<f64>,
    pub(super) names: Vec<String>,
    pub(super) targets: Vec<InterventionTarget>,
    pub(super) dag: Option<Dag>,
}

impl Video {
    /// Checks that frames, latents and targets fit each other.
    pub(super) fn checked(self) -> Result<Self, FormatError> {
        let malformed = |place: &str, expected: String, got: usize| FormatError::Malformed {
            path: self.path.clone(),
            place: place.into(),
            expected,
            got: got.to_string(),
        };
        let (frames, rows) = (self.frames.len(), self.latents.nrows());
        if rows != frames {
            let expected = format!("{frames} rows, one per frame");
            return Err(malformed("latents", expected, rows));
        }
        if self.targets.len() + 1 != frames {
            let expected = format!("{} rows, one per pair of consecutive frames", frames - 1);
            return Err(malformed("targets", expected, self.targets.len()));
        }
        Ok(self)
    }

    /// Names of the causal variables.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The causal variables, `[frames, d]`.
    pub fn latents(&self) -> &DMatrix<f64> {
        &self.latents
    }

    /// What was set between each frame and the next, one fewer than frames.
    pub fn targets(&self) -> &[InterventionTarget] {
        &self.targets
    }

    /// Shape of a stored frame.
    pub fn shape(&self) -> ImageShape {
        self.frames.shape()
    }

    /// Pairs of consecutive frames, in the order of the video.
    ///
    /// # Errors
    /// [`FormatError`] if there are no two frames, if frames cannot be read, or if a latent is not
    /// finite.
    pub fn pairs(&self, options: &ReadOptions) -> Result<(Pairs, GroundTruth), FormatError> {
        let before = options.choose(self.targets.len());
        if before.is_empty() {
            let (path, available) = (self.path.clone(), self.targets.len());
            return Err(FormatError::TooFew { path, asked: options.pairs, available });
        }
        let after: Vec<usize> = before.iter().map(|t| t + 1).collect();
        let truth = GroundTruth {
            z_before: Some(self.latents.select_rows(&before)),
            z_after: Some(self.latents.select_rows(&after)),
            targets: Some(before.iter().map(|&t| self.targets[t].clone()).collect()),
            dag: self.dag.clone(),
            names: Some(self.names.clone()),
            ..GroundTruth::default()
        };
        let pairs = Gather::new(&self.path, options).pairs(&self.frames, &before, &after)?;
        Ok((pairs, truth))
    }
}

/// The file of a part of a set: `path` itself, or `{split}.npz` in the folder `path`.
pub(super) fn split_file(path: &Path, split: Option<&str>) -> PathBuf {
    if path.is_dir() { path.join(format!("{}.npz", split.unwrap_or("train"))) } else { path.into() }
}

/// One target per row of masks; each column of the masks sets the listed variables.
pub(super) fn targets_of_masks(masks: &[f64], columns: &[Vec<usize>]) -> Vec<InterventionTarget> {
    let target = |mask: &[f64]| {
        let set = mask.iter().zip(columns).filter(|(entry, _)| **entry > 0.0);
        let mut variables: Vec<usize> = set.flat_map(|(_, variables)| variables.clone()).collect();
        variables.sort_unstable();
        variables.dedup();
        super::factored::target_of(variables)
    };
    masks.chunks_exact(columns.len().max(1)).map(target).collect()
}
