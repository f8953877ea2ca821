//! A checked pipeline: what is read, how it is typed, and which events it becomes.

use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;

use super::declaration::SourceType;
use super::expression::Expression;
use super::format::Format;
use super::formats::{ColumnName, Undeclared, WantedColumns};
use super::moment::MomentFormat;
use super::packed::Unpack;
use super::schedule::Schedule;
use super::schema_change::{FoundColumn, SchemaChange};
use super::sources::Source;
use super::typing::{SourceColumn, Unfit};
use crate::domain::language::Text;

/// A pipeline whose declaration fits its contract and the code lists.
#[derive(Debug, Clone)]
pub struct Pipeline {
    pub(super) name: String,
    pub(super) title: Text,
    pub(super) description: String,
    pub(super) declared_in: PathBuf,
    pub(super) contract: String,
    pub(super) time_zone: Tz,
    pub(super) source: Source,
    pub(super) schedule: Option<Schedule>,
    pub(super) quiet: Option<Duration>,
    pub(super) format: Format,
    pub(super) unpack: Unpack,
    pub(super) columns: Vec<SourceColumn>,
    /// How many of the columns, at the end, were found in a file rather than declared.
    pub(super) n_found: usize,
    pub(super) empty: Vec<String>,
    pub(super) ignored: Vec<String>,
    pub(super) schema_change: Option<SchemaChange>,
    pub(super) values: Vec<Mapping>,
    pub(super) recorded_at: Option<usize>,
    pub(super) reject: Vec<RejectRule>,
    pub(super) emit: Vec<Emit>,
}

/// A contract column and where its value comes from.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The contract column.
    pub column: String,
    /// Where its value comes from.
    pub value: Value,
}

/// Where a value comes from. Numbers are places among the pipeline's columns.
#[derive(Debug, Clone)]
pub enum Value {
    /// A column as it is.
    From(usize),
    /// The same for every row.
    Constant(Constant),
    /// A code, found by what a column says.
    Lookup {
        /// The column.
        from: usize,
        /// The code list.
        list: String,
        /// Its column that is compared.
        by: String,
    },
    /// An SQL expression.
    Expression(Expression),
}

/// A constant, of the type of its contract column.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// Text.
    Text(String),
    /// Whole number.
    Integer(i64),
    /// Number.
    Number(f64),
    /// Truth value.
    Boolean(bool),
    /// Days since 1970.
    Day(i32),
    /// Microseconds of UTC.
    Moment(i64),
}

/// A reason to reject a row, beyond types and contract.
#[derive(Debug, Clone)]
pub struct RejectRule {
    /// Its name.
    pub rule: String,
    /// Condition under which a row is rejected.
    pub when: Expression,
    /// What is wrong and what to do.
    pub sentence: String,
}

/// One event that a row becomes.
#[derive(Debug, Clone)]
pub struct Emit {
    /// The event, unless a value says it.
    pub event: Option<String>,
    /// Place of the column that says when.
    pub at: usize,
    /// Condition.
    pub when: Option<Expression>,
    /// Contract columns of this event, instead of those of the pipeline.
    pub values: Vec<Mapping>,
}

impl Pipeline {
    /// Its identifier, under which batches are committed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name for people.
    #[must_use]
    pub fn title(&self) -> &Text {
        &self.title
    }

    /// What it brings.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The file that declares it, relative to the project.
    #[must_use]
    pub fn declared_in(&self) -> &std::path::Path {
        &self.declared_in
    }

    /// Name of the contract, which is the event table.
    #[must_use]
    pub fn contract(&self) -> &str {
        &self.contract
    }

    /// Time zone of dates and times without an offset.
    #[must_use]
    pub fn time_zone(&self) -> Tz {
        self.time_zone
    }

    /// Where the rows come from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// When it runs by itself.
    #[must_use]
    pub fn schedule(&self) -> Option<&Schedule> {
        self.schedule.as_ref()
    }

    /// The pattern of the files that are watched, and how long they must have been left alone; none if they are not watched.
    #[must_use]
    pub fn watched(&self) -> Option<(&str, Duration)> {
        match (&self.source, self.quiet) {
            (Source::Files { pattern }, Some(quiet)) => Some((pattern, quiet)),
            _ => None,
        }
    }

    /// Names of the columns for a decoder.
    pub(super) fn column_names(&self) -> Vec<ColumnName> {
        self.columns.iter().map(|column| ColumnName { from: column.from.clone(), name: column.name.clone() }).collect()
    }

    /// The columns for a decoder, and what it does about others.
    pub(super) fn wanted_columns(&self) -> WantedColumns {
        let change = self.schema_change;
        let undeclared = change.map_or(Undeclared::LeaveAlone, SchemaChange::undeclared);
        let required = self.columns.iter().map(|column| column.required).collect();
        WantedColumns::from(self.column_names())
            .strictly(undeclared, change.is_some_and(SchemaChange::may_lack), required, self.ignored.iter().cloned())
            .declared_up_to(self.columns.len() - self.n_found)
    }

    /// The pipeline with columns of a file that nobody declared, each of which goes to a column of the contract.
    pub(super) fn with_found_columns(&self, found: &[FoundColumn]) -> Self {
        let mut pipeline = self.clone();
        for FoundColumn { from, name } in found {
            let value = Value::From(pipeline.columns.len());
            pipeline.values.push(Mapping { column: name.clone(), value });
            pipeline.columns.push(SourceColumn {
                name: name.clone(),
                from: from.clone(),
                column_type: SourceType::String,
                format: MomentFormat::iso(),
                required: false,
                empty: self.empty.clone(),
                decimal_comma: false,
                unfit: Unfit::RejectsRow,
                personal: true,
            });
        }
        pipeline.n_found += found.len();
        pipeline
    }

    /// The columns that were found in a file.
    pub(super) fn found_columns(&self) -> Vec<FoundColumn> {
        let found = self.columns.iter().skip(self.columns.len() - self.n_found);
        found.map(|column| FoundColumn { from: column.from.clone(), name: column.name.clone() }).collect()
    }

    /// For each column whether a row may not show it in the clear.
    pub(super) fn hidden(&self) -> Vec<bool> {
        self.columns.iter().map(|column| column.personal).collect()
    }

    /// What an event of a rule takes a contract column from.
    pub(super) fn value_of<'a>(&'a self, rule: &'a Emit, column: &str) -> Option<&'a Value> {
        let given = rule.values.iter().chain(&self.values).find(|mapping| mapping.column == column);
        given.map(|mapping| &mapping.value)
    }
}

impl Value {
    /// Places of the columns that the value is made of.
    pub(super) fn sources(&self, columns: &[SourceColumn]) -> Vec<usize> {
        match self {
            Self::From(column) | Self::Lookup { from: column, .. } => vec![*column],
            Self::Constant(_) => Vec::new(),
            Self::Expression(expression) => {
                expression.columns().filter_map(|name| columns.iter().position(|column| column.name == name)).collect()
            }
        }
    }
}
