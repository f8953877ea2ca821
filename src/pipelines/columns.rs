//! Which columns a file has, against those that are declared.
//!
//! A run needs only the declared columns and leaves others alone; somebody who tries a pipeline wants to know of both.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use super::errors::FileError;
use super::format::Format;
use super::formats::csv::CsvDecoder;
use super::formats::{BlockLimits, ColumnName, FormatError};
use super::packed::Part;
use super::pipeline::Pipeline;
use super::work::format_error;

/// Lines of an NDJSON file that are looked at.
const N_LINES: usize = 1000;
/// Bytes of an NDJSON file that are looked at.
const N_BYTES: u64 = 4 << 20;

/// How the columns of a file differ from those of its pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDifference {
    /// The file, relative to the project.
    pub file: String,
    /// Columns that the file has and nobody declared: they are left alone.
    pub undeclared: Vec<String>,
    /// Declared columns that the file lacks, or, in NDJSON, that none of its first lines has.
    pub missing: Vec<String>,
}

/// Compares the columns of a file with the declared ones; none where they are the same.
///
/// # Errors
/// If the file cannot be read as what it is declared to be.
pub(super) fn compare_columns(part: &Part, pipeline: &Pipeline) -> Result<Option<ColumnDifference>, FileError> {
    let (file, limits) = (&part.unit.file, pipeline.unpack.limits);
    let found = match &pipeline.format {
        Format::Csv(options) if options.has_header => {
            let decoder =
                CsvDecoder::new(part.open(limits)?.bytes, options.clone(), &Vec::new().into(), BlockLimits::default());
            decoder.map_err(|cause| format_error(file, cause))?.header().to_vec()
        }
        Format::Parquet => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(part.open_unpacked(limits)?);
            let schema =
                reader.map_err(|cause| format_error(file, FormatError::Parquet(cause)))?.schema().fields().clone();
            schema.iter().map(|field| field.name().clone()).collect()
        }
        Format::Ndjson => keys_of(part.open(limits)?.bytes),
        // Without a header there are no names to compare; columns of documents are paths.
        Format::Csv(_) | Format::Json { .. } | Format::Xml(_) | Format::Xlsx(_) => return Ok(None),
    };
    if found.is_empty() {
        return Ok(None);
    }
    let declared: Vec<String> = pipeline.column_names().into_iter().map(|ColumnName { from, .. }| from).collect();
    let without = |of: &[String], other: &[String]| -> Vec<String> {
        of.iter().filter(|name| !other.contains(name)).cloned().collect()
    };
    let (undeclared, missing) = (without(&found, &declared), without(&declared, &found));
    let differs = !undeclared.is_empty() || !missing.is_empty();
    Ok(differs.then(|| ColumnDifference { file: file.name.clone(), undeclared, missing }))
}

/// Keys of the objects on the first lines; lines that are none say nothing.
fn keys_of(input: impl Read) -> Vec<String> {
    let mut keys = BTreeSet::new();
    for line in BufReader::new(input.take(N_BYTES)).split(b'\n').take(N_LINES) {
        let Ok(line) = line else { break };
        if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(&line) {
            keys.extend(object.into_iter().map(|(key, _)| key));
        }
    }
    keys.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_whole_lines() {
        let text = "{\"b\":1,\"a\":{\"c\":2}}\nnot json\n{\"d\":null}\n{\"e\":";
        assert_eq!(keys_of(text.as_bytes()), ["a", "b", "d"]);
    }
}
