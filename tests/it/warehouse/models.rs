//! Models: those that are shipped with their samples, and what is said about wrong ones.

use std::collections::BTreeSet;

use svod::warehouse::samples::check_samples;
use svod::warehouse::{Contracts, Model, Reference};

use super::small_project::{SmallProject, time_zone};
use crate::support::project_root;

fn shipped() -> (Contracts, Vec<Model>) {
    let reference = Reference::load(&project_root()).unwrap_or_else(|problems| panic!("{problems}"));
    let contracts = Contracts::load(&project_root(), &reference).unwrap_or_else(|problems| panic!("{problems}"));
    let models =
        Model::load_all(&project_root(), &contracts, &reference).unwrap_or_else(|problems| panic!("{problems}"));
    (contracts, models)
}

#[test]
fn samples_of_every_shipped_model_come_out_as_expected() {
    let (contracts, models) = shipped();
    let mut without = BTreeSet::new();
    for model in &models {
        match check_samples(&project_root(), model, &contracts, time_zone()) {
            Ok(0) => _ = without.insert(model.name.clone()),
            Ok(_) => {}
            Err(problems) => panic!("{problems}"),
        }
    }
    assert!(without.is_empty(), "models without samples: {without:?}");
    assert!(models.len() >= 8);
}

#[tokio::test]
async fn a_sample_that_differs_is_told_with_its_name() {
    let project = SmallProject::new().await;
    project.write(
        "sql/models/cases.samples.yaml",
        "- name: provided\n  events:\n    cases:\n      - {case_id: A, event: provided, occurred_at: \"2024-03-01T08:00:00Z\"}\n  \
         expect:\n    - {case_id: A, status: refused}\n",
    );
    let problems = check_samples(project.root(), &project.models[0], &project.contracts, time_zone()).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "error: sql/models/cases.samples.yaml:1:9: provided: {\"case_id\":\"A\",\"status\":\"refused\"}: `status` is \
         provided instead of \"refused\"\n  1 | - name: provided\n    |         ^^^^^^^^"
    );
}

#[tokio::test]
async fn wrong_sql_is_shown_at_its_place() {
    let project = SmallProject::new().await;
    project.write("sql/models/cases.sql", "-- One row per case.\nSELECT\n    case_id,\n    munici\nFROM cases\n");
    let problems = Model::load_all(project.root(), &project.contracts, &Reference::default()).unwrap_err().to_string();
    assert!(problems.starts_with("error: sql/models/cases.sql:4:5: "), "{problems}");
    assert!(problems.contains("\n  4 |     munici\n    |     ^^^^^^"), "{problems}");
}

#[tokio::test]
async fn a_declaration_that_does_not_fit_its_sql_is_told() {
    let project = SmallProject::new().await;
    project.write(
        "sql/models/cases.sql",
        "SELECT case_id, [1] AS list, 'x' AS registered_on, 1 AS month, 2 AS _x FROM cases;\n",
    );
    let text = Model::load_all(project.root(), &project.contracts, &Reference::default()).unwrap_err().to_string();
    for expected in ["the column `list` is a INTEGER[]", "cannot be named `month`", "cannot be named `_x`"] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    project.write("sql/models/cases.sql", "SELECT case_id, 'x' AS registered_on FROM cases;\n");
    let text = Model::load_all(project.root(), &project.contracts, &Reference::default()).unwrap_err().to_string();
    assert!(text.contains("cases.yaml:6:8: `registered_on` is not a DATE"), "{text}");
    assert!(text.contains("the result has no column `municipality`"), "{text}");
}
