//! Splits of a change: they add up to the last digit, and each part is the one that plain SQL gives.

use std::collections::BTreeMap;

use duckdb::Connection;
use proptest::prelude::*;
use serde_json::json;
use svod::domain::period::Period;
use svod::indicators::{Change, ChangeQuery, Engine, Exact, QueryError, Scope, SplitKind};

use super::against_duckdb::both_sides;
use super::memory::{Memory, catalog_of, declaration, engine_over, shipped_catalog};

fn periods() -> (Period, Period) {
    (Period::parse("2023-03", "2023-06").unwrap(), Period::parse("2023-07", "2024-01").unwrap())
}

async fn explain(engine: &Engine, indicator: &str, by: &str) -> Result<Change, QueryError> {
    let (from, to) = periods();
    let (indicator, by) = (indicator.to_owned(), by.to_owned());
    let wanted = ChangeQuery { indicator, by, filters: indexmap::IndexMap::default(), from, to, as_of: None };
    engine.explain_change(&Scope::all(), &wanted).await
}

/// Everything that has to add up does, to the last digit.
fn assert_adds_up(change: &Change) {
    let what = format!("{} by {}", change.indicator, change.by);
    assert_eq!(change.after - change.before, change.change, "{what}");
    let parts: Exact = change.parts.iter().map(|part| part.change).sum();
    assert_eq!(parts + change.overlap, change.change, "{what}");
    let Some(whole) = change.effects else { return };
    assert_eq!(whole.rate + whole.mix + change.overlap, change.change, "{what}");
    for part in &change.parts {
        let effects = part.effects.unwrap();
        assert_eq!(effects.rate + effects.mix, part.change, "{what} {:?}", part.key);
    }
}

#[tokio::test]
async fn every_indicator_by_every_dimension_adds_up_or_says_why_not() {
    let catalog = shipped_catalog();
    let (engine, _duckdb, _folder) = both_sides(catalog.clone());
    let mut refused = Vec::new();
    let mut n_split = 0;
    for indicator in catalog.iter() {
        for dimension in indicator.entity().dimensions() {
            match explain(&engine, indicator.id(), dimension.name()).await {
                Ok(change) => {
                    assert_adds_up(&change);
                    n_split += 1;
                }
                Err(QueryError::NotSplittable { indicator, .. } | QueryError::NeedsDimension { indicator, .. }) => {
                    refused.push(indicator);
                }
                Err(QueryError::NoValue { .. }) => {}
                Err(error) => panic!("{}: {error}", indicator.id()),
            }
        }
    }
    refused.dedup();
    let unsplittable = [
        "card_issue_hours",
        "critical_path",
        "freshness",
        "kpi_attainment",
        "kpi_value",
        "project_forecast",
        "project_risk_score",
    ];
    assert_eq!(refused, unsplittable);
    assert!(n_split > 200, "{n_split}");
}

/// Key and numbers of a table.
fn table(duckdb: &Connection, sql: &str, n_numbers: usize) -> BTreeMap<Option<String>, Vec<f64>> {
    let mut statement = duckdb.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let numbers = (1..=n_numbers).map(|at| row.get::<_, f64>(at)).collect::<Result<Vec<_>, _>>()?;
        Ok((row.get::<_, Option<String>>(0)?, numbers))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Rate and mix of a share by the textbook, in one SELECT that knows nothing of the engine.
fn share_sql(table: &str, day: &str, by: &str, hit: &str, base: &str) -> String {
    let (earlier, later) = periods();
    let within = |period: Period| format!("{day} BETWEEN DATE '{}' AND DATE '{}'", period.from, period.to);
    let (before, after) = (within(earlier), within(later));
    format!(
        "WITH g AS (
            SELECT {by}::VARCHAR AS k,
                   count(*) FILTER (({base}) AND {before})::DOUBLE AS d0,
                   count(*) FILTER (({base}) AND ({hit}) AND {before})::DOUBLE AS n0,
                   count(*) FILTER (({base}) AND {after})::DOUBLE AS d1,
                   count(*) FILTER (({base}) AND ({hit}) AND {after})::DOUBLE AS n1
            FROM {table} GROUP BY 1),
         s AS (SELECT sum(d0) AS s0, sum(d1) AS s1, 100 * sum(n0) / sum(d0) AS r0, 100 * sum(n1) / sum(d1) AS r1 FROM g),
         e AS (SELECT k, d0 / s0 AS w0, d1 / s1 AS w1, s.r0 AS big0, s.r1 AS big1,
                      coalesce(100 * n0 / nullif(d0, 0), 100 * n1 / nullif(d1, 0)) AS r0,
                      coalesce(100 * n1 / nullif(d1, 0), 100 * n0 / nullif(d0, 0)) AS r1
               FROM g, s WHERE d0 + d1 > 0)
         SELECT k, (w0 + w1) / 2 * (r1 - r0), (w1 - w0) * ((r0 + r1) / 2 - (big0 + big1) / 2) FROM e"
    )
}

