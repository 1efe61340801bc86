use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use domino_core::files::write_bytes;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::{Adam, TrainError};

/// A folder with one safetensors file per phase of a run: weights, optimiser moments and the step.
///
/// A finished phase keeps its file, so that a resumed run skips it.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    /// Steps between saves within a phase.
    every: u64,
    /// What the run is, such as its configuration's hash: a file of another run is refused.
    run: String,
}

/// State of a phase, as saved.
struct Saved {
    step: u64,
    adam_steps: i32,
    tensors: BTreeMap<String, Vec<f32>>,
}

impl Checkpoints {
    /// Checkpoints of one run in a folder, which must exist, written every `every` steps.
    pub fn new(folder: &Path, run: &str, every: u64) -> Self {
        Self { folder: folder.to_owned(), run: run.to_owned(), every: every.max(1) }
    }

    /// Whether a save is due after a step.
    pub(crate) fn due(&self, step: u64) -> bool {
        step.is_multiple_of(self.every)
    }

    /// Saves the state of a phase after `step` steps.
    pub(crate) fn save<M: Module>(
        &self,
        phase: &str,
        step: u64,
        module: &M,
        adam: &Adam,
    ) -> Result<(), TrainError> {
        let mut collect = Collect::default();
        module.visit(&mut collect);
        let mut tensors = collect.tensors;
        for (place, moments) in adam.moments().iter().enumerate() {
            let Some(moments) = moments else { continue };
            for (name, moment) in ["first", "second"].iter().zip(moments) {
                tensors.push((format!("{name}.{place:03}"), bytes(moment.clone())));
            }
        }
        let metadata = [("run", self.run.clone()), ("step", step.to_string())]
            .into_iter()
            .chain([("adam_steps", adam.steps().to_string())])
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        write_tensors(&self.path(phase), &tensors, metadata)
    }

    /// The state of a phase, put into a module of the same shape and its optimiser, and the steps
    /// it had done; nothing where the phase was never saved.
    pub(crate) fn load<M: Module>(
        &self,
        phase: &str,
        module: M,
        adam: &mut Adam,
        device: &Device,
    ) -> Result<(M, u64), TrainError> {
        let path = self.path(phase);
        if !path.exists() {
            return Ok((module, 0));
        }
        let saved = self.read(&path)?;
        let (module, places) = restored(module, &saved.tensors, &path)?;
        let moment = |name: &str, place: usize| {
            let data = saved.tensors.get(&format!("{name}.{place:03}"))?.clone();
            let count = data.len();
            Some(Tensor::from_data(TensorData::new(data, [count]), &device.clone().inner()))
        };
        let moments = (0..places)
            .map(|place| Some([moment("first", place)?, moment("second", place)?]))
            .collect();
        adam.restore(saved.adam_steps, moments);
        Ok((module, saved.step))
    }

    fn path(&self, phase: &str) -> PathBuf {
        self.folder.join(format!("{phase}.safetensors"))
    }

    fn read(&self, path: &Path) -> Result<Saved, TrainError> {
        let file = fs::read(path).map_err(|e| broken(path, e))?;
        let (_, header) = SafeTensors::read_metadata(&file).map_err(|e| broken(path, e))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let entry = |key: &str| {
            metadata.get(key).ok_or_else(|| broken(path, format!("expected an entry `{key}`")))
        };
        if *entry("run")? != self.run {
            let found = entry("run")?;
            let expected = &self.run;
            return Err(broken(
                path,
                format!("expected a checkpoint of run {expected}, got {found}"),
            ));
        }
        let step = entry("step")?.parse().map_err(|e| broken(path, e))?;
        let adam_steps = entry("adam_steps")?.parse().map_err(|e| broken(path, e))?;
        Ok(Saved { step, adam_steps, tensors: read_tensors(&file, path)? })
    }
}

/// Saves the weights of a module as one safetensors file, by their place in the module.
///
/// # Errors
/// [`TrainError::Write`] if the file cannot be written.
pub fn save_weights<M: Module>(path: &Path, module: &M) -> Result<(), TrainError> {
    let mut collect = Collect::default();
    module.visit(&mut collect);
    write_tensors(path, &collect.tensors, BTreeMap::new())
}

/// Puts saved weights into a module of the same shape.
///
/// # Errors
/// [`TrainError::Checkpoint`] if the file is unreadable or its weights do not fit.
pub fn load_weights<M: Module>(path: &Path, module: M) -> Result<M, TrainError> {
    let tensors = read_tensors(&fs::read(path).map_err(|e| broken(path, e))?, path)?;
    restored(module, &tensors, path).map(|(module, _)| module)
}

fn write_tensors(
    path: &Path,
    tensors: &[(String, Vec<u8>)],
    metadata: BTreeMap<String, String>,
) -> Result<(), TrainError> {
    let views = tensors.iter().map(|(name, data)| {
        let view = TensorView::new(Dtype::F32, vec![data.len() / 4], data);
        (name.as_str(), view.expect("the length is that of the data"))
    });
    let metadata = (!metadata.is_empty()).then(|| metadata.into_iter().collect());
    let file = safetensors::serialize(views, metadata).map_err(|e| broken(path, e))?;
    Ok(write_bytes(path, &file)?)
}

fn read_tensors(file: &[u8], path: &Path) -> Result<BTreeMap<String, Vec<f32>>, TrainError> {
    let tensors = SafeTensors::deserialize(file).map_err(|e| broken(path, e))?;
    Ok(tensors.iter().map(|(name, view)| (name.to_owned(), floats(view.data()))).collect())
}

/// The module with saved weights, and how many it has.
fn restored<M: Module>(
    module: M,
    tensors: &BTreeMap<String, Vec<f32>>,
    path: &Path,
) -> Result<(M, usize), TrainError> {
    let mut restore = Restore { tensors, place: 0, error: None };
    let module = module.map(&mut restore);
    match restore.error {
        Some(reason) => Err(TrainError::Checkpoint { path: path.to_owned(), reason }),
        None => Ok((module, restore.place)),
    }
}

fn broken(path: &Path, reason: impl ToString) -> TrainError {
    TrainError::Checkpoint { path: path.to_owned(), reason: reason.to_string() }
}

fn bytes<const D: usize>(tensor: Tensor<D>) -> Vec<u8> {
    tensor.into_data().iter::<f32>().flat_map(f32::to_le_bytes).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[derive(Default)]
struct Collect {
    tensors: Vec<(String, Vec<u8>)>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = format!("param.{:03}", self.tensors.len());
        self.tensors.push((name, bytes(param.val())));
    }
}

struct Restore<'a> {
    tensors: &'a BTreeMap<String, Vec<f32>>,
    place: usize,
    error: Option<String>,
}

impl ModuleMapper for Restore<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = format!("param.{:03}", self.place);
        self.place += 1;
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
