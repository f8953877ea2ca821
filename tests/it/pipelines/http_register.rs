//! A register behind HTTP that answers as a test wants it to, and remembers what it was asked.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response, StatusCode};
use futures::StreamExt;
use futures::stream;
use http_body_util::BodyExt;
use svod::pipelines::PipelineReport;

use super::bench_project::BenchProject;

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// How many requests for the same path and parameters came before.
    pub(super) n_before: usize,
}

impl Asked {
    /// A parameter; empty if it is missing.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// A header; empty if it is missing.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A server on a free port.
pub(super) struct Register {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Register {
    /// Starts the server on the test's runtime.
    pub(super) async fn start(answer: impl Fn(&Asked) -> Response<Body> + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, asked) = router(answer);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, asked }
    }

    /// Address of a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// A parameter of all requests so far.
    pub(super) fn asked_for(&self, parameter: &str) -> Vec<String> {
        self.asked().iter().map(|asked| asked.parameter(parameter).to_owned()).collect()
    }
}

/// A router that answers everything by one function.
pub(super) fn router(
    answer: impl Fn(&Asked) -> Response<Body> + Send + Sync + 'static,
) -> (Router, Arc<Mutex<Vec<Asked>>>) {
    let asked = Arc::new(Mutex::new(Vec::<Asked>::new()));
    let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
    let router = Router::new().fallback(move |request: Request| {
        let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
        async move {
            let (head, body) = request.into_parts();
            let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
            let mut request = Asked {
                path: head.uri.path().to_owned(),
                query: query.into_owned().collect(),
                headers: head.headers,
                body: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
                n_before: 0,
            };
            let mut log = log.lock().unwrap();
            request.n_before = log.iter().filter(|one| one.path == request.path && one.query == request.query).count();
            log.push(request.clone());
            answer(&request)
        }
    });
    (router, asked)
}

/// An answer with a body.
pub(super) fn ok(body: impl Into<Body>) -> Response<Body> {
    Response::new(body.into())
}

/// An answer with a status and headers.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

/// A body that stops before its end: the connection breaks.
pub(super) fn broken(text: &str) -> Body {
    let start = stream::iter([Ok(Bytes::from(text.to_owned()))]);
    Body::from_stream(start.chain(stream::once(async {
        // The start has to be on its way before the connection breaks.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        Err(std::io::Error::other("broken on purpose"))
    })))
}

/// A body that begins and never ends.
pub(super) fn stuck(text: &str) -> Body {
    let start = stream::iter([Ok::<_, Infallible>(Bytes::from(text.to_owned()))]);
    Body::from_stream(start.chain(stream::pending()))
}

/// Rows of NDJSON, registered one day after the other.
pub(super) fn rows(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().map(|number| row(number) + "\n").collect()
}

/// A row of JSON.
pub(super) fn row(number: u32) -> String {
    let (day, hour) = (number % 28 + 1, number / 28 % 24);
    format!(r#"{{"id":"{number}","at":"2024-03-{day:02}","saved":"2024-04-{day:02}T{hour:02}:00:00Z"}}"#)
}

/// A project with a pipeline over an HTTP source. `source` are the keys of `http`, in YAML of one line.
pub(super) fn project(source: &str, format: &str) -> BenchProject {
    let project = BenchProject::new();
    declare(&project, source, format);
    project
}

/// Writes the pipeline of such a project anew.
pub(super) fn declare(project: &BenchProject, source: &str, format: &str) {
    let text = format!(
        "pipeline: journal
title: {{ru: События, en: Events}}
description: Events as a register logs them.
contract: cases
source: {{http: {{{source}}}}}
format: {format}
columns:
  - {{name: id, type: string, required: true}}
  - {{name: at, type: date, required: true}}
  - {{name: saved, type: timestamp}}
values:
  case_id: {{from: id}}
  municipality: {{const: \"41000001\"}}
recorded_at: saved
emit:
  - {{event: registered, at: at}}
"
    );
    project.write("pipelines/journal.yaml", &text);
}

/// Short waits, so that a test that sees all attempts is over soon.
pub(super) const SOON: &str = "retries: {attempts: 3, first_wait: 1ms, longest_wait: 2s}";

/// The only failure of a run, with everything that caused it.
pub(super) fn failure(report: PipelineReport) -> String {
    assert_eq!(report.failures.len(), 1, "{:?}", report.failures);
    format!("{:#}", anyhow::Error::from(report.failures.into_iter().next().unwrap().error))
}

/// The position in the state of the pipeline.
pub(super) fn position(project: &BenchProject) -> serde_json::Value {
    let state = svod::pipelines::PipelineState::path(&project.data_dir(), "journal");
    svod::pipelines::PipelineState::load(&state).unwrap().position.unwrap_or_default()
}
