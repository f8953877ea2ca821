//! What a cell says, as text.

use calamine::{DataRef, ExcelDateTime};
use chrono::{Duration, NaiveTime};

/// A date in Excel's calendar before which there is only a time of day.
const FIRST_DAY: f64 = 1.0;
/// The day after the last one that Excel knows, 31 December 9999.
const LAST_DAY: f64 = 2_958_466.0;

/// The text of a cell; none where it is empty.
///
/// # Errors
/// The error of the formula, e.g. `#N/A`, that stands in place of a value.
pub(super) fn text(value: &DataRef<'_>) -> Result<Option<String>, String> {
    Ok(Some(match value {
        DataRef::Empty => return Ok(None),
        DataRef::Error(error) => return Err(error.to_string()),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(moment) => moment_text(moment),
    }))
}

/// A number as Excel shows it: with at most 15 digits that count, and no zeros behind the point.
fn number_text(number: f64) -> String {
    if number.fract() == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    format!("{number:.14e}").parse::<f64>().unwrap_or(number).to_string()
}

/// A day, a moment, or a time of day in ISO 8601.
fn moment_text(moment: &ExcelDateTime) -> String {
    let serial = moment.as_f64();
    if moment.is_duration() || !(0.0..LAST_DAY).contains(&serial) {
        return number_text(serial);
    }
    let Some(local) = moment.as_datetime() else { return number_text(serial) };
    // Seconds are kept as a fraction of a day, which is seldom exact.
    let local = local.checked_add_signed(Duration::milliseconds(500)).unwrap_or(local);
    if serial < FIRST_DAY {
        local.format("%H:%M:%S").to_string()
    } else if local.time().signed_duration_since(NaiveTime::MIN) < Duration::seconds(1) {
        local.format("%Y-%m-%d").to_string()
    } else {
        local.format("%Y-%m-%dT%H:%M:%S").to_string()
    }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn numbers_are_written_as_excel_shows_them() {
        assert_eq!(number_text(12.0), "12");
        assert_eq!(number_text(-0.5), "-0.5");
        assert_eq!(number_text(0.1 + 0.2), "0.3");
        assert_eq!(number_text(11_223_344_595.0), "11223344595");
        assert_eq!(number_text(1e15), "1000000000000000");
        assert_eq!(number_text(1234.5), "1234.5");
    }

    #[test]
    fn dates_are_written_in_iso() {
        let text = |serial, is_1904| moment_text(&ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904));
        assert_eq!(text(45_376.0, false), "2024-03-25");
        assert_eq!(text(43_914.0, true), "2024-03-25");
        assert_eq!(text(45_376.437_5, false), "2024-03-25T10:30:00");
        assert_eq!(text(45_376.430_555_555_556, false), "2024-03-25T10:20:00");
        assert_eq!(text(0.4375, false), "10:30:00");
        assert_eq!(text(1e300, false), number_text(1e300));
        assert_eq!(text(-1.0, false), "-1");
    }
}
