//! Clocks through the lake: repeated, corrected and late events, refreshes of touched keys, and a rebuild.

use chrono::Duration;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use svod::warehouse::refresh::DATABASE_FILE;

use super::super::small_project::{Event, SmallProject, moment};
use super::MODEL;

const REGULATION: &str = "regulation: social_contract
description: Two clocks.
table: cases
editions:
  - {edition: only, from: 2020-01-01, act: {ru: Приказ 1, en: Order 1}}
states:
  - {state: registered, on: [registered]}
  - {state: refused, on: [refused], final: true}
clocks:
  - clock: contract_decision
    clause: '1'
    start: {on: [registered]}
    stop: {on: [provided]}
    term: {limit: 10, unit: working_days}
  - clock: contract_rework
    clause: '2'
    start: {on: [registered]}
    stop: {on: [provided, refused]}
    term: {limit: 5, unit: working_days}
    repeats: true
";

async fn project() -> SmallProject {
    let mut project = SmallProject::new().await;
    let list = |name: &str, codes: &[&str]| {
        let rows: String = codes.iter().map(|code| format!("{code},Имя,Name\n")).collect();
        project.write(&format!("warehouse/reference/{name}.csv"), &format!("code,name_ru,name_en\n{rows}"));
        let yaml = format!("list: {name}\ntitle: {{ru: Коды, en: Codes}}\nsource: test\ndate: 2024-01-01\n");
        project.write(&format!("warehouse/reference/{name}.yaml"), &yaml);
    };
    list("regulations", &["social_contract"]);
    list("clocks", &["contract_decision", "contract_rework"]);
    list("stages", &["registered", "refused"]);
    project.write("warehouse/reference/calendar.csv", "code,is_working,is_short\n2024-03-08,0,0\n2024-04-27,1,1\n");
    project.write(
        "warehouse/reference/calendar.yaml",
        "list: calendar\ntitle: {ru: Дни, en: Days}\nsource: test\ndate: 2024-01-01\n",
    );
    project.write("warehouse/regulations/social_contract.yaml", REGULATION);
    project.write("sql/models/clocks.yaml", MODEL);
    project.reload();
    project
}

#[tokio::test]
async fn a_correction_moves_the_clock_with_its_start() {
    let project = project().await;
    let event = Event::new("A-1", "registered", "2024-03-01T08:00:00Z");
    project.append(1, &[event.clone(), Event::new("A-2", "registered", "2024-03-01T08:00:00Z")]).await;
    let first = project.refresh().await;
    let due = |lines: &[String]| -> Vec<String> {
        let of = |line: &&String| line.contains("subject_id=A-1 ") && line.contains("clock=contract_decision");
        let due = lines
            .iter()
            .filter(of)
            .map(|line| line.split("due_on=").nth(1).unwrap().split(' ').next().unwrap().to_owned());
        due.collect()
    };
    // 8 March is a day off in this calendar.
    assert_eq!(due(&project.entities(&first.snapshot, "clocks").await), ["2024-03-18"]);
    let mut moved = event.clone().recorded("2024-06-01T00:00:00Z");
    moved.occurred_at = moment("2024-04-26T08:00:00Z");
    project.append(2, &[moved, event]).await;
    let second = project.refresh().await;
    // The working Saturday counts.
    let clocks = project.entities(&second.snapshot, "clocks").await;
    assert_eq!(due(&clocks), ["2024-05-09"]);
    assert_eq!(clocks.len(), 4);
    assert!(second.folded.contains(&("clocks".to_owned(), false)), "{:?}", second.folded);
}

#[tokio::test]
async fn refreshes_between_batches_end_where_one_rebuild_ends() {
    for seed in 0..2 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (project, whole) = (project().await, project().await);
        let mut all: Vec<Event> = Vec::new();
        let mut last = None;
        for number in 1..=4 {
            let mut batch: Vec<Event> = (0..40)
                .map(|_| {
                    let at = moment("2024-01-01T00:00:00Z") + Duration::minutes(random.random_range(0..100 * 24 * 60));
                    let events = ["registered", "provided", "refused"];
                    let mut event = Event::new(
                        &format!("A-{}", random.random_range(0..20)),
                        events[random.random_range(0..3)],
                        "2024-01-01T00:00:00Z",
                    );
                    event.occurred_at = at;
                    event.repetition = random.random_bool(0.2).then_some(2);
                    event.recorded_at = Some(at + Duration::minutes(random.random_range(0..9_999_999)));
                    event
                })
                .collect();
            // What was sent before comes again.
            batch.extend(all.iter().take(number * 5).cloned());
            all.extend(batch.clone());
            project.append(i64::try_from(number).unwrap(), &batch).await;
            last = Some(project.refresh().await);
        }
        let incremental = project.entities(&last.unwrap().snapshot, "clocks").await;
        assert!(incremental.len() > 20);
        fs_err::remove_file(project.data_dir().join(DATABASE_FILE)).unwrap();
        let rebuilt = project.refresh().await;
        assert_eq!(project.entities(&rebuilt.snapshot, "clocks").await, incremental, "seed {seed}");
        all.reverse();
        whole.append(1, &all).await;
        let turned = whole.refresh().await;
        assert_eq!(whole.entities(&turned.snapshot, "clocks").await, incremental, "seed {seed}");
    }
}
