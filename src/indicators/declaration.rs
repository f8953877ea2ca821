//! An indicator as an analyst writes it in `sql/indicators/NAME.yaml`.
//!
//! Nothing is checked here but the form; [`super::Catalog`] checks the meaning. The descriptions of the fields
//! are the manual: `svod schema` publishes them.

use chrono::NaiveDate;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::declarations::Spanned;
use crate::domain::language::Text;

/// One indicator: what is counted, over which entity and time, and its passport.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawIndicator {
    /// Identifier, which is also the name of the file, the last part of a URL and the head of a column.
    pub indicator: Spanned<String>,
    /// Short name for people.
    pub title: Spanned<Text>,
    /// What the indicator says, in one sentence.
    pub description: Spanned<Text>,
    /// The entity that is counted: the name of a model in `sql/models`, or `runs`.
    pub entity: Spanned<String>,
    /// DATE column of the entity which a period and a grain cut.
    pub time: Spanned<String>,
    /// SQL condition over the columns of the entity, `today` (a DATE) and `moment` (a TIMESTAMP): the rows that the indicator is
    /// about. Codes that stand in other rows only are not shown. No condition = all rows.
    #[serde(default, rename = "where")]
    pub condition: Option<Spanned<String>>,
    /// What is measured, by name. One measure is the indicator itself; several need a `formula`.
    pub measures: IndexMap<String, Spanned<RawMeasure>>,
    /// SQL expression over the names of the measures; a division by zero gives no value.
    #[serde(default)]
    pub formula: Option<Spanned<String>>,
    /// When there is no value for a reason that is known.
    #[serde(default)]
    pub states: RawStates,
    /// Unit of measure: a code of OKEI, e.g. `"744"` for percent.
    pub unit: Spanned<String>,
    /// Digits after the decimal point.
    #[serde(default)]
    pub decimals: Spanned<usize>,
    /// Which way is better.
    pub direction: Direction,
    /// Dimensions that a query must cut by or fix to one value, because values across them cannot be put together.
    #[serde(default)]
    pub requires: Vec<Spanned<String>>,
    /// What tells how many of those who had to report have done it, so that every value carries it.
    #[serde(default)]
    pub coverage: Option<RawCoverage>,
    /// Where the values come from and who answers for them.
    pub passport: RawPassport,
    /// Values at which the traffic light changes.
    #[serde(default)]
    pub thresholds: Option<Spanned<Thresholds>>,
}

/// Conditions under which a state stands in place of the value. The first that holds, in this order, counts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawStates {
    /// SQL condition over the names of the measures: the time for which a value is expected has not come.
    #[serde(default)]
    pub not_due: Option<Spanned<String>>,
    /// SQL condition over the names of the measures: a value was expected and nobody sent it.
    #[serde(default)]
    pub not_reported: Option<Spanned<String>>,
}

/// What tells how complete the values are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCoverage {
    /// The indicator that counts those who reported, by months.
    pub indicator: Spanned<String>,
    /// Its measure that counts all who had to.
    pub of: Spanned<String>,
    /// Only these codes of these dimensions, e.g. `{report: [samara_appeals]}`.
    #[serde(default, rename = "where")]
    pub only: IndexMap<String, Vec<String>>,
}

/// One measure, named by its way of putting rows together, e.g. `{count: {where: "provided_on IS NOT NULL"}}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RawMeasure {
    /// Number of rows. A flow: adds up over time and over every dimension.
    Count(RawCount),
    /// Sum of a value. A flow: adds up over time and over every dimension.
    Sum(RawValue),
    /// Number of different values; counted anew at every level, for values may stand in several groups.
    Distinct(RawValue),
    /// Arithmetic mean of a value.
    Mean(RawValue),
    /// Exact median of a value.
    Median(RawValue),
    /// Exact percentile of a value, between two rows in proportion to their distance.
    Percentile(RawPercentile),
    /// Least value.
    Min(RawValue),
    /// Greatest value.
    Max(RawValue),
    /// Value of the row with the latest time within the bucket, for values that are cumulative or points in time.
    Last(RawValue),
    /// Number of rows open at the end of the bucket. A stock: does not add up over time.
    Stock(RawStock),
}

