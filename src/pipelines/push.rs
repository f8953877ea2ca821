//! Taking pushed rows: checked as a run would check them, then durable, then acknowledged.
//!
//! Whoever finds the inbox free keeps the bodies of all who wait, with one fsync. Knows nothing of HTTP.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use chrono::{DateTime, Duration, Utc};

use super::formats::FormatError;
use super::inbox::folder::InboxFolder;
use super::inbox::{Inbox, InboxError, NotKept, Receipt, Submission};
use super::pipeline::Pipeline;
use super::row_check::{BadRow, CheckError, CheckedRows, RowChecker};
use super::sources::Source;
use super::sources::push::{OnBadRows, PushOptions};
use crate::warehouse::contracts::{Contract, Contracts};
use crate::warehouse::reference::Reference;

/// Why a pushed body is not taken. Nothing of it is stored then.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// It has no row.
    #[error("the body has no rows")]
    Empty,
    /// Rows of it break rules.
    #[error("{} of {n_rows} rows break a rule; nothing is taken", bad.len())]
    BadRows {
        /// The rows that do, in order.
        bad: Vec<BadRow>,
        /// All rows.
        n_rows: u64,
    },
    /// Its columns are not those that were declared, which the pipeline does not allow.
    #[error("nothing is taken: {0}")]
    Changed(FormatError),
    /// The pipeline's expressions fail over its values. The cause may show values, so it is not told.
    #[error("nothing is taken: the expressions of the pipeline cannot be computed over these values")]
    Unmappable,
    /// Its key came before with another body.
    #[error("the idempotency key came before with another body; nothing is taken")]
    KeyReused,
    /// Too much waits for the next run.
    #[error("{pending_bytes} bytes wait for the next run of the pipeline, which is all it may keep")]
    Full {
        /// Bytes that wait.
        pending_bytes: u64,
    },
    /// The disk has no room.
    #[error("the disk is full; nothing is taken")]
    DiskFull,
    /// The inbox cannot be used.
    #[error("the pushed rows of pipeline `{pipeline}` cannot be kept")]
    Failed {
        /// The pipeline.
        pipeline: String,
        /// What went wrong.
        #[source]
        cause: Arc<InboxError>,
    },
}

/// Takes the pushed rows of one pipeline.
#[derive(Debug)]
pub struct PushDesk {
    pipeline: Pipeline,
    options: PushOptions,
    contract: Contract,
    reference: Arc<Reference>,
    /// Checkers that nobody uses at the moment; each is made once and used again.
    checkers: Mutex<Vec<RowChecker>>,
    waiting: Mutex<Vec<Arc<Submission>>>,
    folder: InboxFolder,
    inbox: Mutex<Inbox>,
}

impl PushDesk {
    /// A desk for a pipeline whose source is `push`; none for another.
    #[must_use]
    pub fn open(
        pipeline: &Pipeline,
        contracts: &Contracts,
        reference: &Arc<Reference>,
        data_dir: &Path,
    ) -> Option<Self> {
        let Source::Push(options) = pipeline.source() else { return None };
        let keep_keys = Duration::days(i64::from(options.keep_keys_days));
        Some(Self {
            pipeline: pipeline.clone(),
            options: options.clone(),
            contract: contracts.get(pipeline.contract())?.clone(),
            reference: Arc::clone(reference),
            checkers: Mutex::default(),
            waiting: Mutex::default(),
            folder: InboxFolder::new(data_dir, pipeline.name()),
            inbox: Mutex::new(Inbox::new(data_dir, pipeline.name(), options.max_pending_bytes, keep_keys)),
        })
    }

    /// What the pipeline declares of its pushes.
    #[must_use]
    pub fn options(&self) -> &PushOptions {
        &self.options
    }

    /// Bytes that wait for the next run, about.
    ///
    /// # Errors
    /// [`InboxError`], if the inbox cannot be listed.
    pub fn pending_bytes(&self) -> Result<u64, InboxError> {
        self.folder.n_bytes()
    }

    /// Takes a body of rows under an idempotency key; when this returns a receipt, the rows are durable. The same key with the same
    /// body gives the same receipt again and stores nothing. Blocks the thread.
    ///
    /// # Errors
    /// [`PushError`]; nothing is stored then.
    pub fn take(&self, key: &str, body: &[u8], now: DateTime<Utc>) -> Result<Receipt, PushError> {
        let (key, hash) = (blake3::hash(key.as_bytes()), blake3::hash(body));
        let lines = whole_lines(body);
        let refused = match self.check(&lines, now) {
            Ok(CheckedRows { n_rows: 0, .. }) => PushError::Empty,
            Ok(CheckedRows { n_rows, bad }) if bad.is_empty() || self.options.on_bad_rows == OnBadRows::Quarantine => {
                let set_aside = bad.len() as u64;
                let outcome = OnceLock::new();
                let submission = Submission { key, hash, lines, rows: n_rows - set_aside, set_aside, outcome };
                return self.submit(submission, now).map_err(|reason| self.not_kept(reason));
            }
            Ok(CheckedRows { n_rows, bad }) => PushError::BadRows { bad, n_rows },
            Err(error) => error,
        };
        // What was right when it came gets its answer again, although it may be wrong by the rules of today.
        let known = locked(&self.inbox).find(&key, &hash, now);
        known.map_err(|reason| self.not_kept(reason))?.ok_or(refused)
    }

    fn check(&self, lines: &[u8], now: DateTime<Utc>) -> Result<CheckedRows, PushError> {
        let spare = locked(&self.checkers).pop();
        let make = || RowChecker::new(&self.pipeline, &self.contract, &self.reference, now);
        let mut checker = spare.unwrap_or_else(make);
        let found = checker.check(lines, now);
        locked(&self.checkers).push(checker);
        found.map_err(|error| match error {
            CheckError::Format(changed @ FormatError::ChangedColumns { .. }) => PushError::Changed(changed),
            CheckError::Mapping(_) | CheckError::Format(_) => PushError::Unmappable,
        })
    }

    /// Keeps a body together with all that wait at the same time.
    fn submit(&self, submission: Submission, now: DateTime<Utc>) -> Result<Receipt, NotKept> {
        let submission = Arc::new(submission);
        locked(&self.waiting).push(Arc::clone(&submission));
        let mut inbox = locked(&self.inbox);
        if submission.outcome.get().is_none() {
            let group = std::mem::take(&mut *locked(&self.waiting));
            inbox.keep(&group, now);
        }
        drop(inbox);
        let outcome = submission.outcome.get().cloned();
        outcome.unwrap_or_else(|| {
            let lost = std::io::Error::other("a body was lost among those that waited");
            Err(NotKept::Failed(Arc::new(lost.into())))
        })
    }

    fn not_kept(&self, reason: NotKept) -> PushError {
        match reason {
            NotKept::KeyReused => PushError::KeyReused,
            NotKept::Full { pending_bytes } => PushError::Full { pending_bytes },
            NotKept::Failed(cause) if cause.is_disk_full() => PushError::DiskFull,
            NotKept::Failed(cause) => PushError::Failed { pipeline: self.pipeline.name().to_owned(), cause },
        }
    }
}

/// The lines of a body as they are kept: without a byte-order mark, each with its line end, so that bodies can follow each other.
fn whole_lines(body: &[u8]) -> Vec<u8> {
    let mut lines = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).to_vec();
    if !lines.ends_with(b"\n") {
        lines.push(b'\n');
    }
    lines
}

/// What a lock guards is right whenever it is free: a thread that panicked has changed nothing by halves.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
