//! What the `domino` command is made of: configurations, files, progress and reports.
//!
//! [`config`] turns TOML and overrides into typed configurations; [`report`] turns the numbers of a
//! run into figures and one self-contained page; [`progress`] shows on a terminal how far a run is;
//! [`files`] writes files that are either absent or whole.

pub mod config;
pub mod progress;
pub mod report;
