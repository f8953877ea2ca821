//! Why one attempt failed, and whether another one makes sense.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use url::Url;

use super::{HttpError, shown};
use crate::clock::Clock;
use crate::pipelines::sources::retry::retry_after;

/// Why one attempt failed, and whether another one may succeed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: HttpError,
    pub(super) outlook: Outlook,
    /// The wait that the server asks for.
    pub(super) asked: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Another attempt fails as well.
    Lasting,
    /// Another attempt may succeed.
    Passing,
    /// Another attempt succeeds with another token, if at all.
    NeedsToken,
}

impl Failure {
    pub(super) fn lasting(error: impl Into<HttpError>) -> Self {
        Self { error: error.into(), outlook: Outlook::Lasting, asked: None }
    }

    /// A request that did not come to an answer.
    pub(super) fn of_request(url: &Url, cause: reqwest::Error) -> Self {
        let (address, cause) = (shown(url), cause.without_url());
        if cause.is_builder() {
            return Self::lasting(HttpError::Request(cause));
        }
        let error = if cause.is_timeout() && !cause.is_connect() {
            HttpError::TooSlow { address }
        } else {
            HttpError::Unreachable { address, cause }
        };
        Self { error, outlook: Outlook::Passing, asked: None }
    }

    /// A body that did not come to its end.
    pub(super) fn of_body(url: &Url, cause: reqwest::Error) -> Self {
        let (address, cause) = (shown(url), cause.without_url());
        let error =
            if cause.is_timeout() { HttpError::TooSlow { address } } else { HttpError::BrokenOff { address, cause } };
        Self { error, outlook: Outlook::Passing, asked: None }
    }

    /// An answer that is none.
    pub(super) fn of_status(error: HttpError, status: StatusCode, headers: &HeaderMap, clock: Clock) -> Self {
        let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let outlook = match status.as_u16() {
            401 => Outlook::NeedsToken,
            408 | 429 | 500 | 502 | 503 | 504 => Outlook::Passing,
            _ => Outlook::Lasting,
        };
        Self { error, outlook, asked: asked.and_then(|text| retry_after(text, clock.now())) }
    }
}
