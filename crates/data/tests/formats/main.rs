//! Readers of public data sets, on small files in the same formats.
#![allow(clippy::unwrap_used, reason = "the helpers of tests fail by panicking too")]

mod archives;
mod arrays;
mod cars;
mod circuit;
mod digits;
mod folders;
mod hdf5;
mod mutations;
mod norb;
mod tables;
mod videos;
mod write;
