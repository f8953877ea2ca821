//! One transaction: what is there, the largest cursor value, the rows.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::pin::pin;

use futures::TryStreamExt;
use postgres_protocol::escape::{escape_identifier, escape_literal};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Column, IsolationLevel};

use super::{PostgresCursor, PostgresError, PostgresSource};
use crate::pipelines::sources::cursor::LateWindow;

/// What was copied.
#[derive(Debug)]
pub(super) struct Copied {
    /// Rows.
    pub(super) n_rows: u64,
    /// Largest cursor value, as the server writes it.
    pub(super) largest: Option<String>,
}

/// Copies the rows from a cursor value on as CSV into a file.
pub(super) async fn copy_rows(
    mut client: Client,
    source: &PostgresSource,
    since: Option<&str>,
    file: &mut File,
) -> Result<Copied, PostgresError> {
    let wrong = |error| PostgresError::of_statement(error, source);
    let transaction = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let transaction = transaction.start().await.map_err(wrong)?;
    let settings = format!(
        "SET LOCAL statement_timeout = {}; SET LOCAL TimeZone = {}; SET LOCAL DateStyle = 'ISO, YMD'; \
         SET LOCAL standard_conforming_strings = on",
        source.statement_timeout.as_millis().clamp(1, i32::MAX.unsigned_abs().into()),
        escape_literal(source.time_zone.name()),
    );
    transaction.batch_execute(&settings).await.map_err(wrong)?;
    let rows = format!("FROM (\n{}\n) AS source_rows", source.query);
    let described = transaction.prepare(&format!("SELECT * {rows}")).await.map_err(wrong)?;
    let columns = select_list(source, described.columns())?;
    let (mut condition, mut largest) = (String::new(), None);
    if let Some(cursor) = &source.cursor {
        let cursor = TypedCursor::new(cursor, described.columns())?;
        if let Some(since) = since {
            condition = format!(" WHERE {} >= {}", cursor.expression, cursor.from(since));
        }
        let largest_of = format!("SELECT MAX({}){} {rows}{condition}", cursor.expression, cursor.until_now());
        let row = transaction.query_one(&format!("SELECT ({largest_of})::text"), &[]).await.map_err(wrong)?;
        largest = row.try_get::<_, Option<String>>(0).map_err(wrong)?;
    }
    let copy = format!("COPY (SELECT {columns} {rows}{condition}) TO STDOUT (FORMAT csv, HEADER)");
    let mut stream = pin!(transaction.copy_out(&copy).await.map_err(wrong)?);
    let mut output = BufWriter::with_capacity(1 << 20, file);
    // The server sends one message per row, and one for the header.
    let mut n_messages = 0;
    while let Some(bytes) = stream.try_next().await.map_err(wrong)? {
        output.write_all(&bytes).map_err(PostgresError::Disk)?;
        n_messages += 1;
    }
    output.flush().map_err(PostgresError::Disk)?;
    // Nothing was written, so there is nothing to commit; dropping the transaction ends it.
    Ok(Copied { n_rows: u64::saturating_sub(n_messages, 1), largest })
}

/// The declared columns. Truth values are written out, since CSV would have them as `t` and `f`.
fn select_list(source: &PostgresSource, found: &[Column]) -> Result<String, PostgresError> {
    let mut list = Vec::with_capacity(source.columns.len());
    for name in &source.columns {
        let column = find(name, found)?;
        let quoted = escape_identifier(name);
        let is_boolean = *column.type_() == Type::BOOL;
        list.push(if is_boolean { format!("{quoted}::text AS {quoted}") } else { quoted });
    }
    Ok(list.join(", "))
}

fn find<'a>(name: &str, found: &'a [Column]) -> Result<&'a Column, PostgresError> {
    found.iter().find(|column| column.name() == name).ok_or_else(|| {
        let names: Vec<String> = found.iter().map(|column| format!("`{}`", column.name())).collect();
        PostgresError::MissingColumn { column: name.to_owned(), found: names.join(", ") }
    })
}

/// A cursor whose type the server has told.
struct TypedCursor<'a> {
    cursor: &'a PostgresCursor,
    data_type: Type,
    /// The column as SQL.
    expression: String,
}

impl<'a> TypedCursor<'a> {
    fn new(cursor: &'a PostgresCursor, found: &[Column]) -> Result<Self, PostgresError> {
        let data_type = find(&cursor.column, found)?.type_().clone();
        let quoted = escape_identifier(&cursor.column);
        let expression = match data_type {
            Type::INT2 | Type::INT4 | Type::INT8 | Type::NUMERIC | Type::DATE | Type::TIMESTAMP | Type::TIMESTAMPTZ => {
                quoted
            }
            // Characters are compared as they are, whatever the language of the database.
            Type::TEXT | Type::VARCHAR | Type::BPCHAR => format!("{quoted}::text COLLATE \"C\""),
            other => {
                return Err(PostgresError::CursorType {
                    column: cursor.column.clone(),
                    found: other.name().to_owned(),
                });
            }
        };
        Ok(Self { cursor, data_type, expression })
    }

    /// The value from which late rows are asked for again, as SQL.
    fn from(&self, since: &str) -> String {
        let value = match self.data_type {
            Type::TEXT | Type::VARCHAR | Type::BPCHAR => return format!("{} COLLATE \"C\"", escape_literal(since)),
            _ => format!("{}::{}", escape_literal(since), self.data_type.name()),
        };
        match self.cursor.late_window {
            Some(LateWindow::Steps(steps)) => format!("{value} - {steps}"),
            Some(LateWindow::Time(time)) => format!("{value} - interval '{} seconds'", time.as_secs()),
            None => value,
        }
    }

    /// Leaves out what lies in the future: a typing error in a year must not make the table look as if it were read to its end.
    fn until_now(&self) -> String {
        match self.data_type {
            Type::DATE | Type::TIMESTAMP | Type::TIMESTAMPTZ => format!(" FILTER (WHERE {} <= now())", self.expression),
            _ => String::new(),
        }
    }
}
