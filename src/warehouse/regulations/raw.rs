//! A regulation as its author writes it: `warehouse/regulations/NAME.yaml`.

use chrono::NaiveDate;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::declarations::Spanned;
use crate::domain::language::Text;

/// The terms of one service, or of several that share them, as a legal act sets them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRegulation {
    /// Code in the list `regulations`, the same as the name of the file.
    pub regulation: Spanned<String>,
    /// What it regulates.
    pub description: Spanned<String>,
    /// Event table of its subjects: cases, complaints, requests, …
    pub table: Spanned<String>,
    /// Which subjects of the table it is about: codes by column of the events, as in `when`; without it all of them.
    #[serde(default)]
    pub applies: IndexMap<String, Vec<Spanned<String>>>,
    /// When offices close, for clocks with an `after_hours` rule.
    #[serde(default)]
    pub work_hours: Option<RawWorkHours>,
    /// Its editions, the oldest first. The one in force on the local day on which a clock starts applies to this clock; before the
    /// first one there is no limit.
    pub editions: Vec<RawEdition>,
    /// The states of a subject and the events that lead to them.
    pub states: Vec<RawState>,
    /// Its clocks.
    pub clocks: Vec<RawClock>,
}

/// Local hours at which offices close, as `18:00`. What arrives before they open belongs to the same day.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawWorkHours {
    /// On an ordinary working day.
    pub closes: Spanned<String>,
    /// On a working day that is an hour shorter, before a holiday.
    pub closes_short: Spanned<String>,
}

/// One edition of the act.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEdition {
    /// Its name in figures and `when`, as a rule the day of the amending act.
    pub edition: Spanned<String>,
    /// First day on which it is in force.
    pub from: Spanned<NaiveDate>,
    /// Last day on which it is in force, if no other edition follows.
    #[serde(default)]
    pub until: Option<Spanned<NaiveDate>>,
    /// The act.
    pub act: Spanned<Text>,
}

/// One state of a subject.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawState {
    /// Code in the list `stages`.
    pub state: Spanned<String>,
    /// Events that lead to it; the last one in time counts, of several at one moment the one that stands later in the contract.
    pub on: Vec<Spanned<String>>,
    /// Whether nothing follows: clocks that still run are cancelled.
    #[serde(default, rename = "final")]
    pub is_final: bool,
}

/// One clock: from when to when, and how long that may take.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawClock {
    /// Code in the list `clocks`.
    pub clock: Spanned<String>,
    /// Where the act sets the term.
    pub clause: Spanned<String>,
    /// How the clause is read where it leaves a choice.
    #[serde(default)]
    pub note: Option<String>,
    /// What starts it.
    pub start: RawMark,
    /// What stops it.
    pub stop: RawMark,
    /// Events after which the clock is awaited: from then on it is shown as not started.
    #[serde(default)]
    pub awaits: Vec<Spanned<String>>,
    /// Events that cancel it, beside those that lead to a final state.
    #[serde(default)]
    pub cancel: Vec<Spanned<String>>,
    /// How long it may take.
    pub term: RawTerm,
    /// Other terms for some subjects; the first whose `when` holds counts.
    #[serde(default)]
    pub overrides: Vec<RawOverride>,
    /// What pauses it.
    #[serde(default)]
    pub pause: Option<RawPause>,
    /// What extends it.
    #[serde(default)]
    pub extend: Option<RawExtension>,
    /// The clock is at risk so many units before it is due, on the day when it is due included.
    #[serde(default)]
    pub at_risk: Option<Spanned<u32>>,
    /// Whether each `repetition` of its events is a clock of its own, as with a second correction.
    #[serde(default)]
    pub repeats: bool,
}

/// A moment in the life of a subject.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawMark {
    /// The events that make it.
    pub on: Vec<Spanned<String>>,
    /// Which of them counts.
    #[serde(default)]
    pub take: Take,
    /// DATE column of the events whose day counts in place of the moment of the event.
    #[serde(default)]
    pub day: Option<Spanned<String>>,
}

/// Which of several events counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// The first of any.
    #[default]
    First,
    /// The last of any.
    Last,
    /// The moment at which each of them has happened.
    All,
}

/// How long a clock may run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTerm {
    /// The limit in units; without it the time is only measured, since no document gives a limit.
    #[serde(default)]
    pub limit: Option<Spanned<u32>>,
    /// The unit.
    pub unit: Spanned<Unit>,
    /// Which day is the first.
    #[serde(default)]
    pub counts: Counts,
    /// What happens to an arrival after hours or on a day off.
    #[serde(default)]
    pub after_hours: Option<Spanned<AfterHours>>,
    /// What happens to a term of calendar days that ends on a day off.
    #[serde(default)]
    pub day_off: Option<Spanned<DayOff>>,
}

/// Unit of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Working days of the official calendar.
    WorkingDays,
    /// Calendar days.
    Days,
    /// Hours, day and night.
    Hours,
    /// Minutes.
    Minutes,
}

/// Which day of a term is the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// The one after the start: a limit of 3 ends on the third day after it.
    #[default]
    DayAfter,
    /// The day of the start itself: a limit of 1 ends on this day.
    DayOf,
}

/// What happens to an arrival after hours or on a day off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterHours {
    /// It counts as an arrival of the next working day.
    NextWorkingDay,
}

/// What happens to a term that ends on a day off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DayOff {
    /// It ends on the next working day.
    NextWorkingDay,
}

/// Another term for some subjects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawOverride {
    /// Codes by column of the events, of which the last one told counts; `edition` stands for the edition. All columns have to agree.
    pub when: IndexMap<String, Vec<Spanned<String>>>,
    /// The whole term in place of the usual one.
    pub term: RawTerm,
}

/// What pauses a clock. Suspensions and resumptions belong together by their `repetition`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPause {
    /// Event that pauses it: the days after it do not count.
    pub from: Spanned<String>,
    /// Event that lets it run on: its day is the last that does not count.
    pub until: Spanned<String>,
    /// The most units that one pause may last; then the clock runs on by itself.
    #[serde(default)]
    pub at_most: Option<Spanned<u32>>,
    /// What happens at the end of a pause.
    #[serde(default)]
    pub resumes: Resumes,
}

/// What happens at the end of a pause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resumes {
    /// The rest of the term runs.
    #[default]
    Remainder,
    /// The whole term starts anew.
    Restart,
}

/// What extends a clock.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawExtension {
    /// The event.
    pub on: Spanned<String>,
    /// By how many units.
    pub by: Spanned<u32>,
    /// Grounds that allow it, codes of the list `refusal_grounds`; an extension on another ground or on none extends nothing.
    #[serde(default)]
    pub grounds: Vec<Spanned<String>>,
    /// How many extensions count.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}
