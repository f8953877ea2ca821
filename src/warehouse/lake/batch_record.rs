//! What one batch brought: the record that is committed together with its events.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One batch of one pipeline: one Delta commit.
///
/// Counted in source rows, `read = accepted + duplicate + rejected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct BatchRecord {
    /// The pipeline, which is also the application id of the Delta transaction.
    pub pipeline: String,
    /// Number of the batch, from 1 without gaps: the version of the Delta transaction.
    pub number: i64,
    /// The run that the batch belongs to.
    pub run: String,
    /// The source file, relative to the project where it lies there.
    pub file: String,
    /// Content hash of the source file, or `etag …` of an object whose store tells one.
    pub file_hash: String,
    /// Where the source is read on after this batch, if it is read from a place on: a cursor, a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<serde_json::Value>,
    /// When work on the batch began.
    pub started_at: DateTime<Utc>,
    /// When the batch was ready to be committed.
    pub finished_at: DateTime<Utc>,
    /// Source rows read.
    pub read: u64,
    /// Source rows that brought at least one event.
    pub accepted: u64,
    /// Source rows whose events were all in the lake already.
    pub duplicate: u64,
    /// Source rows that broke a rule.
    pub rejected: u64,
    /// Source rows left alone, since the run was asked for another period; not among the rows read. A batch that has any says
    /// nothing about whether its file was read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub outside: u64,
    /// Events appended.
    pub events: u64,
    /// The latest moment at which one of the events occurred.
    pub last_event_at: Option<DateTime<Utc>>,
    /// File with the rejected rows, relative to the pipeline's quarantine folder.
    #[serde(default)]
    pub quarantine: Option<String>,
    /// What marks the batch: broken rules of severity `warning`, columns that changed, values that were left out. One sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
