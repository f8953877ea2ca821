//! The page of one run: who started it, what it brought, where its time went, what went wrong.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{Place, heading, page};
use super::plain_card::{card, count, moment, number, seconds, title_of};
use super::run_state::{starter, state};
use crate::domain::language::Lang;
use crate::domain::number::format_date;
use crate::domain::sentence::Sentence;
use crate::indicators::Scope;
use crate::intake::{PipelineRun, RunRecord};
use crate::server::batches::{BatchRow, read_batches};
use crate::server::error::ApiError;
use crate::server::extract::{ApiPath, ApiQuery};
use crate::server::runs::{NO_STORE, find_run};
use crate::server::state::App;
use crate::server::view::{View, ViewParams};

/// The page of one run.
///
/// Who started it, what each pipeline brought and how long its stages took, warnings and failures, the files.
#[utoipa::path(
    get, path = "/runs/{id}", tag = "pages", params(("id" = String, Path, description = "Run"), ViewParams),
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
)]
pub(crate) async fn show_run(
    State(app): State<App>,
    scope: Scope,
    ApiPath(id): ApiPath<String>,
    ApiQuery(view): ApiQuery<View>,
) -> Result<Response, ApiError> {
    view.check_filters([])?;
    let record = find_run(&app, &id)?;
    let batches = match app.snapshot(None)? {
        Some(_) => read_batches(&app, &scope, record.run).await?,
        None => Vec::new(),
    };
    let lang = view.lang;
    let title = format!("{} {}", lang.pick("Загрузка", "Run of"), moment(Some(record.started_at), &app));
    let place = Place { path: &format!("/runs/{}", record.run), title: &title };
    let question = lang.pick("Что пришло из реестров и что не удалось?", "What came from the registers, what failed?");
    let content = html! {
        div .head { (heading(&title, question)) }
        div .section .catalogue {
            (summary(&app, &record, &view))
            (pipelines(&app, &record, lang))
            (stages(&app, &record, lang))
            @if !batches.is_empty() { (files(&app, &batches, lang)) }
        }
    };
    Ok((NO_STORE, page(&app, &view, &place, &content)).into_response())
}

/// Everything that is of the whole run.
fn summary(app: &App, record: &RunRecord, view: &View) -> Markup {
    let lang = view.lang;
    let has_rejected = record.pipelines.iter().any(|run| run.rejected > 0);
    let told = |sentences: &[Sentence]| -> Vec<String> {
        sentences.iter().map(|sentence| sentence.get(lang).to_owned()).collect()
    };
    let remarks = |own: &[Sentence], of: &dyn Fn(&PipelineRun) -> Vec<String>| -> Vec<String> {
        let titled = |run: &PipelineRun, text: String| format!("{}: {text}", title_of(app, &run.pipeline, lang));
        let of_pipelines =
            record.pipelines.iter().flat_map(|run| of(run).into_iter().map(move |text| titled(run, text)));
        told(own).into_iter().chain(of_pipelines).collect()
    };
    let failures = remarks(&record.failures, &|run| told(&run.failures));
    let warnings =
        remarks(&record.warnings, &|run| run.warnings.iter().cloned().chain(rejections(run, lang)).collect());
    html! {
        section .card {
            h2 { (state(record.state, has_rejected, lang)) }
            dl .passport {
                dt { (lang.pick("Начата", "Started")) } dd { (moment(Some(record.started_at), app)) }
                dt { (lang.pick("Закончена", "Ended")) } dd { (moment(record.finished_at, app)) }
                dt { (lang.pick("Кто начал", "Started by")) } dd { (starter(&record.started_by, lang)) }
                @if let Some(period) = record.period {
                    dt { (lang.pick("Только дни", "Only days")) } dd { (format_date(period.from)) " – " (format_date(period.to)) }
                }
                @if record.full { dt { (lang.pick("Прочитано", "Read")) } dd { (lang.pick("всё заново", "everything again")) } }
                dt { (lang.pick("Снимок", "Snapshot")) }
                dd { @match record.snapshot {
                    Some(number) => {
                        a href=(View { as_of: Some(number), ..view.clone() }.link("/")) { (number) }
                        @if !record.published { " – " (lang.pick("ничего не изменилось", "nothing had changed")) }
                    }
                    None => "–",
                } }
                dt { (lang.pick("Номер", "Id")) } dd { code { (record.run) } }
            }
            (list(lang.pick("Что не удалось", "What failed"), &failures, "bad"))
            (list(lang.pick("На что обратить внимание", "Warnings"), &warnings, "attention"))
        }
    }
}

