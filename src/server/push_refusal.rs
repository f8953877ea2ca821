//! Why pushed rows are not taken, as the API tells it.

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use super::error::{ApiError, Problem};
use crate::pipelines::{BadRow, PushError};

/// After how many seconds a pusher should try again when too much waits: runs are minutes apart.
const RETRY_FULL_SECS: u64 = 60;
/// The same, when many push at this moment.
const RETRY_BUSY_SECS: u64 = 1;

/// Why pushed rows are not taken. Nothing of the body is stored then.
#[derive(Debug, thiserror::Error)]
pub enum PushRefusal {
    /// The body is not what the route reads.
    #[error("{0}")]
    Unreadable(String),
    /// The body is too long.
    #[error("the body is longer than {limit} bytes, unpacked; send it in parts, each with a key of its own")]
    TooLarge {
        /// Longest body.
        limit: u64,
    },
    /// The rows are not what the pipeline takes.
    #[error("{0}")]
    Rows(PushError),
    /// The key came with another body.
    #[error("{0}")]
    KeyReused(PushError),
    /// Too much waits for the next run.
    #[error("{0}; send again later")]
    Full(PushError),
    /// Too many bodies are in the memory at this moment.
    #[error("too many bodies are being pushed at this moment; send again in a second")]
    Busy,
    /// The disk has no room.
    #[error("{0}; send again later")]
    DiskFull(PushError),
}

impl PushRefusal {
    /// HTTP status, the last part of the problem's type, and its title.
    pub(super) fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Unreadable(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unreadable-body", "Unsupported body"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Body too large"),
            Self::Rows(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad-rows", "Rows refused"),
            Self::KeyReused(_) => (StatusCode::CONFLICT, "key-reused", "Key used before"),
            Self::Full(_) | Self::Busy => (StatusCode::TOO_MANY_REQUESTS, "full", "Full"),
            Self::DiskFull(_) => (StatusCode::INSUFFICIENT_STORAGE, "disk-full", "Disk full"),
        }
    }

    /// When to send again, if that helps.
    pub(super) fn retry_after_secs(&self) -> Option<u64> {
        match self {
            Self::Full(_) | Self::DiskFull(_) => Some(RETRY_FULL_SECS),
            Self::Busy => Some(RETRY_BUSY_SECS),
            Self::Unreadable(_) | Self::TooLarge { .. } | Self::Rows(_) | Self::KeyReused(_) => None,
        }
    }

    /// The rows that broke a rule.
    pub(super) fn rows(&self) -> Vec<BadRowResponse> {
        match self {
            Self::Rows(PushError::BadRows { bad, .. }) => bad.iter().map(BadRowResponse::from).collect(),
            _ => Vec::new(),
        }
    }
}

impl From<PushError> for ApiError {
    fn from(error: PushError) -> Self {
        match &error {
            PushError::Empty | PushError::BadRows { .. } | PushError::Changed(_) | PushError::Unmappable => {
                PushRefusal::Rows(error).into()
            }
            PushError::KeyReused => PushRefusal::KeyReused(error).into(),
            PushError::Full { .. } => PushRefusal::Full(error).into(),
            PushError::DiskFull => PushRefusal::DiskFull(error).into(),
            PushError::Failed { .. } => Self::failed(error),
        }
    }
}

/// A row that broke a rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BadRowResponse {
    /// Its line in the body, from 1.
    pub row: u64,
    /// The broken rule.
    pub rule: String,
    /// What is wrong and what to do, in Russian; no personal value is in it.
    pub sentence: String,
}

impl From<&BadRow> for BadRowResponse {
    fn from(bad: &BadRow) -> Self {
        Self { row: bad.row, rule: bad.rule.clone(), sentence: bad.sentence.clone() }
    }
}

/// What the route answers instead of a receipt, for the documentation of the API.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers that `ApiError` makes")]
pub(crate) enum PushRefusals {
    /// The header `Idempotency-Key` is missing or too long, or the body broke off.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No pipeline of this name takes pushed rows; the detail names the nearest.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// The key came before with another body.
    #[response(status = 409, content_type = "application/problem+json")]
    KeyReused(Problem),
    /// The body is longer than the pipeline's `max_body_bytes`, unpacked.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The content type is not `application/x-ndjson`, or the encoding is not `gzip`.
    #[response(status = 415, content_type = "application/problem+json")]
    Unreadable(Problem),
    /// Rows break rules; `rows` names each of them. The key may be used again for the mended body.
    #[response(status = 422, content_type = "application/problem+json")]
    BadRows(Problem),
    /// As much waits for the next run as may; the header `Retry-After` says when to send again.
    #[response(status = 429, content_type = "application/problem+json")]
    Full(Problem),
    /// The disk has no room; the header `Retry-After` says when to send again.
    #[response(status = 507, content_type = "application/problem+json")]
    DiskFull(Problem),
}
