//! Why a figure changed: between two periods, and between two publications.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use indexmap::IndexMap;
use utoipa::IntoParams;

use super::conditional::Edition;
use super::error::{ApiError, Refusals};
use super::extract::{ApiPath, ApiQuery};
use super::indicators::find_indicator;
use super::params::{FromParams, Params, unknown_parameter};
use super::state::App;
use super::view::{read_snapshot, take_period};
use crate::domain::period::Period;
use crate::indicators::{
    Change, ChangeQuery, Dimension, Indicator, Query, Revision, RevisionQuery, Scope, parse_period,
};

/// Codes by dimension.
type Filters = IndexMap<String, Vec<String>>;

/// Names of the parameters of a change; all others are dimensions.
const OF_CHANGE: [&str; 4] = ["as_of", "by", "from", "to"];
/// Names of the parameters of a revision; all others are dimensions.
const OF_REVISION: [&str; 5] = ["after", "before", "from", "plan", "to"];

/// What a request for the split of a change says.
#[derive(Debug, Clone)]
pub(crate) struct ChangeParams {
    by: String,
    from: Period,
    to: Period,
    as_of: Option<u64>,
    filters: Filters,
}

/// The parameters of a request for the split of a change, for the documentation of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `ChangeParams` reads")]
pub(crate) struct ChangeParamsDoc {
    /// The dimension among whose values the change is split.
    #[param(example = "municipality")]
    by: String,
    /// The earlier period: `2024`, `2024-Q2`, `2024-03`, `2024-03-15`, or from one point to another, `2024-01/2024-05`.
    #[param(example = "2025-Q1")]
    from: String,
    /// The later period.
    #[param(example = "2026-Q1")]
    to: String,
    /// Number of the snapshot to read; the last if not said.
    as_of: Option<u64>,
    /// Codes by dimension, each dimension under its own name: `municipality=36701000`; repeated or with commas.
    #[param(style = Form, explode)]
    dimensions: Option<BTreeMap<String, String>>,
}

impl FromParams for ChangeParams {
    fn from_params(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            by: take_needed(params, "by", |text| Ok(text.to_owned()))?,
            from: take_needed(params, "from", parse_period)?,
            to: take_needed(params, "to", parse_period)?,
            as_of: params.take_as("as_of", read_snapshot)?,
            filters: params.take_rest(),
        })
    }

    fn names() -> &'static [&'static str] {
        &OF_CHANGE
    }
}

/// What a request for the causes of a revision says.
#[derive(Debug, Clone)]
pub(crate) struct RevisionParams {
    before: u64,
    after: u64,
    period: Option<Period>,
    of_attainment: bool,
    filters: Filters,
}

/// The parameters of a request for the causes of a revision, for the documentation of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `RevisionParams` reads")]
pub(crate) struct RevisionParamsDoc {
    /// Number of the earlier snapshot.
    before: u64,
    /// Number of the later snapshot.
    after: u64,
    /// First point of the period of the figure: `2024`, `2024-Q2`, `2024-03` or `2024-03-15`; comes with `to`.
    #[param(example = "2024-01")]
    from: Option<String>,
    /// Last point of the period, itself included.
    #[param(example = "2024-06")]
    to: Option<String>,
    /// `true`: explain attainment of the plan in place of the figure.
    plan: Option<bool>,
    /// Codes by dimension, each dimension under its own name: `municipality=36701000`; repeated or with commas.
    #[param(style = Form, explode)]
    dimensions: Option<BTreeMap<String, String>>,
}

impl FromParams for RevisionParams {
    fn from_params(params: &mut Params) -> Result<Self, ApiError> {
        let read_choice = |text: &str| text.parse().map_err(|_| format!("`{text}` is neither `true` nor `false`"));
        Ok(Self {
            before: take_needed(params, "before", read_snapshot)?,
            after: take_needed(params, "after", read_snapshot)?,
            period: take_period(params)?,
            of_attainment: params.take_as("plan", read_choice)?.unwrap_or(false),
            filters: params.take_rest(),
        })
    }

    fn names() -> &'static [&'static str] {
        &OF_REVISION
    }
}

/// The change of a figure between two periods, split among the values of a dimension.
///
/// The parts add up to the change to the last digit. A ratio is split by the ratios (`rate`) and the weights (`mix`) of the groups.
#[utoipa::path(
    get, path = "/api/v1/indicators/{id}/change", tag = "indicators",
    params(("id" = String, Path, description = "Indicator"), ChangeParamsDoc),
    responses((status = 200, description = "The change and its parts", body = Change), Refusals),
)]
pub(crate) async fn explain_change(
    State(app): State<App>,
    scope: Scope,
    ApiPath(id): ApiPath<String>,
    ApiQuery(params): ApiQuery<ChangeParams>,
    edition: Edition,
) -> Result<Response, ApiError> {
    edition.snapshot()?;
    let definitions = app.engine().definitions(params.as_of).await?;
    check_filters(find_indicator(&definitions.catalog, &id)?, &params.filters, &OF_CHANGE)?;
    let ChangeParams { by, from, to, as_of, filters } = params;
    let wanted = ChangeQuery { indicator: id, by, filters, from, to, as_of };
    Ok(edition.stamp(Json(app.engine().explain_change(&scope, &wanted).await?)))
}

/// Why a published figure is another one in a later snapshot.
///
/// Late rows, corrections, the passing of time, the method and the plan, which add up to the change to the last digit.
#[utoipa::path(
    get, path = "/api/v1/indicators/{id}/revision", tag = "indicators",
    params(("id" = String, Path, description = "Indicator"), RevisionParamsDoc),
    responses((status = 200, description = "The change and its causes", body = Revision), Refusals),
)]
pub(crate) async fn explain_revision(
    State(app): State<App>,
    scope: Scope,
    ApiPath(id): ApiPath<String>,
    ApiQuery(params): ApiQuery<RevisionParams>,
    edition: Edition,
) -> Result<Response, ApiError> {
    edition.snapshot()?;
    check_filters(find_indicator(&app.project().indicators, &id)?, &params.filters, &OF_REVISION)?;
    let RevisionParams { before, after, period, of_attainment, filters } = params;
    let query = Query { filters, period, ..Query::of(id) };
    let wanted = RevisionQuery { query, from: before, to: after, definitions: None, of_attainment };
    Ok(edition.stamp(Json(app.engine().explain_revision(&scope, &wanted).await?)))
}

/// Takes a parameter that has to stand once.
fn take_needed<T>(
    params: &mut Params,
    name: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, ApiError> {
    params.take_as(name, read)?.ok_or_else(|| ApiError::bad_parameter(name, "is missing"))
}

/// Refuses a parameter that is no dimension of the indicator.
fn check_filters(indicator: &Indicator, filters: &Filters, known: &'static [&'static str]) -> Result<(), ApiError> {
    let dimensions = || indicator.entity().dimensions().iter().map(Dimension::name);
    match filters.keys().find(|name| !dimensions().any(|dimension| dimension == name.as_str())) {
        Some(name) => Err(unknown_parameter(name, dimensions().chain(known.iter().copied()))),
        None => Ok(()),
    }
}
