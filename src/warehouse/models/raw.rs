//! A model as its author writes it: `sql/models/NAME.yaml`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::declarations::Spanned;
use crate::domain::language::Text;

/// An entity: which events it is folded from and what it may be cut by. The SQL stands beside, in `NAME.sql`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawModel {
    /// Name of the entity, the same as the name of the file.
    pub model: Spanned<String>,
    /// What one row is, e.g. `one row per case`.
    pub grain: Spanned<String>,
    /// What the entity tells.
    pub description: Spanned<String>,
    /// Event tables that the SQL reads.
    pub from: Vec<Spanned<String>>,
    /// What the SQL is compiled from; without it it stands beside, in `NAME.sql`.
    #[serde(default)]
    pub compiled_from: Option<CompiledFrom>,
    /// Columns of the event tables' keys and of the result by which events belong together; `subject_id` is the first column of
    /// each table's key, whatever its name. With `versions: all` any columns
    /// of the event tables will do, and `occurred_month`.
    pub key: Vec<Spanned<String>>,
    /// Which versions of an event the SQL sees: the `last` one, or `all` that were ever told.
    #[serde(default)]
    pub versions: Versions,
    /// Code lists that the SQL reads as tables of texts; an empty cell is null.
    #[serde(default)]
    pub lists: Vec<Spanned<String>>,
    /// DATE column of the result by whose month the entity's table is partitioned.
    pub month: Spanned<String>,
    /// What indicators may be cut by.
    pub dimensions: Vec<RawDimension>,
}

/// What the SQL of a model is compiled from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompiledFrom {
    /// `warehouse/regulations`: one row per clock of a subject.
    Regulations,
}

/// Which versions of an event a model sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Versions {
    /// The one that was recorded last: what is true.
    #[default]
    Last,
    /// Each that was ever told, a correction beside what it corrects: what was told, and when.
    All,
}

/// Something that an entity may be cut by.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDimension {
    /// Name of the dimension; a column of the result unless there is an `expr`.
    pub name: Spanned<String>,
    /// Name for people.
    pub title: Spanned<Text>,
    /// Code list of the values.
    #[serde(default)]
    pub list: Option<Spanned<String>>,
    /// `DataFusion` SQL over the entity's columns, `today DATE` and `moment TIMESTAMP`.
    #[serde(default)]
    pub expr: Option<Spanned<String>>,
}
