//! A Parquet file that is written group by group, the same bytes for the same rows.

use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::GenerateError;
use super::days::{Calendar, Day};

/// A Parquet file that is being written.
#[derive(Debug)]
pub(super) struct ParquetFile {
    path: PathBuf,
    schema: SchemaRef,
    writer: ArrowWriter<fs_err::File>,
}

impl ParquetFile {
    /// Rows that are handed over at once.
    pub(super) const ROWS_PER_GROUP: usize = 1 << 16;

    /// Starts a file.
    ///
    /// # Errors
    /// [`GenerateError::Write`] if it cannot be made.
    pub(super) fn create(path: &Path, schema: &SchemaRef) -> Result<Self, GenerateError> {
        let file = fs_err::File::create(path).map_err(|cause| GenerateError::Write { path: path.to_owned(), cause })?;
        let failed = |cause| GenerateError::Parquet { path: path.to_owned(), cause };
        let properties = WriterProperties::builder()
            .set_created_by("svod generate".to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(failed)?))
            .build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), schema: schema.clone(), writer })
    }

    fn failed(&self, cause: ParquetError) -> GenerateError {
        GenerateError::Parquet { path: self.path.clone(), cause }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`GenerateError::Parquet`] if the columns do not fit or cannot be written.
    pub(super) fn append(&mut self, columns: &[ArrayRef]) -> Result<(), GenerateError> {
        let batch = RecordBatch::try_new(self.schema.clone(), columns.to_vec())
            .map_err(|cause| self.failed(ParquetError::from(cause)))?;
        self.writer.write(&batch).map_err(|cause| GenerateError::Parquet { path: self.path.clone(), cause })
    }

    /// Writes the end of the file and says how many bytes it has.
    ///
    /// # Errors
    /// [`GenerateError::Parquet`] if it cannot be written.
    pub(super) fn finish(mut self) -> Result<u64, GenerateError> {
        self.writer.finish().map_err(|cause| GenerateError::Parquet { path: self.path.clone(), cause })?;
        Ok(self.writer.bytes_written() as u64)
    }
}

/// A day as Parquet keeps it: days since 1970.
pub(super) fn date32(calendar: &Calendar, day: Day) -> i32 {
    let epoch = chrono::DateTime::<chrono::Utc>::UNIX_EPOCH.date_naive();
    i32::try_from((calendar.date(day) - epoch).num_days()).unwrap_or_default()
}
