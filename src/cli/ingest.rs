//! `svod run`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::context::Context;
use super::error::chain;
use super::{CliError, Place, output};
use crate::domain::language::Lang;
use crate::domain::number::{THIN_SPACE, format_number};
use crate::intake::{Intake, OnStep, Step, pull_and_refresh};
use crate::pipelines::{Pipeline, PipelineReport};
use crate::project::Project;
use crate::warehouse::{RefreshStep, Snapshot, WarehouseLock};

/// What to pull.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  svod run                       every pipeline
  svod run samara_appeals        one pipeline

Only new and changed files are read. A row that breaks a rule is kept in quarantine with its reason; the other
rows of its file go on. Started again after a kill, a run ends with the same lake.")]
pub(super) struct RunArguments {
    /// Pipelines by name; all of them if none is named
    #[arg(value_name = "PIPELINE")]
    pipelines: Vec<String>,
}

/// Pulls, checks, appends, refreshes, and tells what came in.
pub(super) fn run(place: &Place, arguments: &RunArguments) -> Result<(), CliError> {
    let context = Context::open(place)?;
    run_context(&context, arguments)
}

/// The same over an open warehouse.
pub(super) fn run_context(context: &Context, arguments: &RunArguments) -> Result<(), CliError> {
    let pipelines = pick(&context.project.pipelines, &arguments.pipelines)?;
    let lock = WarehouseLock::acquire(&context.data_dir).map_err(CliError::failed)?;
    let bar = progress_bar();
    let told = bar.clone();
    let on_step: OnStep = Arc::new(move |step| tell(&told, &step));
    let Context { project, data_dir, clock, .. } = context;
    let pulling = pull_and_refresh(project, data_dir, *clock, &pipelines, &lock, on_step);
    let Intake { reports, outcome } = context.block_on(pulling).map_err(CliError::failed)?;
    bar.finish_and_clear();
    print_reports(&reports);
    print_warnings(&reports);
    let snapshot = &outcome.snapshot;
    print_late(project, snapshot, &pipelines, clock.now());
    let state = if outcome.published { "published" } else { "unchanged: nothing new came in" };
    output::line(&format!("snapshot {} {state}", snapshot.number));
    let failures: Vec<String> = reports
        .iter()
        .flat_map(|report| &report.failures)
        .map(|failure| format!("error: {}: {}", failure.file, chain(&failure.error)))
        .collect();
    if failures.is_empty() {
        return Ok(());
    }
    for failure in &failures {
        output::error_line(failure);
    }
    Err(CliError::failed(format!("nothing was taken of {} files; the next run tries them again", failures.len())))
}

/// The named pipelines, or all.
fn pick<'a>(all: &'a [Pipeline], names: &[String]) -> Result<Vec<&'a Pipeline>, CliError> {
    if names.is_empty() { Ok(all.iter().collect()) } else { names.iter().map(|name| find(all, name)).collect() }
}

/// The pipeline of a name.
pub(super) fn find<'a>(all: &'a [Pipeline], name: &str) -> Result<&'a Pipeline, CliError> {
    all.iter().find(|pipeline| pipeline.name() == name).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(Pipeline::name).collect();
        CliError::argument(format!("there is no pipeline `{name}`, known: {}", known.join(", ")))
    })
}

/// A bar on a terminal; nothing where nobody watches.
pub(super) fn progress_bar() -> ProgressBar {
    if !output::is_watched() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {bytes}/{total_bytes}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Shows how far a run is.
pub(super) fn tell(bar: &ProgressBar, step: &Step<'_>) {
    match step {
        Step::Pulling(progress) => {
            bar.set_length(progress.n_bytes);
            bar.set_position(progress.n_bytes_read);
            bar.set_message(format!("{}: {}, {} rows", progress.pipeline, progress.file, progress.n_rows));
        }
        Step::Refreshing(step) => bar.set_message(words_of(step)),
    }
}

/// A step of a refresh in words.
pub(super) fn words_of(step: &RefreshStep) -> String {
    match step {
        RefreshStep::Folding { model, whole } if *whole => format!("{model}: folding all events"),
        RefreshStep::Folding { model, .. } => format!("{model}: folding new events"),
        RefreshStep::Folded { model } => format!("{model}: writing changed months"),
        RefreshStep::Written { model } => format!("{model}: committing"),
        RefreshStep::Committed { model } => format!("{model}: done"),
        RefreshStep::Publishing { snapshot } => format!("publishing snapshot {snapshot}"),
    }
}

fn print_reports(reports: &[PipelineReport]) {
    let count = |n_rows: u64| {
        #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
        let text = format_number(n_rows as f64, 0, Lang::En);
        text.replace(THIN_SPACE, " ")
    };
    let header = ["pipeline", "files", "read", "= accepted", "+ duplicate", "+ rejected", "events", "seconds"];
    let rows = reports.iter().map(|report| {
        vec![
            report.pipeline.clone(),
            report.files.to_string(),
            count(report.read),
            count(report.accepted),
            count(report.duplicate),
            count(report.rejected),
            count(report.events),
            format!("{:.2}", report.seconds),
        ]
    });
    output::line(&output::table(&header, rows, 1));
    for report in reports.iter().filter(|report| !report.reasons.is_empty()) {
        let reasons: Vec<String> = report.reasons.iter().map(|(rule, n_rows)| format!("{rule} {n_rows}")).collect();
        output::line(&format!("{}: rejected by rule: {}", report.pipeline, reasons.join(", ")));
    }
}

/// What marks the batches of a run.
fn print_warnings(reports: &[PipelineReport]) {
    for batch in reports.iter().flat_map(|report| &report.batches) {
        for warning in &batch.warnings {
            output::line(&format!("warning: {}: {}: {warning}", batch.pipeline, batch.file));
        }
    }
}

/// Which of the pipelines bring events later than their contract promises.
fn print_late(project: &Project, snapshot: &Snapshot, pipelines: &[&Pipeline], now: DateTime<Utc>) {
    for pipeline in pipelines {
        let last_event_at = snapshot.pipelines.get(pipeline.name()).and_then(|state| state.last_event_at);
        let Some(last_event_at) = last_event_at else { continue };
        let Some(since) = project.late_since(pipeline.name(), last_event_at, now) else { continue };
        let last = last_event_at.with_timezone(&project.settings.time_zone);
        output::line(&format!(
            "late: {}: the last event is of {}, newer ones were promised until {}",
            pipeline.name(),
            last.format("%d.%m.%Y %H:%M"),
            since.format("%d.%m.%Y %H:%M")
        ));
    }
}
