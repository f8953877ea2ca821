//! JSON objects of a block → its rows.

use std::borrow::Cow;

use indexmap::IndexMap;
use polars::prelude::{Column, DataFrame, IntoColumn, IntoSeries, StringChunkedBuilder};
use serde::de::IgnoredAny;

use super::json_line::{Keys, LineError, Values, read_object};
use super::lines::LineBlock;
use super::{
    Block, BrokenRow, ColumnChanges, ColumnName, FormatError, MAX_ROW_BYTES, RawRows, Undeclared, UndeclaredColumn,
    WantedColumns, mask_shape,
};

/// What the place of an object counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Lines of a file.
    Line,
    /// Elements of an array.
    Element,
}

/// Undeclared keys of a block: name, and values by the place of their row.
type Noted = IndexMap<String, Vec<(usize, String)>>;

/// A key of an object with what it has.
type KeyValue<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// Turns objects into rows.
#[derive(Debug)]
pub(super) struct ObjectReader {
    keys: Keys,
    place: Place,
    /// For each column whether some object had a value; empty before the first one.
    is_seen: Vec<bool>,
}

impl ObjectReader {
    pub(super) fn new(columns: &WantedColumns, place: Place) -> Self {
        Self { keys: Keys::new(columns), place, is_seen: Vec::new() }
    }

    /// Checks, at the end of the file, that its objects had what they must have.
    pub(super) fn finish(&self) -> Result<(), FormatError> {
        self.keys.columns.check_seen(&self.is_seen)
    }

    /// The rows of a block of text.
    pub(super) fn read(&mut self, text: LineBlock, n_bytes_read: u64) -> Result<Block, FormatError> {
        let mut broken: Vec<BrokenRow> = Vec::new();
        for row in text.too_long {
            let sentence = format!("{} длиннее {} МиБ; исправьте выгрузку", self.name(row), MAX_ROW_BYTES >> 20);
            broken.push(BrokenRow { row, raw: String::new(), sentence });
        }
        let builder = |column: &ColumnName| StringChunkedBuilder::new(column.name.as_str().into(), text.lines.len());
        let mut builders: Vec<StringChunkedBuilder> = self.keys.columns.iter().map(builder).collect();
        let mut rows = Vec::with_capacity(text.lines.len());
        let mut places = Vec::with_capacity(text.lines.len());
        let mut values = Values::new();
        let mut noted = Noted::new();
        let mut of_object: Vec<KeyValue<'_>> = Vec::new();
        let leaves_alone = self.keys.columns.undeclared() == Undeclared::LeaveAlone;
        // One check for the whole block; object by object only if some byte is not UTF-8.
        let whole = std::str::from_utf8(&text.bytes).ok();
        for (row, place) in text.lines {
            let bytes = text.bytes.get(place.clone()).unwrap_or_default();
            let object = match whole {
                Some(whole) => whole.get(place.clone()),
                None => std::str::from_utf8(bytes).ok(),
            };
            of_object.clear();
            let read = object.map(|object| {
                if leaves_alone {
                    return read_object(object, &self.keys, &mut values, |_, _| {});
                }
                read_object(object, &self.keys, &mut values, |key, value| of_object.push((key, value)))
            });
            match read {
                Some(Ok(())) => {
                    if !leaves_alone {
                        note_keys(&mut noted, &of_object, &self.keys.columns, rows.len());
                        note_seen(&mut self.is_seen, &values);
                    }
                    for (builder, value) in builders.iter_mut().zip(&values) {
                        builder.append_option(value.as_deref());
                    }
                    rows.push(row);
                    places.push(place);
                }
                Some(Err(error)) => broken.push(self.describe(bytes, row, Some(error))),
                None => broken.push(self.describe(bytes, row, None)),
            }
        }
        drop((values, of_object));
        if self.keys.columns.undeclared() == Undeclared::Refuse && !noted.is_empty() {
            let undeclared = noted.into_keys().collect();
            return Err(FormatError::ChangedColumns { undeclared, missing: Vec::new() });
        }
        let undeclared = noted.into_iter().map(|(name, values)| UndeclaredColumn { name, values }).collect();
        let columns: Vec<Column> =
            builders.into_iter().map(|builder| builder.finish().into_series().into_column()).collect();
        Ok(Block {
            frame: DataFrame::new(rows.len(), columns)?,
            rows,
            raw: RawRows::Objects { bytes: text.bytes, places },
            broken,
            changes: ColumnChanges { undeclared, ..ColumnChanges::default() },
            n_bytes_read,
        })
    }

    /// How a row is called in a sentence.
    fn name(&self, row: u64) -> String {
        match self.place {
            Place::Line => format!("строка файла {row}:"),
            Place::Element => format!("элемент списка {row}:"),
        }
    }

    /// A broken object and what is wrong with it.
    fn describe(&self, bytes: &[u8], row: u64, error: Option<LineError>) -> BrokenRow {
        let name = self.name(row);
        let column = |column: usize| self.keys.columns.get(column).map_or("", |column| column.from.as_str());
        let advice = match self.place {
            Place::Line => "каждая строка должна быть одним объектом JSON",
            Place::Element => "каждый элемент списка должен быть объектом JSON",
        };
        let sentence = match (error, serde_json::from_slice::<IgnoredAny>(bytes)) {
            (None, _) => format!("{name} не читается в кодировке utf-8; проверьте кодировку выгрузки"),
            (Some(LineError::Nested(place)), _) => {
                format!("{name} «{}» – список или объект вместо одного значения; исправьте выгрузку", column(place))
            }
            (Some(LineError::Single(place)), _) => {
                format!(
                    "{name} «{}» не найти: на пути к нему одно значение вместо объекта; исправьте выгрузку",
                    column(place)
                )
            }
            (Some(LineError::Malformed), Err(error)) => match (self.place, error.line()) {
                (Place::Line, _) | (_, 1) => format!("{name} не JSON, ошибка в позиции {}; {advice}", error.column()),
                (_, line) => {
                    format!("{name} не JSON, ошибка в его строке {line}, позиция {}; {advice}", error.column())
                }
            },
            (Some(LineError::Malformed), Ok(_)) => format!("{name} не объект JSON; {advice}"),
        };
        BrokenRow { row, raw: mask_shape(&String::from_utf8_lossy(bytes)), sentence }
    }
}

/// Notes the undeclared keys of a row.
fn note_keys(noted: &mut Noted, of_object: &[KeyValue<'_>], columns: &WantedColumns, row: usize) {
    for (key, value) in of_object {
        if !columns.is_undeclared(key) {
            continue;
        }
        if !noted.contains_key(key.as_ref()) {
            noted.insert(key.to_string(), Vec::new());
        }
        if let (Some(values), Some(value)) = (noted.get_mut(key.as_ref()), value)
            && !value.is_empty()
        {
            values.push((row, value.to_string()));
        }
    }
}

/// Notes which columns have a value in a row.
fn note_seen(is_seen: &mut Vec<bool>, values: &Values<'_>) {
    is_seen.resize(values.len(), false);
    for (is_seen, value) in is_seen.iter_mut().zip(values) {
        *is_seen |= value.is_some();
    }
}
