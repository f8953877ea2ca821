//! Every indicator of a project, loaded once and checked.

use std::path::Path;
use std::sync::Arc;

use datafusion::execution::context::SessionContext;
use indexmap::IndexMap;

use super::check::{Surroundings, check, check_coverage};
use super::declaration::RawIndicator;
use super::entity::{Entity, entities_of};
use super::indicator::Indicator;
use super::working_days::working_days;
use crate::declarations::{Problems, Source, list_files};
use crate::warehouse::models::Model;
use crate::warehouse::reference::Reference;

/// Folder of the indicators inside a project.
pub const INDICATORS_FOLDER: &str = "sql/indicators";

/// The indicators of a project and the entities that they are computed over.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    indicators: IndexMap<String, Arc<Indicator>>,
    entities: Vec<Arc<Entity>>,
}

impl Catalog {
    /// Reads and checks every file of [`INDICATORS_FOLDER`] against the models and code lists.
    ///
    /// # Errors
    /// Every problem of every file, and of every dimension of a model.
    pub fn load(project: &Path, models: &[Model], reference: &Reference) -> Result<Self, Problems> {
        let context = SessionContext::new();
        context.register_udf(working_days(reference));
        let mut problems = Problems::new();
        let entities = problems.keep(entities_of(&context, models)).unwrap_or_default();
        if entities.is_empty() {
            return Err(problems);
        }
        let mut indicators: IndexMap<String, Arc<Indicator>> = IndexMap::new();
        let mut coverages = Vec::new();
        let surroundings = Surroundings { context: &context, entities: &entities, reference };
        for path in list_files(project, INDICATORS_FOLDER, ".yaml")? {
            let checked = Source::read(project, &path).and_then(|source| {
                let raw: RawIndicator = source.parse()?;
                let coverage = raw.coverage.clone();
                let indicator = check(&source, raw, &surroundings)?;
                coverages.extend(coverage.map(|coverage| (source, coverage)));
                Ok(indicator)
            });
            if let Some(indicator) = problems.keep(checked) {
                indicators.insert(indicator.id.clone(), Arc::new(indicator));
            }
        }
        for (source, coverage) in &coverages {
            let find = |id: &str| indicators.get(id).map(AsRef::as_ref);
            if let Err(problem) = check_coverage(source, coverage, find, indicators.keys().map(String::as_str)) {
                problems.push(problem);
            }
        }
        problems.into_result(Self { indicators, entities })
    }

    /// One indicator.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Indicator> {
        self.indicators.get(id).map(AsRef::as_ref)
    }

    /// All indicators, sorted by identifier.
    pub fn iter(&self) -> impl Iterator<Item = &Indicator> {
        self.indicators.values().map(AsRef::as_ref)
    }

    /// All entities, in the order of their models, the built-in one last.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.iter().map(AsRef::as_ref)
    }
}
