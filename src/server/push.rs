//! Rows that registers push, acknowledged when they are durable.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use chrono::{DateTime, Utc};
use flate2::read::MultiGzDecoder;
use futures::StreamExt;
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::error::ApiError;
use super::extract::ApiPath;
use super::push_refusal::{PushRefusal, PushRefusals};
use super::state::App;
use crate::pipelines::inbox::unit_name;
use crate::pipelines::{Pipeline, PushDesk, Receipt};
use crate::project::Project;

/// The header that tells a repeated request from another one.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key in bytes.
const MAX_KEY_BYTES: usize = 255;
/// Content types under which lines of JSON come.
const CONTENT_TYPES: [&str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];
/// KiB of bodies that are in the memory at once.
const MEMORY_KIB: u32 = 256 << 10;
/// Longest wait for a place in the memory.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The desks of all pipelines that take pushed rows.
pub(crate) struct Desks {
    by_pipeline: BTreeMap<String, Arc<PushDesk>>,
    memory: Semaphore,
}

impl Desks {
    /// The desks of a project.
    pub(super) fn open(project: &Project, data_dir: &Path) -> Self {
        let desk_of = |pipeline: &Pipeline| {
            let desk = PushDesk::open(pipeline, &project.contracts, &project.reference, data_dir)?;
            Some((pipeline.name().to_owned(), Arc::new(desk)))
        };
        let by_pipeline = project.pipelines.iter().filter_map(desk_of).collect();
        Self { by_pipeline, memory: Semaphore::new(MEMORY_KIB as usize) }
    }

    /// The desks with the names of their pipelines.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &PushDesk)> {
        self.by_pipeline.iter().map(|(pipeline, desk)| (pipeline.as_str(), desk.as_ref()))
    }

    fn find(&self, pipeline: &str) -> Result<&Arc<PushDesk>, ApiError> {
        let known = self.by_pipeline.keys().map(String::as_str);
        self.by_pipeline
            .get(pipeline)
            .ok_or_else(|| ApiError::unknown("pipeline that takes pushed rows", pipeline, known))
    }

    /// Waits a little until there is room for a body.
    async fn reserve(&self, n_bytes: u64) -> Result<SemaphorePermit<'_>, ApiError> {
        let kib = u32::try_from(n_bytes.div_ceil(1024)).unwrap_or(MEMORY_KIB).clamp(1, MEMORY_KIB);
        match tokio::time::timeout(LONGEST_WAIT, self.memory.acquire_many(kib)).await {
            Ok(permit) => permit.map_err(ApiError::failed),
            Err(_) => Err(PushRefusal::Busy.into()),
        }
    }
}

/// Pushed rows that were taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PushResponse {
    /// Name of the pipeline.
    pub pipeline: String,
    /// When the body was taken first.
    pub received_at: DateTime<Utc>,
    /// Rows that keep every rule and become events with the pipeline's next run.
    pub rows: u64,
    /// Rows that break a rule and go to quarantine with the next run; 0 unless the pipeline says `on_bad_rows: quarantine`.
    pub set_aside: u64,
    /// The file as which runs, events and quarantine name these rows.
    pub file: String,
    /// The first of their lines in it.
    pub first_line: u64,
    /// The last of their lines in it.
    pub last_line: u64,
    /// Rows that waited for the next run at that moment, these included.
    pub pending_rows: u64,
    /// Bytes that waited for the next run at that moment, these included.
    pub pending_bytes: u64,
}

