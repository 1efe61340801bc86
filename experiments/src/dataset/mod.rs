//! The parts of a run's data.

use std::path::Path;

use domino::core::{GroundTruth, Pairs, PairsError, Seed, Stream};
use domino::data::{ConfigError, Generator, GeneratorConfig, SpecError, Split, checksum};
use nalgebra::DMatrix;
use rand::RngExt;
use thiserror::Error;

use crate::settings::DataConfig;

mod kept;
mod source;

pub use source::{Sample, Source, SourceError};

/// Pairs drawn to train on where nothing else is said.
const TRAIN: usize = 100_000;

/// Each part but the training pairs takes at most one row in this many of a file.
const SHARE: usize = 10;

/// Fewer rows of a file cannot be parted.
const LEAST: usize = 20;

/// The split of a file does not depend on the run's seed: all seeds are measured on the same pairs.
const SPLIT_SEED: Seed = Seed(0);

/// All parts of a run's data.
#[derive(Debug)]
pub struct Dataset {
    /// What it is called.
    pub name: String,
    /// The fingerprint of the file, or of the pairs drawn to train on.
    pub checksum: String,
    /// Pairs to fit to.
    pub train: Pairs,
    /// Their true noise before and after, where it is known and was asked for.
    pub train_noise: Option<[DMatrix<f64>; 2]>,
    /// Pairs to choose by.
    pub validation: Pairs,
    /// Pairs to measure on.
    pub test: Sample,
    /// Pairs to fit the regressions inside scores on; none where true variables are not known.
    pub dci_train: Option<Sample>,
    /// The generator, where there is one.
    pub world: Option<Box<dyn Generator>>,
}

/// What is kept of the truth of the pairs to fit to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainTruth {
    /// Nothing.
    Dropped,
    /// The noise, for a supervised ceiling.
    Noise,
}

/// Why there is no data to run on.
#[derive(Debug, Error)]
pub enum DatasetError {
    /// Stored pairs cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is not exactly one generator.
    #[error("data: {0}")]
    Generator(#[from] SpecError),
    /// A generator cannot work so.
    #[error("data.{kind}: {reason}")]
    Config {
        /// The generator.
        kind: &'static str,
        /// What is wrong.
        reason: ConfigError,
    },
    /// The generator's output is no pairs.
    #[error("data.{kind}: {reason}")]
    Pairs {
        /// The generator.
        kind: &'static str,
        /// What is wrong.
        reason: PairsError,
    },
    /// A file has too few rows.
    #[error("{path}: expected at least {LEAST} pairs to train and test on, got {got}")]
    TooFew {
        /// The file.
        path: String,
        /// Rows found.
        got: usize,
    },
}

impl Dataset {
    /// Reads or draws the data of a configuration that names one source.
    ///
    /// With a folder `keep`, pairs that are drawn are kept in it and read from it where they are kept
    /// already; they are the same pairs either way.
    ///
    /// # Errors
    /// [`DatasetError`] if a file is no pairs or too small, or if a generator's options are out of
    /// range.
    pub fn load(
        config: &DataConfig,
        truth: TrainTruth,
        keep: Option<&Path>,
    ) -> Result<Self, DatasetError> {
        match &config.path {
            Some(path) => Self::stored(path, config, truth),
            None => Self::drawn(&config.spec(TRAIN).generator()?, config, truth, keep),
        }
    }

    /// Number of causal variables, where the truth tells.
    pub fn dim(&self) -> Option<usize> {
        self.test.truth.dim()
    }

    fn drawn(
        generator: &GeneratorConfig,
        config: &DataConfig,
        truth: TrainTruth,
        keep: Option<&Path>,
    ) -> Result<Self, DatasetError> {
        let kind = generator.kind();
        let world = generator.build().map_err(|reason| DatasetError::Config { kind, reason })?;
        let draw = |n: usize, split: Split| -> Result<Sample, DatasetError> {
            let unpaired = |reason| DatasetError::Pairs { kind, reason };
            let truth = world.states(split, 0..n);
            let pairs = match keep {
                Some(keep) => kept::pairs(keep, generator, split, n)?,
                None => world.observe(split, 0..n, &truth).map_err(unpaired)?,
            };
            Ok(Sample { pairs, truth })
        };
        let train = draw(config.train.unwrap_or(TRAIN), Split::Train)?;
        Ok(Self {
            name: generator.name(),
            checksum: checksum(&train.pairs, &train.truth),
            train: train.pairs,
            train_noise: truth.noise(|| Ok::<_, DatasetError>(train.truth))?,
            validation: draw(config.validation, Split::Validation)?.pairs,
            test: draw(config.test, Split::Test)?,
            dci_train: Some(draw(config.dci_train, Split::DciTrain)?),
            world: Some(world),
        })
    }

