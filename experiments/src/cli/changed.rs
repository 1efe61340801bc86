use std::path::PathBuf;

use anyhow::Result;
use domino::model::{LatentCausalModel, Obs, PairBatch, download, upload_rows};
use domino::vae::FittedIlcm;
use domino_render::Picture;
use domino_render::sheet::Sheet;

use super::embed::open;
use super::intervene::{read_picture, write_png};
use super::output::{say, table};
use crate::pictures::picture;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a finished run on pictures
    run: PathBuf,
    /// The picture before: a PNG or JPEG file
    #[arg(long, value_name = "FILE")]
    before: PathBuf,
    /// The picture after
    #[arg(long, value_name = "FILE")]
    after: PathBuf,
    /// Picture to write: both beside one another, and where they differ
    #[arg(long, value_name = "FILE.png")]
    out: Option<PathBuf>,
    /// Where to compute
    #[arg(long, default_value = "cpu")]
    device: String,
}

pub(super) fn perform(args: &Args) -> Result<()> {
    let (_, fit) = open(&args.run, &args.device)?;
    let model = &fit.model;
    let [before, after] =
        [&args.before, &args.after].map(|path| read_picture(path, fit.model.picture_shape()));
    let (before, after) = (before?, after?);
    let upload = |x: &domino::core::Observations| {
        let mut data = Vec::with_capacity(x.dim());
        x.push_row(0, &mut data);
        Obs(upload_rows(data, x.dim(), &model.device()))
    };
    let pair = PairBatch { before: upload(&before), after: upload(&after) };
    say(&table(&answer(model, &pair)));
    if let Some(out) = &args.out {
        let pictures = [picture(&before, 0, 2), picture(&after, 0, 2)];
        let between = difference(&pictures[0], &pictures[1]);
        let mut sheet = Sheet::new([between.width, between.height], 3);
        for (picture, word) in pictures.iter().zip(["before", "after"]) {
            sheet.add(picture, word);
        }
        sheet.add(&between, "difference");
        write_png(out, &sheet.page())?;
        say(&out.display().to_string());
    }
    Ok(())
}

/// The target's probability and the values of every variable, the likeliest target first.
fn answer(model: &FittedIlcm, pair: &PairBatch) -> Vec<Vec<String>> {
    let probability = download(model.target_log_probs(pair)).map(f64::exp);
    let [before, after] = [&pair.before, &pair.after].map(|x| download(model.latents(x.clone()).0));
    let mut order: Vec<usize> = (0..=before.ncols()).collect();
    order.sort_by(|&a, &b| probability[(0, b)].total_cmp(&probability[(0, a)]));
    let head = ["intervened on", "probability", "before", "after"].map(str::to_owned).to_vec();
    let row = |target: usize| {
        let chance = format!("{:.4}", probability[(0, target)]);
        let Some(k) = target.checked_sub(1) else {
            return vec!["nothing".to_owned(), chance, String::new(), String::new()];
        };
        let value = |z: &nalgebra::DMatrix<f64>| format!("{:.4}", z[(0, k)]);
        vec![format!("z{target}"), chance, value(&before), value(&after)]
    };
    std::iter::once(head).chain(order.into_iter().map(row)).collect()
}

/// After − before around mid-grey.
fn difference(before: &Picture, after: &Picture) -> Picture {
    let half = |(a, b): (&u8, &u8)| (255 + u16::from(*b) - u16::from(*a)).div_euclid(2) as u8;
    let data = before.data.iter().zip(&after.data).map(half).collect();
    Picture { width: before.width, height: before.height, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_lie_around_grey() {
        let picture = |data: Vec<u8>| Picture { width: 1, height: 1, data };
        let between = difference(&picture(vec![0, 255, 90]), &picture(vec![255, 0, 90]));
        assert_eq!(between.data, [255, 0, 127]);
    }
}
