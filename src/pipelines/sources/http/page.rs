//! One page: its rows on the disk, how many they are, and how pages are put together.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use chrono::{DateTime, Utc};
use polars::prelude::ChunkedArray;
use serde_json::value::RawValue;
use tempfile::NamedTempFile;

use super::paging::Place;
use super::{HttpError, HttpSource, JsonPath};
use crate::pipelines::FileError;
use crate::pipelines::format::Format;
use crate::pipelines::formats::WantedColumns;
use crate::pipelines::formats::unpacking::UnpackLimits;
use crate::pipelines::moment::ZoneClock;
use crate::pipelines::packed::Part;
use crate::pipelines::sources::cursor::CursorValue;
use crate::pipelines::sources::files::SourceFile;
use crate::pipelines::work::{format_error, open_decoder};

/// Longest first line of a CSV page that is looked at.
const MAX_HEADER_BYTES: u64 = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A page with rows.
#[derive(Debug)]
pub(super) struct Page {
    /// Its number in the pull, from 1.
    pub(super) number: u64,
    /// How it was asked for.
    pub(super) place: Place,
    /// Its rows, as the pipeline's format reads them.
    pub(super) file: NamedTempFile,
    /// How they are put behind those of another page.
    pub(super) joint: Joint,
    /// Bytes of the rows.
    pub(super) n_bytes: u64,
    /// Largest cursor value of the rows.
    pub(super) largest: Option<CursorValue>,
}

/// How rows are put behind those of another page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Joint {
    /// Not at all.
    None,
    /// As they are.
    Lines,
    /// Without their first line, which is the same.
    SameFirstLine(Vec<u8>),
}

/// Rows and largest cursor value of a page.
#[derive(Debug, Default)]
pub(super) struct RowFacts {
    pub(super) n_rows: u64,
    pub(super) largest: Option<CursorValue>,
}

/// Counts the rows of a page with the pipeline's own decoder. Broken rows are rows.
pub(super) fn count_rows(
    file: &SourceFile,
    source: &HttpSource,
    now: DateTime<Utc>,
) -> Result<RowFacts, Box<FileError>> {
    let cursor = source.cursor.as_ref().map(|cursor| &cursor.column);
    let columns: Vec<_> = cursor.iter().map(|column| column.name.clone()).collect();
    let columns = WantedColumns::from(columns);
    let mut facts = RowFacts::default();
    let mut clock = cursor.map(|column| ZoneClock::new(column.time_zone));
    let part = Part::whole(file.clone());
    let (mut decoder, _) = open_decoder(&part, &source.format, UnpackLimits::default(), &columns)?;
    while let Some(block) = decoder.next_block().map_err(|cause| format_error(file, cause))? {
        facts.n_rows += (block.rows.len() + block.broken.len()) as u64;
        let (Some(column), Some(clock)) = (cursor, &mut clock) else { continue };
        let texts = block.frame.columns().first().and_then(|texts| texts.str().ok());
        for text in texts.into_iter().flat_map(ChunkedArray::iter).flatten() {
            let value = column.value(text, clock).filter(|value| !value.is_future(now, column.time_zone));
            facts.largest = facts.largest.max(value);
        }
    }
    Ok(facts)
}

/// The value at a path of a JSON text.
pub(super) fn at_path<'a>(body: &'a RawValue, path: &JsonPath) -> Option<&'a RawValue> {
    path.0.iter().try_fold(body, |value, key| {
        serde_json::from_str::<HashMap<String, &RawValue>>(value.get()).ok()?.remove(key.as_str())
    })
}

/// The whole text of a JSON body; none if nothing is in it.
pub(super) fn read_json(file: &mut File) -> Result<Option<Box<RawValue>>, HttpError> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(text)
        .map(Some)
        .map_err(|error| HttpError::NotJson { line: error.line(), column: error.column() })
}

