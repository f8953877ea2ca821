//! How an error is written for people: with its causes, on one line.

use std::error::Error;

/// An error and its causes, `outer: inner: innermost`. What only repeats the text before it is left out.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        parts.push(error.to_string());
        cause = error.source();
    }
    parts.dedup();
    parts.join(": ")
}
