//! Pairs of pictures on one page.

use std::path::Path;

use anyhow::{Result, bail};
use domino::core::files::write_atomically;
use domino::core::{Form, GroundTruth, InterventionTarget};
use domino_render::sheet::Sheet;

use crate::dataset::Source;
use crate::pictures::picture;

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
        sheet.add(&picture(pairs.before(), row, scale), &under_before);
        sheet.add(&picture(pairs.after(), row, scale), &under_after);
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
}
