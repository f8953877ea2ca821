//! `svod sql`.

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use clap::Args;

use super::context::Context;
use super::query::{Format, of_query};
use super::{CliError, Place, output};
use crate::indicators::Scope;

/// What to select.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod sql \"SELECT status, count(*) AS n FROM cases GROUP BY status ORDER BY n DESC\"
  svod sql                                               names of the tables
  svod sql --as-of 3 --format csv \"SELECT * FROM events_cases WHERE case_id = 'A-1'\"

Entities have the names of their models; events are named as their contract, or events_NAME where an entity
has the same name. Nothing can be changed.")]
pub(super) struct SqlArguments {
    /// One SELECT in the dialect of DataFusion; the names of the tables if there is none
    text: Option<String>,
    /// Number of an older snapshot
    #[arg(long, value_name = "N")]
    as_of: Option<u64>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs one SELECT and prints its rows.
pub(super) fn sql(place: &Place, arguments: &SqlArguments) -> Result<(), CliError> {
    let context = Context::open(place)?;
    let Some(text) = &arguments.text else {
        let names = context.block_on(context.engine.table_names(arguments.as_of)).map_err(of_query)?;
        for name in &names {
            output::line(name);
        }
        return Ok(());
    };
    let scope = Scope::all();
    let batches = context.block_on(context.engine.sql(&scope, text, arguments.as_of)).map_err(of_query)?;
    print_batches(&batches, arguments.format)
}

/// Prints rows in a form.
pub(super) fn print_batches(batches: &[RecordBatch], format: Format) -> Result<(), CliError> {
    match format {
        Format::Table => print_table(batches)?,
        Format::Csv => output::bytes(&to_csv(batches)?),
        Format::Json => output::bytes(&to_json(batches)?),
    }
    Ok(())
}

fn print_table(batches: &[RecordBatch]) -> Result<(), CliError> {
    let Some(schema) = batches.first().map(RecordBatch::schema) else { return Ok(()) };
    let header: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let options = FormatOptions::default();
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<_, _>>()
            .map_err(CliError::failed)?;
        rows.extend(
            (0..batch.num_rows())
                .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>()),
        );
    }
    let is_number = |column: usize| schema.fields().get(column).is_some_and(|field| field.data_type().is_numeric());
    output::line(&output::table_with_numbers(&header, rows, is_number));
    Ok(())
}

fn to_csv(batches: &[RecordBatch]) -> Result<Vec<u8>, CliError> {
    let mut writer = arrow::csv::Writer::new(Vec::new());
    for batch in batches {
        writer.write(batch).map_err(CliError::failed)?;
    }
    Ok(writer.into_inner())
}

fn to_json(batches: &[RecordBatch]) -> Result<Vec<u8>, CliError> {
    let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
    for batch in batches {
        writer.write(batch).map_err(CliError::failed)?;
    }
    writer.finish().map_err(CliError::failed)?;
    Ok(writer.into_inner())
}
