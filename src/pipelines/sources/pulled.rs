//! Where rows from the network lie until they are in the lake: `<data>/pulled/<pipeline>/`.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The folder of one pipeline.
#[derive(Debug)]
pub(super) struct PulledFolder(PathBuf);

impl PulledFolder {
    /// Opens the folder. What a killed run left there is removed: the lake has none of it, and the run after it asks for it again.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub(super) fn open(data_dir: &Path, pipeline: &str) -> io::Result<Self> {
        let folder = data_dir.join("pulled").join(pipeline);
        match fs_err::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs_err::create_dir_all(&folder)?,
        }
        Ok(Self(folder))
    }

    /// A file that only its owner may read, and that is gone when it is dropped.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(super) fn file(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(&self.0)
    }
}
