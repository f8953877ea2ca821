//! Editions: an answer is the same until its snapshot, the declarations, the program, the day or who asks changes.
//!
//! The edition is known before any work, so that a reader who has it already gets `304 Not Modified` at once.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::params::Params;
use super::state::App;
use super::view::read_snapshot;
use crate::domain::short_hash::first_digits;
use crate::indicators::Scope;
use crate::warehouse::Snapshot;

/// The snapshot that an answer is made of, and the tag of that answer.
#[derive(Debug, Clone)]
pub(crate) struct Edition {
    snapshot: Option<Snapshot>,
    tag: HeaderValue,
}

impl Edition {
    /// The snapshot that this request reads.
    ///
    /// # Errors
    /// [`ApiError::NoSnapshot`], if nothing was ever published.
    pub(crate) fn snapshot(&self) -> Result<&Snapshot, ApiError> {
        self.snapshot.as_ref().ok_or(ApiError::NoSnapshot)
    }

    /// The answer with its tag.
    pub(crate) fn stamp(self, response: impl IntoResponse) -> Response {
        (self.headers(), response).into_response()
    }

    fn headers(&self) -> [(header::HeaderName, HeaderValue); 2] {
        [(header::ETAG, self.tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))]
    }
}

impl FromRequestParts<App> for Edition {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let scope = Scope::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let as_of = Params::read(parts.uri.query()).take_as("as_of", read_snapshot);
        let snapshot = as_of.and_then(|number| app.snapshot(number)).map_err(IntoResponse::into_response)?;
        let number = snapshot.as_ref().map_or(0, |snapshot| snapshot.number);
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let edition = Self {
            tag: tag(number, &[app.declarations_hash(), &app.today().to_string(), &format!("{scope:?}"), target]),
            snapshot,
        };
        if is_known(&parts.headers, &edition.tag) {
            return Err((StatusCode::NOT_MODIFIED, edition.headers()).into_response());
        }
        Ok(edition)
    }
}

/// A weak tag, since the same answer may come compressed.
fn tag(number: u64, ingredients: &[&str]) -> HeaderValue {
    let mut hasher = blake3::Hasher::new();
    for ingredient in ingredients {
        hasher.update(&(ingredient.len() as u64).to_le_bytes()).update(ingredient.as_bytes());
    }
    let hash = first_digits(&hasher.finalize());
    HeaderValue::try_from(format!("W/\"{number}-{hash}\"")).unwrap_or(HeaderValue::from_static("W/\"0\""))
}

/// Whether `If-None-Match` names the tag.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let Ok(tag) = tag.to_str() else { return false };
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|known| known.to_str().ok())
        .flat_map(|known| known.split(','))
        .any(|known| known.trim() == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_depends_on_every_ingredient() {
        assert_eq!(tag(1, &["a", "b"]), tag(1, &["a", "b"]));
        for other in [tag(2, &["a", "b"]), tag(1, &["ab", ""]), tag(1, &["a", "c"])] {
            assert_ne!(tag(1, &["a", "b"]), other);
        }
    }

    #[test]
    fn a_known_tag_may_stand_in_a_list() {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"x\", W/\"1-a\""));
        assert!(is_known(&headers, &HeaderValue::from_static("W/\"1-a\"")));
        assert!(!is_known(&headers, &HeaderValue::from_static("W/\"1-b\"")));
    }
}
