//! Folding a model: all of its events, or those of the keys that new events touch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::super::database::{name, names, text};
use super::super::event_views::{create_list, create_view, drop_list, drop_view, select_from_files};
use super::super::lake::{Lake, LakeFile};
use super::super::models::{Model, Versions, select_of};
use super::{ALL_MONTHS, Entities, EventTable, FoldError, entity_table, month_of};

/// Events that are folded at once: their states take a few hundred megabytes.
const EVENTS_PER_SLICE: u64 = 1_500_000;
/// Keys that are looked at to divide all of them.
const SAMPLED_KEYS: u64 = 20_000;

impl Entities {
    /// Folds all events, slice after slice: so many keys that their states fit into memory, which costs a third of the
    /// time that DuckDB takes when it has to spill them.
    pub(super) fn fold_whole(&self, model: &Model, tables: &[&EventTable], lake: &Lake) -> Result<(), FoldError> {
        lake.fetch_blocking(tables.iter().flat_map(|table| &table.files).map(|file| file.path.clone()))?;
        let months = months_table(model);
        self.create_entity(model)?;
        self.connection
            .execute_batch(&format!("CREATE OR REPLACE TABLE {months} (key_hash UBIGINT, month INTEGER)"))?;
        model.lists.iter().try_for_each(|list| create_list(&self.connection, list))?;
        for slice in self.slices(model, tables)? {
            let mut keys = Vec::new();
            for table in tables {
                let events = format!("SELECT * FROM ({}) WHERE {slice}", all_events(table));
                create_view(&self.connection, &table.contract, &events, model)?;
                keys.push(format!("SELECT DISTINCT {} FROM ({events})", key_and_month(model)));
            }
            self.connection.execute_batch(&format!(
                "INSERT INTO {entity} ({columns}) SELECT {columns} FROM (\n{sql}\n);
                 INSERT INTO {months} SELECT DISTINCT * FROM ({keys});",
                entity = entity_table(model),
                columns = column_names(model),
                sql = select_of(&model.sql),
                keys = keys.join(" UNION ALL "),
            ))?;
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
    /// event, so a model with lists is folded at once.
    fn slices(&self, model: &Model, tables: &[&EventTable]) -> Result<Vec<String>, duckdb::Error> {
        let n_events: u64 = tables.iter().flat_map(|table| &table.files).map(|file| file.rows).sum();
        let n_slices = n_events.div_ceil(EVENTS_PER_SLICE);
        let Some(key) = model.key.first().filter(|_| n_slices > 1 && model.lists.is_empty()) else {
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

    pub(super) fn fold_touched(
        &self,
        model: &Model,
        tables: &[&EventTable],
        fresh: &BTreeMap<String, Vec<LakeFile>>,
        lake: &Lake,
    ) -> Result<(), FoldError> {
        lake.fetch_blocking(fresh.values().flatten().map(|file| file.path.clone()))?;
        let connection = &self.connection;
        let key = names(model.key.iter().map(String::as_str));
        let belongs: Vec<String> = model.key.iter().map(|column| format!("{} IS NOT NULL", name(column))).collect();
        let new_events = tables.iter().map(|table| {
            let files = fresh.get(&table.contract.table).map(Vec::as_slice).unwrap_or_default();
            let paths: Vec<&PathBuf> = files.iter().map(|file| &file.path).collect();
            format!("SELECT {key}, month FROM ({})", select_from_files(&table.contract, &paths))
        });
        let (months, touched, result) = (months_table(model), touched_table(model), result_table(model));
        connection.execute_batch(&format!(
            "CREATE OR REPLACE TEMP TABLE svod_fresh AS
                 SELECT DISTINCT {key}, {key_and_month} FROM ({new_events}) WHERE {belongs};
             CREATE OR REPLACE TEMP TABLE {touched} AS SELECT DISTINCT {key}, key_hash FROM svod_fresh;
             INSERT INTO {months}
                 SELECT DISTINCT key_hash, month FROM svod_fresh ANTI JOIN {months} USING (key_hash, month);",
            key_and_month = key_and_month(model),
            new_events = new_events.collect::<Vec<_>>().join(" UNION ALL "),
            belongs = belongs.join(" AND "),
        ))?;
        let mut months =
            connection.prepare(&format!("SELECT DISTINCT month FROM {months} SEMI JOIN {touched} USING (key_hash)"))?;
        let months: BTreeSet<i32> = months.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for table in tables {
            let needed =
                table.files.iter().filter(|file| month_number(&file.month).is_some_and(|m| months.contains(&m)));
            let paths: Vec<&PathBuf> = needed.map(|file| &file.path).collect();
            lake.fetch_blocking(paths.iter().copied().cloned())?;
            let events = format!(
                "SELECT * FROM ({}) SEMI JOIN {touched} USING ({key})",
                select_from_files(&table.contract, &paths),
            );
            // To tell the last versions the events are read twice; all versions are read once, and only the columns in use.
            let events = match model.versions {
                Versions::All => events,
                Versions::Last => {
                    let kept = name(&format!("svod_events_{}", table.contract.table));
                    connection.execute_batch(&format!("CREATE OR REPLACE TEMP TABLE {kept} AS {events}"))?;
                    format!("SELECT * FROM {kept}")
                }
            };
            create_view(connection, &table.contract, &events, model)?;
        }
        let (entity, columns) = (entity_table(model), column_names(model));
        let same_key: Vec<String> =
            model.key.iter().map(|column| format!("touched.{0} = {entity}.{0}", name(column))).collect();
        model.lists.iter().try_for_each(|list| create_list(connection, list))?;
        // A code list gives rows of keys that no event has touched; these are in the table already.
        let of_touched =
            if model.lists.is_empty() { String::new() } else { format!("SEMI JOIN {touched} USING ({key})") };
        connection.execute_batch(&format!(
            "CREATE OR REPLACE TEMP TABLE {result} AS SELECT {columns} FROM (\n{sql}\n) {of_touched};
             INSERT INTO svod.dirty
                 SELECT DISTINCT {model}, {month} FROM {entity} SEMI JOIN {touched} USING ({key})
                 UNION
                 SELECT DISTINCT {model}, {month} FROM {result};
             DELETE FROM {entity} WHERE EXISTS (SELECT 1 FROM {touched} AS touched WHERE {same_key});
             INSERT INTO {entity} ({columns}) SELECT {columns} FROM {result};",
            sql = select_of(&model.sql),
            model = text(&model.name),
            month = month_of(model),
            same_key = same_key.join(" AND "),
        ))?;
        model.lists.iter().try_for_each(|list| drop_list(connection, list))?;
        for table in tables {
            let events = name(&format!("svod_events_{}", table.contract.table));
            drop_view(connection, &table.contract)?;
            connection.execute_batch(&format!("DROP TABLE IF EXISTS {events}"))?;
        }
        Ok(connection.execute_batch("DROP TABLE svod_fresh")?)
    }
}

fn months_table(model: &Model) -> String {
    format!("svod.{}", name(&format!("months_{}", model.name)))
}

/// A `SELECT` of all events of a table.
fn all_events(table: &EventTable) -> String {
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

/// The number of a month as text.
fn month_number(month: &str) -> Option<i32> {
    month.replace('-', "").parse().ok()
}
