//! `svod rebuild`.

use std::sync::Arc;

use clap::Args;

use super::context::Context;
use super::ingest::words_of;
use super::progress::Steps;
use super::{CliError, Place, output};
use crate::intake::refresh_context;
use crate::warehouse::refresh::{RefreshProgress, forget_entities};
use crate::warehouse::{Lake, RefreshOutcome, TableKind, WarehouseLock, refresh};

/// Nothing to choose.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod rebuild

Folds every entity from the events of the lake again. Readers keep the last snapshot until the new one is there.
Months that come out as they were are not written, and where all do, no snapshot is published.")]
pub(super) struct RebuildArguments {}

/// Folds every model from all events and says what differed.
pub(super) fn rebuild(place: &Place) -> Result<(), CliError> {
    let context = Context::open(place)?;
    let lock = WarehouseLock::acquire(&context.data_dir).map_err(CliError::failed)?;
    let steps = Arc::new(Steps::start());
    let told = Arc::clone(&steps);
    let progress: RefreshProgress = Arc::new(move |step| told.tell(&words_of(step)));
    let outcome = context.block_on(async {
        let opening = Lake::open_at(&context.data_dir, context.project.settings.lake.as_ref());
        let lake = opening.await.map_err(CliError::failed)?;
        forget_entities(&context.data_dir, &lock).map_err(CliError::failed)?;
        let refreshing = refresh_context(&context.project, &context.data_dir, context.clock, &lake, &progress);
        refresh(refreshing, &lock).await.map_err(CliError::failed)
    })?;
    steps.finish();
    print_outcome(&outcome);
    Ok(())
}

fn print_outcome(outcome: &RefreshOutcome) {
    let snapshot = &outcome.snapshot;
    let n_events: u64 =
        snapshot.tables.values().filter(|table| table.kind == TableKind::Event).map(|table| table.rows).sum();
    let rows = outcome.folded.iter().map(|(model, _)| {
        let n_rows = snapshot.entity(model).map_or(0, |table| table.rows);
        let n_months = outcome.written.iter().find(|(name, _)| name == model).map_or(0, |(_, n_months)| *n_months);
        [model.clone(), n_rows.to_string(), n_months.to_string()]
    });
    output::line(&output::table(&["entity", "rows", "months that differed"], rows, 1));
    let built = format!("{} entities rebuilt from {n_events} events", outcome.folded.len());
    let number = snapshot.number;
    output::line(&if outcome.published {
        format!("{built}; snapshot {number} published")
    } else {
        format!("{built}: nothing differs from snapshot {number}, which stays the latest")
    });
}
