use std::ops::Range;
use std::path::{Path, PathBuf};

use domino_core::{Form, GroundTruth, InterventionTarget, Pairs};
use nalgebra::DMatrix;

use super::error::StoreError;
use super::layout::{Name, SIDES};
use super::manifest::{Kept, MANIFEST, Manifest, Origin};
use super::shard::{Shard, floats};
use crate::loader::{Drawn, PairRows, PairView, check_rows, gather};

/// A stored data set, its shards mapped into memory.
///
/// Opening reads the headers alone. The content of a shard is compared with its BLAKE3 once per
/// process, when the first of its rows is read, so that no damage goes unnoticed.
#[derive(Debug)]
pub struct Shards {
    folder: PathBuf,
    manifest: Manifest,
    files: Vec<Shard>,
    /// First row of each shard.
    starts: Vec<usize>,
    /// Makes observations that are not stored.
    drawn: Option<Drawn>,
}

impl Shards {
    /// Opens the folder of a whole set.
    ///
    /// # Errors
    /// [`StoreError`] naming the file, what was expected and what was found: if the manifest is
    /// missing, of another version or contradicts itself, if shards are missing, too short, or
    /// hold other tensors than the manifest says, or if observations are rendered and this program
    /// has another version of the generator.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let manifest = Manifest::read(folder)?;
        let (expected, got) = (manifest.pairs, manifest.stored());
        if got != expected || got == 0 {
            return Err(StoreError::Incomplete { path: folder.join(MANIFEST), expected, got });
        }
        let open = |entry| Shard::open(folder, entry, &manifest.tensors);
        let files = manifest.shards.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let starts = files.iter().scan(0, |next, shard| {
            *next += shard.rows();
            Some(*next - shard.rows())
        });
        let starts = starts.collect();
        let drawn = match manifest.observations {
            Kept::Stored => None,
            Kept::Rendered => Some(drawn(&manifest, folder)?),
        };
        Ok(Self { folder: folder.to_owned(), manifest, files, starts, drawn })
    }

    /// The set in words.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Compares one shard after the other with its BLAKE3; `each` is told how many rows are done.
    ///
    /// # Errors
    /// [`StoreError::Checksum`] naming the first shard that is not what was written.
    pub fn verify(&self, mut each: impl FnMut(usize)) -> Result<(), StoreError> {
        for (shard, start) in self.files.iter().zip(&self.starts) {
            shard.verify()?;
            each(start + shard.rows());
        }
        Ok(())
    }

    /// The pairs of some rows, in that order.
    ///
    /// # Errors
    /// Those of [`gather`].
    pub fn pairs(&self, rows: impl IntoIterator<Item = usize>) -> Result<Pairs, StoreError> {
        gather(self, &rows.into_iter().collect::<Vec<_>>())
    }

    /// What is known of some rows, in that order; numbers have single precision.
    ///
    /// # Errors
    /// [`StoreError`] if a row does not exist, if its shard is damaged, or if the truth contradicts
    /// itself.
    pub fn truth(&self, rows: impl IntoIterator<Item = usize>) -> Result<GroundTruth, StoreError> {
        let rows: Vec<usize> = rows.into_iter().collect();
        check_rows(&rows, self.len())?;
        let places = rows.iter().map(|&row| self.place(row));
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let [z_before, z_after] = self.states(Name::Z, &places);
        let [e_before, e_after] = self.states(Name::E, &places);
        let target = |dtype| -> Result<Vec<InterventionTarget>, StoreError> {
            places.iter().map(|(shard, row)| shard.target(*row, dtype)).collect()
        };
        let targets = self.manifest.tensors.target.as_ref().map(|tensor| target(tensor.dtype));
        let truth = GroundTruth {
            z_before,
            z_after,
            e_before,
            e_after,
            targets: targets.transpose()?,
            dag: self.manifest.dag(&self.folder)?,
            names: self.manifest.names.clone(),
        };
        Ok(truth.checked(rows.len())?)
    }

    /// Compares the pairs, the graph and the names with the manifest's checksum, and returns it.
    ///
    /// # Errors
    /// [`StoreError::Pairing`] if they differ, and those of [`Shards::checksum`].
    pub fn verify_checksum(&self) -> Result<String, StoreError> {
        let got = self.checksum()?;
        match self.manifest.checksum.clone() {
            Some(expected) if expected != got => {
                Err(StoreError::Pairing { path: self.folder.join(MANIFEST), expected, got })
            }
            _ => Ok(got),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The shards with the numbers of their rows.
    pub(super) fn shards(&self) -> impl Iterator<Item = (Range<usize>, &Shard)> {
        let range = |(shard, &start): (_, &usize)| {
            let shard: &Shard = shard;
            (start..start + shard.rows(), shard)
        };
        self.files.iter().zip(&self.starts).map(range)
    }

    /// The verified shard that holds a row, and its number there.
    fn place(&self, row: usize) -> Result<(&Shard, usize), StoreError> {
        let number = self.starts.partition_point(|&start| start <= row) - 1;
        let shard = &self.files[number];
        shard.verify()?;
        Ok((shard, row - self.starts[number]))
    }

    fn states(&self, name: Name, places: &[(&Shard, usize)]) -> [Option<DMatrix<f64>>; SIDES] {
        let Some(d) = self.manifest.tensors.get(name).and_then(|t| t.row.last()) else {
            return [None, None];
        };
        [0, 1].map(|side| {
            let row = |(shard, row): &(&Shard, usize)| {
                floats(shard.side(name, *row, side)).map(f64::from).collect::<Vec<_>>()
            };
            let values: Vec<f64> = places.iter().flat_map(row).collect();
            Some(DMatrix::from_row_slice(places.len(), *d, &values))
        })
    }

    /// Makes the pair of a row and compares its states with the stored ones.
    fn render(
        &self,
        drawn: &Drawn,
        row: usize,
        each: &mut dyn FnMut(PairView<'_>),
    ) -> Result<(), StoreError> {
        let states = drawn.states(row..row + 1);
        let (shard, local) = self.place(row)?;
        let parts = [("z_before", &states.z_before), ("z_after", &states.z_after)];
        for (side, (part, z)) in parts.into_iter().enumerate() {
            let stored = floats(shard.side(Name::Z, local, side));
            for (col, (expected, &got)) in stored.zip(z.iter().flatten()).enumerate() {
                let got = got as f32;
                if (expected - got).abs() > DRIFT * expected.abs().max(1.0) {
                    return Err(StoreError::Drift { row, part, col, expected, got });
                }
            }
        }
        drawn.observe(row..row + 1, &states)?.visit(&[0], each)
    }
}

/// Elementary functions of two platforms differ in the last bits of a double, which may move a
/// single to its neighbour; another generator differs by far more.
const DRIFT: f32 = 1e-5;

impl PairRows for Shards {
    fn len(&self) -> usize {
        self.manifest.pairs
    }

    fn form(&self) -> Form {
        self.manifest.form
    }

    fn visit(&self, rows: &[usize], each: &mut dyn FnMut(PairView<'_>)) -> Result<(), StoreError> {
        check_rows(rows, self.len())?;
        for &row in rows {
            if let Some(drawn) = &self.drawn {
                self.render(drawn, row, each)?;
                continue;
            }
            let (shard, row) = self.place(row)?;
            let [before, after] = [0, 1].map(|side| shard.side(Name::X, row, side));
            match self.manifest.form {
                Form::Image(_) => each(PairView::Bytes([before, after])),
                Form::Vector { .. } => {
                    let [before, after] = [before, after].map(|x| floats(x).collect::<Vec<_>>());
                    each(PairView::Floats([&before, &after]));
                }
            }
        }
        Ok(())
    }
}

/// The source of observations that are not stored.
fn drawn(manifest: &Manifest, folder: &Path) -> Result<Drawn, StoreError> {
    let fault = |key, expected: String, got: String| StoreError::Manifest {
        path: folder.join(MANIFEST),
        key,
        expected,
        got,
    };
    let Some(Origin::Generator(origin)) = &manifest.origin else {
        let (expected, got) = ("a generator, as observations are rendered", "none");
        return Err(fault("origin", expected.into(), got.into()));
    };
    let (expected, got) = (origin.config.version(), origin.version);
    if got != expected {
        return Err(fault("origin.generator.version", expected.to_string(), got.to_string()));
    }
    let generator = origin.config.build()?;
    if generator.form() != manifest.form {
        let (expected, got) = (generator.form().to_string(), manifest.form.to_string());
        return Err(fault("form", expected, got));
    }
    Ok(Drawn::new(generator, origin.split, manifest.pairs))
}
