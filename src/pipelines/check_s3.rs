//! What a pipeline declares of its object store, checked.

use url::{Host, Url};

use super::check_source::SourceChecker;
use super::source_declaration::RawS3;
use super::sources::s3::S3Options;
use crate::s3::{DEFAULT_REGION, S3Store};

/// Checks the address of the objects and that of the store.
pub(super) fn check_s3(checker: &mut SourceChecker<'_>, s3: &RawS3) -> S3Options {
    let (bucket, pattern) = split_url(&s3.url).unwrap_or_else(|| {
        let message = format!("`url`: `{}` names no bucket and no objects", *s3.url);
        checker.report(&s3.url, message, Some("for instance `s3://registers/journals/2026-*.csv`"));
        ("", "")
    });
    if let Err(error) = glob::Pattern::new(pattern) {
        checker.report(&s3.url, format!("`url`: {}", error.msg), None);
    }
    if let Some(endpoint) = &s3.endpoint
        && let Err(message) = check_endpoint(endpoint)
    {
        let help = "for instance `https://storage.region.ru`, or `http://127.0.0.1:9000` on this machine";
        checker.report(endpoint, format!("`endpoint`: {message}"), Some(help));
    }
    let region = s3.region.as_deref().map_or(DEFAULT_REGION, |region| region.trim());
    let store = S3Store {
        bucket: bucket.to_owned(),
        endpoint: s3.endpoint.as_ref().map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
        region: region.to_owned(),
        path_style: s3.path_style,
        access_key: checker.secret("access_key", &s3.access_key),
        secret_key: checker.secret("secret_key", &s3.secret_key),
    };
    S3Options { store, pattern: pattern.to_owned() }
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
