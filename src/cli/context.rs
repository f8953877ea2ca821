//! What the commands that read the warehouse have in common.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::{CliError, Place};
use crate::clock::Clock;
use crate::indicators::Engine;
use crate::project::Project;
use crate::warehouse::Lake;

/// A loaded project, its data directory and an engine over its snapshots.
pub(super) struct Context {
    pub(super) project: Arc<Project>,
    pub(super) data_dir: PathBuf,
    pub(super) clock: Clock,
    pub(super) engine: Engine,
    pub(super) runtime: Runtime,
}

impl Context {
    /// Loads the project and opens its warehouse.
    pub(super) fn open(place: &Place) -> Result<Self, CliError> {
        let project = Arc::new(Project::load(&place.project)?);
        let clock = Clock::from_environment();
        let data_dir = place.data_dir.clone();
        let runtime = start_runtime()?;
        let (catalog, reference) = (Arc::clone(&project.indicators), Arc::clone(&project.reference));
        let opening = Lake::open_at(&data_dir, project.settings.lake.as_ref());
        let lake = runtime.block_on(opening).map_err(CliError::failed)?;
        let time_zone = project.settings.time_zone;
        let engine =
            Engine::over_lake(lake, catalog, reference, time_zone, &data_dir, clock).map_err(CliError::failed)?;
        Ok(Self { project, data_dir, clock, engine, runtime })
    }

    /// Waits for asynchronous work.
    pub(super) fn block_on<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }
}

/// The threads on which asynchronous work runs.
pub(super) fn start_runtime() -> Result<Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::failed)
}
