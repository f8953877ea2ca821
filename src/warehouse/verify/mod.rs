//! `svod verify`: whether the warehouse is what its logs, records and manifests say. Changes nothing.
//!
//! A finding is a fault, which makes a figure wrong or unreadable now or later, or a note, which does not. Each says what it
//! is about, what is wrong, and what mends it. Knows no pipeline: the state of the pipelines is checked by the command.

mod batches;
mod entities;
mod files;
mod finding;
mod manifests;
mod orphans;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::inventory::{needed_files, tables};
use super::lake::{Lake, LakeError, TableHistory, TableKind};
use super::lock::WarehouseLock;
use super::snapshot::{Snapshot, Snapshots};
use crate::domain::error_chain;

pub use finding::{Finding, Severity};

/// Told what is looked at, and how many files of how many are done.
pub type VerifyProgress = Arc<dyn Fn(&str, usize, usize) + Send + Sync>;

/// What was found, and over how much.
#[derive(Debug, Clone, Default)]
pub struct VerifyReport {
    /// The findings, faults first.
    pub findings: Vec<Finding>,
    /// Published snapshots.
    pub n_snapshots: usize,
    /// Tables of the lake.
    pub n_tables: usize,
    /// Files that the latest versions or the snapshots need.
    pub n_files: usize,
    /// Their bytes.
    pub n_bytes: u64,
    /// How many of them have no recorded hash, so that their pages were decoded instead.
    pub n_unhashed: usize,
    /// Batches by the logs.
    pub n_batches: usize,
    /// Number of the last batch of each pipeline in the lake.
    pub last_batches: BTreeMap<String, i64>,
}

impl VerifyReport {
    /// Whether there is no fault.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Note)
    }

    /// Notes a finding.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
        self.findings.sort_by_key(|finding| finding.severity);
    }
}

/// Checks the warehouse of a data directory. The lock is proof that nobody writes it meanwhile.
///
/// # Errors
/// [`LakeError::File`] if a folder cannot be listed, [`LakeError::Stopped`] if a thread died; whatever is wrong with the
/// warehouse itself is a finding.
pub async fn verify(
    data_dir: &Path,
    lake: &Lake,
    now: DateTime<Utc>,
    progress: &VerifyProgress,
    lock: &WarehouseLock,
) -> Result<VerifyReport, LakeError> {
    let mut report = VerifyReport::default();
    let snapshots = manifests::read(&Snapshots::new(data_dir), &mut report);
    report.n_snapshots = snapshots.len();
    let mut histories = Vec::new();
    for (kind, table) in tables(lake).await? {
        report.n_tables += 1;
        match lake.history(kind, &table).await {
            Ok(Some(history)) if lake.files_of(kind, &table, history.version()).await.is_ok() => {
                histories.push(history);
            }
            // A table that snapshots name is told with them.
            Ok(None) if snapshots.iter().any(|snapshot| snapshot.table(kind, &table).is_some()) => {}
            Ok(None) => report.add(Finding::note(
                place_of(kind, &table),
                "nothing was ever committed to the table, its first writer was killed",
                "`svod run` makes the table",
            )),
            Ok(Some(_)) => report.add(Finding::fault(
                place_of(kind, &table),
                "the latest version of the table cannot be opened",
                restore_or_rebuild(kind),
            )),
            Err(error) => {
                let sentence = format!("the log of the table cannot be read: {}", chain(&error));
                report.add(Finding::fault(place_of(kind, &table), sentence, restore_or_rebuild(kind)));
            }
        }
    }
    manifests::check_versions(&snapshots, &histories, &mut report);
    let (own_data_dir, own_lake) = (data_dir.to_owned(), lake.clone());
    let progress = Arc::clone(progress);
    let checked = tokio::task::spawn_blocking(move || {
        check_on_disk(&own_data_dir, &own_lake, &snapshots, &histories, &progress, &mut report)
            .map(|()| (report, snapshots, histories))
    });
    let stopped = |_| LakeError::Stopped { table: "verify".to_owned() };
    let (mut report, snapshots, histories) = checked.await.map_err(stopped)??;
    orphans::check(data_dir, lake, &snapshots, &histories, now, &mut report).await?;
    lake.trim_cache(lock)?;
    Ok(report)
}

/// Everything that reads what is in files.
fn check_on_disk(
    data_dir: &Path,
    lake: &Lake,
    snapshots: &[Snapshot],
    histories: &[TableHistory],
    progress: &VerifyProgress,
    report: &mut VerifyReport,
) -> Result<(), LakeError> {
    let mut sound = Vec::new();
    for history in histories {
        let known: Vec<Snapshot> =
            snapshots.iter().filter(|snapshot| has_version(history, snapshot)).cloned().collect();
        let needed = needed_files(history, &known)?;
        if files::check(lake, history, &needed, progress, report) {
            sound.push(history);
        }
    }
    batches::check(lake, histories, &sound, report);
    entities::check(data_dir, snapshots, histories, report);
    Ok(())
}

/// Whether a table has the version that a snapshot names, if it names one.
fn has_version(history: &TableHistory, snapshot: &Snapshot) -> bool {
    snapshot.table(history.kind, &history.table).is_none_or(|table| table.version <= history.version())
}

fn place_of(kind: TableKind, table: &str) -> String {
    format!("lake/{}/{table}", kind.folder())
}

/// What mends a table as a whole.
fn restore_or_rebuild(kind: TableKind) -> String {
    match kind {
        TableKind::Event => "restore the folder from a backup; events are nowhere else".to_owned(),
        TableKind::Entity => "delete the folder and run `svod rebuild`".to_owned(),
    }
}

/// An error and its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    error_chain::chain(error).replace('\n', " ")
}
