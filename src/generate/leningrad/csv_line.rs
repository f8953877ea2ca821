//! Lines of CSV as Russian registers write them: `;` between fields, CRLF, often windows-1251.

use super::super::breakage::Defect;

/// End of a line.
pub(super) const LINE_END: &[u8] = b"\r\n";

/// Encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// One byte per letter.
    Windows1251,
    /// One byte per letter, as under DOS.
    Cp866,
    /// UTF-8 with a byte-order mark.
    Utf8,
}

/// One line while its fields are written.
#[derive(Debug, Default)]
pub(super) struct CsvLine {
    text: String,
    has_fields: bool,
}

impl CsvLine {
    /// Starts a line.
    pub(super) fn start(&mut self) -> &mut Self {
        self.text.clear();
        self.has_fields = false;
        self
    }

    /// A field without anything that needs quoting.
    pub(super) fn field(&mut self, value: &str) -> &mut Self {
        if self.has_fields {
            self.text.push(';');
        }
        self.has_fields = true;
        self.text.push_str(value);
        self
    }

    /// A field written by the caller in ASCII.
    pub(super) fn ascii(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        let mut bytes = Vec::with_capacity(24);
        write(&mut bytes);
        self.field(&String::from_utf8_lossy(&bytes))
    }

    /// Breaks the form of the line, if that is what is wrong with it, and encodes it.
    ///
    /// `AlienBytes` must already stand in a field as U+FFFD; they become bytes without meaning here.
    pub(super) fn end(&mut self, encoding: Encoding, defect: Option<Defect>) -> Vec<u8> {
        match defect {
            Some(Defect::RaggedLine) if self.text.len().is_multiple_of(2) => self.text.push_str(";;лишнее"),
            Some(Defect::RaggedLine) => {
                for _ in 0..3 {
                    let cut = self.text.rfind(';').unwrap_or_default();
                    self.text.truncate(cut);
                }
            }
            // The quote opens at the second field and closes at the end of the line: one field instead of many.
            Some(Defect::StrayQuote) => {
                self.text = self.text.replacen(';', ";\"", 1);
                self.text.push('"');
            }
            _ => {}
        }
        let alien: &[u8] = match encoding {
            // In cp866 every byte is a sign, so the defect is none there.
            Encoding::Windows1251 | Encoding::Cp866 => b"\x98\x01",
            Encoding::Utf8 => b"\xff\xfe",
        };
        let mut bytes = Vec::with_capacity(self.text.len());
        for (place, part) in self.text.split('\u{fffd}').enumerate() {
            if place > 0 {
                bytes.extend_from_slice(alien);
            }
            bytes.extend_from_slice(&encoded(part, encoding));
        }
        bytes
    }
}

/// First bytes of a file: its mark and the names of its columns.
pub(super) fn header(columns: &str, encoding: Encoding) -> Vec<u8> {
    let mut bytes = if encoding == Encoding::Utf8 { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
    bytes.extend_from_slice(&encoded(columns, encoding));
    bytes.extend_from_slice(LINE_END);
    bytes
}

fn encoded(text: &str, encoding: Encoding) -> std::borrow::Cow<'_, [u8]> {
    match encoding {
        Encoding::Windows1251 => encoding_rs::WINDOWS_1251.encode(text).0,
        Encoding::Cp866 => encoding_rs::IBM866.encode(text).0,
        Encoding::Utf8 => text.as_bytes().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(defect: Option<Defect>) -> Vec<u8> {
        CsvLine::default().start().field("1").field("Луга").field("3").field("x").end(Encoding::Windows1251, defect)
    }

    #[test]
    fn fields_are_encoded() {
        assert_eq!(line(None), b"1;\xcb\xf3\xe3\xe0;3;x");
        assert_eq!(header("Район", Encoding::Utf8), "\u{feff}Район\r\n".as_bytes());
    }

    #[test]
    fn broken_lines_have_another_number_of_fields() {
        for defect in [Defect::RaggedLine, Defect::StrayQuote] {
            let bytes = line(Some(defect));
            let mut reader =
                csv::ReaderBuilder::new().delimiter(b';').has_headers(false).flexible(true).from_reader(&*bytes);
            let records: Vec<csv::ByteRecord> = reader.byte_records().map(Result::unwrap).collect();
            assert_eq!(records.len(), 1, "{defect:?}");
            assert_ne!(records[0].len(), 4, "{defect:?}");
        }
    }
}
