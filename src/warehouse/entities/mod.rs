//! Folding events into entities inside DuckDB, and writing changed months out as Parquet.
//!
//! ```text
//! <data>/warehouse.duckdb
//!   entity.MODEL           the entities, one table per model
//!   svod.folded            hash of each model as it was folded
//!   svod.progress          version of each event table that each model has seen
//!   svod.months_MODEL      hash of a key → months in which its events lie, so that a refresh reads only these
//!   svod.dirty             months of entities that differ from the published table
//!   main.working_days      a function for readers of the file, see `working_days.rs`
//! ```
//!
//! A model changes in one transaction together with its progress and its dirty months, so a process that dies
//! anywhere leaves either all of it or nothing; months that stayed dirty are written again by the next refresh.

mod compare;
mod fold;
mod kept;
mod runs;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use duckdb::{Connection, params};

use super::contracts::Contract;
use super::database::{self, name};
use super::event_views::drop_view;
use super::lake::{Lake, LakeError, LakeFile};
use super::models::Model;
use super::working_days::keep_working_days;
use crate::domain::calendar::WorkingCalendar;
use kept::SharedEvents;

pub(super) use write::written_files;

/// The month of entities whose month column is empty.
pub const UNKNOWN_MONTH: &str = "unknown";
/// Stands for all months among the dirty ones.
const ALL_MONTHS: &str = "*";
/// Longest log that stays beside the file.
const LONGEST_LOG_BYTES: u64 = 32 << 20;

/// One event table as a refresh sees it.
#[derive(Debug, Clone)]
pub(super) struct EventTable {
    pub(super) contract: Contract,
    /// Version of the Delta table, -1 if there is none yet.
    pub(super) version: i64,
    pub(super) files: Vec<LakeFile>,
}

/// How a model has to be folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folding {
    /// All events anew.
    Whole,
    /// Only keys that new events touch.
    Touched,
}

/// Why a model cannot be folded.
#[derive(Debug, thiserror::Error)]
pub(super) enum FoldError {
    /// Its events cannot be had.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// Its SQL failed.
    #[error(transparent)]
    Sql(#[from] duckdb::Error),
}

/// What a model had seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Whether it was the same model and the same version of DuckDB.
    pub(super) is_same: bool,
    /// Version by event table.
    pub(super) versions: BTreeMap<String, i64>,
}

/// The DuckDB file of a data directory.
pub(super) struct Entities {
    connection: Connection,
    /// Hashes of keys are only comparable within one version of DuckDB.
    engine: String,
    /// Events that the models of one refresh have in common.
    shared: SharedEvents,
}

impl Entities {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, duckdb::Error> {
        let connection = database::open_file(path)?;
        connection.execute_batch(
            "CREATE SCHEMA IF NOT EXISTS svod;
             CREATE SCHEMA IF NOT EXISTS entity;
             CREATE TABLE IF NOT EXISTS svod.folded (model VARCHAR, hash VARCHAR);
             CREATE TABLE IF NOT EXISTS svod.progress (model VARCHAR, event_table VARCHAR, version BIGINT);
             CREATE TABLE IF NOT EXISTS svod.dirty (model VARCHAR, month VARCHAR);",
        )?;
        let engine = connection.version()?;
        Ok(Self { connection, engine, shared: SharedEvents::default() })
    }

    /// Gives readers of the file the function of working days by a calendar.
    pub(super) fn keep_working_days(&self, calendar: &WorkingCalendar) -> Result<(), duckdb::Error> {
        keep_working_days(&self.connection, calendar)
    }

