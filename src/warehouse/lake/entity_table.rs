//! Replacing months of an entity table in one commit.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use deltalake_core::kernel::transaction::CommitProperties;
use deltalake_core::kernel::{Action, MetadataExt, Remove};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, TableProperty};

use super::append::commit_error;
use super::commit::Commit;
use super::writer::add_action;
use super::{Lake, LakeError, LoggedFile, MONTH, TableKind, active_files, delta_schema, sync, version_of};

/// A Parquet file that was written below an entity table's folder and is not committed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityFile {
    /// Path relative to the table's folder.
    pub path: PathBuf,
    /// Its month.
    pub month: String,
    /// Rows in it.
    pub rows: u64,
    /// Hash of its bytes.
    pub hash: String,
}

impl Lake {
    /// Latest version of an entity table and the number of its rows; none if it was never published.
    ///
    /// # Errors
    /// [`LakeError::Open`] if the table's log cannot be read.
    pub async fn entity_version(&self, model: &str) -> Result<Option<(i64, u64)>, LakeError> {
        let Some(version) = self.load(TableKind::Entity, model, None).await?.as_ref().map(version_of) else {
            return Ok(None);
        };
        let files = self.files_of(TableKind::Entity, model, version).await?;
        Ok(Some((version, files.iter().map(|file| file.rows).sum())))
    }

    /// Files of the latest version of an entity table, if the table has exactly these columns.
    ///
    /// # Errors
    /// [`LakeError`] if the table's log cannot be read.
    pub async fn published_files(
        &self,
        model: &str,
        columns: &SchemaRef,
    ) -> Result<Option<Vec<LoggedFile>>, LakeError> {
        let Some(table) = self.load(TableKind::Entity, model, None).await? else { return Ok(None) };
        if !changed_schema(&table, model, &table_schema(columns))?.is_empty() {
            return Ok(None);
        }
        let Some(history) = self.history(TableKind::Entity, model).await? else { return Ok(None) };
        Ok(Some(history.files_at(history.version())?.into_values().collect()))
    }

    /// Puts files in the place of all files of their months, in one commit; returns the new version.
    ///
    /// `months` may name months without files, which become empty; none replaces the whole table. The table is made
    /// if it is missing and takes the columns given here, so that a changed model changes its table.
    ///
    /// # Errors
    /// Any [`LakeError`]; the table is unchanged then.
    pub async fn replace_months(
        &self,
        model: &str,
        columns: &SchemaRef,
        months: Option<&BTreeSet<String>>,
        files: &[EntityFile],
        moment_millis: i64,
    ) -> Result<i64, LakeError> {
        let folder = self.table_folder(TableKind::Entity, model);
        let schema = table_schema(columns);
        let table = if let Some(table) = self.load(TableKind::Entity, model, None).await? {
            table
        } else {
            let properties = vec![(TableProperty::EnableExpiredLogCleanup, "false")];
            self.create_table(TableKind::Entity, model, &schema, properties).await?
        };
        let mut actions = changed_schema(&table, model, &schema)?;
        for file in active_files(&table) {
            if months.is_none_or(|months| months.contains(&file.month)) {
                actions.push(Action::Remove(Remove {
                    path: file.path,
                    data_change: true,
                    deletion_timestamp: Some(moment_millis),
                    extended_file_metadata: Some(true),
                    partition_values: Some(HashMap::from([(MONTH.to_owned(), Some(file.month))])),
                    size: Some(file.size),
                    tags: None,
                    deletion_vector: None,
                    base_row_id: None,
                    default_row_commit_version: None,
                }));
            }
        }
        for file in files {
            let path = folder.join(&file.path);
            sync(&path)?;
            if let Some(parent) = path.parent() {
                sync(parent)?;
            }
            actions.push(Action::Add(add_action(
                &path,
                slashed(&file.path),
                &file.month,
                file.rows,
                file.hash.clone(),
            )?));
        }
        if actions.is_empty() {
            return Ok(version_of(&table));
        }
        let operation = DeltaOperation::Write {
            mode: SaveMode::Overwrite,
            partition_by: Some(vec![MONTH.to_owned()]),
            predicate: None,
        };
        let properties = CommitProperties::default();
        self.commit(TableKind::Entity, model, &table, Commit { actions, token: None, properties, operation }).await
    }
}

/// The columns of a model's table: its own, then the month.
fn table_schema(columns: &SchemaRef) -> Schema {
    let mut fields: Vec<Field> = columns.fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new(MONTH, DataType::Utf8, true));
    Schema::new(fields)
}

/// The action that gives a table other columns, if it has others.
fn changed_schema(table: &DeltaTable, model: &str, schema: &Schema) -> Result<Vec<Action>, LakeError> {
    let wanted = delta_schema(model, schema)?;
    let state = table.snapshot().map_err(|cause| commit_error(model, cause))?;
    if *state.schema() == wanted {
        return Ok(Vec::new());
    }
    let metadata = state.metadata().clone().with_schema(&wanted).map_err(|cause| commit_error(model, cause.into()))?;
    Ok(vec![Action::Metadata(metadata)])
}

/// A relative path as Delta writes it.
fn slashed(path: &std::path::Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}
