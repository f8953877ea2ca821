//! Hashes of files as they were last read, so that a file which nobody has touched is not read again to learn that it is the same.
//!
//! A cache beside the state of the pipeline, `<data>/stamps/<pipeline>.json`: lost or damaged, every file is read once more.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{FilesError, SourceFile};
use crate::clock::Clock;

/// Folder of the stamps inside the data directory.
const STAMPS_FOLDER: &str = "stamps";
/// A file that changed so lately may change again without a new time of change, where clocks tick slowly.
const RECENT_NANOS: i128 = 2_000_000_000;

/// What the file system tells of a file. The time of status change cannot be set by anybody who writes the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    n_bytes: u64,
    inode: u64,
    modified_nanos: i128,
    changed_nanos: i128,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    stamp: Stamp,
    hash: String,
}

/// The hashes of a pipeline's files.
#[derive(Debug)]
pub(super) struct Stamps {
    path: PathBuf,
    before: BTreeMap<String, Known>,
    /// Those of the files that are there now.
    now: BTreeMap<String, Known>,
    is_changed: bool,
}

impl Stamps {
    /// What was noted before.
    pub(super) fn load(data_dir: &Path, pipeline: &str) -> Self {
        let path = data_dir.join(STAMPS_FOLDER).join(format!("{pipeline}.json"));
        let before = fs_err::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { path, before, now: BTreeMap::new(), is_changed: false }
    }

    /// Hash of the content of a file, in hexadecimal.
    ///
    /// # Errors
    /// [`FilesError::Read`].
    pub(super) fn hash(&mut self, file: &SourceFile) -> Result<String, FilesError> {
        let looked_at = Clock::System.now().timestamp_nanos_opt().map_or(0, i128::from);
        let stamp = fs_err::metadata(&file.path).ok().and_then(|metadata| stamp_of(&metadata));
        if let (Some(stamp), Some(known)) = (stamp, self.before.get(&file.name))
            && known.stamp == stamp
        {
            self.now.insert(file.name.clone(), known.clone());
            return Ok(known.hash.clone());
        }
        let hash = file.hash()?;
        if let Some(stamp) = stamp.filter(|stamp| stamp.changed_nanos + RECENT_NANOS < looked_at) {
            self.now.insert(file.name.clone(), Known { stamp, hash: hash.clone() });
            self.is_changed = true;
        }
        Ok(hash)
    }

    /// Keeps what is known now. That it cannot be kept costs time only, and is told.
    pub(super) fn save(&self) {
        if !self.is_changed {
            return;
        }
        if let Err(error) = self.write() {
            tracing::warn!(file = %self.path.display(), %error, "the stamps of files cannot be kept; all are read again next time");
        }
    }

    fn write(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs_err::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(&self.now)?)?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such time")]
fn stamp_of(metadata: &Metadata) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    Some(Stamp {
        n_bytes: metadata.len(),
        inode: metadata.ino(),
        modified_nanos: nanos(metadata.mtime(), metadata.mtime_nsec()),
        changed_nanos: nanos(metadata.ctime(), metadata.ctime_nsec()),
    })
}

#[cfg(not(unix))]
fn stamp_of(_: &Metadata) -> Option<Stamp> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file, and stamps that know it under a hash that is not its own.
    fn known_file(folder: &Path) -> (SourceFile, Stamps) {
        let path = folder.join("a.csv");
        fs_err::write(&path, "1").unwrap();
        let stamp = stamp_of(&fs_err::metadata(&path).unwrap()).unwrap();
        let mut stamps = Stamps::load(folder, "journal");
        stamps.now.insert("a.csv".to_owned(), Known { stamp, hash: "noted".to_owned() });
        stamps.is_changed = true;
        stamps.save();
        (SourceFile { name: "a.csv".to_owned(), path }, Stamps::load(folder, "journal"))
    }

    #[test]
    fn an_untouched_file_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (file, mut stamps) = known_file(folder.path());
        assert_eq!(stamps.hash(&file).unwrap(), "noted");
        stamps.save();
        assert_eq!(Stamps::load(folder.path(), "journal").hash(&file).unwrap(), "noted");
    }

    #[test]
    fn a_file_of_the_same_size_and_time_of_change_with_other_content_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (file, mut stamps) = known_file(folder.path());
        let modified = fs_err::metadata(&file.path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs_err::write(&file.path, "2").unwrap();
        fs_err::OpenOptions::new().write(true).open(&file.path).unwrap().file().set_modified(modified).unwrap();
        assert_eq!(stamps.hash(&file).unwrap(), file.hash().unwrap());
        // It changed just now, so it is not noted.
        assert!(stamps.now.is_empty());
    }

    #[test]
    fn damaged_stamps_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let (file, _) = known_file(folder.path());
        fs_err::write(folder.path().join("stamps/journal.json"), "{").unwrap();
        assert_eq!(Stamps::load(folder.path(), "journal").hash(&file).unwrap(), file.hash().unwrap());
    }
}
