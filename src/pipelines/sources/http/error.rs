//! Why an endpoint does not give its rows. No parameter, header or body is ever repeated here.

use std::io;
use std::time::Duration;

use reqwest::StatusCode;

use crate::pipelines::FileError;
use crate::pipelines::sources::trust::TrustError;
use crate::secrets::SecretError;

/// Why an endpoint does not give its rows.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A secret cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A secret has characters that no header may have.
    #[error("the secret for `{name}` has characters that a header cannot carry")]
    Unsendable {
        /// The header.
        name: String,
    },
    /// Nobody can be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The client cannot be set up, or the address is none.
    #[error("the request cannot be made")]
    Request(#[source] reqwest::Error),
    /// Nobody is there.
    #[error("`{address}` cannot be reached")]
    Unreachable {
        /// Scheme, host and path.
        address: String,
        /// What went wrong.
        #[source]
        cause: reqwest::Error,
    },
    /// It took too long.
    #[error("`{address}` did not answer in time; see `timeouts`")]
    TooSlow {
        /// Scheme, host and path.
        address: String,
    },
    /// The answer ended before its end.
    #[error("the answer of `{address}` broke off; nothing of this page is taken")]
    BrokenOff {
        /// Scheme, host and path.
        address: String,
        /// What went wrong.
        #[source]
        cause: reqwest::Error,
    },
    /// The endpoint answered that it will not.
    #[error("`{address}` answered {status}{}", advice(*status))]
    Refused {
        /// Scheme, host and path.
        address: String,
        /// Its answer.
        status: StatusCode,
    },
    /// The server wants to be left alone for longer than declared.
    #[error("the server asks to come back in {}, which is longer than `retries.longest_wait`", humantime::format_duration(*wait))]
    Busy {
        /// For how long.
        wait: Duration,
        /// What it answered.
        #[source]
        cause: Box<HttpError>,
    },
    /// It was tried again and again.
    #[error("tried {attempts} times without success")]
    GaveUp {
        /// How often.
        attempts: u32,
        /// What went wrong the last time.
        #[source]
        cause: Box<HttpError>,
    },
    /// A body is larger than declared.
    #[error(
        "the answer of `{address}` has more than {limit} bytes; ask for smaller pages or raise `limits.body_bytes`"
    )]
    TooLarge {
        /// Scheme, host and path.
        address: String,
        /// The limit.
        limit: u64,
    },
    /// A web page instead of data.
    #[error("`{address}` answered with a web page instead of rows; is a login needed, is the address right?")]
    WebPage {
        /// Scheme, host and path.
        address: String,
    },
    /// A body that nobody asked to be packed.
    #[error("`{address}` packs its answer although it was not asked to; switch its compression off")]
    Compressed {
        /// Scheme, host and path.
        address: String,
    },
    /// A redirect that is not followed.
    #[error("`{address}` sends elsewhere: {reason}")]
    Redirect {
        /// Scheme, host and path.
        address: String,
        /// Why that is not followed.
        reason: &'static str,
    },
    /// The next page is on another server.
    #[error("the link to the next page leads to another host, `{host}`; it is not followed")]
    ForeignLink {
        /// The other host.
        host: String,
    },
    /// The link to the next page is none.
    #[error("the link to the next page is no address")]
    BadLink,
    /// The pages never end.
    #[error("the pages go round in circles: {sign}; check `paging`")]
    EndlessPaging {
        /// What gave it away.
        sign: &'static str,
    },
    /// The body is not JSON.
    #[error("the body is not JSON: error in line {line}, position {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Byte of the line, from 1.
        column: usize,
    },
    /// The body lacks something declared.
    #[error("`{path}` {problem} in the body")]
    BodyLacks {
        /// The declared path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The token server does not give a token.
    #[error("the token server `{address}` gives no token: {reason}")]
    NoToken {
        /// Scheme, host and path.
        address: String,
        /// Why.
        reason: String,
    },
    /// The rows cannot be counted.
    #[error(transparent)]
    Rows(#[from] Box<FileError>),
    /// The disk does not take it.
    #[error("the answer cannot be kept on disk")]
    Disk(#[from] io::Error),
}

fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "; check `auth` and the secrets it names",
        StatusCode::NOT_FOUND | StatusCode::GONE => "; check `url`",
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "; check `query`, `paging` and `cursor`",
        _ => "",
    }
}
