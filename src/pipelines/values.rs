//! Checks where contract columns take their values from.

use indexmap::IndexMap;
use polars::prelude::DataType;

use super::declaration::{RawLookup, RawValue, SourceType};
use super::expression::{Expression, ExpressionError};
use super::moment::{MomentFormat, ZoneClock};
use super::pipeline::{Constant, Mapping, Value};
use super::typing::{SourceColumn, moment_type};
use crate::declarations::{Problem, Problems, Source, Spanned};
use crate::warehouse::contracts::{Column, ColumnType, Contract};
use crate::warehouse::reference::Reference;

/// Contract columns that no value gives: `at` and `recorded_at` do.
const GIVEN_ELSEWHERE: [(&str, &str); 2] = [("occurred_at", "at"), ("recorded_at", "recorded_at")];

/// Checks values of one declaration against its columns, its contract and the code lists.
pub(super) struct ValueChecker<'a> {
    pub(super) source: &'a Source,
    pub(super) contract: &'a Contract,
    pub(super) reference: &'a Reference,
    pub(super) columns: &'a [SourceColumn],
}

impl ValueChecker<'_> {
    /// The mappings of a map of values.
    pub(super) fn check_all(&self, raw: &IndexMap<String, Spanned<RawValue>>, problems: &mut Problems) -> Vec<Mapping> {
        let check = |(name, value): (&String, &Spanned<RawValue>)| {
            let value = self.check(name, value, problems)?;
            Some(Mapping { column: name.clone(), value })
        };
        raw.iter().filter_map(check).collect()
    }

    fn check(&self, name: &str, raw: &Spanned<RawValue>, problems: &mut Problems) -> Option<Value> {
        let key = self.key_place(name, raw);
        if let Some((_, elsewhere)) = GIVEN_ELSEWHERE.iter().find(|(column, _)| *column == name) {
            problems.push(self.source.problem(&key, format!("`values`: `{name}` is given by `{elsewhere}`")));
            return None;
        }
        let Some(column) = self.contract.column(name) else {
            let message = format!("`values`: the contract `{}` has no column `{name}`", self.contract.table);
            let known = self.contract.columns.iter().map(|column| column.name.as_str());
            problems.push(self.source.problem(&key, message).suggest(name, known));
            return None;
        };
        match (&raw.from, &raw.constant, &raw.lookup, &raw.expr) {
            (Some(from), None, None, None) => self.check_from(column, from, problems),
            (None, Some(constant), None, None) => self.check_constant(column, constant, problems),
            (None, None, Some(lookup), None) => self.check_lookup(column, lookup, problems),
            (None, None, None, Some(expr)) => {
                self.expression("expr", expr, accepted(column.column_type), problems).map(Value::Expression)
            }
            (from, constant, lookup, expr) => {
                let n_given = [from.is_some(), constant.is_some(), lookup.is_some(), expr.is_some()];
                let n_given = n_given.into_iter().filter(|given| *given).count();
                let message =
                    format!("`{name}`: expected exactly one of `from`, `const`, `lookup`, `expr`, found {n_given}");
                problems.push(self.source.problem(&key, message));
                None
            }
        }
    }

    fn check_from(&self, column: &Column, from: &Spanned<String>, problems: &mut Problems) -> Option<Value> {
        let place = self.column("from", from, problems)?;
        let given = self.columns.get(place)?;
        if !accepted(column.column_type).contains(&given.data_type()) {
            let message = format!(
                "`from`: `{}` is of type {}, the contract's `{}` is of type {}",
                given.name,
                type_name(&given.data_type()),
                column.name,
                contract_type_name(column.column_type)
            );
            problems.push(self.source.problem(from, message));
        }
        Some(Value::From(place))
    }

    fn check_constant(&self, column: &Column, text: &Spanned<String>, problems: &mut Problems) -> Option<Value> {
        let Some(constant) = read_constant(text, column.column_type) else {
            let message = format!("`const`: `{}` is not of type {}", **text, contract_type_name(column.column_type));
            problems.push(self.source.problem(text, message));
            return None;
        };
        if let Some(allowed) = &column.allowed
            && !allowed.contains(text)
        {
            let message = format!("`const`: the contract's `{}` does not allow `{}`", column.name, **text);
            let known = allowed.iter().map(String::as_str);
            problems.push(self.source.problem(text, message).suggest(text, known));
        }
        if let Some((list, by)) = &column.reference
            && let Some(values) = self.reference.list(list).and_then(|list| list.column(by))
            && !values.contains(text)
        {
            let message = format!("`const`: the code list `{list}` has no `{by}` `{}`", **text);
            problems.push(self.source.problem(text, message));
        }
        Some(Value::Constant(constant))
    }

    fn check_lookup(&self, column: &Column, lookup: &RawLookup, problems: &mut Problems) -> Option<Value> {
        let from = self.column("from", &lookup.from, problems);
        if let Some(given) = from.and_then(|place| self.columns.get(place))
            && !matches!(given.column_type, SourceType::String | SourceType::Integer)
        {
            let message = format!("`from`: `{}` is of type {}", given.name, type_name(&given.data_type()));
            let problem = self.source.problem(&lookup.from, message);
            problems.push(problem.help("only strings and integers are looked up"));
        }
        if column.column_type != ColumnType::String {
            let message = format!("`lookup`: the contract's `{}` is not a string, so no code fits it", column.name);
            problems.push(self.source.problem(&lookup.list, message));
        }
        let by = lookup.by.as_ref().map_or("code", |by| by.as_str());
        match self.reference.list(&lookup.list) {
            None => {
                let message = format!("`list`: there is no code list `{}`", *lookup.list);
                problems.push(self.source.problem(&lookup.list, message).suggest(&lookup.list, self.reference.names()));
            }
            Some(list) if list.column(by).is_none() => {
                let place = lookup.by.as_ref().unwrap_or(&lookup.list);
                let message = format!("`by`: the code list `{}` has no column `{by}`", *lookup.list);
                problems.push(self.source.problem(place, message));
            }
            Some(_) => {}
        }
        Some(Value::Lookup { from: from?, list: lookup.list.value.clone(), by: by.to_owned() })
    }

    /// An expression whose result is of one of the types.
    pub(super) fn expression(
        &self,
        key: &str,
        text: &Spanned<String>,
        types: &[DataType],
        problems: &mut Problems,
    ) -> Option<Expression> {
        let columns: Vec<(String, DataType)> =
            self.columns.iter().map(|column| (column.name.clone(), column.data_type())).collect();
        match Expression::check(text, &columns) {
            Ok((expression, data_type)) => {
                if !types.contains(&data_type) && data_type != DataType::Null {
                    let expected = types.first().map_or("", type_name);
                    let message = format!("`{key}`: gives {}, expected {expected}", type_name(&data_type));
                    problems.push(self.source.problem(text, message));
                }
                Some(expression)
            }
            Err(ExpressionError::UnknownColumn(name)) => {
                let problem = self.source.problem(text, format!("`{key}`: there is no column `{name}`"));
                problems.push(problem.suggest(&name, self.columns.iter().map(|column| column.name.as_str())));
                None
            }
            Err(ExpressionError::Wrong(message)) => {
                problems.push(self.source.problem(text, format!("`{key}`: {message}")));
                None
            }
        }
    }

    /// The place of a date or timestamp column.
    pub(super) fn moment_column(&self, key: &str, name: &Spanned<String>, problems: &mut Problems) -> Option<usize> {
        let place = self.column(key, name, problems)?;
        let given = self.columns.get(place)?;
        if !matches!(given.column_type, SourceType::Date | SourceType::Timestamp) {
            let found = type_name(&given.data_type());
            let message = format!("`{key}`: `{}` is of type {found}, expected a date or a timestamp", given.name);
            problems.push(self.source.problem(name, message));
        }
        Some(place)
    }

    fn column(&self, key: &str, name: &Spanned<String>, problems: &mut Problems) -> Option<usize> {
        let place = self.columns.iter().position(|column| column.name == **name);
        if place.is_none() {
            let problem: Problem = self.source.problem(name, format!("`{key}`: there is no column `{}`", **name));
            problems.push(problem.suggest(name, self.columns.iter().map(|column| column.name.as_str())));
        }
        place
    }

    /// Where the key of a value stands: on the value's line or a little above it.
    fn key_place(&self, key: &str, value: &Spanned<RawValue>) -> Spanned<()> {
        let lines: Vec<&str> = self.source.text.lines().collect();
        for line in (value.line.saturating_sub(3).max(1)..=value.line).rev() {
            let Some(text) = lines.get(line - 1) else { continue };
            let Some((before, _)) = text.split_once(&format!("{key}:")) else { continue };
            return Spanned { value: (), line, column: before.chars().count() + 1, width: key.chars().count() };
        }
        value.with(())
    }
}

