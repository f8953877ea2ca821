//! Dates and moments as registers write them.

use chrono::format::{Item, Numeric, StrftimeItems};
use chrono::{DateTime, Datelike, Days, Duration, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset};

pub use super::zone::ZoneClock;

/// How a date or a moment is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MomentFormat {
    writing: Writing,
    /// Whether a text in ISO 8601 is read as well.
    or_iso: bool,
    /// First year of the hundred years that a year of two digits means.
    century: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Writing {
    Iso,
    /// Days of Excel's calendar, with a fraction for the time of day.
    Serial,
    Pattern(Pattern),
}

/// A `chrono` pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    text: String,
    /// The pattern in parts of fixed width, where it has only such parts.
    parts: Option<Vec<Part>>,
    /// Whether the pattern names the offset from UTC.
    has_offset: bool,
    /// Whether the pattern names a time of day.
    has_time: bool,
    /// Whether the pattern names the year by two digits.
    has_two_digit_years: bool,
}

/// A part of fixed width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Literal(u8),
}

/// What a text says, and the offset from UTC in seconds if it says one.
type Reading = (NaiveDateTime, Option<i32>);

impl MomentFormat {
    /// ISO 8601: `2024-03-25`, `2024-03-25T10:30:00+04:00`, `2024-03-25 10:30`.
    #[must_use]
    pub fn iso() -> Self {
        Self { writing: Writing::Iso, or_iso: false, century: None }
    }

    /// A `chrono` pattern, or `excel` for days of Excel's calendar; perhaps ISO 8601 as well.
    ///
    /// # Errors
    /// What is wrong with it, if a date cannot be read by it.
    pub fn from_pattern(pattern: &str, or_iso: bool) -> Result<Self, String> {
        if pattern == "excel" {
            return Ok(Self { writing: Writing::Serial, or_iso, century: None });
        }
        let writing = Pattern::new(pattern)?;
        let iso = "2024-02-01";
        if or_iso && writing.read(iso).is_some_and(|reading| Some(reading) != read_iso(iso.as_bytes())) {
            return Err(format!("by `{pattern}` the first of February in a date cell, `{iso}`, is another day"));
        }
        Ok(Self { writing: Writing::Pattern(writing), or_iso, century: None })
    }

    /// Whether the year is written by two digits, which says nothing without [`Self::with_century`].
    #[must_use]
    pub fn has_two_digit_years(&self) -> bool {
        matches!(&self.writing, Writing::Pattern(pattern) if pattern.has_two_digit_years)
    }

    /// The format whose years of two digits mean the hundred years from `first` on.
    #[must_use]
    pub fn with_century(self, first: Option<i32>) -> Self {
        Self { century: first, ..self }
    }

    /// The day that a text says; time of day and offset, if there, are left out.
    #[must_use]
    pub fn date(&self, text: &str) -> Option<NaiveDate> {
        self.read(text).map(|(moment, _)| moment.date())
    }

    /// The moment that a text says, in microseconds of UTC.
    pub fn moment(&self, text: &str, clock: &mut ZoneClock) -> Option<i64> {
        let (local, offset) = self.read(text)?;
        match offset {
            Some(seconds) => Some(local.and_utc().timestamp_micros() - i64::from(seconds) * 1_000_000),
            None => clock.utc_of_local(local),
        }
    }

    fn read(&self, text: &str) -> Option<Reading> {
        let reading = match &self.writing {
            Writing::Iso => read_iso(text.as_bytes()),
            Writing::Serial => read_serial(text),
            Writing::Pattern(pattern) if pattern.has_two_digit_years => {
                pattern.read(text).and_then(|(moment, offset)| Some((self.in_century(moment)?, offset)))
            }
            Writing::Pattern(pattern) => pattern.read(text),
        };
        let reading = if self.or_iso { reading.or_else(|| read_iso(text.as_bytes())) } else { reading };
        // A year of two digits is never guessed.
        reading.filter(|(moment, _)| (1000..=9999).contains(&moment.year()))
    }

    /// The moment in the hundred years that two digits of a year mean.
    fn in_century(&self, moment: NaiveDateTime) -> Option<NaiveDateTime> {
        let first = self.century?;
        moment.with_year(first + (moment.year() - first).rem_euclid(100))
    }

    /// Whether a text that is not read would be but for the two digits of its year.
    #[must_use]
    pub fn is_year_short(&self, text: &str) -> bool {
        match &self.writing {
            Writing::Pattern(pattern) => {
                !pattern.has_two_digit_years
                    && pattern.read(text).is_some_and(|(moment, _)| (0..100).contains(&moment.year()))
            }
            Writing::Iso | Writing::Serial => false,
        }
    }

