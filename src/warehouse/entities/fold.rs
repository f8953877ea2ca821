//! Folding a model: all of its events, or those of the keys that new events touch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::super::database::{name, names, text};
use super::super::event_views::{create_list, create_view, drop_list, select_from_files};
use super::super::lake::{Lake, LakeFile};
use super::super::models::{Model, select_of};
use super::super::stopwatch::Stopwatch;
use super::{ALL_MONTHS, Entities, EventTable, FoldError, entity_table, month_of};

/// Events that are folded at once: their states take a few hundred megabytes.
const EVENTS_PER_SLICE: u64 = 1_500_000;
/// Keys that are looked at to divide all of them.
const SAMPLED_KEYS: u64 = 20_000;

impl Entities {
    /// Folds all events, slice after slice: so many keys that their states fit into memory, which costs a third of the
    /// time that DuckDB takes when it has to spill them.
    pub(super) fn fold_whole(&mut self, model: &Model, tables: &[&EventTable], lake: &Lake) -> Result<(), FoldError> {
        lake.fetch_blocking(tables.iter().flat_map(|table| &table.files).map(|file| file.path.clone()))?;
        let mut watch = Stopwatch::start(&model.name);
        let months = months_table(model);
        self.create_entity(model)?;
        self.connection
            .execute_batch(&format!("CREATE OR REPLACE TABLE {months} (key_hash UBIGINT, month INTEGER)"))?;
        model.lists.iter().try_for_each(|list| create_list(&self.connection, list))?;
        watch.lap("code lists");
        for slice in self.slices(model, tables)? {
            watch.lap("slices");
            let mut keys = Vec::new();
            for table in tables {
                let repeated = self.repeated_in(model, table)?;
                let events = format!("SELECT * FROM ({}) WHERE {slice}", all_events(table));
                create_view(&self.connection, &table.contract, &events, model, repeated.as_deref())?;
                keys.push(format!("SELECT {} FROM ({events})", key_and_month(model)));
            }
            watch.lap("views");
            self.connection.execute_batch(&format!(
                "INSERT INTO {entity} ({columns}) SELECT {columns} FROM (\n{sql}\n)",
                entity = entity_table(model),
                columns = column_names(model),
                sql = select_of(&model.sql),
            ))?;
            watch.lap("SQL of the model");
            self.connection.execute_batch(&format!(
                "INSERT INTO {months} SELECT DISTINCT * FROM ({keys})",
                keys = keys.join(" UNION ALL "),
            ))?;
            watch.lap("months of keys");
        }
        self.connection.execute_batch(&format!(
            "DELETE FROM svod.dirty WHERE model = {model};
             INSERT INTO svod.dirty VALUES ({model}, '{ALL_MONTHS}');",
            model = text(&model.name),
        ))?;
        Ok(model.lists.iter().try_for_each(|list| drop_list(&self.connection, list))?)
    }

    /// Conditions on events that divide them by ranges of the first column of the key, about [`EVENTS_PER_SLICE`] in each.
    ///
    /// Registers number their cases in time, so a range lies in few row groups. Rows that come from a code list belong to no
    /// event, so a model that may have such rows is folded at once.
    fn slices(&self, model: &Model, tables: &[&EventTable]) -> Result<Vec<String>, duckdb::Error> {
        let n_events: u64 = tables.iter().flat_map(|table| &table.files).map(|file| file.rows).sum();
        let n_slices = n_events.div_ceil(EVENTS_PER_SLICE);
        let Some(key) = model.key.first().filter(|_| n_slices > 1 && model.is_of_events) else {
            return Ok(vec!["TRUE".to_owned()]);
        };
        let key = name(key);
        let keys = tables.iter().map(|table| format!("SELECT {key} FROM ({})", all_events(table)));
        let mut bounds = self.connection.prepare(&format!(
            "WITH sampled AS (SELECT {key} FROM ({keys}) USING SAMPLE reservoir({SAMPLED_KEYS} ROWS) REPEATABLE (1)),
                  divided AS (
                      SELECT {key}, ntile({n_slices}) OVER (ORDER BY {key}) AS slice FROM sampled WHERE {key} IS NOT NULL),
                  bounds AS (SELECT max({key}) AS bound FROM divided WHERE slice < {n_slices} GROUP BY slice)
             SELECT CAST(bound AS VARCHAR) FROM (SELECT DISTINCT bound FROM bounds) ORDER BY bound",
            keys = keys.collect::<Vec<_>>().join(" UNION ALL "),
        ))?;
        let bounds: Vec<String> = bounds.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let bounds: Vec<String> = bounds.iter().map(|bound| text(bound)).collect();
        let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else { return Ok(vec!["TRUE".to_owned()]) };
        let between = bounds.windows(2).map(|pair| format!("{key} > {} AND {key} <= {}", pair[0], pair[1]));
        let ends = [format!("{key} <= {first}"), format!("({key} > {last} OR {key} IS NULL)")];
        Ok(between.chain(ends).collect())
    }

