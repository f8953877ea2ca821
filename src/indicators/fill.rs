//! From the engine's tables to figures: windows without rows, running stocks, formulas, states, order.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type, Int32Type, Schema};
use chrono::NaiveDate;
use datafusion::common::{DataFusionError, Result};

use super::indicator::{Additivity, Indicator};
use super::parts::{Cut, merge, n_parts, to_date};
use super::plan::{BUCKET, FIRST_ON, LAST_ON, WINDOW, key_name, part_name};
use super::query::Question;
use super::windows::Frame;
use crate::domain::figure::{Figure, State};
use crate::domain::period::Period;
use crate::warehouse::reference::Reference;

/// Codes of one combination of dimensions.
pub(super) type Keys = Vec<Option<String>>;
/// Parts of the measures by stretch of time.
type Series = BTreeMap<NaiveDate, Vec<Option<f64>>>;

/// What the engine found, before anything is filled in.
#[derive(Debug)]
pub(super) struct Found {
    cut: Cut,
    flows: HashMap<Keys, Series>,
    /// Values of measures without parts by position of the measure and number of the window.
    windowed: HashMap<Keys, HashMap<(usize, usize), f64>>,
    /// Openings less closings by position of the measure.
    stocks: HashMap<usize, HashMap<Keys, BTreeMap<NaiveDate, f64>>>,
    days: Option<Period>,
}

/// The present, as far as values depend on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Horizon {
    pub(super) today: NaiveDate,
    /// The last day of which there are data.
    pub(super) data_to: NaiveDate,
    /// Whether all of history was asked for, which is never over.
    pub(super) is_open: bool,
}

impl Found {
    /// Nothing yet, of rows that are sorted by a cut.
    pub(super) fn new(cut: Cut) -> Self {
        Self { cut, flows: HashMap::new(), windowed: HashMap::new(), stocks: HashMap::new(), days: None }
    }

    /// Takes the answer of the plan of flows.
    pub(super) fn add_flows(&mut self, question: &Question<'_>, batches: &[RecordBatch]) -> Result<()> {
        for batch in batches {
            let table = Answer::read(question, batch)?;
            for row in 0..batch.num_rows() {
                // Without dimensions the engine gives a row even where there is nothing.
                if table.first_on(row).is_none() {
                    continue;
                }
                self.note_days(&table, row);
                let parts = (0..table.parts.len()).map(|at| table.part(at, row)).collect();
                self.flows.entry(table.keys(row)).or_default().insert(table.bucket(row), parts);
            }
        }
        Ok(())
    }

    /// Takes the values by window of a measure that has no parts.
    pub(super) fn add_windowed(
        &mut self,
        question: &Question<'_>,
        measure: usize,
        batches: &[RecordBatch],
    ) -> Result<()> {
        for batch in batches {
            let table = Answer::read(question, batch)?;
            for row in 0..batch.num_rows() {
                if let (Some(window), Some(value)) = (table.window(row), table.part(0, row)) {
                    self.windowed.entry(table.keys(row)).or_default().insert((measure, window), value);
                }
            }
        }
        Ok(())
    }

    /// Takes openings (`sign` 1) or closings (`sign` −1) of a stock.
    pub(super) fn add_stock(
        &mut self,
        question: &Question<'_>,
        measure: usize,
        sign: f64,
        batches: &[RecordBatch],
    ) -> Result<()> {
        for batch in batches {
            let table = Answer::read(question, batch)?;
            for row in 0..batch.num_rows() {
                self.note_days(&table, row);
                let changes = self.stocks.entry(measure).or_default().entry(table.keys(row)).or_default();
                *changes.entry(table.bucket(row)).or_default() += sign * table.part(0, row).unwrap_or_default();
            }
        }
        Ok(())
    }

    fn note_days(&mut self, table: &Answer, row: usize) {
        if let (Some(from), Some(to)) = (table.first_on(row), table.last_on(row)) {
            let days = self.days.get_or_insert(Period { from, to });
            *days = Period { from: days.from.min(from), to: days.to.max(to) };
        }
    }

    /// First to last day of the rows that were counted.
    pub(super) fn days(&self) -> Option<Period> {
        self.days
    }

    /// The combinations of dimensions, in the order of the code lists.
    pub(super) fn keys(&self, question: &Question<'_>, reference: &Reference) -> Vec<Keys> {
        let stocks = self.stocks.values().flat_map(HashMap::keys);
        let mut keys: Vec<Keys> = self.flows.keys().chain(stocks).cloned().collect();
        if question.by.is_empty() {
            keys.push(Vec::new());
        }
        sort_keys(&mut keys, question, reference);
        keys.dedup();
        keys
    }

