//! A dashboard as one workbook: a summary, a sheet per widget, and the passports of its figures.

use chrono::SecondsFormat;

use super::xlsx::{ReportError, Sheet, Workbook, write_workbook};
use crate::dashboards::{Dashboard, Light, Passport, WidgetData, WidgetKind};
use crate::domain::figure::State;
use crate::domain::language::Lang;
use crate::domain::number::format_date;
use crate::domain::table::{Cell, Table, TableColumn, state_meaning};

/// The dashboard with the figures of its widgets as the bytes of an XLSX file.
///
/// The first sheet lists the tiles, then comes a sheet per other widget with its table and codes, and the last sheet
/// says what the figures are: passports, snapshot, filters, period. The same widgets give the same bytes.
///
/// # Errors
/// As [`write_workbook`].
pub fn dashboard_workbook(dashboard: &Dashboard, widgets: &[WidgetData], lang: Lang) -> Result<Vec<u8>, ReportError> {
    let title = dashboard.title.get(lang).to_owned();
    let (tiles, others): (Vec<&WidgetData>, Vec<&WidgetData>) =
        widgets.iter().partition(|widget| widget.kind == WidgetKind::Tile);
    let mut sheets = Vec::new();
    if !tiles.is_empty() {
        sheets.push(summary_sheet(dashboard, &tiles, lang));
    }
    sheets.extend(others.into_iter().map(|widget| widget_sheet(widget, lang)));
    sheets.push(passport_sheet(dashboard, widgets, lang));
    let created = widgets.iter().map(|widget| widget.snapshot.published_at).max().unwrap_or_default();
    write_workbook(&Workbook { title, lang, created, sheets })
}

/// One row per tile: value, change, judgement.
fn summary_sheet(dashboard: &Dashboard, tiles: &[&WidgetData], lang: Lang) -> Sheet {
    let pick = |ru, en| lang.pick(ru, en);
    let columns = vec![
        TableColumn::text("title", pick("Показатель", "Indicator")),
        TableColumn::number("value", pick("Значение", "Value"), most_decimals(tiles), ""),
        TableColumn::text("unit", pick("Единица", "Unit")),
        TableColumn::text("change", pick("Изменение", "Change")),
        TableColumn::number("before", pick("Было", "Before"), most_decimals(tiles), ""),
        TableColumn::text("compared_with", pick("С чем сравнивается", "Compared with")),
        TableColumn::text("light", pick("Оценка", "Judgement")),
        TableColumn::text("reason", pick("Почему", "Why")),
    ];
    let line = |tile: &&WidgetData| {
        let comparison = tile.comparison.as_ref();
        vec![
            Cell::from(tile.title.as_str()),
            tile.total.as_ref().map_or(Cell::Empty, |total| total.figure().into()),
            Cell::from(tile.unit.symbol.as_str()),
            comparison.map_or(Cell::Empty, |comparison| comparison.text.as_str().into()),
            comparison.and_then(|comparison| comparison.value).map_or(Cell::Empty, number),
            comparison.map_or(Cell::Empty, |comparison| comparison.to.label(lang).into()),
            Cell::from(light_words(tile.status.light, lang)),
            Cell::from(tile.status.reason.as_str()),
        ]
    };
    let subtitle = tiles.first().map_or_else(String::new, |tile| context_line(tile, lang));
    let table = Table {
        title: dashboard.title.get(lang).to_owned(),
        subtitle,
        columns,
        rows: tiles.iter().map(line).collect(),
    };
    Sheet {
        name: pick("Сводка", "Summary").to_owned(), table, notes: vec![dashboard.question.get(lang).to_owned()]
    }
}

fn widget_sheet(widget: &WidgetData, lang: Lang) -> Sheet {
    let mut notes: Vec<String> = widget.note.iter().cloned().collect();
    if let Some(total) = widget.total.as_ref().filter(|_| widget.kind != WidgetKind::Table) {
        let unit = if total.unit_text.is_empty() { String::new() } else { format!(" {}", total.unit_text) };
        notes.push(format!("{}: {}{unit}", lang.pick("За весь период", "Whole period"), total.text));
    }
    notes.push(context_line(widget, lang));
    Sheet { name: widget.title.clone(), table: widget.table_with_codes(), notes }
}

