use std::fs;
use std::path::Path;

use domino::core::Observations;
use domino::data::Generator;
use domino_render::Picture;
use domino_render::sheet::Sheet;
use nalgebra::DMatrix;

use super::animation::write_gif;
use super::edits::{Ruler, Studio};
use super::strip::picture;

/// Values that each variable is set to in its strip.
const VALUES: usize = 7;

/// Shares of all values between which a strip runs.
const ENDS: [f64; 2] = [0.05, 0.95];

/// Pictures of an animation from one end to the other.
const FRAMES: usize = 20;

/// Pictures among the reconstructions.
const RECONSTRUCTED: usize = 8;

/// Pictures over which the place where a variable acts is averaged.
const AVERAGED: usize = 24;

/// Smaller pictures are enlarged to at least this width, so that the words fit.
const WIDTH: usize = 96;

/// A page of pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Name of its file.
    pub file: &'static str,
    /// What it shows.
    pub caption: &'static str,
    /// The file, PNG or GIF.
    pub bytes: Vec<u8>,
}

/// All panels, in the order in which they are shown.
const PANELS: [(&str, &str); 4] = [
    (
        "counterfactual-pictures.png",
        "Each variable set to seven values, left to right, all others free to answer; the leftmost \
         picture is the start. Where the truth can be rendered it stands above the model's answer.",
    ),
    (
        "traversals.gif",
        "Each learned variable on its way from its 5 % to its 95 % quantile and back, all others free to \
         answer.",
    ),
    ("reconstructions.png", "Held-out pictures above what the model draws from their variables."),
    (
        "where-variables-act.png",
        "Where in the picture each learned variable acts when it alone is edited, without what it \
         causes: mean difference between its 95 % and 5 % quantile, grey where nothing changes.",
    ),
];

/// Draws all panels. `matching` is the code of every true variable; without it, or without a
/// generator, strips show the model's answers alone.
///
/// # Panics
/// If the pairs are no pictures.
pub fn panels(
    studio: &Studio<'_>,
    generator: Option<&dyn Generator>,
    matching: Option<&[usize]>,
) -> Vec<Panel> {
    let files = [
        png(&strips(studio, generator, matching)),
        traversals(studio),
        png(&reconstructions(studio)),
        png(&places(studio)),
    ];
    let panels = PANELS.into_iter().zip(files);
    panels.map(|((file, caption), bytes)| Panel { file, caption, bytes }).collect()
}

fn png(page: &Picture) -> Vec<u8> {
    let mut bytes = Vec::new();
    page.write_png(&mut bytes).expect("memory takes any picture");
    bytes
}

/// The panels that lie in a folder; nothing for those that do not.
pub fn read_panels(folder: &Path) -> Vec<Panel> {
    let read = |(file, caption)| {
        let bytes = fs::read(folder.join(file)).ok()?;
        Some(Panel { file, caption, bytes })
    };
    PANELS.into_iter().filter_map(read).collect()
}

/// How much pictures of the studio are enlarged, and an empty sheet of so many of them in a row.
fn sheet(studio: &Studio<'_>, columns: usize) -> (usize, Sheet) {
    let shape = match studio.test.pairs.before() {
        Observations::Images { shape, .. } => *shape,
        Observations::Vectors { .. } => unreachable!("a studio has pictures"),
    };
    let scale = WIDTH.div_ceil(shape.width.max(1)).max(1);
    (scale, Sheet::new([scale * shape.width, scale * shape.height], columns))
}

fn reconstructions(studio: &Studio<'_>) -> Picture {
    let n = studio.test.pairs.len().min(RECONSTRUCTED);
    let (scale, mut page) = sheet(studio, n);
    let back = studio.draw(&studio.embedding.z_before.rows(0, n).into_owned());
    for (x, word) in [(studio.test.pairs.before(), "held out"), (&back, "redrawn")] {
        (0..n).for_each(|row| page.add(&picture(x, row, scale), word));
    }
    page.page()
}

