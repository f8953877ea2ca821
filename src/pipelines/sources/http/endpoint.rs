//! Requests to an endpoint: who asks, how long it may take, what is tried again, where a redirect may lead.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::failure::{Failure, Outlook};
use super::token::TokenKeeper;
use super::{Auth, HttpError, HttpSource, shown};
use crate::clock::Clock;
use crate::pipelines::sources::trust::{Verification, client_config};

/// How many redirects in a row are followed.
const MAX_REDIRECTS: usize = 10;

/// An endpoint that is asked by one run. Its own address, and nobody else, gets the secrets.
#[derive(Debug)]
pub(super) struct Endpoint {
    source: Arc<HttpSource>,
    client: Client,
    clock: Clock,
    open_headers: HeaderMap,
    secret_headers: HeaderMap,
    secret_query: Vec<(String, Secrecy)>,
    basic: Option<(String, Secrecy)>,
    token: Option<TokenKeeper>,
}

/// A text that no debug output shows.
struct Secrecy(String);

impl std::fmt::Debug for Secrecy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("•••")
    }
}

/// The head of an answer whose body lies in a file.
#[derive(Debug)]
pub(super) struct Answer {
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// The address that gave it.
    pub(super) url: Url,
}

impl Endpoint {
    /// Reads the secrets and sets up the client.
    pub(super) fn open(source: Arc<HttpSource>, project: &Path, clock: Clock) -> Result<Self, HttpError> {
        let tls = client_config(project, source.ca_file.as_deref(), Verification::Full)?;
        let mut client = Client::builder()
            .user_agent(concat!("svod/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .tls_backend_preconfigured(tls)
            .connect_timeout(source.timeouts.connect)
            .read_timeout(source.timeouts.idle);
        if is_this_machine(&source.url) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(HttpError::Request)?;
        let (mut open_headers, mut secret_headers) = (HeaderMap::new(), HeaderMap::new());
        for (name, parameter) in &source.headers {
            let value = parameter.read(project)?;
            let headers = if parameter.is_secret() { &mut secret_headers } else { &mut open_headers };
            headers.append(name, sendable(name, &value, parameter.is_secret())?);
        }
        let (mut basic, mut token) = (None, None);
        match &source.auth {
            None => {}
            Some(Auth::Basic { user, password }) => {
                basic = Some((user.read(project)?, Secrecy(password.read(project)?)));
            }
            Some(Auth::Bearer(secret)) => {
                let value = format!("Bearer {}", secret.read(project)?);
                secret_headers.insert(AUTHORIZATION, sendable(&AUTHORIZATION, &value, true)?);
            }
            Some(Auth::Oauth2 { token_url, client_id, client_secret, scope, credentials_in }) => {
                token = Some(TokenKeeper {
                    token_url: token_url.clone(),
                    client_id: client_id.read(project)?,
                    client_secret: client_secret.read(project)?,
                    scope: scope.clone(),
                    credentials_in: *credentials_in,
                    clock,
                    current: None,
                });
            }
        }
        let secret = source.query.iter().filter(|(_, parameter)| parameter.is_secret());
        let secret_query = secret
            .map(|(name, parameter)| Ok((name.clone(), Secrecy(parameter.read(project)?))))
            .collect::<Result<_, HttpError>>()?;
        Ok(Self { source, client, clock, open_headers, secret_headers, secret_query, basic, token })
    }

    /// Gets the body at an address into a file, trying again as long as that is declared to make sense.
    pub(super) async fn get(&mut self, url: &Url, file: &mut File) -> Result<Answer, HttpError> {
        let mut n_failures = 0;
        let mut has_fresh_token = false;
        loop {
            let failure = match self.attempt(url, file).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match (failure.outlook, &mut self.token) {
                (Outlook::NeedsToken, Some(token)) if !has_fresh_token => {
                    token.forget();
                    has_fresh_token = true;
                    continue;
                }
                (Outlook::Passing, _) => {}
                _ => return Err(failure.error),
            }
            n_failures += 1;
            let Some(wait) = self.source.retries.wait(n_failures) else {
                return Err(match n_failures {
                    1 => failure.error,
                    attempts => HttpError::GaveUp { attempts, cause: Box::new(failure.error) },
                });
            };
            let asked = failure.asked.unwrap_or_default();
            if asked > self.source.retries.longest_wait {
                return Err(HttpError::Busy { wait: asked, cause: Box::new(failure.error) });
            }
            let wait = wait.max(asked);
            tracing::warn!(pipeline = self.source.pipeline, ?wait, "{}; trying again", failure.error);
            tokio::time::sleep(wait).await;
        }
    }

    /// One request with its redirects.
    async fn attempt(&mut self, url: &Url, file: &mut File) -> Result<Answer, Failure> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.request(&url).await?;
            let status = response.status();
            if is_redirect(status) && response.headers().contains_key(LOCATION) {
                url = redirected(&url, &response).map_err(Failure::lasting)?;
            } else if status.is_success() {
                return self.keep(url, response, file).await;
            } else {
                let error = HttpError::Refused { address: shown(&url), status };
                return Err(Failure::of_status(error, status, response.headers(), self.clock));
            }
        }
        let reason = "more than ten times in a row";
        Err(Failure::lasting(HttpError::Redirect { address: shown(&url), reason }))
    }

