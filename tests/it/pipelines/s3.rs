//! Objects of an S3-compatible store as registers.

use super::bench_project::{BenchProject, HEADER, JOURNAL};
use crate::support::s3::S3Server;

const GOOD: &str = "15;25.03.2024;2;41000001;Иванов И. И.;112-233-445 95;29.03.2024;признан;1 234,50";
const OPEN: &str = "16;31.03.2024;1;41000002;Петров П. П.;;;-;";

fn put_journal(store: &S3Server, key: &str, rows: &[&str]) {
    let text = format!("{HEADER}\r\n{}\r\n", rows.join("\r\n"));
    store.put(key, encoding_rs::WINDOWS_1251.encode(&text).0.into_owned());
}

/// A project whose journal is read from the store.
fn project_at(endpoint: &str, bucket: &str) -> BenchProject {
    let project = BenchProject::new();
    let files = "source: {files: \"in/journal-*.csv\"}";
    assert!(JOURNAL.contains(files));
    let s3 = format!(
        "source: {{s3: {{url: \"s3://{bucket}/in/*/journal-*.csv\", endpoint: \"{endpoint}\", access_key: {{file: access}}, secret_key: {{file: secret}}}}}}"
    );
    project.write("pipelines/journal.yaml", &JOURNAL.replace(files, &s3));
    project.write("access", "svod\n");
    project.write("secret", "s3cret\n");
    project
}

/// The sentence of the only failure of a run.
async fn failure_of(project: &BenchProject) -> (String, String) {
    let mut failures = project.run().await.failures;
    assert_eq!(failures.len(), 1, "{failures:?}");
    let failure = failures.remove(0);
    (failure.file, format!("{:#}", anyhow::Error::from(failure.error)))
}

#[tokio::test]
async fn new_and_changed_objects_are_read_in_order_and_others_left_alone() {
    for has_no_tags in [false, true] {
        let store = S3Server::default();
        store.change(|contents| contents.has_no_tags = has_no_tags);
        let project = project_at(&store.serve().await, "registers");
        put_journal(&store, "in/b/journal-ж 1.csv", &[OPEN]);
        put_journal(&store, "in/a/journal-1.csv", &[GOOD]);
        for other in ["in/a/list.csv", "in/journal-1.csv", "in/a/b/journal-1.csv", "journal-1.csv"] {
            put_journal(&store, other, &["broken"]);
        }
        let report = project.run().await;
        assert_eq!((report.files, report.read, report.events), (2, 2, 3));
        let keys: Vec<String> = store.asked().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["in/a/journal-1.csv", "in/b/journal-ж 1.csv"]);
        assert!(project.events(&["_file"]).await.contains(&"s3://registers/in/a/journal-1.csv".to_owned()));
        let report = project.run().await;
        assert_eq!((report.files, report.unchanged), (0, 2));
        assert_eq!(store.asked().len(), if has_no_tags { 2 } else { 0 });
        put_journal(&store, "in/b/journal-ж 1.csv", &[OPEN, "17;31.03.2024;1;41000002;;;;-;"]);
        let report = project.run().await;
        assert_eq!((report.files, report.unchanged, report.accepted, report.duplicate), (1, 1, 1, 1));
        assert!(!project.data_dir().join("fetched/journal").exists());
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_asked_for_from_where_it_broke() {
    let store = S3Server::default();
    let project = project_at(&store.serve().await, "registers");
    put_journal(&store, "in/a/journal-1.csv", &[GOOD, OPEN]);
    store.change(|contents| contents.n_broken = 2);
    let report = project.run().await;
    assert_eq!((report.files, report.read, report.failures.len()), (1, 2, 0));
    let places: Vec<u64> = store.asked().into_iter().map(|(_, first)| first).collect();
    assert_eq!(places.len(), 3);
    assert!(places[0] == 0 && places[0] < places[1] && places[1] < places[2], "{places:?}");
}

#[tokio::test]
async fn wrong_keys_a_missing_bucket_and_a_silent_store_are_told() {
    let store = S3Server::default();
    let address = store.serve().await;
    let project = project_at(&address, "registers");
    project.write("secret", "another\n");
    let refused = "the store of `s3://registers` refuses the keys; check `access_key` and `secret_key`, and that they \
                   may list the bucket and read its objects";
    let expected = ("s3://registers/in/*/journal-*.csv".to_owned(), refused.to_owned());
    assert_eq!(failure_of(&project).await, expected);
    project.write("secret", "s3cret\n");
    project.write("access", "stranger\n");
    assert_eq!(failure_of(&project).await, expected);
    project.write("access", "\n");
    assert_eq!(failure_of(&project).await.1, "`access_key`: the secret in `access` is empty");
    let project = project_at(&address, "nothing");
    let expected = "the store has no bucket `nothing`; check `url`, `endpoint` and `path_style`";
    assert_eq!(failure_of(&project).await.1, expected);
}

#[test]
fn wrong_addresses_are_told_at_their_place() {
    let problems_with = |endpoint: &str, bucket: &str| project_at(endpoint, bucket).load().unwrap_err().to_string();
    let found = problems_with("http://storage.region.ru", "registers");
    let expected = "`endpoint`: `http` would send keys and rows in the clear; another machine is asked by `https`";
    assert!(found.contains(expected), "{found}");
    let found = problems_with("storage", "registers");
    assert!(found.contains("`endpoint`: `storage` is not an address"), "{found}");
    let found = problems_with("https://storage.region.ru", "");
    assert!(found.contains("`url`: `s3:///in/*/journal-*.csv` names no bucket and no objects"), "{found}");
    assert!(project_at("https://storage.region.ru", "registers").load().is_ok());
}
