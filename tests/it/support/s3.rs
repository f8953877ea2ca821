//! An S3-compatible store in memory: it checks signatures and speaks as much of the protocol as is used.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use hmac::{Hmac, KeyInit, Mac};
use regex::Regex;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::yield_now;

/// Whom the store knows.
pub const ACCESS_KEY: &str = "svod";
/// The key of signatures.
pub const SECRET_KEY: &str = "s3cret";
/// Its buckets, which share their objects: a test uses one of them.
const BUCKETS: [&str; 2] = ["registers", "svod"];

/// The store. Clones are the same store.
#[derive(Clone, Default)]
pub struct S3Server(Arc<Mutex<Contents>>);

/// What a store does with conditional writes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Conditions {
    /// As it should.
    #[default]
    Kept,
    /// It does not look at them.
    Ignored,
    /// It says that it does not know them.
    Unknown,
}

/// What the store holds, and how it misbehaves.
#[derive(Default)]
pub struct Contents {
    pub objects: BTreeMap<String, Vec<u8>>,
    parts: BTreeMap<(String, u32), Vec<u8>>,
    pub has_no_tags: bool,
    /// Bodies that break off in their middle before a whole one is sent.
    pub n_broken: u32,
    pub conditions: Conditions,
    /// Writes that still succeed; after them every request is answered 503. None: all succeed.
    pub n_writes_left: Option<u32>,
    /// The first write of a key that ends so is done, but answered 503.
    pub forgets_answer: Option<String>,
    /// Most keys of one answer to a list.
    pub page: Option<usize>,
    /// Uploads in parts that were begun.
    pub n_uploads: u32,
    /// Keys in the order in which bodies were asked for, with the first byte.
    asked: Vec<(String, u64)>,
}

/// A request, taken apart.
struct Asked<'a> {
    method: &'a Method,
    key: String,
    query: BTreeMap<String, String>,
    headers: &'a HeaderMap,
    body: Bytes,
}

impl Asked<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

impl Contents {
    fn tag(&self, key: &str) -> Option<String> {
        let hash = blake3::hash(self.objects.get(key)?).to_hex();
        (!self.has_no_tags).then(|| format!("\"{}\"", &hash[..32]))
    }

