//! One run of a pipeline: what its source has that is new, each unit as one batch, each member of an archive as one of its own.
//!
//! A unit is decoded on one thread, mapped and checked on another, and encoded on the writer's threads, block after block, so memory does not depend
//! on its size. It is committed as a whole or not at all; after that the state is written. A run that is killed anywhere and started again ends with the same lake.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use chrono::{DateTime, Utc};
use tokio::task::{JoinHandle, spawn_blocking};

use super::assemble::{AskKnown, Assembler, Origin};
use super::columns::ColumnComparison;
use super::errors::{FileError, RunError};
use super::formats::Block;
use super::identity::KnownMonth;
use super::mapping::Mapper;
use super::moment::ZoneClock;
use super::options::RunOptions;
use super::packed::{Part, parts};
use super::pipeline::Pipeline;
use super::pseudonym::PseudonymKey;
use super::quality::Quality;
use super::quarantine::Quarantine;
use super::report::{FileFailure, PipelineReport, Progress, UnitReport};
use super::rules::RuleChecker;
use super::schema_change::{ColumnWatch, evolve};
use super::sources::{Feed, Next, Surroundings, Unit};
use super::state::PipelineState;
use super::work::{Counts, FileWork, WorkError, format_error, open_decoder};
use crate::clock::Clock;
use crate::warehouse::contracts::{Contract, Contracts};
use crate::warehouse::lake::{BatchRecord, Lake};
use crate::warehouse::reference::Reference;

/// Most warnings that the record of a batch keeps.
const MAX_WARNINGS: usize = 50;

/// What a run needs to know and to reach.
#[derive(Clone)]
pub struct RunContext<'a> {
    /// Folder of the project, to which file patterns are relative.
    pub project: &'a Path,
    /// Folder of run-time state.
    pub data_dir: &'a Path,
    /// Where events go.
    pub lake: &'a Lake,
    /// Contracts of the event tables.
    pub contracts: &'a Contracts,
    /// Code lists.
    pub reference: &'a Reference,
    /// Key of pseudonyms.
    pub key: &'a PseudonymKey,
    /// The present moment.
    pub clock: Clock,
    /// Identifier of the run, kept with every batch.
    pub run: &'a str,
    /// What is taken, and how the run is stopped.
    pub options: RunOptions,
    /// Told of every block.
    pub progress: Arc<dyn Fn(&Progress) + Send + Sync>,
}

/// Runs a pipeline: every new or changed file becomes one batch of the lake.
///
/// # Errors
/// [`RunError`], if the lake, the state or the quarantine fail; batches committed before stay. A file that is itself at fault is a
/// [`FileFailure`] of the report, and the other files go on.
pub async fn run_pipeline(context: &RunContext<'_>, pipeline: &Pipeline) -> Result<PipelineReport, RunError> {
    let mut report = PipelineReport { pipeline: pipeline.name.clone(), ..PipelineReport::default() };
    pull(context, pipeline, &mut report).await.map(|()| report)
}

/// The same, telling what came in before a failure as well.
///
/// # Errors
/// As [`run_pipeline`]; the report then holds what was committed.
pub async fn pull(context: &RunContext<'_>, pipeline: &Pipeline, report: &mut PipelineReport) -> Result<(), RunError> {
    let started = Instant::now();
    let pulled = pull_units(context, pipeline, report).await;
    report.seconds = started.elapsed().as_secs_f64();
    report.stages.read = (report.seconds - report.stages.find - report.stages.commit).max(0.0);
    pulled
}

