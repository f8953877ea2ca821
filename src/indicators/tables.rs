//! Where the engine finds the tables of a snapshot.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use datafusion::catalog::TableProvider;
use futures::future::BoxFuture;

use super::definitions::Definitions;
use super::error::QueryError;

/// What stands in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableContent {
    /// Events as they came.
    Events,
    /// One row per thing.
    Entities,
    /// Source rows that broke a rule.
    Rejected,
}

/// One snapshot, before any of its tables is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotHead {
    /// Number of the snapshot.
    pub number: u64,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Local date of the last event in it; what lies after it nobody has told yet.
    pub last_event_on: Option<NaiveDate>,
    /// Edition of the definitions that were kept with it.
    pub definitions: Option<String>,
    /// Its tables by name.
    pub tables: Vec<(String, TableContent)>,
}

impl SnapshotHead {
    /// Name of a table in SQL: its own, but `events_NAME` for events where entities have the same name.
    #[must_use]
    pub fn sql_name(&self, name: &str, content: TableContent) -> String {
        let is_taken = self.tables.contains(&(name.to_owned(), TableContent::Entities));
        if content == TableContent::Events && is_taken { format!("events_{name}") } else { name.to_owned() }
    }
}

/// Gives snapshots and their tables; the warehouse in the program, memory in tests.
pub trait TableSource: fmt::Debug + Send + Sync {
    /// A snapshot: the one of a number, or the latest.
    fn snapshot(&self, number: Option<u64>) -> BoxFuture<'_, Result<SnapshotHead, QueryError>>;

    /// A table of a snapshot, as it was then.
    fn open<'a>(
        &'a self,
        snapshot: u64,
        table: &'a str,
        content: TableContent,
    ) -> BoxFuture<'a, Result<Arc<dyn TableProvider>, QueryError>>;

    /// Definitions that were kept with a snapshot.
    fn definitions<'a>(&'a self, edition: &'a str) -> BoxFuture<'a, Result<Definitions, QueryError>>;
}