/// Writes the rows of a JSON body as lines, exactly as they are written there.
pub(super) fn write_rows(body: &RawValue, path: &JsonPath, file: &mut File) -> Result<(), HttpError> {
    let lacks = |problem| HttpError::BodyLacks { path: path.to_string(), problem };
    let rows = at_path(body, path).ok_or_else(|| lacks("is not there"))?;
    let rows: Option<Vec<&RawValue>> = serde_json::from_str(rows.get()).map_err(|_| lacks("is not a list of rows"))?;
    let mut output = BufWriter::new(file);
    for row in rows.unwrap_or_default() {
        // Line breaks of JSON stand between its values only; inside texts they are escaped.
        for part in row.get().split(['\n', '\r']) {
            output.write_all(part.as_bytes())?;
        }
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(())
}

impl Joint {
    /// How a page can be joined to others.
    pub(super) fn of(file: &mut File, format: &Format) -> io::Result<Self> {
        let options = match format {
            Format::Ndjson => return Ok(Self::Lines),
            Format::Csv(options) if options.encoding.is_ascii_compatible() => options,
            _ => return Ok(Self::None),
        };
        if !options.has_header {
            return Ok(Self::Lines);
        }
        file.rewind()?;
        let mut line = Vec::new();
        BufReader::new(&mut *file).take(MAX_HEADER_BYTES).read_until(b'\n', &mut line)?;
        let n_quotes = line.iter().filter(|byte| Some(**byte) == options.quote).count();
        let header = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line).trim_ascii();
        let is_whole = line.ends_with(b"\n") && n_quotes % 2 == 0 && !header.is_empty();
        Ok(if is_whole { Self::SameFirstLine(header.to_owned()) } else { Self::None })
    }

    /// Whether a page can be put behind one of this kind.
    pub(super) fn takes(&self, other: &Self) -> bool {
        *self != Self::None && self == other
    }

    /// Puts the rows of a page behind those of a unit.
    pub(super) fn append(&self, unit: &mut File, page: &mut File) -> io::Result<()> {
        let mut last = [0];
        unit.seek(SeekFrom::End(-1))?;
        unit.read_exact(&mut last)?;
        if last != *b"\n" {
            unit.write_all(b"\n")?;
        }
        page.rewind()?;
        let mut rows = BufReader::new(page);
        if rows.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            rows.consume(BYTE_ORDER_MARK.len());
        }
        if let Self::SameFirstLine(_) = self {
            rows.read_until(b'\n', &mut Vec::new())?;
        }
        io::copy(&mut rows, unit)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipelines::formats::csv::CsvOptions;

    fn file(text: &str) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn text(mut file: File) -> String {
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    }

    fn csv(encoding: &'static encoding_rs::Encoding, has_header: bool) -> Format {
        Format::Csv(CsvOptions { separator: b';', encoding, has_header, ..CsvOptions::default() })
    }

    #[test]
    fn csv_pages_are_joined_under_one_header() {
        let format = csv(encoding_rs::UTF_8, true);
        let (mut first, mut second) = (file("a;b\r\n1;2"), file("\u{feff}a;b\n3;4\n"));
        let joint = Joint::of(&mut first, &format).unwrap();
        assert!(joint.takes(&Joint::of(&mut second, &format).unwrap()));
        joint.append(&mut first, &mut second).unwrap();
        assert_eq!(text(first), "a;b\r\n1;2\n3;4\n");
    }

    #[test]
    fn pages_that_differ_are_not_joined() {
        let format = csv(encoding_rs::UTF_8, true);
        let joint = Joint::of(&mut file("a;b\n"), &format).unwrap();
        for (other, format) in [
            ("b;a\n", csv(encoding_rs::UTF_8, true)),
            ("a;\"b\n", csv(encoding_rs::UTF_8, true)),
            ("a;b\n", csv(encoding_rs::UTF_16LE, true)),
            ("a;b\n", csv(encoding_rs::UTF_8, false)),
        ] {
            assert!(!joint.takes(&Joint::of(&mut file(other), &format).unwrap()), "{other}");
        }
        assert!(!Joint::None.takes(&Joint::None));
    }

    #[test]
    fn rows_of_a_body_become_lines_as_they_are_written() {
        let mut body =
            file("\u{feff}{\"data\": {\"items\": [{\"sum\": 1.50,\n \"text\": \"a\\nb\"}, 7], \"next\": null}}");
        let body = read_json(&mut body).unwrap().unwrap();
        let mut lines = file("");
        write_rows(&body, &JsonPath(vec!["data".to_owned(), "items".to_owned()]), &mut lines).unwrap();
        assert_eq!(text(lines), "{\"sum\": 1.50, \"text\": \"a\\nb\"}\n7\n");
        let missing = write_rows(&body, &JsonPath(vec!["rows".to_owned()]), &mut file("")).unwrap_err();
        assert_eq!(missing.to_string(), "`rows` is not there in the body");
        let no_list = write_rows(&body, &JsonPath(vec!["data".to_owned()]), &mut file("")).unwrap_err();
        assert_eq!(no_list.to_string(), "`data` is not a list of rows in the body");
    }

    #[test]
    fn a_body_that_is_no_json_tells_the_place_and_not_the_text() {
        let error = read_json(&mut file("{\"name\":\n Иванов}")).unwrap_err();
        assert_eq!(error.to_string(), "the body is not JSON: error in line 2, position 2");
        assert!(read_json(&mut file(" \n")).unwrap().is_none());
    }
}
