//! Every shipped indicator, cut by every dimension, against plain SQL that was written for DuckDB independently.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use duckdb::Connection;
use parquet::arrow::ArrowWriter;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use svod::domain::period::{Grain, Period};
use svod::indicators::{Catalog, Engine, Figures, Indicator, Query};

use crate::support::project_root;

use super::memory::{Memory, ask, batch_of, engine_over, reference, shipped_catalog};

const N_ROWS: usize = 2_000;

/// Indicator, table, its day, and the value of a group; nothing where an indicator's own condition leaves no row.
pub(super) const VALUES: &[(&str, &str, &str, &str)] = &[
    ("appeals", "cases", "registered_on", "count(*)"),
    ("support_provided", "cases", "provided_on", "count(*)"),
    ("support_rate", "cases", "registered_on", "100 * avg((provided_on IS NOT NULL)::INT)"),
    ("measures_by_status", "cases", "registered_on", "count(*)"),
    ("measures_by_category_status", "cases", "registered_on", "count(*)"),
    ("citizens", "cases", "registered_on", "count(DISTINCT person_id)"),
    ("passports", "passports", "opened_on", "count(*)"),
    ("cards_issued", "cards", "issued_on", "count(*)"),
    ("card_uses", "card_uses", "used_on", "count(*)"),
    ("kpi_value", "kpi_months", "month_on", "max_by(fact, (month_on, fact)) FILTER (fact IS NOT NULL)"),
    (
        "kpi_attainment",
        "kpi_months",
        "month_on",
        "CASE WHEN max_by(direction, (month_on, direction = 'decreasing')) FILTER (fact IS NOT NULL) = 'decreasing'
              THEN nullif(max_by(coalesce(plan, -1), (month_on, coalesce(plan, -1))) FILTER (fact IS NOT NULL), -1) * 100
                   / max_by(fact, (month_on, fact)) FILTER (fact IS NOT NULL)
              ELSE max_by(fact, (month_on, fact)) FILTER (fact IS NOT NULL) * 100
                   / nullif(max_by(coalesce(plan, -1), (month_on, coalesce(plan, -1))) FILTER (fact IS NOT NULL), -1) END",
    ),
    ("milestones", "milestones", "planned_on", "count(*)"),
    ("milestone_slip", "milestones", "planned_on", "avg(slip_days)"),
    ("freshness", "runs", "finished_on", "(1712736000 - max(epoch_us(last_event_at)) / 1e6) / 60"),
    ("rows_accepted", "runs", "finished_on", "sum(accepted)"),
    ("rows_rejected", "runs", "finished_on", "sum(rejected)"),
    ("contract_applications", "cases", "registered_on", "nullif(count(*) FILTER (support_group = 'contract'), 0)"),
    ("contract_refusals", "cases", "decided_on", "nullif(count(*) FILTER (status = 'refused' AND support_group = 'contract'), 0)"),
    ("contract_refusal_share", "cases", "decided_on", "100 * avg((status IS NOT DISTINCT FROM 'refused')::INT) FILTER (support_group = 'contract')"),
    ("contract_rejected_intake", "cases", "intake_refused_on", "nullif(count(*) FILTER (support_group = 'contract'), 0)"),
    ("contract_suspended", "cases", "suspended_on", "nullif(count(*) FILTER (support_group = 'contract'), 0)"),
    ("contract_extended", "cases", "extended_on", "nullif(count(*) FILTER (support_group = 'contract'), 0)"),
    ("contract_amount", "cases", "decided_on", "sum(amount) FILTER (support_group = 'contract' AND status IN ('granted', 'provided'))"),
    ("recognition_by_form", "cases", "decided_on", "nullif(count(*) FILTER (support_group = 'recognition' AND status IN ('granted', 'provided')), 0)"),
    ("recognition_by_circumstance", "cases", "decided_on", "nullif(count(*) FILTER (support_group = 'recognition' AND (status = 'granted' OR status = 'provided')), 0)"),
    ("recognition_refusals", "cases", "decided_on", "nullif(count(*) FILTER (support_group = 'recognition' AND status = 'refused'), 0)"),
    ("applications_by_channel", "cases", "registered_on", "nullif(count(*) FILTER (support_group = 'recognition'), 0)"),
    ("no_show", "electronic_cases", "appointment_on", "100 * avg((received_on IS NULL OR received_on > kept_until)::INT) FILTER (kept_until < DATE '2024-04-10')"),
    ("programme_services", "programme_services", "planned_on", "count(*)"),
    ("programme_fulfilment", "programmes", "concluded_on", "100 * avg((result = 'fully')::INT)"),
    ("programme_waivers", "programme_services", "waived_on", "count(*)"),
    ("complaints", "complaints", "registered_on", "count(*)"),
    ("returned", "returns", "filed_on", "count(*)"),
    ("return_routed", "return_routes", "routed_on", "count(*)"),
    ("return_support_rate", "return_routes", "routed_on", "100 * avg((provided_on IS NOT NULL)::INT)"),
    ("debts", "debts", "recorded_on", "count(*)"),
    ("debt_amount", "debts", "recorded_on", "sum(amount)"),
    ("cards_refused", "cards", "applied_on", "100 * avg((refused_on IS NOT NULL)::INT) FILTER (refused_on IS NOT NULL OR issued_on IS NOT NULL)"),
    ("card_issue_hours", "cards", "issued_on", "median(issue_hours)"),
    ("card_discount", "card_uses", "used_on", "sum(amount)"),
    ("partners_used", "card_uses", "used_on", "count(DISTINCT partner_id)"),
    ("certificates", "certificates", "issued_on", "count(*)"),
    ("certificate_amount", "certificates", "issued_on", "sum(spent_amount)"),
    ("certificate_measures", "certificates", "issued_on", "count(DISTINCT service) FILTER (n_uses > 0)"),
    ("deliverables", "deliverables", "registered_on", "nullif(count(*) FILTER (is_proof), 0)"),
    ("bodies_reported", "reports", "occurred_month", "nullif(count(DISTINCT municipality) FILTER (due_on < DATE '2024-04-10')
         - count(DISTINCT municipality) FILTER (due_on < DATE '2024-04-10' AND n_events = 0), 0)"),
    ("bodies_reported_share", "reports", "occurred_month", "nullif(count(DISTINCT municipality) FILTER (due_on < DATE '2024-04-10')
         - count(DISTINCT municipality) FILTER (due_on < DATE '2024-04-10' AND n_events = 0), 0) * 100.0
         / count(DISTINCT municipality) FILTER (due_on < DATE '2024-04-10')"),
    ("reported_in_time", "reports", "occurred_month", "CASE WHEN count(reported_on) FILTER (due_on < DATE '2024-04-10') > 0
              THEN count(*) FILTER (due_on < DATE '2024-04-10' AND reported_on <= due_on) * 100.0
                   / count(*) FILTER (due_on < DATE '2024-04-10' AND (reported_on IS NOT NULL OR n_events = 0)) END"),
    ("contract_in_time", "clocks", "stopped_on", "100 * avg(in_time::INT) FILTER (clock = 'contract_decision')"),
    ("contract_decision_days", "clocks", "stopped_on", "avg(used) FILTER (clock = 'contract_decision')"),
    ("contract_registration_in_time", "clocks", "stopped_on", "100 * avg(in_time::INT) FILTER (clock = 'contract_registration')"),
    ("contract_decision_after_data", "clocks", "stopped_on", "100 * avg(in_time::INT) FILTER (clock = 'contract_decision_after_data')"),
    ("contract_notified_in_time", "clocks", "stopped_on", "100 * avg(in_time::INT) FILTER (clock = 'contract_notice')"),
    ("typo_corrections_in_time", "clocks", "due_on", "100 * avg(coalesce(in_time, FALSE)::INT) FILTER (clock = 'contract_correction' AND (in_time IS NOT NULL
         OR (paused_since IS NULL AND cancelled_on IS NULL AND due_on < DATE '2024-04-10')))"),
    ("complaints_in_time", "clocks", "due_on", "100 * avg(coalesce(in_time, FALSE)::INT) FILTER (clock = 'complaint_decision' AND (in_time IS NOT NULL
         OR (paused_since IS NULL AND cancelled_on IS NULL AND due_on < DATE '2024-04-10')))"),
    ("agency_discipline", "clocks", "due_on", "100 * avg(coalesce(in_time, FALSE)::INT) FILTER (clock IN ('recognition_decision', 'contract_decision')
         AND (in_time IS NOT NULL OR (paused_since IS NULL AND cancelled_on IS NULL AND due_on < DATE '2024-04-10')))"),
    ("recognition_in_time", "clocks", "stopped_on", "100 * avg(in_time::INT) FILTER (clock = 'recognition_decision')"),
    ("programme_in_time", "clocks", "stopped_on", "100 * avg(in_time::INT) FILTER (clock = 'programme_handover')"),
    ("service_in_time", "clocks", "stopped_on", "100 * avg(in_time::INT) FILTER (clock = 'programme_handover' OR clock LIKE '%contract_decision'
         OR clock = 'recognition_decision')"),
    ("response_days", "clocks", "stopped_on", "avg(used) FILTER (clock = 'support_provision')"),
    ("request_response_days", "requests", "answered_on", "avg(getvariable('worked')[answered_on - DATE '2021-12-31'] - getvariable('worked')[sent_on - DATE '2021-12-31'])
         FILTER (sent_on IS NOT NULL)"),
    ("deadlines", "clocks", "opened_on", "count(*)"),
    ("kinds_of_support", "cases", "provided_on", "count(*)"),
    ("passports_complete", "passports", "opened_on", "100 * avg((is_full IS NOT DISTINCT FROM TRUE)::INT)"),
    ("family_size", "families", "opened_on", "avg(n_persons)"),
    ("needs_fulfilled", "needs", "recorded_on", "count(*) FILTER (state = 'fulfilled') * 100.0 / nullif(count(*) FILTER (state IN ('open', 'fulfilled')), 0)"),
    ("persons", "persons", "first_on", "count(*)"),
    ("one_visit", "ratings", "rated_on", "100 * avg((greatest(visits_to_apply, visits_to_receive) < 2)::INT) FILTER (visits_to_apply IS NOT NULL AND visits_to_receive IS NOT NULL)"),
    ("queue_in_time", "ratings", "rated_on", "100 * avg((queue_minutes <= 15)::INT)"),
    ("quality_score", "ratings", "rated_on", "sum(rating) / nullif(count(rating), 0)"),
    ("milestone_in_time", "milestones", "planned_on", "sum((done_on IS NOT NULL AND done_on <= planned_on)::INT) FILTER (planned_on <= DATE '2024-04-10') * 100.0
         / nullif(count(*) FILTER (planned_on <= DATE '2024-04-10'), 0)"),
    ("critical_path", "milestone_network", "planned_on", "min(float_days)"),
    ("project_forecast", "milestone_network", "planned_on", "date_diff('day', max(planned_on), max(expected_on))"),
    ("project_risk_score", "risks", "from_on", "max(score)"),
    ("project_budget", "budgets", "month_on", "sum(spent)"),
    ("team_load", "teams", "month_on", "sum(share_percent) / nullif(count(share_percent), 0)"),
    ("quality_score_data", "runs", "finished_on", "100 - 100 * coalesce(sum(rejected), 0) / nullif(sum(read), 0)"),
    ("debt_mean", "debts", "recorded_on", "sum(amount) / nullif(count(amount), 0)"),
];

/// The state of a control point on the day of the tests, written anew.
const STATE: &str = "CASE WHEN done_on > DATE '2024-04-10' OR done_on IS NULL
    THEN CASE WHEN planned_on < DATE '2024-04-10' THEN 'overdue'
              WHEN forecast_on > planned_on THEN 'at_risk' ELSE 'due' END
    WHEN done_on > planned_on THEN 'done_late' ELSE 'done_in_time' END";

/// The state of a report on the day of the tests, written anew.
const REPORT_STATE: &str = "CASE WHEN coalesce(n_events, 0) = 0
    THEN CASE WHEN due_on < DATE '2024-04-10' THEN 'not_reported' ELSE 'not_due' END
    WHEN reported_on IS NULL THEN 'told'
    WHEN reported_on > due_on OR due_on IS NULL THEN 'late' ELSE 'in_time' END";

/// Whether a clock stands still on the day of the tests, written anew.
const IS_PAUSED: &str =
    "paused_since <= DATE '2024-04-10' AND coalesce(paused_until, DATE '2024-04-10') >= DATE '2024-04-10'";

/// The state of a clock on the day of the tests, written anew.
const CLOCK_STATE: &str = "CASE WHEN coalesce(started_on, DATE '2024-04-11') > DATE '2024-04-10' THEN 'not_started'
    WHEN stopped_on < DATE '2024-04-11' THEN CASE in_time WHEN TRUE THEN 'met' WHEN FALSE THEN 'met_late' ELSE 'measured' END
    WHEN cancelled_on < DATE '2024-04-11' THEN 'cancelled'
    WHEN IS_PAUSED THEN 'paused'
    WHEN epoch_us(due_at) < 1712736000000000 THEN 'overdue'
    WHEN due_at IS NULL AND DATE '2024-04-10' > due_on THEN 'overdue'
    WHEN DATE '2024-04-10' >= at_risk_on THEN 'at_risk' ELSE 'running' END";

/// When a clock runs out, seen from Wednesday, the day of the tests, written anew.
const RUNS_OUT: &str = "CASE WHEN started_on IS NULL OR coalesce(stopped_on, DATE '9999-01-01') < DATE '2024-04-11'
        OR coalesce(cancelled_on, DATE '9999-01-01') < DATE '2024-04-11' OR due_on IS NULL THEN NULL
    WHEN IS_PAUSED THEN 'paused'
    WHEN due_on <= DATE '2024-04-09' THEN 'past' WHEN due_on <= DATE '2024-04-10' THEN 'today'
    WHEN due_on <= DATE '2024-04-14' THEN 'this_week' WHEN due_on <= DATE '2024-04-21' THEN 'next_week' ELSE 'later' END";

/// Rows of every kind: each column is random and, where it may be, sometimes null.
fn random_rows(random: &mut ChaCha8Rng, entity: &svod::indicators::Entity) -> Value {
    let lists = reference();
    let codes = |name: &str| -> Vec<String> {
        let list = entity.dimension(name).and_then(|dimension| dimension.list()).and_then(|list| lists.list(list));
        list.map_or_else(
            || (0..5).map(|n| format!("{name}{n}")).collect(),
            |list| list.codes().iter().take(if name == "clock" { 99 } else { 9 }).cloned().collect(),
        )
    };
    let date = |random: &mut ChaCha8Rng| {
        let start = chrono::NaiveDate::from_ymd_opt(2023, 1, 1).unwrap();
        (start + chrono::Days::new(random.random_range(0..460))).to_string()
    };
    (0..N_ROWS)
        .map(|number| {
            let mut row = serde_json::Map::new();
            for field in entity.columns().fields() {
                let may_be_null = field.is_nullable() && field.name() != "direction";
                if may_be_null && random.random_bool(0.15) {
                    continue;
                }
                let value = match field.data_type() {
                    _ if field.name().ends_with("_id") => json!(format!("{}", random.random_range(0..N_ROWS / 3))),
                    _ if field.name() == "month_on" => json!(format!("{}-01", &date(random)[..7])),
                    DataType::Date32 => json!(date(random)),
                    DataType::Boolean => json!(random.random_bool(0.5)),
                    DataType::Float64 => json!(f64::from(random.random_range(1..90_000)) / 100.0),
                    DataType::Timestamp(..) => json!(format!("{}T{:02}:00:00Z", date(random), number % 24)),
                    data_type if data_type.is_integer() => json!(random.random_range(0..40)),
                    _ => {
                        let codes = codes(field.name());
                        json!(codes[random.random_range(0..codes.len())])
                    }
                };
                row.insert(field.name().clone(), value);
            }
            Value::Object(row)
        })
        .collect()
}

/// The same rows for the engine and, as Parquet files, for DuckDB.
pub(super) fn both_sides(catalog: Catalog) -> (Engine, Connection, tempfile::TempDir) {
    let mut random = ChaCha8Rng::seed_from_u64(20_240_410);
    let folder = tempfile::tempdir().unwrap();
    let duckdb = Connection::open_in_memory().unwrap();
    know_working_days(&duckdb);
    duckdb.execute_batch("CREATE SCHEMA entity; USE entity").unwrap();
    let mut tables = Vec::new();
    for entity in catalog.entities() {
        let rows = random_rows(&mut random, entity);
        let path = folder.path().join(format!("{}.parquet", entity.name()));
        write_parquet(&path, entity.columns(), &rows);
        let view = format!("CREATE VIEW entity.{} AS FROM read_parquet('{}')", entity.name(), path.display());
        duckdb.execute_batch(&view).unwrap();
        tables.push((entity.name().to_owned(), rows));
    }
    let tables: Vec<(&str, Value)> = tables.iter().map(|(name, rows)| (name.as_str(), rows.clone())).collect();
    let memory = Memory::of(&catalog, &tables);
    (engine_over(catalog, memory), duckdb, folder)
}

/// Sets the variables `working`, the list of all working days, and `worked`: how many there were up to each day from 2022 on.
pub(super) fn know_working_days(duckdb: &Connection) {
    let calendar = project_root().join("warehouse/reference/calendar.csv");
    let working = format!(
        "SELECT list(code::DATE) FROM read_csv('{}', all_varchar = TRUE) WHERE is_working = '1'",
        calendar.display()
    );
    let worked = format!(
        "SELECT list(worked ORDER BY day) FROM (SELECT code::DATE AS day, count(*) FILTER (is_working = '1') OVER (ORDER BY code) AS worked
         FROM read_csv('{}', all_varchar = TRUE))",
        calendar.display()
    );
    duckdb.execute_batch(&format!("SET VARIABLE working = ({working}); SET VARIABLE worked = ({worked})")).unwrap();
}

