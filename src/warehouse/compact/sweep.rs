//! Files that may be deleted: those that no retained snapshot needs, and those that nothing ever named.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::super::inventory::{missing_table, needed_files, tables, temporary_files, unnamed_quarantine};
use super::super::lake::{DiskFile, Lake, LakeError};
use super::super::snapshot::Snapshot;
use super::CompactionError;

/// What may be deleted.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// Files of older versions.
    pub(super) unneeded: Vec<DiskFile>,
    /// Files that a killed process left behind, long enough ago.
    pub(super) orphans: Vec<DiskFile>,
    /// Files that nothing names and that are too young to be deleted.
    pub(super) n_young: usize,
    /// Files that only snapshots before the latest need, and their bytes.
    pub(super) held: (usize, u64),
}

/// Looks through the lake for what may be deleted while `kept` stay readable.
pub(super) async fn plan_sweep(
    lake: &Lake,
    data_dir: &Path,
    kept: &[Snapshot],
    now: DateTime<Utc>,
) -> Result<Sweep, CompactionError> {
    let mut sweep = Sweep::default();
    let mut unnamed = temporary_files(data_dir)?;
    let mut histories = Vec::new();
    let latest = kept.last().map(|snapshot| snapshot.number);
    for (kind, table) in tables(lake).await? {
        let Some(history) = lake.history(kind, &table).await? else {
            // Nothing was ever committed to it: the first writer was killed.
            unnamed.extend(lake.files_of_table(kind, &table).await?.into_iter().map(|(_, file)| file));
            continue;
        };
        let needed = needed_files(&history, kept)?;
        let known = history.paths();
        for (path, file) in lake.files_of_table(kind, &table).await? {
            match needed.get(&path) {
                Some(need) if need.is_latest || need.snapshots.iter().any(|number| Some(*number) == latest) => {}
                Some(_) => {
                    sweep.held.0 += 1;
                    sweep.held.1 += file.n_bytes;
                }
                None if known.contains(path.as_str()) => sweep.unneeded.push(file),
                None => unnamed.push(file),
            }
        }
        histories.push(history);
    }
    // Where a table is lost nothing is deleted: what is left of it may be all that there is.
    if let Some(lost) = missing_table(kept, &histories) {
        return Err(LakeError::NoVersion { table: lost.name.clone(), version: lost.version }.into());
    }
    unnamed.extend(unnamed_quarantine(lake, &histories, kept).await?);
    let (old, young): (Vec<_>, Vec<_>) = unnamed.into_iter().partition(|file| file.is_old(now));
    sweep.orphans = old;
    sweep.n_young = young.len();
    Ok(sweep)
}
