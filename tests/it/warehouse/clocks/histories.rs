//! Random histories: the compiled SQL against the walker of days, in any order of events.

use std::collections::BTreeSet;

use chrono::{Duration, NaiveDate, NaiveDateTime};
use duckdb::Connection;
use proptest::prelude::*;
use svod::warehouse::{Model, Reference};

use super::walker::{EVENTS, Event, History, Row, Walker};
use super::{REGULATION, load, project};

/// Columns to compare, where the walker or the SQL has a value.
const COLUMNS: [&str; 16] = [
    "clock",
    "repetition",
    "edition",
    "region",
    "opened_on",
    "started_on",
    "due_on",
    "at_risk_on",
    "stopped_on",
    "cancelled_on",
    "paused_since",
    "paused_until",
    "extension_days",
    "due_unpaused_on",
    "in_time",
    "is_provisional",
];
/// Columns of the decision alone, and only once it has stopped.
const STOPPED_DECISION: [&str; 2] = ["used", "suspended_days"];

/// An event some days after the beginning, at a full hour or at midnight as registers that know only days have it.
fn event() -> impl Strategy<Value = Event> {
    let grounds =
        prop::sample::select(vec![None, Some("contract_survey"), Some("contract_testing"), Some("contract_income")]);
    let categories = prop::sample::select(vec![None, Some("low_income_single"), Some("low_income_family")]);
    let channels = prop::sample::select(vec![None, Some("office"), Some("epgu"), Some("post"), Some("mfc")]);
    let weights: Vec<(u32, &str)> =
        EVENTS.into_iter().map(|name| (if name == "withdrawn" || name == "archived" { 1 } else { 4 }, name)).collect();
    let names = prop::sample::select(
        weights.iter().flat_map(|(weight, name)| vec![*name; *weight as usize]).collect::<Vec<_>>(),
    );
    (
        names,
        1..4_u32,
        0..45_i64,
        prop_oneof![Just(0_i64), 0..24 * 60_i64, Just(17 * 60), Just(18 * 60)],
        grounds,
        categories,
        channels,
    )
        .prop_map(|(event, repetition, day, minute, ground, category, channel)| Event {
            event,
            repetition,
            at: NaiveDateTime::default() + Duration::days(day) + Duration::minutes(minute),
            ground: ground.filter(|_| event == "extended"),
            category,
            channel,
        })
}

/// A case that begins anywhere between the time before the first edition and the years that nobody has published.
fn history() -> impl Strategy<Value = History> {
    let regions = prop::sample::select(vec!["36000000", "41000000"]);
    (regions, 0..850_i64, prop::collection::vec(event(), 1..14)).prop_map(|(region, first, mut events)| {
        let shift = NaiveDate::from_ymd_opt(2024, 11, 20).unwrap() - NaiveDate::default() + Duration::days(first);
        for event in &mut events {
            event.at += shift;
        }
        // An identity is there once.
        let mut seen = BTreeSet::new();
        events.retain(|event| seen.insert((event.event, event.repetition)));
        History { region, events }
    })
}

fn text(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| format!("'{value}'"))
}

