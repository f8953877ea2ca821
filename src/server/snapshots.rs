//! The published snapshots.

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use super::conditional::Edition;
use super::error::{ApiError, Refusals};
use super::extract::ApiQuery;
use super::indicators::LangParams;
use super::state::App;
use crate::warehouse::Snapshot;

/// All published snapshots.
///
/// Newest first; any of them may be read again by `as_of`.
#[utoipa::path(
    get, path = "/api/v1/snapshots", tag = "warehouse",
    responses((status = 200, description = "The snapshots", body = [Snapshot]), Refusals),
)]
pub(crate) async fn list_snapshots(
    State(app): State<App>,
    ApiQuery(_params): ApiQuery<LangParams>,
    edition: Edition,
) -> Result<Response, ApiError> {
    let mut snapshots = app.snapshots()?;
    snapshots.reverse();
    Ok(edition.stamp(Json(snapshots)))
}
