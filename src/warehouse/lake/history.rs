//! The whole log of a table, commit by commit: what each version held, and what each commit was for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use deltalake_core::kernel::{Action, Add};
use serde::{Deserialize, Serialize};

use super::checksum::hash_in;
use super::deletion::rows_in;
use super::table_log::ActiveFile;
use super::{BatchRecord, Lake, LakeError, RECORD_KEY, TableKind, version_of};

/// Key of a commit's metadata that holds the [`CompactionRecord`].
pub(super) const COMPACTION_KEY: &str = "svod_compaction";

/// A file as the log of its table names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedFile {
    /// Path relative to the table's folder, with `/` between folders.
    pub path: String,
    /// Its partition, e.g. `2024-03`.
    pub month: String,
    /// Its bytes.
    pub n_bytes: u64,
    /// Rows in it that count.
    pub rows: u64,
    /// Rows in it that count no more, since newer ones stand in another file.
    pub n_deleted: u64,
    /// Hash of its bytes; none if it was written before hashes were kept.
    pub hash: Option<String>,
    /// The commit that added it.
    pub added_in: i64,
}

/// What a compaction did to an event table: the record that is committed together with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactionRecord {
    /// Files that were merged.
    pub files_before: u64,
    /// Files that they became.
    pub files_after: u64,
    /// Events that were dropped, since a later version of each lies in the same month.
    pub dropped: Vec<DroppedEvents>,
}

/// Events of one batch that a compaction dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedEvents {
    /// The pipeline.
    pub pipeline: String,
    /// Number of the batch.
    pub batch: i64,
    /// How many events of it.
    pub events: u64,
}

/// One commit of a table.
#[derive(Debug, Clone, Default)]
pub struct TableCommit {
    /// Files that it added.
    pub added: Vec<LoggedFile>,
    /// Paths that it removed.
    pub removed: Vec<String>,
    /// The batch that it brought.
    pub batch: Option<BatchRecord>,
    /// The compaction that it was.
    pub compaction: Option<CompactionRecord>,
}

/// All commits of a table, by version from 0.
#[derive(Debug, Clone)]
pub struct TableHistory {
    /// Events or entities.
    pub kind: TableKind,
    /// Name of the table.
    pub table: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its commits.
    pub commits: Vec<TableCommit>,
}

impl TableHistory {
    /// The latest version.
    #[must_use]
    pub fn version(&self) -> i64 {
        i64::try_from(self.commits.len()).unwrap_or(i64::MAX) - 1
    }

    /// Files at a version by path.
    ///
    /// # Errors
    /// [`LakeError::NoVersion`] if the table does not have it.
    pub fn files_at(&self, version: i64) -> Result<BTreeMap<String, LoggedFile>, LakeError> {
        if version < 0 || version > self.version() {
            return Err(LakeError::NoVersion { table: self.table.clone(), version });
        }
        let mut files = BTreeMap::new();
        for commit in self.commits.iter().take(usize::try_from(version + 1).unwrap_or(0)) {
            for path in &commit.removed {
                files.remove(path);
            }
            files.extend(commit.added.iter().map(|file| (file.path.clone(), file.clone())));
        }
        Ok(files)
    }

    /// Paths of all files that any commit ever added.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<&str> {
        self.commits.iter().flat_map(|commit| &commit.added).map(|file| file.path.as_str()).collect()
    }

    /// Records of all batches, oldest first.
    pub fn batches(&self) -> impl Iterator<Item = &BatchRecord> {
        self.commits.iter().filter_map(|commit| commit.batch.as_ref())
    }
}

impl Lake {
    /// The whole log of a table; none if it is not there.
    ///
    /// # Errors
    /// [`LakeError::Open`] if the log cannot be read, [`LakeError::Record`] if a record in it cannot, [`LakeError::File`] if
    /// the deleted rows of a file cannot.
    pub async fn history(&self, kind: TableKind, table: &str) -> Result<Option<TableHistory>, LakeError> {
        let Some(loaded) = self.load(kind, table, None).await? else { return Ok(None) };
        let mut commits = Vec::new();
        for version in 0..=version_of(&loaded) {
            let mut commit = TableCommit::default();
            for action in self.actions(kind, table, version).await? {
                match action {
                    Action::Add(add) => commit.added.push(logged_file(add, version)?),
                    Action::Remove(remove) => commit.removed.push(remove.path),
                    Action::CommitInfo(mut info) => {
                        let unreadable = |cause| LakeError::Record { table: table.to_owned(), version, cause };
                        let batch = info.info.remove(RECORD_KEY);
                        commit.batch = batch.map(serde_json::from_value).transpose().map_err(unreadable)?;
                        let compaction = info.info.remove(COMPACTION_KEY);
                        commit.compaction = compaction.map(serde_json::from_value).transpose().map_err(unreadable)?;
                    }
                    _ => {}
                }
            }
            commits.push(commit);
        }
        Ok(Some(TableHistory { kind, table: table.to_owned(), folder: self.table_folder(kind, table), commits }))
    }

    /// Names of the tables of a kind that have a folder, sorted.
    ///
    /// # Errors
    /// [`LakeError::File`] if the folder cannot be listed, [`LakeError::Store`] if the bucket cannot.
    pub async fn table_names(&self, kind: TableKind) -> Result<Vec<String>, LakeError> {
        let folder = self.root.join(kind.folder());
        let mut names = Vec::new();
        if let Some(remote) = &self.remote {
            names = remote.folders(&folder).await?;
        } else {
            for entry in fs_err::read_dir(folder)? {
                let entry = entry?;
                if entry.path().is_dir() {
                    names.push(entry.file_name().to_string_lossy().into_owned());
                }
            }
        }
        names.sort();
        Ok(names)
    }
}

fn logged_file(add: Add, version: i64) -> Result<LoggedFile, LakeError> {
    let hash = hash_in(&add);
    let n_deleted = add.deletion_vector.as_ref().map_or(Ok(0), |vector| rows_in(vector).map(|rows| rows.len()))?;
    let ActiveFile { path, month, size, rows } = ActiveFile::from(add);
    Ok(LoggedFile { path, month, n_bytes: u64::try_from(size).unwrap_or(0), rows, n_deleted, hash, added_in: version })
}
