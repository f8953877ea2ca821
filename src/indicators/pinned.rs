//! Engines beside an engine: the same snapshots at another moment, under other definitions.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use futures::future::BoxFuture;

use super::catalog::Catalog;
use super::definitions::Definitions;
use super::engine::Engine;
use super::error::QueryError;
use super::tables::{SnapshotHead, TableContent, TableSource};
use crate::clock::Clock;

impl Engine {
    /// The same engine under other definitions, for instance those of an earlier time.
    #[must_use]
    pub fn with_definitions(&self, catalog: Arc<Catalog>) -> Self {
        let definitions = Definitions { catalog, ..Definitions::clone(&self.definitions) };
        self.under(Arc::new(definitions))
    }

    /// The same engine under the definitions that were kept with a snapshot.
    pub(super) fn under(&self, definitions: Arc<Definitions>) -> Self {
        self.beside(Arc::clone(&self.source), definitions, self.clock)
    }

    /// An engine for which one snapshot is the latest and one moment the present.
    pub(super) fn pinned(&self, snapshot: u64, moment: DateTime<Utc>) -> Self {
        let source = Pinned { source: Arc::clone(&self.source), snapshot };
        self.beside(Arc::new(source), Arc::clone(&self.definitions), Clock::Fixed(moment))
    }

    /// An engine with the memory and the open tables of this one.
    fn beside(&self, source: Arc<dyn TableSource>, definitions: Arc<Definitions>, clock: Clock) -> Self {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            definitions,
            source,
            time_zone: self.time_zone,
            clock,
            context: self.context.clone(),
            open: Mutex::new(open),
            kept: Mutex::default(),
        }
    }

    /// The same engine over other tables; none of the open ones is kept.
    pub(super) fn over_tables(&self, source: Arc<dyn TableSource>) -> Self {
        let engine = self.beside(source, Arc::clone(&self.definitions), self.clock);
        engine.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
        engine
    }
}

/// The snapshots of a source, of which one is always meant.
#[derive(Debug)]
struct Pinned {
    source: Arc<dyn TableSource>,
    snapshot: u64,
}

impl TableSource for Pinned {
    fn snapshot(&self, _: Option<u64>) -> BoxFuture<'_, Result<SnapshotHead, QueryError>> {
        self.source.snapshot(Some(self.snapshot))
    }

    fn open<'a>(
        &'a self,
        snapshot: u64,
        table: &'a str,
        content: TableContent,
    ) -> BoxFuture<'a, Result<Arc<dyn TableProvider>, QueryError>> {
        self.source.open(snapshot, table, content)
    }

    fn definitions<'a>(&'a self, edition: &'a str) -> BoxFuture<'a, Result<Definitions, QueryError>> {
        self.source.definitions(edition)
    }
}
