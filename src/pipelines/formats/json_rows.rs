//! JSON objects of a block → its rows.

use polars::prelude::{Column, DataFrame, IntoColumn, IntoSeries, StringChunkedBuilder};
use serde::de::IgnoredAny;

use super::json_line::{Keys, LineError, Values, read_object};
use super::lines::LineBlock;
use super::{Block, BrokenRow, ColumnName, FormatError, MAX_ROW_BYTES, RawRows, mask_shape};

/// What the place of an object counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Lines of a file.
    Line,
    /// Elements of an array.
    Element,
}

/// Turns objects into rows.
#[derive(Debug)]
pub(super) struct ObjectReader {
    keys: Keys,
    place: Place,
}

impl ObjectReader {
    pub(super) fn new(columns: &[ColumnName], place: Place) -> Self {
        Self { keys: Keys::new(columns), place }
    }

    /// The rows of a block of text.
    pub(super) fn read(&self, text: LineBlock, n_bytes_read: u64) -> Result<Block, FormatError> {
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
        // One check for the whole block; object by object only if some byte is not UTF-8.
        let whole = std::str::from_utf8(&text.bytes).ok();
        for (row, place) in text.lines {
            let bytes = text.bytes.get(place.clone()).unwrap_or_default();
            let object = match whole {
                Some(whole) => whole.get(place.clone()),
                None => std::str::from_utf8(bytes).ok(),
            };
            match object.map(|object| read_object(object, &self.keys, &mut values)) {
                Some(Ok(())) => {
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
        drop(values);
        let columns: Vec<Column> =
            builders.into_iter().map(|builder| builder.finish().into_series().into_column()).collect();
        Ok(Block {
            frame: DataFrame::new(rows.len(), columns)?,
            rows,
            raw: RawRows::Objects { bytes: text.bytes, places },
            broken,
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
