use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use domino_core::files::write_bytes;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::TrainError;

/// The entry of the metadata that holds the checksum of all others and of the tensors.
pub(crate) const CHECKSUM: &str = "checksum";

pub(crate) type Metadata = BTreeMap<String, String>;
pub(crate) type Tensors = BTreeMap<String, Vec<f32>>;

/// A tensor on its way to a file.
pub(crate) struct Stored {
    pub(crate) shape: Vec<usize>,
    /// Values as little-endian `f32`, rows first.
    pub(crate) bytes: Vec<u8>,
}

/// Saves the weights of a module as one safetensors file, named by their path in the module
/// (`encoder.trunk.layers.0.weight`) and in their shapes, with a checksum of them in its metadata.
///
/// # Errors
/// [`TrainError::Write`] if the file cannot be written.
pub fn save_weights<M: Module>(path: &Path, module: &M) -> Result<(), TrainError> {
    let mut collect = Collect::default();
    module.visit(&mut collect);
    write_tensors(path, collect.tensors.into_iter().collect(), BTreeMap::new())
}

/// Puts saved weights into a module of the same shape.
///
/// # Errors
/// [`TrainError::Checkpoint`] if the file is unreadable or damaged, or its weights do not fit.
pub fn load_weights<M: Module>(path: &Path, module: M) -> Result<M, TrainError> {
    let file = fs::read(path).map_err(|e| broken(path, e))?;
    let (_, tensors) = parse_tensors(&file, path)?;
    restored(module, &tensors, path).map(|(module, _)| module)
}

pub(crate) fn write_tensors(
    path: &Path,
    tensors: BTreeMap<String, Stored>,
    mut metadata: Metadata,
) -> Result<(), TrainError> {
    let content = tensors.iter().map(|(name, stored)| (name.as_str(), stored.bytes.as_slice()));
    metadata.insert(CHECKSUM.to_owned(), checksum(&metadata, content));
    let views = tensors.iter().map(|(name, Stored { shape, bytes })| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (name, view.expect("the length is that of the shape"))
    });
    let file = safetensors::serialize(views, Some(metadata.into_iter().collect()))
        .map_err(|e| broken(path, e))?;
    Ok(write_bytes(path, &file)?)
}

/// Metadata and tensors of a file, whose checksum is right where it has one.
pub(crate) fn parse_tensors(file: &[u8], path: &Path) -> Result<(Metadata, Tensors), TrainError> {
    let (_, header) = SafeTensors::read_metadata(file).map_err(|e| broken(path, e))?;
    let mut metadata: Metadata =
        header.metadata().clone().unwrap_or_default().into_iter().collect();
    let file = SafeTensors::deserialize(file).map_err(|e| broken(path, e))?;
    let views: BTreeMap<&str, TensorView<'_>> = file.iter().collect();
    if let Some(expected) = metadata.remove(CHECKSUM) {
        let got = checksum(&metadata, views.iter().map(|(name, view)| (*name, view.data())));
        if got != expected {
            let reason = format!("damaged: expected content of checksum {expected}, got {got}");
            return Err(broken(path, reason));
        }
        metadata.insert(CHECKSUM.to_owned(), got);
    }
    let floats = views.iter().map(|(name, view)| ((*name).to_owned(), floats(view.data())));
    Ok((metadata, floats.collect()))
}

/// BLAKE3 over names and values, each after its length.
fn checksum<'a>(metadata: &Metadata, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut part = |name: &str, value: &[u8]| {
        for bytes in [name.as_bytes(), value] {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
    };
    for (key, value) in metadata {
        part(key, value.as_bytes());
    }
    for (name, data) in tensors {
        part(name, data);
    }
    hasher.finalize().to_hex().to_string()
}

/// The module with saved weights, and the names that these have, in order.
pub(crate) fn restored<M: Module>(
    module: M,
    tensors: &Tensors,
    path: &Path,
) -> Result<(M, Vec<String>), TrainError> {
    let mut restore = Restore { tensors, path: Vec::new(), names: Vec::new(), error: None };
    let module = module.map(&mut restore);
    match restore.error {
        Some(reason) => Err(TrainError::Checkpoint { path: path.to_owned(), reason }),
        None => Ok((module, restore.names)),
    }
}

pub(crate) fn broken(path: &Path, reason: impl ToString) -> TrainError {
    TrainError::Checkpoint { path: path.to_owned(), reason: reason.to_string() }
}

pub(crate) fn stored<const D: usize>(tensor: Tensor<D>) -> Stored {
    let shape = tensor.dims().to_vec();
    let bytes = tensor.into_data().iter::<f32>().flat_map(f32::to_le_bytes).collect();
    Stored { shape, bytes }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// The tensors of a module by name, in its order.
#[derive(Default)]
pub(crate) struct Collect {
    path: Vec<String>,
    pub(crate) tensors: Vec<(String, Stored)>,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.tensors.push((self.path.join("."), stored(param.val())));
    }
}

struct Restore<'a> {
    tensors: &'a Tensors,
    path: Vec<String>,
    names: Vec<String>,
    error: Option<String>,
}

impl ModuleMapper for Restore<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        self.names.push(name.clone());
        let shape = param.val().dims();
        let expected: usize = shape.iter().product();
        let data = self.tensors.get(&name);
        let Some(data) = data.filter(|data| data.len() == expected) else {
            let got = data.map_or(0, Vec::len);
            self.error = Some(format!("{name}: expected {expected} values, got {got}"));
            return param;
        };
        let data = TensorData::new(data.clone(), shape);
        param.map(|tensor| {
            let tracked = tensor.is_require_grad();
            Tensor::from_data(data, &tensor.device()).set_require_grad(tracked)
        })
    }
}
