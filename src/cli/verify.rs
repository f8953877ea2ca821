//! `svod verify`.

use std::path::Path;
use std::sync::Arc;

use clap::Args;

use super::context::start_runtime;
use super::error::chain;
use super::progress::Steps;
use super::{CliError, Place, output};
use crate::clock::Clock;
use crate::pipelines::PipelineState;
use crate::settings::Settings;
use crate::warehouse::lake::LAKE_FOLDER;
use crate::warehouse::verify::VerifyProgress;
use crate::warehouse::{Finding, Lake, Severity, VerifyReport, WarehouseLock, verify as verify_warehouse};

/// Nothing to choose.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod verify

Reads every file that the latest state or a retained snapshot needs, and changes nothing. Each line is a fault (a
figure is wrong or cannot be read, now or by an older snapshot) or a note, with what mends it.
Exit codes: 0 sound, 1 at least one fault.")]
pub(super) struct VerifyArguments {}

/// Checks the warehouse and prints what was found. Needs no declarations but where the lake is, so that it works while they are broken.
pub(super) fn verify(place: &Place) -> Result<(), CliError> {
    let data_dir = &place.data_dir;
    let has_lake = data_dir.join(LAKE_FOLDER).is_dir();
    let address = match Settings::load(&place.project) {
        Ok(settings) => settings.lake,
        // Broken settings do not say where else the lake could be.
        Err(_) if has_lake => None,
        Err(problems) => return Err(problems.into()),
    };
    if !has_lake && address.is_none() {
        let advice = "`svod run` makes it, `--data-dir` names another folder";
        return Err(CliError::failed(format!("there is no warehouse in `{}`\n  help: {advice}", data_dir.display())));
    }
    let lock = WarehouseLock::acquire(data_dir).map_err(CliError::failed)?;
    let steps = Arc::new(Steps::start());
    let told = Arc::clone(&steps);
    let progress: VerifyProgress =
        Arc::new(move |table, n_done, n_all| told.tell_count(&format!("checking {table}"), n_done, n_all));
    let checked = start_runtime()?.block_on(async {
        let lake = Lake::open_at(data_dir, address.as_ref()).await?;
        verify_warehouse(data_dir, &lake, Clock::from_environment().now(), &progress, &lock).await
    });
    let mut report = checked.map_err(CliError::failed)?;
    check_states(&data_dir.join("state"), &mut report).map_err(CliError::failed)?;
    steps.finish();
    print_report(&report);
    if report.is_sound() {
        return Ok(());
    }
    Err(CliError::failed("the warehouse is not sound; each line above says what mends it"))
}

/// Checks what the pipelines remember against the batches in the lake.
fn check_states(folder: &Path, report: &mut VerifyReport) -> Result<(), std::io::Error> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs_err::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let Some(pipeline) = name.strip_suffix(".json") else { continue };
        let last = report.last_batches.get(pipeline).copied().unwrap_or(0);
        let again = "delete the file and run `svod run`: every file is read again, what is known counts as duplicate";
        let finding = match PipelineState::load(&folder.join(&name)) {
            Ok(state) if state.next_batch > last + 1 => {
                let sentence = format!(
                    "the pipeline remembers batch {}, the lake ends with batch {last}: what lies between is lost",
                    state.next_batch - 1
                );
                Finding::fault(format!("state/{name}"), sentence, again)
            }
            Ok(state) if state.next_batch <= last => {
                let sentence = format!("the state is from before batch {last}: a run was killed after its commit");
                Finding::note(format!("state/{name}"), sentence, "the next `svod run` mends it")
            }
            Ok(_) => continue,
            Err(error) => Finding::fault(format!("state/{name}"), chain(&error), again),
        };
        report.add(finding);
    }
    Ok(())
}

fn print_report(report: &VerifyReport) {
    for Finding { severity, place, sentence, mend } in &report.findings {
        let word = match severity {
            Severity::Fault => "fault",
            Severity::Note => "note",
        };
        output::line(&format!("{word}: {place}: {sentence}; to mend: {mend}"));
    }
    let n_faults = report.findings.iter().filter(|finding| finding.severity == Severity::Fault).count();
    output::line(&format!(
        "{}: {} snapshots, {} tables, {} files ({}), {} batches; {n_faults} faults, {} notes; {} files without a hash",
        if n_faults == 0 { "sound" } else { "not sound" },
        report.n_snapshots,
        report.n_tables,
        report.n_files,
        output::size(report.n_bytes),
        report.n_batches,
        report.findings.len() - n_faults,
        report.n_unhashed,
    ));
}
