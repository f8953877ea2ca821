//! A refresh: from new events in the lake to a published snapshot.
//!
//! ```text
//! versions of the event tables ─▶ fold each model (DuckDB, one transaction) ─▶ write its dirty months (Parquet)
//!   ─▶ commit them (Delta, one commit per entity) ─▶ forget that they were dirty ─▶ publish the manifest (one rename)
//! ```
//!
//! Each step can be the last before the process dies: the next refresh finds what is still to be done.

mod error;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::clock::Clock;
use crate::domain::calendar::WorkingCalendar;

use super::contracts::Contracts;
use super::entities::{Entities, EventTable, Folding, Progress};
use super::lake::{Lake, LakeError, MonthChanges, TableKind};
use super::lock::WarehouseLock;
use super::models::Model;
use super::reference::Reference;
use super::snapshot::{Snapshot, SnapshotError, Snapshots, TableVersion, table_key};
use super::stopwatch::Stopwatch;

pub use error::RefreshError;
use work::plan_work;

/// Name of the DuckDB file inside the data directory; it can be deleted, the next refresh makes it from the lake.
pub const DATABASE_FILE: &str = "warehouse.duckdb";

/// Called at each step of a refresh, from several threads.
pub type RefreshProgress = Arc<dyn Fn(&RefreshStep) + Send + Sync>;

/// A step that a refresh has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshStep {
    /// A model is about to be folded; `whole` if all events are read.
    Folding {
        /// The model.
        model: String,
        /// Whether all events are read.
        whole: bool,
    },
    /// A model is folded in DuckDB.
    Folded {
        /// The model.
        model: String,
    },
    /// Changed months of a model lie beside its table.
    Written {
        /// The model.
        model: String,
    },
    /// Changed months of a model are committed.
    Committed {
        /// The model.
        model: String,
    },
    /// All tables are ready, the manifest is about to be published.
    Publishing {
        /// Number of the snapshot.
        snapshot: u64,
    },
}

/// What a refresh needs.
#[derive(Clone, Copy)]
pub struct RefreshContext<'a> {
    /// The data directory.
    pub data_dir: &'a Path,
    /// The project whose declarations are kept with the snapshot, if they are to be.
    pub project: Option<&'a Path>,
    /// Its lake.
    pub lake: &'a Lake,
    /// Contracts of the event tables.
    pub contracts: &'a Contracts,
    /// The code lists, for their working calendar.
    pub reference: &'a Reference,
    /// The models; the built-in one is added.
    pub models: &'a [Model],
    /// Time zone of local dates of runs and of the last event.
    pub time_zone: Tz,
    /// The clock of `published_at`.
    pub clock: Clock,
    /// Told about each step.
    pub progress: &'a RefreshProgress,
}

/// What a refresh did.
#[derive(Debug, Clone)]
pub struct RefreshOutcome {
    /// The latest snapshot.
    pub snapshot: Snapshot,
    /// Whether it is one that this refresh published; if not, nothing had changed.
    pub published: bool,
    /// Models that were folded, with whether all of their events were read.
    pub folded: Vec<(String, bool)>,
    /// Models whose published table was changed, with the number of months that were written anew.
    pub written: Vec<(String, usize)>,
}

/// Brings the entities up to the events in the lake and publishes a snapshot, if anything changed.
///
/// The lock is proof that nobody else writes the warehouse.
///
/// # Errors
/// [`RefreshError`]; the last published snapshot stays what it was, and the next refresh goes on from there.
pub async fn refresh(context: RefreshContext<'_>, lock: &WarehouseLock) -> Result<RefreshOutcome, RefreshError> {
    let mut watch = Stopwatch::start("*");
    let path = context.data_dir.join(DATABASE_FILE);
    let mut models = context.models.to_vec();
    models.push(Model::runs());
    let models = Arc::new(models);
    let tables = event_tables(&context).await?;
    watch.lap("versions of the event tables");
    let opened = blocking({
        let (path, models, calendar) = (path.clone(), Arc::clone(&models), context.reference.working_calendar());
        move || open_entities(&path, &models, &calendar)
    });
    let (entities, progress) = opened.await?;
    watch.lap("opening DuckDB");
    let work = plan_work(&context, &models, &tables, progress).await?;
    watch.lap("plan");
    let folded: Vec<(String, bool)> =
        work.models.iter().map(|model| (model.name.clone(), model.folding == Folding::Whole)).collect();
    let is_small = !folded.iter().any(|(_, is_whole)| *is_whole);
    let folding = blocking({
        let (lake, models, tables, time_zone) =
            (context.lake.clone(), Arc::clone(&models), tables.clone(), context.time_zone);
        let (progress, path) = (Arc::clone(context.progress), path.clone());
        move || work.run(entities, &path, &models, &tables, &lake, time_zone, &progress)
    });
    let (mut entities, written) = folding.await?;
    watch.lap("fold and write");
    let moment = context.clock.now().timestamp_millis();
    let mut changed = Vec::new();
    for (index, changes) in written {
        let model = &models[index];
        changed.push((model.name.clone(), n_months_of(&changes)));
        context.lake.change_months(&model.name, &model.columns, &changes, moment).await?;
        (context.progress)(&RefreshStep::Committed { model: model.name.clone() });
        entities = blocking({
            let (models, path) = (Arc::clone(&models), path.clone());
            move || match entities.clear_dirty(&models[index]) {
                Ok(()) => Ok(entities),
                Err(cause) => Err(RefreshError::Database { path, cause }),
            }
        })
        .await?;
    }
    watch.lap("Delta commits");
    let closing = blocking(move || {
        let pipelines = entities.pipelines();
        let closed = entities.close(&path, is_small);
        let read = pipelines.and_then(|pipelines| closed.map(|()| pipelines));
        read.map_err(|cause| RefreshError::Database { path, cause })
    });
    let pipelines = closing.await?;
    watch.lap("closing DuckDB");
    let last_event_at = pipelines.values().filter_map(|state| state.last_event_at).max();
    let snapshots = Snapshots::new(context.data_dir);
    let latest = snapshots.latest()?;
    let snapshot = Snapshot {
        number: latest.as_ref().map_or(1, |latest| latest.number + 1),
        published_at: context.clock.now(),
        tables: table_versions(context.lake, &models, &tables).await?,
        pipelines,
        last_event_on: last_event_at.map(|moment| moment.with_timezone(&context.time_zone).date_naive()),
        models_hash: hash_of(&models),
        definitions: context
            .project
            .map(|project| snapshots.keep_definitions(project))
            .transpose()
            .map_err(SnapshotError::from)?,
    };
    watch.lap("versions and definitions of the snapshot");
    context.lake.trim_cache(lock)?;
    if let Some(latest) = latest.filter(|latest| is_same(latest, &snapshot)) {
        return Ok(RefreshOutcome { snapshot: latest, published: false, folded, written: changed });
    }
    (context.progress)(&RefreshStep::Publishing { snapshot: snapshot.number });
    context.lake.keep_manifest(snapshot.number, snapshots.text_of(&snapshot)?).await?;
    snapshots.publish(&snapshot)?;
    Ok(RefreshOutcome { snapshot, published: true, folded, written: changed })
}