async fn pull_units(
    context: &RunContext<'_>,
    pipeline: &Pipeline,
    report: &mut PipelineReport,
) -> Result<(), RunError> {
    let finding = Instant::now();
    let name = || pipeline.name.clone();
    let state_error = |cause| RunError::State { pipeline: name(), cause };
    let (contract, state_path, mut state) = prepare(context, pipeline).await?;
    let around = Surroundings {
        project: context.project,
        data_dir: context.data_dir,
        pipeline: &pipeline.name,
        clock: context.clock,
    };
    let mut feed = Feed::open(&pipeline.source, around).map_err(|cause| RunError::Files { pipeline: name(), cause })?;
    // What the source is asked against: nothing is known to a run that reads everything again.
    let mut seen = if context.options.reads_again() { PipelineState::default() } else { state.clone() };
    report.stages.find += finding.elapsed().as_secs_f64();
    let mut told = BTreeSet::new();
    loop {
        if let Some(cause) = context.options.stop.reason() {
            return Err(RunError::Interrupted { pipeline: name(), file: "source".to_owned(), cause });
        }
        let finding = Instant::now();
        let (same_feed, same_seen, next) = ask_source(feed, seen, pipeline).await?;
        (feed, seen) = (same_feed, same_seen);
        report.stages.find += finding.elapsed().as_secs_f64();
        let unit = match next {
            Next::Unit(unit) => unit,
            Next::Unchanged => {
                report.unchanged += 1;
                continue;
            }
            Next::Failed(file, error) => {
                report.failures.push(FileFailure { file, error });
                continue;
            }
            Next::End => break,
        };
        let (file, has_position) = (unit.file.name.clone(), unit.position.is_some());
        let parts = match open_unit(unit, pipeline).await? {
            Ok(parts) => parts,
            Err(error) => {
                report.failures.push(FileFailure { file, error });
                continue;
            }
        };
        for part in parts {
            if part.member.is_some() && seen.files.get(&part.unit.file.name) == Some(&part.unit.hash) {
                report.unchanged += 1;
                continue;
            }
            let is_known = state.files.get(&part.unit.file.name) == Some(&part.unit.hash);
            match run_part(context, pipeline, contract, &part, state.next_batch, is_known, &mut told).await? {
                Ok(unit) => {
                    state.note(&unit.batch);
                    seen.note_read(&unit.batch);
                    state.save(&state_path).map_err(state_error)?;
                    report.add(unit);
                }
                Err(error) => {
                    report.failures.push(FileFailure { file: part.unit.file.name, error });
                    // The last part would move the source on, past this one.
                    if has_position {
                        break;
                    }
                }
            }
        }
    }
    Ok(())
}

/// The contract of a pipeline, and its state as the lake knows it.
pub(super) async fn prepare<'a>(
    context: &RunContext<'a>,
    pipeline: &Pipeline,
) -> Result<(&'a Contract, PathBuf, PipelineState), RunError> {
    let name = || pipeline.name.clone();
    let contract = context
        .contracts
        .get(&pipeline.contract)
        .ok_or_else(|| RunError::NoContract { pipeline: name(), contract: pipeline.contract.clone() })?;
    let state_error = |cause| RunError::State { pipeline: name(), cause };
    let state_path = PipelineState::path(context.data_dir, &pipeline.name);
    let mut state = PipelineState::load(&state_path).map_err(state_error)?;
    let last = context.lake.last_batch(&contract.table, &pipeline.name).await;
    let last = last.map_err(|cause| RunError::Lake { pipeline: name(), file: contract.table.clone(), cause })?;
    if state.mend(last.as_ref()) {
        state.save(&state_path).map_err(state_error)?;
    }
    Ok((contract, state_path, state))
}

/// Asks the source for its next unit on a thread that may block.
async fn ask_source(
    mut feed: Feed,
    state: PipelineState,
    pipeline: &Pipeline,
) -> Result<(Feed, PipelineState, Next), RunError> {
    let asked = spawn_blocking(move || {
        let next = feed.next(&state);
        (feed, state, next)
    });
    let stopped = |cause| RunError::Stopped { pipeline: pipeline.name.clone(), file: "source".to_owned(), cause };
    asked.await.map_err(stopped)
}

