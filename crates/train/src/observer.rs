use crate::TrainError;

/// Watches training. Every method does nothing by default.
pub trait Observer {
    /// A phase begins, or goes on after its first `done` steps.
    fn phase(&mut self, _name: &str, _steps: u64, _done: u64) {}

    /// A checkpoint is damaged, so that the phase that is to begin has fewer steps done or none.
    fn damaged(&mut self, _damage: &TrainError) {}

    /// A report period has passed.
    fn report(&mut self, _report: &StepReport<'_>) {}

    /// The phase is over.
    fn finish(&mut self, _name: &str) {}
}

/// The losses at the end of a report period.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport<'a> {
    /// The phase.
    pub phase: &'a str,
    /// Steps done in the phase.
    pub step: u64,
    /// Named loss terms: unweighted, means over the period and over the models of a stack, plus
    /// `total`, the loss that was minimised per model.
    pub terms: &'a [(&'static str, f64)],
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
