//! The tables of published snapshots, read from the lake at the versions that the snapshot names.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{cast, col};
use datafusion::prelude::ParquetReadOptions;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::definitions::Definitions;
use super::error::QueryError;
use super::tables::{SnapshotHead, TableContent, TableSource};
use crate::pipelines::quarantine::quarantine_schema;
use crate::warehouse::lake::{Lake, QUARANTINE_FOLDER, TableKind};
use crate::warehouse::models::RUNS;
use crate::warehouse::snapshot::{Snapshot, Snapshots, TableVersion};

/// The snapshots of one data directory.
#[derive(Debug)]
pub(super) struct LakeTables {
    lake: Lake,
    snapshots: Snapshots,
}

impl LakeTables {
    /// The snapshots of a lake, whose manifests lie below a data directory.
    pub(super) fn new(lake: Lake, data_dir: &Path) -> Self {
        Self { lake, snapshots: Snapshots::new(data_dir) }
    }

    /// A published manifest.
    fn manifest(&self, number: Option<u64>) -> Result<Snapshot, QueryError> {
        let unreadable = |error| QueryError::Snapshots(Box::new(error));
        let Some(number) = number else {
            return self.snapshots.latest().map_err(unreadable)?.ok_or(QueryError::NoSnapshot);
        };
        if let Some(manifest) = self.snapshots.get(number).map_err(unreadable)? {
            return Ok(manifest);
        }
        let latest = self.snapshots.numbers().map_err(unreadable)?.last().copied();
        Err(QueryError::UnknownSnapshot { number, latest })
    }

    /// A Delta table as it was at a version, with its list of files in memory.
    async fn delta(&self, table: &TableVersion) -> Result<Arc<dyn TableProvider>, Box<dyn Error + Send + Sync>> {
        let opened = self.lake.load_version(table.kind, &table.name, table.version).await?;
        let files = Arc::new(opened.snapshot()?.snapshot().clone());
        Ok(Arc::new(opened.table_provider().with_eager_snapshot(files).build().await?))
    }

    /// The rows that are still rejected in a snapshot: those of the newest batch of each pipeline and file. A file that no
    /// batch names is left over from a run that was killed.
    async fn rejected(&self, runs: &TableVersion) -> Result<Arc<dyn TableProvider>, Box<dyn Error + Send + Sync>> {
        let context = SessionContext::new();
        if let Some((url, store)) = self.lake.object_store() {
            context.register_object_store(&url, store);
        }
        let texts = ["pipeline", "file", "quarantine"].map(|name| cast(col(name), DataType::Utf8));
        let columns = texts.into_iter().chain([col("batch")]).collect::<Vec<_>>();
        let mut newest: BTreeMap<(String, String), (i64, Option<String>)> = BTreeMap::new();
        for rows in context.read_table(self.delta(runs).await?)?.select(columns)?.collect().await? {
            let [pipelines, files, names] = [0, 1, 2].map(|index| rows.column(index).as_string::<i32>());
            let numbers = rows.column(3).as_primitive::<Int64Type>();
            for row in 0..rows.num_rows() {
                let batch = newest.entry((pipelines.value(row).to_owned(), files.value(row).to_owned())).or_default();
                if batch.0 < numbers.value(row) {
                    *batch = (numbers.value(row), names.is_valid(row).then(|| names.value(row).to_owned()));
                }
            }
        }
        let named = newest.into_iter().filter_map(|((pipeline, _), (_, name))| Some((pipeline, name?)));
        let files: Vec<String> = named
            .map(|(pipeline, name)| self.lake.address_of(&self.lake.quarantine_folder(&pipeline).join(name)))
            .collect();
        let schema = quarantine_schema();
        if files.is_empty() {
            return Ok(Arc::new(MemTable::try_new(schema, vec![Vec::new()])?));
        }
        let options = ParquetReadOptions::default().schema(&schema);
        Ok(context.read_parquet(files, options).await?.into_view())
    }
}

impl TableSource for LakeTables {
    fn snapshot(&self, number: Option<u64>) -> BoxFuture<'_, Result<SnapshotHead, QueryError>> {
        async move {
            let manifest = self.manifest(number)?;
            let content = |kind| match kind {
                TableKind::Event => TableContent::Events,
                TableKind::Entity => TableContent::Entities,
            };
            let tables = manifest.tables.into_values().map(|table| (table.name, content(table.kind)));
            let rejected = (QUARANTINE_FOLDER.to_owned(), TableContent::Rejected);
            Ok(SnapshotHead {
                number: manifest.number,
                published_at: manifest.published_at,
                last_event_on: manifest.last_event_on,
                // A new server over a lake in a bucket has none of before.
                definitions: manifest.definitions.filter(|edition| self.snapshots.definitions_folder(edition).is_dir()),
                tables: tables.chain(std::iter::once(rejected)).collect(),
            })
        }
        .boxed()
    }

    fn open<'a>(
        &'a self,
        snapshot: u64,
        table: &'a str,
        content: TableContent,
    ) -> BoxFuture<'a, Result<Arc<dyn TableProvider>, QueryError>> {
        async move {
            let manifest = self.manifest(Some(snapshot))?;
            let version = |kind, name: &str| {
                manifest.table(kind, name).ok_or_else(|| QueryError::NoTable { snapshot, table: name.to_owned() })
            };
            let opened = match content {
                TableContent::Events => self.delta(version(TableKind::Event, table)?).await,
                TableContent::Entities => self.delta(version(TableKind::Entity, table)?).await,
                TableContent::Rejected => self.rejected(version(TableKind::Entity, RUNS)?).await,
            };
            opened.map_err(|cause| QueryError::Open { table: table.to_owned(), cause })
        }
        .boxed()
    }

    fn definitions<'a>(&'a self, edition: &'a str) -> BoxFuture<'a, Result<Definitions, QueryError>> {
        let folder = self.snapshots.definitions_folder(edition);
        let owned = edition.to_owned();
        async move {
            let unreadable = |cause| QueryError::NoDefinitions { edition: edition.to_owned(), cause };
            let loading = tokio::task::spawn_blocking(move || Definitions::load(&folder, &owned));
            match loading.await {
                Ok(loaded) => loaded.map_err(|problems| unreadable(Box::new(problems))),
                Err(stopped) => Err(unreadable(Box::new(stopped))),
            }
        }
        .boxed()
    }
}
