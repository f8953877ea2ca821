//! The figures of one widget as a document that explains itself: data, units, passports, snapshot and freshness.

use chrono::{DateTime, NaiveDate, Utc};
use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::kind::WidgetKind;
use crate::domain::figure::{Figure, State};
use crate::domain::language::Lang;
use crate::domain::period::{Grain, Period};
use crate::indicators::{Direction, Thresholds};

pub use crate::indicators::Light;

/// A widget with its figures: everything a page, a chart, a file or another program needs to show it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WidgetData {
    /// Id of the widget, unique in its dashboard.
    pub id: String,
    /// Id of the dashboard.
    pub dashboard: String,
    /// How the figures are shown.
    pub kind: WidgetKind,
    /// Language of every text below.
    pub lang: Lang,
    /// Name of the widget.
    pub title: String,
    /// The finding where one could be computed, else the name.
    pub headline: String,
    /// One line: what, unit, cut, period, filters.
    pub subtitle: String,
    /// A remark of the author of the dashboard.
    pub note: Option<String>,
    /// Unit of the values.
    pub unit: Unit,
    /// Digits after the decimal sign.
    pub decimals: usize,
    /// Which way is better.
    pub direction: Direction,
    /// Values at which the light changes.
    pub thresholds: Option<Thresholds>,
    /// The days that the figures cover, both ends included.
    pub period: Period,
    /// The period for people.
    pub period_label: String,
    /// Length of a bucket, where the rows have one.
    pub grain: Option<Grain>,
    /// What the figures are restricted to.
    pub filters: Vec<Filter>,
    /// Filters of the reader that do not apply, because the figures have no such dimension.
    pub ignored_filters: Vec<Dimension>,
    /// The state of the warehouse that the figures come from.
    pub snapshot: SnapshotMark,
    /// How fresh the data are.
    pub freshness: Freshness,
    /// The passport of each indicator shown.
    pub indicators: Vec<Passport>,
    /// What the rows are cut by; `rows[].keys` stand in this order.
    pub dimensions: Vec<Dimension>,
    /// Names of the measures in `rows[].measures`, by indicator.
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    pub measures: IndexMap<String, Vec<String>>,
    /// The figure of the whole period over everything that the filters let through, where it has a meaning.
    pub total: Option<Total>,
    /// The whole period against an earlier one.
    pub comparison: Option<Comparison>,
    /// The judgement.
    pub status: Status,
    /// The figures, one row per indicator, series, keys and bucket.
    pub rows: Vec<Row>,
    /// How many keys the first dimension has, shown or not.
    pub n_keys: usize,
    /// The date of today in the region's time zone, where it falls into the period.
    pub today: Option<NaiveDate>,
    /// One sentence with what the widget shows, for those who do not see it.
    pub summary: String,
}

/// A unit of measure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unit {
    /// OKEI code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Symbol, `%` or `шт.`.
    pub symbol: String,
}

/// A dimension with its name for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dimension {
    /// Name in queries.
    pub name: String,
    /// Name for people.
    pub title: String,
}

/// A code with its name for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Key {
    /// The code; none where the register gave none.
    pub code: Option<String>,
    /// The name.
    pub label: String,
}

/// A dimension restricted to some codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Filter {
    /// Name of the dimension in queries.
    pub name: String,
    /// Name of the dimension for people.
    pub title: String,
    /// The codes that are let through.
    pub values: Vec<Key>,
    /// Whether the declaration of the widget fixes it, so that the reader cannot change it.
    pub is_fixed: bool,
}

/// The state of the warehouse that figures come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SnapshotMark {
    /// Its number; the same number gives the same figures again.
    pub number: u64,
    /// When it was published.
    pub published_at: DateTime<Utc>,
}

/// How fresh the data of a snapshot are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Freshness {
    /// Moment of the last event in the warehouse.
    pub last_event_at: Option<DateTime<Utc>>,
    /// Its local date.
    pub last_event_on: Option<NaiveDate>,
}

