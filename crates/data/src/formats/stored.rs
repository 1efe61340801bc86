use std::path::Path;

use domino_core::ImageShape;

use super::error::FormatError;
use super::pictures::{PictureSink, Pictures};
use crate::npz::{Expected, Limits, Rows};

/// Pictures in a uint8 array of an `.npz`, `[…, height, width, channels]` or without channels.
#[derive(Clone, Debug)]
pub(super) struct StoredPictures {
    rows: Rows,
    /// Lengths of the axes that count pictures.
    outer: Vec<usize>,
    stored: ImageShape,
    /// Channels that count; further ones are left out.
    kept: usize,
    levels: Levels,
}

/// What the values of pixels mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Levels {
    /// From 0 to 255.
    Bytes,
    /// 0 is black, anything else white.
    Bilevel,
}

/// Which of an array's last axes make a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axes {
    /// `[height, width]`, one channel.
    HeightWidth,
    /// `[height, width, channels]`.
    HeightWidthChannels,
}

impl StoredPictures {
    pub(super) fn find(
        path: &Path,
        expected: Expected,
        axes: Axes,
        limits: Limits,
    ) -> Result<Self, FormatError> {
        let rows = Rows::find(path, expected, limits)?;
        if !rows.holds_bytes() {
            return Err(rows.wrong_type().into());
        }
        let (outer, stored) = match (axes, rows.shape()) {
            (Axes::HeightWidth, [outer @ .., height, width]) => {
                (outer, ImageShape { height: *height, width: *width, channels: 1 })
            }
            (Axes::HeightWidthChannels, [outer @ .., height, width, channels]) => {
                (outer, ImageShape { height: *height, width: *width, channels: *channels })
            }
            _ => return Err(rows.wrong_shape().into()),
        };
        if outer.is_empty() {
            return Err(rows.wrong_shape().into());
        }
        let outer = outer.to_vec();
        Ok(Self { outer, stored, kept: stored.channels, levels: Levels::Bytes, rows })
    }

    /// The same pictures with the first `channels` channels, if they have as many.
    pub(super) fn with_channels(self, channels: usize) -> Result<Self, FormatError> {
        if self.stored.channels < channels {
            return Err(self.rows.wrong_shape().into());
        }
        Ok(Self { kept: channels, ..self })
    }

    /// The same pictures, if they are counted by one axis.
    pub(super) fn in_one_row(self) -> Result<Self, FormatError> {
        if self.outer.len() == 1 { Ok(self) } else { Err(self.rows.wrong_shape().into()) }
    }

    /// The same pictures with 0 as black and everything else as white.
    pub(super) fn bilevel(self) -> Self {
        Self { levels: Levels::Bilevel, ..self }
    }

    pub(super) fn outer(&self) -> &[usize] {
        &self.outer
    }

    fn converted<'a>(&self, picture: &'a [u8], room: &'a mut Vec<u8>) -> &'a [u8] {
        if self.levels == Levels::Bilevel {
            room.clear();
            room.extend(picture.iter().map(|&v| if v == 0 { 0 } else { u8::MAX }));
            return room;
        }
        if self.kept == self.stored.channels {
            return picture;
        }
        room.clear();
        for pixel in picture.chunks_exact(self.stored.channels) {
            room.extend_from_slice(&pixel[..self.kept]);
        }
        room
    }
}

impl Pictures for StoredPictures {
    fn shape(&self) -> ImageShape {
        ImageShape { channels: self.kept, ..self.stored }
    }

    fn len(&self) -> usize {
        self.outer.iter().product()
    }

    fn visit(&self, wanted: &[usize], sink: &mut PictureSink<'_>) -> Result<(), FormatError> {
        // Where several axes count, a row of the array holds many pictures.
        let per_row: usize = self.outer[1..].iter().product();
        let mut rows: Vec<usize> = wanted.iter().map(|number| number / per_row).collect();
        rows.dedup();
        let mut wanted = wanted.iter().copied().peekable();
        let mut room = Vec::new();
        self.rows.visit(&rows, &mut |row, bytes| {
            while let Some(number) = wanted.next_if(|number| number / per_row == row) {
                let picture = &bytes[number % per_row * self.stored.len()..][..self.stored.len()];
                sink(number, self.converted(picture, &mut room))?;
            }
            Ok(())
        })
    }
}
