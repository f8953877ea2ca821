//! Models: `sql/models/NAME.yaml` says what an entity is, `NAME.sql` folds events into it.
//!
//! The SQL is a DuckDB `SELECT` over views that are named as the event tables. It sees each event once, moments as
//! `TIMESTAMP` in UTC and local days in `occurred_on`.

mod check;
mod prepare;
mod raw;
mod runs;

use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;

use crate::declarations::{Problems, Source, list_files};
use crate::domain::language::Text;

use super::contracts::Contracts;
use super::reference::{CodeList, Reference};
use super::regulations::Regulations;
use check::{Surroundings, check_model};
use prepare::Workbench;

pub(super) use prepare::select_of;
pub use raw::{CompiledFrom, RawDimension, RawModel, Versions};
pub use runs::RUNS;

/// Folder of the models inside a project.
pub const MODELS_FOLDER: &str = "sql/models";

/// One entity and how it is folded from events.
#[derive(Debug, Clone)]
pub struct Model {
    /// Name of the entity.
    pub name: String,
    /// What one row is.
    pub grain: String,
    /// What the entity tells.
    pub description: String,
    /// Event tables that the SQL reads; none for [`RUNS`].
    pub from: Vec<String>,
    /// Columns by which events belong together.
    pub key: Vec<String>,
    /// Which versions of an event the SQL sees.
    pub versions: Versions,
    /// Code lists that the SQL reads.
    pub lists: Vec<CodeList>,
    /// Whether every row comes from events, and none from a code list alone.
    pub is_of_events: bool,
    /// DATE column of the result by whose month the table is partitioned.
    pub month: String,
    /// What indicators may be cut by.
    pub dimensions: Vec<Dimension>,
    /// The SQL.
    pub sql: String,
    /// Columns of the entity, as the lake keeps them; the partition column `month` comes after them in the table.
    pub columns: SchemaRef,
    /// Hash of all that decides what the rows are; when it changes, the entity is folded anew.
    pub hash: String,
    /// The declaration's file, for problems at places in it.
    pub source: Source,
    /// The SQL's file.
    pub sql_path: PathBuf,
}

/// Something that an entity may be cut by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// Its name; a column unless there is an `expr`.
    pub name: String,
    /// Name for people.
    pub title: Text,
    /// Code list of its values.
    pub list: Option<String>,
    /// `DataFusion` SQL over the entity's columns, `today` and `moment`.
    pub expr: Option<String>,
}

impl Model {
    /// Reads every model in [`MODELS_FOLDER`] and prepares its SQL against empty tables.
    ///
    /// The built-in model [`RUNS`] is not among them, see [`Model::runs`].
    ///
    /// # Errors
    /// Every problem of every declaration; of an SQL file the first that DuckDB finds, at its line and column.
    pub fn load_all(project: &Path, contracts: &Contracts, reference: &Reference) -> Result<Vec<Self>, Problems> {
        let workbench = Workbench::new(contracts).map_err(|error| {
            let folder = Source { path: PathBuf::from(MODELS_FOLDER), text: String::new() };
            folder.problem_of_file(format!("models cannot be prepared: {error}"))
        })?;
        let mut problems = Problems::new();
        let regulations = problems.keep(Regulations::load(project, contracts, reference));
        let around = Surroundings { contracts, reference, regulations: regulations.as_ref(), workbench: &workbench };
        let mut models = Vec::new();
        for path in list_files(project, MODELS_FOLDER, ".yaml")? {
            if path.to_string_lossy().ends_with(".samples.yaml") {
                continue;
            }
            models.extend(problems.keep(check_model(project, &path, &around)));
        }
        problems.into_result(models)
    }

    /// Whether this is the built-in model of batches, which has no SQL.
    #[must_use]
    pub fn is_builtin(&self) -> bool {
        self.from.is_empty()
    }
}
