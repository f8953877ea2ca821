//! The rows behind a figure: as many as it counts, pseudonyms only, and the plan of the engine.

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use svod::domain::period::{Grain, Period};
use svod::indicators::{Additivity, Query, Scope};

use super::against_duckdb::both_sides;
use super::memory::{ask, shipped_catalog};

/// How many rows a measure counts, by its column.
fn counted(rows: &[RecordBatch], measure: &str) -> f64 {
    let of =
        |batch: &RecordBatch| batch.column_by_name(&format!("counts_{measure}")).unwrap().as_boolean().true_count();
    rows.iter().map(of).sum::<usize>() as f64
}

/// Counts and stocks of every shipped indicator, cut by its first dimension, are as many as the rows that stand behind them.
#[tokio::test]
async fn behind_a_count_stand_as_many_rows() {
    let catalog = shipped_catalog();
    let (engine, _duckdb, _folder) = both_sides(catalog.clone());
    let mut n_compared = 0;
    for indicator in catalog.iter() {
        let counts = |at: usize| {
            let is_count = matches!(indicator.measures()[at].additivity(), Additivity::Flow | Additivity::Stock);
            // Sums of values count rows as well, but by their value.
            let sums = [
                "accepted",
                "amount",
                "nominal_amount",
                "outstanding",
                "plan",
                "read",
                "rejected",
                "relatives",
                "spent",
                "spent_amount",
                "suspensions",
            ];
            is_count && !sums.contains(&indicator.measures()[at].name())
        };
        let Some(dimension) = indicator.entity().dimensions().first() else { continue };
        let mut query =
            Query::of(indicator.id()).within(Period::parse("2023-12", "2024-03").unwrap()).grain(Grain::Quarter);
        for required in indicator.requires().iter().filter(|name| *name != dimension.name()) {
            query = query.by(required);
        }
        let figures = ask(&engine, query.by(dimension.name())).await;
        for row in figures.rows.iter().filter(|row| row.figure.value.is_some()).take(3) {
            let behind = engine.rows_behind(&Scope::all(), &figures.receipt(row), usize::MAX).await.unwrap();
            assert_eq!(behind.rows.iter().map(RecordBatch::num_rows).sum::<usize>(), behind.n_rows);
            for (at, measure) in indicator.measures().iter().enumerate().filter(|(at, _)| counts(*at)) {
                let what = format!("{}.{} {:?} {:?}", indicator.id(), measure.name(), row.keys, row.bucket);
                assert_eq!(Some(counted(&behind.rows, measure.name())), row.measures[at], "{what}");
                n_compared += 1;
            }
        }
    }
    assert!(n_compared > 50, "{n_compared}");
}

#[tokio::test]
async fn only_what_a_figure_is_made_of_is_shown() {
    let (engine, _duckdb, _folder) = both_sides(shipped_catalog());
    let query = Query::of("support_rate").by("municipality").filter("category", "pensioner");
    let figures = ask(&engine, query.within(Period::parse("2023", "2023").unwrap())).await;
    let receipt = figures.receipt(&figures.rows[0]);
    let behind = engine.rows_behind(&Scope::all(), &receipt, 2).await.unwrap();
    let names: Vec<String> = behind.rows[0].schema().fields().iter().map(|field| field.name().clone()).collect();
    let shown =
        ["case_id", "registered_on", "category", "municipality", "provided_on", "counts_registered", "counts_provided"];
    assert_eq!(names, shown);
    assert_eq!(behind.rows.iter().map(RecordBatch::num_rows).sum::<usize>(), behind.n_rows.min(2));

    let plan = engine.plan_behind(&Scope::all(), &receipt).await.unwrap();
    for part in ["measures:", "Aggregate:", "registered_on", "pensioner"] {
        assert!(plan.contains(part), "{part} in {plan}");
    }
    let stock = ask(&engine, Query::of("appeals_open")).await;
    let plan = engine.plan_behind(&Scope::all(), &stock.receipt(&stock.rows[0])).await.unwrap();
    assert!(plan.contains("opened, ") && plan.contains("closed, "), "{plan}");
}
