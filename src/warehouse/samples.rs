//! Sample rows beside a model, `sql/models/NAME.samples.yaml`: events that go in and entities that must come out.
//!
//! They run through the same views and the same SQL as a refresh, in an empty database.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use duckdb::Connection;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::declarations::{Problems, Source, Spanned};

use super::contracts::{Contract, Contracts, OCCURRED_AT};
use super::database::{self, name, text, type_name};
use super::event_views::{OCCURRED_MONTH, SUBJECT_ID, create_list, create_view, note_repeated, select_from_files};
use super::models::{Model, select_of};
use super::reference::CodeList;

/// Column of the lake that a sample may give beside those of the contract: the pipeline that brought the event.
const PIPELINE: &str = "_pipeline";

/// Values of a row by column.
pub type RawRow = IndexMap<String, Value>;

/// One sample: events and the entities that they make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSample {
    /// What the sample shows.
    pub name: Spanned<String>,
    /// Rows by event table, with the columns of its contract and, where it matters, the `_pipeline` that brought the event;
    /// moments in UTC as `2024-03-01T08:00:00Z`.
    pub events: IndexMap<String, Vec<RawRow>>,
    /// Rows of code lists that the SQL reads, in place of those of the project.
    #[serde(default)]
    pub lists: IndexMap<String, Vec<RawRow>>,
    /// The entities, all of them, with the columns to compare.
    pub expect: Vec<RawRow>,
}

/// Runs the samples of a model and returns how many there are; a model without the file has none.
///
/// Local days follow from `time_zone`.
///
/// # Errors
/// Every sample whose entities differ, at the place of its name, and the first problem of a file that cannot be read.
pub fn check_samples(project: &Path, model: &Model, contracts: &Contracts, time_zone: Tz) -> Result<usize, Problems> {
    let path = model.source.path.with_extension("samples.yaml");
    if !project.join(&path).exists() {
        return Ok(0);
    }
    let source = Source::read(project, &path)?;
    let samples: Vec<RawSample> = source.parse()?;
    let mut problems = Problems::new();
    for sample in &samples {
        if let Err(message) = run_sample(sample, model, contracts, time_zone) {
            problems.push(source.problem(&sample.name, format!("{}: {message}", sample.name.value)));
        }
    }
    problems.into_result(samples.len())
}

/// What a sample makes, against what it should make.
fn run_sample(sample: &RawSample, model: &Model, contracts: &Contracts, time_zone: Tz) -> Result<(), String> {
    let failed = |error: duckdb::Error| error.to_string();
    let connection = database::open_memory().map_err(failed)?;
    if let Some(table) = sample.events.keys().find(|table| !model.from.contains(table)) {
        return Err(format!("the model does not read the event table `{table}`"));
    }
    for table in &model.from {
        let contract = contracts.get(table).ok_or_else(|| format!("there is no event table `{table}`"))?;
        let rows = sample.events.get(table).map(Vec::as_slice).unwrap_or_default();
        let events = name(&format!("svod_sample_{table}"));
        let empty = select_from_files(contract, &[]);
        connection.execute_batch(&format!("CREATE TEMP TABLE {events} AS {empty}")).map_err(failed)?;
        for (index, row) in rows.iter().enumerate() {
            let insert = insert_event(&events, contract, row, index, time_zone)?;
            connection.execute_batch(&insert).map_err(failed)?;
        }
        let told = format!("SELECT * FROM {events}");
        let repeated = note_repeated(&connection, &format!("svod_repeated_{table}"), &told).map_err(failed)?;
        create_view(&connection, contract, &told, model, repeated.as_deref()).map_err(failed)?;
    }
    if let Some(list) = sample.lists.keys().find(|name| !model.lists.iter().any(|list| list.name == **name)) {
        return Err(format!("the model does not read the code list `{list}`"));
    }
    for list in &model.lists {
        create_list(&connection, list).map_err(failed)?;
        if let Some(rows) = sample.lists.get(&list.name) {
            connection.execute_batch(&replace_list(list, rows)?).map_err(failed)?;
        }
    }
    let found = entities(&connection, model).map_err(failed)?;
    compare(&sample.expect, &found, model)
}

