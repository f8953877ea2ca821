//! What surrounds every route: counting, the time limit, panics, security headers.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::{ApiError, Problem};
use super::pages::problem::show_problem;
use super::state::App;

/// Longest time that an answer may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Where programs ask, so that an error stays JSON.
const FOR_PROGRAMS: [&str; 5] = ["/api/", "/assets/", "/healthz", "/readyz", "/metrics"];

/// Headers that every answer carries. Nothing is ever loaded from another host.
pub(crate) const SECURITY_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'self'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
];

/// Counts the request under the pattern of its route.
pub(crate) async fn count(State(app): State<App>, path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let response = next.run(request).await;
    let route = path.as_ref().map_or("none", MatchedPath::as_str);
    app.metrics().observe_request(route, response.status().as_u16(), started.elapsed());
    response
}

/// Sets the security headers.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().extend(SECURITY_HEADERS);
    response
}

/// Gives up on an answer that takes too long.
pub(crate) async fn limit_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(TIME_LIMIT, next.run(request)).await;
    answer.unwrap_or_else(|_| ApiError::TooSlow { limit_secs: TIME_LIMIT.as_secs() }.into_response())
}

/// Turns a panic into a problem.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
pub(crate) fn answer_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    ApiError::Panicked(text.unwrap_or("no message").to_owned()).into_response()
}

/// Shows a problem as a page where people asked, and leaves it as JSON where programs did.
pub(crate) async fn dress_problems(State(app): State<App>, request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let response = next.run(request).await;
    let is_for_programs = FOR_PROGRAMS.iter().any(|start| uri.path().starts_with(start));
    match response.extensions().get::<Problem>() {
        Some(problem) if !is_for_programs => show_problem(&app, problem, &uri),
        _ => response,
    }
}
