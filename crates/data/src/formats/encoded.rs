use std::path::{Path, PathBuf};

use domino_core::ImageShape;

use super::error::{FormatError, PictureError};
use super::image::Picture;
use super::pickle::{self, PickleError};
use super::pictures::{PictureSink, Pictures};
use crate::npz::{Expected, FileError, Limits, Rows};

const IMAGES: Expected =
    Expected { name: "imgs", content: "[N, 2] byte strings, each a JPEG or PNG picture" };

/// Encoded pictures in `[N, 2]` arrays of byte strings, before and after in turn, over several files.
#[derive(Debug)]
pub(super) struct EncodedPictures {
    files: Vec<EncodedFile>,
    counts: Vec<usize>,
    shape: ImageShape,
    limits: Limits,
}

#[derive(Debug)]
struct EncodedFile {
    path: PathBuf,
    rows: Rows,
    count: usize,
}

impl EncodedPictures {
    /// Opens the arrays; the first picture says how large all are.
    pub(super) fn open(paths: &[PathBuf], limits: Limits) -> Result<Self, FormatError> {
        let files = paths.iter().map(|path| EncodedFile::open(path, limits));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let mut shape = None;
        if let Some(first) = files.first() {
            first.visit(&[0], &mut |number, bytes| {
                shape = Some(first.decode(number, bytes, limits)?.shape);
                Ok(())
            })?;
        }
        let Some(shape) = shape else {
            let expected = "at least one file".into();
            return Err(FormatError::Missing { path: PathBuf::new(), expected, found: Vec::new() });
        };
        let counts = files.iter().map(|file| file.count).collect();
        Ok(Self { files, counts, shape, limits })
    }

    /// Pictures of each file.
    pub(super) fn counts(&self) -> &[usize] {
        &self.counts
    }
}

impl Pictures for EncodedPictures {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    fn visit(&self, wanted: &[usize], sink: &mut PictureSink<'_>) -> Result<(), FormatError> {
        let mut start = 0;
        let mut rest = wanted;
        for file in &self.files {
            let (here, later) = rest.split_at(rest.partition_point(|&n| n < start + file.count));
            let local: Vec<usize> = here.iter().map(|number| number - start).collect();
            file.visit(&local, &mut |number, bytes| {
                let picture = file.decode(number, bytes, self.limits)?;
                let picture = picture.sized_like(self.shape).map_err(|e| file.wrong(number, e))?;
                sink(start + number, &picture.data)
            })?;
            (start, rest) = (start + file.count, later);
        }
        Ok(())
    }
}

impl EncodedFile {
    fn open(path: &Path, limits: Limits) -> Result<Self, FormatError> {
        let rows = Rows::find(path, IMAGES, limits)?;
        let count = match *rows.shape() {
            [n, 2] => n.checked_mul(2).ok_or_else(|| rows.wrong_shape())?,
            _ => return Err(rows.wrong_shape().into()),
        };
        if rows.string_length().is_none() && !rows.is_pickled() {
            return Err(rows.wrong_type().into());
        }
        Ok(Self { path: path.to_owned(), rows, count })
    }

    fn decode(&self, number: usize, bytes: &[u8], limits: Limits) -> Result<Picture, FormatError> {
        Picture::decode(bytes, limits).map_err(|reason| self.wrong(number, reason))
    }

    fn wrong(&self, number: usize, reason: PictureError) -> FormatError {
        let picture = format!("imgs[{}, {}]", number / 2, number % 2);
        FormatError::Picture { path: self.path.clone(), picture, reason }
    }

    /// Hands over the bytes of the wanted pictures.
    fn visit(&self, wanted: &[usize], sink: &mut PictureSink<'_>) -> Result<(), FormatError> {
        if wanted.is_empty() {
            return Ok(());
        }
        match self.rows.string_length() {
            Some(length) => self.visit_strings(length, wanted, sink),
            None => self.visit_pickled(wanted, sink),
        }
    }

    fn visit_strings(
        &self,
        length: usize,
        wanted: &[usize],
        sink: &mut PictureSink<'_>,
    ) -> Result<(), FormatError> {
        let mut pairs: Vec<usize> = wanted.iter().map(|number| number / 2).collect();
        pairs.dedup();
        let mut wanted = wanted.iter().copied().peekable();
        self.rows.visit(&pairs, &mut |pair, bytes| {
            while let Some(number) = wanted.next_if(|number| number / 2 == pair) {
                let string = &bytes[number % 2 * length..][..length];
                // NumPy pads with zeros, on which no picture ends.
                let end = string.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
                sink(number, &string[..end])?;
            }
            Ok(())
        })
    }

    fn visit_pickled(
        &self,
        wanted: &[usize],
        sink: &mut PictureSink<'_>,
    ) -> Result<(), FormatError> {
        let mut wanted = wanted.iter().copied().peekable();
        self.rows.raw(|stream| {
            let visited = pickle::visit(stream, self.count, &mut |number, bytes| {
                if wanted.next_if_eq(&number).is_some() {
                    sink(number, bytes).map_err(Stop::Sink)?;
                }
                if wanted.peek().is_none() { Err(Stop::Done) } else { Ok(()) }
            });
            match visited {
                Ok(()) | Err(Stop::Done) => Ok(()),
                Err(Stop::Sink(error)) => Err(error),
                Err(Stop::Pickle(reason)) => Err(self.pickled(&reason)),
            }
        })
    }

    fn pickled(&self, reason: &PickleError) -> FormatError {
        FormatError::Malformed {
            path: self.path.clone(),
            place: IMAGES.name.into(),
            expected:
                "an array of byte strings; anything else is never unpickled: convert it with \
                       np.savez(..., imgs=np.array(list_of_pairs_of_bytes, dtype=bytes))"
                    .into(),
            got: format!("pickled objects with {reason}"),
        }
    }
}

/// Why a walk through a pickle ends.
enum Stop {
    /// Nothing more is wanted.
    Done,
    Sink(FormatError),
    Pickle(PickleError),
}

impl From<PickleError> for Stop {
    fn from(reason: PickleError) -> Self {
        Self::Pickle(reason)
    }
}

impl From<FileError> for Stop {
    fn from(error: FileError) -> Self {
        Self::Sink(error.into())
    }
}
