//! The parts of a run's data.

use std::path::Path;

use domino::core::{GroundTruth, Observations, Pairs, PairsError, Seed, Stream};
use domino::data::npz::{FileError, Limits, read_pairs};
use domino::data::scaling;
use domino::data::{Generator, GeneratorConfig, Split, checksum};
use rand::RngExt;
use thiserror::Error;

use crate::settings::DataConfig;

/// Pairs drawn to train on where nothing else is said.
const TRAIN: usize = 100_000;

/// Each part but the training pairs takes at most one row in this many of a file.
const SHARE: usize = 10;

/// Fewer rows of a file cannot be parted.
const LEAST: usize = 20;

/// The split of a file does not depend on the run's seed: all seeds are measured on the same pairs.
const SPLIT_SEED: Seed = Seed(0);

/// Pairs with what is known of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What training may see.
    pub pairs: Pairs,
    /// What only metrics may see.
    pub truth: GroundTruth,
}

impl Sample {
    /// The rows `rows` in that order.
    ///
    /// # Panics
    /// If there is no row among them, or one that does not exist.
    #[must_use]
    pub fn rows(&self, rows: &[usize]) -> Self {
        let sides = [self.pairs.before(), self.pairs.after()].map(|side| select(side, rows));
        let [before, after] = sides;
        let pairs = Pairs::new(before, after).expect("rows of pairs are pairs");
        let pick = |m: &Option<nalgebra::DMatrix<f64>>| m.as_ref().map(|m| m.select_rows(rows));
        let GroundTruth { z_before, z_after, e_before, e_after, targets, dag, names } = &self.truth;
        let truth = GroundTruth {
            z_before: pick(z_before),
            z_after: pick(z_after),
            e_before: pick(e_before),
            e_after: pick(e_after),
            targets: targets.as_ref().map(|all| rows.iter().map(|&r| all[r].clone()).collect()),
            dag: dag.clone(),
            names: names.clone(),
        };
        Self { pairs, truth }
    }

    /// Reads a file of pairs.
    ///
    /// # Errors
    /// [`FileError`] naming file, array and what was expected.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let (pairs, truth) = read_pairs(path, Limits::default())?;
        Ok(Self { pairs, truth })
    }
}

/// All parts of a run's data.
#[derive(Debug)]
pub struct Dataset {
    /// What it is called.
    pub name: String,
    /// The fingerprint of the file, or of the pairs drawn to train on.
    pub checksum: String,
    /// Pairs to fit to.
    pub train: Pairs,
    /// Pairs to choose by.
    pub validation: Pairs,
    /// Pairs to measure on.
    pub test: Sample,
    /// Pairs to fit the regressions inside scores on; none where true variables are not known.
    pub dci_train: Option<Sample>,
    /// The generator, where there is one.
    pub world: Option<Box<dyn Generator>>,
}

/// Why there is no data to run on.
#[derive(Debug, Error)]
pub enum DatasetError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A generator cannot work so.
    #[error("data.scaling: {0}")]
    Scaling(#[from] scaling::ConfigError),
    /// The generator's output is no pairs.
    #[error("data.scaling: {0}")]
    Pairs(#[from] PairsError),
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
    /// # Errors
    /// [`DatasetError`] if a file is no pairs or too small, or if a generator's options are out of
    /// range.
    pub fn load(config: &DataConfig) -> Result<Self, DatasetError> {
        match (&config.path, &config.scaling) {
            (Some(path), _) => Self::of_file(path, config),
            (None, scaling) => {
                Self::drawn(&GeneratorConfig::Scaling(scaling.clone().unwrap_or_default()), config)
            }
        }
    }

    /// Number of causal variables, where the truth tells.
    pub fn dim(&self) -> Option<usize> {
        self.test.truth.dim()
    }

    fn drawn(generator: &GeneratorConfig, config: &DataConfig) -> Result<Self, DatasetError> {
        let world = generator.build()?;
        let draw = |n: usize, split: Split| -> Result<Sample, DatasetError> {
            let (pairs, truth) = world.sample(n, split)?;
            Ok(Sample { pairs, truth })
        };
        let train = draw(config.train.unwrap_or(TRAIN), Split::Train)?;
        Ok(Self {
            name: generator.name(),
            checksum: checksum(&train.pairs, &train.truth),
            train: train.pairs,
            validation: draw(config.validation, Split::Validation)?.pairs,
            test: draw(config.test, Split::Test)?,
            dci_train: Some(draw(config.dci_train, Split::DciTrain)?),
            world: Some(world),
        })
    }

    fn of_file(path: &Path, config: &DataConfig) -> Result<Self, DatasetError> {
        let all = Sample::read(path)?;
        let n = all.pairs.len();
        if n < LEAST {
            return Err(DatasetError::TooFew { path: path.display().to_string(), got: n });
        }
        let mut order = shuffled(n);
        let mut take = |most: usize| {
            let rows = order.split_off(order.len() - most.min(n / SHARE));
            all.rows(&rows)
        };
        let (test, validation) = (take(config.test), take(config.validation).pairs);
        let has_variables = all.truth.z_before.is_some() || all.truth.z_after.is_some();
        let dci_train = has_variables.then(|| take(config.dci_train));
        order.truncate(config.train.unwrap_or(n).max(1));
        let name = path.file_stem().map_or_else(|| "pairs".into(), |stem| stem.to_string_lossy());
        Ok(Self {
            name: name.into_owned(),
            checksum: checksum(&all.pairs, &all.truth),
            train: all.rows(&order).pairs,
            validation,
            test,
            dci_train,
            world: None,
        })
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

fn select(x: &Observations, rows: &[usize]) -> Observations {
    fn gather<T: Copy>(data: &[T], dim: usize, rows: &[usize]) -> Vec<T> {
        rows.iter().flat_map(|&row| data[row * dim..(row + 1) * dim].iter().copied()).collect()
    }
    match x {
        Observations::Vectors { data, dim } => {
            Observations::Vectors { data: gather(data, *dim, rows), dim: *dim }
        }
        Observations::Images { data, shape } => {
            Observations::Images { data: gather(data, shape.len(), rows), shape: *shape }
        }
    }
}

#[cfg(test)]
mod tests {
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
        let data = Dataset::load(&config).unwrap();
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
        let error = Dataset::load(&config).unwrap_err().to_string();
        assert!(error.ends_with("expected at least 20 pairs to train and test on, got 19"));
    }
}
