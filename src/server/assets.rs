//! Style, script and fonts of the pages, built by npm into `dashboards/web/dist` and embedded in the binary.
//!
//! Pages work without them: a build without npm serves plain pages.

use std::borrow::Cow;
use std::fmt::Write as _;

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::error::{ApiError, Problem};
use super::extract::ApiPath;
use super::theme::{THEME_SHEET, theme_sheet};
use crate::charts::WebAssets;

/// Address of an embedded file, with a part that changes with its content.
#[must_use]
pub(crate) fn asset_url(name: &str) -> String {
    find(name).map_or_else(|| format!("/assets/{name}"), |file| format!("/assets/{name}?v={}", file.hash))
}

/// One file and the hash of its content.
struct Asset {
    content: Cow<'static, [u8]>,
    kind: String,
    hash: String,
}

fn find(name: &str) -> Option<Asset> {
    if name == THEME_SHEET {
        let content = theme_sheet().as_bytes();
        return Some(Asset {
            content: content.into(),
            kind: "text/css".to_owned(),
            hash: short(blake3::hash(content).as_bytes()),
        });
    }
    let file = WebAssets::get(name)?;
    Some(Asset {
        kind: file.metadata.mimetype().to_owned(),
        hash: short(&file.metadata.sha256_hash()),
        content: file.data,
    })
}

fn short(hash: &[u8]) -> String {
    hash.iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A hash over all files: part of the edition of every page.
pub(crate) fn assets_hash() -> String {
    let mut names: Vec<_> = WebAssets::iter().collect();
    names.sort();
    let files = names.iter().map(AsRef::as_ref).chain([THEME_SHEET]).filter_map(find);
    short(blake3::hash(files.map(|file| file.hash).collect::<String>().as_bytes()).as_bytes())
}

/// A file of the front end: style, script or font.
///
/// Kept for a year where the address carries the content's hash.
#[utoipa::path(
    get, path = "/assets/{path}", tag = "pages",
    params(("path" = String, Path, description = "Name of the file")),
    responses((status = 200, description = "The file"),
              (status = 404, description = "No such file", body = Problem, content_type = "application/problem+json")),
)]
pub(crate) async fn get_asset(
    ApiPath(name): ApiPath<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let file = find(&name).ok_or_else(|| ApiError::NoRoute { path: uri.path().to_owned() })?;
    let tag = format!("\"{}\"", file.hash);
    let is_named_by_hash = uri.query().is_some_and(|query| query == format!("v={}", file.hash));
    let cache = if is_named_by_hash { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let common = [(header::CACHE_CONTROL, cache.to_owned()), (header::ETAG, tag)];
    Ok(if is_known {
        (StatusCode::NOT_MODIFIED, common).into_response()
    } else {
        (common, [(header::CONTENT_TYPE, file.kind)], file.content).into_response()
    })
}
