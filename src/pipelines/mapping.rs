//! Rows of text → events with the columns of the contract.
//!
//! One row of state becomes several events, each with its own time and condition. Values are computed once per row and then handed to
//! the events that the row gives.

use std::collections::{BTreeSet, HashMap};

use arrow::array::ArrayRef;
use chrono::NaiveDate;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Float64Chunked, IdxSize, Int32Chunked, Int64Chunked, IntoLazy,
    IntoSeries, NewChunkedArray, PolarsResult, Series, StringChunkedBuilder,
};

use super::bridge::{self, BridgeError};
use super::expression::collect;
use super::moment::ZoneClock;
use super::pipeline::{Constant, Pipeline, Value};
use super::rejects::{Rejects, quoted};
use super::typing::{moment_type, parse_columns};
use crate::domain::period::Period;
use crate::warehouse::contracts::{ColumnType, Contract, Privacy};
use crate::warehouse::reference::Reference;

/// Why a block could not be mapped.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// An expression failed over the values of a row.
    #[error("the expressions of the pipeline cannot be computed; a cast that may fail is written `TRY_CAST`")]
    Expressions(#[source] polars::error::PolarsError),
    /// A condition of the contract failed over the values of an event.
    #[error("the conditions of the contract cannot be computed; a cast that may fail is written `TRY_CAST`")]
    Conditions(#[source] polars::error::PolarsError),
    /// Columns do not fit together.
    #[error("the columns of a block do not fit together")]
    Columns(#[from] polars::error::PolarsError),
    /// A column could not be handed to Arrow.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
}

/// Events of one block.
#[derive(Debug)]
pub struct Events {
    /// One array per column of the contract, in its order.
    pub columns: Vec<ArrayRef>,
    /// For each event the place of its row in the block.
    pub rows: Vec<IdxSize>,
    /// For each event the `emit` rule that made it.
    pub rules: Vec<u16>,
}

/// A value wanted in the type of a contract column.
#[derive(Debug)]
struct Slot {
    value: Value,
    column_type: ColumnType,
    /// Name of the evaluated expression in the typed frame.
    expression: String,
}

/// What an event of one rule is made of.
#[derive(Debug)]
struct RulePlan {
    at: usize,
    /// Name of the evaluated condition in the typed frame.
    when: Option<String>,
    /// For each contract column its slot.
    slots: Vec<Option<usize>>,
}

/// Values of a slot for all rows of a block.
enum Filled {
    Rows(Series),
    Constant(Constant),
    /// Found codes, and the rows whose text no code has.
    Codes(Series, Vec<usize>),
}

/// How a value of a contract column is called in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The column of the file, or of the contract where there is no single one.
    pub name: String,
    /// Whether the value must not be shown.
    pub hidden: bool,
}

/// Turns blocks of text into events.
#[derive(Debug)]
pub struct Mapper {
    pipeline: Pipeline,
    column_types: Vec<ColumnType>,
    slots: Vec<Slot>,
    rules: Vec<RulePlan>,
    labels: Vec<Vec<Label>>,
    lookups: HashMap<(String, String), HashMap<String, String>>,
    clock: ZoneClock,
    period: Option<Period>,
}

impl Mapper {
    /// Prepares a pipeline for its contract.
    #[must_use]
    pub fn new(pipeline: &Pipeline, contract: &Contract, reference: &Reference) -> Self {
        let mut mapper = Self {
            pipeline: pipeline.clone(),
            column_types: contract.columns.iter().map(|column| column.column_type).collect(),
            slots: Vec::new(),
            rules: Vec::new(),
            labels: Vec::new(),
            lookups: HashMap::new(),
            clock: ZoneClock::new(pipeline.time_zone),
            period: None,
        };
        for (number, rule) in pipeline.emit.iter().enumerate() {
            let at = mapper.slot(Value::From(rule.at), ColumnType::Timestamp);
            let mut slots = Vec::with_capacity(contract.columns.len());
            let mut labels = Vec::with_capacity(contract.columns.len());
            for column in &contract.columns {
                let value = match (column.name.as_str(), &rule.event, pipeline.recorded_at) {
                    ("occurred_at", _, _) => Some(Value::From(rule.at)),
                    ("recorded_at", _, Some(place)) => Some(Value::From(place)),
                    ("event", Some(event), _) => Some(Value::Constant(Constant::Text(event.clone()))),
                    (name, _, _) => pipeline.value_of(rule, name).cloned(),
                };
                labels.push(label(pipeline, &column.name, column.privacy, value.as_ref()));
                slots.push(value.map(|value| mapper.slot(value, column.column_type)));
            }
            let when = rule.when.as_ref().map(|_| format!("\u{1}when {number}"));
            mapper.rules.push(RulePlan { at, when, slots });
            mapper.labels.push(labels);
        }
        for slot in &mapper.slots {
            if let Value::Lookup { list, by, .. } = &slot.value {
                let codes = reference.list(list).and_then(|list| list.lookup(by)).unwrap_or_default();
                mapper.lookups.insert((list.clone(), by.clone()), codes);
            }
        }
        mapper
    }

    /// The same, leaving out rows whose dates all lie outside a period.
    #[must_use]
    pub fn only_in(self, period: Option<Period>) -> Self {
        Self { period, ..self }
    }

    /// The slot of a value; values that rules share are computed once.
    fn slot(&mut self, value: Value, column_type: ColumnType) -> usize {
        let same = |slot: &Slot| {
            slot.column_type == column_type
                && match (&slot.value, &value) {
                    (Value::From(one), Value::From(other)) => one == other,
                    (Value::Constant(one), Value::Constant(other)) => one == other,
                    (Value::Expression(one), Value::Expression(other)) => one.text() == other.text(),
                    (Value::Lookup { from, list, by }, Value::Lookup { from: from2, list: list2, by: by2 }) => {
                        (from, list, by) == (from2, list2, by2)
                    }
                    _ => false,
                }
        };
        if let Some(place) = self.slots.iter().position(same) {
            return place;
        }
        let expression = format!("\u{1}value {}", self.slots.len());
        self.slots.push(Slot { value, column_type, expression });
        self.slots.len() - 1
    }

    /// How a value is called in a sentence about an event of a rule.
    #[must_use]
    pub fn label(&self, rule: u16, column: usize) -> Option<&Label> {
        self.labels.get(usize::from(rule)).and_then(|labels| labels.get(column))
    }

    /// The events of a block. Rows with values of a wrong type, with texts that no code has, and without any event are rejected.
    ///
    /// # Errors
    /// [`MappingError`]; then nothing of the file may be taken.
    pub fn map(&mut self, texts: &DataFrame, rejects: &mut Rejects) -> Result<Events, MappingError> {
        let typed = parse_columns(texts, &self.pipeline.columns, &mut self.clock, rejects)?;
        self.leave_out(&typed, rejects)?;
        let typed = self.evaluate(typed).map_err(MappingError::Expressions)?;
        self.reject_declared(&typed, rejects)?;
        let filled: Vec<Filled> =
            (0..self.slots.len()).map(|place| self.fill(&typed, place)).collect::<Result<_, _>>()?;
        let mut chosen: Vec<Vec<IdxSize>> = Vec::with_capacity(self.rules.len());
        let mut has_event = vec![false; typed.height()];
        for rule in &self.rules {
            let rows = choose(&typed, rule, filled.get(rule.at), rejects)?;
            for row in &rows {
                if let Some(has) = has_event.get_mut(*row as usize) {
                    *has = true;
                }
            }
            chosen.push(rows);
        }
        self.reject_unknown_codes(texts, &filled, &chosen, rejects);
        for row in has_event.iter().enumerate().filter(|(_, has)| !**has).map(|(row, _)| row) {
            rejects.add(row, "no_event", || {
                "строка не даёт ни одного события: нет даты или не выполнено ни одно условие; проверьте даты и решение"
                    .to_owned()
            });
        }
        let columns = (0..self.column_types.len())
            .map(|column| self.build_column(column, &filled, &chosen, typed.height()))
            .collect::<Result<_, _>>()?;
        let rules = chosen.iter().zip(0_u16..).flat_map(|(rows, rule)| std::iter::repeat_n(rule, rows.len())).collect();
        Ok(Events { columns, rows: chosen.concat(), rules })
    }

    /// Leaves out rows whose event dates all lie outside the period. A row without any readable date stays.
    fn leave_out(&mut self, typed: &DataFrame, rejects: &mut Rejects) -> PolarsResult<()> {
        let Some(period) = self.period else { return Ok(()) };
        let epoch = NaiveDate::default();
        let day_of = |date: NaiveDate| date.signed_duration_since(epoch).num_days();
        let days = day_of(period.from)..=day_of(period.to);
        let mut has_date = vec![false; typed.height()];
        let mut is_inside = vec![false; typed.height()];
        let places: BTreeSet<usize> = self.pipeline.emit.iter().map(|rule| rule.at).collect();
        for column in places.into_iter().filter_map(|place| self.pipeline.columns.get(place)) {
            let local =
                convert(typed.column(&column.name)?, ColumnType::Date, &mut self.clock)?.cast(&DataType::Int32)?;
            for ((day, has_date), is_inside) in local.i32()?.iter().zip(&mut has_date).zip(&mut is_inside) {
                *has_date |= day.is_some();
                *is_inside |= day.is_some_and(|day| days.contains(&i64::from(day)));
            }
        }
        for (row, _) in has_date.iter().zip(&is_inside).enumerate().filter(|(_, (has, inside))| **has && !**inside) {
            rejects.leave_out(row);
        }
        Ok(())
    }

    /// The typed frame with a column for each expression and each condition.
    fn evaluate(&self, typed: DataFrame) -> PolarsResult<DataFrame> {
        let mut wanted = Vec::new();
        for slot in &self.slots {
            if let Value::Expression(expression) = &slot.value {
                wanted.push(expression.expr().clone().alias(slot.expression.as_str()));
            }
        }
        for (rule, plan) in self.pipeline.emit.iter().zip(&self.rules) {
            if let (Some(when), Some(name)) = (&rule.when, &plan.when) {
                wanted.push(when.expr().clone().alias(name.as_str()));
            }
        }
        for (number, rule) in self.pipeline.reject.iter().enumerate() {
            wanted.push(rule.when.expr().clone().alias(reject_name(number)));
        }
        if wanted.is_empty() || typed.height() == 0 && typed.width() == 0 {
            return Ok(typed);
        }
        collect(typed.lazy().with_columns(wanted))
    }

    /// Rejects rows for which a declared reason holds.
    fn reject_declared(&self, typed: &DataFrame, rejects: &mut Rejects) -> PolarsResult<()> {
        for (number, rule) in self.pipeline.reject.iter().enumerate() {
            let holds = typed.column(&reject_name(number))?.cast(&DataType::Boolean)?;
            for row in holds.bool()?.iter().enumerate().filter(|(_, holds)| *holds == Some(true)).map(|(row, _)| row) {
                rejects.add(row, rule.rule.clone(), || rule.sentence.clone());
            }
        }
        Ok(())
    }

    /// Values of a slot in the type of its contract column.
    fn fill(&mut self, typed: &DataFrame, place: usize) -> PolarsResult<Filled> {
        let Self { slots, pipeline, lookups, clock, .. } = self;
        let Some(slot) = slots.get(place) else { return Ok(Filled::Constant(Constant::Boolean(false))) };
        let name_of = |place: usize| pipeline.columns.get(place).map_or("", |column| column.name.as_str());
        match &slot.value {
            Value::Constant(constant) => Ok(Filled::Constant(constant.clone())),
            Value::From(column) => convert(typed.column(name_of(*column))?, slot.column_type, clock).map(Filled::Rows),
            Value::Expression(_) => {
                convert(typed.column(slot.expression.as_str())?, slot.column_type, clock).map(Filled::Rows)
            }
            Value::Lookup { from, list, by } => {
                let texts = typed.column(name_of(*from))?.cast(&DataType::String)?;
                let nothing = HashMap::new();
                let codes = lookups.get(&(list.clone(), by.clone())).unwrap_or(&nothing);
                let mut builder = StringChunkedBuilder::new(name_of(*from).into(), texts.len());
                let mut unknown = Vec::new();
                for (row, text) in texts.str()?.iter().enumerate() {
                    let code = text.and_then(|text| codes.get(text));
                    if text.is_some() && code.is_none() {
                        unknown.push(row);
                    }
                    builder.append_option(code);
                }
                Ok(Filled::Codes(builder.finish().into_series(), unknown))
            }
        }
    }

    /// Rejects rows of which an event needs a code that is not in its list.
    fn reject_unknown_codes(
        &self,
        texts: &DataFrame,
        filled: &[Filled],
        chosen: &[Vec<IdxSize>],
        rejects: &mut Rejects,
    ) {
        for (place, (slot, values)) in self.slots.iter().zip(filled).enumerate() {
            let (Value::Lookup { from, list, by }, Filled::Codes(_, unknown)) = (&slot.value, values) else { continue };
            for row in unknown {
                let is_used = |(rule, rows): (&RulePlan, &Vec<IdxSize>)| {
                    rule.slots.contains(&Some(place))
                        && IdxSize::try_from(*row).is_ok_and(|row| rows.binary_search(&row).is_ok())
                };
                if !self.rules.iter().zip(chosen).any(is_used) {
                    continue;
                }
                let Some(column) = self.pipeline.columns.get(*from) else { continue };
                let text = texts.columns().get(*from).and_then(|texts| texts.str().ok()?.get(*row)).unwrap_or_default();
                rejects.add(*row, "lookup", || {
                    let shown = if column.personal { "значение".to_owned() } else { quoted(text.trim()) };
                    format!(
                        "«{}»: {shown} нет в столбце {by} справочника {list}; исправьте в реестре или дополните справочник",
                        column.from
                    )
                });
            }
        }
    }

    /// A contract column of all events, rule after rule.
    fn build_column(
        &self,
        column: usize,
        filled: &[Filled],
        chosen: &[Vec<IdxSize>],
        height: usize,
    ) -> Result<ArrayRef, MappingError> {
        let column_type = self.column_types.get(column).copied().unwrap_or(ColumnType::String);
        let mut events: Option<Series> = None;
        for (rule, rows) in self.rules.iter().zip(chosen) {
            let values = rule.slots.get(column).copied().flatten().and_then(|slot| filled.get(slot));
            let part = match values {
                None => Series::full_null("value".into(), rows.len(), &data_type(column_type)),
                Some(Filled::Constant(constant)) => repeat(constant, rows.len())?,
                Some(Filled::Rows(series) | Filled::Codes(series, _)) if rows.len() == height => series.clone(),
                Some(Filled::Rows(series) | Filled::Codes(series, _)) => series.take_slice(rows)?,
            };
            match &mut events {
                Some(events) => {
                    events.append(&part)?;
                }
                None => events = Some(part),
            }
        }
        let events = events.unwrap_or_else(|| Series::full_null("value".into(), 0, &data_type(column_type)));
        Ok(bridge::to_arrow(&events)?)
    }
}

/// Name of an evaluated reason to reject in the typed frame.
fn reject_name(number: usize) -> String {
    format!("\u{1}reject {number}")
}

/// The rows of which a rule makes an event, in order.
fn choose(typed: &DataFrame, rule: &RulePlan, at: Option<&Filled>, rejects: &Rejects) -> PolarsResult<Vec<IdxSize>> {
    let Some(Filled::Rows(at)) = at else { return Ok(Vec::new()) };
    let mut mask: BooleanChunked = at.is_not_null();
    if let Some(when) = &rule.when {
        let when = typed.column(when)?.cast(&DataType::Boolean)?;
        mask = &mask & when.bool()?;
    }
    let rows = mask.iter().zip(0..).filter(|(holds, _)| *holds == Some(true)).map(|(_, row)| row);
    Ok(rows.filter(|row: &IdxSize| !rejects.contains(*row as usize)).collect())
}

fn label(pipeline: &Pipeline, column: &str, privacy: Privacy, value: Option<&Value>) -> Label {
    let sources: Vec<_> = value.map(|value| value.sources(&pipeline.columns)).unwrap_or_default();
    let sources: Vec<_> = sources.iter().filter_map(|place| pipeline.columns.get(*place)).collect();
    let hidden = privacy != Privacy::Open || sources.iter().any(|source| source.personal);
    let name = match (value, sources.as_slice()) {
        (Some(Value::From(_) | Value::Lookup { .. }), [source]) => source.from.clone(),
        _ => column.to_owned(),
    };
    Label { name, hidden }
}

/// Polars' type of a contract column.
pub(super) fn data_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::String => DataType::String,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Number => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Date => DataType::Date,
        ColumnType::Timestamp => moment_type(),
    }
}

