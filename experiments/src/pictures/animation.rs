use std::io::{Error, Result, Write};

use domino_render::Picture;

/// How long an animation shows a picture, in hundredths of a second.
const FRAME: u16 = 8;

/// How hard the 256 colours of a frame are looked for: 1 is best, 30 fastest.
const PALETTE_SPEED: i32 = 10;

/// Writes pictures of one size as a GIF that goes there and back without end.
///
/// # Errors
/// If a side is longer than a GIF can have, or `out` refuses.
///
/// # Panics
/// If there is no picture.
pub(crate) fn write_gif(out: &mut dyn Write, there: &[Picture]) -> Result<()> {
    let back = there.iter().take(there.len().saturating_sub(1)).skip(1).rev();
    let side = |length: usize| u16::try_from(length).map_err(Error::other);
    let (width, height) = (side(there[0].width)?, side(there[0].height)?);
    let mut encoder = gif::Encoder::new(out, width, height, &[]).map_err(Error::other)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(Error::other)?;
    for picture in there.iter().chain(back) {
        let mut frame = gif::Frame::from_rgb_speed(width, height, &picture.data, PALETTE_SPEED);
        frame.delay = FRAME;
        encoder.write_frame(&frame).map_err(Error::other)?;
    }
    Ok(())
}
