//! CSV in any encoding and with any separator.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use encoding_rs::Encoding;

use super::encoding::{DecodingReader, Gauge};
use super::field_rows::FieldRows;
use super::{Block, BlockLimits, BrokenRow, Decoder, FormatError, FoundColumns, WantedColumns, is_skipped, mask_shape};

/// How a CSV file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// Character between fields.
    pub separator: u8,
    /// Character around fields with separators and line breaks in them.
    pub quote: Option<u8>,
    /// Encoding of the text.
    pub encoding: &'static Encoding,
    /// Lines before the header, or before the first row where there is none.
    pub skip_lines: u32,
    /// Whether the first row names the columns.
    pub has_header: bool,
    /// Starts of the first value, in lower case, of rows that are none.
    pub skip_rows: Vec<String>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            separator: b',',
            quote: Some(b'"'),
            encoding: encoding_rs::UTF_8,
            skip_lines: 0,
            has_header: true,
            skip_rows: Vec::new(),
        }
    }
}

/// Reads rows of fields.
///
/// The place of a row is its number among the data rows, from 1, with those that are skipped. Empty lines are no rows. A row with more or fewer fields than the header
/// is broken; a declared column that the header lacks makes the whole file unreadable.
pub struct CsvDecoder<R> {
    reader: ::csv::Reader<DecodingReader<R>>,
    record: ::csv::StringRecord,
    /// The first record of a file without a header, already read to count its fields.
    first: bool,
    header: Arc<[String]>,
    columns: WantedColumns,
    found: FoundColumns,
    options: CsvOptions,
    limits: BlockLimits,
    gauge: Arc<Gauge>,
    n_rows: u64,
    /// Whether a line break is consumed together with the row before it: true for `\n`, false for `\r\n`.
    break_is_consumed: bool,
    is_empty: bool,
}

impl<R: Read> CsvDecoder<R> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`FormatError::MissingColumn`] and its like, if the header is not what is declared. A file without any byte has no rows and is fine.
    pub fn new(
        input: R,
        options: CsvOptions,
        columns: &WantedColumns,
        limits: BlockLimits,
    ) -> Result<Self, FormatError> {
        let gauge = Arc::new(Gauge::default());
        let mut text = DecodingReader::new(input, options.encoding, Arc::clone(&gauge));
        text.skip_lines(options.skip_lines).map_err(|error| explain(::csv::Error::from(error), 1))?;
        let mut reader = ::csv::ReaderBuilder::new()
            .delimiter(options.separator)
            .quoting(options.quote.is_some())
            .quote(options.quote.unwrap_or(b'"'))
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(1 << 18)
            .from_reader(text);
        let mut record = ::csv::StringRecord::new();
        let first_line = u64::from(options.skip_lines) + 1;
        let has_record = reader.read_record(&mut record).map_err(|error| explain(error, first_line))?;
        let header: Arc<[String]> = if options.has_header {
            record.iter().map(|name| name.trim().to_owned()).collect()
        } else {
            (1..=record.len()).map(|number| number.to_string()).collect()
        };
        let found = if has_record { columns.find(&header)? } else { FoundColumns::default() };
        let break_is_consumed = reader.position().line() > 1 + n_breaks(&record);
        Ok(Self {
            reader,
            record,
            first: has_record && !options.has_header,
            header,
            columns: columns.clone(),
            found,
            options,
            limits,
            gauge,
            n_rows: 0,
            break_is_consumed,
            is_empty: !has_record,
        })
    }

    /// The columns that the file has, in its order.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Reads the next record into `self.record`; false at the end of the file.
    fn read_record(&mut self) -> Result<bool, FormatError> {
        self.gauge.n_bytes_in_row.store(0, Ordering::Relaxed);
        let skipped = u64::from(self.options.skip_lines);
        let line = self.reader.position().line() + skipped + u64::from(!self.break_is_consumed);
        let there = std::mem::take(&mut self.first)
            || self.reader.read_record(&mut self.record).map_err(|error| explain(error, line))?;
        self.n_rows += u64::from(there);
        Ok(there)
    }

    /// The line on which the record begins. The reader's own count does not skip empty lines before a record.
    fn line(&self) -> u64 {
        let consumed = self.break_is_consumed && !self.reader.is_done();
        let line = self.reader.position().line() + u64::from(self.options.skip_lines);
        line.saturating_sub(n_breaks(&self.record) + u64::from(consumed))
    }

    /// What is wrong with the record, if anything.
    fn broken(&self) -> Option<BrokenRow> {
        let is_ragged = self.record.len() != self.header.len();
        let has_mark = || self.record.iter().any(|field| field.contains(char::REPLACEMENT_CHARACTER));
        let is_malformed = !is_ragged && self.gauge.has_malformed.load(Ordering::Relaxed) && has_mark();
        if !is_ragged && !is_malformed {
            return None;
        }
        let line = self.line();
        let sentence = if is_ragged {
            format!(
                "строка файла {line}: полей {}, а должно быть {}; проверьте разделители и кавычки",
                self.record.len(),
                self.header.len()
            )
        } else {
            let encoding = self.options.encoding.name().to_lowercase();
            format!("строка файла {line}: есть байты, которых нет в кодировке {encoding}; проверьте кодировку выгрузки")
        };
        let separator = char::from(self.options.separator).to_string();
        let text: Vec<&str> = self.record.iter().collect();
        Some(BrokenRow { row: self.n_rows, raw: mask_shape(&text.join(&separator)), sentence })
    }
}

impl<R: Read + Send> Decoder for CsvDecoder<R> {
    fn next_block(&mut self) -> Result<Option<Block>, FormatError> {
        if self.is_empty {
            return Ok(None);
        }
        let mut fields = FieldRows::new(&self.columns, &self.found);
        let mut n_bytes = 0;
        while n_bytes < self.limits.n_bytes && fields.len() < self.limits.n_rows {
            if !self.read_record()? {
                self.is_empty = true;
                break;
            }
            n_bytes += self.record.as_slice().len() + self.record.len();
            if !self.options.skip_rows.is_empty() && is_skipped(self.record.iter(), &self.options.skip_rows) {
                continue;
            }
            if let Some(row) = self.broken() {
                fields.broken.push(row);
                continue;
            }
            fields.push(self.n_rows, &self.found, |place| Some(self.record.get(place).unwrap_or_default()));
        }
        if self.is_empty && fields.len() == 0 {
            return Ok(None);
        }
        let mut block = fields.into_block(&self.header, &self.found, char::from(self.options.separator))?;
        block.n_bytes_read = self.gauge.n_bytes_read.load(Ordering::Relaxed);
        Ok(Some(block))
    }

    fn undeclared_in_header(&self) -> Option<Vec<String>> {
        Some(self.found.undeclared.iter().map(|(_, name)| name.clone()).collect())
    }
}

/// Line breaks inside the fields of a record.
fn n_breaks(record: &::csv::StringRecord) -> u64 {
    record.iter().map(|field| field.matches('\n').count() as u64).sum()
}

/// The reason why no record could be read.
fn explain(error: ::csv::Error, line: u64) -> FormatError {
    match error.into_kind() {
        ::csv::ErrorKind::Io(cause) if cause.kind() == std::io::ErrorKind::FileTooLarge => {
            FormatError::EndlessRow { line }
        }
        ::csv::ErrorKind::Io(cause) => FormatError::Read(cause),
        other => FormatError::Read(std::io::Error::other(format!("{other:?}"))),
    }
}
