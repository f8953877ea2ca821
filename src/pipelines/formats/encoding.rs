//! Bytes in any encoding → UTF-8, as a stream.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use encoding_rs::{Decoder, Encoding};

use super::MAX_ROW_BYTES;

/// Bytes read from the file at once.
const CHUNK: usize = 256 << 10;

/// What the reader of the text wants to know of the stream under it.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// Bytes of the file read so far.
    pub(super) n_bytes_read: AtomicU64,
    /// Bytes of text handed out since the last row; reset by the reader of rows.
    pub(super) n_bytes_in_row: AtomicU64,
    /// Whether some bytes meant nothing in the encoding and became U+FFFD.
    pub(super) has_malformed: AtomicBool,
}

/// A stream of UTF-8. A byte-order mark at the start wins over the declared encoding.
pub(super) struct DecodingReader<R> {
    input: R,
    decoder: Decoder,
    chunk: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    finished: bool,
    text: Vec<u8>,
    given: usize,
    gauge: Arc<Gauge>,
}

impl<R: Read> DecodingReader<R> {
    pub(super) fn new(input: R, encoding: &'static Encoding, gauge: Arc<Gauge>) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder(),
            chunk: vec![0; CHUNK],
            start: 0,
            end: 0,
            at_end: false,
            finished: false,
            text: Vec::new(),
            given: 0,
            gauge,
        }
    }

    /// Leaves out the first lines of the text.
    pub(super) fn skip_lines(&mut self, n_lines: u32) -> io::Result<()> {
        let mut n_skipped = 0;
        while n_skipped < n_lines {
            if self.given == self.text.len() {
                self.decode_more()?;
                if self.text.is_empty() {
                    return Ok(());
                }
            }
            let rest = self.text.get(self.given..).unwrap_or_default();
            match memchr::memchr(b'\n', rest) {
                Some(end) => {
                    self.given += end + 1;
                    n_skipped += 1;
                }
                None => self.given = self.text.len(),
            }
        }
        Ok(())
    }

    /// Decodes the next chunk into `self.text`.
    fn decode_more(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        while self.text.is_empty() && !self.finished {
            if self.start == self.end && !self.at_end {
                self.start = 0;
                self.end = self.input.read(&mut self.chunk)?;
                self.at_end = self.end == 0;
                self.gauge.n_bytes_read.fetch_add(self.end as u64, Ordering::Relaxed);
            }
            let bytes = self.chunk.get(self.start..self.end).unwrap_or_default();
            let room = self.decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(4 * CHUNK).max(64);
            self.text.resize(room, 0);
            let (result, n_read, n_written, malformed) =
                self.decoder.decode_to_utf8(bytes, &mut self.text, self.at_end);
            self.text.truncate(n_written);
            self.start += n_read;
            if malformed {
                self.gauge.has_malformed.store(true, Ordering::Relaxed);
            }
            self.finished = self.at_end && result == encoding_rs::CoderResult::InputEmpty;
        }
        Ok(())
    }
}

impl<R: Read> Read for DecodingReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            self.decode_more()?;
        }
        let rest = self.text.get(self.given..).unwrap_or_default();
        let n_bytes = rest.len().min(out.len());
        out[..n_bytes].copy_from_slice(&rest[..n_bytes]);
        self.given += n_bytes;
        let in_row = self.gauge.n_bytes_in_row.fetch_add(n_bytes as u64, Ordering::Relaxed) + n_bytes as u64;
        if in_row > MAX_ROW_BYTES as u64 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "row too long"));
        }
        Ok(n_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], encoding: &str) -> String {
        let encoding = Encoding::for_label(encoding.as_bytes()).unwrap();
        let mut text = String::new();
        DecodingReader::new(bytes, encoding, Arc::default()).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn russian_encodings_and_marks_are_read() {
        assert_eq!(decode(b"\xc4\xe0\xf2\xe0", "windows-1251"), "Дата");
        assert_eq!(decode(b"\x84\xa0\xe2\xa0", "ibm866"), "Дата");
        assert_eq!(decode("\u{feff}Дата".as_bytes(), "utf-8"), "Дата");
        assert_eq!(decode("\u{feff}Дата".as_bytes(), "windows-1251"), "Дата");
        let utf16: Vec<u8> = "\u{feff}Дата".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&utf16, "utf-16le"), "Дата");
    }

    #[test]
    fn lines_are_left_out() {
        let read = |n_lines| {
            let mut reader = DecodingReader::new("\u{feff}а\r\nб\nв".as_bytes(), encoding_rs::UTF_8, Arc::default());
            reader.skip_lines(n_lines).unwrap();
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        };
        assert_eq!([0, 1, 2, 3, 9].map(read), ["а\r\nб\nв", "б\nв", "в", "", ""]);
    }

    #[test]
    fn a_long_text_survives_every_cut_between_chunks() {
        let text = "ж1".repeat(CHUNK);
        assert_eq!(decode(text.as_bytes(), "utf-8").len(), text.len());
    }
}
