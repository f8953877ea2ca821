//! Rows that are pushed over HTTP.

use std::io::Write;

use axum::body::Body;
use axum::http::{Request, header};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::test_app::{Answer, TestApp};
use crate::support::push::{case_events, pushed_project};

const ADDRESS: &str = "/api/v1/pipelines/case_events/events";

fn request(key: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(ADDRESS).header("Idempotency-Key", key);
    request.header(header::CONTENT_TYPE, "application/x-ndjson").body(body.into()).unwrap()
}

async fn push(app: &TestApp, key: &str, body: impl Into<Body>) -> Answer {
    app.send(request(key, body)).await
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn taken_rows_have_a_receipt_which_comes_again_with_the_same_key() {
    let app = TestApp::over(pushed_project("push: {}")).await;
    let rows = case_events(10).join("\n");
    let answer = push(&app, "a", rows.clone()).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let receipt = answer.json();
    let expected = serde_json::json!({
        "pipeline": "case_events", "received_at": "2026-11-21T08:00:00Z", "rows": 10, "set_aside": 0,
        "file": "push/000001.ndjson", "first_line": 1, "last_line": 10, "pending_rows": 10,
        "pending_bytes": rows.len() + 1,
    });
    assert_eq!(receipt, expected);
    assert_eq!(push(&app, "a", rows.clone()).await.json(), receipt);
    let mut packed = request("a", gzip(rows.as_bytes()));
    packed.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
    assert_eq!(app.send(packed).await.json(), receipt);
    let metrics = app.get("/metrics").await;
    assert!(metrics.text().contains("svod_push_pending_bytes{pipeline=\"case_events\"} "), "{}", metrics.text());
    let answer = push(&app, "a", "{}").await;
    assert_eq!(
        (answer.status.as_u16(), answer.problem()["type"].as_str().unwrap()),
        (409, "urn:svod:problem:key-reused")
    );
}

#[tokio::test]
async fn bad_rows_are_a_422_problem_that_names_each() {
    let app = TestApp::over(pushed_project("push: {}")).await;
    let rows = case_events(3);
    let body = [rows[0].as_str(), "{\"case_id\":\"x\"}", &rows[1].replace("\"36", "\"99"), "никак"].join("\n");
    insta::assert_json_snapshot!("bad_rows", push(&app, "a", body).await.problem(), { ".error_id" => "[id]" });
    assert_eq!(push(&app, "a", "\n").await.problem()["detail"], "the body has no rows");
    assert_eq!(push(&app, "a", rows.join("\n")).await.status, 202);
}

#[tokio::test]
async fn what_is_too_long_is_a_413_problem_packed_or_not() {
    let app = TestApp::over(pushed_project("push: {max_body_bytes: 1000}")).await;
    let rows = case_events(10).join("\n");
    let announced = {
        let mut request = request("a", rows.clone());
        request.headers_mut().insert(header::CONTENT_LENGTH, rows.len().into());
        request
    };
    let streamed = request("a", rows.clone());
    let mut bomb = request("a", gzip(&vec![b' '; 1 << 20]));
    bomb.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
    for request in [announced, streamed, bomb] {
        let problem = app.send(request).await.problem();
        assert_eq!(problem["status"], 413);
        let expected = "the body is longer than 1000 bytes, unpacked; send it in parts, each with a key of its own";
        assert_eq!(problem["detail"], expected);
    }
}

#[tokio::test]
async fn a_full_inbox_is_a_429_problem_with_a_time_to_come_again() {
    let app = TestApp::over(pushed_project("push: {max_body_bytes: 4000, max_pending_bytes: 4000}")).await;
    let rows = case_events(10);
    assert_eq!(push(&app, "a", rows.join("\n")).await.status, 202);
    let answer = push(&app, "b", rows.join("\n")).await;
    assert_eq!(answer.problem()["status"], 429, "{}", answer.text());
    assert_eq!(answer.header("retry-after"), "60");
}

#[tokio::test]
async fn requests_that_are_not_pushes_are_told_so() {
    let app = TestApp::over(pushed_project("push: {}")).await;
    let row = case_events(1).join("\n");
    let with = |name: &'static str, value: &str| {
        let mut request = request("a", row.clone());
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let without_key = {
        let mut request = request("a", row.clone());
        request.headers_mut().remove("Idempotency-Key");
        request
    };
    let elsewhere = Request::post("/api/v1/pipelines/case_event/events").body(Body::empty()).unwrap();
    for (request, status, detail) in [
        (without_key, 400, "expected one header `Idempotency-Key`"),
        (with("idempotency-key", &"k".repeat(256)), 400, "expected one header `Idempotency-Key`"),
        (with("content-type", "text/plain"), 415, "expected the content type `application/x-ndjson`"),
        (with("content-encoding", "br"), 415, "expected the content encoding `gzip`"),
        (with("content-encoding", "gzip"), 400, "the body is not whole gzip"),
        (elsewhere, 404, "there is no pipeline that takes pushed rows `case_event`; did you mean `case_events`?"),
    ] {
        let problem = app.send(request).await.problem();
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with(detail), "{problem}");
    }
    let shipped = TestApp::empty().await;
    let problem = push(&shipped, "a", row).await.problem();
    assert_eq!(problem["detail"], "there is no pipeline that takes pushed rows `case_events`; there are none");
}
