//! The files of an inbox, and the lock that its users share.
//!
//! ```text
//! <data>/inbox/PIPELINE/lock                   held while anything below is changed
//! <data>/inbox/PIPELINE/000042.segment         frames; the one with the highest number is open, the others are closed
//! <data>/inbox/PIPELINE/000041.ndjson          rows of a closed segment while a run reads them
//! <data>/inbox/PIPELINE/keys-2026-11-24.ndjson entries of segments that were consumed on this day
//! ```
//!
//! A server and `svod run` may be two processes: both only ever append, close and consume under the lock. The open segment is never removed,
//! so that numbers never come again.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};
use fs_err::{File, OpenOptions};

use super::error::InboxError;
use super::frame::{Entry, Frames};

/// Folder of all inboxes inside the data directory.
const INBOX_FOLDER: &str = "inbox";
const SEGMENT_ENDING: &str = ".segment";
const KEYS_START: &str = "keys-";
const KEYS_ENDING: &str = ".ndjson";

/// More bytes of remembered keys than this are not read again after a restart; the newest are.
const MAX_KEY_BYTES: u64 = 512 << 20;

/// The folder of one pipeline's inbox.
#[derive(Debug, Clone)]
pub(crate) struct InboxFolder {
    path: PathBuf,
}

/// The right to change the folder; given back when dropped, and by the system when the process dies.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: std::fs::File,
}

impl InboxFolder {
    /// The inbox of a pipeline; its folder is made when it is first locked.
    pub(crate) fn new(data_dir: &Path, pipeline: &str) -> Self {
        Self { path: data_dir.join(INBOX_FOLDER).join(pipeline) }
    }

    /// Whether anything was ever pushed.
    pub(crate) fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Waits for the lock; blocks the thread.
    pub(crate) fn lock(&self) -> Result<FolderLock, InboxError> {
        if !self.exists() {
            fs_err::create_dir_all(&self.path)?;
            self.path.ancestors().take(3).try_for_each(sync)?;
        }
        let file =
            OpenOptions::new().create(true).write(true).truncate(false).open(self.path.join("lock"))?.into_file();
        file.lock()?;
        Ok(FolderLock { _file: file })
    }

