//! Which events a month of an event table holds already, by their hashes.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter};
use parquet::errors::ParquetError;

use super::super::contracts::RECORDED_AT;
use super::{Lake, LakeError, TableKind, active_files};

/// What decides between two versions of one event: the larger wins.
type Order = (Option<i64>, i64, i64);

/// What an event table holds of one month, by hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownHashes {
    /// Hash of the key → hash of the content of the last version.
    pub last: HashMap<i64, i64>,
    /// Key and content of versions that a later one has replaced.
    pub former: HashSet<(i64, i64)>,
}

impl Lake {
    /// Hash of the key → hash of the content of the last version, for all events of one month.
    ///
    /// Reads five narrow columns of that month's files only. An event that was moved to another month by a correction
    /// is still known in its first month.
    ///
    /// # Errors
    /// [`LakeError::Open`] if the table's log cannot be read, [`LakeError::Read`] if a file cannot.
    pub async fn known_hashes(&self, table: &str, month: &str) -> Result<HashMap<i64, i64>, LakeError> {
        Ok(self.all_hashes(table, month, None).await?.last)
    }

    /// The same, with the versions that were replaced; of some events only, if their keys are given by their hashes.
    ///
    /// Of the others only the hashes of their keys are read then, and nothing is kept in memory.
    ///
    /// # Errors
    /// As [`Lake::known_hashes`].
    pub async fn all_hashes(
        &self,
        table: &str,
        month: &str,
        keys: Option<HashSet<i64>>,
    ) -> Result<KnownHashes, LakeError> {
        let Some(loaded) = self.load(TableKind::Event, table, None).await? else { return Ok(KnownHashes::default()) };
        let folder = self.table_folder(TableKind::Event, table);
        let in_month = active_files(&loaded).into_iter().filter(|file| file.month == month);
        let files: Vec<_> = in_month.map(|file| file.into_file(&folder)).collect();
        let keys = keys.map(|keys| Arc::new(SomeKeys::new(keys)));
        self.fetch(files.iter().map(|file| file.path.clone())).await?;
        let read = tokio::task::spawn_blocking(move || {
            let mut last: HashMap<i64, (Order, i64)> = HashMap::new();
            let mut former = HashSet::new();
            for file in files {
                if keys.is_none() {
                    last.reserve(usize::try_from(file.rows).unwrap_or(0));
                }
                read_hashes(&file.path, keys.as_ref(), &mut last, &mut former)
                    .map_err(|cause| LakeError::Read { path: file.path.clone(), cause })?;
            }
            Ok(KnownHashes { last: last.into_iter().map(|(key, (_, content))| (key, content)).collect(), former })
        });
        read.await.map_err(|_| LakeError::Stopped { table: table.to_owned() })?
    }
}

/// Keys that are looked for, by their hashes.
struct SomeKeys {
    keys: HashSet<i64>,
    /// Whether a key with these last bits is among them: most others are sorted out by it.
    by_last_bits: Vec<bool>,
}

impl SomeKeys {
    fn new(keys: HashSet<i64>) -> Self {
        let mut by_last_bits = vec![false; 1 << 16];
        for key in &keys {
            by_last_bits[Self::last_bits(*key)] = true;
        }
        Self { keys, by_last_bits }
    }

    fn last_bits(key: i64) -> usize {
        usize::from(u16::from_le_bytes([key.to_le_bytes()[0], key.to_le_bytes()[1]]))
    }

    fn contains(&self, key: i64) -> bool {
        self.by_last_bits[Self::last_bits(key)] && self.keys.contains(&key)
    }
}

/// Adds the events of one file to what is known.
fn read_hashes(
    path: &Path,
    wanted: Option<&Arc<SomeKeys>>,
    last: &mut HashMap<i64, (Order, i64)>,
    former: &mut HashSet<(i64, i64)>,
) -> Result<(), ParquetError> {
    let file = fs_err::File::open(path).map_err(|error| ParquetError::External(Box::new(error)))?;
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file.into_file())?;
    let names = ["_key_hash", "_content_hash", "_batch", "_row", RECORDED_AT];
    let mask = ProjectionMask::columns(builder.parquet_schema(), names);
    if let Some(wanted) = wanted.map(Arc::clone) {
        let only_keys = ProjectionMask::columns(builder.parquet_schema(), ["_key_hash"]);
        let is_wanted = ArrowPredicateFn::new(only_keys, move |keys| {
            let keys = keys.column(0).as_primitive::<Int64Type>().values();
            Ok(keys.iter().map(|key| Some(wanted.contains(*key))).collect::<BooleanArray>())
        });
        builder = builder.with_row_filter(RowFilter::new(vec![Box::new(is_wanted)]));
    }
    for batch in builder.with_projection(mask).with_batch_size(1 << 16).build()? {
        let batch = batch?;
        let column = |name: &str| {
            batch.column_by_name(name).ok_or_else(|| ParquetError::General(format!("the column `{name}` is missing")))
        };
        let [keys, contents, batches, rows] =
            [column(names[0])?, column(names[1])?, column(names[2])?, column(names[3])?]
                .map(AsArray::as_primitive::<Int64Type>);
        let recorded = column(RECORDED_AT)?.as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            let recorded_at = recorded.is_valid(row).then(|| recorded.value(row));
            let order = (recorded_at, batches.value(row), rows.value(row));
            let found = (order, contents.value(row));
            let key = keys.value(row);
            last.entry(key)
                .and_modify(|known| {
                    let replaced = if known.0 <= order { std::mem::replace(known, found) } else { found };
                    if replaced.1 != known.1 {
                        former.insert((key, replaced.1));
                    }
                })
                .or_insert(found);
        }
    }
    Ok(())
}
