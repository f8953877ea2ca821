//! Sending rejected rows through again, after the mapping, a code list or a contract was mended.
//!
//! Quarantine keeps rows masked, so the source file itself is read again, if it still is what it was: rows that are in the
//! lake come out as duplicates, mended ones as accepted, broken ones as rejected. This makes one new batch per file; what
//! the newest batch of a file rejected is what is in quarantine, and the older batch stays in the history.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use tokio::task::spawn_blocking;

use super::errors::{FileError, RunError};
use super::packed::Part;
use super::pipeline::Pipeline;
use super::report::{FileFailure, PipelineReport};
use super::run::{RunContext, open_unit, prepare, run_part};
use crate::warehouse::lake::BatchRecord;

/// Reads every file of a pipeline again that has rows in quarantine, or one of them.
///
/// # Errors
/// [`RunError`], also if `only` has no rejected rows. A file that is gone or has changed is a [`FileFailure`] of the report, and
/// the others go on.
pub async fn retry_units(
    context: &RunContext<'_>,
    pipeline: &Pipeline,
    only: Option<&str>,
    report: &mut PipelineReport,
) -> Result<(), RunError> {
    let started = Instant::now();
    let name = || pipeline.name.clone();
    let (contract, state_path, mut state) = prepare(context, pipeline).await?;
    let lake_error = |cause| RunError::Lake { pipeline: name(), file: contract.table.clone(), cause };
    let version = context.lake.version(&contract.table).await.map_err(lake_error)?.unwrap_or(-1);
    let records = context.lake.batches_between(&contract.table, -1, version).await.map_err(lake_error)?;
    let mut told = BTreeSet::new();
    let wanted = pick(still_rejected(records, &pipeline.name), only, &pipeline.name).map_err(|error| *error)?;
    for record in wanted {
        if let Some(cause) = context.options.stop.reason() {
            return Err(RunError::Interrupted { pipeline: name(), file: record.file, cause });
        }
        let file = record.file.clone();
        let outcome = match find_part(context, pipeline, record).await? {
            Ok(part) => run_part(context, pipeline, contract, &part, state.next_batch, true, &mut told).await?,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(unit) => {
                state.note(&unit.batch);
                state.save(&state_path).map_err(|cause| RunError::State { pipeline: name(), cause })?;
                report.add(unit);
            }
            Err(error) => report.failures.push(FileFailure { file, error }),
        }
    }
    report.seconds = started.elapsed().as_secs_f64();
    report.stages.read = (report.seconds - report.stages.commit).max(0.0);
    Ok(())
}

/// The newest batch of each file, where it rejected rows.
fn still_rejected(records: Vec<BatchRecord>, pipeline: &str) -> BTreeMap<String, BatchRecord> {
    let mut newest: BTreeMap<String, BatchRecord> = BTreeMap::new();
    for record in records.into_iter().filter(|record| record.pipeline == pipeline) {
        let is_newer = newest.get(&record.file).is_none_or(|known| known.number < record.number);
        if is_newer {
            newest.insert(record.file.clone(), record);
        }
    }
    newest.retain(|_, record| record.rejected > 0);
    newest
}

/// The batches to try again, oldest first.
fn pick(
    mut rejected: BTreeMap<String, BatchRecord>,
    only: Option<&str>,
    pipeline: &str,
) -> Result<Vec<BatchRecord>, Box<RunError>> {
    let mut picked: Vec<BatchRecord> = match only {
        None => rejected.into_values().collect(),
        Some(file) => vec![rejected.remove(file).ok_or_else(|| {
            let files: Vec<String> = rejected.keys().map(|file| format!("`{file}`")).collect();
            let known = match files.as_slice() {
                [] => "nothing is in it".to_owned(),
                files => format!("rows of these files are: {}", files.join(", ")),
            };
            Box::new(RunError::NotRejected { pipeline: pipeline.to_owned(), file: file.to_owned(), known })
        })?],
    };
    picked.sort_by_key(|record| record.number);
    Ok(picked)
}

/// The file of a batch, or the member of an archive, if it is what the batch read.
async fn find_part(
    context: &RunContext<'_>,
    pipeline: &Pipeline,
    record: BatchRecord,
) -> Result<Result<Part, FileError>, RunError> {
    let (source, project, file) = (pipeline.source.clone(), context.project.to_owned(), record.file.clone());
    let found = spawn_blocking(move || source.find(&project, &file)).await;
    let stopped = |cause| RunError::Stopped { pipeline: pipeline.name.clone(), file: record.file.clone(), cause };
    let unit = match found.map_err(stopped)? {
        Ok(Some(unit)) if unit.hash == record.file_hash => unit,
        Ok(Some(_)) => {
            let (file, pipeline) = (record.file, pipeline.name.clone());
            return Ok(Err(FileError::Replaced { file, pipeline, batch: record.number }));
        }
        Ok(None) => return Ok(Err(FileError::Gone { file: record.file })),
        Err(error) => return Ok(Err(error)),
    };
    let parts = open_unit(unit, pipeline).await?;
    Ok(parts.and_then(|parts| {
        let part = parts.into_iter().find(|part| part.unit.file.name == record.file);
        part.ok_or(FileError::Gone { file: record.file })
    }))
}
