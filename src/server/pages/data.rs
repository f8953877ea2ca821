//! The page about the data: how fresh each pipeline is, what the runs brought, which snapshots may be read again.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::layout::{Place, heading, page};
use super::plain_card::{card, count, moment, number, title_of};
use super::run_grid::{N_DAYS, run_grid};
use super::run_state::{starter, state};
use super::welcome::welcome;
use crate::domain::language::Lang;
use crate::domain::number::plural_ru;
use crate::indicators::Scope;
use crate::intake::{PipelineRun, RunRecord};
use crate::server::batches::{Rejection, Totals, read_rejections, read_totals};
use crate::server::error::ApiError;
use crate::server::extract::ApiQuery;
use crate::server::runs::{NO_STORE, read_runs};
use crate::server::state::App;
use crate::server::view::{View, ViewParams};
use crate::warehouse::Snapshot;

/// Rows of a table that are shown.
const N_SHOWN: usize = 50;

/// The page about the data.
///
/// Freshness of the pipelines, the runs with their rejected rows, the snapshots.
#[utoipa::path(
    get, path = "/data", tag = "pages", params(ViewParams),
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
)]
pub(crate) async fn show_data(
    State(app): State<App>,
    scope: Scope,
    ApiQuery(view): ApiQuery<View>,
) -> Result<Response, ApiError> {
    view.check_filters([])?;
    let lang = view.lang;
    let title = lang.pick("Данные", "Data");
    let place = Place { path: "/data", title };
    let runs = read_runs(&app, N_DAYS.cast_signed())?;
    let grid = run_grid(&app, &runs, &view);
    let Some(snapshot) = &app.snapshot(view.as_of)? else {
        let content = html! { (welcome(lang)) @if !runs.is_empty() { div .section { (grid) } } };
        return Ok((NO_STORE, page(&app, &view, &place, &content)).into_response());
    };
    let totals = read_totals(&app, &scope, snapshot.number).await?;
    let rejections = read_rejections(&app, &scope, snapshot.number).await?;
    let snapshots = app.snapshots()?;
    let question = lang.pick(
        "Откуда цифры, насколько они свежи и что в них не вошло?",
        "Where do the figures come from, how fresh are they, and what was left out?",
    );
    let content = html! {
        div .head { (heading(title, question)) }
        div .section .catalogue {
            (freshness(&app, snapshot, &totals, &rejections, &view))
            (grid)
            (rejection_list(&app, &rejections, lang))
            (warning_list(&app, &runs, lang))
            (run_list(&app, &runs, &view))
            (snapshot_list(&app, &snapshots, &view))
            (tables(snapshot, lang))
        }
    };
    Ok((NO_STORE, page(&app, &view, &place, &content)).into_response())
}

fn freshness(app: &App, snapshot: &Snapshot, totals: &[Totals], rejections: &[Rejection], view: &View) -> Markup {
    let lang = view.lang;
    // A named snapshot is judged at its own time.
    let now = if view.as_of.is_some() { snapshot.published_at } else { app.clock().now() };
    let heads = [
        lang.pick("Конвейер", "Pipeline"),
        lang.pick("Последнее событие", "Last event"),
        lang.pick("Последняя загрузка", "Last load"),
        lang.pick("Прочитано строк", "Rows read"),
        lang.pick("Принято", "Accepted"),
        lang.pick("Повторы", "Duplicates"),
        lang.pick("Отклонено", "Rejected"),
        lang.pick("В карантине", "In quarantine"),
    ];
    let rows: Vec<Vec<Markup>> = snapshot
        .pipelines
        .iter()
        .map(|(name, state)| {
            let brought = totals.iter().find(|totals| totals.pipeline == *name);
            let count = |pick: fn(&Totals) -> i64| number(brought.map_or(0, pick), lang);
            let title = title_of(app, name, lang);
            let last_event = age(state.last_event_at, app, lang);
            let last_load = moment(state.last_loaded_at, app);
            let late = late_since(app, name, state.last_event_at, now).map(|since| match lang {
                Lang::Ru => format!("опаздывает с {since}"),
                Lang::En => format!("late since {since}"),
            });
            vec![
                html! { (title) br; small .quiet { (name) } },
                html! {
                    (moment(state.last_event_at, app)) br;
                    small .quiet { (last_event) @if let Some(late) = late { br; strong { (late) } } }
                },
                html! { (last_load) },
                count(|totals| totals.read),
                count(|totals| totals.accepted),
                count(|totals| totals.duplicate),
                count(|totals| totals.rejected),
                number(rejections.iter().filter(|rule| rule.pipeline == *name).map(|rule| rule.n_rows).sum(), lang),
            ]
        })
        .collect();
    let note = lang.pick(
        "Прочитано = принято + повторы + отклонено, за все загрузки. В карантине – то, что отклонила последняя загрузка \
         каждого файла, с причиной.",
        "Read = accepted + duplicates + rejected, over all runs. In quarantine is what the last load of each file \
         rejected, with the reason.",
    );
    card(lang.pick("Свежесть и полнота", "Freshness and completeness"), note, &heads, 3, &rows)
}

