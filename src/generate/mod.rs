//! Makes exports of registers that look like real ones, of any size, always the same for the same seed.
//!
//! The registers write *rows of state*, as real ones do: one row per case with all its dates, resent when something
//! changes, with broken rows among them. Besides the files there is `expected.json`, the generator's own count of what
//! a correct reader finds.
//!
//! Nobody in these files exists: insurance numbers have wrong checksums and there are no names.
//!
//! It knows neither pipelines nor contracts; what the columns mean is said by the pipelines that read them.

mod breakage;
mod course;
mod days;
mod dice;
mod leningrad;
mod lists;
mod load;
mod parquet_file;
mod people;
mod registers;
mod report;
mod samara;
mod sink;
mod territory;
mod text;
mod world;

use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

pub use lists::List;
pub use registers::{Region, Register};
pub use report::{FileReport, GenerateReport, RegisterReport};

use world::World;

/// The file with the generator's own count.
pub const EXPECTED_FILE: &str = "expected.json";

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateOptions {
    /// Whose registers.
    pub region: Region,
    /// About how many events of cases (registered, taken, granted, …); the other registers come in proportion.
    pub events: u64,
    /// Number that all choices follow from.
    pub seed: u64,
    /// First day on which cases are registered.
    pub from: NaiveDate,
    /// Last day; the exports know nothing after it.
    pub to: NaiveDate,
    /// Share of broken rows, 0 to 1.
    pub broken: f64,
    /// One register only. [`Register::CaseEvents`] is made in this way alone.
    pub only: Option<Register>,
    /// Folder for the files; made if it is not there.
    pub out: PathBuf,
}

impl GenerateOptions {
    /// The usual period and share of broken rows.
    #[must_use]
    pub fn new(region: Region, events: u64, seed: u64, out: &Path) -> Self {
        Self {
            region,
            events,
            seed,
            from: NaiveDate::from_ymd_opt(2025, 1, 1).unwrap_or_default(),
            to: NaiveDate::from_ymd_opt(2026, 10, 31).unwrap_or_default(),
            broken: 0.01,
            only: None,
            out: out.to_owned(),
        }
    }
}

/// Why nothing, or not all, could be made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The end lies before the start.
    #[error("the period ends before it starts: `{from}` to `{to}`")]
    EmptyPeriod {
        /// First day asked for.
        from: NaiveDate,
        /// Last day asked for.
        to: NaiveDate,
    },
    /// A day for which there is no calendar.
    #[error("there is no working-day calendar for `{day}`\nhelp: choose days from 2022 to 2030")]
    OutsideCalendar {
        /// The day asked for.
        day: NaiveDate,
    },
    /// A share that is not between 0 and 1.
    #[error("`{share}` is not a share of broken rows\nhelp: 0.01 breaks one row in a hundred")]
    BadShare {
        /// The share asked for.
        share: f64,
    },
    /// A register of the other region.
    #[error("`{region}` has no register `{register}`\nhelp: it has {}", Register::names(*region))]
    NoSuchRegister {
        /// The region asked for.
        region: Region,
        /// The register asked for.
        register: Register,
    },
    /// A code list that is built in is not as expected.
    #[error("the code list `{list}` cannot be used: {problem}")]
    List {
        /// The list.
        list: List,
        /// What is wrong with it.
        problem: String,
    },
    /// The folder cannot be made.
    #[error("cannot make the folder `{path}`")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A Parquet file cannot be written.
    #[error("cannot write Parquet to `{path}`")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: parquet::errors::ParquetError,
    },
}

/// Writes the exports of a region's registers and `expected.json` into a folder.
///
/// The same options give the same bytes on every machine; a register made alone is the same as one made with the others.
///
/// # Errors
/// [`GenerateError`] if the options do not fit together or a file cannot be written.
pub fn generate(options: &GenerateOptions) -> Result<GenerateReport, GenerateError> {
    let world = World::new(options)?;
    fs_err::create_dir_all(&options.out).map_err(|cause| GenerateError::Folder { path: options.out.clone(), cause })?;
    let mut report = GenerateReport {
        region: options.region.code().to_owned(),
        seed: options.seed,
        from: options.from.to_string(),
        to: options.to.to_string(),
        registers: std::collections::BTreeMap::new(),
    };
    for register in Register::ALL {
        let is_wanted = match options.only {
            Some(only) => only == register,
            None => register.region() == options.region && register != Register::CaseEvents,
        };
        if is_wanted {
            report.registers.insert(register.name().to_owned(), register.write(&world)?);
        }
    }
    let path = options.out.join(EXPECTED_FILE);
    let failed = |cause| GenerateError::Write { path: path.clone(), cause };
    let mut text = serde_json::to_string_pretty(&report).map_err(|cause| failed(cause.into()))?;
    text.push('\n');
    fs_err::write(&path, text).map_err(failed)?;
    Ok(report)
}
