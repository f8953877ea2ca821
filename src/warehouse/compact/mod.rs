//! `svod compact`: few files instead of many, no superseded events, nothing that no retained snapshot needs.
//!
//! ```text
//! refresh ─▶ write merged files ─▶ commit them (one commit per table) ─▶ refresh (a snapshot that names them)
//!   ─▶ delete manifests beyond the retention ─▶ delete files that nobody needs any more
//! ```
//!
//! Killed after any step, the warehouse is whole and the next compaction does the rest. Every snapshot that was the latest
//! since the compaction began stays with its files, whatever the retention: somebody may be reading it.

mod error;
mod plan;
mod sweep;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::lake::{CompactionRecord, DroppedEvents};
use super::lock::WarehouseLock;
use super::models::Versions;
use super::refresh::{RefreshContext, RefreshProgress, RefreshStep, refresh};
use super::snapshot::{Snapshot, SnapshotError, Snapshots};

pub use error::CompactionError;
use plan::{TablePlan, plan_table};
use sweep::{Sweep, plan_sweep};

/// Which snapshots stay readable. The latest always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// All of them.
    All,
    /// The newest ones.
    Newest(usize),
    /// Those published within some days, and all after the first of them.
    Days(u32),
}

/// What a compaction has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompactionStep {
    /// Entities are brought up to date, before or after the merge.
    Refreshing(RefreshStep),
    /// A table is looked through for what may be merged and dropped.
    Planning {
        /// The event table.
        table: String,
    },
    /// Merged files lie beside the others and are about to be committed.
    Merged {
        /// The event table.
        table: String,
    },
    /// Merged files are committed.
    Committed {
        /// The event table.
        table: String,
    },
    /// Manifests beyond the retention are about to be deleted.
    Forgetting,
    /// Files that nobody needs are about to be deleted.
    Deleting,
}

/// Told of every step, from several threads.
pub type CompactionProgress = Arc<dyn Fn(&CompactionStep) + Send + Sync>;

/// What a compaction did, or would do.
#[derive(Debug, Clone, Default)]
pub struct CompactionReport {
    /// What was merged and dropped, by event table; tables without anything to do are left out.
    pub merged: BTreeMap<String, CompactionRecord>,
    /// Snapshots that cannot be read any more.
    pub forgotten: Vec<u64>,
    /// Files that were deleted, since no retained snapshot needs them.
    pub n_files: usize,
    /// Files that were deleted, since nothing ever named them: left behind by a killed process.
    pub n_orphans: usize,
    /// Bytes of all deleted files.
    pub n_bytes: u64,
    /// Files that nothing names and that are too young to be deleted.
    pub n_young: usize,
    /// Files that only older retained snapshots need, and their bytes.
    pub held: (usize, u64),
    /// The latest snapshot; none if nothing was ever published.
    pub snapshot: Option<u64>,
    /// Whether this compaction published it.
    pub published: bool,
}

/// Compacts the warehouse; with `dry_run` only says what would be done. The lock is proof that nobody else writes.
///
/// # Errors
/// [`CompactionError`]; what was committed before stays, and no figure has changed.
pub async fn compact(
    context: RefreshContext<'_>,
    retention: Retention,
    dry_run: bool,
    progress: &CompactionProgress,
    lock: &WarehouseLock,
) -> Result<CompactionReport, CompactionError> {
    let snapshots = Snapshots::new(context.data_dir);
    let first_held = snapshots.numbers()?.last().copied().unwrap_or(1);
    let mut report = CompactionReport::default();
    // A compaction may take away files that a model has not folded yet, so everything is folded before.
    if !dry_run {
        report.published = refreshed(context, progress, lock).await?;
    }
    for contract in context.contracts.iter() {
        progress(&CompactionStep::Planning { table: contract.table.clone() });
        // A model that reads every version of an event needs the superseded ones as well.
        let needs_all =
            context.models.iter().any(|model| model.versions == Versions::All && model.from.contains(&contract.table));
        let Some(plan) = plan_table(context.lake, contract, context.data_dir, needs_all).await? else { continue };
        let record = record_of(&plan);
        if !dry_run {
            merge_table(&context, plan, &record, progress).await?;
        }
        report.merged.insert(contract.table.clone(), record);
    }
    if !dry_run && !report.merged.is_empty() {
        report.published |= refreshed(context, progress, lock).await?;
    }
    let now = context.clock.now();
    let (forgotten, kept) = split(snapshots.list()?, retention, first_held, now);
    report.snapshot = kept.last().map(|snapshot| snapshot.number);
    report.forgotten = forgotten;
    let sweep = plan_sweep(context.lake, context.data_dir, &kept, now).await?;
    count(&mut report, &sweep);
    if !dry_run {
        progress(&CompactionStep::Forgetting);
        for number in &report.forgotten {
            context.lake.give_up_manifest(*number).await?;
            snapshots.remove(*number)?;
        }
        if !report.forgotten.is_empty() {
            let named: Vec<String> = kept.iter().filter_map(|snapshot| snapshot.definitions.clone()).collect();
            snapshots.forget_definitions(&named).map_err(SnapshotError::from)?;
        }
        progress(&CompactionStep::Deleting);
        context.lake.delete(sweep.unneeded.iter().chain(&sweep.orphans)).await?;
    }
    Ok(report)
}

