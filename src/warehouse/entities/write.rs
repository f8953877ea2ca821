//! Writing months of an entity out as Parquet.

use std::collections::BTreeSet;
use std::path::Path;

use parquet::file::metadata::ParquetMetaDataReader;

use super::super::database::{self, name, text};
use super::super::lake::{EntityFile, LakeError, MONTH, hash_of_file};
use super::super::models::Model;
use super::{Entities, UNKNOWN_MONTH, entity_table, month_of};

impl Entities {
    /// Writes months of an entity, or all of it, as Parquet files below a folder, one folder per month; returns the token
    /// in the names of the files, see [`written_files`].
    pub(in super::super) fn write_months(
        &self,
        model: &Model,
        months: Option<&BTreeSet<String>>,
        folder: &Path,
    ) -> Result<String, duckdb::Error> {
        let stored = model.columns.fields().iter().map(|field| {
            format!("CAST({0} AS {1}) AS {0}", name(field.name()), database::stored_type_name(field.data_type()))
        });
        let stored = stored.collect::<Vec<_>>().join(", ");
        let chosen = months.map_or_else(|| "TRUE".to_owned(), |months| in_months(model, months));
        // The token tells the files of this refresh from those that are there already.
        let token = uuid::Uuid::now_v7().simple().to_string();
        self.connection.execute_batch(&format!(
            "COPY (SELECT {stored}, {month} AS {MONTH} FROM {entity} WHERE {chosen}) TO {folder} (FORMAT parquet, \
             COMPRESSION zstd, PARTITION_BY ({MONTH}), FILENAME_PATTERN 'part-{token}-{{uuid}}', APPEND TRUE)",
            month = month_of(model),
            entity = entity_table(model),
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
