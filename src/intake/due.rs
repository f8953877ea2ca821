//! When a pipeline runs next, by its schedule and what became of its last run.
//!
//! Pure: it is asked with the last record, so a restart of the server changes nothing.

use chrono::{DateTime, Duration, Utc};

use super::record::{RunRecord, RunState, Starter};
use crate::pipelines::Schedule;

/// Longest wait before a retry.
const LONGEST_WAIT: Duration = Duration::days(1);

/// What matters of a pipeline's last run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRun {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// Whether everything was taken.
    pub ended_well: bool,
    /// For a run of the schedule when it was due, and which attempt it was.
    pub due: Option<(DateTime<Utc>, u32)>,
}

impl LastRun {
    /// What a record says about a pipeline; none if the run does not count for its schedule: another pipeline, a part of time
    /// only, or a run by hand that failed.
    #[must_use]
    pub fn of(record: &RunRecord, pipeline: &str) -> Option<Self> {
        let run = record.of_pipeline(pipeline).filter(|_| record.is_ordinary())?;
        let ended_well = run.state == RunState::Done && record.failures.is_empty();
        let due = match record.started_by {
            Starter::Schedule { due_at, attempt } => Some((due_at, attempt)),
            Starter::Cli { .. } | Starter::Api | Starter::Watch => None,
        };
        if due.is_none() && !ended_well {
            return None;
        }
        Some(Self { started_at: record.started_at, finished_at: record.finished_at?, ended_well, due })
    }
}

/// The next run of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRun {
    /// When it begins, or as soon as possible after that.
    pub at: DateTime<Utc>,
    /// When it is due by the schedule.
    pub due_at: DateTime<Utc>,
    /// Which attempt it is, from 1.
    pub attempt: u32,
}

/// When a pipeline runs next; `began_at` is when somebody began to keep its schedule, for a pipeline that never ran.
///
/// However many times were missed, they are caught up by one run. A run that failed is tried again, later each time, unless the next
/// due time comes first. A last run in the future (the clock was set back) counts as of now.
#[must_use]
pub fn next_run(
    pipeline: &str,
    schedule: &Schedule,
    last: Option<&LastRun>,
    began_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<NextRun> {
    let after = last.map_or(began_at, |last| last.started_at).min(now);
    let due_at = schedule.due_after(after)?;
    let regular = NextRun { at: due_at + schedule.jitter_of(pipeline, due_at), due_at, attempt: 1 };
    let retry = last.filter(|last| !last.ended_well).and_then(|last| {
        let (due_at, attempt) = last.due.filter(|(_, attempt)| *attempt <= schedule.retries)?;
        let doubled = i32::try_from(2_u64.saturating_pow(attempt.saturating_sub(1))).unwrap_or(i32::MAX);
        let wait = schedule.retry_after.checked_mul(doubled).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        Some(NextRun { at: last.finished_at.min(now) + wait, due_at, attempt: attempt + 1 })
    });
    Some(retry.filter(|retry| retry.at < regular.at).unwrap_or(regular))
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn moment(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn nightly() -> Schedule {
        let mut schedule = Schedule::parse("0 0 3 * * *", Tz::UTC).unwrap();
        (schedule.retries, schedule.retry_after) = (2, Duration::minutes(10));
        schedule
    }

    fn next(last: Option<&LastRun>, now: &str) -> (String, u32) {
        let next = next_run("journal", &nightly(), last, moment("2026-11-10T12:00:00Z"), moment(now)).unwrap();
        (next.at.format("%d %H:%M").to_string(), next.attempt)
    }

    fn last(started: &str, ended_well: bool, due: Option<(&str, u32)>) -> LastRun {
        let started_at = moment(started);
        let due = due.map(|(due, attempt)| (moment(due), attempt));
        LastRun { started_at, finished_at: started_at + Duration::minutes(5), ended_well, due }
    }

    #[test]
    fn a_pipeline_that_never_ran_waits_for_its_time() {
        assert_eq!(next(None, "2026-11-10T12:00:00Z"), ("11 03:00".to_owned(), 1));
    }

    #[test]
    fn missed_times_are_caught_up_by_one_run() {
        let three_days_ago = last("2026-11-08T03:00:00Z", true, None);
        assert_eq!(next(Some(&three_days_ago), "2026-11-11T09:00:00Z"), ("09 03:00".to_owned(), 1));
        let caught_up = last("2026-11-11T09:00:00Z", true, Some(("2026-11-09T03:00:00Z", 1)));
        assert_eq!(next(Some(&caught_up), "2026-11-11T09:05:00Z"), ("12 03:00".to_owned(), 1));
    }

    #[test]
    fn a_failure_is_tried_again_later_each_time_and_not_for_ever() {
        let now = "2026-11-11T03:06:00Z";
        let failed = |attempt| last("2026-11-11T03:00:00Z", false, Some(("2026-11-11T03:00:00Z", attempt)));
        assert_eq!(next(Some(&failed(1)), now), ("11 03:15".to_owned(), 2));
        assert_eq!(next(Some(&failed(2)), now), ("11 03:25".to_owned(), 3));
        assert_eq!(next(Some(&failed(3)), now), ("12 03:00".to_owned(), 1));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_the_schedule() {
        let future = last("2027-11-11T03:00:00Z", true, None);
        assert_eq!(next(Some(&future), "2026-11-11T09:00:00Z"), ("12 03:00".to_owned(), 1));
    }
}
