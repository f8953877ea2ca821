//! `svod compact`.

use std::sync::Arc;

use clap::Args;

use super::context::Context;
use super::ingest::words_of;
use super::progress::Steps;
use super::{CliError, Place, output};
use crate::intake::refresh_context;
use crate::warehouse::compact::CompactionProgress;
use crate::warehouse::refresh::RefreshProgress;
use crate::warehouse::{
    CompactionReport, CompactionStep, Lake, Retention, WarehouseLock, compact as compact_warehouse,
};

/// What stays readable.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod compact --dry-run               what would be done
  svod compact                         merge and drop; every snapshot stays readable
  svod compact --retain 90             snapshots of the last 90 days stay readable
  svod compact --keep-snapshots 30     the newest 30 stay readable

No figure changes, neither of the latest snapshot nor of a retained one. The snapshot that is the latest now stays
readable whatever is said, since somebody may be reading it: its files are freed by the compaction after this one.")]
pub(super) struct CompactArguments {
    /// Keep the snapshots of the last DAYS days
    #[arg(long, value_name = "DAYS", conflicts_with = "keep_snapshots")]
    retain: Option<u32>,
    /// Keep the newest N snapshots
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep_snapshots: Option<u32>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Merges files, drops what is superseded or no longer needed, and says how much.
pub(super) fn compact(place: &Place, arguments: &CompactArguments) -> Result<(), CliError> {
    let context = Context::open(place)?;
    let lock = WarehouseLock::acquire(&context.data_dir).map_err(CliError::failed)?;
    let retention = match (arguments.retain, arguments.keep_snapshots) {
        (Some(days), _) => Retention::Days(days),
        (None, Some(n_snapshots)) => Retention::Newest(usize::try_from(n_snapshots).unwrap_or(usize::MAX)),
        (None, None) => Retention::All,
    };
    let steps = Arc::new(Steps::start());
    let told = Arc::clone(&steps);
    let progress: CompactionProgress = Arc::new(move |step| told.tell(&words_of_step(step)));
    let silent: RefreshProgress = Arc::new(|_| ());
    let report = context.block_on(async {
        let opening = Lake::open_at(&context.data_dir, context.project.settings.lake.as_ref());
        let lake = opening.await.map_err(CliError::failed)?;
        let refreshing = refresh_context(&context.project, &context.data_dir, context.clock, &lake, &silent);
        let compacting = compact_warehouse(refreshing, retention, arguments.dry_run, &progress, &lock);
        compacting.await.map_err(CliError::failed)
    })?;
    steps.finish();
    print_report(&report, arguments.dry_run);
    Ok(())
}

fn words_of_step(step: &CompactionStep) -> String {
    match step {
        CompactionStep::Refreshing(step) => words_of(step),
        CompactionStep::Planning { table } => format!("{table}: looking for small files and superseded events"),
        CompactionStep::Merged { table } => format!("{table}: committing merged files"),
        CompactionStep::Committed { table } => format!("{table}: merged"),
        CompactionStep::Forgetting => "forgetting snapshots beyond the retention".to_owned(),
        CompactionStep::Deleting => "deleting files that nobody needs".to_owned(),
    }
}

fn print_report(report: &CompactionReport, is_dry: bool) {
    let would = if is_dry { "would be " } else { "" };
    for (table, record) in &report.merged {
        let n_dropped: u64 = record.dropped.iter().map(|dropped| dropped.events).sum();
        output::line(&format!(
            "{table}: {} files {would}merged into {}, {n_dropped} superseded events {would}dropped",
            record.files_before, record.files_after
        ));
    }
    if let (Some(first), Some(last)) = (report.forgotten.first(), report.forgotten.last()) {
        let numbers = if first == last { format!("snapshot {first}") } else { format!("snapshots {first} to {last}") };
        output::line(&format!("{numbers} {would}forgotten: they cannot be read any more"));
    }
    output::line(&format!(
        "{} files {would}deleted that no retained snapshot needs, {} left behind by killed runs; {} {would}freed",
        report.n_files,
        report.n_orphans,
        output::size(report.n_bytes)
    ));
    if report.held.0 > 0 {
        output::line(&format!(
            "{} files ({}) stay for snapshots before the latest; --retain or --keep-snapshots gives them up",
            report.held.0,
            output::size(report.held.1)
        ));
    }
    if report.n_young > 0 {
        output::line(&format!("{} files that nothing names stay until they are a day old", report.n_young));
    }
    if let Some(number) = report.snapshot {
        output::line(&format!("snapshot {number} {}", if report.published { "published" } else { "unchanged" }));
    }
}
