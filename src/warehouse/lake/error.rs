//! Why the lake could not be read or written.

use std::path::PathBuf;

use deltalake_core::DeltaTableError;

use super::cached_store::{StoreProblem, problem_in};
use crate::s3::ClientError;

/// Why the lake could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// A table's log cannot be read.
    #[error("cannot open the table `{table}`")]
    Open {
        /// The table.
        table: String,
        /// The cause.
        #[source]
        cause: Box<DeltaTableError>,
    },
    /// A table cannot be made.
    #[error("cannot create the table `{table}`")]
    Create {
        /// The table.
        table: String,
        /// The cause.
        #[source]
        cause: Box<DeltaTableError>,
    },
    /// New columns of a contract cannot be added to its table.
    #[error("cannot add the columns {columns:?} to the table `{table}`")]
    Evolve {
        /// The table.
        table: String,
        /// The columns.
        columns: Vec<String>,
        /// The cause.
        #[source]
        cause: Box<DeltaTableError>,
    },
    /// A column has another type in the table than in the contract.
    #[error(
        "the column `{column}` of the table `{table}` is {found} in the lake, the contract wants {expected}\n  help: give the column a new name"
    )]
    Retyped {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Type in the lake.
        found: String,
        /// Type of the contract.
        expected: String,
    },
    /// A commit was refused.
    #[error("cannot commit to the table `{table}`")]
    Commit {
        /// The table.
        table: String,
        /// The cause.
        #[source]
        cause: Box<DeltaTableError>,
    },
    /// Rows do not have the schema of the contract.
    #[error("rows for the table `{table}` do not fit its contract: {reason}")]
    Shape {
        /// The table.
        table: String,
        /// What differs.
        reason: String,
    },
    /// Rows cannot be written as Parquet.
    #[error("cannot write rows of the table `{table}`")]
    Write {
        /// The table.
        table: String,
        /// The cause.
        #[source]
        cause: parquet::errors::ParquetError,
    },
    /// Rows cannot be split by month.
    #[error("cannot split rows of the table `{table}` by month")]
    Split {
        /// The table.
        table: String,
        /// The cause.
        #[source]
        cause: arrow::error::ArrowError,
    },
    /// A Parquet file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: parquet::errors::ParquetError,
    },
    /// The batch record of a commit cannot be read.
    #[error("commit {version} of the table `{table}` holds no readable batch record")]
    Record {
        /// The table.
        table: String,
        /// The commit.
        version: i64,
        /// The cause.
        #[source]
        cause: serde_json::Error,
    },
    /// A version that the table does not have.
    #[error("the table `{table}` has no version {version}")]
    NoVersion {
        /// The table.
        table: String,
        /// The version.
        version: i64,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A background thread of the writer died.
    #[error("a writer of the table `{table}` stopped before its end")]
    Stopped {
        /// The table.
        table: String,
    },
    /// The store of the lake does not do what it is asked.
    #[error(transparent)]
    Store(#[from] StoreProblem),
    /// The store of the lake cannot be asked.
    #[error("`lake` in svod.yaml")]
    Client(#[from] ClientError),
    /// The name of the bucket is no part of an address.
    #[error("the bucket `{bucket}` has a name that no address can hold")]
    Bucket {
        /// The bucket.
        bucket: String,
    },
    /// The store overwrites what it was told to write only where nothing is.
    #[error(
        "the store of `s3://{bucket}` does not know conditional writes (`If-None-Match`), without which two servers could overwrite \
         each other's commits; nothing was written but `svod.json`\n  help: use a store that knows them, such as MinIO since 2024, or \
         keep the lake on the disk"
    )]
    Unconditional {
        /// The bucket.
        bucket: String,
    },
    /// The data directory has a lake of its own, which would be seen by nobody any more.
    #[error(
        "there is a lake in `{}`, but svod.yaml says that it lies in a bucket\n  help: copy the folders `lake` and `snapshots` into the \
         bucket below `prefix`, then move `lake` away", folder.display()
    )]
    LocalLake {
        /// The lake on the disk.
        folder: PathBuf,
    },
    /// The data directory belongs to another lake.
    #[error(
        "this data directory belongs to {known}, not to {here}\n  help: give each lake a data directory of its own: `--data-dir`"
    )]
    OtherLake {
        /// Its lake.
        known: String,
        /// The lake of svod.yaml.
        here: String,
    },
    /// An object of the lake is not there.
    #[error("the file is missing: {object}")]
    NoObject {
        /// Its address.
        object: String,
    },
    /// Another server has committed to a table in the meantime.
    #[error(
        "another server committed to the table `{table}` in the meantime; nothing of this commit was written\n  help: one server writes a \
         bucket: stop the other one and run again"
    )]
    Overtaken {
        /// The table.
        table: String,
    },
    /// Another server has published a snapshot in the meantime.
    #[error(
        "another server published snapshot {number} in the meantime\n  help: one server writes a bucket: stop the other one and run again"
    )]
    Published {
        /// Number of the snapshot.
        number: u64,
    },
}

impl LakeError {
    /// The same, or what is wrong with the store if it comes from there.
    pub(super) fn told(self) -> Self {
        problem_in(&self).map_or(self, Self::Store)
    }
}
