//! The project's code lists that are built into the generator, so that it needs no project folder.

use std::fmt;

use super::GenerateError;

/// A code list of `warehouse/reference/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Working days.
    Calendar,
    /// Municipalities and city districts.
    Municipalities,
}

impl List {
    fn text(self) -> &'static str {
        match self {
            Self::Calendar => include_str!("../../warehouse/reference/calendar.csv"),
            Self::Municipalities => include_str!("../../warehouse/reference/municipalities.csv"),
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Calendar => "calendar",
            Self::Municipalities => "municipalities",
        })
    }
}

/// Some columns of a list, row by row.
///
/// # Errors
/// [`GenerateError::List`] if a column is missing or the file is not a table.
pub(super) fn read_list(list: List, columns: &[&str]) -> Result<Vec<Vec<String>>, GenerateError> {
    let wrong = |problem: String| GenerateError::List { list, problem };
    let mut reader = csv::Reader::from_reader(list.text().as_bytes());
    let header = reader.headers().map_err(|cause| wrong(cause.to_string()))?.clone();
    let places = columns
        .iter()
        .map(|column| {
            let place = header.iter().position(|name| name == *column);
            place.ok_or_else(|| wrong(format!("there is no column `{column}`")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|cause| wrong(cause.to_string()))?;
            Ok(places.iter().map(|place| record.get(*place).unwrap_or_default().to_owned()).collect())
        })
        .collect()
}