    /// How the format is called in a sentence, e.g. `дд.мм.гггг`.
    #[must_use]
    pub fn describe(&self) -> String {
        let pattern = match &self.writing {
            Writing::Iso => return "гггг-мм-дд".to_owned(),
            Writing::Serial => return "45376 (число дней в Excel)".to_owned(),
            Writing::Pattern(pattern) => &pattern.text,
        };
        let names = [
            ("%F", "гггг-мм-дд"),
            ("%T", "чч:мм:сс"),
            ("%Y", "гггг"),
            ("%y", "гг"),
            ("%m", "мм"),
            ("%d", "дд"),
            ("%H", "чч"),
            ("%M", "мм"),
            ("%S", "сс"),
        ];
        names.iter().fold(pattern.clone(), |text, (code, name)| text.replace(code, name))
    }
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self, String> {
        if StrftimeItems::new(pattern).any(|item| matches!(item, Item::Error)) {
            return Err(format!("`{pattern}` is not a date pattern"));
        }
        let sample = NaiveDate::from_ymd_opt(2024, 3, 25).and_then(|date| date.and_hms_opt(14, 30, 15));
        let sample = sample
            .unwrap_or_default()
            .and_utc()
            .with_timezone(&FixedOffset::east_opt(4 * 3600).unwrap_or(chrono::Utc.fix()));
        let mut text = String::new();
        let written = std::fmt::Write::write_fmt(&mut text, format_args!("{}", sample.format(pattern)));
        let is_short = |item| matches!(item, Item::Numeric(Numeric::YearMod100 | Numeric::IsoYearMod100, _));
        let mut format = Self {
            text: pattern.to_owned(),
            parts: fixed_parts(pattern),
            has_offset: DateTime::parse_from_str(&text, pattern).is_ok(),
            has_time: true,
            has_two_digit_years: StrftimeItems::new(pattern).any(is_short),
        };
        format.has_time = format.has_offset || NaiveDateTime::parse_from_str(&text, pattern).is_ok();
        let reads = format.read(&text).is_some_and(|(moment, _)| moment.date() == sample.date_naive());
        if written.is_ok() && reads {
            Ok(format)
        } else {
            Err(format!("`{pattern}` does not name year, month and day"))
        }
    }

    fn read(&self, text: &str) -> Option<Reading> {
        let fixed = self.parts.as_ref().and_then(|parts| read_parts(text.as_bytes(), parts));
        fixed.or_else(|| self.read_by_chrono(text))
    }

    fn read_by_chrono(&self, text: &str) -> Option<Reading> {
        if self.has_offset {
            let moment = DateTime::parse_from_str(text, &self.text).ok()?;
            Some((moment.naive_local(), Some(moment.offset().local_minus_utc())))
        } else if self.has_time {
            NaiveDateTime::parse_from_str(text, &self.text).ok().map(|moment| (moment, None))
        } else {
            let date = NaiveDate::parse_from_str(text, &self.text).ok()?;
            Some((date.and_time(NaiveTime::MIN), None))
        }
    }
}

/// A pattern in parts of fixed width, if it has only such parts.
fn fixed_parts(pattern: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut bytes = pattern.bytes();
    while let Some(byte) = bytes.next() {
        parts.push(match byte {
            b'%' => match bytes.next()? {
                b'Y' => Part::Year,
                b'm' => Part::Month,
                b'd' => Part::Day,
                b'H' => Part::Hour,
                b'M' => Part::Minute,
                b'S' => Part::Second,
                _ => return None,
            },
            b' ' => return None,
            literal => Part::Literal(literal),
        });
    }
    Some(parts)
}

