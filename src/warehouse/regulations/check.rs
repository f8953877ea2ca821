//! What a regulation must be: every name known, editions in order, terms that can be counted.

use std::collections::HashSet;
use std::path::Path;

use chrono::NaiveTime;
use indexmap::IndexMap;

use crate::declarations::{Problems, Source, Spanned};

use super::super::contracts::{ColumnType, Contract, Contracts, Privacy};
use super::super::reference::Reference;
use super::{RawClock, RawEdition, RawMark, RawRegulation, RawTerm, Unit};

/// Name of the edition among the columns of `when`.
pub(super) const EDITION: &str = "edition";
/// Column that numbers events of one kind.
pub(super) const REPETITION: &str = "repetition";
/// Column of the ground of an extension.
pub(super) const GROUND: &str = "ground";
/// Hours and minutes in declarations, e.g. `18:00`.
const TIME_FORMAT: &str = "%H:%M";

/// What names are looked up in.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) contracts: &'a Contracts,
    pub(super) reference: &'a Reference,
}

/// The checks of one file.
struct Check<'a> {
    source: &'a Source,
    raw: &'a RawRegulation,
    contract: &'a Contract,
    reference: &'a Reference,
    problems: Problems,
}

/// Checks one regulation.
///
/// # Errors
/// Every problem of the file.
pub(super) fn check_regulation(
    source: &Source,
    path: &Path,
    raw: &RawRegulation,
    around: Surroundings<'_>,
) -> Result<(), Problems> {
    let Some(contract) = around.contracts.get(&raw.table) else {
        let problem = source.problem(&raw.table, format!("there is no event table `{}`", raw.table.value));
        return Err(problem.suggest(&raw.table, around.contracts.tables()).into());
    };
    let mut check = Check { source, raw, contract, reference: around.reference, problems: Problems::new() };
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if raw.regulation.value != stem {
        let message = format!("`regulation`: expected `{stem}`, found `{}`", raw.regulation.value);
        check.push(&raw.regulation, message, "the name of the regulation is the name of its file");
    }
    check.code(&raw.regulation, "regulations");
    if raw.description.trim().is_empty() {
        check.push(&raw.description, "`description` is empty", "say what it regulates");
    }
    check.conditions(&raw.applies, &[]);
    check.editions();
    check.work_hours();
    check.states();
    let mut known = HashSet::new();
    for clock in &raw.clocks {
        if !known.insert(clock.clock.as_str()) {
            check.push(
                &clock.clock,
                format!("the clock `{}` stands twice", clock.clock.value),
                "a term that differs for some is an override",
            );
        }
        check.clock(clock);
    }
    if raw.clocks.is_empty() {
        check.push(&raw.regulation, "`clocks` is empty", "a regulation without clocks regulates nothing");
    }
    check.problems.into_result(())
}

