//! Checks limits and quality rules of a contract.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, NaiveTime};
use regex::Regex;

use super::check::Checks;
use super::rules::{Bound, Limit, Rule, Severity, Test};
use super::{Column, ColumnType, RawBound, RawProperty, RawQuality, RawTable, RawTypeOptions};
use crate::declarations::Spanned;

/// The only form of a query that counts the events for which a condition is true.
static COUNTING: LazyLock<Result<Regex, regex::Error>> =
    LazyLock::new(|| Regex::new(r"(?is)^\s*SELECT\s+COUNT\s*\(\s*\*\s*\)\s+FROM\s+(\S+)\s+WHERE\s+(.+?)\s*;?\s*$"));

/// What to write where a query is something else.
const QUERY_HELP: &str = "query: SELECT COUNT(*) FROM {object} WHERE the condition of a wrong event";

impl Checks<'_> {
    /// Smallest and largest value of a column.
    pub(super) fn bounds(
        &mut self,
        options: Option<&RawTypeOptions>,
        column_type: ColumnType,
    ) -> (Option<Bound>, Option<Bound>) {
        let Some(options) = options else { return (None, None) };
        let mut side = |inclusive: &Option<Spanned<RawBound>>, exclusive: &Option<Spanned<RawBound>>| {
            if let (Some(_), Some(second)) = (inclusive, exclusive) {
                self.problem(second, "a limit with itself and a limit without cannot both stand here");
            }
            let exclusive = exclusive.as_ref().and_then(|bound| self.bound(bound, true, column_type));
            exclusive.or_else(|| inclusive.as_ref().and_then(|bound| self.bound(bound, false, column_type)))
        };
        let lower = side(&options.minimum, &options.exclusive_minimum);
        let upper = side(&options.maximum, &options.exclusive_maximum);
        (lower, upper)
    }

    fn bound(&mut self, raw: &Spanned<RawBound>, is_exclusive: bool, column_type: ColumnType) -> Option<Bound> {
        #[expect(clippy::cast_precision_loss, reason = "moments until 2255 are below 2^53 microseconds")]
        let at = match (&raw.value, column_type) {
            (RawBound::Number(number), ColumnType::Integer | ColumnType::Number) => Some(*number),
            (RawBound::Text(text), ColumnType::Date) => NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()
                .map(|day| day.signed_duration_since(NaiveDate::default()).num_days() as f64),
            (RawBound::Text(text), ColumnType::Timestamp) => {
                let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::default()));
                let moment = DateTime::parse_from_rfc3339(text).map(|moment| moment.naive_utc());
                moment.or(day).ok().map(|moment| moment.and_utc().timestamp_micros() as f64)
            }
            (_, ColumnType::String | ColumnType::Boolean) => {
                self.problem(raw, format!("a {} has no smallest or largest value here", column_type.code()));
                return None;
            }
            _ => None,
        };
        let text = match &raw.value {
            RawBound::Number(number) => number.to_string(),
            RawBound::Text(text) => text.clone(),
        };
        if at.is_none() {
            let help = match column_type {
                ColumnType::Date => "e.g. \"2024-01-31\"",
                ColumnType::Timestamp => "e.g. \"2024-01-31\" or \"2024-01-31T12:00:00Z\"",
                _ => "e.g. 100",
            };
            self.advise(raw, format!("`{text}` is no limit of a {}", column_type.code()), help);
        }
        at.map(|at| Bound { at, is_exclusive, text })
    }

    /// The rules of the table and of its columns; `columns` are the checked ones in the same order.
    pub(super) fn rules(&mut self, table: &RawTable, columns: &[Column]) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (place, (property, column)) in table.properties.iter().zip(columns).enumerate() {
            if property.unique {
                rules.push(Rule {
                    name: "unique".to_owned(),
                    test: Test::Repeated { columns: vec![place] },
                    limit: Limit::Is(0.0),
                    in_percent: false,
                    severity: Severity::Error,
                    sentence: None,
                });
            }
            for raw in &property.quality {
                let at = raw.metric.as_ref().or(raw.query.as_ref()).unwrap_or(&property.name);
                let at = at.with(());
                let test = match self.kind(raw) {
                    Kind::Text => continue,
                    Kind::Sql => self.condition(raw, table, Some(property)),
                    Kind::Library => self.column_test(raw, property, column, place),
                };
                rules.extend(test.and_then(|test| self.rule(raw, test, &at)));
            }
        }
        for raw in &table.quality {
            let at = raw.metric.as_ref().or(raw.query.as_ref()).unwrap_or(&table.name);
            let at = at.with(());
            let test = match self.kind(raw) {
                Kind::Text => continue,
                Kind::Sql => self.condition(raw, table, None),
                Kind::Library => self.table_test(raw, table),
            };
            rules.extend(test.and_then(|test| self.rule(raw, test, &at)));
        }
        rules
    }

    fn kind(&mut self, raw: &RawQuality) -> Kind {
        match &raw.kind {
            Some(kind) if self.one_of(kind, "type", &["library", "sql", "text"]) => match kind.as_str() {
                "library" => Kind::Library,
                "sql" => Kind::Sql,
                _ => Kind::Text,
            },
            None if raw.metric.is_some() => Kind::Library,
            None if raw.query.is_some() => Kind::Sql,
            _ => Kind::Text,
        }
    }

    fn column_test(&mut self, raw: &RawQuality, property: &RawProperty, column: &Column, place: usize) -> Option<Test> {
        let Some(metric) = &raw.metric else {
            self.problem(&property.name, format!("a rule of `{}` names no `metric`", property.name.value));
            return None;
        };
        let known = ["invalidValues", "nullValues", "missingValues", "duplicateValues"];
        if metric.value == "rowCount" {
            self.advise(metric, "`rowCount` counts rows, not values of a column", "write it at the table");
            return None;
        }
        if !self.one_of(metric, "metric", &known) {
            return None;
        }
        let arguments = raw.arguments.as_ref().map(|arguments| &arguments.value);
        match metric.as_str() {
            "nullValues" => Some(Test::Missing { column: place, texts: Vec::new() }),
            "missingValues" => {
                let texts = arguments.map(|arguments| arguments.missing_values.as_slice()).unwrap_or_default();
                if texts.iter().any(Option::is_some) {
                    self.only_for_texts(metric, column.column_type);
                }
                Some(Test::Missing { column: place, texts: texts.iter().flatten().cloned().collect() })
            }
            "duplicateValues" => Some(Test::Repeated { columns: vec![place] }),
            _ => {
                self.only_for_texts(metric, column.column_type);
                let values = arguments.and_then(|arguments| arguments.valid_values.as_ref());
                let allowed: Option<Vec<String>> =
                    values.map(|values| values.iter().map(|value| value.value.clone()).collect());
                let pattern = arguments.and_then(|arguments| arguments.pattern.as_ref());
                if allowed.as_ref().is_none_or(Vec::is_empty) && pattern.is_none() {
                    self.advise(metric, "no allowed values", "arguments: {validValues: [a, b]}");
                    return None;
                }
                // The column's own limits reject these rows already.
                if is_list_of_allowed(raw) {
                    return None;
                }
                let pattern = self.pattern(pattern, column.column_type);
                Some(Test::Invalid { column: place, allowed, pattern })
            }
        }
    }

    fn table_test(&mut self, raw: &RawQuality, table: &RawTable) -> Option<Test> {
        let Some(metric) = &raw.metric else {
            self.problem(&table.name, format!("a rule of `{}` names no `metric`", table.name.value));
            return None;
        };
        match metric.as_str() {
            "rowCount" => Some(Test::Rows),
            "duplicateValues" => {
                let names = raw.arguments.as_ref().map(|arguments| arguments.properties.as_slice()).unwrap_or_default();
                if names.is_empty() {
                    self.advise(metric, "no columns to compare", "arguments: {properties: [a, b]}");
                    return None;
                }
                let mut columns = Vec::with_capacity(names.len());
                for name in names {
                    let place = table.properties.iter().position(|property| property.name.value == name.value);
                    if place.is_none() {
                        let known = table.properties.iter().map(|property| property.name.as_str());
                        let problem = self.source.problem(name, format!("there is no column `{}`", name.value));
                        self.problems.push(problem.suggest(name, known));
                    }
                    columns.extend(place);
                }
                (columns.len() == names.len()).then_some(Test::Repeated { columns })
            }
            "invalidValues" | "nullValues" | "missingValues" => {
                self.advise(metric, format!("`{}` is about one column", metric.value), "write it at the column");
                None
            }
            _ => {
                self.one_of(metric, "metric", &["rowCount", "duplicateValues"]);
                None
            }
        }
    }

    /// The condition of a query, which is what stands behind its `WHERE`.
    fn condition(&mut self, raw: &RawQuality, table: &RawTable, property: Option<&RawProperty>) -> Option<Test> {
        let name = property.map_or(&table.name, |property| &property.name);
        let Some(query) = &raw.query else {
            self.advise(name, format!("a rule of `{}` has no `query`", name.value), QUERY_HELP);
            return None;
        };
        if raw.name.is_none() {
            self.advise(query, "the rule has no `name`", "name: amount_without_decision");
        }
        if raw.description.as_ref().is_none_or(|description| description.trim().is_empty()) {
            let help = "say what is wrong and what to do: it is told to the people who keep the register";
            self.advise(query, "the rule has no `description`", help);
        }
        let counting = COUNTING.as_ref().ok().and_then(|counting| counting.captures(query));
        let from_table = |from: &str| ["{object}", "${object}", table.name.as_str()].contains(&from);
        let condition = counting.filter(|found| found.get(1).is_some_and(|from| from_table(from.as_str())));
        let Some(condition) = condition.and_then(|found| found.get(2)) else {
            self.advise(query, "the query does not count the events that are wrong", QUERY_HELP);
            return None;
        };
        let mut sql = condition.as_str().to_owned();
        if let Some(property) = property {
            sql = sql.replace("${property}", &property.name).replace("{property}", &property.name);
        }
        Some(Test::Condition { sql: query.with(sql) })
    }

    fn rule(&mut self, raw: &RawQuality, test: Test, at: &Spanned<()>) -> Option<Rule> {
        let limit = self.limit(raw, at)?;
        let is_warning = raw.severity.as_ref().is_some_and(|severity| {
            self.one_of(severity, "severity", &["error", "warning"]) && severity.value == "warning"
        });
        let in_percent = raw
            .unit
            .as_ref()
            .is_some_and(|unit| self.one_of(unit, "unit", &["rows", "percent"]) && unit.value == "percent");
        if let (true, Test::Rows, Some(unit)) = (in_percent, &test, &raw.unit) {
            self.problem(unit, "a number of rows is not a share of itself");
        }
        if let Some(name) = &raw.name {
            self.name(name);
        }
        let name = raw.name.as_ref().map_or_else(|| test.name().to_owned(), |name| name.value.clone());
        let severity = if is_warning { Severity::Warning } else { Severity::Error };
        let told = raw.description.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        let sentence = told.into_iter().find(|text| !text.is_empty());
        Some(Rule { name, test, limit, in_percent, severity, sentence })
    }

    fn limit(&mut self, raw: &RawQuality, at: &Spanned<()>) -> Option<Limit> {
        let number = |key: &Option<Spanned<f64>>| key.as_ref().map(|limit| limit.value);
        let mut pair = |key: &Option<Spanned<Vec<f64>>>| {
            let pair = key.as_ref()?;
            match pair.as_slice() {
                [least, most] if least < most => Some((*least, *most)),
                _ => {
                    self.advise(pair, "expected two numbers, the smaller one first", "e.g. [1, 1000]");
                    None
                }
            }
        };
        let between = pair(&raw.must_be_between);
        let outside = pair(&raw.must_not_be_between);
        let limits = [
            number(&raw.must_be).map(Limit::Is),
            number(&raw.must_not_be).map(Limit::IsNot),
            number(&raw.must_be_greater_than).map(Limit::Above),
            number(&raw.must_be_greater_or_equal_to).map(Limit::AtLeast),
            number(&raw.must_be_less_than).map(Limit::Below),
            number(&raw.must_be_less_or_equal_to).map(Limit::AtMost),
            between.map(|(least, most)| Limit::Between(least, most)),
            outside.map(|(least, most)| Limit::Outside(least, most)),
        ];
        if n_limits(raw) != 1 {
            let message = format!("expected exactly one limit, found {}", n_limits(raw));
            self.advise(at, message, "e.g. `mustBe: 0`, `mustBeLessThan: 5`");
            return None;
        }
        limits.into_iter().flatten().next()
    }
}

