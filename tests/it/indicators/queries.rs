//! Queries that cannot be answered say why, and what to do.

use serde_json::json;
use svod::domain::period::Period;
use svod::indicators::{Query, QueryError, Scope};

use super::memory::{ask, lines, shipped_engine};

/// The message of a wrong query and its advice.
async fn refusal(query: Query) -> (String, Option<String>) {
    let engine = shipped_engine(&[]);
    let error = engine.query(&Scope::all(), &query).await.unwrap_err();
    assert!(error.is_of_the_query(), "{error}");
    (error.to_string(), error.help())
}

fn said(message: &str, help: &str) -> (String, Option<String>) {
    (message.to_owned(), (!help.is_empty()).then(|| help.to_owned()))
}

#[tokio::test]
async fn an_unknown_indicator_names_the_nearest() {
    assert_eq!(refusal(Query::of("apeals")).await, said("unknown indicator `apeals`", "did you mean `appeals`?"));
    assert_eq!(refusal(Query::of("zzz")).await, said("unknown indicator `zzz`", ""));
}

#[tokio::test]
async fn an_unknown_dimension_names_the_nearest_or_all() {
    assert_eq!(
        refusal(Query::of("appeals").by("munisipality")).await,
        said("`appeals` has no dimension `munisipality`", "did you mean `municipality`?")
    );
    assert_eq!(
        refusal(Query::of("freshness").filter("zzz", "1")).await,
        said("`freshness` has no dimension `zzz`", "known: `pipeline`, `table`, `file`, `run`")
    );
}

#[tokio::test]
async fn a_dimension_stands_once() {
    assert_eq!(
        refusal(Query::of("appeals").by("status").by("status")).await,
        said("the dimension `status` stands twice", "")
    );
}

#[tokio::test]
async fn a_value_outside_of_its_list_names_the_nearest_code_or_label() {
    assert_eq!(
        refusal(Query::of("appeals").filter("status", "provded")).await,
        said("`provded` is no value of `status`", "did you mean `provided` (Оказано)?")
    );
    assert_eq!(
        refusal(Query::of("appeals").filter("municipality", "тольятти")).await,
        said("`тольятти` is no value of `municipality`", "did you mean `36740000` (Тольятти)?")
    );
    assert_eq!(
        refusal(Query::of("appeals").filter("status", "' OR 1=1 --")).await,
        said("`' OR 1=1 --` is no value of `status`", "")
    );
}

#[tokio::test]
async fn what_cannot_be_put_together_is_refused() {
    assert_eq!(
        refusal(Query::of("kpi_value")).await,
        said("values of `kpi_value` cannot be put together over `kpi`", "cut by `kpi`, or fix it to one value")
    );
    let two = Query::of("kpi_value").filter("kpi", "1.1").filter("kpi", "1.2");
    assert_eq!(refusal(two).await.0, "values of `kpi_value` cannot be put together over `kpi`");
}

#[tokio::test]
async fn a_period_ends_after_it_starts() {
    let day = |text: &str| text.parse().unwrap();
    let query = Query::of("appeals").within(Period { from: day("2024-03-01"), to: day("2024-02-01") });
    assert_eq!(refusal(query).await, said("the period ends before it starts: `2024-03-01` to `2024-02-01`", ""));
}

#[tokio::test]
async fn an_unknown_snapshot_names_the_latest() {
    assert_eq!(refusal(Query::of("appeals").as_of(7)).await, said("there is no snapshot 7", "the latest is 1"));
}

#[tokio::test]
async fn an_endless_answer_is_refused() {
    use svod::domain::period::Grain;
    let period = Period::parse("0001", "9000").unwrap();
    let (message, help) = refusal(Query::of("appeals").within(period).grain(Grain::Day)).await;
    assert!(message.starts_with("the answer has 3") && message.ends_with("rows, more than 500000"), "{message}");
    assert_eq!(help.as_deref(), Some("cut by less, take a longer grain or a shorter period"));
}

#[tokio::test]
async fn a_value_is_compared_never_run() {
    let rows = json!([{"kpi": "1.1", "month_on": "2024-01-01", "fact": 1.0, "project": "x' OR 'a'='a"}]);
    let engine = shipped_engine(&[("kpi_months", rows)]);
    let error = engine.query(&Scope::all(), &Query::of("kpi_value").filter("kpi", "1.1' OR '1'='1")).await;
    assert!(matches!(error, Err(QueryError::UnknownValue { .. })));
    assert_eq!(lines(&ask(&engine, Query::of("kpi_value").by("kpi").by("project")).await), ["1.1 x' OR 'a'='a 1"]);
}
