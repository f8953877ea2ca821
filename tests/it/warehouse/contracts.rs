//! Contracts and code lists: those that are shipped, and what is said about wrong ones.

use svod::warehouse::contracts::{ColumnType, Privacy};
use svod::warehouse::{Contracts, Reference};

use super::small_project::{CONTRACT, SmallProject};
use crate::support::project_root;

fn problems_of(contract: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let contracts = folder.path().join("warehouse/contracts");
    fs_err::create_dir_all(&contracts).unwrap();
    fs_err::write(contracts.join("cases.odcs.yaml"), contract).unwrap();
    let problems = Contracts::load(folder.path(), &Reference::default()).map(|_| ()).unwrap_err();
    problems.sorted().iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn every_shipped_list_and_contract_is_right() {
    let reference = Reference::load(&project_root()).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(reference.names().count() >= 20);
    let contracts = Contracts::load(&project_root(), &reference).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(
        contracts.tables().collect::<Vec<_>>(),
        [
            "cases",
            "certificates",
            "complaints",
            "debts",
            "deliverables",
            "electronic_cases",
            "leaves",
            "passports",
            "programmes",
            "projects",
            "requests",
            "returns"
        ]
    );
    let cases = contracts.get("cases").unwrap();
    assert_eq!(cases.key()[0].name, "case_id");
    assert!(cases.events().contains(&"registered".to_owned()));
    assert_eq!(cases.column("person_id").unwrap().privacy, Privacy::Pseudonym);
    assert_eq!(cases.column("person_name").unwrap().privacy, Privacy::Dropped);
    assert!(cases.arrow_schema().field_with_name("person_name").is_err());
    assert_eq!(cases.column("occurred_at").unwrap().column_type, ColumnType::Timestamp);
}

#[tokio::test]
async fn a_contract_gives_the_schema_of_its_table() {
    let project = SmallProject::new().await;
    let schema = project.contract().arrow_schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(
        names,
        [
            "case_id",
            "event",
            "repetition",
            "occurred_at",
            "recorded_at",
            "municipality",
            "amount",
            "occurred_on",
            "month",
            "_key_hash",
            "_content_hash",
            "_pipeline",
            "_batch",
            "_file",
            "_row"
        ]
    );
}

#[test]
fn an_unknown_key_is_shown_with_its_line() {
    let text = problems_of(&CONTRACT.replace("status: active", "status: active\nshema: []"));
    assert!(text.starts_with("error: warehouse/contracts/cases.odcs.yaml:6:1: "), "{text}");
    assert!(text.contains("shema"), "{text}");
}

#[test]
fn an_unknown_type_is_shown_with_its_place() {
    let text = problems_of(&CONTRACT.replace("amount, logicalType: number", "amount, logicalType: numbr"));
    assert_eq!(
        text,
        "error: warehouse/contracts/cases.odcs.yaml:22:37: `logicalType`: unknown value `numbr`\n  \
         22 |       - {name: amount, logicalType: numbr, description: Roubles.}\n     \
         |                                     ^^^^^  help: did you mean `number`?\n"
    );
}

#[test]
fn all_problems_of_a_contract_are_told_at_once() {
    let wrong = CONTRACT
        .replace("      - {name: recorded_at, logicalType: timestamp, description: When written.}\n", "")
        .replace(
            "name: municipality, logicalType: string,",
            "name: municipality, logicalType: string, relationships: [{to: towns.code}],",
        )
        .replace(
            "name: amount, logicalType: number,",
            "name: amount, logicalType: string, logicalTypeOptions: {pattern: \"[\"},",
        )
        .replace(", primaryKey: true", "")
        .replace("        primaryKey: true\n", "");
    let text = problems_of(&wrong);
    for expected in [
        "the table has no column `recorded_at`",
        "the table has no key",
        "there is no code list `towns`",
        "`pattern` is not a regular expression: unclosed character class",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}
