//! Pushed bodies, durable from the moment they are acknowledged until a run has brought them into the lake.
//!
//! ```text
//! bodies ──▶ open segment ──▶ closed segments ──▶ a run: one unit each ──▶ lake
//!  many share   a run closes it                      └─▶ consumed: keys are kept, rows are gone
//!  one fsync
//! ```
//!
//! Bodies are frames of append-only segments (`frame`) in the pipeline's folder (`folder`), and their idempotency keys are remembered
//! for a declared time (`keys`). Whoever takes the folder's lock first reads on what others wrote, so that several processes may share an
//! inbox. Knows neither rows nor contracts, and nothing of HTTP.

mod error;
pub(crate) mod folder;
mod frame;
mod keys;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use blake3::Hash;
use chrono::{DateTime, Duration, Utc};
use fs_err::File;

pub use error::InboxError;
pub use folder::unit_name;
pub use frame::Receipt;

use folder::{FolderLock, InboxFolder, cut_torn_end};
use frame::{Entry, Frames, append_frame};
use keys::{Keys, Known};

/// Size from which the open segment is closed.
const SEGMENT_BYTES: u64 = 64 << 20;

/// Why a body is not kept.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NotKept {
    /// Its key came before with another body.
    #[error("the key came with another body")]
    KeyReused,
    /// Too much waits for the next run.
    #[error("{pending_bytes} bytes wait for the next run")]
    Full {
        /// Bytes that wait.
        pending_bytes: u64,
    },
    /// The disk fails.
    #[error(transparent)]
    Failed(#[from] Arc<InboxError>),
}

/// A body that is to be kept.
#[derive(Debug)]
pub(crate) struct Submission {
    /// Hash of its idempotency key.
    pub(crate) key: Hash,
    /// Hash of the body as it was sent.
    pub(crate) hash: Hash,
    /// Its lines, each with its line end.
    pub(crate) lines: Vec<u8>,
    /// Rows that keep every rule.
    pub(crate) rows: u64,
    /// Rows that break one.
    pub(crate) set_aside: u64,
    /// What became of it.
    pub(crate) outcome: OnceLock<Result<Receipt, NotKept>>,
}

/// What waits in one segment.
#[derive(Debug, Clone, Copy, Default)]
struct Volume {
    rows: u64,
    lines: u64,
    bytes: u64,
}

/// The segment that is appended to, as far as it is known.
#[derive(Debug)]
struct OpenSegment {
    number: u64,
    file: File,
    end: u64,
}

/// One pipeline's inbox as a server sees it.
#[derive(Debug)]
pub(crate) struct Inbox {
    folder: InboxFolder,
    max_pending_bytes: u64,
    keys: Keys,
    open: Option<OpenSegment>,
    volumes: BTreeMap<u64, Volume>,
}

impl Inbox {
    /// The inbox of a pipeline; nothing is read before the first body comes.
    pub(crate) fn new(data_dir: &Path, pipeline: &str, max_pending_bytes: u64, keep_keys: Duration) -> Self {
        let folder = InboxFolder::new(data_dir, pipeline);
        Self { folder, max_pending_bytes, keys: Keys::new(keep_keys), open: None, volumes: BTreeMap::new() }
    }

    /// Keeps a group of bodies with one fsync and tells each its outcome.
    pub(crate) fn keep(&mut self, group: &[Arc<Submission>], now: DateTime<Utc>) {
        match self.try_keep(group, now) {
            Ok(outcomes) => {
                for (submission, outcome) in group.iter().zip(outcomes) {
                    let _ = submission.outcome.set(outcome);
                }
            }
            Err(error) => {
                // What is in memory may not be on the disk, so everything is read again before the next group.
                self.open = None;
                let error = Arc::new(error);
                for submission in group {
                    let _ = submission.outcome.set(Err(NotKept::Failed(Arc::clone(&error))));
                }
            }
        }
    }

    /// What a pusher was told if the same came before.
    pub(crate) fn find(&mut self, key: &Hash, hash: &Hash, now: DateTime<Utc>) -> Result<Option<Receipt>, NotKept> {
        if !self.folder.exists() {
            return Ok(None);
        }
        let caught_up = self.folder.lock().and_then(|lock| self.catch_up(now, &lock));
        caught_up.map_err(Arc::new)?;
        match self.keys.find(key, hash, now) {
            Some(Known::Same(receipt)) => Ok(Some(receipt)),
            Some(Known::Other) => Err(NotKept::KeyReused),
            None => Ok(None),
        }
    }

