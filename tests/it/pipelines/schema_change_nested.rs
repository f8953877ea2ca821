//! Columns that nobody declared where rows have parts: XML, JSON with paths, packed files and pushed rows.

use std::sync::Arc;

use svod::pipelines::formats::ndjson::NdjsonDecoder;
use svod::pipelines::formats::xml::{XmlDecoder, XmlOptions};
use svod::pipelines::formats::{BlockLimits, ColumnName, Decoder, FormatError, Undeclared, WantedColumns};
use svod::pipelines::{PseudonymKey, PushDesk, PushError};

use super::bench_project::BenchProject;

/// Columns of a decoder that refuses others or hands them over.
fn wanted(undeclared: Undeclared, names: &[&str], ignored: &[&str]) -> WantedColumns {
    let name = |name: &&str| ColumnName { from: (*name).to_owned(), name: (*name).to_owned() };
    let columns: Vec<ColumnName> = names.iter().map(name).collect();
    let required = vec![true; columns.len()];
    WantedColumns::from(columns).strictly(undeclared, false, required, ignored.iter().map(|name| (*name).to_owned()))
}

/// Values that were handed over, as `row name: value`, with names that have none.
fn handed_over(decoder: &mut dyn Decoder) -> Result<Vec<String>, FormatError> {
    let mut found = Vec::new();
    while let Some(block) = decoder.next_block()? {
        for column in block.changes.undeclared {
            if column.values.is_empty() {
                found.push(format!("- {}", column.name));
            }
            let row = |(row, value): &(usize, String)| format!("{} {}: {value}", block.rows[*row], column.name);
            found.extend(column.values.iter().map(row));
        }
    }
    Ok(found)
}

const CASES: &str = r#"<?xml version="1.0"?>
<Cases xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:k="urn:k" region="41">
  <Case id="1" xsi:type="Full" k:kind="x">
    <Applicant phone="5"><Snils>7</Snils><Name>Иванов</Name></Applicant>
    <k:Benefit code="7-Л">
      <Since>2024</Since> <Until/>
    </k:Benefit>
    <k:Benefit>и ещё &amp; ещё</k:Benefit>
    <Empty xsi:nil="true"/>
    <Known>да</Known>
  </Case>
  <Case id="2"><Applicant><Snils>8</Snils></Applicant></Case>
</Cases>
"#;

fn read_xml(undeclared: Undeclared, names: &[&str], ignored: &[&str]) -> Result<Vec<String>, FormatError> {
    let options = XmlOptions { row: "/Cases/Case".to_owned(), namespaces: [].into() };
    let columns = wanted(undeclared, names, ignored);
    handed_over(&mut XmlDecoder::new(CASES.as_bytes(), &options, &columns, BlockLimits::default())?)
}

#[test]
fn other_elements_and_attributes_of_an_xml_row_are_handed_over() {
    let names = ["@id", "Applicant/Snils", "../@region"];
    assert!(read_xml(Undeclared::LeaveAlone, &names, &[]).unwrap().is_empty());
    assert_eq!(
        read_xml(Undeclared::HandOver, &names, &["Known"]).unwrap(),
        ["1 @kind: x", "1 Benefit: 7-Л 2024 и ещё & ещё", "- Empty"]
    );
    let error = read_xml(Undeclared::Refuse, &names, &["Benefit", "@kind"]).unwrap_err().to_string();
    assert!(
        error.starts_with("the columns have changed: `Empty`, `Known` are not declared; what was loaded before stays;"),
        "{error}"
    );
    let known = ["Benefit", "@kind", "Empty", "Known"];
    assert!(read_xml(Undeclared::Refuse, &names, &known).unwrap().is_empty());
    let error = read_xml(Undeclared::Refuse, &["@id", "Applicant/Inn", "Sum"], &known).unwrap_err().to_string();
    assert!(error.starts_with("the columns have changed: `Applicant/Inn`, `Sum` are not in the file;"), "{error}");
}

#[test]
fn the_first_key_of_a_path_is_declared() {
    let lines = "{\"a\":{\"b\":1,\"c\":2},\"d\":{\"e\":1}}\n{\"a\":{\"b\":2},\"b\":3}\n";
    let columns = wanted(Undeclared::HandOver, &["a.b"], &[]);
    let mut decoder = NdjsonDecoder::new(lines.as_bytes(), &columns, BlockLimits::default());
    assert_eq!(handed_over(&mut decoder).unwrap(), ["1 d: {\"e\":1}", "2 b: 3"]);
}

