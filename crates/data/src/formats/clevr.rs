use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::FormatError;
use super::folder::{Folder, names, read_file};
use super::image::Picture;
use crate::npz::Limits;

/// CLEVR: scenes of spheres, cubes and cylinders, each with its picture.
///
/// The number of objects differs between scenes, and neither pictures nor pairs of them form a grid:
/// scenes and pictures are given one by one.
///
/// Johnson et al., *CLEVR: A Diagnostic Dataset for Compositional Language and Elementary Visual
/// Reasoning*, CVPR 2017, arXiv 1612.06890.
#[derive(Debug)]
pub struct Clevr {
    listing: PathBuf,
    pictures: Folder,
    scenes: Vec<Scene>,
    limits: Limits,
}

/// What is in a picture.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Scene {
    /// Name of the picture's file.
    pub image_filename: String,
    /// The objects.
    pub objects: Vec<SceneObject>,
}

/// An object of a scene.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SceneObject {
    /// Centre in the scene.
    #[serde(rename = "3d_coords")]
    pub coords: [f64; 3],
    /// Column and row of the centre in the picture, and distance from the camera.
    pub pixel_coords: [f64; 3],
    /// Turn about the vertical, in degrees.
    pub rotation: f64,
    /// `small` or `large`.
    pub size: String,
    /// Name of the colour.
    pub color: String,
    /// `rubber` or `metal`.
    pub material: String,
    /// `cube`, `sphere` or `cylinder`.
    pub shape: String,
}

#[derive(Deserialize)]
struct Listing {
    scenes: Vec<Scene>,
}

impl Clevr {
    /// Opens the part `split` (`train`, `val`) of the set in the folder `path`.
    ///
    /// # Errors
    /// [`FormatError`] if the scenes cannot be read or are of other form.
    pub fn open(path: &Path, split: Option<&str>, limits: Limits) -> Result<Self, FormatError> {
        let split = split.unwrap_or("train");
        let listing = path.join("scenes").join(format!("CLEVR_{split}_scenes.json"));
        if !listing.is_file() {
            let scenes = path.join("scenes");
            let found = names(if scenes.is_dir() { &scenes } else { path })?;
            let expected = format!("scenes/CLEVR_{split}_scenes.json");
            return Err(FormatError::Missing { path: path.to_owned(), expected, found });
        }
        let bytes = read_file(&listing, limits)?;
        let parsed: Result<Listing, _> = serde_json::from_slice(&bytes);
        let Listing { scenes } = parsed.map_err(|e| FormatError::Malformed {
            path: listing.clone(),
            place: format!("line {}, column {}", e.line(), e.column()),
            expected: "a JSON object with scenes".into(),
            got: e.to_string(),
        })?;
        let pictures = Folder::open(&path.join("images").join(split))?;
        Ok(Self { listing, pictures, scenes, limits })
    }

    /// The scenes.
    pub fn scenes(&self) -> &[Scene] {
        &self.scenes
    }

    /// The picture of a scene.
    ///
    /// # Errors
    /// [`FormatError`] if the scene names a file outside the folder of pictures, or if that file
    /// cannot be read or decoded.
    pub fn picture(&self, scene: &Scene) -> Result<Picture, FormatError> {
        let path = self.pictures.join(&self.listing, &scene.image_filename)?;
        Picture::read(&path, self.limits)
    }
}
