use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use domino::data::npz::write_embedding;
use domino::model::device;
use domino::recipe::{Fit, embed, load};

use super::output::say;
use crate::dataset::Sample;
use crate::run::RunFolder;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a finished run
    run: PathBuf,
    /// File of pairs
    #[arg(long, value_name = "FILE.npz")]
    data: PathBuf,
    /// File to write: arrays `z`, `e`, `z_after`, `e_after`, `target_probs`, `edge_probs`, and
    /// where several variables may have been set at once `set_probs`
    #[arg(long, value_name = "FILE.npz")]
    out: PathBuf,
    /// Where to compute
    #[arg(long, default_value = "cpu")]
    device: String,
}

pub(super) fn perform(args: &Args) -> Result<()> {
    let (_, fit) = open(&args.run, &args.device)?;
    let sample = Sample::read(&args.data)?;
    let embedding =
        embed(&fit.model, &sample.pairs).with_context(|| args.data.display().to_string())?;
    write_embedding(&args.out, &embedding)?;
    let (n, d) = (embedding.len(), embedding.dim());
    say(&format!("{}: {n} pairs, {d} variables", args.out.display()));
    Ok(())
}

/// A finished run and its model.
pub(super) fn open(run: &Path, device_name: &str) -> Result<(RunFolder, Fit)> {
    let device = device(device_name)?;
    let folder = RunFolder::finished(run)?;
    let fit = load(&folder.model(), &device)?;
    Ok((folder, fit))
}
