//! Whether the server is up, whether it can answer, and what it counted.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, Problem};
use super::state::App;

/// Answer of a healthy server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthResponse {
    /// Always `ok`.
    pub status: &'static str,
    /// Version of the program.
    pub version: &'static str,
}

/// Answer of a server that can serve figures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadyResponse {
    /// Always `ready`.
    pub status: &'static str,
    /// Number of the snapshot that is read.
    pub snapshot: u64,
}

/// Whether the process is up.
#[utoipa::path(
    get, path = "/healthz", tag = "operations",
    responses((status = 200, description = "The process is up", body = HealthResponse)),
)]
pub(crate) async fn get_health() -> Json<HealthResponse> {
    Json(HealthResponse { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether a snapshot can be read.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses((status = 200, description = "Figures can be served", body = ReadyResponse),
              (status = 503, description = "Nothing was published yet", body = Problem, content_type = "application/problem+json")),
)]
pub(crate) async fn get_readiness(State(app): State<App>) -> Result<Json<ReadyResponse>, ApiError> {
    let snapshot = app.snapshot(None)?.ok_or(ApiError::NoSnapshot)?;
    Ok(Json(ReadyResponse { status: "ready", snapshot: snapshot.number }))
}

/// Counters for Prometheus.
///
/// Requests by route and status, their durations, the snapshot's number and rows, the age of each pipeline's last event, the
/// pushed bytes that wait for the next run.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Text format of Prometheus", body = String, content_type = "text/plain")),
)]
pub(crate) async fn get_metrics(State(app): State<App>) -> Result<Response, ApiError> {
    if let Some(snapshot) = app.snapshot(None)? {
        let metrics = app.metrics();
        metrics.set_snapshot(snapshot.number);
        for (name, table) in &snapshot.tables {
            metrics.set_rows(name, table.rows);
        }
        for (name, state) in &snapshot.pipelines {
            if let Some(last) = state.last_event_at {
                metrics.set_freshness(name, app.clock().now() - last);
            }
        }
    }
    for (pipeline, desk) in app.desks().iter() {
        app.metrics().set_pending(pipeline, desk.pending_bytes().map_err(ApiError::failed)?);
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics().render()).into_response())
}
