//! A look at a workbook before the spreadsheet reader opens it.
//!
//! The reader keeps all texts and styles of a workbook in memory and trusts what the file says of its size, so this is checked first.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;

use super::super::encoding::{DecodingReader, Gauge};
use super::super::unpacking::UnpackLimits;
use super::super::{FormatError, MAX_ROW_BYTES};

/// Most bytes of the texts of a workbook, which are kept in memory.
const MAX_TEXT_BYTES: u64 = 256 << 20;
/// Most bytes of other parts that are kept in memory.
const MAX_PART_BYTES: u64 = 16 << 20;
/// Most parts of a workbook.
const MAX_PARTS: usize = 10_000;
/// Start of the files that old Excel writes, and new Excel around a workbook with a password.
const OLD_EXCEL: &[u8] = b"\xd0\xcf\x11\xe0";

/// Checks that a workbook can be read in bounded memory.
pub(super) fn inspect<F: Read + Seek>(file: &mut F, limits: UnpackLimits) -> Result<(), FormatError> {
    let n_bytes = file.seek(SeekFrom::End(0)).map_err(FormatError::Read)?;
    file.rewind().map_err(FormatError::Read)?;
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start).map_err(FormatError::Read)?;
    if start == OLD_EXCEL {
        return Err(workbook(
            "it is of the old kind (`.xls`) or protected by a password; save it as `.xlsx` without a password",
        ));
    }
    let mut parts = ZipArchive::new(file).map_err(|error| workbook(format!("it is not an `.xlsx` file ({error})")))?;
    if parts.len() > MAX_PARTS {
        return Err(workbook(format!("it has more than {MAX_PARTS} parts")));
    }
    let limit = limits.allowed(n_bytes);
    let mut n_unpacked = 0_u64;
    for index in 0..parts.len() {
        let part = parts.by_index(index).map_err(workbook)?;
        // The archive's reader does not give more bytes than the archive says.
        n_unpacked = n_unpacked.saturating_add(part.size());
        if n_unpacked > limit.n_bytes {
            return Err(workbook(limit));
        }
        let name = part.name().map_err(workbook)?.to_lowercase();
        let file = name.rsplit('/').next().unwrap_or_default();
        let most = match file.rsplit('.').next() {
            _ if file == "sharedstrings.xml" => MAX_TEXT_BYTES,
            _ if matches!(file, "workbook.xml" | "styles.xml" | "theme1.xml") => MAX_PART_BYTES,
            Some("rels") => MAX_PART_BYTES,
            _ => u64::MAX,
        };
        if part.size() > most {
            return Err(workbook(format!("its part `{name}` is larger than {} MiB", most >> 20)));
        }
        let n_bytes = part.size();
        check_part(part, &name, n_bytes)?;
    }
    Ok(())
}

/// Checks that no text or tag of a part is longer than a row may be, and that a list of texts is as long as it says. A part that is not XML
/// is left to the reader, which has the same eyes.
fn check_part(part: impl Read, name: &str, n_bytes: u64) -> Result<(), FormatError> {
    let gauge = Arc::new(Gauge::default());
    let text = DecodingReader::new(part, encoding_rs::UTF_8, Arc::clone(&gauge));
    let mut reader = Reader::from_reader(std::io::BufReader::with_capacity(64 << 10, text));
    reader.config_mut().check_end_names = false;
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        gauge.n_bytes_in_row.store(0, Ordering::Relaxed);
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) if element.local_name().as_ref() == "sst" => {
                let count = element.try_get_attribute("uniqueCount").ok().flatten();
                let count = count.and_then(|count| count.value.trim().parse::<u128>().ok()).unwrap_or_default();
                if count > u128::from(n_bytes) {
                    return Err(workbook(format!(
                        "its part `{name}` says that it has {count} texts, which it has not"
                    )));
                }
            }
            Ok(Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(quick_xml::Error::Io(cause)) if cause.kind() == std::io::ErrorKind::FileTooLarge => {
                let problem = format!("its part `{name}` has a value longer than {} MiB", MAX_ROW_BYTES >> 20);
                return Err(workbook(problem));
            }
            Err(_) => return Ok(()),
        }
    }
}

/// A workbook that cannot be read.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
pub(super) fn workbook(problem: impl ToString) -> FormatError {
    FormatError::Workbook(problem.to_string())
}
