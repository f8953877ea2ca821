//! What measures are kept as until they are put together: parts of short stretches of time that make those of long ones.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type};
use chrono::{DateTime, Days, NaiveDate, Utc};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use super::indicator::{Measure, Way};
use super::plan::SUM_SCALE;
use crate::domain::period::Grain;

/// How rows are sorted into stretches of time, none of which is cut by what is asked for.
#[derive(Debug, Clone)]
pub(super) enum Cut {
    /// All into one.
    Whole,
    /// Into the buckets of a grain.
    Grain(Grain),
    /// Into stretches that begin on these days, sorted; what lies before the first belongs to it.
    Starts(Vec<NaiveDate>),
}

impl Cut {
    /// What stands for the stretch of a day.
    pub(super) fn key(&self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Whole => NaiveDate::MIN,
            Self::Grain(grain) => grain.start(day),
            Self::Starts(starts) => {
                let after = starts.partition_point(|start| *start <= day);
                starts.get(after.saturating_sub(1)).copied().unwrap_or(day)
            }
        }
    }

    /// Whether a window may consist of several stretches.
    pub(super) fn is_fine(&self) -> bool {
        matches!(self, Self::Starts(_))
    }

    /// The function from days to the first days of their stretches, inside the query engine.
    pub(super) fn function(&self) -> ScalarUDF {
        let cut = self.clone();
        let starts = move |arguments: &[ColumnarValue]| {
            let days = cast(&ColumnarValue::values_to_arrays(arguments)?[0], &DataType::Date32)?;
            let days = days.as_primitive::<Date32Type>();
            let starts = days.unary_opt::<_, Date32Type>(|day| to_date(day).map(|day| from_date(cut.key(day))));
            Ok(ColumnarValue::Array(Arc::new(starts)))
        };
        create_udf("stretch", vec![DataType::Date32], DataType::Date32, Volatility::Immutable, Arc::new(starts))
    }
}

/// How many parts a measure has. What has no parts is computed from the rows of each window; of a stock openings and closings are kept.
pub(super) fn n_parts(measure: &Measure, cut: &Cut) -> usize {
    match measure.way {
        Way::Mean { .. } | Way::Last(_) => 2,
        Way::Stock { .. } => 0,
        _ => usize::from(measure.has_parts() || !cut.is_fine()),
    }
}

/// The value of a measure over several stretches of time in their order, each given by the parts of all measures, of which those of
/// this one begin at `at`.
pub(super) fn merge(measure: &Measure, at: usize, stretches: &[&[Option<f64>]]) -> Option<f64> {
    let column = |at: usize| stretches.iter().filter_map(move |parts| parts[at]);
    match measure.way {
        Way::Count | Way::Sum { .. } => sum(column(at)),
        Way::Mean { .. } => match (sum(column(at)), sum(column(at + 1))) {
            (Some(sum), Some(count)) if count > 0.0 => Some(sum / count),
            _ => None,
        },
        Way::Min(_) => column(at).reduce(f64::min),
        Way::Max(_) => column(at).reduce(f64::max),
        // The second part is the number of rows, for the latest row may have no value.
        Way::Last(_) => stretches
            .iter()
            .rev()
            .find(|parts| parts[at + 1].is_some_and(|count| count > 0.0))
            .and_then(|parts| parts[at]),
        // There is one stretch at most, unless these measures are computed apart.
        Way::Distinct(_) | Way::Median(_) | Way::Percentile { .. } => column(at).next(),
        Way::Stock { .. } => None,
    }
}

/// The sum of sums, which are exact to [`SUM_SCALE`] decimals, to as many; none of nothing.
fn sum(parts: impl Iterator<Item = f64>) -> Option<f64> {
    let scale = 10_f64.powi(i32::from(SUM_SCALE));
    let total = parts.fold(None, |total: Option<f64>, part| Some(total.map_or(part, |total| total + part)))?;
    // Beyond this a double has no digits left to round.
    let is_exact = total.abs() * scale < 9e15;
    Some(if is_exact { (total * scale).round() / scale } else { total })
}

/// The function from a list of numbers to their percentile, inside the query engine. That of the engine rounds the place between two
/// rows, so it is not exact.
pub(super) fn percentile(at: f64) -> ScalarUDF {
    let percentile = move |arguments: &[ColumnarValue]| {
        let lists = ColumnarValue::values_to_arrays(arguments)?;
        let found: Float64Array = lists[0].as_list::<i32>().iter().map(|list| percentile_of(list, at)).collect();
        Ok::<_, DataFusionError>(ColumnarValue::Array(Arc::new(found)))
    };
    let list = DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)));
    create_udf("percentile_of", vec![list], DataType::Float64, Volatility::Immutable, Arc::new(percentile))
}

fn percentile_of(list: Option<ArrayRef>, at: f64) -> Option<f64> {
    let list = list?;
    let mut values: Vec<f64> = list.as_primitive_opt::<Float64Type>()?.iter().flatten().collect();
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "no list has 2^52 values")]
    let place = values.len().checked_sub(1)? as f64 * at;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    Some(values[below] + (values[above] - values[below]) * place.fract())
}

/// A day of the engine.
pub(super) fn to_date(days: i32) -> Option<NaiveDate> {
    let epoch = DateTime::<Utc>::UNIX_EPOCH.date_naive();
    let distance = Days::new(u64::from(days.unsigned_abs()));
    if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) }
}

/// A day for the engine.
pub(super) fn from_date(day: NaiveDate) -> i32 {
    let epoch = DateTime::<Utc>::UNIX_EPOCH.date_naive();
    i32::try_from((day - epoch).num_days()).unwrap_or_default()
}
