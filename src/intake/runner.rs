//! Runs in the background of a server: by schedule, when watched files change, and when somebody asks.
//!
//! One run of a pipeline at a time. Runs of other pipelines, and those of the command line, wait for each other at the warehouse
//! lock. Each run has a thread and an asynchronous runtime of its own, so that answering goes on beside it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::due::{LastRun, NextRun, next_run};
use super::history::{History, HistoryError};
use super::record::{RunRecord, RunState, Starter, chain};
use super::run::{Intake, IntakeError, RunRequest, begin, pull_and_refresh};
use super::watch::FolderWatch;
use crate::clock::Clock;
use crate::domain::language::Lang;
use crate::domain::period::Period;
use crate::pipelines::{Pipeline, RunOptions, Stop, files_now};
use crate::project::Project;
use crate::warehouse::WarehouseLock;
use crate::warehouse::lock::LockError;

/// How often a waiting run asks for the lock.
const LOCK_TICK: Duration = Duration::from_millis(100);
/// How often the schedule is looked at.
const SCHEDULE_TICK: Duration = Duration::from_secs(1);
/// Days of which the last run of a pipeline is looked for again and again; older ones are looked for once.
const RECENT_DAYS: i64 = 40;

/// Why a run cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The pipeline is running.
    #[error("pipeline `{pipeline}` is running; one run of a pipeline at a time")]
    Busy {
        /// The pipeline.
        pipeline: String,
        /// Its run.
        run: Uuid,
    },
    /// The program ends.
    #[error("the server is stopping")]
    Stopping,
    /// The records of other runs cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Nobody knows whether another process writes the warehouse.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The system gives no thread.
    #[error("a run cannot be started")]
    Thread(#[source] std::io::Error),
}

/// Why a run in the background ended without a record.
#[derive(Debug, thiserror::Error)]
enum BackgroundError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the runtime of a run cannot be started")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Intake(#[from] IntakeError),
}

/// Starts runs and remembers those that have not ended.
pub struct Runner {
    project: Arc<Project>,
    data_dir: PathBuf,
    clock: Clock,
    history: History,
    began_at: DateTime<Utc>,
    stop: Stop,
    /// Runs of this process by pipeline, as they were asked for.
    active: Mutex<BTreeMap<String, RunRecord>>,
    /// When a run of a pipeline last ended without a record, so that the schedule knows of it.
    unrecorded: Mutex<BTreeMap<String, Instant>>,
    /// Last runs of pipelines before the recent days.
    older: Mutex<BTreeMap<String, Option<LastRun>>>,
}

impl Runner {
    /// A runner over a data directory.
    #[must_use]
    pub fn new(project: Arc<Project>, data_dir: PathBuf, clock: Clock) -> Arc<Self> {
        let history = History::new(&data_dir);
        let (began_at, stop) = (clock.now(), Stop::default());
        let (active, unrecorded, older) = (Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { project, data_dir, clock, history, began_at, stop, active, unrecorded, older })
    }

    /// The records of runs that ended.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Starts a run of one pipeline, which waits for its turn in the background; its id.
    ///
    /// # Errors
    /// [`StartError::Busy`], if the pipeline is running, here or at the command line.
    pub fn start(
        self: &Arc<Self>,
        pipeline: &Pipeline,
        started_by: Starter,
        period: Option<Period>,
        full: bool,
    ) -> Result<Uuid, StartError> {
        if self.stop.is_asked() {
            return Err(StartError::Stopping);
        }
        let name = pipeline.name().to_owned();
        let busy = |run| Err(StartError::Busy { pipeline: name.clone(), run });
        let elsewhere = self.unfinished()?.into_iter().find(|record| record.of_pipeline(&name).is_some_and(is_open));
        if let Some(record) = elsewhere {
            return busy(record.run);
        }
        let options = RunOptions { period, full, stop: self.stop.clone(), ..RunOptions::default() };
        let request = RunRequest { started_by, options, ..RunRequest::of(vec![pipeline]) };
        let run = request.run;
        let record = RunRecord { state: RunState::Waiting, ..begin(&request, self.clock) };
        {
            let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(record) = active.get(&name) {
                return busy(record.run);
            }
            active.insert(name.clone(), record.clone());
        }
        let (runner, ended) = (Arc::clone(self), Ended { runner: Arc::clone(self), pipeline: name });
        let work = move || {
            runner.run(&record, &ended.pipeline);
            drop(ended);
        };
        thread::Builder::new().name("svod-run".to_owned()).spawn(work).map(|_| run).map_err(StartError::Thread)
    }

