//! Why a published figure changed: parts worked out by hand, over two snapshots.

use std::sync::Arc;

use serde_json::{Value, json};
use svod::domain::period::Period;
use svod::indicators::{Catalog, Cause, Engine, Exact, Query, QueryError, Revision, RevisionQuery, Scope};

use super::memory::{Memory, catalog_with, declaration, engine_over};

const METHOD: &str = "entity: cases\ntime: registered_on\nmeasures: {it: {count: {where: \"provided_on < today\"}}}";

fn catalog(lines: &str) -> Catalog {
    let plan = |name: &str, day: &str| {
        format!("plan: {name}\ntitle: {{ru: а, en: a}}\nact: {{ru: а, en: a}}\nact_on: {day}\n")
    };
    catalog_with(&[
        ("sql/indicators/it.yaml", &declaration("it", lines)),
        ("warehouse/plans/first.yaml", &plan("first", "2024-01-01")),
        ("warehouse/plans/first.csv", "indicator,period,value\nit,2024-01,10\n"),
        ("warehouse/plans/second.yaml", &plan("second", "2024-02-15")),
        ("warehouse/plans/second.csv", "indicator,period,value\nit,2024-01,20\n"),
    ])
    .unwrap()
}

fn case(id: &str, registered_on: &str, provided_on: Option<&str>) -> Value {
    json!({"case_id": id, "registered_on": registered_on, "provided_on": provided_on})
}

/// The first snapshot is of the 1st of February, the second of the 1st of March.
fn engine(catalog: &Catalog) -> Engine {
    let first = json!([
        case("1", "2024-01-05", Some("2024-01-20")),
        case("2", "2024-01-06", None),
        case("3", "2024-01-07", Some("2024-02-10")),
        case("4", "2024-01-08", Some("2024-01-09")),
        case("5", "2024-01-09", Some("2024-01-10")),
    ]);
    let second = json!([
        case("1", "2024-01-05", Some("2024-01-20")),
        // Corrected: was provided in January after all.
        case("2", "2024-01-06", Some("2024-01-30")),
        // Falls due by itself between the snapshots.
        case("3", "2024-01-07", Some("2024-02-10")),
        // Corrected: belongs to December. The fifth is gone.
        case("4", "2023-12-08", Some("2024-01-09")),
        // Late: three cases of January, one of them provided in January, one in February, one never.
        case("6", "2024-01-10", Some("2024-01-11")),
        case("7", "2024-01-11", Some("2024-02-12")),
        case("8", "2024-01-12", None),
        case("9", "2024-02-12", Some("2024-02-12")),
    ]);
    let memory = Memory::of(catalog, &[("cases", first)]).and(catalog, &[("cases", second)]);
    engine_over(catalog.clone(), memory)
}

async fn explain(engine: &Engine, definitions: Option<Catalog>, of_attainment: bool) -> Result<Revision, QueryError> {
    let query = Query::of("it").within(Period::parse("2024-01", "2024-01").unwrap());
    let definitions = definitions.map(Arc::new);
    let wanted = RevisionQuery { query, from: 1, to: 2, definitions, of_attainment };
    engine.explain_revision(&Scope::all(), &wanted).await
}

fn parts(revision: &Revision) -> Vec<(Cause, f64)> {
    let sum: Exact = revision.parts.iter().map(|part| part.change).sum();
    assert_eq!(sum, revision.change);
    assert_eq!(revision.after - revision.before, revision.change);
    revision.parts.iter().map(|part| (part.cause, part.change.number())).collect()
}

#[tokio::test]
async fn each_cause_has_its_part() {
    // Then only cases were counted that were provided; today all that are registered are.
    let today = catalog("entity: cases\ntime: registered_on\nmeasures: {it: {count: {}}}");
    let revision = explain(&engine(&today), Some(catalog(METHOD)), false).await.unwrap();
    // Published: 1, 4, 5. Late: 6. Corrections: 2 comes, 4 and 5 go. Time: 3 and 7 fall due. Method: 8 counts.
    assert_eq!([revision.before, revision.after].map(Exact::number), [3.0, 6.0]);
    assert_eq!(
        parts(&revision),
        [(Cause::LateRows, 1.0), (Cause::Corrections, -1.0), (Cause::Time, 2.0), (Cause::Method, 1.0)]
    );
}

#[tokio::test]
async fn attainment_changes_with_its_plan_as_well() {
    let same = catalog(METHOD);
    let revision = explain(&engine(&same), None, true).await.unwrap();
    // 3 of 10 became 5 of 20.
    assert_eq!([revision.before, revision.after].map(Exact::number), [30.0, 25.0]);
    assert_eq!(
        parts(&revision),
        [
            (Cause::LateRows, 10.0),
            (Cause::Corrections, -10.0),
            (Cause::Time, 20.0),
            (Cause::Method, 0.0),
            (Cause::Plan, -25.0)
        ]
    );
}

#[tokio::test]
async fn without_a_plan_there_is_no_attainment_to_explain() {
    let lines = declaration("it", METHOD);
    let catalog = catalog_with(&[("sql/indicators/it.yaml", &lines)]).unwrap();
    let error = explain(&engine(&catalog), None, true).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no plan of `it` from 2024-01-01 to 2024-01-31");
}
