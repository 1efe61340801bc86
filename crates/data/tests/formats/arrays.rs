//! dSprites and ENCO: one archive, arrays that must agree.

use domino_core::{Dag, InterventionTarget, Observations};
use domino_data::formats::{
    FormatError, Kind, PairRule, ReadOptions, Source, enco, open, read_pairs,
};
use domino_data::npz::Limits;

use crate::write::{Packing, Raw, bytes, doubles, npz, options, picture, refusal};

/// dSprites of shape 3, scale 2 and x 2, 1 x 2 pixels; the metadata is a pickle.
fn sprites() -> Vec<Raw> {
    let mut classes = Vec::new();
    for (shape, scale, x) in (0..12).map(|k| (k / 4, k / 2 % 2, k % 2)) {
        classes.extend([0.0, f64::from(shape), f64::from(scale), 0.0, f64::from(x), 0.0]);
    }
    let pictures = (0..12).flat_map(|k| [u8::from(k % 2 == 1), u8::from(k >= 4)]).collect();
    let pickle =
        Raw { descr: "|O".into(), ..bytes("metadata", &[], b"cos\nsystem\n(S'ls'\ntR.".to_vec()) };
    let big_endian = |raw: Raw| Raw {
        descr: ">f8".into(),
        bytes: raw
            .bytes
            .chunks_exact(8)
            .flat_map(|b| b.iter().rev().copied().collect::<Vec<_>>())
            .collect(),
        ..raw
    };
    let classes = big_endian(doubles("latents_classes", &[12, 6], &classes));
    vec![pickle, bytes("imgs", &[12, 1, 2], pictures), classes]
}

#[test]
fn sprites_are_paired_by_factors_and_the_pickle_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = npz(&folder.path().join("dsprites.npz"), &sprites(), Packing::Deflated);
    let Source::Factored(images) = open(folder.path(), Limits::default()).unwrap() else {
        panic!()
    };
    assert_eq!(images.grid().names(), ["shape", "scale", "x"]);
    assert_eq!(images.picture(&[1, 0, 1]).unwrap(), [255, 255]);
    let error = images.picture(&[3, 0, 0]).unwrap_err().to_string();
    assert_eq!(error, "factors [3, 0, 0]: expected values below [3, 2, 2]");
    let (pairs, truth) = read_pairs(Some(Kind::Dsprites), &path, &options(50)).unwrap();
    assert_eq!(truth.dag, Some(Dag::empty(3)));
    let z = truth.z_after.unwrap();
    for row in 0..50 {
        let expected = [z[(row, 2)] * 255.0, if z[(row, 0)] > 0.0 { 255.0 } else { 0.0 }];
        assert_eq!(picture(pairs.after(), row), expected.map(|v| v as u8));
    }
}

#[test]
fn rules_change_as_many_factors_as_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = npz(&folder.path().join("dsprites.npz"), &sprites(), Packing::Stored);
    let counts = |rule| {
        let options = ReadOptions { rule, ..options(200) };
        let (_, truth) = read_pairs(None, &path, &options)?;
        let (before, after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
        let mut seen = [0; 4];
        for (row, target) in truth.targets.unwrap().iter().enumerate() {
            let moved = (0..3).filter(|&k| (before[(row, k)] - after[(row, k)]).abs() > 0.5);
            assert_eq!(moved.collect::<Vec<_>>(), target.variables());
            seen[target.variables().len()] += 1;
        }
        Ok::<_, FormatError>(seen)
    };
    assert_eq!(counts(PairRule::One).unwrap(), [0, 200, 0, 0]);
    assert_eq!(counts(PairRule::Exactly(2)).unwrap(), [0, 0, 200, 0]);
    let [none, one, 0, 0] = counts(PairRule::NoneOrOne).unwrap() else { panic!() };
    // A quarter of 200, give or take four standard deviations.
    assert!((26..=74).contains(&none) && none + one == 200, "{none}");
    let [0, one, two, three] = counts(PairRule::AtMost(3)).unwrap() else { panic!() };
    assert!([one, two, three].iter().all(|count| (40..=94).contains(count)), "{one} {two} {three}");
    for rule in [PairRule::Exactly(4), PairRule::AtMost(0)] {
        assert!(counts(rule).unwrap_err().to_string().ends_with("expected 1 to 3"));
    }
}

