//! What a contract promises about the freshness of its events.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use crate::domain::calendar::{Term, WorkingCalendar};

/// How fresh the events of a table are promised to be.
///
/// After an event the next one is expected after `frequency`, and it is in the export `latency` later. Both are counted in the
/// working calendar, so that nobody is late on a Monday morning or in the first days of January.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// How often the register exports.
    pub frequency: Option<Term>,
    /// How late an event may reach the export.
    pub latency: Option<Term>,
}

impl Freshness {
    /// The local moment until which newer events are not yet late.
    #[must_use]
    pub fn due_at(self, last_event_at: DateTime<Utc>, calendar: &WorkingCalendar, time_zone: Tz) -> NaiveDateTime {
        let last = last_event_at.with_timezone(&time_zone).naive_local();
        [self.frequency, self.latency].into_iter().flatten().fold(last, |moment, term| calendar.end_of(moment, term))
    }

    /// The local moment since which newer events are late at `now`; none if they are not.
    #[must_use]
    pub fn late_since(
        self,
        last_event_at: DateTime<Utc>,
        now: DateTime<Utc>,
        calendar: &WorkingCalendar,
        time_zone: Tz,
    ) -> Option<NaiveDateTime> {
        let due = self.due_at(last_event_at, calendar, time_zone);
        (now.with_timezone(&time_zone).naive_local() > due).then_some(due)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::domain::calendar::{DayKind, TermUnit};

    /// Whether events are late at a moment of Moscow time, if the last one was on Friday, 27 December 2024, or on another day.
    fn is_late(promise: Freshness, last: &str, now: &str) -> bool {
        let moment = |text: &str| DateTime::parse_from_rfc3339(&format!("{text}:00+03:00")).unwrap().to_utc();
        let new_year = (1..=8).map(|day| (NaiveDate::from_ymd_opt(2025, 1, day).unwrap(), DayKind::Off));
        let moved = [30, 31].map(|day| (NaiveDate::from_ymd_opt(2024, 12, day).unwrap(), DayKind::Off));
        let calendar: WorkingCalendar = new_year.chain(moved).collect();
        promise.late_since(moment(last), moment(now), &calendar, Tz::Europe__Moscow).is_some()
    }

    fn daily(unit: TermUnit) -> Freshness {
        let term = Some(Term { amount: 1, unit });
        Freshness { frequency: term, latency: term }
    }

    #[test]
    fn nobody_is_late_on_a_day_off_or_on_the_morning_after_it() {
        for unit in [TermUnit::WorkingDays, TermUnit::Days] {
            // The events of Friday are there. Those of Monday are due by the end of Tuesday.
            assert!(!is_late(daily(unit), "2025-01-17T12:00", "2025-01-18T23:00"), "{unit:?}");
            assert!(!is_late(daily(unit), "2025-01-17T12:00", "2025-01-20T09:00"), "{unit:?}");
            assert!(!is_late(daily(unit), "2025-01-17T12:00", "2025-01-21T23:00"), "{unit:?}");
            assert!(is_late(daily(unit), "2025-01-17T12:00", "2025-01-22T00:00"), "{unit:?}");
            // The first working day of the year is the 9th.
            for day in ["2025-01-01", "2025-01-08", "2025-01-09", "2025-01-10"] {
                assert!(!is_late(daily(unit), "2024-12-27T12:00", &format!("{day}T12:00")), "{unit:?} {day}");
            }
            assert!(is_late(daily(unit), "2024-12-27T12:00", "2025-01-13T12:00"), "{unit:?}");
        }
    }

    #[test]
    fn hours_run_while_offices_are_open() {
        let hourly = daily(TermUnit::Hours);
        assert!(is_late(hourly, "2025-01-17T12:00", "2025-01-17T14:01"));
        assert!(!is_late(hourly, "2025-01-17T17:00", "2025-01-20T10:00"));
        assert!(is_late(hourly, "2025-01-17T17:00", "2025-01-20T10:01"));
        assert!(!is_late(hourly, "2024-12-27T17:00", "2025-01-08T12:00"));
    }

    #[test]
    fn a_promise_may_be_one_half() {
        let monthly = Freshness { frequency: Some(Term { amount: 1, unit: TermUnit::Months }), latency: None };
        assert!(!is_late(monthly, "2025-01-15T12:00", "2025-02-17T12:00"));
        assert!(is_late(monthly, "2025-01-15T12:00", "2025-02-18T12:00"));
    }
}
