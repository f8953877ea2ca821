//! What a pipeline does when the register's columns are not those that were declared, in every format.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use svod::pipelines::{PipelineReport, PseudonymKey};
use svod::warehouse::lake::Lake;

use super::bench_project::BenchProject;

/// A row: values by column.
type Row<'a> = &'a [(&'a str, &'a str)];

const FORMATS: [&str; 5] = ["csv", "ndjson", "json", "xlsx", "parquet"];
/// Formats that have a column or lack it, whatever is in a row.
const WITH_HEADER: [&str; 3] = ["csv", "xlsx", "parquet"];

/// A pipeline of one event per row that declares what it does with other columns.
fn project(format: &str, schema_change: &str) -> BenchProject {
    let project = BenchProject::new();
    let schema_change =
        if schema_change.is_empty() { String::new() } else { format!("{schema_change}\nignore: [\"ФИО\"]") };
    let details = if format == "csv" { "{separator: \";\"}" } else { "{}" };
    project.write(
        "pipelines/journal.yaml",
        &format!(
            r#"pipeline: journal
title: {{ru: Журнал, en: Journal}}
description: Applications.
contract: cases
source: {{files: "in/*.{format}"}}
format: {{{format}: {details}}}
empty: ["-"]
columns:
  - {{name: number, from: "N", type: string, required: true}}
  - {{name: applied, from: "Дата", type: date, required: true}}
  - {{name: oktmo, from: "ОКТМО", type: string, required: true}}
  - {{name: sum, from: "Сумма", type: number}}
{schema_change}
values:
  case_id: {{from: number}}
  municipality: {{from: oktmo}}
  amount: {{from: sum}}
emit:
  - {{event: registered, at: applied}}
"#
        ),
    );
    project
}

/// Writes rows; the columns are those of all rows.
fn write(project: &BenchProject, format: &str, name: &str, rows: &[Row<'_>]) {
    let mut columns: Vec<&str> = Vec::new();
    for (column, _) in rows.iter().flat_map(|row| row.iter()) {
        if !columns.contains(column) {
            columns.push(column);
        }
    }
    let value =
        |row: Row<'_>, column: &str| row.iter().find(|(name, _)| *name == column).map(|(_, value)| (*value).to_owned());
    let name = format!("in/{name}.{format}");
    match format {
        "csv" => {
            let line = |row: &Row<'_>| {
                columns.iter().map(|column| value(row, column).unwrap_or_default()).collect::<Vec<_>>().join(";")
            };
            let lines: Vec<String> = std::iter::once(columns.join(";")).chain(rows.iter().map(line)).collect();
            project.write(&name, &(lines.join("\n") + "\n"));
        }
        "ndjson" | "json" => {
            let line = |row: &Row<'_>| {
                let object: serde_json::Map<String, serde_json::Value> =
                    row.iter().map(|(column, value)| ((*column).to_owned(), (*value).into())).collect();
                serde_json::Value::Object(object).to_string()
            };
            let lines: Vec<String> = rows.iter().map(line).collect();
            let text = if format == "json" { format!("[{}]", lines.join(",")) } else { lines.join("\n") };
            project.write(&name, &text);
        }
        "xlsx" => {
            let mut book = rust_xlsxwriter::Workbook::new();
            let sheet = book.add_worksheet();
            for (place, column) in (0..).zip(&columns) {
                sheet.write_string(0, place, *column).unwrap();
                for (row, values) in (1..).zip(rows) {
                    sheet.write_string(row, place, value(values, column).unwrap_or_default()).unwrap();
                }
            }
            project.write_bytes(&name, &book.save_to_buffer().unwrap());
        }
        _ => {
            let array = |column: &&str| -> (String, ArrayRef) {
                ((*column).to_owned(), Arc::new(rows.iter().map(|row| value(row, column)).collect::<StringArray>()))
            };
            let batch = RecordBatch::try_from_iter(columns.iter().map(array)).unwrap();
            let mut bytes = Vec::new();
            let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
            project.write_bytes(&name, &bytes);
        }
    }
}