/// Brings the entities up to date; whether that published a snapshot.
async fn refreshed(
    context: RefreshContext<'_>,
    progress: &CompactionProgress,
    lock: &WarehouseLock,
) -> Result<bool, CompactionError> {
    let told = Arc::clone(progress);
    let on_step: RefreshProgress = Arc::new(move |step: &RefreshStep| told(&CompactionStep::Refreshing(step.clone())));
    Ok(refresh(RefreshContext { progress: &on_step, ..context }, lock).await?.published)
}

/// Writes and commits the merges of one table.
async fn merge_table(
    context: &RefreshContext<'_>,
    plan: TablePlan,
    record: &CompactionRecord,
    progress: &CompactionProgress,
) -> Result<(), CompactionError> {
    let (lake, contract) = (context.lake.clone(), plan.contract.clone());
    let written = tokio::task::spawn_blocking(move || {
        let added: Result<Vec<_>, _> = plan.merges.iter().map(|merge| lake.write_merge(&contract, merge)).collect();
        added.map(|added| (plan, added.into_iter().flatten().collect::<Vec<_>>()))
    });
    let (plan, added) = written.await.map_err(|_| CompactionError::Stopped)??;
    let table = plan.contract.table.clone();
    progress(&CompactionStep::Merged { table: table.clone() });
    let moment = context.clock.now().timestamp_millis();
    context.lake.commit_merges(&table, &plan.merges, added, record, moment).await?;
    progress(&CompactionStep::Committed { table });
    Ok(())
}

fn record_of(plan: &TablePlan) -> CompactionRecord {
    CompactionRecord {
        files_before: plan.merges.iter().map(|merge| merge.files.len() as u64).sum(),
        files_after: plan.merges.iter().filter(|merge| merge.rows() > 0).count() as u64,
        dropped: plan
            .dropped
            .iter()
            .map(|((pipeline, batch), events)| DroppedEvents {
                pipeline: pipeline.clone(),
                batch: *batch,
                events: *events,
            })
            .collect(),
    }
}

/// Numbers of the snapshots beyond the retention, and the others. Only a beginning is cut off, so that no gaps arise.
fn split(
    snapshots: Vec<Snapshot>,
    retention: Retention,
    first_held: u64,
    now: DateTime<Utc>,
) -> (Vec<u64>, Vec<Snapshot>) {
    let n_wanted = match retention {
        Retention::All => snapshots.len(),
        Retention::Newest(n) => n.max(1),
        Retention::Days(days) => {
            let since = now - TimeDelta::days(i64::from(days));
            let first = snapshots.iter().position(|snapshot| snapshot.published_at >= since);
            first.map_or(1, |first| snapshots.len() - first)
        }
    };
    let n_held = snapshots.iter().filter(|snapshot| snapshot.number >= first_held).count();
    let cut = snapshots.len().saturating_sub(n_wanted.max(n_held));
    let mut forgotten = snapshots;
    let kept = forgotten.split_off(cut);
    (forgotten.into_iter().map(|snapshot| snapshot.number).collect(), kept)
}

fn count(report: &mut CompactionReport, sweep: &Sweep) {
    report.n_files = sweep.unneeded.len();
    report.n_orphans = sweep.orphans.len();
    report.n_bytes = sweep.unneeded.iter().chain(&sweep.orphans).map(|file| file.n_bytes).sum();
    report.n_young = sweep.n_young;
    report.held = sweep.held;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshots(days: &[u32]) -> Vec<Snapshot> {
        let snapshot = |(number, day): (u64, &u32)| Snapshot {
            number,
            published_at: DateTime::UNIX_EPOCH + TimeDelta::days(i64::from(*day)),
            tables: BTreeMap::new(),
            pipelines: BTreeMap::new(),
            last_event_on: None,
            models_hash: String::new(),
            definitions: None,
        };
        (1..).zip(days).map(snapshot).collect()
    }

    #[test]
    fn a_retention_cuts_off_a_beginning_and_never_what_is_read() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(100);
        let forgotten = |retention, first_held| split(snapshots(&[1, 50, 40, 95, 99]), retention, first_held, now).0;
        assert_eq!(forgotten(Retention::All, 5), Vec::<u64>::new());
        assert_eq!(forgotten(Retention::Newest(2), 5), [1, 2, 3]);
        assert_eq!(forgotten(Retention::Newest(0), 5), [1, 2, 3, 4]);
        assert_eq!(forgotten(Retention::Newest(1), 4), [1, 2, 3]);
        // The clock jumped back before the third one: it stays, since the second one does.
        assert_eq!(forgotten(Retention::Days(50), 5), [1]);
        assert_eq!(forgotten(Retention::Days(0), 5), [1, 2, 3, 4]);
    }
}
