//! The data model of Cube: its form is checked strictly, and its SQL is run in `DuckDB` against the engine's figures.

use std::collections::BTreeSet;

use duckdb::{AccessMode, Config, Connection};
use regex::Regex;
use serde_json::Value;
use svod::domain::period::Period;
use svod::indicators::{Additivity, Engine, Query, cube_model};

use super::against_duckdb::{Answers, ask_duckdb, both_sides, compare};
use super::memory::{ask, shipped_catalog};
use super::on_samples::sample_engine;
use crate::support::warehouse::sample_warehouse;

fn model() -> Value {
    let text = serde_saphyr::to_string(&cube_model(&shipped_catalog()).unwrap()).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn assert_keys(value: &Value, needed: &[&str], allowed: &[&str]) {
    let found = keys(value);
    assert!(needed.iter().all(|name| found.contains(name)), "{value}");
    let extra: Vec<_> = found.iter().filter(|name| !needed.contains(name) && !allowed.contains(name)).collect();
    assert!(extra.is_empty(), "{extra:?} in {value}");
}

/// What the reference of Cube's data model allows, as of version 1.3.
#[test]
fn the_form_is_that_of_cube() {
    let model = model();
    assert_keys(&model, &["cubes"], &[]);
    let name = Regex::new(r"^[a-z][a-z0-9_]*$").unwrap();
    let reference = Regex::new(r"\{([A-Za-z0-9_]+)\}").unwrap();
    let catalog = shipped_catalog();
    let mut public = BTreeSet::new();
    for cube in list(&model, "cubes") {
        assert_keys(cube, &["name", "sql_table", "dimensions", "measures"], &[]);
        let mut members = BTreeSet::new();
        for dimension in list(cube, "dimensions") {
            assert_keys(dimension, &["name", "sql", "type", "public"], &["title", "primary_key", "meta"]);
            assert!(
                ["string", "number", "boolean", "time"].contains(&dimension["type"].as_str().unwrap()),
                "{dimension}"
            );
            assert!(members.insert(dimension["name"].as_str().unwrap()), "{dimension}");
            assert!(dimension["sql"].as_str().unwrap().contains("{CUBE}.\""), "{dimension}");
        }
        for measure in list(cube, "measures") {
            assert_keys(measure, &["name", "type", "public"], &["title", "description", "sql", "filters", "meta"]);
            assert!(members.insert(measure["name"].as_str().unwrap()), "{measure}");
            let kind = measure["type"].as_str().unwrap();
            let kinds = ["count", "sum", "count_distinct", "avg", "min", "max", "number"];
            assert!(kinds.contains(&kind), "{measure}");
            assert_eq!(measure["sql"].is_null(), kind == "count", "{measure}");
            for filter in list(measure, "filters") {
                assert_keys(filter, &["sql"], &[]);
            }
            if measure["public"] == true {
                for text in ["title", "description"] {
                    assert!(!measure[text].as_str().unwrap().is_empty(), "{measure}");
                }
                for field in ["title_en", "description_en", "additivity", "okei", "direction", "edition", "time"] {
                    assert!(!measure["meta"][field].as_str().unwrap().is_empty(), "{field} of {measure}");
                }
                public.insert(measure["name"].as_str().unwrap().to_owned());
            }
        }
        assert!(members.iter().all(|member| name.is_match(member)), "{members:?}");
        for found in reference.captures_iter(&cube.to_string()) {
            assert!(&found[1] == "CUBE" || members.contains(&found[1]), "{} in {}", &found[0], cube["name"]);
        }
    }
    assert_eq!(public, catalog.iter().map(|indicator| indicator.id().to_owned()).collect());
}

/// What Cube makes of a measure: one aggregate, or an expression over others.
fn aggregate(cube: &Value, name: &str) -> String {
    let measure = list(cube, "measures").iter().find(|measure| measure["name"] == name).unwrap();
    let filters: Vec<String> =
        list(measure, "filters").iter().map(|one| format!("({})", one["sql"].as_str().unwrap())).collect();
    let only = |value: &str| match filters.as_slice() {
        [] => value.to_owned(),
        filters => format!("CASE WHEN {} THEN {value} END", filters.join(" AND ")),
    };
    let sql = measure["sql"].as_str().unwrap_or("1");
    match measure["type"].as_str().unwrap() {
        "number" => {
            let reference = Regex::new(r"\{([a-z0-9_]+)\}").unwrap();
            let inner =
                reference.replace_all(sql, |found: &regex::Captures<'_>| format!("({})", aggregate(cube, &found[1])));
            inner.into_owned()
        }
        "count_distinct" => format!("count(DISTINCT {})", only(sql)),
        kind => format!("{kind}({})", only(sql)),
    }
}

/// Every measure by every dimension over the whole of the rows: the same as the engine's.
#[tokio::test]
async fn its_measures_are_the_figures_of_the_engine() {
    let (engine, duckdb, _folder) = both_sides(shipped_catalog());
    // The function that `warehouse.duckdb` has, counted in another way.
    let n_days = |after: &str, until: &str| {
        format!("len(list_filter(getvariable('working'), lambda day: day > {after} AND day <= {until}))")
    };
    let macro_of_days = format!(
        "CREATE MACRO working_days(after, until) AS CASE WHEN after IS NOT NULL AND until IS NOT NULL THEN {} - {} END",
        n_days("after", "until"),
        n_days("until", "after"),
    );
    duckdb.execute_batch(&macro_of_days).unwrap();
    // The tests' present in place of the database's.
    let at_present = |sql: &str| {
        sql.replace("CURRENT_DATE", "DATE '2024-04-10'")
            .replace("make_timestamp(epoch_us(now()))", "TIMESTAMP '2024-04-10 08:00:00'")
            // The compiled-in DuckDB has no time zones, and the tests' table keeps moments with one.
            .replace("date_part('epoch', cube.\"last_event_at\")", "(epoch_us(cube.\"last_event_at\") / 1e6)")
    };
    let n_compared = compare_model(&engine, &duckdb, "2024-04-10", at_present).await;
    assert!(n_compared > 1_000, "{n_compared}");
}

/// The SQL runs against the database of a warehouse without any preparation, and gives the figures of the engine.
#[tokio::test]
async fn its_sql_runs_against_the_database_of_a_warehouse() {
    let path = sample_warehouse().join("warehouse.duckdb");
    let config = Config::default().access_mode(AccessMode::ReadOnly).unwrap();
    let duckdb = Connection::open_with_flags(path, config).unwrap();
    // Only the present is the tests' one: the compiled-in DuckDB has no time zones, from which a released one takes its own.
    let at_present = |sql: &str| {
        sql.replace("CURRENT_DATE", "DATE '2026-11-21'")
            .replace("make_timestamp(epoch_us(now()))", "TIMESTAMP '2026-11-21 08:00:00'")
    };
    let n_compared = compare_model(&sample_engine().await, &duckdb, "2026-11-21", at_present).await;
    assert!(n_compared > 1_000, "{n_compared}");
}

/// Compares every measure by every dimension; `at_present` sets the present of a query. Returns how many values were compared.
async fn compare_model(
    engine: &Engine,
    duckdb: &Connection,
    today: &str,
    at_present: impl Fn(&str) -> String,
) -> usize {
    let catalog = shipped_catalog();
    let model = model();
    let mut n_compared = 0;
    for cube in list(&model, "cubes") {
        let table = cube["sql_table"].as_str().unwrap();
        for indicator in catalog.iter().filter(|one| one.entity().name() == cube["name"].as_str().unwrap()) {
            let value = aggregate(cube, indicator.id());
            for dimension in indicator.entity().dimensions() {
                let mut by: Vec<&str> = indicator.requires().iter().map(String::as_str).collect();
                if !by.contains(&dimension.name()) {
                    by.push(dimension.name());
                }
                let sql_of = |name: &&str| {
                    let dimension = list(cube, "dimensions").iter().find(|one| one["name"] == **name).unwrap();
                    format!("({})::VARCHAR, ", dimension["sql"].as_str().unwrap())
                };
                let cut: String = by.iter().map(sql_of).collect();
                let is_stock = indicator.additivity() == Additivity::Stock;
                // Outside of a stock a row without the date that cuts time is in no period.
                let time = if is_stock { "TRUE".to_owned() } else { format!("{} IS NOT NULL", indicator.time()) };
                let sql = format!(
                    "SELECT {cut}NULL::VARCHAR, ({value})::DOUBLE FROM {table} AS cube WHERE {time} GROUP BY ALL"
                );
                let sql = at_present(&sql.replace("{CUBE}.", "cube."));
                let mut query =
                    Query { by: by.iter().map(|name| (*name).to_owned()).collect(), ..Query::of(indicator.id()) };
                if is_stock {
                    query = query.within(Period::parse("2000", today).unwrap());
                }
                let mut expected: Answers = ask_duckdb(duckdb, &sql, by.len());
                let mut figures = ask(engine, query).await;
                // A state that an indicator declares stands in place of a number that SQL has; and where its own condition leaves no
                // row of a group, SQL counts none and the engine has no group.
                let known: BTreeSet<_> =
                    figures.rows.iter().filter(|row| row.figure.value.is_some()).map(|row| row.keys.clone()).collect();
                let is_there: BTreeSet<_> = figures.rows.iter().map(|row| row.keys.clone()).collect();
                expected.retain(|(keys, _), value| known.contains(keys) || (*value != 0.0 && !is_there.contains(keys)));
                figures.rows.retain(|row| row.figure.value.is_some());
                n_compared += compare(&format!("{} by {by:?}: {sql}", indicator.id()), &figures, &expected);
            }
        }
    }
    n_compared
}
