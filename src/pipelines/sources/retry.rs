//! How often and how long to wait for somebody who does not answer.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt;

/// When a failed request is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Retries {
    /// How often it is tried at most.
    pub attempts: u32,
    /// Wait after the first failure.
    pub first_wait: Duration,
    /// Longest wait.
    pub longest_wait: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 6, first_wait: Duration::from_secs(1), longest_wait: Duration::from_mins(5) }
    }
}

impl Retries {
    /// How long to wait after so many failures, from 1; none if it is time to give up.
    ///
    /// The wait doubles with each failure. Half of it is chance, so that many clients of a restarted server do not come back at once.
    #[must_use]
    pub fn wait(&self, n_failures: u32) -> Option<Duration> {
        if n_failures >= self.attempts {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(2_u32.saturating_pow(n_failures.saturating_sub(1)));
        let whole = doubled.min(self.longest_wait);
        Some(whole.mul_f64(rand::rng().random_range(0.5..=1.0)))
    }
}

/// The wait that a `Retry-After` header asks for: seconds, or a moment.
#[must_use]
pub fn retry_after(header: &str, now: DateTime<Utc>) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = DateTime::<Utc>::from(httpdate::parse_http_date(header).ok()?);
    Some((moment - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let retries = Retries { attempts: 5, first_wait: Duration::from_secs(1), longest_wait: Duration::from_secs(5) };
        for (n_failures, longest) in [(1, 1), (2, 2), (3, 4), (4, 5)] {
            let wait = retries.wait(n_failures).unwrap().as_secs_f64();
            let longest = f64::from(longest);
            assert!((longest / 2.0..=longest).contains(&wait), "{n_failures}: {wait}");
        }
        assert_eq!(retries.wait(5), None);
        assert!(Retries { attempts: 1000, ..retries }.wait(900).is_some());
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_moment() {
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Tue, 24 Nov 2026 10:01:30 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Tue, 24 Nov 2026 09:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
