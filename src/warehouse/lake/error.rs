//! Why the lake could not be read or written.

use std::path::PathBuf;

use deltalake_core::DeltaTableError;

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
}
