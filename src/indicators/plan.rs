//! From a checked question to plans of the query engine, built of typed parts only.
//!
//! All plans of a question give tables of one form: the dimensions' codes `key_0`, `key_1`, … as text, the first day of the
//! `bucket` if there is a grain, `first_on` and `last_on`, and the parts of the measures `part_0`, … as Float64.
//! What the parts mean is known to [`super::fill`].

use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use chrono::NaiveDate;
use datafusion::common::{Column, DataFusionError, Result, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::functions::core::expr_fn::greatest;
use datafusion::functions::datetime::expr_fn::date_trunc;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct, last_value, max, median, min, sum};
use datafusion::logical_expr::{Expr, cast, lit, try_cast};

use super::expression::{Present, at_present};
use super::indicator::{Measure, Way};
use super::query::Question;
use crate::domain::period::{Grain, Period};
use crate::warehouse::lake::MONTH;

/// Sums of fractions are exact to this many decimals, whatever the order of the rows.
const SUM_SCALE: i8 = 6;

/// The plans of one question.
pub(super) struct Plans {
    /// Every measure but stocks, in one pass over the rows of the period.
    pub(super) flows: Option<DataFrame>,
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
/// First day of the rows.
pub(super) const FIRST_ON: &str = "first_on";
/// Last day of the rows.
pub(super) const LAST_ON: &str = "last_on";

/// How many parts a measure has: a mean is a sum and a count, for only these can be put together.
pub(super) fn n_parts(measure: &Measure) -> usize {
    match measure.way {
        Way::Mean { .. } => 2,
        Way::Stock { .. } => 0,
        _ => 1,
    }
}

/// The plans of a question over a table that its asker's scope was applied to.
pub(super) fn build(
    table: &DataFrame,
    columns: &SchemaRef,
    question: &Question<'_>,
    present: Present,
) -> Result<Plans> {
    let planner = Planner { columns, question, present };
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
    let flows = if stocks.len() < measures.len() { Some(planner.flows(rows)?) } else { None };
    Ok(Plans { flows, stocks })
}

struct Planner<'a> {
    columns: &'a SchemaRef,
    question: &'a Question<'a>,
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

    /// Every measure but stocks.
    fn flows(&self, rows: DataFrame) -> Result<DataFrame> {
        let time = column(&self.question.indicator.time);
        let mut rows = rows.filter(time.clone().is_not_null())?;
        if let Some(Period { from, to }) = self.question.period {
            rows = rows.filter(time.clone().between(date(from), date(to)))?;
            rows = self.prune(rows, &self.question.indicator.time, Some(from), to)?;
        }
        let mut parts = Vec::new();
        for measure in &self.question.indicator.measures {
            parts.extend(self.parts(measure)?);
        }
        self.aggregate(rows, &time, &time, parts)
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
        if let Some(Period { to, .. }) = self.question.period {
            opened = self.prune(opened.filter(opened_on.clone().lt_eq(date(to)))?, from, None, to)?;
            closed = self.prune(closed.filter(closed_on.clone().lt_eq(date(to)))?, from, None, to)?;
        }
        let by_bucket = |rows: DataFrame, day: Expr| {
            let within = match self.question.period {
                Some(period) => greatest(vec![day.clone(), date(period.from)]),
                None => day.clone(),
            };
            self.aggregate(rows, &day, &within, vec![count(lit(1_i64))])
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
    fn parts(&self, measure: &Measure) -> Result<Vec<Expr>> {
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
            Way::Min(value) => vec![min(number(value)?)],
            Way::Max(value) => vec![max(number(value)?)],
            Way::Last(value) => {
                let value = number(value)?;
                let time = column(&self.question.indicator.time);
                vec![last_value(value.clone(), vec![time.sort(true, true), value.sort(true, true)])]
            }
            Way::Stock { .. } => Vec::new(),
        };
        let Some(condition) = &measure.condition else { return Ok(parts) };
        let condition = now(condition)?;
        Ok(parts.into_iter().map(|part| only_where(part, &condition)).collect())
    }

    /// Parts by the question's dimensions and the bucket of a day, as a table of the common form.
    fn aggregate(&self, rows: DataFrame, day: &Expr, bucket_day: &Expr, parts: Vec<Expr>) -> Result<DataFrame> {
        let mut groups = Vec::with_capacity(self.question.by.len() + 1);
        let mut output = Vec::new();
        for (position, dimension) in self.question.by.iter().enumerate() {
            let name = key_name(position);
            groups.push(at_present(dimension.expr.clone(), self.present)?.alias(&name));
            output.push(cast(column(&name), DataType::Utf8).alias(&name));
        }
        if let Some(grain) = self.question.grain {
            groups.push(bucket_of(grain, bucket_day.clone()).alias(BUCKET));
            output.push(column(BUCKET));
        }
        let n_parts = parts.len();
        let mut aggregates: Vec<Expr> =
            parts.into_iter().enumerate().map(|(position, part)| part.alias(part_name(position))).collect();
        output.extend((0..n_parts).map(|position| {
            let name = part_name(position);
            cast(column(&name), DataType::Float64).alias(name)
        }));
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

pub(super) fn date(day: NaiveDate) -> Expr {
    let epoch = chrono::DateTime::<chrono::Utc>::UNIX_EPOCH.date_naive();
    let days = i32::try_from((day - epoch).num_days()).unwrap_or_default();
    lit(ScalarValue::Date32(Some(days)))
}

/// First day of the bucket of a day. Seconds reach over all of a calendar's years, nanoseconds do not.
fn bucket_of(grain: Grain, day: Expr) -> Expr {
    if grain == Grain::Day {
        return day;
    }
    let moment = cast(day, DataType::Timestamp(TimeUnit::Second, None));
    cast(date_trunc(lit(grain.code()), moment), DataType::Date32)
}
