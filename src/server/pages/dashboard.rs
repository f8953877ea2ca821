//! The page of one dashboard.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::card::{Built, cards};
use super::filters::{filters, status_line};
use super::layout::{Place, heading, page};
use super::sentence::sentence;
use super::welcome::welcome;
use crate::dashboards::{Coverage, Dashboard, build_coverage};
use crate::indicators::Scope;
use crate::server::conditional::Edition;
use crate::server::dashboards::{build_widgets, find_dashboard};
use crate::server::error::ApiError;
use crate::server::extract::{ApiPath, ApiQuery};
use crate::server::state::App;
use crate::server::view::{View, ViewParams};
use crate::warehouse::Snapshot;

/// The page of a dashboard.
///
/// Its address holds everything that the reader chose, so that a link is a view.
#[utoipa::path(
    get, path = "/dashboards/{id}", tag = "pages",
    params(("id" = String, Path, description = "Dashboard"), ViewParams),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
              (status = 400, description = "A parameter is wrong", body = String, content_type = "text/html"),
              (status = 404, description = "No such dashboard or snapshot", body = String, content_type = "text/html")),
)]
pub(crate) async fn show_dashboard(
    State(app): State<App>,
    scope: Scope,
    ApiPath(id): ApiPath<String>,
    ApiQuery(view): ApiQuery<View>,
    edition: Edition,
) -> Result<Response, ApiError> {
    let dashboard = find_dashboard(app.project(), &id)?;
    render_dashboard(&app, &scope, dashboard, &view, edition, &format!("/dashboards/{id}")).await
}

/// The page at `path`; a widget that cannot be built says why in its card and leaves the others standing.
///
/// # Errors
/// [`ApiError::BadParameter`], if a filter is not one of this dashboard.
pub(crate) async fn render_dashboard(
    app: &App,
    scope: &Scope,
    dashboard: &Dashboard,
    view: &View,
    edition: Edition,
    path: &str,
) -> Result<Response, ApiError> {
    let place = Place { path, title: dashboard.title.get(view.lang) };
    let Ok(snapshot) = edition.snapshot().cloned() else {
        return Ok(edition.stamp(page(app, view, &place, &welcome(view.lang))));
    };
    let request = view.request(app.project(), dashboard)?;
    let built = build_widgets(app, scope, &snapshot, dashboard, &request).await;
    let built: Vec<Built> =
        built.into_iter().map(|(widget, data)| (widget, data.map_err(|error| sentence(error, view.lang)))).collect();
    let coverage = build_coverage(&app.sources(&snapshot), scope, dashboard, &request).await;
    let coverage = coverage.map_err(|error| sentence(error, view.lang));
    let content = content(app, dashboard, view, &snapshot, &coverage, &built, path);
    Ok(edition.stamp(page(app, view, &place, &content)))
}

fn content(
    app: &App,
    dashboard: &Dashboard,
    view: &View,
    snapshot: &Snapshot,
    coverage: &Result<Option<Coverage>, String>,
    built: &[Built],
    path: &str,
) -> Markup {
    html! {
        div .head {
            (heading(dashboard.title.get(view.lang), dashboard.question.get(view.lang)))
            (filters(app, dashboard, view, snapshot, built, path))
            (status_line(app, dashboard, view, snapshot, coverage))
        }
        (cards(built, view))
    }
}
