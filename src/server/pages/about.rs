//! «О показателе»: the passport, the downloads and the source, alike under every card.

use maud::{Markup, html};

use super::table::table;
use crate::dashboards::{Passport, WidgetData, passport_rows};
use crate::domain::language::Lang;
use crate::server::view::View;

/// The foot of a card. `has_picture` and `has_twin` say what else than figures there is.
pub(crate) fn foot(data: &WidgetData, view: &View, has_picture: bool, has_twin: bool) -> Markup {
    let lang = view.lang;
    html! {
        div .foot {
            (about(data, lang))
            @if has_twin {
                details {
                    summary { (lang.pick("Таблица", "Table")) }
                    div .details-table tabindex="0" role="region" aria-label=(data.title) { (table(&data.table(), lang)) }
                }
            }
            (downloads(data, view, has_picture))
            p .source { (lang.pick("Источник: ", "Source: ")) (sources(data)) }
        }
    }
}

/// «О показателе» and the downloads in one, for tiles.
pub(crate) fn short_foot(data: &WidgetData, view: &View) -> Markup {
    html! { div .foot { (about(data, view.lang)) (downloads(data, view, true)) } }
}

fn about(data: &WidgetData, lang: Lang) -> Markup {
    let name = if data.indicators.len() > 1 {
        lang.pick("О показателях", "About these figures")
    } else {
        lang.pick("О показателе", "About this figure")
    };
    html! {
        details {
            summary { (name) }
            @for passport in &data.indicators { (passport_list(passport, lang)) }
        }
    }
}

/// The passport of an indicator as a list of terms.
fn passport_list(passport: &Passport, lang: Lang) -> Markup {
    html! {
        dl .passport {
            dt { (lang.pick("Показатель", "Indicator")) } dd { (passport.title) }
            @for (term, text) in passport_rows(passport, lang) { dt { (term) } dd { (text) } }
        }
    }
}

fn downloads(data: &WidgetData, view: &View, has_picture: bool) -> Markup {
    let lang = view.lang;
    let address = |ending: &str| {
        view.link_with_choice(&format!("/api/v1/dashboards/{}/widgets/{}{ending}", data.dashboard, data.id))
    };
    let for_people = |link: String| format!("{link}{}flavour=human", if link.contains('?') { '&' } else { '?' });
    html! {
        details {
            summary { (lang.pick("Скачать", "Download")) }
            p .downloads {
                a href=(for_people(address(".csv"))) download { "CSV" }
                @if has_picture {
                    a href=(address(".svg")) { "SVG" }
                    a href=(address(".png")) { "PNG" }
                }
                a href=(address("")) { "JSON" }
            }
        }
    }
}

fn sources(data: &WidgetData) -> String {
    let mut sources: Vec<&str> = Vec::new();
    for passport in &data.indicators {
        if !sources.contains(&passport.source.as_str()) {
            sources.push(&passport.source);
        }
    }
    sources.join("; ")
}
