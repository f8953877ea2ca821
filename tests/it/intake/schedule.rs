//! Runs by schedule, over a clock that stands still.

use std::time::Duration;

use chrono::{DateTime, Utc};
use svod::clock::Clock;
use svod::intake::{RunRecord, RunState, Runner, StartError, Starter};
use svod::warehouse::WarehouseLock;

use super::run_project::{RunProject, wait_for};

const NIGHTLY: &str = "schedule: {cron: \"0 0 3 * * *\", retries: 1, retry_after_secs: 600}\n";

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A runner that keeps the schedule at a moment.
fn keep_at(project: &RunProject, now: &str) -> std::sync::Arc<Runner> {
    let clock = Clock::Fixed(moment(now));
    let runner = Runner::new(project.load(), project.data().to_owned(), clock);
    runner.keep_schedule().unwrap().unwrap();
    runner
}

/// The runs of the schedule that ended, oldest first.
fn scheduled(runner: &Runner) -> Vec<RunRecord> {
    let mut records: Vec<RunRecord> =
        runner.history().since(DateTime::UNIX_EPOCH).unwrap().iter().map(|record| RunRecord::clone(record)).collect();
    records.retain(|record| matches!(record.started_by, Starter::Schedule { .. }));
    records.reverse();
    records
}

#[test]
fn nights_that_were_missed_are_caught_up_by_one_run() {
    let project = RunProject::with(NIGHTLY, "");
    project.write_registers();
    // NOW is 13:00 in Samara on 21 November.
    project.program.succeed(["run"]);
    let runner = keep_at(&project, "2026-11-24T10:00:00Z");
    let records = wait_for("a run of each pipeline", || Some(scheduled(&runner)).filter(|records| records.len() == 2));
    runner.stop(Duration::from_mins(1));
    for record in &records {
        assert_eq!(record.state, RunState::Done, "{record:?}");
        let due_at = moment("2026-11-21T23:00:00Z"); // 03:00 in Samara
        assert_eq!(record.started_by, Starter::Schedule { due_at, attempt: 1 });
    }
    assert_eq!(scheduled(&runner).len(), 2);
    let project_of = project.load();
    let next = runner.next_run(&project_of.pipelines[0]).unwrap().unwrap();
    assert_eq!(next.at, moment("2026-11-24T23:00:00Z"));
}

#[test]
fn before_its_time_nothing_runs() {
    let project = RunProject::with(NIGHTLY, "");
    project.program.succeed(["run"]);
    let runner = keep_at(&project, "2026-11-21T22:59:59Z");
    std::thread::sleep(Duration::from_millis(2500));
    runner.stop(Duration::from_mins(1));
    assert!(scheduled(&runner).is_empty());
}

#[test]
fn a_run_that_failed_is_tried_again_after_a_while_and_not_for_ever() {
    let project = RunProject::with(NIGHTLY, "");
    project.write_registers();
    project.program.succeed(["run"]);
    let state = project.data().join("state/first.json");
    let good = fs_err::read(&state).unwrap();
    fs_err::write(&state, "{").unwrap();
    let run_at = |now: &str, n_records: usize| {
        let runner = keep_at(&project, now);
        let records = wait_for("the next run", || {
            let of_first = scheduled(&runner).into_iter().filter(|record| record.of_pipeline("first").is_some());
            Some(of_first.collect::<Vec<_>>()).filter(|records| records.len() == n_records)
        });
        runner.stop(Duration::from_mins(1));
        records
    };
    let due_at = moment("2026-11-21T23:00:00Z");
    let records = run_at("2026-11-21T23:00:05Z", 1);
    assert_eq!(records[0].state, RunState::Failed);
    fs_err::write(&state, good).unwrap();
    let records = run_at("2026-11-21T23:10:05Z", 2);
    assert_eq!(records[1].started_by, Starter::Schedule { due_at, attempt: 2 });
    assert_eq!(records[1].state, RunState::Done);
}

#[test]
fn a_run_waits_for_the_lock_and_a_second_one_of_its_pipeline_is_refused() {
    let project = RunProject::new();
    project.write_registers();
    let loaded = project.load();
    let runner = Runner::new(loaded.clone(), project.data().to_owned(), Clock::Fixed(moment("2026-11-24T10:00:00Z")));
    let lock = WarehouseLock::acquire(project.data()).unwrap();
    let run = runner.start(&loaded.pipelines[0], Starter::Api, None, false).unwrap();
    assert_eq!(runner.find(run).unwrap().unwrap().state, RunState::Waiting);
    match runner.start(&loaded.pipelines[0], Starter::Api, None, false) {
        Err(StartError::Busy { run: busy, .. }) => assert_eq!(busy, run),
        other => panic!("{other:?}"),
    }
    let other = runner.start(&loaded.pipelines[1], Starter::Api, None, false).unwrap();
    assert!(runner.history().since(DateTime::UNIX_EPOCH).unwrap().is_empty(), "nothing may run under a taken lock");
    drop(lock);
    for run in [run, other] {
        let record =
            wait_for("the end of the run", || runner.history().get(run).unwrap().filter(|r| r.state.is_final()));
        assert_eq!(record.state, RunState::Done, "{record:?}");
    }
}

#[test]
fn a_time_limit_stops_a_run_and_leaves_nothing_half() {
    let project = RunProject::with("schedule: {cron: \"0 0 3 * * *\", time_limit_secs: 1, retries: 0}\n", "");
    // Each file is a commit, and no disk makes so many of them in a second.
    let n_files = 3000;
    for file in 0..n_files {
        project.write_rows(&format!("first-{file:04}"), &[(&format!("a-{file}"), "2026-05-10", None)]);
    }
    let loaded = project.load();
    let runner = Runner::new(loaded.clone(), project.data().to_owned(), Clock::Fixed(moment("2026-11-24T10:00:00Z")));
    let run = runner.start(&loaded.pipelines[0], Starter::Api, None, false).unwrap();
    let record = wait_for("the end of the run", || runner.history().get(run).unwrap().filter(|r| r.state.is_final()));
    assert_eq!(record.state, RunState::Stopped, "{record:?}");
    let first = &record.pipelines[0];
    assert!(
        first.failures[0]
            .get(svod::domain::language::Lang::En)
            .contains("it took longer than its time limit of 1 seconds"),
        "{first:?}"
    );
    // What was committed before is in the lake and published, and nothing else.
    assert!(first.accepted < n_files, "{first:?}");
    assert_eq!(project.events().len() as u64, first.accepted);
}
