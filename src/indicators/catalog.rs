//! Every indicator of a project, loaded once and checked.

use std::path::Path;
use std::sync::Arc;

use datafusion::execution::context::SessionContext;
use indexmap::IndexMap;

use super::check::{Surroundings, check, check_coverage};
use super::declaration::RawIndicator;
use super::entity::{Entity, entities_of};
use super::indicator::Indicator;
use super::planned::Plans;
use super::policy::LightPolicy;
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
    plans: Arc<Plans>,
    policy: Option<Arc<LightPolicy>>,
}

impl Catalog {
    /// Reads and checks every file of [`INDICATORS_FOLDER`] against the models and code lists, then the plans and the policy of
    /// lights.
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
        let plans = problems.keep(Plans::load(project, &indicators, reference)).unwrap_or_default();
        let policy = problems.keep(LightPolicy::load(project)).flatten().map(Arc::new);
        problems.into_result(Self { indicators, entities, plans: Arc::new(plans), policy })
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

    /// What is planned for the indicators.
    #[must_use]
    pub fn plans(&self) -> &Plans {
        &self.plans
    }

    /// The policy by which lights are given, where one is declared.
    #[must_use]
    pub fn policy(&self) -> Option<&LightPolicy> {
        self.policy.as_deref()
    }

    /// The same catalogue with another indicator in place of the one of its name.
    pub(super) fn with(&self, indicator: Indicator) -> Self {
        let mut catalog = self.clone();
        catalog.indicators.insert(indicator.id.clone(), Arc::new(indicator));
        catalog
    }

    /// All entities, in the order of their models, the built-in one last.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.iter().map(AsRef::as_ref)
    }
}
