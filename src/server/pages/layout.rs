//! What every page has: head, navigation, switches of language and theme, foot.

use axum::response::Html;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::charts::Theme;
use crate::domain::language::Lang;
use crate::server::assets::asset_url;
use crate::server::state::App;
use crate::server::view::{View, theme_code};

/// Where a page stands.
pub(crate) struct Place<'a> {
    /// Its path without the query.
    pub path: &'a str,
    /// Its title.
    pub title: &'a str,
}

/// A whole page around `content`.
pub(crate) fn page(app: &App, view: &View, place: &Place, content: &Markup) -> Html<String> {
    let lang = view.lang;
    let site = app.project().settings.title.get(lang);
    let page = html! {
        (DOCTYPE)
        html lang=(lang.code()) data-theme=[view.theme.map(theme_code)] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (place.title) " · " (site) }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(asset_url("fonts.css"));
                link rel="stylesheet" href=(asset_url("theme.css"));
                link rel="stylesheet" href=(asset_url("style.css"));
                script src=(asset_url("page.js")) defer {}
            }
            body {
                a .skip href="#content" { (lang.pick("К содержанию", "Skip to content")) }
                (top(app, view, place))
                main #content .wrap tabindex="-1" { (content) }
                (bottom(site, view))
            }
        }
    };
    Html(page.into_string())
}

/// The title of a page and one grey line under it.
pub(crate) fn heading(title: &str, question: &str) -> Markup {
    html! { h1 { (title) } p .question { (question) } }
}

fn top(app: &App, view: &View, place: &Place) -> Markup {
    let lang = view.lang;
    let entry = |path: String, title: &str, is_current: bool| {
        html! { li { a href=(view.link(&path)) aria-current=[is_current.then_some("page")] { (title) } } }
    };
    let dashboards = &app.project().dashboards;
    html! {
        header .top { div .wrap {
            a .brand href=(view.link("/")) { (lang.pick("свод", "svod")) }
            nav aria-label=(lang.pick("Разделы", "Sections")) { ul {
                @for (position, dashboard) in dashboards.iter().enumerate() {
                    @let path = format!("/dashboards/{}", dashboard.id);
                    @let is_current = place.path == path || (place.path == "/" && position == 0);
                    (entry(path, dashboard.title.get(lang), is_current))
                }
                (entry("/indicators".to_owned(), lang.pick("Показатели", "Indicators"), place.path == "/indicators"))
                (entry("/data".to_owned(), lang.pick("Данные", "Data"), place.path == "/data"))
            } }
            div .switches { (switch_language(view, place)) (switch_theme(view, place)) }
        } }
    }
}

fn switch_language(view: &View, place: &Place) -> Markup {
    let other = if view.lang == Lang::Ru { Lang::En } else { Lang::Ru };
    let target = View { lang: other, ..view.clone() };
    html! {
        a href=(target.link_with_choice(place.path)) lang=(other.code()) hreflang=(other.code()) {
            (other.pick("Русский", "English"))
        }
    }
}

fn switch_theme(view: &View, place: &Place) -> Markup {
    let (theme, name) = match view.theme {
        Some(Theme::Dark) => (Theme::Light, view.lang.pick("Светлая", "Light")),
        Some(Theme::Light) | None => (Theme::Dark, view.lang.pick("Тёмная", "Dark")),
    };
    let target = View { theme: Some(theme), ..view.clone() };
    let meaning = view.lang.pick("Тема", "Theme");
    html! { a href=(target.link_with_choice(place.path)) { span .hidden { (meaning) ": " } (name) } }
}

fn bottom(site: &str, view: &View) -> Markup {
    let lang = view.lang;
    html! {
        footer .bottom { div .wrap {
            span { (site) }
            a href=(view.link("/indicators")) { (lang.pick("Паспорта показателей", "Passports of the indicators")) }
            a href=(view.link("/data")) { (lang.pick("Снимки и загрузки", "Snapshots and runs")) }
            a href="/api/openapi.json" { (lang.pick("Программный интерфейс", "API")) }
        } }
    }
}

/// A drawn SVG whose ids are made unique within the page.
pub(crate) fn inline_svg(svg: &str, prefix: &str) -> Markup {
    let svg = svg
        .replace(" style=\"font-variant-numeric:tabular-nums\"", "") // the page's style says so; its policy forbids it here
        .replace(" id=\"", &format!(" id=\"{prefix}-"))
        .replace("url(#", &format!("url(#{prefix}-"))
        .replace("href=\"#", &format!("href=\"#{prefix}-"));
    PreEscaped(svg)
}
