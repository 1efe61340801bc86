//! What can be wrong with an archive, on MPI3D, the plainest of them.

use std::fs;

use domino_data::formats::{FormatError, Kind, read_pairs};
use domino_data::npz::Limits;

use crate::write::{Packing, Raw, bytes, npz, options, picture, read, refusal};

/// Sizes of the factors, pictures of 2 x 1; picture `k` is full of `k`.
fn images(sizes: [usize; 7]) -> Raw {
    let count: usize = sizes.iter().product();
    let values = (0..count).flat_map(|k| [k as u8; 6]).collect();
    bytes("images", &[sizes.as_slice(), &[2, 1, 3]].concat(), values)
}

const SIZES: [usize; 7] = [2, 1, 2, 1, 3, 2, 2];

#[test]
fn stored_packed_and_fortran_archives_give_the_same_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    let plain = images(SIZES);
    // The same array with the first index fastest.
    let lengths = plain.shape.clone();
    let mut fortran = Raw { fortran: "True", ..plain.clone() };
    for at in 0..plain.bytes.len() {
        let (mut rest, mut place) = (at, 0);
        for &length in &lengths {
            (place, rest) = (place * length + rest % length, rest / length);
        }
        fortran.bytes[at] = plain.bytes[place];
    }
    for (array, packing) in
        [(&plain, Packing::Stored), (&plain, Packing::Deflated), (&fortran, Packing::Deflated)]
    {
        let path = npz(&folder.path().join("mpi3d_toy.npz"), std::slice::from_ref(array), packing);
        found.push(read_pairs(None, &path, &options(40)).unwrap());
    }
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0], found[2]);
    let (pairs, truth) = &found[0];
    assert_eq!(truth.names.as_ref().unwrap().len(), 5, "factors of one value are left out");
    for (z, x) in [(&truth.z_before, pairs.before()), (&truth.z_after, pairs.after())] {
        let z = z.as_ref().unwrap();
        for row in 0..pairs.len() {
            let at = |k| z[(row, k)] as usize;
            let number = (((at(0) * 2 + at(1)) * 3 + at(2)) * 2 + at(3)) * 2 + at(4);
            assert_eq!(picture(x, row), [number as u8; 6]);
        }
    }
    let changed = |row: usize| {
        let before = truth.z_before.as_ref().unwrap().row(row);
        let after = truth.z_after.as_ref().unwrap().row(row);
        (0..5).filter(|&k| (before[k] - after[k]).abs() > 0.5).collect::<Vec<_>>()
    };
    let targets = truth.targets.as_ref().unwrap();
    assert!((0..40).all(|row| targets[row].variables() == changed(row) && changed(row).len() == 1));
}

#[test]
fn a_truncated_archive_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = npz(&folder.path().join("m.npz"), &[images(SIZES)], Packing::Stored);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(refusal(Kind::Mpi3d, &path).contains("got no whole zip archive"));
    // An entry that is cut within an archive that is whole.
    let cut = Raw { bytes: vec![0; 7], ..images(SIZES) };
    for packing in [Packing::Stored, Packing::Deflated] {
        let path = npz(&folder.path().join("m.npz"), std::slice::from_ref(&cut), packing);
        let text = refusal(Kind::Mpi3d, &path);
        assert!(text.contains("images: expected 288 bytes of data"), "{text}");
    }
}

#[test]
fn other_types_shapes_and_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |array: Raw| {
        refusal(Kind::Mpi3d, &npz(&folder.path().join("m.npz"), &[array], Packing::Stored))
    };
    let wide = Raw { descr: ">u2".into(), bytes: vec![0; 576], ..images(SIZES) };
    assert!(refusal(wide).ends_with("got type >u2"));
    let pickled = Raw { descr: "|O".into(), ..images(SIZES) };
    assert!(refusal(pickled).ends_with("got type |O"));
    let text = refusal(bytes("images", &[24, 1, 1, 3], vec![0; 72]));
    assert!(
        text.contains("N = 460800 or 1036800") && text.ends_with("got [24] pictures"),
        "{text}"
    );
    let text = refusal(bytes("pictures", &[1], vec![0]));
    assert!(text.contains("no such array") && text.ends_with("the file holds pictures"), "{text}");
    assert!(refusal(bytes("images", &[2, 0, 1, 3], vec![])).contains("got shape [2, 0, 1, 3]"));
}

#[test]
fn a_bomb_is_refused_by_its_head_and_by_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let huge = Raw { shape: vec![460_800, 4096, 4096, 3], ..images(SIZES) };
    for packing in [Packing::Stored, Packing::Deflated] {
        let path = npz(&folder.path().join("m.npz"), std::slice::from_ref(&huge), packing);
        assert!(refusal(Kind::Mpi3d, &path).contains("the file is too short for that"));
    }
    let path = npz(&folder.path().join("m.npz"), &[images(SIZES)], Packing::Deflated);
    let limits = Limits { max_bytes: 100 };
    let tight = domino_data::formats::ReadOptions { limits, ..options(10) };
    let error = read_pairs(Some(Kind::Mpi3d), &path, &tight).unwrap_err();
    assert!(matches!(error, FormatError::TooLarge { declared: 120, limit: 100, .. }), "{error}");
}

#[test]
fn the_known_counts_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    for (count, colors) in [(460_800, 4), (1_036_800, 6)] {
        let array = bytes("images", &[count, 1, 1, 1], vec![0; count]);
        let path = npz(&folder.path().join("mpi3d_real.npz"), &[array], Packing::Deflated);
        let grid = domino_data::formats::mpi3d(&path, Limits::default()).unwrap();
        assert_eq!(grid.grid().sizes(), [colors, colors, 2, 3, 3, 40, 40]);
    }
    let path = folder.path().join("mpi3d_real.npz");
    assert_eq!(read(Kind::Mpi3d, &path).unwrap().0.len(), 100);
}
