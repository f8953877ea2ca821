//! What a pipeline has read already.
//!
//! The lake is the truth: the state is written after each commit, and where a run was killed between the two, it is mended from the record of
//! the last batch in the lake.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::warehouse::lake::{BatchRecord, Lake, LakeError};

/// Why a state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error("the state of the pipeline cannot be read or written")]
    File(#[from] io::Error),
    /// The file is damaged.
    #[error("the state in `{path}` is damaged; delete it, and all files are read again and found to be known")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        cause: serde_json::Error,
    },
}

/// Which files were read, and the number of the next batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineState {
    /// Number of the next batch, from 1.
    pub next_batch: i64,
    /// Content hash of each file as it was read, by its name relative to the project.
    pub files: BTreeMap<String, String>,
    /// Where a source that is read from a place on goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<serde_json::Value>,
}

impl Default for PipelineState {
    fn default() -> Self {
        Self { next_batch: 1, files: BTreeMap::new(), position: None }
    }
}

impl PipelineState {
    /// Where the state of a pipeline lies: `<data>/state/<pipeline>.json`.
    #[must_use]
    pub fn path(data_dir: &Path, pipeline: &str) -> PathBuf {
        data_dir.join("state").join(format!("{pipeline}.json"))
    }

    /// Reads the state; that of a pipeline which never ran is empty.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn load(path: &Path) -> Result<Self, StateError> {
        match fs_err::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|cause| StateError::Damaged { path: path.to_string_lossy().into_owned(), cause }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Brings the state up to the last batch in the lake; whether it was behind.
    pub fn mend(&mut self, last: Option<&BatchRecord>) -> bool {
        let Some(last) = last.filter(|last| last.number >= self.next_batch) else { return false };
        self.note(last);
        true
    }

    /// Notes a committed batch. Of one that left rows out only its number is noted, so that the next run reads the rest.
    pub fn note(&mut self, batch: &BatchRecord) {
        if batch.outside == 0 {
            self.note_read(batch);
        }
        self.next_batch = batch.number + 1;
    }

    /// Notes where a source goes on after a batch, whatever was left out of it.
    pub fn note_read(&mut self, batch: &BatchRecord) {
        match &batch.position {
            Some(position) => self.position = Some(position.clone()),
            None => drop(self.files.insert(batch.file.clone(), batch.file_hash.clone())),
        }
    }

    /// Writes the state so that a crash leaves either the former or this one.
    ///
    /// # Errors
    /// [`StateError::File`].
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs_err::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let text = serde_json::to_string_pretty(self).map_err(io::Error::from)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        fs_err::File::open(folder)?.sync_all()?;
        Ok(())
    }
}

/// The states of some pipelines, each with the table of its contract, as all batches in the lake have left them.
///
/// # Errors
/// [`LakeError`] if the log of a table cannot be read.
pub async fn states_in_lake<'a>(
    lake: &Lake,
    pipelines: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<BTreeMap<String, PipelineState>, LakeError> {
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (pipeline, table) in pipelines {
        names.entry(table).or_default().insert(pipeline);
    }
    let mut states: BTreeMap<String, PipelineState> = BTreeMap::new();
    for (table, names) in names {
        let Some(version) = lake.version(table).await? else { continue };
        for batch in lake.batches_between(table, -1, version).await? {
            if names.contains(batch.pipeline.as_str()) {
                states.entry(batch.pipeline.clone()).or_default().note(&batch);
            }
        }
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: i64) -> BatchRecord {
        BatchRecord {
            pipeline: "journal".to_owned(),
            number,
            run: "run".to_owned(),
            file: format!("{number}.csv"),
            file_hash: format!("hash {number}"),
            position: None,
            started_at: chrono::DateTime::UNIX_EPOCH,
            finished_at: chrono::DateTime::UNIX_EPOCH,
            read: 0,
            accepted: 0,
            duplicate: 0,
            rejected: 0,
            outside: 0,
            events: 0,
            last_event_at: None,
            quarantine: None,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn a_state_survives_and_is_mended_from_the_lake() {
        let folder = tempfile::tempdir().unwrap();
        let path = PipelineState::path(folder.path(), "journal");
        let mut state = PipelineState::load(&path).unwrap();
        assert_eq!(state, PipelineState::default());
        state.note(&record(1));
        state.save(&path).unwrap();
        let mut state = PipelineState::load(&path).unwrap();
        assert!(!state.mend(Some(&record(1))));
        assert!(state.mend(Some(&record(2))));
        assert_eq!(state.next_batch, 3);
        assert_eq!(state.files["2.csv"], "hash 2");
    }

    #[test]
    fn a_damaged_state_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        fs_err::write(&path, "{").unwrap();
        let error = PipelineState::load(&path).unwrap_err().to_string();
        assert!(
            error.ends_with("is damaged; delete it, and all files are read again and found to be known"),
            "{error}"
        );
    }
}
