//! The catalogue: every indicator with its passport.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::layout::{Place, heading, page};
use crate::dashboards::passport_rows;
use crate::indicators::Indicator;
use crate::project::Project;
use crate::server::conditional::Edition;
use crate::server::error::ApiError;
use crate::server::extract::ApiQuery;
use crate::server::passport::IndicatorResponse;
use crate::server::state::App;
use crate::server::view::{View, ViewParams};

/// The catalogue of indicators.
///
/// Every indicator with its passport: method, source, owner.
#[utoipa::path(
    get, path = "/indicators", tag = "pages", params(ViewParams),
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
)]
pub(crate) async fn show_catalogue(
    State(app): State<App>,
    ApiQuery(view): ApiQuery<View>,
    edition: Edition,
) -> Result<Response, ApiError> {
    view.check_filters([])?;
    let title = view.lang.pick("Показатели", "Indicators");
    let question = view.lang.pick(
        "Что значит каждая цифра, как она считается и кто за неё отвечает?",
        "What does each figure mean, how is it computed, and who answers for it?",
    );
    let content = html! {
        div .head { (heading(title, question)) }
        div .section { @for indicator in app.project().indicators.iter() { (entry(app.project(), indicator, &view)) } }
    };
    Ok(edition.stamp(page(&app, &view, &Place { path: "/indicators", title }, &content)))
}

fn entry(project: &Project, indicator: &Indicator, view: &View) -> Markup {
    let lang = view.lang;
    let about = IndicatorResponse::of(project, indicator, lang);
    let dimensions: Vec<&str> = about.dimensions.iter().map(|dimension| dimension.title.as_str()).collect();
    let cuts = dimensions.join(", ");
    html! {
        section .card id=(about.passport.id) {
            h2 { (about.passport.title) }
            dl .passport {
                @for (term, text) in passport_rows(&about.passport, lang) { dt { (term) } dd { (text) } }
                @if !cuts.is_empty() { dt { (lang.pick("Разрезы", "Cuts")) } dd { (cuts) } }
            }
            p .sub { a href=(view.link(&about.values)) { (lang.pick("Значения", "Values")) " (JSON)" } }
        }
    }
}