fn write_parquet(path: &std::path::Path, columns: &SchemaRef, rows: &Value) {
    let batch: RecordBatch = batch_of(columns, rows);
    let file = fs_err::File::create(path).unwrap().into_parts().0;
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&batch.schema()), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Value by keys and bucket.
pub(super) type Answers = BTreeMap<(Vec<Option<String>>, Option<String>), f64>;

pub(super) fn ask_duckdb(duckdb: &Connection, sql: &str, n_keys: usize) -> Answers {
    let mut statement = duckdb.prepare(sql).unwrap();
    let rows = statement
        .query_map([], |row| {
            let keys: Vec<Option<String>> = (0..n_keys).map(|at| row.get(at)).collect::<Result<_, _>>()?;
            Ok(((keys, row.get(n_keys)?), row.get::<_, Option<f64>>(n_keys + 1)?))
        })
        .unwrap();
    // A division by zero gives no value; DuckDB makes infinities and NaN of it.
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    rows.map(Result::unwrap).filter_map(|(key, value)| finite(value).map(|value| (key, value))).collect()
}

pub(super) fn key_sql(indicator: &Indicator, dimension: &str) -> String {
    match (indicator.entity().name(), dimension) {
        ("milestones", "state") => STATE.to_owned(),
        ("reports", "state") => REPORT_STATE.to_owned(),
        ("clocks", "state") => CLOCK_STATE.replace("IS_PAUSED", IS_PAUSED),
        ("clocks", "runs_out") => RUNS_OUT.replace("IS_PAUSED", IS_PAUSED),
        ("clocks", "provisional") => {
            "CASE WHEN is_provisional THEN 'yes' WHEN due_on IS NOT NULL THEN 'no' END".to_owned()
        }
        _ => format!("\"{dimension}\"::VARCHAR"),
    }
}

