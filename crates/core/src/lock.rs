use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// Tries before a lock counts as held: a look at the lock holds it for a moment too.
const TRIES: usize = 5;

/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// A file that one process at a time holds.
///
/// The system lets go of it when the process ends, however it ends, so that no lock outlives a
/// crash. Over NFS this needs version 4, or version 3 with its lock service.
///
/// ```
/// use domino_core::files::Lock;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join(".lock");
/// let lock = Lock::take(&path)?;
/// assert!(lock.is_some() && Lock::take(&path)?.is_none());
/// drop(lock);
/// assert!(Lock::take(&path)?.is_some());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// The lock, or nothing if another process holds it.
    ///
    /// # Errors
    /// If the system refuses to open or lock the file.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        for attempt in 0..TRIES {
            if attempt > 0 {
                sleep(PAUSE);
            }
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
            match file.try_lock() {
                // Its holder may have removed the file in the meantime: then it locks nothing.
                Ok(()) if is_still(&file, path) => return Ok(Some(Self { file })),
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether another process holds the lock now.
    pub fn is_held(path: &Path) -> bool {
        let Ok(file) = File::open(path) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The system does so anyway as soon as the file is closed.
        let _ = self.file.unlock();
    }
}

/// Whether the path still leads to the open file.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(open), Ok(there)) = (file.metadata(), path.metadata()) else { return false };
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}

#[cfg(not(unix))]
fn is_still(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        assert!(!Lock::is_held(&path));
        let first = Lock::take(&path).unwrap();
        assert!(first.is_some() && Lock::is_held(&path));
        assert!(Lock::take(&path).unwrap().is_none());
        drop(first);
        assert!(!Lock::is_held(&path) && Lock::take(&path).unwrap().is_some());
    }
}
