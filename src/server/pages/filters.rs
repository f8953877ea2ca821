//! The bar of filters, a form that works without JavaScript, and the line of status under it.

use chrono::{Datelike, Months, NaiveDate};
use indexmap::IndexMap;
use maud::{Markup, html};

use super::card::Built;
use super::icons::{Shape, mark};
use crate::dashboards::{Coverage, Dashboard};
use crate::domain::language::Lang;
use crate::domain::number::{format_date, format_number};
use crate::domain::period::{Grain, Period};
use crate::indicators::{Dimension, Indicator};
use crate::project::Project;
use crate::server::state::App;
use crate::server::view::{View, theme_code};
use crate::warehouse::{CodeList, Snapshot};

/// Months to choose from, counted back from the last with data.
const N_MONTHS: u32 = 48;

/// Bars of filters of a dashboard: period, grain, and every dimension that it declares.
pub(crate) fn filters(
    app: &App,
    dashboard: &Dashboard,
    view: &View,
    snapshot: &Snapshot,
    built: &[Built],
    path: &str,
) -> Markup {
    let lang = view.lang;
    let shown = view.period.or_else(|| built.iter().find_map(|(_, data)| data.as_ref().ok()).map(|data| data.period));
    let is_changed = !view.filters.is_empty() || view.period.is_some() || view.grain.is_some();
    html! {
        form .filters action=(path) method="get" aria-label=(lang.pick("Отбор", "Filters")) {
            @if lang == Lang::En { input type="hidden" name="lang" value="en"; }
            @if let Some(theme) = view.theme { input type="hidden" name="theme" value=(theme_code(theme)); }
            @if let Some(number) = view.as_of { input type="hidden" name="as_of" value=(number); }
            @if let Some(shown) = shown { (period(shown, view, snapshot)) }
            @for name in &dashboard.filters {
                @if let Some(dimension) = find_dimension(app.project(), name) { (select(app.project(), dimension, view, path)) }
            }
            (grain(view))
            button .button type="submit" { (lang.pick("Показать", "Show")) }
            @if is_changed { a .reset href=(view.link(path)) { (lang.pick("Сбросить", "Reset")) } }
        }
    }
}

/// The dimension of this name in the first indicator that has it.
pub(crate) fn find_dimension<'a>(project: &'a Project, name: &str) -> Option<&'a Dimension> {
    project.indicators.iter().map(Indicator::entity).find_map(|entity| entity.dimension(name))
}

/// How fresh and how complete the figures are and which edition they are of.
pub(crate) fn status_line(
    app: &App,
    dashboard: &Dashboard,
    view: &View,
    snapshot: &Snapshot,
    coverage: &Result<Option<Coverage>, String>,
) -> Markup {
    let lang = view.lang;
    let zone = app.project().settings.time_zone;
    let published = snapshot.published_at.with_timezone(&zone);
    let last = app.snapshot(None).ok().flatten().map_or(snapshot.number, |last| last.number);
    let current = View { as_of: None, ..view.clone() };
    let workbook = view.link_with_choice(&format!("/api/v1/dashboards/{}.xlsx", dashboard.id));
    html! {
        p .status {
            @if let Some(day) = snapshot.last_event_on {
                span { (mark(Shape::Circle)) (lang.pick("данные по ", "data up to ")) (format_date(day)) }
            }
            span {
                (lang.pick("снимок ", "snapshot ")) (snapshot.number) (lang.pick(" от ", " of "))
                (published.format("%d.%m.%Y %H:%M").to_string()) " (" (zone_name(app, snapshot, lang)) ")"
            }
            @match coverage {
                Ok(Some(coverage)) => (badge(coverage, lang)),
                Ok(None) => {},
                Err(problem) => span .attention { (mark(Shape::Up)) (lang.pick("полнота неизвестна: ", "completeness unknown: ")) (problem) },
            }
            @if last != snapshot.number {
                span .attention { (mark(Shape::Up)) (lang.pick("не последний: есть снимок ", "not the last: there is snapshot "))
                    a href=(current.link_with_choice(&format!("/dashboards/{}", dashboard.id))) { (last) } }
            }
            a href=(workbook) { "XLSX" }
            a href=(view.link("/data")) { (lang.pick("о данных", "about the data")) }
        }
    }
}

/// How many of the bodies that had to report for a month have done it.
fn badge(coverage: &Coverage, lang: Lang) -> Markup {
    let count = |number: f64| format_number(number, 0, lang);
    let month = coverage.month.label(lang);
    let words = match lang {
        Lang::Ru => {
            format!("отчитались {} из {} за {month}", count(coverage.n_reported), count(coverage.n_owing))
        }
        Lang::En => {
            format!("{} of {} reported for {month}", count(coverage.n_reported), count(coverage.n_owing))
        }
    };
    let shape = if coverage.is_full() { Shape::Circle } else { Shape::Up };
    html! { span .attention[!coverage.is_full()] { (mark(shape)) (words) } }
}

