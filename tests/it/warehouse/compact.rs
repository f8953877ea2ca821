//! A compaction changes files, never a figure, whenever it is killed.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use svod::warehouse::compact::CompactionProgress;
use svod::warehouse::{CompactionStep, Retention, TableKind};

use super::small_project::{Event, SmallProject};
use super::upkeep::written_at;

/// Three snapshots over two months; the last two batches correct an event of the first, one of them across months.
async fn project_with_corrections() -> SmallProject {
    let project = SmallProject::new().await;
    let case = |number: u32, month: u32| {
        Event::new(&format!("A-{number}"), "registered", &format!("2024-0{month}-1{number}T08:00:00Z"))
    };
    let first: Vec<Event> = (0..8).map(|number| case(number, 1 + number % 2)).collect();
    project.append(1, &first).await;
    project.append(2, &[case(8, 1), case(9, 2)]).await;
    project.refresh().await;
    project.append(3, &[case(0, 1).municipality("36740000").recorded("2024-03-01T00:00:00Z")]).await;
    project.refresh().await;
    // An older record comes later and loses; the event of case 2 moves from January to February.
    let late = case(0, 1).municipality("36735000").recorded("2024-02-01T00:00:00Z");
    let mut moved = case(2, 1).recorded("2024-04-01T00:00:00Z");
    moved.occurred_at = case(2, 2).occurred_at;
    project.append(4, &[late, moved, Event::new("A-1", "provided", "2024-02-20T08:00:00Z")]).await;
    project.refresh().await;
    project
}

async fn events(project: &SmallProject) -> Vec<(String, u64)> {
    let version = project.lake.version("cases").await.unwrap().unwrap();
    let files = project.lake.files("cases", version).await.unwrap();
    files.into_iter().map(|file| (file.month, file.rows)).collect()
}

#[tokio::test]
async fn small_files_are_merged_and_superseded_events_dropped() {
    let project = project_with_corrections().await;
    assert_eq!(events(&project).await.len(), 7);
    let before = project.all_entities().await;
    let known = project.lake.known_hashes("cases", "2024-01").await.unwrap();
    let last = project.lake.last_batch("cases", "journal").await.unwrap();

    let report = project.compact(Retention::All, false).await;
    let record = &report.merged["cases"];
    assert_eq!((record.files_before, record.files_after), (7, 2));
    // Of case 0 the first and the late version; the moved event stays in January, where it is what a resent row repeats.
    let dropped: Vec<(i64, u64)> = record.dropped.iter().map(|dropped| (dropped.batch, dropped.events)).collect();
    assert_eq!(dropped, [(1, 1), (4, 1)]);
    assert_eq!(events(&project).await, [("2024-01".to_owned(), 5), ("2024-02".to_owned(), 7)]);
    assert_eq!((report.snapshot, report.published, report.forgotten.len()), (Some(4), true, 0));
    assert!(report.n_files == 0 && report.held.0 >= 7, "{report:?}");

    let mut after = project.all_entities().await;
    assert_eq!(after.remove(&4).as_ref(), before.get(&3));
    assert_eq!(after, before);
    assert_eq!(project.lake.known_hashes("cases", "2024-01").await.unwrap(), known);
    assert_eq!(project.lake.last_batch("cases", "journal").await.unwrap(), last);
    let report = project.verify().await;
    assert!(report.is_sound() && report.findings.is_empty(), "{:?}", report.findings);
}

#[tokio::test]
async fn a_refresh_after_a_compaction_sees_new_events_only() {
    let project = project_with_corrections().await;
    project.compact(Retention::All, false).await;
    let again = project.refresh().await;
    assert_eq!((again.published, again.folded), (false, Vec::new()));
    project.append(5, &[Event::new("A-3", "refused", "2024-02-25T08:00:00Z")]).await;
    let outcome = project.refresh().await;
    assert_eq!(outcome.folded, [("cases".to_owned(), false), ("runs".to_owned(), false)]);
    let entities = project.entities(&outcome.snapshot, "cases").await;
    assert!(
        entities.iter().any(|line| line.contains("case_id=A-3") && line.contains("status=refused")),
        "{entities:?}"
    );
    let rebuilt = project.rebuild().await;
    assert_eq!((rebuilt.published, rebuilt.snapshot), (false, outcome.snapshot));
    assert!(project.verify().await.is_sound());
}

#[tokio::test]
async fn a_second_compaction_finds_nothing_to_do() {
    let project = project_with_corrections().await;
    project.compact(Retention::All, false).await;
    let files = project.all_files();
    let report = project.compact(Retention::All, false).await;
    assert!(report.merged.is_empty() && !report.published);
    // DuckDB may write its file when it is opened.
    let mut now = project.all_files();
    let database = project.data_dir().join("warehouse.duckdb");
    now.insert(database.clone(), files[&database].clone());
    assert_eq!(now, files);
}