/// The statement that adds one event, with the columns that the lake adds.
fn insert_event(
    events: &str,
    contract: &Contract,
    row: &RawRow,
    index: usize,
    time_zone: Tz,
) -> Result<String, String> {
    for column in row.keys().filter(|column| *column != PIPELINE) {
        if contract.column(column).is_none() {
            return Err(format!("the event table `{}` has no column `{column}`", contract.table));
        }
    }
    let moment = row.get(OCCURRED_AT).and_then(Value::as_str).unwrap_or_default();
    let moment = DateTime::parse_from_rfc3339(moment)
        .map_err(|_| format!("`{OCCURRED_AT}` `{moment}` of event {} is not like `2024-03-01T08:00:00Z`", index + 1))?;
    let day: NaiveDate = moment.with_timezone(&time_zone).date_naive();
    let key: Vec<String> = contract.key().iter().map(|column| written(row.get(&column.name))).collect();
    let mut columns = vec![
        ("occurred_on".to_owned(), format!("DATE '{day}'")),
        ("month".to_owned(), text(&day.format("%Y-%m").to_string())),
        (OCCURRED_MONTH.to_owned(), format!("DATE '{}'", day.format("%Y-%m-01"))),
        (SUBJECT_ID.to_owned(), key.first().cloned().unwrap_or_default()),
        (PIPELINE.to_owned(), written(row.get(PIPELINE))),
        ("_key_hash".to_owned(), format!("CAST(hash({}) >> 1 AS BIGINT)", key.join(", "))),
        ("_batch".to_owned(), "1".to_owned()),
        ("_row".to_owned(), (index + 1).to_string()),
    ];
    for column in contract.lake_columns() {
        let value = written(row.get(&column.name));
        let value = format!("CAST({value} AS {})", type_name(&column.column_type.arrow()));
        columns.push((column.name.clone(), value));
    }
    let names = database::names(columns.iter().map(|(column, _)| column.as_str()));
    let values: Vec<&str> = columns.iter().map(|(_, value)| value.as_str()).collect();
    Ok(format!("INSERT INTO {events} ({names}) VALUES ({})", values.join(", ")))
}

/// The statements that put a sample's rows in place of those of a code list.
fn replace_list(list: &CodeList, rows: &[RawRow]) -> Result<String, String> {
    let table = name(&list.name);
    let mut statements = format!("DELETE FROM temp.{table};");
    for row in rows {
        if let Some(column) = row.keys().find(|column| list.column(column).is_none()) {
            return Err(format!("the code list `{}` has no column `{column}`", list.name));
        }
        let names = database::names(row.keys().map(String::as_str));
        let values: Vec<String> = row.values().map(|value| written(Some(value))).collect();
        let _ = write!(statements, "INSERT INTO temp.{table} ({names}) VALUES ({});", values.join(", "));
    }
    Ok(statements)
}

/// A value as a text in SQL.
fn written(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "CAST(NULL AS VARCHAR)".to_owned(),
        Some(Value::String(value)) => text(value),
        Some(other) => text(&other.to_string()),
    }
}

/// The entities as texts by column.
fn entities(connection: &Connection, model: &Model) -> Result<Vec<IndexMap<String, Option<String>>>, duckdb::Error> {
    let columns: Vec<&String> = model.columns.fields().iter().map(|field| field.name()).collect();
    let shown = model
        .columns
        .fields()
        .iter()
        .map(|field| format!("CAST(CAST({} AS {}) AS VARCHAR)", name(field.name()), type_name(field.data_type())));
    let shown: Vec<String> = shown.collect();
    let mut statement =
        connection.prepare(&format!("SELECT {} FROM (\n{}\n)", shown.join(", "), select_of(&model.sql)))?;
    let rows = statement.query_map([], |row| {
        let value = |(index, column): (usize, &&String)| Ok(((*column).clone(), row.get::<_, Option<String>>(index)?));
        columns.iter().enumerate().map(value).collect()
    })?;
    rows.collect()
}

/// Pairs each expected row with a found one.
fn compare(expect: &[RawRow], found: &[IndexMap<String, Option<String>>], model: &Model) -> Result<(), String> {
    for column in expect.iter().flat_map(IndexMap::keys) {
        if model.columns.field_with_name(column).is_err() {
            return Err(format!("the entity has no column `{column}`"));
        }
    }
    let mut taken = HashSet::new();
    for row in expect {
        let differences =
            found.iter().enumerate().filter(|(index, _)| !taken.contains(index)).map(|(index, entity)| {
                let wrong: Vec<String> = row
                    .iter()
                    .filter(|(column, expected)| !is_equal(expected, entity.get(*column).and_then(Option::as_deref)))
                    .map(|(column, expected)| {
                        let value = entity.get(column).cloned().flatten();
                        format!("`{column}` is {} instead of {expected}", value.unwrap_or_else(|| "null".to_owned()))
                    })
                    .collect();
                (index, wrong)
            });
        match differences.min_by_key(|(_, wrong)| wrong.len()) {
            Some((index, wrong)) if wrong.is_empty() => taken.insert(index),
            Some((_, wrong)) => return Err(format!("{}: {}", Value::from_iter(row.clone()), wrong.join(", "))),
            None => return Err(format!("{} is missing", Value::from_iter(row.clone()))),
        };
    }
    match found.len() - taken.len() {
        0 => Ok(()),
        n_more => Err(format!("{n_more} more entities than expected")),
    }
}

/// Whether a value is the one that a sample names; numbers are compared as numbers.
fn is_equal(expected: &Value, found: Option<&str>) -> bool {
    match (expected, found) {
        (Value::Null, None) => true,
        (Value::String(expected), Some(found)) => expected == found,
        (Value::Number(expected), Some(found)) => {
            let (expected, found) = (expected.as_f64(), found.parse::<f64>().ok());
            expected.zip(found).is_some_and(|(one, other)| (one - other).abs() < 1e-9)
        }
        (Value::Bool(expected), Some(found)) => found == if *expected { "true" } else { "false" },
        (Value::Null | Value::Array(_) | Value::Object(_), Some(_)) | (_, None) => false,
    }
}