fn read_parts(text: &[u8], parts: &[Part]) -> Option<Reading> {
    let (mut year, mut month, mut day, mut hour, mut minute, mut second) = (0, 0, 0, 0, 0, 0);
    let mut at = 0;
    for part in parts {
        let (target, width) = match part {
            Part::Year => (&mut year, 4),
            Part::Month => (&mut month, 2),
            Part::Day => (&mut day, 2),
            Part::Hour => (&mut hour, 2),
            Part::Minute => (&mut minute, 2),
            Part::Second => (&mut second, 2),
            Part::Literal(literal) => {
                if text.get(at) != Some(literal) {
                    return None;
                }
                at += 1;
                continue;
            }
        };
        *target = digits(text, at, width)?;
        at += width;
    }
    if at != text.len() {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some((date.and_hms_opt(hour, minute, second)?, None))
}

/// `2024-03-25`, then perhaps `T` or a space, hours and minutes, seconds, their fraction, `Z` or an offset.
fn read_iso(text: &[u8]) -> Option<Reading> {
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(digits(text, 0, 4)?).ok()?,
        expect_byte(text, 4, b'-').and_then(|()| digits(text, 5, 2))?,
        expect_byte(text, 7, b'-').and_then(|()| digits(text, 8, 2))?,
    )?;
    if text.len() == 10 {
        return Some((date.and_time(NaiveTime::MIN), None));
    }
    if !matches!(text.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let hour = digits(text, 11, 2)?;
    let minute = expect_byte(text, 13, b':').and_then(|()| digits(text, 14, 2))?;
    let mut at = 16;
    let (mut second, mut micros) = (0, 0);
    if text.get(at) == Some(&b':') {
        second = digits(text, 17, 2)?;
        at = 19;
        if matches!(text.get(at), Some(b'.' | b',')) {
            let n_digits = text.iter().skip(at + 1).take_while(|byte| byte.is_ascii_digit()).count();
            let kept = n_digits.min(6);
            micros = digits(text, at + 1, kept)? * 10_u32.pow(u32::try_from(6 - kept).ok()?);
            if n_digits == 0 {
                return None;
            }
            at += 1 + n_digits;
        }
    }
    let moment = date.and_hms_micro_opt(hour, minute, second, micros)?;
    let sign = match text.get(at) {
        None => return Some((moment, None)),
        Some(b'Z' | b'z') if text.len() == at + 1 => return Some((moment, Some(0))),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return None,
    };
    let hours = digits(text, at + 1, 2)?;
    let minutes = match text.len() - at {
        3 => 0,
        5 => digits(text, at + 3, 2)?,
        6 => expect_byte(text, at + 3, b':').and_then(|()| digits(text, at + 4, 2))?,
        _ => return None,
    };
    let offset = i32::try_from(hours * 3600 + minutes * 60).ok().filter(|_| hours < 24 && minutes < 60)?;
    Some((moment, Some(sign * offset)))
}

/// Days of Excel's calendar: 1 is the first of January 1900, and 60 a 29 February 1900 that never was. A fraction is the time of day.
fn read_serial(text: &str) -> Option<Reading> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let days: u64 = whole.parse().ok().filter(|days| (1..=2_958_465).contains(days) && *days != 60)?;
    let epoch = NaiveDate::from_ymd_opt(1899, 12, if days < 60 { 31 } else { 30 })?;
    let shown = fraction.get(..fraction.len().min(15))?;
    let scale = 10_u128.pow(u32::try_from(shown.len()).ok()?);
    let parts: u128 = if shown.is_empty() { 0 } else { shown.parse().ok()? };
    // Excel keeps moments to about a millisecond.
    let millis = (parts * 86_400_000 + scale / 2) / scale;
    let moment = epoch.checked_add_days(Days::new(days))?.and_time(NaiveTime::MIN);
    Some((moment.checked_add_signed(Duration::milliseconds(i64::try_from(millis).ok()?))?, None))
}

fn expect_byte(text: &[u8], at: usize, byte: u8) -> Option<()> {
    (text.get(at) == Some(&byte)).then_some(())
}