    /// Runs that have not ended: those of this process, then those of others.
    ///
    /// # Errors
    /// [`StartError`], if the records or the lock cannot be read.
    pub fn unfinished(&self) -> Result<Vec<RunRecord>, StartError> {
        let mut records = self.history.running()?;
        if !records.is_empty()
            && let Some(lock) = WarehouseLock::try_acquire(&self.data_dir)?
        {
            // Nobody works, so these have just ended or are dead.
            self.history.bury_killed(self.clock.now(), &lock)?;
            records.clear();
        }
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        for waiting in active.values() {
            if !records.iter().any(|record| record.run == waiting.run) && self.history.get(waiting.run)?.is_none() {
                records.push(waiting.clone());
            }
        }
        Ok(records)
    }

    /// One run, ended or not.
    ///
    /// # Errors
    /// [`StartError`], if the records or the lock cannot be read.
    pub fn find(&self, run: Uuid) -> Result<Option<RunRecord>, StartError> {
        let unfinished = self.unfinished()?.into_iter().find(|record| record.run == run);
        Ok(unfinished.map_or_else(|| self.history.get(run), |record| Ok(Some(record)))?)
    }

    /// When a pipeline runs next by its schedule; none if it has none or is running.
    ///
    /// # Errors
    /// [`HistoryError`], if the records cannot be read.
    pub fn next_run(&self, pipeline: &Pipeline) -> Result<Option<NextRun>, HistoryError> {
        let Some(schedule) = pipeline.schedule() else { return Ok(None) };
        let name = pipeline.name();
        if self.active.lock().unwrap_or_else(PoisonError::into_inner).contains_key(name) {
            return Ok(None);
        }
        let last = self.last_run(name)?;
        Ok(next_run(name, schedule, last.as_ref(), self.began_at, self.clock.now()))
    }

    /// The last run that counts for the schedule of a pipeline.
    fn last_run(&self, pipeline: &str) -> Result<Option<LastRun>, HistoryError> {
        let recent = self.history.since(self.clock.now() - chrono::Duration::days(RECENT_DAYS))?;
        if let Some(last) = recent.iter().find_map(|record| LastRun::of(record, pipeline)) {
            return Ok(Some(last));
        }
        let mut older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = older.get(pipeline) {
            return Ok(*last);
        }
        let found = self.history.newest(|record| LastRun::of(record, pipeline).is_some())?;
        let last = found.and_then(|record| LastRun::of(&record, pipeline));
        older.insert(pipeline.to_owned(), last);
        Ok(last)
    }

