//! From an HTTP source as written to a checked one.

use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

use chrono::NaiveDate;
use reqwest::header::HeaderName;
use url::Url;

use super::check_source::SourceChecker;
use super::declaration::SourceType;
use super::format::Format;
use super::moment::ZoneClock;
use super::source_declaration::{RawAuth, RawHttp, RawHttpCursor, RawPaging, RawTokenPaging};
use super::sources::cursor::CursorColumn;
use super::sources::http::{Auth, HttpCursor, HttpSource, JsonPath, Paging, Timeouts, TokenPlace};
use super::sources::retry::Retries;
use crate::declarations::Spanned;
use crate::secrets::Parameter;

const MAX_BODY_BYTES: u64 = 1 << 30;
const MAX_UNIT_BYTES: u64 = 32 << 20;

/// The checked source; none if it has no usable address.
pub(super) fn check_http(checker: &mut SourceChecker<'_>, raw: &RawHttp) -> Option<HttpSource> {
    let url = check_url(checker, "url", &raw.url);
    let mut query = Vec::with_capacity(raw.query.len());
    for (name, value) in &raw.query {
        query.push((name.clone(), check_parameter(checker, name, value)));
    }
    let mut headers = Vec::with_capacity(raw.headers.len());
    for (name, value) in &raw.headers {
        let parameter = check_parameter(checker, name, value);
        match HeaderName::from_str(name) {
            Ok(name) => headers.push((name, parameter)),
            Err(_) => checker.report(value, format!("`headers`: `{name}` is no name of a header"), None),
        }
    }
    let auth = raw.auth.as_ref().and_then(|auth| check_auth(checker, auth));
    let rows = raw.rows.as_ref().and_then(|path| check_path(checker, "rows", path));
    if let Some(at) = raw.rows.as_ref().filter(|_| *checker.format != Format::Ndjson) {
        let help = "write `format: {ndjson: {}}`: the rows of a JSON body are read one by one";
        checker.report(at, "`rows`: the rows of a JSON body are NDJSON", Some(help));
    }
    let paging = check_paging(checker, raw);
    let cursor = raw.cursor.as_ref().and_then(|cursor| check_cursor(checker, cursor));
    let timeouts = Timeouts {
        connect: checker.duration("connect", raw.timeouts.connect.as_ref(), Duration::from_secs(10)),
        idle: checker.duration("idle", raw.timeouts.idle.as_ref(), Duration::from_mins(1)),
        request: checker.duration("request", raw.timeouts.request.as_ref(), Duration::from_mins(30)),
    };
    let usual = Retries::default();
    let retries = Retries {
        attempts: raw.retries.attempts.unwrap_or(usual.attempts).max(1),
        first_wait: checker.duration("first_wait", raw.retries.first_wait.as_ref(), usual.first_wait),
        longest_wait: checker.duration("longest_wait", raw.retries.longest_wait.as_ref(), usual.longest_wait),
    };
    Some(HttpSource {
        pipeline: checker.pipeline.to_owned(),
        url: url?,
        query,
        headers,
        auth,
        rows,
        paging,
        cursor,
        timeouts,
        retries,
        max_body_bytes: raw.limits.body_bytes.as_ref().map_or(MAX_BODY_BYTES, |limit| **limit),
        max_unit_bytes: raw.limits.unit_bytes.as_ref().map_or(MAX_UNIT_BYTES, |limit| **limit),
        ca_file: raw.ca_file.as_ref().map(|file| file.value.clone()),
        format: checker.format.clone(),
    })
}

fn check_url(checker: &mut SourceChecker<'_>, key: &str, raw: &Spanned<String>) -> Option<Url> {
    let url = Url::parse(raw).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        let help = "e.g. `https://registry.example/api/v1/cases`";
        checker.report(raw, format!("`{key}`: expected an address that begins with https:// or http://"), Some(help));
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        checker.report_secret(raw, key);
    } else if url.query().is_some() || url.fragment().is_some() {
        checker.report(
            raw,
            format!("`{key}`: parameters do not belong to the address"),
            Some("put them under `query`"),
        );
    }
    Some(url)
}

/// A parameter or header. One that is called like a secret has to be one.
fn check_parameter(
    checker: &mut SourceChecker<'_>,
    name: &str,
    raw: &Spanned<super::source_declaration::RawParameter>,
) -> Parameter {
    let parameter = checker.parameter(name, raw);
    if !parameter.is_secret() && sounds_secret(name) {
        checker.report_secret(raw, name);
    }
    parameter
}

/// Whether a parameter or header is called like a secret.
fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(|character: char| !character.is_alphanumeric()).collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(word));
    has(&["authorization", "auth", "cookie", "credential", "credentials", "password", "passwd", "pwd", "secret"])
        || has(&["session", "sessionid", "signature", "token", "apikey", "accesskey", "accesstoken"])
        || name == "key"
        || has(&["key"]) && has(&["api", "access", "private", "subscription"])
}

