//! Quality rules of a contract: what is counted in a batch, how much of it may be, and what follows if there is more.

use regex::Regex;

use crate::declarations::Spanned;

/// A rule beside the limits of single columns.
///
/// An `error` that allows nothing rejects the rows that break it, see [`Rule::rejects_rows`]. Any other rule judges a batch as a whole.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name in quarantine and in warnings.
    pub name: String,
    /// What is counted.
    pub test: Test,
    /// What the count must be.
    pub limit: Limit,
    /// Whether the limit is a share of the events of the batch, in percent.
    pub in_percent: bool,
    /// What follows if the limit is broken.
    pub severity: Severity,
    /// What is wrong and what to do, for the people who keep the register.
    pub sentence: Option<String>,
}

/// What a rule counts among the events of a batch. Columns are places in the contract.
#[derive(Debug, Clone)]
pub enum Test {
    /// Events without a value, or with a text that means none.
    Missing {
        /// The column.
        column: usize,
        /// Texts that mean "no value".
        texts: Vec<String>,
    },
    /// Events with a text that is not allowed; no value is allowed.
    Invalid {
        /// The column.
        column: usize,
        /// The only allowed texts.
        allowed: Option<Vec<String>>,
        /// What a text must match.
        pattern: Option<Regex>,
    },
    /// Events whose values stand in an earlier event with another key; an event without one of the values repeats nothing.
    Repeated {
        /// The columns whose values are compared together.
        columns: Vec<usize>,
    },
    /// Events for which a condition over their columns is true.
    Condition {
        /// The condition in the SQL of Polars, and the place of the query that it stands in.
        sql: Spanned<String>,
    },
    /// All events.
    Rows,
}

/// What follows if a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The row is rejected, or the whole batch is held back.
    Error,
    /// The batch comes in and is marked.
    Warning,
}

/// What a count must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// This.
    Is(f64),
    /// Anything else.
    IsNot(f64),
    /// More.
    Above(f64),
    /// This or more.
    AtLeast(f64),
    /// Less.
    Below(f64),
    /// This or less.
    AtMost(f64),
    /// One of these or between them.
    Between(f64, f64),
    /// Less than the first or more than the second.
    Outside(f64, f64),
}

impl Limit {
    /// Whether a count is as it must be.
    #[must_use]
    pub fn holds(self, count: f64) -> bool {
        #[expect(clippy::float_cmp, reason = "counts are whole, and a share is compared as it is written")]
        match self {
            Self::Is(limit) => count == limit,
            Self::IsNot(limit) => count != limit,
            Self::Above(limit) => count > limit,
            Self::AtLeast(limit) => count >= limit,
            Self::Below(limit) => count < limit,
            Self::AtMost(limit) => count <= limit,
            Self::Between(least, most) => (least..=most).contains(&count),
            Self::Outside(least, most) => !(least..=most).contains(&count),
        }
    }

    /// The limit in Russian words, e.g. `не больше 5`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Is(limit) => format!("ровно {limit}"),
            Self::IsNot(limit) => format!("не {limit}"),
            Self::Above(limit) => format!("больше {limit}"),
            Self::AtLeast(limit) => format!("не меньше {limit}"),
            Self::Below(limit) => format!("меньше {limit}"),
            Self::AtMost(limit) => format!("не больше {limit}"),
            Self::Between(least, most) => format!("от {least} до {most}"),
            Self::Outside(least, most) => format!("меньше {least} или больше {most}"),
        }
    }

    /// Whether nothing may be counted at all.
    fn is_none(self) -> bool {
        matches!(self, Self::Is(0.0) | Self::AtMost(0.0))
    }
}

impl Rule {
    /// Whether each row that breaks the rule is rejected, so that the batch as a whole cannot break it.
    #[must_use]
    pub fn rejects_rows(&self) -> bool {
        self.severity == Severity::Error && self.limit.is_none() && !matches!(self.test, Test::Rows)
    }
}

/// A limit of the values of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// A number, days since 1970, or microseconds of UTC.
    pub at: f64,
    /// Whether the limit itself is not allowed.
    pub is_exclusive: bool,
    /// The limit as it is written.
    pub text: String,
}
