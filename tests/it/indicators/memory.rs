//! A workbench for indicators: the shipped models and code lists, indicators of a test's own, tables in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use svod::clock::Clock;
use svod::declarations::Problems;
use svod::domain::figure::State;
use svod::indicators::{
    Catalog, Definitions, Engine, Figures, INDICATORS_FOLDER, Query, QueryError, Scope, SnapshotHead, TableContent,
    TableSource,
};
use svod::warehouse::contracts::Contracts;
use svod::warehouse::models::Model;
use svod::warehouse::reference::Reference;
use tempfile::TempDir;

use crate::support::project_root;

/// The shipped code lists and models, read once.
static SHIPPED: LazyLock<(Arc<Reference>, Vec<Model>)> = LazyLock::new(|| {
    let reference = Reference::load(&project_root()).unwrap();
    let contracts = Contracts::load(&project_root(), &reference).unwrap();
    let models = Model::load_all(&project_root(), &contracts, &reference).unwrap();
    (Arc::new(reference), models)
});

/// The shipped code lists.
pub(crate) fn reference() -> Arc<Reference> {
    Arc::clone(&SHIPPED.0)
}

/// The shipped indicators.
pub(crate) fn shipped_catalog() -> Catalog {
    Catalog::load(&project_root(), &SHIPPED.1, &SHIPPED.0).unwrap()
}

/// A catalog of a test's own indicators over the shipped models.
pub(crate) fn catalog_of(indicators: &[(&str, &str)]) -> Result<Catalog, Problems> {
    let files: Vec<_> = indicators.iter().map(|(id, text)| (format!("{INDICATORS_FOLDER}/{id}.yaml"), *text)).collect();
    catalog_with(&files.iter().map(|(path, text)| (path.as_str(), *text)).collect::<Vec<_>>())
}

/// A catalog of a test's own files over the shipped models.
pub(crate) fn catalog_with(files: &[(&str, &str)]) -> Result<Catalog, Problems> {
    let folder = TempDir::new().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    Catalog::load(folder.path(), &SHIPPED.1, &SHIPPED.0)
}

/// A whole declaration from the lines that matter, which start at line 2.
pub(crate) fn declaration(id: &str, lines: &str) -> String {
    let text = "{ru: а, en: a}";
    format!(
        "indicator: {id}\n{lines}\ntitle: {text}\ndescription: {text}\nunit: \"642\"\ndirection: up\n\
         passport: {{method: {text}, source: {text}, owner: {text}, periodicity: {text}}}\n"
    )
}

/// The moment of a test's query, in Samara the 10th of April 2024.
pub(crate) fn now() -> DateTime<Utc> {
    "2024-04-10T08:00:00Z".parse().unwrap()
}

/// Snapshots in memory: tables of entities and of events by name.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    snapshots: Vec<BTreeMap<(String, bool), Arc<MemTable>>>,
}

impl Memory {
    /// One snapshot whose entity tables have these rows; fields that a row does not name are null.
    pub(crate) fn of(catalog: &Catalog, tables: &[(&str, Value)]) -> Self {
        Self::default().and(catalog, tables)
    }

    /// One more snapshot.
    pub(crate) fn and(mut self, catalog: &Catalog, tables: &[(&str, Value)]) -> Self {
        let mut snapshot = BTreeMap::new();
        for entity in catalog.entities() {
            let rows = tables.iter().find(|(name, _)| *name == entity.name()).map(|(_, rows)| rows);
            let batch = batch_of(entity.columns(), rows.unwrap_or(&Value::Array(Vec::new())));
            let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
            snapshot.insert((entity.name().to_owned(), true), Arc::new(table));
        }
        self.snapshots.push(snapshot);
        self
    }

    /// The last snapshot with a table of events as well.
    pub(crate) fn with_events(mut self, name: &str, batch: RecordBatch) -> Self {
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
        self.snapshots.last_mut().unwrap().insert((name.to_owned(), false), Arc::new(table));
        self
    }
}