/// Every value of one side is on the other; the engine may have zeros besides, for months in which nothing happened.
///
/// Returns how many values were compared.
pub(super) fn compare(what: &str, figures: &Figures, expected: &Answers) -> usize {
    let found: Answers = figures
        .rows
        .iter()
        .filter_map(|row| {
            let bucket = row.bucket.map(|bucket| bucket.to_string());
            row.figure.value.map(|value| ((row.keys.clone(), bucket), value))
        })
        .collect();
    for (key, value) in expected {
        let other = found.get(key).unwrap_or_else(|| panic!("{what}: {key:?} is missing, {value} expected"));
        assert!((value - other).abs() <= 1e-9 * value.abs().max(1.0), "{what}: {key:?} is {other}, {value} expected");
    }
    for (key, value) in &found {
        assert!(*value == 0.0 || expected.contains_key(key), "{what}: {key:?} is {value}, nothing expected");
    }
    expected.len()
}

/// Every indicator of what happened, by what it has to be cut by and that with each other dimension, over all time or in the buckets
/// of a period; `adapt` makes the SQL fit the data. Returns how many values were compared, of each indicator at least one.
pub(super) async fn compare_values(
    engine: &Engine,
    duckdb: &Connection,
    catalog: &Catalog,
    period: Period,
    grains: &[Option<Grain>],
    adapt: fn(&str) -> String,
) -> usize {
    let mut n_all = 0;
    for &(id, table, time, value) in VALUES {
        let indicator = catalog.get(id).unwrap();
        let required = indicator.requires().to_vec();
        let dimensions = indicator.entity().dimensions().iter().map(|dimension| dimension.name().to_owned());
        let cuts = dimensions.filter(|name| !required.contains(name)).map(Some).chain([None]);
        let mut n_compared = 0;
        for by in cuts.map(|name| required.iter().cloned().chain(name).collect::<Vec<_>>()) {
            for &grain in grains {
                let mut query = Query { by: by.clone(), grain, ..Query::of(id) };
                let mut condition = format!("{time} IS NOT NULL");
                if grain.is_some() {
                    query = query.within(period);
                    condition = format!("{time} BETWEEN DATE '{}' AND DATE '{}'", period.from, period.to);
                }
                let bucket = grain.map_or("NULL".to_owned(), |grain| format!("date_trunc('{grain}', {time})::DATE"));
                let keys: String = by.iter().map(|name| format!("{}, ", key_sql(indicator, name))).collect();
                let (keys, value) = (adapt(&keys), adapt(value));
                let sql = format!(
                    "SELECT {keys}({bucket})::VARCHAR, ({value})::DOUBLE FROM {table} WHERE {condition} GROUP BY ALL"
                );
                let what = format!("{id} by {by:?} and {grain:?}");
                n_compared += compare(&what, &ask(engine, query).await, &ask_duckdb(duckdb, &sql, by.len()));
            }
        }
        assert!(n_compared > 0, "{id} has no value");
        n_all += n_compared;
    }
    n_all
}

