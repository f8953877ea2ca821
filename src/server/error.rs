//! Errors of the API: `application/problem+json` as RFC 9457 has it.
//!
//! What the server did wrong is named by an id only; the chain of causes goes to the log under that id.

use std::error::Error;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};
use uuid::Uuid;

use super::push_refusal::{BadRowResponse, PushRefusal};
use crate::dashboards::WidgetError;
pub(super) use crate::domain::error_chain::chain;
use crate::domain::language::Lang;
use crate::indicators::QueryError;
use crate::intake::StartError;

/// Content type of every error.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The path names something that is not there.
    #[error("there is no {kind} `{id}`; {advice}")]
    Unknown {
        /// What was looked for: `dashboard`, `indicator`.
        kind: &'static str,
        /// Its name in the request.
        id: String,
        /// The nearest name, or all of them.
        advice: String,
    },
    /// No route has this path.
    #[error("nothing is served at `{path}`")]
    NoRoute {
        /// The path.
        path: String,
    },
    /// The route has no such method.
    #[error("`{method}` is not possible at `{path}`")]
    NoMethod {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// A parameter of the query is wrong.
    #[error("parameter `{name}` {message}")]
    BadParameter {
        /// The parameter.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// The core refuses the request as it stands.
    #[error("{0}")]
    Refused(String),
    /// Pushed rows are not taken.
    #[error(transparent)]
    NotTaken(#[from] PushRefusal),
    /// The body is not announced as JSON.
    #[error("the body must be JSON, announced by `Content-Type: application/json`")]
    NotJson,
    /// The pipeline is running already.
    #[error("pipeline `{pipeline}` is running; see `/api/v1/runs/{run}`")]
    Busy {
        /// The pipeline.
        pipeline: String,
        /// Its run.
        run: Uuid,
    },
    /// The server is about to end.
    #[error("the server is stopping; try again when it is back")]
    Stopping,
    /// The widget has no picture or table of this kind.
    #[error("{0}")]
    NotDrawable(String),
    /// Nothing was ever published.
    #[error("the warehouse has no snapshot yet: run `svod run`")]
    NoSnapshot,
    /// The answer took too long.
    #[error("the answer took longer than {limit_secs} seconds")]
    TooSlow {
        /// The limit.
        limit_secs: u64,
    },
    /// The server failed.
    #[error("cannot answer")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
    /// A handler panicked.
    #[error("a handler panicked: {0}")]
    Panicked(String),
}

impl ApiError {
    /// A wrong parameter.
    pub fn bad_parameter(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::BadParameter { name: name.into(), message: message.into() }
    }

    /// Something that is not there, with the nearest of what is.
    pub fn unknown<'a>(kind: &'static str, id: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Unknown { kind, id: id.to_owned(), advice: super::params::advise(id, known) }
    }

    /// A failure of the server itself.
    pub fn failed(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Failed(Box::new(cause))
    }

    /// HTTP status, the last part of the problem's type, and its title.
    #[must_use]
    pub fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Unknown { .. } => (StatusCode::NOT_FOUND, "unknown", "Not found"),
            Self::NoRoute { .. } => (StatusCode::NOT_FOUND, "no-route", "Not found"),
            Self::NoMethod { .. } => (StatusCode::METHOD_NOT_ALLOWED, "no-method", "Method not allowed"),
            Self::BadParameter { .. } => (StatusCode::BAD_REQUEST, "bad-parameter", "Bad parameter"),
            Self::Refused(_) => (StatusCode::BAD_REQUEST, "refused", "Request refused"),
            Self::NotTaken(refusal) => refusal.kind(),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "Not JSON"),
            Self::Busy { .. } => (StatusCode::CONFLICT, "busy", "Running already"),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping", "Stopping"),
            Self::NotDrawable(_) => (StatusCode::NOT_FOUND, "not-drawable", "No such form"),
            Self::NoSnapshot => (StatusCode::SERVICE_UNAVAILABLE, "no-snapshot", "No data yet"),
            Self::TooSlow { .. } => (StatusCode::SERVICE_UNAVAILABLE, "too-slow", "Too slow"),
            Self::Failed(_) | Self::Panicked(_) => (StatusCode::INTERNAL_SERVER_ERROR, "failed", "Internal error"),
        }
    }

    /// The body of the answer under a new id; a failure of the server is logged here, once, and told by its id only.
    #[must_use]
    pub fn to_problem(&self) -> Problem {
        let (status, kind, title) = self.kind();
        let error_id = Uuid::now_v7();
        let detail = match self {
            Self::Failed(_) | Self::Panicked(_) => {
                tracing::error!(%error_id, error = %chain(self), "request failed");
                "the cause is in the server's log under `error_id`".to_owned()
            }
            Self::Unknown { .. }
            | Self::NoRoute { .. }
            | Self::NoMethod { .. }
            | Self::BadParameter { .. }
            | Self::Refused(_)
            | Self::NotTaken(_)
            | Self::NotJson
            | Self::Busy { .. }
            | Self::Stopping
            | Self::NotDrawable(_)
            | Self::NoSnapshot
            | Self::TooSlow { .. } => self.to_string(),
        };
        Problem {
            problem_type: format!("urn:svod:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail,
            error_id,
            rows: match self {
                Self::NotTaken(refusal) => refusal.rows(),
                _ => Vec::new(),
            },
            run: if let Self::Busy { run, .. } = self { Some(*run) } else { None },
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match &error {
            QueryError::NoSnapshot => Self::NoSnapshot,
            QueryError::UnknownSnapshot { number, .. } => Self::Unknown {
                kind: "snapshot",
                id: number.to_string(),
                advice: error.help().unwrap_or_else(|| "none was published yet".to_owned()),
            },
            QueryError::Senseless(refusal) => Self::Refused(format!("{refusal} ({})", refusal.sentence(Lang::Ru))),
            error_of_query if error_of_query.is_of_the_query() => Self::Refused(with_help(error_of_query)),
            _ => Self::failed(error),
        }
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Busy { pipeline, run } => Self::Busy { pipeline, run },
            StartError::Stopping => Self::Stopping,
            StartError::History(_) | StartError::Lock(_) | StartError::Thread(_) => Self::failed(error),
        }
    }
}

