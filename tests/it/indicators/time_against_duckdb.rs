//! Every grain, comparison and kind of measure on generated cases, against plain SQL in DuckDB that finds its windows by itself.

use std::collections::BTreeMap;

use duckdb::Connection;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use svod::domain::figure::{Figure, State};
use svod::domain::period::{Grain, Period};
use svod::indicators::{Against, Cumulate, FigureRow, Query};

use super::memory::{Memory, ask, catalog_of, declaration, engine_at};

/// Name, measures, and the value of a window in DuckDB.
const MEASURES: [(&str, &str, &str); 10] = [
    ("counted", "measures: {m: {count: {}}}", "count(c.id)"),
    ("summed", "measures: {m: {sum: {column: amount}}}", "coalesce(sum(c.amount), 0)"),
    ("distinct_people", "measures: {m: {distinct: {column: person_id}}}", "count(DISTINCT c.person)"),
    ("mean_amount", "measures: {m: {mean: {column: amount}}}", "avg(c.amount)"),
    ("median_amount", "measures: {m: {median: {column: amount}}}", "median(c.amount)"),
    (
        "ninth_decile",
        "measures: {m: {percentile: {column: amount, at: 0.9, where: \"amount > 1\"}}}",
        "quantile_cont(c.amount, 0.9) FILTER (c.amount > 1)",
    ),
    ("least", "measures: {m: {min: {column: amount}}}", "min(c.amount)"),
    ("greatest", "measures: {m: {max: {column: amount}}}", "max(c.amount)"),
    (
        "latest",
        "measures: {m: {last: {column: amount}}}",
        "nullif(max_by(coalesce(c.amount, -1), (c.day, coalesce(c.amount, -1))), -1)",
    ),
    (
        "share_provided",
        "measures: {total: {count: {}}, provided: {count: {where: \"provided_on IS NOT NULL\"}}}\nformula: \"provided * 100.0 / total\"",
        "100 * avg(c.provided::INT) FILTER (c.id IS NOT NULL)",
    ),
];

/// Position of the last value among the measures.
const LATEST: usize = 8;
/// Indicators that have no running total and no rolling window.
const STATES: [&str; 2] = ["latest", "open_cases"];

/// Cases from June 2018 to January 2021, so that there are a leap day and a week 53 with a year before them.
fn cases(random: &mut ChaCha8Rng, duckdb: &Connection) -> Value {
    duckdb.execute_batch("CREATE TABLE cases (id TEXT, status TEXT, person TEXT, amount DOUBLE, day DATE, closed DATE, provided BOOL)").unwrap();
    let first: chrono::NaiveDate = "2018-06-04".parse().unwrap();
    let mut rows = Vec::new();
    for number in 0..1_500 {
        let day = first + chrono::Days::new(random.random_range(0..965));
        let closed = random.random_bool(0.7).then(|| day + chrono::Days::new(random.random_range(0..200)));
        let amount = random.random_bool(0.8).then(|| f64::from(random.random_range(1..5_000)) / 100.0);
        let status = ["new", "provided", "refused"][random.random_range(0..3)];
        let (person, provided) = (format!("p{}", random.random_range(0..90)), random.random_bool(0.4));
        let quoted = |day: Option<chrono::NaiveDate>| day.map_or("NULL".to_owned(), |day| format!("DATE '{day}'"));
        let number_of = |value: Option<f64>| value.map_or("NULL".to_owned(), |value| value.to_string());
        duckdb
            .execute_batch(&format!(
                "INSERT INTO cases VALUES ('{number}', '{status}', '{person}', {}, {}, {}, {provided})",
                number_of(amount),
                quoted(Some(day)),
                quoted(closed),
            ))
            .unwrap();
        rows.push(json!({"case_id": number.to_string(), "status": status, "person_id": person, "amount": amount,
            "registered_on": day, "closed_on": closed, "provided_on": provided.then_some(day)}));
    }
    rows.into()
}

/// First and last day of a window, as SQL over the first day of a bucket.
type Window = (String, String);