    fn try_keep(
        &mut self,
        group: &[Arc<Submission>],
        now: DateTime<Utc>,
    ) -> Result<Vec<Result<Receipt, NotKept>>, InboxError> {
        let lock = self.folder.lock()?;
        self.catch_up(now, &lock)?;
        let Self { folder, keys, open: Some(open), volumes, max_pending_bytes } = self else { return Ok(Vec::new()) };
        if open.end >= SEGMENT_BYTES {
            let number = open.number + 1;
            *open = OpenSegment { number, file: folder.create_segment(number)?, end: 0 };
        }
        let mut frames = Vec::new();
        let mut outcomes = Vec::with_capacity(group.len());
        for submission in group {
            outcomes.push(match keys.find(&submission.key, &submission.hash, now) {
                Some(Known::Same(receipt)) => Ok(receipt),
                Some(Known::Other) => Err(NotKept::KeyReused),
                None => {
                    let pending = volumes.values().fold(Volume::default(), Volume::and);
                    if pending.bytes + submission.lines.len() as u64 > *max_pending_bytes {
                        Err(NotKept::Full { pending_bytes: pending.bytes })
                    } else {
                        let volume = volumes.entry(open.number).or_default();
                        let entry = entry_of(submission, now, open.number, *volume, pending);
                        append_frame(&mut frames, &entry, &submission.lines)?;
                        *volume = volume.with(&entry, submission.lines.len());
                        keys.note(&entry);
                        Ok(entry.receipt)
                    }
                }
            });
        }
        if !frames.is_empty() {
            let written = open.file.write_all(&frames).and_then(|()| open.file.sync_data());
            if let Err(error) = written {
                let _ = open.file.set_len(open.end);
                return Err(error.into());
            }
            open.end += frames.len() as u64;
        }
        Ok(outcomes)
    }

    /// Learns what others did since the last group: taken bodies, closed and consumed segments.
    fn catch_up(&mut self, now: DateTime<Utc>, _lock: &FolderLock) -> Result<(), InboxError> {
        let Self { folder, keys, open, volumes, .. } = self;
        let mut numbers = folder.segments()?;
        let seen = open.as_ref().map_or(0, |open| open.number);
        if numbers.is_empty() {
            folder.create_segment(seen + 1)?;
            numbers.push(seen + 1);
        }
        let newest = numbers.last().copied().unwrap_or_default();
        match open {
            Some(open) if newest == seen || newest == seen + 1 => {
                // A segment that was consumed meanwhile can still be read through the open file.
                if open.file.metadata()?.len() > open.end {
                    read_on(open, newest == seen, keys, volumes)?;
                }
            }
            _ => {
                *open = None;
                keys.clear();
                volumes.clear();
                folder.read_keys(|entry| keys.note(&entry))?;
                for number in numbers.iter().filter(|number| **number != newest) {
                    let mut segment = OpenSegment { number: *number, file: folder.open_segment(*number)?, end: 0 };
                    read_on(&mut segment, false, keys, volumes)?;
                }
            }
        }
        if open.as_ref().is_none_or(|open| open.number != newest) {
            let mut segment = OpenSegment { number: newest, file: folder.open_segment(newest)?, end: 0 };
            read_on(&mut segment, true, keys, volumes)?;
            *open = Some(segment);
        }
        volumes.retain(|number, _| numbers.contains(number));
        keys.forget_old(now);
        Ok(())
    }
}

/// Reads what was appended to a segment; the open one may have a torn end, which is cut off.
fn read_on(
    segment: &mut OpenSegment,
    is_open: bool,
    keys: &mut Keys,
    volumes: &mut BTreeMap<u64, Volume>,
) -> Result<(), InboxError> {
    let from = segment.end;
    let mut note = |entry: Entry, body: &[u8]| {
        let volume = volumes.entry(segment.number).or_default();
        *volume = volume.with(&entry, body.len());
        keys.note(&entry);
    };
    if is_open {
        segment.end = cut_torn_end(&mut segment.file, from, note)?;
        if segment.end > from {
            // Who wrote this may have died before it was durable, and its pusher will be answered from here.
            segment.file.sync_data()?;
        }
        return Ok(());
    }
    let mut frames = Frames::open(&mut segment.file, from)?;
    while let Some((entry, body)) = frames.next()? {
        note(entry, &body);
    }
    segment.end = frames.at();
    Ok(())
}

/// What is remembered of a body that goes behind `volume` into a segment.
fn entry_of(submission: &Submission, now: DateTime<Utc>, segment: u64, volume: Volume, pending: Volume) -> Entry {
    let Submission { key, hash, ref lines, rows, set_aside, .. } = *submission;
    let n_lines = memchr::memchr_iter(b'\n', lines).count() as u64;
    let receipt = Receipt {
        received_at: now,
        rows,
        set_aside,
        segment,
        first_line: volume.lines + 1,
        last_line: volume.lines + n_lines,
        pending_rows: pending.rows + rows + set_aside,
        pending_bytes: pending.bytes + lines.len() as u64,
    };
    Entry { key, body: hash, receipt }
}

impl Volume {
    fn and(self, other: &Self) -> Self {
        Self { rows: self.rows + other.rows, lines: self.lines + other.lines, bytes: self.bytes + other.bytes }
    }

    /// With the body of one more entry.
    fn with(self, entry: &Entry, n_bytes: usize) -> Self {
        let Receipt { rows, set_aside, last_line, .. } = entry.receipt;
        Self { rows: self.rows + rows + set_aside, lines: last_line, bytes: self.bytes + n_bytes as u64 }
    }
}
