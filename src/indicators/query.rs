//! What is asked: an indicator, cut and filtered by dimensions, over a period, by a grain, out of a snapshot.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::catalog::Catalog;
use super::entity::Dimension;
use super::error::{QueryError, nearest};
use super::indicator::Indicator;
use super::refusal::Refusal;
use super::windows::{Against, Cumulate, Wanted};
use crate::domain::language::Lang;
use crate::domain::period::{Grain, Period};
use crate::warehouse::reference::Reference;

/// What a user asks for. Nothing in it ever becomes SQL text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Identifier of the indicator.
    pub indicator: String,
    /// Dimensions to cut by.
    pub by: Vec<String>,
    /// Values that are let through, by dimension; a dimension without values lets through none.
    pub filters: IndexMap<String, Vec<String>>,
    /// Days, both ends included; none = all of history.
    pub period: Option<Period>,
    /// Length of the time buckets; none = the period as a whole.
    pub grain: Option<Grain>,
    /// Number of an older snapshot; none = the latest.
    pub as_of: Option<u64>,
    /// What each value is compared with.
    #[serde(default)]
    pub compare: Vec<Against>,
    /// The running total beside each value.
    #[serde(default)]
    pub cumulate: Option<Cumulate>,
    /// How many buckets the rolling window beside each value has, its own bucket included.
    #[serde(default)]
    pub rolling: Option<u32>,
    /// Whether to give each value per working day as well.
    #[serde(default)]
    pub per_working_day: bool,
    /// Whether to give the share of each row in the sum of its bucket as well.
    #[serde(default)]
    pub share: bool,
    /// Whether to tell how many bodies reported.
    #[serde(default)]
    pub coverage: bool,
}

impl Query {
    /// A query for the whole of an indicator.
    #[must_use]
    pub fn of(indicator: impl Into<String>) -> Self {
        Self { indicator: indicator.into(), ..Self::default() }
    }

    /// The same, cut by one more dimension.
    #[must_use]
    pub fn by(mut self, dimension: impl Into<String>) -> Self {
        self.by.push(dimension.into());
        self
    }

    /// The same, for one more value of a dimension.
    #[must_use]
    pub fn filter(mut self, dimension: impl Into<String>, value: impl Into<String>) -> Self {
        self.filters.entry(dimension.into()).or_default().push(value.into());
        self
    }

    /// The same within a period.
    #[must_use]
    pub fn within(mut self, period: Period) -> Self {
        self.period = Some(period);
        self
    }

    /// The same by buckets of time.
    #[must_use]
    pub fn grain(mut self, grain: Grain) -> Self {
        self.grain = Some(grain);
        self
    }

    /// The same, compared with one more earlier value.
    #[must_use]
    pub fn compare(mut self, against: Against) -> Self {
        self.compare.push(against);
        self
    }

    /// The same out of an older snapshot.
    #[must_use]
    pub fn as_of(mut self, snapshot: u64) -> Self {
        self.as_of = Some(snapshot);
        self
    }

    /// What is wanted beside the values.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted { compare: &self.compare, cumulate: self.cumulate, rolling: self.rolling }
    }

    /// Looks up every name.
    pub(super) fn check<'a>(&'a self, catalog: &'a Catalog, reference: &Reference) -> Result<Question<'a>, QueryError> {
        let indicator = catalog.get(&self.indicator).ok_or_else(|| QueryError::UnknownIndicator {
            indicator: self.indicator.clone(),
            nearest: nearest(&self.indicator, catalog.iter().map(Indicator::id)).map(str::to_owned),
        })?;
        let mut by: Vec<&Dimension> = Vec::with_capacity(self.by.len());
        for name in &self.by {
            let dimension = find_dimension(indicator, name)?;
            if by.iter().any(|other| other.name == dimension.name) {
                return Err(QueryError::RepeatedDimension { dimension: name.clone() });
            }
            by.push(dimension);
        }
        let mut filters = Vec::with_capacity(self.filters.len());
        for (name, values) in &self.filters {
            let dimension = find_dimension(indicator, name)?;
            for value in values {
                check_value(dimension, value, reference)?;
            }
            filters.push((dimension, values.as_slice()));
        }
        for required in &indicator.requires {
            let is_fixed = self.filters.get(required).is_some_and(|values| values.len() == 1);
            if !is_fixed && !self.by.contains(required) {
                return Err(QueryError::NeedsDimension {
                    indicator: indicator.id.clone(),
                    dimension: required.clone(),
                });
            }
        }
        if let Some(Period { from, to }) = self.period
            && to < from
        {
            return Err(QueryError::BadPeriod { from, to });
        }
        if let Some(refusal) = Refusal::of(indicator, self) {
            return Err(QueryError::Senseless(refusal));
        }
        let n_repeated = (1..self.compare.len()).filter(|at| self.compare[..*at].contains(&self.compare[*at])).count();
        if n_repeated > 0 {
            return Err(QueryError::RepeatedComparison);
        }
        Ok(Question { indicator, by, filters, period: self.period, grain: self.grain })
    }
}

/// A query whose every name is known.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) indicator: &'a Indicator,
    pub(super) by: Vec<&'a Dimension>,
    pub(super) filters: Vec<(&'a Dimension, &'a [String])>,
    pub(super) period: Option<Period>,
    pub(super) grain: Option<Grain>,
}

fn find_dimension<'a>(indicator: &'a Indicator, name: &str) -> Result<&'a Dimension, QueryError> {
    let entity = indicator.entity();
    entity.dimension(name).ok_or_else(|| {
        let known = || entity.dimensions().iter().map(Dimension::name);
        QueryError::UnknownDimension {
            indicator: indicator.id.clone(),
            dimension: name.to_owned(),
            nearest: nearest(name, known()).map(str::to_owned),
            known: known().map(str::to_owned).collect(),
        }
    })
}

/// Whether the code list of a dimension knows a value; a label counts as a near miss.
fn check_value(dimension: &Dimension, value: &str, reference: &Reference) -> Result<(), QueryError> {
    let Some(list) = dimension.list().and_then(|name| reference.list(name)) else { return Ok(()) };
    if list.contains(value) {
        return Ok(());
    }
    let labels = |code: &'_ str| [Lang::Ru, Lang::En].map(|lang| list.label(code, lang).unwrap_or_default().to_owned());
    let wanted = value.to_lowercase();
    let likeness = |code: &str| {
        labels(code)
            .iter()
            .map(|label| strsim::jaro_winkler(&wanted, &label.to_lowercase()))
            .fold(strsim::jaro_winkler(value, code), f64::max)
    };
    let near = list
        .codes()
        .iter()
        .map(|code| (likeness(code), code))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0).then_with(|| other.1.cmp(one.1)))
        .map(|(_, code)| match list.label(code, Lang::Ru) {
            Some(label) if label != code => format!("`{code}` ({label})"),
            _ => format!("`{code}`"),
        });
    Err(QueryError::UnknownValue { dimension: dimension.name.clone(), value: value.to_owned(), nearest: near })
}
