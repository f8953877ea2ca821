//! Why a refresh could not finish.

use std::path::PathBuf;

use super::super::lake::LakeError;
use super::super::snapshot::SnapshotError;
use crate::domain::disk_fault::DiskFault;

/// Why a refresh could not finish. The last published snapshot stays what it was.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A manifest cannot be read or published.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The DuckDB file cannot be opened or read.
    #[error(
        "cannot use `{}`{}", path.display(), advice(cause)
    )]
    Database {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: duckdb::Error,
    },
    /// The SQL of a model failed on the events.
    #[error("cannot fold the model `{model}`")]
    Fold {
        /// The model.
        model: String,
        /// The cause.
        #[source]
        cause: duckdb::Error,
    },
    /// Entities cannot be written as Parquet.
    #[error("cannot write the entities of the model `{model}`")]
    Write {
        /// The model.
        model: String,
        /// The cause.
        #[source]
        cause: duckdb::Error,
    },
    /// A thread of the refresh died.
    #[error("a thread of the refresh stopped before its end")]
    Stopped,
}

/// What to do about a file that DuckDB cannot use, unless it is the disk that has to be mended.
fn advice(cause: &duckdb::Error) -> &'static str {
    match DiskFault::of(cause) {
        Some(_) => "",
        None => "\n  help: if no other process has it open, delete it: a refresh makes it again from the lake",
    }
}
