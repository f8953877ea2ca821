//! The pipelines: when they run, when they ran, and starting one by hand.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::{ApiError, Problem, Refusals};
use super::extract::{ApiJson, ApiPath, ApiQuery};
use super::indicators::LangParams;
use super::runs::NO_STORE;
use super::state::App;
use crate::domain::language::Lang;
use crate::domain::period::Period;
use crate::intake::{RunRecord, RunState, Starter};
use crate::pipelines::Pipeline;
use crate::project::Project;

/// One pipeline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PipelineResponse {
    /// Its name.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What it brings.
    pub description: String,
    /// The event table that it brings it to.
    pub contract: String,
    /// When it runs by itself; absent if only when somebody asks.
    pub schedule: Option<ScheduleResponse>,
    /// When it runs next by its schedule; in the past if it is about to.
    pub next_run_at: Option<DateTime<Utc>>,
    /// The run that has not ended.
    #[schema(value_type = Option<String>)]
    pub running: Option<Uuid>,
    /// Its last run that ended, of the last 400 days.
    pub last_run: Option<LastRunResponse>,
}

/// When a pipeline runs by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleResponse {
    /// Second, minute, hour, day of month, month, day of week, and year if there.
    pub cron: String,
    /// The time zone of these.
    pub time_zone: String,
    /// Seconds over which starts are spread.
    pub jitter_secs: i64,
    /// How often a run that failed is tried again.
    pub retries: u32,
    /// Seconds before the first retry.
    pub retry_after_secs: i64,
    /// Seconds after which a run is stopped.
    pub time_limit_secs: u64,
}

/// The last run of a pipeline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LastRunResponse {
    /// Its id, as in `/api/v1/runs/{id}`.
    #[schema(value_type = String)]
    pub run: Uuid,
    /// How it ended for this pipeline.
    pub state: RunState,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// What a run by hand takes; everything that is new, if nothing is said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StartRequest {
    /// First day, month, quarter or year of which rows are taken: `2025`, `2025-Q1`, `2025-03`, `2025-03-15`.
    pub since: Option<String>,
    /// Last day, month, quarter or year of which rows are taken, itself included.
    pub until: Option<String>,
    /// Whether everything is read again.
    pub full: bool,
}

/// A run that was started.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StartedResponse {
    /// Its id, as in `/api/v1/runs/{id}`.
    #[schema(value_type = String)]
    pub run: Uuid,
}

/// All pipelines with their schedule, their next and their last run.
#[utoipa::path(
    get, path = "/api/v1/pipelines", tag = "warehouse",
    params(("lang" = Option<String>, Query, description = "Language of texts: `ru` or `en`")),
    responses((status = 200, description = "The pipelines", body = [PipelineResponse]), Refusals),
)]
pub(crate) async fn list_pipelines(
    State(app): State<App>,
    ApiQuery(params): ApiQuery<LangParams>,
) -> Result<Response, ApiError> {
    let unfinished = app.runner().unfinished()?;
    let since = app.clock().now() - chrono::Duration::days(400);
    let ended = app.runner().history().since(since).map_err(ApiError::failed)?;
    let of = |pipeline: &Pipeline| {
        let running = unfinished.iter().find(|record| record.of_pipeline(pipeline.name()).is_some());
        let last = ended.iter().find(|record| record.of_pipeline(pipeline.name()).is_some());
        describe(&app, pipeline, running, last.map(AsRef::as_ref), params.lang)
    };
    let pipelines = app.project().pipelines.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    Ok((NO_STORE, Json(pipelines)).into_response())
}

fn describe(
    app: &App,
    pipeline: &Pipeline,
    running: Option<&RunRecord>,
    last: Option<&RunRecord>,
    lang: Lang,
) -> Result<PipelineResponse, ApiError> {
    let last_run = last.and_then(|record| {
        let run = record.of_pipeline(pipeline.name())?;
        let RunRecord { started_at, finished_at, .. } = *record;
        Some(LastRunResponse { run: record.run, state: run.state, started_at, finished_at })
    });
    let schedule = pipeline.schedule().map(|schedule| ScheduleResponse {
        cron: schedule.cron().to_owned(),
        time_zone: app.project().settings.time_zone.name().to_owned(),
        jitter_secs: schedule.jitter.num_seconds(),
        retries: schedule.retries,
        retry_after_secs: schedule.retry_after.num_seconds(),
        time_limit_secs: schedule.time_limit.as_secs(),
    });
    let next = app.runner().next_run(pipeline).map_err(ApiError::failed)?;
    Ok(PipelineResponse {
        id: pipeline.name().to_owned(),
        title: pipeline.title().get(lang).to_owned(),
        description: pipeline.description().to_owned(),
        contract: pipeline.contract().to_owned(),
        schedule,
        next_run_at: next.map(|next| next.at),
        running: running.map(|record| record.run),
        last_run,
    })
}

/// Starts a run of one pipeline.
///
/// The body is a JSON object, `{}` for what is new. The answer comes at once; the run waits for others to end. Requires
/// `Content-Type: application/json`, which no page of another site can send unasked.
#[utoipa::path(
    post, path = "/api/v1/pipelines/{id}/runs", tag = "warehouse",
    params(("id" = String, Path, description = "Pipeline")),
    request_body = StartRequest,
    responses(
        (status = 202, description = "The run is started", body = StartedResponse,
         headers(("Location" = String, description = "Where the run is told about"))),
        (status = 409, description = "The pipeline is running; `run` says which run", body = Problem,
         content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        Refusals),
)]
pub(crate) async fn start_run(
    State(app): State<App>,
    ApiPath(id): ApiPath<String>,
    ApiJson(request): ApiJson<StartRequest>,
) -> Result<Response, ApiError> {
    let pipeline = find_pipeline(app.project(), &id)?;
    let period = match (&request.since, &request.until) {
        (None, None) => None,
        (since, until) => {
            let (since, until) = (since.as_deref().unwrap_or("1900"), until.as_deref().unwrap_or("9999"));
            Some(Period::parse(since, until).map_err(ApiError::Refused)?)
        }
    };
    if period.is_some() && request.full {
        return Err(ApiError::Refused(
            "`full` reads everything again, so `since` and `until` do not go with it".into(),
        ));
    }
    let run = app.runner().start(pipeline, Starter::Api, period, request.full)?;
    let location = [(header::LOCATION, format!("/api/v1/runs/{run}"))];
    Ok((StatusCode::ACCEPTED, NO_STORE, location, Json(StartedResponse { run })).into_response())
}

/// The pipeline with this name.
fn find_pipeline<'a>(project: &'a Project, id: &str) -> Result<&'a Pipeline, ApiError> {
    let known = || project.pipelines.iter();
    let found = known().find(|pipeline| pipeline.name() == id);
    found.ok_or_else(|| ApiError::unknown("pipeline", id, known().map(Pipeline::name)))
}
