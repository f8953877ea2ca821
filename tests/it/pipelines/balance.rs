//! read = accepted + duplicate + rejected, whatever the rows, the rules and the columns are.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use svod::warehouse::lake::Lake;

use super::bench_project::{BenchProject, HEADER, JOURNAL};

/// Rules of the table, of which some are declared.
const RULES: [&str; 7] = [
    "{type: sql, name: rich, description: d, mustBe: 0, query: \"SELECT COUNT(*) FROM {object} WHERE amount > 500\"}",
    "{type: sql, name: by_portal, description: d, mustBeLessThan: 60, unit: percent, severity: warning, \
     query: \"SELECT COUNT(*) FROM {object} WHERE channel = 'portal'\"}",
    "{type: sql, name: refusals, description: d, mustBeLessThan: 4, query: \"SELECT COUNT(*) FROM {object} WHERE event = 'refused'\"}",
    "{metric: rowCount, mustBeGreaterThan: 2}",
    "{metric: rowCount, mustBeBetween: [0, 12], severity: warning}",
    "{metric: duplicateValues, arguments: {properties: [amount]}, mustBe: 0}",
    "{metric: duplicateValues, arguments: {properties: [person_id, channel]}, mustBeLessOrEqualTo: 3, severity: warning}",
];

const CHANGES: [&str; 5] = ["", "evolve", "freeze", "discard_row", "discard_value"];

/// A row of the journal, right or wrong, with a value in a column that nobody declared.
fn row() -> impl Strategy<Value = String> {
    (
        1..6_u8,
        select(vec!["25.03.2024", "26.03.2024", "31.02.2024", "", "25.03.2031"]),
        select(vec!["1", "2", "", "7"]),
        select(vec!["41000001", "41000002", "999", ""]),
        select(vec!["112", "113", "", "x"]),
        select(vec!["29.03.2024", "30.03.2024", "24.03.2024", "вчера", ""]),
        select(vec!["признан", "отказ", "-", ""]),
        select(vec!["1", "600", "много", ""]),
        select(vec!["", "", "да", ";лишнее"]),
    )
        .prop_map(|(number, applied, way, oktmo, insurance, decided, decision, sum, extra)| {
            format!("{number};{applied};{way};{oktmo};Иванов;{insurance};{decided};{decision};{sum};{extra}")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_row_is_accepted_known_or_rejected(
        files in prop::collection::vec(prop::collection::vec(row(), 0..14), 1..3),
        rules in subsequence(&RULES[..], 0..=RULES.len()),
        is_unique: bool,
        change in select(&CHANGES[..]),
    ) {
        let project = BenchProject::new();
        let declared = format!("schema_change: {change}\nignore: [\"ФИО\"]\ncolumns:\n");
        let declared = if change.is_empty() { "columns:\n" } else { &declared };
        project.write("pipelines/journal.yaml", &JOURNAL.replace("columns:\n", declared));
        if !rules.is_empty() {
            project.add_rules(&rules);
        }
        if is_unique {
            project.change_contract("{name: amount,", "{name: amount, unique: true,");
        }
        for (number, rows) in files.iter().enumerate() {
            let text = format!("{HEADER};Льгота\n{}\n", rows.join("\n"));
            project.write_bytes(&format!("in/journal-{number}.csv"), &encoding_rs::WINDOWS_1251.encode(&text).0);
        }
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let report = project.run().await;
            prop_assert_eq!(report.files + report.failures.len(), files.len());
            prop_assert!(change != "freeze" || report.files == 0);
            let mut n_events = 0;
            for batch in &report.batches {
                let number: usize = batch.file.trim_start_matches("in/journal-").trim_end_matches(".csv").parse().unwrap();
                prop_assert_eq!(batch.read, files[number].len() as u64);
                prop_assert_eq!(batch.read, batch.accepted + batch.duplicate + batch.rejected);
                prop_assert!(batch.events >= batch.accepted && batch.events <= 3 * batch.accepted);
                n_events += batch.events;
            }
            let n_reasons: u64 = report.reasons.values().sum();
            prop_assert_eq!(n_reasons, report.rejected);
            // What the report says is what lies there: events, rejected rows, the record of the last batch.
            prop_assert_eq!(project.events(&["case_id"]).await.len() as u64, n_events);
            prop_assert_eq!(project.rejected(&["row"]).await.len() as u64, report.rejected);
            let lake = Lake::open(&project.data_dir()).await.unwrap();
            let last = lake.last_batch("cases", "journal").await.unwrap();
            prop_assert_eq!(last.as_ref(), report.batches.last());
            // Sent again under another name, nothing of it is new, and what was held back is held back again.
            for (number, rows) in files.iter().enumerate() {
                let text = format!("{HEADER};Льгота\n{}\n", rows.join("\n"));
                project.write_bytes(&format!("in/journal-9{number}.csv"), &encoding_rs::WINDOWS_1251.encode(&text).0);
            }
            let again = project.run().await;
            prop_assert_eq!(again.rejected, report.rejected);
            prop_assert_eq!(again.failures.len(), 2 * report.failures.len());
            let last: Vec<&String> = again.batches.iter().flat_map(|batch| &batch.warnings).collect();
            let first: Vec<&String> = report.batches.iter().flat_map(|batch| &batch.warnings).collect();
            prop_assert_eq!(last, first);
            Ok::<(), TestCaseError>(())
        })?;
    }
}
