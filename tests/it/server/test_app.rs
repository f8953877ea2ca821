//! The router without a socket: requests in, answers out.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use svod::project::Project;
use svod::server::router;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::support::warehouse::{app, app_over, sample_warehouse};

/// A server over the shipped project and a data directory.
pub struct TestApp {
    router: Router,
    _folders: Vec<TempDir>,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl TestApp {
    /// Over an empty data directory.
    pub async fn empty() -> Self {
        let data = TempDir::new().unwrap();
        Self { router: router(app(data.path()).await), _folders: vec![data] }
    }

    /// Over the shipped samples.
    pub async fn with_samples() -> Self {
        Self { router: router(app(sample_warehouse()).await), _folders: Vec::new() }
    }

    /// Over a project of its own and an empty data directory.
    pub async fn over(project: TempDir) -> Self {
        let data = TempDir::new().unwrap();
        let root = project.path().to_owned();
        // Apart from the test's own runtime, whose thread must not be blocked.
        let loaded = std::thread::spawn(move || Project::load(&root)).join().unwrap();
        let loaded = Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")));
        Self { router: router(app_over(loaded, data.path()).await), _folders: vec![project, data] }
    }

    /// Over a data directory.
    pub async fn over_data(data: TempDir) -> Self {
        Self { router: router(app(data.path()).await), _folders: vec![data] }
    }

    /// `GET` of a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// `GET` of a path by somebody who has an answer of this tag.
    pub async fn get_if_changed(&self, path: &str, tag: &str) -> Answer {
        self.send(Request::get(path).header(header::IF_NONE_MATCH, tag).body(Body::empty()).unwrap()).await
    }

    /// Any request.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Answer {
    /// A header's text, empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body as a problem, whose status is that of the answer.
    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        problem
    }
}