/// A number of exactly so many decimal digits.
fn digits(text: &[u8], at: usize, width: usize) -> Option<u32> {
    let mut number = 0;
    for byte in text.get(at..at + width)? {
        number = number * 10 + u32::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn from_pattern(pattern: &str) -> Result<MomentFormat, String> {
        MomentFormat::from_pattern(pattern, false)
    }

    fn utc(format: &MomentFormat, text: &str) -> Option<String> {
        let micros = format.moment(text, &mut ZoneClock::new(Tz::Europe__Samara))?;
        Some(DateTime::from_timestamp_micros(micros)?.to_rfc3339())
    }

    #[test]
    fn iso_moments_are_read_with_and_without_offset() {
        let iso = MomentFormat::iso();
        let cases = [
            ("2024-03-25T10:30:00+04:00", Some("2024-03-25T06:30:00+00:00")),
            ("2024-03-25T10:30:00Z", Some("2024-03-25T10:30:00+00:00")),
            ("2024-03-25 10:30:00.25", Some("2024-03-25T06:30:00.250+00:00")),
            ("2024-03-25T10:30", Some("2024-03-25T06:30:00+00:00")),
            ("2024-03-25", Some("2024-03-24T20:00:00+00:00")),
            ("2024-03-25T10:30:00-0330", Some("2024-03-25T14:00:00+00:00")),
            ("2024-02-30", None),
            ("2024-03-25T25:00", None),
            ("2024-03-25T10:30:00+04:00 ", None),
            ("0024-03-25", None),
            ("25.03.2024", None),
        ];
        for (text, expected) in cases {
            assert_eq!(utc(&iso, text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn patterns_are_read() {
        let date = from_pattern("%d.%m.%Y").unwrap();
        assert_eq!(date.date("29.02.2024"), NaiveDate::from_ymd_opt(2024, 2, 29));
        assert_eq!(date.date("9.2.2024"), NaiveDate::from_ymd_opt(2024, 2, 9));
        assert_eq!(date.date("31.02.2024"), None);
        assert_eq!(date.date("29.02.24"), None);
        assert_eq!(date.describe(), "дд.мм.гггг");
        let moment = from_pattern("%d.%m.%Y %H:%M").unwrap();
        assert_eq!(utc(&moment, "25.03.2024 10:30").as_deref(), Some("2024-03-25T06:30:00+00:00"));
        assert_eq!(moment.describe(), "дд.мм.гггг чч:мм");
    }

    #[test]
    fn patterns_without_a_whole_date_are_refused() {
        assert_eq!(from_pattern("%d.%m").unwrap_err(), "`%d.%m` does not name year, month and day");
        assert_eq!(from_pattern("%Q").unwrap_err(), "`%Q` is not a date pattern");
    }

    #[test]
    fn years_of_two_digits_are_told_their_century_or_refused() {
        let date = from_pattern("%d.%m.%y").unwrap();
        assert!(date.has_two_digit_years() && from_pattern("%D").unwrap().has_two_digit_years());
        assert_eq!(date.date("29.02.24"), None);
        let date = date.with_century(Some(1930));
        assert_eq!(date.date("29.02.24"), NaiveDate::from_ymd_opt(2024, 2, 29));
        assert_eq!(date.date("31.12.29"), NaiveDate::from_ymd_opt(2029, 12, 31));
        assert_eq!(date.date("01.01.30"), NaiveDate::from_ymd_opt(1930, 1, 1));
        assert_eq!(date.date("01.01.2030"), None);
        assert_eq!(date.describe(), "дд.мм.гг");
        let four = from_pattern("%d.%m.%Y").unwrap();
        assert!(four.is_year_short("29.02.24") && !four.is_year_short("29.02.2024") && !four.is_year_short("x"));
    }

    #[test]
    fn days_of_excel_are_read() {
        let serial = from_pattern("excel").unwrap();
        assert_eq!(serial.date("45376"), NaiveDate::from_ymd_opt(2024, 3, 25));
        assert_eq!(serial.date("45376.0"), NaiveDate::from_ymd_opt(2024, 3, 25));
        assert_eq!(utc(&serial, "45376,4375").as_deref(), Some("2024-03-25T06:30:00+00:00"));
        assert_eq!(utc(&serial, "45376.430555555556").as_deref(), Some("2024-03-25T06:20:00+00:00"));
        assert_eq!(serial.date("1"), NaiveDate::from_ymd_opt(1900, 1, 1));
        assert_eq!(serial.date("59"), NaiveDate::from_ymd_opt(1900, 2, 28));
        assert_eq!(serial.date("61"), NaiveDate::from_ymd_opt(1900, 3, 1));
        assert_eq!(serial.date("2958465"), NaiveDate::from_ymd_opt(9999, 12, 31));
        for text in ["60", "0", "2958466", "-1", "", ".5", "1e3", "25.03.2024", "99999999999999999999999"] {
            assert_eq!(serial.date(text), None, "{text}");
        }
    }

    #[test]
    fn a_workbook_writes_dates_in_iso_beside_the_pattern() {
        let date = MomentFormat::from_pattern("%d.%m.%Y", true).unwrap();
        assert_eq!(date.date("25.03.2024"), date.date("2024-03-25"));
        assert_eq!(date.date("25/03/2024"), None);
        let problem = MomentFormat::from_pattern("%Y-%d-%m", true).unwrap_err();
        assert_eq!(problem, "by `%Y-%d-%m` the first of February in a date cell, `2024-02-01`, is another day");
    }
}
