//! Stocks against a brute-force count over random histories.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use serde_json::{Value, json};
use svod::domain::period::{Grain, Period};
use svod::indicators::Query;

use super::memory::{Memory, ask, engine_at, shipped_catalog};

/// Opened and closed on, as days after the first of January 2023; a closing may even lie before its opening.
type History = Vec<(u64, Option<u64>)>;

fn day(offset: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2023, 1, 1).unwrap() + Days::new(offset)
}

fn rows(history: &History) -> Value {
    history
        .iter()
        .enumerate()
        .map(|(number, (opened, closed))| {
            json!({"case_id": number.to_string(), "registered_on": day(*opened), "closed_on": closed.map(day),
                   "status": if number % 3 == 0 { "new" } else { "provided" }})
        })
        .collect()
}

/// Open on the evening of a day: opened on or before it, not closed on or before it.
fn open_at(history: &History, evening: NaiveDate, third: Option<bool>) -> f64 {
    let is_open = |(number, (opened, closed)): &(usize, &(u64, Option<u64>))| {
        third.is_none_or(|third| (number % 3 == 0) == third)
            && day(*opened) <= evening
            && closed.is_none_or(|closed| day(closed) > evening)
    };
    history.iter().enumerate().filter(is_open).count() as f64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_stock_is_what_is_open_at_the_end_of_each_bucket(
        history in prop::collection::vec((0_u64..500, prop::option::of(0_u64..500)), 0..60),
        from in 0_u64..500,
        length in 0_u64..300,
        grain in prop::sample::select(Grain::ALL.to_vec()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let catalog = shipped_catalog();
        let memory = || Memory::of(&catalog, &[("cases", rows(&history))]);
        let folder = std::env::temp_dir().join("svod-indicator-tests");
        let engine = engine_at(catalog.clone(), memory(), "2026-01-01T00:00:00Z".parse().unwrap(), &folder);
        let period = Period { from: day(from), to: day(from + length) };
        let query = Query::of("appeals_open").within(period);
        runtime.block_on(async {
            let by_bucket = ask(&engine, query.clone().grain(grain)).await;
            prop_assert_eq!(by_bucket.rows.len(), period.buckets(grain).len());
            for row in &by_bucket.rows {
                let evening = grain.end(row.bucket.unwrap()).min(period.to);
                prop_assert_eq!(row.figure.value, Some(open_at(&history, evening, None)), "{}", evening);
            }
            // Without a period it is what is open today, whatever is known to end or to begin later.
            let today = engine_at(catalog.clone(), memory(), day(from).and_hms_opt(8, 0, 0).unwrap().and_utc(), &folder);
            let now = ask(&today, Query::of("appeals_open")).await;
            prop_assert_eq!(now.rows[0].figure.value, Some(open_at(&history, day(from), None)));
            let whole = ask(&engine, query.clone()).await;
            prop_assert_eq!(whole.rows[0].figure.value, Some(open_at(&history, period.to, None)));
            for row in ask(&engine, query.by("status").grain(grain)).await.rows {
                let evening = grain.end(row.bucket.unwrap()).min(period.to);
                let third = row.keys[0].as_deref() == Some("new");
                prop_assert_eq!(row.figure.value, Some(open_at(&history, evening, Some(third))), "{}", evening);
            }
            Ok(())
        })?;
    }
}
