//! How many applications come on each day: the week, the season, holidays and slow growth.

use chrono::Datelike;

use super::days::{Calendar, Day};
use super::dice::Dice;

/// How a week looks, Monday to Sunday, before the season.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Week {
    /// What comes to offices, on working days only.
    pub(super) at_offices: [u64; 7],
    /// What comes on any day: through portals.
    pub(super) any_day: [u64; 7],
}

/// A week of applications.
pub(super) const APPLICATIONS: Week =
    Week { at_offices: [115, 108, 102, 100, 84, 70, 70], any_day: [48, 47, 46, 45, 42, 30, 27] };
/// A week of visits to museums, theatres and sports halls.
pub(super) const VISITS: Week = Week { at_offices: [0; 7], any_day: [52, 71, 78, 83, 112, 190, 171] };

/// January to December: quiet holidays, school in August and September, the end of the budget year.
const BY_MONTH: [u64; 12] = [88, 96, 104, 103, 92, 90, 88, 108, 116, 109, 104, 117];
/// Growth from the first day to the last, in thousandths.
const GROWTH: u64 = 220;

/// What comes on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DayLoad {
    /// The day.
    pub(super) day: Day,
    /// Applications of the day.
    pub(super) n_rows: u64,
    /// How many of a thousand come through the portal; all of them where offices are closed.
    pub(super) portal_permille: u32,
}

/// Divides `n_rows` among the days of a period, both ends included.
///
/// The numbers of all days together are exactly `n_rows`.
pub(super) fn divide_by_day(
    calendar: &Calendar,
    (from, to): (Day, Day),
    week: Week,
    n_rows: u64,
    dice: &mut Dice,
) -> Vec<DayLoad> {
    let mut closed_days_before = 0;
    let mut days = Vec::new();
    let mut total = 0_u128;
    for day in from..=to {
        let date = calendar.date(day);
        let weekday = date.weekday().num_days_from_monday() as usize;
        let at_offices = if calendar.is_working(day) {
            let after_break = if closed_days_before >= 3 { 130 } else { 100 };
            week.at_offices[weekday] * after_break * if calendar.is_short(day) { 75 } else { 100 } / 100
        } else {
            0
        };
        closed_days_before = if calendar.is_working(day) { 0 } else { closed_days_before + 1 };
        let on_portal = week.any_day[weekday] * 100;
        let passed = u64::from(day - from) * GROWTH / u64::from(to - from).max(1);
        let season = BY_MONTH[date.month0() as usize] * (1000 + passed) * u64::from(dice.between(90, 110));
        total += u128::from((at_offices + on_portal) * season);
        let portal_permille = u32::try_from(on_portal * 1000 / (at_offices + on_portal)).unwrap_or(1000);
        days.push((day, total, portal_permille));
    }
    let mut before = 0;
    days.into_iter()
        .map(|(day, until, portal_permille)| {
            let upper = u64::try_from(until * u128::from(n_rows) / total.max(1)).unwrap_or(n_rows);
            let n_rows = upper - before;
            before = upper;
            DayLoad { day, n_rows, portal_permille }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn year() -> (Calendar, Vec<DayLoad>) {
        let calendar = Calendar::load().unwrap();
        let day = |text: &str| calendar.day(text.parse().unwrap()).unwrap();
        let loads = divide_by_day(
            &calendar,
            (day("2025-01-01"), day("2025-12-31")),
            APPLICATIONS,
            100_000,
            &mut Dice::new(3, 0),
        );
        (calendar, loads)
    }

    #[test]
    fn every_row_gets_a_day() {
        let (_, loads) = year();
        assert_eq!(loads.len(), 365);
        assert_eq!(loads.iter().map(|load| load.n_rows).sum::<u64>(), 100_000);
    }

    #[test]
    fn offices_rest_when_the_calendar_says_so() {
        let (calendar, loads) = year();
        for load in &loads {
            assert_eq!(load.portal_permille == 1000, !calendar.is_working(load.day), "{}", calendar.date(load.day));
        }
        let mean = |is_working: bool| {
            let days = loads.iter().filter(|load| calendar.is_working(load.day) == is_working);
            let (n_days, n_rows) = days.fold((0, 0), |(n, rows), load| (n + 1, rows + load.n_rows));
            n_rows / n_days
        };
        assert!(mean(true) > 3 * mean(false), "{} {}", mean(true), mean(false));
    }

    #[test]
    fn autumn_is_busier_than_summer() {
        let (calendar, loads) = year();
        let of_month = |month| -> u64 {
            loads.iter().filter(|load| calendar.date(load.day).month() == month).map(|load| load.n_rows).sum()
        };
        assert!(of_month(9) > of_month(7), "{} {}", of_month(9), of_month(7));
    }
}