/// Types of values that a contract column takes.
fn accepted(column_type: ColumnType) -> &'static [DataType] {
    static MOMENTS: std::sync::LazyLock<[DataType; 2]> = std::sync::LazyLock::new(|| [moment_type(), DataType::Date]);
    static DAYS: std::sync::LazyLock<[DataType; 2]> = std::sync::LazyLock::new(|| [DataType::Date, moment_type()]);
    const WHOLE: [DataType; 8] = [
        DataType::Int64,
        DataType::Int32,
        DataType::Int16,
        DataType::Int8,
        DataType::UInt32,
        DataType::UInt64,
        DataType::UInt16,
        DataType::UInt8,
    ];
    static NUMBERS: [DataType; 6] =
        [DataType::Float64, DataType::Float32, DataType::Int64, DataType::Int32, DataType::UInt32, DataType::UInt64];
    static BOOLEANS: [DataType; 1] = [DataType::Boolean];
    static TEXTS: [DataType; 2] = [DataType::String, DataType::Int64];
    static INTEGERS: [DataType; 8] = WHOLE;
    match column_type {
        ColumnType::String => &TEXTS,
        ColumnType::Integer => &INTEGERS,
        ColumnType::Number => &NUMBERS,
        ColumnType::Boolean => &BOOLEANS,
        ColumnType::Date => &*DAYS,
        ColumnType::Timestamp => &*MOMENTS,
    }
}

