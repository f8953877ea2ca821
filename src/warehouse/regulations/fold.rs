//! What the events of one table are folded to: the moments, attributes and counts that its regulations ask for.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::super::contracts::{Contract, EVENT};
use super::super::database::{name, text};
use super::super::reference::Reference;
use super::Regulation;
use super::check::{EDITION, GROUND, REPETITION};

/// Columns that clocks are cut by, where the events have them.
pub(super) const ATTRIBUTES: [&str; 6] = ["region", "municipality", "agency", "service", "category", "channel"];

/// Local time where nothing is known of the region.
const NO_OFFSET: &str = "INTERVAL 0 HOUR";

/// The moment of an event of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment<'a> {
    pub(super) event: &'a str,
    pub(super) is_last: bool,
    /// DATE column in place of the moment.
    pub(super) day: Option<&'a str>,
}

impl Moment<'_> {
    /// Its column after the fold.
    pub(super) fn column(&self) -> String {
        let which = if self.is_last { "last" } else { "first" };
        let day = self.day.map(|day| format!("_{day}")).unwrap_or_default();
        name(&format!("{which}_{}{day}", self.event))
    }
}

/// The fold of one event table.
pub(super) struct Fold<'a> {
    contract: &'a Contract,
    /// Events that are read.
    events: BTreeSet<&'a str>,
    attributes: BTreeSet<&'a str>,
    moments: BTreeSet<Moment<'a>>,
    /// Events that tell the stage.
    stages: BTreeSet<&'a str>,
    /// Number of extensions, by column.
    extensions: Vec<(String, &'a str, Vec<&'a str>)>,
    /// Events that are paired by their repetition.
    turns: BTreeSet<&'a str>,
}

