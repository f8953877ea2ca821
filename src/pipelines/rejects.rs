//! Rows that are not taken, and the sentence that says why.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Why a row is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The broken rule, e.g. `type`, `required`, `reference`.
    pub rule: Cow<'static, str>,
    /// What is wrong and what to do, for the people who keep the register.
    pub sentence: String,
}

/// Rejected rows of one block by their place in it. The first broken rule of a row is the one that is told.
#[derive(Debug, Default)]
pub struct Rejects {
    rejected: BTreeMap<usize, Reject>,
    left_out: BTreeSet<usize>,
    /// Values that were left out since they do not fit their type: row and column.
    unfit: Vec<(usize, String)>,
}

impl Rejects {
    /// Rejects a row, unless it is rejected already.
    pub fn add(&mut self, row: usize, rule: impl Into<Cow<'static, str>>, sentence: impl FnOnce() -> String) {
        if !self.left_out.contains(&row) {
            self.rejected.entry(row).or_insert_with(|| Reject { rule: rule.into(), sentence: sentence() });
        }
    }

    /// Notes that a value of a row was left out, since it does not fit the type of its column.
    pub fn note_unfit(&mut self, row: usize, column: &str) {
        self.unfit.push((row, column.to_owned()));
    }

    /// Values that were left out, by row and column; the row may have been rejected for another reason.
    pub fn unfit(&self) -> impl Iterator<Item = (usize, &str)> {
        self.unfit.iter().map(|(row, column)| (*row, column.as_str()))
    }

    /// Leaves a row out: it was not asked for, so nothing is said about it.
    pub fn leave_out(&mut self, row: usize) {
        self.rejected.remove(&row);
        self.left_out.insert(row);
    }

    /// How many rows were left out.
    #[must_use]
    pub fn n_left_out(&self) -> usize {
        self.left_out.len()
    }

    /// Whether a row is not taken: rejected or left out.
    #[must_use]
    pub fn contains(&self, row: usize) -> bool {
        !self.rejected.is_empty() && self.rejected.contains_key(&row)
            || !self.left_out.is_empty() && self.left_out.contains(&row)
    }

    /// How many rows are rejected.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rejected.len()
    }

    /// Whether no row is rejected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rejected.is_empty()
    }

    /// The rejected rows in order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Reject)> {
        self.rejected.iter().map(|(row, reject)| (*row, reject))
    }
}

/// A value as a sentence shows it: in quotes, not too long, and with a mark for each character that cannot be seen.
#[must_use]
pub fn quoted(value: &str) -> String {
    const LONGEST: usize = 60;
    let seen = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    let start: String = value.chars().take(LONGEST).map(seen).collect();
    let more = if value.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("«{start}{more}»")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_marked() {
        assert_eq!(quoted("1\u{98}\u{1}"), "«1\u{FFFD}\u{FFFD}»");
        assert_eq!(quoted(&"я".repeat(61)), format!("«{}…»", "я".repeat(60)));
    }
}
