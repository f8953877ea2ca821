//! Events that several models of a refresh read, kept in temporary tables so that they are read from Parquet once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::super::contracts::Contract;
use super::super::database::{name, names};
use super::super::event_views::{SUBJECT_ID, note_repeated, select_from_files};
use super::super::lake::Lake;
use super::super::models::{Model, Versions};
use super::fold::{all_events, touched_table};
use super::{Entities, EventTable, FoldError};

/// What models have in common, by event table; each time the table of the hashes of events with several versions, if there are any.
#[derive(Debug, Default)]
pub(super) struct SharedEvents {
    /// Of tables that were read whole.
    whole: BTreeMap<String, Option<String>>,
    /// Of tables whose events of touched subjects are kept.
    touched: BTreeMap<String, Option<String>>,
}

impl Entities {
    /// The table of the hashes of all events of a table that have several versions, if there are any and the model cares.
    pub(super) fn repeated_in(&mut self, model: &Model, table: &EventTable) -> Result<Option<String>, duckdb::Error> {
        if model.versions == Versions::All {
            return Ok(None);
        }
        let table_name = &table.contract.table;
        if let Some(known) = self.shared.whole.get(table_name) {
            return Ok(known.clone());
        }
        let repeated = note_repeated(&self.connection, &format!("svod_repeated_{table_name}"), &all_events(table))?;
        self.shared.whole.insert(table_name.clone(), repeated.clone());
        Ok(repeated)
    }

    /// A `SELECT` of the events of touched keys in some months, and the table of the hashes of those that have several
    /// versions, if there are any.
    pub(super) fn touched_events(
        &mut self,
        model: &Model,
        table: &EventTable,
        months: &BTreeSet<i32>,
        lake: &Lake,
    ) -> Result<(String, Option<String>), FoldError> {
        let (table_name, touched) = (&table.contract.table, touched_table(model));
        let key = names(model.key.iter().map(String::as_str));
        let kept = name(&format!("svod_events_{table_name}"));
        if self.has_all_subjects(model, table)? {
            // A model that was folded before may have touched more subjects than this one.
            let repeated = self.shared.touched.get(table_name).cloned().flatten();
            return Ok((format!("SELECT * FROM {kept} SEMI JOIN {touched} USING ({key})"), repeated));
        }
        let needed = table.files.iter().filter(|file| month_number(&file.month).is_some_and(|m| months.contains(&m)));
        let paths: Vec<&PathBuf> = needed.map(|file| &file.path).collect();
        lake.fetch_blocking(paths.iter().copied().cloned())?;
        let events =
            format!("SELECT * FROM ({}) SEMI JOIN {touched} USING ({key})", select_from_files(&table.contract, &paths));
        // All versions are read once, and only the columns in use.
        if model.versions == Versions::All {
            return Ok((events, None));
        }
        self.connection.execute_batch(&format!("CREATE OR REPLACE TEMP TABLE {kept} AS {events}"))?;
        let events = format!("SELECT * FROM {kept}");
        let repeated = note_repeated(&self.connection, &format!("svod_repeated_touched_{table_name}"), &events)?;
        if is_by_subject(model, &table.contract) {
            self.connection.execute_batch(&format!(
                "CREATE OR REPLACE TEMP TABLE {} AS SELECT CAST({key} AS VARCHAR) AS {SUBJECT_ID} FROM {touched}",
                subjects_of(table),
            ))?;
            self.shared.touched.insert(table_name.clone(), repeated.clone());
        } else {
            self.shared.touched.remove(table_name);
        }
        Ok((events, repeated))
    }

    /// Whether the events of all subjects of a table that a model touches are kept.
    fn has_all_subjects(&self, model: &Model, table: &EventTable) -> Result<bool, duckdb::Error> {
        let is_kept = self.shared.touched.contains_key(&table.contract.table);
        if model.versions == Versions::All || !is_kept || !is_by_subject(model, &table.contract) {
            return Ok(false);
        }
        self.connection.query_row(
            &format!(
                "SELECT count(*) = 0 FROM (SELECT CAST({key} AS VARCHAR) AS {SUBJECT_ID} FROM {touched}) \
                 ANTI JOIN {subjects} USING ({SUBJECT_ID})",
                key = names(model.key.iter().map(String::as_str)),
                touched = touched_table(model),
                subjects = subjects_of(table),
            ),
            [],
            |row| row.get(0),
        )
    }
}

/// Whether the events of a table belong together in a model by their subject.
fn is_by_subject(model: &Model, contract: &Contract) -> bool {
    let [column] = model.key.as_slice() else { return false };
    column == SUBJECT_ID || contract.key().first().is_some_and(|first| first.name == *column)
}

/// Temporary table of the subjects whose events are kept.
fn subjects_of(table: &EventTable) -> String {
    name(&format!("svod_subjects_{}", table.contract.table))
}

/// The number of a month as text.
fn month_number(month: &str) -> Option<i32> {
    month.replace('-', "").parse().ok()
}
