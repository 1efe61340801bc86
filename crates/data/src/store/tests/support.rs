//! Tables and folders to test with.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;

use domino_core::{
    Dag, GroundTruth, ImageShape, InterventionTarget, Observations, Pairs, Seed, Stream,
};
use nalgebra::DMatrix;
use rand::RngExt;

use crate::generator::Split;
use crate::loader::Drawn;
use crate::scaling::ScalingConfig;
use crate::spec::GeneratorConfig;
use crate::store::{Manifest, Origin, Shards, StoreError, Table, WriteOptions, write_shards};

/// Pairs of the generated table.
pub(super) const PAIRS: usize = 1_000;

/// Small, so that a set has several shards.
pub(super) const SHARD_BYTES: usize = 20_000;

pub(super) fn generator() -> GeneratorConfig {
    GeneratorConfig::Scaling(ScalingConfig {
        seed: 3,
        d: 3,
        dim_x: Some(5),
        observation_noise: 0.1,
        ..ScalingConfig::default()
    })
}

pub(super) fn drawn() -> Drawn {
    Drawn::new(generator().build().unwrap(), Split::Train, PAIRS)
}

pub(super) fn origin() -> Origin {
    Origin::generated(&generator(), Split::Train)
}

pub(super) fn options(threads: usize) -> WriteOptions {
    WriteOptions { shard_bytes: SHARD_BYTES, threads: NonZeroUsize::new(threads).unwrap() }
}

pub(super) fn write(folder: &Path, table: &dyn Table) -> Result<Manifest, StoreError> {
    write_shards(folder, table, None, options(2), &mut |_| ControlFlow::Continue(()))
}

/// Writes the generated table.
pub(super) fn generate(folder: &Path) -> Result<Manifest, StoreError> {
    let go_on = &mut |_| ControlFlow::Continue(());
    write_shards(folder, &drawn(), Some(&origin()), options(2), go_on)
}

/// How many variables an intervention may set.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum AtOnce {
    One,
    Several,
}

/// Pictures of noise with some truth.
pub(super) fn pictures(n: usize, at_once: AtOnce) -> (Pairs, GroundTruth) {
    let shape = ImageShape { height: 4, width: 6, channels: 3 };
    let mut rng = Seed(9).rng(Stream::Data);
    let mut side = || {
        let data = (0..n * shape.len()).map(|_| rng.random()).collect();
        Observations::Images { data, shape }
    };
    let pairs = Pairs::new(side(), side()).unwrap();
    let mut matrix = || Some(DMatrix::from_fn(n, 2, |_, _| rng.random_range(-1.0..1.0)));
    let (z_before, z_after) = (matrix(), matrix());
    let most = if at_once == AtOnce::Several { 4 } else { 3 };
    let targets = (0..n).map(|row| match row % most {
        3 => InterventionTarget::Several(vec![0, 1]),
        label => InterventionTarget::from_label(label),
    });
    let truth = GroundTruth {
        z_before,
        z_after,
        targets: Some(targets.collect()),
        dag: Some(Dag::chain(2)),
        names: Some(vec!["arm".into(), "light".into()]),
        ..GroundTruth::default()
    };
    (pairs, truth)
}

/// The same truth with numbers in single precision, as shards hold them.
pub(super) fn rounded(truth: &GroundTruth) -> GroundTruth {
    let round = |m: &Option<DMatrix<f64>>| m.as_ref().map(|m| m.map(|v| f64::from(v as f32)));
    GroundTruth {
        z_before: round(&truth.z_before),
        z_after: round(&truth.z_after),
        e_before: round(&truth.e_before),
        e_after: round(&truth.e_after),
        ..truth.clone()
    }
}

/// Names and contents of a folder but for the lock.
pub(super) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .filter(|(name, _)| name != ".lock")
        .collect();
    files.sort();
    files
}

/// What opening or reading every row of a set complains of.
pub(super) fn complaint(folder: &Path) -> String {
    let read = || -> Result<(), StoreError> {
        let shards = Shards::open(folder)?;
        shards.verify(|_| ())?;
        shards.truth(0..shards.manifest().pairs)?;
        Ok(())
    };
    read().unwrap_err().to_string()
}
