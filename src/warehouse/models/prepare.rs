//! Preparing a model's SQL against empty event tables: its result columns, or the place of its first error.

use std::collections::HashSet;

use arrow::datatypes::{Field, Schema};
use duckdb::Connection;

use crate::declarations::{Problem, Problems, Source};

use super::super::contracts::{Contract, Contracts};
use super::super::database;
use super::super::event_views::{OCCURRED_MONTH, SUBJECT_ID, create_list, drop_list};
use super::super::lake::MONTH;
use super::super::reference::CodeList;

/// An empty database with the event tables of all contracts, in which the SQL of models is prepared.
pub(super) struct Workbench {
    connection: Connection,
}

/// Schema of the empty tables; a model sees only those that it names.
const EMPTY_TABLES: &str = "svod_empty";

impl Workbench {
    pub(super) fn new(contracts: &Contracts) -> Result<Self, duckdb::Error> {
        let connection = database::open_memory()?;
        connection.execute_batch(&format!("CREATE SCHEMA {EMPTY_TABLES}"))?;
        for contract in contracts.iter() {
            let schema = contract.arrow_schema();
            let columns = schema
                .fields()
                .iter()
                .map(|field| format!("{} {}", database::name(field.name()), database::type_name(field.data_type())));
            let columns: Vec<String> =
                columns.chain([format!("{OCCURRED_MONTH} DATE"), format!("{SUBJECT_ID} VARCHAR")]).collect();
            let table = database::name(&contract.table);
            connection.execute_batch(&format!("CREATE TABLE {EMPTY_TABLES}.{table} ({})", columns.join(", ")))?;
        }
        Ok(Self { connection })
    }

    /// Columns of the result of a `SELECT` over some event tables and code lists, as an entity keeps them.
    pub(super) fn result_columns(
        &self,
        sql: &Source,
        from: &[&Contract],
        lists: &[&CodeList],
    ) -> Result<Schema, Problems> {
        let described = self.describe(&sql.text, from, lists);
        let columns = described.map_err(|error| Problems::from(sql_problem(sql, &error.to_string())))?;
        let mut problems = Problems::new();
        let mut names = HashSet::new();
        let mut fields = Vec::with_capacity(columns.len());
        for (name, type_name) in columns {
            if !names.insert(name.to_lowercase()) {
                problems.push(sql.problem_of_file(format!("the result has two columns `{name}`")));
            }
            if name == MONTH || name.starts_with('_') {
                let problem = sql.problem_of_file(format!("a column of the result cannot be named `{name}`"));
                problems.push(problem.help("`month` and names that start with `_` belong to the lake"));
            }
            if let Some(data_type) = database::entity_type(&type_name) {
                fields.push(Field::new(name, data_type, true));
            } else {
                let problem = sql.problem_of_file(format!("the column `{name}` is a {type_name}"));
                problems.push(problem.help("cast it to VARCHAR, BIGINT, DOUBLE, BOOLEAN, DATE or TIMESTAMP"));
            }
        }
        problems.into_result(Schema::new(fields))
    }

    /// Names and DuckDB types of the result.
    fn describe(
        &self,
        sql: &str,
        from: &[&Contract],
        lists: &[&CodeList],
    ) -> Result<Vec<(String, String)>, duckdb::Error> {
        lists.iter().try_for_each(|list| create_list(&self.connection, list))?;
        let tables: Vec<String> = from.iter().map(|contract| database::name(&contract.table)).collect();
        for table in &tables {
            self.connection
                .execute_batch(&format!("CREATE TEMP VIEW {table} AS SELECT * FROM {EMPTY_TABLES}.{table}"))?;
        }
        let described = self.describe_select(sql);
        for table in &tables {
            self.connection.execute_batch(&format!("DROP VIEW temp.{table}"))?;
        }
        lists.iter().try_for_each(|list| drop_list(&self.connection, list))?;
        described
    }

    fn describe_select(&self, sql: &str) -> Result<Vec<(String, String)>, duckdb::Error> {
        let mut statement = self.connection.prepare(&format!("DESCRIBE SELECT * FROM (\n{}\n)", select_of(sql)))?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }
}

/// The SQL without a closing semicolon, so that it can stand in parentheses.
pub(in super::super) fn select_of(sql: &str) -> &str {
    sql.trim_end().trim_end_matches(';')
}

/// What DuckDB says, at the place in the file that it names. The SQL stands one line lower in what DuckDB saw.
fn sql_problem(sql: &Source, error: &str) -> Problem {
    let message = error.split("\n\nLINE ").next().unwrap_or(error);
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    let help = lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let message = first.split_once(" Error: ").map_or(first, |(_, rest)| rest);
    let message = lower_first(message.trim_end_matches(['.', '!']));
    let problem = match place(sql, error) {
        Some((line, column, width)) => sql.problem_at(line, column, width, message),
        None => sql.problem_of_file(message),
    };
    if help.is_empty() { problem } else { problem.help(help) }
}

/// Line, column and width of an error: DuckDB shows `LINE 3: …` and carets under it, long lines cut with `...`.
fn place(sql: &Source, error: &str) -> Option<(usize, usize, usize)> {
    let (_, shown) = error.split_once("\n\nLINE ")?;
    let (number, _) = shown.split_once(':')?;
    let line = number.parse::<usize>().ok()?.saturating_sub(1).clamp(1, sql.text.lines().count().max(1));
    let mut shown = shown.lines();
    let (excerpt, carets) = (shown.next()?, shown.next()?);
    let offset = number.chars().count() + 2;
    let caret = (carets.chars().position(|character| character == '^')? + 1).checked_sub(offset + "LINE ".len())?;
    let width = carets.chars().filter(|character| *character == '^').count();
    let excerpt: String = excerpt.chars().skip(offset).collect();
    let text = sql.text.lines().nth(line - 1)?;
    let Some(rest) = excerpt.strip_prefix("...") else { return Some((line, caret.max(1), width)) };
    let byte = text.find(rest.trim_end_matches("..."))?;
    let skipped = text.char_indices().take_while(|(index, _)| *index < byte).count();
    Some((line, (skipped + caret).saturating_sub(3).max(1), width))
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(text: &str) -> Source {
        Source { path: "sql/models/a.sql".into(), text: text.to_owned() }
    }

    #[test]
    fn an_error_of_duckdb_gets_its_place_in_the_file() {
        let error = "Binder Error: Referenced column \"nosuch\" not found in FROM clause!\nCandidate bindings: \"x\"\n\n\
                     LINE 3:     nosuch\n            ^^^^^^";
        let problem = sql_problem(&sql("SELECT\n    nosuch\nFROM cases\n"), error);
        assert_eq!(
            problem.to_string(),
            "error: sql/models/a.sql:2:5: referenced column \"nosuch\" not found in FROM clause\n  \
             2 |     nosuch\n    |     ^^^^^^  help: Candidate bindings: \"x\""
        );
    }

    #[test]
    fn a_cut_line_is_found_again() {
        let text = "SELECT a_rather_long_column_name, another_long_column_name, nosuch, more FROM cases";
        let error = "Binder Error: no\n\nLINE 2: ...another_long_column_name, nosuch, mo...\n                                     ^^^^^^";
        let problem = sql_problem(&sql(text), error);
        assert_eq!((problem.line, problem.column), (1, text.find("nosuch").unwrap() + 1));
    }

    #[test]
    fn an_error_without_a_place_is_of_the_file() {
        let problem = sql_problem(&sql("SELECT 1"), "Invalid Input Error: nothing");
        assert_eq!((problem.line, problem.message.as_str()), (0, "nothing"));
    }
}
