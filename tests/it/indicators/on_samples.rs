//! Every shipped indicator over the shipped samples: against plain SQL in DuckDB, and against the generator's own count.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use duckdb::Connection;
use serde_json::Value;
use svod::domain::period::{Grain, Period};
use svod::indicators::{Engine, Indicator, Query};

use super::against_duckdb::{STOCKS, VALUES, ask_duckdb, compare, key_sql, know_working_days};
use super::memory::{ask, shipped_catalog};
use crate::support::project_root;
use crate::support::warehouse::{sample_warehouse, shipped_project, test_clock};

/// The day of the other tests, and the one on which these look at the samples.
const DAYS: (&str, &str) = ("2024-04-10", "2026-11-21");

async fn sample_engine() -> Engine {
    let project = shipped_project();
    let (catalog, reference) = (std::sync::Arc::clone(&project.indicators), std::sync::Arc::clone(&project.reference));
    Engine::new(catalog, reference, project.settings.time_zone, sample_warehouse(), test_clock()).await.unwrap()
}

/// The entities as DuckDB keeps them. Nobody writes into the samples, so every test may read them.
fn sample_database() -> Connection {
    let duckdb = Connection::open_in_memory().unwrap();
    let path = sample_warehouse().join("warehouse.duckdb");
    duckdb.execute_batch(&format!("ATTACH '{}' AS samples (READ_ONLY); USE samples.entity;", path.display())).unwrap();
    know_working_days(&duckdb);
    duckdb
}

/// The dimensions of an indicator, but those of clocks that depend on the hour: they are compared on made-up rows.
fn dimensions_of(indicator: &Indicator) -> impl Iterator<Item = String> {
    let is_compared = |name: &&str| indicator.entity().name() != "clocks" || !["state", "runs_out"].contains(name);
    let names = indicator.entity().dimensions().iter().map(svod::indicators::Dimension::name);
    names.filter(is_compared).map(str::to_owned)
}

fn on_the_day(sql: &str) -> String {
    sql.replace(DAYS.0, DAYS.1)
}

#[tokio::test]
async fn every_indicator_by_every_dimension_on_the_samples() {
    let (engine, duckdb, catalog) = (sample_engine().await, sample_database(), shipped_catalog());
    let period = Period::parse("2024-01", "2026-10").unwrap();
    for &(id, table, time, value) in VALUES {
        // How old the data are depends on the second of the run that loaded them.
        if id == "freshness" {
            continue;
        }
        let indicator = catalog.get(id).unwrap();
        let required = indicator.requires().to_vec();
        let dimensions = dimensions_of(indicator);
        let cuts = dimensions.filter(|name| !required.contains(name)).map(Some).chain([None]);
        let mut n_compared = 0;
        for by in cuts.map(|name| required.iter().cloned().chain(name).collect::<Vec<_>>()) {
            for grain in [None, Some(Grain::Month)] {
                let mut query = Query { by: by.clone(), grain, ..Query::of(id) };
                let mut condition = format!("{time} IS NOT NULL");
                if grain.is_some() {
                    query = query.within(period);
                    condition = format!("{time} BETWEEN DATE '{}' AND DATE '{}'", period.from, period.to);
                }
                let bucket = grain.map_or("NULL".to_owned(), |grain| format!("date_trunc('{grain}', {time})::DATE"));
                let keys: String = by.iter().map(|name| format!("{}, ", key_sql(indicator, name))).collect();
                let sql = on_the_day(&format!(
                    "SELECT {keys}({bucket})::VARCHAR, ({value})::DOUBLE FROM {table} WHERE {condition} GROUP BY ALL"
                ));
                let what = format!("{id} by {by:?} and {grain:?}");
                n_compared += compare(&what, &ask(&engine, query).await, &ask_duckdb(&duckdb, &sql, by.len()));
            }
        }
        assert!(n_compared > 0, "{id} has no value on the samples");
    }
}

#[tokio::test]
async fn what_is_open_on_the_samples() {
    let (engine, duckdb, catalog) = (sample_engine().await, sample_database(), shipped_catalog());
    let period = Period::parse("2024-01", "2026-10").unwrap();
    for &(id, table, from, until, value) in STOCKS {
        let indicator = catalog.get(id).unwrap();
        let names = dimensions_of(indicator);
        let mut n_compared = 0;
        for by in names.map(|name| vec![name]).chain([Vec::new()]) {
            let keys: String = by.iter().map(|name| format!("{}, ", key_sql(indicator, name))).collect();
            let sql = format!(
                "SELECT {keys}bucket::VARCHAR, ({value})::DOUBLE
                 FROM {table}, (SELECT unnest(generate_series(DATE '2024-01-01', DATE '2026-10-01', INTERVAL 1 MONTH))::DATE AS bucket)
                 WHERE {from} <= last_day(bucket) AND ({until} IS NULL OR {until} > last_day(bucket))
                 GROUP BY ALL"
            );
            let query = Query { by: by.clone(), grain: Some(Grain::Month), ..Query::of(id) }.within(period);
            let what = format!("{id} by {by:?}");
            n_compared += compare(&what, &ask(&engine, query).await, &ask_duckdb(&duckdb, &sql, by.len()));
        }
        assert!(n_compared > 0, "{id} has no value on the samples");
    }
}

