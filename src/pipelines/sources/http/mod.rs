//! Rows of an HTTP endpoint, page by page.
//!
//! ```text
//! feed ──▶ endpoint ──▶ page ──▶ feed ──▶ unit
//! which     request,     rows,    pages put together,
//! page      retries      next     and where the next run goes on
//! ```
//!
//! A page lies on the disk whole before any of it is used, and pages are put together to units, so that small pages do not make small
//! batches. Knows nothing of contracts, and of formats only what is needed to count rows and to join pages.

mod endpoint;
mod error;
mod failure;
mod feed;
mod page;
mod paging;
mod position;
mod pull;
mod token;

use std::time::Duration;

use reqwest::header::HeaderName;
use url::Url;

pub use error::HttpError;
pub use feed::HttpFeed;
pub use paging::{Paging, TokenPlace};

use super::cursor::{CursorColumn, CursorValue, LateWindow};
use super::retry::Retries;
use crate::pipelines::format::Format;
use crate::pipelines::source_declaration::CredentialsIn;
use crate::secrets::{Parameter, Secret};

/// A declared endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSource {
    /// The pipeline that reads it.
    pub pipeline: String,
    /// Its address, without parameters.
    pub url: Url,
    /// Parameters of every request.
    pub query: Vec<(String, Parameter)>,
    /// Headers of every request.
    pub headers: Vec<(HeaderName, Parameter)>,
    /// How the program proves who it is.
    pub auth: Option<Auth>,
    /// Where the rows stand inside a JSON body; none if the body is in the pipeline's format.
    pub rows: Option<JsonPath>,
    /// How the pages follow each other.
    pub paging: Paging,
    /// How only what is new is asked for.
    pub cursor: Option<HttpCursor>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// When to try again.
    pub retries: Retries,
    /// Largest body of one answer.
    pub max_body_bytes: u64,
    /// Bytes after which a unit is closed.
    pub max_unit_bytes: u64,
    /// More authorities to trust, relative to the project.
    pub ca_file: Option<String>,
    /// How the rows are written.
    pub format: Format,
}

/// How the program proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// User and password.
    Basic {
        /// Name of the user.
        user: Parameter,
        /// The password.
        password: Secret,
    },
    /// A token that does not change.
    Bearer(Secret),
    /// A token that a token server gives out.
    Oauth2 {
        /// The token server.
        token_url: Url,
        /// Identifier of the client.
        client_id: Parameter,
        /// Secret of the client.
        client_secret: Secret,
        /// What the token is asked for.
        scope: Option<String>,
        /// Where the token server expects both.
        credentials_in: CredentialsIn,
    },
}

/// How only what is new is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCursor {
    /// The column whose largest value is remembered.
    pub column: CursorColumn,
    /// The parameter in which it is sent.
    pub parameter: String,
    /// How it is written there; none for ISO 8601.
    pub format: Option<String>,
    /// What the first run sends.
    pub start: Option<CursorValue>,
    /// How late a row may come in.
    pub late_window: Option<LateWindow>,
}

/// How long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the next bytes.
    pub idle: Duration,
    /// For a whole answer.
    pub request: Duration,
}

/// Keys that lead to a value inside a JSON body; none: the body itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct JsonPath(pub Vec<String>);

impl std::fmt::Display for JsonPath {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { formatter.write_str(".") } else { formatter.write_str(&self.0.join(".")) }
    }
}

/// An address as it may be shown: its parameters and the user in it may be secret.
fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
