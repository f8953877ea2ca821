//! Why a compaction could not finish.

use super::super::lake::LakeError;
use super::super::refresh::RefreshError;
use super::super::snapshot::SnapshotError;

/// Why a compaction could not finish. No figure has changed, and the next compaction does the rest.
#[derive(Debug, thiserror::Error)]
pub enum CompactionError {
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A manifest cannot be read or deleted.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Entities cannot be brought up to date.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// Superseded events cannot be found.
    #[error("cannot look for superseded events of the table `{table}`")]
    Superseded {
        /// The event table.
        table: String,
        /// The cause.
        #[source]
        cause: duckdb::Error,
    },
    /// A thread of the compaction died.
    #[error("a thread of the compaction stopped before its end")]
    Stopped,
}