    fn answer(&mut self, asked: &Asked<'_>) -> Response {
        if self.n_writes_left == Some(0) {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        }
        if *asked.method != Method::GET && *asked.method != Method::HEAD {
            self.n_writes_left = self.n_writes_left.map(|n| n - 1);
        }
        let key = asked.key.as_str();
        let has = |name: &str| asked.query.contains_key(name);
        match *asked.method {
            Method::GET if key.is_empty() => self.list(asked),
            Method::GET | Method::HEAD => self.get(asked),
            Method::PUT if has("partNumber") => {
                let number: u32 = asked.parameter("partNumber").parse().unwrap();
                self.parts.insert((asked.parameter("uploadId").to_owned(), number), asked.body.to_vec());
                ([("etag", format!("\"part-{number}\""))], "").into_response()
            }
            Method::PUT => self.put_object(asked),
            Method::POST if has("delete") => {
                let body = String::from_utf8(asked.body.to_vec()).unwrap();
                let keys = Regex::new("<Key>([^<]*)</Key>").unwrap();
                let mut xml = "<DeleteResult>".to_owned();
                for found in keys.captures_iter(&body) {
                    self.objects.remove(&found[1]);
                    write!(xml, "<Deleted><Key>{}</Key></Deleted>", &found[1]).unwrap();
                }
                (StatusCode::OK, xml + "</DeleteResult>").into_response()
            }
            Method::POST if has("uploads") => {
                self.n_uploads += 1;
                let (id, bucket) = (self.n_uploads, BUCKETS[0]);
                let upload = format!("<Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId>");
                let xml = format!("<InitiateMultipartUploadResult>{upload}</InitiateMultipartUploadResult>");
                (StatusCode::OK, xml).into_response()
            }
            Method::POST => {
                let id = asked.parameter("uploadId").to_owned();
                let parts = self.parts.extract_if(.., |(of, _), _| *of == id).map(|(_, part)| part);
                let whole = parts.collect::<Vec<_>>().concat();
                self.objects.insert(key.to_owned(), whole);
                let tag = self.tag(key).unwrap_or_default();
                let xml = format!("<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>");
                (StatusCode::OK, xml).into_response()
            }
            Method::DELETE => {
                self.objects.remove(key);
                StatusCode::NO_CONTENT.into_response()
            }
            _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }

    fn put_object(&mut self, asked: &Asked<'_>) -> Response {
        let key = asked.key.as_str();
        let there = self.objects.contains_key(key);
        let is_met = asked.header("if-none-match").is_none_or(|_| !there)
            && asked.header("if-match").is_none_or(|wanted| Some(wanted) == self.tag(key).as_deref());
        let is_conditional = asked.header("if-none-match").or(asked.header("if-match")).is_some();
        match self.conditions {
            Conditions::Kept if !is_met => return refuse(StatusCode::PRECONDITION_FAILED, "PreconditionFailed"),
            Conditions::Unknown if is_conditional => return refuse(StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
            _ => {}
        }
        self.objects.insert(key.to_owned(), asked.body.to_vec());
        if self.forgets_answer.as_ref().is_some_and(|ending| key.ends_with(ending.as_str())) {
            self.forgets_answer = None;
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        }
        ([("etag", self.tag(key).unwrap_or_default())], "").into_response()
    }

    fn list(&self, asked: &Asked<'_>) -> Response {
        let (prefix, delimiter) = (asked.parameter("prefix"), asked.parameter("delimiter"));
        let after = asked.parameter("continuation-token").max(asked.parameter("start-after"));
        let keys = self.objects.keys().filter(|key| key.starts_with(prefix) && key.as_str() > after);
        let mut page: Vec<&String> = keys.collect();
        let is_cut = page.len() > self.page.unwrap_or(1000);
        page.truncate(self.page.unwrap_or(1000));
        let mut xml = format!("<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>{is_cut}</IsTruncated>");
        if let Some(last) = page.last().filter(|_| is_cut) {
            write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>").unwrap();
        }
        let mut folders = Vec::new();
        for key in page {
            let rest = &key[prefix.len()..];
            if let Some((folder, _)) = rest.split_once(delimiter).filter(|_| !delimiter.is_empty()) {
                let folder = format!("{prefix}{folder}{delimiter}");
                if !folders.contains(&folder) {
                    write!(xml, "<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>").unwrap();
                    folders.push(folder);
                }
                continue;
            }
            let tag = self.tag(key).map(|tag| format!("<ETag>{tag}</ETag>")).unwrap_or_default();
            let size = self.objects[key].len();
            write!(xml, "<Contents><Key>{key}</Key><Size>{size}</Size>{tag}").unwrap();
            xml += "<LastModified>1970-01-01T00:00:00.000Z</LastModified></Contents>";
        }
        (StatusCode::OK, xml + "</ListBucketResult>").into_response()
    }

    fn get(&mut self, asked: &Asked<'_>) -> Response {
        let key = asked.key.as_str();
        let Some(body) = self.objects.get(key).cloned() else { return refuse(StatusCode::NOT_FOUND, "NoSuchKey") };
        let tag = self.tag(key);
        if asked.header("if-match").is_some_and(|wanted| Some(wanted) != tag.as_deref()) {
            return refuse(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        let n_bytes = body.len();
        let range = asked.header("range").map(|range| range.trim_start_matches("bytes=").split_once('-').unwrap());
        let (first, end) = match range {
            None => (0, n_bytes),
            Some(("", last)) => (n_bytes - last.parse::<usize>().unwrap().min(n_bytes), n_bytes),
            Some((first, "")) => (first.parse().unwrap(), n_bytes),
            Some((first, last)) => (first.parse().unwrap(), n_bytes.min(last.parse::<usize>().unwrap() + 1)),
        };
        let mut response = Response::builder()
            .status(if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK })
            .header("content-length", end - first)
            .header("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT");
        if range.is_some() {
            response = response.header("content-range", format!("bytes {first}-{}/{n_bytes}", end - 1));
        }
        if let Some(tag) = tag {
            response = response.header("etag", tag);
        }
        if *asked.method == Method::HEAD {
            return response.body(Body::empty()).unwrap();
        }
        self.asked.push((key.to_owned(), first as u64));
        let is_broken = self.n_broken > 0;
        self.n_broken = self.n_broken.saturating_sub(1);
        let rest = Bytes::from(body).slice(first..end);
        let (one, other) = (rest.slice(..rest.len() / 2), rest.slice(rest.len() / 2..));
        let end = async move {
            // What is sent so far leaves the server first.
            yield_now().await;
            if is_broken { Err(io::Error::other("broken")) } else { Ok(other) }
        };
        response.body(Body::from_stream(stream::iter([Ok(one)]).chain(stream::once(end)))).unwrap()
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

async fn answer(State(store): State<S3Server>, request: Request) -> Response {
    if !is_signed(&request) {
        return refuse(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
    }
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
    let hash = head.headers.get("x-amz-content-sha256").map_or("", |value| value.to_str().unwrap());
    if hash != "UNSIGNED-PAYLOAD" && hash != hex(&Sha256::digest(&body)) {
        return refuse(StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch");
    }
    let path = format!("path={}", head.uri.path().trim_matches('/'));
    let path = url::form_urlencoded::parse(path.as_bytes()).next().unwrap().1;
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    if !BUCKETS.contains(&bucket) {
        return refuse(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let asked = Asked { method: &head.method, key: key.to_owned(), query, headers: &head.headers, body };
    store.0.lock().unwrap().answer(&asked)
}

impl S3Server {
    /// Serves the store at a free port of the loopback; its address.
    pub async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        address
    }

    /// Serves the store from a thread of its own, for tests that start programs.
    pub fn serve_apart(&self) -> String {
        let (sender, address) = std::sync::mpsc::channel();
        let store = self.clone();
        std::thread::spawn(move || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                sender.send(store.serve().await).unwrap();
                std::future::pending::<()>().await;
            });
        });
        address.recv().unwrap()
    }

    /// Looks at what the store holds, or changes it.
    pub fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// Puts an object.
    pub fn put(&self, key: &str, body: Vec<u8>) {
        self.change(|contents| contents.objects.insert(key.to_owned(), body));
    }

    /// The keys that were asked for since the last time, with the first byte.
    pub fn asked(&self) -> Vec<(String, u64)> {
        self.change(|contents| std::mem::take(&mut contents.asked))
    }
}
