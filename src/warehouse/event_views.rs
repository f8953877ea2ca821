//! What a model reads in DuckDB: views over events, from Parquet files of the lake, and code lists.

use std::path::PathBuf;

use duckdb::{Connection, appender_params_from_iter};

use super::contracts::{Contract, RECORDED_AT};
use super::database::{name, names, stored_type_name, text, type_name};
use super::models::{Model, Versions};
use super::reference::CodeList;

/// Column of every event that a model sees: the first day of the local month in which it occurred.
pub(super) const OCCURRED_MONTH: &str = "occurred_month";

/// Column of every event that a model sees: what it happened to, the first column of the table's key. So a model may read
/// tables that call their subjects differently.
pub(super) const SUBJECT_ID: &str = "subject_id";

/// A `SELECT` of all columns of a contract and of the lake from Parquet files; no files are no rows.
///
/// A file from before a column was added to the contract gives nulls, a column that left the contract is not seen.
pub(super) fn select_from_files(contract: &Contract, files: &[&PathBuf]) -> String {
    let empty = select_nothing(contract);
    let schema = contract.arrow_schema();
    let shown = schema
        .fields()
        .iter()
        .map(|field| format!("CAST({0} AS {1}) AS {0}", name(field.name()), type_name(field.data_type())));
    let month = format!("CAST(date_trunc('month', CAST(occurred_on AS DATE)) AS DATE) AS {OCCURRED_MONTH}");
    let key = contract.key().first().map_or_else(|| "NULL".to_owned(), |column| name(&column.name));
    let subject = format!("CAST({key} AS VARCHAR) AS {SUBJECT_ID}");
    let shown = shown.chain([month, subject]).collect::<Vec<_>>().join(", ");
    if files.is_empty() {
        return format!("SELECT {shown} FROM ({empty})");
    }
    let files = files.iter().map(|path| text(&path.display().to_string())).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT {shown} FROM ({empty} UNION ALL BY NAME SELECT * FROM read_parquet([{files}], \
         hive_partitioning = TRUE, hive_types_autocast = FALSE, union_by_name = TRUE))"
    )
}

/// A `SELECT` of all columns of a contract and of the lake, with no rows.
fn select_nothing(contract: &Contract) -> String {
    let schema = contract.arrow_schema();
    let typed = |field: &arrow::datatypes::FieldRef| {
        format!("CAST(NULL AS {}) AS {}", stored_type_name(field.data_type()), name(field.name()))
    };
    format!("SELECT {} WHERE FALSE", schema.fields().iter().map(typed).collect::<Vec<_>>().join(", "))
}

/// A `SELECT` of the superseded versions of events among some Parquet files: `filename`, `file_row_number` (from 0),
/// `_pipeline` and `_batch`. A version is superseded where another version of its event is among the files and wins.
pub(super) fn select_superseded(contract: &Contract, files: &[PathBuf]) -> String {
    let files = files.iter().map(|path| text(&path.display().to_string())).collect::<Vec<_>>().join(", ");
    format!(
        "WITH events AS ({nothing} UNION ALL BY NAME SELECT * FROM read_parquet([{files}], union_by_name = TRUE, \
             hive_partitioning = TRUE, hive_types_autocast = FALSE, filename = TRUE, file_row_number = TRUE)),
         repeated AS (SELECT _key_hash FROM read_parquet([{files}]) GROUP BY _key_hash HAVING count(*) > 1)
         SELECT filename, file_row_number, _pipeline, _batch
         FROM events SEMI JOIN repeated USING (_key_hash) QUALIFY {place} > 1",
        nothing = select_nothing(contract),
        place = place_among_versions(contract),
    )
}