/// What there is to know about an indicator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Passport {
    /// Id, the last part of its URL.
    pub id: String,
    /// Short name.
    pub title: String,
    /// What it says.
    pub description: String,
    /// Unit of the values.
    pub unit: Unit,
    /// Digits after the decimal sign.
    pub decimals: usize,
    /// Which way is better.
    pub direction: Direction,
    /// How a value is computed, in words.
    pub method: String,
    /// How a value is computed from the measures.
    pub formula: String,
    /// The register or system that the data come from.
    pub source: String,
    /// The body that answers for the values.
    pub owner: String,
    /// How often the values change.
    pub periodicity: String,
    /// The act that prescribes the indicator.
    pub act: Option<String>,
    /// Why it is watched.
    pub rationale: Option<String>,
    /// Where it is prescribed.
    pub level: Option<String>,
    /// What a value is.
    pub value_type: Option<String>,
    /// Whether values are of a period or of a moment, and how they go together.
    pub time_character: String,
    /// What stands above the line of a share.
    pub numerator: Option<String>,
    /// What stands under the line of a share.
    pub denominator: Option<String>,
    /// What it may be cut by.
    pub breakdowns: Vec<String>,
    /// How the data are collected.
    pub collection: Option<String>,
    /// Whom and what the data cover.
    pub coverage: Option<String>,
    /// Who owns the data.
    pub data_owner: Option<String>,
    /// Who approves the values.
    pub approver: Option<String>,
    /// When the values are due.
    pub due: Option<String>,
    /// What is not disclosed.
    pub disclosure: Option<String>,
    /// Where the series breaks.
    pub breaks: Option<String>,
    /// Value before the work on it began.
    pub base: Option<String>,
    /// What a reader must know.
    pub caveats: Option<String>,
    /// First day for which the definition holds.
    pub valid_from: Option<NaiveDate>,
    /// Last day for which it holds.
    pub valid_to: Option<NaiveDate>,
    /// Version of the definition, from 1.
    pub version: usize,
    /// What changed, the newest first.
    pub changes: Vec<String>,
}

/// The figure of the whole period with its text.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Total {
    /// The number.
    pub value: Option<f64>,
    /// What is known about it.
    pub state: State,
    /// The number as people read it, cut to four figures: `648,2`.
    pub text: String,
    /// What stands behind it, smaller: `тыс.`, `%`.
    pub unit_text: String,
    /// The receipt of the figure, by which it can be computed again.
    pub receipt: String,
}

impl Total {
    /// The number with its state.
    #[must_use]
    pub fn figure(&self) -> Figure {
        Figure { value: self.value, state: self.state }
    }
}

/// A figure against that of an earlier period.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Comparison {
    /// The earlier figure.
    pub value: Option<f64>,
    /// What is known about it.
    pub state: State,
    /// The change, in percent or points; none if either figure is absent or the earlier one is zero.
    pub change: Option<f64>,
    /// What the change is counted in.
    pub change_kind: ChangeKind,
    /// The change as people read it, with sign and unit: `+17,4 %`.
    pub text: String,
    /// What it is compared with: `к прошлому году`.
    pub label: String,
    /// The earlier period.
    pub to: Period,
    /// Whether the change is for the better; none where the indicator has no direction or nothing changed.
    pub is_better: Option<bool>,
}

/// What a change is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Percent of the earlier figure.
    Percent,
    /// Percentage points, for figures that are percent themselves.
    Points,
}

/// A judgement with its reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Status {
    /// The light.
    pub light: Light,
    /// Why it has this colour, in a few words.
    pub reason: String,
    /// Why it has this colour, as one sentence with the act of the policy; empty where nothing is judged.
    pub why: String,
}

/// What a row is in the story of its widget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Series {
    /// The figures asked for.
    Fact,
    /// The same of the earlier period, set on the buckets of this one.
    Before,
    /// Over all values of the dimensions.
    Total,
}

/// One figure and where it belongs.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Row {
    /// Id of its indicator.
    pub indicator: String,
    /// What it is in the story.
    pub series: Series,
    /// A key per dimension; none for a total.
    pub keys: Vec<Key>,
    /// First day of the bucket.
    pub bucket: Option<NaiveDate>,
    /// Keys and bucket as people read them.
    pub label: String,
    /// The number.
    pub value: Option<f64>,
    /// What is known about it.
    pub state: State,
    /// The receipt of the figure, by which it can be computed again; none where nothing was counted.
    pub receipt: Option<String>,
    /// The parts that the number is made of.
    #[schema(value_type = BTreeMap<String, Option<f64>>)]
    pub measures: IndexMap<String, Option<f64>>,
    /// Where the key lies on a tile map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// How a control point stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milestone: Option<Milestone>,
}

impl Row {
    /// The number with its state.
    #[must_use]
    pub fn figure(&self) -> Figure {
        Figure { value: self.value, state: self.state }
    }
}

/// Where a territory lies on a tile map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Place {
    /// Four letters or so.
    pub label: String,
    /// Column from the left.
    pub column: u32,
    /// Row from the top.
    pub row: u32,
}

/// Dates and state of a control point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Milestone {
    /// Number of the point in the plan.
    pub code: String,
    /// Its name without the number.
    pub name: String,
    /// The day by which it has to be reached.
    pub planned_on: NaiveDate,
    /// The day on which it was reached or is expected.
    pub actual_on: Option<NaiveDate>,
    /// Whether `actual_on` is expected only.
    pub is_forecast: bool,
    /// Calendar days late; negative if early.
    pub slip_days: Option<i64>,
    /// The state in words.
    pub state: String,
    /// The light of the state.
    pub light: Light,
}
