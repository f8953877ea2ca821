//! What is said about wrong regulations.

use super::{REGULATION, load, project};

/// The problems of the regulation after a change.
fn problems_of(change: (&str, &str)) -> String {
    assert!(REGULATION.contains(change.0), "{}", change.0);
    let folder = project(&REGULATION.replacen(change.0, change.1, 1));
    load(folder.path()).map(|_| String::new()).unwrap_err()
}

#[test]
fn a_mistake_is_shown_at_its_place() {
    assert_eq!(
        problems_of(("stop: {on: [registered]}", "stop: {on: [registred]}")),
        "error: warehouse/regulations/social_contract.yaml:22:17: the event table `cases` has no event `registred`\n  \
         22 |     stop: {on: [registred]}\n     |                 ^^^^^^^^^  help: did you mean `registered`?"
    );
}

#[test]
fn every_mistake_is_named() {
    for (change, message) in [
        (
            ("regulation: social_contract", "regulation: recognition"),
            "1:13: `regulation`: expected `social_contract`, found `recognition`",
        ),
        (("table: cases", "table: case"), "3:8: there is no event table `case`"),
        (
            ("clock: contract_registration", "clock: contract_registrtion"),
            "19:12: `contract_registrtion` is no code of the list `clocks`",
        ),
        (
            ("clock: contract_registration", "clock: contract_decision"),
            "27:12: the clock `contract_decision` stands twice",
        ),
        (("state: granted, on: [granted]", "state: grantd, on: [granted]"), "`grantd` is no code of the list `stages`"),
        (("on: [resumed, extended]", "on: [resumed, granted]"), "the event `granted` leads to two states"),
        (("contract_farming,", "contract_farm,"), "`contract_farm` is no value of `service`"),
        (("from: 2025-06-01", "from: 2024-06-01"), "the edition is not in force after the one before it"),
        (("until: 2027-03-31", "until: 2025-03-31"), "the edition ends before it begins"),
        (("edition: new, from", "edition: old, from"), "the edition `old` stands twice"),
        (("ru: Приказ 1", "ru: ''"), "`act` is empty"),
        (("closes: \"18:00\"", "closes: \"18.00\""), "`18.00` is no time of day"),
        (("clause: \"1\"", "clause: \"\""), "`clause` is empty"),
        (("limit: 1,", "limit: 0,"), "a limit of 0 cannot be kept"),
        (
            ("unit: days, counts: day_of}", "unit: days, after_hours: next_working_day}"),
            "`after_hours` is for a term in working days",
        ),
        (
            ("limit: 10, unit: working_days}", "limit: 10, unit: working_days, day_off: next_working_day}"),
            "`day_off` is for a term in calendar days",
        ),
        (("edition: [new], category", "edition: [newer], category"), "there is no edition `newer`"),
        (("channel: [office]", "chanel: [office]"), "the event table `cases` has no column `chanel` for conditions"),
        (("channel: [office]", "person_id: [office]"), "no column `person_id` for conditions"),
        (
            (
                "{edition: [new]}, term: {limit: 12, unit: working_days}",
                "{edition: [new]}, term: {limit: 12, unit: days}",
            ),
            "keeps its unit",
        ),
        (("contract_testing]", "contract_test]"), "`contract_test` is no code of the list `refusal_grounds`"),
        (("start: {on: [granted]}", "start: {on: [granted], day: amount}"), "has no DATE column `amount`"),
        (("start: {on: [granted]}", "start: {on: []}"), "`start` names no event"),
        (
            ("    repeats: true", "    repeats: true\n    awaits: [registered]"),
            "a clock that repeats has no `pause`, `extend` or `awaits`",
        ),
        (
            ("unit: days, day_off: next_working_day}", "unit: hours}"),
            "`pause`, `extend` and `at_risk` are for terms in days",
        ),
    ] {
        let problems = problems_of(change);
        assert!(problems.starts_with("error: warehouse/regulations/social_contract.yaml:"), "{problems}");
        assert!(problems.contains(message), "{message}\n{problems}");
    }
}

#[test]
fn the_model_reads_the_tables_of_all_regulations() {
    let folder = project(REGULATION);
    let path = folder.path().join("sql/models/clocks.yaml");
    let text = fs_err::read_to_string(&path).unwrap();
    fs_err::write(&path, text.replace("[cases]", "[]")).unwrap();
    let problems = load(folder.path()).map(|_| ()).unwrap_err();
    assert!(
        problems.contains("social_contract.yaml:3:8: the model `clocks` does not read the event table `cases`"),
        "{problems}"
    );
    fs_err::remove_file(folder.path().join("warehouse/regulations/social_contract.yaml")).unwrap();
    let problems = load(folder.path()).map(|_| ()).unwrap_err();
    assert!(problems.contains("clocks.yaml:1:8: there are no regulations in warehouse/regulations"), "{problems}");
}
