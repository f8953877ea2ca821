//! What a run leaves in the lake, in quarantine and in the state.

use svod::pipelines::{PipelineState, PseudonymKey};
use svod::warehouse::lake::Lake;

use super::bench_project::{BenchProject, HEADER};

const GOOD: &str = "15;25.03.2024;2;41000001;Иванов И. И.;112-233-445 95;29.03.2024;признан;1 234,50";
const OPEN: &str = "16;31.03.2024;1;41000002;Петров П. П.;;;-;";

#[tokio::test]
async fn a_row_of_state_becomes_several_events() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD, OPEN]);
    let report = project.run().await;
    assert_eq!((report.files, report.read, report.accepted, report.events), (1, 2, 2, 3));
    let columns = [
        "case_id",
        "event",
        "occurred_at",
        "occurred_on",
        "municipality",
        "channel",
        "amount",
        "_pipeline",
        "_batch",
        "_file",
        "_row",
    ];
    assert_eq!(
        project.events(&columns).await,
        [
            // Midnight in Moscow is 21:00 of the day before in UTC; the local date stays.
            "47-15 | granted | 2024-03-28T21:00:00Z | 2024-03-29 | 41000001 | portal | 1234.5 | journal | 1 | in/journal-1.csv | 1",
            "47-15 | registered | 2024-03-24T21:00:00Z | 2024-03-25 | 41000001 | portal |  | journal | 1 | in/journal-1.csv | 1",
            "47-16 | registered | 2024-03-30T21:00:00Z | 2024-03-31 | 41000002 | mfc |  | journal | 1 | in/journal-1.csv | 2",
        ]
    );
}

#[tokio::test]
async fn persons_are_pseudonyms_in_the_lake_and_masked_in_quarantine() {
    let project = BenchProject::with_journal();
    let broken = GOOD.replace("41000001", "999");
    project.write_journal("in/journal-1.csv", &[GOOD, OPEN, &broken]);
    project.run().await;
    let pseudonym = PseudonymKey::from_bytes(&[7; 32]).pseudonym("112-233-445 95");
    assert_eq!(project.events(&["person_id"]).await, [String::new(), pseudonym.clone(), pseudonym]);
    assert_eq!(
        project.rejected(&["row", "rule", "raw", "sentence"]).await,
        ["3 | reference | 15;25.03.2024;2;999;•••;•••;29.03.2024;признан;1 234,50 | \
          «ОКТМО»: код «999» не найден в справочнике municipalities; исправьте код или дополните справочник"]
    );
}

#[tokio::test]
async fn every_broken_rule_is_told_in_one_sentence() {
    let project = BenchProject::with_journal();
    let rows = [
        GOOD,
        "1;31.02.2024;2;41000001;;;;;",
        "2;;2;41000001;;;;;",
        "3;25.03.2024;7;41000001;;;;;",
        "4;25.03.2024;2;;;;;;",
        "5;25.03.2024;2;41000001;;СНИЛС 112;;;",
        "6;25.03.2024;2;41000001;;;29.03.2024;признан;-5",
        "7;25.03.2031;2;41000001;;;;;",
        "8;25.03.2024;2;41000001",
        "123456789012345678;25.03.2024;2;41000001;;;;;",
        "9;25.03.1924;2;41000001;;;;;",
        "10;25.03.2024;2;41000001;;;24.03.2024;отказ;",
    ];
    project.write_journal("in/journal-1.csv", &rows);
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.duplicate, report.rejected), (12, 1, 0, 11));
    assert_eq!(report.reasons["range"], 2);
    let mut expected = [
        "2 | type | «Дата обращения»: «31.02.2024» – не дата вида дд.мм.гггг; исправьте в реестре",
        "3 | required | «Дата обращения»: обязательное поле пустое; заполните его в реестре",
        "4 | lookup | «Способ»: «7» нет в столбце journal_code справочника channels; исправьте в реестре или дополните справочник",
        "5 | required | «ОКТМО»: обязательное поле пустое; заполните его в реестре",
        "6 | pattern | «СНИЛС»: значение не отвечает образцу ^[0-9 -]+$; исправьте в реестре",
        "7 | minimum | «Сумма»: «-5» меньше допустимого 0; исправьте в реестре",
        "8 | range | «Дата обращения»: «25.03.2031» – в будущем; исправьте дату в реестре",
        "9 | format | строка файла 10: полей 4, а должно быть 9; проверьте разделители и кавычки",
        "10 | length | «case_id»: «47-123456789012345678»: знаков 21, а должно быть не больше 20; исправьте в реестре",
        "11 | range | «Дата обращения»: «25.03.1924» – раньше 1990 года; исправьте дату в реестре",
        "12 | decided_before_applied | решение раньше обращения; исправьте даты в реестре",
    ];
    expected.sort_unstable();
    assert_eq!(project.rejected(&["row", "rule", "sentence"]).await, expected);
}

#[tokio::test]
async fn the_same_file_is_read_once_and_a_changed_one_brings_what_is_new() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD, OPEN]);
    project.run().await;
    let report = project.run().await;
    assert_eq!((report.files, report.unchanged, report.read), (0, 1, 0));
    // One row is as it was, one has been decided meanwhile, one came twice.
    let decided = "16;31.03.2024;1;41000002;Петров П. П.;;05.04.2024;отказ;";
    project.write_journal("in/journal-1.csv", &[GOOD, decided, decided]);
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.duplicate, report.events), (3, 1, 2, 1));
    assert_eq!(
        project.events(&["case_id", "event", "_batch"]).await,
        ["47-15 | granted | 1", "47-15 | registered | 1", "47-16 | refused | 2", "47-16 | registered | 1",]
    );
}

