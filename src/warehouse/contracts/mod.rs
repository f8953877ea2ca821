//! Contracts of the event tables: `warehouse/contracts/*.odcs.yaml`, one table per file.
//!
//! A contract says which columns an event has, what is allowed in them, what identifies an event and what is
//! personal. It gives the table's schema in the lake, the checks of the pipelines and the documentation.

mod check;
mod check_promises;
mod check_rules;
mod promises;
mod raw;
mod raw_rules;
mod rules;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use regex::Regex;

use crate::declarations::{Problems, Source, list_files};

use super::reference::Reference;

pub use promises::Freshness;
pub use raw::{RawContract, RawProperty, RawPurpose, RawRelationship, RawTable};
pub use raw_rules::{RawArguments, RawBound, RawPromise, RawQuality, RawTypeOptions};
pub use rules::{Bound, Limit, Rule, Severity, Test};

/// Folder of the contracts inside a project.
pub const CONTRACTS_FOLDER: &str = "warehouse/contracts";

/// Column of what happened; every event table has it.
pub const EVENT: &str = "event";
/// Column of the moment when it happened, UTC; every event table has it.
pub const OCCURRED_AT: &str = "occurred_at";
/// Column of the moment when the register wrote it down, UTC; every event table has it, it may be empty.
pub const RECORDED_AT: &str = "recorded_at";

/// Beginning of the name of a column that a register exports and no contract names.
pub const FOUND_PREFIX: &str = "extra_";

/// Columns that the lake adds to every event table, after those of the contract.
///
/// `occurred_on` is the local date of `occurred_at`, `month` its month as `2024-03` and the partition;
/// `_key_hash` and `_content_hash` are xxh3 of the key and of all contract columns; the others say where a row came from.
#[must_use]
pub fn system_columns() -> Vec<(&'static str, DataType)> {
    vec![
        ("occurred_on", DataType::Date32),
        ("month", DataType::Utf8),
        ("_key_hash", DataType::Int64),
        ("_content_hash", DataType::Int64),
        ("_pipeline", DataType::Utf8),
        ("_batch", DataType::Int64),
        ("_file", DataType::Utf8),
        ("_row", DataType::Int64),
    ]
}

/// Type of a column of an event table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// A text.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A binary floating-point number of 64 bits.
    Number,
    /// Yes or no.
    Boolean,
    /// A calendar day.
    Date,
    /// A moment in UTC, to the microsecond.
    Timestamp,
}

impl ColumnType {
    /// Every type.
    pub const ALL: [Self; 6] = [Self::String, Self::Integer, Self::Number, Self::Boolean, Self::Date, Self::Timestamp];

    /// The word of the type in declarations.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
        }
    }

    /// The type of a word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column_type| column_type.code() == code)
    }

    /// The type in the lake.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::String => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

/// How a column is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Privacy {
    /// Goes to the lake as it is.
    Open,
    /// Goes to the lake as a keyed hash.
    Pseudonym,
    /// Does not go to the lake.
    Dropped,
}

/// One column of an event table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// Whether every event has a value.
    pub required: bool,
    /// Place in the key, from 1.
    pub key_position: Option<u32>,
    /// The only values it may have.
    pub allowed: Option<Vec<String>>,
    /// Code list and its column that hold every value.
    pub reference: Option<(String, String)>,
    /// What a text must match.
    pub pattern: Option<Regex>,
    /// Limit from below of a number, a day or a moment.
    pub lower: Option<Bound>,
    /// Limit from above of a number, a day or a moment.
    pub upper: Option<Bound>,
    /// Fewest characters.
    pub min_length: Option<usize>,
    /// Most characters.
    pub max_length: Option<usize>,
    /// How it is protected.
    pub privacy: Privacy,
    /// What it means.
    pub description: String,
}

/// The contract of one event table.
#[derive(Debug, Clone)]
pub struct Contract {
    /// Name of the event table.
    pub table: String,
    /// Version of the contract.
    pub version: String,
    /// What one row is.
    pub description: String,
    /// What the data are for.
    pub purpose: String,
    /// The columns, in the order of the file.
    pub columns: Vec<Column>,
    /// Rules beside the limits of single columns.
    pub rules: Vec<Rule>,
    /// How fresh the events are promised to be.
    pub freshness: Option<Freshness>,
    /// The file, for problems at places in it.
    pub source: Source,
    key: Vec<usize>,
}

impl Contract {
    /// A column by name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns that identify an event, in the order of the key.
    #[must_use]
    pub fn key(&self) -> Vec<&Column> {
        self.key.iter().filter_map(|position| self.columns.get(*position)).collect()
    }

    /// The columns that reach the lake, in the order of the file.
    pub fn lake_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.privacy != Privacy::Dropped)
    }

    /// The contract with columns that a register exports and nobody named: texts that reach the lake as pseudonyms, since nobody
    /// knows whether they are personal.
    #[must_use]
    pub fn with_found_columns<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let found = names.into_iter().map(|name| Column {
            name: name.to_owned(),
            column_type: ColumnType::String,
            required: false,
            key_position: None,
            allowed: None,
            reference: None,
            pattern: None,
            lower: None,
            upper: None,
            min_length: None,
            max_length: None,
            privacy: Privacy::Pseudonym,
            description: "A column of the register that the contract does not name.".to_owned(),
        });
        let mut contract = self.clone();
        contract.columns.extend(found);
        contract
    }

    /// The events that the table knows: the allowed values of [`EVENT`].
    #[must_use]
    pub fn events(&self) -> &[String] {
        self.column(EVENT).and_then(|column| column.allowed.as_deref()).unwrap_or_default()
    }

    /// Schema of the table in the lake.
    ///
    /// # Shape
    /// The contract's columns without dropped ones, then [`system_columns`]; all nullable, since the pipelines
    /// have checked what is required and a later contract may require less.
    #[must_use]
    pub fn arrow_schema(&self) -> SchemaRef {
        let own = self.lake_columns().map(|column| Field::new(&column.name, column.column_type.arrow(), true));
        let system = system_columns().into_iter().map(|(name, data_type)| Field::new(name, data_type, true));
        Arc::new(Schema::new(own.chain(system).collect::<Vec<_>>()))
    }
}

/// The contracts of a project.
#[derive(Debug, Clone, Default)]
pub struct Contracts(BTreeMap<String, Contract>);

impl Contracts {
    /// Reads every contract in [`CONTRACTS_FOLDER`].
    ///
    /// # Errors
    /// Every problem of every contract.
    pub fn load(project: &Path, reference: &Reference) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let mut contracts: BTreeMap<String, Contract> = BTreeMap::new();
        for path in list_files(project, CONTRACTS_FOLDER, ".odcs.yaml")? {
            let read = Source::read(project, &path).and_then(|source| check::check_contract(&source, reference));
            let Some((contract, place)) = problems.keep(read) else { continue };
            if let Some(first) = contracts.get(&contract.table) {
                let message = format!("the table `{}` has a contract already", contract.table);
                let help = format!("the other one is {}", first.source.path.display());
                problems.push(contract.source.problem(&place, message).help(help));
                continue;
            }
            contracts.insert(contract.table.clone(), contract);
        }
        problems.into_result(Self(contracts))
    }

    /// The contract of a table.
    #[must_use]
    pub fn get(&self, table: &str) -> Option<&Contract> {
        self.0.get(table)
    }

    /// The contracts, sorted by table.
    pub fn iter(&self) -> impl Iterator<Item = &Contract> {
        self.0.values()
    }

    /// Names of the tables, sorted.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