#[test]
fn pairs_depend_on_the_seed_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = npz(&folder.path().join("dsprites.npz"), &sprites(), Packing::Stored);
    let read = |seed| {
        let options = ReadOptions { seed: domino_core::Seed(seed), ..options(20) };
        read_pairs(None, &path, &options).unwrap()
    };
    assert_eq!(read(3), read(3));
    assert_ne!(read(3).1, read(4).1);
}

#[test]
fn counts_that_disagree_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsprites.npz");
    let mut arrays = sprites();
    arrays[1] = bytes("imgs", &[11, 1, 2], vec![0; 22]);
    let text = refusal(Kind::Dsprites, &npz(&path, &arrays, Packing::Stored));
    assert_eq!(text, "PATH: pictures: expected 12, one per combination of [3, 2, 2], got 11");
    arrays[2] = doubles("latents_classes", &[12, 5], &[0.0; 60]);
    assert!(
        refusal(Kind::Dsprites, &npz(&path, &arrays, Packing::Stored)).ends_with("got 5 columns")
    );
}

fn samples() -> [Raw; 3] {
    [
        Raw { descr: "|u1".into(), ..bytes("data_obs", &[3, 2], vec![0, 1, 2, 3, 4, 5]) },
        Raw {
            descr: "<i4".into(),
            ..bytes("data_int", &[2, 1, 2], [7_i32, 8, 9, 10].map(i32::to_le_bytes).concat())
        },
        bytes("adj_matrix", &[2, 2], vec![0, 1, 0, 0]),
    ]
}

#[test]
fn samples_of_enco_are_read_and_are_no_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let path = npz(&folder.path().join("enco.npz"), &samples(), Packing::Stored);
    let found = enco(&path, Limits::default()).unwrap();
    assert_eq!(found.observational, nalgebra::dmatrix![0.0, 1.0; 2.0, 3.0; 4.0, 5.0]);
    assert_eq!(found.interventional, [nalgebra::dmatrix![7.0, 8.0], nalgebra::dmatrix![9.0, 10.0]]);
    assert_eq!(found.dag, Some(Dag::chain(2)));
    let error = read_pairs(None, &path, &options(1)).unwrap_err().to_string();
    assert_eq!(
        error,
        "enco has no pairs: each sample has noise of its own; `formats::enco` reads them"
    );
}

#[test]
fn samples_that_disagree_and_nans_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |arrays: &[Raw]| {
        let path = npz(&folder.path().join("enco.npz"), arrays, Packing::Stored);
        enco(&path, Limits::default()).unwrap_err().to_string()
    };
    let [obs, int, graph] = samples();
    let wide = doubles("data_int", &[3, 1, 2], &[0.0; 6]);
    assert!(refusal(&[obs.clone(), wide, graph.clone()]).contains("expected shape [2, K, 2]"));
    let nan = doubles("data_obs", &[1, 2], &[0.0, f64::NAN]);
    assert!(
        refusal(&[nan, int.clone(), graph]).ends_with("expected finite numbers, got NaN in row 0")
    );
    let cycle = bytes("adj_matrix", &[2, 2], vec![0, 1, 1, 0]);
    assert!(refusal(&[obs, int, cycle]).contains("the graph has a cycle"));
}

#[test]
fn targets_are_labels_where_one_factor_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = npz(&folder.path().join("dsprites.npz"), &sprites(), Packing::Stored);
    let (pairs, truth) = read_pairs(None, &path, &options(5)).unwrap();
    assert!(matches!(pairs.before(), Observations::Images { shape, .. } if shape.channels == 1));
    assert!(truth.targets.unwrap().iter().all(|t| matches!(t, InterventionTarget::Atomic(_))));
}
