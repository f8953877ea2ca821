//! What is kept of a run, also of one that failed, brought nothing, or died.

use serde_json::{Value, json};

use super::run_project::{RunProject, wait_for};

#[test]
fn a_record_tells_who_what_and_where_the_time_went() {
    let project = RunProject::new();
    project.write_registers();
    let mut command = project.program.command(["run"]);
    assert!(command.env("USER", "anna").output().unwrap().status.success());
    project.program.succeed(["run"]);
    let [first, second] = &project.records()[..] else { panic!("two runs") };
    assert_eq!(first["started_by"], json!({"by": "cli", "user": "anna"}));
    assert_eq!([&first["state"], &first["snapshot"], &first["published"]], [&json!("done"), &json!(1), &json!(true)]);
    for run in first["pipelines"].as_array().unwrap() {
        assert_eq!(
            [&run["files"], &run["read"], &run["accepted"], &run["rejected"], &run["events"]],
            [2, 60, 30, 30, 30]
        );
        assert_eq!(run["reasons"], json!({"type": 30}));
        let stages = ["find", "read", "commit"].map(|stage| run["stages"][stage].as_f64().unwrap());
        assert!(stages.iter().all(|seconds| *seconds > 0.0), "{run}");
        assert!((stages.iter().sum::<f64>() - run["seconds"].as_f64().unwrap()).abs() < 1e-6, "{run}");
    }
    let bytes: u64 = first["pipelines"].as_array().unwrap().iter().map(|run| run["bytes"].as_u64().unwrap()).sum();
    let on_disk: u64 = fs_err::read_dir(project.program.project.join("in"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(bytes, on_disk);
    assert!(first["refresh_seconds"].as_f64().unwrap() > 0.0);
    // A run that brought nothing is told as well.
    assert_eq!(
        [&second["state"], &second["snapshot"], &second["published"]],
        [&json!("done"), &json!(1), &json!(false)]
    );
    assert_eq!(second["pipelines"][0]["unchanged"], 2);
}

#[test]
fn a_pipeline_that_fails_keeps_no_other_from_its_turn() {
    let project = RunProject::new();
    project.write_registers();
    // A state that cannot be read stops its pipeline.
    project.program.succeed(["check"]);
    fs_err::create_dir_all(project.data().join("state")).unwrap();
    fs_err::write(project.data().join("state/first.json"), "{").unwrap();
    let outcome = project.program.run(["run"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("is damaged; delete it"), "{outcome:?}");
    let record = &project.records()[0];
    let states: Vec<&Value> = record["pipelines"].as_array().unwrap().iter().map(|run| &run["state"]).collect();
    assert_eq!((&record["state"], states), (&json!("failed"), vec![&json!("failed"), &json!("done")]));
    assert_eq!(project.events().len(), 30);
}

#[test]
fn a_run_that_died_is_told_as_killed_by_the_next() {
    let project = RunProject::new();
    let rows: String = (0..200_000)
        .map(|n| format!("{{\"number\":\"{n}\",\"registered\":\"2026-05-{:02}\"}}\n", n % 28 + 1))
        .collect();
    project.write("in/first-1.ndjson", &rows);
    let mut child = project.program.command(["run"]).spawn().unwrap();
    let running = project.data().join("runs/running");
    let first = wait_for("the record of a run that works", || {
        let entry = fs_err::read_dir(&running).ok()?.find_map(|entry| {
            Some(entry.ok()?.path()).filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        })?;
        serde_json::from_slice::<Value>(&fs_err::read(entry).ok()?).ok()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(first["state"], "running");
    let outcome = project.program.run(["run"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains(&format!("the run {} was killed", first["run"].as_str().unwrap())), "{outcome:?}");
    let records = project.records();
    assert_eq!([&records[0]["run"], &records[0]["state"]], [&first["run"], &json!("killed")]);
    assert_eq!(records[1]["state"], "done");
    assert_eq!(project.events().len(), 200_000);
}