    /// The values of all windows of all keys: for each key those of the frame's windows in their order.
    pub(super) fn values(
        mut self,
        question: &Question<'_>,
        keys: &[Keys],
        frame: &Frame,
        horizon: Horizon,
    ) -> Result<Vec<Value>> {
        let indicator = question.indicator;
        // From changes to what is open after them.
        for changes in self.stocks.values_mut().flat_map(HashMap::values_mut) {
            let mut open = 0.0;
            for change in changes.values_mut() {
                open += *change;
                *change = open;
            }
        }
        let mut cells = Vec::with_capacity(keys.len() * frame.windows.len());
        for key in keys {
            let series = self.flows.get(key);
            for (number, window) in frame.windows.iter().enumerate() {
                cells.push(self.cell(indicator, key, series, (number, *window), horizon));
            }
        }
        figures(indicator, cells)
    }

    fn cell(
        &self,
        indicator: &Indicator,
        key: &Keys,
        series: Option<&Series>,
        (number, window): (usize, Period),
        Horizon { today, data_to, is_open }: Horizon,
    ) -> Cell {
        let (first, last) = (self.cut.key(window.from), self.cut.key(window.to));
        let stretches: Vec<&[Option<f64>]> = series
            .map(|series| series.range(first..=last).map(|(_, parts)| parts.as_slice()).collect())
            .unwrap_or_default();
        let has_begun = window.from <= today;
        let mut is_due = has_begun || !stretches.is_empty();
        let mut at = 0;
        let mut measures: Vec<Option<f64>> = Vec::with_capacity(indicator.measures.len());
        for (position, measure) in indicator.measures.iter().enumerate() {
            let value = if measure.is_stock() {
                is_due &= has_begun;
                let changes = self.stocks.get(&position).and_then(|found| found.get(key));
                let open = changes.and_then(|changes| changes.range(..=last).next_back());
                Some(open.map_or(0.0, |(_, open)| *open))
            } else if self.cut.is_fine() && !measure.has_parts() {
                self.windowed.get(key).and_then(|values| values.get(&(position, number))).copied()
            } else {
                merge(measure, at, &stretches)
            };
            measures.push(value.or_else(|| measure.empty()));
            at += n_parts(measure, &self.cut);
        }
        if !is_due {
            measures.fill(None);
        }
        Cell {
            measures,
            is_due,
            is_over: window.to < today,
            is_final: is_open || (window.to < today && window.to <= data_to),
        }
    }
}

/// The value of one window.
#[derive(Debug, Clone, Default)]
pub(super) struct Value {
    pub(super) figure: Figure,
    pub(super) measures: Vec<Option<f64>>,
}

/// A window before its value is computed.
struct Cell {
    measures: Vec<Option<f64>>,
    /// Whether the window has begun, or has rows all the same.
    is_due: bool,
    /// Whether the window has ended.
    is_over: bool,
    /// Whether it has ended and the data reach to its end.
    is_final: bool,
}

/// Values with their states.
fn figures(indicator: &Indicator, cells: Vec<Cell>) -> Result<Vec<Value>> {
    let values = evaluate(indicator, &cells)?;
    let states = evaluate_states(indicator, &cells)?;
    let uses_last_only = match &indicator.formula {
        Some(formula) => formula.uses.iter().all(|at| indicator.measures[*at].additivity() == Additivity::Last),
        None => indicator.additivity == Additivity::Last,
    };
    let rows = cells.into_iter().zip(values).zip(states).map(|((cell, value), state)| {
        let figure = match (Figure::from(value), state) {
            _ if !cell.is_due => Figure::without(State::NotDue),
            (_, Some(state)) => Figure::without(state),
            (known, None) if known.state.has_value() => known,
            _ if uses_last_only && !cell.is_over => Figure::without(State::NotDue),
            _ if uses_last_only && is_unreported(indicator, &cell.measures) => Figure::without(State::NotReported),
            (missing, None) => missing,
        };
        let figure = if cell.is_final { figure } else { figure.provisional() };
        Value { figure, measures: cell.measures }
    });
    Ok(rows.collect())
}

/// Whether nothing at all is known of the parts; where only a plan is missing, the report was not.
fn is_unreported(indicator: &Indicator, measures: &[Option<f64>]) -> bool {
    match &indicator.formula {
        Some(formula) => formula.uses.iter().all(|at| measures[*at].is_none()),
        None => measures.iter().all(Option::is_none),
    }
}

/// The formula over all cells at once, or the only measure.
fn evaluate(indicator: &Indicator, cells: &[Cell]) -> Result<Vec<Option<f64>>> {
    let Some(formula) = &indicator.formula else {
        return Ok(cells.iter().map(|cell| cell.measures.first().copied().flatten()).collect());
    };
    let values = formula.expr.evaluate(&batch_of(indicator, cells)?)?.into_array(cells.len())?;
    let values = cast(&values, &DataType::Float64)?;
    Ok(values.as_primitive::<Float64Type>().iter().collect())
}

