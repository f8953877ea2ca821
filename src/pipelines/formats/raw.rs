//! What a rejected row looked like, without anything personal.

use std::ops::Range;
use std::sync::Arc;

use polars::prelude::DataFrame;
use serde_json::Value;

use super::ColumnName;

/// Stands for a value that must not be shown.
pub const MASK: &str = "•••";

/// Longest text kept of one row, in characters.
const MAX_SHOWN: usize = 4000;

/// Rows of a block as they stand in the file.
///
/// Only values of declared columns that feed no personal column of the contract are ever shown: what an undeclared column holds, nobody knows.
#[derive(Debug)]
pub enum RawRows {
    /// Fields in the order of a header.
    Fields {
        /// Names of all columns of the file.
        header: Arc<[String]>,
        /// For each declared column its place in the header; none where the file lacks it.
        places: Vec<Option<usize>>,
        /// Character between fields.
        separator: char,
    },
    /// JSON objects.
    Objects {
        /// Text of the block.
        bytes: Vec<u8>,
        /// For each row its place in the text.
        places: Vec<Range<usize>>,
    },
}

impl RawRows {
    /// A row of the block as text; values of undeclared and of hidden columns are masked.
    #[must_use]
    pub fn masked(&self, frame: &DataFrame, index: usize, columns: &[ColumnName], hidden: &[bool]) -> String {
        let text = match self {
            Self::Fields { header, places, separator } => {
                let fields = (0..header.len()).map(|place| {
                    let mut sources = places.iter().enumerate().filter(|(_, at)| **at == Some(place)).peekable();
                    let shown = sources.peek().map(|(column, _)| *column);
                    if sources.any(|(column, _)| hidden.get(column).copied().unwrap_or(true)) {
                        return MASK.to_owned();
                    }
                    let Some(column) = shown.and_then(|column| frame.columns().get(column)) else {
                        return MASK.to_owned();
                    };
                    let value = column.str().ok().and_then(|texts| texts.get(index)).unwrap_or_default();
                    quote(value, *separator)
                });
                fields.collect::<Vec<_>>().join(&separator.to_string())
            }
            Self::Objects { bytes, places } => {
                let object = places.get(index).and_then(|range| bytes.get(range.clone())).unwrap_or_default();
                match serde_json::from_slice(object) {
                    Ok(Value::Object(mut object)) => {
                        mask_object(&mut object, "", columns, hidden);
                        Value::Object(object).to_string()
                    }
                    _ => mask_shape(&String::from_utf8_lossy(object)),
                }
            }
        };
        shorten(&text)
    }
}

/// Masks what is not declared or must not be shown in an object that the keys of `path` lead to.
fn mask_object(object: &mut serde_json::Map<String, Value>, path: &str, columns: &[ColumnName], hidden: &[bool]) {
    for (key, value) in object {
        let name = format!("{path}{key}");
        let mut sources = columns.iter().zip(hidden).filter(|(column, _)| column.from == name).peekable();
        if sources.peek().is_some() {
            if !sources.all(|(_, hidden)| !hidden) && !value.is_null() {
                *value = Value::from(MASK);
            }
            continue;
        }
        let inside = format!("{name}.");
        match value {
            Value::Object(object) if columns.iter().any(|column| column.from.starts_with(&inside)) => {
                mask_object(object, &inside, columns, hidden);
            }
            Value::Null => {}
            _ => *value = Value::from(MASK),
        }
    }
}

/// A field as CSV writes it.
fn quote(value: &str, separator: char) -> String {
    if value.contains([separator, '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

/// The shape of a text: letters become `x`, digits `9`, and what separates them stays.
#[must_use]
pub fn mask_shape(text: &str) -> String {
    let masked: String = text
        .chars()
        .take(MAX_SHOWN + 1)
        .map(|character| match character {
            _ if character.is_numeric() => '9',
            _ if character.is_ascii() && !character.is_ascii_alphabetic() => character,
            _ => 'x',
        })
        .collect();
    shorten(&masked)
}

/// The text, cut where it is too long to be read by anybody.
fn shorten(text: &str) -> String {
    if text.chars().nth(MAX_SHOWN).is_none() {
        return text.to_owned();
    }
    text.chars().take(MAX_SHOWN).chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests {
    use polars::df;

    use super::*;

    fn columns() -> Vec<ColumnName> {
        [("Номер", "number"), ("СНИЛС", "insurance")]
            .map(|(from, name)| ColumnName { from: from.to_owned(), name: name.to_owned() })
            .to_vec()
    }

    #[test]
    fn personal_and_undeclared_fields_are_masked() {
        let frame = df!("number" => ["А;1"], "insurance" => ["112-233-445 95"]).unwrap();
        let header = ["Номер", "ФИО", "СНИЛС"].map(str::to_owned).to_vec().into();
        let raw = RawRows::Fields { header, places: vec![Some(0), Some(2)], separator: ';' };
        assert_eq!(raw.masked(&frame, 0, &columns(), &[false, true]), "\"А;1\";•••;•••");
    }

    #[test]
    fn personal_and_undeclared_keys_are_masked() {
        let line = r#"{"Номер":"А-1","ФИО":"Иванов","СНИЛС":11223344595,"этаж":null}"#;
        let places = std::iter::once(0..line.len()).collect();
        let raw = RawRows::Objects { bytes: line.as_bytes().to_vec(), places };
        let frame = df!("number" => ["А-1"], "insurance" => ["11223344595"]).unwrap();
        assert_eq!(
            raw.masked(&frame, 0, &columns(), &[false, true]),
            r#"{"Номер":"А-1","ФИО":"•••","СНИЛС":"•••","этаж":null}"#
        );
    }

    #[test]
    fn keys_of_nested_objects_are_masked_one_by_one() {
        let line = r#"{"заявитель":{"СНИЛС":1,"район":"Выборг","имя":null,"дети":[1]},"адрес":{"дом":1}}"#;
        let places = std::iter::once(0..line.len()).collect();
        let raw = RawRows::Objects { bytes: line.as_bytes().to_vec(), places };
        let columns = [("заявитель.СНИЛС", "insurance"), ("заявитель.район", "district")]
            .map(|(from, name)| ColumnName { from: from.to_owned(), name: name.to_owned() });
        let frame = df!("insurance" => ["1"], "district" => ["Выборг"]).unwrap();
        assert_eq!(
            raw.masked(&frame, 0, &columns, &[true, false]),
            r#"{"заявитель":{"СНИЛС":"•••","район":"Выборг","имя":null,"дети":"•••"},"адрес":"•••"}"#
        );
    }

    #[test]
    fn the_shape_shows_no_letter_and_no_digit() {
        assert_eq!(mask_shape("Иванов И.;112-233;{\"a\":1}"), "xxxxxx x.;999-999;{\"x\":9}");
    }
}