/// A column in the type of its contract column: a day becomes the moment of local midnight, a moment becomes its local day.
fn convert(column: &Column, column_type: ColumnType, clock: &mut ZoneClock) -> PolarsResult<Series> {
    let wanted = data_type(column_type);
    let series = column.as_materialized_series();
    match (series.dtype(), column_type) {
        (found, _) if *found == wanted => Ok(series.clone()),
        (DataType::Date, ColumnType::Timestamp) => {
            let days = series.cast(&DataType::Int32)?;
            let moments = days.i32()?.iter().map(|day| day.and_then(|day| clock.utc_of_day(day)));
            Int64Chunked::from_iter_options(series.name().clone(), moments).into_series().cast(&wanted)
        }
        (DataType::Datetime(..), ColumnType::Date) => {
            let moments = series.cast(&moment_type())?.cast(&DataType::Int64)?;
            let days = moments.i64()?.iter().map(|moment| moment.and_then(|moment| clock.day_of_utc(moment)));
            Int32Chunked::from_iter_options(series.name().clone(), days).into_series().cast(&wanted)
        }
        _ => series.cast(&wanted),
    }
}

fn repeat(constant: &Constant, n_times: usize) -> PolarsResult<Series> {
    let name = "value".into();
    Ok(match constant {
        Constant::Text(text) => {
            let mut builder = StringChunkedBuilder::new(name, n_times);
            (0..n_times).for_each(|_| builder.append_value(text));
            builder.finish().into_series()
        }
        Constant::Integer(value) => {
            Int64Chunked::from_iter_values(name, std::iter::repeat_n(*value, n_times)).into_series()
        }
        Constant::Number(value) => {
            Float64Chunked::from_iter_values(name, std::iter::repeat_n(*value, n_times)).into_series()
        }
        Constant::Boolean(value) => std::iter::repeat_n(*value, n_times).collect::<BooleanChunked>().into_series(),
        Constant::Day(day) => {
            let days = Int32Chunked::from_iter_values(name, std::iter::repeat_n(*day, n_times));
            days.into_series().cast(&DataType::Date)?
        }
        Constant::Moment(moment) => {
            let moments = Int64Chunked::from_iter_values(name, std::iter::repeat_n(*moment, n_times));
            moments.into_series().cast(&moment_type())?
        }
    })
}
