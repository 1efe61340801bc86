use burn::tensor::Tensor;
use domino_model::Loss;

use crate::TrainError;

/// Losses that were not finite, one after another, after which training gives up.
const PATIENCE: usize = 10;

/// Losses since the last report, left on the device until they are read together.
#[derive(Debug)]
pub(crate) struct History {
    models: usize,
    names: Vec<&'static str>,
    /// Per step: the total, then every term's mean over the models.
    steps: Vec<Tensor<1>>,
    /// Steps with a loss that is not finite, up to the last one read.
    broken: usize,
}

impl History {
    pub(crate) fn new(models: usize) -> Self {
        Self { models, names: Vec::new(), steps: Vec::new(), broken: 0 }
    }

    pub(crate) fn push(&mut self, loss: &Loss) {
        if self.names.is_empty() {
            self.names = std::iter::once("total").chain(loss.terms.iter().map(|t| t.0)).collect();
        }
        let total = loss.total.clone().inner() / self.models as f64;
        let means = loss.terms.iter().map(|(_, term)| term.clone().inner().mean());
        self.steps.push(Tensor::cat(std::iter::once(total).chain(means).collect(), 0));
    }

    /// Reads the period that ends at `step`: its mean losses, or the term that diverged.
    pub(crate) fn drain(
        &mut self,
        phase: &str,
        step: u64,
    ) -> Result<Vec<(&'static str, f64)>, TrainError> {
        let mut sums = vec![0.0; self.names.len()];
        let steps = std::mem::take(&mut self.steps);
        let count = steps.len() as u64;
        for (at, losses) in steps.into_iter().enumerate() {
            let losses: Vec<f64> = losses.into_data().iter::<f64>().collect();
            let bad = (1..losses.len()).chain([0]).find(|&t| !losses[t].is_finite());
            self.broken = if bad.is_some() { self.broken + 1 } else { 0 };
            if let Some(term) = bad
                && self.broken >= PATIENCE
            {
                let last = step - count + at as u64 + 1;
                return Err(TrainError::Diverged {
                    phase: phase.to_owned(),
                    step: last + 1 - PATIENCE as u64,
                    term: self.names[term],
                    value: losses[term],
                });
            }
            sums.iter_mut().zip(&losses).for_each(|(sum, loss)| *sum += loss / count as f64);
        }
        Ok(self.names.iter().copied().zip(sums).collect())
    }
}