/// A pipeline over cases in XML that declares what it does with other columns.
fn xml_project(schema_change: &str) -> BenchProject {
    let project = BenchProject::new();
    project.write(
        "pipelines/journal.yaml",
        &format!(
            r#"pipeline: journal
title: {{ru: Журнал, en: Journal}}
description: Applications.
contract: cases
source: {{files: "in/*.xml*"}}
format: {{xml: {{row: /Cases/Case}}}}
columns:
  - {{name: number, from: "@id", type: string, required: true}}
  - {{name: applied, from: Applied, type: date, required: true}}
  - {{name: oktmo, from: Place/Oktmo, type: string, required: true}}
  - {{name: sum, from: Sum, type: number}}
schema_change: {schema_change}
ignore: [Name]
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

fn case(id: &str, more: &str) -> String {
    let place = "<Place><Oktmo>41000001</Oktmo><Street>Мира</Street></Place>";
    format!("<Case id=\"{id}\"><Applied>2024-03-25</Applied>{place}<Name>Иванов</Name>{more}</Case>")
}

fn cases(cases: &[String]) -> String {
    format!("<Cases>{}</Cases>", cases.concat())
}

#[tokio::test]
async fn a_pipeline_over_xml_does_what_it_declares() {
    let other = case("b", "<Sum>много</Sum><Льгота код=\"7\"/>");
    for (change, accepted, rejected) in [("evolve", 1, 1), ("discard_row", 1, 1), ("discard_value", 2, 0)] {
        let project = xml_project(change);
        project.write("in/1.xml", &cases(&[case("a", "<Sum>1</Sum>"), other.clone()]));
        let report = project.run().await;
        assert_eq!((report.accepted, report.rejected), (accepted, rejected), "{change}");
        let shown = project.rejected(&["raw"]).await.concat();
        assert!(!shown.contains("Иванов") && !shown.contains("Мира"), "{shown}");
    }
    let project = xml_project("freeze");
    project.write("in/1.xml", &cases(&[case("a", "<Sum>1</Sum>"), other]));
    let failure = format!("{:#}", anyhow::Error::from(project.run().await.failures.remove(0).error));
    assert!(failure.contains("the columns have changed: `Льгота` is not declared;"), "{failure}");
    project.write("in/1.xml", &cases(&[case("a", "<Sum>1</Sum>")]));
    assert_eq!(project.run().await.accepted, 1);
}

#[tokio::test]
async fn evolve_keeps_what_a_packed_document_has() {
    let project = xml_project("evolve");
    let text = cases(&[case("a", "<Льгота><Код>7</Код> <Код>8</Код></Льгота>"), case("b", "")]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
    project.write_bytes("in/1.xml.gz", &packed.finish().unwrap());
    let report = project.run().await;
    assert_eq!((report.accepted, report.batches[0].warnings.len()), (2, 1), "{report:?}");
    let pseudonym = PseudonymKey::from_bytes(&[7; 32]).pseudonym("7 8");
    assert_eq!(project.events(&["case_id", "extra_lgota"]).await, [format!("a | {pseudonym}"), "b | ".to_owned()]);
}

/// A pipeline that takes pushed rows, and a desk for it.
fn pushed(more: &str) -> (BenchProject, PushDesk) {
    let project = BenchProject::new();
    project.write(
        "pipelines/journal.yaml",
        &format!(
            r"pipeline: journal
title: {{ru: Журнал, en: Journal}}
description: Applications, as the register pushes them.
contract: cases
source: {{push: {{on_bad_rows: quarantine}}}}
format: {{ndjson: {{}}}}
columns:
  - {{name: id, type: string, required: true}}
  - {{name: at, type: timestamp, required: true}}
  - {{name: place, type: string}}
  - {{name: sum, type: number}}
{more}values:
  case_id: {{from: id}}
  municipality: {{from: place}}
  amount: {{from: sum}}
emit:
  - {{event: registered, at: at}}
"
        ),
    );
    let (contracts, reference, pipelines) = project.load().unwrap_or_else(|problems| panic!("{problems}"));
    let desk = PushDesk::open(&pipelines[0], &contracts, &Arc::new(reference), &project.data_dir()).unwrap();
    (project, desk)
}

fn line(id: &str, more: &str) -> String {
    format!("{{\"id\":\"{id}\",\"at\":\"2024-03-31T12:00:00Z\",\"place\":\"41000001\"{more}}}\n")
}

#[tokio::test]
async fn pushed_columns_are_judged_as_a_run_judges_them() {
    let now = "2025-01-01T00:00:00Z".parse().unwrap();
    let (project, desk) = pushed("schema_change: freeze\n");
    // A run would hold back everything that was pushed beside it, so it does not come in, bad rows or not.
    let Err(error @ PushError::Changed(_)) = desk.take("a", line("1", ",\"extra\":1").as_bytes(), now) else {
        panic!("a column is not declared")
    };
    let told = error.to_string();
    assert!(told.starts_with("nothing is taken: the columns have changed: `extra` is not declared;"), "{told}");
    desk.take("a", line("1", "").as_bytes(), now).unwrap();
    assert_eq!(project.run().await.accepted, 1);

    let (project, desk) = pushed("schema_change: discard_row\n");
    let body = [line("1", ""), line("2", ",\"extra\":1")].concat();
    let receipt = desk.take("a", body.as_bytes(), now).unwrap();
    let report = project.run().await;
    assert_eq!((receipt.rows, receipt.set_aside), (report.accepted, report.rejected));
    assert_eq!((receipt.rows, receipt.set_aside), (1, 1));
}

#[tokio::test]
async fn rules_about_rows_are_judged_when_they_are_pushed_and_rules_about_batches_when_they_are_run() {
    let now = "2025-01-01T00:00:00Z".parse().unwrap();
    let (project, _) = pushed("");
    project.add_rules(&[
        "{type: sql, name: below_zero, description: \"сумма меньше нуля; исправьте\", mustBe: 0, \
         query: \"SELECT COUNT(*) FROM {object} WHERE amount < 0\"}",
        "{metric: rowCount, mustBeGreaterThan: 1}",
    ]);
    let (contracts, reference, pipelines) = project.load().unwrap_or_else(|problems| panic!("{problems}"));
    let desk = PushDesk::open(&pipelines[0], &contracts, &Arc::new(reference), &project.data_dir()).unwrap();
    let receipt = desk.take("a", [line("1", ""), line("2", ",\"sum\":-1")].concat().as_bytes(), now).unwrap();
    assert_eq!((receipt.rows, receipt.set_aside), (1, 1));
    let held = project.run().await;
    assert_eq!((held.files, held.failures.len()), (0, 1), "one event is not enough");
    desk.take("b", line("3", "").as_bytes(), now).unwrap();
    desk.take("c", line("4", "").as_bytes(), now).unwrap();
    let report = project.run().await;
    assert_eq!((report.files, report.accepted, report.failures.len()), (1, 2, 1), "{report:?}");
}
