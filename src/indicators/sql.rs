//! Read-only SQL over the tables of a snapshot, for people who know what they look for.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::{Column, DataFusionError, SchemaError, TableReference};
use datafusion::datasource::ViewTable;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;

use super::engine::{Engine, OpenSnapshot};
use super::error::{QueryError, nearest};
use super::expression::sentence;
use super::scope::Scope;
use super::tables::TableContent;
use super::working_days::working_days;

impl Engine {
    /// Runs one SELECT over the tables of a snapshot: entities and events by their names, events as `events_NAME`
    /// where entities have the same name, and `runs`.
    ///
    /// # Errors
    /// [`QueryError::NotSelect`] for anything that is not one SELECT; [`QueryError::BadSql`] if it cannot be planned.
    pub async fn sql(&self, scope: &Scope, text: &str, as_of: Option<u64>) -> Result<Vec<RecordBatch>, QueryError> {
        let statement = parse(text)?;
        let snapshot = self.snapshot(as_of).await?;
        let context = SessionContext::new_with_config_rt(self.context.copied_config(), self.context.runtime_env());
        context.register_udf(working_days(&self.definitions.reference));
        let names = context.state().resolve_table_references(&statement).map_err(|error| bad_sql(&error))?;
        for name in &names {
            self.register(scope, &snapshot, &context, name).await?;
        }
        let plan = context.state().statement_to_plan(statement).await.map_err(|error| bad_sql(&error))?;
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)
            .map_err(|error| bad_sql(&error))?;
        let rows = context.execute_logical_plan(plan).await.map_err(|error| bad_sql(&error))?;
        let columns = Arc::clone(rows.schema().inner());
        let mut batches = rows.collect().await.map_err(|error| match error.find_root() {
            DataFusionError::Execution(_) | DataFusionError::ArrowError(..) | DataFusionError::Plan(_) => {
                bad_sql(&error)
            }
            _ => QueryError::Compute { what: "sql".to_owned(), cause: Box::new(error) },
        })?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(columns));
        }
        Ok(batches)
    }

    /// Names of the tables of a snapshot in SQL, sorted.
    ///
    /// # Errors
    /// If there is no such snapshot, or it cannot be read.
    pub async fn table_names(&self, as_of: Option<u64>) -> Result<Vec<String>, QueryError> {
        let snapshot = self.snapshot(as_of).await?;
        Ok(tables_of(&snapshot).into_iter().map(|(name, ..)| name).collect())
    }

    /// Makes a table known under the name by which a SELECT calls it, as the asker sees it.
    async fn register(
        &self,
        scope: &Scope,
        snapshot: &OpenSnapshot,
        context: &SessionContext,
        reference: &TableReference,
    ) -> Result<(), QueryError> {
        let tables = tables_of(snapshot);
        let name = reference.table();
        let found = tables.iter().find(|(known, ..)| reference.schema().is_none() && known == name);
        let Some((_, table, kind)) = found else {
            let known = || tables.iter().map(|(name, ..)| name.as_str());
            let help = match nearest(name, known()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("tables: {}", known().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
            };
            return Err(QueryError::BadSql { reason: format!("unknown table `{reference}`"), help: Some(help) });
        };
        let failed = |cause: DataFusionError| QueryError::Compute { what: name.to_owned(), cause: Box::new(cause) };
        let provider = self.table(snapshot, table, *kind).await?;
        let plan: LogicalPlan = self.scoped(scope, provider).map_err(failed)?.into_unoptimized_plan();
        context.register_table(name, Arc::new(ViewTable::new(plan, None))).map_err(failed)?;
        Ok(())
    }
}

/// Tables by their names in SQL: name, table, content.
fn tables_of(snapshot: &OpenSnapshot) -> Vec<(String, String, TableContent)> {
    let head = &snapshot.head;
    let mut tables: Vec<_> =
        head.tables.iter().map(|(table, content)| (head.sql_name(table, *content), table.clone(), *content)).collect();
    tables.sort_by(|one, other| one.0.cmp(&other.0));
    tables
}

/// The one SELECT of a text.
fn parse(text: &str) -> Result<Statement, QueryError> {
    let mut statements = DFParser::parse_sql(text).map_err(|error| bad_sql(&error))?;
    let n_statements = statements.len();
    match (statements.pop_front(), n_statements) {
        (None, _) => Err(QueryError::NotSelect { found: "nothing".to_owned() }),
        (Some(Statement::Statement(statement)), 1) if matches!(*statement, SqlStatement::Query(_)) => {
            Ok(Statement::Statement(statement))
        }
        (Some(statement), 1) => {
            let first_word = statement.to_string().split_whitespace().next().unwrap_or_default().to_uppercase();
            Err(QueryError::NotSelect { found: format!("`{first_word}`") })
        }
        (Some(_), n_statements) => Err(QueryError::NotSelect { found: format!("{n_statements} statements") }),
    }
}

fn bad_sql(error: &DataFusionError) -> QueryError {
    if let DataFusionError::SchemaError(schema_error, _) = error.find_root()
        && let SchemaError::FieldNotFound { field, valid_fields } = schema_error.as_ref()
    {
        let known = || valid_fields.iter().map(Column::name);
        let help = match nearest(&field.name, known()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("columns: {}", known().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
        };
        return QueryError::BadSql { reason: format!("unknown column `{}`", field.name), help: Some(help) };
    }
    QueryError::BadSql { reason: sentence(error), help: None }
}