/// The clocks of the SQL, by case. `rank` orders the events that the table holds.
fn clocks_of(
    model: &Model,
    reference: &Reference,
    histories: &[History],
    rank: impl Fn(usize) -> u64,
) -> Vec<Vec<Row>> {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE calendar (code VARCHAR, is_working VARCHAR, is_short VARCHAR);
             CREATE TABLE cases (case_id VARCHAR, event VARCHAR, repetition BIGINT, occurred_at TIMESTAMP, region VARCHAR,
                municipality VARCHAR, agency VARCHAR, service VARCHAR, category VARCHAR, channel VARCHAR, ground VARCHAR);",
        )
        .unwrap();
    let list = reference.list("calendar").unwrap();
    let cell = |code: &str, column| list.value(code, column).unwrap_or_default().to_owned();
    let days = list
        .codes()
        .iter()
        .map(|code| format!("('{code}', '{}', '{}')", cell(code, "is_working"), cell(code, "is_short")));
    connection.execute_batch(&format!("INSERT INTO calendar VALUES {}", days.collect::<Vec<_>>().join(", "))).unwrap();
    let mut rows = Vec::new();
    for (number, history) in histories.iter().enumerate() {
        let ahead = if history.region == "36000000" { 4 } else { 3 };
        for event in &history.events {
            let repetition = if event.repetition == 1 { "NULL".to_owned() } else { event.repetition.to_string() };
            rows.push(format!(
                "('{number}', '{}', {repetition}, '{}', '{}', '36701000', NULL, 'contract_farming', {}, {}, {})",
                event.event,
                event.at - Duration::hours(ahead),
                history.region,
                text(event.category),
                text(event.channel),
                text(event.ground),
            ));
        }
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|index| rank(*index));
    let rows: Vec<&str> = order.into_iter().map(|index| rows[index].as_str()).collect();
    connection.execute_batch(&format!("INSERT INTO cases VALUES {}", rows.join(", "))).unwrap();
    let columns: Vec<&str> = COLUMNS.into_iter().chain(STOPPED_DECISION).collect();
    let shown: Vec<String> = columns.iter().map(|column| format!("CAST({column} AS VARCHAR)")).collect();
    let sql = format!("SELECT CAST(subject_id AS BIGINT), {} FROM ({})", shown.join(", "), model.sql);
    let mut statement = connection.prepare(&sql).unwrap();
    let mut found = vec![Vec::new(); histories.len()];
    let mut result = statement.query([]).unwrap();
    while let Some(row) = result.next().unwrap() {
        let case: i64 = row.get(0).unwrap();
        let values = columns
            .iter()
            .enumerate()
            .filter_map(|(place, column)| Some((*column, row.get::<_, Option<String>>(place + 1).unwrap()?)));
        let mut clock: Row = values.collect();
        let is_stopped_decision = clock["clock"] == "contract_decision" && clock.contains_key("stopped_on");
        for column in STOPPED_DECISION.iter().filter(|_| !is_stopped_decision) {
            clock.remove(column);
        }
        if let Some(used) = clock.get_mut("used") {
            *used = used.trim_end_matches(".0").to_owned();
        }
        // Only the decision has pauses and extensions.
        if clock["clock"] != "contract_decision" || !clock.contains_key("started_on") {
            clock.remove("extension_days");
            clock.remove("due_unpaused_on");
        }
        found[usize::try_from(case).unwrap()].push(clock);
    }
    for rows in &mut found {
        rows.sort();
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_sql_finds_what_a_walk_through_the_days_finds(
        histories in prop::collection::vec(history(), 150),
        seed in any::<u64>(),
    ) {
        let folder = project(REGULATION);
        let (model, reference) = load(folder.path()).unwrap();
        let calendar = reference.working_calendar();
        let last_published = reference.list("calendar").unwrap().codes().last().unwrap().parse().unwrap();
        let walker = Walker { calendar: &calendar, last_published };
        let found = clocks_of(&model, &reference, &histories, |index| index as u64);
        for (history, found) in histories.iter().zip(&found) {
            prop_assert_eq!(found, &walker.clocks(history), "{:#?}", history);
        }
        let shuffled = clocks_of(&model, &reference, &histories, |index| (index as u64 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        prop_assert_eq!(found, shuffled);
    }
}

/// What a suspension and a fresh start make of one case.
#[test]
fn a_restart_begins_the_whole_term_anew() {
    let day = |day: u32| NaiveDate::from_ymd_opt(2025, 3, day).unwrap().and_hms_opt(9, 0, 0).unwrap();
    let event = |event, at| Event { event, repetition: 1, at, ground: None, category: None, channel: None };
    let events = vec![event("registered", day(3)), event("suspended", day(5)), event("resumed", day(7))];
    let histories = [History { region: "41000000", events }];
    let due = |regulation: &str| {
        let folder = project(regulation);
        let (model, reference) = load(folder.path()).unwrap();
        let rows = clocks_of(&model, &reference, &histories, |index| index as u64).remove(0);
        rows.into_iter().find(|row| row["clock"] == "contract_decision").unwrap()["due_on"].clone()
    };
    // Ten working days after 3 March are 17 March; two of them were lost. From 7 March they are 21 March.
    assert_eq!(due(REGULATION), "2025-03-19");
    assert_eq!(due(&REGULATION.replace("at_most: 5}", "at_most: 5, resumes: restart}")), "2025-03-21");
}

/// The compared columns stay those of the model.
#[test]
fn every_compared_column_is_there() {
    let folder = project(REGULATION);
    let (model, _) = load(folder.path()).unwrap();
    let known: BTreeSet<&str> = model.columns.fields().iter().map(|field| field.name().as_str()).collect();
    assert!(COLUMNS.iter().chain(&STOPPED_DECISION).all(|column| known.contains(column)));
}
