//! Which columns a decoder reads, and what it does about columns that nobody declared or that are not there.
//!
//! ```text
//! header of a file ──▶ WantedColumns::find ──▶ places of the declared columns, undeclared ones, missing ones
//! keys of a row    ──▶ WantedColumns::is_undeclared
//!                          LeaveAlone: nothing is said of them
//!                          Refuse:     FormatError::ChangedColumns, nothing of the file is taken
//!                          HandOver:   Block::changes has their values
//! ```
//!
//! Where rows have parts, a column is named by a path, and its first key is declared with all that lies in it.
//! A format with a header has a column or lacks it. In a format where each row names its own keys a key that is left out is an empty value,
//! so only a required column can be missing there: under `Refuse`, if no row of the file has it.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use super::{ColumnName, FormatError};

/// What a decoder does with columns that are not declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undeclared {
    /// Does not read them.
    LeaveAlone,
    /// Refuses the file.
    Refuse,
    /// Hands their values over.
    HandOver,
}

/// The columns that a decoder reads: a slice of their names, and what is to be done about the others.
#[derive(Debug, Clone)]
pub struct WantedColumns {
    columns: Vec<ColumnName>,
    required: Vec<bool>,
    /// How many of them are declared; those behind were found in the file.
    n_declared: usize,
    ignored: BTreeSet<String>,
    undeclared: Undeclared,
    /// Whether a column that is not required may be missing.
    may_lack: bool,
}

/// Where the columns of a header are.
#[derive(Debug, Clone, Default)]
pub struct FoundColumns {
    /// For each wanted column its place in the header; none where the file lacks it, which is an empty value then.
    pub places: Vec<Option<usize>>,
    /// Columns that are not declared, by place and name, if they are to be handed over.
    pub undeclared: Vec<(usize, String)>,
    /// Wanted columns that the file lacks.
    pub missing: Arc<[String]>,
}

/// What a block tells about columns beside its rows.
#[derive(Debug, Clone, Default)]
pub struct ColumnChanges {
    /// Wanted columns that the file lacks.
    pub missing: Arc<[String]>,
    /// Undeclared columns with values in this block.
    pub undeclared: Vec<UndeclaredColumn>,
}

/// A column that nobody declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndeclaredColumn {
    /// Its name in the file.
    pub name: String,
    /// Its values with the place of their row in the block, in order; a row without a value is left out. Lists and objects are text.
    pub values: Vec<(usize, String)>,
}

impl From<&[ColumnName]> for WantedColumns {
    /// Columns that must all be there; others are left alone.
    fn from(columns: &[ColumnName]) -> Self {
        Self {
            columns: columns.to_vec(),
            required: vec![false; columns.len()],
            n_declared: columns.len(),
            ignored: BTreeSet::new(),
            undeclared: Undeclared::LeaveAlone,
            may_lack: false,
        }
    }
}

impl From<Vec<ColumnName>> for WantedColumns {
    fn from(columns: Vec<ColumnName>) -> Self {
        columns.as_slice().into()
    }
}

impl Deref for WantedColumns {
    type Target = [ColumnName];

    fn deref(&self) -> &[ColumnName] {
        &self.columns
    }
}

impl WantedColumns {
    /// The same columns with what is to be done about the others: `required` says of each whether a row must have it, `ignored` names
    /// columns that are known and left alone.
    #[must_use]
    pub fn strictly(
        mut self,
        undeclared: Undeclared,
        may_lack: bool,
        required: Vec<bool>,
        ignored: impl IntoIterator<Item = String>,
    ) -> Self {
        (self.undeclared, self.may_lack, self.required) = (undeclared, may_lack, required);
        self.ignored = ignored.into_iter().collect();
        self
    }

    /// The same columns; others are handed over if they would be left alone.
    #[must_use]
    pub fn telling_others(mut self) -> Self {
        if self.undeclared == Undeclared::LeaveAlone {
            self.undeclared = Undeclared::HandOver;
        }
        self
    }

    /// The same columns, of which only the first are declared. The others were found in the file: it may lack them, and their lists and
    /// objects are text.
    #[must_use]
    pub fn declared_up_to(mut self, n_declared: usize) -> Self {
        self.n_declared = n_declared;
        self
    }

    /// What is to be done about columns that are not declared.
    #[must_use]
    pub fn undeclared(&self) -> Undeclared {
        self.undeclared
    }

    /// Whether a column, by its place, was found in the file rather than declared.
    #[must_use]
    pub fn is_found(&self, place: usize) -> bool {
        place >= self.n_declared
    }

    /// Whether a name of the file is neither wanted nor ignored. A column without a name is never meant.
    #[must_use]
    pub fn is_undeclared(&self, name: &str) -> bool {
        !name.is_empty() && !self.ignored.contains(name) && self.columns.iter().all(|column| column.from != name)
    }

