//! Plans: versions by act, places, periods put together, and what is wrong with a table.

use serde_json::json;
use svod::declarations::Problems;
use svod::domain::period::{Grain, Period};
use svod::indicators::{Catalog, Figures, PlanVersion, Query};

use super::memory::{Memory, ask, catalog_with, declaration, engine_over, shipped_catalog};

const FLOW: &str = "entity: cases\ntime: registered_on\nmeasures: {it: {count: {}}}";
const STOCK: &str =
    "entity: cases\ntime: registered_on\nmeasures: {open: {stock: {from: registered_on, until: closed_on}}}";

fn act(name: &str, day: &str) -> String {
    format!(
        "plan: {name}\ntitle: {{ru: План, en: Plan}}\nact: {{ru: Приказ {name}, en: Order {name}}}\nact_on: {day}\n"
    )
}

/// Two acts: the first for two months of the whole and a place, the second corrects February. A third has not come yet.
fn load(first: &str) -> Result<Catalog, Problems> {
    catalog_with(&[
        ("sql/indicators/flow.yaml", &declaration("flow", FLOW)),
        ("sql/indicators/stock.yaml", &declaration("stock", STOCK)),
        ("warehouse/plans/first.yaml", &act("first", "2024-01-01")),
        ("warehouse/plans/first.csv", first),
        ("warehouse/plans/second.yaml", &act("second", "2024-03-15")),
        ("warehouse/plans/second.csv", "indicator,period,municipality,value\nflow,2024-02,,25\n"),
        ("warehouse/plans/third.yaml", &act("third", "2024-06-01")),
        ("warehouse/plans/third.csv", "indicator,period,municipality,value\nflow,2024-02,,99\n"),
    ])
}

const FIRST: &str = "\u{feff}indicator;period;municipality;value\r\nflow;2024-01;;10,5\r\nflow;2024-02;;20\r\n\
                     flow;2024-01;36740000;4\r\nflow;2024-03;;30\r\nstock;2024-01;;7\r\nstock;2024-03;;9\r\n";

async fn figures(query: Query) -> (Catalog, Figures) {
    let catalog = load(FIRST).unwrap_or_else(|problems| panic!("{problems}"));
    let row = json!([{"case_id": "1", "municipality": "36740000", "registered_on": "2024-01-05"}]);
    let memory = Memory::of(&catalog, &[("cases", row)]);
    let figures = ask(&engine_over(catalog.clone(), memory), query).await;
    (catalog, figures)
}

/// Planned values and their acts, row by row.
async fn planned(query: Query, version: &str) -> Vec<Option<(f64, String)>> {
    let version: PlanVersion = version.parse().unwrap();
    let id = query.indicator.clone();
    let (catalog, figures) = figures(query).await;
    let indicator = catalog.get(&id).unwrap();
    let of = |row| catalog.plans().of(indicator, &figures, row, version).map(|one| (one.value, one.act.name.clone()));
    figures.rows.iter().map(of).collect()
}

fn set(value: f64, act: &str) -> (f64, String) {
    (value, act.to_owned())
}

fn months(from: &str, to: &str) -> Period {
    Period::parse(from, to).unwrap()
}

#[tokio::test]
async fn a_plan_has_versions_by_the_day_of_the_act() {
    let february = || Query::of("flow").within(months("2024-02", "2024-02"));
    assert_eq!(planned(february(), "initial").await, [Some(set(20.0, "first"))]);
    // It is the 10th of April: the third act has not come.
    assert_eq!(planned(february(), "current").await, [Some(set(25.0, "second"))]);
    assert_eq!(planned(february(), "2024-03-14").await, [Some(set(20.0, "first"))]);
    assert_eq!(planned(february(), "2024-03-15").await, [Some(set(25.0, "second"))]);
    assert_eq!(planned(february(), "2023-12-31").await, [None]);
    assert!("later".parse::<PlanVersion>().unwrap_err().contains("`initial`, `current` or a day"));
}