/// Indicator, region, and the events of registers that make it, with their signs.
type Counted = (&'static str, &'static str, &'static [(&'static str, &'static str, i64)]);

/// The count of `events` of a region's registers by month: the events that begin something less those that end it.
fn counted(region: &str, events: &[(&str, &str, i64)]) -> BTreeMap<String, i64> {
    let path = project_root().join("data-samples").join(region).join("expected.json");
    let expected: Value = serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap();
    let mut months = BTreeMap::new();
    for (register, event, sign) in events {
        let of_event = expected["registers"][register]["event_months"][event].as_object();
        for (month, count) in of_event.unwrap_or_else(|| panic!("{region} {register} {event}")) {
            *months.entry(month.clone()).or_default() += sign * count.as_i64().unwrap();
        }
    }
    months
}

/// Indicators of what happened: region, and the events of registers that they count.
const HAPPENED: &[Counted] = &[
    ("appeals", "samara", &[("appeals", "registered", 1)]),
    ("appeals", "leningrad", &[("journal", "registered", 1), ("contracts", "registered", 1)]),
    ("measures_by_status", "samara", &[("appeals", "registered", 1)]),
    ("measures_by_category_status", "samara", &[("appeals", "registered", 1)]),
    ("support_provided", "samara", &[("appeals", "provided", 1)]),
    ("kinds_of_support", "leningrad", &[("journal", "provided", 1), ("contracts", "provided", 1)]),
    ("contract_applications", "leningrad", &[("contracts", "registered", 1)]),
    ("contract_rejected_intake", "leningrad", &[("contracts", "intake_refused", 1)]),
    ("contract_suspended", "leningrad", &[("contracts", "suspended", 1)]),
    ("contract_extended", "leningrad", &[("contracts", "extended", 1)]),
    ("contract_refusals", "leningrad", &[("contracts", "refused", 1)]),
    ("recognition_refusals", "leningrad", &[("journal", "refused", 1)]),
    ("recognition_by_form", "leningrad", &[("journal", "granted", 1)]),
    ("recognition_by_circumstance", "leningrad", &[("journal", "granted", 1)]),
    ("applications_by_channel", "leningrad", &[("journal", "registered", 1)]),
    ("passports", "samara", &[("passports", "opened", 1)]),
    ("returned", "samara", &[("returns", "filed", 1)]),
    ("return_routed", "samara", &[("returns", "routed", 1)]),
    ("debts", "samara", &[("debts", "recorded", 1)]),
    ("programme_services", "leningrad", &[("programme_services", "service_planned", 1)]),
    ("programme_waivers", "leningrad", &[("programme_services", "waived", 1)]),
    ("complaints", "leningrad", &[("complaints", "registered", 1)]),
];

/// Indicators of what is open at the end of a month: region, and the events that open and close.
const OPEN: &[Counted] = &[
    (
        "appeals_open",
        "samara",
        &[
            ("appeals", "registered", 1),
            ("appeals", "provided", -1),
            ("appeals", "refused", -1),
            ("appeals", "withdrawn", -1),
        ],
    ),
    ("appeals_by_status", "samara", &[("appeals", "registered", 1)]),
    ("families", "samara", &[("passports", "opened", 1), ("passports", "closed", -1)]),
    ("family_members", "samara", &[("family_members", "entered", 1), ("family_members", "struck_out", -1)]),
    ("needs_open", "samara", &[("needs", "recorded", 1), ("needs", "fulfilled", -1), ("needs", "cancelled", -1)]),
    ("partners", "leningrad", &[("partners", "joined", 1), ("partners", "left", -1)]),
];

/// The values of an indicator for a region by month, `2025-03`.
async fn by_month(engine: &Engine, id: &str, region: &str) -> BTreeMap<String, f64> {
    let code = if region == "samara" { "36000000" } else { "41000000" };
    let period = Period::parse("2024-01", "2026-10").unwrap();
    let query = Query::of(id).by("region").within(period).grain(Grain::Month);
    let figures = ask(engine, query).await;
    let rows = figures.rows.iter().filter(|row| row.keys[0].as_deref() == Some(code));
    rows.filter_map(|row| Some((row.bucket?.to_string()[..7].to_owned(), row.figure.value?))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "the samples are small")]
#[tokio::test]
async fn months_are_as_the_generator_counted() {
    let engine = sample_engine().await;
    for (id, region, events) in HAPPENED {
        let (found, expected) = (by_month(&engine, id, region).await, counted(region, events));
        for (month, count) in &expected {
            let value = found.get(month).copied().unwrap_or_default();
            assert!((value - *count as f64).abs() < 1e-9, "{id} {region} {month}: {value}, counted {count}");
        }
        assert!(found.iter().all(|(month, value)| *value == 0.0 || expected.contains_key(month)), "{id} {region}");
    }
    for (id, region, events) in OPEN {
        let (found, changes) = (by_month(&engine, id, region).await, counted(region, events));
        let mut day = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        let before = "2024-01";
        let mut open: i64 = changes.iter().filter(|(month, _)| month.as_str() < before).map(|(_, change)| change).sum();
        while day.year() < 2026 || day.month() <= 10 {
            let month = day.format("%Y-%m").to_string();
            open += changes.get(&month).copied().unwrap_or_default();
            let value = found.get(&month).copied().unwrap_or_default();
            assert!((value - open as f64).abs() < 1e-9, "{id} {region} {month}: {value}, counted {open}");
            day = day.checked_add_months(chrono::Months::new(1)).unwrap();
        }
    }
}
