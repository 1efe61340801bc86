//! One file of a set, mapped into memory.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use domino_core::InterventionTarget;
use memmap2::Mmap;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata};

use super::error::StoreError;
use super::layout::{Name, SIDES, Tensors};
use super::manifest::ShardEntry;

/// A mapped shard whose header fits the manifest. Its content is compared with its BLAKE3 once,
/// before the first row is read.
#[derive(Debug)]
pub(super) struct Shard {
    path: PathBuf,
    map: Mmap,
    entry: ShardEntry,
    places: [Option<Range<usize>>; Name::ALL.len()],
    /// The fingerprint of the file, once it was needed.
    blake3: OnceLock<String>,
}

impl Shard {
    pub(super) fn open(
        folder: &Path,
        entry: &ShardEntry,
        tensors: &Tensors,
    ) -> Result<Self, StoreError> {
        let path = folder.join(&entry.file);
        let map = map(&path)?;
        let got = map.len() as u64;
        if got != entry.bytes {
            return Err(StoreError::Length { path, expected: entry.bytes, got });
        }
        let fault = |what, expected: String, got: String| StoreError::Shard {
            path: path.clone(),
            what,
            expected,
            got,
        };
        let (header, metadata) = SafeTensors::read_metadata(&map)
            .map_err(|e| fault("header", "that of a safetensors file".into(), e.to_string()))?;
        let mut places = Name::ALL.map(|_| None);
        for (name, tensor) in tensors.in_order() {
            let shape = [&[entry.rows], tensor.row.as_slice()].concat();
            let expected = format!("{} {shape:?}", tensor.dtype);
            let (got, place) = found(&metadata, name);
            if got != expected {
                return Err(fault(name.text(), expected, got));
            }
            let start = header + size_of::<u64>();
            places[name as usize] = Some(start + place.start..start + place.end);
        }
        Ok(Self { path, map, entry: entry.clone(), places, blake3: OnceLock::new() })
    }

    pub(super) fn rows(&self) -> usize {
        self.entry.rows
    }

    /// Compares the content with its fingerprint: at the first call, at the speed of BLAKE3.
    pub(super) fn verify(&self) -> Result<(), StoreError> {
        let got = self.blake3.get_or_init(|| fingerprint(&self.map));
        if *got == self.entry.blake3 {
            return Ok(());
        }
        let (path, expected, got) = (self.path.clone(), self.entry.blake3.clone(), got.clone());
        Err(StoreError::Checksum { path, expected, got })
    }

    /// The bytes of a row of a tensor that the shard holds; none where there is no such tensor.
    pub(super) fn row(&self, name: Name, row: usize) -> &[u8] {
        let Some(place) = &self.places[name as usize] else { return &[] };
        let bytes = place.len() / self.entry.rows.max(1);
        &self.map[place.start + row * bytes..place.start + (row + 1) * bytes]
    }

    /// One side of a row of a tensor that holds both.
    pub(super) fn side(&self, name: Name, row: usize, side: usize) -> &[u8] {
        let both = self.row(name, row);
        let bytes = both.len() / SIDES;
        &both[side * bytes..(side + 1) * bytes]
    }

    /// What was intervened upon.
    pub(super) fn target(
        &self,
        row: usize,
        dtype: Dtype,
    ) -> Result<InterventionTarget, StoreError> {
        let bytes = self.row(Name::Target, row);
        if dtype == Dtype::U8 {
            let mask: Vec<bool> = bytes.iter().map(|&entry| entry != 0).collect();
            return Ok(InterventionTarget::from_mask(&mask));
        }
        let label = bytes.try_into().map_or(-1, i64::from_le_bytes);
        let label = usize::try_from(label).map_err(|_| StoreError::Shard {
            path: self.path.clone(),
            what: "target",
            expected: "0 for none or k for variable k - 1".to_owned(),
            got: label.to_string(),
        })?;
        Ok(InterventionTarget::from_label(label))
    }
}

/// The numbers of single precision in some bytes.
pub(super) fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    let number = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    bytes.chunks_exact(size_of::<f32>()).map(number)
}

/// BLAKE3 in hexadecimal digits.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Maps a file into memory.
pub(super) fn map(path: &Path) -> Result<Mmap, StoreError> {
    let unreadable = |reason| StoreError::Read { path: path.to_owned(), reason };
    let file = File::open(path).map_err(unreadable)?;
    #[expect(
        unsafe_code,
        reason = "the only way to map a file; shards get their names when whole and are never changed in place"
    )]
    let map = unsafe { Mmap::map(&file) };
    map.map_err(unreadable)
}

/// Type and shape of a tensor in words, and its place behind the header.
fn found(metadata: &Metadata, name: Name) -> (String, Range<usize>) {
    metadata.info(name.text()).map_or_else(
        || ("nothing".to_owned(), 0..0),
        |info| {
            let (start, end) = info.data_offsets;
            (format!("{} {:?}", info.dtype, info.shape), start..end)
        },
    )
}
