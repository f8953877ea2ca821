//! The page about the data: how fresh each pipeline is, what the runs brought, which snapshots may be read again.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::layout::{Place, heading, page};
use super::welcome::welcome;
use crate::domain::language::Lang;
use crate::domain::number::{format_number, plural_ru};
use crate::indicators::Scope;
use crate::server::conditional::Edition;
use crate::server::error::ApiError;
use crate::server::extract::ApiQuery;
use crate::server::runs::{Rejection, RunResponse, read_rejections, read_runs};
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
    edition: Edition,
) -> Result<Response, ApiError> {
    view.check_filters([])?;
    let lang = view.lang;
    let title = lang.pick("Данные", "Data");
    let place = Place { path: "/data", title };
    let Ok(snapshot) = edition.snapshot() else { return Ok(edition.stamp(page(&app, &view, &place, &welcome(lang)))) };
    let runs = read_runs(&app, &scope, snapshot.number).await?;
    let rejections = read_rejections(&app, &scope, snapshot.number).await?;
    let snapshots = app.snapshots()?;
    let question = lang.pick(
        "Откуда цифры, насколько они свежи и что в них не вошло?",
        "Where do the figures come from, how fresh are they, and what was left out?",
    );
    let content = html! {
        div .head { (heading(title, question)) }
        div .section .catalogue {
            (freshness(&app, snapshot, &runs, &rejections, &view))
            (rejection_list(&app, &rejections, lang))
            (warning_list(&app, &runs, lang))
            (run_list(&app, &runs, lang))
            (snapshot_list(&app, &snapshots, &view))
            (tables(snapshot, lang))
        }
    };
    Ok(edition.stamp(page(&app, &view, &place, &content)))
}

/// A card with one table: heads, of which the first `n_words` are words and the others numbers.
fn card(title: &str, note: &str, heads: &[&str], n_words: usize, rows: &[Vec<Markup>]) -> Markup {
    html! {
        section .card {
            h2 { (title) }
            @if !note.is_empty() { p .sub { (note) } }
            div .body .scroll { table {
                caption .hidden { (title) }
                thead { tr { @for (position, head) in heads.iter().enumerate() {
                    th scope="col" .number[position >= n_words] { (head) }
                } } }
                tbody { @for row in rows { tr { @for (position, cell) in row.iter().enumerate() {
                    @if position == 0 { th scope="row" { (cell) } } @else { td .number[position >= n_words] { (cell) } }
                } } } }
            } }
        }
    }
}

fn freshness(app: &App, snapshot: &Snapshot, runs: &[RunResponse], rejections: &[Rejection], view: &View) -> Markup {
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
            let of_pipeline = || runs.iter().filter(|run| run.pipeline == *name);
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
                number(of_pipeline().map(|run| run.read).sum(), lang),
                number(of_pipeline().map(|run| run.accepted).sum(), lang),
                number(of_pipeline().map(|run| run.duplicate).sum(), lang),
                number(of_pipeline().map(|run| run.rejected).sum(), lang),
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
fn warning_list(app: &App, runs: &[RunResponse], lang: Lang) -> Markup {
    let heads = [lang.pick("Загрузка", "Run"), lang.pick("Конвейер", "Pipeline"), lang.pick("Что", "What")];
    let of_run = |run: &RunResponse| -> Vec<Vec<Markup>> {
        let row = |warning: &String| {
            let title = title_of(app, &run.pipeline, lang);
            vec![html! { (moment(run.started_at, app)) }, html! { (title) }, html! { (warning) }]
        };
        run.warnings.iter().map(row).collect()
    };
    let rows: Vec<Vec<Markup>> = runs.iter().flat_map(of_run).take(N_SHOWN).collect();
    if rows.is_empty() {
        return html! {};
    }
    let note = lang.pick("Данные приняты, но отмечены.", "The data came in and are marked.");
    card(lang.pick("Предупреждения", "Warnings"), note, &heads, 3, &rows)
}

/// The name of a pipeline for people.
fn title_of<'a>(app: &'a App, name: &'a str, lang: Lang) -> &'a str {
    let declared = app.project().pipelines.iter().find(|pipeline| pipeline.name() == name);
    declared.map_or(name, |pipeline| pipeline.title().get(lang))
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

fn run_list(app: &App, runs: &[RunResponse], lang: Lang) -> Markup {
    let heads = [
        lang.pick("Начало", "Start"),
        lang.pick("Конвейер", "Pipeline"),
        lang.pick("Файлов", "Files"),
        lang.pick("Прочитано", "Read"),
        lang.pick("Принято", "Accepted"),
        lang.pick("Повторы", "Duplicates"),
        lang.pick("Отклонено", "Rejected"),
        lang.pick("Событий", "Events"),
    ];
    let rows: Vec<Vec<Markup>> = runs
        .iter()
        .take(N_SHOWN)
        .map(|run| {
            let counts = [run.n_files, run.read, run.accepted, run.duplicate, run.rejected, run.events];
            let mut cells =
                vec![html! { (moment(run.started_at, app)) }, html! { (title_of(app, &run.pipeline, lang)) }];
            cells.extend(counts.map(|count| number(count, lang)));
            cells
        })
        .collect();
    let note =
        if runs.len() > N_SHOWN { lang.pick("Последние 50 записей.", "The last 50.") } else { "" };
    card(lang.pick("Загрузки", "Runs"), note, &heads, 2, &rows)
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

/// A moment in the region's time.
fn moment(moment: Option<DateTime<Utc>>, app: &App) -> String {
    let local = moment.map(|moment| moment.with_timezone(&app.project().settings.time_zone));
    local.map_or("–".to_owned(), |local| local.format("%d.%m.%Y %H:%M").to_string())
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

#[expect(clippy::cast_precision_loss, reason = "counts of rows stay below 2^53")]
fn number(count: i64, lang: Lang) -> Markup {
    html! { (format_number(count as f64, 0, lang)) }
}
