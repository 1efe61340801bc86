use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use clap::ValueEnum;
use domino::data::loader::Drawn;
use domino::data::npz::write_pairs;
use domino::data::store::{Origin, Shards, StoreError, WriteOptions, write_shards};
use domino::data::{DatasetSpec, Split, checksum};

use super::progress::Progress;
use super::spec;
use crate::cli::Ending;
use crate::cli::output::{complain, say};
use crate::cli::run::watch_for_interrupts;

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Name of a data set in `datasets`, a `spec.toml`, or the configuration of a run that has a
    /// generator
    #[arg(value_name = "NAME|FILE.toml")]
    spec: String,
    /// Number of pairs, instead of the one in the file
    #[arg(long, value_name = "N")]
    pairs: Option<usize>,
    /// Seed of world and pairs, instead of the one in the file
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Which pairs of the world; those of different splits are independent
    #[arg(long, value_enum, default_value_t = Part::Train)]
    split: Part,
    /// File to write, or folder to write or finish
    #[arg(long, value_name = "FILE.npz|DIR")]
    out: PathBuf,
    /// About how many bytes each file of a folder has
    #[arg(long, value_name = "N", default_value_t = WriteOptions::default().shard_bytes)]
    shard_bytes: usize,
}

/// A split by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Train,
    Validation,
    Test,
    DciTrain,
}

impl Part {
    fn split(self) -> Split {
        match self {
            Self::Train => Split::Train,
            Self::Validation => Split::Validation,
            Self::Test => Split::Test,
            Self::DciTrain => Split::DciTrain,
        }
    }
}

impl Args {
    pub(super) fn perform(&self) -> Result<Ending> {
        let spec = self.spec()?;
        if is_npz(&self.out) {
            self.file(&spec)?;
            return Ok(Ending::Done);
        }
        self.folder(&spec)
    }

    /// The specification with what the arguments change; a changed one has no checksum to meet.
    fn spec(&self) -> Result<DatasetSpec> {
        let mut spec = spec::read(&self.spec)?;
        if let Some(seed) = self.seed {
            let mut generator = spec.generator().with_context(|| self.spec.clone())?;
            *generator.seed_mut() = seed;
            spec = DatasetSpec { checksum: None, ..DatasetSpec::of(generator, spec.pairs) };
        }
        if let Some(pairs) = self.pairs {
            spec = DatasetSpec { pairs, checksum: None, ..spec };
        }
        if self.split != Part::Train {
            spec.checksum = None;
        }
        Ok(spec)
    }

    fn file(&self, spec: &DatasetSpec) -> Result<()> {
        let named = || self.spec.clone();
        let generator = spec.generator().with_context(named)?.build().with_context(named)?;
        let (pairs, truth) =
            generator.sample(spec.pairs, self.split.split()).with_context(named)?;
        let sum = checksum(&pairs, &truth);
        spec.expect(&sum).with_context(named)?;
        write_pairs(&self.out, &pairs, &truth)?;
        say(&format!("{}: {} pairs, checksum {sum}", self.out.display(), pairs.len()));
        Ok(())
    }

    fn folder(&self, spec: &DatasetSpec) -> Result<Ending> {
        let named = || self.spec.clone();
        let config = spec.generator().with_context(named)?;
        let split = self.split.split();
        let table = Drawn::new(config.build().with_context(named)?, split, spec.pairs);
        let origin = Origin::generated(&config, split);
        let options = WriteOptions { shard_bytes: self.shard_bytes, ..WriteOptions::default() };
        let stop = watch_for_interrupts()?;
        let progress = Progress::new(spec.pairs);
        let tell = &mut |done| {
            progress.at(done);
            if stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let written = write_shards(&self.out, &table, Some(&origin), options, tell);
        progress.finish();
        let manifest = match written {
            Err(stopped @ StoreError::Stopped { .. }) => {
                complain(&format!("{}: {stopped}", self.out.display()));
                return Ok(Ending::Interrupted);
            }
            written => written?,
        };
        let sum = match (&manifest.checksum, &spec.checksum) {
            (None, Some(_)) => Some(Shards::open(&self.out)?.checksum()?),
            (sum, _) => sum.clone(),
        };
        if let Some(sum) = &sum {
            spec.expect(sum).with_context(named)?;
        }
        let (out, shards) = (self.out.display(), manifest.shards.len());
        let sum = sum.map_or_else(String::new, |sum| format!(", checksum {sum}"));
        say(&format!("{out}: {} pairs in {shards} shards{sum}", manifest.pairs));
        Ok(Ending::Done)
    }
}

/// Whether a path names a file and not a folder.
fn is_npz(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "npz")
}
