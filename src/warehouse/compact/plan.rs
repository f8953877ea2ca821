//! Which files of an event table are worth a merge, and which events in them are superseded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::contracts::Contract;
use super::super::database;
use super::super::event_views::select_superseded;
use super::super::lake::{Lake, LoggedFile, Merge, TARGET_BYTES, TableHistory, TableKind};
use super::CompactionError;

/// Files below this are merged with their neighbours.
const SMALL_BYTES: u64 = TARGET_BYTES / 4;

/// What is to be done to one event table.
pub(super) struct TablePlan {
    pub(super) contract: Contract,
    pub(super) merges: Vec<Merge>,
    /// Dropped events by pipeline and batch.
    pub(super) dropped: BTreeMap<(String, i64), u64>,
}

/// Positions of superseded events by file, and how many of each batch.
#[derive(Debug, Default)]
struct Superseded {
    places: BTreeMap<PathBuf, Vec<u64>>,
    by_batch: BTreeMap<(String, i64), u64>,
}

/// Finds what there is to do; none if nothing. With `needs_all` no event is dropped.
pub(super) async fn plan_table(
    lake: &Lake,
    contract: &Contract,
    data_dir: &Path,
    needs_all: bool,
) -> Result<Option<TablePlan>, CompactionError> {
    let Some(history) = lake.history(TableKind::Event, &contract.table).await? else { return Ok(None) };
    let (lake, contract, spill) = (lake.clone(), contract.clone(), data_dir.join("compact.tmp"));
    let planned = tokio::task::spawn_blocking(move || plan_months(&lake, &history, contract, &spill, needs_all));
    planned.await.map_err(|_| CompactionError::Stopped)?
}

fn plan_months(
    lake: &Lake,
    history: &TableHistory,
    contract: Contract,
    spill: &Path,
    needs_all: bool,
) -> Result<Option<TablePlan>, CompactionError> {
    let compacted: BTreeSet<&str> = history
        .commits
        .iter()
        .filter(|commit| commit.compaction.is_some())
        .flat_map(|commit| commit.added.iter().map(|file| file.path.as_str()))
        .collect();
    let mut months: BTreeMap<String, Vec<LoggedFile>> = BTreeMap::new();
    for file in history.files_at(history.version())?.into_values() {
        months.entry(file.month.clone()).or_default().push(file);
    }
    let mut plan = TablePlan { contract, merges: Vec::new(), dropped: BTreeMap::new() };
    for (month, mut files) in months {
        files.sort_by(|one, other| (one.added_in, &one.path).cmp(&(other.added_in, &other.path)));
        let is_searched = files.iter().all(|file| compacted.contains(file.path.as_str()));
        // What a compaction left as one file has no superseded events.
        let superseded = if needs_all || is_searched && files.len() == 1 {
            Superseded::default()
        } else {
            let paths: Vec<PathBuf> = files.iter().map(|file| history.folder.join(&file.path)).collect();
            lake.fetch_blocking(paths.iter().cloned())?;
            find_superseded(&plan.contract, &paths, spill)
                .map_err(|cause| CompactionError::Superseded { table: history.table.clone(), cause })?
        };
        plan.merges.extend(plan_month(&history.folder, &month, files, superseded.places));
        for (batch, n_events) in superseded.by_batch {
            *plan.dropped.entry(batch).or_default() += n_events;
        }
    }
    Ok((!plan.merges.is_empty()).then_some(plan))
}

/// Merges of one month: small files with their neighbours up to [`TARGET_BYTES`], and files with superseded events.
fn plan_month(
    folder: &Path,
    month: &str,
    files: Vec<LoggedFile>,
    mut superseded: BTreeMap<PathBuf, Vec<u64>>,
) -> Vec<Merge> {
    let mut merges: Vec<Merge> = Vec::new();
    let mut n_bytes = 0;
    for file in files {
        let dropped = superseded.remove(&folder.join(&file.path)).unwrap_or_default();
        if file.n_bytes >= SMALL_BYTES && dropped.is_empty() {
            continue;
        }
        if merges.is_empty() || n_bytes + file.n_bytes > TARGET_BYTES {
            merges.push(Merge { month: month.to_owned(), files: Vec::new() });
            n_bytes = 0;
        }
        n_bytes += file.n_bytes;
        if let Some(merge) = merges.last_mut() {
            merge.files.push((file, dropped));
        }
    }
    merges.retain(|merge| merge.files.len() > 1 || merge.files.iter().any(|(_, dropped)| !dropped.is_empty()));
    merges
}

fn find_superseded(contract: &Contract, files: &[PathBuf], spill: &Path) -> Result<Superseded, duckdb::Error> {
    let connection = database::open_scratch(spill)?;
    let mut select = connection.prepare(&select_superseded(contract, files))?;
    let mut rows = select.query([])?;
    let mut found = Superseded::default();
    while let Some(row) = rows.next()? {
        let (file, place): (String, i64) = (row.get(0)?, row.get(1)?);
        found.places.entry(PathBuf::from(file)).or_default().push(place.unsigned_abs());
        *found.by_batch.entry((row.get(2)?, row.get(3)?)).or_default() += 1;
    }
    found.places.values_mut().for_each(|places| places.sort_unstable());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, n_bytes: u64) -> LoggedFile {
        let (path, month) = (format!("month=2024-01/{name}"), "2024-01".to_owned());
        LoggedFile { path, month, n_bytes, rows: 10, n_deleted: 0, hash: None, added_in: 1 }
    }

    fn merged(files: Vec<LoggedFile>, superseded: &[&str]) -> Vec<Vec<String>> {
        let folder = Path::new("/lake");
        let places = superseded.iter().map(|name| (folder.join(format!("month=2024-01/{name}")), vec![3]));
        let merges = plan_month(folder, "2024-01", files, places.collect());
        let names =
            |merge: &Merge| merge.files.iter().map(|(file, _)| file.path.replace("month=2024-01/", "")).collect();
        merges.iter().map(names).collect()
    }

    #[test]
    fn small_files_are_merged_up_to_the_target_and_large_ones_left_alone() {
        let files = || vec![file("a", 1 << 20), file("b", TARGET_BYTES), file("c", SMALL_BYTES - 1)];
        assert_eq!(merged(files(), &[]), [["a", "c"]]);
        assert_eq!(merged(vec![file("a", 1), file("b", TARGET_BYTES)], &[]), Vec::<Vec<String>>::new());
        let many: Vec<LoggedFile> = (0..6).map(|index| file(&index.to_string(), SMALL_BYTES - 1)).collect();
        assert_eq!(merged(many, &[]), [vec!["0", "1", "2", "3"], vec!["4", "5"]]);
    }

    #[test]
    fn a_file_with_superseded_events_is_written_anew() {
        assert_eq!(merged(vec![file("b", TARGET_BYTES)], &["b"]), [["b"]]);
        assert_eq!(merged(vec![file("a", 1), file("b", 2)], &["b"]), [["a", "b"]]);
    }
}
