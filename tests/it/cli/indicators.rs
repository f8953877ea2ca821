//! The catalogue of indicators on the command line.

use serde_json::Value;

use crate::support::{Program, project_root};

fn n_shipped() -> usize {
    let files = fs_err::read_dir(project_root().join("sql/indicators")).unwrap();
    files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with(".yaml")).count()
}

#[test]
fn every_indicator_is_listed_in_each_form() {
    let program = Program::shipped();
    let table = program.succeed(["indicators"]);
    assert!(table.starts_with(&format!("Показатели · {}\n", n_shipped())), "{table}");
    let line = table.lines().find(|line| line.trim_start().starts_with("support_rate ")).unwrap();
    for part in ["Процент оказания мер поддержки", "cases", "municipality, agency, service"]
    {
        assert!(line.contains(part), "{part}: {line}");
    }
    let csv = program.succeed(["indicators", "--format", "csv", "--lang", "en"]);
    let rows: Vec<_> = csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).collect();
    assert_eq!((csv.lines().next(), rows.len()), (Some("id,title,unit,entity,dimensions"), n_shipped()));
    let json: Value = serde_json::from_str(&program.succeed(["indicators", "--format", "json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), n_shipped());
    // Sorted in the same way in all forms.
    let ids = json.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap());
    assert!(ids.eq(rows.iter().map(|row| &row[0])));
}

#[test]
fn one_entity_can_be_asked_for() {
    let csv = Program::shipped().succeed(["indicators", "--entity", "cards", "--format", "csv"]);
    let rows: Vec<_> = csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| &row[3] == "cards"), "{csv}");
    let outcome = Program::shipped().run(["indicators", "--entity", "card"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("there is no entity `card`") && outcome.stderr.contains("`cards`"), "{outcome:?}");
}

#[test]
fn a_passport_says_what_a_figure_is_and_what_a_query_may_name() {
    let program = Program::shipped();
    let russian = program.succeed(["indicators", "contract_in_time"]);
    for term in
        ["Что показывает: ", "Как считается: ", "Источник: ", "Кто отвечает: ", "Сущность: clocks", "Срезы (--by): "]
    {
        assert!(russian.contains(term), "{term}: {russian}");
    }
    let english = program.succeed(["indicators", "contract_in_time", "--lang", "en"]);
    assert!(
        english.contains("What it says: ") && english.contains("state (State of the clock, clock_states)"),
        "{english}"
    );
    let json: Value =
        serde_json::from_str(&program.succeed(["indicators", "kpi_value", "--format", "json", "--lang", "en"]))
            .unwrap();
    assert_eq!((&json["id"], &json["requires"][0]), (&"kpi_value".into(), &"kpi".into()));
    let csv = program.succeed(["indicators", "kpi_value", "--format", "csv", "--lang", "en"]);
    let mut lines = csv.lines();
    assert_eq!((lines.next(), lines.next_back()), (Some("term,text"), Some("Must be cut by,kpi")), "{csv}");

    let unknown = program.run(["indicators", "suport_rate"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("did you mean `support_rate`?"), "{unknown:?}");
}
