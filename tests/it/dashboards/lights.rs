//! Lights of tiles under the shipped policy: level, trend, coverage, and the sentence that says why.

use serde_json::json;
use svod::dashboards::{Light, WidgetRequest};

use super::{build, build_all, cases, load};
use crate::indicators::memory::shipped_engine;

#[tokio::test]
async fn a_tile_says_why_it_has_its_colour() {
    let tile = build(&[("cases", cases())], "  - {id: t, kind: tile, indicator: support_rate, compare: none}").await;
    assert_eq!(tile.status.light, Light::Bad);
    assert_eq!(tile.status.why, "Красный: ниже допустимого 60 (правило проекта до утверждения методики региона).");
    assert!(tile.total.unwrap().receipt.starts_with("svod1.support_rate."));
}

#[tokio::test]
async fn bad_and_getting_better_is_yellow() {
    // A year ago none of one case was provided, now two of four are.
    let tile = build(&[("cases", cases())], "  - {id: t, kind: tile, indicator: support_rate}").await;
    assert_eq!(tile.comparison.unwrap().value, Some(0.0));
    assert_eq!((tile.status.light, tile.status.reason.as_str()), (Light::Attention, "ниже допустимого 60, растёт"));
    assert!(tile.status.why.contains("меняется к лучшему (+50,0 п. п.)"), "{}", tile.status.why);
}

#[tokio::test]
async fn too_few_reports_make_it_grey() {
    let report = |municipality: &str, n_events: u32| {
        json!({"report": "samara_appeals", "municipality": municipality, "occurred_month": "2024-01-01", "due_on": "2024-02-05",
               "n_events": n_events})
    };
    let lines = "coverage: {indicator: bodies_reported, of: owing}\nwidgets:\n  - {id: t, kind: tile, indicator: support_rate}\n";
    let dashboard = load(lines).unwrap();
    for (n_events, light) in [(0, Light::None), (1, Light::Attention)] {
        let reports = json!([report("36740000", 1), report("36602000", n_events)]);
        let engine = shipped_engine(&[("cases", cases()), ("reports", reports)]);
        let tile = build_all(&engine, &dashboard, &WidgetRequest::default()).await.unwrap().remove(0);
        assert_eq!(tile.status.light, light, "{:?}", tile.status);
        if light == Light::None {
            assert_eq!(tile.status.reason, "отчитались 50 % при необходимых 80 %");
        }
    }
}
