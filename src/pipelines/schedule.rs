//! When a pipeline runs by itself.
//!
//! Knows the declared times only; what became of the last run, and who runs, is for those who keep the schedule.

use chrono::{DateTime, Duration, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use crate::declarations::{Problems, Source, Spanned};

/// Seconds of a run, if no limit is declared.
const DEFAULT_LIMIT_SECS: u64 = 6 * 3600;
/// Longest declared duration in seconds.
const MOST_SECS: u64 = 7 * 24 * 3600;

/// When the server runs a pipeline by itself, as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSchedule {
    /// Times in the region's time zone (`svod.yaml`) as 6 or 7 fields: second, minute, hour, day of month, month, day of week
    /// and, if wanted, year, e.g. `0 0 3 * * *` for every night at three. Days of the week by name: `MON-FRI`; as numbers they
    /// count from 1 for Sunday. A time that the clock skips comes right after the gap, one that it shows twice comes once.
    pub cron: Spanned<String>,
    /// Seconds over which starts are spread, so that pipelines do not fall upon one register together; 0 if absent.
    pub jitter_secs: Option<Spanned<u64>>,
    /// How often a run that failed is tried again; 2 if absent.
    pub retries: Option<Spanned<u64>>,
    /// Seconds before the first retry, twice as many before each next one; 300 if absent.
    pub retry_after_secs: Option<Spanned<u64>>,
    /// Seconds after which a run is stopped; what it has committed stays. Six hours if absent.
    pub time_limit_secs: Option<Spanned<u64>>,
}

/// When the server runs a pipeline by itself.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: cron::Schedule,
    time_zone: Tz,
    /// Over how long starts are spread.
    pub jitter: Duration,
    /// How often a run that failed is tried again.
    pub retries: u32,
    /// Wait before the first retry.
    pub retry_after: Duration,
    /// Time after which a run is stopped.
    pub time_limit: std::time::Duration,
}

impl Schedule {
    /// A schedule with the default of everything but its times.
    ///
    /// # Errors
    /// What is wrong with the expression, and what to do.
    pub fn parse(cron: &str, time_zone: Tz) -> Result<Self, (String, String)> {
        let n_fields = cron.split_whitespace().count();
        if !matches!(n_fields, 6 | 7) {
            let help = "the first field is seconds, e.g. \"0 0 3 * * *\"";
            return Err((format!("expected 6 or 7 fields, found {n_fields}"), help.to_owned()));
        }
        let parsed = cron.parse().map_err(|_: cron::error::Error| {
            let help = "second, minute, hour, day of month, month, day of week, e.g. \"0 30 3 * * MON-FRI\"";
            (format!("`{cron}` is not a time"), help.to_owned())
        })?;
        let schedule = Self {
            cron: parsed,
            time_zone,
            jitter: Duration::zero(),
            retries: 2,
            retry_after: Duration::minutes(5),
            time_limit: std::time::Duration::from_secs(DEFAULT_LIMIT_SECS),
        };
        match schedule.due_after(DateTime::UNIX_EPOCH) {
            Some(_) => Ok(schedule),
            None => Err((format!("`{cron}` never comes"), "is there such a day?".to_owned())),
        }
    }

    /// Checks a schedule; every problem goes to `problems`.
    pub(super) fn check(source: &Source, raw: &RawSchedule, time_zone: Tz, problems: &mut Problems) -> Option<Self> {
        let mut seconds = |key: &str, written: Option<&Spanned<u64>>, default: u64, least: u64| {
            let Some(written) = written else { return default };
            if !(least..=MOST_SECS).contains(&**written) {
                let message = format!("`{key}`: expected {least} to {MOST_SECS} seconds, found {}", **written);
                problems.push(source.problem(written, message));
            }
            **written
        };
        let jitter = seconds("jitter_secs", raw.jitter_secs.as_ref(), 0, 0);
        let retry_after = seconds("retry_after_secs", raw.retry_after_secs.as_ref(), 300, 1);
        let time_limit = seconds("time_limit_secs", raw.time_limit_secs.as_ref(), DEFAULT_LIMIT_SECS, 1);
        let retries = raw.retries.as_ref().map_or(2, |retries| {
            if **retries > 100 {
                problems.push(source.problem(retries, format!("`retries`: expected 0 to 100, found {}", **retries)));
            }
            u32::try_from(**retries).unwrap_or(u32::MAX)
        });
        match Self::parse(&raw.cron, time_zone) {
            Ok(schedule) => Some(Self {
                jitter: Duration::try_seconds(jitter.cast_signed()).unwrap_or_default(),
                retries,
                retry_after: Duration::try_seconds(retry_after.cast_signed()).unwrap_or_default(),
                time_limit: std::time::Duration::from_secs(time_limit),
                ..schedule
            }),
            Err((message, help)) => {
                problems.push(source.problem(&raw.cron, format!("`cron`: {message}")).help(help));
                None
            }
        }
    }

    /// The times as declared.
    #[must_use]
    pub fn cron(&self) -> &str {
        self.cron.source()
    }

