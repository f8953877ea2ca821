//! The one place that reads the current time, so that a test or `SVOD_NOW` can stand in for it.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// Environment variable with an RFC 3339 time that stands in for the present moment.
pub const NOW_VARIABLE: &str = "SVOD_NOW";

/// Source of the present moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A moment that does not move.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// The machine's clock, or the moment in [`NOW_VARIABLE`] where that is set and readable.
    #[must_use]
    pub fn from_environment() -> Self {
        std::env::var(NOW_VARIABLE)
            .ok()
            .and_then(|text| DateTime::parse_from_rfc3339(&text).ok())
            .map_or(Self::System, |moment| Self::Fixed(moment.to_utc()))
    }

    /// The present moment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
    pub fn now(self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now(),
            Self::Fixed(moment) => moment,
        }
    }

    /// The same clock if it has come to a moment, which is known to have been; else that moment, since time does not run backwards.
    #[must_use]
    pub fn not_before(self, moment: DateTime<Utc>) -> Self {
        if self.now() < moment { Self::Fixed(moment) } else { self }
    }

    /// The present date in a region's own time zone.
    #[must_use]
    pub fn today(self, time_zone: Tz) -> NaiveDate {
        self.now().with_timezone(&time_zone).date_naive()
    }
}
