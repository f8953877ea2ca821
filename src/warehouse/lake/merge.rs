//! Merging files of an event table: the same rows in fewer files, and one commit that puts them in the old ones' place.
//!
//! Knows neither which files are worth it nor which rows are superseded.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use deltalake_core::kernel::transaction::CommitProperties;
use deltalake_core::kernel::{Action, Add, Remove};
use deltalake_core::protocol::DeltaOperation;
use fs_err::File;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;

use super::super::contracts::Contract;
use super::append::commit_error;
use super::checksum::HashingFile;
use super::commit::Commit;
use super::history::COMPACTION_KEY;
use super::writer::{BYTES_PER_THREAD, add_action, new_file_path, writer_properties};
use super::{CompactionRecord, Lake, LakeError, LoggedFile, MONTH, TableKind, sync};

/// Rows that are read at once.
const ROWS_PER_BATCH: usize = 1 << 15;

/// Files of one month that become one, but for rows that are dropped.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Merge {
    /// The month.
    pub(in super::super) month: String,
    /// The files, oldest first, each with the positions of its dropped rows in ascending order.
    pub(in super::super) files: Vec<(LoggedFile, Vec<u64>)>,
}

impl Merge {
    /// Rows that are left.
    pub(in super::super) fn rows(&self) -> u64 {
        self.files.iter().map(|(file, dropped)| file.rows - dropped.len() as u64).sum()
    }
}

impl Lake {
    /// Writes the rows of a merge as a new file, which no reader sees yet; none if no row is left. Blocks.
    ///
    /// # Errors
    /// [`LakeError`], also if the rows that were read are not as many as the log says.
    pub(in super::super) fn write_merge(&self, contract: &Contract, merge: &Merge) -> Result<Option<Add>, LakeError> {
        if merge.rows() == 0 {
            return Ok(None);
        }
        let folder = self.table_folder(TableKind::Event, &contract.table);
        self.fetch_blocking(merge.files.iter().map(|(file, _)| folder.join(&file.path)))?;
        let failed = |cause| LakeError::Write { table: contract.table.clone(), cause };
        let schema = common_schema(&folder, merge)?;
        let relative_path = new_file_path(&merge.month);
        let path = folder.join(&relative_path);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        let output = HashingFile::create(&path)?;
        let properties = Some(writer_properties(contract).as_ref().clone());
        let mut writer = ArrowWriter::try_new(output, Arc::clone(&schema), properties).map_err(failed)?;
        let mut n_rows = 0;
        for (file, dropped) in &merge.files {
            let from = folder.join(&file.path);
            let unreadable = |cause| LakeError::Read { path: from.clone(), cause };
            let builder =
                ParquetRecordBatchReaderBuilder::try_new(File::open(&from)?.into_file()).map_err(unreadable)?;
            let mut position = 0;
            for batch in builder.with_batch_size(ROWS_PER_BATCH).build().map_err(unreadable)? {
                let batch = batch.map_err(|cause| unreadable(ParquetError::from(cause)))?;
                let kept = without(&batch, position, dropped)
                    .and_then(|kept| with_schema(&kept, &schema))
                    .map_err(|cause| unreadable(ParquetError::from(cause)))?;
                position += batch.num_rows() as u64;
                n_rows += kept.num_rows() as u64;
                writer.write(&kept).map_err(failed)?;
                if writer.memory_size() > BYTES_PER_THREAD {
                    writer.flush().map_err(failed)?;
                }
            }
        }
        if n_rows != merge.rows() {
            let reason =
                format!("{n_rows} rows were read of {} files, the log says {}", merge.files.len(), merge.rows());
            return Err(LakeError::Shape { table: contract.table.clone(), reason });
        }
        let hash = writer.into_inner().map_err(failed)?.finish()?;
        if let Some(parent) = path.parent() {
            sync(parent)?;
        }
        let add = add_action(&path, relative_path, &merge.month, n_rows, hash)?;
        Ok(Some(Add { data_change: false, ..add }))
    }

