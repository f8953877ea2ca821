//! `pipelines/*.yaml` as written: the raw structs, whose doc lines are the manual of the format.
//!
//! What the values mean and whether they fit together is checked in [`super::check`].

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::format::RawFormat;
use super::packed::RawUnpack;
use super::schedule::RawSchedule;
use super::schema_change::SchemaChange;
use super::source_declaration::{RawHttp, RawPostgres, RawPush, RawS3};
use crate::declarations::Spanned;
use crate::domain::language::Text;

/// A pipeline: which files of a register are read, how, and what events their rows become.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPipeline {
    /// Identifier: lower-case Latin letters, digits and underscores. Batches are committed under it, so it never changes.
    pub pipeline: Spanned<String>,
    /// Name shown to people.
    pub title: Text,
    /// One sentence on what the pipeline brings.
    pub description: Spanned<String>,
    /// Event table that the rows go to: the name of a contract of `warehouse/contracts/`.
    pub contract: Spanned<String>,
    /// Time zone of dates and times without an offset, e.g. `Europe/Moscow`; that of `svod.yaml` if absent.
    pub time_zone: Option<Spanned<String>>,
    /// Where the rows come from.
    pub source: RawSource,
    /// When the server runs the pipeline by itself; absent: only when somebody asks for it.
    pub schedule: Option<RawSchedule>,
    /// Whether the server also runs the pipeline when its files change; for `files` only. Absent: by schedule or by hand alone.
    pub watch: Option<Spanned<RawWatch>>,
    /// How the files or answers are written; absent only for `postgres`, whose rows have no format of their own.
    pub format: Option<RawFormat>,
    /// What is taken out of packed files, and how much. Files packed by gzip, zstd and zip are known by their content, whatever their name.
    #[serde(default)]
    pub unpack: RawUnpack,
    /// Texts that mean "no value" in every column that does not list its own. The empty text always does.
    #[serde(default)]
    pub empty: Vec<String>,
    /// The columns that are read, with their types.
    pub columns: Vec<RawColumn>,
    /// Columns of the file that are known and left alone, whatever `schema_change` says of others.
    #[serde(default)]
    pub ignore: Vec<Spanned<String>>,
    /// What happens when the file has other columns: `evolve`, `freeze`, `discard_row` or `discard_value`. Without it columns that are not
    /// declared are left alone, and nothing is taken of a file that lacks a declared one.
    pub schema_change: Option<SchemaChange>,
    /// Contract columns that every event of a row carries.
    #[serde(default)]
    pub values: IndexMap<String, Spanned<RawValue>>,
    /// Date or timestamp column that says when the register recorded the row: a later record corrects an earlier one.
    pub recorded_at: Option<Spanned<String>>,
    /// Rows that the register has wrong although each value is right, e.g. a decision before the application.
    #[serde(default)]
    pub reject: Vec<RawReject>,
    /// The events that one row becomes.
    pub emit: Vec<Spanned<RawEmit>>,
}

/// Where the rows come from: exactly one of the keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RawSource {
    /// Pattern of the files, relative to the project, e.g. `data-samples/samara/journal-*.csv`.
    /// New files and files with changed content are read, in order of name.
    Files(Spanned<String>),
    /// An HTTP endpoint.
    Http(Box<RawHttp>),
    /// A query to a PostgreSQL database.
    Postgres(Box<RawPostgres>),
    /// Objects of an S3-compatible store. New objects and objects with a changed ETag are read, in order of key.
    S3(Box<RawS3>),
    /// Rows come to the server by `POST /api/v1/pipelines/PIPELINE/events`.
    Push(Spanned<RawPush>),
}

/// When files that have changed are read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawWatch {
    /// How long all files must have been left alone before a run begins, so that half-written ones are not read, e.g. `30s`; `5s` if absent.
    pub quiet: Option<Spanned<String>>,
}

/// One column of the register's export.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawColumn {
    /// Name of the column inside this file, used in expressions: lower-case Latin letters, digits and underscores.
    pub name: Spanned<String>,
    /// Name of the column in the file, or its path where the format says so; the same as `name` if absent.
    pub from: Option<Spanned<String>>,
    /// Type of the value.
    #[serde(rename = "type")]
    pub column_type: SourceType,
    /// How a date or time is written: a `chrono` pattern, e.g. `%d.%m.%Y`, or `excel` for the number of days that Excel counts;
    /// ISO 8601 if absent.
    pub format: Option<Spanned<String>>,
    /// First year of the hundred years that `%y` means: with 1930 the year `30` is 1930 and `29` is 2029. Without it years of two digits
    /// are refused.
    pub two_digit_years: Option<Spanned<i32>>,
    /// Whether a row without this value is rejected.
    #[serde(default)]
    pub required: bool,
    /// Texts that mean "no value" in this column, instead of those of the pipeline.
    pub empty: Option<Vec<String>>,
}

/// Type of a column of the register's export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceType {
    /// Text; spaces around it are cut off.
    String,
    /// Whole number; spaces between groups of digits are allowed.
    Integer,
    /// Number; spaces between groups of digits are allowed.
    Number,
    /// `true`, `false`, `1`, `0`, `да`, `нет`.
    Boolean,
    /// Day.
    Date,
    /// Moment; one without an offset is in the pipeline's time zone.
    Timestamp,
}

/// Where a contract column takes its value from: exactly one of the keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawValue {
    /// A column as it is.
    pub from: Option<Spanned<String>>,
    /// The same value for every row.
    #[serde(rename = "const")]
    pub constant: Option<Spanned<String>>,
    /// A code found in a code list by what the column says.
    pub lookup: Option<RawLookup>,
    /// An SQL expression over the columns (Polars dialect).
    pub expr: Option<Spanned<String>>,
}

/// A code found in a code list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLookup {
    /// The column with what the register writes.
    pub from: Spanned<String>,
    /// The code list of `warehouse/reference/`.
    pub list: Spanned<String>,
    /// Column of the code list in which it is looked for; its `code` becomes the value. `code` if absent.
    pub by: Option<Spanned<String>>,
}

/// A reason to reject a row.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawReject {
    /// Name of the rule, e.g. `decided_before_applied`: lower-case Latin letters, digits and underscores.
    pub rule: Spanned<String>,
    /// SQL condition over the columns (Polars dialect); rows where it is true are rejected.
    pub when: Spanned<String>,
    /// What is wrong and what to do, for the people who keep the register. Must not repeat personal values.
    pub sentence: Spanned<String>,
}

/// One event that a row becomes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEmit {
    /// The event, one of those that the contract allows. Absent if `values` say what the `event` is.
    pub event: Option<Spanned<String>>,
    /// Date or timestamp column that says when it occurred; no value, no event. A date means local midnight.
    pub at: Spanned<String>,
    /// SQL condition over the columns (Polars dialect); the event is there only where it is true.
    pub when: Option<Spanned<String>>,
    /// Contract columns of this event, instead of those of the pipeline.
    #[serde(default)]
    pub values: IndexMap<String, Spanned<RawValue>>,
}

/// JSON Schema of a pipeline declaration.
#[must_use]
pub fn pipeline_schema() -> schemars::Schema {
    schemars::schema_for!(RawPipeline)
}
