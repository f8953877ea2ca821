//! SQL expressions inside declarations: read, typed and checked before any data is touched.
//!
//! An expression sees only the columns of its entity and the two names of the present, [`TODAY`] and [`MOMENT`];
//! a formula sees only measures. Nothing that differs from call to call is let in, so that a figure can be computed again.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, ScalarValue, SchemaError};
use datafusion::execution::context::SessionContext;
use datafusion::functions::core::expr_fn::nullif;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, Volatility, lit};
use datafusion::physical_expr::PhysicalExpr;

use crate::declarations::{Problem, Source, Spanned};

/// Name of the present date in an expression.
pub(super) const TODAY: &str = "today";
/// Name of the present moment in an expression.
pub(super) const MOMENT: &str = "moment";

/// What `today` and `moment` stand for in one query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Present {
    /// The date in the region's time zone.
    pub(super) today: NaiveDate,
    /// The moment.
    pub(super) moment: DateTime<Utc>,
}

/// An expression and its type.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) expr: Expr,
    pub(super) data_type: DataType,
}

/// Reads the expressions of one entity's declarations.
pub(super) struct Reader<'a> {
    context: &'a SessionContext,
    schema: SchemaRef,
}

impl<'a> Reader<'a> {
    /// Over the columns of an entity and the names of the present.
    pub(super) fn of_entity(context: &'a SessionContext, columns: &Schema) -> Self {
        let mut fields: Vec<Arc<Field>> = columns.fields().iter().cloned().collect();
        for (name, data_type) in
            [(TODAY, DataType::Date32), (MOMENT, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))]
        {
            if columns.field_with_name(name).is_err() {
                fields.push(Arc::new(Field::new(name, data_type, false)));
            }
        }
        Self { context, schema: Arc::new(Schema::new(fields)) }
    }

    /// Over measures, all of them floating.
    pub(super) fn of_measures<'m>(context: &'a SessionContext, names: impl Iterator<Item = &'m str>) -> Self {
        let fields: Vec<Field> = names.map(|name| Field::new(name, DataType::Float64, true)).collect();
        Self { context, schema: Arc::new(Schema::new(fields)) }
    }

    /// The expression at a place of a file.
    ///
    /// # Errors
    /// The problem at its place: it cannot be read, names an unknown column, does not fit in type, or is not constant.
    pub(super) fn read(&self, source: &Source, text: &Spanned<String>) -> Result<Typed, Problem> {
        let (expr, physical) = self.parse(source, text)?;
        let data_type = physical.data_type(&self.schema).map_err(|error| source.problem(text, sentence(&error)))?;
        Ok(Typed { expr, data_type })
    }

    /// A formula over measures, in which every division by zero gives null.
    ///
    /// # Errors
    /// As [`Self::read`]; and if the result is no number.
    pub(super) fn read_formula(
        &self,
        source: &Source,
        text: &Spanned<String>,
    ) -> Result<(Arc<dyn PhysicalExpr>, Vec<String>), Problem> {
        let (expr, _) = self.parse(source, text)?;
        let mut used: Vec<String> = expr.column_refs().into_iter().map(|column| column.name.clone()).collect();
        used.sort();
        let unreadable = |error: DataFusionError| source.problem(text, sentence(&error));
        let guarded = expr.transform_up(|part| Ok(guard_division(part))).data().map_err(unreadable)?;
        let physical = self.physical(guarded).map_err(unreadable)?;
        let data_type = physical.data_type(&self.schema).map_err(unreadable)?;
        if !data_type.is_numeric() {
            return Err(source.problem(text, format!("expected a number, found {}", type_name(&data_type))));
        }
        Ok((physical, used))
    }

    /// A condition over measures, in which every division by zero gives null; null is no.
    ///
    /// # Errors
    /// As [`Self::read`]; and if the result is no condition.
    pub(super) fn read_condition(
        &self,
        source: &Source,
        text: &Spanned<String>,
    ) -> Result<Arc<dyn PhysicalExpr>, Problem> {
        let (expr, _) = self.parse(source, text)?;
        let unreadable = |error: DataFusionError| source.problem(text, sentence(&error));
        let guarded = expr.transform_up(|part| Ok(guard_division(part))).data().map_err(unreadable)?;
        let physical = self.physical(guarded).map_err(unreadable)?;
        match physical.data_type(&self.schema).map_err(unreadable)? {
            DataType::Boolean => Ok(physical),
            other => Err(source.problem(text, format!("expected a condition, found {}", type_name(&other)))),
        }
    }

    fn parse(&self, source: &Source, text: &Spanned<String>) -> Result<(Expr, Arc<dyn PhysicalExpr>), Problem> {
        if text.trim().is_empty() {
            return Err(source.problem(text, "expected an SQL expression, found nothing"));
        }
        let problem = |error: DataFusionError| self.problem(source, text, &error);
        let schema = DFSchema::try_from(self.schema.as_ref().clone()).map_err(problem)?;
        let expr = self.context.parse_sql_expr(text, &schema).map_err(problem)?.unalias();
        if let Some(function) = changing_function(&expr) {
            return Err(source
                .problem(text, format!("`{function}` gives another value at every call"))
                .help(format!("the present is `{TODAY}` and `{MOMENT}`")));
        }
        let physical = self.physical(expr.clone()).map_err(problem)?;
        Ok((expr, physical))
    }

    fn physical(&self, expr: Expr) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
        let schema = DFSchema::try_from(self.schema.as_ref().clone())?;
        self.context.create_physical_expr(expr, &schema)
    }

    /// A column of the entity.
    ///
    /// # Errors
    /// A problem that suggests the nearest name.
    pub(super) fn column(&self, source: &Source, name: &Spanned<String>) -> Result<DataType, Problem> {
        self.schema
            .field_with_name(name)
            .map(|field| field.data_type().clone())
            .map_err(|_| source.problem(name, format!("unknown column `{}`", name.value)).suggest(name, self.names()))
    }

    /// A column of the entity as an expression.
    ///
    /// # Errors
    /// A problem that suggests the nearest name.
    pub(super) fn read_column(&self, source: &Source, name: &Spanned<String>) -> Result<Typed, Problem> {
        let data_type = self.column(source, name)?;
        Ok(Typed { expr: Expr::Column(Column::from_name(&name.value)), data_type })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.schema.fields().iter().map(|field| field.name().as_str())
    }

    /// The engine's error as a problem; an unknown name is underlined where it stands.
    fn problem(&self, source: &Source, text: &Spanned<String>, error: &DataFusionError) -> Problem {
        if let DataFusionError::SchemaError(schema_error, _) = error.find_root()
            && let SchemaError::FieldNotFound { field, .. } = schema_error.as_ref()
        {
            let mut place = text.with(());
            if let Some((line, column)) = find_word(source, text, &field.name) {
                (place.line, place.column, place.width) = (line, column, field.name.chars().count());
            }
            let what = if self.schema.field_with_name(MOMENT).is_ok() { "column" } else { "measure" };
            return source
                .problem(&place, format!("unknown {what} `{}`", field.name))
                .suggest(&field.name, self.names());
        }
        source.problem(text, sentence(error))
    }
}

