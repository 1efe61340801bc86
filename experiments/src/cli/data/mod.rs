//! Making, looking at and converting data.

mod export;
mod generate;
mod import;
mod inspect;
mod list;
mod progress;
mod sheet;
mod spec;
mod verify;

use anyhow::Result;

use super::Ending;

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make pairs with their truth: a file, or a folder of shards for any number of pairs
    ///
    /// A folder that an earlier call left unfinished is finished.
    Generate(generate::Args),
    /// Compare every byte of a folder of shards with its fingerprints
    Verify(verify::Args),
    /// Tell what a file of pairs or a folder of shards holds
    Inspect(inspect::Args),
    /// Write some rows of a file or folder, or all, with their truth or without
    Export(export::Args),
    /// Read a public data set, in the form in which it is published, into a file of pairs
    Import(import::Args),
    /// List the data sets that can be generated, and the generators
    List(list::Args),
}

impl Command {
    pub(super) fn perform(&self) -> Result<Ending> {
        match self {
            Self::Generate(args) => return args.perform(),
            Self::Verify(args) => args.perform()?,
            Self::Inspect(args) => args.perform()?,
            Self::Export(args) => args.perform()?,
            Self::Import(args) => args.perform()?,
            Self::List(args) => args.perform()?,
        }
        Ok(Ending::Done)
    }
}