/// What a declaration calls a type.
fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::String => "string",
        DataType::Boolean => "boolean",
        DataType::Date => "date",
        DataType::Datetime(..) => "timestamp",
        DataType::Null => "nothing",
        _ if data_type.is_integer() => "integer",
        _ if data_type.is_numeric() => "number",
        _ => "another type",
    }
}

fn contract_type_name(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::String => "string",
        ColumnType::Integer => "integer",
        ColumnType::Number => "number",
        ColumnType::Boolean => "boolean",
        ColumnType::Date => "date",
        ColumnType::Timestamp => "timestamp",
    }
}

fn read_constant(text: &str, column_type: ColumnType) -> Option<Constant> {
    match column_type {
        ColumnType::String => Some(Constant::Text(text.to_owned())),
        ColumnType::Integer => text.parse().ok().map(Constant::Integer),
        ColumnType::Number => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Constant::Number),
        ColumnType::Boolean => text.parse().ok().map(Constant::Boolean),
        ColumnType::Date => {
            let days = MomentFormat::iso().date(text)?.signed_duration_since(chrono::NaiveDate::default());
            i32::try_from(days.num_days()).ok().map(Constant::Day)
        }
        ColumnType::Timestamp => {
            MomentFormat::iso().moment(text, &mut ZoneClock::new(chrono_tz::Tz::UTC)).map(Constant::Moment)
        }
    }
}
