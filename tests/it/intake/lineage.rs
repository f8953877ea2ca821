//! OpenLineage events, in a file and at an endpoint.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::run_project::{RunProject, id_of};

/// An endpoint that answers each request with a status and hands on its head and body.
fn endpoint(status: &'static str) -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api/v1/lineage", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 2 {}
            let length = head.to_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            if sender.send((head, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (url, receiver)
}

/// The next few things that an endpoint was told.
fn next_of(told: &Receiver<(String, Value)>, n_events: usize) -> Vec<(String, Value)> {
    (0..n_events).map(|_| told.recv_timeout(Duration::from_secs(10)).unwrap()).collect()
}

#[test]
fn each_run_of_a_pipeline_is_told_with_its_files_and_its_table() {
    let project = RunProject::with("", "lineage: {file: lineage/events.ndjson, namespace: region}\n");
    project.write_registers();
    project.program.succeed(["run"]);
    let text = fs_err::read_to_string(project.data().join("lineage/events.ndjson")).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<&Value> = events.iter().map(|event| &event["eventType"]).collect();
    assert_eq!(types, ["START", "COMPLETE", "START", "COMPLETE"]);
    let [start, complete, other, _] = &events[..] else { panic!("four events") };
    assert_eq!(start["run"]["runId"], complete["run"]["runId"]);
    assert_ne!(start["run"]["runId"], other["run"]["runId"]);
    assert_eq!(start["eventTime"], "2026-11-21T09:00:00.000Z");
    assert_eq!(start["schemaURL"], "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
    assert!(start["producer"].as_str().unwrap().starts_with("urn:svod:"));
    assert_eq!([&start["job"]["namespace"], &start["job"]["name"]], ["region", "first"]);
    assert_eq!(start["run"]["facets"]["parent"]["run"]["runId"], id_of(&project.records()[0]).to_string());
    assert_eq!(start["inputs"], json!([]));
    let root = fs_err::canonicalize(&project.program.project).unwrap();
    let files =
        ["in/first-1.ndjson", "in/first-2.ndjson"].map(|name| json!({"namespace": "file", "name": root.join(name)}));
    assert_eq!(complete["inputs"], json!(files));
    let output = &complete["outputs"][0];
    assert!(output["name"].as_str().unwrap().ends_with("/lake/events/cases"), "{output}");
    assert_eq!(output["outputFacets"]["outputStatistics"]["rowCount"], 30);
    let fields = output["facets"]["schema"]["fields"].as_array().unwrap();
    assert!(fields.iter().any(|field| field["name"] == "case_id" && field["type"] == "string"), "{output}");
    for event in &events {
        for facets in [&event["run"]["facets"], &event["job"]["facets"], &event["outputs"][0]["facets"]] {
            for facet in facets.as_object().unwrap().values() {
                assert!(facet["_producer"].is_string() && facet["_schemaURL"].is_string(), "{facet}");
            }
        }
    }
}

#[test]
fn a_failure_is_told_and_a_dry_run_is_not() {
    let project = RunProject::with("", "lineage: {file: lineage.ndjson}\n");
    project.write_registers();
    project.program.succeed(["run", "--dry-run"]);
    assert!(!project.data().join("lineage.ndjson").exists());
    fs_err::create_dir_all(project.data().join("state")).unwrap();
    fs_err::write(project.data().join("state/first.json"), "{").unwrap();
    assert_eq!(project.program.run(["run", "first"]).code, Some(1));
    let text = fs_err::read_to_string(project.data().join("lineage.ndjson")).unwrap();
    let failed: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(failed["eventType"], "FAIL");
    let message = failed["run"]["facets"]["errorMessage"]["message"].as_str().unwrap();
    assert!(message.contains("pipeline `first` has no usable state"), "{message}");
}

#[test]
fn an_endpoint_gets_the_events_with_its_token() {
    let (url, told) = endpoint("201 Created");
    let project = RunProject::with("", &format!("lineage: {{url: \"{url}\", token_env: LINEAGE_TOKEN}}\n"));
    project.write_registers();
    let mut command = project.program.command(["run", "first"]);
    let outcome = command.env("LINEAGE_TOKEN", "secret-1").env("NO_PROXY", "127.0.0.1").output().unwrap();
    assert!(outcome.status.success());
    let events = next_of(&told, 2);
    assert_eq!(events.iter().map(|(_, event)| &event["eventType"]).collect::<Vec<_>>(), ["START", "COMPLETE"]);
    for (head, _) in &events {
        let head = head.to_lowercase();
        assert!(head.starts_with("post /api/v1/lineage http/1.1"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        assert!(head.contains("authorization: bearer secret-1"), "{head}");
    }
}

#[test]
fn an_endpoint_that_does_not_answer_harms_no_run_and_is_warned_of_once() {
    let (refusing, told) = endpoint("503 Service Unavailable");
    let nobody = format!("http://{}/", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    for url in [refusing, nobody] {
        let project = RunProject::with("", &format!("lineage: {{url: \"{url}\"}}\n"));
        project.write_registers();
        let outcome = project.program.run(["run"]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(outcome.stderr.matches("warning: lineage is not told in this run").count(), 1, "{outcome:?}");
        let record = &project.records()[0];
        assert_eq!(record["state"], "done");
        assert_eq!(record["warnings"].as_array().unwrap().len(), 1);
    }
    assert_eq!(next_of(&told, 1)[0].1["eventType"], "START");
    assert!(told.try_recv().is_err(), "after a failure the run is silent");
}
