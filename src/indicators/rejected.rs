//! Rows in quarantine: what is still rejected in a snapshot, picked by typed conditions.

use arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::functions_aggregate::expr_fn::{count, min};
use datafusion::logical_expr::{col, lit};
use datafusion::prelude::DataFrame;

use super::engine::Engine;
use super::error::QueryError;
use super::scope::Scope;
use super::tables::TableContent;
use crate::warehouse::lake::QUARANTINE_FOLDER;

/// Which rejected rows are asked for; what is not given does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectedQuery {
    /// The pipeline.
    pub pipeline: Option<String>,
    /// The source file.
    pub file: Option<String>,
    /// The broken rule.
    pub rule: Option<String>,
    /// Most rows of the answer.
    pub limit: Option<usize>,
    /// Number of an older snapshot.
    pub as_of: Option<u64>,
}

impl Engine {
    /// The rejected rows themselves, by pipeline, file and place.
    ///
    /// # Shape
    /// `pipeline`, `file`, `row` (Int64), `rule`, `sentence`, `raw` (masked), `batch` (Int64).
    ///
    /// # Errors
    /// If there is no such snapshot, or it cannot be read.
    pub async fn rejected_rows(&self, scope: &Scope, wanted: &RejectedQuery) -> Result<Vec<RecordBatch>, QueryError> {
        let shape = |rows: DataFrame| {
            let columns = ["pipeline", "file", "row", "rule", "sentence", "raw", "batch"];
            let order = ["pipeline", "file", "row"].map(|name| col(name).sort(true, false));
            rows.select_columns(&columns)?.sort(order.to_vec())?.limit(0, wanted.limit)
        };
        self.rejected(scope, wanted, shape).await
    }

    /// How many rows of each pipeline and file broke each rule, with one sentence of them.
    ///
    /// # Shape
    /// `pipeline`, `file`, `rule`, `n_rows` (Int64), `example`.
    ///
    /// # Errors
    /// If there is no such snapshot, or it cannot be read.
    pub async fn rejected_counts(&self, scope: &Scope, wanted: &RejectedQuery) -> Result<Vec<RecordBatch>, QueryError> {
        let shape = |rows: DataFrame| {
            let keys = ["pipeline", "file", "rule"];
            let figures = vec![count(lit(1)).alias("n_rows"), min(col("sentence")).alias("example")];
            let order = keys.map(|name| col(name).sort(true, false));
            rows.aggregate(keys.map(col).to_vec(), figures)?.sort(order.to_vec())?.limit(0, wanted.limit)
        };
        self.rejected(scope, wanted, shape).await
    }

    async fn rejected(
        &self,
        scope: &Scope,
        wanted: &RejectedQuery,
        shape: impl FnOnce(DataFrame) -> Result<DataFrame, DataFusionError>,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let snapshot = self.snapshot(wanted.as_of).await?;
        let table = self.table(&snapshot, QUARANTINE_FOLDER, TableContent::Rejected).await?;
        let conditions = [("pipeline", &wanted.pipeline), ("file", &wanted.file), ("rule", &wanted.rule)];
        let picked = self.scoped(scope, table).and_then(|rows| {
            let given = conditions.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?)));
            given.into_iter().try_fold(rows, |rows, (name, value)| rows.filter(col(name).eq(lit(value.as_str()))))
        });
        let failed =
            |cause: DataFusionError| QueryError::Compute { what: QUARANTINE_FOLDER.to_owned(), cause: Box::new(cause) };
        picked.and_then(shape).map_err(failed)?.collect().await.map_err(failed)
    }
}
