//! Where lineage events go: lines of a file, or an HTTP endpoint.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::settings::{Lineage, LineageTarget};

/// Longest wait for the endpoint.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Why an event was not delivered.
#[derive(Debug, thiserror::Error)]
pub(super) enum SinkError {
    /// The file cannot be written.
    #[error("the file `{}` cannot be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        cause: io::Error,
    },
    /// The variable with the token is not set.
    #[error("the environment variable `{variable}` of `token_env` is not set")]
    NoToken {
        /// Its name.
        variable: String,
    },
    /// The endpoint did not take it.
    #[error("the endpoint `{url}` did not take the event")]
    Endpoint {
        /// The endpoint.
        url: String,
        /// What went wrong.
        #[source]
        cause: reqwest::Error,
    },
}

/// A place to tell.
pub(super) enum Sink {
    File(PathBuf),
    Endpoint { url: String, token: Option<String>, client: reqwest::Client },
}

impl Sink {
    /// The declared place; a file is relative to the data directory.
    pub(super) fn open(settings: &Lineage, data_dir: &Path) -> Result<Self, SinkError> {
        match &settings.target {
            LineageTarget::File(file) => Ok(Self::File(data_dir.join(file))),
            LineageTarget::Endpoint { url, token_env } => {
                let token = token_env.as_ref().map(|variable| {
                    std::env::var(variable).map_err(|_| SinkError::NoToken { variable: variable.clone() })
                });
                let client = reqwest::Client::builder().timeout(TIME_LIMIT).build();
                let client = client.map_err(|cause| SinkError::Endpoint { url: url.to_string(), cause })?;
                Ok(Self::Endpoint { url: url.to_string(), token: token.transpose()?, client })
            }
        }
    }

    /// Delivers one event.
    pub(super) async fn deliver(&self, event: &Value) -> Result<(), SinkError> {
        match self {
            Self::File(path) => append(path, event).map_err(|cause| SinkError::File { path: path.clone(), cause }),
            Self::Endpoint { url, token, client } => {
                let request = client.post(url).header("content-type", "application/json").body(event.to_string());
                let request = match token {
                    Some(token) => request.bearer_auth(token),
                    None => request,
                };
                let answered = request.send().await.and_then(reqwest::Response::error_for_status);
                answered.map(drop).map_err(|cause| SinkError::Endpoint { url: url.clone(), cause: cause.without_url() })
            }
        }
    }
}

/// Appends a line in one write, so that lines never mix.
fn append(path: &Path, event: &Value) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    fs_err::OpenOptions::new().create(true).append(true).open(path)?.write_all(format!("{event}\n").as_bytes())
}
