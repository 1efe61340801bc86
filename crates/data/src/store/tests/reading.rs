use domino_core::{GroundTruth, InterventionTarget, Pairs};
use proptest::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use super::support::{AtOnce, PAIRS, drawn, generate, pictures, rounded, write};
use crate::checksum;
use crate::loader::{PairRows, gather};
use crate::store::layout::{Layout, Name, Tensor, Tensors};
use crate::store::{Shards, StoreError, Table};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn rows_read_are_rows_generated(rows in prop::collection::vec(0..PAIRS, 1..20)) {
        let folder = tempfile::tempdir().unwrap();
        generate(folder.path()).unwrap();
        let shards = Shards::open(folder.path()).unwrap();
        let (pairs, truth) = (shards.pairs(rows.clone()).unwrap(), shards.truth(rows.clone()).unwrap());
        prop_assert_eq!(&pairs, &gather(&drawn(), &rows).unwrap());
        for (at, &row) in rows.iter().enumerate() {
            prop_assert_eq!(truth.slice(at..at + 1), rounded(&drawn().truth(row..row + 1)));
        }
    }
}

fn read_back(table: &(Pairs, GroundTruth)) -> (Shards, Pairs, GroundTruth) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), table).unwrap();
    let shards = Shards::open(folder.path()).unwrap();
    let n = PairRows::len(&shards);
    let (pairs, truth) = (shards.pairs(0..n).unwrap(), shards.truth(0..n).unwrap());
    (shards, pairs, truth)
}

#[test]
fn pictures_labels_and_masks_come_back() {
    for at_once in [AtOnce::One, AtOnce::Several] {
        let table = pictures(500, at_once);
        let (shards, pairs, truth) = read_back(&table);
        assert_eq!(pairs, table.0);
        assert_eq!(truth, rounded(&table.1));
        let dtype = shards.manifest().tensors.target.as_ref().unwrap().to_string();
        assert_eq!(dtype, if at_once == AtOnce::Several { "U8 [2]" } else { "I64 []" });
        assert!(shards.manifest().shards.len() > 3);
    }
}

#[test]
fn pairs_without_truth_come_back_without() {
    let (pairs, _) = pictures(50, AtOnce::One);
    let (shards, read, truth) = read_back(&(pairs.clone(), GroundTruth::default()));
    assert_eq!(read, pairs);
    assert!(truth.is_empty());
    assert_eq!(shards.manifest().dim(), None);
}

#[test]
fn the_streamed_checksum_is_that_of_the_pairs_in_memory() {
    for at_once in [AtOnce::One, AtOnce::Several] {
        let table = pictures(300, at_once);
        let (shards, ..) = read_back(&table);
        assert_eq!(shards.checksum().unwrap(), checksum(&table.0, &table.1));
        assert_eq!(shards.manifest().checksum.as_ref(), Some(&checksum(&table.0, &table.1)));
    }
    let folder = tempfile::tempdir().unwrap();
    let manifest = generate(folder.path()).unwrap();
    let truth = drawn().truth(0..PAIRS);
    let pairs = Table::pairs(&drawn(), 0..PAIRS, &truth).unwrap();
    assert_eq!(manifest.checksum, Some(checksum(&pairs, &truth)));
}

#[test]
fn several_targets_in_the_last_row_alone_make_masks() {
    let (pairs, mut truth) = pictures(90, AtOnce::One);
    truth.targets.as_mut().unwrap()[89] = InterventionTarget::Several(vec![0, 1]);
    let (_, _, read) = read_back(&(pairs, truth.clone()));
    assert_eq!(read.targets, truth.targets);
}

#[test]
fn the_library_writes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path()).unwrap();
    let bytes = std::fs::read(folder.path().join("shard-00001.safetensors")).unwrap();
    let read = SafeTensors::deserialize(&bytes).unwrap();
    let views: Vec<(String, TensorView<'_>)> = read.tensors();
    assert_eq!(views.len(), 4);
    assert_eq!(safetensors::serialize(views, None).unwrap(), bytes);
}

#[test]
fn tensors_of_wide_elements_come_first() {
    let tensors = Tensors {
        x: Some(Tensor::mask(12)),
        z: Some(Tensor::states(2)),
        e: None,
        target: Some(Tensor::label()),
    };
    assert_eq!(tensors.row_bytes(), 12 + 16 + 8);
    let layout = Layout::new(&tensors, 10);
    let x = layout.place(Name::X).unwrap();
    assert_eq!((x.start - layout.header.len(), x.len()), (240, 120));
    let order: Vec<&str> = tensors.in_order().iter().map(|(name, _)| name.text()).collect();
    assert_eq!(order, ["target", "z", "x"]);
}

#[test]
fn a_row_beyond_the_last_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path()).unwrap();
    let shards = Shards::open(folder.path()).unwrap();
    let error = shards.pairs([PAIRS]).unwrap_err();
    assert_eq!(error.to_string(), "expected a row below 1000, got 1000");
    assert!(matches!(shards.truth([PAIRS]), Err(StoreError::Row { .. })));
}
