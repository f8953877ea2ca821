//! What programs get.

use std::sync::Arc;

use serde_json::{Value, json};
use svod::intake::{History, RunRequest, pull_and_refresh};
use svod::warehouse::{BatchRecord, Lake, WarehouseLock};
use tempfile::TempDir;

use super::test_app::TestApp;
use crate::support::warehouse::{shipped_project, test_clock};

#[tokio::test]
async fn every_widget_of_every_dashboard_has_its_forms() {
    let app = TestApp::with_samples().await;
    for dashboard in app.get("/api/v1/dashboards").await.json().as_array().unwrap() {
        for widget in dashboard["widgets"].as_array().unwrap() {
            let address = widget["data"].as_str().unwrap();
            let data = app.get(address).await;
            assert_eq!(data.status, 200, "{address}: {}", data.text());
            let data = data.json();
            assert_eq!(data["id"], widget["id"]);
            assert!(data["snapshot"]["number"].as_u64().unwrap() > 0);
            assert!(!data["indicators"].as_array().unwrap().is_empty());
            let csv = app.get(&format!("{address}.csv")).await;
            assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
            assert!(csv.text().lines().count() > 1, "{address}");
            let human = app.get(&format!("{address}.csv?flavour=human")).await;
            assert!(human.text().starts_with('\u{FEFF}'));
            if widget["kind"] == "table" {
                assert_eq!(app.get(&format!("{address}.svg")).await.problem()["status"], 404);
            } else {
                let svg = app.get(&format!("{address}.svg?width=640")).await;
                assert_eq!(svg.header("content-type"), "image/svg+xml");
                assert!(svg.text().starts_with("<svg"), "{address}: {}", svg.text());
            }
        }
        let book = app.get(dashboard["workbook"].as_str().unwrap()).await;
        assert!(book.header("content-type").ends_with("spreadsheetml.sheet"));
        assert!(book.body.starts_with(b"PK"));
    }
}

