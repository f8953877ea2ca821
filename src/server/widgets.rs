//! One widget: its figures as JSON, and the same as picture or file.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::conditional::Edition;
use super::dashboards::find_dashboard;
use super::error::{ApiError, Refusals};
use super::extract::{ApiPath, ApiQuery};
use super::params::{FromParams, Params};
use super::state::App;
use super::view::{VIEW_PARAMETERS, View, ViewParams};
use crate::charts::{Chart, Frame, Standalone, draw_png, draw_svg};
use crate::dashboards::{WidgetData, build_widget};
use crate::indicators::Scope;
use crate::reports::{CsvFlavour, write_csv};

/// Width of a picture in pixels, if the request does not say.
const PICTURE_WIDTH: u32 = 800;
/// Pixels of a PNG per unit of its width, so that it prints well.
const PNG_SCALE: f32 = 2.0;

/// What a request for a widget says.
#[derive(Debug, Clone)]
pub(crate) struct WidgetParams {
    view: View,
    width: u32,
    is_for_people: bool,
}

impl FromParams for WidgetParams {
    fn from_params(params: &mut Params) -> Result<Self, ApiError> {
        let width = params.take_as("width", read_width)?.unwrap_or(PICTURE_WIDTH);
        let is_for_people = params.take_as("flavour", read_flavour)?.unwrap_or(false);
        Ok(Self { view: View::from_params(params)?, width, is_for_people })
    }

    fn names() -> &'static [&'static str] {
        &VIEW_PARAMETERS
    }
}

/// A widget in the form that the ending of its name asks for.
pub(crate) async fn get_widget_as(
    State(app): State<App>,
    scope: Scope,
    ApiPath((dashboard, name)): ApiPath<(String, String)>,
    ApiQuery(params): ApiQuery<WidgetParams>,
    edition: Edition,
) -> Result<Response, ApiError> {
    let (id, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    let project = app.project();
    let dashboard = find_dashboard(project, &dashboard)?;
    let widget = dashboard
        .widget(id)
        .ok_or_else(|| ApiError::unknown("widget", id, dashboard.widgets.iter().map(|widget| widget.id.as_str())))?;
    let request = params.view.request(project, dashboard)?;
    let data = build_widget(&app.sources(edition.snapshot()?), &scope, dashboard, widget, &request).await?;
    match ending {
        "" => Ok(edition.stamp(Json(data))),
        "csv" => get_csv(&data, &params, edition),
        "svg" => get_svg(&data, &params, edition),
        "png" => get_png(data, params, edition).await,
        _ => Err(ApiError::unknown("form of a widget", ending, ["csv", "png", "svg"])),
    }
}

/// One widget with its figures.
///
/// The document explains itself: data, units, passports of the indicators, snapshot and freshness.
#[utoipa::path(
    get, path = "/api/v1/dashboards/{id}/widgets/{widget}", tag = "dashboards",
    params(("id" = String, Path, description = "Dashboard"), ("widget" = String, Path, description = "Widget"), ViewParams),
    responses((status = 200, description = "The widget", body = WidgetData), Refusals),
)]
#[expect(dead_code, reason = "documents the form without an ending")]
fn get_json() {}

/// The figures of a widget as comma-separated text.
///
/// For programs by default; with `flavour=human` for a spreadsheet of a person who reads the language asked for.
#[utoipa::path(
    get, path = "/api/v1/dashboards/{id}/widgets/{widget}.csv", tag = "dashboards",
    params(("id" = String, Path, description = "Dashboard"), ("widget" = String, Path, description = "Widget"), ViewParams,
           ("flavour" = Option<String>, Query, description = "`machine` (names, full precision, ISO dates) or `human` (titles, rounded, semicolons)")),
    responses((status = 200, description = "The table", body = String, content_type = "text/csv"), Refusals),
)]
fn get_csv(data: &WidgetData, params: &WidgetParams, edition: Edition) -> Result<Response, ApiError> {
    let text = if params.is_for_people {
        write_csv(&data.table(), CsvFlavour::Human(params.view.lang))
    } else {
        write_csv(&data.tidy_table(), CsvFlavour::Machine)
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, attachment(data, "csv")?),
    ];
    Ok(edition.stamp((headers, text)))
}

