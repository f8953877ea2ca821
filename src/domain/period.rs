//! Calendar periods: a grain, the bucket of a date, and a range of dates with both ends included.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::language::Lang;
use super::number::{format_date, month_name};

/// Length of a time bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// A local calendar day.
    Day,
    /// Monday to Sunday; weeks have the numbers and the years of ISO 8601, so a year has 52 or 53 whole ones.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// Six calendar months.
    HalfYear,
    /// A calendar year.
    Year,
}

impl Grain {
    /// Every grain, shortest first.
    pub const ALL: [Self; 6] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::HalfYear, Self::Year];

    /// The word of the grain.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::HalfYear => "half_year",
            Self::Year => "year",
        }
    }

    /// First day of the bucket that holds `date`.
    #[must_use]
    pub fn start(self, date: NaiveDate) -> NaiveDate {
        let first_of = |month| NaiveDate::from_ymd_opt(date.year(), month, 1).unwrap_or(date);
        match self {
            Self::Day => date,
            Self::Week => date - Days::new(u64::from(date.weekday().num_days_from_monday())),
            Self::Month => first_of(date.month()),
            Self::Quarter => first_of((date.month0() / 3) * 3 + 1),
            Self::HalfYear => first_of((date.month0() / 6) * 6 + 1),
            Self::Year => first_of(1),
        }
    }

    /// How many months a bucket has; days and weeks have none.
    #[must_use]
    pub fn n_months(self) -> Option<u32> {
        match self {
            Self::Day | Self::Week => None,
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::HalfYear => Some(6),
            Self::Year => Some(12),
        }
    }

    /// First day of the bucket after the one that holds `date`.
    #[must_use]
    pub fn next(self, date: NaiveDate) -> NaiveDate {
        let start = self.start(date);
        match self.n_months() {
            Some(n_months) => start + Months::new(n_months),
            None => start + Days::new(self.n_days()),
        }
    }

    /// The same day some buckets earlier; of a month that is too short its last day.
    #[must_use]
    pub fn back(self, date: NaiveDate, n_buckets: u32) -> NaiveDate {
        match self.n_months() {
            Some(n_months) => date.checked_sub_months(Months::new(n_months.saturating_mul(n_buckets))),
            None => date.checked_sub_days(Days::new(self.n_days() * u64::from(n_buckets))),
        }
        .unwrap_or(NaiveDate::MIN)
    }

    fn n_days(self) -> u64 {
        if self == Self::Week { 7 } else { 1 }
    }

    /// Last day of the bucket that holds `date`.
    #[must_use]
    pub fn end(self, date: NaiveDate) -> NaiveDate {
        self.next(date) - Days::new(1)
    }

    /// The bucket that starts on `start`, for people: `апрель 2024`, `II кв. 2024`, `I полугодие 2024`, `2024`.
    #[must_use]
    pub fn label(self, start: NaiveDate, lang: Lang) -> String {
        match self {
            Self::Day | Self::Week => format_date(start),
            Self::Month => format!("{} {}", month_name(start.month(), lang), start.year()),
            Self::Quarter => {
                let roman = ["I", "II", "III", "IV"][(start.month0() / 3) as usize];
                format!("{roman} {} {}", lang.pick("кв.", "quarter"), start.year())
            }
            Self::HalfYear => {
                let roman = if start.month() < 7 { "I" } else { "II" };
                format!("{roman} {} {}", lang.pick("полугодие", "half"), start.year())
            }
            Self::Year => start.year().to_string(),
        }
    }
}

impl fmt::Display for Grain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl FromStr for Grain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|grain| grain.code() == text.replace('-', "_")).ok_or_else(|| {
            format!("`{text}` is not a grain, expected `day`, `week`, `month`, `quarter`, `half_year` or `year`")
        })
    }
}

/// A range of local dates, both ends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Period {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
}

impl Period {
    /// The period of two points as users write them: `2024`, `2024-03`, `2024-Q2`, `2024-H1` or `2024-03-15`.
    ///
    /// # Errors
    /// A sentence, if a point cannot be read or the end lies before the start.
    pub fn parse(from: &str, to: &str) -> Result<Self, String> {
        let period = Self { from: parse_point(from)?.0, to: parse_point(to)?.1 };
        if period.to < period.from {
            return Err(format!("the period ends before it starts: `{from}` to `{to}`"));
        }
        Ok(period)
    }