#[tokio::test]
async fn every_indicator_by_every_dimension() {
    let catalog = shipped_catalog();
    let (engine, duckdb, _folder) = both_sides(catalog.clone());
    let period = Period::parse("2023-03", "2024-03").unwrap();
    let grains = [None, Some(Grain::Week), Some(Grain::Month), Some(Grain::Quarter)];
    compare_values(&engine, &duckdb, &catalog, period, &grains, str::to_owned).await;
}

/// Indicators of what is open: table, first day, day when it is over, and the value of a group among the rows open on a day.
pub(super) const STOCKS: &[(&str, &str, &str, &str, &str)] = &[
    ("appeals_open", "cases", "registered_on", "closed_on", "count(*)"),
    ("on_leave", "leaves", "from_on", "over_on", "nullif(count(*) FILTER (NOT is_cancelled), 0)"),
    ("appeals_by_status", "case_states", "from_on", "until_on", "count(*)"),
    ("family_members", "family_members", "entered_on", "struck_out_on", "count(*)"),
    ("families", "families", "opened_on", "closed_on", "count(*)"),
    ("needs_open", "needs", "recorded_on", "over_on", "count(*)"),
    ("partners", "partners", "joined_on", "left_on", "count(*)"),
    ("project_risks", "risks", "from_on", "until_on", "count(*)"),
    (
        "cards_active",
        "card_times",
        "from_on",
        "until_on",
        "100.0 * count(*) FILTER (mark = 'shown') / nullif(count(*) FILTER (mark = 'valid'), 0)",
    ),
    (
        "municipalities_without_partner",
        "partner_places",
        "from_on",
        "until_on",
        "sum(CASE mark WHEN 'place' THEN 1 WHEN 'covered' THEN -1 END)",
    ),
    (
        "appeals_overdue",
        "clocks",
        "overdue_on",
        "ended_on",
        "nullif(count(*) FILTER (clock IN ('recognition_decision', 'contract_decision')), 0)",
    ),
    ("deadlines_open", "clocks", "started_on", "ended_on", "nullif(count(*) FILTER (due_on IS NOT NULL), 0)"),
    ("deadlines_overdue", "clocks", "overdue_on", "ended_on", "count(*)"),
];

