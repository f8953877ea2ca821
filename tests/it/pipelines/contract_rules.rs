//! Quality rules of a contract over a file: rows that are rejected, batches that are marked or held back.

use svod::pipelines::{FileError, PipelineReport};
use svod::warehouse::lake::Lake;

use super::bench_project::{BenchProject, JOURNAL};

const FIRST: &str = "1;25.03.2024;2;41000001;;112;29.03.2024;признан;100";
const SECOND: &str = "2;25.03.2024;2;41000001;;113;29.03.2024;признан;200";
const OPEN: &str = "3;25.03.2024;1;41000002;;;;;";

/// A project whose granted events carry the number of the order, which the journal keeps in the column of the insurance number.
fn with_order_number(options: &str) -> BenchProject {
    let project = BenchProject::new();
    project.change_contract(
        "      - {name: amount,",
        &format!("      - {{name: order_number, logicalType: string, description: Order., {options}}}\n      - {{name: amount,"),
    );
    let journal = JOURNAL.replace("  person_id: {from: insurance}\n", "");
    project.write(
        "pipelines/journal.yaml",
        &journal.replace("{amount: {from: sum}}", "{amount: {from: sum}, order_number: {from: insurance}}"),
    );
    project
}

fn held(report: PipelineReport) -> String {
    assert_eq!((report.files, report.read, report.failures.len()), (0, 0, 1));
    let error = report.failures.into_iter().next().unwrap().error;
    assert!(matches!(error, FileError::Held { .. }), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn a_unique_value_stands_under_one_key() {
    let project = with_order_number("unique: true");
    let same_order = SECOND.replace(";113;", ";112;");
    project.write_journal("in/journal-1.csv", &[FIRST, OPEN, &same_order, FIRST, &FIRST.replace(";100", ";150")]);
    let report = project.run().await;
    // The repeated row is the same event, and the changed one corrects it: neither repeats the order's number.
    assert_eq!((report.read, report.accepted, report.duplicate, report.rejected), (5, 3, 1, 1));
    assert_eq!(
        project.rejected(&["row", "rule", "sentence"]).await,
        ["3 | unique | «СНИЛС»: «112» уже есть у другого события (запись 1 файла); исправьте в реестре"]
    );
    // In the next file the order's number may come again: a key is compared with the lake, a value is not.
    project.write_journal("in/journal-2.csv", &[&same_order]);
    assert_eq!(project.run().await.accepted, 1);
}

#[tokio::test]
async fn a_row_that_is_rejected_takes_no_unique_value() {
    let project = with_order_number("unique: true");
    project.write_journal("in/journal-1.csv", &[&FIRST.replace("41000001", "999"), &SECOND.replace("113", "112")]);
    let report = project.run().await;
    assert_eq!((report.accepted, report.rejected, report.reasons["reference"]), (1, 1, 1));
}

#[tokio::test]
async fn repeated_values_may_be_counted_instead() {
    let rule = "{metric: duplicateValues, mustBeLessThan: 50, unit: percent, severity: warning}";
    let project = with_order_number(&format!("quality: [{rule}]"));
    project.write_journal("in/journal-1.csv", &[FIRST, &SECOND.replace("113", "112")]);
    let report = project.run().await;
    assert_eq!((report.accepted, report.rejected), (2, 0));
    // One of four events.
    assert!(report.batches[0].warnings.is_empty());
    project.change_contract("mustBeLessThan: 50", "mustBeLessThan: 20");
    project.write_journal("in/journal-2.csv", &[FIRST, &SECOND.replace("113", "112")]);
    let report = project.run().await;
    assert_eq!(
        report.batches[0].warnings,
        ["unique: событий с повтором «order_number» 25 %, а должно быть меньше 20 %"]
    );
}

#[tokio::test]
async fn a_condition_over_several_columns_rejects_the_row() {
    let project = BenchProject::with_journal();
    project.add_rules(&[
        "{type: sql, name: too_much_for_portal, description: \"сумма больше 150; исправьте\", mustBe: 0, \
         query: \"SELECT COUNT(*) FROM {object} WHERE amount > 150 AND channel IN ('portal', 'post')\"}",
    ]);
    project.write_journal("in/journal-1.csv", &[FIRST, SECOND, &SECOND.replace("2;25.03.2024;2", "4;25.03.2024;1")]);
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.rejected), (3, 2, 1));
    assert_eq!(
        project.rejected(&["row", "rule", "sentence"]).await,
        ["2 | too_much_for_portal | сумма больше 150; исправьте"]
    );
}

#[tokio::test]
async fn a_broken_promise_of_rows_holds_the_batch_back_and_what_was_loaded_stays() {
    let project = BenchProject::with_journal();
    project.add_rules(&[
        "{metric: rowCount, mustBeBetween: [3, 10], description: \"журнал неполон; выгрузите его снова\"}",
        "{type: sql, name: all_open, description: d, mustBeLessOrEqualTo: 1, severity: warning, \
         query: \"SELECT COUNT(*) FROM {object} WHERE event <> 'registered'\"}",
    ]);
    project.write_journal("in/journal-1.csv", &[FIRST, SECOND]);
    let report = project.run().await;
    assert_eq!(report.events, 4);
    let expected = "all_open: событий, нарушающих правило, 2, а должно быть не больше 1; d";
    assert_eq!(report.batches[0].warnings, [expected]);
    let lake = Lake::open(&project.data_dir()).await.unwrap();
    assert_eq!(lake.last_batch("cases", "journal").await.unwrap().unwrap().warnings, [expected]);

    let before = project.events(&["case_id", "event", "_batch"]).await;
    project.write_journal("in/journal-2.csv", &[OPEN, "4;31.02.2024;1;41000002;;;;;"]);
    assert_eq!(
        held(project.run().await),
        "`in/journal-2.csv` is held back: row_count: событий 1, а должно быть от 3 до 10; журнал неполон; выгрузите его снова; \
         nothing of it is taken, what was loaded before stays; mend the export or the contract"
    );
    assert_eq!(project.events(&["case_id", "event", "_batch"]).await, before);
    assert!(project.rejected(&["row"]).await.is_empty());
    let n_files = files_below(&project.data_dir().join("lake/events/cases"), ".parquet");

    // Tried again it is held back again, without a trace; mended, it comes in.
    held(project.run().await);
    assert_eq!(files_below(&project.data_dir().join("lake/events/cases"), ".parquet"), n_files);
    project.write_journal("in/journal-2.csv", &[OPEN, &SECOND.replace("2;25", "4;25")]);
    assert_eq!(project.run().await.batches[0].number, 2);
}

