//! Writing rows as Parquet, one file per month, on several threads, in bounded memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use deltalake_core::kernel::Add;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::super::contracts::{Contract, Privacy};
use super::checksum::{HashingFile, tags_of};
use super::{BatchRecord, Lake, LakeError, MONTH, TableKind, sync};

/// Most rows of a row group: small enough that a range of keys lies in few of them.
const ROWS_PER_GROUP: usize = 1 << 17;
/// Encoded bytes that one thread may hold before it flushes its largest file.
pub(super) const BYTES_PER_THREAD: usize = 128 << 20;
/// Pieces of work that may wait for a thread.
const WAITING_PIECES: usize = 8;

/// Rows of one month on their way to a thread: all rows of a batch, or those at some positions.
struct Piece {
    month: Arc<str>,
    batch: RecordBatch,
    rows: Option<UInt32Array>,
}

/// A thread that writes files, and the way to it.
type WriterThread = (SyncSender<Piece>, JoinHandle<Result<Vec<Add>, LakeError>>);

/// Takes rows of one event table and writes them below the table's folder.
///
/// Nobody reads the files before [`LakeWriter::finish`] commits them; files of a writer that was dropped are orphans.
pub struct LakeWriter {
    lake: Lake,
    contract: Contract,
    schema: SchemaRef,
    month_column: usize,
    months: HashMap<String, (Arc<str>, usize)>,
    threads: Vec<WriterThread>,
}

impl std::fmt::Debug for LakeWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LakeWriter").field("table", &self.contract.table).finish_non_exhaustive()
    }
}

impl LakeWriter {
    /// Starts the threads of a writer; no file is made before rows come.
    pub(super) fn start(lake: &Lake, contract: &Contract) -> Self {
        let schema = contract.arrow_schema();
        let month_column = schema.index_of(MONTH).unwrap_or_default();
        let properties = writer_properties(contract);
        let folder = lake.table_folder(TableKind::Event, &contract.table);
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let threads = (0..n_threads).map(|_| {
            let (sender, pieces) = sync_channel(WAITING_PIECES);
            let files = MonthFiles {
                table: contract.table.clone(),
                folder: folder.clone(),
                properties: properties.clone(),
                open: HashMap::new(),
            };
            (sender, std::thread::spawn(move || files.write_all(&pieces)))
        });
        Self {
            lake: lake.clone(),
            contract: contract.clone(),
            month_column,
            months: HashMap::new(),
            threads: threads.collect(),
            schema,
        }
    }

    /// Takes rows with the schema of the contract, in any order of months.
    ///
    /// Blocks while the threads are busy, so call it from a blocking thread.
    ///
    /// # Errors
    /// [`LakeError::Shape`] if the rows have another schema or a row has no month; [`LakeError::Stopped`] if a thread
    /// gave up, the cause then comes from [`LakeWriter::finish`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        self.check_shape(batch)?;
        let months = batch.column(self.month_column).as_string::<i32>();
        let mut rows_by_month: HashMap<&str, Vec<u32>> = HashMap::new();
        for (row, month) in (0_u32..).zip(months) {
            let month = month.ok_or_else(|| self.misshapen(format!("row {row} has no month")))?;
            rows_by_month.entry(month).or_default().push(row);
        }
        let without_month: Vec<usize> = (0..batch.num_columns()).filter(|index| *index != self.month_column).collect();
        let projected = batch
            .project(&without_month)
            .map_err(|cause| LakeError::Split { table: self.contract.table.clone(), cause })?;
        let is_single = rows_by_month.len() == 1;
        for (month, rows) in rows_by_month {
            let n_months = self.months.len();
            let n_threads = self.threads.len();
            let (month, thread) =
                self.months.entry(month.to_owned()).or_insert_with(|| (Arc::from(month), n_months % n_threads)).clone();
            let rows = (!is_single).then(|| UInt32Array::from(rows));
            let piece = Piece { month, batch: projected.clone(), rows };
            if self.threads[thread].0.send(piece).is_err() {
                return Err(LakeError::Stopped { table: self.contract.table.clone() });
            }
        }
        Ok(())
    }

    /// Closes the files and commits them with their record in one commit; returns the table's version.
    ///
    /// A batch that the table has already is not committed again; its files are deleted.
    ///
    /// # Errors
    /// Any [`LakeError`]; nothing is in the lake then.
    pub async fn finish(self, record: &BatchRecord) -> Result<i64, LakeError> {
        let table = self.contract.table.clone();
        let (lake, contract, threads) = (self.lake, self.contract, self.threads);
        let files = tokio::task::spawn_blocking(move || close(threads, &contract.table).map(|files| (files, contract)));
        let (files, contract) = files.await.map_err(|_| LakeError::Stopped { table })??;
        lake.commit_batch(&contract, record, files).await
    }

    /// Closes the files and removes them, for rows that are not to be committed after all.
    ///
    /// # Errors
    /// Any [`LakeError`]; then files stay that nobody reads.
    pub async fn discard(self) -> Result<(), LakeError> {
        let table = self.contract.table;
        let folder = self.lake.table_folder(TableKind::Event, &table);
        let (threads, of_table) = (self.threads, table.clone());
        let removed = tokio::task::spawn_blocking(move || {
            for file in close(threads, &of_table)? {
                fs_err::remove_file(folder.join(file.path))?;
            }
            Ok(())
        });
        removed.await.map_err(|_| LakeError::Stopped { table })?
    }

    fn check_shape(&self, batch: &RecordBatch) -> Result<(), LakeError> {
        let (expected, found) = (self.schema.fields(), batch.schema());
        if expected.len() != found.fields().len() {
            return Err(self.misshapen(format!("{} columns instead of {}", found.fields().len(), expected.len())));
        }
        for (expected, found) in expected.iter().zip(found.fields()) {
            if expected.name() != found.name() || expected.data_type() != found.data_type() {
                return Err(self.misshapen(format!(
                    "`{}` {} instead of `{}` {}",
                    found.name(),
                    found.data_type(),
                    expected.name(),
                    expected.data_type()
                )));
            }
        }
        Ok(())
    }

    fn misshapen(&self, reason: String) -> LakeError {
        LakeError::Shape { table: self.contract.table.clone(), reason }
    }
}