/// Looks into a unit on a thread that may block. The inner error is the unit's own fault.
pub(super) async fn open_unit(unit: Unit, pipeline: &Pipeline) -> Result<Result<Vec<Part>, FileError>, RunError> {
    let (file, unpack) = (unit.file.name.clone(), pipeline.unpack.clone());
    let opened = spawn_blocking(move || parts(unit, &unpack)).await;
    let stopped = |cause| RunError::Stopped { pipeline: pipeline.name.clone(), file, cause };
    Ok(opened.map_err(stopped)?.map_err(FileError::from))
}

pub(super) type PartOutcome = Result<UnitReport, FileError>;

/// Reads one part and commits it as one batch. The inner error is the part's own fault. What `told` has of changed columns is not told again.
pub(super) async fn run_part(
    context: &RunContext<'_>,
    pipeline: &Pipeline,
    contract: &Contract,
    part: &Part,
    number: i64,
    is_known: bool,
    told: &mut BTreeSet<String>,
) -> Result<PartOutcome, RunError> {
    let unit = &part.unit;
    let file = &unit.file;
    let (pipeline_name, file_name) = (|| pipeline.name.clone(), || file.name.clone());
    let started_at = context.clock.now();
    let stamp = match file.stamp() {
        Ok(stamp) => stamp,
        Err(error) => return Ok(Err(error.into())),
    };
    let stopped = |cause| RunError::Stopped { pipeline: pipeline_name(), file: file_name(), cause };
    let (source, declared, named) = (part.clone(), pipeline.clone(), contract.clone());
    let evolved = spawn_blocking(move || evolve(&source, &declared, &named)).await.map_err(stopped)?;
    let evolved = match evolved {
        Ok(evolved) => evolved,
        Err(error) => return Ok(Err(error)),
    };
    let (pipeline, contract) =
        evolved.as_ref().map_or((pipeline, contract), |(pipeline, contract)| (pipeline, contract));
    let (decoding, blocks) = decode(part.clone(), pipeline, context.options.compare_columns);
    let report =
        Progress { pipeline: pipeline_name(), file: file_name(), n_bytes_read: 0, n_bytes: stamp.n_bytes, n_rows: 0 };
    let ask = ask_known(context.lake, &contract.table, is_known);
    let mut work = prepare_work(context, pipeline, contract, number, report, ask);
    let working = spawn_blocking(move || {
        let worked = work.take_all(&blocks);
        (work, worked)
    });
    let (work, worked) = working.await.map_err(stopped)?;
    decoding.await.map_err(stopped)?;
    let unchanged = worked.and_then(|()| file.check_unchanged(stamp).map_err(|error| WorkError::File(error.into())));
    let mut warnings = match unchanged.and_then(|()| work.judge()) {
        Ok(warnings) => warnings,
        Err(error) => {
            work.discard().await;
            return match error {
                WorkError::File(error) => Ok(Err(error)),
                WorkError::Run(error) => Err(*error),
            };
        }
    };
    warnings.extend(work.watch.changes().into_iter().filter(|change| told.insert(change.clone())));
    warnings.truncate(MAX_WARNINGS);
    let FileWork { writer, quarantine, counts, comparison, .. } = work;
    let Counts { read, accepted, duplicate, rejected, outside, events, last_event_at, reasons } = counts;
    if read != accepted + duplicate + rejected {
        let (pipeline, file) = (pipeline_name(), file_name());
        return Err(RunError::Unbalanced { pipeline, file, read, accepted, duplicate, rejected });
    }
    let difference = comparison.and_then(|comparison| comparison.difference(&file.name));
    let committing = Instant::now();
    let quarantine = spawn_blocking(move || quarantine.finish()).await.map_err(stopped)?;
    let quarantine =
        quarantine.map_err(|cause| RunError::Quarantine { pipeline: pipeline_name(), file: file_name(), cause })?;
    let record = BatchRecord {
        pipeline: pipeline_name(),
        number,
        run: context.run.to_owned(),
        file: file_name(),
        file_hash: unit.hash.clone(),
        position: unit.position.clone(),
        started_at,
        finished_at: context.clock.now(),
        read,
        accepted,
        duplicate,
        rejected,
        outside,
        events,
        last_event_at: last_event_at.and_then(DateTime::<Utc>::from_timestamp_micros),
        quarantine,
        warnings,
    };
    let committed = writer.finish(&record).await;
    committed.map_err(|cause| RunError::Lake { pipeline: pipeline_name(), file: file_name(), cause })?;
    let commit_seconds = committing.elapsed().as_secs_f64();
    Ok(Ok(UnitReport { batch: record, reasons, n_bytes: stamp.n_bytes, difference, commit_seconds }))
}

