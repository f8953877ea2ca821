//! Pipelines × days: how the runs of the last month went, at a glance.

use chrono::{Days, NaiveDate};
use maud::{Markup, html};

use super::icons::{Shape, mark};
use super::plain_card::title_of;
use crate::domain::language::Lang;
use crate::domain::number::{format_date, format_number, plural_ru};
use crate::intake::{PipelineRun, RunRecord, RunState};
use crate::server::state::App;
use crate::server::view::View;

/// Days that the grid shows.
pub(crate) const N_DAYS: u64 = 30;

/// How one day of one pipeline went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DayState {
    Idle,
    Fed,
    Flawed,
    Going,
    Failed,
}

impl DayState {
    const ALL: [Self; 5] = [Self::Fed, Self::Flawed, Self::Failed, Self::Idle, Self::Going];

    fn of(run: &PipelineRun) -> Self {
        match run.state {
            RunState::Waiting | RunState::Running => Self::Going,
            RunState::Failed | RunState::Stopped | RunState::Killed => Self::Failed,
            RunState::Done if run.rejected > 0 => Self::Flawed,
            RunState::Done if run.accepted > 0 => Self::Fed,
            RunState::Done => Self::Idle,
        }
    }

    fn light(self) -> (&'static str, Shape) {
        match self {
            Self::Idle => ("none", Shape::Dash),
            Self::Fed => ("good", Shape::Circle),
            Self::Flawed => ("attention", Shape::Up),
            Self::Going => ("quiet", Shape::Circle),
            Self::Failed => ("bad", Shape::Square),
        }
    }

    /// The word in a cell, as short as a cell is narrow.
    fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Idle => lang.pick("пусто", "idle"),
            Self::Fed => lang.pick("есть", "new"),
            Self::Flawed => lang.pick("брак", "flaws"),
            Self::Going => lang.pick("идёт", "runs"),
            Self::Failed => lang.pick("сбой", "failed"),
        }
    }

    fn meaning(self, lang: Lang) -> &'static str {
        match self {
            Self::Idle => lang.pick("ничего нового", "nothing new"),
            Self::Fed => lang.pick("пришли новые строки", "new rows came in"),
            Self::Flawed => lang.pick("часть строк отклонена", "some rows were rejected"),
            Self::Going => lang.pick("ещё идёт или ждёт", "still runs or waits"),
            Self::Failed => lang.pick("последняя загрузка не удалась", "the last run failed"),
        }
    }
}

/// One cell: a day of a pipeline.
struct Day<'a> {
    state: DayState,
    /// The run that the state comes from.
    record: &'a RunRecord,
    n_runs: u64,
    accepted: u64,
    rejected: u64,
}

/// The grid over `records`, newest first.
pub(crate) fn run_grid(app: &App, records: &[RunRecord], view: &View) -> Markup {
    let lang = view.lang;
    let today = app.today();
    let days: Vec<NaiveDate> = (0..N_DAYS).rev().map(|ago| today - Days::new(ago)).collect();
    let title = lang.pick("Загрузки за 30 дней", "Runs of 30 days");
    html! {
        section .card {
            h2 { (title) }
            p .sub .legend { @for state in DayState::ALL { (legend(state, lang)) } }
            div .body .scroll { table .run-grid {
                caption .hidden { (title) }
                thead { tr {
                    th scope="col" { (lang.pick("Конвейер", "Pipeline")) }
                    @for day in &days { th scope="col" title=(format_date(*day)) { (day.format("%d")) } }
                } }
                tbody { @for pipeline in &app.project().pipelines { tr {
                    th scope="row" { (title_of(app, pipeline.name(), lang)) }
                    @for day in &days { td { (cell(find_day(app, records, pipeline.name(), *day).as_ref(), *day, view)) } }
                } } }
            } }
        }
    }
}

fn legend(state: DayState, lang: Lang) -> Markup {
    let (class, shape) = state.light();
    html! { span { span class=(class) { (mark(shape)) (state.word(lang)) } " – " (state.meaning(lang)) } " " }
}

/// What happened on a day: the last run decides whether it failed, all runs together what came in.
fn find_day<'a>(app: &App, records: &'a [RunRecord], pipeline: &str, day: NaiveDate) -> Option<Day<'a>> {
    let zone = &app.project().settings.time_zone;
    let of_day = records.iter().filter(|record| record.started_at.with_timezone(zone).date_naive() == day);
    let runs: Vec<(&RunRecord, &PipelineRun)> =
        of_day.filter_map(|record| Some((record, record.of_pipeline(pipeline)?))).collect();
    let (last, last_run) = runs.first()?;
    let last_state = DayState::of(last_run);
    let (state, record) = if last_state >= DayState::Going {
        (last_state, *last)
    } else {
        let (record, run) = runs.iter().max_by_key(|(record, run)| (day_rank(run), record.started_at))?;
        (DayState::of(run).min(DayState::Flawed), *record)
    };
    Some(Day {
        state,
        record,
        n_runs: runs.len() as u64,
        accepted: runs.iter().map(|(_, run)| run.accepted).sum(),
        rejected: runs.iter().map(|(_, run)| run.rejected).sum(),
    })
}

/// How much a run that ended says about its day; a failure that a later run has made good says nothing.
fn day_rank(run: &PipelineRun) -> Option<DayState> {
    Some(DayState::of(run)).filter(|state| *state <= DayState::Flawed)
}

fn cell(day: Option<&Day<'_>>, date: NaiveDate, view: &View) -> Markup {
    let lang = view.lang;
    let Some(day) = day else {
        return html! { span .hidden { (format_date(date)) ": " (lang.pick("не загружался", "no run")) } };
    };
    let (class, shape) = day.state.light();
    let sentence = sentence(day, date, lang);
    html! {
        a class=(class) href=(view.link(&format!("/runs/{}", day.record.run))) title=(sentence) aria-label=(sentence) {
            (mark(shape)) small { (day.state.word(lang)) }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows stay below 2^53")]
fn sentence(day: &Day<'_>, date: NaiveDate, lang: Lang) -> String {
    let number = |count: u64| format_number(count as f64, 0, lang);
    let runs = match lang {
        Lang::Ru => plural_ru(day.n_runs, ["загрузка", "загрузки", "загрузок"]),
        Lang::En => "runs",
    };
    format!(
        "{}: {}; {} {runs}, {} {}, {} {}",
        format_date(date),
        day.state.meaning(lang),
        day.n_runs,
        lang.pick("принято строк", "rows accepted"),
        number(day.accepted),
        lang.pick("отклонено", "rejected"),
        number(day.rejected),
    )
}
