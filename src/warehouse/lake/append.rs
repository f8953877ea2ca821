//! Committing batches of events and reading their records back from the log.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use deltalake_core::kernel::transaction::CommitProperties;
use deltalake_core::kernel::{Action, Add, StructField, Transaction};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableError, TableProperty};

use super::super::contracts::Contract;
use super::commit::Commit;
use super::{BatchRecord, Lake, LakeError, LakeWriter, MONTH, RECORD_KEY, TableKind, delta_schema, version_of};

impl Lake {
    /// Starts writing one batch of events.
    #[must_use]
    pub fn writer(&self, contract: &Contract) -> LakeWriter {
        LakeWriter::start(self, contract)
    }

    /// Appends rows that are in memory as one batch; see [`LakeWriter`] for more than fits there.
    ///
    /// # Errors
    /// Any [`LakeError`]; nothing is in the lake then.
    pub async fn append(
        &self,
        contract: &Contract,
        record: &BatchRecord,
        rows: Vec<RecordBatch>,
    ) -> Result<i64, LakeError> {
        let mut writer = self.writer(contract);
        let table = contract.table.clone();
        let written = tokio::task::spawn_blocking(move || {
            rows.iter().try_for_each(|batch| writer.write(batch))?;
            Ok::<_, LakeError>(writer)
        });
        let writer = written.await.map_err(|_| LakeError::Stopped { table })??;
        writer.finish(record).await
    }