/// What stands between the decoder of a file and its commit as batch `number`.
fn prepare_work(
    context: &RunContext<'_>,
    pipeline: &Pipeline,
    contract: &Contract,
    number: i64,
    report: Progress,
    ask: AskKnown,
) -> FileWork {
    let origin = Origin { pipeline: pipeline.name.clone(), batch: number, file: report.file.clone() };
    let quarantine = context.lake.quarantine_folder(&pipeline.name);
    FileWork {
        mapper: Mapper::new(pipeline, contract, context.reference).only_in(context.options.period),
        rules: RuleChecker::new(contract, context.reference, context.clock.now(), pipeline.time_zone),
        quality: Quality::new(contract),
        watch: ColumnWatch::new(pipeline),
        comparison: context.options.compare_columns.then(|| ColumnComparison::new(pipeline)),
        assembler: Assembler::new(contract, origin, context.key, ZoneClock::new(pipeline.time_zone), ask),
        writer: context.lake.writer(contract),
        quarantine: Quarantine::new(&quarantine, &pipeline.name, number, &report.file),
        columns: pipeline.column_names(),
        hidden: pipeline.hidden(),
        counts: Counts::default(),
        progress: Arc::clone(&context.progress),
        report,
        stop: context.options.stop.clone(),
    }
}

/// Decodes a part on a thread of its own, one block ahead of who takes them.
fn decode(part: Part, pipeline: &Pipeline, tells_others: bool) -> (JoinHandle<()>, Receiver<Result<Block, FileError>>) {
    let (sender, blocks) = sync_channel(1);
    let (format, unpack) = (pipeline.format.clone(), pipeline.unpack.limits);
    let columns = pipeline.wanted_columns();
    let columns = if tells_others { columns.telling_others() } else { columns };
    let decoding = spawn_blocking(move || {
        let send_all = || {
            let (mut decoder, n_packed_read) = open_decoder(&part, &format, unpack, &columns)?;
            let wrong = |cause| format_error(&part.unit.file, cause);
            while let Some(mut block) = decoder.next_block().map_err(wrong)? {
                if let Some(n_packed_read) = &n_packed_read {
                    block.n_bytes_read = n_packed_read.load(Ordering::Relaxed);
                }
                if sender.send(Ok(block)).is_err() {
                    break;
                }
            }
            Ok(())
        };
        if let Err(error) = send_all() {
            // Nobody listens any more only if the other side has failed itself.
            let _ = sender.send(Err(error));
        }
    });
    (decoding, blocks)
}

/// Asks the lake from a thread that may block. Of a unit that `is_known` no version of an event is news, also one that was replaced since.
fn ask_known(lake: &Lake, table: &str, is_known: bool) -> AskKnown {
    let (lake, table, runtime) = (lake.clone(), table.to_owned(), tokio::runtime::Handle::current());
    Box::new(move |month, keys| {
        let known = runtime.block_on(lake.all_hashes(&table, month, keys))?;
        Ok(if is_known { KnownMonth::read_before(known) } else { KnownMonth::from_lake(known.last) })
    })
}
