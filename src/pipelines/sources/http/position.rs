//! Where a pull goes on: kept with the batch, so that the lake itself knows it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::HttpSource;
use super::paging::Place;
use crate::domain::short_hash::short_hash;
use crate::pipelines::sources::cursor::CursorValue;

/// Where the next run goes on after a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Hash of what was declared: where that changed, nothing is known of what comes after.
    pub(super) declaration: String,
    /// Hash of the unit, so that the same answer is not brought in twice.
    pub(super) unit: String,
    /// Largest cursor value that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<CursorValue>,
    /// The rest of a pull that did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rest: Option<Rest>,
}

/// The rest of a pull.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rest {
    /// The next page.
    pub(super) place: Place,
    /// Its number in the pull, from 1.
    pub(super) number: u64,
    /// The cursor value that the pull began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<CursorValue>,
}

impl Position {
    /// The position of a former run, if it fits the declaration.
    pub(super) fn read(value: Option<&Value>, source: &HttpSource) -> Option<Self> {
        let position = serde_json::from_value::<Self>(value?.clone()).ok();
        let position = position.filter(|position| position.declaration == fingerprint(source));
        if position.is_none() {
            tracing::warn!(
                pipeline = source.pipeline,
                "the declaration of the source changed; it is read from the start"
            );
        }
        position
    }
}

/// Hash of everything that decides which rows an endpoint gives.
pub(super) fn fingerprint(source: &HttpSource) -> String {
    let cursor = source.cursor.as_ref().map(|cursor| (&cursor.column, &cursor.parameter, &cursor.start));
    let declared = format!("{:?}", (source.url.as_str(), &source.query, &source.rows, &source.paging, cursor));
    short_hash(&declared)
}
