//! XML documents with repeated elements.
//!
//! A document is read from front to back, one event after the other: `path` says where values stand, `tracker` collects those of the
//! row that is read, `others` what no path leads to. There are no document type definitions and so no entities but the five that every document has.

mod others;
mod path;
mod tracker;

use std::io::{BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use encoding_rs::Encoding;
use indexmap::IndexMap;
use polars::prelude::{Column, DataFrame, IntoColumn, IntoSeries, StringChunkedBuilder};
use quick_xml::events::Event;
use quick_xml::reader::NsReader;

use others::Others;
pub use path::{Name, ValuePath, XmlOptions};
use tracker::Tracker;

use super::encoding::{DecodingReader, Gauge};
use super::{
    Block, BlockLimits, ColumnChanges, ColumnName, Decoder, FormatError, RawRows, Undeclared, UndeclaredColumn,
    WantedColumns,
};

/// Bytes at the start of a document among which it names its encoding.
const HEAD: usize = 1024;

/// The bytes of a document, whose start was looked at already.
type Bytes<R> = std::io::Chain<Cursor<Vec<u8>>, R>;

/// Reads the elements that are rows.
///
/// The place of a row is its number in the document, from 1. An element without text is an empty text, a missing one is null. A row where a
/// declared value is there twice, or has elements inside, is broken. A document that is not well-formed, declares a type, or has no place for
/// rows, is unreadable as a whole.
///
/// Columns that nobody declared are the other elements in a row, by name, and the other attributes of a row, by `@name`, both without a prefix.
pub struct XmlDecoder<R> {
    reader: NsReader<BufReader<DecodingReader<Bytes<R>>>>,
    buffer: Vec<u8>,
    tracker: Tracker,
    columns: WantedColumns,
    /// For each declared column whether some row had it; empty before the first row.
    is_seen: Vec<bool>,
    header: Arc<[String]>,
    limits: BlockLimits,
    gauge: Arc<Gauge>,
    at_end: bool,
}

impl<R: Read> XmlDecoder<R> {
    /// Opens a document.
    ///
    /// # Errors
    /// [`FormatError::Path`] and [`FormatError::Encoding`].
    pub fn new(
        input: R,
        options: &XmlOptions,
        columns: &WantedColumns,
        limits: BlockLimits,
    ) -> Result<Self, FormatError> {
        let wrong = |column: &str, problem| FormatError::Path { column: column.to_owned(), problem };
        let row = options.row_path().map_err(|problem| wrong(&options.row, problem))?;
        let path = |column: &ColumnName| {
            options.value_path(&column.from, &row).map_err(|problem| wrong(&column.from, problem))
        };
        let declared = columns.iter().enumerate().filter(|(place, _)| !columns.is_found(*place));
        let paths = declared.map(|(_, column)| path(column)).collect::<Result<Vec<_>, _>>()?;
        let others = (columns.undeclared() != Undeclared::LeaveAlone).then(|| Others::new(row.len()));
        let (encoding, input) = find_encoding(input)?;
        let gauge = Arc::new(Gauge::default());
        let text = DecodingReader::new(input, encoding, Arc::clone(&gauge));
        let mut reader = NsReader::from_reader(BufReader::with_capacity(64 << 10, text));
        reader.config_mut().expand_empty_elements = true;
        let header: Arc<[String]> = columns.iter().map(|column| column.from.clone()).collect();
        Ok(Self {
            reader,
            buffer: Vec::new(),
            tracker: Tracker::new(options.row.clone(), row, paths, Arc::clone(&header), others),
            columns: columns.clone(),
            is_seen: Vec::new(),
            header,
            limits,
            gauge,
            at_end: false,
        })
    }
}

impl<R: Read + Send> Decoder for XmlDecoder<R> {
    fn next_block(&mut self) -> Result<Option<Block>, FormatError> {
        if self.at_end {
            return Ok(None);
        }
        let mut builders: Vec<StringChunkedBuilder> =
            self.columns.iter().map(|column| StringChunkedBuilder::new(column.name.as_str().into(), 1024)).collect();
        let (mut rows, mut broken, mut n_bytes) = (Vec::new(), Vec::new(), 0);
        let mut undeclared: IndexMap<String, Vec<(usize, String)>> = IndexMap::new();
        while n_bytes < self.limits.n_bytes && rows.len() + broken.len() < self.limits.n_rows {
            self.buffer.clear();
            if !self.tracker.is_in_row() {
                self.gauge.n_bytes_in_row.store(0, Ordering::Relaxed);
            }
            let event =
                self.reader.read_event_into(&mut self.buffer).map_err(|error| self.tracker.unreadable(error))?;
            if matches!(event, Event::Eof) {
                self.tracker.finish()?;
                self.columns.check_seen(&self.is_seen)?;
                self.at_end = true;
                break;
            }
            let is_malformed = self.gauge.has_malformed.load(Ordering::Relaxed);
            if let Some(row) = self.tracker.take(&event, self.reader.resolver(), is_malformed)? {
                n_bytes += row.values.iter().flatten().map(String::len).sum::<usize>() + row.values.len();
                if let Some(row) = row.broken {
                    broken.push(row);
                    continue;
                }
                self.is_seen.resize(row.values.len(), false);
                for (is_seen, value) in self.is_seen.iter_mut().zip(&row.values) {
                    *is_seen |= value.is_some();
                }
                let found = self.columns.iter().skip(row.values.len());
                let found = found.map(|column| row.others.get(&column.from).map(String::as_str));
                let values = row.values.iter().map(Option::as_deref).chain(found);
                for (builder, value) in builders.iter_mut().zip(values) {
                    builder.append_option(value);
                }
                for (name, value) in row.others.into_iter().filter(|(name, _)| self.columns.is_undeclared(name)) {
                    let values = undeclared.entry(name).or_default();
                    if !value.is_empty() {
                        values.push((rows.len(), value));
                    }
                }
                rows.push(row.place);
            }
        }
        if self.columns.undeclared() == Undeclared::Refuse && !undeclared.is_empty() {
            let undeclared = undeclared.into_keys().collect();
            return Err(FormatError::ChangedColumns { undeclared, missing: Vec::new() });
        }
        let undeclared = undeclared.into_iter().map(|(name, values)| UndeclaredColumn { name, values }).collect();
        let columns: Vec<Column> =
            builders.into_iter().map(|builder| builder.finish().into_series().into_column()).collect();
        Ok(Some(Block {
            frame: DataFrame::new(rows.len(), columns)?,
            rows,
            raw: RawRows::Fields {
                header: Arc::clone(&self.header),
                places: (0..self.columns.len()).map(Some).collect(),
                separator: ';',
            },
            broken,
            changes: ColumnChanges { undeclared, ..ColumnChanges::default() },
            n_bytes_read: self.gauge.n_bytes_read.load(Ordering::Relaxed),
        }))
    }
}

/// The encoding that a document names, and the document.
fn find_encoding<R: Read>(mut input: R) -> Result<(&'static Encoding, Bytes<R>), FormatError> {
    let mut head = Vec::with_capacity(HEAD);
    input.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(FormatError::Read)?;
    let encoding = if head.starts_with(b"<\0") {
        encoding_rs::UTF_16LE
    } else if head.starts_with(b"\0<") {
        encoding_rs::UTF_16BE
    } else {
        match declared_encoding(&head) {
            None => encoding_rs::UTF_8,
            // Its declaration is readable byte by byte, so a document that calls itself UTF-16 is not.
            Some(label) => Encoding::for_label(label.as_bytes())
                .map(Encoding::output_encoding)
                .ok_or(FormatError::Encoding(label))?,
        }
    };
    Ok((encoding, Cursor::new(head).chain(input)))
}

/// What `encoding` of the XML declaration says.
fn declared_encoding(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let declaration = head.trim_start_matches(['\u{feff}', '\u{fffd}']).strip_prefix("<?xml")?.split("?>").next()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    Some(value.strip_prefix(quote)?.split(quote).next()?.to_owned())
}
