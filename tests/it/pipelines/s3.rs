//! Objects of an S3-compatible store: a real one as far as protocol and signatures go, with its objects in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::body::Bytes;
use futures::{StreamExt, stream};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    ETag, GetObjectInput, GetObjectOutput, ListObjectsV2Input, ListObjectsV2Output, Object, StreamingBlob, Timestamp,
};
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use tokio::net::TcpListener;
use tokio::task::yield_now;

use super::bench_project::{BenchProject, HEADER, JOURNAL};

const GOOD: &str = "15;25.03.2024;2;41000001;Иванов И. И.;112-233-445 95;29.03.2024;признан;1 234,50";
const OPEN: &str = "16;31.03.2024;1;41000002;Петров П. П.;;;-;";

/// The objects of the bucket `registers`.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    objects: BTreeMap<String, Vec<u8>>,
    has_no_tags: bool,
    /// Bodies that break off in their middle before a whole one is sent.
    n_broken: u32,
    /// Keys in the order in which bodies were asked for, with the first byte.
    asked: Vec<(String, u64)>,
}

impl Contents {
    fn tag(&self, key: &str) -> Option<ETag> {
        let hash = blake3::hash(&self.objects[key]).to_hex();
        (!self.has_no_tags).then(|| ETag::Strong(hash[..32].to_owned()))
    }
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        if request.input.bucket != "registers" {
            return Err(s3_error!(NoSuchBucket));
        }
        let contents = self.0.lock().unwrap();
        let prefix = request.input.prefix.unwrap_or_default();
        let objects = contents.objects.iter().filter(|(key, _)| key.starts_with(&prefix)).map(|(key, body)| Object {
            key: Some(key.clone()),
            size: i64::try_from(body.len()).ok(),
            e_tag: contents.tag(key),
            last_modified: Some(Timestamp::from(SystemTime::UNIX_EPOCH)),
            ..Object::default()
        });
        let objects = Some(objects.collect());
        Ok(S3Response::new(ListObjectsV2Output { contents: objects, ..ListObjectsV2Output::default() }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let mut contents = self.0.lock().unwrap();
        let GetObjectInput { key, range, if_match, .. } = request.input;
        let body = contents.objects.get(&key).cloned().ok_or_else(|| s3_error!(NoSuchKey))?;
        let tag = contents.tag(&key);
        if let Some(wanted) = if_match
            && !format!("{wanted:?}").contains(tag.as_ref().and_then(ETag::as_strong).unwrap())
        {
            return Err(s3_error!(PreconditionFailed));
        }
        let n_bytes = body.len();
        let first = range.map_or(Ok(0), |range| range.check(n_bytes as u64).map(|range| range.start))? as usize;
        contents.asked.push((key, first as u64));
        let is_broken = contents.n_broken > 0;
        contents.n_broken = contents.n_broken.saturating_sub(1);
        let rest = Bytes::from(body).slice(first..);
        let (one, other) = (rest.slice(..rest.len() / 2), rest.slice(rest.len() / 2..));
        let end = async move {
            // What is sent so far leaves the server first.
            yield_now().await;
            if is_broken { Err(io::Error::other("broken")) } else { Ok(other) }
        };
        let chunks = stream::iter([Ok(one)]).chain(stream::once(end));
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(rest.len()).ok(),
            content_range: (first > 0).then(|| format!("bytes {first}-{}/{n_bytes}", n_bytes - 1)),
            body: Some(StreamingBlob::wrap(chunks)),
            e_tag: tag,
            last_modified: Some(Timestamp::from(SystemTime::UNIX_EPOCH)),
            ..GetObjectOutput::default()
        }))
    }
}

impl Store {
    /// Serves the store at a free port of the loopback; its address.
    async fn serve(&self) -> String {
        let mut builder = S3ServiceBuilder::new(self.clone());
        builder.set_auth(SimpleAuth::from_single("svod", "s3cret"));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let service = service.clone();
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        address
    }

    fn put_journal(&self, key: &str, rows: &[&str]) {
        let text = format!("{HEADER}\r\n{}\r\n", rows.join("\r\n"));
        let body = encoding_rs::WINDOWS_1251.encode(&text).0.into_owned();
        self.0.lock().unwrap().objects.insert(key.to_owned(), body);
    }

    /// The keys that were asked for since the last time, with the first byte.
    fn asked(&self) -> Vec<(String, u64)> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }
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
        let store = Store::default();
        store.0.lock().unwrap().has_no_tags = has_no_tags;
        let project = project_at(&store.serve().await, "registers");
        store.put_journal("in/b/journal-1.csv", &[OPEN]);
        store.put_journal("in/a/journal-1.csv", &[GOOD]);
        for other in ["in/a/list.csv", "in/journal-1.csv", "in/a/b/journal-1.csv", "journal-1.csv"] {
            store.put_journal(other, &["broken"]);
        }
        let report = project.run().await;
        assert_eq!((report.files, report.read, report.events), (2, 2, 3));
        let keys: Vec<String> = store.asked().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["in/a/journal-1.csv", "in/b/journal-1.csv"]);
        assert!(project.events(&["_file"]).await.contains(&"s3://registers/in/a/journal-1.csv".to_owned()));
        let report = project.run().await;
        assert_eq!((report.files, report.unchanged), (0, 2));
        assert_eq!(store.asked().len(), if has_no_tags { 2 } else { 0 });
        store.put_journal("in/b/journal-1.csv", &[OPEN, "17;31.03.2024;1;41000002;;;;-;"]);
        let report = project.run().await;
        assert_eq!((report.files, report.unchanged, report.accepted, report.duplicate), (1, 1, 1, 1));
        assert!(!project.data_dir().join("fetched/journal").exists());
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_asked_for_from_where_it_broke() {
    let store = Store::default();
    let project = project_at(&store.serve().await, "registers");
    store.put_journal("in/a/journal-1.csv", &[GOOD, OPEN]);
    store.0.lock().unwrap().n_broken = 2;
    let report = project.run().await;
    assert_eq!((report.files, report.read, report.failures.len()), (1, 2, 0));
    let places: Vec<u64> = store.asked().into_iter().map(|(_, first)| first).collect();
    assert_eq!(places.len(), 3);
    assert!(places[0] == 0 && places[0] < places[1] && places[1] < places[2], "{places:?}");
}

#[tokio::test]
async fn wrong_keys_a_missing_bucket_and_a_silent_store_are_told() {
    let store = Store::default();
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
