//! The answer to a query.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::receipt::Basis;
use super::windows::{Against, Cumulate, Note};
use crate::domain::figure::Figure;
use crate::domain::period::{Grain, Period};

/// Values of one indicator out of one snapshot.
///
/// # Shape
/// One row per combination of the dimensions' values that has rows in the period or in what it is compared with (a stock: that
/// ever had), and per bucket if there is a grain; sorted by keys in the order of their code lists, an absent code last, then by bucket.
/// Without dimensions there is always exactly one combination, the empty one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    /// Identifier of the indicator.
    pub indicator: String,
    /// Edition of its definition, see [`super::Indicator::edition`].
    pub edition: String,
    /// Edition of the declarations that were kept with the snapshot and used; none if those of the present were.
    pub definitions: Option<String>,
    /// What the rows are cut by, in the order of [`FigureRow::keys`].
    pub dimensions: Vec<String>,
    /// Names of the measures, in the order of [`FigureRow::measures`].
    pub measures: Vec<String>,
    /// Length of the buckets, if time is cut.
    pub grain: Option<Grain>,
    /// Where the running total starts anew, if there is one.
    pub cumulate: Option<Cumulate>,
    /// Buckets of the rolling window, if there is one.
    pub rolling: Option<u32>,
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FigureRow {
    /// Codes, one per dimension; none where the entity has no code.
    pub keys: Vec<Option<String>>,
    /// First day of the bucket, if time is cut.
    pub bucket: Option<NaiveDate>,
    /// The value with its state.
    pub figure: Figure,
    /// The measures behind it, which stay apart because ratios are recomputed from their parts.
    pub measures: Vec<Option<f64>>,
    /// Working days of the bucket, or of the part up to `to_date`; none where the calendar is not published.
    pub working_days: Option<u32>,
    /// The value per working day, if asked for.
    pub per_working_day: Option<f64>,
    /// Share in the sum of the bucket in percent, if asked for.
    pub share: Option<f64>,
    /// The day to which the data reach, where the bucket is not over: it is compared with the same part of others.
    pub to_date: Option<NaiveDate>,
    /// How many of those who had to report have done it, if asked for and declared.
    pub coverage: Option<Coverage>,
    /// The value against earlier ones, in the order of the query.
    pub compared: Vec<Compared>,
    /// The running total up to the end of the bucket.
    pub cumulative: Option<WindowFigure>,
    /// The value over the last buckets, this one included.
    pub rolling: Option<WindowFigure>,
}

/// The value of an indicator over some days, recomputed from its parts or its rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WindowFigure {
    /// The days.
    pub period: Period,
    /// The value with its state.
    pub figure: Figure,
    /// The value against earlier ones, in the order of the query.
    pub compared: Vec<Compared>,
}

/// A value against an earlier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Compared {
    /// What it is compared with.
    pub against: Against,
    /// The earlier days; none if there are none that are like these.
    pub period: Option<Period>,
    /// The earlier value with its state.
    pub figure: Figure,
    /// Now less earlier, in the unit of the indicator: percentage points where that is percent.
    pub change: Option<f64>,
    /// The change in percent of the earlier value, which is not zero.
    pub change_percent: Option<f64>,
    /// Working days of the earlier days.
    pub working_days: Option<u32>,
    /// The earlier value per working day, if asked for.
    pub per_working_day: Option<f64>,
    /// What is worth knowing about it.
    pub note: Option<Note>,
}

/// How many of those who had to report have done it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Coverage {
    /// Those who reported everything that was due.
    pub reported: f64,
    /// All who had to.
    pub owing: f64,
}
