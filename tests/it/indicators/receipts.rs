//! Receipts: every figure can be named, computed again, and told apart from another one.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use svod::domain::figure::State;
use svod::domain::period::{Grain, Period};
use svod::indicators::{Catalog, Engine, Outcome, Query, Reason, Receipt, Scope, Verification};

use super::against_duckdb::both_sides;
use super::memory::{Memory, ask, catalog_of, declaration, engine_at, engine_over, now, shipped_catalog};

/// Three cases in two places, one of them still open.
fn cases() -> Value {
    json!([
        {"case_id": "1", "person_id": "p1", "municipality": "36740000", "status": "provided", "registered_on": "2024-01-05",
         "provided_on": "2024-02-10", "closed_on": "2024-02-10"},
        {"case_id": "2", "person_id": "p1", "municipality": "36740000", "status": "new", "registered_on": "2024-01-20"},
        {"case_id": "3", "person_id": "p2", "status": "refused", "registered_on": "2024-02-01", "closed_on": "2024-02-03"}
    ])
}

const REGISTERED: &str = "entity: cases\ntime: registered_on\nmeasures: {registered: {count: {}}}";

fn catalog(lines: &str) -> Catalog {
    catalog_of(&[("registered", &declaration("registered", lines))]).unwrap()
}

async fn verify(engine: &Engine, receipt: &Receipt) -> Verification {
    engine.verify_figure(&Scope::all(), receipt).await.unwrap()
}

#[tokio::test]
async fn every_figure_of_every_indicator_is_found_again() {
    let catalog = shipped_catalog();
    let (engine, _duckdb, _folder) = both_sides(catalog.clone());
    let mut texts = BTreeSet::new();
    let mut n_receipts = 0;
    for indicator in catalog.iter() {
        let mut query =
            Query::of(indicator.id()).within(Period::parse("2023-11", "2024-05").unwrap()).grain(Grain::Quarter);
        for required in indicator.requires() {
            query = query.by(required);
        }
        if let Some(dimension) =
            indicator.entity().dimensions().iter().find(|one| !query.by.contains(&one.name().into()))
        {
            query = query.by(dimension.name());
        }
        let figures = ask(&engine, query).await;
        let step = figures.rows.len().div_ceil(3).max(1);
        for row in figures.rows.iter().step_by(step) {
            let text = figures.receipt(row).to_string();
            let receipt: Receipt = text.parse().unwrap();
            let found = verify(&engine, &receipt).await;
            assert_eq!((found.outcome, found.reasons.as_slice()), (Outcome::Equal, [].as_slice()), "{text}");
            assert_eq!(found.figure, Some(row.figure));
            n_receipts += 1;
            texts.insert(text);
        }
    }
    assert_eq!(texts.len(), n_receipts);
    assert!(n_receipts > 100, "{n_receipts}");
}

#[tokio::test]
async fn a_receipt_outlives_the_day_and_the_next_snapshot() {
    let catalog = shipped_catalog();
    let folder = tempfile::tempdir().unwrap();
    let runs = json!([{"pipeline": "a", "batch": 1, "table": "cases", "file": "f", "finished_on": "2024-04-09",
        "last_event_at": "2024-04-10T07:00:00Z"}]);
    let memory = |catalog: &Catalog| Memory::of(catalog, &[("cases", cases()), ("runs", runs.clone())]);
    let engine = engine_at(catalog.clone(), memory(&catalog), now(), folder.path());
    let period = Period::parse("2024-02", "2024-05").unwrap();
    let by_day = ask(&engine, Query::of("appeals_open").within(period).grain(Grain::Month)).await;
    let by_moment = ask(&engine, Query::of("freshness").by("pipeline")).await;
    let not_due = by_day.receipt(&by_day.rows[3]);
    assert_eq!(by_day.rows[3].figure.state, State::NotDue);
    // Two months later, with one more snapshot.
    let later = now() + chrono::TimeDelta::days(61);
    let memory = memory(&catalog).and(&catalog, &[]);
    let engine = engine_at(catalog, memory, later, folder.path());
    for receipt in [not_due, by_day.receipt(&by_day.rows[1]), by_moment.receipt(&by_moment.rows[0])] {
        assert_eq!(verify(&engine, &receipt).await.outcome, Outcome::Equal, "{receipt}");
    }
    assert_eq!(by_moment.rows[0].figure.value, Some(60.0));
}

#[tokio::test]
async fn it_is_said_why_a_figure_is_another_one() {
    let shipped = catalog(REGISTERED);
    let engine = engine_over(shipped.clone(), Memory::of(&shipped, &[("cases", cases())]));
    let figures = ask(&engine, Query::of("registered").by("municipality")).await;
    let receipt = figures.receipt(&figures.rows[0]);
    assert_eq!((figures.rows[0].keys[0].as_deref(), figures.rows[0].figure.value), (Some("36740000"), Some(2.0)));

    let changed = engine.with_definitions(Arc::new(catalog(&format!("{REGISTERED}\nwhere: \"status <> 'new'\""))));
    let found = verify(&changed, &receipt).await;
    assert_eq!((found.outcome, found.reasons), (Outcome::Differs, vec![Reason::DefinitionChanged]));
    assert_eq!(found.figure.unwrap().value, Some(1.0));
    // Another title is another edition of the same figure.
    let renamed = declaration("registered", REGISTERED).replace("title: {ru: а", "title: {ru: б");
    let renamed = engine.with_definitions(Arc::new(catalog_of(&[("registered", &renamed)]).unwrap()));
    let found = verify(&renamed, &receipt).await;
    assert_eq!((found.outcome, found.reasons), (Outcome::Equal, vec![Reason::DefinitionChanged]));

    let gone = Receipt { snapshot: 9, ..receipt.clone() };
    assert_eq!(verify(&engine, &gone).await.reasons, [Reason::SnapshotGone]);
    let unknown = Receipt { indicator: "no_such".to_owned(), ..receipt.clone() };
    let found = verify(&engine, &unknown).await;
    assert_eq!((found.outcome, found.reasons), (Outcome::Gone, vec![Reason::IndicatorGone]));
    let elsewhere = Receipt { keys: vec![("municipality".to_owned(), Some("36602000".to_owned()))], ..receipt.clone() };
    assert_eq!(verify(&engine, &elsewhere).await.reasons, [Reason::RowGone]);
    let forged = Receipt { figure_hash: "0".repeat(16), ..receipt };
    let found = verify(&engine, &forged).await;
    assert_eq!((found.outcome, found.reasons), (Outcome::Differs, vec![Reason::DataDiffer]));
}
