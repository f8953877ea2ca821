//! The declarations that stand behind the figures of a snapshot, kept beside the manifests: once per edition, under the hash of
//! their contents, as the files of a project.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use super::snapshot::Snapshots;
use crate::domain::short_hash::first_digits;

/// Folders of a project that figures follow from.
const FOLDERS: [&str; 7] = [
    "sql/indicators",
    "sql/models",
    "warehouse/contracts",
    "warehouse/plans",
    "warehouse/policies",
    "warehouse/reference",
    "warehouse/regulations",
];
/// Endings of files that declare something.
const ENDINGS: [&str; 3] = ["csv", "sql", "yaml"];

impl Snapshots {
    /// Folder of one edition of the declarations.
    #[must_use]
    pub fn definitions_folder(&self, edition: &str) -> PathBuf {
        self.folder().join(DEFINITIONS_FOLDER).join(edition)
    }

    /// Keeps the declarations of a project, unless they are kept already, and returns their edition: the first 16 hexadecimal
    /// digits of the BLAKE3 hash of their paths and contents. They appear by one rename.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub(super) fn keep_definitions(&self, project: &Path) -> Result<String> {
        let mut files = Vec::new();
        let mut hasher = blake3::Hasher::new();
        for folder in FOLDERS {
            for path in declared_in(&project.join(folder))? {
                let name = path.strip_prefix(project).map_err(Error::other)?.to_owned();
                let bytes = fs_err::read(&path)?;
                for part in [name.as_os_str().as_encoded_bytes(), bytes.as_slice()] {
                    hasher.update(&(part.len() as u64).to_le_bytes());
                    hasher.update(part);
                }
                files.push((name, bytes));
            }
        }
        let edition = first_digits(&hasher.finalize());
        let folder = self.definitions_folder(&edition);
        if folder.is_dir() {
            return Ok(edition);
        }
        let beside = folder.with_extension("tmp");
        if beside.is_dir() {
            fs_err::remove_dir_all(&beside)?;
        }
        for (name, bytes) in files {
            let path = beside.join(name);
            fs_err::create_dir_all(path.parent().unwrap_or(&beside))?;
            let mut file = fs_err::File::create(&path)?;
            std::io::Write::write_all(&mut file, &bytes)?;
            file.sync_all()?;
        }
        fs_err::create_dir_all(&beside)?;
        fs_err::rename(&beside, &folder)?;
        Ok(edition)
    }

    /// Takes the editions away that no manifest names any more.
    pub(super) fn forget_definitions(&self, named: &[String]) -> Result<()> {
        let folder = self.folder().join(DEFINITIONS_FOLDER);
        if !folder.is_dir() {
            return Ok(());
        }
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            if !named.iter().any(|edition| entry.file_name() == edition.as_str()) {
                fs_err::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Folder of the editions beside the manifests.
const DEFINITIONS_FOLDER: &str = "definitions";

/// The declaring files of a folder, sorted.
fn declared_in(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_is_kept_once_and_goes_with_its_last_manifest() {
        let (project, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let snapshots = Snapshots::new(data.path());
        let file = project.path().join("sql/indicators/a.yaml");
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        let mut editions = Vec::new();
        for text in ["one", "two", "one"] {
            fs_err::write(&file, text).unwrap();
            editions.push(snapshots.keep_definitions(project.path()).unwrap());
        }
        assert_eq!(editions[0], editions[2]);
        assert_ne!(editions[0], editions[1]);
        let kept =
            |edition: &str| fs_err::read_to_string(snapshots.definitions_folder(edition).join("sql/indicators/a.yaml"));
        assert_eq!([kept(&editions[0]).unwrap(), kept(&editions[1]).unwrap()], ["one", "two"]);
        snapshots.forget_definitions(&editions[1..2]).unwrap();
        assert!(kept(&editions[0]).is_err() && kept(&editions[1]).is_ok());
        assert!(snapshots.numbers().unwrap().is_empty());
    }
}
