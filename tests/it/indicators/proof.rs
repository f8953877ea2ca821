//! Indicators over a filled warehouse against plain SQL in DuckDB, which goes round the engine.

use std::path::Path;

use duckdb::Connection;
use svod::domain::period::{Grain, Period};
use svod::indicators::{Catalog, Dimension, Engine, Query};

use super::against_duckdb::{STOCKS, ask_duckdb, compare, compare_values, key_sql, know_working_days};
use super::memory::ask;

/// What the SQL of the other tests calls their day and those around it, and what they are on the day of these tests, a Saturday.
const DAYS: [(&str, &str); 6] = [
    ("2024-04-09", "2026-11-20"),
    ("2024-04-10", "2026-11-21"),
    ("2024-04-11", "2026-11-22"),
    // The last days of this week and of the next one.
    ("2024-04-14", "2026-11-22"),
    ("2024-04-21", "2026-11-29"),
    // Eight o'clock in the morning, in seconds since 1970.
    ("1712736000", "1795248000"),
];

/// The entities of a data directory as DuckDB keeps them, to be read only.
pub(super) fn open_entities(data: &Path) -> Connection {
    let duckdb = Connection::open_in_memory().unwrap();
    let path = data.join("warehouse.duckdb");
    duckdb.execute_batch(&format!("ATTACH '{}' AS filled (READ_ONLY); USE filled.entity;", path.display())).unwrap();
    know_working_days(&duckdb);
    duckdb
}

/// SQL of the other tests on the day of these.
pub(super) fn on_the_day(sql: &str) -> String {
    DAYS.iter().fold(sql.to_owned(), |sql, (other, here)| sql.replace(other, here))
}

/// Every indicator of what happened by every dimension, at all times and by month. Returns how many values were compared.
pub(super) async fn compare_what_happened(engine: &Engine, duckdb: &Connection, catalog: &Catalog) -> usize {
    let period = Period::parse("2024-01", "2026-10").unwrap();
    compare_values(engine, duckdb, catalog, period, &[None, Some(Grain::Month)], on_the_day).await
}

/// Every indicator of what is open by every dimension, at the ends of months. Returns how many values were compared.
pub(super) async fn compare_what_is_open(engine: &Engine, duckdb: &Connection, catalog: &Catalog) -> usize {
    let period = Period::parse("2024-01", "2026-10").unwrap();
    let mut n_all = 0;
    for &(id, table, from, until, value) in STOCKS {
        let indicator = catalog.get(id).unwrap();
        let names = indicator.entity().dimensions().iter().map(Dimension::name);
        let mut n_compared = 0;
        for by in names.map(|name| vec![name.to_owned()]).chain([Vec::new()]) {
            let keys: String = by.iter().map(|name| format!("{}, ", key_sql(indicator, name))).collect();
            let keys = on_the_day(&keys);
            let sql = format!(
                "SELECT {keys}bucket::VARCHAR, ({value})::DOUBLE
                 FROM {table}, (SELECT unnest(generate_series(DATE '2024-01-01', DATE '2026-10-01', INTERVAL 1 MONTH))::DATE AS bucket)
                 WHERE {from} <= last_day(bucket) AND ({until} IS NULL OR {until} > last_day(bucket))
                 GROUP BY ALL"
            );
            let query = Query { by: by.clone(), grain: Some(Grain::Month), ..Query::of(id) }.within(period);
            let what = format!("{id} by {by:?}");
            n_compared += compare(&what, &ask(engine, query).await, &ask_duckdb(duckdb, &sql, by.len()));
        }
        assert!(n_compared > 0, "{id} has no value");
        n_all += n_compared;
    }
    n_all
}
