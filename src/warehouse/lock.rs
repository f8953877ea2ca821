//! One lock for everything that writes the warehouse, shared by the server and the command line.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};

/// Name of the lock file inside the data directory.
pub const LOCK_FILE: &str = "warehouse.lock";

/// Why the lock could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot lock `{}`", path.display())]
pub struct LockError {
    /// The lock file.
    path: PathBuf,
    /// The cause.
    #[source]
    cause: std::io::Error,
}

/// The right to write the warehouse; given back when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct WarehouseLock {
    _file: std::fs::File,
}

impl WarehouseLock {
    /// Waits until nobody else holds the lock; blocks the thread.
    ///
    /// # Errors
    /// [`LockError`] if the lock file cannot be made or locked.
    pub fn acquire(data_dir: &Path) -> Result<Self, LockError> {
        let (path, file) = open(data_dir)?;
        file.lock().map_err(|cause| LockError { path, cause })?;
        Ok(Self { _file: file })
    }

    /// The lock if nobody holds it.
    ///
    /// # Errors
    /// [`LockError`] if the lock file cannot be made or locked.
    pub fn try_acquire(data_dir: &Path) -> Result<Option<Self>, LockError> {
        let (path, file) = open(data_dir)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(LockError { path, cause }),
        }
    }
}

fn open(data_dir: &Path) -> Result<(PathBuf, std::fs::File), LockError> {
    let path = data_dir.join(LOCK_FILE);
    let opened = fs_err::create_dir_all(data_dir).and_then(|()| {
        fs_err::OpenOptions::new().create(true).write(true).truncate(false).open(&path).map(fs_err::File::into_file)
    });
    match opened {
        Ok(file) => Ok((path, file)),
        Err(cause) => Err(LockError { path, cause }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let first = WarehouseLock::acquire(folder.path()).unwrap();
        assert!(WarehouseLock::try_acquire(folder.path()).unwrap().is_none());
        drop(first);
        assert!(WarehouseLock::try_acquire(folder.path()).unwrap().is_some());
    }
}
