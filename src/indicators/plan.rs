//! From a checked question to plans of the query engine, built of typed parts only.
//!
//! All plans of a question give tables of one form: the dimensions' codes `key_0`, `key_1`, … as text, the first day of the
//! `bucket` unless all is one, `first_on` and `last_on`, and the parts of the measures `part_0`, … as Float64.
//! Measures that cannot be made of parts stand in tables of their own, with the number of their `window` in place of the bucket.
//! What the parts mean is known to [`super::parts`].

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int32Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use chrono::NaiveDate;
use datafusion::common::{Column, DataFusionError, JoinType, Result, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SessionContext;
use datafusion::functions::core::expr_fn::{greatest, least};
use datafusion::functions_aggregate::expr_fn::{array_agg, count, count_distinct, last_value, max, median, min, sum};
use datafusion::logical_expr::{Expr, ScalarUDF, cast, lit, try_cast};

use super::expression::{Present, at_present};
use super::indicator::{Indicator, Measure, Way};
use super::parts::{Cut, from_date, percentile};
use super::query::Question;
use super::windows::Frame;
use crate::domain::period::Period;
use crate::warehouse::lake::MONTH;

/// Sums of fractions are exact to this many decimals, whatever the order of the rows.
pub(super) const SUM_SCALE: i8 = 6;

/// The plans of one question.
pub(super) struct Plans {
    /// Every measure but stocks, in one pass over the rows of the period.
    pub(super) flows: Option<DataFrame>,
    /// Measures that have no parts, where windows overlap: position of the measure and its values by window.
    pub(super) windowed: Vec<(usize, DataFrame)>,
    /// Openings and closings of each stock, from the beginning of time.
    pub(super) stocks: Vec<StockPlan>,
}

/// Openings and closings by bucket; those before the period stand in its first bucket.
pub(super) struct StockPlan {
    /// Position of the measure.
    pub(super) measure: usize,
    pub(super) opened: DataFrame,
    pub(super) closed: DataFrame,
}

/// An aggregate, and the function that makes a number of it if it is none.
type Part = (Expr, Option<ScalarUDF>);

/// Name of the column with the codes of a dimension.
pub(super) fn key_name(position: usize) -> String {
    format!("key_{position}")
}

/// Name of the column with a part of a measure.
pub(super) fn part_name(position: usize) -> String {
    format!("part_{position}")
}

/// First day of the bucket.
pub(super) const BUCKET: &str = "bucket";
/// The value of a row, before it is counted.
const VALUE: &str = "value";
/// First day of the rows.
pub(super) const FIRST_ON: &str = "first_on";
/// Last day of the rows.
pub(super) const LAST_ON: &str = "last_on";

/// Number of a window.
pub(super) const WINDOW: &str = "window";

/// The plans of a question over a table that its asker's scope was applied to: its rows within `span`, sorted by `cut`.
pub(super) fn build(
    table: &DataFrame,
    columns: &SchemaRef,
    question: &Question<'_>,
    (span, cut): (Option<Period>, &Cut),
    windows: Option<&DataFrame>,
    present: Present,
) -> Result<Plans> {
    let planner = Planner { columns, question, span, cut, present };
    let rows = planner.filter(table.clone())?;
    let measures = &question.indicator.measures;
    let stocks = measures
        .iter()
        .enumerate()
        .filter_map(|(position, measure)| match &measure.way {
            Way::Stock { from, until } => Some(planner.stock(position, &rows, measure, from, until)),
            _ => None,
        })
        .collect::<Result<Vec<_>>>()?;
    let mut windowed = Vec::new();
    if let Some(windows) = windows {
        for (position, measure) in measures.iter().enumerate().filter(|(_, measure)| !measure.has_parts()) {
            windowed.push((position, planner.windowed(&rows, measure, windows)?));
        }
    }
    let flows = if stocks.len() < measures.len() { Some(planner.flows(&rows)?) } else { None };
    Ok(Plans { flows, windowed, stocks })
}

/// Which stretches of time each window is made of: `bucket` and `window`.
pub(super) fn windows_table(context: &SessionContext, frame: &Frame, starts: &[NaiveDate]) -> Result<DataFrame> {
    let (mut days, mut numbers) = (Vec::new(), Vec::new());
    for (number, window) in (0_i32..).zip(&frame.windows) {
        let [first, last] =
            [starts.partition_point(|start| *start < window.from), starts.partition_point(|start| *start <= window.to)];
        days.extend(starts[first..last].iter().map(|start| from_date(*start)));
        numbers.resize(days.len(), number);
    }
    let days: ArrayRef = Arc::new(Date32Array::from(days));
    let numbers: ArrayRef = Arc::new(Int32Array::from(numbers));
    let table = RecordBatch::try_from_iter([(STRETCH, days), (WINDOW, numbers)])?;
    context.read_batch(table)
}

/// First day of a stretch of time in the table of windows.
const STRETCH: &str = "stretch";

/// The first day of any row that an indicator is about, in `first_on`.
pub(super) fn first_day(table: DataFrame, indicator: &Indicator, present: Present) -> Result<DataFrame> {
    let rows = match &indicator.condition {
        Some(condition) => table.filter(at_present(condition.clone(), present)?)?,
        None => table,
    };
    let opened = indicator.measures.iter().filter_map(|measure| match &measure.way {
        Way::Stock { from, .. } => Some(column(from)),
        _ => None,
    });
    let opened: Vec<Expr> = opened.collect();
    let day = if opened.is_empty() { column(&indicator.time) } else { least(opened) };
    rows.aggregate(Vec::new(), vec![min(day).alias(FIRST_ON)])
}

struct Planner<'a> {
    columns: &'a SchemaRef,
    question: &'a Question<'a>,
    span: Option<Period>,
    cut: &'a Cut,
    present: Present,
}

