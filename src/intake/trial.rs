//! A throw-away copy of a data directory, in which a run may do what it likes.
//!
//! What never changes in place (Parquet files and commits of the lake) is linked, everything else is copied, so that the copy costs
//! little and no write in it reaches the original. It lies inside the data directory, since links do not cross file systems.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::history::RUNS_FOLDER;
use crate::warehouse::WarehouseLock;
use crate::warehouse::lake::{CACHE_FOLDER, LAKE_FOLDER};
use crate::warehouse::lock::{LOCK_FILE, LockError};

/// Start of the name of a copy.
const PREFIX: &str = "dry-run-";
/// What a copy does without: its own lock, what queries spill, the records of other runs, and the cache of a lake in a bucket.
const LEFT_OUT: [&str; 4] = [LOCK_FILE, "spill", RUNS_FOLDER, CACHE_FOLDER];

/// Why a copy cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// A file cannot be linked or copied.
    #[error("the data directory `{}` cannot be copied for a dry run", data_dir.display())]
    Copy {
        /// The original.
        data_dir: PathBuf,
        /// What went wrong.
        #[source]
        cause: io::Error,
    },
    /// The copy cannot be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// The copy; it is deleted when dropped.
#[derive(Debug)]
pub struct Trial {
    lock: WarehouseLock,
    folder: TempDir,
}

impl Trial {
    /// Copies a data directory. The lock is proof that nobody writes the original meanwhile; it may be given back afterwards.
    ///
    /// # Errors
    /// [`TrialError`]; nothing is left then.
    pub fn prepare(data_dir: &Path, _lock: &WarehouseLock) -> Result<Self, TrialError> {
        sweep(data_dir);
        let failed = |cause| TrialError::Copy { data_dir: data_dir.to_owned(), cause };
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(data_dir).map_err(failed)?;
        let lock = WarehouseLock::acquire(folder.path())?;
        let trial = Self { lock, folder };
        for entry in fs_err::read_dir(data_dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !LEFT_OUT.contains(&name.as_str()) && !name.starts_with(PREFIX) {
                copy(&path, &trial.data_dir().join(&name), name == LAKE_FOLDER).map_err(failed)?;
            }
        }
        Ok(trial)
    }

    /// The copy.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// The right to write the copy.
    #[must_use]
    pub fn lock(&self) -> &WarehouseLock {
        &self.lock
    }
}

/// Deletes copies whose process was killed; those of a living one are locked.
pub(super) fn sweep(data_dir: &Path) {
    let Ok(entries) = fs_err::read_dir(data_dir) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let is_copy = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if is_copy && matches!(WarehouseLock::try_acquire(&path), Ok(Some(_))) {
            let _ = fs_err::remove_dir_all(&path);
        }
    }
}

/// Copies a file or folder; inside the lake what never changes is linked, where the file system can do that.
fn copy(from: &Path, to: &Path, in_lake: bool) -> io::Result<()> {
    if from.is_dir() {
        fs_err::create_dir_all(to)?;
        for entry in fs_err::read_dir(from)? {
            let path = entry?.path();
            if let Some(name) = path.file_name() {
                copy(&path, &to.join(name), in_lake)?;
            }
        }
        return Ok(());
    }
    let never_changes = from.extension().is_some_and(|ending| ending == "parquet" || ending == "json");
    if in_lake && never_changes && fs_err::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs_err::copy(from, to).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_into_a_copy_stays_there_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        for (name, text) in [("lake/events/a/1.parquet", "rows"), ("state/a.json", "{}"), ("spill/x", "")] {
            fs_err::create_dir_all(data.join(name).parent().unwrap()).unwrap();
            fs_err::write(data.join(name), text).unwrap();
        }
        let leftover = data.join("dry-run-left");
        fs_err::create_dir_all(&leftover).unwrap();
        let lock = WarehouseLock::acquire(data).unwrap();
        let trial = Trial::prepare(data, &lock).unwrap();
        assert!(!leftover.exists(), "a copy of a dead process is deleted");
        let copied = trial.data_dir().to_owned();
        assert_eq!(fs_err::read_to_string(copied.join("lake/events/a/1.parquet")).unwrap(), "rows");
        assert!(!copied.join("spill").exists());
        fs_err::write(copied.join("state/a.json"), "changed").unwrap();
        fs_err::remove_file(copied.join("lake/events/a/1.parquet")).unwrap();
        sweep(data);
        assert!(copied.exists(), "a copy in use stays");
        drop(trial);
        assert!(!copied.exists());
        assert_eq!(fs_err::read_to_string(data.join("state/a.json")).unwrap(), "{}");
        assert_eq!(fs_err::read_to_string(data.join("lake/events/a/1.parquet")).unwrap(), "rows");
    }
}
