//! From a source as written to a checked source. Nothing is asked of the network, and no secret is read.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::check::Checker;
use super::check_http::check_http;
use super::check_push::check_push;
use super::check_s3::check_s3;
use super::declaration::{RawSource, SourceType};
use super::format::Format;
use super::formats::ColumnName;
use super::formats::csv::CsvOptions;
use super::source_declaration::{RawParameter, RawPostgres, RawSecret};
use super::sources::Source;
use super::sources::cursor::{CursorColumn, LateWindow};
use super::sources::postgres::{PostgresCursor, PostgresSource};
use super::typing::SourceColumn;
use crate::declarations::{Problems, Spanned};
use crate::secrets::{Parameter, Secret};

/// How long watched files must have been left alone, if not said.
const DEFAULT_QUIET: Duration = Duration::from_secs(5);

impl Checker<'_> {
    pub(super) fn check_source(
        &self,
        columns: &[SourceColumn],
        format: &Format,
        time_zone: Tz,
        problems: &mut Problems,
    ) -> Source {
        let pipeline = self.raw.pipeline.as_str();
        let mut checker = SourceChecker { source: self.source, pipeline, columns, format, time_zone, problems };
        match &self.raw.source {
            RawSource::Files(pattern) => {
                if let Err(error) = glob::Pattern::new(pattern) {
                    checker.report(pattern, format!("`files`: {}", error.msg), None);
                }
                Source::Files { pattern: pattern.value.clone() }
            }
            // Without an address there is a problem, and so no pipeline.
            RawSource::Http(raw) => check_http(&mut checker, raw)
                .map_or_else(|| Source::Files { pattern: String::new() }, |source| Source::Http(Arc::new(source))),
            RawSource::Postgres(raw) => {
                if self.raw.format.is_some() {
                    let message = "`format`: the rows of a query have none";
                    checker.report(&self.raw.pipeline, message, Some("leave `format` out"));
                }
                Source::Postgres(Arc::new(check_postgres(&mut checker, raw)))
            }
            RawSource::S3(raw) => Source::S3(check_s3(&mut checker, raw)),
            RawSource::Push(raw) => {
                Source::Push(check_push(self.source, raw, self.raw.format.as_ref(), checker.problems))
            }
        }
    }

    /// How long watched files must have been left alone.
    pub(super) fn check_watch(&self, problems: &mut Problems) -> Option<Duration> {
        let raw = self.raw.watch.as_ref()?;
        if !matches!(self.raw.source, RawSource::Files(_)) {
            let problem = self.source.problem(raw, "`watch`: only files can be watched");
            problems.push(problem.help("leave `watch` out; `schedule` says when the source is asked"));
        }
        let Some(quiet) = &raw.quiet else { return Some(DEFAULT_QUIET) };
        let duration = humantime::parse_duration(quiet).ok();
        if duration.is_none() {
            let problem = self.source.problem(quiet, format!("`quiet`: `{}` is no length of time", **quiet));
            problems.push(problem.help("e.g. `5s`, `1m`"));
        }
        duration
    }

    /// The format of a source that brings its own.
    pub(super) fn format_of_source(&self, problems: &mut Problems) -> Format {
        if !matches!(self.raw.source, RawSource::Postgres(_)) {
            let problem = self.source.problem(&self.raw.pipeline, "`format`: is missing");
            problems.push(problem.help("say how the files are written, e.g. `format: {csv: {separator: \";\"}}`"));
        }
        Format::Csv(CsvOptions::default())
    }

    /// A cursor is written down in the clear wherever a batch is recorded.
    pub(super) fn check_cursor_is_open(&self, columns: &[SourceColumn], problems: &mut Problems) {
        let name = match &self.raw.source {
            RawSource::Files(_) | RawSource::S3(_) | RawSource::Push(_) => None,
            RawSource::Http(raw) => raw.cursor.as_ref().map(|cursor| &cursor.column),
            RawSource::Postgres(raw) => raw.cursor.as_ref().map(|cursor| &cursor.column),
        };
        let Some(name) = name else { return };
        if columns.iter().any(|column| column.name == **name && column.personal) {
            let message = format!("`column`: `{}` feeds a personal column of the contract", **name);
            problems
                .push(self.source.problem(name, message).help("a cursor is kept in the clear; choose another column"));
        }
    }
}

/// Checks the source of one declaration.
pub(super) struct SourceChecker<'a> {
    source: &'a crate::declarations::Source,
    pub(super) pipeline: &'a str,
    columns: &'a [SourceColumn],
    pub(super) format: &'a Format,
    pub(super) time_zone: Tz,
    problems: &'a mut Problems,
}

