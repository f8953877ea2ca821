//! Figures worked out by hand on a handful of rows.

use serde_json::{Value, json};
use svod::domain::period::{Grain, Period};
use svod::indicators::{Additivity, Query};

use super::memory::{
    Memory, ask, catalog_of, declaration, engine_at, engine_over, lines, now, shipped_catalog, shipped_engine,
};

/// Three places, of which the code list has Togliatti (36740000) after Alekseyevsky (36602000).
fn cases() -> Value {
    json!([
        {"case_id": "1", "municipality": "36740000", "person_id": "p1", "status": "provided", "category": "veteran_labour",
         "registered_on": "2024-01-05", "provided_on": "2024-02-10", "closed_on": "2024-02-10", "amount": 0.1},
        {"case_id": "2", "municipality": "36740000", "person_id": "p1", "status": "refused",
         "registered_on": "2024-01-20", "closed_on": "2024-01-25", "amount": 0.2},
        {"case_id": "3", "municipality": "36602000", "person_id": "p2", "status": "provided",
         "registered_on": "2024-02-01", "provided_on": "2024-02-28", "closed_on": "2024-02-28"},
        {"case_id": "4", "person_id": "p3", "status": "new", "registered_on": "2024-03-15"},
        {"case_id": "5", "municipality": "36602000", "person_id": "p4", "status": "withdrawn",
         "registered_on": "2023-12-30", "closed_on": "2024-03-01", "amount": 30.0}
    ])
}

fn months(from: &str, to: &str) -> Period {
    Period::parse(from, to).unwrap()
}

#[tokio::test]
async fn counts_fill_months_with_zero_and_future_ones_are_not_due() {
    let engine = shipped_engine(&[("cases", cases())]);
    let query = Query::of("appeals").within(months("2024-01", "2024-05")).grain(Grain::Month);
    let figures = ask(&engine, query).await;
    assert_eq!(
        lines(&figures),
        ["2024-01-01 2", "2024-02-01 1", "2024-03-01 1", "2024-04-01 0*", "2024-05-01 not due"]
    );
    assert_eq!(figures.snapshot, 1);
}

#[tokio::test]
async fn without_a_period_all_of_history_counts() {
    let engine = shipped_engine(&[("cases", cases())]);
    let figures = ask(&engine, Query::of("appeals")).await;
    assert_eq!(lines(&figures), ["5"]);
    assert_eq!(figures.period, months("2023-12-30", "2024-03-15"));
    let figures = ask(&engine, Query::of("appeals").grain(Grain::Quarter)).await;
    assert_eq!(lines(&figures), ["2023-10-01 1", "2024-01-01 4"]);
}

#[tokio::test]
async fn an_empty_table_has_one_figure_of_nothing() {
    let engine = shipped_engine(&[]);
    assert_eq!(lines(&ask(&engine, Query::of("appeals")).await), ["0"]);
    assert_eq!(lines(&ask(&engine, Query::of("appeals_open")).await), ["0"]);
    assert_eq!(lines(&ask(&engine, Query::of("support_rate")).await), ["missing"]);
    assert!(ask(&engine, Query::of("appeals").by("municipality")).await.rows.is_empty());
}

#[tokio::test]
async fn keys_stand_in_the_order_of_their_list_and_an_absent_code_last() {
    let engine = shipped_engine(&[("cases", cases())]);
    let figures = ask(&engine, Query::of("appeals").by("municipality")).await;
    assert_eq!(lines(&figures), ["36602000 2", "36740000 2", "– 1"]);
    assert_eq!(figures.dimensions, ["municipality"]);
}

#[tokio::test]
async fn a_ratio_is_computed_anew_at_every_level() {
    let engine = shipped_engine(&[("cases", cases())]);
    // 2 of 5, though the mean of the three groups is a third.
    assert_eq!(lines(&ask(&engine, Query::of("support_rate")).await), ["40"]);
    let by_place = ask(&engine, Query::of("support_rate").by("municipality")).await;
    assert_eq!(lines(&by_place), ["36602000 50", "36740000 50", "– 0"]);
    assert_eq!(by_place.measures, ["registered", "provided"]);
    assert_eq!(by_place.rows[0].measures, [Some(2.0), Some(1.0)]);
    let by_month = Query::of("support_rate").within(months("2024-01", "2024-05")).grain(Grain::Month);
    assert_eq!(
        lines(&ask(&engine, by_month).await),
        ["2024-01-01 50", "2024-02-01 100", "2024-03-01 0", "2024-04-01 missing", "2024-05-01 not due"]
    );
}

