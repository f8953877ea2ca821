//! Extractors whose refusals are problems: path, query, and who asks.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::ApiError;
use super::params::{FromParams, Params};
use super::state::App;
use crate::indicators::Scope;

/// A part of the path.
#[derive(Debug, Clone)]
pub(crate) struct ApiPath<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for ApiPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match Path::from_request_parts(parts, app).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(_)) => {
                Err(ApiError::NoRoute { path: parts.uri.path().to_owned() })
            }
            Err(rejection) => Err(ApiError::failed(rejection)),
        }
    }
}

/// The parameters behind the `?`; one that is not known is refused, naming the nearest.
#[derive(Debug, Clone)]
pub(crate) struct ApiQuery<T>(pub T);

impl<T: FromParams> FromRequestParts<App> for ApiQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let mut params = Params::read(parts.uri.query());
        let value = T::from_params(&mut params)?;
        params.refuse_rest(T::names())?;
        Ok(Self(value))
    }
}

/// Longest JSON body in bytes.
const MOST_BODY_BYTES: usize = 64 << 10;

/// A JSON body; an empty one is an empty object.
///
/// It must be announced as `application/json`: a page of another site cannot send that without asking first, and is refused then.
#[derive(Debug, Clone)]
pub(crate) struct ApiJson<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        let announced = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = announced.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(ApiError::NotJson);
        }
        let body = axum::body::to_bytes(request.into_body(), MOST_BODY_BYTES).await;
        let body = body.map_err(|_| ApiError::Refused(format!("the body is longer than {MOST_BODY_BYTES} bytes")))?;
        let body: &[u8] = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { &body };
        let value = serde_json::from_slice(body);
        value.map(Self).map_err(|error| ApiError::Refused(format!("the body is not what is expected: {error}")))
    }
}

/// Who asks decides which rows exist. Nobody signs in yet, so everybody sees everything.
impl FromRequestParts<App> for Scope {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, ApiError> {
        Ok(Self::all())
    }
}
