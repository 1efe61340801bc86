//! Sets of large pictures, which are drawn when they are read.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::support::complaint;
use crate::circuit::CircuitConfig;
use crate::generator::Split;
use crate::loader::Drawn;
use crate::spec::GeneratorConfig;
use crate::store::{Kept, Manifest, Origin, Shards, WriteOptions, write_shards};

const PAIRS: usize = 5;

fn config() -> GeneratorConfig {
    GeneratorConfig::Circuit(CircuitConfig { size: 160, samples: 1, ..CircuitConfig::default() })
}

fn write(folder: &Path) -> Manifest {
    let table = Drawn::new(config().build().unwrap(), Split::Train, PAIRS);
    let origin = Origin::generated(&config(), Split::Train);
    let options = WriteOptions { shard_bytes: 200, ..WriteOptions::default() };
    write_shards(folder, &table, Some(&origin), options, &mut |_| ControlFlow::Continue(()))
        .unwrap()
}

#[test]
fn large_pictures_are_read_as_they_are_sampled() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = write(folder.path());
    assert_eq!(manifest.observations, Kept::Rendered);
    let bytes: u64 =
        fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 160 * 160 * 3, "{bytes} bytes hold a picture");

    let (pairs, truth) = config().build().unwrap().sample(PAIRS, Split::Train).unwrap();
    let shards = Shards::open(folder.path()).unwrap();
    assert_eq!(shards.pairs(1..4).unwrap(), pairs.slice(1..4));
    assert_eq!(shards.truth(1..4).unwrap().targets, truth.slice(1..4).targets);
    shards.verify(|_| {}).unwrap();
}

#[test]
fn states_that_the_generator_does_not_draw_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let path = folder.path().join("dataset.json");
    let text = fs::read_to_string(&path).unwrap();
    let other = text.replacen("\"seed\": 0", "\"seed\": 1", 1);
    assert_ne!(other, text);
    fs::write(&path, other).unwrap();
    let said = complaint(folder.path());
    assert!(said.contains("expected"), "{said}");

    let later = text.replacen("\"version\": 1", "\"version\": 2", 2);
    fs::write(&path, later).unwrap();
    assert!(Shards::open(folder.path()).is_err());
}
