//! One run of the whole warehouse: pipelines pull into the lake, then a refresh publishes a snapshot.
//!
//! Knows neither who started it (the command line, the API, the schedule) nor how its progress is shown.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use super::history::{History, HistoryError};
use super::lineage::LineageTeller;
use super::record::{PipelineRun, RunRecord, RunState, Starter};
use super::trial::sweep;
use crate::clock::Clock;
use crate::domain::language::Lang;
use crate::domain::sentence::Sentence;
use crate::pipelines::pseudonym::KeyError;
use crate::pipelines::state::{StateError, states_in_lake};
use crate::pipelines::{
    Pipeline, PipelineReport, PipelineState, Progress, PseudonymKey, RunContext, RunError, RunOptions, StopReason,
    pull, retry_units, tell_reason, tell_work,
};
use crate::project::Project;
use crate::warehouse::refresh::RefreshProgress;
use crate::warehouse::{
    Lake, LakeError, RefreshContext, RefreshError, RefreshOutcome, RefreshStep, TableKind, WarehouseLock, refresh,
};

/// How far a clock may run behind without anybody being told.
const CLOCK_SLACK: chrono::Duration = chrono::Duration::minutes(1);

/// How far a run is.
#[derive(Debug)]
pub enum Step<'a> {
    /// A file is read.
    Pulling(&'a Progress),
    /// Entities are brought up to date.
    Refreshing(&'a RefreshStep),
}

/// Told of every step, from several threads.
pub type OnStep = Arc<dyn Fn(Step<'_>) + Send + Sync>;

/// Where the rows of a run come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Task {
    /// From the sources, as the options of the run say.
    #[default]
    Pull,
    /// From the files with rejected rows, or from one of them, which are read again.
    Retry {
        /// The file.
        file: Option<String>,
    },
}

/// What is to be run, and for whom.
#[derive(Debug, Clone)]
pub struct RunRequest<'a> {
    /// Id of the run.
    pub run: Uuid,
    /// The pipelines, one after the other.
    pub pipelines: Vec<&'a Pipeline>,
    /// Who asks.
    pub started_by: Starter,
    /// Where the rows come from.
    pub task: Task,
    /// What is taken, and how the run is stopped.
    pub options: RunOptions,
}

impl<'a> RunRequest<'a> {
    /// What is new of some pipelines, asked for at the command line.
    #[must_use]
    pub fn of(pipelines: Vec<&'a Pipeline>) -> Self {
        let started_by = Starter::Cli { user: None };
        Self { run: Uuid::now_v7(), pipelines, started_by, task: Task::Pull, options: RunOptions::default() }
    }
}

/// What a run did.
#[derive(Debug)]
pub struct Intake {
    /// What each pipeline brought, in the order asked for. One that stopped says so, and the others went on.
    pub reports: Vec<PipelineReport>,
    /// The snapshot after it; none if the run was asked to stop before.
    pub outcome: Option<RefreshOutcome>,
    /// What is kept of it.
    pub record: RunRecord,
}