/// What the engine calls each window, and its days.
fn windows(grain: Grain) -> Vec<(&'static str, Window)> {
    let unit = match grain {
        Grain::Day => "INTERVAL 1 DAY",
        Grain::Week => "INTERVAL 7 DAY",
        Grain::Month => "INTERVAL 1 MONTH",
        Grain::Quarter => "INTERVAL 3 MONTH",
        Grain::HalfYear => "INTERVAL 6 MONTH",
        Grain::Year => "INTERVAL 1 YEAR",
    };
    let is_week = grain == Grain::Week;
    let year = if is_week { "isoyear" } else { "year" };
    let end = |start: &str| format!("({start} + {unit} - INTERVAL 1 DAY)");
    let year_ago = if is_week {
        "(SELECT min(day) FROM days WHERE isoyear(day) = isoyear(bucket) - 1 AND weekofyear(day) = weekofyear(bucket))"
    } else {
        "(bucket - INTERVAL 1 YEAR)"
    };
    let first_of_year = |back: u32| format!("(SELECT min(day) FROM days WHERE {year}(day) = {year}(bucket) - {back})");
    let last_of_year_before = format!("(SELECT max(day) FROM days WHERE {year}(day) = {year}(bucket) - 1)");
    let back = |start: &str, n: u32| format!("({start} - {n} * {unit})");
    vec![
        ("own", ("bucket".to_owned(), end("bucket"))),
        ("own previous", (back("bucket", 1), "(bucket - INTERVAL 1 DAY)".to_owned())),
        ("own year_ago", (year_ago.to_owned(), end(year_ago))),
        ("cumulative", (first_of_year(0), end("bucket"))),
        ("cumulative year_ago", (first_of_year(1), format!("coalesce({}, {last_of_year_before})", end(year_ago)))),
        ("rolling", (back("bucket", 2), end("bucket"))),
        ("rolling previous", (back("bucket", 3), "(bucket - INTERVAL 1 DAY)".to_owned())),
        ("rolling year_ago", (back(year_ago, 2), end(year_ago))),
    ]
}

/// By status and bucket: whether the data reach over the window, and the values of all measures.
type Expected = BTreeMap<(String, String), (bool, Vec<Option<f64>>)>;

fn ask_duckdb(duckdb: &Connection, grain: Grain, period: Period, (from, to): &Window) -> Expected {
    let bucket = match grain {
        Grain::HalfYear => "make_date(year(day), CASE WHEN month(day) < 7 THEN 1 ELSE 7 END, 1)".to_owned(),
        grain => format!("date_trunc('{grain}', day)::DATE"),
    };
    let values: String = MEASURES.iter().map(|(_, _, sql)| format!(", ({sql})::DOUBLE")).collect();
    let sql = format!(
        "WITH days AS (SELECT unnest(generate_series(DATE '2017-01-01', DATE '2021-12-31', INTERVAL 1 DAY))::DATE AS day),
         buckets AS (SELECT DISTINCT {bucket} AS bucket FROM days WHERE day BETWEEN DATE '{}' AND DATE '{}'),
         windows AS (SELECT bucket, {from} AS first_day, {to} AS last_day FROM buckets)
         SELECT s.status, bucket::VARCHAR, coalesce(first_day >= DATE '2018-06-01', FALSE) {values},
             (SELECT count(*) FROM cases AS o WHERE o.status = s.status AND o.day <= last_day
                  AND (o.closed IS NULL OR o.closed > last_day))::DOUBLE
         FROM windows CROSS JOIN (SELECT DISTINCT status FROM cases) AS s
         LEFT JOIN cases AS c ON c.status = s.status AND c.day BETWEEN first_day AND last_day
         GROUP BY s.status, bucket, first_day, last_day",
        period.from, period.to
    );
    let mut statement = duckdb.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| {
        let values = (0..=MEASURES.len()).map(|at| row.get(3 + at)).collect::<Result<_, _>>()?;
        Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, values)))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The figure that the engine has for a window.