#[tokio::test]
async fn a_citizen_counts_once_in_each_group() {
    let engine = shipped_engine(&[("cases", cases())]);
    assert_eq!(lines(&ask(&engine, Query::of("citizens")).await), ["4"]);
    assert_eq!(
        lines(&ask(&engine, Query::of("citizens").by("status")).await),
        ["new 1", "provided 2", "refused 1", "withdrawn 1"]
    );
}

#[tokio::test]
async fn support_counts_on_the_day_it_was_provided() {
    let engine = shipped_engine(&[("cases", cases())]);
    let query = Query::of("support_provided").within(months("2024-01", "2024-03")).grain(Grain::Month);
    assert_eq!(lines(&ask(&engine, query).await), ["2024-01-01 0", "2024-02-01 2", "2024-03-01 0"]);
}

#[tokio::test]
async fn a_stock_counts_what_was_opened_before_the_period() {
    let engine = shipped_engine(&[("cases", cases())]);
    let query = Query::of("appeals_open").within(months("2024-01", "2024-05")).grain(Grain::Month);
    assert_eq!(
        lines(&ask(&engine, query).await),
        ["2024-01-01 2", "2024-02-01 1", "2024-03-01 1", "2024-04-01 1*", "2024-05-01 not due"]
    );
    let middle = Query::of("appeals_open").within(months("2024-02-01", "2024-02-15"));
    assert_eq!(lines(&ask(&engine, middle).await), ["2"]);
    let places = Query::of("appeals_open").within(months("2024-03", "2024-03")).by("municipality");
    assert_eq!(lines(&ask(&engine, places).await), ["36602000 0", "36740000 0", "– 1"]);
}

#[tokio::test]
async fn filters_let_through_what_they_name() {
    let engine = shipped_engine(&[("cases", cases())]);
    let query = Query::of("appeals").filter("status", "provided").filter("status", "new");
    assert_eq!(lines(&ask(&engine, query.clone()).await), ["3"]);
    assert_eq!(lines(&ask(&engine, query.filter("municipality", "36602000")).await), ["1"]);
}

#[tokio::test]
async fn a_key_figure_is_the_last_reported_and_never_carried_forward() {
    let rows = json!([
        {"kpi": "1.1", "month_on": "2024-01-01", "plan": 0.0, "fact": 0.0, "direction": "increasing"},
        {"kpi": "1.1", "month_on": "2024-02-01", "plan": 2.0, "fact": 1.0, "direction": "increasing"},
        {"kpi": "1.1", "month_on": "2024-03-01", "plan": 4.0, "direction": "increasing"},
        {"kpi": "1.1", "month_on": "2024-04-01", "plan": 5.0, "direction": "increasing"},
        {"kpi": "1.1", "month_on": "2024-06-01", "plan": 8.0, "direction": "increasing"},
        {"kpi": "1.2", "month_on": "2024-01-01", "plan": 10.0, "fact": 8.0, "direction": "decreasing"},
        {"kpi": "1.2", "month_on": "2024-02-01", "plan": 5.0, "fact": 10.0, "direction": "decreasing"},
        {"kpi": "1.2", "month_on": "2024-03-01", "plan": 1.0, "fact": 0.0, "direction": "decreasing"},
        {"kpi": "2.3", "month_on": "2024-03-01", "fact": 1.0, "direction": "increasing"}
    ]);
    let engine = shipped_engine(&[("kpi_months", rows)]);
    let of =
        |id: &str, kpi: &str| Query::of(id).filter("kpi", kpi).within(months("2024-01", "2024-06")).grain(Grain::Month);
    let value = ask(&engine, of("kpi_value", "1.1")).await;
    assert_eq!(
        lines(&value),
        [
            "2024-01-01 0",
            "2024-02-01 1",
            "2024-03-01 not reported",
            "2024-04-01 not due",
            "2024-05-01 not due",
            "2024-06-01 not due"
        ]
    );
    let plan: Vec<Option<f64>> = value.rows.iter().map(|row| row.measures[1]).collect();
    assert_eq!(plan, [Some(0.0), Some(2.0), Some(4.0), Some(5.0), None, Some(8.0)]);
    assert_eq!(
        lines(&ask(&engine, of("kpi_attainment", "1.1")).await)[..3],
        ["2024-01-01 missing", "2024-02-01 50", "2024-03-01 not reported"]
    );
    assert_eq!(
        lines(&ask(&engine, of("kpi_attainment", "1.2")).await)[..3],
        ["2024-01-01 125", "2024-02-01 50", "2024-03-01 100"]
    );
    // Reported, but nobody planned it.
    assert_eq!(
        lines(&ask(&engine, of("kpi_attainment", "2.3")).await)[1..3],
        ["2024-02-01 not reported", "2024-03-01 missing"]
    );
    // Over the half-year plan and fact are those of February, the last month that was reported.
    let query = Query::of("kpi_attainment").by("kpi").within(months("2024-01", "2024-06"));
    assert_eq!(lines(&ask(&engine, query).await), ["1.1 50*", "1.2 100*", "2.3 not due"]);
}