    /// The last batch of a pipeline in an event table, from the table's log.
    ///
    /// # Errors
    /// [`LakeError::Open`] if the log cannot be read, [`LakeError::Record`] if the record in it cannot.
    pub async fn last_batch(&self, table: &str, pipeline: &str) -> Result<Option<BatchRecord>, LakeError> {
        let Some(loaded) = self.load(TableKind::Event, table, None).await? else { return Ok(None) };
        if transaction_version(&loaded, pipeline).await.map_err(|cause| open_error(table, cause))?.is_none() {
            return Ok(None);
        }
        for version in (0..=version_of(&loaded)).rev() {
            if let Some(record) = self.batch_record(table, version).await?
                && record.pipeline == pipeline
            {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Records of the batches that an event table got after one version, up to another, oldest first.
    ///
    /// # Errors
    /// [`LakeError::Open`] if the log cannot be read, [`LakeError::Record`] if a record in it cannot.
    pub async fn batches_between(&self, table: &str, after: i64, until: i64) -> Result<Vec<BatchRecord>, LakeError> {
        let mut records = Vec::new();
        for version in after + 1..=until {
            records.extend(self.batch_record(table, version).await?);
        }
        Ok(records)
    }

    async fn batch_record(&self, table: &str, version: i64) -> Result<Option<BatchRecord>, LakeError> {
        let actions = self.actions(TableKind::Event, table, version).await?;
        let record = actions.into_iter().find_map(|action| match action {
            Action::CommitInfo(mut info) => info.info.remove(RECORD_KEY),
            _ => None,
        });
        let unreadable = |cause| LakeError::Record { table: table.to_owned(), version, cause };
        record.map(|record| serde_json::from_value(record).map_err(unreadable)).transpose()
    }

    /// Commits written files with their record, unless the table has the batch already.
    pub(super) async fn commit_batch(
        &self,
        contract: &Contract,
        record: &BatchRecord,
        files: Vec<Add>,
    ) -> Result<i64, LakeError> {
        let table = self.event_table(contract).await?;
        let known = transaction_version(&table, &record.pipeline).await;
        if known.map_err(|cause| open_error(&contract.table, cause))?.is_some_and(|known| known >= record.number) {
            // Under the lock of this data directory only another server can have taken the number.
            if self.is_remote() {
                return Err(LakeError::Overtaken { table: contract.table.clone() });
            }
            let folder = self.table_folder(TableKind::Event, &contract.table);
            for file in files {
                fs_err::remove_file(folder.join(file.path))?;
            }
            return Ok(version_of(&table));
        }
        let token = Transaction {
            app_id: record.pipeline.clone(),
            version: record.number,
            last_updated: Some(record.finished_at.timestamp_millis()),
        };
        let metadata = serde_json::to_value(record).map_err(|cause| commit_error(&contract.table, cause.into()))?;
        let properties = CommitProperties::default()
            .with_metadata([(RECORD_KEY.to_owned(), metadata)])
            .with_application_transaction(token.clone());
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![MONTH.to_owned()]),
            predicate: None,
        };
        let rejected = record.quarantine.iter().map(|name| self.quarantine_folder(&record.pipeline).join(name));
        self.upload(rejected.collect()).await?;
        let actions = files.into_iter().map(Action::Add).collect();
        self.commit(
            TableKind::Event,
            &contract.table,
            &table,
            Commit { actions, token: Some(token), properties, operation },
        )
        .await
    }

    /// The event table of a contract, made or widened to the contract's columns where needed.
    async fn event_table(&self, contract: &Contract) -> Result<DeltaTable, LakeError> {
        let schema = contract.arrow_schema();
        if let Some(table) = self.load(TableKind::Event, &contract.table, None).await? {
            return add_columns(table, &contract.table, &schema).await;
        }
        let properties = vec![(TableProperty::AppendOnly, "true"), (TableProperty::EnableExpiredLogCleanup, "false")];
        self.create_table(TableKind::Event, &contract.table, &schema, properties).await
    }

    /// Makes an empty table.
    pub(super) async fn create_table(
        &self,
        kind: TableKind,
        table: &str,
        schema: &Schema,
        properties: Vec<(TableProperty, &str)>,
    ) -> Result<DeltaTable, LakeError> {
        fs_err::create_dir_all(self.table_folder(kind, table))?;
        let log_store = self.log_store(kind, table)?;
        let fields: Vec<StructField> = delta_schema(table, schema)?.fields().cloned().collect();
        let created = async {
            let mut builder = CreateBuilder::new()
                .with_log_store(log_store)
                .with_table_name(table)
                .with_columns(fields)
                .with_partition_columns([MONTH]);
            for (property, value) in properties {
                builder = builder.with_configuration_property(property, Some(value));
            }
            builder.await
        };
        let failed = |cause| LakeError::Create { table: table.to_owned(), cause: Box::new(cause) }.told();
        let created = created.await.map_err(failed)?;
        self.sync_commit(kind, table, version_of(&created))?;
        Ok(created)
    }
}

/// A table with the columns of a schema that it did not have yet.
async fn add_columns(table: DeltaTable, name: &str, schema: &Schema) -> Result<DeltaTable, LakeError> {
    let wanted = delta_schema(name, schema)?;
    let state = table.snapshot().map_err(|cause| open_error(name, cause))?;
    let present: HashMap<String, StructField> =
        state.schema().fields().map(|field| (field.name().clone(), field.clone())).collect();
    let mut missing = Vec::new();
    for field in wanted.fields() {
        match present.get(field.name()) {
            None => missing.push(field.clone()),
            Some(found) if found.data_type() != field.data_type() => {
                return Err(LakeError::Retyped {
                    table: name.to_owned(),
                    column: field.name().clone(),
                    found: found.data_type().to_string(),
                    expected: field.data_type().to_string(),
                });
            }
            Some(_) => {}
        }
    }
    if missing.is_empty() {
        return Ok(table);
    }
    let columns = missing.iter().map(|field| field.name().clone()).collect();
    let evolve = |cause| LakeError::Evolve { table: name.to_owned(), columns, cause: Box::new(cause) }.told();
    table.add_columns().with_fields(missing).await.map_err(evolve)
}

/// The last batch number of a pipeline, by the tokens of the log.
async fn transaction_version(table: &DeltaTable, pipeline: &str) -> Result<Option<i64>, DeltaTableError> {
    table.snapshot()?.transaction_version(table.log_store().as_ref(), pipeline).await
}

fn open_error(table: &str, cause: DeltaTableError) -> LakeError {
    LakeError::Open { table: table.to_owned(), cause: Box::new(cause) }.told()
}

pub(super) fn commit_error(table: &str, cause: DeltaTableError) -> LakeError {
    LakeError::Commit { table: table.to_owned(), cause: Box::new(cause) }.told()
}
