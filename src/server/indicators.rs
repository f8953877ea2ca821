//! The catalogue of indicators with their passports, and their values.

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use super::conditional::Edition;
use super::error::{ApiError, Refusals};
use super::extract::{ApiPath, ApiQuery};
use super::params::{FromParams, Params};
use super::passport::IndicatorResponse;
use super::state::App;
use super::values::{ValuesParams, ValuesParamsDoc};
use crate::domain::language::Lang;
use crate::indicators::{Catalog, Indicator, Scope};
use crate::reports::IndicatorValues;

/// All indicators with their passports.
///
/// In the order of the catalogue.
#[utoipa::path(
    get, path = "/api/v1/indicators", tag = "indicators",
    params(("lang" = Option<String>, Query, description = "Language of texts: `ru` or `en`")),
    responses((status = 200, description = "All indicators", body = [IndicatorResponse]), Refusals),
)]
pub(crate) async fn list_indicators(
    State(app): State<App>,
    ApiQuery(params): ApiQuery<LangParams>,
    edition: Edition,
) -> Response {
    let project = app.project();
    let all = project.indicators.iter().map(|indicator| IndicatorResponse::of(project, indicator, params.lang));
    edition.stamp(Json(all.collect::<Vec<_>>()))
}

/// One indicator and its passport.
#[utoipa::path(
    get, path = "/api/v1/indicators/{id}", tag = "indicators",
    params(("id" = String, Path, description = "Indicator"),
           ("lang" = Option<String>, Query, description = "Language of texts: `ru` or `en`")),
    responses((status = 200, description = "The indicator", body = IndicatorResponse), Refusals),
)]
pub(crate) async fn get_indicator(
    State(app): State<App>,
    ApiPath(id): ApiPath<String>,
    ApiQuery(params): ApiQuery<LangParams>,
    edition: Edition,
) -> Result<Response, ApiError> {
    let indicator = find_indicator(&app.project().indicators, &id)?;
    Ok(edition.stamp(Json(IndicatorResponse::of(app.project(), indicator, params.lang))))
}

/// Values of one indicator.
///
/// Cut by dimensions (`by`) and by time (`grain`), of a period with both ends included. Any dimension of the
/// indicator is a parameter of its own name, repeated or with commas. A value that is absent says why in `state`.
#[utoipa::path(
    get, path = "/api/v1/indicators/{id}/values", tag = "indicators",
    params(("id" = String, Path, description = "Indicator"), ValuesParamsDoc),
    responses((status = 200, description = "The values", body = IndicatorValues), Refusals),
)]
pub(crate) async fn query_indicator(
    State(app): State<App>,
    scope: Scope,
    ApiPath(id): ApiPath<String>,
    ApiQuery(params): ApiQuery<ValuesParams>,
    edition: Edition,
) -> Result<Response, ApiError> {
    edition.snapshot()?;
    let definitions = app.engine().definitions(params.as_of).await?;
    let indicator = find_indicator(&definitions.catalog, &id)?;
    let query = params.check(indicator)?;
    let figures = app.engine().query(&scope, &query).await?;
    let plan = params.plan.map(|version| (definitions.catalog.plans(), version));
    Ok(edition.stamp(Json(IndicatorValues::of(indicator, figures, &definitions.reference, plan, params.lang))))
}

/// The language of texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LangParams {
    /// Russian if not said.
    pub lang: Lang,
}

impl FromParams for LangParams {
    fn from_params(params: &mut Params) -> Result<Self, ApiError> {
        // A snapshot may be named everywhere; where nothing depends on it, it only becomes part of the edition.
        params.take_list("as_of");
        Ok(Self { lang: params.take_as("lang", str::parse)?.unwrap_or_default() })
    }

    fn names() -> &'static [&'static str] {
        &["as_of", "lang"]
    }
}

/// The indicator with this id.
///
/// # Errors
/// [`ApiError::Unknown`] with the nearest id.
pub(crate) fn find_indicator<'a>(catalog: &'a Catalog, id: &str) -> Result<&'a Indicator, ApiError> {
    catalog.get(id).ok_or_else(|| ApiError::unknown("indicator", id, catalog.iter().map(Indicator::id)))
}
