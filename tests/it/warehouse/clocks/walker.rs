//! The regulation of the tests, walked day by day in plain loops. Knows nothing of the engine and of running numbers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use svod::domain::calendar::{DayKind, WorkingCalendar};

/// One event of a history, at its local moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    pub(super) event: &'static str,
    pub(super) repetition: u32,
    pub(super) at: NaiveDateTime,
    pub(super) ground: Option<&'static str>,
    pub(super) category: Option<&'static str>,
    pub(super) channel: Option<&'static str>,
}

/// A case and all that happened to it.
#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) region: &'static str,
    pub(super) events: Vec<Event>,
}

/// Columns of a clock by name, without those that are empty.
pub(super) type Row = BTreeMap<&'static str, String>;

/// Events in the order of the contract.
pub(super) const EVENTS: [&str; 10] = [
    "received",
    "registered",
    "suspended",
    "resumed",
    "extended",
    "granted",
    "refused",
    "provided",
    "withdrawn",
    "archived",
];

pub(super) struct Walker<'a> {
    pub(super) calendar: &'a WorkingCalendar,
    pub(super) last_published: NaiveDate,
}

impl Walker<'_> {
    /// The clocks of a case, sorted.
    pub(super) fn clocks(&self, history: &History) -> Vec<Row> {
        let mut rows = Vec::new();
        rows.extend(self.registration(history));
        rows.extend(self.decision(history));
        rows.extend(self.reworks(history));
        rows.extend(self.payment(history));
        rows.extend(self.notice(history));
        rows.sort();
        rows
    }

    fn registration(&self, history: &History) -> Option<Row> {
        let received = history.first(&["received"])?;
        let mut row = history.row("contract_registration", received.date());
        let closes = if self.calendar.kind(received.date()) == DayKind::Short { 17 } else { 18 };
        let closes = NaiveTime::from_hms_opt(closes, 0, 0).unwrap();
        let is_late = received.time() >= closes || !self.works(received.date());
        let arrived = if is_late { self.next_working(received.date()) } else { received.date() };
        let due = match (edition_on(received.date()), history.last_told(|event| event.channel)) {
            (None, _) => None,
            (_, Some("office")) => Some(received.date()),
            (_, Some("post")) => Some(self.walk(arrived, 2, &BTreeSet::new())),
            _ => Some(arrived),
        };
        self.finish(&mut row, due, history.first(&["registered"]), history.last(&["withdrawn"]), received.date());
        Some(row)
    }

    fn decision(&self, history: &History) -> Option<Row> {
        let stopped = history.first(&["granted", "refused"]);
        let withdrawn = history.last(&["withdrawn"]);
        let Some(registered) = history.first(&["registered"]) else {
            let received = history.first(&["received"]).filter(|_| stopped.is_none() && withdrawn.is_none())?;
            let mut row = history.row("contract_decision", received.date());
            row.remove("started_on");
            return Some(row);
        };
        let start = registered.date();
        let mut row = history.row("contract_decision", start);
        let category = history.last_told(|event| event.category);
        let limit = match (edition_on(start), category) {
            (None, _) => None,
            (Some("old"), _) => Some(10),
            (_, Some("low_income_single")) => Some(7),
            _ => Some(12),
        };
        let grounds = [Some("contract_survey"), Some("contract_testing")];
        let n_extensions =
            history.events.iter().filter(|event| event.event == "extended" && grounds.contains(&event.ground)).count();
        let extension = if n_extensions > 0 { 20 } else { 0 };
        let whole = limit.map(|limit| limit + extension);
        let (paused, open) = self.pauses(history, start, whole, stopped);
        let due = whole.map(|whole| self.walk(start, whole, &paused));
        if let Some(due) = due {
            let risk = (0..2).fold(due, |day, _| self.working_before(day));
            row.insert("at_risk_on", risk.to_string());
        }
        if let Some(whole) = whole {
            row.insert("due_unpaused_on", self.walk(start, whole, &BTreeSet::new()).to_string());
        }
        row.insert("extension_days", extension.to_string());
        if let Some(stopped) = stopped {
            let days = days_after(start, stopped.date()).filter(|day| self.works(*day));
            let (counted, out): (Vec<NaiveDate>, Vec<NaiveDate>) = days.partition(|day| !paused.contains(day));
            row.insert("used", counted.len().to_string());
            row.insert("suspended_days", out.len().to_string());
        } else if let Some((since, until)) = open {
            row.insert("paused_since", since.to_string());
            row.insert("paused_until", until.to_string());
        }
        self.finish(&mut row, due, stopped, withdrawn, start);
        Some(row)
    }

    /// Days that do not count, and the pause that is still open.
    fn pauses(
        &self,
        history: &History,
        start: NaiveDate,
        whole: Option<usize>,
        stopped: Option<NaiveDateTime>,
    ) -> (BTreeSet<NaiveDate>, Option<(NaiveDate, NaiveDate)>) {
        let mut pairs = Vec::new();
        for event in history.events.iter().filter(|event| event.event == "suspended") {
            let from = event.at.date();
            let resumed = history.at("resumed", event.repetition).map(|at| at.date());
            let mut days = BTreeSet::new();
            let mut day = from.succ_opt().unwrap();
            let mut end = from;
            while days.len() < 5 && resumed.is_none_or(|resumed| day <= resumed) {
                if self.works(day) {
                    days.insert(day);
                    end = day;
                }
                day = day.succ_opt().unwrap();
            }
            pairs.push((from, end, days, resumed.is_none()));
        }
        pairs.retain(|(from, ..)| stopped.is_none_or(|stopped| *from <= stopped.date()));
        pairs.sort();
        let (mut paused, mut open) = (BTreeSet::new(), None);
        for (from, end, days, is_open) in pairs {
            if whole.is_some_and(|whole| from >= self.walk(start, whole, &paused)) {
                break;
            }
            paused.extend(days);
            if is_open && open.is_none_or(|(since, _)| since <= from) {
                open = Some((from, end));
            }
        }
        (paused, open)
    }

    fn reworks(&self, history: &History) -> Vec<Row> {
        let suspended = history.events.iter().filter(|event| event.event == "suspended");
        let rows = suspended.map(|event| {
            let start = event.at.date();
            let mut row = history.row("contract_rework", start);
            row.insert("repetition", event.repetition.to_string());
            let due = edition_on(start).map(|_| self.walk(start, 5, &BTreeSet::new()));
            let cancelled = history.last(&["granted", "refused", "withdrawn"]);
            self.finish(&mut row, due, history.at("resumed", event.repetition), cancelled, start);
            row
        });
        rows.collect()
    }

    fn payment(&self, history: &History) -> Option<Row> {
        let start = history.first(&["granted"])?.date();
        let mut row = history.row("contract_payment", start);
        let due = edition_on(start).map(|_| {
            let mut due = start + Days::new(14);
            while !self.works(due) {
                due = due.succ_opt().unwrap();
            }
            due
        });
        if let Some(due) = due {
            row.insert("at_risk_on", (due - Days::new(3)).to_string());
        }
        self.finish(&mut row, due, history.first(&["provided"]), history.last(&["refused", "withdrawn"]), start);
        Some(row)
    }

    /// A hundred hours from the moment of the decision, to the minute.
    fn notice(&self, history: &History) -> Option<Row> {
        let start = history.first(&["granted"])?;
        let mut row = history.row("contract_notice", start.date());
        let due = edition_on(start.date()).map(|_| start + chrono::Duration::hours(100));
        let (stopped, cancelled) = (history.first(&["provided"]), history.last(&["refused", "withdrawn"]));
        self.finish(&mut row, due.map(|due| due.date()), stopped, cancelled, start.date());
        if let (Some(due), Some(stopped)) = (due, stopped) {
            row.insert("in_time", (stopped <= due).to_string());
        }
        Some(row)
    }

    /// What all clocks have: due day, stop, cancellation.
    fn finish(
        &self,
        row: &mut Row,
        due: Option<NaiveDate>,
        stopped: Option<NaiveDateTime>,
        cancelled: Option<NaiveDateTime>,
        start: NaiveDate,
    ) {
        if let Some(due) = due {
            row.insert("due_on", due.to_string());
            row.insert("is_provisional", (due > self.last_published).to_string());
        }
        match (stopped, cancelled.map(|at| at.date()).filter(|day| *day >= start)) {
            (Some(stopped), _) => {
                row.insert("stopped_on", stopped.date().to_string());
                if let Some(due) = due {
                    row.insert("in_time", (stopped.date() <= due).to_string());
                }
            }
            (None, Some(cancelled)) => _ = row.insert("cancelled_on", cancelled.to_string()),
            (None, None) => {}
        }
    }

    fn works(&self, day: NaiveDate) -> bool {
        self.calendar.is_working(day)
    }

    fn next_working(&self, day: NaiveDate) -> NaiveDate {
        self.walk(day, 1, &BTreeSet::new())
    }

    fn working_before(&self, day: NaiveDate) -> NaiveDate {
        let mut day = day.pred_opt().unwrap();
        while !self.works(day) {
            day = day.pred_opt().unwrap();
        }
        day
    }

    /// The day on which so many working days that count have passed.
    fn walk(&self, start: NaiveDate, n_days: usize, paused: &BTreeSet<NaiveDate>) -> NaiveDate {
        let mut left = n_days;
        let mut day = start;
        while left > 0 {
            day = day.succ_opt().unwrap();
            left -= usize::from(self.works(day) && !paused.contains(&day));
        }
        day
    }
}

