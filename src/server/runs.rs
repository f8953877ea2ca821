//! The history of runs.
//!
//! Runs come and go between two snapshots, so their answers belong to no edition and are never kept by a reader.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::Duration;
use uuid::Uuid;

use super::error::{ApiError, Refusals};
use super::extract::{ApiPath, ApiQuery};
use super::indicators::LangParams;
use super::params::{FromParams, Params, advise};
use super::state::App;
use crate::domain::language::Lang;
use crate::intake::RunRecord;
use crate::project::Project;

/// Days of runs that are listed, if not said.
const DEFAULT_DAYS: i64 = 30;
/// Most days of runs that are listed.
const MOST_DAYS: i64 = 400;

/// What nobody may keep.
pub(crate) const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// The runs of the last days.
///
/// Newest first, those that have not ended before them. Also runs that failed or brought nothing. Per pipeline
/// `read = accepted + duplicate + rejected`.
#[utoipa::path(
    get, path = "/api/v1/runs", tag = "warehouse",
    params(("pipeline" = Option<String>, Query, description = "Only runs of this pipeline"),
           ("days" = Option<i64>, Query, description = "Days to look back, 30 if not said, at most 400"),
           ("lang" = Option<String>, Query, description = "Language of failures and warnings: `ru` or `en`")),
    responses((status = 200, description = "The runs", body = [RunRecord]), Refusals),
)]
pub(crate) async fn list_runs(
    State(app): State<App>,
    ApiQuery(params): ApiQuery<RunsParams>,
) -> Result<Response, ApiError> {
    if let Some(name) = &params.pipeline {
        check_pipeline(app.project(), name)?;
    }
    let is_wanted = |record: &RunRecord| params.pipeline.as_ref().is_none_or(|name| record.of_pipeline(name).is_some());
    let mut runs = read_runs(&app, params.days)?;
    runs.retain(is_wanted);
    let runs: Vec<RunRecord> = runs.into_iter().map(|record| record.told(params.lang)).collect();
    Ok((NO_STORE, Json(runs)).into_response())
}

/// One run: who started it, what it brought, where its time went, what went wrong.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}", tag = "warehouse",
    params(("id" = String, Path, description = "Run"),
           ("lang" = Option<String>, Query, description = "Language of failures and warnings: `ru` or `en`")),
    responses((status = 200, description = "The run", body = RunRecord), Refusals),
)]
pub(crate) async fn get_run(
    State(app): State<App>,
    ApiPath(id): ApiPath<String>,
    ApiQuery(params): ApiQuery<LangParams>,
) -> Result<Response, ApiError> {
    Ok((NO_STORE, Json(find_run(&app, &id)?.told(params.lang))).into_response())
}

/// The runs of the last `days`, newest first, those that have not ended before them.
///
/// # Errors
/// [`ApiError::Failed`], if the records cannot be read.
pub(crate) fn read_runs(app: &App, days: i64) -> Result<Vec<RunRecord>, ApiError> {
    let runner = app.runner();
    let mut runs = runner.unfinished()?;
    let since = app.clock().now() - Duration::days(days);
    let ended = runner.history().since(since).map_err(ApiError::failed)?;
    runs.extend(ended.iter().map(|record| RunRecord::clone(record)));
    Ok(runs)
}

/// The run of an id as it stands in an address.
///
/// # Errors
/// [`ApiError::Unknown`], if there is none.
pub(crate) fn find_run(app: &App, id: &str) -> Result<RunRecord, ApiError> {
    let found = Uuid::try_parse(id).ok().map(|run| app.runner().find(run)).transpose()?.flatten();
    let advice = || "see `/api/v1/runs`".to_owned();
    found.ok_or_else(|| ApiError::Unknown { kind: "run", id: id.to_owned(), advice: advice() })
}

fn check_pipeline(project: &Project, name: &str) -> Result<(), ApiError> {
    let mut known = project.pipelines.iter().map(crate::pipelines::Pipeline::name);
    if known.clone().any(|pipeline| pipeline == name) {
        return Ok(());
    }
    Err(ApiError::bad_parameter("pipeline", format!("`{name}` is unknown; {}", advise(name, known.by_ref()))))
}

/// Which runs are asked for.
#[derive(Debug, Clone)]
pub(crate) struct RunsParams {
    pipeline: Option<String>,
    days: i64,
    lang: Lang,
}

impl FromParams for RunsParams {
    fn from_params(params: &mut Params) -> Result<Self, ApiError> {
        let read_days = |text: &str| match text.parse() {
            Ok(days) if (1..=MOST_DAYS).contains(&days) => Ok(days),
            _ => Err(format!("`{text}` is not a number of days from 1 to {MOST_DAYS}")),
        };
        Ok(Self {
            pipeline: params.take_one("pipeline")?,
            days: params.take_as("days", read_days)?.unwrap_or(DEFAULT_DAYS),
            lang: LangParams::from_params(params)?.lang,
        })
    }

    fn names() -> &'static [&'static str] {
        &["days", "lang", "pipeline"]
    }
}