    /// Keeps the schedules of all pipelines and watches their files in a thread until [`Runner::stop`]; none where no pipeline wants that.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn keep_schedule(self: &Arc<Self>) -> Result<Option<JoinHandle<()>>, std::io::Error> {
        let is_kept = |pipeline: &Pipeline| pipeline.schedule().is_some() || pipeline.watched().is_some();
        if !self.project.pipelines.iter().any(is_kept) {
            return Ok(None);
        }
        let runner = Arc::clone(self);
        let keeping = move || {
            let mut watches = BTreeMap::new();
            while !runner.stop.is_asked() {
                runner.start_due();
                runner.start_changed(&mut watches);
                thread::sleep(SCHEDULE_TICK);
            }
        };
        thread::Builder::new().name("svod-schedule".to_owned()).spawn(keeping).map(Some)
    }

    /// Starts every pipeline whose time has come.
    fn start_due(self: &Arc<Self>) {
        for pipeline in self.project.pipelines.iter().filter(|pipeline| !self.is_resting(pipeline)) {
            let started = match self.next_run(pipeline) {
                Ok(Some(next)) if next.at <= self.clock.now() => {
                    let started_by = Starter::Schedule { due_at: next.due_at, attempt: next.attempt };
                    self.start(pipeline, started_by, None, false)
                }
                Ok(_) => continue,
                Err(error) => Err(error.into()),
            };
            tell_start(pipeline, &started, "by schedule");
        }
    }

    /// Starts every pipeline whose watched files have changed and come to rest.
    fn start_changed(self: &Arc<Self>, watches: &mut BTreeMap<String, FolderWatch>) {
        for pipeline in &self.project.pipelines {
            let Some((pattern, quiet)) = pipeline.watched() else { continue };
            let now = Instant::now();
            let watch = watches.entry(pipeline.name().to_owned()).or_insert_with(|| FolderWatch::new(now));
            // A folder that cannot be listed now is looked at again; a run says what is wrong with it.
            let is_due = files_now(&self.project.root, pattern).is_ok_and(|found| watch.is_due(found, now, quiet));
            if is_due && tell_start(pipeline, &self.start(pipeline, Starter::Watch, None, false), "for changed files") {
                watch.take();
            }
        }
    }

    /// Whether a pipeline waits for its next attempt after a run that could not even be recorded, as on a full disk.
    fn is_resting(&self, pipeline: &Pipeline) -> bool {
        let retry_after = pipeline.schedule().and_then(|schedule| schedule.retry_after.to_std().ok());
        let unrecorded = self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = unrecorded.get(pipeline.name());
        ended.zip(retry_after).is_some_and(|(ended, retry_after)| ended.elapsed() < retry_after)
    }

    /// Asks all runs to stop and waits until they have, at most `longest`.
    pub fn stop(&self, longest: Duration) {
        self.stop.ask();
        let n_ticks = longest.as_millis() / LOCK_TICK.as_millis();
        for _ in 0..n_ticks {
            if self.active.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                return;
            }
            thread::sleep(LOCK_TICK);
        }
    }

    /// The work of a run's thread.
    fn run(&self, record: &RunRecord, name: &str) {
        let Some(pipeline) = self.project.pipelines.iter().find(|pipeline| pipeline.name() == name) else { return };
        let run = record.run;
        match self.run_when_free(record, pipeline) {
            Ok(None) => tracing::info!(pipeline = name, %run, "was stopped before its turn"),
            Ok(Some(intake)) => {
                let snapshot = intake.record.snapshot;
                let state = intake.record.state;
                tracing::info!(pipeline = name, %run, ?state, ?snapshot, "run ended");
                for failure in intake.record.pipelines.iter().flat_map(|run| &run.failures) {
                    tracing::error!(pipeline = name, %run, failure = failure.get(Lang::En), "not everything was taken");
                }
            }
            Err(error) => {
                tracing::error!(pipeline = name, %run, error = chain(&error), "run failed");
                let mut unrecorded = self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner);
                unrecorded.insert(name.to_owned(), Instant::now());
            }
        }
    }

    /// Waits for the lock, then runs; none if the program ended first.
    fn run_when_free(&self, record: &RunRecord, pipeline: &Pipeline) -> Result<Option<Intake>, BackgroundError> {
        let lock = loop {
            if self.stop.is_asked() {
                return Ok(None);
            }
            match WarehouseLock::try_acquire(&self.data_dir)? {
                Some(lock) => break lock,
                None => thread::sleep(LOCK_TICK),
            }
        };
        let limit = pipeline.schedule().map(|schedule| schedule.time_limit);
        let options = RunOptions {
            period: record.period,
            full: record.full,
            stop: limit.map_or_else(|| self.stop.clone(), |limit| self.stop.within(limit)),
            ..RunOptions::default()
        };
        let started_by = record.started_by.clone();
        let request = RunRequest { run: record.run, started_by, options, ..RunRequest::of(vec![pipeline]) };
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().map_err(BackgroundError::Runtime)?;
        let running = pull_and_refresh(&self.project, &self.data_dir, self.clock, &request, &lock, Arc::new(|_| {}));
        Ok(Some(runtime.block_on(running)?))
    }
}

/// Tells the log of a start; whether there was one. What is busy is tried again at the next tick, when the other run has ended.
fn tell_start(pipeline: &Pipeline, started: &Result<Uuid, StartError>, why: &str) -> bool {
    let pipeline = pipeline.name();
    match started {
        Ok(run) => tracing::info!(pipeline, %run, "started {why}"),
        Err(StartError::Busy { .. } | StartError::Stopping) => {}
        Err(error) => tracing::error!(pipeline, error = chain(error), "cannot be started {why}"),
    }
    started.is_ok()
}

/// Whether a pipeline of an unfinished run still has or awaits its turn.
fn is_open(run: &super::PipelineRun) -> bool {
    !run.state.is_final()
}

/// Forgets a run when its thread ends, however it ends.
struct Ended {
    runner: Arc<Runner>,
    pipeline: String,
}

impl Drop for Ended {
    fn drop(&mut self) {
        let mut active = self.runner.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.remove(&self.pipeline);
    }
}
