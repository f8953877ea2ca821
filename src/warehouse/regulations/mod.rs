//! Regulations: `warehouse/regulations/NAME.yaml` says which clocks a service has, and they are compiled to the SQL of a model.
//!
//! A model with `compiled_from: regulations` has no SQL file of its own: its query is [`Regulations::sql`], one row per clock of a
//! subject, made of plain aggregates over the event tables and of joins with the working-day calendar.

mod check;
mod compile;
mod fold;
mod raw;

use std::collections::BTreeMap;
use std::path::Path;

use crate::declarations::{Problems, Source, list_files};

use super::contracts::Contracts;
use super::reference::Reference;
use check::{Surroundings, check_regulation};

pub use raw::{
    AfterHours, Counts, DayOff, RawClock, RawEdition, RawExtension, RawMark, RawOverride, RawPause, RawRegulation,
    RawState, RawTerm, RawWorkHours, Resumes, Take, Unit,
};

/// Folder of the regulations inside a project.
pub const REGULATIONS_FOLDER: &str = "warehouse/regulations";

/// One regulation that has been checked.
#[derive(Debug)]
pub(super) struct Regulation {
    pub(super) raw: RawRegulation,
    pub(super) source: Source,
}

/// The regulations of a project.
#[derive(Debug, Default)]
pub(super) struct Regulations(Vec<Regulation>);

impl Regulations {
    /// Reads and checks every regulation in [`REGULATIONS_FOLDER`].
    ///
    /// # Errors
    /// Every problem of every regulation.
    pub(super) fn load(project: &Path, contracts: &Contracts, reference: &Reference) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let mut regulations = Vec::new();
        let around = Surroundings { contracts, reference };
        for path in list_files(project, REGULATIONS_FOLDER, ".yaml")? {
            let checked = Source::read(project, &path).and_then(|source| {
                let raw: RawRegulation = source.parse()?;
                check_regulation(&source, &path, &raw, around)?;
                Ok(Regulation { raw, source })
            });
            regulations.extend(problems.keep(checked));
        }
        problems.into_result(Self(regulations))
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The regulations, sorted by file.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Regulation> {
        self.0.iter()
    }

    /// The regulations by their event table.
    fn by_table(&self) -> BTreeMap<&str, Vec<&Regulation>> {
        let mut tables: BTreeMap<&str, Vec<&Regulation>> = BTreeMap::new();
        for regulation in &self.0 {
            tables.entry(regulation.raw.table.as_str()).or_default().push(regulation);
        }
        tables
    }
}
