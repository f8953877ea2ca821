//! Batches are in the lake exactly once, and what is in it can be told from its log.

use svod::warehouse::{Lake, LakeError};

use super::small_project::{CONTRACT, Event, SmallProject, record, rows};

fn three_events() -> Vec<Event> {
    vec![
        Event::new("A-1", "registered", "2024-03-01T08:00:00Z"),
        Event::new("A-1", "provided", "2024-04-02T08:00:00Z"),
        Event::new("A-2", "registered", "2024-03-05T08:00:00Z"),
    ]
}

#[tokio::test]
async fn a_batch_appended_twice_is_in_the_lake_once() {
    let project = SmallProject::new().await;
    let first = project.append(1, &three_events()).await;
    let again = project.append(1, &three_events()).await;
    assert_eq!(first, again);
    let files = project.lake.files("cases", again).await.unwrap();
    assert_eq!(
        files.iter().map(|file| (file.month.as_str(), file.rows)).collect::<Vec<_>>(),
        [("2024-03", 2), ("2024-04", 1)]
    );
    assert!(files.iter().all(|file| file.path.exists()));
    let march = files[0].path.parent().unwrap();
    assert_eq!(fs_err::read_dir(march).unwrap().count(), 1, "files of the second try are deleted");
}

#[tokio::test]
async fn the_last_batch_is_read_from_the_log() {
    let project = SmallProject::new().await;
    assert_eq!(project.lake.last_batch("cases", "journal").await.unwrap(), None);
    let first = project.append(1, &three_events()).await;
    let second = project.append(2, &three_events()[..1]).await;
    let other = record("portal", 1, &[]);
    project.lake.append(project.contract(), &other, Vec::new()).await.unwrap();
    let last = project.lake.last_batch("cases", "journal").await.unwrap().unwrap();
    assert_eq!((last.number, last.events), (2, 1));
    assert_eq!(project.lake.last_batch("cases", "portal").await.unwrap(), Some(other));
    assert_eq!(project.lake.last_batch("cases", "unknown").await.unwrap(), None);
    let fresh = project.lake.files_between("cases", first, second).await.unwrap();
    assert_eq!(fresh.iter().map(|file| file.rows).sum::<u64>(), 1);
}

#[tokio::test]
async fn known_hashes_are_those_of_the_last_version() {
    let project = SmallProject::new().await;
    let event = Event::new("A-1", "registered", "2024-03-01T08:00:00Z").recorded("2024-03-09T00:00:00Z");
    let corrected = event.clone().municipality("36740000").recorded("2024-03-10T00:00:00Z");
    let late = event.clone().municipality("36735000").recorded("2024-03-02T00:00:00Z");
    project.append(1, &[event.clone()]).await;
    project.append(2, &[corrected.clone()]).await;
    project.append(3, &[late]).await;
    let known = project.lake.known_hashes("cases", "2024-03").await.unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [(event.key_hash(), corrected.content_hash())]);
    assert!(project.lake.known_hashes("cases", "2024-04").await.unwrap().is_empty());
    assert!(project.lake.known_hashes("passports", "2024-03").await.unwrap().is_empty());
}

#[tokio::test]
async fn rows_of_another_shape_are_refused() {
    let project = SmallProject::new().await;
    let batch = rows(project.contract(), 1, &three_events());
    let narrow = batch.project(&[0, 1]).unwrap();
    let result = project.lake.append(project.contract(), &record("journal", 1, &[]), vec![narrow]).await;
    assert!(matches!(result, Err(LakeError::Shape { .. })), "{result:?}");
    assert_eq!(project.lake.version("cases").await.unwrap(), None);
}

#[tokio::test]
async fn a_column_that_a_contract_gets_later_is_added() {
    let mut project = SmallProject::new().await;
    project.append(1, &three_events()).await;
    let wider = format!("{CONTRACT}      - {{name: agency, logicalType: string, description: Who.}}\n");
    project.write("warehouse/contracts/cases.odcs.yaml", &wider);
    project.reload();
    project.append(2, &[Event::new("A-3", "registered", "2024-03-07T08:00:00Z")]).await;
    let outcome = project.refresh().await;
    assert_eq!(outcome.snapshot.entity("cases").unwrap().rows, 3);

    project.write(
        "warehouse/contracts/cases.odcs.yaml",
        &wider.replace("municipality, logicalType: string", "municipality, logicalType: integer"),
    );
    project.reload();
    let record = record("journal", 3, &[]);
    let error = project.lake.append(project.contract(), &record, Vec::new()).await.unwrap_err();
    assert!(
        error.to_string().starts_with("the column `municipality` of the table `cases` is string in the lake"),
        "{error}"
    );
}

#[tokio::test]
async fn quarantine_files_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    assert!(lake.quarantine_files(None).await.unwrap().is_empty());
    let own = lake.quarantine_folder("journal");
    fs_err::create_dir_all(&own).unwrap();
    fs_err::write(own.join("000001.parquet"), "").unwrap();
    assert_eq!(lake.quarantine_files(Some("journal")).await.unwrap(), lake.quarantine_files(None).await.unwrap());
    assert_eq!(lake.quarantine_files(Some("portal")).await.unwrap().len(), 0);
}