impl SourceChecker<'_> {
    pub(super) fn report<T>(&mut self, at: &Spanned<T>, message: impl Into<String>, help: Option<&str>) {
        let problem = self.source.problem(at, message);
        self.problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    /// Reports a problem without showing the line, which holds a secret.
    pub(super) fn report_secret<T>(&mut self, at: &Spanned<T>, key: &str) {
        let mut problem = self.source.problem(at, format!("`{key}`: a secret never stands in a declaration"));
        problem.excerpt = String::new();
        self.problems.push(problem.help("write `{env: NAME}` or `{file: path}`"));
    }

    /// A value that may be secret.
    pub(super) fn parameter(&mut self, key: &str, raw: &Spanned<RawParameter>) -> Parameter {
        match &raw.value {
            RawParameter::Literal(text) => Parameter::Literal(text.clone()),
            RawParameter::Secret(place) => {
                let (secret, name) = match place {
                    RawSecret::Env(name) => (Secret::Env(name.clone()), name),
                    RawSecret::File(file) => (Secret::File(file.clone()), file),
                };
                if name.trim().is_empty() || name.contains(['=', '\0']) {
                    self.report(raw, format!("`{key}`: `{name}` is no name of a variable or file"), None);
                }
                Parameter::Secret(secret)
            }
        }
    }

    /// A value that is always secret.
    pub(super) fn secret(&mut self, key: &str, raw: &Spanned<RawParameter>) -> Secret {
        match self.parameter(key, raw) {
            Parameter::Secret(secret) => secret,
            Parameter::Literal(_) => {
                self.report_secret(raw, key);
                Secret::Env(String::new())
            }
        }
    }

    pub(super) fn duration(&mut self, key: &str, raw: Option<&Spanned<String>>, default: Duration) -> Duration {
        let Some(raw) = raw else { return default };
        match humantime::parse_duration(raw) {
            Ok(duration) if !duration.is_zero() => duration,
            _ => {
                self.report(
                    raw,
                    format!("`{key}`: `{}` is no length of time", **raw),
                    Some("e.g. `500ms`, `30s`, `5m`"),
                );
                default
            }
        }
    }

    /// The declared column that a cursor names.
    pub(super) fn cursor_column(&mut self, name: &Spanned<String>) -> Option<CursorColumn> {
        let Some(column) = self.columns.iter().find(|column| column.name == **name) else {
            let problem = self.source.problem(name, format!("`column`: there is no column `{}`", **name));
            let known = self.columns.iter().map(|column| column.name.as_str());
            self.problems.push(problem.suggest(name, known));
            return None;
        };
        if matches!(column.column_type, SourceType::Number | SourceType::Boolean) {
            let message = format!("`column`: `{}` does not grow step by step", **name);
            self.report(name, message, Some("expected a date, a timestamp, an integer or a string"));
            return None;
        }
        Some(CursorColumn {
            name: ColumnName { from: column.from.clone(), name: column.name.clone() },
            column_type: column.column_type,
            format: column.format.clone(),
            empty: column.empty.clone(),
            time_zone: self.time_zone,
        })
    }

    pub(super) fn late_window(&mut self, raw: Option<&Spanned<String>>, column: &CursorColumn) -> Option<LateWindow> {
        let raw = raw?;
        let (window, help) = match column.column_type {
            SourceType::Date | SourceType::Timestamp => {
                (humantime::parse_duration(raw).ok().map(LateWindow::Time), "a length of time, e.g. `3d`, `12h`")
            }
            SourceType::Integer => {
                let steps = raw.parse().ok().filter(|steps: &i64| *steps >= 0);
                (steps.map(LateWindow::Steps), "a whole number, e.g. `\"1000\"`: how far back the column is read again")
            }
            _ => (None, "a text has no window"),
        };
        if window.is_none() {
            self.report(raw, format!("`late_window`: `{}` does not fit the column", **raw), Some(help));
        }
        window
    }
}

fn check_postgres(checker: &mut SourceChecker<'_>, raw: &RawPostgres) -> PostgresSource {
    let query = raw.query.trim_end().trim_end_matches(';').to_owned();
    if let Err(problem) = check_query(&query) {
        checker.report(&raw.query, format!("`query`: {problem}"), Some("one SELECT, without `;`"));
    }
    let cursor = raw.cursor.as_ref().and_then(|raw| {
        let column = checker.cursor_column(&raw.column)?;
        let late_window = checker.late_window(raw.late_window.as_ref(), &column);
        Some(PostgresCursor { column: column.name.from, late_window })
    });
    let mut columns: Vec<String> = Vec::new();
    for column in checker.columns {
        if !columns.contains(&column.from) {
            columns.push(column.from.clone());
        }
    }
    PostgresSource {
        pipeline: checker.pipeline.to_owned(),
        connection: checker.secret("connection", &raw.connection),
        query,
        columns,
        cursor,
        ssl_mode: raw.sslmode,
        ca_file: raw.ca_file.as_ref().map(|file| file.value.clone()),
        connect_timeout: checker.duration("connect_timeout", raw.connect_timeout.as_ref(), Duration::from_secs(10)),
        statement_timeout: checker.duration(
            "statement_timeout",
            raw.statement_timeout.as_ref(),
            Duration::from_mins(30),
        ),
        time_zone: checker.time_zone,
    }
}

/// Whether a text is one query that can stand in parentheses. What the query means, only the database knows.
fn check_query(query: &str) -> Result<(), String> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, query).tokenize().map_err(|error| error.message)?;
    let mut tokens = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).peekable();
    let is_query = match tokens.peek() {
        Some(Token::Word(word)) => ["SELECT", "WITH", "VALUES", "TABLE"].contains(&word.value.to_uppercase().as_str()),
        Some(Token::LParen) => true,
        _ => false,
    };
    if !is_query {
        return Err("does not begin with SELECT".to_owned());
    }
    let mut depth = 0_i64;
    for token in tokens {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::SemiColon => return Err("has more than one statement".to_owned()),
            _ => {}
        }
        if depth < 0 {
            break;
        }
    }
    if depth == 0 { Ok(()) } else { Err("has parentheses that do not match".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_query_is_let_through() {
        let good =
            ["SELECT 1", "with a as (select ')') select * from a -- ;", "(SELECT 1)", "VALUES (1)", "TABLE cases"];
        for query in good {
            assert_eq!(check_query(query), Ok(()), "{query}");
        }
        for query in ["", "DELETE FROM a", "SELECT 1; DROP TABLE a", "SELECT 1) TO STDOUT --", "SELECT (1", "SELECT 'a"]
        {
            assert!(check_query(query).is_err(), "{query}");
        }
    }
}
