//! Apache Parquet.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use ::parquet::file::reader::ChunkReader;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use polars::prelude::{Column, DataFrame, IntoColumn, IntoSeries, NewChunkedArray, StringChunked};

use super::{Block, BlockLimits, ColumnChanges, Decoder, FormatError, RawRows, UndeclaredColumn, WantedColumns};

/// Reads a Parquet file as text: dates and moments in ISO 8601, numbers with a decimal point.
///
/// The place of a row is its number in the file, from 1.
pub struct ParquetDecoder {
    reader: ParquetRecordBatchReader,
    columns: WantedColumns,
    /// For each wanted column its place among the columns read; none where the file lacks it.
    places: Vec<Option<usize>>,
    /// Places and names of the undeclared columns that are handed over.
    undeclared: Vec<(usize, String)>,
    missing: Arc<[String]>,
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
        columns: &WantedColumns,
        limits: BlockLimits,
    ) -> Result<Self, FormatError> {
        let n_bytes = file.len();
        guarded(move || Self::open(file, n_bytes, columns, limits))
    }

    fn open<F: ChunkReader + 'static>(
        file: F,
        n_bytes: u64,
        columns: &WantedColumns,
        limits: BlockLimits,
    ) -> Result<Self, FormatError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(FormatError::Parquet)?;
        let schema = Arc::clone(builder.schema());
        let found: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let found = columns.find(&found)?;
        for (place, column) in columns.iter().enumerate() {
            let Some(in_file) = found.places.get(place).copied().flatten() else { continue };
            let data_type = schema.field(in_file).data_type();
            if data_type.is_nested() && !columns.is_found(place) {
                let found = data_type.to_string();
                return Err(FormatError::NestedColumn { column: column.from.clone(), found });
            }
        }
        // A projection keeps the order of the file.
        let in_file = found.places.iter().flatten().chain(found.undeclared.iter().map(|(place, _)| place));
        let mut read: Vec<usize> = in_file.copied().collect();
        read.sort_unstable();
        read.dedup();
        let among_read = |place: usize| read.iter().position(|at| *at == place);
        let places = found.places.iter().map(|place| place.and_then(among_read)).collect();
        let undeclared = found.undeclared.into_iter();
        let undeclared = undeclared.filter_map(|(place, name)| Some((among_read(place)?, name))).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), read);
        let n_rows_in_file = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let reader =
            builder.with_projection(mask).with_batch_size(limits.n_rows).build().map_err(FormatError::Parquet)?;
        Ok(Self {
            reader,
            columns: columns.clone(),
            places,
            undeclared,
            missing: found.missing,
            n_rows: 0,
            n_rows_in_file,
            n_bytes,
        })
    }

    fn build_block(&mut self, batch: &RecordBatch) -> Result<Block, FormatError> {
        let mut columns: Vec<Column> = Vec::with_capacity(self.columns.len());
        for (column, place) in self.columns.iter().zip(&self.places) {
            let name = column.name.as_str().into();
            let Some(values) = place.map(|place| batch.column(place)) else {
                columns.push(Column::full_null(name, batch.num_rows(), &polars::prelude::DataType::String));
                continue;
            };
            let texts = if values.data_type().is_nested() {
                let texts = texts_of(values)?;
                StringChunked::from_iter_options(name, texts.into_iter())
            } else {
                let texts = cast(values, &DataType::Utf8)?;
                StringChunked::from_iter_options(name, texts.as_string::<i32>().iter())
            };
            columns.push(texts.into_series().into_column());
        }
        let mut undeclared = Vec::with_capacity(self.undeclared.len());
        for (place, name) in &self.undeclared {
            let texts = texts_of(batch.column(*place))?;
            let values = texts.into_iter().enumerate().filter_map(|(row, text)| Some((row, text?)));
            undeclared.push(UndeclaredColumn { name: name.clone(), values: values.collect() });
        }
        let first = self.n_rows + 1;
        self.n_rows += batch.num_rows() as u64;
        let header: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        Ok(Block {
            frame: DataFrame::new(batch.num_rows(), columns)?,
            rows: (first..=self.n_rows).collect(),
            raw: RawRows::Fields { header: header.into(), places: self.places.clone(), separator: ';' },
            broken: Vec::new(),
            changes: ColumnChanges { missing: Arc::clone(&self.missing), undeclared },
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

    fn undeclared_in_header(&self) -> Option<Vec<String>> {
        Some(self.undeclared.iter().map(|(_, name)| name.clone()).collect())
    }
}

/// Values of any type as text.
fn texts_of(values: &dyn Array) -> Result<Vec<Option<String>>, FormatError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(values, &options)?;
    let text = |row| values.is_valid(row).then(|| formatter.value(row).try_to_string()).transpose();
    Ok((0..values.len()).map(text).collect::<Result<_, _>>()?)
}

/// Turns a panic of the Parquet reader over damaged bytes into an error.
fn guarded<T>(read: impl FnOnce() -> Result<T, FormatError>) -> Result<T, FormatError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(FormatError::Damaged))
}