/// Push rows of a register.
///
/// The body is NDJSON: one object per line, with the columns that the pipeline declares. All rows are checked by the pipeline's
/// types, mapping and contract first. The answer 202 comes when they are durable; the next run of the pipeline makes events of them. The
/// same key with the same body has the same answer and stores nothing, so whoever got no answer sends again.
#[utoipa::path(
    post, path = "/api/v1/pipelines/{id}/events", tag = "warehouse",
    params(
        ("id" = String, Path, description = "Name of the pipeline"),
        ("Idempotency-Key" = String, Header, description = "Names this body among all of the pipeline, up to 255 visible ASCII characters"),
        ("Content-Encoding" = Option<String>, Header, description = "`gzip` if the body is packed"),
    ),
    request_body(content = String, content_type = "application/x-ndjson", description = "One JSON object per line"),
    responses((status = 202, description = "The rows are durable", body = PushResponse), PushRefusals),
)]
pub(crate) async fn push_events(
    State(app): State<App>,
    ApiPath(id): ApiPath<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<PushResponse>), ApiError> {
    let desk = Arc::clone(app.desks().find(&id)?);
    let key = key_of(&headers)?;
    let is_packed = check_kind(&headers)?;
    let limit = desk.options().max_body_bytes;
    let announced = announced_bytes(&headers);
    if announced.is_some_and(|n_bytes| n_bytes > limit) {
        return Err(PushRefusal::TooLarge { limit }.into());
    }
    let _room = app.desks().reserve(announced.filter(|_| !is_packed).unwrap_or(limit)).await?;
    let body = read_body(body, limit).await?;
    let now = app.clock().now();
    let taking = spawn_blocking(move || {
        let body = if is_packed { unpack(&body, limit)? } else { body };
        Ok::<_, ApiError>(desk.take(&key, &body, now)?)
    });
    let receipt = taking.await.map_err(ApiError::failed)??;
    Ok((StatusCode::ACCEPTED, Json(PushResponse::new(id, receipt))))
}

impl PushResponse {
    fn new(pipeline: String, receipt: Receipt) -> Self {
        let Receipt { received_at, rows, set_aside, segment, first_line, last_line, pending_rows, pending_bytes } =
            receipt;
        let file = unit_name(segment);
        Self { pipeline, received_at, rows, set_aside, file, first_line, last_line, pending_rows, pending_bytes }
    }
}

/// The idempotency key.
fn key_of(headers: &HeaderMap) -> Result<String, ApiError> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let key = keys.next().and_then(|key| key.to_str().ok()).unwrap_or_default();
    if key.is_empty() || key.len() > MAX_KEY_BYTES || keys.next().is_some() {
        let message = format!(
            "expected one header `Idempotency-Key` of 1 to {MAX_KEY_BYTES} visible ASCII characters; give each body a key of its own, and send the same key when sending it again"
        );
        return Err(ApiError::Refused(message));
    }
    Ok(key.to_owned())
}

/// Whether the body is packed, if it is lines of JSON at all.
fn check_kind(headers: &HeaderMap) -> Result<bool, ApiError> {
    let text_of = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = text_of(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !CONTENT_TYPES.contains(&content_type.as_str()) {
        let message = format!("expected the content type `{}`, one JSON object per line", CONTENT_TYPES[0]);
        return Err(PushRefusal::Unreadable(message).into());
    }
    match text_of(header::CONTENT_ENCODING).trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        _ => Err(PushRefusal::Unreadable("expected the content encoding `gzip`, or none".to_owned()).into()),
    }
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The whole body as it was sent.
async fn read_body(body: Body, limit: u64) -> Result<Vec<u8>, ApiError> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::Refused("the body broke off; send it again".to_owned()))?;
        if (bytes.len() + chunk.len()) as u64 > limit {
            return Err(PushRefusal::TooLarge { limit }.into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The body behind gzip; a bomb is found out at the limit.
fn unpack(packed: &[u8], limit: u64) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    let unpacked = MultiGzDecoder::new(packed).take(limit + 1).read_to_end(&mut body);
    unpacked.map_err(|_| ApiError::Refused("the body is not whole gzip; send it again".to_owned()))?;
    if body.len() as u64 > limit {
        return Err(PushRefusal::TooLarge { limit }.into());
    }
    Ok(body)
}
