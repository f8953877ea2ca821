//! Days, moments and the official working-day calendar in the shape that the generator needs.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::GenerateError;
use super::dice::Dice;
use super::lists::{List, read_list};

/// First second of the working day, 9:00.
const OPENS_AT: u32 = 9 * 3600;
/// After this second (17:30) nothing more is done on the same day.
const CLOSES_AT: u32 = 17 * 3600 + 1800;

/// A day, counted from the first day of the calendar.
pub(super) type Day = u32;

/// A moment of local time, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    /// The day.
    pub(super) day: Day,
    /// Seconds since local midnight.
    pub(super) second: u32,
}

/// The working-day calendar; after its last published year, Monday to Friday are working days.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    first: NaiveDate,
    dates: Vec<NaiveDate>,
    is_working: Vec<bool>,
    is_short: Vec<bool>,
    /// How many working days lie before a day.
    working_before: Vec<u32>,
    working: Vec<Day>,
    written: Vec<([u8; 10], [u8; 10])>,
}

impl Calendar {
    /// Reads the calendar of the project.
    ///
    /// # Errors
    /// [`GenerateError::List`] if the list lacks a column or a date cannot be read.
    pub(super) fn load() -> Result<Self, GenerateError> {
        let rows = read_list(List::Calendar, &["code", "is_working", "is_short"])?;
        let wrong =
            |value: &str| GenerateError::List { list: List::Calendar, problem: format!("`{value}` is not a date") };
        let days = rows
            .iter()
            .map(|row| {
                let date: NaiveDate = row[0].parse().map_err(|_| wrong(&row[0]))?;
                Ok((date, is_true(&row[1]), is_true(&row[2])))
            })
            .collect::<Result<Vec<_>, GenerateError>>()?;
        let first = days.first().map(|day| day.0).ok_or_else(|| wrong(""))?;
        let last = NaiveDate::from_ymd_opt(2031, 12, 31).ok_or_else(|| wrong("2031-12-31"))?;
        let mut calendar = Self {
            first,
            dates: Vec::new(),
            is_working: Vec::new(),
            is_short: Vec::new(),
            working_before: Vec::new(),
            working: Vec::new(),
            written: Vec::new(),
        };
        let mut published = days.into_iter().peekable();
        for date in first.iter_days().take_while(|date| *date <= last) {
            let known = published.next_if(|day| day.0 == date);
            let is_weekday = !matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
            calendar.push(date, known.map_or(is_weekday, |day| day.1), known.is_some_and(|day| day.2));
        }
        Ok(calendar)
    }

    fn push(&mut self, date: NaiveDate, is_working: bool, is_short: bool) {
        let day = u32::try_from(self.dates.len()).unwrap_or_default();
        self.working_before.push(u32::try_from(self.working.len()).unwrap_or_default());
        if is_working {
            self.working.push(day);
        }
        self.dates.push(date);
        self.is_working.push(is_working);
        self.is_short.push(is_short);
        self.written
            .push((written(&date.format("%Y-%m-%d").to_string()), written(&date.format("%d.%m.%Y").to_string())));
    }

    /// The day of a date.
    pub(super) fn day(&self, date: NaiveDate) -> Option<Day> {
        let n_days = u32::try_from((date - self.first).num_days()).ok()?;
        ((n_days as usize) < self.dates.len()).then_some(n_days)
    }

    /// The date of a day.
    pub(super) fn date(&self, day: Day) -> NaiveDate {
        self.dates.get(day as usize).copied().unwrap_or_else(|| self.first + Days::new(u64::from(day)))
    }

    /// Whether offices work.
    pub(super) fn is_working(&self, day: Day) -> bool {
        self.is_working.get(day as usize).copied().unwrap_or_default()
    }

    /// Whether offices close an hour earlier.
    pub(super) fn is_short(&self, day: Day) -> bool {
        self.is_short.get(day as usize).copied().unwrap_or_default()
    }

    /// The `n`-th working day after a day; for 0 the day itself, or the next working day where it is none.
    pub(super) fn after(&self, day: Day, n_working: u32) -> Day {
        let before = self.working_before.get(day as usize).copied().unwrap_or_default();
        let counts_from_next = u32::from(n_working > 0 && !self.is_working(day));
        let place = before + n_working - counts_from_next;
        self.working.get(place as usize).copied().unwrap_or(day + n_working)
    }

    /// A moment so many working days after another, in office hours and never before it.
    pub(super) fn step(&self, from: Moment, n_working: u32, dice: &mut Dice) -> Moment {
        let is_too_late = n_working == 0 && from.second >= CLOSES_AT;
        let day = self.after(from.day, if is_too_late { 1 } else { n_working });
        let second = dice.between(OPENS_AT, CLOSES_AT);
        if day == from.day && second <= from.second {
            return Moment { day, second: from.second + dice.between(300, 1_800) };
        }
        Moment { day, second }
    }

    /// The date as in `2025-03-31`.
    pub(super) fn iso(&self, day: Day) -> &[u8; 10] {
        &self.written[(day as usize).min(self.written.len() - 1)].0
    }

    /// The date as in `31.03.2025`.
    pub(super) fn dotted(&self, day: Day) -> &[u8; 10] {
        &self.written[(day as usize).min(self.written.len() - 1)].1
    }
}

fn is_true(text: &str) -> bool {
    matches!(text, "1" | "true" | "yes")
}

fn written(text: &str) -> [u8; 10] {
    let mut bytes = [b'0'; 10];
    for (place, byte) in bytes.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(calendar: &Calendar, text: &str) -> Day {
        calendar.day(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn working_days_follow_the_official_calendar() {
        let calendar = Calendar::load().unwrap();
        let next = |from: &str, n| calendar.date(calendar.after(day(&calendar, from), n)).to_string();
        // 1–8 January 2025 are holidays; Saturday 1 November 2025 is a working day and Monday 3 November is not.
        assert_eq!(next("2024-12-28", 1), "2025-01-09");
        assert_eq!(next("2025-01-01", 0), "2025-01-09");
        assert_eq!(next("2025-01-01", 1), "2025-01-09");
        assert_eq!(next("2025-01-09", 0), "2025-01-09");
        assert_eq!(next("2025-10-31", 1), "2025-11-01");
        assert_eq!(next("2025-10-31", 2), "2025-11-05");
    }

    #[test]
    fn steps_never_go_back() {
        let calendar = Calendar::load().unwrap();
        let mut dice = Dice::new(1, 1);
        for n in 0..2_000 {
            let from = Moment { day: 1000 + n % 400, second: dice.below(86_400) };
            let to = calendar.step(from, n % 3, &mut dice);
            assert!(to > from && calendar.is_working(to.day) && to.second < 86_400, "{from:?} {to:?}");
        }
    }

    #[test]
    fn dates_are_written_in_two_ways() {
        let calendar = Calendar::load().unwrap();
        let day = day(&calendar, "2026-02-03");
        assert_eq!((calendar.iso(day), calendar.dotted(day)), (b"2026-02-03", b"03.02.2026"));
    }
}
