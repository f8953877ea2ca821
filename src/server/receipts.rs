//! Receipts: what a figure follows from, and whether it is still computed so.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::conditional::Edition;
use super::error::{ApiError, Refusals};
use super::extract::{ApiPath, ApiQuery};
use super::indicators::LangParams;
use super::state::App;
use crate::domain::figure::State as FigureState;
use crate::domain::period::{Grain, Period};
use crate::indicators::{Outcome, Reason, Receipt, Scope, Seen};

/// A figure computed again, and what it follows from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceiptResponse {
    /// The receipt.
    pub receipt: String,
    /// Whether the figure is still the same.
    pub outcome: Outcome,
    /// What is not as it was.
    pub reasons: Vec<ReasonResponse>,
    /// The figure as it is computed now.
    pub value: Option<f64>,
    /// What is known about it; none where it cannot be computed.
    pub state: Option<FigureState>,
    /// Identifier of the indicator.
    pub indicator: String,
    /// Its name, where the catalogue still has it.
    pub title: Option<String>,
    /// Edition of its definition when the receipt was given.
    pub edition: String,
    /// Number of the snapshot.
    pub snapshot: u64,
    /// The local day in which the figure was computed, unless it depends on the moment.
    pub seen_on: Option<NaiveDate>,
    /// The moment in which the figure was computed, where it depends on it.
    pub seen_at: Option<DateTime<Utc>>,
    /// The code of the figure in each dimension that its answer is cut by.
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    pub keys: IndexMap<String, Option<String>>,
    /// Codes that were let through, by dimension.
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    pub filters: IndexMap<String, Vec<String>>,
    /// The period as it was asked for; none = all of history.
    pub period: Option<Period>,
    /// Length of the bucket, if time is cut.
    pub grain: Option<Grain>,
    /// First day of the bucket.
    pub bucket: Option<NaiveDate>,
    /// Who asked: `all`, or a hash of the rows that the asker sees.
    pub scope: String,
    /// Edition of the policy of lights that was in force; empty without one.
    pub policy: String,
    /// Version of the program that computed the figure.
    pub program: String,
}

/// One thing that is not as it was.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReasonResponse {
    /// What it is.
    pub code: Reason,
    /// The same in words.
    pub text: String,
}

/// The figure of a receipt, computed again.
///
/// Out of the receipt's own snapshot and on its own day, by the definitions that were kept with it. Rows behind a figure are shown on the command
/// line only: nobody signs in here yet.
#[utoipa::path(
    get, path = "/api/v1/receipts/{receipt}", tag = "indicators",
    params(("receipt" = String, Path, description = "Receipt, as it stands beside a figure"),
           ("lang" = Option<String>, Query, description = "Language of texts: `ru` or `en`")),
    responses((status = 200, description = "The figure and what became of it", body = ReceiptResponse), Refusals),
)]
pub(crate) async fn verify_receipt(
    State(app): State<App>,
    scope: Scope,
    ApiPath(text): ApiPath<String>,
    ApiQuery(params): ApiQuery<LangParams>,
    edition: Edition,
) -> Result<Response, ApiError> {
    let receipt: Receipt = text.parse().map_err(|error| ApiError::Refused(format!("{error}")))?;
    edition.snapshot()?;
    let found = app.engine().verify_figure(&scope, &receipt).await?;
    let lang = params.lang;
    let (seen_on, seen_at) = match receipt.basis.seen {
        Seen::Day(day) => (Some(day), None),
        Seen::Moment(moment) => (None, Some(moment)),
    };
    let title =
        app.project().indicators.get(&receipt.indicator).map(|indicator| indicator.title().get(lang).to_owned());
    let reason = |code: Reason| ReasonResponse { code, text: code.text().get(lang).to_owned() };
    Ok(edition.stamp(Json(ReceiptResponse {
        receipt: text,
        outcome: found.outcome,
        reasons: found.reasons.into_iter().map(reason).collect(),
        value: found.figure.and_then(|figure| figure.value),
        state: found.figure.map(|figure| figure.state),
        title,
        edition: receipt.basis.edition,
        snapshot: receipt.snapshot,
        seen_on,
        seen_at,
        keys: receipt.keys.into_iter().collect(),
        filters: receipt.basis.filters.into_iter().collect(),
        period: receipt.basis.period,
        grain: receipt.grain,
        bucket: receipt.bucket,
        scope: receipt.basis.scope,
        policy: receipt.basis.policy,
        program: receipt.basis.program,
        indicator: receipt.indicator,
    })))
}
