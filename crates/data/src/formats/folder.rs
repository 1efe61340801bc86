use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::error::FormatError;
use crate::npz::Limits;

/// A folder whose files may be named by other files, and which such names never leave.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, FormatError> {
        let root = path.canonicalize().map_err(|e| unreadable(path, e))?;
        Ok(Self { root })
    }

    /// The file that `listing` names `entry`: below the folder, links resolved.
    pub(super) fn join(&self, listing: &Path, entry: &str) -> Result<PathBuf, FormatError> {
        let outside = || FormatError::Outside {
            path: listing.to_owned(),
            entry: entry.to_owned(),
            folder: self.root.clone(),
        };
        let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        // Backslashes and drive letters are separators elsewhere.
        if entry.is_empty() || entry.contains(['\\', ':', '\0']) {
            return Err(outside());
        }
        if !Path::new(entry).components().all(plain) {
            return Err(outside());
        }
        let path = self.root.join(entry);
        let resolved = path.canonicalize().map_err(|e| unreadable(&path, e))?;
        if resolved.starts_with(&self.root) { Ok(resolved) } else { Err(outside()) }
    }
}

pub(super) fn unreadable(path: &Path, reason: std::io::Error) -> FormatError {
    FormatError::Read { path: path.to_owned(), reason }
}

/// Names of the files and folders in a folder, sorted.
pub(super) fn names(path: &Path) -> Result<Vec<String>, FormatError> {
    let entries = fs::read_dir(path).map_err(|e| unreadable(path, e))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| unreadable(path, e))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// A whole small file.
pub(super) fn read_file(path: &Path, limits: Limits) -> Result<Vec<u8>, FormatError> {
    let file = File::open(path).map_err(|e| unreadable(path, e))?;
    read_limited(file, path, limits)
}

/// All bytes of a stream, as many as the limit allows.
pub(super) fn read_limited(
    stream: impl Read,
    path: &Path,
    limits: Limits,
) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::new();
    let limit = limits.max_bytes;
    stream
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(path, e))?;
    if bytes.len() as u64 > limit {
        let declared = bytes.len() as u128;
        let what = "the file".to_owned();
        return Err(FormatError::TooLarge { path: path.to_owned(), what, declared, limit });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_leave_the_folder() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("set")).unwrap();
        fs::write(base.path().join("secret"), "s").unwrap();
        fs::write(base.path().join("set/inside"), "i").unwrap();
        let folder = Folder::open(&base.path().join("set")).unwrap();
        let listing = Path::new("list.csv");
        assert!(folder.join(listing, "./inside").unwrap().ends_with("set/inside"));
        let absolute = base.path().join("set/inside");
        for entry in ["../secret", "a/../../secret", "", "..\\secret", absolute.to_str().unwrap()] {
            let error = folder.join(listing, entry).unwrap_err();
            assert!(matches!(error, FormatError::Outside { .. }), "{entry}: {error}");
        }
        assert!(matches!(folder.join(listing, "nowhere"), Err(FormatError::Read { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_are_refused_and_links_inside_followed() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("set")).unwrap();
        fs::write(base.path().join("secret"), "s").unwrap();
        fs::write(base.path().join("set/inside"), "i").unwrap();
        let link = std::os::unix::fs::symlink::<PathBuf, PathBuf>;
        link(base.path().join("secret"), base.path().join("set/out")).unwrap();
        link(base.path().join("set/inside"), base.path().join("set/in")).unwrap();
        let folder = Folder::open(&base.path().join("set")).unwrap();
        let error = folder.join(Path::new("list.csv"), "out").unwrap_err().to_string();
        assert!(error.starts_with("list.csv: \"out\": expected a file inside"), "{error}");
        assert!(folder.join(Path::new("list.csv"), "in").unwrap().ends_with("inside"));
    }
}
