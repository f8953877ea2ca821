//! How complete the figures of a page are: how many of the bodies that owe a report have sent it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::build::{Sources, WidgetError, WidgetRequest};
use super::declaration::{Dashboard, RawCodes};
use crate::declarations::Spanned;
use crate::domain::figure::State;
use crate::domain::period::{Grain, Period};
use crate::indicators::{Query, Scope};

/// What says whether the figures are complete, as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCoverage {
    /// The indicator that counts those who reported.
    pub(super) indicator: Spanned<String>,
    /// Its measure that counts all who had to.
    pub(super) of: Spanned<String>,
    /// Only these codes of these dimensions, whatever the reader filters by.
    #[serde(default, rename = "where")]
    pub(super) only: RawCodes,
}

/// How many of those who had to report for a month have done it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// The month, the last of the shown period whose reports are due.
    pub month: Period,
    /// Those who reported.
    pub n_reported: f64,
    /// All who had to.
    pub n_owing: f64,
}

impl Coverage {
    /// Whether nobody is missing.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.n_reported >= self.n_owing
    }
}

/// How complete the figures of a dashboard are; none if it does not say what tells it, or no report is due yet.
///
/// Filters of the reader count where the indicator has their dimension.
///
/// # Errors
/// [`WidgetError::Query`], if the engine has no answer.
pub async fn build_coverage(
    sources: &Sources<'_>,
    scope: &Scope,
    dashboard: &Dashboard,
    request: &WidgetRequest,
) -> Result<Option<Coverage>, WidgetError> {
    let Some(rule) = &dashboard.coverage else { return Ok(None) };
    let definitions = sources.engine.definitions(request.as_of).await?;
    let Some(indicator) = definitions.catalog.get(&rule.indicator) else { return Ok(None) };
    let mut filters = rule.only.clone();
    for (dimension, codes) in &request.filters {
        if indicator.entity().dimension(dimension).is_some() {
            filters.entry(dimension.clone()).or_insert_with(|| codes.clone());
        }
    }
    let own = || dashboard.period.days(sources.freshness.last_event_on, sources.today);
    let query = Query {
        filters,
        period: Some(request.period.unwrap_or_else(own)),
        grain: Some(Grain::Month),
        as_of: request.as_of,
        ..Query::of(&rule.indicator)
    };
    let figures = sources.engine.query(scope, &query).await?;
    let place = figures.measures.iter().position(|name| *name == rule.of);
    let last = figures.rows.into_iter().rev().find(|row| row.figure.state != State::NotDue);
    Ok(last.zip(place).and_then(|(row, place)| {
        let n_owing = row.measures.get(place).copied().flatten().filter(|n_owing| *n_owing > 0.0)?;
        let from = row.bucket?;
        let month = Period { from, to: Grain::Month.end(from) };
        Some(Coverage { month, n_reported: row.figure.value.unwrap_or_default(), n_owing })
    }))
}
