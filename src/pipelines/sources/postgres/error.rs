//! Why a database does not give its rows. Neither the connection string nor a value of a row is ever repeated here.

use std::io;
use std::time::Duration;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::PostgresSource;
use crate::pipelines::sources::files::FilesError;
use crate::pipelines::sources::trust::TrustError;
use crate::secrets::SecretError;

/// Why a database does not give its rows.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The connection string cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The connection string is none.
    #[error(
        "the connection string is not readable; expected `postgres://user:password@host:5432/database` or `host=… user=… dbname=…`"
    )]
    ConnectionString,
    /// The mode of TLS in the connection string is none.
    #[error("the connection string has an unknown `sslmode`; known: disable, prefer, require, verify-ca, verify-full")]
    SslMode,
    /// Nobody can be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Nobody is there, or TLS fails.
    #[error("the database server cannot be reached")]
    Unreachable(#[source] Error),
    /// TLS is not to be had.
    #[error("no protected connection to the database server; see `sslmode` and `ca_file`")]
    Tls(#[source] Error),
    /// Wrong user, password or database.
    #[error("the database server lets nobody in: {0}; check the connection string")]
    NotLetIn(String),
    /// The query is wrong, or something is missing.
    #[error("the database refuses the query: {0}")]
    Refused(String),
    /// The query stumbled over data, whose message may be personal.
    #[error("the query failed over its data with SQLSTATE {0}; try it in psql")]
    Data(String),
    /// The query took too long.
    #[error("the query took longer than {}; see `statement_timeout`", humantime::format_duration(*.0))]
    TooSlow(Duration),
    /// The connection was lost.
    #[error("the connection to the database was lost; nothing of it is taken, the next run asks again")]
    Lost(#[source] Error),
    /// The query lacks a declared column.
    #[error("the query has no column `{column}`; it has {found}")]
    MissingColumn {
        /// The declared column.
        column: String,
        /// Columns of the query.
        found: String,
    },
    /// The cursor column has a type that does not grow.
    #[error(
        "the cursor `{column}` is of type {found}; expected a date, a timestamp, a whole or decimal number or a text"
    )]
    CursorType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// The disk does not take the rows.
    #[error("the rows cannot be kept on disk")]
    Disk(#[source] io::Error),
    /// The rows on the disk cannot be read.
    #[error(transparent)]
    Unit(FilesError),
}

impl PostgresError {
    /// What an error means that came while a connection was made.
    pub(super) fn of_connect(error: Error) -> Self {
        match (error.code(), error.as_db_error()) {
            (Some(_), Some(refusal)) => Self::NotLetIn(refusal.message().to_owned()),
            _ if is_about_tls(&error) => Self::Tls(error),
            _ => Self::Unreachable(error),
        }
    }

    /// What an error means that came from a statement.
    pub(super) fn of_statement(error: Error, source: &PostgresSource) -> Self {
        let Some(refusal) = error.as_db_error() else { return Self::Lost(error) };
        let code = refusal.code();
        match code.code().get(..2).unwrap_or_default() {
            _ if *code == SqlState::QUERY_CANCELED => Self::TooSlow(source.statement_timeout),
            // Connection, operator intervention, system error: the server went away.
            "08" | "57" | "58" => Self::Lost(error),
            // What is wrong with the query itself names tables and columns, never values.
            "42" | "3D" | "3F" | "0A" | "25" | "53" | "54" => Self::Refused(refusal.message().to_owned()),
            _ => Self::Data(code.code().to_owned()),
        }
    }
}

fn is_about_tls(error: &Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let is_tls = match inner {
            Some(inner) => inner.is::<rustls::Error>(),
            None => error.is::<rustls::Error>(),
        };
        if is_tls {
            return true;
        }
        cause = error.source();
    }
    error.to_string().contains("TLS")
}