    async fn request(&mut self, url: &Url) -> Result<Response, Failure> {
        let timeout = self.source.timeouts.request;
        let mut target = url.clone();
        let is_at_home = url.origin() == self.source.url.origin();
        if is_at_home {
            for (name, value) in &self.secret_query {
                target.query_pairs_mut().append_pair(name, &value.0);
            }
        }
        let mut request = self.client.get(target).headers(self.open_headers.clone()).timeout(timeout);
        if is_at_home {
            request = request.headers(self.secret_headers.clone());
            if let Some((user, password)) = &self.basic {
                request = request.basic_auth(user, Some(&password.0));
            }
            if let Some(token) = &mut self.token {
                request = request.header(AUTHORIZATION, token.header(&self.client, timeout).await?);
            }
        }
        request.send().await.map_err(|error| Failure::of_request(url, error))
    }

    /// Writes the body into the file, from its beginning.
    async fn keep(&self, url: Url, mut response: Response, file: &mut File) -> Result<Answer, Failure> {
        let headers = response.headers().clone();
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if content_type.trim_start().to_ascii_lowercase().starts_with("text/html") {
            return Err(Failure::lasting(HttpError::WebPage { address: shown(&url) }));
        }
        if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Failure::lasting(HttpError::Compressed { address: shown(&url) }));
        }
        let limit = self.source.max_body_bytes;
        let too_large = || Failure::lasting(HttpError::TooLarge { address: shown(&url), limit });
        if response.content_length().is_some_and(|n_bytes| n_bytes > limit) {
            return Err(too_large());
        }
        let disk = |error: std::io::Error| Failure::lasting(HttpError::Disk(error));
        file.set_len(0).and_then(|()| file.rewind()).map_err(disk)?;
        let mut n_bytes = 0;
        while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of_body(&url, error))? {
            n_bytes += chunk.len() as u64;
            if n_bytes > limit {
                return Err(too_large());
            }
            file.write_all(&chunk).map_err(disk)?;
        }
        file.rewind().map_err(disk)?;
        Ok(Answer { headers, url })
    }
}

/// Redirects that keep the method.
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn redirected(from: &Url, response: &Response) -> Result<Url, HttpError> {
    let refuse = |reason| HttpError::Redirect { address: shown(from), reason };
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let to = location.and_then(|text| from.join(text).ok()).ok_or_else(|| refuse("to something that is no address"))?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => Ok(to),
        ("https", "http") => Err(refuse("from https to http, where everybody can listen")),
        _ => Err(refuse("to something that is not HTTP")),
    }
}

/// Whether an address is on the machine itself, where no proxy stands between.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn sendable(name: &HeaderName, value: &str, is_secret: bool) -> Result<HeaderValue, HttpError> {
    let unsendable = |_| HttpError::Unsendable { name: name.to_string() };
    let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(unsendable)?;
    value.set_sensitive(is_secret);
    Ok(value)
}
