//! Comparisons, running totals and rolling windows: worked examples for the days on which calendars trip, and refusals.

use serde_json::{Value, json};
use svod::domain::figure::State;
use svod::domain::language::Lang;
use svod::domain::period::{Grain, Period};
use svod::indicators::{Against, Compared, Cumulate, Engine, Figures, Note, Query, QueryError, Scope};

use super::memory::{Memory, ask, catalog_of, declaration, engine_at, engine_over, shipped_catalog};

/// One case on each of these days.
fn cases(days: &[&str]) -> Value {
    days.iter().enumerate().map(|(number, day)| json!({"case_id": number.to_string(), "registered_on": day})).collect()
}

fn engine(days: &[&str], moment: &str) -> Engine {
    let catalog = shipped_catalog();
    let memory = Memory::of(&catalog, &[("cases", cases(days))]);
    engine_at(catalog, memory, moment.parse().unwrap(), &std::env::temp_dir().join("svod-indicator-tests"))
}

fn appeals(from: &str, to: &str, grain: Grain) -> Query {
    Query::of("appeals").within(Period::parse(from, to).unwrap()).grain(grain)
}

/// `from..to value change note` of a comparison.
fn words(compared: &Compared) -> String {
    let period = compared.period.map_or("none".to_owned(), |period| format!("{}..{}", period.from, period.to));
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| value.to_string());
    format!("{period} {} {} {:?}", number(compared.figure.value), number(compared.change), compared.note)
}

fn last(figures: &Figures) -> &svod::indicators::FigureRow {
    figures.rows.last().unwrap()
}

#[tokio::test]
async fn a_leap_day_stands_against_28_february_and_a_whole_february_against_a_whole_one() {
    let days = [
        "2023-01-10",
        "2023-02-28",
        "2023-02-28",
        "2024-02-28",
        "2024-02-29",
        "2024-02-29",
        "2024-02-29",
        "2025-02-28",
    ];
    let engine = engine(&days, "2025-06-01T00:00:00Z");
    let by_day = ask(&engine, appeals("2024-02-29", "2024-02-29", Grain::Day).compare(Against::YearAgo)).await;
    assert_eq!(words(&by_day.rows[0].compared[0]), "2023-02-28..2023-02-28 2 1 Some(LeapDay)");
    let by_day = ask(&engine, appeals("2025-02-28", "2025-02-28", Grain::Day).compare(Against::YearAgo)).await;
    assert_eq!(words(&by_day.rows[0].compared[0]), "2024-02-28..2024-02-28 1 0 None");
    let by_month = ask(&engine, appeals("2024-02", "2024-02", Grain::Month).compare(Against::YearAgo)).await;
    assert_eq!(words(&by_month.rows[0].compared[0]), "2023-02-01..2023-02-28 2 2 None");
    let by_month = ask(&engine, appeals("2025-02", "2025-02", Grain::Month).compare(Against::YearAgo)).await;
    assert_eq!(words(&by_month.rows[0].compared[0]), "2024-02-01..2024-02-29 4 -3 None");
    // The year to the end of February against the year to the end of February.
    let query = Query { cumulate: Some(Cumulate::Year), ..appeals("2025-02", "2025-02", Grain::Month) };
    let total = ask(&engine, query.compare(Against::YearAgo)).await.rows[0].cumulative.clone().unwrap();
    assert_eq!(words(&total.compared[0]), "2024-01-01..2024-02-29 4 -3 None");
}

#[tokio::test]
async fn week_53_has_no_like_in_a_year_of_52_weeks_and_its_total_stands_against_the_whole_year() {
    // 2020 has 53 weeks: the last one is from the 28th of December 2020 to the 3rd of January 2021. 2019 has 52.
    let days = ["2019-01-01", "2019-12-25", "2019-12-30", "2020-01-05", "2020-12-28", "2021-01-03", "2021-01-04"];
    let engine = engine(&days, "2021-06-01T00:00:00Z");
    let query = Query {
        compare: vec![Against::Previous, Against::YearAgo],
        cumulate: Some(Cumulate::Year),
        ..appeals("2020-12-28", "2021-01-10", Grain::Week)
    };
    let figures = ask(&engine, query).await;
    let [week_53, week_1] = figures.rows.as_slice() else { panic!("{figures:?}") };
    assert_eq!((week_53.bucket.unwrap().to_string().as_str(), week_53.figure.value), ("2020-12-28", Some(2.0)));
    assert_eq!(words(&week_53.compared[0]), "2020-12-21..2020-12-27 0 2 None");
    assert_eq!(words(&week_53.compared[1]), "none – – Some(NoWeek53)");
    assert_eq!(week_53.compared[1].figure.state, State::Missing);
    assert_eq!(Note::NoWeek53.text(Lang::En), "the year before has no week 53");
    // The ISO year 2020 begins on the 30th of December 2019; that of 2019 on the 31st of December 2018, before the data.
    let total = week_53.cumulative.as_ref().unwrap();
    assert_eq!((total.period.from.to_string().as_str(), total.figure.value), ("2019-12-30", Some(4.0)));
    assert_eq!(total.compared[1].period, Some(Period::parse("2018-12-31", "2019-12-29").unwrap()));
    assert_eq!(total.compared[1].note, Some(Note::BeforeData));
    // A new ISO year: the total starts anew, and week 1 stands against week 1.
    assert_eq!(week_1.cumulative.as_ref().unwrap().figure.value, Some(1.0));
    assert_eq!(words(&week_1.compared[1]), "2019-12-30..2020-01-05 2 -1 None");
}