    /// Numbers of the segments, ascending.
    pub(super) fn segments(&self) -> Result<Vec<u64>, InboxError> {
        let mut numbers: Vec<u64> =
            self.names()?.iter().filter_map(|name| name.strip_suffix(SEGMENT_ENDING)?.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Bytes of all segments: what waits for the next run, about.
    pub(crate) fn n_bytes(&self) -> Result<u64, InboxError> {
        let segments = if self.exists() { self.segments()? } else { Vec::new() };
        let sizes = segments.into_iter().map(|number| match fs_err::metadata(self.segment_path(number)) {
            Ok(metadata) => Ok(metadata.len()),
            // A run has consumed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        });
        Ok(sizes.sum::<io::Result<u64>>()?)
    }

    /// Opens a segment for reading and appending.
    pub(super) fn open_segment(&self, number: u64) -> Result<File, InboxError> {
        Ok(OpenOptions::new().read(true).append(true).open(self.segment_path(number))?)
    }

    /// Makes a segment, which closes the one before it.
    pub(super) fn create_segment(&self, number: u64) -> Result<File, InboxError> {
        let file = OpenOptions::new().read(true).append(true).create_new(true).open(self.segment_path(number))?;
        file.sync_all()?;
        sync(&self.path)?;
        Ok(file)
    }

    /// Closes the open segment if anything is in it; numbers of all closed segments, ascending.
    pub(crate) fn close_open_segment(&self, _lock: &FolderLock) -> Result<Vec<u64>, InboxError> {
        let mut numbers = self.segments()?;
        let Some(open) = numbers.pop() else { return Ok(numbers) };
        let mut file = self.open_segment(open)?;
        if cut_torn_end(&mut file, 0, |_, _| {})? > 0 {
            self.create_segment(open + 1)?;
            numbers.push(open);
        }
        Ok(numbers)
    }

    /// Writes the rows of a closed segment as one file; the file and the hash of what is in it.
    pub(crate) fn export(&self, number: u64) -> Result<(PathBuf, String), InboxError> {
        let path = self.rows_path(number);
        let mut rows = io::BufWriter::new(File::create(&path)?);
        let mut hasher = blake3::Hasher::new();
        self.read_closed(number, |_, body| {
            hasher.update(body);
            rows.write_all(body)
        })?;
        rows.flush()?;
        Ok((path, hasher.finalize().to_hex().to_string()))
    }

    /// Removes a segment whose rows are in the lake; its keys are kept until `keep_days` after `today`.
    pub(crate) fn consume(
        &self,
        number: u64,
        today: NaiveDate,
        keep_days: u64,
        _lock: &FolderLock,
    ) -> Result<(), InboxError> {
        // A line that a kill tore ends at the next line's start, and is left out when the keys are read.
        let mut lines = Vec::new();
        self.read_closed(number, |entry, _| {
            lines.push(b'\n');
            serde_json::to_writer(&mut lines, &entry).map_err(io::Error::from)
        })?;
        let mut keys = OpenOptions::new().create(true).append(true).open(self.keys_path(today))?;
        keys.write_all(&lines)?;
        keys.sync_all()?;
        sync(&self.path)?;
        for (day, path) in self.key_files()? {
            if day.checked_add_days(Days::new(keep_days)).is_some_and(|last| last < today) {
                fs_err::remove_file(path)?;
            }
        }
        remove_if_there(&self.rows_path(number))?;
        fs_err::remove_file(self.segment_path(number))?;
        Ok(sync(&self.path)?)
    }

    /// The entries of consumed segments, oldest first.
    pub(super) fn read_keys(&self, mut on_entry: impl FnMut(Entry)) -> Result<(), InboxError> {
        let mut n_bytes = 0;
        let mut files = self.key_files()?;
        files.reverse();
        let mut read = Vec::new();
        for (_, path) in files {
            n_bytes += fs_err::metadata(&path)?.len();
            if n_bytes > MAX_KEY_BYTES && !read.is_empty() {
                break;
            }
            read.push(path);
        }
        for path in read.iter().rev() {
            for line in io::BufRead::split(io::BufReader::new(File::open(path)?), b'\n') {
                if let Ok(entry) = serde_json::from_slice(&line?) {
                    on_entry(entry);
                }
            }
        }
        Ok(())
    }

    /// Reads a closed segment, in which nothing may be torn.
    fn read_closed(
        &self,
        number: u64,
        mut on_frame: impl FnMut(Entry, &[u8]) -> io::Result<()>,
    ) -> Result<(), InboxError> {
        let mut file = File::open(self.segment_path(number))?;
        let mut frames = Frames::open(&mut file, 0)?;
        while let Some((entry, body)) = frames.next()? {
            on_frame(entry, &body)?;
        }
        if frames.has_rest() {
            let segment = format!("{number:06}{SEGMENT_ENDING}");
            return Err(InboxError::Damaged { file: unit_name(number), segment, from: frames.at() });
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, InboxError> {
        let entries = fs_err::read_dir(&self.path)?;
        Ok(entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<io::Result<_>>()?)
    }

    /// Files of keys with their day, oldest first.
    fn key_files(&self) -> Result<Vec<(NaiveDate, PathBuf)>, InboxError> {
        let day_of = |name: &String| name.strip_prefix(KEYS_START)?.strip_suffix(KEYS_ENDING)?.parse().ok();
        let mut files: Vec<_> =
            self.names()?.iter().filter_map(|name| Some((day_of(name)?, self.path.join(name)))).collect();
        files.sort_unstable();
        Ok(files)
    }

    fn segment_path(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:06}{SEGMENT_ENDING}"))
    }

    fn rows_path(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:06}.ndjson"))
    }

    fn keys_path(&self, day: NaiveDate) -> PathBuf {
        self.path.join(format!("{KEYS_START}{day}{KEYS_ENDING}"))
    }
}

/// How runs, events and quarantine name the rows of a segment.
#[must_use]
pub fn unit_name(segment: u64) -> String {
    format!("push/{segment:06}.ndjson")
}

/// Reads the open segment from a frame's start on and cuts off what a kill has torn; the byte where it ends.
pub(super) fn cut_torn_end(
    file: &mut File,
    from: u64,
    mut on_frame: impl FnMut(Entry, &[u8]),
) -> Result<u64, InboxError> {
    let mut frames = Frames::open(file, from)?;
    while let Some((entry, body)) = frames.next()? {
        on_frame(entry, &body);
    }
    let (end, has_rest) = (frames.at(), frames.has_rest());
    if has_rest {
        tracing::warn!(file = %file.path().display(), from = end, "a body that was not wholly written is cut off");
        file.set_len(end)?;
        file.sync_all()?;
    }
    Ok(end)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes what a folder lists survive a power cut.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