impl From<WidgetError> for ApiError {
    fn from(error: WidgetError) -> Self {
        match error {
            WidgetError::Query(error) => error.into(),
            WidgetError::UnknownFilter { .. } => Self::Refused(error.to_string()),
            WidgetError::UnknownIndicator { .. } | WidgetError::Unsteady { .. } => Self::failed(error),
        }
    }
}

/// The sentence of an error with its advice.
fn with_help(error: &QueryError) -> String {
    error.help().map_or_else(|| error.to_string(), |help| format!("{error}; {help}"))
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.kind().0, self.to_problem()).into_response();
        if let Self::NotTaken(refusal) = &self
            && let Some(seconds) = refusal.retry_after_secs()
        {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The body of every error, as RFC 9457 has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Kind of the problem: `urn:svod:problem:…`.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// Short name of the kind.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// One sentence about this occurrence; for a failure of the server only where to look.
    pub detail: String,
    /// Id of this occurrence, under which the server's log has the causes.
    #[schema(value_type = String, example = "01994e2c-8f5a-7c1e-9d3b-3f2a6b1c0d4e")]
    pub error_id: Uuid,
    /// Rows that broke a rule, for pushed rows only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<BadRowResponse>,
    /// The run that is in the way, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub run: Option<Uuid>,
}

/// What every route that serves figures may answer instead, for the documentation of the API.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers that `ApiError` makes")]
pub(crate) enum Refusals {
    /// A parameter is wrong; the detail names the nearest known one.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// The path names no dashboard, widget, indicator or snapshot; the detail names the nearest.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// Nothing was published yet, or the answer took too long.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (headers, body).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_its_id_only() {
        let cause = std::io::Error::other("disk /secret is full");
        let problem = ApiError::failed(cause).to_problem();
        assert_eq!(problem.status, 500);
        assert!(!problem.detail.contains("secret"));
    }

    #[test]
    fn an_unknown_name_is_advised() {
        let problem = ApiError::unknown("indicator", "suport_rate", ["support_rate", "appeals"]).to_problem();
        assert_eq!(problem.status, 404);
        assert_eq!(problem.detail, "there is no indicator `suport_rate`; did you mean `support_rate`?");
    }
}
