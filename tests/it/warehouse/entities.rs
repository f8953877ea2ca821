//! Entities follow from events, whatever the order, the batches and the refreshes between them.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use svod::warehouse::refresh::DATABASE_FILE;

use super::small_project::{Event, SmallProject, moment, time_zone};

#[tokio::test]
async fn events_out_of_order_make_the_same_entity() {
    let project = SmallProject::new().await;
    project.append(1, &[Event::new("A-1", "provided", "2024-04-02T08:00:00Z")]).await;
    let first = project.refresh().await;
    assert!(first.published);
    assert_eq!(
        project.entities(&first.snapshot, "cases").await,
        ["case_id=A-1 municipality=36701000 status=provided registered_on=- amount=- n_events=1 \
         last_at=2024-04-02T08:00:00Z month=unknown"]
    );
    project.append(2, &[Event::new("A-1", "registered", "2024-03-31T21:00:00Z")]).await;
    let second = project.refresh().await;
    assert_eq!(
        project.entities(&second.snapshot, "cases").await,
        ["case_id=A-1 municipality=36701000 status=provided registered_on=2024-04-01 amount=- n_events=2 \
         last_at=2024-04-02T08:00:00Z month=2024-04"]
    );
}

#[tokio::test]
async fn the_last_recorded_version_of_an_event_wins() {
    let project = SmallProject::new().await;
    let event = Event::new("A-1", "registered", "2024-03-01T08:00:00Z");
    let newest = event.clone().municipality("36740000").recorded("2024-03-09T00:00:00Z");
    let older = event.clone().municipality("36735000").recorded("2024-03-05T00:00:00Z");
    project.append(1, &[event]).await;
    project.append(2, &[newest]).await;
    project.append(3, &[older]).await;
    let outcome = project.refresh().await;
    assert_eq!(
        project.entities(&outcome.snapshot, "cases").await,
        ["case_id=A-1 municipality=36740000 status=registered registered_on=2024-03-01 amount=- n_events=1 \
         last_at=2024-03-01T08:00:00Z month=2024-03"]
    );
}

#[tokio::test]
async fn a_correction_moves_an_entity_to_another_month() {
    let project = SmallProject::new().await;
    let others: Vec<Event> =
        (0..9).map(|index| Event::new(&format!("B-{index}"), "registered", "2024-03-02T08:00:00Z")).collect();
    let event = Event::new("A-1", "registered", "2024-03-01T08:00:00Z");
    project.append(1, &[others, vec![event.clone()]].concat()).await;
    project.refresh().await;
    let mut moved = event.recorded("2024-06-01T00:00:00Z");
    moved.occurred_at = moment("2024-05-01T08:00:00Z");
    project.append(2, &[moved]).await;
    let outcome = project.refresh().await;
    assert_eq!(outcome.folded, [("cases".to_owned(), false), ("runs".to_owned(), false)]);
    let entities = project.entities(&outcome.snapshot, "cases").await;
    assert_eq!(entities.len(), 10);
    assert!(entities[0].contains("case_id=A-1") && entities[0].ends_with("month=2024-05"), "{}", entities[0]);
}

#[tokio::test]
async fn nothing_new_publishes_nothing() {
    let project = SmallProject::new().await;
    let empty = project.refresh().await;
    assert!(empty.published);
    assert_eq!(empty.snapshot.entity("cases").unwrap().rows, 0);
    project.append(1, &[Event::new("A-1", "registered", "2024-03-01T08:00:00Z")]).await;
    let first = project.refresh().await;
    assert_eq!((first.published, first.snapshot.number), (true, 2));
    assert_eq!(first.snapshot.last_event_on, NaiveDate::from_ymd_opt(2024, 3, 1));
    assert_eq!(first.snapshot.pipelines["journal"].last_event_at, Some(moment("2024-03-01T08:00:00Z")));
    let again = project.refresh().await;
    assert_eq!((again.published, again.snapshot), (false, first.snapshot));
    assert_eq!(again.folded, []);
}

#[tokio::test]
async fn an_older_snapshot_is_read_as_it_was() {
    let project = SmallProject::new().await;
    project.append(1, &[Event::new("A-1", "registered", "2024-03-01T08:00:00Z")]).await;
    let first = project.refresh().await.snapshot;
    let before = project.entities(&first, "cases").await;
    project.append(2, &[Event::new("A-1", "refused", "2024-03-03T08:00:00Z")]).await;
    let second = project.refresh().await.snapshot;
    assert_ne!(project.entities(&second, "cases").await, before);
    assert_eq!(project.entities(&first, "cases").await, before);
}

#[tokio::test]
async fn a_changed_model_is_folded_from_all_events() {
    let mut project = SmallProject::new().await;
    project.append(1, &[Event::new("A-1", "registered", "2024-03-01T08:00:00Z")]).await;
    project.refresh().await;
    let sql = "SELECT case_id, min(municipality) AS municipality, min(occurred_on) AS registered_on, TRUE AS is_new\n\
               FROM cases GROUP BY case_id;\n";
    project.write("sql/models/cases.sql", sql);
    project.reload();
    let outcome = project.refresh().await;
    assert_eq!(outcome.folded, [("cases".to_owned(), true)]);
    assert_eq!(
        project.entities(&outcome.snapshot, "cases").await,
        ["case_id=A-1 municipality=36701000 registered_on=2024-03-01 is_new=true month=2024-03"]
    );
}

