use std::fs;
use std::io::Write;
use std::path::Path;

use domino_core::{ImageShape, Observations};
use domino_data::formats::{Kind, Source, mnist, open};
use domino_data::npz::Limits;

use crate::write::read;

fn idx(magic: u32, lengths: &[u32], data: &[u8]) -> Vec<u8> {
    let words = [&[magic], lengths].concat();
    [&words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>(), data].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const PIXELS: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn write(folder: &Path, images: &[u8], labels: &[u8]) {
    fs::write(folder.join("train-images-idx3-ubyte"), images).unwrap();
    fs::write(folder.join("train-labels.idx1-ubyte.gz"), gzip(labels)).unwrap();
}

#[test]
fn pictures_and_labels_are_read_packed_or_not() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &idx(0x803, &[2, 1, 4], &PIXELS), &idx(0x801, &[2], &[7, 9]));
    let Ok(Source::Labeled(found)) = open(folder.path(), Limits::default()) else { panic!() };
    let shape = ImageShape { height: 1, width: 4, channels: 1 };
    assert_eq!(found.images, Observations::Images { data: PIXELS.to_vec(), shape });
    assert_eq!(found.labels, [7, 9]);
    let error = read(Kind::Mnist, folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("mnist has no pairs: its digits have labels only"), "{error}");
}

#[test]
fn counts_magic_numbers_and_lengths_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |images: &[u8], labels: &[u8]| {
        write(folder.path(), images, labels);
        mnist(folder.path(), None, Limits::default()).unwrap_err().to_string()
    };
    let (images, labels) = (idx(0x803, &[2, 1, 4], &PIXELS), idx(0x801, &[2], &[7, 9]));
    let text = refusal(&images, &idx(0x801, &[1], &[7]));
    assert!(
        text.ends_with("labels: expected 2 labels, at least 1, one per picture, got 1"),
        "{text}"
    );
    let text = refusal(&idx(0x801, &[2, 1, 4], &PIXELS), &labels);
    assert!(text.ends_with("expected magic number 0x00000803, got 0x00000801"), "{text}");
    let text = refusal(&images[..20], &labels);
    assert!(text.ends_with("expected 8 bytes for shape [2, 1, 4], got 4"), "{text}");
    let text = refusal(&idx(0x803, &[u32::MAX; 3], &PIXELS), &labels);
    assert!(text.contains("bytes for shape [4294967295, 4294967295, 4294967295], got 8"), "{text}");
    let text = mnist(folder.path(), Some("test"), Limits::default()).unwrap_err().to_string();
    assert!(text.contains("expected t10k-images-idx3-ubyte, or the same as .gz, found train"));
}

#[test]
fn a_bomb_meets_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let zeros = vec![0; 1 << 20];
    write(folder.path(), &idx(0x803, &[2, 1, 4], &PIXELS), &idx(0x801, &[1 << 20], &zeros));
    let packed = fs::metadata(folder.path().join("train-labels.idx1-ubyte.gz")).unwrap().len();
    assert!(packed < 2000);
    let limits = Limits { max_bytes: 10_000 };
    let error = mnist(folder.path(), None, limits).unwrap_err().to_string();
    assert!(error.contains("exceed the limit of 10000 bytes"), "{error}");
}