/// What the figures are, and what they were cut from.
fn passport_sheet(dashboard: &Dashboard, widgets: &[WidgetData], lang: Lang) -> Sheet {
    let pick = |ru, en| lang.pick(ru, en);
    let columns = vec![
        TableColumn::text("id", pick("Код показателя", "Id")),
        TableColumn::text("title", pick("Показатель", "Indicator")),
        TableColumn::text("description", pick("Что показывает", "What it says")),
        TableColumn::text("unit", pick("Единица", "Unit")),
        TableColumn::text("okei", pick("ОКЕИ", "OKEI")),
        TableColumn::text("method", pick("Методика", "Method")),
        TableColumn::text("formula", pick("Формула", "Formula")),
        TableColumn::text("source", pick("Источник", "Source")),
        TableColumn::text("owner", pick("Ответственный", "Owner")),
        TableColumn::text("periodicity", pick("Периодичность", "Periodicity")),
        TableColumn::text("act", pick("Правовой акт", "Act")),
    ];
    let mut passports: Vec<&Passport> = widgets.iter().flat_map(|widget| &widget.indicators).collect();
    passports.sort_by(|one, other| one.id.cmp(&other.id));
    passports.dedup_by(|one, other| one.id == other.id);
    let line = |passport: &&Passport| {
        let texts = [
            &passport.id,
            &passport.title,
            &passport.description,
            &passport.unit.name,
            &passport.unit.code,
            &passport.method,
            &passport.formula,
            &passport.source,
            &passport.owner,
            &passport.periodicity,
        ];
        let mut cells: Vec<Cell> = texts.into_iter().map(|text| Cell::from(text.as_str())).collect();
        cells.push(passport.act.as_deref().map_or(Cell::Empty, Cell::from));
        cells
    };
    let states = [State::Provisional, State::Missing, State::Suppressed, State::NotDue, State::NotReported];
    let mut notes = vec![dashboard.question.get(lang).to_owned()];
    notes.extend(widgets.first().map(|widget| context_line(widget, lang)));
    notes.extend(states.map(|state| state_meaning(state, lang).to_owned()));
    let table = Table {
        title: pick("Паспорта показателей", "Passports of the indicators").to_owned(),
        subtitle: widgets.first().map_or_else(String::new, |widget| snapshot_line(widget, lang)),
        columns,
        rows: passports.iter().map(line).collect(),
    };
    Sheet { name: pick("Паспорта", "Passports").to_owned(), table, notes }
}

/// Period, filters and snapshot in one line.
fn context_line(widget: &WidgetData, lang: Lang) -> String {
    let filters = widget.filters.iter().filter(|filter| !filter.is_fixed).map(|filter| {
        let labels: Vec<&str> = filter.values.iter().map(|key| key.label.as_str()).collect();
        format!("{}: {}", filter.title, labels.join(", "))
    });
    let period = format!("{}: {}", lang.pick("Период", "Period"), widget.period_label);
    let parts: Vec<String> = std::iter::once(period).chain(filters).chain([snapshot_line(widget, lang)]).collect();
    parts.join(" · ")
}

/// Number and time of the snapshot, and the last day of its data.
fn snapshot_line(widget: &WidgetData, lang: Lang) -> String {
    let snapshot = &widget.snapshot;
    let published = snapshot.published_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let line = format!("{} {} ({published})", lang.pick("Снимок", "Snapshot"), snapshot.number);
    match widget.freshness.last_event_on {
        Some(day) => format!("{line} · {} {}", lang.pick("данные по", "data up to"), format_date(day)),
        None => line,
    }
}

fn number(value: f64) -> Cell {
    crate::domain::figure::Figure::new(value).into()
}

fn most_decimals(tiles: &[&WidgetData]) -> usize {
    tiles.iter().map(|tile| tile.decimals).max().unwrap_or(0)
}

/// A light in shape and words.
fn light_words(light: Light, lang: Lang) -> &'static str {
    match light {
        Light::Good => lang.pick("● хорошо", "● good"),
        Light::Attention => lang.pick("▲ внимание", "▲ attention"),
        Light::Bad => lang.pick("■ плохо", "■ bad"),
        Light::None => lang.pick("– без оценки", "– no judgement"),
    }
}