#[tokio::test]
async fn the_turn_of_the_year_ends_a_running_total_and_no_rolling_window() {
    let engine = engine(
        &["2022-06-01", "2022-11-05", "2022-12-31", "2023-01-01", "2023-02-02", "2023-02-03"],
        "2023-06-01T00:00:00Z",
    );
    let query =
        Query { cumulate: Some(Cumulate::Year), rolling: Some(3), ..appeals("2022-12", "2023-02", Grain::Month) };
    let figures = ask(&engine, query).await;
    let totals: Vec<f64> =
        figures.rows.iter().map(|row| row.cumulative.as_ref().unwrap().figure.value.unwrap()).collect();
    let rolling: Vec<f64> =
        figures.rows.iter().map(|row| row.rolling.as_ref().unwrap().figure.value.unwrap()).collect();
    // The total of December reaches back to June, though the period of the query begins with December.
    assert_eq!((totals, rolling), (vec![3.0, 1.0, 3.0], vec![2.0, 3.0, 4.0]));
    // A rolling window that begins before the data is unknown, not small.
    let query = Query { rolling: Some(12), ..appeals("2023-02", "2023-02", Grain::Month) };
    assert_eq!(ask(&engine, query).await.rows[0].rolling.as_ref().unwrap().figure.state, State::Missing);
}

#[tokio::test]
async fn a_month_that_is_not_over_is_compared_with_the_same_part_and_marked() {
    // The moment is the 10th of April 2024; the last of March is not to be compared with it.
    let days = ["2023-04-02", "2023-04-25", "2024-03-05", "2024-03-31", "2024-04-01", "2024-04-10"];
    let engine = engine(&days, "2024-04-10T08:00:00Z");
    let query = Query {
        compare: vec![Against::Previous, Against::YearAgo],
        cumulate: Some(Cumulate::Year),
        per_working_day: true,
        ..appeals("2024-03", "2024-05", Grain::Month)
    };
    let figures = ask(&engine, query).await;
    let [march, april, may] = figures.rows.as_slice() else { panic!("{figures:?}") };
    assert_eq!((march.figure.state, march.to_date), (State::Value, None));
    assert_eq!(april.figure.state, State::Provisional);
    assert_eq!(april.to_date.unwrap().to_string(), "2024-04-10");
    assert_eq!(words(&april.compared[0]), "2024-03-01..2024-03-10 1 1 None");
    assert_eq!(words(&april.compared[1]), "2023-04-01..2023-04-10 1 1 None");
    // The year to date against the year to the same date.
    let total = april.cumulative.as_ref().unwrap();
    assert_eq!(total.compared[1].period, Some(Period::parse("2023-01-01", "2023-04-10").unwrap()));
    // By the official calendar March 2024 has 20 working days, the first ten days of April 8, those of March 2024 5.
    assert_eq!([march.working_days, april.working_days], [Some(20), Some(8)]);
    assert_eq!([april.per_working_day, april.compared[0].per_working_day], [Some(2.0 / 8.0), Some(1.0 / 5.0)]);
    assert_eq!((may.figure.state, may.compared[0].note), (State::NotDue, Some(Note::NotBegun)));
    // Without buckets, a year that is not over stands against the same part of the year before.
    let whole = Query::of("appeals").within(Period::parse("2024", "2024").unwrap()).compare(Against::Previous);
    let year = ask(&engine, whole).await;
    assert_eq!(last(&year).compared[0].period, Some(Period::parse("2023-01-01", "2023-04-10").unwrap()));
}