    /// What a model has seen so far.
    pub(super) fn progress(&self, model: &Model) -> Result<Progress, duckdb::Error> {
        let mut hashes = self.connection.prepare("SELECT hash FROM svod.folded WHERE model = ?")?;
        let hash = hashes.query_map([&model.name], |row| row.get::<_, String>(0))?.next().transpose()?;
        let mut versions = self.connection.prepare("SELECT event_table, version FROM svod.progress WHERE model = ?")?;
        let versions = versions.query_map([&model.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Progress { is_same: hash == Some(self.hash(model)), versions: versions.collect::<Result<_, _>>()? })
    }

    /// The hash under which a model is folded.
    fn hash(&self, model: &Model) -> String {
        format!("{}:{}", model.hash, self.engine)
    }

    /// Folds a model up to the versions of its event tables.
    ///
    /// `fresh` are the files that its tables got since they were last seen.
    pub(super) fn fold(
        &mut self,
        model: &Model,
        tables: &[&EventTable],
        fresh: &BTreeMap<String, Vec<LakeFile>>,
        folding: Folding,
        lake: &Lake,
    ) -> Result<(), FoldError> {
        self.connection.execute_batch("BEGIN")?;
        let folded = match folding {
            Folding::Whole => self.fold_whole(model, tables, lake),
            Folding::Touched => self.fold_touched(model, tables, fresh, lake),
        };
        let versions: Vec<(&str, i64)> =
            tables.iter().map(|table| (table.contract.table.as_str(), table.version)).collect();
        let done = folded.and_then(|()| Ok(self.note_progress(model, &versions)?));
        self.end(done)?;
        Ok(tables.iter().try_for_each(|table| drop_view(&self.connection, &table.contract))?)
    }

    fn end<E: From<duckdb::Error>>(&self, done: Result<(), E>) -> Result<(), E> {
        match done {
            Ok(()) => Ok(self.connection.execute_batch("COMMIT")?),
            Err(error) => {
                self.connection.execute_batch("ROLLBACK")?;
                Err(error)
            }
        }
    }

    /// Closes the file. The changes of a small refresh stay in the log beside it until that is long: to move them into the tables costs as
    /// much as these have row groups with a change, and a log of this length is read back in a tenth of a second.
    pub(super) fn close(self, path: &Path, is_small: bool) -> Result<(), duckdb::Error> {
        let n_bytes = fs_err::metadata(path.with_extension("duckdb.wal")).map_or(0, |log| log.len());
        if is_small && n_bytes < LONGEST_LOG_BYTES {
            self.connection.execute_batch("PRAGMA disable_checkpoint_on_shutdown")?;
        }
        self.connection.close().map_err(|(_, error)| error)
    }

    fn create_entity(&self, model: &Model) -> Result<(), duckdb::Error> {
        let columns: Vec<String> = model
            .columns
            .fields()
            .iter()
            .map(|field| format!("{} {}", name(field.name()), database::type_name(field.data_type())))
            .collect();
        self.connection.execute_batch(&format!(
            "CREATE OR REPLACE TABLE {} ({})",
            entity_table(model),
            columns.join(", ")
        ))
    }

    fn note_progress(&self, model: &Model, versions: &[(&str, i64)]) -> Result<(), duckdb::Error> {
        self.connection.execute("DELETE FROM svod.progress WHERE model = ?", [&model.name])?;
        self.connection.execute("DELETE FROM svod.folded WHERE model = ?", [&model.name])?;
        self.connection.execute("INSERT INTO svod.folded VALUES (?, ?)", params![model.name, self.hash(model)])?;
        for (table, version) in versions {
            self.connection
                .execute("INSERT INTO svod.progress VALUES (?, ?, ?)", params![model.name, table, version])?;
        }
        Ok(())
    }

    /// Months of a model that differ from its published table: some, or all (`None`); no months if nothing differs.
    pub(super) fn dirty_months(&self, model: &Model) -> Result<Option<BTreeSet<String>>, duckdb::Error> {
        let mut months = self.connection.prepare("SELECT DISTINCT month FROM svod.dirty WHERE model = ?")?;
        let months: BTreeSet<String> = months.query_map([&model.name], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok((!months.contains(ALL_MONTHS)).then_some(months))
    }

    /// Notes that a model's published table is what it should be.
    pub(super) fn clear_dirty(&self, model: &Model) -> Result<(), duckdb::Error> {
        self.connection.execute("DELETE FROM svod.dirty WHERE model = ?", [&model.name]).map(|_| ())
    }
}

fn entity_table(model: &Model) -> String {
    format!("entity.{}", name(&model.name))
}

/// Month of an entity as text.
fn month_of(model: &Model) -> String {
    format!("coalesce(strftime({}, '%Y-%m'), '{UNKNOWN_MONTH}')", name(&model.month))
}
