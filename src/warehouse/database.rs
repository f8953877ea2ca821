//! Opening DuckDB, and writing names and texts into its SQL.
//!
//! Data cross between DuckDB and the rest only as Parquet files and small single values.

use std::path::Path;

use arrow::datatypes::{DataType, TimeUnit};
use duckdb::{AccessMode, Config, Connection};

/// Memory that DuckDB may use before it spills to disk.
const MEMORY_LIMIT: &str = "1GB";

/// A database file with all threads of the machine; it spills beside itself.
pub(super) fn open_file(path: &Path) -> Result<Connection, duckdb::Error> {
    let spill = path.with_extension("tmp");
    let config = config()?.with("temp_directory", spill.display().to_string())?;
    in_utc(Connection::open_with_flags(path, config)?)
}

/// An empty database that is gone with its connection.
pub(super) fn open_memory() -> Result<Connection, duckdb::Error> {
    in_utc(Connection::open_in_memory_with_flags(config()?.threads(1)?)?)
}

/// An empty database that is gone with its connection, with all threads of the machine; it spills to a folder.
pub(super) fn open_scratch(spill: &Path) -> Result<Connection, duckdb::Error> {
    in_utc(Connection::open_in_memory_with_flags(config()?.with("temp_directory", spill.display().to_string())?)?)
}

/// A database file that is there, to be read only.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, duckdb::Error> {
    in_utc(Connection::open_with_flags(path, config()?.access_mode(AccessMode::ReadOnly)?)?)
}

/// Moments become `TIMESTAMP` in UTC, whatever the time zone of the machine.
///
/// Only a DuckDB with the extension `icu` has time zones, and the setting: the one that is compiled in knows UTC alone.
fn in_utc(connection: Connection) -> Result<Connection, duckdb::Error> {
    let zones = "SELECT count(*) > 0 FROM duckdb_settings() WHERE lower(name) = 'timezone'";
    if connection.query_row(zones, [], |row| row.get(0))? {
        connection.execute_batch("SET TimeZone = 'UTC'")?;
    }
    Ok(connection)
}

fn config() -> Result<Config, duckdb::Error> {
    let n_threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Config::default()
        .enable_autoload_extension(false)?
        .max_memory(MEMORY_LIMIT)?
        .threads(i64::try_from(n_threads).unwrap_or(1))?
        .with("preserve_insertion_order", "false")
}

/// A name in SQL.
pub(super) fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Names in SQL, separated by commas.
pub(super) fn names<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(name).collect::<Vec<_>>().join(", ")
}

/// A text in SQL.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The DuckDB type of a column of the lake, as models see it: moments are `TIMESTAMP` in UTC.
pub(super) fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Int64 => "BIGINT",
        DataType::Float64 => "DOUBLE",
        DataType::Boolean => "BOOLEAN",
        DataType::Date32 => "DATE",
        DataType::Timestamp(..) => "TIMESTAMP",
        _ => "VARCHAR",
    }
}

/// The DuckDB type of a column in a Parquet file of the lake.
pub(super) fn stored_type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Timestamp(..) => "TIMESTAMPTZ",
        other => type_name(other),
    }
}

/// The type that an entity's column of a DuckDB type gets; none if the type cannot be kept.
pub(super) fn entity_type(type_name: &str) -> Option<DataType> {
    let base = type_name.split('(').next().unwrap_or_default().trim();
    Some(match base {
        _ if type_name.ends_with(']') => return None,
        "VARCHAR" | "UUID" | "ENUM" => DataType::Utf8,
        "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "HUGEINT" | "UTINYINT" | "USMALLINT" | "UINTEGER"
        | "UBIGINT" | "UHUGEINT" => DataType::Int64,
        "FLOAT" | "DOUBLE" | "DECIMAL" => DataType::Float64,
        "BOOLEAN" => DataType::Boolean,
        "DATE" => DataType::Date32,
        "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS" | "TIMESTAMP_NS" | "TIMESTAMP WITH TIME ZONE" => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_break_out() {
        assert_eq!(names(["a", "b\"c"]), "\"a\", \"b\"\"c\"");
        assert_eq!(text("it's"), "'it''s'");
    }

    #[test]
    fn types_of_results_become_types_of_entities() {
        assert_eq!(entity_type("DECIMAL(18,3)"), Some(DataType::Float64));
        assert_eq!(entity_type("HUGEINT"), Some(DataType::Int64));
        assert_eq!(entity_type("VARCHAR[]"), None);
        assert_eq!(entity_type("STRUCT(a INTEGER)"), None);
    }
}
