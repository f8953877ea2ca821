//! Contracts and code lists: those that are shipped, and what is said about wrong ones.

use svod::domain::calendar::{Term, TermUnit};
use svod::warehouse::contracts::{ColumnType, Limit, Privacy, Severity, Test};
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
            "budgets",
            "cases",
            "certificates",
            "complaints",
            "debts",
            "deliverables",
            "electronic_cases",
            "families",
            "leaves",
            "needs",
            "partners",
            "passports",
            "programmes",
            "projects",
            "ratings",
            "requests",
            "returns",
            "risks",
            "teams",
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

/// The contract with quality rules of the table, of `amount`, and promises.
fn with_rules(of_table: &str, of_amount: &str, promises: &str) -> String {
    let table = format!("    quality: [{of_table}]\n    properties:\n");
    let amount = format!("logicalType: number, quality: [{of_amount}],");
    let text = CONTRACT.replace("    properties:\n", &table).replace("logicalType: number,", &amount);
    format!("{text}slaProperties: [{promises}]\n")
}

#[test]
fn rules_and_promises_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let contracts = folder.path().join("warehouse/contracts");
    fs_err::create_dir_all(&contracts).unwrap();
    let text = with_rules(
        "{metric: rowCount, mustBeBetween: [1, 10]}, {type: text, description: For people.}",
        "{metric: nullValues, mustBeLessThan: 5, unit: percent, severity: warning}, \
         {query: \"select count(*) from ${object} where ${property} > 5;\", name: much, description: \"too\\n  much\", mustBe: 0}",
        "{property: latency, value: 2, unit: bd}, {property: retention, value: forever}",
    );
    fs_err::write(contracts.join("cases.odcs.yaml"), text).unwrap();
    let contracts =
        Contracts::load(folder.path(), &Reference::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let contract = contracts.get("cases").unwrap();
    let names: Vec<(&str, bool)> =
        contract.rules.iter().map(|rule| (rule.name.as_str(), rule.rejects_rows())).collect();
    assert_eq!(names, [("missing", false), ("much", true), ("row_count", false)]);
    let much = &contract.rules[1];
    assert!(matches!(&much.test, Test::Condition { sql } if sql.value == "amount > 5"), "{much:?}");
    assert_eq!(much.sentence.as_deref(), Some("too much"));
    assert_eq!((contract.rules[0].severity, contract.rules[0].in_percent), (Severity::Warning, true));
    assert_eq!(contract.rules[2].limit, Limit::Between(1.0, 10.0));
    let freshness = contract.freshness.unwrap();
    assert_eq!(freshness.latency, Some(Term { amount: 2, unit: TermUnit::WorkingDays }));
    assert_eq!(freshness.frequency, None);
}

#[test]
fn a_wrong_rule_is_told() {
    let sql = |query: &str| format!("{{type: sql, name: a, description: b, mustBe: 0, query: \"{query}\"}}");
    let other_query = sql("SELECT MAX(amount) FROM cases");
    let other_table = sql("SELECT COUNT(*) FROM people WHERE amount > 1");
    let cases = [
        ("{metric: rowCount}", "", "", "expected exactly one limit, found 0"),
        ("{metric: rowCount, mustBe: 1, mustNotBe: 2}", "", "", "expected exactly one limit, found 2"),
        ("{metric: rowCount, mustBeBetween: [5, 1]}", "", "", "expected two numbers, the smaller one first"),
        ("{metric: rowCount, mustBe: 1, unit: percent}", "", "", "a number of rows is not a share of itself"),
        ("{metric: nullValues, mustBe: 0}", "", "", "`nullValues` is about one column"),
        ("{metric: duplicateValues, mustBe: 0}", "", "", "no columns to compare"),
        (
            "{metric: duplicateValues, arguments: {properties: [amont]}, mustBe: 0}",
            "",
            "",
            "there is no column `amont`",
        ),
        ("{type: sql, mustBe: 0}", "", "", "a rule of `cases` has no `query`"),
        ("{type: sql, mustBe: 0, query: a}", "", "", "the rule has no `name`"),
        (other_query.as_str(), "", "", "the query does not count the events that are wrong"),
        (other_table.as_str(), "", "", "the query does not count the events that are wrong"),
        ("", "{metric: rowCount, mustBe: 1}", "", "`rowCount` counts rows, not values of a column"),
        ("", "{metric: nullValue, mustBe: 1}", "", "`metric`: unknown value `nullValue`"),
        ("", "{metric: nullValues, mustBe: 1, severity: warn}", "", "`severity`: unknown value `warn`"),
        ("", "{metric: nullValues, mustBe: 1, unit: per cent}", "", "`unit`: unknown value `per cent`"),
        ("", "{metric: missingValues, arguments: {missingValues: [x]}, mustBe: 0}", "", "only a string can have this"),
        ("", "{metric: invalidValues, mustBe: 0}", "", "only a string can have this"),
        ("", "", "{property: latency, value: 1}", "the promise has no `unit`"),
        ("", "", "{property: latency, value: 1, unit: fortnight}", "`unit`: unknown value `fortnight`"),
        ("", "", "{property: latency, value: 0, unit: d}", "expected a whole number from 1 to 10000"),
        (
            "",
            "",
            "{property: latency, value: 1, unit: d}, {property: latency, value: 1, unit: d}",
            "`latency` is promised twice",
        ),
    ];
    for (table, amount, promises, expected) in cases {
        let text = problems_of(&with_rules(table, amount, promises));
        assert!(text.contains(expected), "found:\n{text}\nexpected:\n{expected}");
    }
}

#[test]
fn wrong_limits_and_names_are_told() {
    let cases = [
        ("logicalTypeOptions: {minimum: 1, exclusiveMinimum: 2},", "a limit with itself and a limit without"),
        ("logicalTypeOptions: {minimum: \"2024-01-01\"},", "`2024-01-01` is no limit of a number"),
    ];
    for (options, expected) in cases {
        let text = problems_of(&CONTRACT.replace("logicalType: number,", &format!("logicalType: number, {options}")));
        assert!(text.contains(expected), "{text}");
    }
    let text = problems_of(
        &CONTRACT.replace("logicalType: number,", "logicalType: date, logicalTypeOptions: {maximum: 31.12.2024},"),
    );
    assert!(text.contains("`31.12.2024` is no limit of a date"), "{text}");
    let text = problems_of(&CONTRACT.replace("name: amount,", "name: extra_amount,"));
    assert!(text.contains("`extra_amount` cannot be a name"), "{text}");
}
