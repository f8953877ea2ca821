//! The SQL function `working_days(after, until)`: working days of the official calendar after one day up to another.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::{DataType, Date32Type};
use chrono::{DateTime, Days, NaiveDate};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use crate::domain::calendar::RunningCount;
use crate::warehouse::reference::Reference;

/// The function over the code list `calendar`. Days that nobody has published are working from Monday to Friday.
///
/// # Shape
/// `(DATE, DATE) → BIGINT`; the first day does not count, the second does; negative if the second is the earlier one; null if one is.
pub(super) fn working_days(reference: &Reference) -> ScalarUDF {
    let count = reference.working_calendar().running_count();
    let arguments = vec![DataType::Date32, DataType::Date32];
    let call = move |values: &[ColumnarValue]| call(&count, values);
    create_udf("working_days", arguments, DataType::Int64, Volatility::Immutable, Arc::new(call))
}

fn call(count: &RunningCount, values: &[ColumnarValue]) -> Result<ColumnarValue, DataFusionError> {
    let arrays = ColumnarValue::values_to_arrays(values)?;
    let [after, until] = arrays.as_slice() else {
        return Err(DataFusionError::Plan("working_days takes two days".to_owned()));
    };
    let (after, until) = (after.as_primitive::<Date32Type>(), until.as_primitive::<Date32Type>());
    let between = |(after, until): (Option<i32>, Option<i32>)| Some(count.between(day(after?)?, day(until?)?));
    let days: Int64Array = after.iter().zip(until).map(between).collect();
    if values.iter().all(|value| matches!(value, ColumnarValue::Scalar(_))) {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&days, 0)?));
    }
    Ok(ColumnarValue::Array(Arc::new(days)))
}

/// The day of a number of days since 1970.
fn day(number: i32) -> Option<NaiveDate> {
    let epoch = DateTime::UNIX_EPOCH.date_naive();
    let distance = Days::new(number.unsigned_abs().into());
    if number < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) }
}