const A: Row<'_> = &[("N", "a"), ("Дата", "2024-03-25"), ("ОКТМО", "41000001"), ("Сумма", "1")];
const B: Row<'_> = &[("N", "b"), ("Дата", "2024-03-25"), ("ОКТМО", "41000001"), ("Сумма", "2"), ("Код льготы", "7-Л")];
const C: Row<'_> = &[("N", "c"), ("Дата", "2024-03-25"), ("ОКТМО", "41000001"), ("Сумма", "-"), ("Код льготы", "-")];
const WITHOUT_SUM: Row<'_> = &[("N", "d"), ("Дата", "2024-03-25"), ("ОКТМО", "41000001"), ("ФИО", "Иванов")];
const WITHOUT_PLACE: Row<'_> = &[("N", "e"), ("Дата", "2024-03-25"), ("Сумма", "1")];

fn failure(report: PipelineReport) -> String {
    assert_eq!(report.files, 0, "{report:?}");
    format!("{:#}", anyhow::Error::from(report.failures.into_iter().next().unwrap().error))
}

#[tokio::test]
async fn by_default_others_are_left_alone_and_the_declared_ones_must_be_there() {
    for format in FORMATS {
        let project = project(format, "");
        write(&project, format, "1", &[A, B, C]);
        let report = project.run().await;
        assert_eq!((report.accepted, report.batches[0].warnings.len()), (3, 0), "{format}");
        write(&project, format, "2", &[WITHOUT_SUM]);
        let report = project.run().await;
        if WITH_HEADER.contains(&format) {
            assert!(failure(report).contains("column `Сумма` is not in the file"), "{format}");
        } else {
            assert_eq!(report.accepted, 1);
        }
    }
}

#[tokio::test]
async fn evolve_keeps_a_new_column_as_pseudonyms() {
    let pseudonym = PseudonymKey::from_bytes(&[7; 32]).pseudonym("7-Л");
    for format in FORMATS {
        let project = project(format, "schema_change: evolve");
        write(&project, format, "1", &[A]);
        project.run().await;
        write(&project, format, "2", &[B, C]);
        write(
            &project,
            format,
            "3",
            &[&[("N", "f"), ("Дата", "2024-03-25"), ("ОКТМО", "41000001"), ("Сумма", "2"), ("Код льготы", "7-Л")]],
        );
        let report = project.run().await;
        assert_eq!((report.accepted, report.rejected), (3, 0), "{format}");
        let expected = "«Код льготы»: столбец не объявлен, его значения хранятся псевдонимами в extra_kod_lgoty; объявите его в \
                        columns и values и назовите в контракте или внесите в ignore";
        assert_eq!(report.batches[0].warnings, [expected], "{format}");
        assert!(report.batches[1].warnings.is_empty(), "a run tells it once; {format}");
        let lake = Lake::open(&project.data_dir()).await.unwrap();
        let version = lake.version("cases").await.unwrap().unwrap();
        let mut found = Vec::new();
        for file in lake.files("cases", version).await.unwrap() {
            let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
                fs_err::File::open(&file.path).unwrap().into_file(),
            );
            for batch in reader.unwrap().build().unwrap().map(Result::unwrap) {
                let Some(column) = batch.column_by_name("extra_kod_lgoty") else { continue };
                let column = arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8).unwrap();
                let texts = arrow::array::AsArray::as_string::<i32>(&column);
                found.extend(texts.iter().map(|text| text.map(str::to_owned)));
            }
        }
        found.sort();
        assert_eq!(found, [None, Some(pseudonym.clone()), Some(pseudonym.clone())], "{format}");
    }
}

#[tokio::test]
async fn evolve_and_discard_value_go_on_without_a_column_that_no_row_must_have() {
    for change in ["evolve", "discard_value"] {
        for format in WITH_HEADER {
            let project = project(format, &format!("schema_change: {change}"));
            write(&project, format, "1", &[WITHOUT_SUM]);
            let report = project.run().await;
            assert_eq!(report.accepted, 1, "{change} {format}");
            let expected =
                "«Сумма»: столбца нет в файле, значения пусты; верните его в выгрузку или уберите из columns";
            assert_eq!(report.batches[0].warnings, [expected], "{change} {format}");
            write(&project, format, "2", &[WITHOUT_PLACE]);
            let told = failure(project.run().await);
            assert!(told.contains("column `ОКТМО` is not in the file"), "{told}");
        }
    }
}

