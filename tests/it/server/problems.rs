//! Errors of the API are problems that name what is wrong; errors of pages are pages.

use axum::body::Body;
use axum::http::Request;

use super::test_app::TestApp;

macro_rules! assert_problem {
    ($name:literal, $answer:expr) => {
        insta::assert_json_snapshot!($name, $answer.problem(), { ".error_id" => "[id]" });
    };
}

#[tokio::test]
async fn an_unknown_indicator_is_a_404_problem() {
    assert_problem!("unknown_indicator", TestApp::empty().await.get("/api/v1/indicators/suport_rate").await);
}

#[tokio::test]
async fn an_unknown_dashboard_is_a_404_problem() {
    assert_problem!("unknown_dashboard", TestApp::empty().await.get("/api/v1/dashboards/govenor").await);
}

#[tokio::test]
async fn an_unknown_path_of_the_api_is_a_404_problem() {
    assert_problem!("no_route", TestApp::empty().await.get("/api/v1/nothing").await);
}

#[tokio::test]
async fn another_method_is_a_405_problem() {
    let app = TestApp::empty().await;
    let request = Request::post("/api/v1/indicators").body(Body::empty()).unwrap();
    assert_problem!("no_method", app.send(request).await);
}

#[tokio::test]
async fn an_unknown_parameter_names_the_nearest() {
    let app = TestApp::with_samples().await;
    assert_problem!("unknown_parameter", app.get("/api/v1/indicators/appeals/values?grian=month").await);
    assert_problem!("unknown_dimension", app.get("/api/v1/indicators/appeals/values?municipalty=36701000").await);
}

#[tokio::test]
async fn wrong_values_of_parameters_are_400_problems() {
    let app = TestApp::with_samples().await;
    for query in
        ["grain=hour", "from=2024", "from=2025&to=2024", "as_of=last", "lang=de", "by=nothing", "grain=day&grain=week"]
    {
        let answer = app.get(&format!("/api/v1/indicators/appeals/values?{query}")).await;
        assert_eq!(answer.problem()["status"], 400, "{query}");
    }
}

#[tokio::test]
async fn an_unknown_snapshot_is_a_404_problem() {
    assert_eq!(
        TestApp::with_samples().await.get("/api/v1/indicators/appeals/values?as_of=999").await.problem()["status"],
        404
    );
}

#[tokio::test]
async fn an_empty_warehouse_says_what_to_do() {
    let app = TestApp::empty().await;
    assert_problem!("no_snapshot", app.get("/readyz").await);
    assert_eq!(app.get("/api/v1/indicators/appeals/values").await.problem()["status"], 503);
    assert_eq!(app.get("/api/v1/runs").await.json(), serde_json::json!([]));
    assert_eq!(app.get("/api/v1/dashboards/governor.xlsx").await.problem()["status"], 503);
}

#[tokio::test]
async fn an_error_of_a_page_is_a_page() {
    let app = TestApp::empty().await;
    let answer = app.get("/nothing").await;
    assert_eq!(answer.status, 404);
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(answer.text().contains("Такой страницы нет"));
    assert!(app.get("/dashboards/nothing?lang=en").await.text().contains("There is no such page"));
    assert_eq!(app.get("/?lang=de").await.status, 400);
}