impl Check<'_> {
    fn push<T>(&mut self, at: &Spanned<T>, message: impl Into<String>, help: &str) {
        self.problems.push(self.source.problem(at, message).help(help));
    }

    /// A code of a list.
    fn code(&mut self, code: &Spanned<String>, list: &str) {
        let known = self.reference.list(list).map(super::super::reference::CodeList::codes).unwrap_or_default();
        if !known.contains(&code.value) {
            let problem = self.source.problem(code, format!("`{}` is no code of the list `{list}`", code.value));
            let help = format!("add it to warehouse/reference/{list}.csv");
            let nearest = problem.clone().suggest(code, known.iter().map(String::as_str));
            let is_near = nearest.help.as_deref().is_some_and(|help| help.starts_with("did you mean"));
            self.problems.push(if is_near { nearest } else { problem.help(help) });
        }
    }

    fn events(&mut self, events: &[Spanned<String>]) {
        for event in events {
            if !self.contract.events().contains(&event.value) {
                let message = format!("the event table `{}` has no event `{}`", self.contract.table, event.value);
                let known = self.contract.events().iter().map(String::as_str);
                self.problems.push(self.source.problem(event, message).suggest(event, known));
            }
        }
    }

    /// Codes by column.
    fn conditions(&mut self, conditions: &IndexMap<String, Vec<Spanned<String>>>, editions: &[RawEdition]) {
        for (name, codes) in conditions {
            let Some(first) = codes.first() else { continue };
            if name == EDITION && !editions.is_empty() {
                for code in codes.iter().filter(|code| editions.iter().all(|known| known.edition.value != code.value)) {
                    let problem = self.source.problem(code, format!("there is no edition `{}`", code.value));
                    self.problems.push(problem.suggest(code, editions.iter().map(|known| known.edition.as_str())));
                }
                continue;
            }
            let open = |column: &&super::super::contracts::Column| column.privacy == Privacy::Open;
            let Some(column) = self.contract.lake_columns().filter(open).find(|column| column.name == *name) else {
                let message =
                    format!("the event table `{}` has no column `{name}` for conditions", self.contract.table);
                let known = self.contract.lake_columns().filter(open).map(|column| column.name.as_str());
                self.problems.push(self.source.problem(first, message).suggest(name, known));
                continue;
            };
            let list = column.reference.as_ref().and_then(|(list, by)| self.reference.list(list)?.column(by));
            let Some(allowed) = list.or(column.allowed.as_deref()) else { continue };
            for code in codes.iter().filter(|code| !allowed.contains(&code.value)) {
                let problem = self.source.problem(code, format!("`{}` is no value of `{name}`", code.value));
                self.problems.push(problem.suggest(code, allowed.iter().map(String::as_str)));
            }
        }
    }

    fn editions(&mut self) {
        let raw = self.raw;
        if raw.editions.is_empty() {
            self.push(&raw.regulation, "`editions` is empty", "name at least the edition in force, with its act");
        }
        for (position, edition) in raw.editions.iter().enumerate() {
            let next = raw.editions.get(position + 1);
            if let Some(next) = next.filter(|next| next.from.value <= edition.from.value) {
                self.push(&next.from, "the edition is not in force after the one before it", "the oldest stands first");
            }
            if let Some(until) = edition.until {
                if until.value < edition.from.value {
                    self.push(&until, "the edition ends before it begins", "`until` is its last day");
                } else if next.is_some_and(|next| next.from.value <= until.value) {
                    self.push(
                        &until,
                        "the edition ends after the next one begins",
                        "leave `until` out: the next one ends it",
                    );
                }
            }
            if raw.editions.iter().take(position).any(|other| other.edition.value == edition.edition.value) {
                self.push(
                    &edition.edition,
                    format!("the edition `{}` stands twice", edition.edition.value),
                    "names differ",
                );
            }
            if edition.act.ru.trim().is_empty() || edition.act.en.trim().is_empty() {
                self.push(&edition.act, "`act` is empty", "name the act in Russian and in English");
            }
        }
    }

    fn work_hours(&mut self) {
        let hours = self.raw.work_hours.as_ref();
        for time in hours.into_iter().flat_map(|hours| [&hours.closes, &hours.closes_short]) {
            if minutes_of(time).is_none() {
                self.push(time, format!("`{}` is no time of day", time.value), "write it as \"18:00\"");
            }
        }
    }

    fn states(&mut self) {
        let mut known = HashSet::new();
        for state in &self.raw.states {
            self.code(&state.state, "stages");
            self.events(&state.on);
            for event in state.on.iter().filter(|event| !known.insert(event.as_str())) {
                self.push(
                    event,
                    format!("the event `{}` leads to two states", event.value),
                    "an event leads to one state",
                );
            }
        }
    }

    fn clock(&mut self, clock: &RawClock) {
        self.code(&clock.clock, "clocks");
        if clock.clause.trim().is_empty() {
            self.push(&clock.clause, "`clause` is empty", "say where the act sets the term");
        }
        self.mark(clock, &clock.start, "start");
        self.mark(clock, &clock.stop, "stop");
        self.events(&clock.awaits);
        self.events(&clock.cancel);
        let terms = || std::iter::once(&clock.term).chain(clock.overrides.iter().map(|other| &other.term));
        for term in terms() {
            self.term(term);
        }
        for other in &clock.overrides {
            if other.when.values().all(Vec::is_empty) {
                self.push(&clock.clock, "an override has no condition in `when`", "say to whom it applies");
            }
            self.conditions(&other.when, &self.raw.editions);
        }
        self.whole_days(clock);
        if let Some(pause) = &clock.pause {
            self.events(&[pause.from.clone(), pause.until.clone()]);
        }
        if let Some(extend) = &clock.extend {
            self.events(std::slice::from_ref(&extend.on));
            extend.grounds.iter().for_each(|ground| self.code(ground, "refusal_grounds"));
            if let Some(first) = extend.grounds.first().filter(|_| self.contract.column(GROUND).is_none()) {
                self.push(
                    first,
                    format!("the event table `{}` has no column `{GROUND}`", self.contract.table),
                    "leave `grounds` out",
                );
            }
        }
        let numbered = clock.pause.as_ref().map(|pause| &pause.from).or(clock.repeats.then_some(&clock.clock));
        if let Some(place) = numbered.filter(|_| self.contract.column(REPETITION).is_none()) {
            let message = format!("the events of `{}` have no `{REPETITION}`", self.contract.table);
            self.push(place, message, "pauses and repeated clocks are told apart by it");
        }
        if let Some(day) =
            [&clock.start, &clock.stop].into_iter().find_map(|mark| mark.day.as_ref()).filter(|_| clock.repeats)
        {
            self.push(day, "a clock that repeats starts and stops at its events", "leave `day` out");
        }
        if clock.repeats && (clock.pause.is_some() || clock.extend.is_some() || !clock.awaits.is_empty()) {
            self.push(&clock.clock, "a clock that repeats has no `pause`, `extend` or `awaits`", "leave them out");
        }
    }

    fn mark(&mut self, clock: &RawClock, mark: &RawMark, key: &str) {
        self.events(&mark.on);
        if mark.on.is_empty() {
            self.push(&clock.clock, format!("`{key}` names no event"), "name at least one in `on`");
        }
        let Some(day) = &mark.day else { return };
        if self.contract.column(day).is_none_or(|column| column.column_type != ColumnType::Date) {
            let message = format!("the event table `{}` has no DATE column `{}`", self.contract.table, day.value);
            let is_date = |column: &&super::super::contracts::Column| column.column_type == ColumnType::Date;
            let known = self.contract.columns.iter().filter(is_date).map(|column| column.name.as_str());
            self.problems.push(self.source.problem(day, message).suggest(day, known));
        }
    }

    fn term(&mut self, term: &RawTerm) {
        if let Some(limit) = term.limit.filter(|limit| limit.value == 0) {
            self.push(&limit, "a limit of 0 cannot be kept", "the same day is `limit: 1` with `counts: day_of`");
        }
        let unit = term.unit.value;
        if let Some(rule) = term.after_hours {
            if unit != Unit::WorkingDays {
                self.push(&rule, "`after_hours` is for a term in working days", "count the term in working_days");
            } else if self.raw.work_hours.is_none() {
                self.push(&rule, "`after_hours` needs `work_hours`", "say when offices close");
            }
        }
        if let Some(rule) = term.day_off.filter(|_| unit != Unit::Days) {
            self.push(
                &rule,
                "`day_off` is for a term in calendar days",
                "a term in working days never ends on a day off",
            );
        }
    }

    /// Pauses, extensions and margins are counted in days, and in the same unit under every override.
    fn whole_days(&mut self, clock: &RawClock) {
        let unit = clock.term.unit;
        let is_counted = matches!(unit.value, Unit::WorkingDays | Unit::Days);
        let extra = clock.pause.is_some() || clock.extend.is_some();
        if (extra || clock.at_risk.is_some()) && !is_counted {
            self.push(&unit, "`pause`, `extend` and `at_risk` are for terms in days", "leave them out");
        }
        for other in clock.overrides.iter().filter(|other| extra && other.term.unit.value != unit.value) {
            self.push(
                &other.term.unit,
                "an override of a clock with `pause` or `extend` keeps its unit",
                "use the same unit",
            );
        }
    }
}

/// Minutes from midnight of a time of day.
pub(super) fn minutes_of(time: &str) -> Option<u32> {
    use chrono::Timelike;
    NaiveTime::parse_from_str(time, TIME_FORMAT).ok().map(|time| time.hour() * 60 + time.minute())
}
