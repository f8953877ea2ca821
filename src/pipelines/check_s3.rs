//! What a pipeline declares of its object store, checked.

use url::{Host, Url};

use super::declaration::{RawS3, RawSecret};
use super::sources::s3::S3Options;
use super::sources::secret::Secret;
use crate::declarations::{Problems, Source, Spanned};

/// Region of a store that has none of its own.
const DEFAULT_REGION: &str = "us-east-1";

/// Checks the address of the objects and that of the store.
pub(super) fn check_s3(source: &Source, s3: &RawS3, problems: &mut Problems) -> S3Options {
    let (bucket, pattern) = split_url(&s3.url).unwrap_or_else(|| {
        let problem = source.problem(&s3.url, format!("`url`: `{}` names no bucket and no objects", *s3.url));
        problems.push(problem.help("for instance `s3://registers/journals/2026-*.csv`"));
        ("", "")
    });
    if let Err(error) = glob::Pattern::new(pattern) {
        problems.push(source.problem(&s3.url, format!("`url`: {}", error.msg)));
    }
    if let Some(endpoint) = &s3.endpoint
        && let Err(message) = check_endpoint(endpoint)
    {
        let problem = source.problem(endpoint, format!("`endpoint`: {message}"));
        problems
            .push(problem.help("for instance `https://storage.region.ru`, or `http://127.0.0.1:9000` on this machine"));
    }
    let region = s3.region.as_deref().map_or(DEFAULT_REGION, |region| region.trim());
    S3Options {
        bucket: bucket.to_owned(),
        pattern: pattern.to_owned(),
        endpoint: s3.endpoint.as_ref().map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
        region: region.to_owned(),
        path_style: s3.path_style,
        access_key: check_secret(source, "access_key", &s3.access_key, problems),
        secret_key: check_secret(source, "secret_key", &s3.secret_key, problems),
    }
}

fn split_url(url: &str) -> Option<(&str, &str)> {
    let (bucket, pattern) = url.strip_prefix("s3://")?.split_once('/')?;
    let is_whole = !bucket.is_empty() && !pattern.is_empty() && !pattern.ends_with('/') && !pattern.starts_with('/');
    is_whole.then_some((bucket, pattern))
}

/// Keys and rows may go in the clear on this machine only.
fn check_endpoint(endpoint: &str) -> Result<(), String> {
    let url = Url::parse(endpoint).map_err(|_| format!("`{endpoint}` is not an address"))?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(format!("`{endpoint}` names no host")),
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here => Ok(()),
        "http" => Err("`http` would send keys and rows in the clear; another machine is asked by `https`".to_owned()),
        scheme => Err(format!("`{scheme}` is neither `https` nor `http`")),
    }
}

fn check_secret(source: &Source, key: &str, secret: &RawSecret, problems: &mut Problems) -> Secret {
    let mut named = |text: &Spanned<String>| {
        if text.trim().is_empty() {
            problems.push(source.problem(text, format!("`{key}`: is empty")));
        }
        text.trim().to_owned()
    };
    match secret {
        RawSecret::Env(variable) => Secret::Environment(named(variable)),
        RawSecret::File(path) => Secret::File(named(path).into()),
    }
}
