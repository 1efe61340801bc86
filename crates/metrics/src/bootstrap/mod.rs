//! Intervals: how far a score would move on other rows, or over other seeds.

mod distribution;
mod interval;
mod resample;

pub use interval::{Interval, interval_of_replicates, mean_interval};
pub use resample::{BootstrapOptions, IntervalMethod, bootstrap, bootstrap_all};
