//! What a pipeline declares of its pushes, checked.

use std::ops::RangeInclusive;

use super::format::RawFormat;
use super::source_declaration::{RawOnBadRows, RawPush};
use super::sources::push::{OnBadRows, PushOptions};
use crate::declarations::{Problems, Source, Spanned};

/// Longest body that may be declared, since a body is held in memory.
const MAX_BODY_BYTES: u64 = 256 << 20;

/// Checks the limits, and that the format is the one in which rows are pushed.
pub(super) fn check_push(
    source: &Source,
    push: &Spanned<RawPush>,
    format: Option<&RawFormat>,
    problems: &mut Problems,
) -> PushOptions {
    if !matches!(format, Some(RawFormat::Ndjson(_))) {
        let problem = source.problem(push, "`push`: rows are pushed as NDJSON only");
        problems.push(problem.help("declare `format: {ndjson: {}}`"));
    }
    let max_body_bytes =
        within(source, "max_body_bytes", push.max_body_bytes.as_ref(), 8 << 20, 1..=MAX_BODY_BYTES, problems);
    let max_pending_bytes =
        within(source, "max_pending_bytes", push.max_pending_bytes.as_ref(), 1 << 30, 1..=u64::MAX, problems);
    if max_pending_bytes < max_body_bytes {
        let message =
            format!("`max_pending_bytes`: {max_pending_bytes} is less than one body of {max_body_bytes} bytes");
        let problem = match (&push.max_pending_bytes, &push.max_body_bytes) {
            (Some(pending), _) => source.problem(pending, message),
            (None, Some(body)) => source.problem(body, message),
            (None, None) => source.problem(push, message),
        };
        problems.push(problem);
    }
    PushOptions {
        max_body_bytes,
        max_pending_bytes,
        keep_keys_days: within(source, "keep_keys_days", push.keep_keys_days.as_ref(), 7, 1..=366, problems),
        on_bad_rows: match push.on_bad_rows {
            RawOnBadRows::Refuse => OnBadRows::Refuse,
            RawOnBadRows::Quarantine => OnBadRows::Quarantine,
        },
    }
}

/// A number within its range, or `default` where it is absent.
fn within<T: Copy + PartialOrd + std::fmt::Display>(
    source: &Source,
    key: &str,
    number: Option<&Spanned<T>>,
    default: T,
    range: RangeInclusive<T>,
    problems: &mut Problems,
) -> T {
    let Some(number) = number else { return default };
    if !range.contains(number) {
        let (first, last) = (range.start(), range.end());
        let message = format!("`{key}`: expected {first} to {last}, found {}", **number);
        problems.push(source.problem(number, message));
    }
    number.value
}