fn figure(row: &FigureRow, window: &str) -> Figure {
    let (series, against) = window.split_once(' ').map_or((window, None), |(series, against)| (series, Some(against)));
    let (own, compared) = match series {
        "own" => (row.figure, &row.compared),
        "cumulative" => row.cumulative.as_ref().map(|one| (one.figure, &one.compared)).unwrap(),
        _ => row.rolling.as_ref().map(|one| (one.figure, &one.compared)).unwrap(),
    };
    let Some(against) = against else { return own };
    let found = compared.iter().find(|one| one.against.code() == against).unwrap();
    let change = own.value.zip(found.figure.value).map(|(now, before)| now - before);
    assert_eq!(found.change, change, "{window}");
    let percent = change.zip(found.figure.value).filter(|(_, before)| *before != 0.0);
    assert_eq!(found.change_percent, percent.map(|(change, before)| change * 100.0 / before.abs()));
    found.figure
}

#[tokio::test]
async fn every_grain_comparison_and_measure_is_as_in_plain_sql() {
    let mut random = ChaCha8Rng::seed_from_u64(29_022_020);
    let duckdb = Connection::open_in_memory().unwrap();
    let rows = cases(&mut random, &duckdb);
    let texts: Vec<(&str, String)> = MEASURES
        .iter()
        .map(|(id, lines, _)| (*id, *lines))
        .chain([("open_cases", "measures: {m: {stock: {from: registered_on, until: closed_on}}}")])
        .map(|(id, lines)| (id, declaration(id, &format!("entity: cases\ntime: registered_on\n{lines}"))))
        .collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(id, text)| (*id, text.as_str())).collect();
    let catalog = catalog_of(&texts).unwrap();
    let memory = Memory::of(&catalog, &[("cases", rows)]);
    let folder = std::env::temp_dir().join("svod-indicator-tests");
    let engine = engine_at(catalog, memory, "2021-06-15T00:00:00Z".parse().unwrap(), &folder);
    let mut n_compared = 0;
    for grain in Grain::ALL {
        let (from, to) = if grain == Grain::Week { ("2019-12-30", "2021-01-03") } else { ("2020", "2020") };
        let period = Period::parse(from, to).unwrap();
        let mut answers = Vec::new();
        for (id, _) in &texts {
            let is_state = STATES.contains(id);
            let query = Query {
                compare: vec![Against::Previous, Against::YearAgo],
                cumulate: (grain != Grain::Year && !is_state).then_some(Cumulate::Year),
                rolling: (!is_state).then_some(3),
                ..Query::of(*id).by("status").within(period).grain(grain)
            };
            answers.push(ask(&engine, query).await);
        }
        for (window, days) in windows(grain) {
            if window.starts_with("cumulative") && grain == Grain::Year {
                continue;
            }
            let expected = ask_duckdb(&duckdb, grain, period, &days);
            for (at, figures) in answers.iter().enumerate() {
                if STATES.contains(&figures.indicator.as_str()) && !window.starts_with("own") {
                    continue;
                }
                assert_eq!(figures.rows.len(), expected.len(), "{grain} {window} {}", figures.indicator);
                for row in &figures.rows {
                    let key = (row.keys[0].clone().unwrap(), row.bucket.unwrap().to_string());
                    let (is_known, values) = &expected[&key];
                    let found = figure(row, window);
                    let what =
                        format!("{} by {grain}, {window}, {key:?}: {found:?}, {:?}", figures.indicator, values[at]);
                    // What a window has whose beginning is not known is unknown; a running total starts with the data.
                    let value = values[at].filter(|_| *is_known || window == "own" || window == "cumulative");
                    match (found.value, value) {
                        (Some(found), Some(value)) => {
                            assert!((found - value).abs() <= 1e-9 * value.abs().max(1.0), "{what}");
                        }
                        // A last value that is not there was not reported.
                        (None, None) if at == LATEST => {
                            assert!(matches!(found.state, State::NotReported | State::Missing), "{what}");
                        }
                        (None, None) => assert_eq!(found.state, State::Missing, "{what}"),
                        _ => panic!("{what}"),
                    }
                    n_compared += usize::from(value.is_some());
                }
            }
        }
    }
    // 366 days, 53 weeks, 12 months, 4 quarters, 2 halves and a year, in three groups, eleven measures and eight windows.
    assert!(n_compared > 50_000, "{n_compared}");
}