impl<'a> Fold<'a> {
    pub(super) fn new(contract: &'a Contract, regulations: &[&'a Regulation]) -> Self {
        let mut fold = Self {
            contract,
            events: BTreeSet::new(),
            attributes: BTreeSet::new(),
            moments: BTreeSet::new(),
            stages: BTreeSet::new(),
            extensions: Vec::new(),
            turns: BTreeSet::new(),
        };
        fold.attributes.extend(ATTRIBUTES.into_iter().filter(|column| contract.column(column).is_some()));
        for regulation in regulations {
            fold.attributes.extend(regulation.raw.applies.keys().map(String::as_str));
            fold.stages.extend(regulation.raw.states.iter().flat_map(|state| &state.on).map(|event| event.as_str()));
            for clock in &regulation.raw.clocks {
                let columns = clock.overrides.iter().flat_map(|other| other.when.keys()).map(String::as_str);
                fold.attributes.extend(columns.filter(|column| *column != EDITION));
            }
        }
        fold.events.extend(fold.stages.iter().copied());
        fold
    }

    /// The column of the moment of an event; `in_turn` looks within one repetition of it.
    pub(super) fn moment(&mut self, moment: Moment<'a>, in_turn: bool) -> String {
        self.events.insert(moment.event);
        let column = moment.column();
        if in_turn {
            self.turns.insert(moment.event);
            return format!("turn.{}", Moment { is_last: false, day: None, ..moment }.column());
        }
        self.moments.insert(moment);
        format!("folded.{column}")
    }

    /// The column of the number of extensions of a clock.
    pub(super) fn extensions(&mut self, clock: usize, event: &'a str, grounds: Vec<&'a str>) -> String {
        self.events.insert(event);
        let column = format!("extensions_{clock}");
        self.extensions.push((column.clone(), event, grounds));
        format!("folded.{column}")
    }

    fn table(&self) -> &'a str {
        &self.contract.table
    }

    /// Name of the folded table.
    pub(super) fn folded(&self) -> String {
        name(&format!("{}_folded", self.table()))
    }

    /// Name of the table with a row per repetition.
    pub(super) fn turns(&self) -> String {
        name(&format!("{}_turns", self.table()))
    }

    /// The column of an attribute, or an empty text.
    pub(super) fn attribute(&self, column: &str) -> String {
        if self.attributes.contains(column) {
            format!("folded.{}", name(column))
        } else {
            "CAST(NULL AS VARCHAR)".to_owned()
        }
    }

    /// The CTEs of the fold, each with a comma after it.
    pub(super) fn sql(&self, reference: &Reference) -> String {
        let has = |column: &str| self.contract.column(column).is_some();
        let repetition = if has(REPETITION) { "coalesce(repetition, 1)" } else { "1" };
        let days = self.moments.iter().filter_map(|moment| moment.day);
        let kept: BTreeSet<&str> =
            self.attributes.iter().copied().chain(days).chain(has(GROUND).then_some(GROUND)).collect();
        let kept: Vec<String> = kept.into_iter().map(name).collect();
        let steps = self.contract.events().iter().enumerate();
        let steps: Vec<String> = steps.map(|(step, event)| format!("WHEN {} THEN {step}", text(event))).collect();
        let key = self.contract.key().first().map(|column| name(&column.name)).unwrap_or_default();
        let (events, folded, turns) = (name(&format!("{}_events", self.table())), self.folded(), self.turns());
        let mut sql = String::new();
        let _ = write!(
            sql,
            "-- Events of `{table}` with their local moment and their place: the moment, then the step of the case, then the repetition.\n\
             {events} AS (\n    SELECT\n        CAST({key} AS VARCHAR) AS subject_id,\n        {EVENT},\n        \
             {repetition} AS repetition,\n        occurred_at + {offset} AS local_at,\n        \
             epoch_us(occurred_at) * 1024 + CASE {EVENT} {steps} ELSE 31 END * 32 + least({repetition}, 31) AS place,\n        \
             {kept}\n    FROM {source}\n    WHERE {EVENT} IN ({wanted})\n),\n",
            table = self.table(),
            offset = if has("region") { offset(reference, "region") } else { NO_OFFSET.to_owned() },
            steps = steps.join(" "),
            kept = kept.join(", "),
            source = name(self.table()),
            wanted = quoted(self.events.iter().copied()),
        );
        let attributes = self.attributes.iter().map(|column| format!("arg_max({0}, place) AS {0}", name(column)));
        let moments = self.moments.iter().map(|moment| {
            let value =
                moment.day.map_or_else(|| "local_at".to_owned(), |day| format!("CAST({} AS TIMESTAMP)", name(day)));
            // Of several announced days the one that was told last or first counts, not the greatest.
            let of = match (moment.day, moment.is_last) {
                (Some(_), true) => format!("arg_max({value}, place)"),
                (Some(_), false) => format!("arg_min({value}, place)"),
                (None, true) => format!("max({value})"),
                (None, false) => format!("min({value})"),
            };
            format!("{of} FILTER ({EVENT} = {}) AS {}", text(moment.event), moment.column())
        });
        let stage = format!(
            "arg_max({EVENT}, place) FILTER ({EVENT} IN ({})) AS last_event",
            quoted(self.stages.iter().copied())
        );
        let stage = if self.stages.is_empty() { "CAST(NULL AS VARCHAR) AS last_event".to_owned() } else { stage };
        let extensions = self.extensions.iter().map(|(column, event, grounds)| {
            let ground = if grounds.is_empty() {
                String::new()
            } else {
                format!(" AND {GROUND} IN ({})", quoted(grounds.iter().copied()))
            };
            format!("count(*) FILTER ({EVENT} = {}{ground}) AS {column}", text(event))
        });
        let columns: Vec<String> = attributes.chain(moments).chain([stage]).chain(extensions).collect();
        let _ = write!(
            sql,
            "{folded} AS MATERIALIZED (\n    SELECT\n        subject_id,\n        {}\n    FROM {events}\n    GROUP BY subject_id\n),\n",
            columns.join(",\n        "),
        );
        if !self.turns.is_empty() {
            let moments = self.turns.iter().map(|event| {
                let moment = Moment { event, is_last: false, day: None };
                format!("min(local_at) FILTER ({EVENT} = {}) AS {}", text(event), moment.column())
            });
            let _ = write!(
                sql,
                "{turns} AS MATERIALIZED (\n    SELECT\n        subject_id,\n        repetition,\n        {}\n    FROM {events}\n    \
                 WHERE {EVENT} IN ({})\n    GROUP BY subject_id, repetition\n),\n",
                moments.collect::<Vec<_>>().join(",\n        "),
                quoted(self.turns.iter().copied()),
            );
        }
        sql
    }
}

/// How far the local time of a region is ahead of UTC.
pub(super) fn offset(reference: &Reference, region: &str) -> String {
    let Some(list) = reference.list("regions") else { return NO_OFFSET.to_owned() };
    let hours = list.codes().iter().filter_map(|code| {
        let hours: i32 = list.value(code, "utc_offset_hours")?.parse().ok()?;
        Some(format!("WHEN {} THEN INTERVAL {hours} HOUR", text(code)))
    });
    let hours: Vec<String> = hours.collect();
    if hours.is_empty() {
        return NO_OFFSET.to_owned();
    }
    format!("CASE {region} {} ELSE {NO_OFFSET} END", hours.join(" "))
}

/// Texts in SQL, separated by commas.
pub(super) fn quoted<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(text).collect::<Vec<_>>().join(", ")
}
