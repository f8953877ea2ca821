//! What a run tells: its progress, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::columns::ColumnDifference;
use super::errors::{FileError, RunError};
use crate::warehouse::lake::BatchRecord;

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The pipeline.
    pub pipeline: String,
    /// The file that is read, relative to the project.
    pub file: String,
    /// Bytes of it that are read.
    pub n_bytes_read: u64,
    /// All its bytes.
    pub n_bytes: u64,
    /// Rows of it that are done.
    pub n_rows: u64,
}

/// What one run of a pipeline did. Counted in source rows, `read = accepted + duplicate + rejected`.
#[derive(Debug, Default)]
pub struct PipelineReport {
    /// The pipeline.
    pub pipeline: String,
    /// Files read and committed.
    pub files: usize,
    /// Files left alone, since they are as they were.
    pub unchanged: usize,
    /// Files of which nothing was taken, and why; the next run tries them again.
    pub failures: Vec<FileFailure>,
    /// Rows read.
    pub read: u64,
    /// Rows that brought at least one new event.
    pub accepted: u64,
    /// Rows whose events were all in the lake already.
    pub duplicate: u64,
    /// Rows that broke a rule.
    pub rejected: u64,
    /// Rows left alone, since another period was asked for; not among those read.
    pub outside: u64,
    /// Events appended.
    pub events: u64,
    /// Rejected rows by rule.
    pub reasons: BTreeMap<String, u64>,
    /// The batches of the run.
    pub batches: Vec<BatchRecord>,
    /// Bytes of the files read.
    pub bytes: u64,
    /// Files whose columns are not the declared ones, where the run was asked to compare them.
    pub differences: Vec<ColumnDifference>,
    /// Why the run stopped before the end of its source, if it did; the batches are in the lake.
    pub stopped: Option<RunError>,
    /// Where the time went.
    pub stages: StageSeconds,
    /// How long the run took.
    pub seconds: f64,
}

/// Seconds that the stages of a run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StageSeconds {
    /// Asking the source what there is, and fetching it.
    pub find: f64,
    /// Reading, checking and mapping rows.
    pub read: f64,
    /// Committing batches and noting them.
    pub commit: f64,
}

/// What one unit brought.
pub(super) struct UnitReport {
    pub(super) batch: BatchRecord,
    pub(super) reasons: BTreeMap<String, u64>,
    pub(super) n_bytes: u64,
    pub(super) difference: Option<ColumnDifference>,
    pub(super) commit_seconds: f64,
}

/// A file of which nothing was taken.
#[derive(Debug)]
pub struct FileFailure {
    /// The file, relative to the project.
    pub file: String,
    /// Why.
    pub error: FileError,
}

impl PipelineReport {
    /// Adds a committed batch.
    pub(super) fn add(&mut self, unit: UnitReport) {
        let UnitReport { batch, reasons, n_bytes, difference, commit_seconds } = unit;
        self.files += 1;
        self.read += batch.read;
        self.accepted += batch.accepted;
        self.duplicate += batch.duplicate;
        self.rejected += batch.rejected;
        self.outside += batch.outside;
        self.events += batch.events;
        self.bytes += n_bytes;
        self.stages.commit += commit_seconds;
        self.differences.extend(difference);
        for (rule, n_rows) in reasons {
            *self.reasons.entry(rule).or_default() += n_rows;
        }
        self.batches.push(batch);
    }
}
