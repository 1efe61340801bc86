//! What several targets need.
#![allow(dead_code, reason = "not every target reads a file")]

pub mod sets;

use std::cell::LazyCell;
use std::fs;
use std::path::Path;

use domino_data::formats::{ReadOptions, Size};
use domino_data::npz::Limits;

thread_local! {
    static FOLDER: LazyCell<tempfile::TempDir> =
        LazyCell::new(|| tempfile::tempdir().expect("a temporary folder"));
}

/// Few pairs and little memory.
pub fn options() -> ReadOptions {
    let limits = Limits { max_bytes: 1 << 24 };
    ReadOptions { pairs: 3, size: Size::Stored, limits, ..ReadOptions::default() }
}

/// Runs `read` on a file of these bytes, alone in its folder.
pub fn with_file(name: &str, bytes: &[u8], read: impl FnOnce(&Path)) {
    FOLDER.with(|folder| {
        let path = folder.path().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("a folder");
        }
        fs::write(&path, bytes).expect("a file");
        read(&path);
        fs::remove_file(&path).expect("the file");
    });
}
