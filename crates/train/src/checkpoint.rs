use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use domino_core::files::WriteError;

use crate::adam::Moments;
use crate::basis::Basis;
use crate::weights::{
    CHECKSUM, Collect, Tensors, broken, parse_tensors, restored, stored, write_tensors,
};
use crate::{Adam, TrainContext, TrainError};

/// A folder with the states of each phase of a run as safetensors files: weights, optimiser moments
/// and the step, with a checksum over all of them.
///
/// A finished phase keeps its file, so that a resumed run skips it. The file before the last one is
/// kept too: where the last is damaged, the phase goes on from the one before or begins anew, tells
/// the observer, and ends with the same weights.
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
    tensors: Tensors,
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
        let mut tensors = BTreeMap::new();
        for ((name, _), moments) in collect.tensors.iter().zip(adam.moments()) {
            let Some(moments) = moments else { continue };
            let Moments { first, second, basis } = moments;
            let mut put = |which: &str, tensor: &Tensor<1>| {
                tensors.insert(format!("{which}.{name}"), stored(tensor.clone()))
            };
            put("first", first);
            put("second", second);
            for (which, part) in basis.iter().flat_map(|b| Basis::PARTS.into_iter().zip(b.parts()))
            {
                put(which, &part);
            }
        }
        tensors.extend(collect.tensors);
        let metadata = [("run", self.run.clone()), ("step", step.to_string())]
            .into_iter()
            .chain([("adam_steps", adam.steps().to_string())])
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let path = self.path(phase);
        match fs::rename(&path, self.earlier(phase)) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                Err(WriteError { path, reason }.into())
            }
            _ => write_tensors(&path, tensors, metadata),
        }
    }

    /// The state of a phase, put into a module of the same shape and its optimiser, and the steps
    /// it had done; nothing where the phase was never saved.
    pub(crate) fn load<M: Module>(
        &self,
        phase: &str,
        module: M,
        adam: &mut Adam,
        context: &mut TrainContext<'_>,
    ) -> Result<(M, u64), TrainError> {
        for path in [self.path(phase), self.earlier(phase)] {
            if !path.exists() {
                continue;
            }
            let read = fs::read(&path).map_err(|e| broken(&path, e));
            match read.and_then(|file| self.parse(&file, &path)) {
                Ok(saved) => return saved.restore(module, adam, &context.device, &path),
                Err(damage @ TrainError::Checkpoint { .. }) => context.observer.damaged(&damage),
                Err(other) => return Err(other),
            }
        }
        Ok((module, 0))
    }

    fn path(&self, phase: &str) -> PathBuf {
        self.folder.join(format!("{phase}.safetensors"))
    }

    /// The file before the last.
    fn earlier(&self, phase: &str) -> PathBuf {
        self.folder.join(format!("{phase}.earlier.safetensors"))
    }

    fn parse(&self, file: &[u8], path: &Path) -> Result<Saved, TrainError> {
        let (metadata, tensors) = parse_tensors(file, path)?;
        let entry = |key: &str| {
            metadata.get(key).ok_or_else(|| broken(path, format!("expected an entry `{key}`")))
        };
        entry(CHECKSUM)?;
        let found = entry("run")?;
        if *found != self.run {
            let (expected, found) = (self.run.clone(), found.clone());
            return Err(TrainError::OtherRun { path: path.to_owned(), expected, found });
        }
        let step = entry("step")?.parse().map_err(|e| broken(path, e))?;
        let adam_steps = entry("adam_steps")?.parse().map_err(|e| broken(path, e))?;
        Ok(Saved { step, adam_steps, tensors })
    }
}

impl Saved {
    /// The module and its optimiser in this state, and the steps it had done.
    fn restore<M: Module>(
        &self,
        module: M,
        adam: &mut Adam,
        device: &Device,
        path: &Path,
    ) -> Result<(M, u64), TrainError> {
        let (module, names) = restored(module, &self.tensors, path)?;
        let moment = |which: &str, name: &str| {
            let data = self.tensors.get(&format!("{which}.{name}"))?.clone();
            let count = data.len();
            Some(Tensor::from_data(TensorData::new(data, [count]), &device.clone().inner()))
        };
        let moments = names
            .iter()
            .map(|name| {
                let parts = Basis::PARTS.map(|part| moment(part, name));
                let basis = match parts {
                    [Some(a), Some(b), Some(c), Some(d)] => Some(Basis::of_parts([a, b, c, d])),
                    _ => None,
                };
                Some(Moments {
                    first: moment("first", name)?,
                    second: moment("second", name)?,
                    basis,
                })
            })
            .collect();
        adam.restore(self.adam_steps, moments);
        Ok((module, self.step))
    }
}

#[cfg(test)]
mod tests;
