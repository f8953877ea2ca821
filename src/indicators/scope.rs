//! Who asks decides which rows exist.

use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{Expr, cast, col, lit};

/// The rows that exist for one asker. There is no query without one, and it is part of every key of a cache.
///
/// It can only be had from its constructors, so that nobody makes one by the way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    restriction: Option<Restriction>,
}

/// Rows whose column has one of some values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Restriction {
    column: String,
    values: Vec<String>,
}

impl Scope {
    /// Every row.
    #[must_use]
    pub fn all() -> Self {
        Self { restriction: None }
    }

    /// Rows of one municipality; tables without municipalities have no rows for this asker.
    #[cfg(test)]
    pub(crate) fn municipality(code: &str) -> Self {
        Self { restriction: Some(Restriction { column: "municipality".to_owned(), values: vec![code.to_owned()] }) }
    }

    /// A short text that is another one for every set of rows: `all`, or a hash.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let restricted = |restriction: &Restriction| crate::domain::short_hash::short_hash(&format!("{restriction:?}"));
        self.restriction.as_ref().map_or_else(|| "all".to_owned(), restricted)
    }

    /// A table as this asker sees it: the one place where a scope enters a plan.
    pub(super) fn apply(&self, table: DataFrame, columns: &SchemaRef) -> Result<DataFrame, DataFusionError> {
        match self.condition(columns) {
            Some(condition) => table.filter(condition),
            None => Ok(table),
        }
    }

    fn condition(&self, columns: &SchemaRef) -> Option<Expr> {
        let restriction = self.restriction.as_ref()?;
        if columns.field_with_name(&restriction.column).is_err() {
            return Some(lit(false));
        }
        let value = cast(col(format!("\"{}\"", restriction.column)), arrow::datatypes::DataType::Utf8);
        Some(value.in_list(restriction.values.iter().map(lit).collect(), false))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{RecordBatch, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion::execution::context::SessionContext;

    use super::*;

    async fn count(scope: &Scope, column: &str) -> usize {
        let schema = Arc::new(Schema::new(vec![Field::new(column, DataType::Utf8, true)]));
        let places = StringArray::from(vec![Some("36740000"), Some("36602000"), Some("36740000"), None]);
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(places)]).unwrap();
        let table = SessionContext::new().read_batch(batch).unwrap();
        scope.apply(table, &schema).unwrap().count().await.unwrap()
    }

    #[tokio::test]
    async fn an_asker_sees_the_rows_of_the_scope() {
        assert_eq!(count(&Scope::all(), "municipality").await, 4);
        assert_eq!(count(&Scope::municipality("36740000"), "municipality").await, 2);
    }

    #[tokio::test]
    async fn a_table_without_places_has_nothing_for_a_place() {
        assert_eq!(count(&Scope::all(), "kpi").await, 4);
        assert_eq!(count(&Scope::municipality("36740000"), "kpi").await, 0);
    }
}
