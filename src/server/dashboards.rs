//! The dashboards: the list, one with its widgets, and its workbook.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures::future::join_all;
use serde::Serialize;
use utoipa::ToSchema;

use super::conditional::Edition;
use super::error::{ApiError, Refusals};
use super::extract::{ApiPath, ApiQuery};
use super::indicators::LangParams;
use super::state::App;
use super::view::{View, ViewParams};
use crate::dashboards::{Dashboard, Widget, WidgetData, WidgetError, WidgetKind, WidgetRequest, build_widget};
use crate::domain::language::Lang;
use crate::indicators::Scope;
use crate::project::Project;
use crate::reports::dashboard_workbook;
use crate::warehouse::Snapshot;

/// Content type of a workbook.
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// One dashboard and where its widgets are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DashboardResponse {
    /// Identifier, part of the address.
    pub id: String,
    /// Name.
    pub title: String,
    /// The question that it answers.
    pub question: String,
    /// Address of its page.
    pub page: String,
    /// Address of its workbook.
    pub workbook: String,
    /// Dimensions that it may be filtered by.
    pub filters: Vec<String>,
    /// Its widgets, in reading order.
    pub widgets: Vec<WidgetEntry>,
}

/// One widget of a dashboard.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WidgetEntry {
    /// Identifier, unique in the dashboard.
    pub id: String,
    /// How the figures are shown.
    pub kind: WidgetKind,
    /// Title, where the declaration gives one.
    pub title: Option<String>,
    /// The indicators shown.
    pub indicators: Vec<String>,
    /// Dimensions that the figures are cut by.
    pub by: Vec<String>,
    /// Address of its figures as JSON; with `.svg`, `.png` and `.csv` behind it the same as picture or file.
    pub data: String,
}

/// All dashboards.
///
/// In the order of the menu.
#[utoipa::path(
    get, path = "/api/v1/dashboards", tag = "dashboards",
    params(("lang" = Option<String>, Query, description = "Language of texts: `ru` or `en`")),
    responses((status = 200, description = "All dashboards", body = [DashboardResponse]), Refusals),
)]
pub(crate) async fn list_dashboards(
    State(app): State<App>,
    ApiQuery(params): ApiQuery<LangParams>,
    edition: Edition,
) -> Response {
    let all = app.project().dashboards.iter().map(|dashboard| DashboardResponse::of(dashboard, params.lang));
    edition.stamp(Json(all.collect::<Vec<_>>()))
}

/// A dashboard, as JSON or, with `.xlsx` behind its id, as workbook.
pub(crate) async fn get_dashboard_or_workbook(
    State(app): State<App>,
    scope: Scope,
    ApiPath(id): ApiPath<String>,
    ApiQuery(view): ApiQuery<View>,
    edition: Edition,
) -> Result<Response, ApiError> {
    match id.strip_suffix(".xlsx") {
        Some(id) => get_workbook(&app, &scope, id, &view, edition).await,
        None => get_dashboard(&app, &id, &view, edition),
    }
}

/// One dashboard.
///
/// Its question, filters and widgets, with the address of each widget's figures.
#[utoipa::path(
    get, path = "/api/v1/dashboards/{id}", tag = "dashboards",
    params(("id" = String, Path, description = "Dashboard"),
           ("lang" = Option<String>, Query, description = "Language of texts: `ru` or `en`")),
    responses((status = 200, description = "The dashboard", body = DashboardResponse), Refusals),
)]
pub(crate) fn get_dashboard(app: &App, id: &str, view: &View, edition: Edition) -> Result<Response, ApiError> {
    let dashboard = find_dashboard(app.project(), id)?;
    view.check_filters([])?;
    Ok(edition.stamp(Json(DashboardResponse::of(dashboard, view.lang))))
}

/// A dashboard as workbook.
///
/// A sheet per widget with typed cells, and a sheet with passports, snapshot and filters.
#[utoipa::path(
    get, path = "/api/v1/dashboards/{id}.xlsx", tag = "dashboards",
    params(("id" = String, Path, description = "Dashboard"), ViewParams),
    responses((status = 200, description = "The workbook", body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), Refusals),
)]
pub(crate) async fn get_workbook(
    app: &App,
    scope: &Scope,
    id: &str,
    view: &View,
    edition: Edition,
) -> Result<Response, ApiError> {
    let dashboard = find_dashboard(app.project(), id)?;
    let request = view.request(app.project(), dashboard)?;
    let built = build_widgets(app, scope, edition.snapshot()?, dashboard, &request).await;
    let widgets = built.into_iter().map(|(_, data)| data).collect::<Result<Vec<_>, _>>()?;
    let bytes = dashboard_workbook(dashboard, &widgets, view.lang).map_err(ApiError::failed)?;
    let name = format!("attachment; filename=\"{id}-{}.xlsx\"", edition.snapshot()?.number);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(XLSX)),
        (header::CONTENT_DISPOSITION, HeaderValue::try_from(name).map_err(ApiError::failed)?),
    ];
    Ok(edition.stamp((headers, bytes)))
}

/// All widgets of a dashboard, side by side; a problem of one leaves the others standing.
pub(crate) async fn build_widgets<'a>(
    app: &App,
    scope: &Scope,
    snapshot: &Snapshot,
    dashboard: &'a Dashboard,
    request: &WidgetRequest,
) -> Vec<(&'a Widget, Result<WidgetData, WidgetError>)> {
    let sources = app.sources(snapshot);
    let build = async |widget| (widget, build_widget(&sources, scope, dashboard, widget, request).await);
    join_all(dashboard.widgets.iter().map(build)).await
}

/// The dashboard with this id.
///
/// # Errors
/// [`ApiError::Unknown`] with the nearest id.
pub(crate) fn find_dashboard<'a>(project: &'a Project, id: &str) -> Result<&'a Dashboard, ApiError> {
    let all = &project.dashboards;
    all.iter()
        .find(|dashboard| dashboard.id == id)
        .ok_or_else(|| ApiError::unknown("dashboard", id, all.iter().map(|dashboard| dashboard.id.as_str())))
}

impl DashboardResponse {
    fn of(dashboard: &Dashboard, lang: Lang) -> Self {
        let address = format!("/api/v1/dashboards/{}", dashboard.id);
        Self {
            id: dashboard.id.clone(),
            title: dashboard.title.get(lang).to_owned(),
            question: dashboard.question.get(lang).to_owned(),
            page: format!("/dashboards/{}", dashboard.id),
            workbook: format!("{address}.xlsx"),
            filters: dashboard.filters.clone(),
            widgets: dashboard.widgets.iter().map(|widget| WidgetEntry::of(widget, &address, lang)).collect(),
        }
    }
}

impl WidgetEntry {
    fn of(widget: &Widget, address: &str, lang: Lang) -> Self {
        Self {
            id: widget.id.clone(),
            kind: widget.kind,
            title: widget.title.as_ref().map(|title| title.get(lang).to_owned()),
            indicators: widget.indicators.clone(),
            by: widget.by.clone(),
            data: format!("{address}/widgets/{}", widget.id),
        }
    }
}
