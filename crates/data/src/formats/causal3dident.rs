use std::fmt;
use std::path::{Path, PathBuf};

use nalgebra::DMatrix;

use super::error::FormatError;
use super::files::FilePictures;
use super::matched::{LatentImages, MatchedPairs};
use super::options::ReadOptions;
use crate::npz::{Expected, FileError, Limits, read_npy};

const LATENTS: Expected = Expected { name: "raw_latents", content: "[N, 10] numbers" };
const NAMES: [&str; 10] = [
    "pos_y",
    "pos_x",
    "pos_z",
    "rot_alpha",
    "rot_beta",
    "rot_gamma",
    "pos_spot",
    "hue_object",
    "hue_spot",
    "hue_back",
];
/// Classes of objects that a set can have; the published one has seven.
const CLASSES: usize = 100;

/// `Causal3DIdent`: an object of one of seven classes under a spotlight, ten continuous latents.
///
/// The set has no pairs, and since its latents are continuous, no two of its pictures agree in any
/// latent. A pair is a picture, drawn uniformly, and that picture of the same class which is nearest
/// to it in all latents but those that the rule draws: nearest by the root mean square of
/// differences, each divided by the range of its latent. The kept latents so move as well, in the
/// published set (36 000 pictures per class) by about a tenth of their range each: `z_before` and
/// `z_after` say how much in each pair, and [`MatchedPairs::distances`] sums it up. The targets are
/// the latents that were drawn. Where several classes are present, the class is an eleventh variable
/// that no pair changes.
///
/// Von Kügelgen et al., *Self-Supervised Learning with Data Augmentations Provably Isolates Content
/// from Style*, `NeurIPS` 2021, arXiv 2106.04619.
pub struct Causal3dIdent {
    images: LatentImages,
}

impl Causal3dIdent {
    /// Opens the folder of a part, or in the folder of the set its part `split` (`train`, `test`).
    ///
    /// # Errors
    /// [`FormatError`] if the latents or the first picture cannot be read or are of other form.
    pub fn open(path: &Path, split: Option<&str>, limits: Limits) -> Result<Self, FormatError> {
        let folder = part(path, split)?;
        let mut classes = Vec::new();
        for class in 0..CLASSES {
            let file = folder.join(format!("raw_latents_{class}.npy"));
            if file.is_file() {
                classes.push((class, latents(&file, limits)?));
            }
        }
        if classes.is_empty() {
            return Err(FormatError::Missing {
                path: folder.clone(),
                expected: "raw_latents_0.npy and so on".into(),
                found: super::folder::names(&folder)?,
            });
        }
        let (latents, names) = join(&classes);
        let counts: Vec<(usize, usize)> = classes.iter().map(|(c, m)| (*c, m.nrows())).collect();
        let root = folder.clone();
        let place = move |number: usize| Ok(picture_path(&root, &counts, number));
        let pictures = FilePictures::open(latents.nrows(), Box::new(place), limits)?;
        let images = LatentImages {
            path: folder,
            latents,
            names,
            fixed_from: NAMES.len(),
            pictures: Box::new(pictures),
        };
        Ok(Self { images })
    }

    /// The latents of all pictures, `[n, 10]`, or `[n, 11]` with the class.
    pub fn latents(&self) -> &DMatrix<f64> {
        &self.images.latents
    }

    /// Names of the latents.
    pub fn names(&self) -> &[String] {
        &self.images.names
    }

    /// Nearly matching pairs, see [`Causal3dIdent`]. The search takes time in proportion to pairs
    /// times pictures of a class.
    ///
    /// # Errors
    /// [`FormatError`] if a latent is not finite, if the rule asks for more than ten changes, or if
    /// pictures cannot be read.
    pub fn pairs(&self, options: &ReadOptions) -> Result<MatchedPairs, FormatError> {
        self.images.pairs(options)
    }
}

impl fmt::Debug for Causal3dIdent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Causal3dIdent");
        f.field("path", &self.images.path).finish_non_exhaustive()
    }
}

fn part(path: &Path, split: Option<&str>) -> Result<PathBuf, FormatError> {
    let split = split.unwrap_or("train");
    if super::folder::names(path)?.iter().any(|name| name.starts_with("raw_latents_")) {
        return Ok(path.to_owned());
    }
    Ok(path.join(split))
}

fn latents(file: &Path, limits: Limits) -> Result<DMatrix<f64>, FormatError> {
    let array = read_npy(file, LATENTS, limits)?;
    let latents = array.into_matrix(LATENTS.content).map_err(|reason| {
        FormatError::Npz(FileError::Array { path: file.to_owned(), array: LATENTS.name, reason })
    })?;
    if latents.ncols() != NAMES.len() {
        return Err(FormatError::Malformed {
            path: file.to_owned(),
            place: LATENTS.name.into(),
            expected: LATENTS.content.into(),
            got: format!("{} columns", latents.ncols()),
        });
    }
    Ok(latents)
}

/// All classes below each other, with the class as a further column where there are several.
fn join(classes: &[(usize, DMatrix<f64>)]) -> (DMatrix<f64>, Vec<String>) {
    let with_class = classes.len() > 1;
    let mut rows = Vec::new();
    for (class, latents) in classes {
        for row in latents.row_iter() {
            rows.extend(row.iter());
            rows.extend(with_class.then_some(*class as f64));
        }
    }
    let names = NAMES.into_iter().chain(with_class.then_some("class"));
    let names: Vec<String> = names.map(str::to_owned).collect();
    (DMatrix::from_row_slice(rows.len() / names.len(), names.len(), &rows), names)
}

/// Indices are padded to as many digits as the power of ten that holds the count.
fn picture_path(folder: &Path, counts: &[(usize, usize)], number: usize) -> PathBuf {
    let mut index = number;
    for &(class, count) in counts {
        if index < count {
            let digits = if count <= 1 { 0 } else { (count - 1).ilog10() as usize + 1 };
            let name = format!("{index:0digits$}.png");
            return folder.join(format!("images_{class}")).join(name);
        }
        index -= count;
    }
    folder.join(format!("{number}.png"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_padded_to_the_logarithm_of_the_count() {
        let name = |count: usize, number: usize| {
            let path = picture_path(Path::new("t"), &[(0, 2), (3, count)], number + 2);
            path.to_str().unwrap().to_owned()
        };
        // ceil(log10(count)) digits.
        assert_eq!(name(1, 0), "t/images_3/0.png");
        assert_eq!(name(10, 7), "t/images_3/7.png");
        assert_eq!(name(11, 7), "t/images_3/07.png");
        assert_eq!(name(100, 7), "t/images_3/07.png");
        assert_eq!(name(101, 7), "t/images_3/007.png");
    }
}
