//! Writing an entity out as Parquet: whole months, or of a month only the rows that a fold touched.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use parquet::file::metadata::ParquetMetaDataReader;
use roaring::RoaringTreemap;

use super::super::database::{self, name, names, text};
use super::super::lake::{EntityFile, LakeError, MONTH, PublishedFile, hash_of_file};
use super::super::models::Model;
use super::fold::{result_table, touched_table};
use super::{Entities, UNKNOWN_MONTH, entity_table, month_of};

/// Rows of a month from which on single rows are worth it; a smaller month is written whole in a moment.
pub(super) const PATCH_FROM_ROWS: u64 = 4096;
/// Files of a month from which on it is written whole again.
const MOST_FILES: usize = 16;
/// A month is written whole again when one of so many of its rows counts no more.
const MOST_DELETED: u64 = 4;

impl Entities {
    /// Of some files of the published table, those of months where it is worth it to mark single rows as deleted and to
    /// write only the rows of touched keys anew, with the rows of touched keys marked; and these months.
    pub(in super::super) fn patch(
        &self,
        model: &Model,
        folder: &Path,
        published: &[PublishedFile],
        months: &BTreeSet<String>,
    ) -> Result<(BTreeSet<String>, Vec<PublishedFile>), duckdb::Error> {
        let mut by_month: BTreeMap<String, Vec<PublishedFile>> = BTreeMap::new();
        for file in published.iter().filter(|file| months.contains(&file.month)) {
            by_month.entry(file.month.clone()).or_default().push(file.clone());
        }
        by_month.retain(|_, files| {
            files.len() < MOST_FILES && files.iter().map(|file| file.n_rows).sum::<u64>() >= PATCH_FROM_ROWS
        });
        let mut stale = self.stale_rows(model, by_month.values().flatten().map(|file| folder.join(file.path())))?;
        let mut marked = BTreeSet::new();
        for file in by_month.values_mut().flatten() {
            let n_before = file.deleted.len();
            file.deleted |= stale.remove(&folder.join(file.path())).unwrap_or_default();
            if file.deleted.len() > n_before {
                marked.insert(file.path().to_owned());
            }
        }
        by_month.retain(|_, files| {
            let n_deleted: u64 = files.iter().map(|file| file.deleted.len()).sum();
            n_deleted * MOST_DELETED < files.iter().map(|file| file.n_rows).sum()
        });
        let months = by_month.keys().cloned().collect();
        Ok((months, by_month.into_values().flatten().filter(|file| marked.contains(file.path())).collect()))
    }

    /// Positions of the rows of touched keys in files of the published table.
    fn stale_rows(
        &self,
        model: &Model,
        files: impl Iterator<Item = PathBuf>,
    ) -> Result<HashMap<PathBuf, RoaringTreemap>, duckdb::Error> {
        let files: Vec<String> = files.map(|path| text(&path.display().to_string())).collect();
        if files.is_empty() {
            return Ok(HashMap::new());
        }
        let typed = model.key.iter().map(|column| {
            let field = model.columns.field_with_name(column);
            let type_name = field.map_or("VARCHAR", |field| database::type_name(field.data_type()));
            format!("CAST({0} AS {type_name}) AS {0}", name(column))
        });
        let mut select = self.connection.prepare(&format!(
            "SELECT filename, file_row_number FROM (SELECT filename, file_row_number, {typed} FROM read_parquet([{files}], \
             union_by_name = TRUE, filename = TRUE, file_row_number = TRUE)) SEMI JOIN {touched} USING ({key})",
            typed = typed.collect::<Vec<_>>().join(", "),
            files = files.join(", "),
            touched = touched_table(model),
            key = names(model.key.iter().map(String::as_str)),
        ))?;
        let mut rows = select.query([])?;
        let mut stale: HashMap<PathBuf, RoaringTreemap> = HashMap::new();
        while let Some(row) = rows.next()? {
            stale.entry(row.get::<_, String>(0)?.into()).or_default().insert(row.get::<_, i64>(1)?.unsigned_abs());
        }
        Ok(stale)
    }

    /// Writes months of an entity, or all of it, as Parquet files below a folder, one folder per month; of the months
    /// `patched` only the rows that the last fold touched. Returns the token in the names of the files, see [`written_files`].
    pub(in super::super) fn write_months(
        &self,
        model: &Model,
        months: Option<&BTreeSet<String>>,
        patched: &BTreeSet<String>,
        folder: &Path,
    ) -> Result<String, duckdb::Error> {
        let stored = model.columns.fields().iter().map(|field| {
            format!("CAST({0} AS {1}) AS {0}", name(field.name()), database::stored_type_name(field.data_type()))
        });
        let stored = stored.collect::<Vec<_>>().join(", ");
        let chosen = months.map_or_else(|| "TRUE".to_owned(), |months| in_months(model, months));
        let mut rows = format!("SELECT * FROM {} WHERE {chosen}", entity_table(model));
        if !patched.is_empty() {
            let touched = format!("SELECT * FROM {} WHERE {}", result_table(model), in_months(model, patched));
            rows = if months.is_some_and(BTreeSet::is_empty) { touched } else { format!("{rows} UNION ALL {touched}") };
        }
        // The token tells the files of this refresh from those that are there already.
        let token = uuid::Uuid::now_v7().simple().to_string();
        self.connection.execute_batch(&format!(
            "COPY (SELECT {stored}, {month} AS {MONTH} FROM ({rows})) TO {folder} (FORMAT parquet, \
             COMPRESSION zstd, PARTITION_BY ({MONTH}), FILENAME_PATTERN 'part-{token}-{{uuid}}', APPEND TRUE)",
            month = month_of(model),
            folder = text(&folder.display().to_string()),
        ))?;
        Ok(token)
    }
}

/// The files below a table's folder that carry a token, with the rows that their footers tell.
pub(in super::super) fn written_files(folder: &Path, token: &str) -> Result<Vec<EntityFile>, LakeError> {
    let mut files = Vec::new();
    for partition in fs_err::read_dir(folder)? {
        let partition = partition?;
        let name = partition.file_name().to_string_lossy().into_owned();
        let Some(month) = name.strip_prefix("month=") else { continue };
        for file in fs_err::read_dir(partition.path())? {
            let file = file?;
            if !file.file_name().to_string_lossy().contains(token) {
                continue;
            }
            let path = file.path();
            let hash = hash_of_file(&path)?;
            let opened = fs_err::File::open(&path)?;
            let footer = ParquetMetaDataReader::new()
                .parse_and_finish(opened.file())
                .map_err(|cause| LakeError::Read { path, cause })?;
            files.push(EntityFile {
                path: Path::new(&name).join(file.file_name()),
                month: month.to_owned(),
                rows: u64::try_from(footer.file_metadata().num_rows()).unwrap_or(0),
                hash,
            });
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// A condition on the month column that DuckDB can check against the ranges it keeps.
fn in_months(model: &Model, months: &BTreeSet<String>) -> String {
    let column = name(&model.month);
    let conditions = months.iter().map(|month| {
        if month == UNKNOWN_MONTH {
            return format!("{column} IS NULL");
        }
        let first = text(&format!("{month}-01"));
        format!("({column} >= CAST({first} AS DATE) AND {column} < CAST({first} AS DATE) + INTERVAL 1 MONTH)")
    });
    let conditions: Vec<String> = conditions.collect();
    if conditions.is_empty() { "FALSE".to_owned() } else { conditions.join(" OR ") }
}
