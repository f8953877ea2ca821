//! A lake in a bucket that two servers write, and files larger than one request.

use std::collections::BTreeSet;
use std::sync::Arc;

use svod::s3::S3Store;
use svod::secrets::Secret;
use svod::settings::LakeAddress;
use svod::warehouse::refresh::RefreshProgress;
use svod::warehouse::{BatchRecord, Lake, LakeError};

use super::small_project::{Event, SmallProject, record, rows};
use crate::support::s3::{ACCESS_KEY, S3Server, SECRET_KEY};

/// A project whose lake lies in the bucket; each has a data directory of its own.
async fn server_at(endpoint: &str) -> SmallProject {
    let mut project = SmallProject::new().await;
    project.write("access", ACCESS_KEY);
    project.write("secret", SECRET_KEY);
    let store = S3Store {
        bucket: "svod".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        region: "us-east-1".to_owned(),
        path_style: true,
        access_key: Secret::File("access".to_owned()),
        secret_key: Secret::File("secret".to_owned()),
    };
    let address =
        LakeAddress { store, prefix: String::new(), cache_bytes: 1 << 20, project: project.root().to_owned() };
    fs_err::remove_dir_all(project.data_dir().join("lake")).unwrap();
    project.lake = Lake::open_at(&project.data_dir(), Some(&address)).await.unwrap();
    project
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_that_commit_at_once_one_is_refused_and_nothing_is_lost_or_doubled() {
    let store = S3Server::default();
    let endpoint = store.serve().await;
    let (one, other) = (server_at(&endpoint).await, server_at(&endpoint).await);
    let append = async |server: &SmallProject, pipeline: &str, number: i64| {
        let events = [Event::new(&format!("{pipeline}-{number}"), "registered", "2024-03-01T08:00:00Z")];
        let record = record(pipeline, number, &events);
        server.lake.append(server.contract(), &record, vec![rows(server.contract(), number, &events)]).await
    };
    append(&one, "first", 1).await.unwrap();
    let (mut committed, mut n_refused) = (BTreeSet::from(["first 1".to_owned()]), 0);
    for number in 2..30 {
        let appended = tokio::join!(append(&one, "first", number), append(&other, "second", number));
        for (pipeline, result) in [("first", appended.0), ("second", appended.1)] {
            match result {
                Ok(_) => assert!(committed.insert(format!("{pipeline} {number}"))),
                Err(LakeError::Overtaken { .. }) => n_refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(n_refused > 0, "the servers never met");
    let third = server_at(&endpoint).await;
    let version = third.lake.version("cases").await.unwrap().unwrap();
    let batches = third.lake.batches_between("cases", -1, version).await.unwrap();
    let found: Vec<String> = batches.iter().map(|batch| format!("{} {}", batch.pipeline, batch.number)).collect();
    assert_eq!(found.len(), committed.len());
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), committed);
    let n_rows: u64 = third.lake.files("cases", version).await.unwrap().iter().map(|file| file.rows).sum();
    assert_eq!(n_rows, committed.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_number_and_a_snapshot_that_another_server_took_are_refused() {
    let store = S3Server::default();
    let endpoint = store.serve().await;
    let (one, other) = (server_at(&endpoint).await, server_at(&endpoint).await);
    let events = [Event::new("A-1", "registered", "2024-03-01T08:00:00Z")];
    one.append(1, &events).await;
    let record = record("journal", 1, &events);
    let again = other.lake.append(other.contract(), &record, vec![rows(other.contract(), 1, &events)]).await;
    assert!(matches!(again, Err(LakeError::Overtaken { .. })), "{again:?}");
    assert_eq!(one.refresh().await.snapshot.number, 1);
    other
        .lake
        .append(other.contract(), &BatchRecord { pipeline: "portal".to_owned(), ..record }, Vec::new())
        .await
        .unwrap();
    let silent: RefreshProgress = Arc::new(|_| ());
    let error = other.try_refresh(&silent).await.unwrap_err();
    assert!(error.to_string().starts_with("another server published snapshot 1"), "{error}");
    let manifests: Vec<String> =
        store.change(|contents| contents.objects.keys().filter(|key| key.starts_with("snapshots/")).cloned().collect());
    assert_eq!(manifests, ["snapshots/000001.json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_goes_in_parts_and_comes_back_whole() {
    let store = S3Server::default();
    let server = server_at(&store.serve().await).await;
    // Ids that no encoding makes smaller.
    let id = |index: u32| -> String {
        (0..4).map(|part: u32| blake3::hash(&(index * 4 + part).to_le_bytes()).to_hex().to_string()).collect()
    };
    let events: Vec<Event> =
        (0..60_000).map(|index| Event::new(&id(index), "registered", "2024-03-01T08:00:00Z")).collect();
    let version = server.append(1, &events).await;
    assert_eq!(store.change(|contents| contents.n_uploads), 1);
    let files = server.lake.files("cases", version).await.unwrap();
    let written = fs_err::read(&files[0].path).unwrap();
    assert!(written.len() > 10 << 20, "{} bytes", written.len());
    fs_err::remove_file(&files[0].path).unwrap();
    assert_eq!(server.lake.known_hashes("cases", "2024-03").await.unwrap().len(), 60_000);
    assert!(fs_err::read(&files[0].path).unwrap() == written, "the file came back changed");
}
