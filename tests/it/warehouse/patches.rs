//! A small refresh reads and writes what its events touch, however long the history is.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use deltalake_core::DeltaTableBuilder;
use futures::FutureExt;
use svod::warehouse::lake::TableCommit;
use svod::warehouse::{Retention, Snapshot, TableKind};
use url::Url;

use super::small_project::{Event, SmallProject};

/// Cases of a month, so many that a month is not written whole for a few of them.
const N_CASES: usize = 5_000;

/// A project with some months of history, from January 2024 on.
async fn history(n_months: usize) -> SmallProject {
    let project = SmallProject::new().await;
    let events: Vec<Event> = (0..N_CASES * n_months)
        .map(|index| {
            let (month, number) = (1 + index / N_CASES, index % N_CASES);
            Event::new(&format!("{month}-{number:04}"), "registered", &format!("2024-0{month}-05T08:00:00Z"))
        })
        .collect();
    project.append(1, &events).await;
    project.refresh().await;
    project
}

/// One case of each of two months goes on, one is corrected, one is new; the other months stay as they are.
fn news() -> [Event; 4] {
    [
        Event::new("1-0007", "provided", "2024-02-06T08:00:00Z"),
        Event::new("2-0100", "provided", "2024-02-07T08:00:00Z"),
        Event::new("2-0200", "registered", "2024-02-05T08:00:00Z").municipality("36740000"),
        Event::new("2-9999", "registered", "2024-02-08T08:00:00Z"),
    ]
}

async fn last_commit(project: &SmallProject) -> TableCommit {
    project.lake.history(TableKind::Entity, "cases").await.unwrap().unwrap().commits.pop().unwrap()
}

/// The cases of a snapshot, as queries read them.
async fn cases(project: &SmallProject, snapshot: &Snapshot) -> Vec<String> {
    let url = Url::from_directory_path(project.lake.table_folder(TableKind::Entity, "cases")).unwrap();
    let version = snapshot.entity("cases").unwrap().version.unsigned_abs();
    let table = DeltaTableBuilder::from_url(url).unwrap().with_version(version).load().await.unwrap();
    let provider = table.table_provider().build().await.unwrap();
    let mut lines = Vec::new();
    for batch in SessionContext::new().read_table(Arc::new(provider)).unwrap().collect().await.unwrap() {
        let options = FormatOptions::default().with_null("-");
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap()).collect();
        lines.extend(
            (0..batch.num_rows())
                .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" ")),
        );
    }
    assert_eq!(lines.len() as u64, snapshot.entity("cases").unwrap().rows);
    lines.sort();
    lines
}

/// The cases of a project that has the same events and has folded them at once.
async fn folded_at_once(project: &SmallProject) -> Vec<String> {
    let rebuilt = project.rebuild().await;
    assert!(
        !rebuilt.published,
        "a whole fold finds another table than the small refreshes made: {:?}",
        rebuilt.written
    );
    cases(project, &rebuilt.snapshot).await
}

#[tokio::test]
async fn what_a_small_refresh_reads_and_writes_does_not_grow_with_history() {
    let mut written = Vec::new();
    for n_months in [2, 4] {
        let project = history(n_months).await;
        let before = project.lake.files("cases", 0).await.unwrap_or_default();
        assert!(before.is_empty(), "version 0 only makes the table");
        project.append(2, &news()).await;
        // Whatever lies in other months is not there to be read.
        let untouched = |path: &PathBuf| {
            !["month=2024-01", "month=2024-02"].iter().any(|month| path.to_string_lossy().contains(month))
        };
        let hidden: Vec<PathBuf> = project
            .all_files()
            .into_keys()
            .filter(|path| path.to_string_lossy().ends_with(".parquet") && path.to_string_lossy().contains("/cases/"))
            .filter(untouched)
            .collect();
        assert_eq!(hidden.len(), 2 * (n_months - 2), "{hidden:?}");
        for path in &hidden {
            fs_err::rename(path, path.with_extension("hidden")).unwrap();
        }
        let outcome = project.refresh().await;
        for path in &hidden {
            fs_err::rename(path.with_extension("hidden"), path).unwrap();
        }
        assert_eq!(outcome.written[0], ("cases".to_owned(), 2));
        let commit = last_commit(&project).await;
        let mut files: Vec<(String, u64, u64)> =
            commit.added.iter().map(|file| (file.month.clone(), file.rows, file.n_deleted)).collect();
        files.sort();
        written.push(files);
        assert_eq!(cases(&project, &outcome.snapshot).await.len(), N_CASES * n_months + 1);
        assert!(project.verify().await.is_sound());
        folded_at_once(&project).await;
    }
    // Of each month the old file stays, without the rows that changed, and these stand in a small one.
    let all = N_CASES as u64;
    let expected = [("2024-01", 1, 0), ("2024-01", all - 1, 1), ("2024-02", 3, 0), ("2024-02", all - 2, 2)];
    let expected: Vec<_> = expected.map(|(month, rows, deleted)| (month.to_owned(), rows, deleted)).to_vec();
    assert_eq!(written, [expected.clone(), expected]);
}

