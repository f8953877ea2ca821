//! From an indicator as written to a checked one, with every problem at its place.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;

use super::declaration::{
    Direction, RawCoverage, RawIndicator, RawMeasure, RawPassport, RawPercentile, RawStock, RawValue, Thresholds,
};
use super::edition::edition;
use super::entity::Entity;
use super::expression::{Reader, Typed, type_name};
use super::indicator::{
    Additivity, CoverageRule, Formula, Indicator, LEVELS, Measure, Passport, REGISTERS, VALUE_TYPES, Way,
};
use crate::declarations::{Problem, Problems, Source, Spanned};
use crate::domain::figure::State;
use crate::domain::language::Text;
use crate::warehouse::reference::{CodeList, Reference};

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
        coverage: raw.coverage.map(|RawCoverage { indicator, of, only }| CoverageRule {
            indicator: indicator.value,
            of: of.value,
            only,
        }),
    })
}

fn note<T>(problems: &mut Problems, result: Result<T, Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

/// Checks what an indicator's values are called complete by, once all indicators are known.
pub(super) fn check_coverage<'a>(
    source: &Source,
    raw: &RawCoverage,
    find: impl Fn(&str) -> Option<&'a Indicator>,
    known: impl Iterator<Item = &'a str>,
) -> Result<(), Problem> {
    let Some(other) = find(&raw.indicator) else {
        let problem = source.problem(&raw.indicator, format!("unknown indicator `{}`", raw.indicator.value));
        return Err(problem.suggest(&raw.indicator, known));
    };
    if !other.measures.iter().any(|measure| measure.name == raw.of.value) {
        let problem = source.problem(&raw.of, format!("`{}` has no measure `{}`", other.id, raw.of.value));
        return Err(problem.suggest(&raw.of, other.measures.iter().map(Measure::name)));
    }
    match raw.only.keys().find(|name| other.entity().dimension(name).is_none()) {
        Some(name) => Err(source.problem(&raw.indicator, format!("`{}` has no dimension `{name}`", other.id))),
        None => Ok(()),
    }
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
        ("rationale", passport.rationale.as_ref()),
        ("numerator", passport.numerator.as_ref()),
        ("denominator", passport.denominator.as_ref()),
        ("base", passport.base.as_ref()),
        ("caveats", passport.caveats.as_ref()),
    ];
    let texts = texts.into_iter().chain(passport.changes.iter().map(|change| ("changes", Some(change))));
    for (name, text) in texts.filter_map(|(name, text)| text.map(|text| (name, text))) {
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
    let codes = [(LEVELS, &passport.level), (VALUE_TYPES, &passport.value_type), (REGISTERS, &passport.register)];
    for (list, code) in codes.into_iter().filter_map(|(list, code)| code.as_ref().map(|code| (list, code))) {
        let Some(known) = surroundings.reference.list(list).map(CodeList::codes) else { continue };
        if !known.contains(code) {
            let problem = source.problem(code, format!("the code list `{list}` has no `{}`", code.value));
            problems.push(problem.suggest(code, known.iter().map(String::as_str)));
        }
    }
    if let (Some(from), Some(to)) = (passport.valid_from, passport.valid_to)
        && to < from
    {
        problems.push(source.problem(id, format!("`valid_to` {to} is before `valid_from` {from}")));
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
        RawMeasure::Percentile(RawPercentile { column, expr, at, condition }) => {
            let raw = RawValue { column: column.clone(), expr: expr.clone(), condition: None };
            let value = number_of(&raw)?.expr;
            if !(0.0..=1.0).contains(&at.value) {
                return Err(source
                    .problem(at, format!("`at`: {} is not between 0 and 1", at.value))
                    .help("e.g. `at: 0.9` for the 90th percentile"));
            }
            (Way::Percentile { value, at: at.value }, condition)
        }
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
        rationale: raw.rationale.map(take),
        level: raw.level.map(|code| code.value),
        value_type: raw.value_type.map(|code| code.value),
        numerator: raw.numerator.map(take),
        denominator: raw.denominator.map(take),
        register: raw.register.map(|code| code.value),
        base: raw.base.map(take),
        caveats: raw.caveats.map(take),
        valid_from: raw.valid_from,
        valid_to: raw.valid_to,
        changes: raw.changes.into_iter().map(take).collect(),
    }
}
