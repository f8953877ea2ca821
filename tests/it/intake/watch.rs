//! A running server that watches the files of a pipeline.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use svod::project::Project;

use super::run_project::{RunProject, wait_for};

struct Server(Child);

impl Server {
    /// A server at a free port, which has begun to keep the schedule when it tells its address.
    fn start(project: &RunProject) -> Self {
        let mut server = project.program.command(["serve", "--bind", "127.0.0.1:0"]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("http://127.0.0.1:"), "{line}");
        Self(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Records of runs that ended.
fn ended(project: &RunProject) -> Vec<serde_json::Value> {
    let mut records = project.records();
    records.retain(|record| record["state"] != "running");
    records
}

#[test]
fn files_are_read_when_they_have_come_to_rest_and_again_when_they_change() {
    let project = RunProject::with("watch: {quiet: 2s}\n", "");
    let server = Server::start(&project);
    let line = |row: u32| format!("{{\"number\":\"a-{row}\",\"registered\":\"2026-05-{:02}\"}}\n", row + 1);
    // A register that writes its export slowly: at no moment is it at rest for long, and it always ends in the middle of a line.
    let whole: String = (0..12).map(line).collect();
    let began = Instant::now();
    for n_bytes in (40..whole.len()).step_by(40) {
        project.write("in/first-1.ndjson", &whole[..n_bytes]);
        sleep(Duration::from_millis(300));
    }
    assert!(began.elapsed() > Duration::from_secs(3), "long enough for a run, if the file were read as it grows");
    assert!(project.records().is_empty(), "{:?}", project.records());
    project.write("in/first-1.ndjson", &whole);
    let records = wait_for("a run for the new file", || Some(ended(&project)).filter(|records| !records.is_empty()));
    assert_eq!(records[0]["started_by"], serde_json::json!({"by": "watch"}));
    let first = &records[0]["pipelines"][0];
    assert_eq!([&first["pipeline"], &first["state"]], ["first", "done"]);
    assert_eq!([&first["read"], &first["accepted"], &first["rejected"]], [12, 12, 0]);
    assert_eq!(records.len(), 1, "the other pipeline has no files");

    project.write("in/first-1.ndjson", &(whole.clone() + &line(12)));
    let records = wait_for("a run for the changed file", || Some(ended(&project)).filter(|records| records.len() == 2));
    let first = &records[1]["pipelines"][0];
    assert_eq!([&first["read"], &first["accepted"], &first["duplicate"]], [13, 1, 12]);
    sleep(Duration::from_secs(4));
    assert_eq!(project.records().len(), 2, "files that stay as they are bring no run");
    drop(server);
    assert_eq!(project.events().len(), 13);
}

#[test]
fn a_pull_without_a_watch_takes_a_half_written_file_and_mends_it_when_the_file_is_whole() {
    let project = RunProject::new();
    let whole = "{\"number\":\"a\",\"registered\":\"2026-05-10\"}\n{\"number\":\"b\",\"registered\":\"2026-05-11\"}\n";
    project.write("in/first-1.ndjson", &whole[..60]);
    project.program.succeed(["run"]);
    assert_eq!(project.events(), ["a registered 2026-05-10"]);
    project.write("in/first-1.ndjson", whole);
    project.program.succeed(["run"]);
    assert_eq!(project.events(), ["a registered 2026-05-10", "b registered 2026-05-11"]);
    let rejected = project.program.succeed(["sql", "--format", "csv", "SELECT count(*) AS n FROM quarantine"]);
    assert_eq!(rejected.trim(), "n\n0", "the broken line is gone from the quarantine with the half file");
}

#[test]
fn a_watch_that_cannot_be_is_told() {
    let project = RunProject::with("watch: {quiet: soon}\n", "");
    let root = project.program.project.clone();
    let problems = Project::load(&root).unwrap_err().to_string();
    assert!(problems.contains("`quiet`: `soon` is no length of time"), "{problems}");
    let pushed = fs_err::read_to_string(root.join("pipelines/first.yaml")).unwrap();
    project.write("pipelines/first.yaml", &pushed.replace("{files: \"in/first-*.ndjson\"}", "{push: {}}"));
    let problems = Project::load(&root).unwrap_err().to_string();
    assert!(problems.contains("`watch`: only files can be watched"), "{problems}");
}
