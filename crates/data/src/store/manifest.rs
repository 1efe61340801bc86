use std::fs;
use std::path::Path;

use domino_core::files::write_bytes;
use domino_core::{Dag, Form};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::StoreError;
use super::layout::{Tensor, Tensors};
use crate::generator::Split;
use crate::spec::GeneratorConfig;

/// Name of the manifest within the folder.
pub const MANIFEST: &str = "dataset.json";

/// What the field `format` says.
const FORMAT: &str = "domino-pairs";

/// The version of the format that is written, and the only one that is read.
const VERSION: u32 = 1;

/// A stored data set in words: the content of `dataset.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `domino-pairs`.
    format: String,
    /// Version of the format.
    version: u32,
    /// Where the pairs come from, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Number of pairs.
    pub pairs: usize,
    /// What one observation looks like.
    pub form: Form,
    /// Whether observations are stored or made when they are read.
    pub observations: Kept,
    /// What one row of a shard holds.
    pub tensors: Tensors,
    /// Names of the variables, `[d]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// The causal graph, `[d, d]`, 1 at `[i, j]` for `i -> j`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjacency: Option<Vec<Vec<u8>>>,
    /// What [`checksum`](crate::checksum) says of all pairs; not told of rendered observations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The shards in the order of their rows.
    pub shards: Vec<ShardEntry>,
}

/// One shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardEntry {
    /// Its file within the folder.
    pub file: String,
    /// Number of its pairs.
    pub rows: usize,
    /// Length of the file.
    pub bytes: u64,
    /// BLAKE3 of the file in 64 hexadecimal digits.
    pub blake3: String,
}

/// Where observations are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// In the shards.
    Stored,
    /// Nowhere: the generator makes them from the stored states when they are read.
    Rendered,
}

/// Largest picture that is stored, in pixels; larger ones cost more to keep than to make again.
const LARGEST_STORED: usize = 128 * 128;

impl Kept {
    /// How observations of this form by a generator are kept.
    pub(super) fn of(form: Form) -> Self {
        match form {
            Form::Image(shape) if shape.height * shape.width > LARGEST_STORED => Self::Rendered,
            _ => Self::Stored,
        }
    }
}

/// Where pairs come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// They are the first rows of a split of a generator.
    Generator(Box<Generated>),
    /// They are taken from a public data set.
    Import(Imported),
}

/// A split of a generator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generated {
    /// What the generator is called.
    pub name: String,
    /// [`GeneratorConfig::version`] at the time of writing.
    pub version: u32,
    /// Seed of the world and of the pairs.
    pub seed: u64,
    /// The split.
    pub split: Split,
    /// All options.
    pub config: GeneratorConfig,
}

/// A selection from a public data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// The data set.
    pub kind: String,
    /// Seed of the selection.
    pub seed: u64,
}

impl Origin {
    /// A split of the generator that `config` describes, as this program builds it.
    pub fn generated(config: &GeneratorConfig, split: Split) -> Self {
        Self::Generator(Box::new(Generated {
            name: config.name(),
            version: config.version(),
            seed: config.seed(),
            split,
            config: config.clone(),
        }))
    }
}