fn rejection_list(app: &App, rejections: &[Rejection], lang: Lang) -> Markup {
    let heads = [
        lang.pick("Конвейер", "Pipeline"),
        lang.pick("Правило", "Rule"),
        lang.pick("Например", "For instance"),
        lang.pick("Строк", "Rows"),
    ];
    let row = |rejection: &Rejection| {
        vec![
            html! { (title_of(app, &rejection.pipeline, lang)) },
            html! { code { (rejection.rule) } },
            html! { (rejection.example) },
            number(rejection.n_rows, lang),
        ]
    };
    let rows: Vec<Vec<Markup>> = rejections.iter().take(N_SHOWN).map(row).collect();
    let note = lang.pick("Ни одной отклонённой строки.", "Not one row was rejected.");
    let note = if rejections.is_empty() { note } else { "" };
    card(lang.pick("Почему строки отклонены", "Why rows were rejected"), note, &heads, 3, &rows)
}

/// What marks the batches of the last runs; no card if nothing does.
fn warning_list(app: &App, runs: &[RunRecord], lang: Lang) -> Markup {
    let heads = [lang.pick("Загрузка", "Run"), lang.pick("Конвейер", "Pipeline"), lang.pick("Что", "What")];
    let of_pipeline = |record: &RunRecord, run: &PipelineRun| -> Vec<Vec<Markup>> {
        let row = |warning: &String| {
            let title = title_of(app, &run.pipeline, lang);
            vec![html! { (moment(Some(record.started_at), app)) }, html! { (title) }, html! { (warning) }]
        };
        run.warnings.iter().map(row).collect()
    };
    let of_run = |record: &RunRecord| -> Vec<Vec<Markup>> {
        record.pipelines.iter().flat_map(|run| of_pipeline(record, run)).collect()
    };
    let rows: Vec<Vec<Markup>> = runs.iter().flat_map(of_run).take(N_SHOWN).collect();
    if rows.is_empty() {
        return html! {};
    }
    let note = lang.pick("Данные приняты, но отмечены.", "The data came in and are marked.");
    card(lang.pick("Предупреждения", "Warnings"), note, &heads, 3, &rows)
}

fn tables(snapshot: &Snapshot, lang: Lang) -> Markup {
    let heads = [lang.pick("Таблица", "Table"), lang.pick("Строк", "Rows"), lang.pick("Версия", "Version")];
    let rows: Vec<Vec<Markup>> = snapshot
        .tables
        .iter()
        .map(|(name, table)| {
            vec![
                html! { (name) },
                number(i64::try_from(table.rows).unwrap_or(i64::MAX), lang),
                number(table.version, lang),
            ]
        })
        .collect();
    card(lang.pick("Таблицы снимка", "Tables of the snapshot"), "", &heads, 1, &rows)
}

