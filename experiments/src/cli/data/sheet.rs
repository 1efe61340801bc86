//! Pairs of pictures on one page.

use std::path::Path;

use anyhow::{Result, bail};
use domino::core::files::write_atomically;
use domino::core::{Form, GroundTruth, ImageShape, InterventionTarget, Observations};
use domino_render::Picture;
use domino_render::sheet::Sheet;

use crate::dataset::Source;

/// Pairs on the page.
const PAIRS: usize = 24;

/// Pictures in a row: before and after of four pairs.
const COLUMNS: usize = 8;

/// Smaller pictures are enlarged to at least this width, so that the words fit.
const WIDTH: usize = 128;

/// Draws the first pairs, before beside after; under them what was changed and from what to what.
pub(super) fn draw(source: &Source, out: &Path) -> Result<()> {
    let Form::Image(shape) = source.form() else {
        bail!("--sheet: expected pictures, got {}", source.form());
    };
    let rows: Vec<usize> = (0..source.len().min(PAIRS)).collect();
    let (pairs, truth) = (source.pairs(&rows)?, source.truth(&rows)?);
    let scale = WIDTH.div_ceil(shape.width).max(1);
    let mut sheet = Sheet::new([scale * shape.width, scale * shape.height], COLUMNS);
    for row in rows {
        let [under_before, under_after] = captions(&truth, row);
        sheet.add(&picture(pairs.before(), row, shape, scale), &under_before);
        sheet.add(&picture(pairs.after(), row, shape, scale), &under_after);
    }
    write_atomically(out, |file| sheet.page().write_png(file).map_err(std::io::Error::other))?;
    Ok(())
}

/// What the intervention set, and the first value that it changed.
fn captions(truth: &GroundTruth, row: usize) -> [String; 2] {
    let Some(target) = truth.targets.as_ref().map(|targets| &targets[row]) else {
        return [format!("{row}"), String::new()];
    };
    let name = |k: &usize| {
        let names = truth.names.as_ref();
        names.map_or_else(|| format!("z{}", k + 1), |names| names[*k].clone())
    };
    let set: Vec<String> = target.variables().iter().map(name).collect();
    let what = if *target == InterventionTarget::None { "none".into() } else { set.join("+") };
    let values = match (&truth.z_before, &truth.z_after) {
        (Some(before), Some(after)) => target
            .variables()
            .iter()
            .map(|&k| format!("{:.2} to {:.2}", before[(row, k)], after[(row, k)]))
            .collect(),
        _ => Vec::new(),
    };
    [format!("{row} {what}"), values.join(", ")]
}

/// A picture in red, green and blue, each pixel as a square of `scale` pixels. Of more than three
/// channels the first three count, of fewer the first alone.
fn picture(x: &Observations, row: usize, shape: ImageShape, scale: usize) -> Picture {
    let Observations::Images { data, .. } = x else { unreachable!("only pictures are drawn") };
    let pixels = &data[row * shape.len()..(row + 1) * shape.len()];
    let color = |pixel: &[u8]| match pixel {
        [r, g, b, ..] => [*r, *g, *b],
        _ => [pixel[0]; 3],
    };
    let (width, height) = (scale * shape.width, scale * shape.height);
    let at = |x: usize, y: usize| {
        let start = (y / scale * shape.width + x / scale) * shape.channels;
        color(&pixels[start..start + shape.channels])
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    Picture { width, height, data: places.flat_map(|(x, y)| at(x, y)).collect() }
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;

    #[test]
    fn the_words_tell_what_was_set_and_how() {
        let truth = GroundTruth {
            z_before: Some(DMatrix::from_row_slice(2, 2, &[0.1, 0.2, 0.3, 0.4])),
            z_after: Some(DMatrix::from_row_slice(2, 2, &[0.1, 0.2, 0.3, 0.9])),
            targets: Some(vec![InterventionTarget::None, InterventionTarget::Atomic(1)]),
            names: Some(vec!["arm".into(), "green".into()]),
            ..GroundTruth::default()
        };
        assert_eq!(captions(&truth, 0), ["0 none", ""]);
        assert_eq!(captions(&truth, 1), ["1 green", "0.40 to 0.90"]);
        assert_eq!(captions(&GroundTruth::default(), 3), ["3", ""]);
    }

    #[test]
    fn pixels_become_squares() {
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        let x = Observations::Images { data: vec![0, 0, 7, 9], shape };
        let picture = picture(&x, 1, shape, 2);
        assert_eq!((picture.width, picture.height), (4, 2));
        let row = [7, 7, 7, 7, 7, 7, 9, 9, 9, 9, 9, 9];
        assert_eq!(picture.data, [row, row].concat());
    }
}