    fn stored(path: &Path, config: &DataConfig, truth: TrainTruth) -> Result<Self, DatasetError> {
        let all = Source::open(path)?;
        let n = all.len();
        if n < LEAST {
            return Err(DatasetError::TooFew { path: path.display().to_string(), got: n });
        }
        let mut order = shuffled(n);
        let mut take = |most: usize| {
            let rows = order.split_off(order.len() - most.min(n / SHARE));
            all.sample(&rows)
        };
        let (test, validation) = (take(config.test)?, take(config.validation)?.pairs);
        let known = &test.truth;
        let has_variables = known.z_before.is_some() || known.z_after.is_some();
        let dci_train = has_variables.then(|| take(config.dci_train)).transpose()?;
        order.truncate(config.train.unwrap_or(n).max(1));
        let name = path.file_stem().map_or_else(|| "pairs".into(), |stem| stem.to_string_lossy());
        Ok(Self {
            name: name.into_owned(),
            checksum: all.checksum()?,
            train: all.pairs(&order)?,
            train_noise: truth.noise(|| all.truth(&order))?,
            validation,
            test,
            dci_train,
            world: None,
        })
    }
}

impl TrainTruth {
    /// The noise of both sides of a truth, where it is known and kept.
    fn noise<E>(
        self,
        truth: impl FnOnce() -> Result<GroundTruth, E>,
    ) -> Result<Option<[DMatrix<f64>; 2]>, E> {
        if self == Self::Dropped {
            return Ok(None);
        }
        let GroundTruth { e_before, e_after, .. } = truth()?;
        Ok(e_before.zip(e_after).map(|(before, after)| [before, after]))
    }
}

/// The numbers below `n` in an order that depends on `n` alone.
pub fn shuffled(n: usize) -> Vec<usize> {
    let mut rng = SPLIT_SEED.rng(Stream::Split);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
    order
}

#[cfg(test)]
mod tests {
    use std::fs;

    use domino::data::circuit::CircuitConfig;
    use domino::data::npz::write_pairs;
    use domino::data::scaling::{ScalingConfig, World};

    use super::*;

    #[test]
    fn the_rows_of_a_file_are_parted_without_overlap() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.npz");
        let (pairs, truth) =
            World::draw(&ScalingConfig::default()).unwrap().sample(200, Split::Train).unwrap();
        write_pairs(&path, &pairs, &truth).unwrap();
        let config = DataConfig { path: Some(path), test: 7, ..DataConfig::default() };
        let data = Dataset::load(&config, TrainTruth::Dropped, None).unwrap();
        let dci = data.dci_train.as_ref().unwrap();
        let parts = [&data.train, &data.validation, &data.test.pairs, &dci.pairs];
        assert_eq!(parts.map(Pairs::len), [153, 20, 7, 20]);
        assert_eq!(data.name, "mine");

        let key = |pairs: &Pairs| -> Vec<Vec<u32>> {
            let row = |n| {
                let mut row = Vec::new();
                pairs.before().push_row(n, &mut row);
                row.iter().map(|v| v.to_bits()).collect()
            };
            (0..pairs.len()).map(row).collect()
        };
        let mut parted: Vec<_> = parts.into_iter().flat_map(key).collect();
        let mut whole = key(&pairs);
        parted.sort();
        whole.sort();
        assert_eq!(parted, whole);
    }

    #[test]
    fn pairs_that_are_kept_are_the_pairs_that_are_drawn() {
        let keep = tempfile::tempdir().unwrap();
        let circuit = CircuitConfig { size: 16, sensor_noise: 2.0, ..CircuitConfig::default() };
        let config = DataConfig {
            circuit: Some(circuit),
            train: Some(20),
            validation: 5,
            test: 6,
            dci_train: 7,
            ..DataConfig::default()
        };
        let load = |keep| Dataset::load(&config, TrainTruth::Noise, keep).unwrap();
        let drawn = load(None);
        for _ in 0..2 {
            let kept = load(Some(keep.path()));
            assert_eq!(kept.checksum, drawn.checksum);
            assert_eq!((&kept.train, &kept.validation), (&drawn.train, &drawn.validation));
            assert_eq!((&kept.train_noise, &kept.test), (&drawn.train_noise, &drawn.test));
            assert_eq!(kept.dci_train, drawn.dci_train);
            assert_eq!(fs::read_dir(keep.path()).unwrap().count(), 4);
        }
        let other = DataConfig { train: Some(21), ..config.clone() };
        Dataset::load(&other, TrainTruth::Dropped, Some(keep.path())).unwrap();
        assert_eq!(fs::read_dir(keep.path()).unwrap().count(), 5);
    }

    #[test]
    fn truth_stays_with_its_rows() {
        let (pairs, truth) =
            World::draw(&ScalingConfig::default()).unwrap().sample(30, Split::Test).unwrap();
        let sample = Sample { pairs, truth }.rows(&[4, 29]);
        let whole = World::draw(&ScalingConfig::default()).unwrap();
        let again = whole.x_from_z(sample.truth.z_before.as_ref().unwrap());
        let mut row = Vec::new();
        sample.pairs.before().push_row(1, &mut row);
        assert!(row.iter().zip(again.row(1).iter()).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5));
    }

    #[test]
    fn a_handful_of_rows_is_too_few() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("few.npz");
        let (pairs, truth) =
            World::draw(&ScalingConfig::default()).unwrap().sample(19, Split::Train).unwrap();
        write_pairs(&path, &pairs, &truth).unwrap();
        let config = DataConfig { path: Some(path), ..DataConfig::default() };
        let error = Dataset::load(&config, TrainTruth::Dropped, None).unwrap_err().to_string();
        assert!(error.ends_with("expected at least 20 pairs to train and test on, got 19"));
    }
}
