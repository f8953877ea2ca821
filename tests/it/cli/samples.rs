//! What the program makes of the samples, against what their generator counted and what was worked out by hand.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Program, project_root};

/// The rows of a SELECT: texts by column name.
fn select(text: &str) -> Vec<BTreeMap<String, String>> {
    let csv = Program::with_samples().succeed(["sql", "--format", "csv", text]);
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(Result::unwrap).collect()
}

/// The values of a query by their keys and bucket, joined with a space.
fn values(arguments: &[&str]) -> BTreeMap<String, Option<f64>> {
    let words = ["query"].iter().chain(arguments).chain(&["--format", "json"]).copied();
    let document: Value = serde_json::from_str(&Program::with_samples().succeed(words)).unwrap();
    let rows = document["rows"].as_array().unwrap();
    let name = |row: &Value| {
        let codes = row["keys"].as_array().unwrap().iter().map(|key| key["code"].as_str().unwrap_or("-").to_owned());
        codes.chain(row["bucket"].as_str().map(str::to_owned)).collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(|row| (name(row), row["value"].as_f64())).collect()
}

fn expected_of(region: &str) -> Value {
    let path = project_root().join("data-samples").join(region).join("expected.json");
    serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_register_is_read_as_its_generator_counted() {
    let runs = select(
        "SELECT pipeline, sum(read) AS rows, sum(accepted) AS accepted, sum(duplicate) AS duplicate, \
         sum(rejected) AS rejected FROM runs GROUP BY pipeline",
    );
    for region in ["samara", "leningrad"] {
        let expected = expected_of(region);
        for (name, register) in expected["registers"].as_object().unwrap() {
            let run = runs.iter().find(|run| register["pipeline"] == run["pipeline"].as_str());
            let run = run.unwrap_or_else(|| panic!("no run of {name}"));
            for count in ["rows", "accepted", "duplicate", "rejected"] {
                assert_eq!(run[count], register[count].to_string(), "{region} {name} {count}");
            }
        }
    }
}

#[test]
fn appeals_and_support_by_municipality_are_as_counted() {
    for (indicator, event) in [("appeals", "registered"), ("support_provided", "provided")] {
        let figures = values(&[indicator, "--by", "municipality", "--where", "region=36000000"]);
        let expected = expected_of("samara");
        let municipalities = expected["registers"]["appeals"]["municipalities"].as_object().unwrap();
        assert_eq!(municipalities.len(), 46);
        for (code, events) in municipalities {
            let counted = events.get(event).and_then(Value::as_f64).unwrap_or(0.0);
            assert_eq!(figures.get(code).copied().flatten().unwrap_or(0.0), counted, "{indicator} {code}");
        }
    }
}

#[test]
fn the_share_of_support_is_that_of_the_readme() {
    // 3 406 of 4 557 appeals of Samara Oblast were provided; 591 were open on the last day.
    let share = values(&["support_rate", "--where", "region=36000000"]);
    assert!((share[""].unwrap() - 340_600.0 / 4_557.0).abs() < 1e-9, "{share:?}");
    let open = values(&["appeals_open", "--where", "region=36000000", "--from", "2025-01", "--to", "2026-10"]);
    assert_eq!(open[""], Some(591.0));
}

#[test]
fn cards_and_certificates_together_are_as_counted() {
    let expected = expected_of("leningrad");
    let counted = |register: &str, event: &str| expected["registers"][register]["events"][event].as_f64().unwrap();
    let n_of = |text: &str| select(text)[0]["n"].parse::<f64>().unwrap();
    // The registers hold virtual cards and electronic certificates; the indicators speak of the cards alone.
    let certificates = n_of("SELECT count(*) AS n FROM certificates WHERE issued_on IS NOT NULL");
    let issued = counted("cards", "issued") + counted("certificate_operations", "issued");
    assert_eq!(values(&["cards_issued"])[""].unwrap() + certificates, issued);
    let spent = n_of(
        "SELECT count(DISTINCT use_id) AS n FROM events_certificates \
         WHERE event = 'used' AND kind = 'electronic_certificate'",
    );
    let used = counted("card_uses", "used") + counted("certificate_operations", "used");
    assert_eq!(values(&["card_uses"])[""].unwrap() + spent, used);
}

#[test]
fn social_contracts_are_as_counted() {
    let expected = expected_of("leningrad");
    let counted = |event: &str| expected["registers"]["contracts"]["events"][event].as_f64().unwrap();
    for (indicator, event) in [
        ("contract_applications", "registered"),
        ("contract_rejected_intake", "intake_refused"),
        ("contract_suspended", "suspended"),
        ("contract_extended", "extended"),
        ("contract_refusals", "refused"),
    ] {
        assert_eq!(values(&[indicator])[""], Some(counted(event)), "{indicator}");
    }
    let directions = values(&["contract_applications", "--by", "service"]);
    assert_eq!(directions.values().flatten().sum::<f64>(), counted("registered"));
    assert_eq!(directions.values().filter(|n| n.is_some_and(|n| n > 0.0)).count(), 5, "{directions:?}");
    let paid = select("SELECT count(*) AS n FROM cases WHERE support_group = 'contract' AND provided_on IS NOT NULL");
    assert_eq!(paid[0]["n"].parse::<f64>().unwrap(), counted("provided"));
}

#[test]
fn the_passport_platform_and_the_other_registers_are_as_counted() {
    let samara = expected_of("samara");
    let leningrad = expected_of("leningrad");
    let of = |region: &Value, register: &str, event: &str| region["registers"][register]["events"][event].as_f64();
    for (indicator, counted) in [
        ("returned", of(&samara, "returns", "filed")),
        ("return_routed", of(&samara, "returns", "routed")),
        ("debts", of(&samara, "debts", "recorded")),
        ("programme_services", of(&leningrad, "programme_services", "service_planned")),
        ("programme_waivers", of(&leningrad, "programme_services", "waived")),
    ] {
        assert_eq!(values(&[indicator])[""], counted, "{indicator}");
    }
    let fully = values(&["return_support_rate"])[""].unwrap();
    let provided = of(&samara, "returns", "provided").unwrap();
    assert!((fully - 100.0 * provided / of(&samara, "returns", "routed").unwrap()).abs() < 1e-9);
}

#[test]
fn who_has_reported_is_told_apart_from_zero() {
    let by =
        |arguments: &[&str]| values(&[&["bodies_reported", "--where", "report=samara_appeals"], arguments].concat());
    let october = by(&["--from", "2026-10", "--to", "2026-10"]);
    let silent = select(
        "SELECT count(*) AS n FROM reports WHERE report = 'samara_appeals' AND occurred_month = DATE '2026-10-01' \
         AND n_events = 0",
    );
    assert_eq!(october[""], Some(46.0 - silent[0]["n"].parse::<f64>().unwrap()));
    // The reports on November are due in December.
    assert_eq!(by(&["--from", "2026-11", "--to", "2026-11"])[""], None);
    let bodies = select("SELECT count(DISTINCT municipality) AS n FROM reports WHERE region = '41000000'");
    assert_eq!(bodies[0]["n"], "18");
    let states: Value = serde_json::from_str(&Program::with_samples().succeed([
        "query",
        "bodies_reported",
        "--where",
        "report=samara_appeals",
        "--by",
        "municipality",
        "--from",
        "2026-10",
        "--to",
        "2026-11",
        "--grain",
        "month",
        "--format",
        "json",
    ]))
    .unwrap();
    let states = states["rows"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap().to_owned());
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    states.for_each(|state| *counts.entry(state).or_default() += 1);
    assert_eq!(counts["not_due"], 46);
    assert_eq!(counts.get("not_reported").copied().unwrap_or(0).to_string(), silent[0]["n"]);
}

#[test]
fn the_project_is_as_worked_out_by_hand() {
    let path = project_root().join("data-samples/project/expected.yaml");
    let expected: Value = serde_saphyr::from_str(&fs_err::read_to_string(path).unwrap()).unwrap();
    for indicator in ["kpi_value", "kpi_attainment"] {
        let figures = values(&[indicator, "--by", "kpi", "--grain", "month", "--from", "2024", "--to", "2024"]);
        for (kpi, months) in expected[indicator].as_object().unwrap() {
            for (month, value) in months.as_array().unwrap().iter().enumerate() {
                let key = format!("{kpi} 2024-{:02}-01", month + 1);
                assert_eq!(figures.get(&key).copied().flatten(), value.as_f64(), "{indicator} {key}");
            }
        }
    }
    assert_eq!(values(&["deliverables"])[""], expected["deliverables"]["proofs"].as_f64());
    let points = select("SELECT count(DISTINCT milestone) AS n FROM deliverables WHERE is_proof");
    assert_eq!(points[0]["n"], expected["deliverables"]["points"].to_string());
    let slips = values(&["milestone_slip", "--by", "milestone"]);
    for (milestone, days) in expected["slip_days"].as_object().unwrap() {
        assert_eq!(slips[milestone], days.as_f64(), "{milestone}");
    }
    let states = values(&["milestones", "--by", "state"]);
    let counted: BTreeMap<&str, f64> =
        states.iter().filter_map(|(state, n)| Some((state.as_str(), (*n)?))).filter(|(_, n)| *n > 0.0).collect();
    assert_eq!(counted, BTreeMap::from([("done_in_time", 9.0), ("done_late", 8.0), ("overdue", 1.0)]));
}

#[test]
fn network_risks_and_team_of_the_project_are_as_worked_out_by_hand() {
    let path = project_root().join("data-samples/project/expected.yaml");
    let expected: Value = serde_saphyr::from_str(&fs_err::read_to_string(path).unwrap()).unwrap();
    let (floats, forecasts) =
        (values(&["critical_path", "--by", "event"]), values(&["project_forecast", "--by", "event"]));
    for event in ["1.1", "2.1"] {
        assert_eq!(floats[event], expected["float_days"][event].as_f64(), "{event}");
        assert_eq!(forecasts[event], expected["forecast_days"][event].as_f64(), "{event}");
        let critical =
            format!("SELECT count(*) AS n FROM milestone_network WHERE event = '{event}' AND path = 'critical'");
        assert_eq!(select(&critical)[0]["n"], expected["critical_points"][event].to_string(), "{event}");
    }
    assert_eq!(values(&["project_forecast"])[""], expected["forecast_days"]["all"].as_f64());
    assert_eq!(values(&["milestone_in_time"])[""], expected["milestones_in_time_percent"].as_f64());
    let open = values(&["project_risks", "--grain", "month", "--from", "2024", "--to", "2024"]);
    for (month, n) in expected["risks_open"].as_array().unwrap().iter().enumerate() {
        assert_eq!(open[&format!("2024-{:02}-01", month + 1)], n.as_f64(), "{month}");
    }
    assert_eq!(values(&["project_risk_score"])[""], expected["greatest_risk_score"].as_f64());
    assert_eq!(values(&["team_load"])[""], expected["team_share"].as_f64());
    // That there is no money is told, and is not a gap.
    assert_eq!(
        values(&["project_budget", "--by", "funding"]),
        BTreeMap::from([("not_provided".to_owned(), Some(0.0))])
    );
}

#[test]
fn the_history_of_statuses_ends_with_the_present_one() {
    let told = select(
        "SELECT count(*) AS n FROM cases LEFT JOIN case_states ON case_states.case_id = cases.case_id AND until_on IS NULL \
         WHERE cases.status <> 'not_accepted' AND has_registration AND cases.status IS DISTINCT FROM case_states.status",
    );
    assert_eq!(told[0]["n"], "0");
    let open = values(&["appeals_open", "--grain", "month", "--from", "2025", "--to", "2026-10"]);
    let by_status = "SELECT count(*) AS n FROM case_states WHERE status IN ('new', 'in_progress', 'suspended', 'granted') \
         AND from_on <= DATE '2026-03-31' AND (until_on IS NULL OR until_on > DATE '2026-03-31')";
    assert_eq!(open["2026-03-01"], select(by_status)[0]["n"].parse().ok());
}

#[test]
fn rejected_rows_are_kept_with_their_reason_and_without_personal_data() {
    let rows = select("SELECT pipeline, file, row, raw, rule, sentence FROM quarantine");
    let rejected: u64 = ["samara", "leningrad"]
        .iter()
        .flat_map(|region| expected_of(region)["registers"].as_object().unwrap().clone())
        .map(|(_, register)| register["rejected"].as_u64().unwrap())
        .sum();
    let path = project_root().join("data-samples/project/expected.yaml");
    let project: Value = serde_saphyr::from_str(&fs_err::read_to_string(path).unwrap()).unwrap();
    let of_project: u64 = project["rejected"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    // One request of the envelope is broken.
    let of_envelope = 1;
    assert_eq!(rows.len() as u64, rejected + of_project + of_envelope);
    // What cannot be read is kept by its shape alone, with 9 for every digit.
    let number = regex::Regex::new(r"\d{3}-\d{3}-\d{3} \d{2}").unwrap();
    let shows_number = |text: &str| number.find_iter(text).any(|found| found.as_str() != "999-999-999 99");
    for row in rows {
        assert!(!row["rule"].is_empty() && !row["sentence"].is_empty() && !row["file"].is_empty(), "{row:?}");
        assert!(!shows_number(&row["raw"]) && !shows_number(&row["sentence"]), "{row:?}");
    }
}

#[test]
fn the_envelope_of_interagency_requests_is_read_as_counted_by_hand() {
    let runs = select("SELECT read, accepted, duplicate, rejected FROM runs WHERE pipeline = 'leningrad_interagency'");
    assert_eq!(["read", "accepted", "duplicate", "rejected"].map(|name| runs[0][name].as_str()), ["8", "6", "1", "1"]);
    let events = select(
        "SELECT event, count(*) AS n FROM events_requests WHERE _pipeline = 'leningrad_interagency' GROUP BY event ORDER BY event",
    );
    let events: Vec<(&str, &str)> = events.iter().map(|row| (row["event"].as_str(), row["n"].as_str())).collect();
    assert_eq!(events, [("answered", "5"), ("passed_on", "4"), ("sent", "6")]);
    // The office stands above its exchanges, the way is an attribute of the request.
    let paper = select("SELECT municipality, case_id, way FROM requests WHERE request_id = '47-S-2026-004120'");
    assert_eq!(
        ["municipality", "case_id", "way"].map(|name| paper[0][name].as_str()),
        ["41612000", "47-SK-2026-0518", "paper"]
    );
}
