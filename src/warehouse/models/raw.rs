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
    /// Columns of the event tables' keys and of the result by which events belong together.
    pub key: Vec<Spanned<String>>,
    /// DATE column of the result by whose month the entity's table is partitioned.
    pub month: Spanned<String>,
    /// What indicators may be cut by.
    pub dimensions: Vec<RawDimension>,
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
