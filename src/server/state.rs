//! What every handler may use.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;

use super::assets::assets_hash;
use super::error::ApiError;
use super::metrics::Metrics;
use super::push::Desks;
use crate::clock::Clock;
use crate::dashboards::{Freshness, Sources};
use crate::declarations::list_files;
use crate::indicators::Engine;
use crate::intake::Runner;
use crate::project::Project;
use crate::warehouse::{Snapshot, Snapshots};

/// Folders of a project whose files decide what an answer looks like, with the endings of these files.
const DECLARED: [(&str, &str); 11] = [
    ("", ".yaml"),
    ("dashboards", ".yaml"),
    ("pipelines", ".yaml"),
    ("sql/indicators", ".yaml"),
    ("sql/models", ".yaml"),
    ("sql/models", ".sql"),
    ("warehouse/contracts", ".yaml"),
    ("warehouse/plans", ".csv"),
    ("warehouse/plans", ".yaml"),
    ("warehouse/policies", ".yaml"),
    ("warehouse/reference", ".csv"),
];

/// The application; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    project: Arc<Project>,
    engine: Engine,
    snapshots: Snapshots,
    data_dir: PathBuf,
    clock: Clock,
    metrics: Metrics,
    desks: Desks,
    declarations_hash: String,
    runner: Arc<Runner>,
}

impl App {
    /// An application over a project and its data directory.
    #[must_use]
    pub fn new(project: Arc<Project>, engine: Engine, snapshots: Snapshots, data_dir: PathBuf, clock: Clock) -> Self {
        let declarations_hash = hash_declarations(&project.root);
        let metrics = Metrics::new();
        let desks = Desks::open(&project, &data_dir);
        let runner = Runner::new(Arc::clone(&project), data_dir.clone(), clock);
        Self(Arc::new(Parts { project, engine, snapshots, data_dir, clock, metrics, desks, declarations_hash, runner }))
    }

    /// Everything declared.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.0.project
    }

    /// Computes figures.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// What the widgets of a snapshot are made from.
    #[must_use]
    pub fn sources(&self, snapshot: &Snapshot) -> Sources<'_> {
        let last_event_at = snapshot.last_event_at();
        let freshness = Freshness { last_event_at, last_event_on: snapshot.last_event_on };
        Sources { engine: self.engine(), freshness, today: self.today() }
    }

    /// Folder of run-time state.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.0.data_dir
    }

    /// The source of the present moment.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.clock
    }

    /// Today in the region's time zone.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.0.clock.today(self.0.project.settings.time_zone)
    }

    /// The server's own counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Where pushed rows are taken.
    #[must_use]
    pub(super) fn desks(&self) -> &Desks {
        &self.0.desks
    }

    /// Runs in the background, and the history of all.
    #[must_use]
    pub fn runner(&self) -> &Arc<Runner> {
        &self.0.runner
    }

    /// A hash over the declarations, the front end and the program's version.
    #[must_use]
    pub fn declarations_hash(&self) -> &str {
        &self.0.declarations_hash
    }

    /// The published snapshots, oldest first.
    ///
    /// # Errors
    /// `ApiError::Failed`, if a manifest cannot be read.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>, ApiError> {
        self.0.snapshots.list().map_err(ApiError::failed)
    }

    /// The snapshot with this number, or the last one; none if nothing was ever published.
    ///
    /// # Errors
    /// `ApiError::Unknown`, if there is no snapshot of this number.
    pub fn snapshot(&self, number: Option<u64>) -> Result<Option<Snapshot>, ApiError> {
        let Some(number) = number else { return self.0.snapshots.latest().map_err(ApiError::failed) };
        if let Some(snapshot) = self.0.snapshots.get(number).map_err(ApiError::failed)? {
            return Ok(Some(snapshot));
        }
        let last = self.0.snapshots.latest().map_err(ApiError::failed)?;
        let advice = last.map_or("none was published yet".to_owned(), |last| format!("the last is `{}`", last.number));
        Err(ApiError::Unknown { kind: "snapshot", id: number.to_string(), advice })
    }
}

/// Changes with every file that decides what an answer looks like; a file that cannot be read counts as empty.
fn hash_declarations(root: &Path) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes()).update(assets_hash().as_bytes());
    for (folder, ending) in DECLARED {
        for file in list_files(root, folder, ending).unwrap_or_default() {
            hasher.update(file.to_string_lossy().as_bytes());
            hasher.update(&fs_err::read(root.join(&file)).unwrap_or_default());
        }
    }
    hasher.finalize().to_hex().to_string()
}
