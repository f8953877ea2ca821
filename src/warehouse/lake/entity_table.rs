//! Replacing rows or whole months of an entity table in one commit.

use std::collections::BTreeSet;
use std::path::PathBuf;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use deltalake_core::kernel::transaction::CommitProperties;
use deltalake_core::kernel::{Action, Add, LogicalFileView, MetadataExt, Protocol, Remove};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, TableProperty};

use roaring::RoaringTreemap;

use super::append::commit_error;
use super::checksum::hash_in;
use super::commit::Commit;
use super::deletion::{descriptor_of, rows_in};
use super::writer::add_action;
use super::{ActiveFile, Lake, LakeError, MONTH, TableKind, delta_schema, sync, version_of};

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

/// A file of the latest version of an entity table.
#[derive(Debug, Clone)]
pub struct PublishedFile {
    /// Its month.
    pub month: String,
    /// Rows in it, also those that count no more.
    pub n_rows: u64,
    /// Positions, from 0, of the rows that count no more.
    pub deleted: RoaringTreemap,
    add: Add,
}

impl PublishedFile {
    fn new(add: Add) -> Result<Self, LakeError> {
        let deleted = add.deletion_vector.as_ref().map_or_else(|| Ok(RoaringTreemap::new()), rows_in)?;
        let ActiveFile { month, rows, .. } = ActiveFile::from(add.clone());
        Ok(Self { month, n_rows: rows + deleted.len(), deleted, add })
    }

    /// Its path relative to the table's folder, with `/` between folders.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.add.path
    }

    /// Its bytes.
    #[must_use]
    pub fn n_bytes(&self) -> u64 {
        u64::try_from(self.add.size).unwrap_or(0)
    }

    /// Hash of its bytes; none if it was written before hashes were kept.
    #[must_use]
    pub fn hash(&self) -> Option<String> {
        hash_in(&self.add)
    }

    /// Takes the file, with the rows that do not count, out of the table.
    fn remove(add: Add, moment_millis: i64) -> Action {
        Action::Remove(Remove {
            path: add.path,
            data_change: true,
            deletion_timestamp: Some(moment_millis),
            extended_file_metadata: Some(true),
            partition_values: Some(add.partition_values),
            size: Some(add.size),
            deletion_vector: add.deletion_vector,
            ..Remove::default()
        })
    }
}

/// What one commit changes in an entity table.
#[derive(Debug, Clone, Default)]
pub struct MonthChanges {
    /// Months whose former files go, also those that get no new ones; none stands for the whole table.
    pub replaced: Option<BTreeSet<String>>,
    /// Files of other months that stay, with the rows that count no more.
    pub patched: Vec<PublishedFile>,
    /// What is added.
    pub files: Vec<EntityFile>,
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
    ) -> Result<Option<Vec<PublishedFile>>, LakeError> {
        let Some(table) = self.load(TableKind::Entity, model, None).await? else { return Ok(None) };
        if !changed_schema(&table, model, &table_schema(columns))?.is_empty() {
            return Ok(None);
        }
        let files = adds_of(&table).into_iter().map(PublishedFile::new);
        files.collect::<Result<_, _>>().map(Some)
    }

    /// Changes months or single rows, in one commit; returns the new version.
    ///
    /// The table is made if it is missing and takes the columns given here, so that a changed model changes its table.
    ///
    /// # Errors
    /// Any [`LakeError`]; the table is unchanged then.
    pub async fn change_months(
        &self,
        model: &str,
        columns: &SchemaRef,
        changes: &MonthChanges,
        moment_millis: i64,
    ) -> Result<i64, LakeError> {
        let folder = self.table_folder(TableKind::Entity, model);
        let schema = table_schema(columns);
        let table = if let Some(table) = self.load(TableKind::Entity, model, None).await? {
            table
        } else {
            let properties =
                vec![(TableProperty::EnableExpiredLogCleanup, "false"), (TableProperty::EnableDeletionVectors, "true")];
            self.create_table(TableKind::Entity, model, &schema, properties).await?
        };
        let mut actions = changed_schema(&table, model, &schema)?;
        for add in adds_of(&table) {
            let month = add.partition_values.get(MONTH).cloned().flatten().unwrap_or_default();
            if changes.replaced.as_ref().is_none_or(|months| months.contains(&month)) {
                actions.push(PublishedFile::remove(add, moment_millis));
            }
        }
        if !changes.patched.is_empty() && !has_deletion_vectors(&table) {
            actions.push(Action::Protocol(protocol_with_deletion_vectors(model)?));
        }
        for file in &changes.patched {
            actions.push(PublishedFile::remove(file.add.clone(), moment_millis));
            if file.deleted.len() < file.n_rows {
                let deletion_vector = Some(descriptor_of(&file.deleted)?);
                actions.push(Action::Add(Add { deletion_vector, ..file.add.clone() }));
            }
        }
        for file in &changes.files {
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

/// Whether the protocol of a table allows rows that count no more; tables from before they were used do not.
fn has_deletion_vectors(table: &DeltaTable) -> bool {
    let features = table.snapshot().ok().and_then(|state| state.protocol().reader_features());
    features.is_some_and(|features| features.iter().any(|feature| feature.as_ref() == "deletionVectors"))
}

/// The protocol of a table with such rows: the former one of all tables, and this feature.
fn protocol_with_deletion_vectors(model: &str) -> Result<Protocol, LakeError> {
    let protocol = serde_json::json!({
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"],
        "writerFeatures": ["deletionVectors", "appendOnly", "invariants"],
    });
    serde_json::from_value(protocol).map_err(|cause| commit_error(model, cause.into()))
}

/// The actions that added the files of a table's latest version.
fn adds_of(table: &DeltaTable) -> Vec<Add> {
    #[expect(deprecated, reason = "nothing else gives the whole action back, with its tags")]
    let add = |view: LogicalFileView| view.add_action();
    table.snapshot().map_or_else(|_| Vec::new(), |state| state.log_data().iter().map(add).collect())
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