#[tokio::test]
async fn a_picture_comes_as_png() {
    let png = TestApp::with_samples()
        .await
        .get("/api/v1/dashboards/governor/widgets/channels.png?width=400&theme=dark")
        .await;
    assert_eq!(png.header("content-type"), "image/png");
    assert!(png.body.starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn values_add_up_however_they_are_cut() {
    let app = TestApp::with_samples().await;
    let sum = |answer: &Value| -> f64 {
        answer["rows"].as_array().unwrap().iter().filter_map(|row| row["value"].as_f64()).sum()
    };
    let total = app.get("/api/v1/indicators/appeals/values").await.json();
    for query in ["by=municipality", "by=channel&by=category", "by=channel,category", "grain=month"] {
        let cut = app.get(&format!("/api/v1/indicators/appeals/values?{query}")).await.json();
        assert!((sum(&cut) - sum(&total)).abs() < 0.5, "{query}");
    }
    let rows = app.get("/api/v1/indicators/appeals/values?by=region").await.json();
    let first = &rows["rows"][0]["keys"][0];
    let code = first["code"].as_str().unwrap();
    assert_ne!(first["label"], first["code"]);
    let filtered = app.get(&format!("/api/v1/indicators/appeals/values?region={code}")).await.json();
    assert_eq!(filtered["rows"][0]["value"], rows["rows"][0]["value"]);
}

#[tokio::test]
async fn the_catalogue_tells_everything_about_an_indicator() {
    let app = TestApp::empty().await;
    let all = app.get("/api/v1/indicators?lang=en").await.json();
    assert!(all.as_array().unwrap().len() >= 15);
    let one = app.get("/api/v1/indicators/support_rate").await.json();
    for field in ["title", "description", "unit", "method", "source", "owner", "periodicity", "dimensions", "measures"]
    {
        assert!(!one[field].is_null(), "{field}");
    }
}

#[tokio::test]
async fn runs_balance() {
    let runs = TestApp::with_samples().await.get("/api/v1/runs").await.json();
    let number = |run: &Value, name: &str| run[name].as_i64().unwrap();
    assert!(!runs.as_array().unwrap().is_empty());
    for run in runs.as_array().unwrap().iter().flat_map(|run| run["pipelines"].as_array().unwrap()) {
        let parts = number(run, "accepted") + number(run, "duplicate") + number(run, "rejected");
        assert_eq!(number(run, "read"), parts, "{run}");
    }
}

/// A data directory with two batches that have no event, and the record of a run that is marked.
async fn warehouse_with_warnings() -> TempDir {
    let data = TempDir::new().unwrap();
    let project = shipped_project();
    let lake = Lake::open(data.path()).await.unwrap();
    for number in 1..=2 {
        let record = BatchRecord {
            pipeline: "samara_appeals".to_owned(),
            number,
            run: "run".to_owned(),
            file: format!("{number}.ndjson"),
            file_hash: "0".to_owned(),
            position: None,
            started_at: test_clock().now(),
            finished_at: test_clock().now(),
            read: 0,
            accepted: 0,
            duplicate: 0,
            rejected: 0,
            outside: 0,
            events: 0,
            last_event_at: Some("2026-11-18T08:00:00Z".parse().unwrap()),
            quarantine: None,
            warnings: Vec::new(),
        };
        lake.append(project.contracts.get("cases").unwrap(), &record, Vec::new()).await.unwrap();
    }
    let lock = WarehouseLock::acquire(data.path()).unwrap();
    let request = RunRequest::of(Vec::new());
    let pulling = pull_and_refresh(&project, data.path(), test_clock(), &request, &lock, Arc::new(|_| {}));
    let mut record = pulling.await.unwrap().record;
    let marked = json!({
        "pipeline": "samara_appeals", "state": "done", "files": 1, "unchanged": 0, "bytes": 0, "read": 0, "accepted": 0,
        "duplicate": 0, "rejected": 0, "outside": 0, "events": 0, "reasons": {}, "seconds": 0.0,
        "stages": {"find": 0.0, "read": 0.0, "commit": 0.0}, "warnings": ["первое <1>", "второе"], "failures": []
    });
    record.pipelines.push(serde_json::from_value(marked).unwrap());
    History::new(data.path()).write(&record, &lock).unwrap();
    data
}

#[tokio::test]
async fn what_marks_a_batch_is_told_by_the_api_and_on_the_page() {
    let app = TestApp::over_data(warehouse_with_warnings().await).await;
    let runs = app.get("/api/v1/runs").await.json();
    assert_eq!(runs.as_array().unwrap().len(), 1);
    assert_eq!(runs[0]["pipelines"][0]["warnings"], json!(["первое <1>", "второе"]));
    let page = app.get("/data").await;
    assert!(page.text().contains("Предупреждения") && page.text().contains("первое &lt;1&gt;"), "{}", page.text());
    // Events of Wednesday are there; those of Thursday were due by the end of Friday, and it is Saturday.
    assert!(page.text().contains("опаздывает с 20.11.2026 23:59"), "{}", page.text());
    let english = app.get("/data?lang=en").await;
    assert!(english.text().contains("late since 20.11.2026 23:59"), "{}", english.text());
}

#[tokio::test]
async fn operators_see_health_and_counters() {
    let app = TestApp::with_samples().await;
    assert_eq!(app.get("/healthz").await.json()["status"], "ok");
    assert_eq!(app.get("/readyz").await.json()["status"], "ready");
    let text = app.get("/metrics").await;
    for name in ["svod_snapshot_number", "svod_snapshot_rows{table=", "svod_freshness_seconds{pipeline="] {
        assert!(text.text().contains(name), "{name}");
    }
    assert!(app.get("/metrics").await.text().contains("svod_http_requests_total{route=\"/healthz\",status=\"200\"} 1"));
}

#[tokio::test]
async fn every_answer_is_protected() {
    let app = TestApp::empty().await;
    for path in ["/", "/nothing", "/api/v1/indicators", "/assets/style.css"] {
        let answer = app.get(path).await;
        assert!(answer.header("content-security-policy").starts_with("default-src 'self'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
    }
}
