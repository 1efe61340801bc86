use std::fs;
use std::io::Write;
use std::path::Path;

use domino_core::Observations;
use domino_data::formats::{Kind, ReadOptions, Size, Source, open, read_pairs};
use domino_data::npz::Limits;

use crate::write::{golden, options, picture, refusal};

fn folder_of(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (number, file) in files.iter().enumerate() {
        fs::copy(golden(file), folder.path().join(format!("car{number}.mat"))).unwrap();
    }
    folder
}

#[test]
fn packed_and_plain_files_are_read_row_by_row() {
    let folder = folder_of(&["car-packed.mat", "car-plain.mat"]);
    let Ok(Source::Factored(images)) = open(folder.path(), Limits::default()) else { panic!() };
    assert_eq!(images.grid().names(), ["elevation", "azimuth", "type"]);
    assert_eq!(images.grid().sizes(), [3, 2, 2]);
    for (elevation, azimuth, car) in [(0, 0, 0), (2, 1, 1), (2, 0, 0), (1, 1, 1)] {
        let found = images.picture(&[elevation, azimuth, car]).unwrap();
        let expected: Vec<u8> = (0..24_usize)
            .map(|at| {
                10 * (at / 6) + 5 * (at / 3 % 2) + at % 3 + 50 * azimuth + 100 * (elevation / 2)
            })
            .map(|value| value as u8)
            .collect();
        assert_eq!(found, expected, "{elevation} {azimuth} {car}");
    }
    let options = ReadOptions { size: Size::Of { height: 2, width: 2 }, ..options(10) };
    let (pairs, truth) = read_pairs(None, folder.path(), &options).unwrap();
    assert!(matches!(pairs.after(), Observations::Images { shape, .. } if shape.height == 2));
    let z = truth.z_before.unwrap();
    let first = 5.0 + 50.0 * z[(0, 1)] + if z[(0, 0)] > 1.0 { 100.0 } else { 0.0 };
    assert_eq!(picture(pairs.before(), 0)[0], first as u8, "the mean of rows 0 and 1");
}

fn broken(edit: impl Fn(&mut Vec<u8>)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = fs::read(golden("car-plain.mat")).unwrap();
    edit(&mut bytes);
    let path = folder.path().join("car.mat");
    fs::write(&path, bytes).unwrap();
    let text = refusal(Kind::Cars3d, folder.path());
    text.strip_prefix("PATH/car.mat: ").unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn damaged_and_foreign_files_are_named() {
    assert!(broken(|bytes| bytes.truncate(200)).contains("expected a whole data element"));
    assert!(broken(|bytes| bytes.truncate(20)).contains("expected a MATLAB 5.0 MAT-file"));
    let newer = broken(|bytes| bytes[..10].copy_from_slice(b"MATLAB 7.3"));
    assert!(newer.ends_with("got MATLAB 7.3, which is HDF5"), "{newer}");
    // The first dimension of the array.
    let dims = broken(|bytes| bytes[160] = 5);
    assert!(dims.contains("im: expected 180 bytes for shape [5, 2, 3, 2, 3], got 144"), "{dims}");
    let folder = folder_of(&["car-doubles.mat"]);
    assert!(refusal(Kind::Cars3d, folder.path()).contains("im: expected a uint8 array"));
}

#[test]
fn a_bomb_meets_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![0; 1 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    let head = fs::read(golden("car-plain.mat")).unwrap()[..128].to_vec();
    let tag = [15, u32::try_from(packed.len()).unwrap()].map(u32::to_le_bytes).concat();
    fs::write(folder.path().join("car.mat"), [head, tag, packed].concat()).unwrap();
    let limits = Limits { max_bytes: 5000 };
    let tight = ReadOptions { limits, ..options(1) };
    let error = read_pairs(Some(Kind::Cars3d), folder.path(), &tight).unwrap_err().to_string();
    assert!(
        error.ends_with("a compressed array: expected at most 5000 bytes, the limit, got more")
    );
}

#[test]
fn a_folder_without_cars_says_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("readme.txt"), "").unwrap();
    let text = refusal(Kind::Cars3d, folder.path());
    assert_eq!(text, "PATH: expected one .mat file per car, found readme.txt");
    let error = open(folder.path(), Limits::default()).unwrap_err().to_string();
    assert!(error.contains("expected a known data set, found readme.txt; looked for:"), "{error}");
    assert!(error.contains("\n  cars3d: one .mat file with im per car"), "{error}");
    assert!(open(Path::new("/nowhere/at/all"), Limits::default()).is_err());
}
