//! The command line and the API at once on one data directory.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use svod::clock::Clock;
use svod::indicators::Engine;
use svod::server::{App, router};
use svod::warehouse::Snapshots;
use tower::ServiceExt;

use super::run_project::{REGISTERS, RunProject};
use crate::support::NOW;

async fn app(project: &RunProject) -> axum::Router {
    let loaded = project.load();
    let clock = Clock::Fixed(NOW.parse().unwrap());
    let (catalog, reference, zone) = (loaded.indicators.clone(), loaded.reference.clone(), loaded.settings.time_zone);
    let engine = Engine::new(catalog, reference, zone, project.data(), clock).await.unwrap();
    router(App::new(loaded, engine, Snapshots::new(project.data()), project.data().to_owned(), clock))
}

async fn send(app: &axum::Router, request: Request<Body>) -> (StatusCode, Option<String>, Value) {
    let response = app.clone().oneshot(request).await.unwrap();
    let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, location, serde_json::from_slice(&body).unwrap_or_default())
}

async fn get(app: &axum::Router, path: &str) -> Value {
    send(app, Request::get(path).body(Body::empty()).unwrap()).await.2
}

async fn start(app: &axum::Router, pipeline: &str, body: &str) -> (StatusCode, Option<String>, Value) {
    let request =
        Request::post(format!("/api/v1/pipelines/{pipeline}/runs")).header("content-type", "application/json");
    send(app, request.body(Body::from(body.to_owned())).unwrap()).await
}

/// Asks for a run until it has ended.
async fn end_of(app: &axum::Router, location: &str) -> Value {
    for _ in 0..2400 {
        let record = get(app, location).await;
        if !matches!(record["state"].as_str(), Some("waiting" | "running")) {
            return record;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{location} does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_both_at_once_end_as_one_run() {
    let alone = RunProject::new();
    alone.write_registers();
    alone.program.succeed(["run"]);

    let project = RunProject::new();
    project.write_registers();
    let app = app(&project).await;
    let mut children: Vec<_> = (0..3).map(|_| project.program.command(["run"]).spawn().unwrap()).collect();
    let mut locations = Vec::new();
    for pipeline in REGISTERS {
        // The pipeline is free at some moment, whoever comes first.
        let location = loop {
            match start(&app, pipeline, "{}").await {
                (StatusCode::ACCEPTED, location, _) => break location.unwrap(),
                (StatusCode::CONFLICT, _, problem) => assert!(problem["run"].is_string(), "{problem}"),
                (status, _, problem) => panic!("{status} {problem}"),
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        locations.push(location);
    }
    for location in &locations {
        let record = end_of(&app, location).await;
        assert_eq!(record["state"], "done", "{record}");
    }
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(project.events(), alone.events());
    assert_eq!(project.figures(), alone.figures());
    assert_eq!(project.records().len(), 5);
    // The server sees what came in without being told.
    let figures = get(&app, "/api/v1/indicators/appeals/values").await;
    assert_eq!(figures["rows"][0]["value"], 60.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_by_hand_is_accepted_told_about_and_listed() {
    let project = RunProject::with("schedule: {cron: \"0 0 3 * * *\"}\n", "");
    project.write_registers();
    let app = app(&project).await;
    let (status, location, body) = start(&app, "first", "").await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    let location = location.unwrap();
    assert_eq!(location, format!("/api/v1/runs/{}", body["run"].as_str().unwrap()));
    let record = end_of(&app, &location).await;
    assert_eq!(record["started_by"], json!({"by": "api"}));
    assert_eq!([&record["pipelines"][0]["accepted"], &record["snapshot"]], [30, 1]);
    let listed = get(&app, "/api/v1/runs?pipeline=first&days=7").await;
    assert_eq!(listed, json!([record]));
    assert_eq!(get(&app, "/api/v1/runs?pipeline=second").await, json!([]));

    // The record of a run is there a moment before its pipeline is free again.
    let mut pipelines = get(&app, "/api/v1/pipelines?lang=en").await;
    for _ in 0..500 {
        if !pipelines[0]["next_run_at"].is_null() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        pipelines = get(&app, "/api/v1/pipelines?lang=en").await;
    }
    let [first, second] = &pipelines.as_array().unwrap()[..] else { panic!("{pipelines}") };
    assert_eq!(first["title"], "Journal first");
    assert_eq!(first["schedule"]["cron"], "0 0 3 * * *");
    assert_eq!(first["schedule"]["time_zone"], "Europe/Samara");
    assert_eq!(first["next_run_at"], "2026-11-21T23:00:00Z");
    assert_eq!(first["last_run"]["run"], record["run"]);
    assert_eq!([&first["running"], &second["last_run"]], [&Value::Null, &Value::Null]);

    let page = Request::get(format!("/runs/{}", record["run"].as_str().unwrap())).body(Body::empty()).unwrap();
    let page = app.clone().oneshot(page).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let page = String::from_utf8(page.to_vec()).unwrap();
    for words in [
        "выполнена, есть отклонённые строки",
        "программный интерфейс",
        "in/first-1.ndjson",
        "отклонено строк 30: type 30",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let data = Request::get("/data").body(Body::empty()).unwrap();
    let data = app.clone().oneshot(data).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let data = String::from_utf8(data.to_vec()).unwrap();
    let cell = format!("href=\"/runs/{}\"", record["run"].as_str().unwrap());
    assert!(data.contains(&cell) && data.contains("брак"), "{data}");
    assert!(data.contains("21.11.2026: часть строк отклонена; 1 загрузка, принято строк 30, отклонено 30"), "{data}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_cannot_be_is_a_problem() {
    let project = RunProject::new();
    let app = app(&project).await;
    for (pipeline, body, expected) in [
        ("frist", "{}", StatusCode::NOT_FOUND),
        ("first", "{\"since\": \"2026-13\"}", StatusCode::BAD_REQUEST),
        ("first", "{\"since\": \"2026\", \"full\": true}", StatusCode::BAD_REQUEST),
        ("first", "{\"sinse\": \"2026\"}", StatusCode::BAD_REQUEST),
        ("first", "{", StatusCode::BAD_REQUEST),
    ] {
        let (status, _, problem) = start(&app, pipeline, body).await;
        assert_eq!((status, &problem["status"]), (expected, &json!(expected.as_u16())), "{body}: {problem}");
    }
    // What a form of another site can send is refused before anything happens.
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let request = Request::post("/api/v1/pipelines/first/runs").header("content-type", content_type);
        let (status, _, problem) = send(&app, request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(
            (status, &problem["type"]),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, &json!("urn:svod:problem:not-json"))
        );
    }
    assert_eq!(get(&app, "/api/v1/runs").await, json!([]));
    assert_eq!(get(&app, "/api/v1/runs/nothing").await["status"], 404);
    assert_eq!(get(&app, "/api/v1/runs?days=0").await["status"], 400);
}
