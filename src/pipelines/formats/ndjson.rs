//! One JSON object per line.

use std::borrow::Cow;
use std::io::Read;

use indexmap::IndexMap;
use polars::prelude::{Column, DataFrame, IntoColumn, IntoSeries, StringChunkedBuilder};
use serde::de::IgnoredAny;

use super::json_line::{LineError, Values, read_line};
use super::lines::LineBlocks;
use super::{
    Block, BlockLimits, BrokenRow, ColumnChanges, ColumnName, Decoder, FormatError, MAX_ROW_BYTES, RawRows, Undeclared,
    UndeclaredColumn, WantedColumns, mask_shape,
};

/// Reads lines of JSON.
///
/// The place of a row is its line, from 1. Lines of spaces are no rows. Numbers and truth values become text exactly as they are written; a
/// missing key is null. A line that is not an object, not UTF-8, or has a list or an object in a declared column, is broken.
pub struct NdjsonDecoder<R> {
    blocks: LineBlocks<R>,
    columns: WantedColumns,
    /// For each column whether some line had a value; empty before the first line.
    is_seen: Vec<bool>,
}

/// Undeclared keys of a block: name, and values by the place of their row.
type Noted = IndexMap<String, Vec<(usize, String)>>;

/// A key of a line with what it has.
type KeyValue<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

impl<R: Read> NdjsonDecoder<R> {
    /// Opens a file.
    pub fn new(input: R, columns: &WantedColumns, limits: BlockLimits) -> Self {
        Self { blocks: LineBlocks::new(input, limits), columns: columns.clone(), is_seen: Vec::new() }
    }

    /// A broken line and what is wrong with it.
    fn describe(&self, bytes: &[u8], row: u64, error: Option<LineError>) -> BrokenRow {
        let place = format!("строка файла {row}");
        let advice = "каждая строка должна быть одним объектом JSON";
        let sentence = match (error, serde_json::from_slice::<IgnoredAny>(bytes)) {
            (None, _) => format!("{place}: не читается в кодировке utf-8; проверьте кодировку выгрузки"),
            (Some(LineError::Nested(column)), _) => {
                let name = self.columns.get(column).map_or("", |column| column.from.as_str());
                format!("{place}, «{name}»: список или объект вместо одного значения; исправьте выгрузку")
            }
            (Some(LineError::Malformed), Err(error)) => {
                format!("{place}: не JSON, ошибка в позиции {}; {advice}", error.column())
            }
            (Some(LineError::Malformed), Ok(_)) => format!("{place}: не объект JSON; {advice}"),
        };
        BrokenRow { row, raw: mask_shape(&String::from_utf8_lossy(bytes)), sentence }
    }
}

impl<R: Read + Send> Decoder for NdjsonDecoder<R> {
    fn next_block(&mut self) -> Result<Option<Block>, FormatError> {
        let Some(text) = self.blocks.next_block().map_err(FormatError::Read)? else {
            self.columns.check_seen(&self.is_seen)?;
            return Ok(None);
        };
        let mut broken: Vec<BrokenRow> = Vec::new();
        for row in text.too_long {
            let sentence = format!("строка файла {row}: длиннее {} МиБ; исправьте выгрузку", MAX_ROW_BYTES >> 20);
            broken.push(BrokenRow { row, raw: String::new(), sentence });
        }
        let builder = |column: &ColumnName| StringChunkedBuilder::new(column.name.as_str().into(), text.lines.len());
        let mut builders: Vec<StringChunkedBuilder> = self.columns.iter().map(builder).collect();
        let mut rows = Vec::with_capacity(text.lines.len());
        let mut places = Vec::with_capacity(text.lines.len());
        let mut values = Values::new();
        let mut noted = Noted::new();
        let mut of_line: Vec<KeyValue<'_>> = Vec::new();
        let leaves_alone = self.columns.undeclared() == Undeclared::LeaveAlone;
        // One check for the whole block; line by line only if some line is not UTF-8.
        let whole = std::str::from_utf8(&text.bytes).ok();
        for (row, place) in text.lines {
            let bytes = text.bytes.get(place.clone()).unwrap_or_default();
            let line = match whole {
                Some(whole) => whole.get(place.clone()),
                None => std::str::from_utf8(bytes).ok(),
            };
            of_line.clear();
            let read = line.map(|line| {
                if leaves_alone {
                    return read_line(line, &self.columns, &mut values, |_, _| {});
                }
                read_line(line, &self.columns, &mut values, |key, value| of_line.push((key, value)))
            });
            match read {
                Some(Ok(())) => {
                    if !leaves_alone {
                        note_keys(&mut noted, &of_line, &self.columns, rows.len());
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
        drop((values, of_line));
        if self.columns.undeclared() == Undeclared::Refuse && !noted.is_empty() {
            let undeclared = noted.into_keys().collect();
            return Err(FormatError::ChangedColumns { undeclared, missing: Vec::new() });
        }
        let undeclared = noted.into_iter().map(|(name, values)| UndeclaredColumn { name, values }).collect();
        let columns: Vec<Column> =
            builders.into_iter().map(|builder| builder.finish().into_series().into_column()).collect();
        Ok(Some(Block {
            frame: DataFrame::new(rows.len(), columns)?,
            rows,
            raw: RawRows::Lines { bytes: text.bytes, lines: places },
            broken,
            changes: ColumnChanges { undeclared, ..ColumnChanges::default() },
            n_bytes_read: self.blocks.n_bytes_read(),
        }))
    }
}

/// Notes the undeclared keys of a row.
fn note_keys(noted: &mut Noted, of_line: &[KeyValue<'_>], columns: &WantedColumns, row: usize) {
    for (key, value) in of_line {
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
