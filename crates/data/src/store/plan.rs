use std::fmt::Debug;
use std::ops::Range;
use std::path::Path;

use domino_core::{Dag, GroundTruth, PairsError};

use super::error::StoreError;
use super::layout::{Targets, Tensor, Tensors};
use super::manifest::{Kept, MANIFEST, Manifest, Origin};
use super::table::Table;

/// Rows whose targets are looked at together.
const LOOK: usize = 1 << 16;

/// What is to be written, and in which pieces.
pub(super) struct Plan {
    /// Without shards.
    pub(super) manifest: Manifest,
    /// Rows of every shard but the last, which may have fewer.
    rows_per_shard: usize,
}

impl Plan {
    pub(super) fn new(
        table: &dyn Table,
        origin: Option<&Origin>,
        shard_bytes: usize,
    ) -> Result<Self, StoreError> {
        let (pairs, form) = (table.len(), table.form());
        if pairs == 0 {
            return Err(PairsError::Empty(format!("0 rows of {form}")).into());
        }
        let first = table.truth(0..1);
        check_sides(&first)?;
        // Only a generator can make observations again.
        let kept = match origin {
            Some(Origin::Generator(_)) => Kept::of(form),
            _ => Kept::Stored,
        };
        let x = (kept == Kept::Stored).then(|| Tensor::observations(form));
        let tensors = Tensors::of(&first, x, targets(table, &first));
        let rows_per_shard = (shard_bytes / tensors.row_bytes().max(1)).max(1);
        let mut manifest = Manifest::new(origin.cloned(), (pairs, form), kept, tensors);
        manifest.adjacency = first.dag.as_ref().map(adjacency);
        manifest.names = first.names;
        Ok(Self { manifest, rows_per_shard })
    }

    /// The rows of each shard.
    pub(super) fn shards(&self) -> impl Iterator<Item = Range<usize>> {
        let (pairs, rows) = (self.manifest.pairs, self.rows_per_shard);
        (0..pairs).step_by(rows).map(move |start| start..pairs.min(start + rows))
    }

    /// The manifest of the same set that was begun before.
    pub(super) fn resume(&self, folder: &Path) -> Result<Manifest, StoreError> {
        let (begun, planned) = (Manifest::read(folder)?, &self.manifest);
        let other = |key, expected: &dyn Debug, got: &dyn Debug| {
            let (expected, got) = (format!("{expected:?}"), format!("{got:?}"));
            if expected == got {
                return Ok(());
            }
            let path = folder.join(MANIFEST);
            Err(StoreError::Different { path, key, expected, got })
        };
        other("pairs", &planned.pairs, &begun.pairs)?;
        other("form", &planned.form, &begun.form)?;
        other("origin", &planned.origin, &begun.origin)?;
        other("tensors", &planned.tensors, &begun.tensors)?;
        other("names", &planned.names, &begun.names)?;
        other("adjacency", &planned.adjacency, &begun.adjacency)?;
        for (rows, shard) in self.shards().zip(&begun.shards) {
            other("rows of a shard", &rows.len(), &shard.rows)?;
        }
        Ok(begun)
    }
}

/// Labels, unless any row of the whole table names several variables.
fn targets(table: &dyn Table, first: &GroundTruth) -> Targets {
    let Some(d) = first.dim().filter(|_| first.targets.is_some()) else { return Targets::Labels };
    let starts = (0..table.len()).step_by(LOOK);
    let several = |start: usize| {
        let truth = table.truth(start..table.len().min(start + LOOK));
        Targets::of(&truth.targets.unwrap_or_default(), d) != Targets::Labels
    };
    if starts.into_iter().any(several) { Targets::Masks(d) } else { Targets::Labels }
}

/// A state is stored for both sides of a pair or for neither.
fn check_sides(truth: &GroundTruth) -> Result<(), StoreError> {
    for (part, before, after) in
        [("z", &truth.z_before, &truth.z_after), ("e", &truth.e_before, &truth.e_after)]
    {
        if before.is_some() != after.is_some() {
            let got = if before.is_some() { "before" } else { "after" };
            return Err(StoreError::OneSided { part, got });
        }
    }
    Ok(())
}

fn adjacency(dag: &Dag) -> Vec<Vec<u8>> {
    let row = |i| (0..dag.dim()).map(|j| u8::from(dag.has_edge(i, j))).collect();
    (0..dag.dim()).map(row).collect()
}