/// Why a run could not finish. What was committed before stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The key of pseudonyms cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The lake has rows under a key that is not here.
    #[error(
        "the lake was written with a key of pseudonyms that is not in `{}`\n  help: copy it there from the server that is lost; with \
         another key every person would look like a new one", key_file.display()
    )]
    NoKey {
        /// Where the key belongs.
        key_file: PathBuf,
    },
    /// The states of the pipelines cannot be written.
    #[error(transparent)]
    States(#[from] StateError),
    /// The lake cannot be opened.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The refresh stopped.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The record of the run cannot be kept.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Pulls pipelines one after the other, then refreshes. The lock is proof that nobody else writes the warehouse.
///
/// The record of the run is on the disk before anything is read, and says how it ended whatever happens.
///
/// # Errors
/// [`IntakeError`]; a pipeline that stopped or a file that is at fault is none, it stands in its pipeline's report.
pub async fn pull_and_refresh(
    project: &Project,
    data_dir: &Path,
    clock: Clock,
    request: &RunRequest<'_>,
    lock: &WarehouseLock,
    on_step: OnStep,
) -> Result<Intake, IntakeError> {
    sweep(data_dir);
    let history = History::new(data_dir);
    let mut record = begin(request, clock);
    for killed in history.bury_killed(clock.now(), lock)? {
        record.warnings.push(Sentence::new(
            format!("загрузка {} оборвалась до своего конца; эта продолжает с того же места", killed.run),
            format!("the run {} was killed before its end; this run goes on from there", killed.run),
        ));
    }
    let judging = history.last_moment()?.map_or(clock, |moment| clock.not_before(moment));
    if judging.now() - clock.now() > CLOCK_SLACK {
        record.warnings.push(tell_clock(clock, judging));
    }
    history.write(&record, lock)?;
    let run = Run { project, data_dir, clock, judging, request, lock, history: &history };
    let worked = run.work(&mut record, on_step).await;
    if let Err(error) = &worked {
        record.failures.push(tell_work("загрузка не закончена", error));
    }
    record.finish(clock.now());
    let kept = history.write(&record, lock);
    let (reports, outcome) = worked?;
    kept?;
    Ok(Intake { reports, outcome, record })
}

/// The record of a run that has just begun.
pub(super) fn begin(request: &RunRequest<'_>, clock: Clock) -> RunRecord {
    RunRecord {
        run: request.run,
        started_by: request.started_by.clone(),
        state: RunState::Running,
        started_at: clock.now(),
        finished_at: None,
        period: request.options.period,
        full: request.options.full,
        pipelines: request.pipelines.iter().map(|pipeline| PipelineRun::waiting(pipeline.name())).collect(),
        refresh_seconds: None,
        snapshot: None,
        published: false,
        warnings: Vec::new(),
        failures: Vec::new(),
    }
}

/// A run that is going on.
struct Run<'a> {
    project: &'a Project,
    data_dir: &'a Path,
    clock: Clock,
    /// By which clock rows are judged and a snapshot is published.
    judging: Clock,
    request: &'a RunRequest<'a>,
    lock: &'a WarehouseLock,
    history: &'a History,
}

type Worked = (Vec<PipelineReport>, Option<RefreshOutcome>);

