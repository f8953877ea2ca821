//! A project: everything that is declared in its folder, read and checked together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::dashboards::Dashboard;
use crate::declarations::Problems;
use crate::indicators::Catalog;
use crate::pipelines::Pipeline;
use crate::settings::Settings;
use crate::warehouse::{Contracts, Model, Reference};
use chrono::{DateTime, NaiveDateTime, Utc};

/// All declarations of a project. Nothing in it changes after loading.
#[derive(Debug)]
pub struct Project {
    /// The folder with `svod.yaml`.
    pub root: PathBuf,
    /// `svod.yaml`.
    pub settings: Settings,
    /// `warehouse/reference/`.
    pub reference: Arc<Reference>,
    /// `warehouse/contracts/`.
    pub contracts: Contracts,
    /// `sql/models/`, and the entities that svod itself keeps.
    pub models: Vec<Model>,
    /// `pipelines/`.
    pub pipelines: Vec<Pipeline>,
    /// `sql/indicators/`.
    pub indicators: Arc<Catalog>,
    /// `dashboards/`, in their declared order.
    pub dashboards: Vec<Dashboard>,
}

impl Project {
    /// Reads and checks every declaration below `root`. Reads no data.
    ///
    /// # Errors
    /// All problems of all files at once. A file whose inputs could not be read is not checked against them.
    pub fn load(root: &Path) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let settings = problems.keep(Settings::load(root));
        let reference = problems.keep(Reference::load(root));
        let contracts = reference.as_ref().and_then(|lists| problems.keep(Contracts::load(root, lists)));
        let declared = reference.as_ref().zip(contracts.as_ref());
        let models = declared.and_then(|(lists, contracts)| problems.keep(Model::load_all(root, contracts, lists)));
        let pipelines = declared.zip(settings.as_ref()).and_then(|((lists, contracts), settings)| {
            problems.keep(Pipeline::load_all(root, settings, contracts, lists))
        });
        let shaped = reference.as_ref().zip(models.as_ref());
        let indicators = shaped.and_then(|(lists, models)| problems.keep(Catalog::load(root, models, lists)));
        let dashboards = shaped
            .zip(indicators.as_ref())
            .and_then(|((lists, _), catalog)| problems.keep(Dashboard::load_all(root, catalog, lists)));
        let parts = settings.zip(reference).zip(contracts).zip(models).zip(pipelines).zip(indicators).zip(dashboards);
        match parts {
            Some(((((((settings, reference), contracts), models), pipelines), indicators), dashboards))
                if problems.is_empty() =>
            {
                let root = root.to_owned();
                let (reference, indicators) = (Arc::new(reference), Arc::new(indicators));
                Ok(Self { root, settings, reference, contracts, models, pipelines, indicators, dashboards })
            }
            _ => Err(problems),
        }
    }
    /// Since when the events of a pipeline are later than their contract promises, in the region's time; none if they are not, or nothing
    /// is promised.
    #[must_use]
    pub fn late_since(
        &self,
        pipeline: &str,
        last_event_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<NaiveDateTime> {
        let pipeline = self.pipelines.iter().find(|known| known.name() == pipeline)?;
        let freshness = self.contracts.get(pipeline.contract())?.freshness?;
        let calendar = self.reference.working_calendar();
        freshness.late_since(last_event_at, now, &calendar, self.settings.time_zone)
    }
}