fn run_list(app: &App, runs: &[RunRecord], view: &View) -> Markup {
    let lang = view.lang;
    let heads = [
        lang.pick("Начало", "Start"),
        lang.pick("Итог", "Outcome"),
        lang.pick("Кто начал", "Started by"),
        lang.pick("Конвейеры", "Pipelines"),
        lang.pick("Прочитано", "Read"),
        lang.pick("Принято", "Accepted"),
        lang.pick("Повторы", "Duplicates"),
        lang.pick("Отклонено", "Rejected"),
        lang.pick("Событий", "Events"),
        lang.pick("Снимок", "Snapshot"),
    ];
    let row = |record: &RunRecord| {
        let link = view.link(&format!("/runs/{}", record.run));
        let names = match record.pipelines.as_slice() {
            [only] => title_of(app, &only.pipeline, lang).to_owned(),
            many => format!("{} {}", lang.pick("всего", "in all"), many.len()),
        };
        let sum = |pick: fn(&PipelineRun) -> u64| record.pipelines.iter().map(pick).sum::<u64>();
        let counts = [
            sum(|run| run.read),
            sum(|run| run.accepted),
            sum(|run| run.duplicate),
            sum(|run| run.rejected),
            sum(|run| run.events),
        ];
        let mut cells = vec![
            html! { a href=(link) { (moment(Some(record.started_at), app)) } },
            state(record.state, sum(|run| run.rejected) > 0, lang),
            html! { (starter(&record.started_by, lang)) },
            html! { (names) },
        ];
        cells.extend(counts.map(|value| count(value, lang)));
        cells.push(html! { (record.snapshot.map_or("–".to_owned(), |number| number.to_string())) });
        cells
    };
    let rows: Vec<Vec<Markup>> = runs.iter().take(N_SHOWN).map(row).collect();
    let note =
        if runs.len() > N_SHOWN { lang.pick("Последние 50 записей.", "The last 50.") } else { "" };
    card(lang.pick("Загрузки", "Runs"), note, &heads, 4, &rows)
}

fn snapshot_list(app: &App, snapshots: &[Snapshot], view: &View) -> Markup {
    let lang = view.lang;
    let heads = [
        lang.pick("Снимок", "Snapshot"),
        lang.pick("Опубликован", "Published"),
        lang.pick("Данные по", "Data up to"),
        lang.pick("Строк", "Rows"),
    ];
    let rows: Vec<Vec<Markup>> = snapshots
        .iter()
        .rev()
        .take(N_SHOWN)
        .map(|snapshot| {
            let target = View { as_of: Some(snapshot.number), ..view.clone() };
            let n_rows: u64 = snapshot.tables.values().map(|table| table.rows).sum();
            vec![
                html! { a href=(target.link("/")) { (snapshot.number) } },
                html! { (moment(Some(snapshot.published_at), app)) },
                html! { (snapshot.last_event_on.map(crate::domain::number::format_date).unwrap_or_default()) },
                number(i64::try_from(n_rows).unwrap_or(i64::MAX), lang),
            ]
        })
        .collect();
    let note = lang.pick(
        "Любой снимок можно открыть снова: цифры в нём не меняются.",
        "Any snapshot may be opened again: its figures do not change.",
    );
    card(lang.pick("Снимки", "Snapshots"), note, &heads, 3, &rows)
}

/// Since when the events of a pipeline are later than their contract promises, in the region's time.
fn late_since(app: &App, pipeline: &str, last_event_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<String> {
    let since = app.project().late_since(pipeline, last_event_at?, now)?;
    Some(since.format("%d.%m.%Y %H:%M").to_string())
}

/// How long ago something was, in days.
fn age(moment: Option<DateTime<Utc>>, app: &App, lang: Lang) -> String {
    let Some(moment) = moment else { return String::new() };
    let day = moment.with_timezone(&app.project().settings.time_zone).date_naive();
    let n_days = (app.today() - day).num_days().max(0).unsigned_abs();
    match (n_days, lang) {
        (0, _) => lang.pick("сегодня", "today").to_owned(),
        (_, Lang::Ru) => format!("{n_days} {} назад", plural_ru(n_days, ["день", "дня", "дней"])),
        (1, Lang::En) => "1 day ago".to_owned(),
        (_, Lang::En) => format!("{n_days} days ago"),
    }
}