fn days_after(start: NaiveDate, end: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    start.iter_days().skip(1).take_while(move |day| *day <= end)
}

fn edition_on(day: NaiveDate) -> Option<&'static str> {
    let day = day.to_string();
    match day.as_str() {
        day if !("2025-01-01"..="2027-03-31").contains(&day) => None,
        day if day < "2025-06-01" => Some("old"),
        _ => Some("new"),
    }
}

impl History {
    fn of<'a>(&'a self, events: &'a [&str]) -> impl Iterator<Item = NaiveDateTime> + 'a {
        self.events.iter().filter(|event| events.contains(&event.event)).map(|event| event.at)
    }

    fn first(&self, events: &[&str]) -> Option<NaiveDateTime> {
        self.of(events).min()
    }

    fn last(&self, events: &[&str]) -> Option<NaiveDateTime> {
        self.of(events).max()
    }

    fn at(&self, event: &str, repetition: u32) -> Option<NaiveDateTime> {
        self.events.iter().find(|other| other.event == event && other.repetition == repetition).map(|event| event.at)
    }

    /// The attribute that was told last; of events at one moment the one that stands later in the contract tells.
    fn last_told(&self, attribute: impl Fn(&Event) -> Option<&'static str>) -> Option<&'static str> {
        let step = |event: &Event| EVENTS.iter().position(|name| *name == event.event);
        let told = self.events.iter().filter(|event| event.event != "archived" && attribute(event).is_some());
        told.max_by_key(|event| (event.at, step(event), event.repetition)).and_then(attribute)
    }

    fn row(&self, clock: &'static str, start: NaiveDate) -> Row {
        let mut row = Row::from([
            ("clock", clock.to_owned()),
            ("opened_on", start.to_string()),
            ("started_on", start.to_string()),
        ]);
        row.insert("repetition", "1".to_owned());
        row.insert("region", self.region.to_owned());
        row.extend(edition_on(start).map(|edition| ("edition", edition.to_owned())));
        row
    }
}
