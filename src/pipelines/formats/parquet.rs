//! Apache Parquet.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use ::parquet::file::reader::ChunkReader;
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use polars::prelude::{Column, DataFrame, IntoColumn, IntoSeries, NewChunkedArray, StringChunked};

use super::{Block, BlockLimits, ColumnName, Decoder, FormatError, RawRows, find_columns};

/// Reads a Parquet file as text: dates and moments in ISO 8601, numbers with a decimal point.
///
/// The place of a row is its number in the file, from 1.
pub struct ParquetDecoder {
    reader: ParquetRecordBatchReader,
    columns: Vec<ColumnName>,
    /// For each declared column its place among the columns read.
    places: Vec<usize>,
    n_rows: u64,
    n_rows_in_file: u64,
    n_bytes: u64,
}

impl ParquetDecoder {
    /// Opens a file of `n_bytes` bytes and reads its footer.
    ///
    /// # Errors
    /// If it is not Parquet, or lacks a declared column, or a declared column holds lists or structures.
    pub fn new<F: ChunkReader + 'static>(
        file: F,
        columns: &[ColumnName],
        limits: BlockLimits,
    ) -> Result<Self, FormatError> {
        let n_bytes = file.len();
        guarded(move || Self::open(file, n_bytes, columns, limits))
    }

    fn open<F: ChunkReader + 'static>(
        file: F,
        n_bytes: u64,
        columns: &[ColumnName],
        limits: BlockLimits,
    ) -> Result<Self, FormatError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(FormatError::Parquet)?;
        let schema = Arc::clone(builder.schema());
        let found: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let in_file = find_columns(columns, &found)?;
        for (column, place) in columns.iter().zip(&in_file) {
            let data_type = schema.field(*place).data_type();
            if data_type.is_nested() {
                let found = data_type.to_string();
                return Err(FormatError::NestedColumn { column: column.from.clone(), found });
            }
        }
        // A projection keeps the order of the file.
        let mut read = in_file.clone();
        read.sort_unstable();
        read.dedup();
        let places = in_file.iter().map(|place| read.iter().position(|at| at == place).unwrap_or_default()).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), read);
        let n_rows_in_file = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let reader =
            builder.with_projection(mask).with_batch_size(limits.n_rows).build().map_err(FormatError::Parquet)?;
        Ok(Self { reader, columns: columns.to_vec(), places, n_rows: 0, n_rows_in_file, n_bytes })
    }

    fn build_block(&mut self, batch: &RecordBatch) -> Result<Block, FormatError> {
        let mut columns: Vec<Column> = Vec::with_capacity(self.columns.len());
        for (column, place) in self.columns.iter().zip(&self.places) {
            let texts = cast(batch.column(*place), &DataType::Utf8)?;
            let texts = StringChunked::from_iter_options(column.name.as_str().into(), texts.as_string::<i32>().iter());
            columns.push(texts.into_series().into_column());
        }
        let first = self.n_rows + 1;
        self.n_rows += batch.num_rows() as u64;
        let header: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        Ok(Block {
            frame: DataFrame::new(batch.num_rows(), columns)?,
            rows: (first..=self.n_rows).collect(),
            raw: RawRows::Fields { header: header.into(), places: self.places.clone(), separator: ';' },
            broken: Vec::new(),
            n_bytes_read: self.n_bytes * self.n_rows / self.n_rows_in_file.max(1),
        })
    }
}

impl Decoder for ParquetDecoder {
    fn next_block(&mut self) -> Result<Option<Block>, FormatError> {
        guarded(|| match self.reader.next() {
            Some(batch) => self.build_block(&batch?).map(Some),
            None => Ok(None),
        })
    }
}

/// Turns a panic of the Parquet reader over damaged bytes into an error.
fn guarded<T>(read: impl FnOnce() -> Result<T, FormatError>) -> Result<T, FormatError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(FormatError::Damaged))
}
