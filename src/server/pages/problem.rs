//! An error as a page: what happened, in words, and where to go from here.

use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{Place, heading, page};
use crate::domain::language::Lang;
use crate::server::error::Problem;
use crate::server::params::{FromParams, Params};
use crate::server::state::App;
use crate::server::view::View;

/// The problem as a page in the reader's language, with the status it has.
pub(crate) fn show_problem(app: &App, problem: &Problem, uri: &Uri) -> Response {
    let chosen = View::from_params(&mut Params::read(uri.query())).unwrap_or_default();
    let view = View { lang: chosen.lang, theme: chosen.theme, ..View::default() };
    let (title, advice) = words(problem, view.lang);
    let place = Place { path: uri.path(), title };
    let status = axum::http::StatusCode::from_u16(problem.status).unwrap_or_default();
    (status, page(app, &view, &place, &explanation(problem, title, advice, &view))).into_response()
}

fn explanation(problem: &Problem, title: &str, advice: &str, view: &View) -> Markup {
    html! {
        div .head { (heading(title, advice)) }
        div .section { section .card .plain {
            h2 { (problem.status) }
            @if problem.status < 500 { p { (problem.detail) } }
            p .quiet { (view.lang.pick("Номер обращения: ", "Error id: ")) code { (problem.error_id) } }
            p { a href=(view.link("/")) { (view.lang.pick("На главную", "To the first page")) } }
        } }
    }
}

/// Title and advice for a kind of problem.
fn words(problem: &Problem, lang: Lang) -> (&'static str, &'static str) {
    match problem.status {
        404 => (
            lang.pick("Такой страницы нет", "There is no such page"),
            lang.pick(
                "Проверьте адрес или начните с первой страницы.",
                "Check the address or start from the first page.",
            ),
        ),
        405 => (
            lang.pick("Так обратиться нельзя", "Not possible here"),
            lang.pick("Страницы можно только читать.", "Pages can only be read."),
        ),
        400..500 => (
            lang.pick("Отбор не подходит", "These filters do not fit"),
            lang.pick(
                "Адрес страницы содержит то, чего нет в данных.",
                "The address names something that the data lack.",
            ),
        ),
        _ => (
            lang.pick("Страницу показать не удалось", "The page cannot be shown"),
            lang.pick(
                "Причина записана в журнале под номером обращения.",
                "The cause is in the log under the error id.",
            ),
        ),
    }
}
