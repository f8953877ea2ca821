//! After a whole fold: which months of an entity differ from its published table.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use duckdb::params;

use super::super::database::{self, name, text};
use super::super::lake::{PublishedFile, hash_of_file};
use super::super::models::Model;
use super::{Entities, entity_table, month_of};

impl Entities {
    /// Leaves only those months of a wholly folded model to be written whose rows differ from the published files, or
    /// whose published files are damaged. Where they cannot be compared, all months stay to be written.
    ///
    /// Rows are compared by their number and two sums of their hashes, so that memory does not depend on the table.
    pub(in super::super) fn spare_equal_months(
        &mut self,
        model: &Model,
        folder: &Path,
        published: &[PublishedFile],
    ) -> Result<(), duckdb::Error> {
        let (sound, damaged): (Vec<&PublishedFile>, Vec<&PublishedFile>) =
            published.iter().partition(|file| is_sound(folder, file));
        let paths: Vec<PathBuf> = sound.iter().map(|file| folder.join(file.path())).collect();
        self.note_deleted(folder, &sound)?;
        let Ok(mut months) = self.differing_months(model, &paths) else { return Ok(()) };
        months.extend(damaged.into_iter().map(|file| file.month.clone()));
        self.connection.execute_batch("BEGIN")?;
        let done = self.clear_dirty(model).and_then(|()| {
            let mut insert = self.connection.prepare("INSERT INTO svod.dirty VALUES (?, ?)")?;
            months.iter().try_for_each(|month| insert.execute(params![model.name, month]).map(|_| ()))
        });
        self.end(done)
    }

    /// Makes the temporary table of the rows that count no more.
    fn note_deleted(&self, folder: &Path, files: &[&PublishedFile]) -> Result<(), duckdb::Error> {
        let connection = &self.connection;
        connection
            .execute_batch("CREATE OR REPLACE TEMP TABLE svod_deleted (filename VARCHAR, file_row_number BIGINT)")?;
        let mut rows = connection.appender("svod_deleted")?;
        for file in files {
            let path = folder.join(file.path()).display().to_string();
            file.deleted.iter().try_for_each(|row| rows.append_row(params![path, row.cast_signed()]))?;
        }
        rows.flush()
    }

    fn differing_months(&self, model: &Model, published: &[PathBuf]) -> Result<BTreeSet<String>, duckdb::Error> {
        let stored =
            model.columns.fields().iter().map(|field| {
                format!("CAST({} AS {})", name(field.name()), database::stored_type_name(field.data_type()))
            });
        let row_hash = format!("hash({})", stored.collect::<Vec<_>>().join(", "));
        let sums = format!(
            "count(*) AS n_rows, sum(CAST({row_hash} AS HUGEINT)) AS hash_sum, bit_xor({row_hash}) AS hash_xor"
        );
        let files = published.iter().map(|path| text(&path.display().to_string())).collect::<Vec<_>>().join(", ");
        let there = if published.is_empty() {
            "SELECT NULL::VARCHAR AS month, 0 AS n_rows, 0 AS hash_sum, 0 AS hash_xor WHERE FALSE".to_owned()
        } else {
            format!(
                "SELECT month, {sums} FROM read_parquet([{files}], hive_partitioning = TRUE, hive_types_autocast = FALSE, \
                 union_by_name = TRUE, filename = TRUE, file_row_number = TRUE) \
                 ANTI JOIN svod_deleted USING (filename, file_row_number) GROUP BY month"
            )
        };
        let mut months = self.connection.prepare(&format!(
            "WITH own AS (SELECT {month} AS month, {sums} FROM {entity} GROUP BY {month}),
                  there AS ({there})
             SELECT coalesce(own.month, there.month) FROM own FULL JOIN there ON own.month = there.month
             WHERE own.n_rows IS DISTINCT FROM there.n_rows OR own.hash_sum IS DISTINCT FROM there.hash_sum
                OR own.hash_xor IS DISTINCT FROM there.hash_xor",
            month = month_of(model),
            entity = entity_table(model),
        ))?;
        months.query_map([], |row| row.get(0))?.collect()
    }
}

/// Whether a published file still is what was written.
fn is_sound(folder: &Path, file: &PublishedFile) -> bool {
    let path = folder.join(file.path());
    let has_size = fs_err::metadata(&path).is_ok_and(|metadata| metadata.len() == file.n_bytes());
    has_size && file.hash().is_none_or(|hash| hash_of_file(&path).is_ok_and(|found| found == hash))
}