#[tokio::test]
async fn what_is_open_by_every_dimension() {
    let catalog = shipped_catalog();
    let (engine, duckdb, _folder) = both_sides(catalog.clone());
    let period = Period::parse("2023-03", "2024-03").unwrap();
    for &(id, table, from, until, value) in STOCKS {
        let indicator = catalog.get(id).unwrap();
        for dimension in indicator.entity().dimensions() {
            let (name, key) = (dimension.name(), key_sql(indicator, dimension.name()));
            let sql = format!(
                "SELECT {key}, bucket::VARCHAR, ({value})::DOUBLE
                 FROM {table}, (SELECT unnest(generate_series(DATE '2023-03-01', DATE '2024-03-01', INTERVAL 1 MONTH))::DATE AS bucket)
                 WHERE {from} <= last_day(bucket) AND ({until} IS NULL OR {until} > last_day(bucket))
                 GROUP BY ALL"
            );
            let query = Query::of(id).by(name).within(period).grain(Grain::Month);
            let n_compared =
                compare(&format!("{id} by {name}"), &ask(&engine, query).await, &ask_duckdb(&duckdb, &sql, 1));
            assert!(n_compared > 0, "{id} by {name}");
        }
    }
}

#[test]
fn every_shipped_indicator_is_compared() {
    let catalog = shipped_catalog();
    let compared = |id: &str| VALUES.iter().any(|value| value.0 == id) || STOCKS.iter().any(|stock| stock.0 == id);
    let missing: Vec<&str> = catalog.iter().map(Indicator::id).filter(|id| !compared(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
