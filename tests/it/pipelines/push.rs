//! Pushed rows: taken once, durable, handed to the next run, and gone from the inbox when they are in the lake.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use svod::pipelines::{PipelineState, PushDesk, PushError};

use super::bench_project::BenchProject;

const PUSHED: &str = r"pipeline: journal
title: {ru: События, en: Events}
description: Events as a register pushes them.
contract: cases
source: {push: {max_body_bytes: 4000, max_pending_bytes: 100000, keep_keys_days: 7}}
format: {ndjson: {}}
columns:
  - {name: id, type: string, required: true}
  - {name: kind, type: string}
  - {name: at, type: timestamp, required: true}
  - {name: place, type: string}
  - {name: insurance, type: string}
values:
  case_id: {from: id}
  event: {from: kind}
  municipality: {from: place}
  person_id: {from: insurance}
emit:
  - {at: at}
";

fn pushed() -> BenchProject {
    let project = BenchProject::new();
    project.write("pipelines/journal.yaml", PUSHED);
    project
}

fn desk_of(project: &BenchProject) -> PushDesk {
    let (contracts, reference, pipelines) = project.load().unwrap_or_else(|problems| panic!("{problems}"));
    PushDesk::open(&pipelines[0], &contracts, &Arc::new(reference), &project.data_dir()).unwrap()
}

fn now() -> DateTime<Utc> {
    "2025-01-01T00:00:00Z".parse().unwrap()
}

