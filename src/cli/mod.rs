//! The command line: one file per sub-command.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong declarations or arguments.

mod check;
mod compact;
mod context;
mod demo;
mod dry_run;
mod error;
mod explain;
mod generate;
mod headline;
mod indicators;
mod ingest;
mod output;
mod progress;
mod quarantine;
mod query;
mod rebuild;
mod schema;
mod semantic;
mod serve;
mod sql;
mod verify;
mod verify_figure;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

pub use error::{CliError, print_error};

/// Compiles figures from the registers of a region's social protection.
#[derive(Debug, Parser)]
#[command(name = "svod", version, about, max_term_width = 110, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  svod check                                        all declarations, without touching data
  svod run                                          pull new files of every pipeline, publish a snapshot
  svod query support_rate --by municipality --from 2026-01 --to 2026-06
  svod serve --bind 127.0.0.1:8080                  dashboards and API

Exit codes: 0 done, 1 failed, 2 wrong declarations or arguments.";

/// Where the project and its data lie.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Folder with svod.yaml, pipelines/, warehouse/, sql/ and dashboards/
    #[arg(long, global = true, value_name = "DIR", default_value = ".", env = "SVOD_PROJECT")]
    project: PathBuf,
    /// Folder of run-time state: lake, warehouse, snapshots, runs
    #[arg(long, global = true, value_name = "DIR", default_value = "data", env = "SVOD_DATA_DIR")]
    data_dir: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check all declarations, their SQL and the references among them; touches no data
    Check,
    /// Pull, check, append, then refresh and publish a snapshot
    Run(ingest::RunArguments),
    /// Rows that were rejected: list them, show them, send them through again
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineCommand),
    /// Fold all entities from the events of the lake again
    Rebuild(rebuild::RebuildArguments),
    /// Check the warehouse: files, hashes, counts, batches, snapshots, left-overs; changes nothing
    Verify(verify::VerifyArguments),
    /// Merge small files, drop superseded events and what no retained snapshot needs
    Compact(compact::CompactArguments),
    /// List the indicators, or show the passport of one
    Indicators(indicators::IndicatorsArguments),
    /// Compute one indicator
    Query(query::QueryArguments),
    /// Compute a figure again from its receipt, and open what stands behind it
    VerifyFigure(verify_figure::VerifyFigureArguments),
    /// Split the change of a figure between two periods or two snapshots
    Explain(explain::ExplainArguments),
    /// Write the semantic layer in a format that other tools read
    Semantic(semantic::SemanticArguments),
    /// Read-only SQL over the entities and events of a snapshot
    Sql(sql::SqlArguments),
    /// Serve dashboards and the API
    Serve(serve::ServeArguments),
    /// Ingest the project's samples, print the headline figures, serve them
    Demo(serve::ServeArguments),
    /// Write the JSON Schemas of the declarations
    Schema(schema::SchemaArguments),
    /// Generate the journals of a made-up region, as its registers would export them
    Generate(generate::GenerateArguments),
}

/// Runs one command.
///
/// # Errors
/// [`CliError`], which knows its exit code.
pub fn run(arguments: Arguments) -> Result<(), CliError> {
    let Arguments { place, command } = arguments;
    match command {
        Command::Check => check::check(&place),
        Command::Run(arguments) => ingest::run(&place, &arguments),
        Command::Quarantine(command) => quarantine::quarantine(&place, &command),
        Command::Rebuild(_) => rebuild::rebuild(&place),
        Command::Verify(_) => verify::verify(&place),
        Command::Compact(arguments) => compact::compact(&place, &arguments),
        Command::Indicators(arguments) => indicators::indicators(&place, &arguments),
        Command::Query(arguments) => query::query(&place, &arguments),
        Command::VerifyFigure(arguments) => verify_figure::verify_figure(&place, &arguments),
        Command::Explain(arguments) => explain::explain(&place, &arguments),
        Command::Semantic(arguments) => semantic::semantic(&place, &arguments),
        Command::Sql(arguments) => sql::sql(&place, &arguments),
        Command::Serve(arguments) => serve::serve(&place, &arguments),
        Command::Demo(arguments) => demo::demo(&place, &arguments),
        Command::Schema(arguments) => schema::schema(&arguments),
        Command::Generate(arguments) => generate::generate(&arguments),
    }
}

/// Starts the log on standard error: `SVOD_LOG` picks levels, JSON lines for a server, plain lines otherwise.
pub fn start_log(arguments: &Arguments) {
    let levels = EnvFilter::try_from_env("SVOD_LOG").unwrap_or_else(|_| EnvFilter::new("warn,svod=info"));
    let log = tracing_subscriber::fmt().with_env_filter(levels).with_writer(std::io::stderr);
    if matches!(arguments.command, Command::Serve(_)) {
        log.json().init();
    } else {
        log.compact().with_target(false).init();
    }
}
