//! The rows of a shard, made by several threads and written where they belong.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use domino_core::{GroundTruth, InterventionTarget, Observations, Pairs};
use nalgebra::DMatrix;
use safetensors::tensor::Dtype;

use super::error::StoreError;
use super::layout::{Layout, Name, Tensor, Tensors};
use super::table::Table;
use super::write::Progress;

/// Bytes that a thread makes at a time.
const BLOCK: usize = 4 << 20;

/// What makes the rows of shards.
pub(super) struct Blocks<'a> {
    pub(super) table: &'a dyn Table,
    pub(super) tensors: &'a Tensors,
    pub(super) threads: NonZeroUsize,
}

/// Some rows as bytes, one part per tensor.
struct Block {
    rows: Range<usize>,
    parts: Vec<(Name, Vec<u8>)>,
}

impl Blocks<'_> {
    /// Writes a shard: its header, then blocks in the order in which they are made. A [`StoreError`]
    /// travels inside the error of writing.
    pub(super) fn write(
        &self,
        layout: &Layout,
        rows: Range<usize>,
        out: &mut BufWriter<File>,
        progress: &mut Progress<'_>,
    ) -> io::Result<()> {
        out.write_all(&layout.header)?;
        let next = AtomicUsize::new(rows.start);
        let (sender, receiver) = sync_channel(self.threads.get());
        thread::scope(|scope| {
            // Moved in, so that an error ends the threads: nobody receives any more.
            let receiver = receiver;
            for _ in 0..self.threads.get() {
                let sender = sender.clone();
                scope.spawn(|| self.work(&next, rows.end, sender));
            }
            drop(sender);
            let mut done = rows.start;
            for block in receiver {
                let block = block.map_err(io::Error::other)?;
                for (name, bytes) in &block.parts {
                    let place = layout.place(*name).map_or(0, |place| place.start);
                    let row = bytes.len() / block.rows.len();
                    let at = place + row * (block.rows.start - rows.start);
                    out.seek(SeekFrom::Start(at as u64))?;
                    out.write_all(bytes)?;
                }
                done += block.rows.len();
                if progress(done).is_break() {
                    let (done, pairs) = (rows.start, self.table.len());
                    return Err(io::Error::other(StoreError::Stopped { done, pairs }));
                }
            }
            Ok(())
        })
    }

    /// Makes blocks until there are no more rows, or nobody wants them.
    fn work(&self, next: &AtomicUsize, end: usize, sender: SyncSender<Result<Block, StoreError>>) {
        let most = (BLOCK / self.tensors.row_bytes().max(1)).max(1);
        loop {
            let start = next.fetch_add(most, Ordering::Relaxed);
            if start >= end {
                return;
            }
            if sender.send(self.make(start..end.min(start + most))).is_err() {
                return;
            }
        }
    }

    fn make(&self, rows: Range<usize>) -> Result<Block, StoreError> {
        let truth = self.table.truth(rows.clone());
        let part = |(name, tensor): (Name, &Tensor)| {
            let bytes = match name {
                Name::X => observations(&self.table.pairs(rows.clone(), &truth)?),
                Name::Z => states(truth.z_before.as_ref(), truth.z_after.as_ref()),
                Name::E => states(truth.e_before.as_ref(), truth.e_after.as_ref()),
                Name::Target => targets(&truth, tensor.dtype, tensor.len()),
            };
            Ok((name, bytes))
        };
        let parts = self.tensors.in_order().into_iter().map(part);
        let parts = parts.collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Block { rows, parts })
    }
}

/// Before and after of each row.
fn observations(pairs: &Pairs) -> Vec<u8> {
    fn interleaved<'a, T>(a: &'a [T], b: &'a [T], dim: usize) -> impl Iterator<Item = &'a [T]> {
        a.chunks_exact(dim).zip(b.chunks_exact(dim)).flat_map(|(a, b)| [a, b])
    }
    let dim = pairs.dim();
    match (pairs.before(), pairs.after()) {
        (Observations::Vectors { data: a, .. }, Observations::Vectors { data: b, .. }) => {
            interleaved(a, b, dim).flatten().flat_map(|v| v.to_le_bytes()).collect()
        }
        (Observations::Images { data: a, .. }, Observations::Images { data: b, .. }) => {
            let mut bytes = Vec::with_capacity(2 * a.len());
            interleaved(a, b, dim).for_each(|side| bytes.extend_from_slice(side));
            bytes
        }
        _ => unreachable!("both sides of pairs have one form"),
    }
}

/// Both states of each row in single precision.
fn states(before: Option<&DMatrix<f64>>, after: Option<&DMatrix<f64>>) -> Vec<u8> {
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    let mut bytes = Vec::with_capacity(2 * before.len() * size_of::<f32>());
    for row in 0..before.nrows() {
        for state in [before, after] {
            let values = state.row(row);
            values.iter().for_each(|&v| bytes.extend((v as f32).to_le_bytes()));
        }
    }
    bytes
}

/// Labels or masks, as the type of the elements tells.
fn targets(truth: &GroundTruth, dtype: Dtype, d: usize) -> Vec<u8> {
    let targets = truth.targets.iter().flatten();
    if dtype == Dtype::U8 {
        let mask = |target: &InterventionTarget| -> Vec<u8> {
            (0..d).map(|k| u8::from(target.variables().contains(&k))).collect()
        };
        return targets.flat_map(mask).collect();
    }
    let label = |target: &InterventionTarget| target.label().unwrap_or(0) as u64;
    // Far below 2^63, where signed and unsigned numbers have the same bytes.
    targets.flat_map(|target| label(target).to_le_bytes()).collect()
}
