//! Why nothing of a file was taken, and why a run stopped.

use super::assemble::AssembleError;
use super::formats::FormatError;
use super::inbox::InboxError;
use super::mapping::MappingError;
use super::options::StopReason;
use super::packed::UnpackError;
use super::quarantine::QuarantineError;
use super::sources::files::FilesError;
use super::sources::http::HttpError;
use super::sources::postgres::PostgresError;
use super::sources::s3::S3Error;
use super::state::StateError;
use crate::warehouse::lake::LakeError;

/// Why nothing of a file was taken. The fault is with the file, so others go on.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened or read, or changed meanwhile.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// Pushed rows cannot be had.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// An object cannot be had.
    #[error(transparent)]
    S3(#[from] S3Error),
    /// It is an archive of which nothing can be taken.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// It is not in the declared format.
    #[error("`{file}` is not taken")]
    Format {
        /// The file.
        file: String,
        /// What is wrong with it.
        #[source]
        cause: FormatError,
    },
    /// Its rejected rows cannot be tried again, since the source does not have it any more.
    #[error(
        "`{file}` is not in the source any more, so its rejected rows cannot be read again\n  help: put the file back as it was, or let the register send the rows anew; `svod run --full` asks a source on the network for all of its rows"
    )]
    Gone {
        /// The file.
        file: String,
    },
    /// Its rejected rows cannot be tried again, since it is another one now.
    #[error(
        "`{file}` has changed since batch {batch} read it, so that batch's rejected rows cannot be tried again\n  help: `svod run {pipeline}` reads the file as it is now"
    )]
    Replaced {
        /// The file.
        file: String,
        /// The pipeline.
        pipeline: String,
        /// The batch that rejected rows of it.
        batch: i64,
    },
    /// An endpoint does not give a page.
    #[error("page {page} cannot be had; the next run goes on with it")]
    Http {
        /// Number of the page in the pull, from 1.
        page: u64,
        /// What went wrong.
        #[source]
        cause: HttpError,
    },
    /// A database does not give its rows.
    #[error("the rows cannot be had")]
    Postgres(#[source] PostgresError),
    /// It breaks a rule about the whole of it.
    #[error(
        "`{file}` is held back: {}; nothing of it is taken, what was loaded before stays; mend the export or the contract",
        reasons.join("; ")
    )]
    Held {
        /// The file.
        file: String,
        /// The broken rules.
        reasons: Vec<String>,
    },
    /// Its rows cannot be mapped.
    #[error("`{file}` is not taken")]
    Mapping {
        /// The file.
        file: String,
        /// What is wrong.
        #[source]
        cause: MappingError,
    },
}

/// Why a run of a pipeline stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The files cannot be found.
    #[error("pipeline `{pipeline}`: the files cannot be found")]
    Files {
        /// The pipeline.
        pipeline: String,
        /// What went wrong.
        #[source]
        cause: FilesError,
    },
    /// A file that has no rejected rows was to be tried again.
    #[error("no row of `{file}` is in the quarantine of `{pipeline}`\n  help: {known}")]
    NotRejected {
        /// The pipeline.
        pipeline: String,
        /// The file.
        file: String,
        /// The files that have some.
        known: String,
    },
    /// The contract that was there when the declaration was checked is gone.
    #[error("pipeline `{pipeline}`: there is no contract `{contract}`")]
    NoContract {
        /// The pipeline.
        pipeline: String,
        /// Its contract.
        contract: String,
    },
    /// The state cannot be read or written.
    #[error("pipeline `{pipeline}` has no usable state")]
    State {
        /// The pipeline.
        pipeline: String,
        /// What went wrong.
        #[source]
        cause: StateError,
    },
    /// The lake does not answer.
    #[error("pipeline `{pipeline}`: `{file}` cannot be brought into the lake")]
    Lake {
        /// The pipeline.
        pipeline: String,
        /// The file that was read, or the table.
        file: String,
        /// What went wrong.
        #[source]
        cause: LakeError,
    },
    /// The events of a file do not make rows of the lake.
    #[error("pipeline `{pipeline}`: `{file}` cannot be brought into the lake")]
    Assemble {
        /// The pipeline.
        pipeline: String,
        /// The file that was read.
        file: String,
        /// What went wrong.
        #[source]
        cause: AssembleError,
    },
    /// Rejected rows cannot be kept.
    #[error("pipeline `{pipeline}`: rejected rows of `{file}` cannot be kept")]
    Quarantine {
        /// The pipeline.
        pipeline: String,
        /// The file that was read.
        file: String,
        /// What went wrong.
        #[source]
        cause: QuarantineError,
    },
    /// Rows got lost between two stages, which is a fault of this program.
    #[error(
        "pipeline `{pipeline}`: internal error: {read} rows of `{file}` read, but {accepted} accepted, {duplicate} duplicate and {rejected} rejected; nothing is committed"
    )]
    Unbalanced {
        /// The pipeline.
        pipeline: String,
        /// The file.
        file: String,
        /// Rows read.
        read: u64,
        /// Rows accepted.
        accepted: u64,
        /// Known rows.
        duplicate: u64,
        /// Rejected rows.
        rejected: u64,
    },
    /// It was told to stop before its end; what was committed before stays.
    #[error(
        "pipeline `{pipeline}` was stopped at `{file}`, of which nothing is committed; the next run goes on from there"
    )]
    Interrupted {
        /// The pipeline.
        pipeline: String,
        /// The file that was read or would have been next.
        file: String,
        /// Why.
        #[source]
        cause: StopReason,
    },
    /// A thread stopped, which is a fault of this program.
    #[error("pipeline `{pipeline}`: internal error while `{file}` was read; nothing is committed")]
    Stopped {
        /// The pipeline.
        pipeline: String,
        /// The file.
        file: String,
        /// What stopped.
        #[source]
        cause: tokio::task::JoinError,
    },
}
