//! Files of a folder, found by a pattern and told apart by what is in them.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err::File;

/// Why the files of a pipeline cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The pattern cannot be followed.
    #[error("the pattern `{pattern}` is not readable")]
    Pattern {
        /// The declared pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        cause: glob::PatternError,
    },
    /// A folder cannot be listed.
    #[error("the files of `{pattern}` cannot be listed")]
    List {
        /// The declared pattern.
        pattern: String,
        /// What went wrong.
        #[source]
        cause: glob::GlobError,
    },
    /// A file cannot be opened or read.
    #[error("the file `{file}` cannot be read")]
    Read {
        /// The file, relative to the project.
        file: String,
        /// What went wrong.
        #[source]
        cause: io::Error,
    },
    /// Somebody wrote to the file during the run.
    #[error("the file `{file}` changed while it was read; nothing of it is taken, the next run reads it again")]
    Changed {
        /// The file, relative to the project.
        file: String,
    },
}

/// A file that a pattern names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name relative to the project, with `/` between folders.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// Size and time of last change of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub n_bytes: u64,
    modified: Option<SystemTime>,
}

/// Files of the project that a pattern names, sorted by name. No file is no error.
///
/// # Errors
/// [`FilesError::Pattern`] and [`FilesError::List`].
pub fn find_files(project: &Path, pattern: &str) -> Result<Vec<SourceFile>, FilesError> {
    let root = glob::Pattern::escape(&project.to_string_lossy());
    let whole = Path::new(&root).join(pattern);
    let paths = glob::glob(&whole.to_string_lossy())
        .map_err(|cause| FilesError::Pattern { pattern: pattern.to_owned(), cause })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|cause| FilesError::List { pattern: pattern.to_owned(), cause })?;
        if path.is_file() {
            let name = path.strip_prefix(project).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.push(SourceFile { name, path });
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// Sizes and times of change of files by their names.
pub type FileStamps = BTreeMap<String, Stamp>;

/// The files that a pattern names as they are now. One that vanishes meanwhile is left out.
///
/// # Errors
/// As [`find_files`].
pub fn files_now(project: &Path, pattern: &str) -> Result<FileStamps, FilesError> {
    let stamped = |file: SourceFile| file.stamp().ok().map(|stamp| (file.name, stamp));
    Ok(find_files(project, pattern)?.into_iter().filter_map(stamped).collect())
}

impl SourceFile {
    /// Opens the file.
    ///
    /// # Errors
    /// [`FilesError::Read`], for instance if it vanished since it was found.
    pub fn open(&self) -> Result<File, FilesError> {
        File::open(&self.path).map_err(|cause| self.unreadable(cause))
    }

    /// Its present size and time of change.
    ///
    /// # Errors
    /// [`FilesError::Read`].
    pub fn stamp(&self) -> Result<Stamp, FilesError> {
        let metadata = fs_err::metadata(&self.path).map_err(|cause| self.unreadable(cause))?;
        Ok(Stamp { n_bytes: metadata.len(), modified: metadata.modified().ok() })
    }

    /// Hash of its content, in hexadecimal.
    ///
    /// # Errors
    /// [`FilesError::Read`].
    pub fn hash(&self) -> Result<String, FilesError> {
        let mut hasher = blake3::Hasher::new();
        let mut file = self.open()?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let n_read = file.read(&mut buffer).map_err(|cause| self.unreadable(cause))?;
            if n_read == 0 {
                return Ok(hasher.finalize().to_hex().to_string());
            }
            hasher.update(buffer.get(..n_read).unwrap_or_default());
        }
    }

    /// Checks that the file is still what it was.
    ///
    /// # Errors
    /// [`FilesError::Changed`] if it is not, [`FilesError::Read`] if it is gone.
    pub fn check_unchanged(&self, before: Stamp) -> Result<(), FilesError> {
        if self.stamp()? == before { Ok(()) } else { Err(FilesError::Changed { file: self.name.clone() }) }
    }

    fn unreadable(&self, cause: io::Error) -> FilesError {
        FilesError::Read { file: self.name.clone(), cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_order_and_told_apart_by_content() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(folder.path().join("журнал [1]/b.csv")).unwrap();
        for (name, text) in [("c.csv", "1"), ("a.csv", "1"), ("d.txt", "1"), ("ж.csv", "2")] {
            fs_err::write(folder.path().join("журнал [1]").join(name), text).unwrap();
        }
        let files = find_files(&folder.path().join("журнал [1]"), "*.csv").unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a.csv", "c.csv", "ж.csv"]);
        assert_eq!(files[0].hash().unwrap(), files[1].hash().unwrap());
        assert_ne!(files[0].hash().unwrap(), files[2].hash().unwrap());
    }

    #[test]
    fn a_change_during_the_run_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("a.csv"), "1").unwrap();
        let file = find_files(folder.path(), "a.csv").unwrap().remove(0);
        let stamp = file.stamp().unwrap();
        file.check_unchanged(stamp).unwrap();
        fs_err::write(&file.path, "12").unwrap();
        assert!(matches!(file.check_unchanged(stamp), Err(FilesError::Changed { .. })));
        fs_err::remove_file(&file.path).unwrap();
        assert!(matches!(file.check_unchanged(stamp), Err(FilesError::Read { .. })));
    }
}