#[tokio::test]
async fn batches_are_entities_too() {
    let project = SmallProject::new().await;
    project.append(1, &[Event::new("A-1", "registered", "2024-03-01T08:00:00Z")]).await;
    project.refresh().await;
    project.append(2, &[]).await;
    let outcome = project.refresh().await;
    assert_eq!(
        project.entities(&outcome.snapshot, "runs").await,
        [
            "pipeline=journal batch=1 table=cases run=run file=journal-1.csv started_at=2024-06-01T00:00:00Z \
         finished_at=2024-06-01T00:01:00Z finished_on=2024-06-01 read=1 accepted=1 duplicate=0 rejected=0 events=1 \
         last_event_at=2024-03-01T08:00:00Z quarantine=- warnings=- month=2024-06",
            "pipeline=journal batch=2 table=cases run=run file=journal-2.csv started_at=2024-06-01T00:00:00Z \
         finished_at=2024-06-01T00:01:00Z finished_on=2024-06-01 read=0 accepted=0 duplicate=0 rejected=0 events=0 \
         last_event_at=- quarantine=- warnings=- month=2024-06",
        ]
    );
}

/// A random event of one of the cases; some repeat what is there with another content, some come with older records.
fn random_event(random: &mut ChaCha8Rng, n_cases: usize) -> Event {
    let events = ["registered", "provided", "refused"];
    let occurred_at = moment("2024-01-01T00:00:00Z") + Duration::minutes(random.random_range(0..200 * 24 * 60));
    let recorded_at = random.random_bool(0.5).then(|| occurred_at + Duration::hours(random.random_range(0..500)));
    Event {
        case_id: format!("A-{}", random.random_range(0..n_cases)),
        event: events[random.random_range(0..events.len())],
        repetition: random.random_bool(0.2).then_some(2),
        occurred_at,
        recorded_at,
        municipality: random.random_bool(0.9).then(|| format!("3670{}000", random.random_range(1..5))),
        amount: random.random_bool(0.3).then(|| f64::from(random.random_range(1..1000_u32))),
    }
}

/// The entities of all batches, worked out without any engine.
fn fold_by_hand(batches: &[Vec<Event>]) -> Vec<String> {
    let mut last = BTreeMap::new();
    for (number, batch) in batches.iter().enumerate() {
        for (row, event) in batch.iter().enumerate() {
            let key = (event.case_id.clone(), event.event, event.repetition);
            let order = (event.recorded_at, number, row);
            match last.get(&key) {
                Some((known, _)) if *known > order => {}
                _ => {
                    last.insert(key, (order, event.clone()));
                }
            }
        }
    }
    let mut cases: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for (_, event) in last.into_values() {
        cases.entry(event.case_id.clone()).or_default().push(event);
    }
    let mut lines: Vec<String> = cases.iter().map(|(case_id, events)| line_by_hand(case_id, events)).collect();
    lines.sort();
    lines
}

fn line_by_hand(case_id: &str, events: &[Event]) -> String {
    let day = |event: &Event| event.occurred_at.with_timezone(&time_zone()).date_naive();
    let place = |event: &Event| ["registered", "refused", "provided"].iter().position(|name| *name == event.event);
    let municipality = events.iter().filter(|event| event.municipality.is_some()).max_by_key(|event| event.occurred_at);
    let status = events.iter().max_by_key(|event| (event.occurred_at, place(event))).unwrap().event;
    let registered_on = events.iter().filter(|event| event.event == "registered").map(day).min();
    let amounts: Vec<f64> = events.iter().filter_map(|event| event.amount).collect();
    let amount = (!amounts.is_empty()).then(|| format!("{:?}", amounts.iter().sum::<f64>()));
    let last_at = events.iter().map(|event| event.occurred_at).max().unwrap();
    format!(
        "case_id={case_id} municipality={} status={status} registered_on={} amount={} n_events={} last_at={} month={}",
        municipality.and_then(|event| event.municipality.clone()).unwrap_or_else(|| "-".to_owned()),
        registered_on.map_or_else(|| "-".to_owned(), |day| day.to_string()),
        amount.unwrap_or_else(|| "-".to_owned()),
        events.len(),
        last_at.format("%Y-%m-%dT%H:%M:%SZ"),
        registered_on.map_or_else(|| "unknown".to_owned(), |day| day.format("%Y-%m").to_string()),
    )
}

#[tokio::test]
async fn refreshes_between_batches_end_where_one_rebuild_ends() {
    for seed in 0..4 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let project = SmallProject::new().await;
        let mut batches: Vec<Vec<Event>> = Vec::new();
        let mut n_incremental = 0;
        for number in 1..=6 {
            let n_events = if number == 1 { 200 } else { random.random_range(0..25) };
            batches.push((0..n_events).map(|_| random_event(&mut random, 80)).collect());
            project.append(number, batches.last().unwrap()).await;
            let outcome = project.refresh().await;
            n_incremental += usize::from(outcome.folded.contains(&("cases".to_owned(), false)));
            assert_eq!(project.entities(&outcome.snapshot, "cases").await, fold_by_hand(&batches), "seed {seed}");
        }
        assert!(n_incremental >= 5, "only touched keys are folded");
        fs_err::remove_file(project.data_dir().join(DATABASE_FILE)).unwrap();
        let rebuilt = project.refresh().await;
        assert_eq!(project.entities(&rebuilt.snapshot, "cases").await, fold_by_hand(&batches), "seed {seed}");
    }
}
