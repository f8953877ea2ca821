//! The documentation of the API as OpenAPI 3.1. A test freezes it and compares its paths with the router's table.

use axum::Json;
use axum::response::IntoResponse;
use utoipa::OpenApi;

use super::{
    assets, dashboards, error, explanations, health, indicators, pages, pipelines, push, push_refusal, receipts, runs,
    snapshots, widgets,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "svod",
        description = "Figures compiled from a region's social-protection registers. Every answer names the snapshot \
                       it is made of; `as_of` reads an older one again. Errors are `application/problem+json`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "dashboards", description = "Dashboards, their widgets as data, picture and file"),
        (name = "indicators", description = "The catalogue of indicators and their values"),
        (name = "warehouse", description = "Snapshots and runs"),
        (name = "operations", description = "For those who run the server"),
        (name = "pages", description = "Pages for people"),
    ),
    paths(
        pages::home::show_home,
        pages::dashboard::show_dashboard,
        pages::catalogue::show_catalogue,
        pages::data::show_data,
        pages::run::show_run,
        assets::get_asset,
        dashboards::list_dashboards,
        dashboards::get_dashboard,
        dashboards::get_workbook,
        widgets::get_json,
        widgets::get_csv,
        widgets::get_svg,
        widgets::get_png,
        indicators::list_indicators,
        indicators::get_indicator,
        indicators::query_indicator,
        explanations::explain_change,
        explanations::explain_revision,
        receipts::verify_receipt,
        snapshots::list_snapshots,
        runs::list_runs,
        push::push_events,
        runs::get_run,
        pipelines::list_pipelines,
        pipelines::start_run,
        get_openapi,
        health::get_health,
        health::get_readiness,
        health::get_metrics,
    ),
    components(schemas(error::Problem, push_refusal::BadRowResponse)),
)]
struct Documentation;

/// The documentation of the API.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Documentation::openapi()
}

/// This documentation.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
pub(crate) async fn get_openapi() -> impl IntoResponse {
    Json(openapi())
}
