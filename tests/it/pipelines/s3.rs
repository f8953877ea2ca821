//! Objects of an S3-compatible store: one in memory that checks signatures and speaks as much of the protocol as is used.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::yield_now;

use super::bench_project::{BenchProject, HEADER, JOURNAL};

const GOOD: &str = "15;25.03.2024;2;41000001;Иванов И. И.;112-233-445 95;29.03.2024;признан;1 234,50";
const OPEN: &str = "16;31.03.2024;1;41000002;Петров П. П.;;;-;";
const ACCESS_KEY: &str = "svod";
const SECRET_KEY: &str = "s3cret";

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
    fn tag(&self, key: &str) -> Option<String> {
        let hash = blake3::hash(&self.objects[key]).to_hex();
        (!self.has_no_tags).then(|| format!("\"{}\"", &hash[..32]))
    }

    fn list(&self, prefix: &str) -> Response {
        let mut xml = "<?xml version=\"1.0\"?><ListBucketResult><Name>registers</Name>".to_owned();
        for (key, body) in self.objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
            let tag = self.tag(key).map(|tag| format!("<ETag>{tag}</ETag>")).unwrap_or_default();
            let size = body.len();
            write!(xml, "<Contents><Key>{key}</Key><Size>{size}</Size>{tag}").unwrap();
            xml += "<LastModified>1970-01-01T00:00:00.000Z</LastModified></Contents>";
        }
        (StatusCode::OK, xml + "</ListBucketResult>").into_response()
    }

    fn get(&mut self, key: &str, headers: &HeaderMap) -> Response {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        let Some(body) = self.objects.get(key).cloned() else { return refuse(StatusCode::NOT_FOUND, "NoSuchKey") };
        let tag = self.tag(key);
        if text("if-match").is_some_and(|wanted| Some(wanted) != tag.as_deref()) {
            return refuse(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        let range = text("range").map(|range| range.trim_start_matches("bytes="));
        let first = range.map_or(0, |range| range.split('-').next().unwrap().parse().unwrap());
        self.asked.push((key.to_owned(), first as u64));
        let is_broken = self.n_broken > 0;
        self.n_broken = self.n_broken.saturating_sub(1);
        let n_bytes = body.len();
        let rest = Bytes::from(body).slice(first..);
        let (one, other) = (rest.slice(..rest.len() / 2), rest.slice(rest.len() / 2..));
        let end = async move {
            // What is sent so far leaves the server first.
            yield_now().await;
            if is_broken { Err(io::Error::other("broken")) } else { Ok(other) }
        };
        let mut response = Response::builder()
            .status(if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK })
            .header("content-length", rest.len())
            .header("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT");
        if range.is_some() {
            response = response.header("content-range", format!("bytes {first}-{}/{n_bytes}", n_bytes - 1));
        }
        if let Some(tag) = tag {
            response = response.header("etag", tag);
        }
        let chunks = stream::iter([Ok(one)]).chain(stream::once(end));
        response.body(Body::from_stream(chunks)).unwrap()
    }
}

fn refuse(status: StatusCode, code: &str) -> Response {
    (status, format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>")).into_response()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A text as signatures want it in an address.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded + &char::from(byte).to_string(),
        _ => encoded + &format!("%{byte:02X}"),
    })
}

/// Whether a request carries the signature (version 4) that only the holder of the keys can make.
fn is_signed(request: &Request) -> bool {
    let header = |name: &str| request.headers().get(name).map_or("", |value| value.to_str().unwrap());
    let authorization = header("authorization");
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(name)?;
        rest.split([',', ' ']).next()
    };
    let (Some(credential), Some(signed), Some(signature)) =
        (part("Credential="), part("SignedHeaders="), part("Signature="))
    else {
        return false;
    };
    let Some((ACCESS_KEY, scope)) = credential.split_once('/') else { return false };
    let query = request.uri().query().unwrap_or_default();
    let mut pairs: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| format!("{}={}", encode(&name), encode(&value)))
        .collect();
    pairs.sort();
    let headers = signed.split(';').fold(String::new(), |text, name| text + &format!("{name}:{}\n", header(name)));
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{}",
        request.method(),
        request.uri().path(),
        pairs.join("&"),
        header("x-amz-content-sha256")
    );
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", header("x-amz-date"));
    let key = scope.split('/').fold(format!("AWS4{SECRET_KEY}").into_bytes(), |key, part| hmac(&key, part));
    hex(&hmac(&key, &to_sign)) == signature
}

async fn answer(State(store): State<Store>, request: Request) -> Response {
    if !is_signed(&request) {
        return refuse(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
    }
    let path = format!("path={}", request.uri().path().trim_matches('/'));
    let path = url::form_urlencoded::parse(path.as_bytes()).next().unwrap().1;
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    if bucket != "registers" {
        return refuse(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    let mut contents = store.0.lock().unwrap();
    if !key.is_empty() {
        return contents.get(key, request.headers());
    }
    let query = request.uri().query().unwrap_or_default();
    let prefix = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "prefix");
    contents.list(&prefix.map(|(_, prefix)| prefix.into_owned()).unwrap_or_default())
}

impl Store {
    /// Serves the store at a free port of the loopback; its address.
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
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
        store.put_journal("in/b/journal-ж 1.csv", &[OPEN]);
        store.put_journal("in/a/journal-1.csv", &[GOOD]);
        for other in ["in/a/list.csv", "in/journal-1.csv", "in/a/b/journal-1.csv", "journal-1.csv"] {
            store.put_journal(other, &["broken"]);
        }
        let report = project.run().await;
        assert_eq!((report.files, report.read, report.events), (2, 2, 3));
        let keys: Vec<String> = store.asked().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["in/a/journal-1.csv", "in/b/journal-ж 1.csv"]);
        assert!(project.events(&["_file"]).await.contains(&"s3://registers/in/a/journal-1.csv".to_owned()));
        let report = project.run().await;
        assert_eq!((report.files, report.unchanged), (0, 2));
        assert_eq!(store.asked().len(), if has_no_tags { 2 } else { 0 });
        store.put_journal("in/b/journal-ж 1.csv", &[OPEN, "17;31.03.2024;1;41000002;;;;-;"]);
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
