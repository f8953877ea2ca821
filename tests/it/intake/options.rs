//! Runs over a period, over everything again, and on trial.

use super::run_project::{RunProject, files_below};

/// Three cases, registered in three months; the second was decided in the third month.
fn with_three_cases() -> RunProject {
    let project = RunProject::new();
    project.write_rows(
        "first-1",
        &[("a", "2026-05-10", None), ("b", "2026-06-10", Some("2026-07-02")), ("c", "2026-07-10", None)],
    );
    project
}

#[test]
fn a_period_takes_the_rows_that_have_a_date_in_it() {
    let project = with_three_cases();
    let report = project.program.succeed(["run", "--since", "2026-07", "--until", "2026-07-05"]);
    assert!(report.contains("first: 2 rows of other days left alone"), "{report}");
    // One date lies in the period, so the whole row is taken.
    assert_eq!(project.events(), ["b granted 2026-07-02", "b registered 2026-06-10"]);
    let record = &project.records()[0];
    assert_eq!(record["period"], serde_json::json!({"from": "2026-07-01", "to": "2026-07-05"}));
    let first = &record["pipelines"][0];
    assert_eq!([&first["read"], &first["accepted"], &first["outside"]], [1, 1, 2]);
}

#[test]
fn what_a_period_left_out_comes_with_the_next_run() {
    let project = with_three_cases();
    project.program.succeed(["run", "--until", "2026-05"]);
    assert_eq!(project.events(), ["a registered 2026-05-10"]);
    project.program.succeed(["run"]);
    assert_eq!(project.events().len(), 4);
    let first = &project.records()[1]["pipelines"][0];
    assert_eq!([&first["read"], &first["accepted"], &first["duplicate"]], [3, 2, 1]);
    // Now the file is known as a whole, and a period over it changes nothing about that.
    project.program.succeed(["run", "--since", "2026-06", "--until", "2026-06"]);
    project.program.succeed(["run"]);
    let records = project.records();
    assert_eq!([&records[2]["pipelines"][0]["duplicate"], &records[2]["pipelines"][0]["outside"]], [1, 2]);
    assert_eq!([&records[3]["pipelines"][0]["unchanged"], &records[3]["pipelines"][0]["read"]], [1, 0]);
}

#[test]
fn a_full_run_reads_all_again_and_finds_it_known() {
    let project = RunProject::new();
    project.write_registers();
    project.program.succeed(["run"]);
    let (events, appeals) = (project.events(), project.program.succeed(["query", "appeals"]));
    project.program.succeed(["run", "first", "--full"]);
    let record = &project.records()[1];
    let first = &record["pipelines"][0];
    assert_eq!(record["full"], true);
    assert_eq!([&first["files"], &first["read"], &first["duplicate"], &first["rejected"]], [2, 60, 30, 30]);
    assert_eq!(project.events(), events);
    let same = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(same(&project.program.succeed(["query", "appeals"])), same(&appeals));
    for wrong in [vec!["run", "--full"], vec!["run", "first", "--full", "--since", "2026"]] {
        assert_eq!(project.program.run(wrong.iter().copied()).code, Some(2), "{wrong:?}");
    }
    let outcome = project.program.run(["run", "--since", "2026-13"]);
    assert!(outcome.code == Some(2) && outcome.stderr.contains("`2026-13` is not a date"), "{outcome:?}");
}

#[test]
fn what_a_later_file_corrected_stays_corrected_when_a_period_is_read_again() {
    let project = RunProject::new();
    project.write_rows("first-1", &[("a", "2026-05-10", None)]);
    // The same event, another day of the same month; the register keeps no time of recording.
    project.write_rows("first-2", &[("a", "2026-05-20", None)]);
    project.program.succeed(["run"]);
    let day = || project.program.succeed(["sql", "--format", "csv", "SELECT registered_on FROM cases"]);
    assert!(day().contains("2026-05-20"), "{}", day());
    // The correction lies outside of the period, what it corrected inside.
    project.program.succeed(["run", "--since", "2026-05-01", "--until", "2026-05-15"]);
    let first = &project.records()[1]["pipelines"][0];
    assert_eq!([&first["read"], &first["duplicate"], &first["outside"]], [1, 1, 1]);
    assert!(day().contains("2026-05-20"), "{}", day());
}

#[test]
fn a_dry_run_tells_what_would_come_and_leaves_nothing() {
    let project = RunProject::new();
    project.write_rows("first-1", &[("a", "2026-05-10", None)]);
    project.program.succeed(["run"]);
    let before = files_below(project.data());
    project.write(
        "in/first-2.ndjson",
        "{\"number\":\"b\",\"registered\":\"2026-05-11\",\"phone\":1}\n{\"number\":\"c\"}\n",
    );
    let report = project.program.succeed(["run", "--dry-run"]);
    assert!(report.contains("first: rejected by rule: required 1"), "{report}");
    assert!(report.contains("in/first-2.ndjson: columns that nobody declared: `phone`"), "{report}");
    assert!(
        report.contains("in/first-2.ndjson: declared columns that are not there or without any value: `decided`"),
        "{report}"
    );
    let tile = report.lines().find(|line| line.contains("Обращения")).unwrap();
    let words: Vec<&str> = tile.split_whitespace().collect();
    assert!(words.windows(2).any(|pair| pair == ["2", "+1"]) || tile.contains("+1"), "{tile}");
    assert_eq!(files_below(project.data()), before);
    // What was tried is what a real run brings.
    project.program.succeed(["run"]);
    assert_eq!(project.events(), ["a registered 2026-05-10", "b registered 2026-05-11"]);
}

#[test]
fn a_dry_run_that_fails_leaves_nothing_either() {
    let project = RunProject::new();
    project.write("in/first-1.ndjson", "");
    fs_err::create_dir_all(project.data()).unwrap();
    fs_err::write(project.data().join("pseudonym.key"), "too short").unwrap();
    let outcome = project.program.run(["run", "--dry-run"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let left: Vec<_> = files_below(project.data()).into_keys().collect();
    assert!(left.iter().all(|path| !path.to_string_lossy().contains("dry-run")), "{left:?}");
}
