use super::error::StoreError;
use super::layout::{Name, SIDES};
use super::manifest::Kept;
use super::shards::Shards;
use crate::checksum::Digest;
use crate::loader::{PairRows, PairView};

const PARTS: [[&str; SIDES]; 2] = [["z_before", "z_after"], ["e_before", "e_after"]];

impl Shards {
    /// What [`checksum`](crate::checksum) says of all pairs and their truth, one shard in memory
    /// at a time.
    ///
    /// Observations that are not stored are made twice, once for each side.
    ///
    /// # Errors
    /// [`StoreError`] if a shard is damaged or a generator does not find the stored states.
    pub fn checksum(&self) -> Result<String, StoreError> {
        let mut digest = Digest::default();
        for (side, name) in ["before", "after"].into_iter().enumerate() {
            digest.observations(name, self.form(), self.len());
            self.feed_observations(&mut digest, side)?;
        }
        for (name, parts) in [Name::Z, Name::E].into_iter().zip(PARTS) {
            self.feed_states(&mut digest, name, parts);
        }
        if let Some(target) = &self.manifest().tensors.target {
            digest.part("target", &[self.len()]);
            for (rows, shard) in self.shards() {
                for row in 0..rows.len() {
                    digest.target(&shard.target(row, target.dtype)?);
                }
            }
        }
        let dag = self.manifest().dag(self.folder())?;
        Ok(digest.finish(dag.as_ref(), self.manifest().names.as_deref()))
    }

    fn feed_observations(&self, digest: &mut Digest, side: usize) -> Result<(), StoreError> {
        if self.manifest().observations == Kept::Rendered {
            return self.visit(&(0..self.len()).collect::<Vec<_>>(), &mut |pair| match pair {
                PairView::Floats(sides) => digest.floats(sides[side].iter().copied()),
                PairView::Bytes(sides) => digest.bytes(sides[side]),
            });
        }
        for (rows, shard) in self.shards() {
            shard.verify()?;
            for row in 0..rows.len() {
                digest.bytes(shard.side(Name::X, row, side));
            }
        }
        Ok(())
    }

    /// Both matrices of `z` or `e`, each column after column.
    fn feed_states(&self, digest: &mut Digest, name: Name, parts: [&str; SIDES]) {
        let Some(tensor) = self.manifest().tensors.get(name) else { return };
        let d = tensor.len() / SIDES;
        for (side, part) in parts.into_iter().enumerate() {
            digest.part(part, &[self.len(), d]);
            for col in 0..d {
                for (rows, shard) in self.shards() {
                    let entry = |row| &shard.side(name, row, side)[4 * col..4 * (col + 1)];
                    let column: Vec<u8> = (0..rows.len()).flat_map(entry).copied().collect();
                    digest.bytes(&column);
                }
            }
        }
    }
}
