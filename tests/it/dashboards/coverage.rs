//! How many of those who had to report have done it.

use serde_json::{Value, json};
use svod::dashboards::{Coverage, Freshness, Sources, WidgetRequest, build_coverage};
use svod::domain::language::Lang;
use svod::domain::period::Period;
use svod::indicators::Scope;

use super::{date, load};
use crate::indicators::memory::shipped_engine;

const WIDGETS: &str = "widgets:\n  - {id: t, kind: tile, indicator: appeals}\n";

fn reports() -> Value {
    let report = |municipality: &str, month: &str, due: &str, n_events: u32| {
        json!({"report": "samara_appeals", "municipality": municipality, "occurred_month": month, "due_on": due,
               "n_events": n_events})
    };
    json!([
        report("36740000", "2024-01-01", "2024-02-05", 1),
        report("36602000", "2024-01-01", "2024-02-05", 1),
        report("36740000", "2024-02-01", "2024-03-05", 1),
        report("36602000", "2024-02-01", "2024-03-05", 0),
        report("36740000", "2024-03-01", "2024-04-12", 1),
        report("36602000", "2024-03-01", "2024-04-12", 0),
    ])
}

async fn coverage(lines: &str, request: WidgetRequest) -> Option<Coverage> {
    let engine = shipped_engine(&[("reports", reports())]);
    let sources = Sources { engine: &engine, freshness: Freshness::default(), today: date("2024-04-10") };
    build_coverage(&sources, &Scope::all(), &load(lines).unwrap(), &request).await.unwrap()
}

fn of(code: &str) -> WidgetRequest {
    WidgetRequest { filters: [("municipality".to_owned(), vec![code.to_owned()])].into(), ..WidgetRequest::default() }
}

#[tokio::test]
async fn the_last_month_that_is_due_counts() {
    let lines = format!("coverage: {{indicator: bodies_reported, of: owing}}\n{WIDGETS}");
    let found = coverage(&lines, WidgetRequest::default()).await.unwrap();
    assert_eq!((found.n_reported, found.n_owing, found.is_full()), (1.0, 2.0, false));
    assert_eq!(found.month.label(Lang::Ru), "февраль 2024");
    let january =
        WidgetRequest { period: Some(Period::parse("2024-01", "2024-01").unwrap()), ..WidgetRequest::default() };
    assert!(coverage(&lines, january).await.unwrap().is_full());
    let silent = coverage(&lines, of("36602000")).await.unwrap();
    assert_eq!((silent.n_reported, silent.n_owing), (0.0, 1.0), "nobody reported");
    let march =
        WidgetRequest { period: Some(Period::parse("2024-03", "2024-03").unwrap()), ..WidgetRequest::default() };
    assert_eq!(coverage(&lines, march).await, None, "nothing is due");
    assert_eq!(coverage(WIDGETS, WidgetRequest::default()).await, None, "nothing is declared");
}

#[test]
fn a_wrong_coverage_is_told_with_its_place() {
    let complaint = |coverage: &str| load(&format!("coverage: {coverage}\n{WIDGETS}")).unwrap_err().to_string();
    assert_eq!(
        complaint("{indicator: bodies_reported, of: owning}"),
        "error: dashboards/test.yaml:5:44: `of`: `bodies_reported` has no measure `owning`\n  \
         5 | coverage: {indicator: bodies_reported, of: owning}\n    \
         |                                            ^^^^^^  help: did you mean `owing`?"
    );
    assert!(complaint("{indicator: bodies, of: owing}").contains("unknown indicator `bodies`"));
    let text = complaint("{indicator: bodies_reported, of: owing, where: {report: [samara]}}");
    assert!(text.contains("`where`: `report` has no code `samara`"), "{text}");
}
