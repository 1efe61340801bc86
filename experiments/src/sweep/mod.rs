//! Studies: many runs described by one file, done by any number of workers, collected into tables.
//!
//! [`SweepFile`] says what varies; [`Plan`] is one resolved configuration per line, each with an id
//! that is its content's hash. [`SweepFolder`] knows how far each line is; [`perform_line`] does one
//! and is idempotent, so that every engine (the [`Pool`] of this machine, a Slurm array, GNU
//! parallel) calls just that. [`Results`] are read back from the runs' reports and nothing else,
//! so they are the same bytes whoever did the work. [`summarise`] turns them into what a reader asks:
//! which method won, by how much, how surely, and which seeds failed.

mod compare;
mod engines;
mod expected;
mod figures;
mod file;
mod folder;
mod line;
mod page;
mod plan;
mod pool;
mod results;
mod stats;
mod summary;
mod tables;

pub use compare::{Comparison, compare};
pub(crate) use engines::slurm_collect;
pub use engines::{EngineText, Slurm, kubernetes, parallel, slurm_script};
pub use expected::{Check, Checked, Expected, Provenance, Statistic};
pub use figures::study_figures;
pub use file::{Draw, RandomAxes, Resources, Seeds, SweepFile, SweepWorld, Variant};
pub use folder::{Failure, State, SweepError, SweepFolder};
pub use line::{LineOutcome, perform_line};
pub use page::{StudyPage, study_page};
pub use plan::{Line, Plan, PlanError};
pub use pool::{Pool, PoolEnd, workers};
pub use results::{METRICS, Metric, ResultRow, Results};
pub use stats::{mean_interval, signed_rank};
pub use summary::{Group, Spread, Summary, summarise};
pub use tables::{TableForm, table};
