use std::fs;
use std::path::Path;

use super::support::{complaint, generate};

/// A generated set, damaged by `change`, and what is said of it without the folder's own name.
fn said(change: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path()).unwrap();
    change(folder.path());
    complaint(folder.path()).replace(&format!("{}/", folder.path().display()), "")
}

const SHARD: &str = "shard-00001.safetensors";

fn edit(folder: &Path, from: &str, to: &str) {
    let path = folder.join("dataset.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_flipped_bit_is_noticed() {
    let said = said(|folder| {
        let mut bytes = fs::read(folder.join(SHARD)).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(folder.join(SHARD), bytes).unwrap();
    });
    assert!(said.starts_with(&format!("{SHARD}: BLAKE3: expected ")), "{said}");
    assert!(said.ends_with("; remove it and generate the set again"), "{said}");
}

#[test]
fn a_shard_that_was_cut_off_is_told_by_its_length() {
    let said = said(|folder| {
        let bytes = fs::read(folder.join(SHARD)).unwrap();
        fs::write(folder.join(SHARD), &bytes[..bytes.len() - 7]).unwrap();
    });
    let (expected, got) = said
        .strip_prefix(&format!("{SHARD}: expected "))
        .and_then(|rest| rest.split_once(" bytes, got "))
        .unwrap();
    assert_eq!(expected.parse::<u64>().unwrap() - 7, got.parse::<u64>().unwrap());
}

#[test]
fn a_missing_shard_or_manifest_is_named() {
    let said_shard = said(|folder| fs::remove_file(folder.join(SHARD)).unwrap());
    assert!(said_shard.starts_with(&format!("cannot read {SHARD}: ")), "{said_shard}");
    let said_manifest = said(|folder| fs::remove_file(folder.join("dataset.json")).unwrap());
    assert!(said_manifest.starts_with("cannot read dataset.json: "), "{said_manifest}");
}

#[test]
fn a_file_that_is_no_shard_is_refused() {
    let said = said(|folder| {
        let length = fs::metadata(folder.join(SHARD)).unwrap().len() as usize;
        fs::write(folder.join(SHARD), vec![b'{'; length]).unwrap();
    });
    assert!(
        said.starts_with(&format!("{SHARD}: header: expected that of a safetensors file, got ")),
        "{said}"
    );
}

#[test]
fn an_edited_manifest_contradicts_itself_or_the_shards() {
    for (from, to, expected) in [
        ("\"version\": 1", "\"version\": 2", "dataset.json: version: expected 1, got 2"),
        ("domino-pairs", "zip", "dataset.json: format: expected \"domino-pairs\", got \"zip\""),
        ("\"pairs\": 1000", "\"pairs\": 1001", "dataset.json: expected 1001 pairs, got 1000"),
        (
            "\"dim\": 5",
            "\"dim\": 6",
            "dataset.json: tensors.x: expected F32 [2, 6], got F32 [2, 5]",
        ),
        ("\"seed\": 3", "\"seed\": 4", "dataset.json: origin.generator.seed: expected 3, got 4"),
        ("\"z2\",", "", "dataset.json: names: expected 3 names, got 2 names"),
        ("\"pairs\"", "\"rows\"", "dataset.json: content: expected the fields of version 1, got "),
        ("{", "", "dataset.json: content: expected JSON, got "),
        ("\"shard-00001", "\"../shard-00001", "dataset.json: shards.file: expected shard-00001"),
    ] {
        let said = said(|folder| edit(folder, from, to));
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn shards_of_other_shapes_are_told_from_those_of_the_manifest() {
    let said = said(|folder| {
        let text = fs::read_to_string(folder.join("dataset.json")).unwrap();
        let text = text.replace("\"I64\"", "\"U8\"").replace("\"row\": []", "\"row\": [3]");
        fs::write(folder.join("dataset.json"), text).unwrap();
    });
    assert!(said.starts_with("shard-00000.safetensors: target: expected U8 ["), "{said}");
    assert!(said.contains(", 3], got I64 ["), "{said}");
}

#[test]
fn an_edited_graph_is_seen_in_the_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let checksum = generate(folder.path()).unwrap().checksum.unwrap();
    let verified = || crate::store::Shards::open(folder.path()).unwrap().verify_checksum();
    assert_eq!(verified().unwrap(), checksum);
    edit(folder.path(), "\"z1\"", "\"first\"");
    let error = verified().unwrap_err().to_string();
    assert!(error.contains(&format!("checksum: expected {checksum}, got ")), "{error}");
}
