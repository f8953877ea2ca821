//! Extractors whose refusals are problems: path, query, and who asks.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
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

/// Who asks decides which rows exist. Nobody signs in yet, so everybody sees everything.
impl FromRequestParts<App> for Scope {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, ApiError> {
        Ok(Self::all())
    }
}