fn strips(
    studio: &Studio<'_>,
    generator: Option<&dyn Generator>,
    matching: Option<&[usize]>,
) -> Picture {
    let (scale, mut page) = sheet(studio, VALUES + 1);
    let start = typical(&studio.embedding.z_before);
    let row = studio.embedding.z_before.row(start);
    let d = row.len();
    let z = DMatrix::from_fn(VALUES, d, |_, k| row[k]);
    let own = studio.draw(&z.rows(0, 1).into_owned());
    let share = |n: usize| ENDS[0] + (ENDS[1] - ENDS[0]) * n as f64 / (VALUES - 1) as f64;
    let world = generator.zip(matching).and_then(|(g, m)| studio.world(g, m));
    for at in 0..d {
        let Some(world) = &world else {
            let codes = studio.embedding.z_before.column(at);
            let ruler = Ruler::new(codes, codes);
            let set: Vec<f64> = (0..VALUES).map(|n| ruler.truth_at(share(n))).collect();
            page.add(&picture(&own, 0, scale), "start");
            let drawn = studio.draw(&studio.set(&z, at, &set));
            for (n, value) in set.iter().enumerate() {
                page.add(&picture(&drawn, n, scale), &format!("z{} = {value:.2}", at + 1));
            }
            continue;
        };
        let code = world.matching[at];
        let ruler = &world.rulers[at];
        let name = &world.generator.names()[at];
        let values: Vec<f64> = (0..VALUES).map(|n| ruler.truth_at(share(n))).collect();
        let truth = world.after(&[start; VALUES], at, &values);
        let set: Vec<f64> = values.iter().map(|&v| ruler.code_of(v)).collect();
        let drawn = studio.draw(&studio.set(&z, code, &set));
        page.add(&picture(studio.test.pairs.before(), start, scale), "start, truth");
        for (n, value) in values.iter().enumerate() {
            page.add(&picture(&truth, n, scale), &format!("{name} {value:.2}"));
        }
        page.add(&picture(&own, 0, scale), "start, model");
        for (n, value) in set.iter().enumerate() {
            page.add(&picture(&drawn, n, scale), &format!("z{} = {value:.2}", code + 1));
        }
    }
    page.page()
}

/// Every variable at the same share of its values, side by side, from one end to the other.
fn traversals(studio: &Studio<'_>) -> Vec<u8> {
    let codes = &studio.embedding.z_before;
    let d = codes.ncols();
    let start = codes.rows(typical(codes), 1).into_owned();
    let frame = |n: usize| {
        let share = ENDS[0] + (ENDS[1] - ENDS[0]) * n as f64 / (FRAMES - 1) as f64;
        let (scale, mut page) = sheet(studio, d.min(VALUES + 1));
        for k in 0..d {
            let value = Ruler::new(codes.column(k), codes.column(k)).truth_at(share);
            let drawn = studio.draw(&studio.set(&start, k, &[value]));
            page.add(&picture(&drawn, 0, scale), &format!("z{} = {value:.2}", k + 1));
        }
        page.page()
    };
    let mut bytes = Vec::new();
    let frames: Vec<Picture> = (0..FRAMES).map(frame).collect();
    write_gif(&mut bytes, &frames).expect("memory takes a page of any size that is shown");
    bytes
}

/// Mean differences that each code makes by itself.
fn places(studio: &Studio<'_>) -> Picture {
    let d = studio.embedding.dim();
    let (scale, mut page) = sheet(studio, d.min(VALUES + 1));
    let n = studio.embedding.len().min(AVERAGED);
    let z = studio.embedding.z_before.rows(0, n).into_owned();
    for k in 0..d {
        let codes = studio.embedding.z_before.column(k);
        let ruler = Ruler::new(codes, codes);
        let [low, high] = ENDS.map(|share| {
            let mut edited = z.clone();
            edited.column_mut(k).fill(ruler.truth_at(share));
            studio.draw(&edited)
        });
        page.add(&picture(&difference(&low, &high), 0, scale), &format!("z{}", k + 1));
    }
    page.page()
}

/// The mean of `high − low` around mid-grey, as one picture whose largest change is full.
fn difference(low: &Observations, high: &Observations) -> Observations {
    let (Observations::Images { data: low, shape }, Observations::Images { data: high, .. }) =
        (low, high)
    else {
        unreachable!("a studio has pictures")
    };
    let mut sums = vec![0.0_f64; shape.len()];
    for (low, high) in low.chunks_exact(shape.len()).zip(high.chunks_exact(shape.len())) {
        for (sum, (a, b)) in sums.iter_mut().zip(low.iter().zip(high)) {
            *sum += f64::from(*b) - f64::from(*a);
        }
    }
    let top = sums.iter().fold(f64::MIN_POSITIVE, |top, v| top.max(v.abs()));
    let byte = |v: &f64| (127.5 + 127.5 * v / top).round() as u8;
    Observations::Images { data: sums.iter().map(byte).collect(), shape: *shape }
}

/// The row whose variables are nearest to their means.
fn typical(z: &DMatrix<f64>) -> usize {
    let (mean, variance) = (z.row_mean(), z.row_variance());
    let distance = |row: usize| -> f64 {
        let one = |k: usize| (z[(row, k)] - mean[k]).powi(2) / variance[k].max(f64::MIN_POSITIVE);
        (0..z.ncols()).map(one).sum()
    };
    (0..z.nrows()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use domino::core::ImageShape;

    use super::*;

    #[test]
    fn differences_are_signed_around_grey() {
        let shape = ImageShape { height: 1, width: 3, channels: 1 };
        let images = |data: Vec<u8>| Observations::Images { data, shape };
        let map = difference(&images(vec![10, 50, 7]), &images(vec![110, 0, 7]));
        assert_eq!(map, images(vec![255, 64, 128]));
    }
}
