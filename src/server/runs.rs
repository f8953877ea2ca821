//! What the runs of the pipelines brought into a snapshot.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::conditional::Edition;
use super::error::{ApiError, Refusals};
use super::extract::ApiQuery;
use super::indicators::LangParams;
use super::state::App;
use crate::indicators::Scope;

/// One row per run and pipeline, newest first.
const RUNS_SQL: &str = "\
    SELECT run, pipeline, min(started_at) AS started_at, max(finished_at) AS finished_at, count(*) AS n_files, \
           sum(read) AS read, sum(accepted) AS accepted, sum(duplicate) AS duplicate, sum(rejected) AS rejected, \
           sum(events) AS events, CAST(string_agg(warnings, '\n' ORDER BY batch) AS VARCHAR) AS warnings \
    FROM runs GROUP BY run, pipeline ORDER BY started_at DESC, pipeline";

/// One row per pipeline and rule.
const REJECTIONS_SQL: &str = "\
    SELECT pipeline, rule, count(*) AS n_rows, min(sentence) AS example \
    FROM quarantine GROUP BY pipeline, rule ORDER BY n_rows DESC, pipeline, rule";

/// What one pipeline brought in one run. `read = accepted + duplicate + rejected`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RunResponse {
    /// Id of the run.
    pub run: String,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Start of its first batch.
    pub started_at: Option<DateTime<Utc>>,
    /// End of its last batch.
    pub finished_at: Option<DateTime<Utc>>,
    /// Files that were read.
    pub n_files: i64,
    /// Source rows that were read.
    pub read: i64,
    /// Source rows whose events went into the lake.
    pub accepted: i64,
    /// Source rows whose events were all there already.
    pub duplicate: i64,
    /// Source rows that broke a rule and lie in quarantine.
    pub rejected: i64,
    /// Events that went into the lake.
    pub events: i64,
    /// What marks its batches, in the words of the people who keep the register.
    pub warnings: Vec<String>,
}

/// The runs behind a snapshot.
///
/// Per pipeline, newest first: read = accepted + duplicate + rejected.
#[utoipa::path(
    get, path = "/api/v1/runs", tag = "warehouse",
    params(("as_of" = Option<u64>, Query, description = "Number of the snapshot to read; the last if not said")),
    responses((status = 200, description = "The runs", body = [RunResponse]), Refusals),
)]
pub(crate) async fn list_runs(
    State(app): State<App>,
    scope: Scope,
    ApiQuery(_params): ApiQuery<LangParams>,
    edition: Edition,
) -> Result<Response, ApiError> {
    let runs = read_runs(&app, &scope, edition.snapshot()?.number).await?;
    Ok(edition.stamp(Json(runs)))
}

/// The runs behind a snapshot, newest first.
///
/// # Errors
/// [`ApiError::Failed`], if the snapshot cannot be read.
pub(crate) async fn read_runs(app: &App, scope: &Scope, snapshot: u64) -> Result<Vec<RunResponse>, ApiError> {
    let batches = app.engine().sql(scope, RUNS_SQL, Some(snapshot)).await?;
    Ok(batches.iter().flat_map(rows_of).collect())
}

/// How many rows broke one rule of one pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Rejection {
    /// Name of the pipeline.
    pub(crate) pipeline: String,
    /// Id of the rule.
    pub(crate) rule: String,
    /// Rows that broke it.
    pub(crate) n_rows: i64,
    /// What was said of one of them.
    pub(crate) example: String,
}

/// Why rows were rejected, most frequent first.
///
/// # Errors
/// [`ApiError::Failed`], if the snapshot cannot be read.
pub(crate) async fn read_rejections(app: &App, scope: &Scope, snapshot: u64) -> Result<Vec<Rejection>, ApiError> {
    let batches = app.engine().sql(scope, REJECTIONS_SQL, Some(snapshot)).await?;
    let of_batch = |batch: &RecordBatch| -> Vec<Rejection> {
        let rejection = |row| Rejection {
            pipeline: text_of(batch, "pipeline", row),
            rule: text_of(batch, "rule", row),
            n_rows: number_of(batch, "n_rows", row),
            example: text_of(batch, "example", row),
        };
        (0..batch.num_rows()).map(rejection).collect()
    };
    Ok(batches.iter().flat_map(of_batch).collect())
}

fn rows_of(batch: &RecordBatch) -> Vec<RunResponse> {
    let row = |row| RunResponse {
        run: text_of(batch, "run", row),
        pipeline: text_of(batch, "pipeline", row),
        started_at: moment_of(batch, "started_at", row),
        finished_at: moment_of(batch, "finished_at", row),
        n_files: number_of(batch, "n_files", row),
        read: number_of(batch, "read", row),
        accepted: number_of(batch, "accepted", row),
        duplicate: number_of(batch, "duplicate", row),
        rejected: number_of(batch, "rejected", row),
        events: number_of(batch, "events", row),
        warnings: text_of(batch, "warnings", row).lines().map(str::to_owned).collect(),
    };
    (0..batch.num_rows()).map(row).collect()
}

fn number_of(batch: &RecordBatch, name: &str, row: usize) -> i64 {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
    column.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row))
}

fn moment_of(batch: &RecordBatch, name: &str, row: usize) -> Option<DateTime<Utc>> {
    let column = batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
    column.is_valid(row).then(|| DateTime::from_timestamp_micros(column.value(row))).flatten()
}

fn text_of(batch: &RecordBatch, name: &str, row: usize) -> String {
    let Some(column) = batch.column_by_name(name) else { return String::new() };
    let plain = column.as_string_opt::<i32>().map(|column| column.value(row));
    plain.or_else(|| column.as_string_view_opt().map(|column| column.value(row))).unwrap_or_default().to_owned()
}
