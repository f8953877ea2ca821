//! The built-in entity of batches.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use duckdb::params;

use super::super::lake::BatchRecord;
use super::super::models::{Model, RUNS};
use super::super::snapshot::PipelineState;
use super::{ALL_MONTHS, Entities, entity_table};

impl Entities {
    /// Adds batches to the built-in entity; `whole` empties it first.
    pub(in super::super) fn add_runs(
        &mut self,
        model: &Model,
        batches: &[(String, BatchRecord)],
        versions: &[(&str, i64)],
        time_zone: Tz,
        whole: bool,
    ) -> Result<(), duckdb::Error> {
        self.connection.execute_batch("BEGIN")?;
        let done =
            self.insert_runs(model, batches, time_zone, whole).and_then(|()| self.note_progress(model, versions));
        self.end(done)
    }

    fn insert_runs(
        &self,
        model: &Model,
        batches: &[(String, BatchRecord)],
        time_zone: Tz,
        whole: bool,
    ) -> Result<(), duckdb::Error> {
        if whole {
            self.create_entity(model)?;
            self.connection.execute("INSERT INTO svod.dirty VALUES (?, ?)", params![model.name, ALL_MONTHS])?;
        }
        for (table, batch) in batches {
            let finished_on = batch.finished_at.with_timezone(&time_zone).date_naive();
            let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            self.connection.execute(
                &format!(
                    "INSERT INTO {} VALUES (?, ?, ?, ?, ?, make_timestamp(CAST(? AS BIGINT)), make_timestamp(CAST(? AS BIGINT)), CAST(? AS DATE), \
                     ?, ?, ?, ?, ?, make_timestamp(CAST(? AS BIGINT)), ?, ?)",
                    entity_table(model)
                ),
                params![
                    batch.pipeline,
                    batch.number,
                    table,
                    batch.run,
                    batch.file,
                    batch.started_at.timestamp_micros(),
                    batch.finished_at.timestamp_micros(),
                    finished_on.to_string(),
                    number(batch.read),
                    number(batch.accepted),
                    number(batch.duplicate),
                    number(batch.rejected),
                    number(batch.events),
                    batch.last_event_at.map(|moment| moment.timestamp_micros()),
                    batch.quarantine,
                    (!batch.warnings.is_empty()).then(|| batch.warnings.join("\n")),
                ],
            )?;
            let month = finished_on.format("%Y-%m").to_string();
            self.connection.execute("INSERT INTO svod.dirty VALUES (?, ?)", params![model.name, month])?;
        }
        Ok(())
    }

    /// How far each pipeline has come, by the built-in entity.
    pub(in super::super) fn pipelines(&self) -> Result<BTreeMap<String, PipelineState>, duckdb::Error> {
        let mut rows = self.connection.prepare(&format!(
            "SELECT pipeline, epoch_us(max(last_event_at)), epoch_us(max(finished_at)), max(batch) \
             FROM entity.{RUNS} GROUP BY pipeline"
        ))?;
        let moment = |micros: Option<i64>| micros.and_then(DateTime::<Utc>::from_timestamp_micros);
        let states = rows.query_map([], |row| {
            let state = PipelineState {
                last_event_at: moment(row.get(1)?),
                last_loaded_at: moment(row.get(2)?),
                batch: row.get(3)?,
            };
            Ok((row.get(0)?, state))
        })?;
        states.collect()
    }
}
