//! Reading the logs of Delta tables: their versions, files and commits.

use std::path::Path;

use arrow::datatypes::Schema;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::{Action, Add, DeletionVectorDescriptor, LogicalFileView, StructType};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use url::Url;

use super::{Lake, LakeError, LakeFile, MONTH, TableKind};

impl Lake {
    /// A table at its latest or another version; none if it is not there.
    pub(super) async fn load(
        &self,
        kind: TableKind,
        table: &str,
        version: Option<i64>,
    ) -> Result<Option<DeltaTable>, LakeError> {
        let folder = self.table_folder(kind, table);
        let first = folder.join("_delta_log").join(commit_name(0));
        let is_there = match &self.remote {
            None => first.is_file(),
            Some(remote) => {
                let is_known = self.loaded.lock().await.contains_key(&(kind, table.to_owned()));
                is_known || remote.has(&first).await?
            }
        };
        if !is_there {
            return Ok(None);
        }
        let open = |cause| LakeError::Open { table: table.to_owned(), cause: Box::new(cause) }.told();
        let mut loaded = self.loaded.lock().await;
        let key = (kind, table.to_owned());
        let known = loaded.get(&key).cloned();
        if let Some(known) = known.as_ref().filter(|known| version == Some(version_of(known))) {
            return Ok(Some(known.clone()));
        }
        if let Some(version) = version {
            return self.load_version(kind, table, version).await.map(Some).map_err(open);
        }
        let current = if let Some(mut known) = known {
            known.update_state().await.map(|()| known)
        } else {
            let mut table = DeltaTable::new(self.log_store(kind, table)?);
            table.load().await.map(|()| table)
        };
        match current {
            Ok(current) => {
                loaded.insert(key, current.clone());
                Ok(Some(current))
            }
            Err(cause) => {
                loaded.remove(&key);
                Err(open(cause))
            }
        }
    }

    /// A table as it was at a version.
    ///
    /// # Errors
    /// Those of the Delta library, also if the table is not there.
    pub async fn load_version(
        &self,
        kind: TableKind,
        table: &str,
        version: i64,
    ) -> Result<DeltaTable, DeltaTableError> {
        let log_store =
            self.log_store(kind, table).map_err(|error| DeltaTableError::GenericError { source: error.into() })?;
        let mut table = DeltaTable::new(log_store);
        table.load_version(version.unsigned_abs()).await?;
        Ok(table)
    }

    /// Where the log of a table is read and written.
    pub(super) fn log_store(&self, kind: TableKind, table: &str) -> Result<LogStoreRef, LakeError> {
        let folder = self.table_folder(kind, table);
        if let Some(remote) = &self.remote {
            return remote.log_store(&folder);
        }
        let url = Url::from_directory_path(&folder)
            .map_err(|()| DeltaTableError::InvalidTableLocation(folder.display().to_string()));
        let built = url.and_then(DeltaTableBuilder::from_url).and_then(|builder| builder.build_storage());
        built.map_err(|cause| LakeError::Open { table: table.to_owned(), cause: Box::new(cause) })
    }

    /// The actions of one commit of a table.
    pub(super) async fn actions(&self, kind: TableKind, table: &str, version: i64) -> Result<Vec<Action>, LakeError> {
        let log_store = self.log_store(kind, table)?;
        let read = async {
            let version = version.unsigned_abs();
            let bytes = log_store.read_commit_entry(version).await?;
            bytes.map(|bytes| deltalake_core::logstore::get_actions(version, &bytes)).transpose()
        };
        let open = |cause| LakeError::Open { table: table.to_owned(), cause: Box::new(cause) }.told();
        read.await.map_err(open)?.ok_or_else(|| LakeError::NoVersion { table: table.to_owned(), version })
    }
}

/// Version of a loaded table.
pub(super) fn version_of(table: &DeltaTable) -> i64 {
    table.version().and_then(|version| i64::try_from(version).ok()).unwrap_or(0)
}

/// File of a commit inside a table's log.
pub(super) fn commit_name(version: i64) -> String {
    format!("{version:020}.json")
}

/// A file as a table's log names it.
pub(super) struct ActiveFile {
    pub(super) path: String,
    pub(super) month: String,
    pub(super) size: i64,
    pub(super) rows: u64,
}

impl ActiveFile {
    pub(super) fn into_file(self, folder: &Path) -> LakeFile {
        LakeFile { path: folder.join(&self.path), month: self.month, rows: self.rows }
    }
}

impl From<Add> for ActiveFile {
    fn from(add: Add) -> Self {
        let stats = add.stats.as_deref().and_then(|stats| serde_json::from_str::<serde_json::Value>(stats).ok());
        let n_rows = stats.and_then(|stats| stats.get("numRecords")?.as_u64()).unwrap_or(0);
        Self {
            rows: n_rows.saturating_sub(n_deleted(add.deletion_vector.as_ref())),
            path: add.path,
            month: add.partition_values.get(MONTH).cloned().flatten().unwrap_or_default(),
            size: add.size,
        }
    }
}

/// How many rows of a file count no more.
pub(super) fn n_deleted(vector: Option<&DeletionVectorDescriptor>) -> u64 {
    vector.and_then(|vector| u64::try_from(vector.cardinality).ok()).unwrap_or(0)
}

/// Files of a loaded table.
pub(super) fn active_files(table: &DeltaTable) -> Vec<ActiveFile> {
    let Ok(state) = table.snapshot() else { return Vec::new() };
    let views = state.log_data();
    let n_rows = |view: &LogicalFileView| view.num_records().map_or(0, |rows| rows as u64);
    let files = views.iter().map(|view| ActiveFile {
        path: view.path().into_owned(),
        month: view.partition_values_map().remove(MONTH).flatten().unwrap_or_default(),
        size: view.size(),
        rows: n_rows(&view).saturating_sub(n_deleted(view.deletion_vector_descriptor().as_ref())),
    });
    files.collect()
}

/// The Delta schema of an Arrow schema.
pub(super) fn delta_schema(table: &str, schema: &Schema) -> Result<StructType, LakeError> {
    schema.try_into_kernel().map_err(|error: arrow::error::ArrowError| LakeError::Shape {
        table: table.to_owned(),
        reason: error.to_string(),
    })
}

/// Makes a file or folder survive a power cut.
pub(super) fn sync(path: &Path) -> Result<(), std::io::Error> {
    fs_err::File::open(path)?.sync_all()
}
