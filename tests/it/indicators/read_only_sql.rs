//! `svod sql` runs one SELECT and nothing else.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::pretty::pretty_format_batches;
use serde_json::json;
use svod::indicators::{Engine, Scope};

use super::memory::{Memory, batch_of, engine_over, shipped_catalog};

fn engine() -> Engine {
    let catalog = shipped_catalog();
    let cases = json!([
        {"case_id": "1", "status": "new", "registered_on": "2024-01-05"},
        {"case_id": "2", "status": "provided", "registered_on": "2024-02-05"}
    ]);
    let event = |name: &str| Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, true)]));
    let memory = Memory::of(&catalog, &[("cases", cases)])
        .with_events("cases", batch_of(&event("event"), &json!([{"event": "registered"}, {"event": "taken"}])))
        .with_events("projects", batch_of(&event("event"), &json!([{"event": "kpi_planned"}])));
    engine_over(catalog, memory)
}

async fn run(text: &str) -> Result<String, (String, Option<String>)> {
    match engine().sql(&Scope::all(), text, None).await {
        Ok(batches) => Ok(pretty_format_batches(&batches).unwrap().to_string()),
        Err(error) => Err((error.to_string(), error.help())),
    }
}

#[tokio::test]
async fn entities_and_events_are_tables() {
    let text = run("SELECT status, count(*) AS n FROM cases GROUP BY status ORDER BY status").await.unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>()[3..5], ["| new      | 1 |", "| provided | 1 |"]);
    let text =
        run("SELECT (SELECT count(*) FROM events_cases) AS cases, count(*) AS projects FROM projects").await.unwrap();
    assert_eq!(text.lines().nth(3), Some("| 2     | 1        |"));
    assert_eq!(run("WITH a AS (SELECT 1 AS x) SELECT * FROM a").await.unwrap().lines().nth(3), Some("| 1 |"));
    assert!(engine().table_names(None).await.unwrap().contains(&"events_cases".to_owned()));
}

#[tokio::test]
async fn an_empty_answer_has_its_columns() {
    let text = run("SELECT case_id FROM cases WHERE status = 'none'").await.unwrap();
    assert_eq!(text.lines().nth(1), Some("| case_id |"));
}

#[tokio::test]
async fn anything_but_one_select_is_refused() {
    for (text, found) in [
        ("CREATE TABLE a AS SELECT 1", "`CREATE`"),
        ("CREATE EXTERNAL TABLE a STORED AS CSV LOCATION '/etc/passwd'", "`CREATE`"),
        ("INSERT INTO cases VALUES (1)", "`INSERT`"),
        ("DELETE FROM cases", "`DELETE`"),
        ("DROP TABLE cases", "`DROP`"),
        ("COPY (SELECT 1) TO '/tmp/a.csv'", "`COPY`"),
        ("SET datafusion.execution.target_partitions = 1", "`SET`"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("", "nothing"),
    ] {
        let refused = run(text).await.unwrap_err();
        assert_eq!(refused.0, format!("only one SELECT can be run, found {found}"), "{text}");
    }
}

#[tokio::test]
async fn files_are_out_of_reach() {
    let refused = run("SELECT * FROM '/etc/passwd'").await.unwrap_err();
    assert!(refused.0.starts_with("the SQL cannot be run: unknown table"), "{}", refused.0);
}

#[tokio::test]
async fn an_unknown_table_or_column_is_named() {
    assert_eq!(
        run("SELECT * FROM casess").await.unwrap_err(),
        ("the SQL cannot be run: unknown table `casess`".to_owned(), Some("did you mean `cases`?".to_owned()))
    );
    assert_eq!(
        run("SELECT statuss FROM cases").await.unwrap_err(),
        ("the SQL cannot be run: unknown column `statuss`".to_owned(), Some("did you mean `status`?".to_owned()))
    );
    let (message, _) = run("SELEC 1").await.unwrap_err();
    assert!(message.starts_with("the SQL cannot be run: "), "{message}");
}
