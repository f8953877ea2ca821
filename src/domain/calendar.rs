//! The official working calendar, and terms counted in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};

use super::period::Period;

/// First hour of a working day in an office.
const OPENS: u32 = 9;
/// Hour at which an ordinary working day ends.
const CLOSES: u32 = 18;
/// Hour at which the day before a holiday ends.
const CLOSES_SHORT: u32 = 17;

/// What a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// A working day.
    Working,
    /// A working day that is an hour shorter.
    Short,
    /// Weekend, holiday, or a day off moved here.
    Off,
}

/// Working days as they were published; days that nobody has published yet are working from Monday to Friday.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkingCalendar(BTreeMap<NaiveDate, DayKind>);

/// Unit of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermUnit {
    /// Hours during which an office is open.
    Hours,
    /// Working days.
    WorkingDays,
    /// Days; a term that ends on a day off ends on the next working day.
    Days,
    /// Months; a term that ends on a day off ends on the next working day.
    Months,
}

/// A length of time, counted in the working calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// How many units.
    pub amount: u32,
    /// The unit.
    pub unit: TermUnit,
}

impl FromIterator<(NaiveDate, DayKind)> for WorkingCalendar {
    fn from_iter<I: IntoIterator<Item = (NaiveDate, DayKind)>>(days: I) -> Self {
        Self(days.into_iter().collect())
    }
}

impl WorkingCalendar {
    /// What a day is.
    #[must_use]
    pub fn kind(&self, day: NaiveDate) -> DayKind {
        let by_weekday = || if is_weekday(day) { DayKind::Working } else { DayKind::Off };
        self.0.get(&day).copied().unwrap_or_else(by_weekday)
    }

    /// Whether people work on a day.
    #[must_use]
    pub fn is_working(&self, day: NaiveDate) -> bool {
        self.kind(day) != DayKind::Off
    }

    /// How many working days a period has; none if the calendar of a day of it was not published.
    #[must_use]
    pub fn n_working_days(&self, period: Period) -> Option<u32> {
        let (first, last) = (self.0.first_key_value()?.0, self.0.last_key_value()?.0);
        let is_published = *first <= period.from && period.from <= period.to && period.to <= *last;
        is_published.then(|| {
            let working = self.0.range(period.from..=period.to).filter(|(_, kind)| **kind != DayKind::Off);
            u32::try_from(working.count()).unwrap_or(u32::MAX)
        })
    }

    /// The day itself if it is a working one, else the next that is.
    #[must_use]
    pub fn working_day_from(&self, day: NaiveDate) -> NaiveDate {
        day.iter_days().find(|day| self.is_working(*day)).unwrap_or(day)
    }

    /// The number of working days up to any day, to count those of an interval without walking through it.
    #[must_use]
    pub fn running_count(&self) -> RunningCount {
        let mut surplus = 0;
        let days = self.0.iter().map(|(day, kind)| {
            surplus += i64::from(*kind != DayKind::Off) - i64::from(is_weekday(*day));
            (*day, surplus)
        });
        RunningCount(days.collect())
    }

    /// The first day that is known, and for each day from it to the last known one by how many working days the days up to it are more
    /// than Monday to Friday. Nothing if no day is known.
    #[must_use]
    pub fn surplus_by_day(&self) -> (Option<NaiveDate>, Vec<i64>) {
        let RunningCount(known) = self.running_count();
        let mut by_day = Vec::new();
        for (place, (day, surplus)) in known.iter().enumerate() {
            let until = known.get(place + 1).map_or_else(|| day.succ_opt(), |next| Some(next.0));
            let n_days = until.map_or(1, |until| (until - *day).num_days());
            by_day.extend((0..n_days).map(|_| *surplus));
        }
        (known.first().map(|first| first.0), by_day)
    }

    /// The end of a term that begins at a local moment. A term of days ends with its last day, at midnight.
    #[must_use]
    pub fn end_of(&self, start: NaiveDateTime, term: Term) -> NaiveDateTime {
        let day = start.date();
        let last = match term.unit {
            TermUnit::Hours => return self.add_hours(start, term.amount),
            TermUnit::WorkingDays => {
                (0..term.amount).fold(day, |day, _| self.working_day_from(day.succ_opt().unwrap_or(day)))
            }
            TermUnit::Days => day.checked_add_days(Days::new(term.amount.into())).unwrap_or(day),
            TermUnit::Months => day.checked_add_months(Months::new(term.amount)).unwrap_or(day),
        };
        let last = self.working_day_from(last);
        // The last moment that still belongs to the day, so that the next term begins on this day.
        last.and_time(NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default())
    }

    fn add_hours(&self, start: NaiveDateTime, n_hours: u32) -> NaiveDateTime {
        let mut left = TimeDelta::hours(n_hours.into());
        let mut now = start;
        loop {
            let day = self.working_day_from(now.date());
            let (opens, closes) = self.office_hours(day);
            let from = if day == now.date() { now.max(opens) } else { opens };
            if from < closes {
                if from + left <= closes {
                    return from + left;
                }
                left -= closes - from;
            }
            let Some(next) = day.succ_opt() else { return now };
            now = next.and_time(NaiveTime::MIN);
        }
    }

