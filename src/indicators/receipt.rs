//! Receipts: a figure named by a short text, from which it can be computed again.
//!
//! A receipt holds what a figure follows from – the indicator and its edition, the snapshot, the day, filters, cut, period,
//! grain, who asked, the policy of lights – and a hash of what was shown. It holds codes only and no value, and the text is made of
//! characters that an address, a file name and a shell take as they are.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};

use super::figures::{FigureRow, Figures};
use super::indicator::Indicator;
use super::query::Query;
use super::scope::Scope;
use crate::domain::figure::Figure;
use crate::domain::period::{Grain, Period};
use crate::domain::short_hash::short_hash;

mod text;

pub use text::ReceiptError;

/// The program, for a figure that only another version of it would compute otherwise.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// A figure and all that it follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What the whole answer follows from.
    pub basis: Basis,
    /// Identifier of the indicator.
    pub indicator: String,
    /// Number of the snapshot.
    pub snapshot: u64,
    /// Dimensions that the answer is cut by, each with the code of this figure; none where the entity has no code.
    pub keys: Vec<(String, Option<String>)>,
    /// Length of the buckets, if time is cut.
    pub grain: Option<Grain>,
    /// First day of the bucket, if time is cut.
    pub bucket: Option<NaiveDate>,
    /// Hash of the figure as it was given: its value and state.
    pub figure_hash: String,
}

/// What an answer follows from besides its indicator, cut and snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Basis {
    /// Edition of the indicator.
    pub edition: String,
    /// The present that it was computed in.
    pub seen: Seen,
    /// Values that were let through, by dimension.
    pub filters: BTreeMap<String, Vec<String>>,
    /// The period as it was asked for; none = all of history.
    pub period: Option<Period>,
    /// Who asked.
    pub scope: String,
    /// Edition of the policy of lights that was in force; empty without one.
    pub policy: String,
    /// Version of the program.
    pub program: String,
}

/// The present of an answer: the day alone, unless the figure depends on the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A local day.
    Day(NaiveDate),
    /// A moment.
    Moment(DateTime<Utc>),
}

impl Default for Seen {
    fn default() -> Self {
        Self::Day(NaiveDate::default())
    }
}

impl Basis {
    /// The basis of an answer to a query.
    pub(super) fn of(
        scope: &Scope,
        query: &Query,
        indicator: &Indicator,
        present: super::expression::Present,
        policy: Option<&str>,
    ) -> Self {
        let cut = query.by.iter().chain(query.filters.keys());
        let seen = if indicator.depends_on_the_moment(cut.map(String::as_str)) {
            Seen::Moment(present.moment)
        } else {
            Seen::Day(present.today)
        };
        Self {
            edition: indicator.edition.clone(),
            seen,
            filters: query.filters.iter().map(|(name, values)| (name.clone(), values.clone())).collect(),
            period: query.period,
            scope: scope.fingerprint(),
            policy: policy.unwrap_or_default().to_owned(),
            program: PROGRAM.to_owned(),
        }
    }
}

impl Figures {
    /// The receipt of one of the rows.
    #[must_use]
    pub fn receipt(&self, row: &FigureRow) -> Receipt {
        Receipt {
            basis: self.basis.clone(),
            indicator: self.indicator.clone(),
            snapshot: self.snapshot,
            keys: self.dimensions.iter().cloned().zip(row.keys.iter().cloned()).collect(),
            grain: self.grain,
            bucket: row.bucket,
            figure_hash: hash_figure(row.figure),
        }
    }
}

impl Receipt {
    /// The query whose answer the figure is a row of.
    #[must_use]
    pub fn query(&self) -> Query {
        Query {
            indicator: self.indicator.clone(),
            by: self.keys.iter().map(|(name, _)| name.clone()).collect(),
            filters: self.basis.filters.iter().map(|(name, values)| (name.clone(), values.clone())).collect(),
            period: self.basis.period,
            grain: self.grain,
            ..Query::default()
        }
    }

    /// Whether a row of the answer is the figure's.
    pub(super) fn is_of(&self, row: &FigureRow) -> bool {
        row.bucket == self.bucket && self.keys.iter().map(|(_, code)| code).eq(&row.keys)
    }

    /// The days of the bucket within the period; none without either.
    pub(super) fn days(&self) -> Option<Period> {
        let bucket = self.grain.zip(self.bucket).map(|(grain, from)| Period { from, to: grain.end(from) });
        match (bucket, self.basis.period) {
            (Some(bucket), Some(period)) => {
                Some(Period { from: bucket.from.max(period.from), to: bucket.to.min(period.to) })
            }
            (one, other) => one.or(other),
        }
    }
}

/// Hash of a figure: the bits of its value, or the reason why there is none.
pub(super) fn hash_figure(figure: Figure) -> String {
    match figure.value {
        // Zero has a sign in memory and none in a figure.
        Some(value) => short_hash(&format!("{:x}", (value + 0.0).to_bits())),
        None => short_hash(&format!("{:?}", figure.state)),
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&text::write(self))
    }
}

impl FromStr for Receipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        text::read(text)
    }
}
