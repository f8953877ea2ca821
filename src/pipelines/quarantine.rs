//! Rejected rows, kept with their reason.
//!
//! One Parquet file per batch that has any, below the pipeline's folder of the lake's quarantine. It is on the disk before the batch is committed, and the batch's
//! record names it; a file that no record names belongs to a run that was killed, and means nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use fs_err::File;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

/// Why rejected rows cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The file cannot be written.
    #[error("rejected rows cannot be written")]
    File(#[from] io::Error),
    /// The Parquet writer gave up.
    #[error("rejected rows cannot be encoded")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The columns do not fit together.
    #[error("rejected rows do not fit their table")]
    Arrow(#[from] arrow::error::ArrowError),
}

/// A rejected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// Its place in the file.
    pub row: u64,
    /// What it looked like; personal values are masked.
    pub raw: String,
    /// The broken rule.
    pub rule: String,
    /// What is wrong and what to do.
    pub sentence: String,
}

/// Columns of a quarantine file.
///
/// # Shape
/// `file`, `row` (Int64), `raw`, `rule`, `sentence`, `pipeline`, `batch` (Int64); text is Utf8; in order of `row` inside each block.
#[must_use]
pub fn quarantine_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let number = |name: &str| Field::new(name, DataType::Int64, false);
    let fields = vec![
        text("file"),
        number("row"),
        text("raw"),
        text("rule"),
        text("sentence"),
        text("pipeline"),
        number("batch"),
    ];
    Arc::new(Schema::new(fields))
}

/// Rejected rows of one batch.
pub struct Quarantine {
    folder: PathBuf,
    pipeline: String,
    batch: i64,
    file: String,
    open: Option<Open>,
}

/// The file, from the first rejected row on.
struct Open {
    name: String,
    writer: ArrowWriter<File>,
}

impl Quarantine {
    /// Rejected rows of `batch`, which reads `file`; nothing is written before the first row comes.
    #[must_use]
    pub fn new(folder: &Path, pipeline: &str, batch: i64, file: &str) -> Self {
        Self { folder: folder.to_owned(), pipeline: pipeline.to_owned(), batch, file: file.to_owned(), open: None }
    }

    /// Keeps rows.
    ///
    /// # Errors
    /// [`QuarantineError`]; then the batch must not be committed.
    pub fn add(&mut self, rows: &[RejectedRow]) -> Result<(), QuarantineError> {
        if rows.is_empty() {
            return Ok(());
        }
        let texts = |pick: fn(&RejectedRow) -> &str| -> ArrayRef {
            Arc::new(rows.iter().map(|row| Some(pick(row))).collect::<StringArray>())
        };
        let same = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows.len()])) };
        let places = rows.iter().map(|row| i64::try_from(row.row).unwrap_or(i64::MAX));
        let batch = RecordBatch::try_new(
            quarantine_schema(),
            vec![
                same(&self.file),
                Arc::new(places.collect::<Int64Array>()),
                texts(|row| &row.raw),
                texts(|row| &row.rule),
                texts(|row| &row.sentence),
                same(&self.pipeline),
                Arc::new(Int64Array::from(vec![self.batch; rows.len()])),
            ],
        )?;
        if self.open.is_none() {
            fs_err::create_dir_all(&self.folder)?;
            let name = format!("{:06}-{}.parquet", self.batch, uuid::Uuid::new_v4().simple());
            let file = File::create_new(self.folder.join(&name))?;
            let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
            let writer = ArrowWriter::try_new(file, quarantine_schema(), Some(properties))?;
            self.open = Some(Open { name, writer });
        }
        if let Some(open) = &mut self.open {
            open.writer.write(&batch)?;
            // Texts of rejected rows are long; a row group per 32 MiB keeps the memory bounded.
            if open.writer.memory_size() > 32 << 20 {
                open.writer.flush()?;
            }
        }
        Ok(())
    }

    /// Removes the file of a batch that is not committed.
    ///
    /// # Errors
    /// [`QuarantineError::File`]; then it stays, and no record names it.
    pub fn discard(self) -> Result<(), QuarantineError> {
        let Some(Open { name, writer }) = self.open else { return Ok(()) };
        drop(writer);
        Ok(fs_err::remove_file(self.folder.join(name))?)
    }

    /// Puts the file on the disk; its name, if there is one.
    ///
    /// # Errors
    /// [`QuarantineError`]; then the batch must not be committed.
    pub fn finish(self) -> Result<Option<String>, QuarantineError> {
        let Some(open) = self.open else { return Ok(None) };
        open.writer.into_inner()?.sync_all()?;
        File::open(&self.folder)?.sync_all()?;
        Ok(Some(open.name))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    #[test]
    fn rows_are_kept_in_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut quarantine = Quarantine::new(&folder.path().join("journal"), "journal", 7, "in/a.csv");
        for row in [3, 5] {
            let rejected =
                RejectedRow {
                    row, raw: "а;б".to_owned(), rule: "type".to_owned(), sentence: "не дата".to_owned()
                };
            quarantine.add(&[rejected]).unwrap();
        }
        let name = quarantine.finish().unwrap().unwrap();
        assert!(name.starts_with("000007-"), "{name}");
        let file = File::open(folder.path().join("journal").join(name)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.into_file()).unwrap().build().unwrap();
        let batch = reader.map(Result::unwrap).next().unwrap();
        assert_eq!(batch.schema(), quarantine_schema());
        assert_eq!(batch.num_rows(), 2);
        assert_eq!(batch.column(3).as_string::<i32>().value(1), "type");
    }

    #[test]
    fn no_row_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Quarantine::new(folder.path(), "journal", 1, "a.csv").finish().unwrap(), None);
    }
}
