//! Exit codes and messages of the commands.

use crate::support::Program;

#[test]
fn the_shipped_declarations_are_right() {
    let report = Program::shipped().succeed(["check"]);
    assert!(report.starts_with("ok: "), "{report}");
}

#[test]
fn a_project_that_is_not_there_is_exit_code_2() {
    let mut program = Program::shipped();
    program.project = "/nowhere".into();
    let outcome = program.run(["check"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("svod.yaml: cannot be read"), "{outcome:?}");
}

#[test]
fn a_query_without_data_says_what_to_do() {
    let outcome = Program::shipped().run(["query", "appeals"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("svod run"), "{outcome:?}");
}

#[test]
fn the_time_zone_of_the_machine_changes_no_entity() {
    let program = Program::shipped();
    let output = program.command(["run", "samara_appeals"]).env("TZ", "Asia/Vladivostok").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let select = "SELECT batch, finished_at, last_event_at FROM runs WHERE pipeline = 'samara_appeals' ORDER BY batch";
    let moments = |program: &Program| program.succeed(["sql", "--format", "csv", select]);
    assert!(moments(&program).contains("2026-11-21T09:00:00"), "{}", moments(&program));
    assert_eq!(moments(&program), moments(Program::with_samples()));
}

#[test]
fn wrong_arguments_are_exit_code_2_and_name_the_nearest() {
    let program = Program::with_samples();
    for (arguments, expected) in [
        (vec!["query", "suport_rate"], "did you mean `support_rate`?"),
        (vec!["query", "support_rate", "--by", "municipalty"], "did you mean `municipality`?"),
        (vec!["query", "support_rate", "--from", "2026-13"], "`2026-13` is not a date"),
        (vec!["query", "support_rate", "--where", "municipality"], "DIM=VALUE"),
        (vec!["query", "support_rate", "--as-of", "99"], "snapshot"),
        (vec!["run", "no_such_pipeline"], "no_such_pipeline"),
        (vec!["sql", "DELETE FROM cases"], "only one SELECT can be run"),
    ] {
        let outcome = program.run(arguments.iter().copied());
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:?}");
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn a_query_compares_over_time_and_tells_how_complete_it_is() {
    let program = Program::with_samples();
    let query = ["query", "appeals", "--from", "2026-04", "--to", "2026-05", "--grain", "month"];
    let beside = ["--compare", "previous,year-ago", "--cumulative", "year", "--rolling", "2", "--per-working-day"];
    let ask = |format: &'static str| {
        program.succeed(query.iter().chain(&beside).copied().chain(["--format", format, "--lang", "en"]))
    };
    let json: serde_json::Value = serde_json::from_str(&ask("json")).unwrap();
    let [april, may] = json["rows"].as_array().unwrap().as_slice() else { panic!("{json}") };
    assert_eq!(json["edition"].as_str().unwrap().len(), 16);
    assert_eq!(
        (may["compared"][0]["value"].as_f64(), may["compared"][0]["against"].as_str()),
        (april["value"].as_f64(), Some("previous"))
    );
    let both = april["value"].as_f64().unwrap() + may["value"].as_f64().unwrap();
    assert_eq!(may["rolling"]["value"].as_f64(), Some(both));
    assert_eq!(april["obs_status"], "A");
    assert_eq!(april["working_days"], 22);
    assert!(april["coverage"]["owing"].as_f64() >= april["coverage"]["reported"].as_f64());
    assert!(april["coverage"]["owing"].as_f64() > Some(0.0));
    let csv = ask("csv");
    let head = csv.lines().next().unwrap();
    for column in [
        "obs_status",
        "previous_change_percent",
        "year_ago_note",
        "cumulative_year_ago",
        "rolling",
        "per_working_day",
        "reported,owing",
    ] {
        assert!(head.contains(column), "{column}: {head}");
    }
    assert!(csv.lines().all(|line| line.matches(',').count() == head.matches(',').count()), "{csv}");
    let table = ask("table");
    assert!(table.contains(" of ") && table.contains("period before"), "{table}");

    let refused = program.run(["query", "appeals_open", "--grain", "month", "--cumulative", "year"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("does not add up over time")
            && refused.stderr.contains("по-русски: показатель – остаток"),
        "{}",
        refused.stderr
    );
}
