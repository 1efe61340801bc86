//! Small files in the formats of the sets.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use domino_core::{GroundTruth, Observations, Pairs, Seed};
use domino_data::formats::{FormatError, Kind, PairRule, ReadOptions, Size, read_pairs};
use domino_data::npz::Limits;
use npyz::npz::NpzWriter;
use npyz::zip::CompressionMethod;
use npyz::zip::write::FileOptions;

/// An array as it is written by hand.
#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) name: &'static str,
    pub(crate) descr: String,
    pub(crate) fortran: &'static str,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

impl Raw {
    pub(crate) fn npy(&self) -> Vec<u8> {
        let shape: Vec<String> = self.shape.iter().map(|n| format!("{n},")).collect();
        let Self { descr, fortran, .. } = self;
        let shape = shape.concat();
        let head =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n");
        let length = u16::try_from(head.len()).unwrap().to_le_bytes();
        [b"\x93NUMPY\x01\0".as_slice(), &length, head.as_bytes(), &self.bytes].concat()
    }
}

pub(crate) fn bytes(name: &'static str, shape: &[usize], values: Vec<u8>) -> Raw {
    Raw { name, descr: "|u1".into(), fortran: "False", shape: shape.to_vec(), bytes: values }
}

pub(crate) fn doubles(name: &'static str, shape: &[usize], values: &[f64]) -> Raw {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Raw { name, descr: "<f8".into(), fortran: "False", shape: shape.to_vec(), bytes }
}

pub(crate) fn strings(name: &'static str, values: &[&str]) -> Raw {
    let longest = values.iter().map(|s| s.len()).max().unwrap();
    let padded = |s: &&str| {
        let chars: Vec<char> = s.chars().chain(std::iter::repeat('\0')).take(longest).collect();
        chars.into_iter().flat_map(|c| u32::from(c).to_le_bytes()).collect::<Vec<u8>>()
    };
    let (descr, bytes) = (format!("<U{longest}"), values.iter().flat_map(padded).collect());
    Raw { name, descr, fortran: "False", shape: vec![values.len()], bytes }
}

/// How entries of an archive are packed.
pub(crate) use npyz::zip::CompressionMethod as Packing;

pub(crate) fn npz(path: &Path, arrays: &[Raw], packing: CompressionMethod) -> PathBuf {
    let mut file = NpzWriter::create(path).unwrap();
    for array in arrays {
        let options = FileOptions::default().compression_method(packing);
        file.zip_writer().start_file(format!("{}.npy", array.name), options).unwrap();
        file.zip_writer().write_all(&array.npy()).unwrap();
    }
    file.zip_writer().finish().unwrap();
    path.to_owned()
}

pub(crate) fn png(path: &Path, width: u32, height: u32, color: [u8; 3]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Rgb);
    let data: Vec<u8> = (0..width * height).flat_map(|_| color).collect();
    encoder.write_header().unwrap().write_image_data(&data).unwrap();
}

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

pub(crate) fn options(pairs: usize) -> ReadOptions {
    ReadOptions {
        pairs,
        seed: Seed(1),
        rule: PairRule::One,
        size: Size::Stored,
        limits: Limits { max_bytes: 1 << 26 },
        ..ReadOptions::default()
    }
}

pub(crate) fn read(kind: Kind, path: &Path) -> Result<(Pairs, GroundTruth), FormatError> {
    read_pairs(Some(kind), path, &options(100))
}

/// What is said, after the path.
pub(crate) fn refusal(kind: Kind, path: &Path) -> String {
    let error = read(kind, path).unwrap_err().to_string();
    let path = path.to_str().unwrap();
    assert!(error.contains(path), "no path {path} in: {error}");
    error.replace(path, "PATH")
}

/// Bytes of picture `row`.
pub(crate) fn picture(x: &Observations, row: usize) -> Vec<u8> {
    let Observations::Images { data, .. } = x.slice(row..row + 1) else { panic!("no pictures") };
    data
}