fn milestones() -> Value {
    json!([
        {"milestone": "1.1.К.1", "planned_on": "2024-02-01", "done_on": "2024-02-01", "slip_days": 0},
        {"milestone": "1.1.К.2", "planned_on": "2024-02-15", "done_on": "2024-02-20", "slip_days": 5},
        {"milestone": "1.1.К.3", "planned_on": "2024-03-01"},
        {"milestone": "1.1.К.4", "planned_on": "2024-04-10"},
        {"milestone": "1.1.К.5", "planned_on": "2024-05-01", "forecast_on": "2024-05-11", "slip_days": 10}
    ])
}

#[tokio::test]
async fn the_state_of_a_control_point_is_that_of_the_day_of_the_query() {
    let catalog = shipped_catalog();
    let memory = Memory::of(&catalog, &[("milestones", milestones())]);
    let engine = engine_over(catalog, memory);
    let query = Query::of("milestones").by("state");
    assert_eq!(
        lines(&ask(&engine, query.clone()).await),
        ["done_in_time 1", "done_late 1", "overdue 1", "at_risk 1", "due 1"]
    );
    // The first snapshot was published on the 1st of February: nothing was late yet.
    assert_eq!(lines(&ask(&engine, query.as_of(1)).await), ["done_in_time 1", "at_risk 1", "due 3"]);
}

#[tokio::test]
async fn a_slip_is_the_mean_over_points_with_fact_or_forecast() {
    let engine = shipped_engine(&[("milestones", milestones())]);
    let figures = ask(&engine, Query::of("milestone_slip")).await;
    assert_eq!(lines(&figures), ["5"]);
    assert_eq!(figures.rows[0].measures, [Some(5.0), Some(10.0)]);
}

#[tokio::test]
async fn freshness_is_the_age_of_the_latest_event() {
    let batch = |pipeline: &str, number: i64, finished_at: &str, last_event_at: Option<&str>| {
        json!({"pipeline": pipeline, "batch": number, "run": "r", "file": "f.csv", "started_at": finished_at,
               "finished_at": finished_at, "finished_on": finished_at.get(..10), "read": 10, "accepted": 7,
               "duplicate": 1, "rejected": 2, "events": 9, "last_event_at": last_event_at})
    };
    let runs = json!([
        batch("a", 1, "2024-04-09T10:00:00Z", Some("2024-04-09T08:00:00Z")),
        batch("a", 2, "2024-04-10T07:00:00Z", Some("2024-04-10T06:30:00Z")),
        batch("b", 1, "2024-04-09T10:00:00Z", Some("2024-04-09T08:00:00Z")),
        batch("c", 1, "2024-04-09T10:00:00Z", None)
    ]);
    let engine = shipped_engine(&[("runs", runs)]);
    let freshness = ask(&engine, Query::of("freshness").by("pipeline")).await;
    assert_eq!(lines(&freshness), ["a 90", "b 1440", "c missing"]);
    assert_eq!(lines(&ask(&engine, Query::of("freshness")).await), ["90"]);
    assert_eq!(lines(&ask(&engine, Query::of("rows_accepted")).await), ["28"]);
    assert_eq!(lines(&ask(&engine, Query::of("rows_rejected").by("pipeline")).await), ["a 4", "b 2", "c 2"]);
}