/// How many files with an ending lie below a folder.
fn files_below(folder: &std::path::Path, ending: &str) -> usize {
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let is_file = path.is_file() && path.to_string_lossy().ends_with(ending);
            if path.is_dir() { files_below(&path, ending) } else { usize::from(is_file) }
        })
        .sum()
}

#[tokio::test]
async fn an_empty_file_breaks_a_promise_of_rows() {
    let project = BenchProject::with_journal();
    project.add_rules(&["{metric: rowCount, mustBeGreaterThan: 0}"]);
    project.write("in/journal-1.csv", "");
    assert!(held(project.run().await).contains("row_count: событий 0, а должно быть больше 0;"));
}

#[tokio::test]
async fn missing_and_invalid_values_have_their_limits() {
    let project = BenchProject::with_journal();
    project.change_contract(
        "description: \"How.\",",
        "description: \"How.\", quality: [{metric: nullValues, mustBeLessOrEqualTo: 1, severity: warning}, \
         {metric: invalidValues, arguments: {validValues: [portal]}, mustBe: 0, severity: warning}],",
    );
    project.change_contract(
        "description: \"How much.\",",
        "description: \"How much.\", quality: [{metric: nullValues, mustNotBe: 4, name: some_amount}],",
    );
    project.write_journal(
        "in/journal-1.csv",
        &[FIRST, OPEN, "5;25.03.2024;;41000002;;;;;", "6;25.03.2024;;41000002;;;;;"],
    );
    assert!(held(project.run().await).contains("some_amount: событий без «amount» 4, а должно быть не 4;"));
    project.write_journal("in/journal-1.csv", &[OPEN, "5;25.03.2024;;41000002;;;;;", "6;25.03.2024;;41000002;;;;;"]);
    assert_eq!(
        project.run().await.batches[0].warnings,
        [
            "missing: событий без «channel» 2, а должно быть не больше 1",
            "invalid: событий с недопустимым «channel» 1, а должно быть ровно 0",
        ]
    );
}

#[tokio::test]
async fn texts_that_mean_no_value_reject_the_row() {
    let project = BenchProject::with_journal();
    project.change_contract(
        "description: \"Who.\",",
        "description: \"Who.\", quality: [{metric: missingValues, arguments: {missingValues: [null, \"000\"]}, mustBe: 0}],",
    );
    project.write_journal("in/journal-1.csv", &[FIRST, &SECOND.replace("113", "000"), OPEN]);
    let report = project.run().await;
    assert_eq!((report.accepted, report.reasons["missing"]), (1, 2));
}

#[tokio::test]
async fn limits_may_leave_themselves_out_and_be_days_and_moments() {
    let project = BenchProject::with_journal();
    project.change_contract("minimum: 0, maximum: 1000000", "exclusiveMinimum: 0, exclusiveMaximum: 200");
    project.change_contract(
        "{name: occurred_at, logicalType: timestamp, description: \"When.\", required: true}",
        "{name: occurred_at, logicalType: timestamp, description: \"When.\", required: true, \
         logicalTypeOptions: {minimum: \"2024-01-01\"}}",
    );
    let rows = [FIRST, SECOND, &FIRST.replace(";100", ";0"), "7;25.03.2023;1;41000002;;;;;"];
    project.write_journal("in/journal-1.csv", &rows);
    assert_eq!(project.run().await.accepted, 1);
    assert_eq!(
        project.rejected(&["row", "rule", "sentence"]).await,
        [
            "2 | maximum | «Сумма»: «200» должно быть меньше 200; исправьте в реестре",
            "3 | minimum | «Сумма»: «0» должно быть больше 0; исправьте в реестре",
            "4 | minimum | «Дата обращения»: «25.03.2023 00:00» меньше допустимого 2024-01-01; исправьте в реестре",
        ]
    );
}

#[test]
fn a_wrong_condition_is_told_at_its_place() {
    let cases = [
        ("amont > 1", "`query`: there is no column `amont`\n"),
        ("amount + 1", "`query`: what stands behind WHERE is no condition\n"),
        ("SUM(amount) > 1", "`query`: an expression sees one row at a time"),
    ];
    for (condition, expected) in cases {
        let project = BenchProject::with_journal();
        let query = format!("SELECT COUNT(*) FROM {{object}} WHERE {condition}");
        project.add_rules(&[&format!("{{type: sql, name: a, description: b, mustBe: 0, query: \"{query}\"}}")]);
        let found = project.load().unwrap_err().to_string();
        let place = "warehouse/contracts/cases.odcs.yaml:14:";
        assert!(found.contains(place) && found.contains(expected), "found:\n{found}\nexpected:\n{expected}");
    }
}