#[tokio::test]
async fn freeze_holds_the_load_and_what_was_loaded_stays() {
    for format in FORMATS {
        let project = project(format, "schema_change: freeze");
        write(&project, format, "1", &[A]);
        assert_eq!(project.run().await.accepted, 1);
        write(&project, format, "2", &[A, B]);
        let told = failure(project.run().await);
        let expected = format!(
            "`in/2.{format}` is not taken: the columns have changed: `Код льготы` is not declared; what was loaded before stays;"
        );
        assert!(told.starts_with(&expected), "{told}");
        assert_eq!(project.events(&["case_id", "_batch"]).await, ["a | 1"], "{format}");
        write(&project, format, "2", &[WITHOUT_PLACE]);
        let told = failure(project.run().await);
        assert!(told.contains("`ОКТМО` is not in the file"), "{format}: {told}");
        // What is ignored is known.
        let known: Row<'_> =
            &[("N", "g"), ("Дата", "2024-03-25"), ("ОКТМО", "41000001"), ("Сумма", "2"), ("ФИО", "Иванов")];
        write(&project, format, "2", &[known]);
        assert_eq!(project.run().await.accepted, 1, "{format}");
    }
}

#[tokio::test]
async fn discard_row_rejects_what_has_more_than_was_declared() {
    for format in FORMATS {
        let project = project(format, "schema_change: discard_row");
        write(&project, format, "1", &[A, B, C]);
        let report = project.run().await;
        assert_eq!((report.read, report.accepted, report.rejected), (3, 2, 1), "{format}");
        // Excel counts the header as well.
        let place = if format == "xlsx" { 3 } else { 2 };
        assert_eq!(
            project.rejected(&["row", "rule", "sentence"]).await,
            [format!(
                "{place} | undeclared | «Код льготы»: столбец не объявлен, а в нём есть значение; объявите его в конвейере или уберите из выгрузки"
            )],
            "{format}"
        );
        assert!(!project.rejected(&["raw"]).await[0].contains("7-Л"), "nobody knows whether it is personal");
    }
}

#[tokio::test]
async fn discard_value_leaves_out_and_counts() {
    for format in FORMATS {
        let project = project(format, "schema_change: discard_value");
        let unfit: Row<'_> = &[("N", "h"), ("Дата", "2024-03-25"), ("ОКТМО", "41000001"), ("Сумма", "много")];
        let rejected: Row<'_> =
            &[("N", "i"), ("Дата", "когда-то"), ("ОКТМО", "41000001"), ("Сумма", "много"), ("Код льготы", "8")];
        write(&project, format, "1", &[A, B, C, unfit, rejected]);
        let report = project.run().await;
        assert_eq!((report.read, report.accepted, report.rejected), (5, 4, 1), "{format}");
        assert_eq!(
            report.batches[0].warnings,
            [
                "«Код льготы»: столбец не объявлен, отброшено значений: 1; объявите его в columns или внесите в ignore",
                "«Сумма»: отброшено значений не того типа: 1; исправьте в реестре",
            ],
            "{format}"
        );
        assert_eq!(project.events(&["case_id", "amount"]).await, ["a | 1.0", "b | 2.0", "c | ", "h | "], "{format}");
    }
}

#[tokio::test]
async fn lists_and_objects_of_other_keys_are_text() {
    for change in ["evolve", "discard_value", "discard_row"] {
        for format in ["ndjson", "json"] {
            let project = project(format, &format!("schema_change: {change}"));
            let row = r#"{"N":"a","Дата":"2024-03-25","ОКТМО":"41000001","дети":[{"имя":"x"}]}"#;
            let text = if format == "json" { format!("[{row}]") } else { row.to_owned() };
            project.write(&format!("in/1.{format}"), &text);
            let report = project.run().await;
            let expected = if change == "discard_row" { (0, 1) } else { (1, 0) };
            assert_eq!((report.accepted, report.rejected), expected, "{change} {format}");
        }
    }
}
