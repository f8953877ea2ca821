//! How a run went, as shape, colour and words.

use maud::{Markup, html};

use super::icons::{Shape, mark};
use crate::domain::language::Lang;
use crate::intake::{RunState, Starter};

/// Class and shape of a state.
pub(crate) fn light_of(state: RunState, has_rejected: bool) -> (&'static str, Shape) {
    match state {
        RunState::Done if has_rejected => ("attention", Shape::Up),
        RunState::Done => ("good", Shape::Circle),
        RunState::Waiting | RunState::Running => ("quiet", Shape::Circle),
        RunState::Failed | RunState::Stopped | RunState::Killed => ("bad", Shape::Square),
    }
}

/// A state in words.
pub(crate) fn words_of(state: RunState, lang: Lang) -> &'static str {
    match state {
        RunState::Waiting => lang.pick("ждёт очереди", "waiting"),
        RunState::Running => lang.pick("идёт", "running"),
        RunState::Done => lang.pick("выполнена", "done"),
        RunState::Failed => lang.pick("сбой", "failed"),
        RunState::Stopped => lang.pick("остановлена", "stopped"),
        RunState::Killed => lang.pick("оборвана", "killed"),
    }
}

/// A state as mark and words.
pub(crate) fn state(state: RunState, has_rejected: bool, lang: Lang) -> Markup {
    let (class, shape) = light_of(state, has_rejected);
    let flaws = lang.pick(", есть отклонённые строки", ", some rows rejected");
    html! { span class=(class) { (mark(shape)) (words_of(state, lang)) @if class == "attention" { (flaws) } } }
}

/// Who started a run.
pub(crate) fn starter(starter: &Starter, lang: Lang) -> String {
    match starter {
        Starter::Cli { user: Some(user) } => format!("{} {user}", lang.pick("командная строка,", "command line,")),
        Starter::Cli { user: None } => lang.pick("командная строка", "command line").to_owned(),
        Starter::Api => lang.pick("программный интерфейс", "API").to_owned(),
        Starter::Watch => lang.pick("изменились файлы", "changed files").to_owned(),
        Starter::Schedule { attempt: 1, .. } => lang.pick("расписание", "schedule").to_owned(),
        Starter::Schedule { attempt, .. } => {
            format!("{} {attempt}", lang.pick("расписание, попытка", "schedule, attempt"))
        }
    }
}
