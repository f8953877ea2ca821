//! The engine over published snapshots of a lake: from events to figures.

use std::path::Path;
use std::sync::Arc;

use svod::clock::Clock;
use svod::domain::period::{Grain, Period};
use svod::indicators::{Catalog, Engine, INDICATORS_FOLDER, Query, QueryError, Scope};
use svod::warehouse::{Reference, TableKind};

use super::memory::{ask, declaration, lines, now};
use crate::warehouse::small_project::{Event, SmallProject, time_zone};

async fn engine(project: &SmallProject) -> Engine {
    for (id, measures) in [("registered", "{count: {}}"), ("amount", "{sum: {column: amount}}")] {
        let lines = format!("entity: cases\ntime: registered_on\nmeasures: {{it: {measures}}}");
        project.write(&format!("{INDICATORS_FOLDER}/{id}.yaml"), &declaration(id, &lines));
    }
    let lines = "entity: runs\ntime: finished_on\nmeasures: {it: {sum: {column: accepted}}}";
    project.write(&format!("{INDICATORS_FOLDER}/accepted.yaml"), &declaration("accepted", lines));
    let reference = Reference::load(project.root()).unwrap();
    let catalog = Catalog::load(project.root(), &project.models, &reference).unwrap();
    let clock = Clock::Fixed(now());
    Engine::new(Arc::new(catalog), Arc::new(reference), time_zone(), &project.data_dir(), clock).await.unwrap()
}

fn months(from: &str, to: &str) -> Period {
    Period::parse(from, to).unwrap()
}

#[tokio::test]
async fn each_snapshot_keeps_its_figures() {
    let project = SmallProject::new().await;
    let engine = engine(&project).await;
    assert!(matches!(engine.query(&Scope::all(), &Query::of("registered")).await, Err(QueryError::NoSnapshot)));
    project.append(1, &[Event::new("A-1", "registered", "2024-01-10T08:00:00Z")]).await;
    project.refresh().await;
    assert_eq!(lines(&ask(&engine, Query::of("registered")).await), ["1"]);
    let later = [
        Event::new("A-2", "registered", "2024-01-31T21:00:00Z"),
        Event::new("A-3", "registered", "2024-03-10T08:00:00Z").municipality("36740000"),
        Event::new("A-3", "provided", "2024-03-20T08:00:00Z"),
        Event::new("A-4", "provided", "2024-03-20T08:00:00Z"),
    ];
    project.append(2, &later).await;
    project.refresh().await;
    // The second appeal came on the 1st of February in Samara; the fourth case was never registered.
    let by_month = Query::of("registered").within(months("2024-01", "2024-03")).grain(Grain::Month);
    // March may change, for the last event is of the 20th.
    let figures = ask(&engine, by_month).await;
    assert_eq!(lines(&figures), ["2024-01-01 1", "2024-02-01 1", "2024-03-01 1*"]);
    assert_eq!(figures.snapshot, 2);
    assert_eq!(lines(&ask(&engine, Query::of("registered").as_of(1)).await), ["1"]);
    assert_eq!(lines(&ask(&engine, Query::of("accepted").by("file")).await), ["journal-1.csv 1", "journal-2.csv 4"]);
    let unknown = engine.query(&Scope::all(), &Query::of("registered").as_of(3)).await.unwrap_err();
    assert_eq!(
        (unknown.to_string(), unknown.help().unwrap()),
        ("there is no snapshot 3".into(), "the latest is 2".into())
    );
}

#[tokio::test]
async fn sql_reads_entities_events_and_runs() {
    let project = SmallProject::new().await;
    let engine = engine(&project).await;
    project
        .append(
            1,
            &[
                Event::new("A-1", "registered", "2024-01-10T08:00:00Z"),
                Event::new("A-1", "provided", "2024-02-10T08:00:00Z"),
            ],
        )
        .await;
    project.refresh().await;
    assert_eq!(engine.table_names(None).await.unwrap(), ["cases", "events_cases", "quarantine", "runs"]);
    let text = "SELECT (SELECT count(*) FROM cases) AS a, (SELECT count(*) FROM events_cases) AS b, sum(events) AS c FROM runs";
    let batches = engine.sql(&Scope::all(), text, None).await.unwrap();
    let text = arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
    assert_eq!(text.lines().nth(3), Some("| 1 | 2 | 2 |"));
    let refused = engine.sql(&Scope::all(), "DELETE FROM cases", None).await.unwrap_err();
    assert_eq!(refused.to_string(), "only one SELECT can be run, found `DELETE`");
}

/// Files of months outside of the period are not read: here they are not even there any more.
#[tokio::test]
async fn a_period_reads_the_files_of_its_months_only() {
    let project = SmallProject::new().await;
    let engine = engine(&project).await;
    let events = ["2023-12", "2024-01", "2024-02", "2024-03"]
        .map(|month| Event::new(&format!("A-{month}"), "registered", &format!("{month}-15T08:00:00Z")));
    project.append(1, &events).await;
    let snapshot = project.refresh().await.snapshot;
    let version = snapshot.entity("cases").unwrap().version;
    for file in project.lake.files_of(TableKind::Entity, "cases", version).await.unwrap() {
        if file.month < "2024-01".to_owned() || file.month > "2024-02".to_owned() {
            remove(&file.path);
        }
    }
    let period = months("2024-01", "2024-02");
    assert_eq!(lines(&ask(&engine, Query::of("registered").within(period)).await), ["2"]);
    assert_eq!(lines(&ask(&engine, Query::of("registered").by("municipality").within(period)).await), ["36701000 2"]);
    let whole = engine.query(&Scope::all(), &Query::of("amount")).await.unwrap_err();
    assert!(!whole.is_of_the_query(), "{whole}");
}

fn remove(path: &Path) {
    fs_err::remove_file(path).unwrap();
}
