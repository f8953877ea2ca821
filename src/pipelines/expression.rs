//! SQL expressions of a declaration, checked against the declared columns before any row is read.

use polars::error::polars_err;
use polars::prelude::{AggExpr, Column, DataFrame, DataType, Expr, IntoLazy, LazyFrame, PolarsResult};
use polars::sql::sql_expr;

/// An expression over the columns of a row, in Polars' SQL.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    expr: Expr,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionError {
    /// It names a column that is not declared.
    UnknownColumn(String),
    /// It is not SQL, or looks at more than its own row, or its types do not fit together.
    Wrong(String),
}

impl Expression {
    /// Reads an expression; `columns` are the names and types that it may use. Returns the type of its result as well.
    ///
    /// # Errors
    /// [`ExpressionError`], without a place: the caller knows where the text stands.
    pub fn check(text: &str, columns: &[(String, DataType)]) -> Result<(Self, DataType), ExpressionError> {
        let wrong = |error: polars::error::PolarsError| ExpressionError::Wrong(first_line(&error.to_string()));
        let expr = sql_expr(text).map_err(wrong)?;
        for part in &expr {
            match part {
                Expr::Column(name) if columns.iter().all(|(known, _)| known != name.as_str()) => {
                    return Err(ExpressionError::UnknownColumn(name.to_string()));
                }
                // The list of an `IN` is gathered into one value, which is the same for every row.
                Expr::Agg(AggExpr::Implode { input, .. }) if matches!(input.as_ref(), Expr::Literal(_)) => {}
                Expr::Agg(_) | Expr::Len | Expr::Over { .. } | Expr::Sort { .. } | Expr::SortBy { .. } => {
                    let message = "an expression sees one row at a time, aggregates and windows have no meaning here";
                    return Err(ExpressionError::Wrong(message.to_owned()));
                }
                Expr::Selector(_) => return Err(ExpressionError::Wrong("`*` is not a value".to_owned())),
                _ => {}
            }
        }
        let empty: Vec<Column> =
            columns.iter().map(|(name, data_type)| Column::new_empty(name.as_str().into(), data_type)).collect();
        let frame = DataFrame::new(0, empty).map_err(wrong)?;
        let result = collect(frame.lazy().select([expr.clone().alias("value")])).map_err(wrong)?;
        let data_type = result.columns().first().map_or(DataType::Null, |column| column.dtype().clone());
        Ok((Self { text: text.to_owned(), expr }, data_type))
    }

    /// The expression as it is declared.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression as Polars knows it.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Names of the columns that it uses.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.expr.into_iter().filter_map(|part| match part {
            Expr::Column(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// Computes a frame on a thread of its own.
///
/// Polars asks the asynchronous runtime of its thread to make room, which not every runtime can; a plain thread has none.
///
/// # Errors
/// What Polars says.
pub(super) fn collect(frame: LazyFrame) -> PolarsResult<DataFrame> {
    let stopped = |_| Err(polars_err!(ComputeError: "the computation stopped with an internal error"));
    std::thread::spawn(move || frame.collect()).join().unwrap_or_else(stopped)
}

/// Polars appends the plan to its messages; the first line says what is wrong.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim_end_matches(':').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<(String, DataType)> {
        vec![("number".to_owned(), DataType::String), ("applied".to_owned(), DataType::Date)]
    }

    fn check(text: &str) -> Result<DataType, ExpressionError> {
        Expression::check(text, &columns()).map(|(_, data_type)| data_type)
    }

    #[test]
    fn the_type_of_the_result_is_known() {
        assert_eq!(check("'47-' || number"), Ok(DataType::String));
        assert_eq!(check("number = 'x' AND applied IS NOT NULL"), Ok(DataType::Boolean));
        assert_eq!(check("number NOT IN ('x', 'y')"), Ok(DataType::Boolean));
        assert_eq!(check("CASE WHEN number = 'x' THEN 1.5 ELSE 2.5 END"), Ok(DataType::Float64));
    }

    #[test]
    fn what_is_no_expression_over_one_row_is_refused() {
        assert_eq!(check("numbr = 'x'"), Err(ExpressionError::UnknownColumn("numbr".to_owned())));
        for text in ["number =", "MAX(number)", "COUNT(*)", "SELECT 1", "ROW_NUMBER() OVER (ORDER BY number)", ""] {
            assert!(matches!(check(text), Err(ExpressionError::Wrong(_))), "{text}: {:?}", check(text));
        }
    }
}
