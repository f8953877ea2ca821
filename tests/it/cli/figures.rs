//! Receipts, plans, explanations and the semantic layer on the command line.

use serde_json::Value;

use super::upkeep::copy_of_samples;
use crate::support::Program;

fn receipt(arguments: &[&str]) -> String {
    let words = ["query"].iter().chain(arguments).chain(&["--format", "json"]).copied();
    let document: Value = serde_json::from_str(&Program::with_samples().succeed(words)).unwrap();
    document["rows"][0]["receipt"].as_str().unwrap().to_owned()
}

#[test]
fn a_receipt_opens_the_rows_and_the_plan_behind_a_figure() {
    let program = Program::with_samples();
    let receipt = receipt(&["appeals", "--by", "municipality", "--from", "2025-03", "--to", "2025-03"]);
    let shown = program.succeed(["verify-figure", &receipt, "--rows", "--limit", "3", "--plan"]);
    assert!(shown.contains("совпадает: ") && shown.contains("строк: "), "{shown}");
    assert!(shown.contains("case_id") && shown.contains("registered_on") && !shown.contains("person_id"), "{shown}");
    assert!(shown.contains("Aggregate:"), "{shown}");
    let english = program.succeed(["verify-figure", &receipt, "--lang", "en"]);
    assert!(english.contains("equal: "), "{english}");

    let mistyped = program.run(["verify-figure", &receipt.replacen("2025-03-01", "2025-03-02", 1)]);
    assert_eq!(mistyped.code, Some(2), "{mistyped:?}");
    assert!(mistyped.stderr.contains("its checksum does not fit"), "{mistyped:?}");
}

/// A figure is computed again by the definitions that were kept with its snapshot. Where there are none, definitions that were
/// changed are told apart, and the exit code says so.
#[test]
fn a_changed_definition_is_told() {
    // A copy, for other tests read the samples as they are.
    let shipped = copy_of_samples();
    let receipt = receipt(&["appeals", "--from", "2025-03", "--to", "2025-03"]);
    let folder = tempfile::tempdir().unwrap();
    copy_declarations(folder.path());
    let path = folder.path().join("sql/indicators/appeals.yaml");
    let text = fs_err::read_to_string(&path).unwrap();
    fs_err::write(&path, text.replace("{count: {}}", "{count: {where: \"provided_on IS NOT NULL\"}}")).unwrap();
    let data = shipped.data.path().to_string_lossy().into_owned();
    let project = folder.path().to_string_lossy().into_owned();
    let verify = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_svod"));
        command.args(["verify-figure", &receipt, "--lang", "en", "--project", &project, "--data-dir", &data]);
        let output = command.env("SVOD_NOW", crate::support::NOW).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr))
    };
    let (code, shown) = verify();
    assert!(code == Some(0) && shown.contains("equal: "), "{shown}");
    fs_err::remove_dir_all(shipped.data.path().join("snapshots/definitions")).unwrap();
    let (code, shown) = verify();
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("differs: ") && shown.contains("the definition of the indicator was changed since"),
        "{shown}"
    );
}

fn copy_declarations(folder: &std::path::Path) {
    let root = crate::support::project_root();
    fs_err::copy(root.join("svod.yaml"), folder.join("svod.yaml")).unwrap();
    for name in [
        "pipelines",
        "warehouse/contracts",
        "warehouse/plans",
        "warehouse/policies",
        "warehouse/reference",
        "warehouse/regulations",
        "sql/models",
        "sql/indicators",
        "dashboards",
    ] {
        fs_err::create_dir_all(folder.join(name)).unwrap();
        for entry in fs_err::read_dir(root.join(name)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs_err::copy(&path, folder.join(name).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
}

#[test]
fn a_plan_stands_beside_its_fact() {
    let table = Program::with_samples().succeed([
        "query",
        "kpi_value",
        "--by",
        "kpi",
        "--from",
        "2024",
        "--to",
        "2024",
        "--plan",
        "current",
    ]);
    assert!(table.contains("План") && table.contains("Выполнение"), "{table}");
    let csv = Program::with_samples().succeed([
        "query",
        "kpi_value",
        "--by",
        "kpi",
        "--from",
        "2024",
        "--to",
        "2024",
        "--plan",
        "initial",
        "--format",
        "csv",
    ]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5, "{csv}");
    // The plan of December is that of the year; one key figure has a target only.
    let plans: Vec<&str> = rows.iter().map(|row| &row[at("plan")]).collect();
    assert_eq!(plans, ["1", "1", "1", "1", ""]);
    assert!(rows.iter().all(|row| row[at("receipt")].starts_with("svod1.kpi_value.")));
}

#[test]
fn a_change_is_explained_by_each_dimension() {
    let program = Program::with_samples();
    let table = program.succeed([
        "explain",
        "support_rate",
        "--from",
        "2025-Q1",
        "--to",
        "2025-Q2",
        "--by",
        "channel",
        "--by",
        "category",
    ]);
    assert_eq!(table.matches("Всего").count(), 2, "{table}");
    assert!(table.contains("структура"), "{table}");
    let published = program.succeed(["explain", "appeals", "--published", "1..1", "--lang", "en"]);
    for cause in ["late rows", "corrections", "time passed", "method", "Total"] {
        assert!(published.contains(cause), "{published}");
    }
    for (arguments, expected) in [
        (vec!["explain", "appeals", "--from", "2025", "--to", "2026"], "--by"),
        (vec!["explain", "appeals"], "--published"),
        (vec!["explain", "appeals", "--published", "3-7"], "no pair of snapshots"),
        (vec!["explain", "appeals", "--from", "2025", "--to", "2026", "--by", "chanel"], "did you mean `channel`?"),
        (vec!["explain", "apeals", "--from", "2025", "--to", "2026", "--by", "channel"], "did you mean `appeals`?"),
    ] {
        let outcome = program.run(arguments.iter().copied());
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:?}");
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn the_semantic_layer_is_yaml_with_every_indicator() {
    let yaml = Program::shipped().succeed(["semantic"]);
    let model: Value = serde_saphyr::from_str(&yaml).unwrap();
    let cubes = model["cubes"].as_array().unwrap();
    let public = cubes.iter().flat_map(|cube| cube["measures"].as_array().unwrap()).filter(|one| one["public"] == true);
    let shipped = fs_err::read_dir(crate::support::project_root().join("sql/indicators"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".yaml"));
    assert_eq!(public.count(), shipped.count());
}
