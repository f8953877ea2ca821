//! `svod schema`.

use std::path::PathBuf;

use clap::Args;
use schemars::{Schema, schema_for};

use super::{CliError, output};
use crate::dashboards::RawDashboard;
use crate::indicators::{RawIndicator, RawLightPolicy, RawPlan};
use crate::pipelines::pipeline_schema;
use crate::settings::RawSettings;
use crate::warehouse::{RawCodeList, RawContract, RawModel, RawRegulation};

/// Where to write.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod schema                    all schemas as one JSON object on standard output
  svod schema --out schemas/     one file per kind of declaration, for completion in an editor:
                                 # yaml-language-server: $schema=../schemas/pipeline.json")]
pub(super) struct SchemaArguments {
    /// Folder for one file per schema; standard output if not said
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn schemas() -> [(&'static str, Schema); 10] {
    [
        ("settings", schema_for!(RawSettings)),
        ("reference", schema_for!(RawCodeList)),
        ("contract", schema_for!(RawContract)),
        ("regulation", schema_for!(RawRegulation)),
        ("model", schema_for!(RawModel)),
        ("pipeline", pipeline_schema()),
        ("indicator", schema_for!(RawIndicator)),
        ("plan", schema_for!(RawPlan)),
        ("light_policy", schema_for!(RawLightPolicy)),
        ("dashboard", schema_for!(RawDashboard)),
    ]
}

/// Writes the JSON Schemas of all declarations.
pub(super) fn schema(arguments: &SchemaArguments) -> Result<(), CliError> {
    let Some(folder) = &arguments.out else {
        let all: serde_json::Map<String, serde_json::Value> =
            schemas().into_iter().map(|(name, schema)| (name.to_owned(), schema.into())).collect();
        output::line(&serde_json::to_string_pretty(&all).map_err(CliError::failed)?);
        return Ok(());
    };
    fs_err::create_dir_all(folder).map_err(CliError::failed)?;
    for (name, schema) in schemas() {
        let text = serde_json::to_string_pretty(&schema).map_err(CliError::failed)?;
        let path = folder.join(format!("{name}.json"));
        fs_err::write(&path, text + "\n").map_err(CliError::failed)?;
        output::line(&path.display().to_string());
    }
    Ok(())
}
