//! How pages follow each other.

use reqwest::header::{HeaderMap, HeaderName, LINK};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use super::page::at_path;
use super::{HttpError, HttpSource, JsonPath};

/// How an endpoint cuts its rows into pages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Paging {
    /// Not at all.
    None,
    /// Pages have numbers.
    Page {
        /// Parameter that names the page.
        parameter: String,
        /// Number of the first page.
        first: u64,
        /// Where the number of the last one stands; none if a page without rows ends the pages.
        last: Option<JsonPath>,
    },
    /// Pages begin at a row.
    Offset {
        /// Parameter that says how many rows are skipped.
        parameter: String,
    },
    /// Each page names the next one.
    Cursor {
        /// Parameter in which the name is sent back.
        parameter: String,
        /// Where the name stands.
        token: TokenPlace,
    },
    /// Each page has the address of the next one: in the body, or in the header `Link`.
    Link(Option<JsonPath>),
}

/// Where the name of the next page stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TokenPlace {
    /// In the body.
    Path(JsonPath),
    /// In a header.
    Header(HeaderName),
}

/// A page, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    /// The first one, or the only one.
    First,
    /// The page of this number.
    Page(u64),
    /// The page that begins after so many rows.
    Offset(u64),
    /// The page of this name.
    Cursor(String),
    /// The page at this address, without its secret parameters.
    Link(String),
}

/// What a page tells of the next one.
pub(super) struct PageFacts<'a> {
    pub(super) n_rows: u64,
    pub(super) headers: &'a HeaderMap,
    pub(super) url: &'a Url,
    pub(super) body: Option<&'a RawValue>,
}

impl Paging {
    pub(super) fn first(&self) -> Place {
        match self {
            Self::Page { first, .. } => Place::Page(*first),
            Self::Offset { .. } => Place::Offset(0),
            Self::None | Self::Cursor { .. } | Self::Link(_) => Place::First,
        }
    }

    /// The address of a page.
    pub(super) fn url_of(&self, place: &Place, first: &Url) -> Result<Url, HttpError> {
        let mut url = first.clone();
        match (self, place) {
            (Self::Page { parameter, .. }, Place::Page(number))
            | (Self::Offset { parameter }, Place::Offset(number)) => {
                url.query_pairs_mut().append_pair(parameter, &number.to_string());
            }
            (Self::Cursor { parameter, .. }, Place::Cursor(token)) => {
                url.query_pairs_mut().append_pair(parameter, token);
            }
            (Self::Link(_), Place::Link(address)) => url = Url::parse(address).map_err(|_| HttpError::BadLink)?,
            _ => {}
        }
        Ok(url)
    }

    /// The page after this one; none if it is the last.
    pub(super) fn next(
        &self,
        place: &Place,
        facts: &PageFacts<'_>,
        source: &HttpSource,
    ) -> Result<Option<Place>, HttpError> {
        Ok(match (self, place) {
            (Self::Page { last: Some(path), .. }, Place::Page(number)) => {
                let last = text_at(facts.body, path)?.and_then(|text| text.parse::<u64>().ok());
                let last = last.ok_or_else(|| lacks(path, "is no page number"))?;
                (*number < last).then(|| Place::Page(number.saturating_add(1)))
            }
            (Self::Page { .. }, Place::Page(number)) => {
                (facts.n_rows > 0).then(|| Place::Page(number.saturating_add(1)))
            }
            (Self::Offset { .. }, Place::Offset(offset)) => {
                (facts.n_rows > 0).then(|| Place::Offset(offset.saturating_add(facts.n_rows)))
            }
            (Self::Cursor { token, .. }, _) => {
                let token = match token {
                    TokenPlace::Path(path) => text_at(facts.body, path)?,
                    TokenPlace::Header(name) => {
                        facts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
                    }
                };
                token.filter(|token| !token.is_empty()).map(Place::Cursor)
            }
            (Self::Link(path), _) => {
                let address = match path {
                    Some(path) => text_at(facts.body, path)?,
                    None => facts.headers.get_all(LINK).iter().find_map(|value| next_link(value.to_str().ok()?)),
                };
                match address.filter(|address| !address.is_empty()) {
                    Some(address) => Some(Place::Link(followed(&address, facts.url, source)?)),
                    None => None,
                }
            }
            _ => None,
        })
    }
}

fn lacks(path: &JsonPath, problem: &'static str) -> HttpError {
    HttpError::BodyLacks { path: path.to_string(), problem }
}

/// A text or number of the body; none if it is missing or null.
fn text_at(body: Option<&RawValue>, path: &JsonPath) -> Result<Option<String>, HttpError> {
    let Some(value) = body.and_then(|body| at_path(body, path)) else { return Ok(None) };
    match serde_json::from_str(value.get()) {
        Ok(serde_json::Value::Null) => Ok(None),
        Ok(serde_json::Value::String(text)) => Ok(Some(text)),
        Ok(serde_json::Value::Number(_)) => Ok(Some(value.get().to_owned())),
        _ => Err(lacks(path, "is neither a text nor a number")),
    }
}

/// The address that a link means, without secret parameters. It has to stay on the endpoint's own host.
fn followed(address: &str, from: &Url, source: &HttpSource) -> Result<String, HttpError> {
    let mut url = from.join(address).map_err(|_| HttpError::BadLink)?;
    if url.origin() != source.url.origin() {
        return Err(HttpError::ForeignLink { host: url.origin().ascii_serialization() });
    }
    let is_secret = |name: &str| source.query.iter().any(|(known, value)| known == name && value.is_secret());
    if url.query_pairs().any(|(name, _)| is_secret(&name)) {
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !is_secret(name))
            .map(|(n, v)| (n.into_owned(), v.into_owned()))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
    url.set_fragment(None);
    Ok(url.into())
}

/// The address with `rel=next` in a `Link` header (RFC 8288).
fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (address, after) = after.split_once('>')?;
        // A comma outside quotes ends the link.
        let mut in_quotes = false;
        let end = after.find(|character: char| {
            in_quotes ^= character == '"';
            character == ',' && !in_quotes
        });
        let (parameters, next) = after.split_at(end.unwrap_or(after.len()));
        let is_next = parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("rel")
                && value.trim().trim_matches('"').split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(address.trim().to_owned());
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        let cases = [
            ("<https://a/x?p=2>; rel=\"next\"", Some("https://a/x?p=2")),
            ("<https://a/x?p=1>; rel=\"prev\", <?p=3,4>; title=\"a, <b>\"; rel=\"last next\"", Some("?p=3,4")),
            ("</x>; REL=Next", Some("/x")),
            ("<https://a/x>; rel=\"nextish\"", None),
            ("<https://a/x>", None),
            ("https://a/x; rel=next", None),
            ("<https://a/x; rel=next", None),
        ];
        for (header, expected) in cases {
            assert_eq!(next_link(header).as_deref(), expected, "{header}");
        }
    }
}
