//! Every address of the server.

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use super::error::ApiError;
use super::observe::{answer_panic, count, dress_problems, limit_time, protect};
use super::state::App;
use super::{
    assets, dashboards, explanations, health, indicators, openapi, pages, pipelines, push, receipts, runs, snapshots,
    widgets,
};

/// One row of the table of addresses.
pub struct Route {
    /// Pattern of the path.
    pub path: &'static str,
    /// Paths under which the API's documentation describes it: one per form that a name's ending asks for.
    pub documented: &'static [&'static str],
    handler: MethodRouter<App>,
}

/// The table of addresses.
#[must_use]
pub fn routes() -> Vec<Route> {
    let route = |path, documented, handler| Route { path, documented, handler };
    vec![
        route("/", &["/"], get(pages::home::show_home)),
        route("/dashboards/{id}", &["/dashboards/{id}"], get(pages::dashboard::show_dashboard)),
        route("/indicators", &["/indicators"], get(pages::catalogue::show_catalogue)),
        route("/data", &["/data"], get(pages::data::show_data)),
        route("/runs/{id}", &["/runs/{id}"], get(pages::run::show_run)),
        route("/assets/{*path}", &["/assets/{path}"], get(assets::get_asset)),
        route("/api/v1/dashboards", &["/api/v1/dashboards"], get(dashboards::list_dashboards)),
        route(
            "/api/v1/dashboards/{id}",
            &["/api/v1/dashboards/{id}", "/api/v1/dashboards/{id}.xlsx"],
            get(dashboards::get_dashboard_or_workbook),
        ),
        route(
            "/api/v1/dashboards/{id}/widgets/{widget}",
            &[
                "/api/v1/dashboards/{id}/widgets/{widget}",
                "/api/v1/dashboards/{id}/widgets/{widget}.csv",
                "/api/v1/dashboards/{id}/widgets/{widget}.svg",
                "/api/v1/dashboards/{id}/widgets/{widget}.png",
            ],
            get(widgets::get_widget_as),
        ),
        route("/api/v1/indicators", &["/api/v1/indicators"], get(indicators::list_indicators)),
        route("/api/v1/indicators/{id}", &["/api/v1/indicators/{id}"], get(indicators::get_indicator)),
        route("/api/v1/indicators/{id}/values", &["/api/v1/indicators/{id}/values"], get(indicators::query_indicator)),
        route("/api/v1/indicators/{id}/change", &["/api/v1/indicators/{id}/change"], get(explanations::explain_change)),
        route(
            "/api/v1/indicators/{id}/revision",
            &["/api/v1/indicators/{id}/revision"],
            get(explanations::explain_revision),
        ),
        route("/api/v1/receipts/{receipt}", &["/api/v1/receipts/{receipt}"], get(receipts::verify_receipt)),
        route("/api/v1/snapshots", &["/api/v1/snapshots"], get(snapshots::list_snapshots)),
        route("/api/v1/pipelines/{id}/events", &["/api/v1/pipelines/{id}/events"], post(push::push_events)),
        route("/api/v1/runs", &["/api/v1/runs"], get(runs::list_runs)),
        route("/api/v1/runs/{id}", &["/api/v1/runs/{id}"], get(runs::get_run)),
        route("/api/v1/pipelines", &["/api/v1/pipelines"], get(pipelines::list_pipelines)),
        route("/api/v1/pipelines/{id}/runs", &["/api/v1/pipelines/{id}/runs"], post(pipelines::start_run)),
        route("/api/openapi.json", &["/api/openapi.json"], get(openapi::get_openapi)),
        route("/healthz", &["/healthz"], get(health::get_health)),
        route("/readyz", &["/readyz"], get(health::get_readiness)),
        route("/metrics", &["/metrics"], get(health::get_metrics)),
    ]
}

/// The server's routes with all that surrounds them.
pub fn router(app: App) -> Router {
    let compressed = DefaultPredicate::new().and(NotForContentType::const_new("font/"));
    routes()
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path, route.handler))
        .fallback(answer_no_route)
        .method_not_allowed_fallback(answer_no_method)
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(from_fn(limit_time))
        .layer(from_fn_with_state(app.clone(), dress_problems))
        .layer(CompressionLayer::new().compress_when(compressed))
        .layer(from_fn(protect))
        .layer(from_fn_with_state(app.clone(), count))
        .with_state(app)
}

async fn answer_no_route(uri: Uri) -> ApiError {
    ApiError::NoRoute { path: uri.path().to_owned() }
}

async fn answer_no_method(method: Method, uri: Uri) -> ApiError {
    ApiError::NoMethod { method: method.to_string(), path: uri.path().to_owned() }
}
