//! The records of all runs, one small JSON file each.
//!
//! ```text
//! <data>/runs/running/RUN.json    a run that works, or that was killed and is not yet told as such
//! <data>/runs/2026-11/RUN.json    a run that ended, in the month of its start
//! ```
//!
//! A file appears by one rename, so a reader sees a whole record or none. Only who holds the warehouse lock writes: what lies in
//! `running/` while somebody else takes the lock belongs to a process that is dead.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::record::RunRecord;
use crate::warehouse::WarehouseLock;

/// Folder of the records inside the data directory.
pub(super) const RUNS_FOLDER: &str = "runs";
/// Folder of the runs that have not ended.
const RUNNING: &str = "running";

/// Why records cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A file cannot be read or written.
    #[error("the records of runs cannot be read or written")]
    File(#[from] io::Error),
    /// A record is not what was written.
    #[error("the record `{}` is damaged; it may be deleted, the lake does not need it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: serde_json::Error,
    },
}

/// The records of one data directory. Clones share what they have read of runs that ended, which never changes.
#[derive(Debug, Clone)]
pub struct History {
    folder: PathBuf,
    /// By file; none for one that is damaged.
    ended: Arc<Mutex<BTreeMap<PathBuf, Option<Arc<RunRecord>>>>>,
}

impl History {
    /// The records below a data directory, which may be empty.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(RUNS_FOLDER), ended: Arc::default() }
    }

    /// Writes a record so that a crash leaves the former or this one.
    ///
    /// # Errors
    /// [`HistoryError::File`].
    pub fn write(&self, record: &RunRecord, _lock: &WarehouseLock) -> Result<(), HistoryError> {
        let running = self.folder.join(RUNNING);
        fs_err::create_dir_all(&running)?;
        let name = format!("{}.json", record.run);
        let target = if record.state.is_final() {
            let month = self.folder.join(record.started_at.format("%Y-%m").to_string());
            fs_err::create_dir_all(&month)?;
            month
        } else {
            running.clone()
        };
        let mut file = tempfile::NamedTempFile::new_in(&running)?;
        file.write_all(&serde_json::to_vec_pretty(record).map_err(io::Error::from)?)?;
        file.as_file().sync_all()?;
        file.persist(target.join(&name)).map_err(|error| error.error)?;
        fs_err::File::open(&target)?.sync_all()?;
        if record.state.is_final() {
            remove_if_there(&running.join(&name))?;
        }
        Ok(())
    }

    /// Ends the records of runs that died, and returns them. Whoever holds the lock knows that they did.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn bury_killed(&self, now: DateTime<Utc>, lock: &WarehouseLock) -> Result<Vec<RunRecord>, HistoryError> {
        let mut killed = Vec::new();
        for path in files_of(&self.folder.join(RUNNING))? {
            let record = if is_record(&path) { read(&path)? } else { None };
            match record {
                Some(mut record) if self.find(record.run)?.is_none() => {
                    record.bury(now);
                    self.write(&record, lock)?;
                    tracing::warn!(run = %record.run, "a run was killed before its end");
                    killed.push(record);
                }
                _ => remove_if_there(&path)?,
            }
        }
        Ok(killed)
    }

    /// The runs that have not ended as far as their records say.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn running(&self) -> Result<Vec<RunRecord>, HistoryError> {
        let mut records = Vec::new();
        for path in files_of(&self.folder.join(RUNNING))?.into_iter().filter(|path| is_record(path)) {
            records.extend(read(&path)?);
        }
        Ok(records)
    }

    /// One run.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn get(&self, run: Uuid) -> Result<Option<RunRecord>, HistoryError> {
        let unfinished = read(&self.folder.join(RUNNING).join(format!("{run}.json")))?;
        let ended = self.find(run)?.map(|path| read(&path)).transpose()?.flatten();
        Ok(ended.or(unfinished))
    }

    /// Runs that ended and had begun at a moment or later, newest first.
    ///
    /// # Errors
    /// [`HistoryError::File`]. A damaged record is left out and logged.
    pub fn since(&self, moment: DateTime<Utc>) -> Result<Vec<Arc<RunRecord>>, HistoryError> {
        let first_month = moment.format("%Y-%m").to_string();
        let mut records = Vec::new();
        for month in self.months()?.into_iter().filter(|month| *month >= first_month) {
            records.extend(self.read_month(&month)?);
        }
        records.retain(|record| record.started_at >= moment);
        records.sort_by_key(|record| Reverse((record.started_at, record.run)));
        Ok(records)
    }

    /// The newest run that ended and that `is_wanted`.
    ///
    /// # Errors
    /// [`HistoryError::File`].
    pub fn newest(&self, is_wanted: impl Fn(&RunRecord) -> bool) -> Result<Option<Arc<RunRecord>>, HistoryError> {
        for month in self.months()?.into_iter().rev() {
            let records = self.read_month(&month)?;
            let wanted = records.into_iter().filter(|record| is_wanted(record));
            if let Some(newest) = wanted.max_by_key(|record| (record.started_at, record.run)) {
                return Ok(Some(newest));
            }
        }
        Ok(None)
    }

    /// When the last run of the newest month ended, as far as records tell; they are named by ids that grow with time.
    ///
    /// # Errors
    /// [`HistoryError::File`]. A damaged record tells nothing.
    pub fn last_moment(&self) -> Result<Option<DateTime<Utc>>, HistoryError> {
        let Some(month) = self.months()?.pop() else { return Ok(None) };
        let last = files_of(&self.folder.join(month))?.into_iter().rfind(|path| is_record(path));
        let record = last.and_then(|path| read(&path).ok().flatten());
        Ok(record.and_then(|record| record.finished_at))
    }

    /// The months that have records, oldest first.
    fn months(&self) -> Result<Vec<String>, HistoryError> {
        let names = files_of(&self.folder)?.into_iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        Ok(names.filter(|name| name != RUNNING).collect())
    }

    fn read_month(&self, month: &str) -> Result<Vec<Arc<RunRecord>>, HistoryError> {
        let paths = files_of(&self.folder.join(month))?;
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let mut records = Vec::with_capacity(paths.len());
        for path in paths.into_iter().filter(|path| is_record(path)) {
            if let Some(record) = ended.get(&path) {
                records.extend(record.clone());
                continue;
            }
            let record = match read(&path) {
                Ok(record) => record.map(Arc::new),
                Err(HistoryError::Damaged { path, cause }) => {
                    tracing::warn!(path = %path.display(), %cause, "the record of a run is damaged and left out");
                    None
                }
                Err(error) => return Err(error),
            };
            records.extend(record.clone());
            ended.insert(path, record);
        }
        Ok(records)
    }

    /// The file of a run that ended.
    fn find(&self, run: Uuid) -> Result<Option<PathBuf>, HistoryError> {
        let mut paths = self.months()?.into_iter().map(|month| self.folder.join(month).join(format!("{run}.json")));
        Ok(paths.find(|path| path.is_file()))
    }
}

