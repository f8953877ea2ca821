//! `svod check`.

use super::{CliError, Place, output};
use crate::project::Project;

/// Checks all declarations and says how many there are.
pub(super) fn check(place: &Place) -> Result<(), CliError> {
    let project = Project::load(&place.project)?;
    output::line(&format!(
        "ok: {} pipelines, {} contracts, {} models, {} indicators, {} dashboards, {} code lists",
        project.pipelines.len(),
        project.contracts.iter().count(),
        project.models.len(),
        project.indicators.iter().count(),
        project.dashboards.len(),
        project.reference.names().count(),
    ));
    Ok(())
}
