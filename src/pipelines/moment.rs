//! Dates and moments as registers write them, and the time zone they mean.

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Datelike, Duration, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

/// How a date or a moment is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MomentFormat {
    /// The `chrono` pattern; none for ISO 8601.
    pattern: Option<String>,
    /// The pattern in parts of fixed width, where it has only such parts.
    parts: Option<Vec<Part>>,
    /// Whether the pattern names the offset from UTC.
    has_offset: bool,
    /// Whether the pattern names a time of day.
    has_time: bool,
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
        Self { pattern: None, parts: None, has_offset: true, has_time: true }
    }

    /// A `chrono` pattern.
    ///
    /// # Errors
    /// What is wrong with it, if a date cannot be read by it.
    pub fn from_pattern(pattern: &str) -> Result<Self, String> {
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
        let mut format = Self {
            pattern: Some(pattern.to_owned()),
            parts: fixed_parts(pattern),
            has_offset: DateTime::parse_from_str(&text, pattern).is_ok(),
            has_time: true,
        };
        format.has_time = format.has_offset || NaiveDateTime::parse_from_str(&text, pattern).is_ok();
        let reads = format.read(&text).is_some_and(|(moment, _)| moment.date() == sample.date_naive());
        if written.is_ok() && reads {
            Ok(format)
        } else {
            Err(format!("`{pattern}` does not name year, month and day"))
        }
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
        let reading = match (&self.pattern, &self.parts) {
            (None, _) => read_iso(text.as_bytes()),
            (Some(pattern), Some(parts)) => {
                read_parts(text.as_bytes(), parts).or_else(|| self.read_pattern(text, pattern))
            }
            (Some(pattern), None) => self.read_pattern(text, pattern),
        };
        // A year of two digits is never guessed.
        reading.filter(|(moment, _)| (1000..=9999).contains(&moment.year()))
    }

    fn read_pattern(&self, text: &str, pattern: &str) -> Option<Reading> {
        if self.has_offset {
            let moment = DateTime::parse_from_str(text, pattern).ok()?;
            Some((moment.naive_local(), Some(moment.offset().local_minus_utc())))
        } else if self.has_time {
            NaiveDateTime::parse_from_str(text, pattern).ok().map(|moment| (moment, None))
        } else {
            let date = NaiveDate::parse_from_str(text, pattern).ok()?;
            Some((date.and_time(NaiveTime::MIN), None))
        }
    }

    /// How the format is called in a sentence, e.g. `дд.мм.гггг`.
    #[must_use]
    pub fn describe(&self) -> String {
        let Some(pattern) = &self.pattern else { return "гггг-мм-дд".to_owned() };
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

/// Offsets of a time zone, remembered by quarter of an hour, since events of one file crowd into few of them.
#[derive(Debug, Clone)]
pub struct ZoneClock {
    zone: Tz,
    by_local: Vec<(i64, i64)>,
    by_utc: Vec<(i64, i64)>,
}

/// Microseconds of a quarter of an hour; no zone of this century changes its offset inside one.
const QUARTER: i64 = 15 * 60 * 1_000_000;
/// Quarters remembered at once, in each direction.
const N_QUARTERS: i64 = 1 << 12;
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

impl ZoneClock {
    /// The clock of a zone.
    #[must_use]
    pub fn new(zone: Tz) -> Self {
        let nothing = vec![(i64::MIN, 0); 1 << 12];
        Self { zone, by_local: nothing.clone(), by_utc: nothing }
    }

    /// Microseconds of UTC at a local time. A time that the clock shows twice is the earlier one; one that it skips is an hour later.
    pub fn utc_of_local(&mut self, local: NaiveDateTime) -> Option<i64> {
        let micros = local.and_utc().timestamp_micros();
        let quarter = micros.div_euclid(QUARTER);
        let slot = self.by_local.get_mut(usize::try_from(quarter.rem_euclid(N_QUARTERS)).ok()?)?;
        if slot.0 != quarter {
            let moment =
                self.zone.from_local_datetime(&local).earliest().or_else(|| {
                    self.zone.from_local_datetime(&local.checked_add_signed(Duration::hours(1))?).earliest()
                })?;
            *slot = (quarter, i64::from(moment.offset().fix().local_minus_utc()) * 1_000_000);
        }
        Some(micros - slot.1)
    }

    /// Microseconds of UTC at the start of a local day, given in days since 1970.
    pub fn utc_of_day(&mut self, days: i32) -> Option<i64> {
        let local = DateTime::from_timestamp_micros(i64::from(days) * DAY)?.naive_utc();
        self.utc_of_local(local)
    }

    /// The local day, in days since 1970, of a moment in microseconds of UTC.
    pub fn day_of_utc(&mut self, micros: i64) -> Option<i32> {
        let quarter = micros.div_euclid(QUARTER);
        let slot = self.by_utc.get_mut(usize::try_from(quarter.rem_euclid(N_QUARTERS)).ok()?)?;
        if slot.0 != quarter {
            let moment = DateTime::from_timestamp_micros(micros)?.naive_utc();
            let offset = self.zone.offset_from_utc_datetime(&moment).fix().local_minus_utc();
            *slot = (quarter, i64::from(offset) * 1_000_000);
        }
        i32::try_from((micros + slot.1).div_euclid(DAY)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let date = MomentFormat::from_pattern("%d.%m.%Y").unwrap();
        assert_eq!(date.date("29.02.2024"), NaiveDate::from_ymd_opt(2024, 2, 29));
        assert_eq!(date.date("9.2.2024"), NaiveDate::from_ymd_opt(2024, 2, 9));
        assert_eq!(date.date("31.02.2024"), None);
        assert_eq!(date.date("29.02.24"), None);
        assert_eq!(date.describe(), "дд.мм.гггг");
        let moment = MomentFormat::from_pattern("%d.%m.%Y %H:%M").unwrap();
        assert_eq!(utc(&moment, "25.03.2024 10:30").as_deref(), Some("2024-03-25T06:30:00+00:00"));
        assert_eq!(moment.describe(), "дд.мм.гггг чч:мм");
    }

    #[test]
    fn patterns_without_a_whole_date_are_refused() {
        assert_eq!(MomentFormat::from_pattern("%d.%m").unwrap_err(), "`%d.%m` does not name year, month and day");
        assert_eq!(MomentFormat::from_pattern("%Q").unwrap_err(), "`%Q` is not a date pattern");
    }

    #[test]
    fn days_turn_at_local_midnight() {
        let mut clock = ZoneClock::new(Tz::Europe__Samara);
        let midnight = clock.utc_of_day(19_807).unwrap();
        assert_eq!(clock.day_of_utc(midnight), Some(19_807));
        assert_eq!(clock.day_of_utc(midnight - 1), Some(19_806));
    }
}
