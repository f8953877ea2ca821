//! Widgets over tables in memory, against figures worked out by hand.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

mod coverage;
mod lights;
mod shipped;
mod widgets;
mod workbook;

use chrono::NaiveDate;
use indexmap::IndexMap;
use serde_json::{Value, json};
use svod::dashboards::{Dashboard, Freshness, Sources, WidgetData, WidgetError, WidgetRequest, build_widget};
use svod::declarations::Problems;
use svod::indicators::{Engine, Scope};

use crate::indicators::memory::{reference, shipped_catalog, shipped_engine};

/// A dashboard of a test's own, over the shipped indicators.
fn dashboard(widgets: &str) -> Dashboard {
    load(&format!("widgets:\n{widgets}\n")).unwrap()
}

/// A dashboard from the lines that matter, which start at line 5.
fn load(lines: &str) -> Result<Dashboard, Problems> {
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(folder.path().join("dashboards")).unwrap();
    let text = format!(
        "dashboard: test\ntitle: {{ru: Проверка, en: Test}}\nquestion: {{ru: Что?, en: What?}}\n\
         period: {{from: 2024-01, to: 2024-03}}\n{lines}"
    );
    fs_err::write(folder.path().join("dashboards/test.yaml"), text).unwrap();
    Ok(Dashboard::load_all(folder.path(), &shipped_catalog(), &reference())?.remove(0))
}

/// Five cases in two places and one nowhere; the last event is of the 15th of March.
fn cases() -> Value {
    json!([
        {"case_id": "1", "region": "36000000", "municipality": "36740000", "person_id": "p1", "status": "provided",
         "category": "pensioner", "registered_on": "2024-01-05", "provided_on": "2024-02-10", "closed_on": "2024-02-10"},
        {"case_id": "2", "region": "36000000", "municipality": "36740000", "person_id": "p1", "status": "refused",
         "category": "disabled", "registered_on": "2024-01-20", "closed_on": "2024-01-25"},
        {"case_id": "3", "region": "36000000", "municipality": "36602000", "person_id": "p2", "status": "provided",
         "category": "pensioner", "registered_on": "2024-02-01", "provided_on": "2024-02-28", "closed_on": "2024-02-28"},
        {"case_id": "4", "person_id": "p3", "status": "new", "category": "pensioner", "registered_on": "2024-03-15"},
        {"case_id": "5", "region": "36000000", "municipality": "36602000", "person_id": "p4", "status": "withdrawn",
         "category": "disabled", "registered_on": "2023-01-11", "closed_on": "2024-03-01"}
    ])
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn build_all(
    engine: &Engine,
    dashboard: &Dashboard,
    request: &WidgetRequest,
) -> Result<Vec<WidgetData>, WidgetError> {
    let freshness = Freshness {
        last_event_at: Some("2024-03-15T08:00:00Z".parse().unwrap()),
        last_event_on: Some(date("2024-03-15")),
    };
    let sources = Sources { engine, freshness, today: date("2024-04-10") };
    let mut built = Vec::new();
    for widget in &dashboard.widgets {
        built.push(build_widget(&sources, &Scope::all(), dashboard, widget, request).await?);
    }
    Ok(built)
}

/// The only widget of a dashboard over tables, with some filters.
async fn build_with(
    tables: &[(&str, Value)],
    widget: &str,
    filters: &[(&str, &str)],
) -> Result<WidgetData, WidgetError> {
    let filters: IndexMap<String, Vec<String>> =
        filters.iter().map(|(name, code)| ((*name).to_owned(), vec![(*code).to_owned()])).collect();
    let request = WidgetRequest { filters, ..WidgetRequest::default() };
    let mut built = build_all(&shipped_engine(tables), &dashboard(widget), &request).await?;
    Ok(built.remove(0))
}

async fn build(tables: &[(&str, Value)], widget: &str) -> WidgetData {
    build_with(tables, widget, &[]).await.unwrap()
}

/// Rows as `label value` lines, an absent value as its state.
fn lines(widget: &WidgetData) -> Vec<String> {
    let value =
        |row: &svod::dashboards::Row| row.value.map_or_else(|| format!("{:?}", row.state), |value| value.to_string());
    widget.rows.iter().map(|row| format!("{} {}", row.label, value(row))).collect()
}

/// The table as people read it, cells apart by `|`.
fn table_lines(widget: &WidgetData) -> Vec<String> {
    let table = widget.table();
    let head = table.columns.iter().map(svod::domain::table::TableColumn::heading).collect::<Vec<_>>().join("|");
    let row = |row: &Vec<svod::domain::table::Cell>| {
        let cells = row.iter().zip(&table.columns).map(|(cell, column)| cell.display(column, widget.lang));
        cells.collect::<Vec<_>>().join("|")
    };
    std::iter::once(head).chain(table.rows.iter().map(row)).collect()
}
