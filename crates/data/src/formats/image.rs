//! Decoding of single pictures to 8-bit red, green and blue.

use std::io::Cursor;
use std::path::Path;

use domino_core::ImageShape;
use png::{BitDepth, ColorType, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::error::{FormatError, PictureError};
use super::folder::read_file;
use crate::npz::Limits;

/// Pixels that one byte of a PNG or JPEG file can stand for at most: both pack no better than about
/// 1024 bytes into one, and a pixel of a bilevel PNG is an eighth of a byte.
const PIXELS_PER_BYTE: usize = 8 * 1032;

/// 8192 × 8192; the largest pictures of the known sets have 512 × 512.
const MOST_PIXELS: u128 = 1 << 26;

/// A decoded picture, `[height, width, 3]`, 8 bits of red, green and blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Row-major values.
    pub data: Vec<u8>,
    /// Height, width and 3.
    pub shape: ImageShape,
}

impl Picture {
    /// Decodes a PNG or JPEG file at hand.
    ///
    /// Grey becomes three equal channels, a palette its colours, 16 bits their upper 8, and an alpha
    /// channel is dropped, not blended: colours stay those that the file stores.
    ///
    /// # Errors
    /// [`PictureError`] if the bytes are neither, are damaged, or declare more than `limits` allow.
    pub fn decode(bytes: &[u8], limits: Limits) -> Result<Self, PictureError> {
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => decode_png(bytes, limits),
            [0xff, 0xd8, 0xff, ..] => decode_jpeg(bytes, limits),
            _ => Err(PictureError::Format { got: bytes[..bytes.len().min(8)].to_vec() }),
        }
    }

    /// Reads a PNG or JPEG file.
    ///
    /// # Errors
    /// [`FormatError`] if the file cannot be read or decoded.
    pub fn read(path: &Path, limits: Limits) -> Result<Self, FormatError> {
        let bytes = read_file(path, limits)?;
        Self::decode(&bytes, limits).map_err(|reason| FormatError::Picture {
            path: path.to_owned(),
            picture: "the picture".into(),
            reason,
        })
    }

    /// The picture, if it has the height and width of `expected`.
    pub(super) fn sized_like(self, expected: ImageShape) -> Result<Self, PictureError> {
        let size = |shape: ImageShape| [shape.height, shape.width];
        if size(self.shape) == size(expected) {
            return Ok(self);
        }
        Err(PictureError::Size { expected: size(expected), got: size(self.shape) })
    }
}

fn checked_shape(
    (height, width): (usize, usize),
    bytes: &[u8],
    limits: Limits,
) -> Result<ImageShape, PictureError> {
    let most = bytes.len().saturating_mul(PIXELS_PER_BYTE) as u128;
    let pixels = height as u128 * width as u128;
    if pixels == 0 || pixels > most.min(MOST_PIXELS) || 3 * pixels > u128::from(limits.max_bytes) {
        return Err(PictureError::TooLarge { width, height, bytes: bytes.len() });
    }
    Ok(ImageShape { height, width, channels: 3 })
}

fn decode_png(bytes: &[u8], limits: Limits) -> Result<Picture, PictureError> {
    let damaged =
        |e: png::DecodingError| PictureError::Damaged { format: "PNG", reason: e.to_string() };
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let size = (reader.info().height as usize, reader.info().width as usize);
    // The decoder takes the palette as it is and would panic on a colour in part.
    let palette = reader.info().palette.as_deref().unwrap_or_default();
    if palette.len() % 3 != 0 {
        let reason = format!("a palette of {} bytes", palette.len());
        return Err(PictureError::Damaged { format: "PNG", reason });
    }
    let shape = checked_shape(size, bytes, limits)?;
    let Some(length) = reader.output_buffer_size() else {
        return Err(PictureError::TooLarge { width: size.1, height: size.0, bytes: bytes.len() });
    };
    let mut raw = vec![0; length];
    let frame = reader.next_frame(&mut raw).map_err(damaged)?;
    debug_assert_eq!(frame.bit_depth, BitDepth::Eight, "expanded and stripped");
    let data = match frame.color_type {
        ColorType::Grayscale => first_of_each::<1>(&raw),
        ColorType::GrayscaleAlpha => first_of_each::<2>(&raw),
        ColorType::Rgba => raw.as_chunks::<4>().0.iter().flat_map(|p| [p[0], p[1], p[2]]).collect(),
        ColorType::Rgb | ColorType::Indexed => raw,
    };
    Ok(Picture { data, shape })
}

/// Three times the first of every `N` bytes.
fn first_of_each<const N: usize>(raw: &[u8]) -> Vec<u8> {
    raw.as_chunks::<N>().0.iter().flat_map(|p| [p[0]; 3]).collect()
}