impl Run<'_> {
    async fn work(&self, record: &mut RunRecord, on_step: OnStep) -> Result<Worked, IntakeError> {
        let settings = &self.project.settings;
        // A dry run works on a copy, which lies on the disk wherever the original lies.
        let address = settings.lake.as_ref().filter(|_| !self.request.options.compare_columns);
        let lake = Lake::open_at(self.data_dir, address).await?;
        let key_file = self.data_dir.join(&settings.pseudonym_key_file);
        let is_in_bucket = settings.lake.is_some();
        if is_in_bucket && !key_file.exists() && !lake.table_names(TableKind::Event).await?.is_empty() {
            return Err(IntakeError::NoKey { key_file });
        }
        let key = PseudonymKey::load_or_create(&key_file)?;
        if is_in_bucket {
            self.restore_states(&lake).await?;
        }
        let reports = self.pull_all(&lake, &key, record, Arc::clone(&on_step)).await?;
        if self.request.options.stop.is_asked() {
            return Ok((reports, None));
        }
        let refreshing = Instant::now();
        let progress: RefreshProgress = Arc::new(move |step| on_step(Step::Refreshing(step)));
        let context = refresh_context(self.project, self.data_dir, self.judging, &lake, &progress);
        let outcome = refresh(context, self.lock).await?;
        record.refresh_seconds = Some(refreshing.elapsed().as_secs_f64());
        (record.snapshot, record.published) = (Some(outcome.snapshot.number), outcome.published);
        Ok((reports, Some(outcome)))
    }

    /// Gives a new server over the lake of a lost one the states of its pipelines.
    async fn restore_states(&self, lake: &Lake) -> Result<(), IntakeError> {
        let pipelines = &self.project.pipelines;
        if pipelines.iter().any(|pipeline| PipelineState::path(self.data_dir, pipeline.name()).exists()) {
            return Ok(());
        }
        let contracts = &self.project.contracts;
        let named = pipelines
            .iter()
            .filter_map(|pipeline| Some((pipeline.name(), contracts.get(pipeline.contract())?.table.as_str())));
        for (pipeline, state) in states_in_lake(lake, named).await? {
            state.save(&PipelineState::path(self.data_dir, &pipeline))?;
        }
        Ok(())
    }

    /// Pulls each pipeline; one that stops does not keep the others from their turn, unless the whole run was told to stop.
    async fn pull_all(
        &self,
        lake: &Lake,
        key: &PseudonymKey,
        record: &mut RunRecord,
        on_step: OnStep,
    ) -> Result<Vec<PipelineReport>, IntakeError> {
        let run = self.request.run.to_string();
        let context = RunContext {
            project: &self.project.root,
            data_dir: self.data_dir,
            lake,
            contracts: &self.project.contracts,
            reference: &self.project.reference,
            key,
            clock: self.judging,
            run: &run,
            options: self.request.options.clone(),
            progress: Arc::new(move |progress: &Progress| on_step(Step::Pulling(progress))),
        };
        let is_told = !self.request.options.compare_columns;
        let mut lineage = is_told.then(|| LineageTeller::new(self.project, self.data_dir, lake, self.request.run));
        let mut reports = Vec::with_capacity(self.request.pipelines.len());
        for (place, pipeline) in self.request.pipelines.iter().enumerate() {
            set_state(record, place, RunState::Running);
            self.history.write(record, self.lock)?;
            let mut report = PipelineReport { pipeline: pipeline.name().to_owned(), ..PipelineReport::default() };
            let told = match &mut lineage {
                Some(lineage) => Some(lineage.tell_start(pipeline, self.clock.now()).await),
                None => None,
            };
            let worked = match &self.request.task {
                Task::Pull => pull(&context, pipeline, &mut report).await,
                Task::Retry { file } => retry_units(&context, pipeline, file.as_deref(), &mut report).await,
            };
            report.stopped = worked.err();
            if let Some((lineage, told)) = lineage.as_mut().zip(told) {
                lineage.tell_end(told, pipeline, &report, self.clock.now()).await;
            }
            if let Some(entry) = record.pipelines.get_mut(place) {
                *entry = PipelineRun::of(&report);
            }
            let is_told_to_stop = matches!(report.stopped, Some(RunError::Interrupted { .. }));
            reports.push(report);
            if is_told_to_stop {
                break;
            }
        }
        record.warnings.extend(lineage.and_then(|lineage| lineage.warning));
        if let Some(reason) = self.request.options.stop.reason() {
            stop_waiting(record, reason);
        }
        Ok(reports)
    }
}

/// A clock that runs behind what is known to have been.
fn tell_clock(clock: Clock, judging: Clock) -> Sentence {
    let [now, known] = [clock, judging].map(|clock| clock.now().format("%d.%m.%Y %H:%M UTC"));
    Sentence::new(
        format!(
            "часы показывают {now}, хотя последняя загрузка была {known}; строки проверены по более позднему времени; исправьте часы"
        ),
        format!(
            "the clock says {now}, although the last run was at {known}; rows are judged by the later time; set the clock right"
        ),
    )
}

/// What a refresh of a project needs.
pub fn refresh_context<'a>(
    project: &'a Project,
    data_dir: &'a Path,
    clock: Clock,
    lake: &'a Lake,
    progress: &'a RefreshProgress,
) -> RefreshContext<'a> {
    RefreshContext {
        data_dir,
        project: Some(&project.root),
        lake,
        contracts: &project.contracts,
        reference: &project.reference,
        models: &project.models,
        time_zone: project.settings.time_zone,
        clock,
        progress,
    }
}

fn set_state(record: &mut RunRecord, place: usize, state: RunState) {
    if let Some(entry) = record.pipelines.get_mut(place) {
        entry.state = state;
    }
}

/// Ends the pipelines whose turn will not come.
fn stop_waiting(record: &mut RunRecord, reason: StopReason) {
    for entry in record.pipelines.iter_mut().filter(|entry| !entry.state.is_final()) {
        entry.state = RunState::Stopped;
        let reason = tell_reason(reason);
        entry.failures.push(Sentence::new(
            format!("очередь не дошла: {}", reason.get(Lang::Ru)),
            format!("its turn did not come: {}", reason.get(Lang::En)),
        ));
    }
}