/// A widget as SVG picture.
///
/// With heading and source, so that it can leave the page.
#[utoipa::path(
    get, path = "/api/v1/dashboards/{id}/widgets/{widget}.svg", tag = "dashboards",
    params(("id" = String, Path, description = "Dashboard"), ("widget" = String, Path, description = "Widget"), ViewParams,
           ("width" = Option<u32>, Query, description = "Width in pixels, 240 to 2400")),
    responses((status = 200, description = "The picture", body = String, content_type = "image/svg+xml"), Refusals),
)]
fn get_svg(data: &WidgetData, params: &WidgetParams, edition: Edition) -> Result<Response, ApiError> {
    let chart = chart_of(data)?;
    let svg = draw_svg(&chart, &picture_frame(data, &chart, params)).map_err(ApiError::failed)?;
    Ok(edition.stamp(([(header::CONTENT_TYPE, "image/svg+xml")], svg)))
}

/// A widget as PNG picture.
///
/// Two pixels per unit of width; looks the same on every machine.
#[utoipa::path(
    get, path = "/api/v1/dashboards/{id}/widgets/{widget}.png", tag = "dashboards",
    params(("id" = String, Path, description = "Dashboard"), ("widget" = String, Path, description = "Widget"), ViewParams,
           ("width" = Option<u32>, Query, description = "Width in units of two pixels, 240 to 2400")),
    responses((status = 200, description = "The picture", body = Vec<u8>, content_type = "image/png"), Refusals),
)]
async fn get_png(data: WidgetData, params: WidgetParams, edition: Edition) -> Result<Response, ApiError> {
    let chart = chart_of(&data)?;
    let frame = picture_frame(&data, &chart, &params);
    let drawing = tokio::task::spawn_blocking(move || draw_png(&chart, &frame, PNG_SCALE));
    let png = drawing.await.map_err(ApiError::failed)?.map_err(ApiError::failed)?;
    Ok(edition.stamp(([(header::CONTENT_TYPE, "image/png")], png)))
}

fn chart_of(data: &WidgetData) -> Result<Chart, ApiError> {
    data.chart().ok_or_else(|| {
        ApiError::NotDrawable(format!("widget `{}` is a {} and has no picture; take `.csv`", data.id, data.kind))
    })
}

fn picture_frame(data: &WidgetData, chart: &Chart, params: &WidgetParams) -> Frame {
    let theme = params.view.theme.unwrap_or_default();
    let sources: Vec<&str> = data.indicators.iter().map(|passport| passport.source.as_str()).collect();
    let frame = Frame::new(params.width, chart.height(params.width), params.view.lang, theme);
    let standalone = Standalone {
        title: data.headline.clone(),
        subtitle: data.subtitle.clone(),
        source: sources.first().copied().unwrap_or_default().to_owned(),
    };
    Frame { standalone: Some(standalone), ..frame.with_texts(&data.headline, &data.summary) }
}

fn attachment(data: &WidgetData, ending: &str) -> Result<HeaderValue, ApiError> {
    let name = format!("{}-{}-{}.{ending}", data.dashboard, data.id, data.snapshot.number);
    HeaderValue::try_from(format!("attachment; filename=\"{name}\"")).map_err(ApiError::failed)
}

fn read_width(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(width) if (240..=2400).contains(&width) => Ok(width),
        _ => Err(format!("`{text}` is not a width, expected 240 to 2400")),
    }
}

fn read_flavour(text: &str) -> Result<bool, String> {
    match text {
        "human" => Ok(true),
        "machine" => Ok(false),
        _ => Err(format!("`{text}` is not a flavour, expected `human` or `machine`")),
    }
}
