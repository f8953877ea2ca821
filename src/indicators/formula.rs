//! What a formula is made of: a sum of measures that add up, or the ratio of two such sums.

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, Operator};

use super::error::QueryError;
use super::indicator::{Additivity, Formula, Indicator, Measure, Way};

/// A sum of measures, each times a number, in the order of the measures.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear(Vec<f64>);

impl Linear {
    /// One measure alone.
    fn only(at: usize, n_measures: usize) -> Self {
        Self((0..n_measures).map(|other| f64::from(u8::from(other == at))).collect())
    }

    /// The sum over the measures of a row; none if one that it needs is not known.
    pub(super) fn of(&self, measures: &[Option<f64>]) -> Option<f64> {
        let used = self.0.iter().zip(measures).filter(|(times, _)| **times != 0.0);
        used.map(|(times, measure)| measure.map(|measure| times * measure)).sum()
    }

    fn plus(self, other: &Self, sign: f64) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one + sign * other).collect())
    }

    fn times(self, number: f64) -> Self {
        Self(self.0.into_iter().map(|one| one * number).collect())
    }
}

/// How a figure follows from measures that add up.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// It is their sum.
    Sum(Linear),
    /// It is the ratio of two sums.
    Ratio {
        /// Above the line.
        top: Linear,
        /// Below the line.
        bottom: Linear,
    },
}

/// The shape of an indicator; for a mean also the indicator whose two measures are the sum and the count behind it.
///
/// # Errors
/// [`QueryError::NotSplittable`] if the figure does not follow from sums.
pub(super) fn shape_of(
    context: &SessionContext,
    indicator: &Indicator,
) -> Result<(Shape, Option<Indicator>), QueryError> {
    let n_measures = indicator.measures.len();
    let refused =
        |reason: &str| QueryError::NotSplittable { indicator: indicator.id.clone(), reason: reason.to_owned() };
    let shape = match &indicator.formula {
        None => Shape::Sum(Linear::only(0, n_measures)),
        Some(formula) => {
            let not_linear = || refused("its formula is neither a sum of measures nor the ratio of two sums");
            parse(context, indicator, formula).and_then(|expr| read_shape(&expr, indicator)).ok_or_else(not_linear)?
        }
    };
    let used: Vec<&Measure> = match &indicator.formula {
        None => indicator.measures.iter().take(1).collect(),
        Some(formula) => formula.uses.iter().filter_map(|at| indicator.measures.get(*at)).collect(),
    };
    if let ([Measure { way: Way::Mean { value, is_whole }, condition, .. }], Shape::Sum(_)) = (used.as_slice(), &shape)
    {
        let is_known = value.clone().is_not_null();
        let counted = condition.clone().map_or_else(|| is_known.clone(), |condition| condition.and(is_known.clone()));
        let measure = |name: &str, way, condition| Measure { name: name.to_owned(), way, condition };
        let measures = vec![
            measure("sum", Way::Sum { value: value.clone(), is_whole: *is_whole }, condition.clone()),
            measure("count", Way::Count, Some(counted)),
        ];
        let times = match shape {
            Shape::Sum(sum) => sum.0.iter().copied().find(|times| *times != 0.0).unwrap_or(1.0),
            Shape::Ratio { .. } => 1.0,
        };
        let shape = Shape::Ratio { top: Linear(vec![times, 0.0]), bottom: Linear(vec![0.0, 1.0]) };
        // The ratio itself, so that a group's own figure and the figure of the whole are those of the indicator.
        let formula = fraction(context, times);
        let derived = Indicator { measures, formula, states: Vec::new(), ..indicator.clone() };
        return Ok((shape, Some(derived)));
    }
    for measure in used {
        let reason = match measure.additivity() {
            Additivity::Flow | Additivity::Stock | Additivity::Distinct => continue,
            Additivity::Last => "the last value of a group adds up with no other",
            Additivity::Average => "it mixes a mean or a median with other measures, or is a median",
            Additivity::Extreme | Additivity::Ratio => "the least or greatest value of a group adds up with no other",
        };
        return Err(refused(reason));
    }
    Ok((shape, None))
}

/// `sum * times / count` over the measures of a mean.
fn fraction(context: &SessionContext, times: f64) -> Option<Formula> {
    let text = format!("\"sum\" * {times:?} / nullif(\"count\", 0.0)");
    let fields = ["sum", "count"].map(|name| Field::new(name, DataType::Float64, true));
    let schema = DFSchema::try_from(Schema::new(fields.to_vec())).ok()?;
    let expr = context.parse_sql_expr(&text, &schema).ok()?;
    Some(Formula { expr: context.create_physical_expr(expr, &schema).ok()?, text, uses: vec![0, 1] })
}

fn parse(context: &SessionContext, indicator: &Indicator, formula: &Formula) -> Option<Expr> {
    let fields: Vec<Field> =
        indicator.measures.iter().map(|measure| Field::new(measure.name(), DataType::Float64, true)).collect();
    let schema = DFSchema::try_from(Schema::new(fields)).ok()?;
    context.parse_sql_expr(&formula.text, &schema).ok().map(Expr::unalias)
}

fn read_shape(expr: &Expr, indicator: &Indicator) -> Option<Shape> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Divide, right }) if number(right).is_none() => {
            Some(Shape::Ratio { top: read_linear(left, indicator)?, bottom: read_linear(right, indicator)? })
        }
        // A ratio times a number is a ratio.
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Multiply, right }) => {
            let (inner, times) = match (number(left), number(right)) {
                (Some(times), None) => (right, times),
                (None, Some(times)) => (left, times),
                _ => return None,
            };
            Some(match read_shape(inner, indicator)? {
                Shape::Sum(sum) => Shape::Sum(sum.times(times)),
                Shape::Ratio { top, bottom } => Shape::Ratio { top: top.times(times), bottom },
            })
        }
        other => read_linear(other, indicator).map(Shape::Sum),
    }
}

fn read_linear(expr: &Expr, indicator: &Indicator) -> Option<Linear> {
    let read = |expr| read_linear(expr, indicator);
    match expr {
        Expr::Column(column) => {
            let at = indicator.measures.iter().position(|measure| measure.name() == column.name)?;
            Some(Linear::only(at, indicator.measures.len()))
        }
        Expr::Negative(inner) => Some(read(inner)?.times(-1.0)),
        Expr::Cast(Cast { expr, .. }) => read(expr),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Plus => Some(read(left)?.plus(&read(right)?, 1.0)),
            Operator::Minus => Some(read(left)?.plus(&read(right)?, -1.0)),
            Operator::Multiply => match (number(left), number(right)) {
                (Some(times), _) => Some(read(right)?.times(times)),
                (None, Some(times)) => Some(read(left)?.times(times)),
                (None, None) => None,
            },
            Operator::Divide => number(right).filter(|by| *by != 0.0).and_then(|by| Some(read(left)?.times(1.0 / by))),
            _ => None,
        },
        _ => None,
    }
}

/// A number that stands in a formula.
fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Literal(value, _) => match value.cast_to(&DataType::Float64).ok()? {
            ScalarValue::Float64(number) => number,
            _ => None,
        },
        Expr::Negative(inner) => number(inner).map(|number| -number),
        _ => None,
    }
}