    /// Folds the keys that new events touch.
    pub(super) fn fold_touched(
        &mut self,
        model: &Model,
        tables: &[&EventTable],
        fresh: &BTreeMap<String, Vec<LakeFile>>,
        lake: &Lake,
    ) -> Result<(), FoldError> {
        lake.fetch_blocking(fresh.values().flatten().map(|file| file.path.clone()))?;
        let mut watch = Stopwatch::start(&model.name);
        let months = self.note_touched(model, tables, fresh)?;
        watch.lap("touched keys and their months");
        for table in tables {
            let (events, repeated) = self.touched_events(model, table, &months, lake)?;
            create_view(&self.connection, &table.contract, &events, model, repeated.as_deref())?;
        }
        watch.lap("events");
        let connection = &self.connection;
        let key = names(model.key.iter().map(String::as_str));
        let (entity, columns) = (entity_table(model), column_names(model));
        let (touched, result) = (touched_table(model), result_table(model));
        model.lists.iter().try_for_each(|list| create_list(connection, list))?;
        // A code list gives rows of keys that no event has touched; these are in the table already.
        let of_touched = if model.is_of_events { String::new() } else { format!("SEMI JOIN {touched} USING ({key})") };
        connection.execute_batch(&format!(
            "CREATE OR REPLACE TEMP TABLE {result} AS SELECT {columns} FROM (\n{sql}\n) {of_touched}",
            sql = select_of(&model.sql),
        ))?;
        model.lists.iter().try_for_each(|list| drop_list(connection, list))?;
        watch.lap("SQL of the model");
        // The former rows are looked for once: the table is as long as the history.
        connection.execute_batch(&format!(
            "CREATE OR REPLACE TEMP TABLE svod_former AS
                 SELECT former.rowid AS row_id, {month} AS month FROM {entity} AS former SEMI JOIN {touched} USING ({key});
             INSERT INTO svod.dirty
                 SELECT DISTINCT {model}, month FROM svod_former
                 UNION
                 SELECT DISTINCT {model}, {month} FROM {result};
             DELETE FROM {entity} WHERE rowid IN (SELECT row_id FROM svod_former);
             INSERT INTO {entity} ({columns}) SELECT {columns} FROM {result};
             DROP TABLE svod_former;",
            model = text(&model.name),
            month = month_of(model),
        ))?;
        watch.lap("rows of the entity");
        Ok(())
    }

    /// Makes the table of the keys that new events touch, and finds the months in which events of these keys lie.
    fn note_touched(
        &self,
        model: &Model,
        tables: &[&EventTable],
        fresh: &BTreeMap<String, Vec<LakeFile>>,
    ) -> Result<BTreeSet<i32>, duckdb::Error> {
        let key = names(model.key.iter().map(String::as_str));
        let belongs: Vec<String> = model.key.iter().map(|column| format!("{} IS NOT NULL", name(column))).collect();
        let new_events = tables.iter().map(|table| {
            let files = fresh.get(&table.contract.table).map(Vec::as_slice).unwrap_or_default();
            let paths: Vec<&PathBuf> = files.iter().map(|file| &file.path).collect();
            format!("SELECT {key}, month FROM ({})", select_from_files(&table.contract, &paths))
        });
        let (months, touched) = (months_table(model), touched_table(model));
        // The months of touched keys are looked for once: the table is as long as the history.
        self.connection.execute_batch(&format!(
            "CREATE OR REPLACE TEMP TABLE svod_fresh AS
                 SELECT DISTINCT {key}, {key_and_month} FROM ({new_events}) WHERE {belongs};
             CREATE OR REPLACE TEMP TABLE {touched} AS SELECT DISTINCT {key}, key_hash FROM svod_fresh;
             CREATE OR REPLACE TEMP TABLE svod_seen AS
                 SELECT key_hash, month FROM {months} SEMI JOIN {touched} USING (key_hash);
             INSERT INTO {months} SELECT DISTINCT key_hash, month FROM svod_fresh ANTI JOIN svod_seen USING (key_hash, month);",
            key_and_month = key_and_month(model),
            new_events = new_events.collect::<Vec<_>>().join(" UNION ALL "),
            belongs = belongs.join(" AND "),
        ))?;
        let mut months = self.connection.prepare("SELECT month FROM svod_seen UNION SELECT month FROM svod_fresh")?;
        let months = months.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        self.connection.execute_batch("DROP TABLE svod_fresh; DROP TABLE svod_seen")?;
        Ok(months)
    }
}

fn months_table(model: &Model) -> String {
    format!("svod.{}", name(&format!("months_{}", model.name)))
}

/// A `SELECT` of all events of a table.
pub(super) fn all_events(table: &EventTable) -> String {
    let paths: Vec<&PathBuf> = table.files.iter().map(|file| &file.path).collect();
    select_from_files(&table.contract, &paths)
}

/// Temporary table of the keys that a fold touched, kept until the refresh has written them.
pub(super) fn touched_table(model: &Model) -> String {
    name(&format!("svod_touched_{}", model.name))
}

/// Temporary table of their entities.
pub(super) fn result_table(model: &Model) -> String {
    name(&format!("svod_result_{}", model.name))
}

fn column_names(model: &Model) -> String {
    names(model.columns.fields().iter().map(|field| field.name().as_str()))
}

/// Hash of the key and number of the month of an event, e.g. 202403.
fn key_and_month(model: &Model) -> String {
    let key = names(model.key.iter().map(String::as_str));
    format!("hash({key}) AS key_hash, CAST(replace(month, '-', '') AS INTEGER) AS month")
}
