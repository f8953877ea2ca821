//! Batches: numbered without gaps, their events in the lake, their rejected rows in quarantine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parquet::file::metadata::ParquetMetaDataReader;

use super::super::database::{self, text};
use super::super::lake::{BatchRecord, Lake, TableHistory, TableKind};
use super::{Finding, VerifyReport, chain, place_of};

/// Events by pipeline and batch.
type Counts = BTreeMap<(String, i64), u64>;

/// Checks the batches of all event tables; events are counted where all files are sound.
pub(super) fn check(lake: &Lake, histories: &[TableHistory], sound: &[&TableHistory], report: &mut VerifyReport) {
    let events = histories.iter().filter(|history| history.kind == TableKind::Event);
    let batches: Vec<&BatchRecord> = events.flat_map(TableHistory::batches).collect();
    report.n_batches = batches.len();
    check_numbers(&batches, report);
    for history in sound.iter().filter(|history| history.kind == TableKind::Event) {
        check_events(history, report);
    }
    for batch in batches {
        check_quarantine(lake, batch, report);
    }
}

fn check_numbers(batches: &[&BatchRecord], report: &mut VerifyReport) {
    let mut numbers: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for batch in batches {
        numbers.entry(&batch.pipeline).or_default().insert(batch.number);
        let parts = batch.accepted + batch.duplicate + batch.rejected;
        if batch.read != parts {
            let sentence = format!(
                "batch {} says {} rows read, but {parts} accepted, duplicate and rejected",
                batch.number, batch.read
            );
            report.add(Finding::fault(
                format!("pipeline {}", batch.pipeline),
                sentence,
                "report it: this is a fault of svod",
            ));
        }
    }
    for (pipeline, numbers) in numbers {
        let last = numbers.last().copied().unwrap_or(0);
        report.last_batches.insert(pipeline.to_owned(), last);
        let missing = gaps(&numbers);
        if !missing.is_empty() {
            let sentence = format!("batches {} of 1 to {last} are in no table", missing.join(", "));
            let mend = "restore lake and state from the same backup, or delete the pipeline's file in `state` and run \
                        `svod run`: every file is read again, what is known counts as duplicate";
            report.add(Finding::fault(format!("pipeline {pipeline}"), sentence, mend));
        }
    }
}

/// Numbers from 1 that are missing before the last one, as ranges in words.
fn gaps(numbers: &BTreeSet<i64>) -> Vec<String> {
    let mut missing = Vec::new();
    let mut next = 1;
    for number in numbers {
        match number - next {
            ..=0 => {}
            1 => missing.push(next.to_string()),
            _ => missing.push(format!("{next} to {}", number - 1)),
        }
        next = number + 1;
    }
    missing
}

fn check_events(history: &TableHistory, report: &mut VerifyReport) {
    let place = place_of(history.kind, &history.table);
    let mend = "restore the folder from a backup";
    let found = match count_events(history) {
        Ok(found) => found,
        Err(error) => {
            report.add(Finding::fault(place, format!("events cannot be counted: {error}"), mend));
            return;
        }
    };
    let mut expected = Counts::new();
    for commit in &history.commits {
        if let Some(batch) = &commit.batch {
            *expected.entry((batch.pipeline.clone(), batch.number)).or_default() += batch.events;
        }
        for dropped in commit.compaction.iter().flat_map(|compaction| &compaction.dropped) {
            let events = expected.entry((dropped.pipeline.clone(), dropped.batch)).or_default();
            *events = events.saturating_sub(dropped.events);
        }
    }
    let keys: BTreeSet<&(String, i64)> = expected.keys().chain(found.keys()).collect();
    for key in keys {
        let (expected, found) = [&expected, &found].map(|counts| counts.get(key).copied().unwrap_or(0)).into();
        if expected != found {
            let sentence = format!("batch {} of `{}` brought {expected} events, the table has {found}", key.1, key.0);
            report.add(Finding::fault(place.clone(), sentence, mend));
        }
    }
}

fn count_events(history: &TableHistory) -> Result<Counts, String> {
    let files = history.files_at(history.version()).map_err(|error| error.to_string())?;
    if files.is_empty() {
        return Ok(Counts::new());
    }
    let paths: Vec<String> = files.keys().map(|path| text(&history.folder.join(path).display().to_string())).collect();
    let count = || {
        let connection = database::open_memory()?;
        let mut counts = connection.prepare(&format!(
            "SELECT _pipeline, _batch, count(*) FROM read_parquet([{}]) GROUP BY ALL",
            paths.join(", ")
        ))?;
        let rows = counts.query_map([], |row| {
            let n_events: i64 = row.get(2)?;
            Ok(((row.get(0)?, row.get(1)?), n_events.unsigned_abs()))
        })?;
        rows.collect::<Result<Counts, duckdb::Error>>()
    };
    count().map_err(|error| error.to_string())
}

fn check_quarantine(lake: &Lake, batch: &BatchRecord, report: &mut VerifyReport) {
    let Some(name) = &batch.quarantine else {
        if batch.rejected > 0 {
            let sentence = format!("batch {} rejected {} rows and names no file of them", batch.number, batch.rejected);
            report.add(Finding::fault(format!("pipeline {}", batch.pipeline), sentence, mend_quarantine(batch)));
        }
        return;
    };
    let path = lake.quarantine_folder(&batch.pipeline).join(name);
    let fetched =
        lake.fetch_anew_blocking(&path).map_err(|error| format!("the file cannot be read: {}", chain(&error)));
    let sentence = match fetched.and_then(|()| n_rows(&path)) {
        Ok(n_rows) if n_rows == batch.rejected => return,
        Ok(n_rows) => format!("the file has {n_rows} rows, batch {} rejected {}", batch.number, batch.rejected),
        Err(sentence) => sentence,
    };
    let place = format!("lake/quarantine/{}/{name}", batch.pipeline);
    report.add(Finding::fault(place, sentence, mend_quarantine(batch)));
}

/// What brings rejected rows back.
fn mend_quarantine(batch: &BatchRecord) -> String {
    format!(
        "restore the file from a backup, or `svod quarantine retry {} --file {}` keeps the rows anew",
        batch.pipeline, batch.file
    )
}

fn n_rows(path: &Path) -> Result<u64, String> {
    if !path.exists() {
        return Err("the file is missing".to_owned());
    }
    let opened = fs_err::File::open(path).map_err(|error| format!("the file cannot be read: {error}"))?;
    let footer = ParquetMetaDataReader::new().parse_and_finish(opened.file());
    let footer = footer.map_err(|error| format!("the file is no readable Parquet: {error}"))?;
    Ok(u64::try_from(footer.file_metadata().num_rows()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_told_as_ranges() {
        assert_eq!(gaps(&BTreeSet::from([1, 2, 4, 9])), ["3", "5 to 8"]);
        assert_eq!(gaps(&BTreeSet::from([3])), ["1 to 2"]);
        assert!(gaps(&BTreeSet::from([1, 2, 3])).is_empty() && gaps(&BTreeSet::new()).is_empty());
    }
}
