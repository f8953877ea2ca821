//! `svod run --dry-run`: the run itself, on a copy of the data directory that is thrown away.

use std::sync::Arc;

use super::context::Context;
use super::headline::{Headline, headlines};
use super::ingest::{fail_if_any, print_reports, watch_run};
use super::{CliError, output};
use crate::indicators::Engine;
use crate::intake::{RunRequest, Trial};
use crate::pipelines::{ColumnDifference, PipelineReport};
use crate::warehouse::{Lake, WarehouseLock};

/// Tries a run and tells what it would have brought: rows, columns that are not as declared, headline figures before and after.
pub(super) fn try_run(context: &Context, request: &RunRequest<'_>, lock: WarehouseLock) -> Result<(), CliError> {
    let opening = Lake::open_at(&context.data_dir, context.project.settings.lake.as_ref());
    let lake = context.block_on(opening).map_err(CliError::failed)?;
    let trial = Trial::prepare(&context.data_dir, &lock).map_err(CliError::failed)?;
    context.block_on(lake.copy_to_disk(trial.data_dir())).map_err(CliError::failed)?;
    let Context { project, data_dir, clock, engine, .. } = context;
    let before = context.block_on(headlines(project, engine, data_dir, *clock))?;
    // From here on nobody has to wait: the copy has a lock of its own.
    drop(lock);
    let intake = watch_run(context, request, trial.data_dir(), trial.lock())?;
    let (catalog, reference) = (Arc::clone(&project.indicators), Arc::clone(&project.reference));
    let opening = Engine::new(catalog, reference, project.settings.time_zone, trial.data_dir(), *clock);
    let engine = context.block_on(opening).map_err(CliError::failed)?;
    let after = context.block_on(headlines(project, &engine, trial.data_dir(), *clock))?;
    print_reports(&intake.reports);
    print_differences(&intake.reports);
    print_changes(&before, &after);
    output::line("dry run: nothing was written to the lake, the state or the snapshots");
    fail_if_any(&intake)
}

fn print_differences(reports: &[PipelineReport]) {
    let names = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    for ColumnDifference { file, undeclared, missing } in reports.iter().flat_map(|report| &report.differences) {
        if !undeclared.is_empty() {
            output::line(&format!("{file}: columns that nobody declared: {}", names(undeclared)));
        }
        if !missing.is_empty() {
            output::line(&format!(
                "{file}: declared columns that are not there or without any value: {}",
                names(missing)
            ));
        }
    }
    let n_different = reports.iter().map(|report| report.differences.len()).sum::<usize>();
    if n_different == 0 {
        output::line("columns: as declared in all files read");
    }
}

fn print_changes(before: &[Headline], after: &[Headline]) {
    let rows = after.iter().map(|tile| {
        let same = |other: &&Headline| (&other.dashboard, &other.title) == (&tile.dashboard, &tile.title);
        let earlier = before.iter().find(same);
        [
            tile.dashboard.clone(),
            tile.title.clone(),
            earlier.map(Headline::shown).unwrap_or_default(),
            tile.shown(),
            tile.change_from(earlier),
        ]
    });
    output::line(&output::table(&["сводка", "показатель", "было", "станет", "изменение"], rows, 9));
}
