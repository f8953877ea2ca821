//! Rows that were pushed to the server: each closed segment of the inbox is a unit.
//!
//! A run closes the open segment, hands the closed ones over, oldest first, and removes each when the state says that its batch is in the
//! lake. Killed in between, the next run finds the segment and the position that names it, and removes it then.

use std::collections::VecDeque;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::files::SourceFile;
use super::{Next, Surroundings, Unit};
use crate::pipelines::inbox::folder::InboxFolder;
use crate::pipelines::inbox::{InboxError, unit_name};
use crate::pipelines::state::PipelineState;

/// What a pipeline declares of its pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushOptions {
    /// Longest body in bytes, unpacked.
    pub max_body_bytes: u64,
    /// Most bytes that may wait for the next run.
    pub max_pending_bytes: u64,
    /// How long an idempotency key is remembered.
    pub keep_keys_days: u16,
    /// What becomes of a body with bad rows.
    pub on_bad_rows: OnBadRows,
}

/// What becomes of a body with bad rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBadRows {
    /// Nothing of it is taken.
    Refuse,
    /// It is taken, and the bad rows go to quarantine with the next run.
    Quarantine,
}

/// The inbox as one run reads it.
#[derive(Debug)]
pub struct PushFeed {
    folder: InboxFolder,
    keep_keys_days: u64,
    today: NaiveDate,
    /// Closed segments still to be handed over; none before the inbox was looked into.
    closed: Option<VecDeque<u64>>,
    /// The segment that was handed over last, and the position that tells that it is in the lake.
    handed: Option<(u64, Value)>,
}

impl PushFeed {
    /// The inbox of a pipeline.
    #[must_use]
    pub fn new(options: &PushOptions, around: Surroundings<'_>) -> Self {
        let folder = InboxFolder::new(around.data_dir, around.pipeline);
        let today = around.clock.now().date_naive();
        let keep_keys_days = u64::from(options.keep_keys_days);
        Self { folder, keep_keys_days, today, closed: None, handed: None }
    }

    /// The next segment that is not in the lake.
    pub(super) fn next(&mut self, state: &PipelineState) -> Next {
        match self.try_next(state) {
            Ok(Some(unit)) => Next::Unit(unit),
            Ok(None) => Next::End,
            Err((name, error)) => Next::Failed(name, error.into()),
        }
    }

    fn try_next(&mut self, state: &PipelineState) -> Result<Option<Unit>, (String, InboxError)> {
        if let Some((number, position)) = self.handed.take()
            && state.position.as_ref() == Some(&position)
        {
            self.consume(number)?;
        }
        while let Some(number) = self.next_closed()? {
            let (path, hash) = self.folder.export(number).map_err(|error| (unit_name(number), error))?;
            let position = json!({"segment": number, "hash": hash});
            if state.position.as_ref() == Some(&position) {
                self.consume(number)?;
                continue;
            }
            self.handed = Some((number, position.clone()));
            let file = SourceFile { name: unit_name(number), path };
            return Ok(Some(Unit { file, hash, position: Some(position) }));
        }
        Ok(None)
    }

    fn next_closed(&mut self) -> Result<Option<u64>, (String, InboxError)> {
        if self.closed.is_none() {
            // Whatever goes wrong here, nothing can be handed over, and the run must come to an end.
            self.closed = Some(VecDeque::new());
            if self.folder.exists() {
                let closed = self.folder.lock().and_then(|lock| self.folder.close_open_segment(&lock));
                self.closed = Some(closed.map_err(|error| ("push".to_owned(), error))?.into());
            }
        }
        Ok(self.closed.as_mut().and_then(VecDeque::pop_front))
    }

    /// Removes a segment that is in the lake. If that fails, no later one may be handed over, since a state names only the last.
    fn consume(&mut self, number: u64) -> Result<(), (String, InboxError)> {
        let consumed =
            self.folder.lock().and_then(|lock| self.folder.consume(number, self.today, self.keep_keys_days, &lock));
        consumed.map_err(|error| {
            self.closed = Some(VecDeque::new());
            (unit_name(number), error)
        })
    }
}