/// Waits for all threads and collects their files.
fn close(threads: Vec<WriterThread>, table: &str) -> Result<Vec<Add>, LakeError> {
    let handles: Vec<_> = threads
        .into_iter()
        .map(|(sender, handle)| {
            drop(sender);
            handle
        })
        .collect();
    let mut files = Vec::new();
    for handle in handles {
        files.extend(handle.join().map_err(|_| LakeError::Stopped { table: table.to_owned() })??);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// How event files are encoded: fast to write, small enough, dictionaries only where values repeat.
pub(super) fn writer_properties(contract: &Contract) -> Arc<WriterProperties> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    let unique_system = ["_key_hash", "_content_hash", "_row"].map(str::to_owned);
    let unique_own = contract.lake_columns().filter(|column| {
        let is_listed = column.allowed.is_some() || column.reference.is_some();
        column.privacy == Privacy::Pseudonym || (column.key_position.is_some() && !is_listed)
    });
    for name in unique_system.into_iter().chain(unique_own.map(|column| column.name.clone())) {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    Arc::new(properties.build())
}

/// The files of one thread.
struct MonthFiles {
    table: String,
    folder: PathBuf,
    properties: Arc<WriterProperties>,
    open: HashMap<Arc<str>, MonthFile>,
}

/// One file that is being written.
struct MonthFile {
    path: PathBuf,
    relative_path: String,
    writer: ArrowWriter<HashingFile>,
    rows: usize,
}

impl MonthFiles {
    fn write_all(mut self, pieces: &Receiver<Piece>) -> Result<Vec<Add>, LakeError> {
        while let Ok(piece) = pieces.recv() {
            let rows = match &piece.rows {
                Some(rows) => take_record_batch(&piece.batch, rows)
                    .map_err(|cause| LakeError::Split { table: self.table.clone(), cause })?,
                None => piece.batch,
            };
            if rows.num_rows() > 0 {
                self.write(&piece.month, &rows)?;
            }
        }
        self.close()
    }

    fn write(&mut self, month: &Arc<str>, rows: &RecordBatch) -> Result<(), LakeError> {
        if !self.open.contains_key(month) {
            let file = self.create(month, rows.schema())?;
            self.open.insert(Arc::clone(month), file);
        }
        let failed = |cause| LakeError::Write { table: self.table.clone(), cause };
        if let Some(file) = self.open.get_mut(month) {
            file.rows += rows.num_rows();
            file.writer.write(rows).map_err(failed)?;
        }
        if self.open.values().map(|file| file.writer.memory_size()).sum::<usize>() > BYTES_PER_THREAD
            && let Some(largest) = self.open.values_mut().max_by_key(|file| file.writer.memory_size())
        {
            largest.writer.flush().map_err(failed)?;
        }
        Ok(())
    }

    fn create(&self, month: &str, schema: SchemaRef) -> Result<MonthFile, LakeError> {
        let relative_path = new_file_path(month);
        let path = self.folder.join(&relative_path);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let file = HashingFile::create(&path)?;
        let writer = ArrowWriter::try_new(file, schema, Some(self.properties.as_ref().clone()))
            .map_err(|cause| LakeError::Write { table: self.table.clone(), cause })?;
        Ok(MonthFile { path, relative_path, writer, rows: 0 })
    }

    fn close(self) -> Result<Vec<Add>, LakeError> {
        let mut files = Vec::with_capacity(self.open.len());
        for (month, file) in self.open {
            let failed = |cause| LakeError::Write { table: self.table.clone(), cause };
            let hash = file.writer.into_inner().map_err(failed)?.finish()?;
            if let Some(folder) = file.path.parent() {
                sync(folder)?;
            }
            files.push(add_action(&file.path, file.relative_path, &month, file.rows as u64, hash)?);
        }
        Ok(files)
    }
}

/// Path of a file that is about to be written, relative to the table's folder.
pub(super) fn new_file_path(month: &str) -> String {
    format!("{MONTH}={month}/part-{}.parquet", uuid::Uuid::now_v7().simple())
}

/// The action that adds a written file to a table.
pub(super) fn add_action(
    path: &Path,
    relative_path: String,
    month: &str,
    rows: u64,
    hash: String,
) -> Result<Add, LakeError> {
    let metadata = fs_err::metadata(path)?;
    let modified = metadata.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(Add {
        path: relative_path,
        partition_values: HashMap::from([(MONTH.to_owned(), Some(month.to_owned()))]),
        size: i64::try_from(metadata.len()).unwrap_or(i64::MAX),
        modification_time: i64::try_from(modified.as_millis()).unwrap_or(0),
        data_change: true,
        stats: Some(format!(r#"{{"numRecords":{rows}}}"#)),
        tags: Some(tags_of(hash)),
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
        clustering_provider: None,
    })
}
