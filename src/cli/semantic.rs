//! `svod semantic`.

use clap::{Args, ValueEnum};

use super::{CliError, Place, output};
use crate::indicators::cube_model;
use crate::project::Project;

/// Which format.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod semantic > model/cubes/svod.yml            a data model of Cube over the entities in warehouse.duckdb

The measures are the indicators, with titles in Russian; English texts, additivity, units and code lists stand in `meta`.")]
pub(super) struct SemanticArguments {
    /// Format of the semantic layer
    #[arg(long, value_enum, default_value_t = Format::Cube)]
    format: Format,
}

/// Format of the semantic layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A YAML data model of Cube with SQL of DuckDB.
    Cube,
}

/// Prints the semantic layer of a project.
pub(super) fn semantic(place: &Place, arguments: &SemanticArguments) -> Result<(), CliError> {
    let project = Project::load(&place.project)?;
    let text = match arguments.format {
        Format::Cube => {
            let model = cube_model(&project.indicators).map_err(CliError::failed)?;
            serde_saphyr::to_string(&model).map_err(CliError::failed)?
        }
    };
    output::line(text.trim_end());
    Ok(())
}
