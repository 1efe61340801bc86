//! Files that appear whole or not at all, and locks that no crash outlives.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

pub use crate::lock::Lock;

/// A file that could not be written.
#[derive(Debug, Error)]
#[error("cannot write {path}: {reason}")]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub reason: io::Error,
}

/// Writes a file under a temporary name in the same folder, flushes it to the disk and then gives it
/// its name, so that a reader sees the old content or the new, and never a part.
///
/// On failure nothing new is left in the folder and an earlier file of that name is untouched.
///
/// # Errors
/// [`WriteError`] if the folder does not exist or refuses, or if `write` fails.
///
/// ```
/// use std::io::Write;
/// use domino_core::files::write_atomically;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("report.json");
/// write_atomically(&path, |file| file.write_all(b"{}"))?;
/// assert_eq!(std::fs::read(&path)?, b"{}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_atomically<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> Result<T, WriteError> {
    replace(path, write).map_err(|reason| WriteError { path: path.to_owned(), reason })
}

/// [`write_atomically`] of bytes at hand.
///
/// # Errors
/// [`WriteError`] if the folder does not exist or refuses.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_atomically(path, |file| file.write_all(bytes))
}

/// Makes a folder and those above it; one that exists is left as it is.
///
/// # Errors
/// [`WriteError`] if the system refuses.
pub fn create_folder(path: &Path) -> Result<(), WriteError> {
    fs::create_dir_all(path).map_err(|reason| WriteError { path: path.to_owned(), reason })
}

fn replace<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> io::Result<T> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let temporary = Temporary(folder.join(temporary_name(path)?));
    let mut file =
        BufWriter::new(OpenOptions::new().write(true).create_new(true).open(&temporary.0)?);
    let written = write(&mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&temporary.0, path)?;
    sync_folder(folder)?;
    Ok(written)
}

/// Removes the file it names when it goes; after the rename there is none.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // The write has succeeded or its error is on the way: a leftover is the lesser evil.
        let _ = fs::remove_file(&self.0);
    }
}

/// A name that no other thread or process is using.
fn temporary_name(path: &Path) -> io::Result<String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "expected a path that ends in a file name")
    })?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Ok(format!(".{}.{}-{count}.tmp", name.to_string_lossy(), process::id()))
}

/// Makes the new name itself survive a power cut.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere folders cannot be opened as files.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_failed_write_leaves_the_earlier_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomically(&path, |file| file.write_all(b"old")).unwrap();
        let failed = write_atomically(&path, |file| {
            file.write_all(b"new")?;
            Err::<(), _>(io::Error::other("interrupted"))
        });
        assert!(failed.unwrap_err().to_string().ends_with("a.txt: interrupted"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_second_write_replaces_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for text in ["a longer text", "short"] {
            write_atomically(&path, |file| file.write_all(text.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nowhere/a.txt");
        let error = write_atomically(&path, |_| Ok(())).unwrap_err();
        assert_eq!(error.path, path);
        assert_eq!(error.reason.kind(), io::ErrorKind::NotFound);
        assert!(write_atomically(Path::new("/"), |_| Ok(())).is_err());
    }
}