    /// Looks for the columns in a header.
    ///
    /// # Errors
    /// [`FormatError::MissingColumn`], [`FormatError::RepeatedColumn`], and [`FormatError::ChangedColumns`] where undeclared columns are refused.
    pub fn find(&self, header: &[String]) -> Result<FoundColumns, FormatError> {
        let mut places = Vec::with_capacity(self.columns.len());
        let mut missing = Vec::new();
        for (column, wanted) in self.columns.iter().enumerate() {
            let mut found = header.iter().enumerate().filter(|(_, name)| **name == wanted.from).map(|(place, _)| place);
            let first = found.next();
            let n_more = found.count();
            if n_more > 0 && !self.is_found(column) {
                return Err(FormatError::RepeatedColumn { column: wanted.from.clone(), n_times: n_more + 1 });
            }
            if first.is_none() && !self.is_found(column) {
                missing.push((column, wanted.from.clone()));
            }
            places.push(first);
        }
        let of_header = header.iter().enumerate().filter(|(_, name)| self.is_undeclared(name));
        let undeclared: Vec<(usize, String)> = match self.undeclared {
            Undeclared::LeaveAlone => Vec::new(),
            _ => of_header.map(|(place, name)| (place, name.clone())).collect(),
        };
        if self.undeclared == Undeclared::Refuse && !(undeclared.is_empty() && missing.is_empty()) {
            return Err(FormatError::ChangedColumns {
                undeclared: undeclared.into_iter().map(|(_, name)| name).collect(),
                missing: missing.into_iter().map(|(_, name)| name).collect(),
            });
        }
        let is_required = |column: usize| self.required.get(column).copied().unwrap_or(true);
        if let Some((_, column)) = missing.iter().find(|(column, _)| !self.may_lack || is_required(*column)) {
            return Err(FormatError::MissingColumn { column: column.clone(), found: header.to_vec() });
        }
        Ok(FoundColumns { places, undeclared, missing: missing.into_iter().map(|(_, name)| name).collect() })
    }

    /// Checks, at the end of a file whose rows name their own keys, that each required column was in some row, if changes are refused.
    ///
    /// # Errors
    /// [`FormatError::ChangedColumns`].
    pub fn check_seen(&self, is_seen: &[bool]) -> Result<(), FormatError> {
        let of_columns = self.columns.iter().zip(&self.required).zip(is_seen);
        let missing: Vec<String> = of_columns
            .filter(|((_, required), seen)| **required && !**seen)
            .map(|((column, _), _)| column.from.clone())
            .collect();
        if self.undeclared == Undeclared::Refuse && !missing.is_empty() {
            return Err(FormatError::ChangedColumns { undeclared: Vec::new(), missing });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(undeclared: Undeclared, may_lack: bool) -> WantedColumns {
        let columns = ["N", "Дата"].map(|name| ColumnName { from: name.to_owned(), name: name.to_owned() }).to_vec();
        WantedColumns::from(columns).strictly(undeclared, may_lack, vec![true, false], ["ФИО".to_owned()])
    }

    fn find(wanted: &WantedColumns, header: &[&str]) -> Result<FoundColumns, String> {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        wanted.find(&header).map_err(|error| error.to_string())
    }

    #[test]
    fn others_are_left_alone_handed_over_or_refused() {
        let header = ["ФИО", "Дата", "", "Льгота", "N"];
        let found = find(&wanted(Undeclared::LeaveAlone, false), &header).unwrap();
        assert_eq!((found.places, found.undeclared.len()), (vec![Some(4), Some(1)], 0));
        let found = find(&wanted(Undeclared::HandOver, false), &header).unwrap();
        assert_eq!(found.undeclared, [(3, "Льгота".to_owned())]);
        assert_eq!(
            find(&wanted(Undeclared::Refuse, false), &["Льгота", "N"]).unwrap_err(),
            "the columns have changed: `Льгота` is not declared, `Дата` is not in the file; what was loaded before stays; \
             declare new columns in `columns` or name them in `ignore`, take vanished ones out of `columns`, or have the export mended"
        );
    }

    #[test]
    fn a_column_may_be_missing_if_that_is_allowed_and_no_row_must_have_it() {
        let found = find(&wanted(Undeclared::HandOver, true), &["N"]).unwrap();
        assert_eq!((found.places, found.missing.to_vec()), (vec![Some(0), None], vec!["Дата".to_owned()]));
        assert!(find(&wanted(Undeclared::HandOver, false), &["N"]).unwrap_err().starts_with("column `Дата` is not"));
        assert!(find(&wanted(Undeclared::HandOver, true), &["Дата"]).unwrap_err().starts_with("column `N` is not"));
    }

    #[test]
    fn a_found_column_may_be_missing_or_repeated() {
        let columns = ["N", "Льгота", "Срок"].map(|name| ColumnName { from: name.to_owned(), name: name.to_owned() });
        let wanted = WantedColumns::from(columns.to_vec()).declared_up_to(1);
        assert_eq!(find(&wanted, &["N", "Льгота", "Льгота"]).unwrap().places, [Some(0), Some(1), None]);
    }
}