fn line(id: &str) -> String {
    format!(r#"{{"id":"{id}","kind":"registered","at":"2024-03-31T12:00:00Z","place":"41000001"}}"#)
}

fn inbox(project: &BenchProject) -> PathBuf {
    project.data_dir().join("inbox/journal")
}

/// Names of the files that hold or give rows.
fn row_files(project: &BenchProject) -> Vec<String> {
    let names = fs_err::read_dir(inbox(project)).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "lock" && !name.starts_with("keys-")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn taken_rows_wait_and_the_next_run_brings_them_into_the_lake() {
    let project = pushed();
    let desk = desk_of(&project);
    let first = desk.take("a", format!("\u{feff}{}\n\n{}", line("1"), line("2")).as_bytes(), now()).unwrap();
    assert_eq!((first.rows, first.set_aside, first.first_line, first.last_line), (2, 0, 1, 3));
    let second = desk.take("b", line("3").as_bytes(), now()).unwrap();
    assert_eq!((second.rows, second.first_line, second.last_line, second.pending_rows), (1, 4, 4, 3));
    let report = project.run().await;
    assert_eq!((report.files, report.read, report.accepted), (1, 3, 3));
    let rows = project.events(&["case_id", "_file", "_row"]).await;
    assert_eq!(rows, ["1 | push/000001.ndjson | 1", "2 | push/000001.ndjson | 3", "3 | push/000001.ndjson | 4"]);
    assert_eq!(row_files(&project), ["000002.segment"]);
    // Nothing new, nothing to do; then the desk goes on in the segment that the run has opened.
    assert_eq!(project.run().await.files, 0);
    let third = desk.take("c", line("4").as_bytes(), now()).unwrap();
    assert_eq!((third.segment, third.first_line, third.pending_rows), (2, 1, 1));
    assert_eq!(project.run().await.read, 1);
    assert_eq!(row_files(&project), ["000003.segment"]);
}

#[tokio::test]
async fn the_same_key_has_the_same_answer_before_and_after_the_run_and_after_a_restart() {
    let project = pushed();
    let desk = desk_of(&project);
    let body = line("1");
    let receipt = desk.take("a", body.as_bytes(), now()).unwrap();
    desk.take("b", line("2").as_bytes(), now()).unwrap();
    let later = now() + Duration::days(7);
    assert_eq!(desk.take("a", body.as_bytes(), later).unwrap(), receipt);
    assert_eq!(project.run().await.read, 2);
    for desk in [&desk, &desk_of(&project)] {
        assert_eq!(desk.take("a", body.as_bytes(), later).unwrap(), receipt);
        assert!(matches!(desk.take("a", line("3").as_bytes(), later), Err(PushError::KeyReused)));
        // A body that is bad by now is still told from another one.
        assert!(matches!(desk.take("a", b"{}", later), Err(PushError::KeyReused)));
    }
    assert_eq!(project.run().await.files, 0);
    let much_later = later + Duration::seconds(1);
    assert_eq!(desk.take("a", line("3").as_bytes(), much_later).unwrap().received_at, much_later);
}

#[tokio::test]
async fn bad_rows_refuse_the_body_and_its_key_may_be_used_again() {
    let project = pushed();
    let desk = desk_of(&project);
    let secret = line("3").replace("\"place\"", "\"insurance\":\"СНИЛС 112\",\"place\"");
    let lines = [line("1"), line("2").replace("41000001", "999"), "{".to_owned(), secret, r#"{"id":"5"}"#.to_owned()];
    let Err(PushError::BadRows { bad, n_rows }) = desk.take("a", lines.join("\n").as_bytes(), now()) else {
        panic!("the rows are bad")
    };
    assert_eq!(n_rows, 5);
    let told: Vec<String> = bad.iter().map(|bad| format!("{} | {} | {}", bad.row, bad.rule, bad.sentence)).collect();
    assert_eq!(
        told,
        [
            "2 | reference | «place»: код «999» не найден в справочнике municipalities; исправьте код или дополните справочник",
            "3 | format | строка файла 3: не JSON, ошибка в позиции 1; каждая строка должна быть одним объектом JSON",
            "4 | pattern | «insurance»: значение не отвечает образцу ^[0-9 -]+$; исправьте в реестре",
            "5 | required | «at»: обязательное поле пустое; заполните его в реестре",
        ]
    );
    assert!(matches!(desk.take("a", b" \n\n", now()), Err(PushError::Empty)));
    assert!(!inbox(&project).exists());
    desk.take("a", lines[0].as_bytes(), now()).unwrap();
    assert_eq!(project.run().await.accepted, 1);
}

#[tokio::test]
async fn a_pipeline_may_set_bad_rows_aside() {
    let project = pushed();
    project.write("pipelines/journal.yaml", &PUSHED.replace("{max_body", "{on_bad_rows: quarantine, max_body"));
    let desk = desk_of(&project);
    desk.take("a", line("0").as_bytes(), now()).unwrap();
    let body = [line("1"), line("2").replace("41000001", "999"), "{".to_owned()].join("\n");
    let receipt = desk.take("b", body.as_bytes(), now()).unwrap();
    assert_eq!((receipt.rows, receipt.set_aside, receipt.pending_rows), (1, 2, 4));
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.rejected), (4, 2, 2));
    let rejected = project.rejected(&["file", "row", "rule"]).await;
    assert_eq!(rejected, ["push/000001.ndjson | 3 | reference", "push/000001.ndjson | 4 | format"]);
}

#[tokio::test]
async fn a_full_inbox_takes_nothing_until_the_next_run() {
    let project = pushed();
    let desk = desk_of(&project);
    let body: String = (0..35).map(|id| line(&id.to_string()) + "\n").collect();
    let n_taken = (0..100).take_while(|key| desk.take(&key.to_string(), body.as_bytes(), now()).is_ok()).count();
    assert_eq!(n_taken, 100_000 / body.len());
    assert!(matches!(desk.take("x", body.as_bytes(), now()), Err(PushError::Full { .. })));
    assert!(desk.take("0", body.as_bytes(), now()).is_ok());
    project.run().await;
    assert!(desk.take("x", body.as_bytes(), now()).is_ok());
}

#[tokio::test]
async fn a_torn_end_is_cut_off_by_whoever_comes_next() {
    for by_desk in [true, false] {
        let project = pushed();
        desk_of(&project).take("a", line("1").as_bytes(), now()).unwrap();
        let segment = inbox(&project).join("000001.segment");
        let whole = fs_err::read(&segment).unwrap();
        fs_err::write(&segment, [&whole[..], &whole[..whole.len() - 1]].concat()).unwrap();
        if by_desk {
            assert_eq!(desk_of(&project).take("b", line("2").as_bytes(), now()).unwrap().first_line, 2);
        }
        assert_eq!(project.run().await.accepted, if by_desk { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_segment_whose_batch_is_in_the_lake_is_removed_and_not_read_again() {
    let project = pushed();
    let desk = desk_of(&project);
    desk.take("a", line("1").as_bytes(), now()).unwrap();
    let segment = inbox(&project).join("000001.segment");
    let rows = fs_err::read(&segment).unwrap();
    project.run().await;
    for state_is_lost in [false, true] {
        // As if the run had been killed between its commit and the removal, or even before its state was written.
        fs_err::write(&segment, &rows).unwrap();
        if state_is_lost {
            fs_err::remove_file(PipelineState::path(&project.data_dir(), "journal")).unwrap();
        }
        let report = project.run().await;
        assert_eq!((report.files, report.read, report.failures.len()), (0, 0, 0));
        assert_eq!(row_files(&project), ["000002.segment"]);
    }
    assert_eq!(desk.take("b", line("2").as_bytes(), now()).unwrap().segment, 2);
    assert_eq!(project.run().await.accepted, 1);
    assert_eq!(project.events(&["case_id"]).await, ["1", "2"]);
}

#[tokio::test]
async fn a_damaged_segment_is_told_and_others_go_on() {
    let project = pushed();
    desk_of(&project).take("a", line("1").as_bytes(), now()).unwrap();
    let segment = |number: u32| inbox(&project).join(format!("{number:06}.segment"));
    let whole = fs_err::read(segment(1)).unwrap();
    fs_err::write(segment(2), "").unwrap();
    desk_of(&project).take("b", line("2").as_bytes(), now()).unwrap();
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs_err::write(segment(1), damaged).unwrap();
    let report = project.run().await;
    assert_eq!((report.accepted, report.failures.len()), (1, 1));
    let failure = anyhow::Error::from(report.failures.into_iter().next().unwrap().error);
    assert_eq!(
        format!("{failure:#}"),
        "`push/000001.ndjson` is damaged from byte 0 on; nothing of it is taken: put the inbox's file `000001.segment` \
         back from a copy, or move it away and have its rows pushed again"
    );
    fs_err::write(segment(1), whole).unwrap();
    assert_eq!(project.run().await.accepted, 1);
    assert_eq!(project.events(&["case_id"]).await, ["1", "2"]);
}

#[tokio::test]
async fn many_pushers_two_servers_and_runs_in_between_lose_and_repeat_nothing() {
    let project = pushed();
    let (one, other) = (desk_of(&project), desk_of(&project));
    let mut n_read = 0;
    for round in 0..3 {
        std::thread::scope(|threads| {
            for pusher in 0..6 {
                let (one, other) = (&one, &other);
                threads.spawn(move || {
                    for body in 0..10 {
                        let id = format!("{round}-{pusher}-{body}");
                        let rows = [line(&format!("{id}a")), line(&format!("{id}b"))].join("\n");
                        // Every body goes to both servers, as by a pusher that got no answer from the first.
                        let first = one.take(&id, rows.as_bytes(), now()).unwrap();
                        assert_eq!(other.take(&id, rows.as_bytes(), now()).unwrap(), first);
                    }
                });
            }
        });
        let report = project.run().await;
        assert_eq!((report.duplicate, report.rejected), (0, 0));
        n_read += report.read;
    }
    assert_eq!(n_read, 360);
    let events = project.events(&["case_id"]).await;
    assert_eq!((events.len(), events.iter().collect::<BTreeSet<_>>().len()), (360, 360));
}

#[test]
fn wrong_limits_and_formats_are_told_at_their_place() {
    let problems_with = |part: &str, replacement: &str| {
        let project = BenchProject::new();
        project.write("pipelines/journal.yaml", &PUSHED.replace(part, replacement));
        project.load().unwrap_err().to_string()
    };
    let found = problems_with("keep_keys_days: 7", "keep_keys_days: 0");
    let expected = "error: pipelines/journal.yaml:5:82: `keep_keys_days`: expected 1 to 366, found 0\n  5 | ";
    assert!(found.starts_with(expected), "{found}");
    let found = problems_with("max_pending_bytes: 100000", "max_pending_bytes: 10");
    assert!(found.contains(":5:58: `max_pending_bytes`: 10 is less than one body of 4000 bytes"), "{found}");
    let found = problems_with("ndjson: {}", "csv: {}");
    assert!(found.contains(":5:16: `push`: rows are pushed as NDJSON only"), "{found}");
    assert!(found.contains("help: declare `format: {ndjson: {}}`"), "{found}");
    let found = problems_with("max_body_bytes", "max_body");
    assert!(found.contains("max_body"), "{found}");
}