/// Rows as the engine reads them.
pub(crate) fn batch_of(columns: &SchemaRef, rows: &Value) -> RecordBatch {
    let fields: Vec<Field> = columns.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let rows = rows.as_array().unwrap();
    let mut decoder = arrow::json::ReaderBuilder::new(Arc::clone(&schema))
        .with_batch_size(rows.len().max(1))
        .with_strict_mode(true)
        .build_decoder()
        .unwrap();
    decoder.serialize(rows).unwrap();
    decoder.flush().unwrap().unwrap_or_else(|| RecordBatch::new_empty(schema))
}

impl TableSource for Memory {
    fn snapshot(&self, number: Option<u64>) -> BoxFuture<'_, Result<SnapshotHead, QueryError>> {
        let latest = self.snapshots.len() as u64;
        let number = number.unwrap_or(latest);
        let found = self.snapshots.get((number as usize).wrapping_sub(1));
        let head = found.ok_or(QueryError::UnknownSnapshot { number, latest: Some(latest) }).map(|tables| {
            let content = |is_entity| if is_entity { TableContent::Entities } else { TableContent::Events };
            SnapshotHead {
                number,
                // The first on the 1st of February 2024, each next one a month later.
                published_at: format!("2024-{:02}-01T00:00:00Z", number + 1).parse().unwrap(),
                last_event_on: None,
                definitions: None,
                tables: tables.keys().map(|(name, is_entity)| (name.clone(), content(*is_entity))).collect(),
            }
        });
        async { head }.boxed()
    }

    fn open<'a>(
        &'a self,
        snapshot: u64,
        table: &'a str,
        content: TableContent,
    ) -> BoxFuture<'a, Result<Arc<dyn TableProvider>, QueryError>> {
        async move {
            let tables = &self.snapshots[snapshot as usize - 1];
            match tables.get(&(table.to_owned(), content == TableContent::Entities)) {
                Some(found) => Ok(Arc::clone(found) as Arc<dyn TableProvider>),
                None => Err(QueryError::NoTable { snapshot, table: table.to_owned() }),
            }
        }
        .boxed()
    }

    fn definitions<'a>(&'a self, edition: &'a str) -> BoxFuture<'a, Result<Definitions, QueryError>> {
        async move { Err(QueryError::NoDefinitions { edition: edition.to_owned(), cause: "none were kept".into() }) }
            .boxed()
    }
}

/// An engine over tables in memory, on [`now`].
pub(crate) fn engine_over(catalog: Catalog, memory: Memory) -> Engine {
    engine_at(catalog, memory, now(), &std::env::temp_dir().join("svod-indicator-tests"))
}

/// An engine over tables in memory, at a moment.
pub(crate) fn engine_at(catalog: Catalog, memory: Memory, moment: DateTime<Utc>, data_dir: &Path) -> Engine {
    let zone = chrono_tz::Europe::Samara;
    Engine::over(Arc::new(memory), Arc::new(catalog), reference(), zone, data_dir, Clock::Fixed(moment)).unwrap()
}

/// An engine over the shipped indicators.
pub(crate) fn shipped_engine(tables: &[(&str, Value)]) -> Engine {
    let catalog = shipped_catalog();
    let memory = Memory::of(&catalog, tables);
    engine_over(catalog, memory)
}

/// Figures of a query that has an answer.
pub(super) async fn ask(engine: &Engine, query: Query) -> Figures {
    engine.query(&Scope::all(), &query).await.unwrap()
}

/// Figures as `keys bucket value` lines; a value that is not there is its state, one that may change has `*`,
/// an absent key is `–`.
pub(crate) fn lines(figures: &Figures) -> Vec<String> {
    let line = |row: &svod::indicators::FigureRow| {
        let mut parts: Vec<String> = row.keys.iter().map(|key| key.clone().unwrap_or_else(|| "–".to_owned())).collect();
        parts.extend(row.bucket.map(|bucket| bucket.to_string()));
        parts.push(match (row.figure.value, row.figure.state) {
            (Some(value), State::Value) => format!("{}", (value * 1e6).round() / 1e6),
            (Some(value), State::Provisional) => format!("{}*", (value * 1e6).round() / 1e6),
            (None, State::Missing) => "missing".to_owned(),
            (None, State::NotDue) => "not due".to_owned(),
            (None, State::NotReported) => "not reported".to_owned(),
            other => panic!("{other:?}"),
        });
        parts.join(" ")
    };
    figures.rows.iter().map(line).collect()
}
