//! The DuckDB file: it can be opened, is not ahead of the lake, and holds as many rows as were published.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use duckdb::Connection;

use super::super::database::{self, name};
use super::super::lake::{TableHistory, TableKind};
use super::super::refresh::DATABASE_FILE;
use super::super::snapshot::Snapshot;
use super::{Finding, VerifyReport};

/// What mends the DuckDB file, whatever is wrong with it.
const MEND: &str = "`svod rebuild` makes it again from the lake";

/// What the DuckDB file says.
struct Folded {
    /// Version of each event table that each model has seen.
    progress: Vec<(String, String, i64)>,
    /// Models with months that are not published yet.
    dirty: BTreeSet<String>,
    /// Rows by entity.
    rows: BTreeMap<String, u64>,
}

/// Checks the DuckDB file against the lake and the latest snapshot.
pub(super) fn check(data_dir: &Path, snapshots: &[Snapshot], histories: &[TableHistory], report: &mut VerifyReport) {
    let path = data_dir.join(DATABASE_FILE);
    if !path.exists() {
        if !snapshots.is_empty() {
            let sentence = "the file is missing; the next run makes it from the lake, which takes longer than usual";
            report.add(Finding::note(DATABASE_FILE, sentence, "`svod run`, or `svod rebuild`"));
        }
        return;
    }
    let folded = match database::open_to_read(&path).and_then(|connection| read(&connection)) {
        Ok(folded) => folded,
        Err(error) => {
            let sentence = format!("the file cannot be read: {}", error.to_string().replace('\n', " "));
            report.add(Finding::fault(DATABASE_FILE, sentence, MEND));
            return;
        }
    };
    for (model, table, version) in &folded.progress {
        let history = histories.iter().find(|history| history.kind == TableKind::Event && history.table == *table);
        let latest = history.map_or(-1, TableHistory::version);
        // A table whose log cannot be read is told already.
        if *version > latest && (history.is_some() || !is_told(report, table)) {
            let sentence =
                format!("`{model}` has seen version {version} of `{table}`, which ends with version {latest}");
            report.add(Finding::fault(DATABASE_FILE, sentence, MEND));
        }
    }
    let Some(latest) = snapshots.last() else { return };
    for table in latest.tables.values().filter(|table| table.kind == TableKind::Entity) {
        let is_published =
            folded.progress.iter().filter(|(model, ..)| *model == table.name).all(|(_, events, seen)| {
                latest.table(TableKind::Event, events).map_or(-1, |events| events.version) == *seen
            });
        let Some(n_rows) = folded.rows.get(&table.name).filter(|_| is_published) else { continue };
        if *n_rows != table.rows && !folded.dirty.contains(&table.name) {
            let sentence =
                format!("`{}` has {n_rows} rows, snapshot {} says {}", table.name, latest.number, table.rows);
            report.add(Finding::fault(DATABASE_FILE, sentence, MEND));
        }
    }
}

fn is_told(report: &VerifyReport, table: &str) -> bool {
    report.findings.iter().any(|finding| finding.place == super::place_of(TableKind::Event, table))
}

fn read(connection: &Connection) -> Result<Folded, duckdb::Error> {
    let mut progress = connection.prepare("SELECT model, event_table, version FROM svod.progress ORDER BY ALL")?;
    let progress = progress.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let progress = progress.collect::<Result<Vec<_>, _>>()?;
    let mut dirty = connection.prepare("SELECT DISTINCT model FROM svod.dirty")?;
    let dirty = dirty.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut models = connection.prepare("SELECT model FROM svod.folded")?;
    let models = models.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut rows = BTreeMap::new();
    for model in models {
        let n_rows: i64 =
            connection.query_row(&format!("SELECT count(*) FROM entity.{}", name(&model)), [], |row| row.get(0))?;
        rows.insert(model, n_rows.unsigned_abs());
    }
    Ok(Folded { progress, dirty, rows })
}
