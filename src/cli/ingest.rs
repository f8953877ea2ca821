//! `svod run`.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::context::Context;
use super::dry_run::try_run;
use super::{CliError, Place, output};
use crate::domain::language::Lang;
use crate::domain::number::{THIN_SPACE, format_number};
use crate::domain::period::Period;
use crate::intake::{Intake, OnStep, RunRequest, Starter, Step, pull_and_refresh};
use crate::pipelines::{Pipeline, PipelineReport, RunOptions};
use crate::project::Project;
use crate::warehouse::{RefreshStep, Snapshot, WarehouseLock};

/// What to pull.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  svod run                                               every pipeline
  svod run samara_appeals                                one pipeline
  svod run samara_appeals --since 2025-01 --until 2025-06     rows of these months again
  svod run samara_appeals --full                         everything again
  svod run --dry-run                                     what a run would bring, and nothing stays of it

Only new and changed files are read. A row that breaks a rule is kept in quarantine with its reason; the other
rows of its file go on. Started again after a kill, a run ends with the same lake.

--since and --until consider all files again, unchanged ones too. A row is taken if one of its event dates lies in
the period, both ends included; other rows are counted apart and not as read. A row without a readable date is
judged in any case. --full reads all files again: rows that are in the lake come out as duplicates, and events that
the source no longer has stay, since the lake is append-only.")]
pub(super) struct RunArguments {
    /// Pipelines by name; all of them if none is named
    #[arg(value_name = "PIPELINE")]
    pipelines: Vec<String>,
    /// First day, month, quarter or year of which rows are taken: 2025, 2025-Q1, 2025-03, 2025-03-15
    #[arg(long, value_name = "POINT")]
    since: Option<String>,
    /// Last day, month, quarter or year of which rows are taken, included
    #[arg(long, value_name = "POINT")]
    until: Option<String>,
    /// Read everything of the named pipelines again, whatever was read before
    #[arg(long, conflicts_with_all = ["since", "until"], requires = "pipelines")]
    full: bool,
    /// Show what a run would do, on a copy of the data directory that is thrown away
    #[arg(long)]
    dry_run: bool,
}

impl RunArguments {
    /// What is taken.
    fn options(&self) -> Result<RunOptions, CliError> {
        let period = match (&self.since, &self.until) {
            (None, None) => None,
            (since, until) => {
                let since = since.as_deref().unwrap_or(EARLIEST);
                Some(Period::parse(since, until.as_deref().unwrap_or(LATEST)).map_err(CliError::argument)?)
            }
        };
        Ok(RunOptions { period, full: self.full, compare_columns: self.dry_run, ..RunOptions::default() })
    }
}

/// Where a period begins or ends that is open.
const EARLIEST: &str = "1900";
const LATEST: &str = "9999";

/// Pulls, checks, appends, refreshes, and tells what came in.
pub(super) fn run(place: &Place, arguments: &RunArguments) -> Result<(), CliError> {
    let context = Context::open(place)?;
    run_context(&context, arguments)
}

/// The same over an open warehouse.
pub(super) fn run_context(context: &Context, arguments: &RunArguments) -> Result<(), CliError> {
    let pipelines = pick(&context.project.pipelines, &arguments.pipelines)?;
    let options = arguments.options()?;
    let request = RunRequest { started_by: Starter::at_terminal(), options, ..RunRequest::of(pipelines) };
    let lock = wait_for_lock(&context.data_dir)?;
    if arguments.dry_run {
        return try_run(context, &request, lock);
    }
    let intake = watch_run(context, &request, &context.data_dir, &lock)?;
    print_reports(&intake.reports);
    print_warnings(&intake.reports);
    if let Some(outcome) = &intake.outcome {
        print_late(&context.project, &outcome.snapshot, &request.pipelines, context.clock.now());
        let state = if outcome.published { "published" } else { "unchanged: nothing new came in" };
        output::line(&format!("snapshot {} {state}", outcome.snapshot.number));
    }
    for warning in &intake.record.warnings {
        output::error_line(&format!("warning: {}", warning.get(Lang::En)));
    }
    fail_if_any(&intake)
}

/// The right to write the warehouse, once whoever has it gives it back.
pub(super) fn wait_for_lock(data_dir: &Path) -> Result<WarehouseLock, CliError> {
    if let Some(lock) = WarehouseLock::try_acquire(data_dir).map_err(CliError::failed)? {
        return Ok(lock);
    }
    output::error_line("another run is writing the warehouse; this one waits for its end");
    WarehouseLock::acquire(data_dir).map_err(CliError::failed)
}

/// Runs with a progress bar where somebody watches.
pub(super) fn watch_run(
    context: &Context,
    request: &RunRequest<'_>,
    data_dir: &Path,
    lock: &WarehouseLock,
) -> Result<Intake, CliError> {
    let bar = progress_bar();
    let told = bar.clone();
    let on_step: OnStep = Arc::new(move |step| tell(&told, &step));
    let pulling = pull_and_refresh(&context.project, data_dir, context.clock, request, lock, on_step);
    let intake = context.block_on(pulling).map_err(CliError::failed)?;
    bar.finish_and_clear();
    Ok(intake)
}

/// Tells every failure of a run, and is one if there are any.
pub(super) fn fail_if_any(intake: &Intake) -> Result<(), CliError> {
    let failures = intake.record.pipelines.iter().flat_map(|run| &run.failures);
    let n_failures = failures.map(|failure| output::error_line(&format!("error: {}", failure.get(Lang::En)))).count();
    let n_stopped = intake.reports.iter().filter(|report| report.stopped.is_some()).count();
    if n_failures == 0 {
        return Ok(());
    }
    if n_stopped > 0 {
        return Err(CliError::failed(format!(
            "{n_stopped} pipelines stopped before their end; the next run goes on from there"
        )));
    }
    Err(CliError::failed(format!("nothing was taken of {n_failures} files; the next run tries them again")))
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

pub(super) fn print_reports(reports: &[PipelineReport]) {
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
    for report in reports.iter().filter(|report| report.outside > 0) {
        output::line(&format!("{}: {} rows of other days left alone", report.pipeline, count(report.outside)));
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
