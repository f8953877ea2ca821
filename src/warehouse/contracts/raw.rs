//! A contract as its author writes it: the Open Data Contract Standard, version 3.1.
//!
//! Keys of the standard that `svod` does not use are accepted as they are, so that other tools can share the file.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::raw_rules::{RawPromise, RawQuality, RawTypeOptions};
use crate::declarations::Spanned;

/// A data contract for one event table, ODCS v3.1.0.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawContract {
    /// Version of the standard: `v3.1.0`.
    pub api_version: Spanned<String>,
    /// Always `DataContract`.
    pub kind: Spanned<String>,
    /// Identifier that never changes.
    pub id: Spanned<String>,
    /// Short name of the contract.
    #[serde(default)]
    pub name: Option<String>,
    /// Version of the contract itself, e.g. `1.0.0`.
    pub version: Spanned<String>,
    /// `active`, `draft`, `proposed`, `deprecated` or `retired`.
    pub status: Spanned<String>,
    /// What the data are for.
    pub description: Spanned<RawPurpose>,
    /// The tables; `svod` expects exactly one.
    pub schema: Spanned<Vec<RawTable>>,
    /// Promises of freshness, retention and the like.
    #[serde(default)]
    pub sla_properties: Vec<RawPromise>,
    /// Column that the promises are about.
    #[serde(default)]
    pub sla_default_element: Option<Value>,
    /// Organisation that owns the data.
    #[serde(default)]
    pub tenant: Option<Value>,
    /// Field of activity.
    #[serde(default)]
    pub domain: Option<Value>,
    /// Product that the data belong to.
    #[serde(default)]
    pub data_product: Option<Value>,
    /// Where the data are served; not used.
    #[serde(default)]
    pub servers: Option<Value>,
    /// People behind the data; not used.
    #[serde(default)]
    pub team: Option<Value>,
    /// Access roles; not used.
    #[serde(default)]
    pub roles: Option<Value>,
    /// Where to ask; not used.
    #[serde(default)]
    pub support: Option<Value>,
    /// Price of the data; not used.
    #[serde(default)]
    pub price: Option<Value>,
    /// Tags; not used.
    #[serde(default)]
    pub tags: Option<Value>,
    /// Extensions; not used.
    #[serde(default)]
    pub custom_properties: Option<Value>,
    /// Links to definitions; not used.
    #[serde(default)]
    pub authoritative_definitions: Option<Value>,
    /// When the contract was made; not used.
    #[serde(default)]
    pub contract_created_ts: Option<Value>,
}

/// What the data are for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawPurpose {
    /// What the data describe.
    pub purpose: String,
    /// How they should be used.
    #[serde(default)]
    pub usage: Option<String>,
    /// What they cannot tell.
    #[serde(default)]
    pub limitations: Option<String>,
    /// Links to definitions; not used.
    #[serde(default)]
    pub authoritative_definitions: Option<Value>,
    /// Extensions; not used.
    #[serde(default)]
    pub custom_properties: Option<Value>,
}

/// One event table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawTable {
    /// Name of the table: small Latin letters, digits and `_`.
    pub name: Spanned<String>,
    /// What one row is.
    pub description: Spanned<String>,
    /// The columns.
    pub properties: Vec<RawProperty>,
    /// Stable identifier inside the contract; not used.
    #[serde(default)]
    pub id: Option<Value>,
    /// `object`.
    #[serde(default)]
    pub logical_type: Option<Value>,
    /// `table`.
    #[serde(default)]
    pub physical_type: Option<Value>,
    /// Name in the storage; not used.
    #[serde(default)]
    pub physical_name: Option<Value>,
    /// Name for people; not used.
    #[serde(default)]
    pub business_name: Option<Value>,
    /// Grain in words; not used.
    #[serde(default)]
    pub data_granularity_description: Option<Value>,
    /// Rules on the whole table: conditions over the columns of an event, numbers of rows, repeated values.
    #[serde(default)]
    pub quality: Vec<RawQuality>,
    /// References of the whole table; not used.
    #[serde(default)]
    pub relationships: Option<Value>,
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

/// One column.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawProperty {
    /// Name of the column: small Latin letters, digits and `_`.
    pub name: Spanned<String>,
    /// `string`, `integer`, `number`, `boolean`, `date` or `timestamp`.
    pub logical_type: Spanned<String>,
    /// What the column means.
    pub description: Spanned<String>,
    /// Whether every event has a value. A part of the key may be empty where it does not apply.
    #[serde(default)]
    pub required: Option<Spanned<bool>>,
    /// Whether the column belongs to the key; no value in a key column is a value of its own.
    #[serde(default)]
    pub primary_key: bool,
    /// Place in the key, from 1; by default the order of the file.
    #[serde(default)]
    pub primary_key_position: Option<Spanned<i64>>,
    /// `personal`: pseudonymised before the lake; `restricted`: never reaches the lake; else open.
    #[serde(default)]
    pub classification: Option<Spanned<String>>,
    /// Rules on the column: allowed, missing and repeated values, conditions, texts.
    #[serde(default)]
    pub quality: Vec<RawQuality>,
    /// Whether no two events of a batch may have the same value; no value is no repetition.
    #[serde(default)]
    pub unique: bool,
    /// References to code lists.
    #[serde(default)]
    pub relationships: Vec<RawRelationship>,
    /// Limits of the values.
    #[serde(default)]
    pub logical_type_options: Option<RawTypeOptions>,
    /// Stable identifier inside the contract; not used.
    #[serde(default)]
    pub id: Option<Value>,
    /// Type in the storage; not used.
    #[serde(default)]
    pub physical_type: Option<Value>,
    /// Name in the storage; not used.
    #[serde(default)]
    pub physical_name: Option<Value>,
    /// Name for people; not used.
    #[serde(default)]
    pub business_name: Option<Value>,
    /// Whether the storage is partitioned by it; not used.
    #[serde(default)]
    pub partitioned: Option<Value>,
    /// Place among the partition columns; not used.
    #[serde(default)]
    pub partition_key_position: Option<Value>,
    /// Name of the encrypted twin; not used.
    #[serde(default)]
    pub encrypted_name: Option<Value>,
    /// Sources of a derived column; not used.
    #[serde(default)]
    pub transform_source_objects: Option<Value>,
    /// Logic of a derived column; not used.
    #[serde(default)]
    pub transform_logic: Option<Value>,
    /// Logic of a derived column in words; not used.
    #[serde(default)]
    pub transform_description: Option<Value>,
    /// Sample values; not used.
    #[serde(default)]
    pub examples: Option<Value>,
    /// Whether the column matters most; not used.
    #[serde(default)]
    pub critical_data_element: Option<Value>,
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

/// A reference from a column.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawRelationship {
    /// Always `foreignKey`.
    #[serde(default, rename = "type")]
    pub kind: Option<Spanned<String>>,
    /// Code list and column, e.g. `municipalities.code`.
    pub to: Spanned<String>,
    /// The column itself; not used.
    #[serde(default)]
    pub from: Option<Value>,
    /// Extensions; not used.
    #[serde(default)]
    pub custom_properties: Option<Value>,
}