impl Manifest {
    /// A manifest without shards.
    pub(super) fn new(
        origin: Option<Origin>,
        (pairs, form): (usize, Form),
        observations: Kept,
        tensors: Tensors,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            origin,
            pairs,
            form,
            observations,
            tensors,
            names: None,
            adjacency: None,
            checksum: None,
            shards: Vec::new(),
        }
    }

    /// Reads the manifest of a folder, of a whole set or one that is being written.
    ///
    /// # Errors
    /// [`StoreError`] naming the file and the field if it is missing, of another format or version,
    /// or contradicts itself.
    pub fn read(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(MANIFEST);
        let bytes =
            fs::read(&path).map_err(|reason| StoreError::Read { path: path.clone(), reason })?;
        Self::parse(&bytes, &path)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        Ok(write_bytes(&folder.join(MANIFEST), self.text().as_bytes())?)
    }

    /// Pairs in the shards so far.
    pub fn stored(&self) -> usize {
        self.shards.iter().fold(0, |sum, shard| sum.saturating_add(shard.rows))
    }

    /// Tells this set from any other: the checksum, or where there is none the BLAKE3 of the
    /// manifest, which holds those of the shards.
    pub fn fingerprint(&self) -> String {
        self.checksum
            .clone()
            .unwrap_or_else(|| blake3::hash(self.text().as_bytes()).to_hex().to_string())
    }

    fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("a manifest is plain JSON") + "\n"
    }

    /// The causal graph, where it is known.
    ///
    /// # Errors
    /// [`StoreError::Graph`] if it has a cycle.
    pub(super) fn dag(&self, folder: &Path) -> Result<Option<Dag>, StoreError> {
        let Some(rows) = &self.adjacency else { return Ok(None) };
        let entry = |i: usize, j: usize| rows[i].get(j).map_or(f64::NAN, |&v| f64::from(v));
        let matrix = DMatrix::from_fn(rows.len(), rows.len(), entry);
        let path = || folder.join(MANIFEST);
        Dag::from_adjacency(&matrix)
            .map(Some)
            .map_err(|reason| StoreError::Graph { path: path(), reason })
    }

    /// Number of causal variables, where the tensors or the graph tell.
    pub fn dim(&self) -> Option<usize> {
        let states = self.tensors.z.as_ref().or(self.tensors.e.as_ref());
        let graph = || self.adjacency.as_ref().map(Vec::len);
        states.and_then(|tensor| tensor.row.last().copied()).or_else(graph)
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, StoreError> {
        let file = Checked(path);
        let value: Value =
            serde_json::from_slice(bytes).map_err(|e| file.fault("content", "JSON", e))?;
        let field = |key: &str| value.get(key).unwrap_or(&Value::Null);
        file.same("format", Value::from(FORMAT), field("format"))?;
        file.same("version", Value::from(VERSION), field("version"))?;
        let manifest: Self = serde_json::from_value(value)
            .map_err(|e| file.fault("content", format!("the fields of version {VERSION}"), e))?;
        manifest.check(file)?;
        Ok(manifest)
    }

    /// That the parts agree with each other.
    fn check(&self, file: Checked<'_>) -> Result<(), StoreError> {
        let Tensors { x, z, e, target } = &self.tensors;
        let kept = (self.observations == Kept::Stored).then(|| Tensor::observations(self.form));
        file.same("tensors.x", shown(kept.as_ref()), &shown(x.as_ref()))?;
        let d = self.dim();
        let states = d.map(Tensor::states);
        for (key, tensor) in [("tensors.z", z), ("tensors.e", e)] {
            if tensor.is_some() {
                file.same(key, shown(states.as_ref()), &shown(tensor.as_ref()))?;
            }
        }
        if let Some(target) = target
            && *target != Tensor::label()
            && d.is_none_or(|d| *target != Tensor::mask(d))
        {
            let expected = "I64 [] for labels or U8 [d] for masks";
            return Err(file.fault("tensors.target", expected, target));
        }
        self.check_graph(file)?;
        if let Some(Origin::Generator(generated)) = &self.origin {
            file.same("origin.generator.seed", generated.config.seed(), &generated.seed)?;
        }
        self.shards.iter().try_for_each(|shard| {
            let name = Path::new(&shard.file).file_name().unwrap_or_default();
            file.same("shards.file", name.to_string_lossy().as_ref(), &shard.file.as_str())
        })
    }

    fn check_graph(&self, file: Checked<'_>) -> Result<(), StoreError> {
        let Some(d) = self.dim() else { return Ok(()) };
        if let Some(names) = &self.names {
            file.same("names", format!("{d} names"), &format!("{} names", names.len()))?;
        }
        let Some(adjacency) = &self.adjacency else { return Ok(()) };
        file.same("adjacency", format!("{d} rows"), &format!("{} rows", adjacency.len()))?;
        for row in adjacency {
            file.same("adjacency", format!("{d} columns"), &format!("{} columns", row.len()))?;
        }
        Ok(())
    }
}

/// The file whose fields are compared.
#[derive(Clone, Copy)]
struct Checked<'a>(&'a Path);

impl Checked<'_> {
    fn fault(self, key: &'static str, expected: impl ToString, got: impl ToString) -> StoreError {
        let (expected, got) = (expected.to_string(), got.to_string());
        StoreError::Manifest { path: self.0.to_owned(), key, expected, got }
    }

    fn same<T: PartialEq + ToString>(
        self,
        key: &'static str,
        expected: T,
        got: &T,
    ) -> Result<(), StoreError> {
        if expected == *got { Ok(()) } else { Err(self.fault(key, expected, got.to_string())) }
    }
}

fn shown(tensor: Option<&Tensor>) -> String {
    tensor.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}