    /// Commits merged files in the place of those that they were made from; returns the new version.
    ///
    /// The commit says that it changes no data: refreshes and streaming readers see no new event in it.
    ///
    /// # Errors
    /// [`LakeError`]; the table is unchanged then.
    pub(in super::super) async fn commit_merges(
        &self,
        table: &str,
        merges: &[Merge],
        added: Vec<Add>,
        record: &CompactionRecord,
        moment_millis: i64,
    ) -> Result<i64, LakeError> {
        let missing = || LakeError::NoVersion { table: table.to_owned(), version: 0 };
        let loaded = self.load(TableKind::Event, table, None).await?.ok_or_else(missing)?;
        let removed = merges.iter().flat_map(|merge| &merge.files).map(|(file, _)| {
            Action::Remove(Remove {
                path: file.path.clone(),
                data_change: false,
                deletion_timestamp: Some(moment_millis),
                extended_file_metadata: Some(true),
                partition_values: Some(HashMap::from([(MONTH.to_owned(), Some(file.month.clone()))])),
                size: i64::try_from(file.n_bytes).ok(),
                ..Remove::default()
            })
        });
        let actions: Vec<Action> = removed.chain(added.into_iter().map(Action::Add)).collect();
        let metadata = serde_json::to_value(record).map_err(|cause| commit_error(table, cause.into()))?;
        let properties = CommitProperties::default().with_metadata([(COMPACTION_KEY.to_owned(), metadata)]);
        let operation = DeltaOperation::Optimize { predicate: None, target_size: super::TARGET_BYTES.cast_signed() };
        self.commit(TableKind::Event, table, &loaded, Commit { actions, token: None, properties, operation }).await
    }
}

/// All columns of the files: those of the first, then what later ones add.
fn common_schema(folder: &std::path::Path, merge: &Merge) -> Result<SchemaRef, LakeError> {
    let mut fields = Vec::new();
    for (file, _) in &merge.files {
        let path = folder.join(&file.path);
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(&path)?.into_file())
            .map_err(|cause| LakeError::Read { path, cause })?;
        for field in builder.schema().fields() {
            if !fields.iter().any(|known: &arrow::datatypes::FieldRef| known.name() == field.name()) {
                fields.push(Arc::clone(field));
            }
        }
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// The rows of a batch, which begins at a position of its file, without the dropped ones.
fn without(batch: &RecordBatch, position: u64, dropped: &[u64]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let end = position + batch.num_rows() as u64;
    let first = dropped.partition_point(|row| *row < position);
    let here = dropped.get(first..dropped.partition_point(|row| *row < end)).unwrap_or_default();
    if here.is_empty() {
        return Ok(batch.clone());
    }
    let kept: BooleanArray = (position..end).map(|row| Some(here.binary_search(&row).is_err())).collect();
    filter_record_batch(batch, &kept)
}

/// The rows of a batch in the columns of a schema; a column that it does not have is empty.
fn with_schema(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, arrow::error::ArrowError> {
    let column = |field: &arrow::datatypes::FieldRef| -> ArrayRef {
        let found = batch.column_by_name(field.name());
        found.map_or_else(|| new_null_array(field.data_type(), batch.num_rows()), Arc::clone)
    };
    RecordBatch::try_new(Arc::clone(schema), schema.fields().iter().map(column).collect())
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::{DataType, Field, Int64Type};

    use super::*;

    #[test]
    fn dropped_rows_are_counted_over_the_whole_file() {
        let schema = Arc::new(Schema::new(vec![Field::new("row", DataType::Int64, true)]));
        let batch = RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from_iter_values(100..105))]).unwrap();
        let kept = without(&batch, 100, &[3, 100, 103, 105]).unwrap();
        assert_eq!(kept.column(0).as_primitive::<Int64Type>().values().to_vec(), [101, 102, 104]);
        assert_eq!(without(&batch, 0, &[5, 6]).unwrap().num_rows(), 5);
    }

    #[test]
    fn a_column_that_a_file_lacks_is_empty() {
        let narrow = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true)]));
        let batch = RecordBatch::try_new(narrow, vec![Arc::new(Int64Array::from(vec![1]))]).unwrap();
        let wide =
            Arc::new(Schema::new(vec![Field::new("b", DataType::Utf8, true), Field::new("a", DataType::Int64, true)]));
        let widened = with_schema(&batch, &wide).unwrap();
        assert_eq!(widened.column(0).null_count(), 1);
        assert_eq!(widened.column(1).as_primitive::<Int64Type>().value(0), 1);
    }
}