/// Which rows count.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCount {
    /// SQL condition over the columns of the entity, `today` (a DATE) and `moment` (a TIMESTAMP); no condition = all rows.
    #[serde(default, rename = "where")]
    pub condition: Option<Spanned<String>>,
}

/// Which value of which rows counts: exactly one of `column` and `expr`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawValue {
    /// Column of the entity.
    #[serde(default)]
    pub column: Option<Spanned<String>>,
    /// SQL expression over the columns of the entity, `today` (a DATE) and `moment` (a TIMESTAMP).
    #[serde(default)]
    pub expr: Option<Spanned<String>>,
    /// SQL condition over the same names; no condition = all rows.
    #[serde(default, rename = "where")]
    pub condition: Option<Spanned<String>>,
}

/// Which percentile of which value of which rows: exactly one of `column` and `expr`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPercentile {
    /// Column of the entity.
    #[serde(default)]
    pub column: Option<Spanned<String>>,
    /// SQL expression over the columns of the entity, `today` (a DATE) and `moment` (a TIMESTAMP).
    #[serde(default)]
    pub expr: Option<Spanned<String>>,
    /// The part of the rows whose value is not greater, from 0 to 1: `0.9` for the 90th percentile.
    pub at: Spanned<f64>,
    /// SQL condition over the same names; no condition = all rows.
    #[serde(default, rename = "where")]
    pub condition: Option<Spanned<String>>,
}

/// When a row is open: from the day in one column, until the day before the one in the other.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawStock {
    /// DATE column: the first day on which the row is open.
    pub from: Spanned<String>,
    /// DATE column: the day on which the row is open no more; null = still open.
    pub until: Spanned<String>,
    /// SQL condition over the columns of the entity, `today` (a DATE) and `moment` (a TIMESTAMP).
    #[serde(default, rename = "where")]
    pub condition: Option<Spanned<String>>,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Up,
    /// Less is better.
    Down,
    /// Neither is better.
    None,
}

/// Where the values come from and who answers for them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPassport {
    /// How a value is computed, in words.
    pub method: Spanned<Text>,
    /// The register or system that the data come from.
    pub source: Spanned<Text>,
    /// The body that answers for the values.
    pub owner: Spanned<Text>,
    /// How often the values change.
    pub periodicity: Spanned<Text>,
    /// The legal act that prescribes the indicator, where there is one.
    #[serde(default)]
    pub act: Option<Spanned<Text>>,
    /// Why it is watched: the decision that it serves.
    #[serde(default)]
    pub rationale: Option<Spanned<Text>>,
    /// Where it is prescribed: a code of the list `indicator_levels`.
    #[serde(default)]
    pub level: Option<Spanned<String>>,
    /// What a value is: a code of the list `value_types`.
    #[serde(default)]
    pub value_type: Option<Spanned<String>>,
    /// What stands above the line of a share.
    #[serde(default)]
    pub numerator: Option<Spanned<Text>>,
    /// What stands under the line of a share.
    #[serde(default)]
    pub denominator: Option<Spanned<Text>>,
    /// The register behind it: a code of the list `indicator_registers`, which tells how its data are collected, whom they cover, who
    /// owns and approves them, when they are due, what is not disclosed and where the series breaks.
    #[serde(default)]
    pub register: Option<Spanned<String>>,
    /// Value before the work on it began, with its day.
    #[serde(default)]
    pub base: Option<Spanned<Text>>,
    /// What a reader must know before a conclusion is drawn.
    #[serde(default)]
    pub caveats: Option<Spanned<Text>>,
    /// First day for which this definition holds.
    #[serde(default)]
    pub valid_from: Option<NaiveDate>,
    /// Last day for which it holds, once there is another.
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
    /// What changed in the definition, the newest change first; there are as many versions as changes, and the first.
    #[serde(default)]
    pub changes: Vec<Spanned<Text>>,
}

/// Values at which the traffic light changes, in the unit of the indicator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Green from here on, in the direction of the indicator.
    pub good: f64,
    /// Red from here on, against the direction of the indicator.
    pub bad: f64,
}
