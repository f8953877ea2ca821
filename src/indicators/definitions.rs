//! What figures are computed by: the indicators of a project with the code lists that they name.

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;

use super::catalog::Catalog;
use crate::declarations::Problems;
use crate::domain::calendar::WorkingCalendar;
use crate::warehouse::{Contracts, Model, Reference};

/// The indicators and code lists of one time.
#[derive(Debug, Clone)]
pub struct Definitions {
    /// The indicators.
    pub catalog: Arc<Catalog>,
    /// The code lists.
    pub reference: Arc<Reference>,
    /// Edition of the files, where they were kept with a snapshot; none for those of the project.
    pub edition: Option<String>,
    pub(super) calendar: WorkingCalendar,
}

impl Definitions {
    /// The definitions of a loaded project.
    pub(super) fn of(catalog: Arc<Catalog>, reference: Arc<Reference>) -> Self {
        let calendar = reference.working_calendar();
        Self { catalog, reference, edition: None, calendar }
    }

    /// The edition of the policy of lights on a day.
    pub(super) fn policy_on(&self, day: NaiveDate) -> Option<&str> {
        self.catalog.policy()?.edition_on(day).map(|rule| rule.id.as_str())
    }

    /// The definitions in a folder that holds the files of a project.
    pub(super) fn load(folder: &Path, edition: &str) -> Result<Self, Problems> {
        let reference = Reference::load(folder)?;
        let contracts = Contracts::load(folder, &reference)?;
        let models = Model::load_all(folder, &contracts, &reference)?;
        let catalog = Catalog::load(folder, &models, &reference)?;
        Ok(Self { edition: Some(edition.to_owned()), ..Self::of(Arc::new(catalog), Arc::new(reference)) })
    }
}