fn is_record(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "json")
}

fn remove_if_there(path: &Path) -> Result<(), io::Error> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What lies in a folder, sorted; nothing where there is no folder.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, io::Error> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, io::Error>>()?;
    paths.sort();
    Ok(paths)
}

/// A record; none if it was moved away meanwhile.
fn read(path: &Path) -> Result<Option<RunRecord>, HistoryError> {
    match fs_err::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|cause| HistoryError::Damaged { path: path.to_owned(), cause }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::{PipelineRun, RunState, Starter};

    fn record(started_at: &str) -> RunRecord {
        RunRecord {
            run: Uuid::now_v7(),
            started_by: Starter::Cli { user: Some("anna".to_owned()) },
            state: RunState::Running,
            started_at: started_at.parse().unwrap(),
            finished_at: None,
            period: None,
            full: false,
            pipelines: vec![PipelineRun::waiting("journal")],
            refresh_seconds: None,
            snapshot: None,
            published: false,
            warnings: Vec::new(),
            failures: Vec::new(),
        }
    }

    #[test]
    fn records_are_found_by_time_and_by_id() {
        let folder = tempfile::tempdir().unwrap();
        let lock = WarehouseLock::acquire(folder.path()).unwrap();
        let history = History::new(folder.path());
        assert!(history.since(DateTime::UNIX_EPOCH).unwrap().is_empty() && history.running().unwrap().is_empty());
        let mut records = ["2026-10-30T10:00:00Z", "2026-11-02T10:00:00Z", "2026-11-01T10:00:00Z"].map(record);
        for record in &mut records {
            history.write(record, &lock).unwrap();
            assert_eq!(history.running().unwrap(), std::slice::from_ref(record));
            record.finish(record.started_at);
            history.write(record, &lock).unwrap();
            assert!(history.running().unwrap().is_empty());
        }
        let of = |moment: &str| -> Vec<Uuid> {
            history.since(moment.parse().unwrap()).unwrap().iter().map(|record| record.run).collect()
        };
        assert_eq!(of("2026-10-01T00:00:00Z"), [records[1].run, records[2].run, records[0].run]);
        assert_eq!(of("2026-11-01T12:00:00Z"), [records[1].run]);
        assert_eq!(history.get(records[0].run).unwrap().as_ref(), Some(&records[0]));
        assert_eq!(history.get(Uuid::now_v7()).unwrap(), None);
        let older = history.newest(|record| record.run != records[1].run).unwrap().unwrap();
        assert_eq!(older.run, records[2].run);
    }

    #[test]
    fn a_run_that_died_is_told_as_killed_once() {
        let folder = tempfile::tempdir().unwrap();
        let lock = WarehouseLock::acquire(folder.path()).unwrap();
        let history = History::new(folder.path());
        let died = record("2026-11-02T10:00:00Z");
        history.write(&died, &lock).unwrap();
        fs_err::write(folder.path().join(RUNS_FOLDER).join(RUNNING).join(".tmp123"), "{").unwrap();
        let now = "2026-11-03T10:00:00Z".parse().unwrap();
        let buried = history.bury_killed(now, &lock).unwrap();
        assert_eq!((buried[0].run, buried[0].state, buried[0].finished_at), (died.run, RunState::Killed, Some(now)));
        assert_eq!(buried[0].pipelines[0].state, RunState::Killed);
        assert_eq!(history.get(died.run).unwrap().unwrap(), buried[0]);
        assert!(history.bury_killed(now, &lock).unwrap().is_empty());
        assert_eq!(fs_err::read_dir(folder.path().join(RUNS_FOLDER).join(RUNNING)).unwrap().count(), 0);
    }

    #[test]
    fn a_damaged_record_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let lock = WarehouseLock::acquire(folder.path()).unwrap();
        let history = History::new(folder.path());
        let mut good = record("2026-11-02T10:00:00Z");
        good.finish(good.started_at);
        history.write(&good, &lock).unwrap();
        fs_err::write(folder.path().join(RUNS_FOLDER).join("2026-11").join("x.json"), "{").unwrap();
        assert_eq!(history.since(DateTime::UNIX_EPOCH).unwrap().len(), 1);
    }
}