/// What sort of rule this is.
enum Kind {
    Library,
    Sql,
    Text,
}

impl Test {
    /// The name of a rule that has none of its own.
    fn name(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Invalid { .. } => "invalid",
            Self::Repeated { .. } => "unique",
            Self::Condition { .. } => "condition",
            Self::Rows => "row_count",
        }
    }
}

/// How many limits a rule has.
fn n_limits(raw: &RawQuality) -> usize {
    let numbers = [
        &raw.must_be,
        &raw.must_not_be,
        &raw.must_be_greater_than,
        &raw.must_be_greater_or_equal_to,
        &raw.must_be_less_than,
        &raw.must_be_less_or_equal_to,
    ];
    let pairs = [&raw.must_be_between, &raw.must_not_be_between];
    numbers.into_iter().filter(|key| key.is_some()).count() + pairs.into_iter().filter(|key| key.is_some()).count()
}

/// Allowed values that reject rows: they are a limit of the column itself, and need no rule.
pub(super) fn allowed(property: &RawProperty) -> Option<Vec<String>> {
    let lists = property.quality.iter().filter(|raw| is_list_of_allowed(raw));
    let mut lists = lists.filter_map(|raw| raw.arguments.as_ref()?.valid_values.as_ref());
    lists.next_back().map(|values| values.iter().map(|value| value.value.clone()).collect())
}

/// Whether a rule says nothing but which values are allowed, without exception.
fn is_list_of_allowed(raw: &RawQuality) -> bool {
    let has = |key: &Option<Spanned<String>>, value: &str| key.as_ref().is_some_and(|key| key.value == value);
    let arguments = raw.arguments.as_ref();
    has(&raw.metric, "invalidValues")
        && !has(&raw.severity, "warning")
        && raw.must_be.as_ref().is_none_or(|limit| limit.value == 0.0)
        && n_limits(raw) == usize::from(raw.must_be.is_some())
        && arguments.is_some_and(|arguments| {
            arguments.pattern.is_none() && arguments.valid_values.as_ref().is_some_and(|values| !values.is_empty())
        })
}
