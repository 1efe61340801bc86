//! Reports: from plain numbers to figures and one self-contained page.
//!
//! [`Report`] holds what a run found and becomes `report.json`; [`Curves`] are read from
//! `metrics.jsonl`; [`RunInfo`] becomes `run.json`. [`write_report`] writes the files of one run,
//! [`html_many`] compares several. Everything here is a function of its input: no clock, no host,
//! no fonts of the machine.

pub mod canvas;
mod content;
mod curves;
pub(crate) mod figures;
mod html;
mod miscount;
mod nullable;
pub(crate) mod numbers;
mod run_info;
mod scores;
mod write;

pub use content::{
    CounterfactualStrip, DataSummary, Edge, Level, Report, Scores, VariableSummary, Verdict,
};
pub use curves::{Curves, CurvesError, Phase, Series};
pub use figures::{Figure, figures};
pub use html::{Page, RunLink, html, html_many};
pub(crate) use html::{figure as figure_markup, page as page_markup};
pub use miscount::miscount;
pub use run_info::RunInfo;
pub use scores::{Better, score_rows, score_values};
pub use write::{ReportError, write_report};

#[cfg(test)]
mod tests;
