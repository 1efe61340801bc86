use std::collections::BTreeMap;

use super::bytes::{Bytes, Cursor, Hdf5Error, wrong};
use super::dataset::Element;
use super::filters::{Filter, undo};

/// Boxes of equal shape that cover a dataset, each stored by itself.
pub(super) struct Chunks {
    /// Lengths of a chunk's axes, none of them 0 or longer than the dataset's.
    shape: Vec<u64>,
    /// Number of chunks along each axis.
    grid: Vec<u64>,
    element: Element,
    filters: Vec<Filter>,
    /// By number, the last axis fastest.
    stored: BTreeMap<u64, Stored>,
}

struct Stored {
    address: u64,
    len: u64,
    /// Filters that were left out.
    mask: u64,
}

impl Chunks {
    /// Parses the part of a layout message that tells of chunks, and their index.
    pub(super) fn parse(
        file: &Bytes,
        version: u8,
        mut layout: Cursor<&[u8]>,
        (shape, element): (&[u64], Element),
        filters: Vec<Filter>,
    ) -> Result<Self, Hdf5Error> {
        let flags = if version == 3 { 0 } else { layout.byte()? };
        let axes = layout.byte()?;
        let tree = if version == 3 { layout.uint(8)? } else { 0 };
        let width = if version == 3 { 4 } else { layout.byte()? };
        let mut lengths = (0..axes).map(|_| layout.uint(width)).collect::<Result<Vec<_>, _>>()?;
        let size = lengths.pop();
        let fits = lengths.iter().zip(shape).all(|(&chunk, &all)| (1..=all).contains(&chunk));
        if size != Some(element.size()) || lengths.len() != shape.len() || !fits {
            let expected = format!("chunks inside {shape:?} of {} byte(s)", element.size());
            return Err(layout.refuse(&expected, format!("{lengths:?} of {size:?}")));
        }
        let grid = shape.iter().zip(&lengths).map(|(all, chunk)| all.div_ceil(*chunk)).collect();
        let mut chunks = Self { shape: lengths, grid, element, filters, stored: BTreeMap::new() };
        if version == 3 {
            chunks.index_tree(file, tree, u8::MAX)?;
        } else {
            chunks.index_new(file, &mut layout, flags)?;
        }
        Ok(chunks)
    }

    /// Rows of a chunk.
    pub(super) fn rows(&self) -> u64 {
        self.shape[0]
    }

    fn bytes(&self) -> u64 {
        self.shape.iter().product::<u64>() * self.element.size()
    }

    /// Takes the chunks below a node of a B-tree of version 1.
    fn index_tree(&mut self, file: &Bytes, address: u64, above: u8) -> Result<(), Hdf5Error> {
        let place = "the tree of chunks";
        let mut node = file.structure(address, 8, place)?;
        node.expect(b"TREE\x01")?;
        let (level, count) = (node.byte()?, node.uint(2)?);
        if level >= above {
            return Err(node.refuse(&format!("a level below {above}"), level));
        }
        let entry = 8 + 8 * (self.shape.len() as u64 + 1) + 8;
        let mut node = file.structure(address.saturating_add(24), count * entry, place)?;
        for _ in 0..count {
            let (len, mask) = (node.uint(4)?, node.uint(4)?);
            let mut number = Some(0_u64);
            for (length, count) in self.shape.iter().zip(&self.grid) {
                let along = node.uint(8)? / length;
                number = number.filter(|_| along < *count).map(|number| number * count + along);
            }
            node.take(8)?;
            let address = node.uint(8)?;
            if level > 0 {
                self.index_tree(file, address, level)?;
            } else if let Some(number) = number {
                self.stored.insert(number, Stored { address, len, mask });
            }
        }
        Ok(())
    }

    /// Takes the chunks of the indices that came after the B-tree and whose count is fixed.
    fn index_new(
        &mut self,
        file: &Bytes,
        layout: &mut Cursor<&[u8]>,
        flags: u8,
    ) -> Result<(), Hdf5Error> {
        let bytes = self.bytes();
        let count: u64 = self.grid.iter().product();
        match layout.byte()? {
            1 if flags & 2 == 0 => {
                self.stored.insert(0, Stored { address: layout.uint(8)?, len: bytes, mask: 0 });
            }
            1 => {
                let (len, mask) = (layout.uint(8)?, layout.uint(4)?);
                self.stored.insert(0, Stored { address: layout.uint(8)?, len, mask });
            }
            2 if count <= file.len() / bytes => {
                let first = layout.uint(8)?;
                let address = |number| first.saturating_add(number * bytes);
                let stored = |number| Stored { address: address(number), len: bytes, mask: 0 };
                self.stored = (0..count).map(|number| (number, stored(number))).collect();
            }
            3 => {
                layout.take(1)?;
                self.index_array(file, layout.uint(8)?, count)?;
            }
            other => {
                let expected = "chunks in a B-tree of version 1, one chunk, an implicit index or a \
                                fixed array; h5repack writes the first";
                return Err(layout.refuse(expected, format!("an index of type {other}")));
            }
        }
        Ok(())
    }