fn decode_jpeg(bytes: &[u8], limits: Limits) -> Result<Picture, PictureError> {
    let damaged = |reason: String| PictureError::Damaged { format: "JPEG", reason };
    let options =
        DecoderOptions::default().set_strict_mode(true).jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| damaged(format!("{e:?}")))?;
    let info = decoder.info().ok_or_else(|| damaged("it has no header".into()))?;
    let size = (usize::from(info.height), usize::from(info.width));
    let shape = checked_shape(size, bytes, limits)?;
    let data = decoder.decode().map_err(|e| damaged(format!("{e:?}")))?;
    if data.len() != shape.len() {
        return Err(damaged(format!("{} of {} bytes of pixels", data.len(), shape.len())));
    }
    Ok(Picture { data, shape })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(color: ColorType, depth: BitDepth, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Vec<u8>, PictureError> {
        Picture::decode(bytes, Limits::default()).map(|picture| picture.data)
    }

    #[test]
    fn every_png_becomes_three_channels_of_eight_bits() {
        let cases: [(ColorType, BitDepth, &[u8], [u8; 6]); 6] = [
            (ColorType::Rgb, BitDepth::Eight, &[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]),
            (ColorType::Grayscale, BitDepth::Eight, &[7, 9], [7, 7, 7, 9, 9, 9]),
            (ColorType::Grayscale, BitDepth::One, &[0b0100_0000], [0, 0, 0, 255, 255, 255]),
            (ColorType::GrayscaleAlpha, BitDepth::Eight, &[7, 0, 9, 255], [7, 7, 7, 9, 9, 9]),
            (ColorType::Rgba, BitDepth::Eight, &[1, 2, 3, 0, 4, 5, 6, 9], [1, 2, 3, 4, 5, 6]),
            (
                ColorType::Rgb,
                BitDepth::Sixteen,
                &[1, 255, 2, 0, 3, 9, 4, 0, 5, 0, 6, 0],
                [1, 2, 3, 4, 5, 6],
            ),
        ];
        for (color, depth, data, expected) in cases {
            assert_eq!(decode(&png(color, depth, data)).unwrap(), expected, "{color:?}");
        }
    }

    #[test]
    fn damaged_and_foreign_bytes_are_named() {
        let whole = png(ColorType::Rgb, BitDepth::Eight, &[1; 6]);
        let mut flipped = whole.clone();
        let middle = whole.len() / 2;
        flipped[middle] ^= 0xff;
        for bytes in [&whole[..whole.len() / 2], &flipped, &[0xff, 0xd8, 0xff, 0xe0, 1][..]] {
            assert!(matches!(decode(bytes), Err(PictureError::Damaged { .. })), "{bytes:?}");
        }
        let error = decode(b"GIF89a").unwrap_err().to_string();
        assert!(error.contains("got bytes that begin with [47, 49, 46, 38, 39, 61]"), "{error}");
    }

    #[test]
    fn palettes_hold_whole_colors() {
        let indexed = |palette: &[u8]| {
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
            encoder.set_color(ColorType::Indexed);
            encoder.set_palette(vec![9; 3]);
            encoder.write_header().unwrap().write_image_data(&[1, 0]).unwrap();
            let at = bytes.windows(4).position(|word| word == b"PLTE").unwrap();
            let length = u32::try_from(palette.len()).unwrap();
            let chunk = [b"PLTE", palette].concat();
            let mut crc = flate2::Crc::new();
            crc.update(&chunk);
            let whole = [&length.to_be_bytes()[..], &chunk, &crc.sum().to_be_bytes()].concat();
            bytes.splice(at - 4..at + 4 + 3 + 4, whole);
            decode(&bytes)
        };
        assert_eq!(indexed(&[1, 2, 3, 4, 5, 6]).unwrap(), [4, 5, 6, 1, 2, 3]);
        let error = indexed(&[7; 4]).unwrap_err().to_string();
        assert!(error.ends_with("a palette of 4 bytes"), "{error}");
    }

    #[test]
    fn a_picture_may_not_declare_more_than_its_bytes_can_hold() {
        let mut huge = png(ColorType::Grayscale, BitDepth::Eight, &[1, 2]);
        // Width in the header chunk, and that chunk's checksum.
        huge[16..20].copy_from_slice(&1_000_000_u32.to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(&huge[12..29]);
        huge[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        assert!(matches!(decode(&huge), Err(PictureError::TooLarge { .. })));
        let small = png(ColorType::Rgb, BitDepth::Eight, &[1; 6]);
        assert!(Picture::decode(&small, Limits { max_bytes: 5 }).is_err());
    }
}