/// How many months are changed.
fn n_months_of(changes: &MonthChanges) -> usize {
    let replaced = changes.replaced.iter().flatten();
    let patched = changes.patched.iter().map(|file| &file.month);
    let written = changes.files.iter().map(|file| &file.month);
    replaced.chain(patched).chain(written).collect::<BTreeSet<_>>().len()
}

/// Runs work that blocks on a thread where it may; a panic there goes on here.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RefreshError> + Send + 'static,
) -> Result<T, RefreshError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(RefreshError::Stopped),
    }
}

fn open_entities(
    path: &Path,
    models: &[Model],
    calendar: &WorkingCalendar,
) -> Result<(Entities, Vec<Progress>), RefreshError> {
    let opened = Entities::open(path).and_then(|entities| {
        entities.keep_working_days(calendar)?;
        let progress = models.iter().map(|model| entities.progress(model)).collect::<Result<_, _>>()?;
        Ok((entities, progress))
    });
    opened.map_err(|cause| RefreshError::Database { path: path.to_owned(), cause })
}

/// The event tables of all contracts at their latest version.
async fn event_tables(context: &RefreshContext<'_>) -> Result<Arc<Vec<EventTable>>, RefreshError> {
    let mut tables = Vec::new();
    for contract in context.contracts.iter() {
        let version = context.lake.version(&contract.table).await?;
        let files = match version {
            Some(version) => context.lake.files(&contract.table, version).await?,
            None => Vec::new(),
        };
        tables.push(EventTable { contract: contract.clone(), version: version.unwrap_or(-1), files });
    }
    Ok(Arc::new(tables))
}

/// Versions of all tables: of events as they were folded, of entities as they were committed.
async fn table_versions(
    lake: &Lake,
    models: &[Model],
    tables: &[EventTable],
) -> Result<BTreeMap<String, TableVersion>, RefreshError> {
    let mut versions = BTreeMap::new();
    let mut add = |kind: TableKind, name: &str, version: i64, rows: u64| {
        let key = table_key(kind, name);
        let path = format!("{}/{key}", super::lake::LAKE_FOLDER);
        versions.insert(key, TableVersion { kind, name: name.to_owned(), path, version, rows });
    };
    for table in tables.iter().filter(|table| table.version >= 0) {
        let rows = table.files.iter().map(|file| file.rows).sum();
        add(TableKind::Event, &table.contract.table, table.version, rows);
    }
    for model in models {
        if let Some((version, rows)) = lake.entity_version(&model.name).await? {
            add(TableKind::Entity, &model.name, version, rows);
        }
    }
    Ok(versions)
}

/// Hash of all models together.
fn hash_of(models: &[Model]) -> String {
    let mut hasher = blake3::Hasher::new();
    for model in models {
        hasher.update(model.name.as_bytes());
        hasher.update(model.hash.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Whether two snapshots show the same.
fn is_same(one: &Snapshot, other: &Snapshot) -> bool {
    one.tables == other.tables && one.models_hash == other.models_hash && one.definitions == other.definitions
}

/// Deletes the DuckDB file, so that the next refresh folds every model from the lake.
///
/// # Errors
/// [`RefreshError::Lake`] if the file is there and cannot be deleted.
pub fn forget_entities(data_dir: &Path, _lock: &WarehouseLock) -> Result<(), RefreshError> {
    let path = data_dir.join(DATABASE_FILE);
    for path in [path.with_extension("duckdb.wal"), path] {
        if path.exists() {
            fs_err::remove_file(path).map_err(LakeError::from)?;
        }
    }
    Ok(())
}
