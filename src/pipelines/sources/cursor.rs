//! The value up to which a register was read.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::pipelines::declaration::SourceType;
use crate::pipelines::formats::ColumnName;
use crate::pipelines::moment::{MomentFormat, ZoneClock};

/// A column that grows with every change of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorColumn {
    /// Its name in the file and in the pipeline.
    pub name: ColumnName,
    /// Its type: a date, a timestamp, a whole number or a text.
    pub column_type: SourceType,
    /// How dates and moments are read.
    pub format: MomentFormat,
    /// Texts that mean "no value", besides the empty one.
    pub empty: Vec<String>,
    /// Zone of moments without an offset.
    pub time_zone: Tz,
}

/// A value of such a column. Values of one column are of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CursorValue {
    /// A text, compared by its characters.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A day.
    Date(NaiveDate),
    /// A moment.
    Timestamp(DateTime<Utc>),
}

/// How late a row may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LateWindow {
    /// By so much time; whole days for a date.
    Time(Duration),
    /// By so many steps of a whole number.
    Steps(i64),
}

impl CursorColumn {
    /// The value in a text of the column; none if it has none.
    pub fn value(&self, text: &str, clock: &mut ZoneClock) -> Option<CursorValue> {
        let text = text.trim();
        if text.is_empty() || self.empty.iter().any(|empty| empty == text) {
            return None;
        }
        match self.column_type {
            SourceType::String => Some(CursorValue::Text(text.to_owned())),
            SourceType::Integer => text.parse().ok().map(CursorValue::Integer),
            SourceType::Date => self.format.date(text).map(CursorValue::Date),
            SourceType::Timestamp => {
                let micros = self.format.moment(text, clock)?;
                DateTime::from_timestamp_micros(micros).map(CursorValue::Timestamp)
            }
            SourceType::Number | SourceType::Boolean => None,
        }
    }
}

impl CursorValue {
    /// Whether the value lies after the present. A typing error in a year must not make a register look as if it were read to its end.
    #[must_use]
    pub fn is_future(&self, now: DateTime<Utc>, zone: Tz) -> bool {
        match self {
            Self::Date(day) => *day > now.with_timezone(&zone).date_naive(),
            Self::Timestamp(moment) => *moment > now,
            Self::Text(_) | Self::Integer(_) => false,
        }
    }

    /// The value from which late rows are asked for again.
    #[must_use]
    pub fn minus(&self, window: Option<LateWindow>) -> Self {
        match (self, window) {
            (Self::Integer(number), Some(LateWindow::Steps(steps))) => Self::Integer(number.saturating_sub(steps)),
            (Self::Date(day), Some(LateWindow::Time(time))) => {
                let n_days = time.as_secs().div_ceil(86_400);
                Self::Date(day.checked_sub_days(chrono::Days::new(n_days)).unwrap_or(NaiveDate::MIN))
            }
            (Self::Timestamp(moment), Some(LateWindow::Time(time))) => {
                let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
                Self::Timestamp(moment.checked_sub_signed(time).unwrap_or(DateTime::UNIX_EPOCH))
            }
            _ => self.clone(),
        }
    }

    /// The value as it is sent: by a `chrono` pattern in a time zone, or as ISO 8601.
    #[must_use]
    pub fn written(&self, pattern: Option<&str>, zone: Tz) -> String {
        match (self, pattern) {
            (Self::Text(text), _) => text.clone(),
            (Self::Integer(number), _) => number.to_string(),
            (Self::Date(day), Some(pattern)) => day.format(pattern).to_string(),
            (Self::Date(day), None) => day.to_string(),
            (Self::Timestamp(moment), Some(pattern)) => moment.with_timezone(&zone).format(pattern).to_string(),
            (Self::Timestamp(moment), None) => moment.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(column_type: SourceType) -> CursorColumn {
        CursorColumn {
            name: ColumnName { from: "Изменено".to_owned(), name: "changed".to_owned() },
            column_type,
            format: MomentFormat::from_pattern("%d.%m.%Y %H:%M", false).unwrap(),
            empty: vec!["-".to_owned()],
            time_zone: Tz::Europe__Samara,
        }
    }

    #[test]
    fn a_moment_is_read_moved_back_and_written_in_local_time() {
        let mut clock = ZoneClock::new(Tz::Europe__Samara);
        let value = column(SourceType::Timestamp).value(" 25.03.2024 10:30 ", &mut clock).unwrap();
        let day = LateWindow::Time(Duration::from_hours(36));
        let back = value.minus(Some(day));
        assert_eq!(back.written(None, Tz::Europe__Samara), "2024-03-23T18:30:00Z");
        assert_eq!(back.written(Some("%d.%m.%Y %H:%M"), Tz::Europe__Samara), "23.03.2024 22:30");
        assert_eq!(column(SourceType::Timestamp).value("-", &mut clock), None);
        let before: DateTime<Utc> = "2024-03-25T06:29:59Z".parse().unwrap();
        assert!(value.is_future(before, Tz::Europe__Samara));
        assert!(!value.is_future(before + TimeDelta::seconds(1), Tz::Europe__Samara));
    }

    #[test]
    fn a_late_window_of_a_date_is_whole_days() {
        let day = CursorValue::Date(NaiveDate::from_ymd_opt(2024, 3, 1).unwrap());
        let back = day.minus(Some(LateWindow::Time(Duration::from_hours(25))));
        assert_eq!(back.written(None, Tz::UTC), "2024-02-28");
        assert_eq!(CursorValue::Integer(5).minus(Some(LateWindow::Steps(10))), CursorValue::Integer(-5));
    }

    #[test]
    fn a_value_survives_its_way_through_a_position() {
        let value = CursorValue::Timestamp("2024-03-25T06:29:59.123456Z".parse().unwrap());
        let json = serde_json::to_value(&value).unwrap();
        assert_eq!(json, serde_json::json!({"timestamp": "2024-03-25T06:29:59.123456Z"}));
        assert_eq!(serde_json::from_value::<CursorValue>(json).unwrap(), value);
    }
}
