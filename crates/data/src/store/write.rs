use std::fs;
use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::path::Path;

use domino_core::files::{create_folder, write_atomically};

use super::blocks::Blocks;
use super::error::StoreError;
use super::layout::Layout;
use super::lock::{lock, refuse_other_files, remove_leftovers};
use super::manifest::{Kept, MANIFEST, Manifest, Origin, ShardEntry};
use super::plan::Plan;
use super::shard::{fingerprint, map};
use super::shards::Shards;
use super::table::Table;

/// How a set is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// About how many bytes a shard has; at least one pair.
    pub shard_bytes: usize,
    /// Threads that make pairs.
    pub threads: NonZeroUsize,
}

impl Default for WriteOptions {
    /// 250 MB, one thread per processor.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { shard_bytes: 250_000_000, threads }
    }
}

/// Told how many pairs are written; breaks to stop.
pub type Progress<'a> = dyn FnMut(usize) -> ControlFlow<()> + 'a;

/// Writes a set into a folder, shard by shard, and returns its manifest.
///
/// Files appear whole or not at all. Where the folder holds the same set in part, because an
/// earlier call was stopped or its process was killed, or because a shard was removed, only what is
/// missing is written; the bytes of the finished set do not depend on that, nor on the number of
/// threads. Memory does not grow with the number of pairs.
///
/// # Errors
/// [`StoreError::NotEmpty`] or [`StoreError::Different`] if the folder holds something else,
/// [`StoreError::Locked`] while another process writes there, [`StoreError::OneSided`] if only one
/// state of a pair is known, [`StoreError::Stopped`] if `progress` breaks, and those of making and
/// writing pairs.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use domino_data::loader::Drawn;
/// use domino_data::scaling::ScalingConfig;
/// use domino_data::store::{Origin, Shards, WriteOptions, write_shards};
/// use domino_data::{GeneratorConfig, Split, checksum};
///
/// let folder = tempfile::tempdir()?;
/// let config = GeneratorConfig::Scaling(ScalingConfig { d: 3, ..ScalingConfig::default() });
/// let table = Drawn::new(config.build()?, Split::Train, 500);
/// let origin = Origin::generated(&config, Split::Train);
/// let go_on = &mut |_| ControlFlow::Continue(());
/// let manifest =
///     write_shards(folder.path(), &table, Some(&origin), WriteOptions::default(), go_on)?;
///
/// let (pairs, truth) = config.build()?.sample(500, Split::Train)?;
/// assert_eq!(manifest.checksum, Some(checksum(&pairs, &truth)));
/// assert_eq!(Shards::open(folder.path())?.pairs([20, 4])?.before().dim(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_shards(
    folder: &Path,
    table: &dyn Table,
    origin: Option<&Origin>,
    options: WriteOptions,
    progress: &mut Progress<'_>,
) -> Result<Manifest, StoreError> {
    create_folder(folder)?;
    let is_begun = folder.join(MANIFEST).exists();
    if !is_begun {
        refuse_other_files(folder)?;
    }
    let held = lock(folder)?;
    let plan = Plan::new(table, origin, options.shard_bytes)?;
    let mut manifest = if is_begun { plan.resume(folder)? } else { plan.manifest.clone() };
    remove_leftovers(folder)?;
    manifest.write(folder)?;
    for (number, rows) in plan.shards().enumerate() {
        if manifest.shards.get(number).is_some_and(|entry| is_there(folder, entry)) {
            if progress(rows.end).is_break() {
                return Err(StoreError::Stopped { done: rows.end, pairs: manifest.pairs });
            }
            continue;
        }
        let file = format!("shard-{number:05}.safetensors");
        let blocks = Blocks { table, tensors: &manifest.tensors, threads: options.threads };
        let entry = write_shard(folder, file, rows, &blocks, progress)?;
        manifest.checksum = None;
        match manifest.shards.get_mut(number) {
            Some(place) => *place = entry,
            None => manifest.shards.push(entry),
        }
        manifest.write(folder)?;
    }
    if manifest.checksum.is_none() && manifest.observations == Kept::Stored {
        manifest.checksum = Some(Shards::open(folder)?.checksum()?);
        manifest.write(folder)?;
    }
    drop(held);
    Ok(manifest)
}

/// Whether a file of the length of the shard is there.
fn is_there(folder: &Path, entry: &ShardEntry) -> bool {
    fs::metadata(folder.join(&entry.file)).is_ok_and(|found| found.len() == entry.bytes)
}

fn write_shard(
    folder: &Path,
    file: String,
    rows: Range<usize>,
    blocks: &Blocks<'_>,
    progress: &mut Progress<'_>,
) -> Result<ShardEntry, StoreError> {
    let path = folder.join(&file);
    let layout = Layout::new(blocks.tensors, rows.len());
    write_atomically(&path, |out| blocks.write(&layout, rows.clone(), out, progress))
        .map_err(StoreError::from_write)?;
    let content = map(&path)?;
    let (bytes, blake3) = (content.len() as u64, fingerprint(&content));
    Ok(ShardEntry { file, rows: rows.len(), bytes, blake3 })
}
