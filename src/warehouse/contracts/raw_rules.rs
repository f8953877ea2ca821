//! Limits, quality rules and promises of a contract as its author writes them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::declarations::Spanned;

/// Limits of the values of a column.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawTypeOptions {
    /// Regular expression that a text must match.
    #[serde(default)]
    pub pattern: Option<Spanned<String>>,
    /// Smallest number, day (`2024-01-31`) or moment, itself allowed.
    #[serde(default)]
    pub minimum: Option<Spanned<RawBound>>,
    /// Largest number, day or moment, itself allowed.
    #[serde(default)]
    pub maximum: Option<Spanned<RawBound>>,
    /// Number, day or moment that every value is above.
    #[serde(default)]
    pub exclusive_minimum: Option<Spanned<RawBound>>,
    /// Number, day or moment that every value is below.
    #[serde(default)]
    pub exclusive_maximum: Option<Spanned<RawBound>>,
    /// Fewest characters of a text.
    #[serde(default)]
    pub min_length: Option<Spanned<u64>>,
    /// Most characters of a text.
    #[serde(default)]
    pub max_length: Option<Spanned<u64>>,
    /// Notation in the storage; not used.
    #[serde(default)]
    pub format: Option<Value>,
    /// Whether a timestamp carries its zone; not used, always UTC.
    #[serde(default)]
    pub timezone: Option<Value>,
    /// Zone of timestamps without one; not used, always UTC.
    #[serde(default)]
    pub default_timezone: Option<Value>,
}

/// A limit of values: a number, or a day or moment as a text.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawBound {
    /// A number.
    Number(f64),
    /// A day or a moment in ISO 8601.
    Text(String),
}

/// One quality rule.
///
/// What is counted must stand in relation to a limit by exactly one of the keys that begin with `must`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawQuality {
    /// `library`: a known metric; `sql`: a condition; `text`: a rule for people.
    #[serde(default, rename = "type")]
    pub kind: Option<Spanned<String>>,
    /// What is counted: `invalidValues`, `nullValues`, `missingValues`, `duplicateValues` or `rowCount`.
    #[serde(default)]
    pub metric: Option<Spanned<String>>,
    /// What the metric needs.
    #[serde(default)]
    pub arguments: Option<Spanned<RawArguments>>,
    /// `SELECT COUNT(*) FROM {object} WHERE …`: counts the events that are wrong. `{property}` stands for the column.
    #[serde(default)]
    pub query: Option<Spanned<String>>,
    /// The count is this.
    #[serde(default)]
    pub must_be: Option<Spanned<f64>>,
    /// The count is not this.
    #[serde(default)]
    pub must_not_be: Option<Spanned<f64>>,
    /// The count is above this.
    #[serde(default)]
    pub must_be_greater_than: Option<Spanned<f64>>,
    /// The count is this or above.
    #[serde(default)]
    pub must_be_greater_or_equal_to: Option<Spanned<f64>>,
    /// The count is below this.
    #[serde(default)]
    pub must_be_less_than: Option<Spanned<f64>>,
    /// The count is this or below.
    #[serde(default)]
    pub must_be_less_or_equal_to: Option<Spanned<f64>>,
    /// The count is one of these two or between them.
    #[serde(default)]
    pub must_be_between: Option<Spanned<Vec<f64>>>,
    /// The count is below the first or above the second.
    #[serde(default)]
    pub must_not_be_between: Option<Spanned<Vec<f64>>>,
    /// Unit of the limit: `rows` (default) or `percent` of the rows of the batch.
    #[serde(default)]
    pub unit: Option<Spanned<String>>,
    /// `error` (default): a rule that allows none rejects the row, any other holds the batch back. `warning`: the batch comes in and is marked.
    #[serde(default)]
    pub severity: Option<Spanned<String>>,
    /// Name of the rule, as it stands in quarantine and in warnings: small Latin letters, digits and `_`.
    #[serde(default)]
    pub name: Option<Spanned<String>>,
    /// The rule in words. Of a `sql` rule: what is wrong and what to do, for the people who keep the register.
    #[serde(default)]
    pub description: Option<String>,
    /// Stable identifier inside the contract; not used.
    #[serde(default)]
    pub id: Option<Value>,
    /// Dimension of quality; not used.
    #[serde(default)]
    pub dimension: Option<Value>,
    /// Way of checking; not used.
    #[serde(default)]
    pub method: Option<Value>,
    /// When it is checked; not used, every batch is.
    #[serde(default)]
    pub schedule: Option<Value>,
    /// Who checks; not used.
    #[serde(default)]
    pub scheduler: Option<Value>,
    /// Consequences; not used.
    #[serde(default)]
    pub business_impact: Option<Value>,
    /// Tags; not used.
    #[serde(default)]
    pub tags: Option<Value>,
    /// Extensions; not used.
    #[serde(default)]
    pub custom_properties: Option<Value>,
    /// Links to definitions; not used.
    #[serde(default)]
    pub authoritative_definitions: Option<Value>,
}

/// What a metric needs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawArguments {
    /// Of `invalidValues`: the only values that a column may have.
    #[serde(default)]
    pub valid_values: Option<Vec<Spanned<String>>>,
    /// Of `invalidValues`: regular expression that a text must match.
    #[serde(default)]
    pub pattern: Option<Spanned<String>>,
    /// Of `missingValues`: texts that mean "no value"; null does so always.
    #[serde(default)]
    pub missing_values: Vec<Option<String>>,
    /// Of `duplicateValues` of a table: columns whose values together may not occur twice.
    #[serde(default)]
    pub properties: Vec<Spanned<String>>,
}

/// One promise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawPromise {
    /// `frequency`: how often the register exports; `latency`: how late an event may reach the export; `retention` and others are not checked.
    pub property: Spanned<String>,
    /// How many units.
    pub value: Spanned<Value>,
    /// Unit: `h` office hours, `bd` working days, `d` days, `w` weeks, `m` months, `y` years.
    #[serde(default)]
    pub unit: Option<Spanned<String>>,
    /// Column that the promise is about.
    #[serde(default)]
    pub element: Option<Value>,
    /// The promise in words.
    #[serde(default)]
    pub description: Option<String>,
    /// Second value; not used.
    #[serde(default)]
    pub value_ext: Option<Value>,
    /// Why the promise matters; not used.
    #[serde(default)]
    pub driver: Option<Value>,
    /// When it is checked; not used.
    #[serde(default)]
    pub schedule: Option<Value>,
    /// Who checks; not used.
    #[serde(default)]
    pub scheduler: Option<Value>,
    /// Stable identifier inside the contract; not used.
    #[serde(default)]
    pub id: Option<Value>,
}
