//! Opening DuckDB, and writing names and texts into its SQL.
//!
//! Data cross between DuckDB and the rest only as Parquet files and small single values.

use std::path::Path;

use arrow::datatypes::{DataType, TimeUnit};
use duckdb::{AccessMode, Config, Connection};

/// Memory that DuckDB may use before it spills to disk.
const MEMORY_LIMIT: &str = "1GB";
/// Size of its log from which on DuckDB moves changes into the file at a commit. A refresh decides at its end
/// whether it does so; after each of its models the same row groups would be written again and again.
const CHECKPOINT_THRESHOLD: &str = "1GB";
/// Bytes of the three headers that every database file begins with.
const HEADER_BYTES: u64 = 3 * 4096;

/// A database file with all threads of the machine; it spills beside itself.
///
/// A file that ends before its headers was never finished: the disk was full, or the process was killed as it was made. It is made again.
pub(super) fn open_file(path: &Path) -> Result<Connection, duckdb::Error> {
    if fs_err::metadata(path).is_ok_and(|metadata| metadata.len() < HEADER_BYTES) {
        // What cannot be removed cannot be opened either, which is told then.
        let _ = fs_err::remove_file(path);
    }
    let spill = path.with_extension("tmp");
    let config = config()?
        .with("temp_directory", spill.display().to_string())?
        .with("checkpoint_threshold", CHECKPOINT_THRESHOLD)?;
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
    fn a_file_that_was_never_finished_is_made_again_and_a_finished_one_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.duckdb");
        for n_bytes in [0, 1, 4096, 8192, 12_287] {
            fs_err::write(&path, vec![7; n_bytes]).unwrap();
            open_file(&path).unwrap().execute_batch("CREATE OR REPLACE TABLE t AS SELECT 1 AS n").unwrap();
            let n: i64 = open_file(&path).unwrap().query_row("SELECT n FROM t", [], |row| row.get(0)).unwrap();
            assert_eq!(n, 1, "{n_bytes}");
            assert!(fs_err::metadata(&path).unwrap().len() >= HEADER_BYTES);
        }
    }

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