fn check_auth(checker: &mut SourceChecker<'_>, raw: &RawAuth) -> Option<Auth> {
    Some(match raw {
        RawAuth::Basic(raw) => Auth::Basic {
            user: checker.parameter("user", &raw.user),
            password: checker.secret("password", &raw.password),
        },
        RawAuth::Bearer(raw) => Auth::Bearer(checker.secret("bearer", raw)),
        RawAuth::Oauth2(raw) => {
            let client_id = checker.parameter("client_id", &raw.client_id);
            let client_secret = checker.secret("client_secret", &raw.client_secret);
            Auth::Oauth2 {
                token_url: check_url(checker, "token_url", &raw.token_url)?,
                client_id,
                client_secret,
                scope: raw.scope.as_ref().map(|scope| scope.value.clone()),
                credentials_in: raw.credentials_in,
            }
        }
    })
}

fn check_path(checker: &mut SourceChecker<'_>, key: &str, raw: &Spanned<String>) -> Option<JsonPath> {
    if raw.value == "." {
        return Some(JsonPath::default());
    }
    let keys: Vec<String> = raw.split('.').map(str::to_owned).collect();
    if keys.iter().any(|key| key.trim().is_empty()) {
        let message = format!("`{key}`: `{}` is no path", **raw);
        checker.report(raw, message, Some("keys with dots between them, e.g. `data.items`"));
        return None;
    }
    Some(JsonPath(keys))
}

/// A path to something besides the rows, which only a JSON body can have.
fn check_body_path(
    checker: &mut SourceChecker<'_>,
    raw: &RawHttp,
    key: &str,
    path: &Spanned<String>,
) -> Option<JsonPath> {
    if raw.rows.is_none() {
        let help = "say with `rows` where the rows stand in it";
        checker.report(path, format!("`{key}`: only a JSON body has a path"), Some(help));
    }
    check_path(checker, key, path)
}

fn check_paging(checker: &mut SourceChecker<'_>, raw: &RawHttp) -> Paging {
    let named = |name: &Option<Spanned<String>>, default: &str| {
        name.as_ref().map_or_else(|| default.to_owned(), |name| name.value.clone())
    };
    match &raw.paging {
        None => Paging::None,
        Some(RawPaging::Page(page)) => Paging::Page {
            parameter: named(&page.parameter, "page"),
            first: page.first.unwrap_or(1),
            last: page.last.as_ref().and_then(|path| check_body_path(checker, raw, "last", path)),
        },
        Some(RawPaging::Offset(offset)) => Paging::Offset { parameter: named(&offset.parameter, "offset") },
        Some(RawPaging::Cursor(cursor)) => match check_token(checker, raw, cursor) {
            Some(token) => Paging::Cursor { parameter: named(&cursor.parameter, "cursor"), token },
            None => Paging::None,
        },
        Some(RawPaging::Link(link)) => {
            Paging::Link(link.path.as_ref().and_then(|path| check_body_path(checker, raw, "path", path)))
        }
    }
}

fn check_token(checker: &mut SourceChecker<'_>, raw: &RawHttp, cursor: &RawTokenPaging) -> Option<TokenPlace> {
    match (&cursor.path, &cursor.header) {
        (Some(path), None) => check_body_path(checker, raw, "path", path).map(TokenPlace::Path),
        (None, Some(header)) => {
            let name = HeaderName::from_str(header).ok();
            if name.is_none() {
                checker.report(header, format!("`header`: `{}` is no name of a header", **header), None);
            }
            name.map(TokenPlace::Header)
        }
        _ => {
            checker.report(&raw.url, "`paging`: `cursor` needs exactly one of `path` and `header`", None);
            None
        }
    }
}

fn check_cursor(checker: &mut SourceChecker<'_>, raw: &RawHttpCursor) -> Option<HttpCursor> {
    let column = checker.cursor_column(&raw.column)?;
    let late_window = checker.late_window(raw.late_window.as_ref(), &column);
    if let Some(format) = &raw.format {
        if !matches!(column.column_type, SourceType::Date | SourceType::Timestamp) {
            checker.report(format, "`format`: only dates and timestamps have one", None);
        } else if !can_write(format, &column) {
            let message = format!("`format`: `{}` is not a date pattern for this column", **format);
            checker.report(format, message, Some("for instance `%d.%m.%Y`, `%Y-%m-%dT%H:%M:%S%:z`"));
        }
    }
    let start = raw.start.as_ref().and_then(|start| {
        let value = column.value(start, &mut ZoneClock::new(column.time_zone));
        if value.is_none() {
            checker.report(
                start,
                format!("`start`: `{}` does not fit the column", **start),
                Some("write it as in the column"),
            );
        }
        value
    });
    let (parameter, format) = (raw.parameter.value.clone(), raw.format.as_ref().map(|format| format.value.clone()));
    Some(HttpCursor { column, parameter, format, start, late_window })
}

/// Whether values of the column can be written by a pattern.
fn can_write(pattern: &str, column: &CursorColumn) -> bool {
    let Some(day) = NaiveDate::from_ymd_opt(2024, 3, 25) else { return false };
    let mut text = String::new();
    let written = if column.column_type == SourceType::Date {
        write!(text, "{}", day.format(pattern))
    } else {
        let moment = day.and_time(chrono::NaiveTime::MIN).and_utc().with_timezone(&column.time_zone);
        write!(text, "{}", moment.format(pattern))
    };
    written.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        for name in ["X-Api-Key", "api_key", "Authorization", "access_token", "key", "Cookie", "apikey"] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["Accept", "sort_key", "author", "status", "keyword", "X-Region"] {
            assert!(!sounds_secret(name), "{name}");
        }
    }
}
