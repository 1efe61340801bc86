use std::fs;
use std::path::Path;

use domino_core::files::{Lock, WriteError};

use super::error::StoreError;
use super::manifest::MANIFEST;

/// Name of the file that is locked; it stays, as removing it could let two writers in.
const LOCK: &str = ".lock";

/// The right to write to a folder, which the system takes back when the process ends.
pub(super) fn lock(folder: &Path) -> Result<Lock, StoreError> {
    let path = folder.join(LOCK);
    let taken = Lock::take(&path).map_err(|reason| WriteError { path, reason })?;
    taken.ok_or_else(|| StoreError::Locked { path: folder.to_owned() })
}

/// Names in a folder, sorted.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let unreadable = |reason| StoreError::Read { path: folder.to_owned(), reason };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Refuses a folder that holds files but no data set.
pub(super) fn refuse_other_files(folder: &Path) -> Result<(), StoreError> {
    match names(folder)?.into_iter().find(|name| !name.starts_with('.')) {
        Some(found) => Err(StoreError::NotEmpty { path: folder.to_owned(), found }),
        None => Ok(()),
    }
}

/// Removes what a writer that was killed has left of the file it was writing.
pub(super) fn remove_leftovers(folder: &Path) -> Result<(), StoreError> {
    let ours = |name: &str| {
        let begins = name.starts_with(".shard-") || name.starts_with(&format!(".{MANIFEST}."));
        begins && Path::new(name).extension() == Some("tmp".as_ref())
    };
    for name in names(folder)?.into_iter().filter(|name| ours(name)) {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(|reason| WriteError { path, reason })?;
    }
    Ok(())
}