/// The expression with the present in place of its names.
pub(super) fn at_present(expr: Expr, present: Present) -> Result<Expr, DataFusionError> {
    let epoch = DateTime::<Utc>::UNIX_EPOCH.date_naive();
    let days = i32::try_from((present.today - epoch).num_days()).unwrap_or_default();
    let today = ScalarValue::Date32(Some(days));
    let moment = ScalarValue::TimestampMicrosecond(Some(present.moment.timestamp_micros()), Some("UTC".into()));
    expr.transform_up(|part| {
        Ok(match &part {
            Expr::Column(column) if column.name == TODAY => Transformed::yes(lit(today.clone())),
            Expr::Column(column) if column.name == MOMENT => Transformed::yes(lit(moment.clone())),
            _ => Transformed::no(part),
        })
    })
    .data()
}

/// `a / b` as `a / nullif(b, 0)`.
pub(super) fn guard_division(expr: Expr) -> Transformed<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Divide | Operator::Modulo), right }) => {
            let right = Box::new(nullif(*right, lit(0.0)));
            Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
        }
        other => Transformed::no(other),
    }
}

/// The first function in an expression that is not the same at every call.
fn changing_function(expr: &Expr) -> Option<String> {
    let mut found = None;
    let visited = expr.apply(|part| {
        if let Expr::ScalarFunction(function) = part
            && function.func.signature().volatility != Volatility::Immutable
        {
            found = Some(function.func.name().to_owned());
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    visited.ok().and(found)
}

/// Line and column at which a word of an expression stands; an expression may go on over several lines.
fn find_word(source: &Source, text: &Spanned<String>, word: &str) -> Option<(usize, usize)> {
    let first = text.line.checked_sub(1)?;
    source.text.lines().enumerate().skip(first).find_map(|(number, line)| {
        let from = if number == first { text.column.saturating_sub(1) } else { 0 };
        find_in_line(line, from, word).map(|at| (number + 1, at + 1))
    })
}

/// Position in characters of a whole word in a line, at or after another position.
fn find_in_line(line: &str, from: usize, word: &str) -> Option<usize> {
    let line: Vec<char> = line.chars().collect();
    let word: Vec<char> = word.chars().collect();
    let is_part = |position: Option<usize>| {
        position.and_then(|position| line.get(position)).is_some_and(|c| c.is_alphanumeric() || *c == '_')
    };
    (from..line.len()).find(|start| {
        line[*start..].starts_with(&word) && !is_part(start.checked_sub(1)) && !is_part(Some(start + word.len()))
    })
}

/// The name of a type as a declaration would give it.
pub(super) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "a text".to_owned(),
        DataType::Boolean => "a condition".to_owned(),
        DataType::Date32 | DataType::Date64 => "a date".to_owned(),
        DataType::Timestamp(..) => "a moment".to_owned(),
        DataType::Null => "null".to_owned(),
        other if other.is_numeric() => "a number".to_owned(),
        other => format!("`{other}`"),
    }
}

/// What the engine says, as one line in lower case without its prefixes.
pub(super) fn sentence(error: &DataFusionError) -> String {
    let text = error.find_root().strip_backtrace();
    let mut text = text.lines().next().unwrap_or_default();
    for prefix in ["Error during planning: ", "SQL error: ", "Schema error: ", "This feature is not implemented: "] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    let text = text.strip_prefix("ParserError(\"").and_then(|rest| rest.strip_suffix("\")")).unwrap_or(text);
    let mut characters = text.trim_end_matches('.').chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => "cannot be read".to_owned(),
    }
}