/// The place of a version among the versions of its event; the first one wins.
fn place_among_versions(contract: &Contract) -> String {
    let key = names(contract.key().into_iter().map(|column| column.name.as_str()));
    format!(
        "row_number() OVER (PARTITION BY {key} ORDER BY {recorded_at} DESC NULLS LAST, _batch DESC, \
         _row DESC, _pipeline DESC, _content_hash DESC)",
        recorded_at = name(RECORDED_AT),
    )
}

/// Makes the temporary view of an event table over a `SELECT` of its events, with the versions that the model asks for.
///
/// Of the versions of an event the one with the last `recorded_at`, batch and row wins; `repeated` is the table that
/// [`note_repeated`] made of these or more events, if it found any. Events without a value in a column of the model's key
/// belong to no entity of it and are left out.
pub(super) fn create_view(
    connection: &Connection,
    contract: &Contract,
    events: &str,
    model: &Model,
    repeated: Option<&str>,
) -> Result<(), duckdb::Error> {
    let belongs: Vec<String> = model.key.iter().map(|column| format!("{} IS NOT NULL", name(column))).collect();
    let belongs = belongs.join(" AND ");
    let once = match repeated {
        Some(repeated) if model.versions == Versions::Last => each_once(contract, events, &belongs, repeated),
        _ => format!("SELECT * FROM ({events}) WHERE {belongs}"),
    };
    connection.execute_batch(&format!("CREATE OR REPLACE TEMP VIEW {} AS {once}", name(&contract.table)))
}

/// Makes a temporary table of the hashes of those among some events that have several versions; its name in SQL, if there
/// are any.
pub(super) fn note_repeated(
    connection: &Connection,
    table: &str,
    events: &str,
) -> Result<Option<String>, duckdb::Error> {
    let repeated = name(table);
    connection.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE {repeated} AS \
         SELECT _key_hash FROM ({events}) GROUP BY _key_hash HAVING count(*) > 1"
    ))?;
    let n_repeated: i64 = connection.query_row(&format!("SELECT count(*) FROM {repeated}"), [], |row| row.get(0))?;
    Ok((n_repeated > 0).then_some(repeated))
}

/// A `SELECT` of the last version of each event.
fn each_once(contract: &Contract, events: &str, belongs: &str, repeated: &str) -> String {
    format!(
        "SELECT * FROM ({events}) ANTI JOIN {repeated} USING (_key_hash) WHERE {belongs} \
         UNION ALL \
         SELECT * FROM ({events}) SEMI JOIN {repeated} USING (_key_hash) WHERE {belongs} \
         QUALIFY {place} = 1",
        place = place_among_versions(contract),
    )
}

/// Makes the temporary table of a code list: its columns as texts, an empty cell as null.
pub(super) fn create_list(connection: &Connection, list: &CodeList) -> Result<(), duckdb::Error> {
    let columns: Vec<(&str, &[String])> =
        list.column_names().map(|column| (column, list.column(column).unwrap_or_default())).collect();
    let typed: Vec<String> = columns.iter().map(|(column, _)| format!("{} VARCHAR", name(column))).collect();
    let table = name(&list.name);
    connection.execute_batch(&format!("CREATE OR REPLACE TEMP TABLE {table} ({})", typed.join(", ")))?;
    let mut rows = connection.appender(&list.name)?;
    for row in 0..list.codes().len() {
        let cells = columns.iter().map(|(_, values)| values.get(row).filter(|value| !value.is_empty()));
        rows.append_row(appender_params_from_iter(cells))?;
    }
    rows.flush()
}

/// Drops what [`create_list`] made.
pub(super) fn drop_list(connection: &Connection, list: &CodeList) -> Result<(), duckdb::Error> {
    connection.execute_batch(&format!("DROP TABLE IF EXISTS temp.{}", name(&list.name)))
}

/// Drops what [`create_view`] made.
pub(super) fn drop_view(connection: &Connection, contract: &Contract) -> Result<(), duckdb::Error> {
    connection.execute_batch(&format!("DROP VIEW IF EXISTS temp.{}", name(&contract.table)))
}
