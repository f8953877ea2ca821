//! Models that see every version of an event and read code lists: rows of things that nothing was told of.

use chrono::{Duration, NaiveDate};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use svod::warehouse::refresh::DATABASE_FILE;
use svod::warehouse::{Model, Reference};

use super::small_project::{Event, SmallProject, moment};

const MODEL: &str = "model: told
grain: one row per place and month
description: What each place has told.
from: [cases]
versions: all
key: [municipality, occurred_month]
lists: [places]
month: occurred_month
dimensions:
  - {name: municipality, title: {ru: Муниципалитет, en: Municipality}}
";

const SQL: &str = "-- One row per place and month.
WITH owed AS (
    SELECT code AS municipality, CAST('2024-0' || m || '-01' AS DATE) AS occurred_month
    FROM places, (SELECT unnest([1, 2]) AS m)
)
SELECT
    owed.municipality,
    owed.occurred_month,
    count(cases.case_id) AS n_versions,
    CAST(min(cases.recorded_at) AS DATE) AS first_on
FROM owed
LEFT JOIN cases ON cases.municipality = owed.municipality AND cases.occurred_month = owed.occurred_month
GROUP BY ALL
";

async fn project() -> SmallProject {
    let mut project = SmallProject::new().await;
    project.write("warehouse/reference/places.csv", "code,name_ru,name_en\n36701000,а,a\n36740000,б,b\n36602000,в,c\n");
    let list = "list: places\ntitle: {ru: Места, en: Places}\nsource: own wording\ndate: 2024-01-01\n";
    project.write("warehouse/reference/places.yaml", list);
    project.write("sql/models/told.yaml", MODEL);
    project.write("sql/models/told.sql", SQL);
    project.reload();
    project
}

#[tokio::test]
async fn places_that_told_nothing_have_a_row_and_a_correction_does_not_undo_the_first_word() {
    let project = project().await;
    let first = Event::new("A-1", "registered", "2024-01-10T08:00:00Z").recorded("2024-01-11T00:00:00Z");
    let others = (0..5).map(|n| {
        Event::new(&format!("B-{n}"), "registered", "2024-02-10T08:00:00Z")
            .municipality("36740000")
            .recorded("2024-02-10T09:00:00Z")
    });
    project.append(1, &std::iter::once(first.clone()).chain(others).collect::<Vec<_>>()).await;
    project.refresh().await;
    // The case was corrected to another place later: the first place had told of it all the same.
    project.append(2, &[first.municipality("36740000").recorded("2024-03-05T00:00:00Z")]).await;
    let outcome = project.refresh().await;
    assert!(outcome.folded.contains(&("told".to_owned(), false)), "{:?}", outcome.folded);
    assert_eq!(
        project.entities(&outcome.snapshot, "told").await,
        [
            "municipality=36602000 occurred_month=2024-01-01 n_versions=0 first_on=- month=2024-01",
            "municipality=36602000 occurred_month=2024-02-01 n_versions=0 first_on=- month=2024-02",
            "municipality=36701000 occurred_month=2024-01-01 n_versions=1 first_on=2024-01-11 month=2024-01",
            "municipality=36701000 occurred_month=2024-02-01 n_versions=0 first_on=- month=2024-02",
            "municipality=36740000 occurred_month=2024-01-01 n_versions=1 first_on=2024-03-05 month=2024-01",
            "municipality=36740000 occurred_month=2024-02-01 n_versions=5 first_on=2024-02-10 month=2024-02",
        ]
    );
}

#[tokio::test]
async fn refreshes_between_batches_end_where_one_rebuild_ends() {
    let project = project().await;
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let places = ["36701000", "36740000", "36602000", "36604000"];
    let mut last = Vec::new();
    for number in 1..=5 {
        let n_events = if number == 1 { 120 } else { random.random_range(1..12) };
        let events: Vec<Event> = (0..n_events)
            .map(|_| {
                let occurred_at = moment("2023-12-20T00:00:00Z") + Duration::hours(random.random_range(0..24 * 80));
                let case = format!("A-{}", random.random_range(0..60));
                let mut event = Event::new(&case, "registered", "2024-01-01T00:00:00Z");
                event.occurred_at = occurred_at;
                event.recorded_at = Some(occurred_at + Duration::hours(random.random_range(0..900)));
                event.municipality(places[random.random_range(0..places.len())])
            })
            .collect();
        project.append(number, &events).await;
        let outcome = project.refresh().await;
        last = project.entities(&outcome.snapshot, "told").await;
    }
    assert_eq!(last.len(), 6);
    fs_err::remove_file(project.data_dir().join(DATABASE_FILE)).unwrap();
    let rebuilt = project.refresh().await;
    assert_eq!(project.entities(&rebuilt.snapshot, "told").await, last);
}

#[tokio::test]
async fn a_changed_code_list_is_a_changed_model() {
    let mut project = project().await;
    project.refresh().await;
    project.write("warehouse/reference/places.csv", "code,name_ru,name_en\n36701000,а,a\n");
    project.reload();
    let outcome = project.refresh().await;
    assert_eq!(outcome.folded, [("told".to_owned(), true)]);
    assert_eq!(outcome.snapshot.entity("told").unwrap().rows, 2);
    assert_eq!(outcome.snapshot.published_at.date_naive(), NaiveDate::from_ymd_opt(2024, 7, 1).unwrap());
}

#[tokio::test]
async fn wrong_keys_and_lists_are_told_with_their_place() {
    let project = project().await;
    let reference = Reference::load(project.root()).unwrap();
    let complaint = |from: &str, to: &str| {
        project.write("sql/models/told.yaml", &MODEL.replacen(from, to, 1));
        Model::load_all(project.root(), &project.contracts, &reference).unwrap_err().to_string()
    };
    assert_eq!(
        complaint("lists: [places]", "lists: [place]"),
        "error: sql/models/told.yaml:7:9: there is no code list `place`\n  7 | lists: [place]\n    |         ^^^^^  \
         help: did you mean `places`?"
    );
    let text = complaint("versions: all\n", "");
    assert!(text.contains("told.yaml:5:7: `municipality` is no key column of the event table `cases`"), "{text}");
    let text = complaint("key: [municipality,", "key: [municipalty,");
    assert!(text.contains("`municipalty` is no column of the event table `cases`"), "{text}");
    assert!(text.contains("help: did you mean `municipality`?"), "{text}");
}
