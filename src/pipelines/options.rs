//! What a run is asked for beyond "what is new", and how it is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::domain::period::Period;

/// What a run of pipelines takes.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Local days of which rows are taken: those with at least one of their event dates in it. Everything that the source
    /// has is considered again then. A row whose dates cannot be read is judged in any case, since nobody knows where it belongs.
    pub period: Option<Period>,
    /// Whether what was read before and is as it was is read again.
    pub full: bool,
    /// Whether the columns of each file are compared with the declared ones.
    pub compare_columns: bool,
    /// How the run is stopped before its end.
    pub stop: Stop,
}

impl RunOptions {
    /// Whether units are read again that were read before.
    #[must_use]
    pub fn reads_again(&self) -> bool {
        self.full || self.period.is_some()
    }
}

/// Why a run was stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// Its time was up.
    #[error("it took longer than its time limit of {limit_secs} seconds")]
    TimeLimit {
        /// The declared limit.
        limit_secs: u64,
    },
    /// The program ends.
    #[error("the program was asked to stop")]
    Asked,
}

/// Tells a run to stop, from outside or by a time limit. Clones stop together.
///
/// It is asked between two blocks of rows and between two units, so that nothing is half committed.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    limit: Option<(Instant, Duration)>,
}

impl Stop {
    /// The same, with a time limit that begins now.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        Self { asked: Arc::clone(&self.asked), limit: Some((Instant::now(), limit)) }
    }

    /// Asks all clones to stop.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Why the run has to stop now, if it has to.
    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        if self.is_asked() {
            return Some(StopReason::Asked);
        }
        let (started, limit) = self.limit?;
        (started.elapsed() >= limit).then_some(StopReason::TimeLimit { limit_secs: limit.as_secs() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_stop_together_and_a_limit_is_of_one() {
        let stop = Stop::default();
        let limited = stop.within(Duration::ZERO);
        assert_eq!(limited.reason(), Some(StopReason::TimeLimit { limit_secs: 0 }));
        assert_eq!(stop.reason(), None);
        limited.ask();
        assert_eq!(stop.reason(), Some(StopReason::Asked));
    }
}
