use std::path::{Path, PathBuf};

use domino_core::{ImageShape, Observations, Pairs};

use super::error::FormatError;
use super::options::ReadOptions;
use super::resize::{Filter, resize};
use crate::npz::Limits;

/// Takes the number of a picture and its bytes, `[height, width, channels]`.
pub type PictureSink<'a> = dyn FnMut(usize, &[u8]) -> Result<(), FormatError> + 'a;

/// Many pictures of one shape, read where they lie and only where they are wanted.
pub trait Pictures: Send + Sync {
    /// Shape of every picture.
    fn shape(&self) -> ImageShape;

    /// Number of pictures.
    fn len(&self) -> usize;

    /// Whether there is no picture.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hands the wanted pictures, whose numbers ascend strictly, to `sink` in this order.
    ///
    /// # Errors
    /// [`FormatError`] if a picture cannot be read, and whatever `sink` returns.
    fn visit(&self, wanted: &[usize], sink: &mut PictureSink<'_>) -> Result<(), FormatError>;
}

/// Height and width that pictures are brought to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// That in which the set is usually used: 64 × 64 where the stored pictures are larger.
    #[default]
    Usual,
    /// That of the stored pictures.
    Stored,
    /// Any other.
    Of {
        /// Rows of pixels.
        height: usize,
        /// Columns of pixels.
        width: usize,
    },
}

/// Side of the pictures in the usual form of the sets.
const USUAL_SIDE: usize = 64;

impl Size {
    fn of(self, stored: ImageShape) -> [usize; 2] {
        match self {
            Self::Usual => [stored.height.min(USUAL_SIDE), stored.width.min(USUAL_SIDE)],
            Self::Stored => [stored.height, stored.width],
            Self::Of { height, width } => [height.max(1), width.max(1)],
        }
    }
}

/// How chosen pictures are brought together.
#[derive(Clone, Debug)]
pub(super) struct Gather {
    /// For messages.
    pub(super) path: PathBuf,
    pub(super) size: Size,
    pub(super) filter: Filter,
    pub(super) limits: Limits,
}

impl Gather {
    pub(super) fn new(path: &Path, options: &ReadOptions) -> Self {
        let ReadOptions { size, filter, limits, .. } = *options;
        Self { path: path.to_owned(), size, filter, limits }
    }

    /// Pairs of pictures by their numbers, read in one pass.
    pub(super) fn pairs(
        &self,
        pictures: &dyn Pictures,
        before: &[usize],
        after: &[usize],
    ) -> Result<Pairs, FormatError> {
        let (mut data, shape) = self.images(pictures, &[before, after].concat())?;
        let after = data.split_off(before.len() * shape.len());
        let images = |data| Observations::Images { data, shape };
        Pairs::new(images(data), images(after))
            .map_err(|reason| FormatError::Pairs { path: self.path.clone(), reason })
    }

    /// The pictures of the given numbers, in this order, repetitions allowed.
    pub(super) fn images(
        &self,
        pictures: &dyn Pictures,
        numbers: &[usize],
    ) -> Result<(Vec<u8>, ImageShape), FormatError> {
        let stored = pictures.shape();
        let size = self.size.of(stored);
        let shape = ImageShape { height: size[0], width: size[1], channels: stored.channels };
        let mut data = self.room(numbers.len(), shape)?;
        let mut places: Vec<(usize, usize)> = numbers.iter().copied().zip(0..).collect();
        places.sort_unstable();
        let mut wanted: Vec<usize> = places.iter().map(|&(number, _)| number).collect();
        wanted.dedup();
        let mut places = places.into_iter().peekable();
        pictures.visit(&wanted, &mut |number, picture| {
            let resized;
            let mut picture = picture;
            if size != [stored.height, stored.width] {
                resized = resize(picture, stored, size, self.filter);
                picture = &resized;
            }
            while let Some((_, place)) = places.next_if(|&(other, _)| other == number) {
                data[place * shape.len()..][..shape.len()].copy_from_slice(picture);
            }
            Ok(())
        })?;
        Ok((data, shape))
    }

    /// Memory for `count` pictures, within the limit.
    fn room(&self, count: usize, shape: ImageShape) -> Result<Vec<u8>, FormatError> {
        let sides = [count, shape.height, shape.width, shape.channels];
        let declared = sides.iter().fold(1, |bytes: u128, &n| bytes.saturating_mul(n as u128));
        if declared > u128::from(self.limits.max_bytes) {
            return Err(FormatError::TooLarge {
                path: self.path.clone(),
                what: format!("{count} pictures of {} x {}", shape.height, shape.width),
                declared,
                limit: self.limits.max_bytes,
            });
        }
        Ok(vec![0; count * shape.len()])
    }
}
