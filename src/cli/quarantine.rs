//! `svod quarantine`.

use clap::{Args, Subcommand};

use super::context::Context;
use super::error::chain;
use super::ingest::{find, wait_for_lock, watch_run};
use super::query::{Format, of_query};
use super::sql::print_batches;
use super::{CliError, Place, output};
use crate::indicators::{RejectedQuery, Scope};
use crate::intake::{Intake, RunRequest, Starter, Task};
use crate::pipelines::RunError;

/// What to do with rejected rows.
#[derive(Debug, Subcommand)]
pub(super) enum QuarantineCommand {
    /// How many rows of each pipeline and file broke each rule, with an example
    List(ListArguments),
    /// The rejected rows of a pipeline: place, rule, sentence, and the row with personal values masked
    Show(ShowArguments),
    /// Read the files of a pipeline's rejected rows again, after the mapping or a code list was mended
    Retry(RetryArguments),
}

/// What to list.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod quarantine list
  svod quarantine list samara_appeals --format csv

What the newest batch of a file rejected is in quarantine; what earlier batches of the same file rejected is history.")]
pub(super) struct ListArguments {
    /// One pipeline; all of them if none is named
    #[arg(value_name = "PIPELINE")]
    pipeline: Option<String>,
    /// Number of an older snapshot
    #[arg(long, value_name = "N")]
    as_of: Option<u64>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Which rows to show.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod quarantine show samara_appeals --limit 20
  svod quarantine show samara_appeals --rule reference --format csv > to-mend.csv")]
pub(super) struct ShowArguments {
    /// The pipeline
    #[arg(value_name = "PIPELINE")]
    pipeline: String,
    /// One source file, as `svod quarantine list` names it
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// One rule
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Most rows
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Number of an older snapshot
    #[arg(long, value_name = "N")]
    as_of: Option<u64>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Which files to read again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod quarantine retry leningrad_journal
  svod quarantine retry leningrad_journal --file data-samples/leningrad/journal-2025-q1.csv

Rows in quarantine are masked, so the source file itself is read again, if it is still what it was. Rows that are in
the lake come out as duplicates, mended ones as accepted, broken ones as rejected, in one new batch per file.")]
pub(super) struct RetryArguments {
    /// The pipeline
    #[arg(value_name = "PIPELINE")]
    pipeline: String,
    /// One source file, as `svod quarantine list` names it
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
}

/// Runs one of the commands.
pub(super) fn quarantine(place: &Place, command: &QuarantineCommand) -> Result<(), CliError> {
    let context = Context::open(place)?;
    match command {
        QuarantineCommand::List(arguments) => list(&context, arguments),
        QuarantineCommand::Show(arguments) => show(&context, arguments),
        QuarantineCommand::Retry(arguments) => retry(&context, arguments),
    }
}

fn list(context: &Context, arguments: &ListArguments) -> Result<(), CliError> {
    let ListArguments { pipeline, as_of, format } = arguments;
    if let Some(name) = pipeline {
        find(&context.project.pipelines, name)?;
    }
    let wanted = RejectedQuery { pipeline: pipeline.clone(), as_of: *as_of, ..RejectedQuery::default() };
    let counts = context.block_on(context.engine.rejected_counts(&Scope::all(), &wanted)).map_err(of_query)?;
    if counts.iter().all(|batch| batch.num_rows() == 0) && *format == Format::Table {
        output::line("nothing is in quarantine");
        return Ok(());
    }
    print_batches(&counts, *format)
}

fn show(context: &Context, arguments: &ShowArguments) -> Result<(), CliError> {
    let ShowArguments { pipeline, file, rule, limit, as_of, format } = arguments;
    find(&context.project.pipelines, pipeline)?;
    let wanted = RejectedQuery {
        pipeline: Some(pipeline.clone()),
        file: file.clone(),
        rule: rule.clone(),
        limit: *limit,
        as_of: *as_of,
    };
    let rows = context.block_on(context.engine.rejected_rows(&Scope::all(), &wanted)).map_err(of_query)?;
    if rows.iter().all(|batch| batch.num_rows() == 0) && *format == Format::Table {
        let of_file = file.as_ref().map_or_else(String::new, |file| format!(" from `{file}`"));
        let of_rule = rule.as_ref().map_or_else(String::new, |rule| format!(" by the rule `{rule}`"));
        output::line(&format!("no row of `{pipeline}`{of_file}{of_rule} is in quarantine"));
        return Ok(());
    }
    print_batches(&rows, *format)
}

fn retry(context: &Context, arguments: &RetryArguments) -> Result<(), CliError> {
    let RetryArguments { pipeline, file } = arguments;
    let picked = find(&context.project.pipelines, pipeline)?;
    let request = RunRequest {
        started_by: Starter::at_terminal(),
        task: Task::Retry { file: file.clone() },
        ..RunRequest::of(vec![picked])
    };
    let lock = wait_for_lock(&context.data_dir)?;
    let Intake { mut reports, outcome, .. } = watch_run(context, &request, &context.data_dir, &lock)?;
    if let Some(stopped) = reports.iter_mut().find_map(|report| report.stopped.take()) {
        let is_argument = matches!(stopped, RunError::NotRejected { .. });
        return Err(if is_argument { CliError::argument(stopped) } else { CliError::failed(stopped) });
    }
    let failures: Vec<_> = reports.iter().flat_map(|report| &report.failures).collect();
    let batches: Vec<_> = reports.iter().flat_map(|report| &report.batches).collect();
    if batches.is_empty() && failures.is_empty() {
        output::line(&format!("nothing of `{pipeline}` is in quarantine"));
    }
    for batch in batches {
        output::line(&format!(
            "{}: {} rows read again: {} accepted, {} known already, {} still rejected",
            batch.file, batch.read, batch.accepted, batch.duplicate, batch.rejected
        ));
    }
    if let Some(outcome) = outcome {
        let state = if outcome.published { "published" } else { "unchanged" };
        output::line(&format!("snapshot {} {state}", outcome.snapshot.number));
    }
    for failure in &failures {
        output::error_line(&format!("error: {}", chain(&failure.error)));
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(CliError::failed(format!("{} files could not be read again; their rows stay in quarantine", failures.len())))
}
