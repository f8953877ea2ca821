//! Tokens of OAuth 2.0, client credentials (RFC 6749, 4.4).

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use url::Url;

use super::failure::Failure;
use super::{HttpError, shown};
use crate::clock::Clock;
use crate::pipelines::source_declaration::CredentialsIn;

/// A token is not used in its last seconds, so that it does not expire on its way.
const MARGIN: Duration = Duration::from_secs(10);
/// Largest answer of a token server.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Gets a token and keeps it as long as it is good.
pub(super) struct TokenKeeper {
    pub(super) token_url: Url,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) scope: Option<String>,
    pub(super) credentials_in: CredentialsIn,
    pub(super) clock: Clock,
    pub(super) current: Option<(HeaderValue, Option<Instant>)>,
}

/// What a token server answers.
#[derive(Deserialize)]
struct Grant {
    access_token: String,
    expires_in: Option<f64>,
}

/// What a token server answers if it gives no token.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl TokenKeeper {
    /// The `Authorization` header with a good token.
    pub(super) async fn header(&mut self, client: &Client, timeout: Duration) -> Result<HeaderValue, Failure> {
        if let Some((header, expires)) = &self.current
            && expires.is_none_or(|moment| Instant::now() < moment)
        {
            return Ok(header.clone());
        }
        let grant = self.ask(client, timeout).await?;
        let header = HeaderValue::try_from(format!("Bearer {}", grant.access_token));
        let mut header = header.map_err(|_| self.no_token("the token has characters that a header cannot carry"))?;
        header.set_sensitive(true);
        let life = grant.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let expires = life.and_then(|life| Instant::now().checked_add(life.saturating_sub(MARGIN)));
        self.current = Some((header.clone(), expires));
        Ok(header)
    }

    /// Forgets a token that was refused.
    pub(super) fn forget(&mut self) {
        self.current = None;
    }

    async fn ask(&self, client: &Client, timeout: Duration) -> Result<Grant, Failure> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        let mut request = client.post(self.token_url.clone()).timeout(timeout);
        match self.credentials_in {
            // RFC 6749, 2.3.1: both are form-encoded before they become a header.
            CredentialsIn::Header => {
                request = request.basic_auth(encoded(&self.client_id), Some(encoded(&self.client_secret)));
            }
            CredentialsIn::Body => {
                form.append_pair("client_id", &self.client_id).append_pair("client_secret", &self.client_secret);
            }
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish());
        let mut response = request.send().await.map_err(|error| Failure::of_request(&self.token_url, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of_body(&self.token_url, error))? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(self.no_token("its answer is too long"));
            }
        }
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|_| self.no_token("its answer is no JSON object with `access_token`"));
        }
        let known = [
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
        ];
        let code = serde_json::from_slice::<Refusal>(&body).ok().map(|refusal| refusal.error);
        let code = code.filter(|code| known.contains(&code.as_str())).map(|code| format!(", `{code}`"));
        let reason = format!("it answered {status}{}", code.unwrap_or_default());
        let error = HttpError::NoToken { address: shown(&self.token_url), reason };
        // Another token cannot help where there is none.
        if status == StatusCode::UNAUTHORIZED {
            return Err(Failure::lasting(error));
        }
        Err(Failure::of_status(error, status, &headers, self.clock))
    }

    fn no_token(&self, reason: &str) -> Failure {
        Failure::lasting(HttpError::NoToken { address: shown(&self.token_url), reason: reason.to_owned() })
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl std::fmt::Debug for TokenKeeper {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TokenKeeper").field("token_url", &shown(&self.token_url)).finish_non_exhaustive()
    }
}