    /// Takes `count` chunks of a fixed array.
    fn index_array(&mut self, file: &Bytes, address: u64, count: u64) -> Result<(), Hdf5Error> {
        let place = "the array of chunks";
        let mut head = file.structure(address, 24, place)?;
        head.expect(b"FAHD\0")?;
        let (filtered, entry, bits) = (head.byte()?, head.byte()?, head.byte()?);
        let (entries, block) = (head.uint(8)?, head.uint(8)?);
        let len_width = match (filtered, entry) {
            (0, 8) => 0,
            (1, 13..=20) => entry - 12,
            _ => return Err(head.refuse("entries of 8 or 13 to 20 bytes", entry)),
        };
        if entries != count || bits > 32 {
            let got = format!("{entries} in pages of 2^{bits}");
            return Err(head.refuse(&format!("{count} entries in pages"), got));
        }
        let page = 1_u64 << bits;
        let pages = if count > page { count.div_ceil(page) } else { 0 };
        // Signature, version, kind and owner; where there are pages, which of them exist.
        let before = if pages > 0 { 14 + pages.div_ceil(8) + 4 } else { 14 };
        let len = count.saturating_mul(u64::from(entry)).saturating_add(before + 4 * pages);
        let mut block = file.structure(block, len, place)?;
        block.expect(b"FADB\0")?;
        block.take(before - 5)?;
        for number in 0..count {
            if number > 0 && number % page == 0 {
                block.take(4)?;
            }
            let address = block.uint(8)?;
            let plain = (self.bytes(), 0);
            let (len, mask) = match len_width {
                0 => plain,
                width => (block.uint(width)?, block.uint(4)?),
            };
            self.stored.insert(number, Stored { address, len, mask });
        }
        Ok(())
    }

    /// The bytes of a chunk.
    fn read(&self, file: &Bytes, number: u64, place: &[u64]) -> Result<Vec<u8>, Hdf5Error> {
        let Some(stored) = self.stored.get(&number) else {
            return Err(wrong(
                "the chunks",
                &format!("one at {place:?} of {:?}", self.grid),
                "none",
            ));
        };
        let bytes = file.data(stored.address, stored.len, "a chunk")?;
        undo(&self.filters, stored.mask, bytes, self.bytes(), self.element.size())
    }

    /// Fills `rows` with as many rows as it holds, from `first` on, of a dataset of shape `all`.
    pub(super) fn copy_rows(
        &self,
        file: &Bytes,
        all: &[u64],
        first: u64,
        rows: &mut [u8],
    ) -> Result<(), Hdf5Error> {
        let row = all[1..].iter().product::<u64>() * self.element.size();
        let end = first + rows.len() as u64 / row;
        let per_row: u64 = self.grid[1..].iter().product();
        let numbers = first / self.shape[0] * per_row..end.div_ceil(self.shape[0]) * per_row;
        for number in numbers {
            let place = unravel(number, &self.grid);
            let chunk = self.read(file, number, &place)?;
            let start: Vec<u64> = place.iter().zip(&self.shape).map(|(at, len)| at * len).collect();
            self.copy_lines(&chunk, &start, all, (first, end), rows);
        }
        Ok(())
    }

    /// Copies what lies in the rows `first..end` of a chunk that begins at `start`, line by line
    /// of the last axis.
    fn copy_lines(
        &self,
        chunk: &[u8],
        start: &[u64],
        all: &[u64],
        (first, end): (u64, u64),
        rows: &mut [u8],
    ) {
        let last = all.len() - 1;
        let size = self.element.size();
        let line = self.shape[last] * size;
        for (number, from) in chunk.chunks_exact(line as usize).enumerate() {
            let mut lengths = self.shape.clone();
            lengths[last] = 1;
            let inside = unravel(number as u64, &lengths);
            let at: Vec<u64> = start.iter().zip(&inside).map(|(start, at)| start + at).collect();
            let beyond = at.iter().zip(all).any(|(at, all)| at >= all);
            if beyond || !(first..end).contains(&at[0]) {
                continue;
            }
            let to = at.iter().zip(all).fold(0, |to, (at, all)| to * all + at);
            let to = (to - first * all[1..].iter().product::<u64>()) * size;
            let kept = (self.shape[last].min(all[last] - start[last]) * size) as usize;
            rows[to as usize..][..kept].copy_from_slice(&from[..kept]);
        }
    }
}

/// The place of a number in a box of these lengths, the last axis fastest.
fn unravel(number: u64, lengths: &[u64]) -> Vec<u64> {
    let mut rest = number;
    let mut place = vec![0; lengths.len()];
    for (at, length) in place.iter_mut().zip(lengths).rev() {
        *at = rest % length;
        rest /= length;
    }
    place
}