impl Planner<'_> {
    /// Rows that the indicator is about and the filters let through.
    fn filter(&self, table: DataFrame) -> Result<DataFrame> {
        let table = match &self.question.indicator.condition {
            Some(condition) => table.filter(at_present(condition.clone(), self.present)?)?,
            None => table,
        };
        self.question.filters.iter().try_fold(table, |rows, (dimension, values)| {
            if values.is_empty() {
                return rows.filter(lit(false));
            }
            let value = at_present(dimension.text(), self.present)?;
            rows.filter(value.in_list(values.iter().map(lit).collect(), false))
        })
    }

    /// The rows of the span.
    fn within_span(&self, rows: &DataFrame) -> Result<DataFrame> {
        let time = column(&self.question.indicator.time);
        let rows = rows.clone().filter(time.clone().is_not_null())?;
        let Some(Period { from, to }) = self.span else { return Ok(rows) };
        let rows = rows.filter(time.between(date(from), date(to)))?;
        self.prune(rows, &self.question.indicator.time, Some(from), to)
    }

    /// Every measure but stocks and those that are computed apart.
    fn flows(&self, rows: &DataFrame) -> Result<DataFrame> {
        let time = column(&self.question.indicator.time);
        let mut parts = Vec::new();
        for measure in &self.question.indicator.measures {
            if measure.has_parts() || !self.cut.is_fine() {
                parts.extend(self.parts(measure)?);
            }
        }
        self.aggregate(self.within_span(rows)?, &time, &time, parts)
    }

    /// A measure that has no parts, from the rows of each window; of a distinct count every value of a stretch comes once.
    fn windowed(&self, rows: &DataFrame, measure: &Measure, windows: &DataFrame) -> Result<DataFrame> {
        let mut rows = self.within_span(rows)?;
        if let Some(condition) = &measure.condition {
            rows = rows.filter(at_present(condition.clone(), self.present)?)?;
        }
        let (Way::Distinct(value) | Way::Median(value) | Way::Percentile { value, .. }) = &measure.way else {
            return Err(DataFusionError::Internal("a measure with parts needs no windows".to_owned()));
        };
        let mut columns = vec![self.bucket(column(&self.question.indicator.time)).alias(BUCKET)];
        for (position, dimension) in self.question.by.iter().enumerate() {
            columns.push(at_present(dimension.expr.clone(), self.present)?.alias(key_name(position)));
        }
        let keys = columns.len();
        columns.push(at_present(value.clone(), self.present)?.alias(VALUE));
        rows = rows.select(columns)?.filter(column(VALUE).is_not_null())?;
        if matches!(measure.way, Way::Distinct(_)) {
            rows = rows.distinct()?;
        }
        let rows = rows.join(windows.clone(), JoinType::Inner, &[BUCKET], &[STRETCH], None)?;
        let mut groups = vec![column(WINDOW)];
        let mut output = vec![column(WINDOW)];
        for name in (0..keys - 1).map(key_name) {
            groups.push(column(&name));
            output.push(cast(column(&name), DataType::Utf8).alias(&name));
        }
        let number = || cast(column(VALUE), DataType::Float64);
        let (aggregate, finish) = match &measure.way {
            Way::Median(_) => (median(number()), None),
            Way::Percentile { at, .. } => (array_agg(number()), Some(percentile(*at))),
            _ => (count_distinct(column(VALUE)), None),
        };
        output.push(finished(&part_name(0), finish));
        rows.aggregate(groups, vec![aggregate.alias(part_name(0))])?.select(output)
    }

    /// Openings and closings of a stock; a closing before the opening counts on the day of the opening.
    fn stock(
        &self,
        position: usize,
        rows: &DataFrame,
        measure: &Measure,
        from: &str,
        until: &str,
    ) -> Result<StockPlan> {
        let mut rows = rows.clone().filter(column(from).is_not_null())?;
        if let Some(condition) = &measure.condition {
            rows = rows.filter(at_present(condition.clone(), self.present)?)?;
        }
        let mut opened = rows.clone();
        let opened_on = column(from);
        let mut closed = rows.filter(column(until).is_not_null())?;
        let closed_on = greatest(vec![column(until), column(from)]);
        // Without a period it is what is open today: what is known to end later has not ended.
        let to = self.span.map_or(self.present.today, |period| period.to);
        opened = self.prune(opened.filter(opened_on.clone().lt_eq(date(to)))?, from, None, to)?;
        closed = self.prune(closed.filter(closed_on.clone().lt_eq(date(to)))?, from, None, to)?;
        let by_bucket = |rows: DataFrame, day: Expr| {
            let within = match self.span {
                Some(period) => greatest(vec![day.clone(), date(period.from)]),
                None => day.clone(),
            };
            self.aggregate(rows, &day, &within, vec![(count(lit(1_i64)), None)])
        };
        Ok(StockPlan {
            measure: position,
            opened: by_bucket(opened, opened_on)?,
            closed: by_bucket(closed, closed_on)?,
        })
    }

    /// The condition on the partition that follows from days of a column, so that whole files are left out.
    fn prune(&self, rows: DataFrame, day: &str, from: Option<NaiveDate>, to: NaiveDate) -> Result<DataFrame> {
        let is_partition = self.question.indicator.entity().month.as_deref() == Some(day);
        if !is_partition || self.columns.field_with_name(MONTH).is_err() {
            return Ok(rows);
        }
        let month = |date: NaiveDate| lit(date.format("%Y-%m").to_string());
        let rows = rows.filter(column(MONTH).lt_eq(month(to)))?;
        match from {
            Some(from) => rows.filter(column(MONTH).gt_eq(month(from))),
            None => Ok(rows),
        }
    }

    /// The aggregates of a measure.
    fn parts(&self, measure: &Measure) -> Result<Vec<Part>> {
        let now = |expr: &Expr| at_present(expr.clone(), self.present);
        let number = |expr: &Expr| Ok::<_, DataFusionError>(cast(now(expr)?, DataType::Float64));
        let exact = |expr: &Expr, is_whole: bool| {
            let exact_type = if is_whole { DataType::Int64 } else { DataType::Decimal128(38, SUM_SCALE) };
            Ok::<_, DataFusionError>(try_cast(now(expr)?, exact_type))
        };
        let parts = match &measure.way {
            Way::Count => vec![count(lit(1_i64))],
            Way::Sum { value, is_whole } => vec![sum(exact(value, *is_whole)?)],
            Way::Distinct(value) => vec![count_distinct(now(value)?)],
            Way::Mean { value, is_whole } => {
                let value = exact(value, *is_whole)?;
                vec![sum(value.clone()), count(value)]
            }
            Way::Median(value) => vec![median(number(value)?)],
            Way::Percentile { value, .. } => vec![array_agg(number(value)?)],
            Way::Min(value) => vec![min(number(value)?)],
            Way::Max(value) => vec![max(number(value)?)],
            Way::Last(value) => {
                let value = number(value)?;
                let time = column(&self.question.indicator.time);
                vec![last_value(value.clone(), vec![time.sort(true, true), value.sort(true, true)]), count(lit(1_i64))]
            }
            Way::Stock { .. } => Vec::new(),
        };
        let condition = measure.condition.as_ref().map(now).transpose()?;
        let finish = match measure.way {
            Way::Percentile { at, .. } => Some(percentile(at)),
            _ => None,
        };
        let only = |part: Expr| match &condition {
            Some(condition) => only_where(part, condition),
            None => part,
        };
        Ok(parts.into_iter().map(|part| (only(part), finish.clone())).collect())
    }

    /// First day of the stretch of time of a day.
    fn bucket(&self, day: Expr) -> Expr {
        self.cut.function().call(vec![day])
    }

    /// Parts by the question's dimensions and the bucket of a day, as a table of the common form.
    fn aggregate(&self, rows: DataFrame, day: &Expr, bucket_day: &Expr, parts: Vec<Part>) -> Result<DataFrame> {
        let mut groups = Vec::with_capacity(self.question.by.len() + 1);
        let mut output = Vec::new();
        for (position, dimension) in self.question.by.iter().enumerate() {
            let name = key_name(position);
            groups.push(at_present(dimension.expr.clone(), self.present)?.alias(&name));
            output.push(cast(column(&name), DataType::Utf8).alias(&name));
        }
        if !matches!(self.cut, Cut::Whole) {
            groups.push(self.bucket(bucket_day.clone()).alias(BUCKET));
            output.push(column(BUCKET));
        }
        let mut aggregates = Vec::with_capacity(parts.len() + 2);
        for (position, (part, finish)) in parts.into_iter().enumerate() {
            let name = part_name(position);
            output.push(finished(&name, finish));
            aggregates.push(part.alias(name));
        }
        for (name, aggregate) in [(FIRST_ON, min(day.clone())), (LAST_ON, max(day.clone()))] {
            aggregates.push(aggregate.alias(name));
            output.push(column(name));
        }
        rows.aggregate(groups, aggregates)?.select(output)
    }
}

/// An aggregate over the rows for which a condition holds. The engine's own builder would forget its order and `DISTINCT`.
fn only_where(aggregate: Expr, condition: &Expr) -> Expr {
    match aggregate {
        Expr::AggregateFunction(mut function) => {
            function.params.filter = Some(Box::new(condition.clone()));
            Expr::AggregateFunction(function)
        }
        other => other,
    }
}

/// A column by its exact name.
pub(super) fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

/// An aggregate as a number.
fn finished(name: &str, finish: Option<ScalarUDF>) -> Expr {
    match finish {
        Some(finish) => finish.call(vec![column(name)]).alias(name),
        None => cast(column(name), DataType::Float64).alias(name),
    }
}

pub(super) fn date(day: NaiveDate) -> Expr {
    lit(ScalarValue::Date32(Some(from_date(day))))
}