/// The first declared state of each cell whose condition holds.
fn evaluate_states(indicator: &Indicator, cells: &[Cell]) -> Result<Vec<Option<State>>> {
    let mut found = vec![None; cells.len()];
    if indicator.states.is_empty() {
        return Ok(found);
    }
    let batch = batch_of(indicator, cells)?;
    for (state, condition) in &indicator.states {
        let holds = condition.evaluate(&batch)?.into_array(cells.len())?;
        for (found, holds) in found.iter_mut().zip(holds.as_boolean()) {
            if holds == Some(true) && found.is_none() {
                *found = Some(*state);
            }
        }
    }
    Ok(found)
}

/// The measures of all cells as columns.
fn batch_of(indicator: &Indicator, cells: &[Cell]) -> Result<RecordBatch> {
    let fields: Vec<Field> =
        indicator.measures.iter().map(|measure| Field::new(measure.name(), DataType::Float64, true)).collect();
    let columns: Vec<ArrayRef> = (0..fields.len())
        .map(|at| Arc::new(cells.iter().map(|cell| cell.measures[at]).collect::<Float64Array>()) as ArrayRef)
        .collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// Keys in the order of the code lists; codes outside of a list after it, absent codes last.
fn sort_keys(keys: &mut [Keys], question: &Question<'_>, reference: &Reference) {
    let lists: Vec<_> =
        question.by.iter().map(|dimension| dimension.list().and_then(|name| reference.list(name))).collect();
    let place = |at: usize, code: &str| lists[at].and_then(|list| list.position(code)).unwrap_or(usize::MAX);
    keys.sort_by(|one, other| {
        one.iter()
            .zip(other)
            .enumerate()
            .map(|(at, pair)| match pair {
                (Some(one), Some(other)) => place(at, one).cmp(&place(at, other)).then_with(|| one.cmp(other)),
                (one, other) => other.is_some().cmp(&one.is_some()),
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
}

/// One batch of the common form, with its columns at hand.
struct Answer {
    keys: Vec<ArrayRef>,
    bucket: Option<ArrayRef>,
    window: Option<ArrayRef>,
    parts: Vec<ArrayRef>,
    first_on: Option<ArrayRef>,
    last_on: Option<ArrayRef>,
}

impl Answer {
    fn read(question: &Question<'_>, batch: &RecordBatch) -> Result<Self> {
        let found = |name: &str, data_type: DataType| -> Result<Option<ArrayRef>> {
            Ok(batch.column_by_name(name).map(|column| cast(column, &data_type)).transpose()?)
        };
        let column = |name: &str, data_type: DataType| -> Result<ArrayRef> {
            found(name, data_type)?
                .ok_or_else(|| DataFusionError::Internal(format!("the plan gave no column `{name}`")))
        };
        let n_parts = batch.schema().fields().iter().filter(|field| field.name().starts_with("part_")).count();
        Ok(Self {
            keys: (0..question.by.len()).map(|at| column(&key_name(at), DataType::Utf8)).collect::<Result<_>>()?,
            bucket: found(BUCKET, DataType::Date32)?,
            window: found(WINDOW, DataType::Int32)?,
            parts: (0..n_parts).map(|at| column(&part_name(at), DataType::Float64)).collect::<Result<_>>()?,
            first_on: found(FIRST_ON, DataType::Date32)?,
            last_on: found(LAST_ON, DataType::Date32)?,
        })
    }

    fn keys(&self, row: usize) -> Keys {
        self.keys
            .iter()
            .map(|column| column.is_valid(row).then(|| column.as_string::<i32>().value(row).to_owned()))
            .collect()
    }

    fn part(&self, at: usize, row: usize) -> Option<f64> {
        let column = &self.parts[at];
        column.is_valid(row).then(|| column.as_primitive::<Float64Type>().value(row))
    }

    /// The stretch of time, or the one that stands for all of it.
    fn bucket(&self, row: usize) -> NaiveDate {
        self.bucket.as_ref().and_then(|column| day_at(column, row)).unwrap_or(NaiveDate::MIN)
    }

    fn window(&self, row: usize) -> Option<usize> {
        usize::try_from(self.window.as_ref()?.as_primitive::<Int32Type>().value(row)).ok()
    }

    fn first_on(&self, row: usize) -> Option<NaiveDate> {
        day_at(self.first_on.as_ref()?, row)
    }

    fn last_on(&self, row: usize) -> Option<NaiveDate> {
        day_at(self.last_on.as_ref()?, row)
    }
}

/// The day in a column of days.
pub(super) fn day_at(column: &ArrayRef, row: usize) -> Option<NaiveDate> {
    column.is_valid(row).then(|| to_date(column.as_primitive::<Date32Type>().value(row))).flatten()
}