/// The region's time zone as people there say it: `МСК+1`.
pub(crate) fn zone_name(app: &App, snapshot: &Snapshot, lang: Lang) -> String {
    let local = snapshot.published_at.with_timezone(&app.project().settings.time_zone);
    let hours = chrono::Offset::fix(local.offset()).local_minus_utc() / 3600;
    match (lang, hours - 3) {
        (Lang::Ru, 0) => "МСК".to_owned(),
        (Lang::Ru, ahead) => format!("МСК{ahead:+}"),
        (Lang::En, _) => format!("UTC{hours:+}"),
    }
}

fn period(shown: Period, view: &View, snapshot: &Snapshot) -> Markup {
    let last = snapshot.last_event_on.map_or(shown.to, |day| day.max(shown.to));
    let lang = view.lang;
    let is_on = view.period.is_some();
    let months = months(last, shown);
    let choice = |name: &str, label: &str, chosen: NaiveDate| {
        html! {
            label .chip .half .on[is_on] {
                span { (label) }
                select name=(name) {
                    @for month in &months {
                        option value=(month.format("%Y-%m").to_string()) selected[*month == Grain::Month.start(chosen)] {
                            (Grain::Month.label(*month, lang))
                        }
                    }
                }
            }
        }
    };
    html! {
        (choice("from", lang.pick("с", "from"), shown.from))
        (choice("to", lang.pick("по", "to"), shown.to))
    }
}

/// Months to choose from, newest first, with the chosen ones.
fn months(last: NaiveDate, shown: Period) -> Vec<NaiveDate> {
    let newest = Grain::Month.start(last);
    let oldest =
        newest.checked_sub_months(Months::new(N_MONTHS - 1)).unwrap_or(newest).min(Grain::Month.start(shown.from));
    debug_assert_eq!(oldest.day(), 1);
    let mut months = Period { from: oldest, to: newest }.buckets(Grain::Month);
    months.reverse();
    months
}

fn grain(view: &View) -> Markup {
    let lang = view.lang;
    let grains = [
        (Grain::Week, lang.pick("по неделям", "by week")),
        (Grain::Month, lang.pick("по месяцам", "by month")),
        (Grain::Quarter, lang.pick("по кварталам", "by quarter")),
        (Grain::HalfYear, lang.pick("по полугодиям", "by half-year")),
        (Grain::Year, lang.pick("по годам", "by year")),
    ];
    html! {
        label .chip .on[view.grain.is_some()] {
            span { (lang.pick("Вид", "View")) }
            select name="grain" {
                option value="" selected[view.grain.is_none()] { (lang.pick("обычный", "as declared")) }
                @for (grain, name) in grains {
                    option value=(grain.code()) selected[view.grain == Some(grain)] { (name) }
                }
            }
        }
    }
}

fn select(project: &Project, dimension: &Dimension, view: &View, path: &str) -> Markup {
    let lang = view.lang;
    let name = dimension.name();
    let chosen = view.filters.get(name).map(Vec::as_slice).unwrap_or_default();
    let list = dimension.list().and_then(|list| project.reference.list(list));
    let title = dimension.title().get(lang);
    let drop = format!("{} «{title}»", lang.pick("Снять отбор", "Remove filter"));
    html! {
        span .chip .on[!chosen.is_empty()] {
            label for={ "filter-" (name) } { (title) }
            select name=(name) id={ "filter-" (name) } {
                option value="" selected[chosen.is_empty()] { (lang.pick("все", "all")) }
                @if chosen.len() > 1 { option value=(chosen.join(",")) selected { (several(chosen.len(), lang)) } }
                @if let Some(list) = list { (options(project, list, view, name)) }
                @else { @for code in chosen { option value=(code) selected { (code) } } }
            }
            @if !chosen.is_empty() {
                a href=(view.without_filter(name).link_with_choice(path)) aria-label=(drop) title=(drop) { "×" }
            }
        }
    }
}

/// The codes of a list; places in groups by region, or those of the chosen regions only.
fn options(project: &Project, list: &CodeList, view: &View, name: &str) -> Markup {
    let lang = view.lang;
    let chosen = view.filters.get(name).map(Vec::as_slice).unwrap_or_default();
    let option = |code: &str| {
        html! {
            option value=(code) selected[chosen.len() == 1 && chosen[0] == code] { (list.label(code, lang).unwrap_or(code)) }
        }
    };
    let regions = project.reference.list("regions").filter(|_| name != "region" && list.column("region").is_some());
    let Some(regions) = regions else { return html! { @for code in list.codes() { (option(code)) } } };
    let mut groups: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for code in list.codes() {
        groups.entry(list.value(code, "region").unwrap_or_default()).or_default().push(code);
    }
    let wanted = view.filters.get("region");
    groups.retain(|region, _| wanted.is_none_or(|wanted| wanted.iter().any(|code| code == region)));
    html! {
        @for (region, codes) in &groups {
            optgroup label=(regions.label(region, lang).unwrap_or(region)) { @for code in codes { (option(code)) } }
        }
    }
}

fn several(count: usize, lang: Lang) -> String {
    format!("{}: {count}", lang.pick("несколько", "several"))
}