    fn office_hours(&self, day: NaiveDate) -> (NaiveDateTime, NaiveDateTime) {
        let closes = if self.kind(day) == DayKind::Short { CLOSES_SHORT } else { CLOSES };
        let at = |hour| day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default());
        (at(OPENS), at(closes))
    }
}

/// Numbers of working days, from the days of a calendar and by how many they have more than Monday to Friday.
#[derive(Debug, Clone)]
pub struct RunningCount(Vec<(NaiveDate, i64)>);

impl RunningCount {
    /// Working days after one day up to another, the latter included; negative if it is the earlier one.
    #[must_use]
    pub fn between(&self, after: NaiveDate, until: NaiveDate) -> i64 {
        self.up_to(until) - self.up_to(after)
    }

    /// Working days from the Monday before 1970 up to a day, the day included.
    fn up_to(&self, day: NaiveDate) -> i64 {
        let n_days = (day - DateTime::UNIX_EPOCH.date_naive()).num_days() + 3;
        let weekdays = n_days.div_euclid(7) * 5 + (n_days.rem_euclid(7) + 1).min(5);
        let known = self.0.partition_point(|(known, _)| *known <= day);
        weekdays + known.checked_sub(1).and_then(|last| self.0.get(last)).map_or(0, |(_, surplus)| *surplus)
    }
}

fn is_weekday(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    /// January 2025 as it was published, and the short day before it.
    fn calendar() -> WorkingCalendar {
        let new_year = (1..=8).map(|day| (NaiveDate::from_ymd_opt(2025, 1, day).unwrap(), DayKind::Off));
        let short = (NaiveDate::from_ymd_opt(2024, 12, 28).unwrap(), DayKind::Short);
        let off = [29, 30, 31].map(|day| (NaiveDate::from_ymd_opt(2024, 12, day).unwrap(), DayKind::Off));
        new_year.chain(off).chain([short]).collect()
    }

    fn end(start: &str, amount: u32, unit: TermUnit) -> String {
        calendar().end_of(moment(start), Term { amount, unit }).format("%Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn terms_end_on_working_days() {
        // Friday, 17 January 2025.
        assert_eq!(end("2025-01-17 16:00", 1, TermUnit::WorkingDays), "2025-01-20 23:59");
        assert_eq!(end("2025-01-17 16:00", 1, TermUnit::Days), "2025-01-20 23:59");
        assert_eq!(end("2025-01-17 16:00", 7, TermUnit::Days), "2025-01-24 23:59");
        assert_eq!(end("2025-01-18 16:00", 1, TermUnit::Months), "2025-02-18 23:59");
        // A working Saturday, then eleven days off.
        assert_eq!(end("2024-12-28 12:00", 1, TermUnit::WorkingDays), "2025-01-09 23:59");
        assert_eq!(end("2024-12-28 12:00", 2, TermUnit::WorkingDays), "2025-01-10 23:59");
    }

    #[test]
    fn working_days_of_an_interval_are_those_that_a_walk_finds() {
        let calendar = calendar();
        let count = calendar.running_count();
        let first = NaiveDate::from_ymd_opt(2024, 12, 1).unwrap();
        for (after, n_days) in (0..60).flat_map(|start| (0..40).map(move |n_days| (first + Days::new(start), n_days))) {
            let walked = after.iter_days().skip(1).take(n_days).filter(|day| calendar.is_working(*day)).count();
            let until = after + Days::new(n_days as u64);
            assert_eq!(count.between(after, until), i64::try_from(walked).unwrap(), "{after} {until}");
            assert_eq!(count.between(until, after), -i64::try_from(walked).unwrap());
        }
    }

    #[test]
    fn working_days_of_a_published_period_are_counted() {
        let n_days = |from: &str, to: &str| calendar().n_working_days(Period::parse(from, to).unwrap());
        assert_eq!(n_days("2024-12-28", "2025-01-08"), Some(1));
        assert_eq!(n_days("2025-01-01", "2025-01-08"), Some(0));
        assert_eq!(n_days("2025-01", "2025-01"), None);
    }

    #[test]
    fn hours_are_those_of_an_office() {
        assert_eq!(end("2025-01-17 16:00", 1, TermUnit::Hours), "2025-01-17 17:00");
        assert_eq!(end("2025-01-17 16:00", 2, TermUnit::Hours), "2025-01-17 18:00");
        assert_eq!(end("2025-01-17 16:00", 3, TermUnit::Hours), "2025-01-20 10:00");
        assert_eq!(end("2025-01-19 03:00", 1, TermUnit::Hours), "2025-01-20 10:00");
        assert_eq!(end("2025-01-20 03:00", 20, TermUnit::Hours), "2025-01-22 11:00");
        assert_eq!(end("2024-12-28 16:30", 1, TermUnit::Hours), "2025-01-09 09:30");
    }
}