    /// First days of the buckets that this period touches.
    #[must_use]
    pub fn buckets(self, grain: Grain) -> Vec<NaiveDate> {
        std::iter::successors(Some(grain.start(self.from)), |start| Some(grain.next(*start)))
            .take_while(|start| *start <= self.to)
            .collect()
    }

    /// The same days some buckets earlier. 29 February becomes 28 February; a period that ends with a month still does, so that
    /// the whole of February 2025 stands against the whole of February 2024.
    #[must_use]
    pub fn back(self, grain: Grain, n_buckets: u32) -> Self {
        let to = grain.back(self.to, n_buckets);
        let ends_month = grain.n_months().is_some() && self.from < self.to && Grain::Month.end(self.to) == self.to;
        Self { from: grain.back(self.from, n_buckets), to: if ends_month { Grain::Month.end(to) } else { to } }
    }

    /// The same days one year earlier, as [`Self::back`] has them.
    #[must_use]
    pub fn year_before(self) -> Self {
        self.back(Grain::Year, 1)
    }

    /// The same days of the ISO week with the same number one year earlier; none for week 53 where that year has 52.
    #[must_use]
    pub fn iso_year_before(self) -> Option<Self> {
        let shift = |day: NaiveDate| {
            let week = day.iso_week();
            NaiveDate::from_isoywd_opt(week.year() - 1, week.week(), day.weekday())
        };
        Some(Self { from: shift(self.from)?, to: shift(self.to)? })
    }

    /// The period of the same length that ends the day before this one starts; whole months go back by months.
    #[must_use]
    pub fn previous(self) -> Self {
        self.previous_part(self)
    }

    /// The same part of the period before this one: what the first ten days are compared with.
    #[must_use]
    pub fn previous_part(self, part: Self) -> Self {
        if self.from.day() == 1 && Grain::Month.end(self.to) == self.to {
            let n_months = (self.to.year() - self.from.year()) * 12 + self.to.month0().cast_signed()
                - self.from.month0().cast_signed()
                + 1;
            part.back(Grain::Month, n_months.unsigned_abs())
        } else {
            let n_days = u32::try_from((self.to - self.from).num_days() + 1).unwrap_or(u32::MAX);
            part.back(Grain::Day, n_days)
        }
    }

    /// The part up to a day, if there is one.
    #[must_use]
    pub fn until(self, day: NaiveDate) -> Option<Self> {
        (self.from <= day).then(|| Self { from: self.from, to: self.to.min(day) })
    }

    /// Whether `date` lies in the period.
    #[must_use]
    pub fn contains(self, date: NaiveDate) -> bool {
        (self.from..=self.to).contains(&date)
    }

    /// The period for people: `январь – октябрь 2026`, `01.01.2026 – 15.02.2026`.
    #[must_use]
    pub fn label(self, lang: Lang) -> String {
        let whole = |grain: Grain| grain.start(self.from) == self.from && grain.end(self.to) == self.to;
        if whole(Grain::Year) && self.from.year() == self.to.year() {
            return self.from.year().to_string();
        }
        if !whole(Grain::Month) {
            return format!("{} – {}", format_date(self.from), format_date(self.to));
        }
        let last = Grain::Month.label(self.to, lang);
        if Grain::Month.start(self.to) == self.from {
            last
        } else if self.from.year() == self.to.year() {
            format!("{} – {last}", month_name(self.from.month(), lang))
        } else {
            format!("{} – {last}", Grain::Month.label(self.from, lang))
        }
    }
}

