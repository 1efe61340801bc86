use std::fs;

use domino_data::formats::{FormatError, Kind, ReadOptions, Source, open, read_pairs};
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

/// Whatever the newest layout gives, it is the truth or an error.
#[test]
fn the_newest_layout_is_read_rightly_or_refused() {
    match open(&golden("shapes3d-latest.h5"), Limits::default()) {
        Ok(Source::Factored(images)) => {
            for number in 0..12 {
                let factors = images.grid().factors(number);
                assert!(images.picture(&factors).is_ok_and(|x| x == [number as u8; 48]));
            }
        }
        Err(FormatError::Malformed { .. }) => {}
        other => panic!("{other:?}"),
    }
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
