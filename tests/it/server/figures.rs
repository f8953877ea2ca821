//! Receipts, plans and explanations as programs get them.

use serde_json::Value;

use super::test_app::TestApp;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[tokio::test]
async fn a_receipt_from_any_answer_is_verified() {
    let app = TestApp::with_samples().await;
    let values = app.get("/api/v1/indicators/support_rate/values?by=municipality&from=2025-01&to=2026-06").await.json();
    let widget = app.get("/api/v1/dashboards/governor/widgets/channels").await.json();
    for row in [&values["rows"][3], &widget["rows"][0]] {
        let receipt = row["receipt"].as_str().unwrap();
        let found = app.get(&format!("/api/v1/receipts/{receipt}?lang=en")).await.json();
        assert_eq!(
            (&found["outcome"], &found["value"], &found["receipt"]),
            (&"equal".into(), &row["value"], &row["receipt"])
        );
        assert_eq!(found["reasons"], Value::Array(Vec::new()));
        assert!(!found["policy"].as_str().unwrap().is_empty());
    }
    let tile = app.get("/api/v1/dashboards/governor/widgets/support_rate").await.json();
    let found = app.get(&format!("/api/v1/receipts/{}", tile["total"]["receipt"].as_str().unwrap())).await.json();
    assert_eq!((&found["outcome"], &found["value"]), (&"equal".into(), &tile["total"]["value"]));
    // One character is another: no receipt.
    let receipt = values["rows"][0]["receipt"].as_str().unwrap().replacen("support_rate", "support_rata", 1);
    let problem = app.get(&format!("/api/v1/receipts/{receipt}")).await.problem();
    assert_eq!(
        (&problem["status"], &problem["detail"]),
        (&400.into(), &"the receipt is cut off or mistyped: its checksum does not fit".into())
    );
}

#[tokio::test]
async fn values_come_with_their_plan() {
    let app = TestApp::with_samples().await;
    let address = "/api/v1/indicators/kpi_value/values?kpi=1.2&from=2024-03&to=2024-05&grain=month";
    let planned = app.get(&format!("{address}&plan=current&lang=en")).await.json();
    let plans: Vec<f64> = planned["rows"].as_array().unwrap().iter().map(|row| number(&row["plan"]["value"])).collect();
    assert_eq!(plans, [0.0, 1.0, 1.0]);
    assert_eq!(planned["rows"][0]["plan"]["act_on"], "2024-01-01");
    assert_eq!(planned["rows"][0]["plan"]["attainment"]["state"], "no_direction");
    assert!(app.get(address).await.json()["rows"][0]["plan"].is_null());
    let problem = app.get(&format!("{address}&plan=last")).await.problem();
    assert!(problem["detail"].as_str().unwrap().contains("`last` is no version of a plan"), "{problem}");
}

#[tokio::test]
async fn a_change_is_split_and_adds_up() {
    let app = TestApp::with_samples().await;
    for (id, by) in [("appeals", "municipality"), ("support_rate", "service"), ("support_rate", "category")] {
        let change =
            app.get(&format!("/api/v1/indicators/{id}/change?from=2025-Q1&to=2025-04/2025-06&by={by}")).await.json();
        let parts: f64 = change["parts"].as_array().unwrap().iter().map(|part| number(&part["change"])).sum();
        let whole = number(&change["change"]);
        assert!((parts + number(&change["overlap"]) - whole).abs() < 1e-6, "{id} by {by}: {parts} of {whole}");
        assert!((number(&change["after"]) - number(&change["before"]) - whole).abs() < 1e-6);
    }
    let problem = app.get("/api/v1/indicators/appeals/change?from=2025&to=2026").await.problem();
    assert_eq!(problem["detail"], "parameter `by` is missing");
    let problem = app.get("/api/v1/indicators/appeals/change?from=2025&to=2026&by=channel&colour=red").await.problem();
    assert!(problem["detail"].as_str().unwrap().starts_with("parameter `colour` is unknown"), "{problem}");
    let problem =
        app.get("/api/v1/indicators/kpi_value/change?from=2024-03&to=2024-09&by=project&kpi=1.1").await.problem();
    assert!(problem["detail"].as_str().unwrap().contains("cannot be split"), "{problem}");
}

#[tokio::test]
async fn between_a_snapshot_and_itself_nothing_changes() {
    let app = TestApp::with_samples().await;
    let revision = app.get("/api/v1/indicators/appeals/revision?before=1&after=1&from=2025-01&to=2025-12").await.json();
    assert_eq!((number(&revision["change"]), revision["parts"].as_array().unwrap().len()), (0.0, 4));
    assert!(number(&revision["before"]) > 0.0);
    let unknown = app.get("/api/v1/indicators/appeals/revision?before=1&after=99").await;
    assert_eq!(unknown.status, 404);
}
