//! From an indicator as written to a checked one, with every problem at its place.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;

use super::declaration::{Direction, RawIndicator, RawMeasure, RawPassport, RawStock, RawValue, Thresholds};
use super::edition::edition;
use super::entity::Entity;
use super::expression::{Reader, Typed, type_name};
use super::indicator::{Additivity, Formula, Indicator, Measure, Passport, Way};
use crate::declarations::{Problem, Problems, Source, Spanned};
use crate::domain::figure::State;
use crate::domain::language::Text;
use crate::warehouse::reference::Reference;

/// Code list of units.
const UNITS: &str = "okei";

/// What a declaration is checked against.
pub(super) struct Surroundings<'a> {
    pub(super) context: &'a SessionContext,
    pub(super) entities: &'a [Arc<Entity>],
    pub(super) reference: &'a Reference,
}

/// Checks one declaration.
///
/// # Errors
/// Every problem of it.
pub(super) fn check(
    source: &Source,
    raw: RawIndicator,
    surroundings: &Surroundings<'_>,
) -> Result<Indicator, Problems> {
    let mut problems = Problems::new();
    check_head(source, &raw, surroundings, &mut problems);
    let Some(entity) = surroundings.entities.iter().find(|entity| entity.name == raw.entity.value) else {
        let names = surroundings.entities.iter().map(|entity| entity.name.as_str());
        let problem = source.problem(&raw.entity, format!("unknown entity `{}`", raw.entity.value));
        problems.push(problem.suggest(&raw.entity, names));
        return Err(problems);
    };
    let reader = Reader::of_entity(surroundings.context, entity.columns());
    note(&mut problems, date_column(&reader, source, &raw.time));
    for required in &raw.requires {
        if entity.dimension(required).is_none() {
            let problem = source.problem(required, format!("`{}` has no dimension `{}`", entity.name, required.value));
            problems.push(problem.suggest(required, entity.dimensions().iter().map(|one| one.name.as_str())));
        }
    }
    let condition = note(&mut problems, check_condition(&reader, source, raw.condition.as_ref())).flatten();
    let mut measures = Vec::with_capacity(raw.measures.len());
    for (name, measure) in &raw.measures {
        measures.extend(note(&mut problems, check_measure(&reader, source, name, measure)));
    }
    if measures.len() < raw.measures.len() {
        return Err(problems);
    }
    let formula = check_formula(source, &raw, surroundings.context, &mut problems);
    let states = check_states(source, &raw, surroundings.context, &mut problems);
    let additivity = match formula.as_ref().map(|formula| formula.uses.as_slice()) {
        None => measures.first().map_or(Additivity::Flow, Measure::additivity),
        Some([one]) => measures[*one].additivity(),
        Some(_) => Additivity::Ratio,
    };
    problems.into_result(Indicator {
        id: raw.indicator.value,
        edition: edition(source),
        title: raw.title.value,
        description: raw.description.value,
        entity: Arc::clone(entity),
        time: raw.time.value,
        condition,
        measures,
        formula,
        states,
        additivity,
        unit: raw.unit.value,
        decimals: raw.decimals.value,
        direction: raw.direction,
        requires: raw.requires.into_iter().map(|required| required.value).collect(),
        passport: passport(raw.passport),
        thresholds: raw.thresholds.map(|thresholds| thresholds.value),
    })
}

fn note<T>(problems: &mut Problems, result: Result<T, Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

/// Everything that does not depend on the entity.
fn check_head(source: &Source, raw: &RawIndicator, surroundings: &Surroundings<'_>, problems: &mut Problems) {
    let id = &raw.indicator;
    if source.path.file_stem().is_none_or(|stem| stem.to_string_lossy() != id.value) {
        let problem = source.problem(id, format!("the indicator `{}` is not named as its file", id.value));
        problems.push(problem.help(format!("the file should be `{}.yaml`", id.value)));
    }
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        let problem = source.problem(id, format!("`{}` is no identifier", id.value));
        problems.push(problem.help("lower-case letters, digits and `_`, e.g. `support_rate`"));
    }
    let passport = &raw.passport;
    let texts = [
        ("title", Some(&raw.title)),
        ("description", Some(&raw.description)),
        ("method", Some(&passport.method)),
        ("source", Some(&passport.source)),
        ("owner", Some(&passport.owner)),
        ("periodicity", Some(&passport.periodicity)),
        ("act", passport.act.as_ref()),
    ];
    for (name, text) in texts.into_iter().filter_map(|(name, text)| text.map(|text| (name, text))) {
        for (lang, value) in [("ru", &text.ru), ("en", &text.en)] {
            if value.trim().is_empty() {
                problems.push(source.problem(text, format!("`{name}`: `{lang}` is empty")));
            }
        }
    }
    if let Some(units) = surroundings.reference.list(UNITS)
        && !units.contains(&raw.unit)
    {
        let problem = source.problem(&raw.unit, format!("unknown unit `{}`", raw.unit.value));
        problems.push(problem.help(format!("a code of `warehouse/reference/{UNITS}.csv`, e.g. \"744\" for percent")));
    }
    if raw.decimals.value > 6 {
        problems.push(source.problem(&raw.decimals, format!("`decimals`: {} is more than 6", raw.decimals.value)));
    }
    if let Some(problem) = raw.thresholds.as_ref().and_then(|at| check_thresholds(source, at, raw.direction)) {
        problems.push(problem);
    }
}

fn check_thresholds(source: &Source, at: &Spanned<Thresholds>, direction: Direction) -> Option<Problem> {
    match direction {
        Direction::None => Some(
            source.problem(at, "`thresholds` without a direction").help("say `direction: up` or `direction: down`"),
        ),
        Direction::Up if at.good < at.bad => {
            Some(source.problem(at, "`good` is less than `bad`, though the direction is up"))
        }
        Direction::Down if at.good > at.bad => {
            Some(source.problem(at, "`good` is more than `bad`, though the direction is down"))
        }
        _ => None,
    }
}

