//! Manifests: readable, without gaps, naming versions that are there with as many rows.

use super::super::lake::TableHistory;
use super::super::snapshot::{Snapshot, Snapshots, table_key};
use super::{Finding, VerifyReport, chain, place_of, restore_or_rebuild};

/// Reads every manifest that can be read.
pub(super) fn read(snapshots: &Snapshots, report: &mut VerifyReport) -> Vec<Snapshot> {
    let numbers = match snapshots.numbers() {
        Ok(numbers) => numbers,
        Err(error) => {
            let sentence = format!("the manifests cannot be listed: {}", chain(&error));
            report.add(Finding::fault("snapshots", sentence, "give this user the right to read the folder"));
            return Vec::new();
        }
    };
    for pair in numbers.windows(2) {
        if let [before, after] = pair
            && after - before > 1
        {
            let missing = if after - before == 2 {
                format!("the manifest of snapshot {} is missing", before + 1)
            } else {
                format!("the manifests of snapshots {} to {} are missing", before + 1, after - 1)
            };
            let mend = format!(
                "restore it from a backup, or give up everything before: \
                 `svod compact --keep-snapshots {}`",
                numbers.iter().filter(|number| *number >= after).count()
            );
            report.add(Finding::fault("snapshots", missing, mend));
        }
    }
    let mut found = Vec::new();
    for number in &numbers {
        match snapshots.get(*number) {
            Ok(snapshot) => found.extend(snapshot),
            Err(error) => {
                let name = snapshots.path(*number).file_name().unwrap_or_default().to_string_lossy().into_owned();
                let mend = if Some(number) == numbers.last() {
                    "delete the file and run `svod run`: it publishes the same state again"
                } else {
                    "restore the file from a backup, or delete it: its snapshot cannot be read any more"
                };
                report.add(Finding::fault(format!("snapshots/{name}"), chain(&error), mend));
            }
        }
    }
    found
}

/// Checks that every table of every snapshot is there at its version, with the rows that the manifest says.
pub(super) fn check_versions(snapshots: &[Snapshot], histories: &[TableHistory], report: &mut VerifyReport) {
    for snapshot in snapshots {
        for (key, table) in &snapshot.tables {
            let history = histories.iter().find(|history| table_key(history.kind, &history.table) == *key);
            // A table whose log cannot be read is told once, not once per snapshot.
            let Some(history) = history else { continue };
            let place = format!("snapshots/{:06}.json", snapshot.number);
            let Ok(files) = history.files_at(table.version) else {
                let sentence = format!(
                    "it names version {} of `{key}`, which ends with version {}",
                    table.version,
                    history.version()
                );
                let mend = "the lake is older than the snapshot: restore both from the same backup";
                report.add(Finding::fault(place, sentence, mend));
                continue;
            };
            let n_rows: u64 = files.values().map(|file| file.rows).sum();
            if n_rows != table.rows {
                let sentence = format!(
                    "it says {} rows of `{key}`, version {} of the table has {n_rows}",
                    table.rows, table.version
                );
                report.add(Finding::fault(place, sentence, "restore the lake and the snapshots from the same backup"));
            }
        }
    }
    for table in snapshots.iter().flat_map(|snapshot| snapshot.tables.values()) {
        let place = place_of(table.kind, &table.name);
        let is_there = histories.iter().any(|history| history.kind == table.kind && history.table == table.name);
        if !is_there && !report.findings.iter().any(|finding| finding.place == place) {
            let sentence = "snapshots name the table, but its log is missing";
            report.add(Finding::fault(place, sentence, restore_or_rebuild(table.kind)));
        }
    }
}
