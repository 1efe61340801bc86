use std::path::PathBuf;

use anyhow::Result;
use domino::data::loader::PairRows;
use domino::data::store::{Kept, Shards, StoreError};

use super::progress::Progress;
use crate::cli::output::say;

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Folder of shards
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Args {
    pub(super) fn perform(&self) -> Result<()> {
        let shards = Shards::open(&self.folder)?;
        let progress = Progress::new(shards.len());
        let verified = verify(&shards, &progress);
        progress.finish();
        let sum = verified?.map_or_else(String::new, |sum| format!(", checksum {sum}"));
        let (count, n) = (shards.manifest().shards.len(), shards.len());
        say(&format!("{}: {n} pairs in {count} shards as written{sum}", self.folder.display()));
        Ok(())
    }
}

/// Compares the shards, and all that the manifest's checksum covers; the checksum.
fn verify(shards: &Shards, progress: &Progress) -> Result<Option<String>, StoreError> {
    shards.verify(|done| progress.at(done))?;
    shards.truth(0..shards.len().min(1))?;
    match shards.manifest().observations {
        Kept::Stored => shards.verify_checksum().map(Some),
        // The first picture tells whether the generator still finds the stored states.
        Kept::Rendered => shards.pairs(0..1).map(|_| None),
    }
}
