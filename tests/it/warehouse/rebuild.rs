//! A rebuild ends with the same entities, and writes only what differs.

use svod::warehouse::TableKind;

use super::small_project::{Event, SmallProject};

async fn three_months() -> SmallProject {
    let project = SmallProject::new().await;
    let events: Vec<Event> = (1..=9)
        .map(|number| {
            Event::new(&format!("A-{number}"), "registered", &format!("2024-0{}-0{number}T08:00:00Z", 1 + number % 3))
        })
        .collect();
    project.append(1, &events).await;
    project.refresh().await;
    project.append(2, &[Event::new("A-1", "provided", "2024-03-03T08:00:00Z")]).await;
    project.refresh().await;
    project
}

#[tokio::test]
async fn where_nothing_differs_nothing_is_written() {
    let project = three_months().await;
    let (before, files) = (project.snapshots(), project.all_files());
    let outcome = project.rebuild().await;
    assert_eq!(outcome.folded, [("cases".to_owned(), true), ("runs".to_owned(), true)]);
    assert_eq!((outcome.published, outcome.written), (false, Vec::new()));
    assert_eq!(project.snapshots(), before);
    let parquet = |files: std::collections::BTreeMap<std::path::PathBuf, String>| -> Vec<_> {
        files.into_iter().filter(|(path, _)| path.starts_with(project.data_dir().join("lake"))).collect()
    };
    assert_eq!(parquet(project.all_files()), parquet(files));
}

#[tokio::test]
async fn a_month_whose_file_is_damaged_is_written_again() {
    for damage in ["missing", "truncated", "changed"] {
        let project = three_months().await;
        let snapshot = project.snapshots().pop().unwrap();
        let before = project.entities(&snapshot, "cases").await;
        let version = snapshot.entity("cases").unwrap().version;
        let files = project.lake.files_of(TableKind::Entity, "cases", version).await.unwrap();
        let path = &files.iter().find(|file| file.month == "2024-02").unwrap().path;
        let mut bytes = fs_err::read(path).unwrap();
        match damage {
            "missing" => fs_err::remove_file(path).unwrap(),
            "truncated" => fs_err::write(path, &bytes[..bytes.len() / 2]).unwrap(),
            _ => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs_err::write(path, bytes).unwrap();
            }
        }
        assert!(!project.verify().await.is_sound(), "{damage}");
        let outcome = project.rebuild().await;
        assert_eq!((outcome.published, outcome.written), (true, vec![("cases".to_owned(), 1)]), "{damage}");
        assert_eq!(project.entities(&outcome.snapshot, "cases").await, before, "{damage}");
    }
}

#[tokio::test]
async fn a_changed_model_with_the_same_columns_writes_the_months_that_differ() {
    let mut project = three_months().await;
    let sql = fs_err::read_to_string(project.root().join("sql/models/cases.sql")).unwrap();
    let changed = sql.replace("count(*) AS n_events", "count(*) + (case_id = 'A-2')::BIGINT AS n_events");
    assert_ne!(changed, sql);
    project.write("sql/models/cases.sql", &changed);
    project.reload();
    let outcome = project.refresh().await;
    assert_eq!(outcome.folded, [("cases".to_owned(), true)]);
    assert_eq!((outcome.published, outcome.written), (true, vec![("cases".to_owned(), 1)]));
    let entities = project.entities(&outcome.snapshot, "cases").await;
    assert!(entities.iter().any(|line| line.contains("case_id=A-2") && line.contains("n_events=2")), "{entities:?}");
}
