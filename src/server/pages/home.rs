//! The first page: the first dashboard, or where there is none, what to do.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::dashboard::render_dashboard;
use super::layout::{Place, heading, page};
use crate::indicators::Scope;
use crate::server::conditional::Edition;
use crate::server::error::ApiError;
use crate::server::extract::ApiQuery;
use crate::server::state::App;
use crate::server::view::{View, ViewParams};

/// The first page.
///
/// Shows the first dashboard of the menu.
#[utoipa::path(
    get, path = "/", tag = "pages", params(ViewParams),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
              (status = 400, description = "A parameter is wrong", body = String, content_type = "text/html")),
)]
pub(crate) async fn show_home(
    State(app): State<App>,
    scope: Scope,
    ApiQuery(view): ApiQuery<View>,
    edition: Edition,
) -> Result<Response, ApiError> {
    if let Some(dashboard) = app.project().dashboards.first() {
        return render_dashboard(&app, &scope, dashboard, &view, edition, "/").await;
    }
    let title = app.project().settings.title.get(view.lang);
    let advice = view.lang.pick("Панелей ещё нет: опишите первую в", "No dashboards yet: declare the first one in");
    let content = html! {
        div .head { (heading(title, "")) }
        div .section { section .card .plain { p { (advice) " " code { "dashboards/*.yaml" } } } }
    };
    Ok(edition.stamp(page(&app, &view, &Place { path: "/", title }, &content).into_response()))
}
