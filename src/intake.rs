//! One run of the whole warehouse: pipelines pull into the lake, then a refresh publishes a snapshot.
//!
//! Knows neither who started it (the command line, later the schedule) nor how its progress is shown.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use crate::clock::Clock;
use crate::pipelines::pseudonym::KeyError;
use crate::pipelines::{
    Pipeline, PipelineReport, Progress, PseudonymKey, RetryError, RunContext, RunError, retry_pipeline, run_pipeline,
};
use crate::project::Project;
use crate::warehouse::refresh::RefreshProgress;
use crate::warehouse::{
    Lake, LakeError, RefreshContext, RefreshError, RefreshOutcome, RefreshStep, WarehouseLock, refresh,
};

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

/// What a run did.
#[derive(Debug)]
pub struct Intake {
    /// What each pipeline brought, in the order asked for.
    pub reports: Vec<PipelineReport>,
    /// The snapshot after it.
    pub outcome: RefreshOutcome,
}

/// Why a run could not finish. What was committed before stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The key of pseudonyms cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The lake cannot be opened.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A pipeline stopped.
    #[error(transparent)]
    Pipeline(#[from] RunError),
    /// Rejected rows cannot be tried again.
    #[error(transparent)]
    Retry(#[from] RetryError),
    /// The refresh stopped.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
}

/// Pulls `pipelines` one after the other, then refreshes. The lock is proof that nobody else writes the warehouse.
///
/// # Errors
/// [`IntakeError`]; a file that is itself at fault is none, it stands in its pipeline's report.
pub async fn pull_and_refresh(
    project: &Project,
    data_dir: &Path,
    clock: Clock,
    pipelines: &[&Pipeline],
    lock: &WarehouseLock,
    on_step: OnStep,
) -> Result<Intake, IntakeError> {
    let lake = Lake::open(data_dir).await?;
    let key = PseudonymKey::load_or_create(&data_dir.join(&project.settings.pseudonym_key_file))?;
    let run = Uuid::now_v7().to_string();
    let context = run_context(project, data_dir, clock, &lake, &key, &run, &on_step);
    let mut reports = Vec::new();
    for pipeline in pipelines {
        reports.push(run_pipeline(&context, pipeline).await?);
    }
    let progress: RefreshProgress = Arc::new(move |step| on_step(Step::Refreshing(step)));
    let refreshing = refresh_context(project, data_dir, clock, &lake, &progress);
    Ok(Intake { reports, outcome: refresh(refreshing, lock).await? })
}

/// Reads files with rejected rows of a pipeline again, then refreshes; see [`retry_pipeline`].
///
/// # Errors
/// [`IntakeError`], also if `file` has no rejected rows.
pub async fn retry_and_refresh(
    project: &Project,
    data_dir: &Path,
    clock: Clock,
    pipeline: &Pipeline,
    file: Option<&str>,
    lock: &WarehouseLock,
    on_step: OnStep,
) -> Result<Intake, IntakeError> {
    let lake = Lake::open(data_dir).await?;
    let key = PseudonymKey::load_or_create(&data_dir.join(&project.settings.pseudonym_key_file))?;
    let run = Uuid::now_v7().to_string();
    let context = run_context(project, data_dir, clock, &lake, &key, &run, &on_step);
    let report = retry_pipeline(&context, pipeline, file).await?;
    let progress: RefreshProgress = Arc::new(move |step| on_step(Step::Refreshing(step)));
    let refreshing = refresh_context(project, data_dir, clock, &lake, &progress);
    Ok(Intake { reports: vec![report], outcome: refresh(refreshing, lock).await? })
}

/// What pipelines of a project need to run.
fn run_context<'a>(
    project: &'a Project,
    data_dir: &'a Path,
    clock: Clock,
    lake: &'a Lake,
    key: &'a PseudonymKey,
    run: &'a str,
    on_step: &OnStep,
) -> RunContext<'a> {
    let told = Arc::clone(on_step);
    RunContext {
        project: &project.root,
        data_dir,
        lake,
        contracts: &project.contracts,
        reference: &project.reference,
        key,
        clock,
        run,
        progress: Arc::new(move |progress: &Progress| told(Step::Pulling(progress))),
    }
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
        lake,
        contracts: &project.contracts,
        models: &project.models,
        time_zone: project.settings.time_zone,
        clock,
        progress,
    }
}
