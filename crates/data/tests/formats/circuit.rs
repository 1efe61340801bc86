use domino_core::{InterventionTarget, Observations};
use domino_data::formats::{
    CausalCircuit, Filter, Kind, ReadOptions, Size, Source, open, read_pairs,
};
use domino_data::npz::Limits;

use crate::write::{golden, options, picture, read, refusal};

/// Colours of the six pictures, as `make_formats.py` paints them.
const COLORS: [[[u8; 3]; 2]; 3] =
    [[[200, 40, 40], [40, 200, 40]], [[40, 40, 200], [90, 90, 90]], [[250, 250, 250], [0, 0, 0]]];

/// JPEG rounds in another colour space.
const ROUNDING: u8 = 3;

#[test]
fn byte_strings_packed_or_not_and_pickled_ones_give_the_same_pairs() {
    let bytes = read(Kind::CausalCircuit, &golden("circuit-bytes.npz")).unwrap();
    assert_eq!(bytes, read(Kind::CausalCircuit, &golden("circuit-bytes-packed.npz")).unwrap());
    assert_eq!(bytes, read(Kind::CausalCircuit, &golden("circuit-objects.npz")).unwrap());
    let (pairs, _) = bytes;
    for (row, colors) in COLORS.iter().enumerate() {
        for (side, color) in [pairs.before(), pairs.after()].into_iter().zip(colors) {
            let pixels = picture(side, row);
            assert_eq!(pixels.len(), 16 * 16 * 3);
            let near = |(at, &value): (usize, &u8)| value.abs_diff(color[at % 3]) <= ROUNDING;
            assert!(pixels.iter().enumerate().all(near), "{color:?}: {:?}", &pixels[..3]);
        }
    }
}

#[test]
fn targets_follow_the_noise_that_changed() {
    let Ok(Source::CausalCircuit(set)) = open(&golden("circuit-bytes.npz"), Limits::default())
    else {
        panic!("another kind")
    };
    // The file's masks run from the arm to red; the arm is variable 3, green is variable 1.
    let targets = set.truth().targets.clone().unwrap();
    let atomic = InterventionTarget::Atomic;
    assert_eq!(targets, [InterventionTarget::None, atomic(3), atomic(1)]);
    assert_eq!(set.truth().names.as_ref().unwrap().join(" "), "red green blue arm");
    let dag = set.truth().dag.as_ref().unwrap();
    let edges: Vec<(usize, usize)> = dag.edges().collect();
    assert_eq!(edges, [(1, 0), (2, 0), (3, 0), (3, 1), (3, 2)]);
    let z = set.truth().z_after.as_ref().unwrap();
    assert!((z[(1, 3)] - 0.555).abs() < 1e-12, "{}", z[(1, 3)]);
}

#[test]
fn pictures_shrink_on_request() {
    let small = ReadOptions { size: Size::Of { height: 2, width: 4 }, ..options(9) };
    for filter in [Filter::Area, Filter::Bilinear] {
        let options = ReadOptions { filter, ..small.clone() };
        let (pairs, _) = read_pairs(None, &golden("circuit-bytes.npz"), &options).unwrap();
        assert!(matches!(pairs.before(), Observations::Images { shape, .. }
            if [shape.height, shape.width, shape.channels] == [2, 4, 3]));
        assert!(picture(pairs.before(), 0)[0].abs_diff(200) <= ROUNDING);
    }
}

#[test]
fn fewer_pairs_are_a_choice_in_order() {
    let path = golden("circuit-bytes.npz");
    let (all, truth) = read(Kind::CausalCircuit, &path).unwrap();
    let (two, of_two) = read_pairs(None, &path, &options(2)).unwrap();
    let rows: Vec<usize> = (0..3)
        .filter(|&row| {
            (0..2).any(|other| picture(two.before(), other) == picture(all.before(), row))
        })
        .collect();
    assert_eq!((two.len(), rows.len()), (2, 2));
    assert_eq!(of_two.z_before.unwrap(), truth.z_before.unwrap().select_rows(&rows));
}

#[test]
fn pickled_arrays_are_refused_with_the_way_out() {
    let text = refusal(Kind::CausalCircuit, &golden("circuit-arrays.npz"));
    assert!(text.starts_with("PATH: imgs: expected an array of byte strings"), "{text}");
    assert!(text.contains("np.savez(..., imgs=np.array(list_of_pairs_of_bytes, dtype=bytes))"));
}

#[test]
fn a_picture_of_another_size_is_named() {
    let text = refusal(Kind::CausalCircuit, &golden("circuit-sizes.npz"));
    assert_eq!(text, "PATH: imgs[2, 0]: expected 16 x 16 pixels like the others, got 24 x 24");
}

#[test]
fn a_corrupt_picture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.npz");
    let mut bytes = std::fs::read(golden("circuit-bytes.npz")).unwrap();
    let starts: Vec<usize> =
        (0..bytes.len() - 3).filter(|&at| bytes[at..at + 3] == [0xff, 0xd8, 0xff]).collect();
    assert_eq!(starts.len(), 6);
    bytes[starts[3] + 2] = 0;
    std::fs::write(&path, bytes).unwrap();
    let error = read(Kind::CausalCircuit, folder.path()).unwrap_err().to_string();
    assert!(error.contains("train.npz: imgs[1, 1]: expected a PNG or JPEG picture"), "{error}");
}

#[test]
fn the_parts_of_a_split_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    for part in 0..2 {
        let to = folder.path().join(format!("train-{part}.npz"));
        std::fs::copy(golden("circuit-bytes.npz"), to).unwrap();
    }
    let set = CausalCircuit::open(folder.path(), None, Limits::default()).unwrap();
    assert_eq!(set.len(), 6);
    let (pairs, _) = set.pairs(&options(100)).unwrap();
    assert_eq!(picture(pairs.after(), 1), picture(pairs.after(), 4));
    let error = CausalCircuit::open(folder.path(), Some("val"), Limits::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("expected val.npz or val-0.npz and so on, found train-0.npz, train-1.npz")
    );
}