/// Files of the lake that no version of a retained snapshot and no latest version names.
async fn unneeded(project: &SmallProject) -> BTreeSet<PathBuf> {
    let mut found: BTreeSet<PathBuf> =
        project.all_files().into_keys().filter(|path| path.to_string_lossy().contains("month=")).collect();
    let mut versions: Vec<(TableKind, String, i64)> = project
        .snapshots()
        .into_iter()
        .flat_map(|snapshot| snapshot.tables.into_values())
        .map(|table| (table.kind, table.name, table.version))
        .collect();
    versions.push((TableKind::Event, "cases".to_owned(), project.lake.version("cases").await.unwrap().unwrap()));
    for (kind, name, version) in versions {
        for file in project.lake.files_of(kind, &name, version).await.unwrap() {
            found.remove(&file.path);
        }
    }
    found
}

#[tokio::test]
async fn what_no_retained_snapshot_needs_is_deleted() {
    let project = project_with_corrections().await;
    let before = project.all_entities().await;
    // Whoever reads snapshot 3, the latest one, goes on reading it.
    let report = project.compact(Retention::Newest(1), false).await;
    assert_eq!(report.forgotten, [1, 2]);
    assert!(report.n_files > 0 && report.n_bytes > 0 && report.held.0 > 0, "{report:?}");
    let after = project.all_entities().await;
    assert_eq!(after.keys().copied().collect::<Vec<_>>(), [3, 4]);
    assert!(after.values().all(|entities| entities == &before[&3]));
    assert_eq!(unneeded(&project).await, BTreeSet::new());

    let report = project.compact(Retention::Newest(1), false).await;
    assert_eq!((report.forgotten, report.held), (vec![3], (0, 0)));
    assert!(report.n_files >= 7, "{}", report.n_files);
    assert_eq!(project.all_entities().await[&4], before[&3]);
    assert_eq!(unneeded(&project).await, BTreeSet::new());
    assert!(project.verify().await.is_sound());
    assert!(!project.rebuild().await.published);
}

#[tokio::test]
async fn what_killed_runs_left_behind_is_deleted_once_it_is_old() {
    let project = project_with_corrections().await;
    let lake = project.data_dir().join("lake");
    let left = [
        lake.join("events/cases/month=2024-01/part-dead.parquet"),
        lake.join("entities/cases/month=2024-02/part-dead.parquet"),
        lake.join("quarantine/journal/000009-dead.parquet"),
        project.data_dir().join("snapshots/000009.tmp"),
    ];
    for path in &left {
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, "dead").unwrap();
        written_at(path, "2024-07-01T08:00:00Z");
    }
    let found = project.verify().await;
    assert!(found.is_sound());
    assert_eq!(found.findings.len(), left.len(), "{:?}", found.findings);
    let report = project.compact(Retention::All, false).await;
    assert_eq!((report.n_orphans, report.n_young), (0, 4));
    assert!(left.iter().all(|path| path.exists()));
    for path in &left {
        written_at(path, "2024-06-30T08:00:00Z");
    }
    let report = project.compact(Retention::All, false).await;
    assert_eq!((report.n_orphans, report.n_young, report.n_bytes), (4, 0, 16));
    assert!(left.iter().all(|path| !path.exists()));
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_changes_nothing() {
    let project = project_with_corrections().await;
    let files = project.all_files();
    let would = project.compact(Retention::Newest(2), true).await;
    assert_eq!(project.all_files(), files);
    assert_eq!(would.merged["cases"].files_before, 7);
    assert_eq!(would.forgotten, [1]);
    let did = project.compact(Retention::Newest(2), false).await;
    assert_eq!(did.merged, would.merged);
}

/// A progress that dies at one of the steps, and the number of steps it saw.
fn dies_at(step: usize) -> (CompactionProgress, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let progress = move |_: &CompactionStep| assert_ne!(counter.fetch_add(1, Ordering::SeqCst), step, "killed here");
    (Arc::new(progress), seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_killed_at_any_step_is_finished_by_the_next() {
    let undisturbed = project_with_corrections().await;
    let before = undisturbed.all_entities().await;
    let (progress, n_steps) = dies_at(usize::MAX);
    undisturbed.append(5, &[Event::new("A-3", "refused", "2024-02-25T08:00:00Z")]).await;
    undisturbed.compact_with(Retention::Newest(2), false, &progress).await;
    let expected = undisturbed.all_entities().await.pop_last().unwrap().1;
    let rows = events(&undisturbed).await;
    let n_steps = n_steps.load(Ordering::SeqCst);
    assert!(n_steps >= 12, "{n_steps} steps");
    for step in 0..n_steps {
        let project = project_with_corrections().await;
        project.append(5, &[Event::new("A-3", "refused", "2024-02-25T08:00:00Z")]).await;
        let (progress, _) = dies_at(step);
        let killed =
            AssertUnwindSafe(project.compact_with(Retention::Newest(2), false, &progress)).catch_unwind().await;
        assert!(killed.is_err(), "step {step}");
        for (number, entities) in project.all_entities().await {
            let expected = before.get(&number).unwrap_or(&expected);
            assert_eq!(&entities, expected, "step {step}, snapshot {number}");
        }
        assert!(project.verify().await.is_sound(), "step {step}");
        project.compact(Retention::Newest(2), false).await;
        assert_eq!(project.all_entities().await.pop_last().unwrap().1, expected, "step {step}");
        assert_eq!(events(&project).await, rows, "step {step}");
        assert_eq!(project.lake.last_batch("cases", "journal").await.unwrap().unwrap().number, 5);
        assert!(project.verify().await.is_sound(), "step {step}");
    }
}
