//! «О показателе»: the passport, the downloads and the source, alike under every card.

use chrono::NaiveDate;
use maud::{Markup, html};

use super::table::table;
use crate::dashboards::{Passport, Unit, WidgetData};
use crate::domain::language::Lang;
use crate::indicators::Direction;
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

/// Terms of a passport with what is known about them.
pub(crate) fn passport_rows(passport: &Passport, lang: Lang) -> impl Iterator<Item = (&'static str, String)> {
    let Unit { name, symbol, .. } = &passport.unit;
    let unit = if symbol.is_empty() || symbol == name { name.clone() } else { format!("{name}, {symbol}") };
    let better = match passport.direction {
        Direction::Up => lang.pick("больше", "more"),
        Direction::Down => lang.pick("меньше", "less"),
        Direction::None => "",
    };
    let rows = [
        (lang.pick("Что показывает", "What it says"), passport.description.clone()),
        (lang.pick("Единица", "Unit"), unit),
        (lang.pick("Желательно", "Better"), better.to_owned()),
        (lang.pick("Как считается", "Method"), passport.method.clone()),
        (lang.pick("Формула", "Formula"), passport.formula.clone()),
        (lang.pick("Источник", "Source"), passport.source.clone()),
        (lang.pick("Кто отвечает", "Owner"), passport.owner.clone()),
        (lang.pick("Обновление", "Periodicity"), passport.periodicity.clone()),
        (lang.pick("Основание", "Act"), passport.act.clone().unwrap_or_default()),
    ];
    let told = |text: &Option<String>| text.clone().unwrap_or_default();
    let day = |day: Option<NaiveDate>| day.map(|day| day.format("%d.%m.%Y").to_string()).unwrap_or_default();
    let more = [
        (lang.pick("Зачем", "Why"), told(&passport.rationale)),
        (lang.pick("Уровень", "Level"), told(&passport.level)),
        (lang.pick("Вид значения", "Kind of value"), told(&passport.value_type)),
        (lang.pick("Время", "Time"), passport.time_character.clone()),
        (lang.pick("Числитель", "Numerator"), told(&passport.numerator)),
        (lang.pick("Знаменатель", "Denominator"), told(&passport.denominator)),
        (lang.pick("Разрезы", "Breakdowns"), passport.breakdowns.join(", ")),
        (lang.pick("Сбор данных", "Collection"), told(&passport.collection)),
        (lang.pick("Охват", "Coverage"), told(&passport.coverage)),
        (lang.pick("Владелец данных", "Owner of the data"), told(&passport.data_owner)),
        (lang.pick("Кто утверждает", "Approved by"), told(&passport.approver)),
        (lang.pick("Срок", "Due"), told(&passport.due)),
        (lang.pick("Знаков после запятой", "Decimals"), passport.decimals.to_string()),
        (lang.pick("Не раскрывается", "Not disclosed"), told(&passport.disclosure)),
        (lang.pick("Базовое значение", "Base value"), told(&passport.base)),
        (lang.pick("Оговорки", "Caveats"), told(&passport.caveats)),
        (lang.pick("Разрывы ряда", "Breaks of the series"), told(&passport.breaks)),
        (lang.pick("Действует с", "Holds from"), day(passport.valid_from)),
        (lang.pick("Действует по", "Holds until"), day(passport.valid_to)),
        (lang.pick("Версия", "Version"), passport.version.to_string()),
        (lang.pick("Изменения", "Changes"), passport.changes.join("; ")),
    ];
    rows.into_iter().chain(more).filter(|(_, text)| !text.is_empty())
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
