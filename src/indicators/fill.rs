//! From the engine's tables to figures: buckets without rows, running stocks, formulas, states, order.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type, Schema};
use chrono::{DateTime, Days, NaiveDate, Utc};
use datafusion::common::{DataFusionError, Result};

use super::error::QueryError;
use super::figures::FigureRow;
use super::indicator::{Additivity, Indicator, Measure, Way};
use super::plan::{BUCKET, FIRST_ON, LAST_ON, key_name, n_parts, part_name};
use super::query::Question;
use crate::domain::figure::{Figure, State};
use crate::domain::period::{Grain, Period};
use crate::warehouse::reference::Reference;

/// The longest answer.
pub(super) const MAX_ROWS: usize = 500_000;

/// Codes of one combination of dimensions.
type Keys = Vec<Option<String>>;
/// Measures by bucket; without a grain under the one key `None`.
type Series = BTreeMap<Option<NaiveDate>, Vec<Option<f64>>>;

/// What the engine found, before anything is filled in.
#[derive(Debug, Default)]
pub(super) struct Found {
    flows: HashMap<Keys, Series>,
    /// Openings less closings by position of the measure.
    stocks: HashMap<usize, HashMap<Keys, BTreeMap<Option<NaiveDate>, f64>>>,
    days: Option<Period>,
}

impl Found {
    /// Takes the answer of the plan of flows.
    pub(super) fn add_flows(&mut self, question: &Question<'_>, batches: &[RecordBatch]) -> Result<()> {
        let measures = &question.indicator.measures;
        for batch in batches {
            let table = Answer::read(question, batch)?;
            for row in 0..batch.num_rows() {
                // Without dimensions the engine gives a row even where there is nothing.
                if table.first_on(row).is_none() {
                    continue;
                }
                self.note_days(&table, row);
                let mut values = Vec::with_capacity(measures.len());
                let mut part = 0;
                for measure in measures {
                    let value = |position: usize| table.part(position, row);
                    values.push(match measure.way {
                        Way::Mean { .. } => mean(value(part), value(part + 1)),
                        Way::Stock { .. } => None,
                        _ => value(part).or_else(|| measure.empty()),
                    });
                    part += n_parts(measure);
                }
                self.flows.entry(table.keys(row)).or_default().insert(table.bucket(row), values);
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

    /// The rows of the answer.
    ///
    /// # Errors
    /// [`QueryError::TooManyRows`]; [`QueryError::Compute`] if the formula cannot be computed.
    pub(super) fn into_rows(
        self,
        question: &Question<'_>,
        reference: &Reference,
        period: Period,
        today: NaiveDate,
    ) -> Result<Vec<FigureRow>, QueryError> {
        let Self { mut flows, stocks, .. } = self;
        let mut keys: Vec<Keys> = flows.keys().chain(stocks.values().flat_map(HashMap::keys)).cloned().collect();
        if question.by.is_empty() {
            keys.push(Vec::new());
        }
        sort_keys(&mut keys, question, reference);
        keys.dedup();
        let buckets: Vec<Option<NaiveDate>> = match question.grain {
            Some(grain) => period.buckets(grain).into_iter().map(Some).collect(),
            None => vec![None],
        };
        let n_rows = keys.len().saturating_mul(buckets.len());
        if n_rows > MAX_ROWS {
            return Err(QueryError::TooManyRows { n_rows, limit: MAX_ROWS });
        }
        let indicator = question.indicator;
        let mut cells = Vec::with_capacity(n_rows);
        for key in keys {
            let mut series = flows.remove(&key).unwrap_or_default();
            let mut running: HashMap<usize, f64> = HashMap::new();
            for bucket in &buckets {
                let start = bucket.unwrap_or(period.from);
                let counted = series.remove(bucket);
                let mut is_due = start <= today || counted.is_some();
                let mut measures: Vec<Option<f64>> =
                    counted.unwrap_or_else(|| indicator.measures.iter().map(Measure::empty).collect());
                for (at, _) in indicator.measures.iter().enumerate().filter(|(_, measure)| measure.is_stock()) {
                    let changes = stocks.get(&at).and_then(|found| found.get(&key));
                    let open = running.entry(at).or_default();
                    *open += changes.and_then(|changes| changes.get(bucket)).copied().unwrap_or_default();
                    measures[at] = Some(*open);
                    is_due &= start <= today;
                }
                if !is_due {
                    measures.fill(None);
                }
                let end = bucket.map_or(period.to, |start| end_of(question.grain, start).min(period.to));
                cells.push(Cell { keys: key.clone(), bucket: *bucket, measures, is_due, is_over: end < today });
            }
        }
        figures(indicator, cells)
            .map_err(|cause| QueryError::Compute { what: indicator.id.clone(), cause: Box::new(cause) })
    }
}

/// A row before its value is computed.
struct Cell {
    keys: Keys,
    bucket: Option<NaiveDate>,
    measures: Vec<Option<f64>>,
    /// Whether the bucket has begun, or has rows all the same.
    is_due: bool,
    /// Whether the bucket has ended.
    is_over: bool,
}

fn end_of(grain: Option<Grain>, start: NaiveDate) -> NaiveDate {
    grain.map_or(start, |grain| grain.end(start))
}

fn mean(sum: Option<f64>, count: Option<f64>) -> Option<f64> {
    match (sum, count) {
        (Some(sum), Some(count)) if count > 0.0 => Some(sum / count),
        _ => None,
    }
}

/// Values with their states.
fn figures(indicator: &Indicator, cells: Vec<Cell>) -> Result<Vec<FigureRow>> {
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
        FigureRow { keys: cell.keys, bucket: cell.bucket, figure, measures: cell.measures }
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
    parts: Vec<ArrayRef>,
    first_on: ArrayRef,
    last_on: ArrayRef,
}

impl Answer {
    fn read(question: &Question<'_>, batch: &RecordBatch) -> Result<Self> {
        let column = |name: &str, data_type: DataType| -> Result<ArrayRef> {
            let column = batch
                .column_by_name(name)
                .ok_or_else(|| DataFusionError::Internal(format!("the plan gave no column `{name}`")))?;
            Ok(cast(column, &data_type)?)
        };
        let n_parts = batch.schema().fields().iter().filter(|field| field.name().starts_with("part_")).count();
        Ok(Self {
            keys: (0..question.by.len()).map(|at| column(&key_name(at), DataType::Utf8)).collect::<Result<_>>()?,
            bucket: question.grain.map(|_| column(BUCKET, DataType::Date32)).transpose()?,
            parts: (0..n_parts).map(|at| column(&part_name(at), DataType::Float64)).collect::<Result<_>>()?,
            first_on: column(FIRST_ON, DataType::Date32)?,
            last_on: column(LAST_ON, DataType::Date32)?,
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

    fn bucket(&self, row: usize) -> Option<NaiveDate> {
        self.bucket.as_ref().and_then(|column| day_at(column, row))
    }

    fn first_on(&self, row: usize) -> Option<NaiveDate> {
        day_at(&self.first_on, row)
    }

    fn last_on(&self, row: usize) -> Option<NaiveDate> {
        day_at(&self.last_on, row)
    }
}

fn day_at(column: &ArrayRef, row: usize) -> Option<NaiveDate> {
    if column.is_null(row) {
        return None;
    }
    let days = i64::from(column.as_primitive::<Date32Type>().value(row));
    let epoch = DateTime::<Utc>::UNIX_EPOCH.date_naive();
    let distance = Days::new(days.unsigned_abs());
    if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) }
}