#[tokio::test]
async fn rate_and_mix_are_those_of_plain_sql() {
    let (engine, duckdb, _folder) = both_sides(shipped_catalog());
    for (id, day, hit, base) in [
        ("support_rate", "registered_on", "provided_on IS NOT NULL", "TRUE"),
        ("contract_refusal_share", "decided_on", "status IS NOT DISTINCT FROM 'refused'", "support_group = 'contract'"),
    ] {
        for by in ["municipality", "service", "category"] {
            let change = explain(&engine, id, by).await.unwrap();
            let expected = table(&duckdb, &share_sql("cases", day, by, hit, base), 2);
            assert_eq!(
                (change.kind, change.parts.len(), change.overlap),
                (SplitKind::Ratio, expected.len(), Exact::ZERO)
            );
            for part in &change.parts {
                let effects = part.effects.unwrap();
                let [rate, mix] = expected[&part.key][..] else { panic!() };
                for (found, expected) in [(effects.rate, rate), (effects.mix, mix)] {
                    assert!(
                        (found.number() - expected).abs() <= 1e-5,
                        "{id} by {by} {:?}: {found} for {expected}",
                        part.key
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn sums_and_means_are_those_of_plain_sql() {
    let (engine, duckdb, _folder) = both_sides(shipped_catalog());
    let (from, to) = periods();
    let within = |period: Period, day: &str| format!("{day} BETWEEN DATE '{}' AND DATE '{}'", period.from, period.to);
    let sql = format!(
        "SELECT kind::VARCHAR, coalesce(sum(amount) FILTER ({}), 0) - coalesce(sum(amount) FILTER ({}), 0) FROM debts
         WHERE {0} OR {1} GROUP BY 1",
        within(to, "recorded_on"),
        within(from, "recorded_on"),
    );
    let change = explain(&engine, "debt_amount", "kind").await.unwrap();
    let expected = table(&duckdb, &sql.replace("FILTER (", "FILTER (WHERE "), 1);
    assert_eq!(change.parts.len(), expected.len());
    for part in &change.parts {
        let expected = expected[&part.key][0];
        assert!((part.change.number() - expected).abs() < 1e-6, "{:?}: {} for {expected}", part.key, part.change);
    }
    // A mean is the mean of the groups' means, weighted by how many values they have.
    let change = explain(&engine, "milestone_slip", "state").await.unwrap();
    let mean = |period: Period| -> f64 {
        let sql = format!("SELECT avg(slip_days)::DOUBLE FROM milestones WHERE {}", within(period, "planned_on"));
        duckdb.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(change.kind, SplitKind::Ratio);
    assert!((change.before.number() - mean(from)).abs() < 1e-6 && (change.after.number() - mean(to)).abs() < 1e-6);
}

/// Worked out by hand: in A 1 of 2, then 3 of 4; in B 4 of 8, then 1 of 4; C is new with 2 of 2.
#[tokio::test]
async fn a_small_share_by_hand() {
    let lines = "entity: cases\ntime: registered_on\nformula: \"100 * provided / registered\"\n\
                 measures: {registered: {count: {}}, provided: {count: {where: \"provided_on IS NOT NULL\"}}}";
    let catalog = catalog_of(&[("share", &declaration("share", lines))]).unwrap();
    let mut rows = Vec::new();
    for (day, place, all, provided) in [
        ("2023-03-01", "36740000", 2, 1),
        ("2023-03-01", "36602000", 8, 4),
        ("2023-08-01", "36740000", 4, 3),
        ("2023-08-01", "36602000", 4, 1),
        ("2023-08-01", "36701000", 2, 2),
    ] {
        for number in 0..all {
            let provided_on = (number < provided).then_some("2024-02-01");
            rows.push(json!({"case_id": format!("{}", rows.len()), "municipality": place, "registered_on": day, "provided_on": provided_on}));
        }
    }
    let memory = Memory::of(&catalog, &[("cases", json!(rows))]);
    let change = explain(&engine_over(catalog, memory), "share", "municipality").await.unwrap();
    assert_adds_up(&change);
    assert_eq!([change.before, change.after, change.change].map(Exact::number), [50.0, 60.0, 10.0]);
    // Weights 0.2, 0.8, 0 and 0.4, 0.4, 0.2; ratios 50, 50 and 75, 25, 100; the mean of the wholes is 55.
    let effects = |place: &str| {
        let part = change.parts.iter().find(|part| part.key.as_deref() == Some(place)).unwrap();
        part.effects.map(|effects| [effects.rate.number(), effects.mix.number()]).unwrap()
    };
    assert_eq!(effects("36740000"), [7.5, 1.5]);
    assert_eq!(effects("36602000"), [-15.0, 7.0]);
    assert_eq!(effects("36701000"), [0.0, 9.0]);
    // Above the line: 5, then 6, of 10 both times. No volume; the weights give what the ratios take.
    let whole = change.effects.unwrap();
    assert_eq!(whole.above.volume, Exact::ZERO);
    assert_eq!(whole.above.mix + whole.above.rate, Exact::nearest(100.0));
}

#[tokio::test]
async fn a_person_in_two_places_is_told_as_overlap() {
    let lines = "entity: cases\ntime: registered_on\nmeasures: {citizens: {distinct: {column: person_id}}}";
    let catalog = catalog_of(&[("citizens", &declaration("citizens", lines))]).unwrap();
    let case = |id: &str, person: &str, place: &str| json!({"case_id": id, "person_id": person, "municipality": place, "registered_on": "2023-08-01"});
    let rows = json!([case("1", "p", "36740000"), case("2", "p", "36602000"), case("3", "q", "36602000")]);
    let memory = Memory::of(&catalog, &[("cases", rows)]);
    let change = explain(&engine_over(catalog, memory), "citizens", "municipality").await.unwrap();
    assert_adds_up(&change);
    assert_eq!([change.change, change.overlap].map(Exact::number), [2.0, -1.0]);
}

#[tokio::test]
async fn a_median_is_refused_with_its_reason() {
    let (engine, _duckdb, _folder) = both_sides(shipped_catalog());
    let error = explain(&engine, "card_issue_hours", "municipality").await.unwrap_err();
    assert!(error.is_of_the_query());
    assert_eq!(
        error.to_string(),
        "the change of `card_issue_hours` cannot be split: it mixes a mean or a median with other measures, or is a median"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Random amounts with kopecks and random groups: sums, shares and means all add up.
    #[test]
    fn random_changes_add_up(rows in proptest::collection::vec((0..4usize, any::<bool>(), any::<bool>(), -9_000_000..9_000_000i64), 1..80)) {
        let measures = "{counted: {count: {}}, hits: {count: {where: \"provided_on IS NOT NULL\"}}, roubles: {sum: {column: amount}}}";
        let head = format!("entity: cases\ntime: registered_on\nmeasures: {measures}\nformula:");
        let catalog = catalog_of(&[
            ("sum", &declaration("sum", &format!("{head} \"roubles - 3 * hits\""))),
            ("share", &declaration("share", &format!("{head} \"hits * 100.0 / counted\""))),
            ("each", &declaration("each", &format!("{head} \"roubles / (counted + hits)\""))),
            ("mean", &declaration("mean", "entity: cases\ntime: registered_on\nmeasures: {mean: {mean: {column: amount}}}")),
        ]).unwrap();
        let places = ["36740000", "36602000", "36701000", "36704000"];
        let cases: Vec<_> = rows.iter().enumerate().map(|(number, (place, is_late, is_hit, kopecks))| json!({
            "case_id": number.to_string(), "municipality": places[*place], "amount": *kopecks as f64 / 100.0,
            "registered_on": if *is_late { "2023-08-01" } else { "2023-03-01" },
            "provided_on": is_hit.then_some("2024-02-01"),
        })).collect();
        let memory = Memory::of(&catalog, &[("cases", json!(cases))]);
        let engine = engine_over(catalog, memory);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let sides = [false, true].map(|side| rows.iter().any(|(_, is_late, ..)| *is_late == side));
        for indicator in ["sum", "share", "each", "mean"] {
            match runtime.block_on(explain(&engine, indicator, "municipality")) {
                Ok(change) => assert_adds_up(&change),
                Err(QueryError::NoValue { .. }) => prop_assert!(sides != [true, true] && indicator != "sum"),
                Err(error) => panic!("{error}"),
            }
        }
    }
}
