//! The answer to a query.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::receipt::Basis;
use crate::domain::figure::Figure;
use crate::domain::period::{Grain, Period};

/// Values of one indicator out of one snapshot.
///
/// # Shape
/// One row per combination of the dimensions' values that has rows in the period (a stock: that ever had), and per
/// bucket if there is a grain; sorted by keys in the order of their code lists, an absent code last, then by bucket.
/// Without dimensions there is always exactly one combination, the empty one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    /// Identifier of the indicator.
    pub indicator: String,
    /// What the rows are cut by, in the order of [`FigureRow::keys`].
    pub dimensions: Vec<String>,
    /// Names of the measures, in the order of [`FigureRow::measures`].
    pub measures: Vec<String>,
    /// Length of the buckets, if time is cut.
    pub grain: Option<Grain>,
    /// The period as asked for, or the first to the last day of the data.
    pub period: Period,
    /// Number of the snapshot.
    pub snapshot: u64,
    /// When the snapshot was published.
    pub published_at: DateTime<Utc>,
    /// The local day in which the figures were computed; for a named snapshot that of its publication.
    pub today: NaiveDate,
    /// What receipts of the values need to know besides.
    #[serde(skip)]
    pub basis: Basis,
    /// The values.
    pub rows: Vec<FigureRow>,
}

/// One value and the measures that it is computed from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FigureRow {
    /// Codes, one per dimension; none where the entity has no code.
    pub keys: Vec<Option<String>>,
    /// First day of the bucket, if time is cut.
    pub bucket: Option<NaiveDate>,
    /// The value with its state.
    pub figure: Figure,
    /// The measures behind it, which stay apart because ratios are recomputed from their parts.
    pub measures: Vec<Option<f64>>,
}