#[tokio::test]
async fn an_older_snapshot_gives_its_own_figures() {
    let catalog = shipped_catalog();
    let memory = Memory::of(&catalog, &[]).and(&catalog, &[("cases", cases())]);
    let engine = engine_over(catalog, memory);
    assert_eq!(lines(&ask(&engine, Query::of("appeals")).await), ["5"]);
    let older = ask(&engine, Query::of("appeals").as_of(1)).await;
    assert_eq!((lines(&older), older.snapshot), (vec!["0".to_owned()], 1));
}

#[tokio::test]
async fn sums_means_medians_and_extremes_are_exact() {
    let of = |id: &str, measure: &str| {
        (id.to_owned(), declaration(id, &format!("entity: cases\ntime: registered_on\nmeasures: {{it: {measure}}}")))
    };
    let declared = [
        of("total", "{sum: {column: amount}}"),
        of("some", "{sum: {column: amount, where: \"amount < 1\"}}"),
        of("average", "{mean: {column: amount}}"),
        of("middle", "{median: {column: amount}}"),
        of("least", "{min: {column: amount}}"),
        of("greatest", "{max: {expr: \"amount * 2\"}}"),
        of("people", "{distinct: {column: person_id, where: \"amount > 0\"}}"),
        of("days", "{sum: {expr: \"date_part('doy', registered_on)\", where: \"registered_on < today\"}}"),
    ];
    let declared: Vec<(&str, &str)> = declared.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let catalog = catalog_of(&declared).unwrap();
    assert_eq!(catalog.get("total").unwrap().additivity(), Additivity::Flow);
    assert_eq!(catalog.get("average").unwrap().additivity(), Additivity::Average);
    let memory = Memory::of(&catalog, &[("cases", cases())]);
    let engine = engine_over(catalog, memory);
    // 0.1 + 0.2 + 30.0; the days of the year are 5 + 20 + 32 + 75 + 364.
    let expected = [30.3, 0.3, 10.1, 0.2, 0.1, 60.0, 2.0, 496.0];
    for ((id, _), expected) in declared.iter().zip(expected) {
        let figures = ask(&engine, Query::of(*id)).await;
        assert_eq!(figures.rows[0].figure.value, Some(expected), "{id}");
    }
}

#[tokio::test]
async fn a_division_by_zero_has_no_value_at_any_depth() {
    let lines_of = "entity: cases\ntime: registered_on\nmeasures: {one: {count: {}}, none: {count: {where: \"amount > 99\"}}}\n\
                    formula: \"100 / (one / none)\"";
    let text = declaration("deep", lines_of);
    let catalog = catalog_of(&[("deep", &text)]).unwrap();
    assert_eq!(catalog.get("deep").unwrap().additivity(), Additivity::Ratio);
    let memory = Memory::of(&catalog, &[("cases", cases())]);
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_at(catalog, memory, now(), folder.path());
    assert_eq!(lines(&ask(&engine, Query::of("deep")).await), ["missing"]);
    assert!(folder.path().join("spill").is_dir());
}

#[test]
fn additivity_follows_from_measures_and_formula() {
    let catalog = shipped_catalog();
    let of = |id: &str| catalog.get(id).unwrap().additivity();
    assert_eq!(of("appeals"), Additivity::Flow);
    assert_eq!(of("support_rate"), Additivity::Ratio);
    assert_eq!(of("citizens"), Additivity::Distinct);
    assert_eq!(of("appeals_open"), Additivity::Stock);
    assert_eq!(of("kpi_value"), Additivity::Last);
    assert_eq!(of("milestone_slip"), Additivity::Average);
    assert_eq!(of("freshness"), Additivity::Extreme);
    assert_eq!(of("passports"), Additivity::Flow);
    assert_eq!(catalog.iter().count(), 91);
}

