//! Why a query has no answer.

use datafusion::common::DataFusionError;

use super::refusal::Refusal;

/// Why a query has no answer. [`QueryError::help`] says what the user can do.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// No indicator has this identifier.
    #[error("unknown indicator `{indicator}`")]
    UnknownIndicator {
        /// What was asked for.
        indicator: String,
        /// The nearest identifier.
        nearest: Option<String>,
    },
    /// The entity of the indicator has no such dimension.
    #[error("`{indicator}` has no dimension `{dimension}`")]
    UnknownDimension {
        /// The indicator.
        indicator: String,
        /// What was asked for.
        dimension: String,
        /// The nearest dimension.
        nearest: Option<String>,
        /// All dimensions.
        known: Vec<String>,
    },
    /// One dimension stands twice in `by`.
    #[error("the dimension `{dimension}` stands twice")]
    RepeatedDimension {
        /// The dimension.
        dimension: String,
    },
    /// A filter's value is not in the code list of its dimension.
    #[error("`{value}` is no value of `{dimension}`")]
    UnknownValue {
        /// The dimension.
        dimension: String,
        /// What was asked for.
        value: String,
        /// The nearest code, with its label.
        nearest: Option<String>,
    },
    /// Values across a dimension cannot be put together, and the query would do so.
    #[error("values of `{indicator}` cannot be put together over `{dimension}`")]
    NeedsDimension {
        /// The indicator.
        indicator: String,
        /// The dimension to cut by or to fix.
        dimension: String,
    },
    /// The period cannot be.
    #[error("the period ends before it starts: `{from}` to `{to}`")]
    BadPeriod {
        /// First day.
        from: chrono::NaiveDate,
        /// Last day.
        to: chrono::NaiveDate,
    },
    /// What is asked makes no sense for this indicator.
    #[error("{0}")]
    Senseless(Refusal),
    /// One comparison stands twice.
    #[error("a comparison stands twice")]
    RepeatedComparison,
    /// The answer would be longer than anyone can use.
    #[error("the answer has {n_rows} rows, more than {limit}")]
    TooManyRows {
        /// Rows of the answer.
        n_rows: usize,
        /// The most that is answered.
        limit: usize,
    },
    /// A change cannot be split among groups, because the figure does not follow from sums.
    #[error("the change of `{indicator}` cannot be split: {reason}")]
    NotSplittable {
        /// The indicator.
        indicator: String,
        /// Why.
        reason: String,
    },
    /// There is no value to explain.
    #[error("`{indicator}` has no value from {} to {}", period.from, period.to)]
    NoValue {
        /// The indicator.
        indicator: String,
        /// The period.
        period: crate::domain::period::Period,
    },
    /// There is no plan to compare with.
    #[error("there is no plan of `{indicator}` from {} to {}", period.from, period.to)]
    NoPlan {
        /// The indicator.
        indicator: String,
        /// The period.
        period: crate::domain::period::Period,
    },
    /// Nothing was ever published.
    #[error("the warehouse has no snapshot yet")]
    NoSnapshot,
    /// There is no such snapshot.
    #[error("there is no snapshot {number}")]
    UnknownSnapshot {
        /// What was asked for.
        number: u64,
        /// The latest one.
        latest: Option<u64>,
    },
    /// The snapshot has no table of the entity.
    #[error("snapshot {snapshot} has no table `{table}`")]
    NoTable {
        /// The snapshot.
        snapshot: u64,
        /// The table.
        table: String,
    },
    /// The text is not one SELECT.
    #[error("only one SELECT can be run, found {found}")]
    NotSelect {
        /// What stands there.
        found: String,
    },
    /// The text cannot be read as SQL over the tables of the snapshot.
    #[error("the SQL cannot be run: {reason}")]
    BadSql {
        /// What is wrong with it.
        reason: String,
        /// What to do.
        help: Option<String>,
    },
    /// A snapshot's list of tables cannot be read.
    #[error("cannot read snapshots")]
    Snapshots(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The definitions that were kept with a snapshot cannot be read.
    #[error("cannot read the definitions `{edition}` of the snapshot")]
    NoDefinitions {
        /// Their edition.
        edition: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A table cannot be opened.
    #[error("cannot open table `{table}`")]
    Open {
        /// The table.
        table: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine cannot be set up.
    #[error("cannot start the query engine")]
    Start(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A plan cannot be made or run.
    #[error("cannot compute `{what}`")]
    Compute {
        /// The indicator or text.
        what: String,
        /// Why.
        #[source]
        cause: Box<DataFusionError>,
    },
}

impl QueryError {
    /// No indicator has this identifier; the nearest is named.
    pub(crate) fn unknown_indicator(id: &str, catalog: &super::catalog::Catalog) -> Self {
        let known = catalog.iter().map(super::indicator::Indicator::id);
        Self::UnknownIndicator { indicator: id.to_owned(), nearest: nearest(id, known).map(str::to_owned) }
    }

    /// What the user can do, where that can be said.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let mean = |nearest: &Option<String>| nearest.as_ref().map(|name| format!("did you mean {name}?"));
        match self {
            Self::UnknownIndicator { nearest, .. } => mean(&nearest.as_ref().map(|name| format!("`{name}`"))),
            Self::UnknownDimension { nearest, known, .. } => mean(&nearest.as_ref().map(|name| format!("`{name}`")))
                .or_else(|| {
                    Some(format!(
                        "known: {}",
                        known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                    ))
                }),
            Self::UnknownValue { nearest, .. } => mean(nearest),
            Self::NeedsDimension { dimension, .. } => Some(format!("cut by `{dimension}`, or fix it to one value")),
            Self::TooManyRows { .. } => Some("cut by less, take a longer grain or a shorter period".to_owned()),
            Self::NoSnapshot => Some("`svod run` pulls the data and publishes a snapshot".to_owned()),
            Self::UnknownSnapshot { latest, .. } => latest.map(|latest| format!("the latest is {latest}")),
            Self::NotSelect { .. } => Some("the warehouse is changed by `svod run` only".to_owned()),
            Self::BadSql { help, .. } => help.clone(),
            Self::NotSplittable { .. } => {
                Some("counts, sums, numbers of different things, means and ratios of them can be split".to_owned())
            }
            Self::NoPlan { .. } => Some("plans are declared in `warehouse/plans`".to_owned()),
            Self::RepeatedDimension { .. }
            | Self::RepeatedComparison
            | Self::Senseless(_)
            | Self::BadPeriod { .. }
            | Self::NoValue { .. }
            | Self::NoTable { .. }
            | Self::NoDefinitions { .. }
            | Self::Snapshots(_)
            | Self::Open { .. }
            | Self::Start(_)
            | Self::Compute { .. } => None,
        }
    }

    /// Whether another query would help, as against a warehouse that is out of order.
    #[must_use]
    pub fn is_of_the_query(&self) -> bool {
        match self {
            Self::UnknownIndicator { .. }
            | Self::UnknownDimension { .. }
            | Self::RepeatedDimension { .. }
            | Self::UnknownValue { .. }
            | Self::NeedsDimension { .. }
            | Self::BadPeriod { .. }
            | Self::Senseless(_)
            | Self::RepeatedComparison
            | Self::TooManyRows { .. }
            | Self::NotSplittable { .. }
            | Self::NoValue { .. }
            | Self::NoPlan { .. }
            | Self::UnknownSnapshot { .. }
            | Self::NotSelect { .. }
            | Self::BadSql { .. } => true,
            Self::NoSnapshot
            | Self::NoTable { .. }
            | Self::NoDefinitions { .. }
            | Self::Snapshots(_)
            | Self::Open { .. }
            | Self::Start(_)
            | Self::Compute { .. } => false,
        }
    }
}

/// The name most like a wrong one, if any is like it.
pub(super) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0).then_with(|| other.1.cmp(one.1)))
        .map(|(_, name)| name)
}