#[tokio::test]
async fn a_corrected_event_is_appended_and_its_row_counts_as_accepted() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD]);
    project.run().await;
    project.write_journal("in/journal-2.csv", &[&GOOD.replace("1 234,50", "99")]);
    let report = project.run().await;
    assert_eq!((report.accepted, report.duplicate, report.events), (1, 0, 1));
    assert_eq!(project.events(&["event", "amount"]).await, ["granted | 1234.5", "granted | 99.0", "registered | "]);
}

#[tokio::test]
async fn a_run_killed_before_its_state_was_written_is_mended_from_the_lake() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD]);
    project.run().await;
    let state = PipelineState::path(&project.data_dir(), "journal");
    let before = fs_err::read(&state).unwrap();
    project.write_journal("in/journal-2.csv", &[OPEN]);
    project.run().await;
    let after = fs_err::read(&state).unwrap();
    fs_err::write(&state, before).unwrap();
    let report = project.run().await;
    assert_eq!((report.files, report.unchanged), (0, 2));
    assert_eq!(fs_err::read(&state).unwrap(), after);
}

#[tokio::test]
async fn a_lost_state_costs_time_and_no_event() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD]);
    project.write_journal("in/journal-2.csv", &[OPEN]);
    project.run().await;
    let events = project.events(&["case_id", "event", "_batch"]).await;
    fs_err::remove_file(PipelineState::path(&project.data_dir(), "journal")).unwrap();
    let report = project.run().await;
    assert_eq!((report.files, report.unchanged, report.duplicate, report.events), (1, 1, 1, 0));
    assert_eq!(report.batches[0].number, 3);
    assert_eq!(project.events(&["case_id", "event", "_batch"]).await, events);
}

#[tokio::test]
async fn a_file_without_a_declared_column_fails_and_others_go_on() {
    let project = BenchProject::with_journal();
    let text = format!("{}\n{GOOD}\n", HEADER.replace("Решение", "Итог"));
    project.write_bytes("in/journal-1.csv", &encoding_rs::WINDOWS_1251.encode(&text).0);
    project.write_journal("in/journal-2.csv", &[OPEN]);
    project.write("in/journal-3.csv", "");
    let report = project.run().await;
    assert_eq!((report.files, report.failures.len(), report.events), (2, 1, 1));
    let failure = anyhow::Error::from(report.failures.into_iter().next().unwrap().error);
    assert_eq!(
        format!("{failure:#}"),
        "`in/journal-1.csv` is not taken: column `Решение` is not in the file, which has `N`, `Дата обращения`, \
         `Способ`, `ОКТМО`, `ФИО`, `СНИЛС`, `Дата решения`, `Итог`, `Сумма`"
    );
    // Mended, it is read by the next run.
    project.write_journal("in/journal-1.csv", &[GOOD]);
    assert_eq!(project.run().await.events, 2);
}

#[tokio::test]
async fn events_are_taken_from_ndjson_as_they_are() {
    let project = BenchProject::new();
    project.write(
        "pipelines/journal.yaml",
        r#"pipeline: journal
title: {ru: События, en: Events}
description: Events as a register logs them.
contract: cases
source: {files: "in/*.ndjson"}
format: {ndjson: {}}
columns:
  - {name: id, type: string, required: true}
  - {name: kind, type: string}
  - {name: at, type: timestamp, required: true}
  - {name: saved, type: timestamp}
  - {name: place, type: string}
  - {name: sum, type: number}
values:
  case_id: {from: id}
  event: {from: kind}
  municipality: {from: place}
  amount: {from: sum}
recorded_at: saved
emit:
  - {at: at}
"#,
    );
    let lines = [
        r#"{"id":"a","kind":"registered","at":"2024-03-31T23:30:00Z","place":"41000001","sum":12.50}"#,
        r#"{"id":"b","kind":"opened","at":"2024-03-31T23:30:00+03:00","place":"41000001"}"#,
        "",
        r#"{"id":"c","kind":"granted","at":"2024-03-31T23:30:00","saved":"2024-04-01","place":41000002"#,
        r#"{"id":"c","kind":"granted","at":"2024-03-31T23:30:00","saved":"2024-04-01","place":41000002}"#,
    ];
    project.write("in/a.ndjson", &lines.join("\n"));
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.rejected), (4, 2, 2));
    assert_eq!(
        project.events(&["case_id", "event", "occurred_at", "occurred_on", "recorded_at", "amount", "_row"]).await,
        [
            "a | registered | 2024-03-31T23:30:00Z | 2024-04-01 |  | 12.5 | 1",
            "c | granted | 2024-03-31T20:30:00Z | 2024-03-31 | 2024-03-31T21:00:00Z |  | 5",
        ]
    );
    assert_eq!(
        project.rejected(&["row", "rule", "sentence"]).await,
        [
            "2 | allowed | «kind»: «opened» не из допустимых: registered, granted, refused; исправьте в реестре",
            "4 | format | строка файла 4: не JSON, ошибка в позиции 91; каждая строка должна быть одним объектом JSON",
        ]
    );
}

#[tokio::test]
async fn the_lake_names_the_quarantine_of_each_batch() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD, "1;31.02.2024;2;41000001;;;;;"]);
    project.run().await;
    let lake = Lake::open(&project.data_dir()).await.unwrap();
    let record = lake.last_batch("cases", "journal").await.unwrap().unwrap();
    assert_eq!((record.number, record.read, record.rejected), (1, 2, 1));
    assert_eq!(record.last_event_at.unwrap().to_rfc3339(), "2024-03-28T21:00:00+00:00");
    assert!(lake.quarantine_folder("journal").join(record.quarantine.unwrap()).is_file());
}