/// First and last day of a point in time as users write it.
fn parse_point(text: &str) -> Result<(NaiveDate, NaiveDate), String> {
    let wrong = || format!("`{text}` is not a date, expected `2024`, `2024-H1`, `2024-Q2`, `2024-03` or `2024-03-15`");
    let parts: Vec<&str> = text.split('-').collect();
    if parts.first().is_none_or(|year| year.len() != 4 || !year.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(wrong());
    }
    let year: i32 = parts[0].parse().map_err(|_| wrong())?;
    let day = |month: u32, day: u32| NaiveDate::from_ymd_opt(year, month, day).ok_or_else(wrong);
    let number = |part: &str| match part.len() {
        2 => part.parse::<u32>().map_err(|_| wrong()),
        _ => Err(wrong()),
    };
    match parts.as_slice() {
        [_] => Ok((day(1, 1)?, day(12, 31)?)),
        [_, "H1" | "h1"] => Ok((day(1, 1)?, day(6, 30)?)),
        [_, "H2" | "h2"] => Ok((day(7, 1)?, day(12, 31)?)),
        [_, "Q1" | "q1"] => Ok((day(1, 1)?, day(3, 31)?)),
        [_, "Q2" | "q2"] => Ok((day(4, 1)?, day(6, 30)?)),
        [_, "Q3" | "q3"] => Ok((day(7, 1)?, day(9, 30)?)),
        [_, "Q4" | "q4"] => Ok((day(10, 1)?, day(12, 31)?)),
        [_, month] => {
            let start = day(number(month)?, 1)?;
            Ok((start, Grain::Month.end(start)))
        }
        [_, month, date] => {
            let date = day(number(month)?, number(date)?)?;
            Ok((date, date))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn points_are_read_to_both_ends() {
        assert_eq!(Period::parse("2024-02", "2024-02").unwrap().to, date("2024-02-29"));
        assert_eq!(Period::parse("2024", "2024-Q2").unwrap().to, date("2024-06-30"));
        for wrong in ["24", "2024-13", "2024-02-30", "2024-Q5", "2024-1", "вчера", "", "2024-01-01-01"] {
            assert!(Period::parse(wrong, "2025").is_err(), "{wrong}");
        }
        assert!(Period::parse("2025", "2024").is_err());
    }

    #[test]
    fn buckets_cover_the_period() {
        let period = Period::parse("2023-12-31", "2024-02-01").unwrap();
        assert_eq!(period.buckets(Grain::Month), [date("2023-12-01"), date("2024-01-01"), date("2024-02-01")]);
        assert_eq!(Grain::Week.start(date("2024-01-01")), date("2024-01-01"));
        assert_eq!(Grain::Quarter.end(date("2024-05-05")), date("2024-06-30"));
    }

    #[test]
    fn a_year_before_keeps_month_ends() {
        let year_before = Period::parse("2025-02", "2025-02").unwrap().year_before();
        assert_eq!(year_before, Period::parse("2024-02", "2024-02").unwrap());
        assert_eq!(
            Period::parse("2024-03", "2024-05").unwrap().previous(),
            Period::parse("2023-12", "2024-02").unwrap()
        );
        assert_eq!(Period::parse("2024-03-05", "2024-03-06").unwrap().previous().from, date("2024-03-03"));
    }

    #[test]
    fn a_part_is_compared_with_the_same_part() {
        let period = |from: &str, to: &str| Period { from: date(from), to: date(to) };
        // A leap day has no like a year earlier; a whole February has, and a February up to its last day is whole.
        assert_eq!(period("2024-02-29", "2024-02-29").year_before(), period("2023-02-28", "2023-02-28"));
        assert_eq!(period("2025-02-28", "2025-02-28").year_before(), period("2024-02-28", "2024-02-28"));
        assert_eq!(period("2025-01-01", "2025-02-28").year_before(), period("2024-01-01", "2024-02-29"));
        assert_eq!(period("2024-02-01", "2024-02-20").year_before(), period("2023-02-01", "2023-02-20"));
        // Months of unequal length.
        assert_eq!(period("2024-03-01", "2024-03-30").back(Grain::Month, 1), period("2024-02-01", "2024-02-29"));
        assert_eq!(period("2024-03-01", "2024-03-10").back(Grain::Quarter, 1), period("2023-12-01", "2023-12-10"));
        let quarter = Period::parse("2024-Q1", "2024-Q1").unwrap();
        assert_eq!(quarter.previous_part(period("2024-01-01", "2024-02-10")), period("2023-10-01", "2023-11-10"));
        assert_eq!(Period::parse("2024-H2", "2024-H2").unwrap().buckets(Grain::HalfYear), [date("2024-07-01")]);
    }

    #[test]
    fn week_53_has_no_like_in_a_year_of_52() {
        let week = |from: &str| Period { from: date(from), to: Grain::Week.end(date(from)) };
        // 2020 has 53 weeks, 2019 and 2021 have 52. Week 1 of 2021 starts on the 4th of January, of 2020 on the 30th of December.
        assert_eq!(week("2020-12-28").iso_year_before(), None);
        assert_eq!(week("2021-01-04").iso_year_before(), Some(week("2019-12-30")));
        assert_eq!(week("2021-12-27").iso_year_before(), Some(week("2020-12-21")));
    }
}
