//! Clocks of the regulations: against a walker of days, against the official calendar, and what is said about wrong regulations.

mod calendar;
mod declarations;
mod histories;
mod refreshes;
mod walker;

use std::path::Path;

use svod::warehouse::{Contracts, Model, Reference};

use crate::support::project_root;

/// A regulation with everything that can be declared; its rules are written once more in [`walker`].
const REGULATION: &str = r#"regulation: social_contract
description: Everything that can be declared.
table: cases
applies: {service: [contract_farming, contract_hardship]}
work_hours: {closes: "18:00", closes_short: "17:00"}
editions:
  - {edition: old, from: 2025-01-01, act: {ru: Приказ 1, en: Order 1}}
  - {edition: new, from: 2025-06-01, until: 2027-03-31, act: {ru: Приказ 2, en: Order 2}}
states:
  - {state: received, on: [received]}
  - {state: registered, on: [registered]}
  - {state: suspended, on: [suspended]}
  - {state: in_progress, on: [resumed, extended]}
  - {state: granted, on: [granted]}
  - {state: refused, on: [refused]}
  - {state: provided, on: [provided]}
  - {state: withdrawn, on: [withdrawn], final: true}
clocks:
  - clock: contract_registration
    clause: "1"
    start: {on: [received]}
    stop: {on: [registered]}
    term: {limit: 1, unit: working_days, counts: day_of, after_hours: next_working_day}
    overrides:
      - {when: {channel: [office]}, term: {limit: 1, unit: days, counts: day_of}}
      - {when: {channel: [post]}, term: {limit: 2, unit: working_days, after_hours: next_working_day}}
  - clock: contract_decision
    clause: "2"
    start: {on: [registered]}
    stop: {on: [granted, refused]}
    awaits: [received]
    term: {limit: 10, unit: working_days}
    overrides:
      - {when: {edition: [new], category: [low_income_single]}, term: {limit: 7, unit: working_days}}
      - {when: {edition: [new]}, term: {limit: 12, unit: working_days}}
    pause: {from: suspended, until: resumed, at_most: 5}
    extend: {on: extended, by: 20, grounds: [contract_survey, contract_testing]}
    at_risk: 2
  - clock: contract_rework
    clause: "3"
    start: {on: [suspended]}
    stop: {on: [resumed]}
    cancel: [granted, refused]
    term: {limit: 5, unit: working_days}
    repeats: true
  - clock: contract_payment
    clause: "4"
    start: {on: [granted]}
    stop: {on: [provided]}
    cancel: [refused]
    term: {limit: 14, unit: days, day_off: next_working_day}
    at_risk: 3
  - clock: contract_notice
    clause: "5"
    start: {on: [granted]}
    stop: {on: [provided]}
    cancel: [refused]
    term: {limit: 100, unit: hours}
"#;

/// The shipped model of clocks over cases alone.
const MODEL: &str = "model: clocks
grain: one row per clock
description: Clocks.
from: [cases]
compiled_from: regulations
key: [subject_id]
lists: [calendar]
month: opened_on
dimensions: []
";

/// A project with the shipped contract of cases and code lists, and one regulation.
fn project(regulation: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    };
    write("warehouse/regulations/social_contract.yaml", regulation);
    write("sql/models/clocks.yaml", MODEL);
    let copy = |path: &str| write(path, &fs_err::read_to_string(project_root().join(path)).unwrap());
    copy("warehouse/contracts/cases.odcs.yaml");
    for entry in fs_err::read_dir(project_root().join("warehouse/reference")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name != "README.md" {
            copy(&format!("warehouse/reference/{name}"));
        }
    }
    folder
}

/// The model of such a project, and its code lists.
fn load(project: &Path) -> Result<(Model, Reference), String> {
    let reference = Reference::load(project).map_err(|problems| problems.to_string())?;
    let contracts = Contracts::load(project, &reference).map_err(|problems| problems.to_string())?;
    let models = Model::load_all(project, &contracts, &reference).map_err(|problems| problems.to_string())?;
    Ok((models.into_iter().next().unwrap(), reference))
}
