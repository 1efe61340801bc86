use std::fs;

use domino_data::formats::{Kind, ReadOptions, Source, open, read_pairs};
use domino_data::npz::Limits;

use crate::write::{golden, options, picture, refusal};

#[test]
fn chunked_plain_and_newest_files_give_the_same_pairs() {
    let read = |name: &str| read_pairs(None, &golden(name), &options(40)).unwrap();
    let (pairs, truth) = read("shapes3d-chunked.h5");
    assert_eq!((&pairs, &truth), (&read("shapes3d-plain.h5").0, &read("shapes3d-plain.h5").1));
    let names = truth.names.unwrap();
    assert_eq!(names, ["floor_hue", "scale", "shape"], "factors of one value are left out");
    let z = truth.z_after.unwrap();
    for row in 0..40 {
        let number = 4.0 * z[(row, 0)] + 2.0 * z[(row, 1)] + z[(row, 2)];
        assert_eq!(picture(pairs.after(), row), [number as u8; 48]);
    }
}

#[test]
fn the_newest_layout_is_read_picture_by_picture() {
    let Source::Factored(images) = open(&golden("shapes3d-latest.h5"), Limits::default()).unwrap()
    else {
        panic!("not factored");
    };
    for number in 0..12 {
        assert_eq!(images.picture(&images.grid().factors(number)).unwrap(), [number as u8; 48]);
    }
}

/// The refusal of a golden file with other bytes at a place, after `old` was found there.
fn refusal_with(name: &str, at: usize, old: &[u8], new: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("3dshapes.h5");
    let mut bytes = fs::read(golden(name)).unwrap();
    assert_eq!(bytes[at..][..old.len()], *old);
    bytes[at..][..new.len()].copy_from_slice(new);
    fs::write(&path, bytes).unwrap();
    refusal(Kind::Shapes3d, &path)
}

/// Where the chunks' lengths stand in `shapes3d-chunked.h5`, little-endian words.
const CHUNK: [u8; 16] = [5, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0];

#[test]
fn chunks_larger_than_their_dataset_take_no_memory() {
    let whole = fs::read(golden("shapes3d-chunked.h5")).unwrap();
    let at = whole.windows(CHUNK.len()).position(|bytes| bytes == CHUNK).unwrap();
    let text = refusal_with("shapes3d-chunked.h5", at, &CHUNK, &[0xff, 0xff, 0xff, 0x7f]);
    let expected = "PATH: the layout: expected chunks inside [12, 4, 4, 3] of 1 byte(s), \
                    got [2147483647, 2, 4, 3] of Some(1)";
    assert_eq!(text, expected);
    let text = refusal_with("shapes3d-chunked.h5", at, &CHUNK, &[0; 16]);
    assert!(text.contains("got [0, 0, 0, 0]"), "{text}");
}

#[test]
fn shapes_beyond_what_the_file_can_hold_take_no_memory() {
    let shape = [&12_u64.to_le_bytes()[..], &6_u64.to_le_bytes()].concat();
    let whole = fs::read(golden("shapes3d-plain.h5")).unwrap();
    let at = whole.windows(16).position(|bytes| bytes == shape).unwrap();
    let text = refusal_with("shapes3d-plain.h5", at, &shape, &u64::MAX.to_le_bytes());
    assert!(text.starts_with("PATH: labels: expected at most "), "{text}");
}

/// A node of the tree of chunks whose child is itself.
#[test]
fn addresses_in_circles_come_to_an_end() {
    let whole = fs::read(golden("shapes3d-chunked.h5")).unwrap();
    let at = whole.windows(6).position(|bytes| bytes == b"TREE\x01\0").unwrap();
    // The level, then the first child: behind head, size and mask and five offsets.
    let mut bytes = whole[at..at + 80].to_vec();
    bytes[5] = 9;
    bytes[72..].copy_from_slice(&(at as u64).to_le_bytes());
    let text = refusal_with("shapes3d-chunked.h5", at, b"TREE\x01\0", &bytes);
    assert!(text.contains("the tree of chunks: expected a level below 9, got 9"), "{text}");
    // A block of a header that continues in itself.
    let continuation = |address: u64, len: u64| [address.to_le_bytes(), len.to_le_bytes()].concat();
    let header = 0x60_u64;
    assert_eq!(whole[header as usize..][..2], [1, 0], "the root group's header");
    let mut message =
        [&[0x10_u8, 0, 16, 0, 0, 0, 0, 0][..], &continuation(header + 16, 24)].concat();
    let old = whole[header as usize + 16..][..2].to_vec();
    message.truncate(24);
    let text = refusal_with("shapes3d-chunked.h5", header as usize + 16, &old, &message);
    assert!(
        text.contains("expected addresses that lead somewhere, got addresses in circles"),
        "{text}"
    );
}

#[test]
fn packed_chunks_give_as_many_bytes_as_their_shape_says() {
    let whole = fs::read(golden("shapes3d-chunked.h5")).unwrap();
    let at = whole.windows(CHUNK.len()).position(|bytes| bytes == CHUNK).unwrap();
    let text = refusal_with("shapes3d-chunked.h5", at, &CHUNK, &[4]);
    assert!(text.contains(": expected 96 bytes, got 97"), "{text}");
}

#[test]
fn damaged_files_and_limits_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("3dshapes.h5");
    let whole = fs::read(golden("shapes3d-chunked.h5")).unwrap();
    fs::write(&path, &whole[..100]).unwrap();
    let text = refusal(Kind::Shapes3d, &path);
    assert!(text.starts_with("PATH: ") && text.contains(": expected "), "{text}");
    fs::write(&path, b"no HDF5 at all").unwrap();
    assert!(refusal(Kind::Shapes3d, &path).starts_with("PATH: the file: expected an HDF5 file"));
    let tight = ReadOptions { limits: Limits { max_bytes: 300 }, ..options(5) };
    let error = read_pairs(None, &golden("shapes3d-plain.h5"), &tight).unwrap_err().to_string();
    assert!(error.contains("labels: 576 bytes exceed the limit of 300 bytes"), "{error}");
}
