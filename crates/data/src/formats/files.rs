use std::path::PathBuf;

use domino_core::ImageShape;

use super::error::FormatError;
use super::image::Picture;
use super::pictures::{PictureSink, Pictures};
use crate::npz::Limits;

/// Where the picture of a number lies.
pub(super) type Place = dyn Fn(usize) -> Result<PathBuf, FormatError> + Send + Sync;

/// Pictures in one file each.
pub(super) struct FilePictures {
    place: Box<Place>,
    count: usize,
    shape: ImageShape,
    limits: Limits,
}

impl FilePictures {
    /// `count` pictures, at least one; the first says how large all are.
    pub(super) fn open(
        count: usize,
        place: Box<Place>,
        limits: Limits,
    ) -> Result<Self, FormatError> {
        let shape = Picture::read(&place(0)?, limits)?.shape;
        Ok(Self { place, count, shape, limits })
    }
}

impl Pictures for FilePictures {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn len(&self) -> usize {
        self.count
    }

    fn visit(&self, wanted: &[usize], sink: &mut PictureSink<'_>) -> Result<(), FormatError> {
        for &number in wanted {
            let path = (self.place)(number)?;
            let picture = Picture::read(&path, self.limits)?.sized_like(self.shape);
            let picture = picture.map_err(|reason| FormatError::Picture {
                path,
                picture: "the picture".into(),
                reason,
            })?;
            sink(number, &picture.data)?;
        }
        Ok(())
    }
}
