//! A run that is told to stop.

use std::time::Duration;

use svod::pipelines::{RunError, RunOptions, Stop};

use super::bench_project::BenchProject;

const GOOD: &str = "15;25.03.2024;2;41000001;;;;;";

#[tokio::test]
async fn a_run_whose_time_is_up_takes_nothing_more() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD]);
    let options = RunOptions { stop: Stop::default().within(Duration::ZERO), ..RunOptions::default() };
    let stopped = project.run_with(options).await.unwrap_err();
    assert!(matches!(stopped, RunError::Interrupted { .. }), "{stopped}");
    assert!(project.events(&["case_id"]).await.is_empty());
    assert_eq!(project.run().await.accepted, 1);
}

#[tokio::test]
async fn a_file_in_which_a_run_stops_is_not_taken_at_all() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD]);
    // More rows than two blocks hold.
    let rows: Vec<String> = (0..300_000).map(|number| format!("{number};26.03.2024;2;41000001;;;;;")).collect();
    project.write_journal("in/journal-2.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let stop = Stop::default();
    let asking = stop.clone();
    let options = RunOptions { stop, ..RunOptions::default() };
    let stopped = project
        .run_told(options, move |progress| {
            if progress.file == "in/journal-2.csv" {
                asking.ask();
            }
        })
        .await
        .unwrap_err();
    let told = format!("{:#}", anyhow::Error::from(stopped));
    assert_eq!(
        told,
        "pipeline `journal` was stopped at `in/journal-2.csv`, of which nothing is committed; the next run goes on from \
         there: the program was asked to stop"
    );
    assert_eq!(project.events(&["case_id"]).await, ["47-15"]);
}