#[tokio::test]
async fn shorter_periods_make_up_a_longer_one_only_without_a_gap() {
    let of = |id: &str, from: &str, to: &str| Query::of(id).within(months(from, to));
    assert_eq!(planned(of("flow", "2024-01", "2024-03"), "current").await, [Some(set(65.5, "second"))]);
    assert_eq!(planned(of("flow", "2024-01", "2024-04"), "current").await, [None]);
    // A stock is that of the end.
    assert_eq!(planned(of("stock", "2024-01", "2024-03"), "current").await, [Some(set(9.0, "first"))]);
    assert_eq!(planned(of("stock", "2024-01", "2024-02"), "current").await, [None]);
    let by_month = of("flow", "2024-01", "2024-04").grain(Grain::Month);
    let expected = [Some(set(10.5, "first")), Some(set(25.0, "second")), Some(set(30.0, "first")), None];
    assert_eq!(planned(by_month, "current").await, expected);
}

#[tokio::test]
async fn a_plan_is_of_its_own_place() {
    let january = || Query::of("flow").within(months("2024-01", "2024-01"));
    assert_eq!(planned(january().filter("municipality", "36740000"), "current").await, [Some(set(4.0, "first"))]);
    assert_eq!(planned(january().by("municipality"), "current").await, [Some(set(4.0, "first"))]);
    assert_eq!(planned(january().filter("municipality", "36602000"), "current").await, [None]);
    // Two places at once, or a cut within the place, have no plan of their own.
    let both = january().filter("municipality", "36740000").filter("municipality", "36602000");
    assert_eq!(planned(both, "current").await, [None]);
    assert_eq!(planned(january().by("municipality").by("status"), "current").await, [None]);
}

#[test]
fn a_wrong_table_is_told_by_line() {
    for (row, expected) in [
        ("flaw,2024-01,,1", "first.csv:2:1: unknown indicator `flaw`"),
        ("flow,2024-13,,1", "first.csv:2:1: `2024-13` is not a date"),
        ("flow,2024-01,99,1", "first.csv:2:1: `99` is no value of `municipality`"),
        ("flow,2024-01,,много", "first.csv:2:1: `много` is no number"),
        ("flow,2024-01,", "first.csv:2:1: cannot be read as CSV"),
        (
            "flow,2024-01,,1\nflow,2024-01,,2",
            "first.csv:3:1: the plan of this indicator, period and place stands twice",
        ),
    ] {
        let text = load(&format!("indicator,period,municipality,value\n{row}\n")).unwrap_err().to_string();
        assert!(text.contains(expected), "{row}: {text}");
    }
    let text = load("indicator,period\nflow,2024-01\n").unwrap_err().to_string();
    assert!(text.contains("first.csv:1:1: expected one column `value`"), "{text}");
    let text = load("indicator,period,value,place\nflow,2024-01,1,x\n").unwrap_err().to_string();
    assert!(text.contains("first.csv:2:1: `flow` has no dimension `place`"), "{text}");
}

#[test]
fn acts_of_one_day_may_not_set_one_plan() {
    let problems = catalog_with(&[
        ("sql/indicators/flow.yaml", &declaration("flow", FLOW)),
        ("warehouse/plans/a.yaml", &act("a", "2024-01-01")),
        ("warehouse/plans/a.csv", "indicator,period,value\nflow,2024,1\n"),
        ("warehouse/plans/b.yaml", &act("b", "2024-01-01")),
        ("warehouse/plans/b.csv", "indicator,period,value\nflow,2024,2\n"),
    ]);
    let text = problems.unwrap_err().to_string();
    assert!(text.contains("warehouse/plans/b.csv:2:1: the act `a` of the same day sets this plan as well"), "{text}");
}

/// The shipped plan says what the register of the project says.
#[test]
fn the_plan_of_the_project_is_that_of_its_register() {
    let catalog = shipped_catalog();
    assert!(catalog.plans().has("kpi_value"));
    let table = fs_err::read_to_string(crate::support::project_root().join("warehouse/plans/social_passport-2024.csv"))
        .unwrap();
    let register =
        fs_err::read_to_string(crate::support::project_root().join("data-samples/project/kpi_plan.csv")).unwrap();
    let rows = |text: &str, row: fn(Vec<&str>) -> String| -> Vec<String> {
        text.trim_start_matches('\u{feff}').lines().skip(1).map(|line| row(line.split([',', ';']).collect())).collect()
    };
    let planned = rows(&table, |cells| format!("{} {} {}", cells[2], cells[1], cells[3]));
    let declared = rows(&register, |cells| {
        let date: Vec<&str> = cells[1].split('.').collect();
        format!("{} {}-{} {}", cells[0], date[2], date[1], cells[2])
    });
    assert_eq!(planned, declared);
}