#[tokio::test]
async fn shares_add_up_to_the_whole_of_their_bucket() {
    let catalog = shipped_catalog();
    let rows = json!([
        {"case_id": "1", "registered_on": "2024-01-05", "status": "new"},
        {"case_id": "2", "registered_on": "2024-01-06", "status": "new"},
        {"case_id": "3", "registered_on": "2024-01-07", "status": "new"},
        {"case_id": "4", "registered_on": "2024-01-08", "status": "provided"},
        {"case_id": "5", "registered_on": "2024-02-08", "status": "provided"}
    ]);
    let memory = Memory::of(&catalog, &[("cases", rows)]);
    let engine = engine_over(catalog, memory);
    let query = Query { share: true, ..appeals("2024-01", "2024-02", Grain::Month).by("status") };
    let shares: Vec<Option<f64>> = ask(&engine, query).await.rows.iter().map(|row| row.share).collect();
    assert_eq!(shares, [Some(75.0), Some(0.0), Some(25.0), Some(100.0)]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_both_languages() {
    let catalog = catalog_of(&[
        (
            "median_amount",
            &declaration(
                "median_amount",
                "entity: cases\ntime: registered_on\nmeasures: {m: {median: {column: amount}}}",
            ),
        ),
        (
            "open",
            &declaration(
                "open",
                "entity: cases\ntime: registered_on\nmeasures: {o: {stock: {from: registered_on, until: closed_on}}}",
            ),
        ),
        ("last", &declaration("last", "entity: cases\ntime: registered_on\nmeasures: {l: {last: {column: amount}}}")),
        (
            "people",
            &declaration(
                "people",
                "entity: cases\ntime: registered_on\nmeasures: {p: {distinct: {column: person_id}}}",
            ),
        ),
        ("count", &declaration("count", "entity: cases\ntime: registered_on\nmeasures: {c: {count: {}}}")),
    ])
    .unwrap();
    let memory = Memory::of(&catalog, &[]);
    let engine = engine_over(catalog, memory);
    let total = |id: &str, grain, cumulate| Query { grain, cumulate: Some(cumulate), ..Query::of(id) };
    let month = Some(Grain::Month);
    let cases = [
        (
            total("open", month, Cumulate::Year),
            "the indicator is a state at the end of a period and does not add up over time: it has no running total and no rolling window, take its value at the end of the period",
            "показатель – остаток на конец периода и по времени не складывается: нарастающего итога и скользящего окна у него нет, возьмите значение на конец периода",
        ),
        (
            Query { rolling: Some(3), grain: month, ..Query::of("last") },
            "the indicator is the last value reported and does not add up: it has no running total and no rolling window, take its value at the end of the period",
            "показатель – последнее переданное значение и не складывается: нарастающего итога и скользящего окна у него нет, возьмите значение на конец периода",
        ),
        (
            total("count", None, Cumulate::Year),
            "a running total and a rolling window go by buckets of time: say a `grain`",
            "нарастающий итог и скользящее окно считаются по шагам времени: укажите шаг (`grain`)",
        ),
        (
            total("count", Some(Grain::Year), Cumulate::Quarter),
            "a running total within `quarter`: the span is not longer than the grain `year`",
            "нарастающий итог в пределах `quarter`: отрезок не длиннее шага `year`",
        ),
        (
            total("count", Some(Grain::Week), Cumulate::Month),
            "weeks lie across the ends of a span `month`, by weeks a total runs within `year` or `period`",
            "недели пересекают границы отрезка `month`, по неделям итог считается в пределах `year` или `period`",
        ),
        (
            Query { rolling: Some(1), grain: month, ..Query::of("count") },
            "a rolling window of 1: it takes from 2 to 1000",
            "скользящее окно 1: шагов должно быть от 2 до 1000",
        ),
        (
            Query { share: true, ..Query::of("people").by("status") },
            "the indicator counts different things, and one thing may stand in several groups and periods: it has no share in a total",
            "показатель – число разных объектов, а один объект может стоять в нескольких группах и периодах: доли в итоге у него нет",
        ),
        (
            Query { share: true, ..Query::of("median_amount").by("status") },
            "the indicator is a mean, a median or a percentile, which do not add up: it has no share in a total",
            "показатель – среднее, медиана или перцентиль, которые не складываются: доли в итоге у него нет",
        ),
        (
            Query { share: true, ..Query::of("count") },
            "a share is that of a group: say a dimension to cut `by`",
            "доля в итоге берется по группам: укажите измерение (`by`)",
        ),
        (
            Query { per_working_day: true, ..Query::of("median_amount") },
            "the indicator is a mean, a median or a percentile, which do not add up: it cannot be divided among working days",
            "показатель – среднее, медиана или перцентиль, которые не складываются: на рабочие дни его не делят",
        ),
    ];
    for (query, english, russian) in cases {
        match engine.query(&Scope::all(), &query).await {
            Err(error @ QueryError::Senseless(refusal)) => {
                assert_eq!((error.to_string(), refusal.sentence(Lang::Ru)), (english.to_owned(), russian.to_owned()));
                assert!(error.is_of_the_query());
            }
            other => panic!("{query:?}: {other:?}"),
        }
    }
    let twice = Query::of("count").compare(Against::Previous).compare(Against::Previous);
    assert!(matches!(engine.query(&Scope::all(), &twice).await, Err(QueryError::RepeatedComparison)));
    // A median over time is computed from the rows, so its running total is one of rows and not of medians.
    assert!(engine.query(&Scope::all(), &total("median_amount", month, Cumulate::Year)).await.is_ok());
}
