//! What a local time means in UTC, and back.

use chrono::{DateTime, Duration, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

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

    #[test]
    fn days_turn_at_local_midnight() {
        let mut clock = ZoneClock::new(Tz::Europe__Samara);
        let midnight = clock.utc_of_day(19_807).unwrap();
        assert_eq!(clock.day_of_utc(midnight), Some(19_807));
        assert_eq!(clock.day_of_utc(midnight - 1), Some(19_806));
    }
}
