//! Rows of a query to a PostgreSQL database.
//!
//! One read-only transaction asks for the largest cursor value and copies the rows as CSV into a file, so that both see the same
//! state of the database. The file is one unit. Nothing that comes from a row becomes SQL but the cursor value, which is quoted and
//! cast to the type of its column.

mod connection;
mod copy;
mod error;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

pub use error::PostgresError;

use super::cursor::LateWindow;
use super::files::SourceFile;
use super::pulled::PulledFolder;
use super::{Next, Surroundings, Unit};
use crate::domain::short_hash::short_hash;
use crate::pipelines::FileError;
use crate::pipelines::source_declaration::SslMode;
use crate::pipelines::state::PipelineState;
use crate::secrets::Secret;

/// A declared query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresSource {
    /// The pipeline that reads it.
    pub pipeline: String,
    /// Where the connection string lies.
    pub connection: Secret,
    /// One SELECT.
    pub query: String,
    /// The columns that are fetched, as the query names them.
    pub columns: Vec<String>,
    /// How only what is new is asked for.
    pub cursor: Option<PostgresCursor>,
    /// Whether TLS is used; none: as the connection string says.
    pub ssl_mode: Option<SslMode>,
    /// More authorities to trust, relative to the project.
    pub ca_file: Option<String>,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long the server may work on a statement.
    pub statement_timeout: Duration,
    /// Zone of times without an offset.
    pub time_zone: chrono_tz::Tz,
}

/// How only what is new is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresCursor {
    /// The column whose largest value is remembered, as the query names it.
    pub column: String,
    /// How late a row may come in.
    pub late_window: Option<LateWindow>,
}

/// Where the next run goes on after a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// Hash of what was declared: where that changed, nothing is known of what comes after.
    declaration: String,
    /// Hash of the unit, so that the same answer is not brought in twice.
    unit: String,
    /// Largest cursor value, as the server writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// A query that is asked by one run.
#[derive(Debug)]
pub struct PostgresFeed {
    source: Arc<PostgresSource>,
    project: PathBuf,
    data_dir: PathBuf,
    /// The unit's file, which is gone when the next one is asked for.
    unit: Option<tempfile::NamedTempFile>,
    is_over: bool,
}

impl PostgresFeed {
    /// A feed that has asked nothing yet.
    #[must_use]
    pub fn new(source: Arc<PostgresSource>, around: Surroundings<'_>) -> Self {
        let (project, data_dir) = (around.project.to_owned(), around.data_dir.to_owned());
        Self { source, project, data_dir, unit: None, is_over: false }
    }

    /// The rows as one unit, then nothing. Blocks the thread, which belongs to a runtime.
    pub fn next(&mut self, state: &PipelineState) -> Next {
        self.unit = None;
        if std::mem::replace(&mut self.is_over, true) {
            return Next::End;
        }
        match self.pull(state) {
            Ok(Some(unit)) if unit.position == state.position => Next::Unchanged,
            Ok(Some(unit)) => Next::Unit(unit),
            Ok(None) => Next::End,
            Err(cause) => Next::Failed(self.name(), FileError::Postgres(cause)),
        }
    }

    /// How the query is called in records and sentences: the place of its connection string, since the string itself is secret.
    fn name(&self) -> String {
        match &self.source.connection {
            Secret::Env(name) => format!("postgres:{name}"),
            Secret::File(file) => format!("postgres:{file}"),
        }
    }

    fn pull(&mut self, state: &PipelineState) -> Result<Option<Unit>, PostgresError> {
        let folder = PulledFolder::open(&self.data_dir, &self.source.pipeline).map_err(PostgresError::Disk)?;
        let mut file = folder.file().map_err(PostgresError::Disk)?;
        let declaration = fingerprint(&self.source);
        let former = state.position.clone().and_then(|value| serde_json::from_value::<Position>(value).ok());
        let former = former.filter(|position| position.declaration == declaration);
        if state.position.is_some() && former.is_none() {
            tracing::warn!(
                pipeline = self.source.pipeline,
                "the declaration of the source changed; it is read from the start"
            );
        }
        let since = former.and_then(|position| position.cursor);
        let copied = Handle::current().block_on(async {
            let client = connection::connect(&self.source, &self.project).await?;
            copy::copy_rows(client, &self.source, since.as_deref(), file.as_file_mut()).await
        })?;
        if copied.n_rows == 0 {
            return Ok(None);
        }
        let file_of_unit = SourceFile { name: self.name(), path: file.path().to_owned() };
        let hash = file_of_unit.hash().map_err(PostgresError::Unit)?;
        let cursor = copied.largest.or(since);
        let position = Position { declaration, unit: hash.clone(), cursor };
        let position = serde_json::to_value(position).map_err(|error| PostgresError::Disk(error.into()))?;
        self.unit = Some(file);
        Ok(Some(Unit { file: file_of_unit, hash, position: Some(position) }))
    }
}

/// Hash of everything that decides which rows the query gives.
fn fingerprint(source: &PostgresSource) -> String {
    let cursor = source.cursor.as_ref().map(|cursor| &cursor.column);
    let declared = format!("{:?}", (&source.connection, &source.query, &source.columns, cursor));
    short_hash(&declared)
}