/// How many rows broke which rule, if any did.
fn rejections(run: &PipelineRun, lang: Lang) -> Option<String> {
    let rules: Vec<String> = run.reasons.iter().map(|(rule, n_rows)| format!("{rule} {n_rows}")).collect();
    let rows = lang.pick("отклонено строк", "rows rejected");
    (run.rejected > 0).then(|| format!("{rows} {}: {}", run.rejected, rules.join(", ")))
}

fn list(title: &str, texts: &[String], class: &str) -> Markup {
    html! { @if !texts.is_empty() { h3 class=(class) { (title) } ul { @for text in texts { li { (text) } } } } }
}

fn pipelines(app: &App, record: &RunRecord, lang: Lang) -> Markup {
    let heads = [
        lang.pick("Конвейер", "Pipeline"),
        lang.pick("Итог", "Outcome"),
        lang.pick("Файлов", "Files"),
        lang.pick("Без изменений", "Unchanged"),
        lang.pick("Байт", "Bytes"),
        lang.pick("Прочитано", "Read"),
        lang.pick("Принято", "Accepted"),
        lang.pick("Повторы", "Duplicates"),
        lang.pick("Отклонено", "Rejected"),
        lang.pick("Другие дни", "Other days"),
        lang.pick("Событий", "Events"),
    ];
    let row = |run: &PipelineRun| {
        let counts = [
            run.files,
            run.unchanged,
            run.bytes,
            run.read,
            run.accepted,
            run.duplicate,
            run.rejected,
            run.outside,
            run.events,
        ];
        let mut cells = vec![
            html! { (title_of(app, &run.pipeline, lang)) br; small .quiet { (run.pipeline) } },
            state(run.state, run.rejected > 0, lang),
        ];
        cells.extend(counts.map(|value| count(value, lang)));
        cells
    };
    let rows: Vec<Vec<Markup>> = record.pipelines.iter().map(row).collect();
    let note = lang.pick(
        "Прочитано = принято + повторы + отклонено. Отклонённые строки лежат в карантине с причиной.",
        "Read = accepted + duplicates + rejected. Rejected rows lie in quarantine with their reason.",
    );
    card(lang.pick("Что пришло", "What came in"), note, &heads, 2, &rows)
}

fn stages(app: &App, record: &RunRecord, lang: Lang) -> Markup {
    let heads = [
        lang.pick("Конвейер", "Pipeline"),
        lang.pick("Поиск и получение", "Finding"),
        lang.pick("Чтение и проверка", "Reading and checking"),
        lang.pick("Запись", "Committing"),
        lang.pick("Всего", "All"),
    ];
    let row = |run: &PipelineRun| {
        let times = [run.stages.find, run.stages.read, run.stages.commit, run.seconds];
        let mut cells = vec![html! { (title_of(app, &run.pipeline, lang)) }];
        cells.extend(times.map(|time| seconds(time, lang)));
        cells
    };
    let mut rows: Vec<Vec<Markup>> = record.pipelines.iter().map(row).collect();
    if let Some(time) = record.refresh_seconds {
        let nothing = || html! {};
        let name = lang.pick("Обновление витрин и снимок", "Refresh and snapshot");
        rows.push(vec![html! { (name) }, nothing(), nothing(), nothing(), seconds(time, lang)]);
    }
    card(lang.pick("Куда ушло время, с", "Where the time went, s"), "", &heads, 1, &rows)
}

fn files(app: &App, batches: &[BatchRow], lang: Lang) -> Markup {
    let heads = [
        lang.pick("Файл", "File"),
        lang.pick("Конвейер", "Pipeline"),
        lang.pick("Пачка", "Batch"),
        lang.pick("Прочитано", "Read"),
        lang.pick("Принято", "Accepted"),
        lang.pick("Повторы", "Duplicates"),
        lang.pick("Отклонено", "Rejected"),
        lang.pick("Событий", "Events"),
    ];
    let row = |batch: &BatchRow| {
        let counts = [batch.batch, batch.read, batch.accepted, batch.duplicate, batch.rejected, batch.events];
        let mut cells = vec![html! { (batch.file) }, html! { (title_of(app, &batch.pipeline, lang)) }];
        cells.extend(counts.map(|value| number(value, lang)));
        cells
    };
    let rows: Vec<Vec<Markup>> = batches.iter().map(row).collect();
    let note = lang.pick("По записям в журнале озера данных.", "By the records in the lake's log.");
    card(lang.pick("Прочитанные файлы", "Files read"), note, &heads, 2, &rows)
}
