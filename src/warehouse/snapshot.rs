//! Snapshots: numbered manifests that say which version of which table belongs together.
//!
//! A manifest appears by one rename, so a reader sees a whole snapshot or the one before. Files of older versions stay
//! in the lake, so an older manifest can be read again.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::lake::TableKind;

/// Folder of the manifests inside the data directory.
pub const SNAPSHOTS_FOLDER: &str = "snapshots";

/// One published state of the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    /// Its number, from 1; the retained ones have no gaps between them.
    pub number: u64,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Its tables by path inside the lake: `events/cases`, `entities/cases`.
    pub tables: BTreeMap<String, TableVersion>,
    /// State of the pipelines by name.
    pub pipelines: BTreeMap<String, PipelineState>,
    /// Local date of the last event in it.
    pub last_event_on: Option<NaiveDate>,
    /// Hash of the models that made its entities.
    pub models_hash: String,
    /// Edition of the definitions that its figures were computed by, kept beside; none in manifests from before they were.
    #[serde(default)]
    pub definitions: Option<String>,
}

impl Snapshot {
    /// The moment of the latest event of any pipeline.
    #[must_use]
    pub fn last_event_at(&self) -> Option<DateTime<Utc>> {
        self.pipelines.values().filter_map(|state| state.last_event_at).max()
    }

    /// The version of an entity table.
    #[must_use]
    pub fn entity(&self, model: &str) -> Option<&TableVersion> {
        self.table(TableKind::Entity, model)
    }

    /// The version of a table.
    #[must_use]
    pub fn table(&self, kind: TableKind, name: &str) -> Option<&TableVersion> {
        self.tables.get(&table_key(kind, name))
    }
}

/// Key of a table in a manifest.
#[must_use]
pub fn table_key(kind: TableKind, name: &str) -> String {
    format!("{}/{name}", kind.folder())
}

/// One version of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableVersion {
    /// Events or entities.
    pub kind: TableKind,
    /// Name of the table.
    pub name: String,
    /// Folder relative to the data directory.
    pub path: String,
    /// Version of the Delta table.
    pub version: i64,
    /// Its rows.
    pub rows: u64,
}

/// How far a pipeline had come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PipelineState {
    /// Moment of the last event that it brought.
    pub last_event_at: Option<DateTime<Utc>>,
    /// When it last committed a batch.
    pub last_loaded_at: Option<DateTime<Utc>>,
    /// Number of its last batch.
    pub batch: i64,
}

/// Why a manifest could not be read or published.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A manifest is not what was written.
    #[error("cannot read the snapshot manifest `{}`", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: serde_json::Error,
    },
}

/// The manifests of a data directory.
#[derive(Debug, Clone)]
pub struct Snapshots {
    folder: PathBuf,
}

impl Snapshots {
    /// The manifests below a data directory, which may be empty.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(SNAPSHOTS_FOLDER) }
    }

    /// The last published snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`] if the folder or the manifest cannot be read.
    pub fn latest(&self) -> Result<Option<Snapshot>, SnapshotError> {
        self.numbers()?.last().map_or(Ok(None), |number| self.get(*number))
    }

    /// The snapshot of a number.
    ///
    /// # Errors
    /// [`SnapshotError`] if the manifest is there and cannot be read.
    pub fn get(&self, number: u64) -> Result<Option<Snapshot>, SnapshotError> {
        let path = self.path(number);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = fs_err::read(&path)?;
        serde_json::from_slice(&bytes).map(Some).map_err(|cause| SnapshotError::Manifest { path, cause })
    }

    /// All snapshots, oldest first.
    ///
    /// # Errors
    /// [`SnapshotError`] if the folder or a manifest cannot be read.
    pub fn list(&self) -> Result<Vec<Snapshot>, SnapshotError> {
        let mut snapshots = Vec::new();
        for number in self.numbers()? {
            snapshots.extend(self.get(number)?);
        }
        Ok(snapshots)
    }

    /// Numbers of all snapshots, oldest first.
    ///
    /// # Errors
    /// [`SnapshotError`] if the folder cannot be read.
    pub fn numbers(&self) -> Result<Vec<u64>, SnapshotError> {
        if !self.folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut numbers = Vec::new();
        for entry in fs_err::read_dir(&self.folder)? {
            let name = entry?.file_name();
            numbers.extend(name.to_string_lossy().strip_suffix(".json").and_then(|stem| stem.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The manifest of a snapshot.
    pub(super) fn text_of(&self, snapshot: &Snapshot) -> Result<Vec<u8>, SnapshotError> {
        serde_json::to_vec_pretty(snapshot)
            .map_err(|cause| SnapshotError::Manifest { path: self.path(snapshot.number), cause })
    }

    /// Publishes a snapshot: the manifest is written beside, made durable and renamed into its place.
    pub(super) fn publish(&self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        fs_err::create_dir_all(&self.folder)?;
        let path = self.path(snapshot.number);
        let beside = path.with_extension("tmp");
        let text = self.text_of(snapshot)?;
        let mut file = fs_err::File::create(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs_err::rename(&beside, &path)?;
        fs_err::File::open(&self.folder)?.sync_all()?;
        Ok(())
    }

    /// Takes a manifest away: its snapshot cannot be read any more.
    pub(super) fn remove(&self, number: u64) -> Result<(), SnapshotError> {
        fs_err::remove_file(self.path(number))?;
        fs_err::File::open(&self.folder)?.sync_all()?;
        Ok(())
    }

    /// Folder of the manifests.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// File of a manifest.
    #[must_use]
    pub fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:06}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(number: u64) -> Snapshot {
        Snapshot {
            number,
            published_at: DateTime::UNIX_EPOCH,
            tables: BTreeMap::new(),
            pipelines: BTreeMap::new(),
            last_event_on: None,
            models_hash: String::new(),
            definitions: None,
        }
    }

    #[test]
    fn published_snapshots_are_found_by_number() {
        let folder = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::new(folder.path());
        assert!(snapshots.latest().unwrap().is_none() && snapshots.list().unwrap().is_empty());
        for number in 1..=11 {
            snapshots.publish(&snapshot(number)).unwrap();
        }
        assert_eq!(snapshots.latest().unwrap().unwrap().number, 11);
        assert_eq!(snapshots.get(3).unwrap(), Some(snapshot(3)));
        assert_eq!(snapshots.get(12).unwrap(), None);
    }

    #[test]
    fn a_manifest_that_was_not_renamed_is_not_seen() {
        let folder = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::new(folder.path());
        snapshots.publish(&snapshot(1)).unwrap();
        fs_err::write(folder.path().join(SNAPSHOTS_FOLDER).join("000002.tmp"), "{").unwrap();
        assert_eq!(snapshots.numbers().unwrap(), [1]);
    }
}
