//! `svod generate`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;

use super::{CliError, output};
use crate::generate::{GenerateOptions, Region, Register, generate as generate_exports};

/// What to make up.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod generate --region samara --events 20000 --seed 7 --out data-samples/samara
  svod generate --region samara --events 1000000 --only case_events --out /tmp/bench

The same arguments give the same bytes on every machine. Nobody in the files is a real person.")]
pub(super) struct GenerateArguments {
    /// Whose registers: samara or leningrad
    #[arg(long)]
    region: Region,
    /// About how many events of cases; the other registers come in proportion
    #[arg(long, value_name = "N")]
    events: u64,
    /// Number that all choices follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// First day on which cases are registered
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Last day; the exports know nothing after it
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// Share of broken rows, 0 to 1
    #[arg(long, value_name = "SHARE")]
    broken: Option<f64>,
    /// One register only
    #[arg(long, value_name = "REGISTER")]
    only: Option<Register>,
    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Writes the exports and says what they hold.
pub(super) fn generate(arguments: &GenerateArguments) -> Result<(), CliError> {
    let mut options = GenerateOptions::new(arguments.region, arguments.events, arguments.seed, &arguments.out);
    options.from = arguments.from.unwrap_or(options.from);
    options.to = arguments.to.unwrap_or(options.to);
    options.broken = arguments.broken.unwrap_or(options.broken);
    options.only = arguments.only;
    let report = generate_exports(&options).map_err(CliError::failed)?;
    let rows = report.registers.iter().map(|(name, register)| {
        let bytes: u64 = register.files.values().map(|file| file.bytes).sum();
        let counts = [register.rows, register.accepted, register.duplicate, register.rejected, bytes];
        std::iter::once(name.clone()).chain(counts.iter().map(ToString::to_string)).collect::<Vec<_>>()
    });
    output::line(&output::table(&["register", "rows", "good", "repeated", "broken", "bytes"], rows, 1));
    Ok(())
}
