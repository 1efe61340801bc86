use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use domino::core::Pairs;
use domino::data::loader::Drawn;
use domino::data::store::{Origin, Shards, StoreError, WriteOptions, write_shards};
use domino::data::{GeneratorConfig, Split};

use super::{DatasetError, SourceError};

/// How long to wait for another process that is at the same pairs before looking again.
const PAUSE: Duration = Duration::from_millis(500);

/// Digits of the fingerprint in a folder's name.
const DIGITS: usize = 16;

/// The first `n` pairs of a split, from a folder within `keep` that is written where it is missing
/// or unfinished: one process writes, others wait for it.
pub(super) fn pairs(
    keep: &Path,
    generator: &GeneratorConfig,
    split: Split,
    n: usize,
) -> Result<Pairs, DatasetError> {
    let kind = generator.kind();
    let world = generator.build().map_err(|reason| DatasetError::Config { kind, reason })?;
    let table = Drawn::new(world, split, n);
    let origin = Origin::generated(generator, split);
    let folder = keep.join(name(&origin, generator, n));
    let go_on = &mut |_| ControlFlow::Continue(());
    loop {
        match write_shards(&folder, &table, Some(&origin), WriteOptions::default(), go_on) {
            Err(StoreError::Locked { .. }) => thread::sleep(PAUSE),
            written => {
                written.map_err(SourceError::from)?;
                break;
            }
        }
    }
    let shards = Shards::open(&folder).map_err(SourceError::from)?;
    Ok(shards.pairs(0..n).map_err(SourceError::from)?)
}

/// Tells these pairs from any others.
fn name(origin: &Origin, generator: &GeneratorConfig, n: usize) -> PathBuf {
    let text = serde_json::to_string(&(origin, n)).expect("an origin is plain JSON");
    let digits = blake3::hash(text.as_bytes()).to_hex();
    format!("{}-{}", generator.name(), &digits[..DIGITS]).into()
}