#[tokio::test]
async fn a_month_with_many_small_files_is_written_whole_again() {
    let project = history(1).await;
    let mut most_files = 0;
    for number in 2..=20 {
        project.append(number, &[Event::new("1-0007", "provided", &format!("2024-02-{number:02}T08:00:00Z"))]).await;
        let snapshot = project.refresh().await.snapshot;
        let version = snapshot.entity("cases").unwrap().version;
        let files = project.lake.files_of(TableKind::Entity, "cases", version).await.unwrap();
        assert_eq!(files.iter().map(|file| file.rows).sum::<u64>(), N_CASES as u64);
        most_files = most_files.max(files.len());
    }
    // The file of the month and the newest row: a small file whose only row was replaced again is gone at once.
    assert_eq!(most_files, 2);
    for number in 21..=40 {
        project.append(number, &[Event::new(&format!("1-{number:04}"), "provided", "2024-02-20T08:00:00Z")]).await;
        let snapshot = project.refresh().await.snapshot;
        let version = snapshot.entity("cases").unwrap().version;
        most_files = most_files.max(project.lake.files_of(TableKind::Entity, "cases", version).await.unwrap().len());
    }
    assert_eq!(most_files, 16);
    let report = project.compact(Retention::Newest(1), false).await;
    assert!(report.n_files > 0);
    assert!(project.verify().await.is_sound());
    assert_eq!(folded_at_once(&project).await.len(), N_CASES);
}

#[tokio::test]
async fn where_many_rows_of_a_month_change_it_is_written_whole() {
    let project = history(1).await;
    let events: Vec<Event> = (0..N_CASES / 4)
        .map(|number| Event::new(&format!("1-{number:04}"), "provided", "2024-02-06T08:00:00Z"))
        .collect();
    project.append(2, &events).await;
    project.refresh().await;
    let added = last_commit(&project).await.added;
    assert!(added.iter().all(|file| file.n_deleted == 0));
    assert_eq!(added.iter().map(|file| file.rows).sum::<u64>(), N_CASES as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_refresh_killed_at_any_step_is_finished_by_the_next() {
    let undisturbed = history(1).await;
    undisturbed.append(2, &news()).await;
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let counts: svod::warehouse::refresh::RefreshProgress = Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let expected = cases(&undisturbed, &undisturbed.refresh_with(&counts).await.snapshot).await;
    let n_steps = seen.load(Ordering::SeqCst);
    assert!(n_steps >= 9, "{n_steps} steps");
    for step in 0..n_steps {
        let project = history(1).await;
        project.append(2, &news()).await;
        let seen = AtomicUsize::new(0);
        let dies: svod::warehouse::refresh::RefreshProgress =
            Arc::new(move |_| assert_ne!(seen.fetch_add(1, Ordering::SeqCst), step, "killed here"));
        let killed = AssertUnwindSafe(project.refresh_with(&dies)).catch_unwind().await;
        assert!(killed.is_err(), "step {step}");
        let outcome = project.refresh().await;
        assert_eq!((outcome.published, outcome.snapshot.number), (true, 2), "step {step}");
        assert_eq!(cases(&project, &outcome.snapshot).await, expected, "step {step}");
        assert!(project.verify().await.is_sound(), "step {step}");
        assert_eq!(folded_at_once(&project).await, expected, "step {step}");
    }
}