/// A condition over the rows of the entity.
fn check_condition(
    reader: &Reader<'_>,
    source: &Source,
    condition: Option<&Spanned<String>>,
) -> Result<Option<Expr>, Problem> {
    let Some(text) = condition else { return Ok(None) };
    let typed = reader.read(source, text)?;
    match typed.data_type {
        DataType::Boolean => Ok(Some(typed.expr)),
        other => Err(source.problem(text, format!("expected a condition, found {}", type_name(&other)))),
    }
}

fn check_measure(
    reader: &Reader<'_>,
    source: &Source,
    name: &str,
    raw: &Spanned<RawMeasure>,
) -> Result<Measure, Problem> {
    let value_of = |value: &RawValue| value_of(reader, source, raw, value);
    let number_of = |value: &RawValue| {
        let (at, typed) = value_of(value)?;
        if typed.data_type.is_numeric() {
            Ok(typed)
        } else {
            Err(source.problem(&at, format!("expected a number, found {}", type_name(&typed.data_type))))
        }
    };
    let (way, condition) = match &raw.value {
        RawMeasure::Count(count) => (Way::Count, &count.condition),
        RawMeasure::Sum(value) => {
            let typed = number_of(value)?;
            (Way::Sum { is_whole: typed.data_type.is_integer(), value: typed.expr }, &value.condition)
        }
        RawMeasure::Mean(value) => {
            let typed = number_of(value)?;
            (Way::Mean { is_whole: typed.data_type.is_integer(), value: typed.expr }, &value.condition)
        }
        RawMeasure::Distinct(value) => (Way::Distinct(value_of(value)?.1.expr), &value.condition),
        RawMeasure::Median(value) => (Way::Median(number_of(value)?.expr), &value.condition),
        RawMeasure::Min(value) => (Way::Min(number_of(value)?.expr), &value.condition),
        RawMeasure::Max(value) => (Way::Max(number_of(value)?.expr), &value.condition),
        RawMeasure::Last(value) => (Way::Last(number_of(value)?.expr), &value.condition),
        RawMeasure::Stock(RawStock { from, until, condition }) => {
            date_column(reader, source, from)?;
            date_column(reader, source, until)?;
            (Way::Stock { from: from.value.clone(), until: until.value.clone() }, condition)
        }
    };
    Ok(Measure { name: name.to_owned(), way, condition: check_condition(reader, source, condition.as_ref())? })
}

/// The value of a measure and the place where it is written.
fn value_of(
    reader: &Reader<'_>,
    source: &Source,
    measure: &Spanned<RawMeasure>,
    value: &RawValue,
) -> Result<(Spanned<()>, Typed), Problem> {
    match (&value.column, &value.expr) {
        (Some(column), None) => Ok((column.with(()), reader.read_column(source, column)?)),
        (None, Some(expr)) => Ok((expr.with(()), reader.read(source, expr)?)),
        (None, None) => Err(source.problem(measure, "expected `column` or `expr`, found neither")),
        (Some(_), Some(expr)) => Err(source.problem(expr, "expected either `column` or `expr`, found both")),
    }
}

fn date_column(reader: &Reader<'_>, source: &Source, name: &Spanned<String>) -> Result<(), Problem> {
    match reader.column(source, name)? {
        DataType::Date32 => Ok(()),
        other => Err(source
            .problem(name, format!("expected a column of dates, found {}", type_name(&other)))
            .help("a moment becomes a local date in the model")),
    }
}

fn check_formula(
    source: &Source,
    raw: &RawIndicator,
    context: &SessionContext,
    problems: &mut Problems,
) -> Option<Formula> {
    let Some(text) = &raw.formula else {
        if raw.measures.is_empty() {
            problems.push(source.problem_of_file("`measures` is empty"));
        } else if raw.measures.len() > 1 {
            let second = &raw.measures[1];
            problems.push(source.problem(second, "several measures and no `formula`").help(format!(
                "say which is the value, e.g. `formula: \"{}\"`",
                raw.measures.keys().next().map_or("", String::as_str)
            )));
        }
        return None;
    };
    let reader = Reader::of_measures(context, raw.measures.keys().map(String::as_str));
    let (expr, names) = note(problems, reader.read_formula(source, text))?;
    if names.is_empty() {
        problems.push(source.problem(text, "the formula uses no measure"));
    }
    let uses = raw.measures.keys().enumerate().filter(|(_, name)| names.contains(name)).map(|(at, _)| at).collect();
    Some(Formula { text: text.value.clone(), expr, uses })
}

/// The states with their conditions, in the order in which they are asked.
fn check_states(
    source: &Source,
    raw: &RawIndicator,
    context: &SessionContext,
    problems: &mut Problems,
) -> Vec<(State, Arc<dyn PhysicalExpr>)> {
    let reader = Reader::of_measures(context, raw.measures.keys().map(String::as_str));
    let declared = [(State::NotDue, &raw.states.not_due), (State::NotReported, &raw.states.not_reported)];
    let declared = declared.into_iter().filter_map(|(state, condition)| condition.as_ref().map(|text| (state, text)));
    declared
        .filter_map(|(state, text)| note(problems, reader.read_condition(source, text)).map(|expr| (state, expr)))
        .collect()
}

fn passport(raw: RawPassport) -> Passport {
    let take = |text: Spanned<Text>| text.value;
    Passport {
        method: take(raw.method),
        source: take(raw.source),
        owner: take(raw.owner),
        periodicity: take(raw.periodicity),
        act: raw.act.map(take),
    }
}
