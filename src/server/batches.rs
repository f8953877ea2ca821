//! What the lake itself says about its batches: totals of pipelines, files of one run, reasons of rejection.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use uuid::Uuid;

use super::error::ApiError;
use super::state::App;
use crate::indicators::Scope;

/// One row per pipeline.
const TOTALS_SQL: &str = "\
    SELECT pipeline, sum(read) AS read, sum(accepted) AS accepted, sum(duplicate) AS duplicate, sum(rejected) AS rejected \
    FROM runs GROUP BY pipeline";

/// One row per pipeline and rule.
const REJECTIONS_SQL: &str = "\
    SELECT pipeline, rule, count(*) AS n_rows, min(sentence) AS example \
    FROM quarantine GROUP BY pipeline, rule ORDER BY n_rows DESC, pipeline, rule";

/// What a pipeline has brought so far. `read = accepted + duplicate + rejected`.
#[derive(Debug, Clone)]
pub(crate) struct Totals {
    pub(crate) pipeline: String,
    pub(crate) read: i64,
    pub(crate) accepted: i64,
    pub(crate) duplicate: i64,
    pub(crate) rejected: i64,
}

/// What each pipeline had brought into a snapshot.
///
/// # Errors
/// [`ApiError::Failed`], if the snapshot cannot be read.
pub(crate) async fn read_totals(app: &App, scope: &Scope, snapshot: u64) -> Result<Vec<Totals>, ApiError> {
    let batches = app.engine().sql(scope, TOTALS_SQL, Some(snapshot)).await?;
    let row = |batch: &RecordBatch, row| Totals {
        pipeline: text_of(batch, "pipeline", row),
        read: number_of(batch, "read", row),
        accepted: number_of(batch, "accepted", row),
        duplicate: number_of(batch, "duplicate", row),
        rejected: number_of(batch, "rejected", row),
    };
    Ok(rows_of(&batches, row))
}

/// A batch: one file or other unit of a source.
#[derive(Debug, Clone)]
pub(crate) struct BatchRow {
    pub(crate) pipeline: String,
    pub(crate) batch: i64,
    pub(crate) file: String,
    pub(crate) read: i64,
    pub(crate) accepted: i64,
    pub(crate) duplicate: i64,
    pub(crate) rejected: i64,
    pub(crate) events: i64,
}

/// The batches of one run as far as the latest snapshot has them.
///
/// # Errors
/// [`ApiError::Failed`], if the snapshot cannot be read.
pub(crate) async fn read_batches(app: &App, scope: &Scope, run: Uuid) -> Result<Vec<BatchRow>, ApiError> {
    // A UUID is written with digits and letters only, so nothing of a user becomes SQL.
    let sql = format!(
        "SELECT pipeline, batch, file, read, accepted, duplicate, rejected, events FROM runs \
         WHERE run = '{}' ORDER BY pipeline, batch",
        run.hyphenated()
    );
    let batches = app.engine().sql(scope, &sql, None).await?;
    let row = |batch: &RecordBatch, row| BatchRow {
        pipeline: text_of(batch, "pipeline", row),
        batch: number_of(batch, "batch", row),
        file: text_of(batch, "file", row),
        read: number_of(batch, "read", row),
        accepted: number_of(batch, "accepted", row),
        duplicate: number_of(batch, "duplicate", row),
        rejected: number_of(batch, "rejected", row),
        events: number_of(batch, "events", row),
    };
    Ok(rows_of(&batches, row))
}

/// How many rows broke one rule of one pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Rejection {
    /// Name of the pipeline.
    pub(crate) pipeline: String,
    /// Id of the rule.
    pub(crate) rule: String,
    /// Rows that broke it.
    pub(crate) n_rows: i64,
    /// What was said of one of them.
    pub(crate) example: String,
}

/// Why rows were rejected, most frequent first.
///
/// # Errors
/// [`ApiError::Failed`], if the snapshot cannot be read.
pub(crate) async fn read_rejections(app: &App, scope: &Scope, snapshot: u64) -> Result<Vec<Rejection>, ApiError> {
    let batches = app.engine().sql(scope, REJECTIONS_SQL, Some(snapshot)).await?;
    let row = |batch: &RecordBatch, row| Rejection {
        pipeline: text_of(batch, "pipeline", row),
        rule: text_of(batch, "rule", row),
        n_rows: number_of(batch, "n_rows", row),
        example: text_of(batch, "example", row),
    };
    Ok(rows_of(&batches, row))
}

fn rows_of<T>(batches: &[RecordBatch], row: impl Fn(&RecordBatch, usize) -> T) -> Vec<T> {
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(|place| row(batch, place)).collect::<Vec<_>>()).collect()
}

fn number_of(batch: &RecordBatch, name: &str, row: usize) -> i64 {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
    column.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row))
}

fn text_of(batch: &RecordBatch, name: &str, row: usize) -> String {
    let Some(column) = batch.column_by_name(name) else { return String::new() };
    let plain = column.as_string_opt::<i32>().map(|column| column.value(row));
    plain.or_else(|| column.as_string_view_opt().map(|column| column.value(row))).unwrap_or_default().to_owned()
}