/// Two bodies and two registers: on the 10th of April the reports on January and February are due, that on March is not.
fn reports() -> Value {
    let report = |municipality: &str, month: &str, due: &str, reported: Option<&str>, n_events: u32| {
        json!({"report": "samara_appeals", "region": "36000000", "municipality": municipality, "occurred_month": month,
               "due_on": due, "reported_on": reported, "n_events": n_events})
    };
    json!([
        report("36740000", "2024-01-01", "2024-02-05", Some("2024-02-05"), 3),
        report("36602000", "2024-01-01", "2024-02-05", Some("2024-02-06"), 1),
        report("36740000", "2024-02-01", "2024-03-05", Some("2024-02-20"), 2),
        report("36602000", "2024-02-01", "2024-03-05", None, 0),
        report("36740000", "2024-03-01", "2024-04-12", Some("2024-04-01"), 2),
        report("36602000", "2024-03-01", "2024-04-12", None, 0),
    ])
}

#[tokio::test]
async fn who_has_not_reported_is_no_zero_and_who_need_not_yet_is_not_missing() {
    let engine = shipped_engine(&[("reports", reports())]);
    let of = |id: &str| Query::of(id).within(months("2024-01", "2024-04")).grain(Grain::Month);
    let figures = ask(&engine, of("bodies_reported")).await;
    assert_eq!(lines(&figures), ["2024-01-01 2", "2024-02-01 1", "2024-03-01 not due", "2024-04-01 not due"]);
    assert_eq!(figures.rows[1].measures, [Some(2.0), Some(1.0)]);
    let figures = ask(&engine, Query::of("bodies_reported").within(months("2024-01", "2024-03"))).await;
    assert_eq!(lines(&figures), ["1"], "only one body has sent everything");
    let figures = ask(&engine, of("bodies_reported").by("municipality").within(months("2024-02", "2024-03"))).await;
    assert_eq!(
        lines(&figures),
        [
            "36602000 2024-02-01 not reported",
            "36602000 2024-03-01 not due",
            "36740000 2024-02-01 1",
            "36740000 2024-03-01 not due"
        ]
    );
    let figures = ask(&engine, of("reported_in_time").within(months("2024-01", "2024-03"))).await;
    assert_eq!(lines(&figures), ["2024-01-01 50", "2024-02-01 50", "2024-03-01 not due"]);
    let figures = ask(&engine, Query::of("bodies_reported_share").within(months("2024-02", "2024-02"))).await;
    assert_eq!(lines(&figures), ["50"]);
    let figures = ask(&engine, Query::of("bodies_reported").by("state")).await;
    assert_eq!(
        figures.rows.iter().map(|row| row.keys[0].clone().unwrap()).collect::<Vec<_>>(),
        ["in_time", "late", "not_reported", "not_due"]
    );
}

#[tokio::test]
async fn an_indicator_knows_only_its_own_rows() {
    let lines_of = |condition: &str| {
        format!("entity: cases\ntime: registered_on\nwhere: \"{condition}\"\nmeasures: {{n: {{count: {{}}}}}}")
    };
    let catalog = catalog_of(&[("it", &declaration("it", &lines_of("status = 'provided'")))]).unwrap();
    let memory = Memory::of(&catalog, &[("cases", cases())]);
    let engine = engine_over(catalog, memory);
    assert_eq!(lines(&ask(&engine, Query::of("it")).await), ["2"]);
    let figures = ask(&engine, Query::of("it").by("status")).await;
    assert_eq!(lines(&figures), ["provided 2"], "no zero for statuses that are not its own");
    let wrong = catalog_of(&[("it", &declaration("it", &lines_of("amount + 1")))]).unwrap_err().to_string();
    assert!(wrong.contains("it.yaml:4:8: expected a condition, found a number"), "{wrong}");
}
