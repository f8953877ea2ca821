//! The lake: Delta tables of events and of entities below `<data>/lake`, or in a bucket (see `remote.rs`).
//!
//! ```text
//! <data>/lake/events/TABLE       append-only, partitioned by month of occurrence; written by pipelines, merged by `compact`
//! <data>/lake/entities/MODEL     partitioned by month; changed rows or months are replaced by a refresh
//! <data>/lake/quarantine/PIPELINE   Parquet files with rejected rows
//! ```
//!
//! One batch of a pipeline is one commit: its files, its record and its idempotency token get in together or not
//! at all. Knows no DuckDB and no snapshot.

mod append;
mod batch_record;
mod cached_store;
mod checksum;
mod commit;
mod deletion;
mod elsewhere;
mod entity_table;
mod error;
mod hashes;
mod history;
mod merge;
mod remote;
mod table_log;
mod writer;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use deltalake_core::DeltaTable;
use deltalake_core::kernel::Action;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::settings::LakeAddress;

pub use batch_record::BatchRecord;
pub use cached_store::StoreProblem;
pub use checksum::hash_of_file;
pub use entity_table::{EntityFile, MonthChanges, PublishedFile};
pub use error::LakeError;
pub use hashes::KnownHashes;
pub use history::{CompactionRecord, DroppedEvents, LoggedFile, TableCommit, TableHistory};
pub use writer::LakeWriter;

pub(super) use elsewhere::DiskFile;
pub(super) use merge::Merge;

pub use remote::CACHE_FOLDER;
use remote::Remote;

use table_log::{ActiveFile, active_files, commit_name, delta_schema, sync, version_of};

/// Folder of the lake inside the data directory.
pub const LAKE_FOLDER: &str = "lake";
/// Folder of rejected rows inside the lake: one folder per pipeline, Parquet files inside.
pub const QUARANTINE_FOLDER: &str = "quarantine";
/// The partition column of every table.
pub const MONTH: &str = "month";
/// Bytes of a file of events that is worth no merge any more.
pub(super) const TARGET_BYTES: u64 = 128 << 20;
/// Key of a commit's metadata that holds the [`BatchRecord`].
const RECORD_KEY: &str = "svod";

/// What a table of the lake holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TableKind {
    /// Events as they came.
    Event,
    /// Entities folded from events.
    Entity,
}

impl TableKind {
    /// Folder of the tables inside the lake.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Event => "events",
            Self::Entity => "entities",
        }
    }
}

/// One Parquet file of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeFile {
    /// The file.
    pub path: PathBuf,
    /// Its partition, e.g. `2024-03`.
    pub month: String,
    /// Rows in it.
    pub rows: u64,
}

/// The Delta tables below one data directory. Clones share what they have read of the tables' logs.
#[derive(Debug, Clone)]
pub struct Lake {
    /// Where its files lie on this disk: all of them, or those that are cached.
    root: PathBuf,
    remote: Option<Arc<Remote>>,
    loaded: Arc<Mutex<HashMap<(TableKind, String), DeltaTable>>>,
}

impl Lake {
    /// The lake on the disk, below a data directory; its folders are made where they are missing.
    ///
    /// # Errors
    /// [`LakeError::File`] if the folders cannot be made.
    pub async fn open(data_dir: &Path) -> Result<Self, LakeError> {
        Self::open_at(data_dir, None).await
    }

    /// The lake at an address, or on the disk if there is none.
    ///
    /// # Errors
    /// [`LakeError`] if the folders cannot be made, or the store does not let itself be used.
    pub async fn open_at(data_dir: &Path, address: Option<&LakeAddress>) -> Result<Self, LakeError> {
        if let Some(address) = address {
            let remote = Remote::open(address, data_dir).await?;
            return Ok(Self {
                root: remote.cache().to_owned(),
                remote: Some(Arc::new(remote)),
                loaded: Arc::default(),
            });
        }
        let root = data_dir.join(LAKE_FOLDER);
        for folder in [TableKind::Event.folder(), TableKind::Entity.folder(), QUARANTINE_FOLDER] {
            fs_err::create_dir_all(root.join(folder))?;
        }
        Ok(Self { root: fs_err::canonicalize(root)?, remote: None, loaded: Arc::default() })
    }

    /// Folder of a table on this disk; of a lake in a bucket, of what is cached of it.
    #[must_use]
    pub fn table_folder(&self, kind: TableKind, table: &str) -> PathBuf {
        self.root.join(kind.folder()).join(table)
    }

    /// Folder of a pipeline's rejected rows; the caller makes it.
    #[must_use]
    pub fn quarantine_folder(&self, pipeline: &str) -> PathBuf {
        self.root.join(QUARANTINE_FOLDER).join(pipeline)
    }

    /// Files with rejected rows of a pipeline, or of all pipelines, sorted.
    ///
    /// # Errors
    /// [`LakeError::File`] if a folder cannot be listed, [`LakeError::Store`] if the bucket cannot.
    pub async fn quarantine_files(&self, pipeline: Option<&str>) -> Result<Vec<PathBuf>, LakeError> {
        let root = self.root.join(QUARANTINE_FOLDER);
        let folder = pipeline.map_or_else(|| root.clone(), |pipeline| root.join(pipeline));
        let files = self.files_below(&folder).await?.into_iter().map(|file| file.path);
        Ok(files.filter(|path| path.extension().is_some_and(|ending| ending == "parquet")).collect())
    }

    /// Latest version of an event table; none if nothing was ever appended.
    ///
    /// # Errors
    /// [`LakeError::Open`] if the table's log cannot be read.
    pub async fn version(&self, table: &str) -> Result<Option<i64>, LakeError> {
        Ok(self.load(TableKind::Event, table, None).await?.as_ref().map(version_of))
    }

    /// Files of an event table at a version, sorted by month.
    ///
    /// # Errors
    /// [`LakeError::Open`] or [`LakeError::NoVersion`].
    pub async fn files(&self, table: &str, version: i64) -> Result<Vec<LakeFile>, LakeError> {
        self.files_of(TableKind::Event, table, version).await
    }

    /// Files of any table at a version, sorted by month.
    ///
    /// # Errors
    /// [`LakeError::Open`] or [`LakeError::NoVersion`].
    pub async fn files_of(&self, kind: TableKind, table: &str, version: i64) -> Result<Vec<LakeFile>, LakeError> {
        let missing = || LakeError::NoVersion { table: table.to_owned(), version };
        let loaded = self.load(kind, table, Some(version)).await?.ok_or_else(missing)?;
        let folder = self.table_folder(kind, table);
        let mut files: Vec<LakeFile> = active_files(&loaded).into_iter().map(|file| file.into_file(&folder)).collect();
        files.sort_by(|one, other| (&one.month, &one.path).cmp(&(&other.month, &other.path)));
        Ok(files)
    }

    /// Files that the commits after one version, up to another, appended to an event table.
    ///
    /// Files of a compaction are not among them: their events were there before.
    ///
    /// # Errors
    /// [`LakeError::Open`] if a commit cannot be read.
    pub async fn files_between(&self, table: &str, after: i64, until: i64) -> Result<Vec<LakeFile>, LakeError> {
        let folder = self.table_folder(TableKind::Event, table);
        let mut files = Vec::new();
        for version in after + 1..=until {
            for action in self.actions(TableKind::Event, table, version).await? {
                if let Action::Add(add) = action
                    && add.data_change
                {
                    files.push(ActiveFile::from(add).into_file(&folder));
                }
            }
        }
        Ok(files)
    }
}
