//! One JSON object per line.

use std::io::Read;

use polars::prelude::{Column, DataFrame, IntoColumn, IntoSeries, StringChunkedBuilder};
use serde::de::IgnoredAny;

use super::json_line::{LineError, Values, read_line};
use super::lines::LineBlocks;
use super::{Block, BlockLimits, BrokenRow, ColumnName, Decoder, FormatError, MAX_ROW_BYTES, RawRows, mask_shape};

/// Reads lines of JSON.
///
/// The place of a row is its line, from 1. Lines of spaces are no rows. Numbers and truth values become text exactly as they are written; a
/// missing key is null. A line that is not an object, not UTF-8, or has a list or an object in a declared column, is broken.
pub struct NdjsonDecoder<R> {
    blocks: LineBlocks<R>,
    columns: Vec<ColumnName>,
}

impl<R: Read> NdjsonDecoder<R> {
    /// Opens a file.
    pub fn new(input: R, columns: &[ColumnName], limits: BlockLimits) -> Self {
        Self { blocks: LineBlocks::new(input, limits), columns: columns.to_vec() }
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
        let Some(text) = self.blocks.next_block().map_err(FormatError::Read)? else { return Ok(None) };
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
        // One check for the whole block; line by line only if some line is not UTF-8.
        let whole = std::str::from_utf8(&text.bytes).ok();
        for (row, place) in text.lines {
            let bytes = text.bytes.get(place.clone()).unwrap_or_default();
            let line = match whole {
                Some(whole) => whole.get(place.clone()),
                None => std::str::from_utf8(bytes).ok(),
            };
            match line.map(|line| read_line(line, &self.columns, &mut values)) {
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
        Ok(Some(Block {
            frame: DataFrame::new(rows.len(), columns)?,
            rows,
            raw: RawRows::Lines { bytes: text.bytes, lines: places },
            broken,
            n_bytes_read: self.blocks.n_bytes_read(),
        }))
    }
}