    /// The first due time after a moment.
    ///
    /// The declared times are walked through as the clock on the wall shows them, and each is then found in the time zone.
    #[must_use]
    pub fn due_after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let wall = moment.with_timezone(&self.time_zone).naive_local();
        let times = self.cron.after(&wall.and_utc());
        times.filter_map(|time| self.on_the_clock(time.naive_utc())).find(|time| *time > moment)
    }

    /// The moment at which the clock on the wall first shows a time, or the end of the gap in which it does not.
    fn on_the_clock(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        let at =
            |wall: NaiveDateTime| self.time_zone.from_local_datetime(&wall).earliest().map(|moment| moment.to_utc());
        at(wall).or_else(|| {
            // A gap ends at a whole minute.
            let minute = wall - Duration::seconds(i64::from(chrono::Timelike::second(&wall)));
            (1..=24 * 60).find_map(|minutes| at(minute + Duration::minutes(minutes)))
        })
    }

    /// How much later than due a pipeline starts: the same for the same time, another one for another pipeline.
    #[must_use]
    pub fn jitter_of(&self, pipeline: &str, due_at: DateTime<Utc>) -> Duration {
        let most = self.jitter.num_seconds().unsigned_abs();
        let spread = xxh3_64(format!("{pipeline} {}", due_at.timestamp()).as_bytes()) % (most + 1);
        Duration::try_seconds(spread.cast_signed()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(cron: &str, zone: Tz, after: &str) -> String {
        let schedule = Schedule::parse(cron, zone).unwrap();
        schedule.due_after(after.parse().unwrap()).unwrap().to_rfc3339()
    }

    #[test]
    fn times_are_those_of_the_region() {
        let samara = Tz::Europe__Samara;
        assert_eq!(due("0 0 3 * * *", samara, "2026-11-10T22:59:59Z"), "2026-11-10T23:00:00+00:00");
        assert_eq!(due("0 0 3 * * *", samara, "2026-11-10T23:00:00Z"), "2026-11-11T23:00:00+00:00");
        assert_eq!(due("0 30 8 * * MON", samara, "2026-11-10T00:00:00Z"), "2026-11-16T04:30:00+00:00");
        assert_eq!(due("0 0 0 1 1 * 2030", samara, "2026-11-10T00:00:00Z"), "2029-12-31T20:00:00+00:00");
    }

    #[test]
    fn a_time_that_the_clock_skips_comes_right_after_the_gap() {
        // Berlin skips 02:00–03:00 on 29 March 2026.
        let berlin = Tz::Europe__Berlin;
        assert_eq!(due("0 30 2 * * *", berlin, "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00+00:00");
        assert_eq!(due("0 30 2 * * *", berlin, "2026-03-29T01:00:00Z"), "2026-03-30T00:30:00+00:00");
    }

    #[test]
    fn a_time_that_the_clock_shows_twice_comes_once() {
        // Berlin shows 02:00–03:00 twice on 25 October 2026.
        let berlin = Tz::Europe__Berlin;
        assert_eq!(due("0 30 2 * * *", berlin, "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00+00:00");
        assert_eq!(due("0 30 2 * * *", berlin, "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00+00:00");
        // Every twenty minutes there is a pause of an hour, and nothing is skipped or doubled around it.
        assert_eq!(due("0 */20 * * * *", berlin, "2026-10-25T00:40:00Z"), "2026-10-25T02:00:00+00:00");
        assert_eq!(due("0 */20 * * * *", berlin, "2026-10-25T01:10:00Z"), "2026-10-25T02:00:00+00:00");
    }

    #[test]
    fn wrong_times_are_explained() {
        for (cron, expected) in [
            ("0 3 * * *", "expected 6 or 7 fields, found 5"),
            ("@daily", "expected 6 or 7 fields, found 1"),
            ("0 0 25 * * *", "`0 0 25 * * *` is not a time"),
            ("0 0 3 31 2 *", "`0 0 3 31 2 *` never comes"),
        ] {
            assert_eq!(Schedule::parse(cron, Tz::UTC).unwrap_err().0, expected);
        }
    }

    #[test]
    fn jitter_is_bounded_steady_and_differs() {
        let schedule = Schedule { jitter: Duration::seconds(600), ..Schedule::parse("0 0 3 * * *", Tz::UTC).unwrap() };
        let due_at = "2026-11-10T03:00:00Z".parse().unwrap();
        let of = |pipeline: &str| schedule.jitter_of(pipeline, due_at);
        assert_eq!(of("journal"), of("journal"));
        let spread: std::collections::BTreeSet<Duration> = (0..50).map(|n| of(&format!("pipeline {n}"))).collect();
        assert!(spread.len() > 30 && spread.iter().all(|jitter| *jitter <= schedule.jitter), "{spread:?}");
        let none = Schedule { jitter: Duration::zero(), ..schedule };
        assert_eq!(none.jitter_of("journal", due_at), Duration::zero());
    }
}
