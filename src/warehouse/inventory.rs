//! What lies on the disk against what logs, records and manifests name: the common ground of `verify` and `compact`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};

use super::lake::{DiskFile, Lake, LakeError, LoggedFile, TableHistory, TableKind};
use super::snapshot::{SNAPSHOTS_FOLDER, Snapshot, TableVersion, table_key};

/// How old a file that nothing names has to be before it is deleted: a copy or a restore may be on its way.
pub(super) const SAFE_AGE: TimeDelta = TimeDelta::hours(24);

impl DiskFile {
    /// Whether it has been there long enough to be deleted if nothing names it.
    pub(super) fn is_old(&self, now: DateTime<Utc>) -> bool {
        now - self.modified_at >= SAFE_AGE
    }
}

/// Who needs a file of a table.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub(super) file: LoggedFile,
    /// Whether it is part of the latest version.
    pub(super) is_latest: bool,
    /// Snapshots that it is part of.
    pub(super) snapshots: Vec<u64>,
}

/// Files of a table that its latest version or one of the snapshots needs, by path.
///
/// # Errors
/// [`LakeError::NoVersion`] if a snapshot names a version that the table does not have.
pub(super) fn needed_files(
    history: &TableHistory,
    snapshots: &[Snapshot],
) -> Result<BTreeMap<String, Need>, LakeError> {
    let mut needed = BTreeMap::new();
    for (path, file) in history.files_at(history.version())? {
        needed.insert(path, Need { file, is_latest: true, snapshots: Vec::new() });
    }
    let key = table_key(history.kind, &history.table);
    let mut versions: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    for snapshot in snapshots {
        if let Some(table) = snapshot.tables.get(&key) {
            versions.entry(table.version).or_default().push(snapshot.number);
        }
    }
    for (version, numbers) in versions {
        for (path, file) in history.files_at(version)? {
            let need = needed.entry(path).or_insert(Need { file, is_latest: false, snapshots: Vec::new() });
            need.snapshots.extend(&numbers);
        }
    }
    Ok(needed)
}

/// Every table that has a folder, by kind and name.
pub(super) async fn tables(lake: &Lake) -> Result<Vec<(TableKind, String)>, LakeError> {
    let mut tables = Vec::new();
    for kind in [TableKind::Event, TableKind::Entity] {
        tables.extend(lake.table_names(kind).await?.into_iter().map(|name| (kind, name)));
    }
    Ok(tables)
}

/// The first table that a snapshot names and that has no readable log.
pub(super) fn missing_table<'a>(snapshots: &'a [Snapshot], histories: &[TableHistory]) -> Option<&'a TableVersion> {
    let is_there = |table: &TableVersion| {
        histories.iter().any(|history| history.kind == table.kind && history.table == table.name)
    };
    snapshots.iter().flat_map(|snapshot| snapshot.tables.values()).find(|table| !is_there(table))
}

/// Files of rejected rows that no batch record names. While a table's log is missing they cannot be told from others.
pub(super) async fn unnamed_quarantine(
    lake: &Lake,
    histories: &[TableHistory],
    snapshots: &[Snapshot],
) -> Result<Vec<DiskFile>, LakeError> {
    if missing_table(snapshots, histories).is_some() {
        return Ok(Vec::new());
    }
    let named: BTreeSet<PathBuf> = histories
        .iter()
        .flat_map(TableHistory::batches)
        .filter_map(|batch| Some(lake.quarantine_folder(&batch.pipeline).join(batch.quarantine.as_ref()?)))
        .collect();
    let files = lake.files_below(&lake.quarantine_folder("")).await?.into_iter();
    Ok(files
        .filter(|file| file.path.extension().is_some_and(|ending| ending == "parquet") && !named.contains(&file.path))
        .collect())
}

/// Files that a killed process was about to rename: manifests and states of pipelines.
pub(super) fn temporary_files(data_dir: &Path) -> Result<Vec<DiskFile>, LakeError> {
    let mut found = Vec::new();
    for folder in [SNAPSHOTS_FOLDER, "state"].map(|folder| data_dir.join(folder)) {
        if folder.is_dir() {
            let files = files_in(&folder)?.into_iter();
            found.extend(files.filter(|file| file.path.extension().is_none_or(|ending| ending != "json")));
        }
    }
    Ok(found)
}

fn files_in(folder: &Path) -> Result<Vec<DiskFile>, LakeError> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(DiskFile::at(path)?);
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}
