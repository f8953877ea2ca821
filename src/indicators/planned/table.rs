//! The numbers of a plan: a CSV table as an office exports it, with `;` or `,` between the cells.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Cell, parse_period};
use crate::declarations::{Problem, Problems, Source};
use crate::indicators::entity::Dimension;
use crate::indicators::indicator::Indicator;
use crate::warehouse::reference::Reference;

/// Columns that every plan has; all others are dimensions.
const COLUMNS: [&str; 3] = ["indicator", "period", "value"];

/// Line, cell and number of each row.
type Rows = Vec<(usize, Cell, f64)>;

/// Reads the numbers of a plan.
pub(super) fn read(
    source: &Source,
    indicators: &IndexMap<String, Arc<Indicator>>,
    reference: &Reference,
) -> Result<Rows, Problems> {
    let text = source.text.trim_start_matches('\u{feff}');
    let delimiter = if text.lines().next().is_some_and(|line| line.contains(';')) { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).delimiter(delimiter).from_reader(text.as_bytes());
    let unreadable = |error: &csv::Error| -> Problems {
        let line = error.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(0));
        source.problem_at(line, 1, usize::MAX, format!("cannot be read as CSV: {error}")).into()
    };
    let header = reader.headers().map_err(|error| unreadable(&error))?.clone();
    let mut problems = Problems::new();
    for name in COLUMNS {
        if header.iter().filter(|column| *column == name).count() != 1 {
            let problem = source.problem_at(1, 1, usize::MAX, format!("expected one column `{name}`"));
            problems.push(problem.help("columns: `indicator`, `period`, `value`, and one per dimension"));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        let values: IndexMap<&str, &str> = header.iter().zip(&record).collect();
        match read_row(&values, indicators, reference) {
            Ok((cell, value)) => rows.push((line, cell, value)),
            Err((message, help)) => {
                let problem = source.problem_at(line, 1, usize::MAX, message);
                problems.push(Problem { help: help.or(problem.help.clone()), ..problem });
            }
        }
    }
    problems.into_result(rows)
}

/// The cell and number of a row, or what is wrong with it and what to do.
fn read_row(
    values: &IndexMap<&str, &str>,
    indicators: &IndexMap<String, Arc<Indicator>>,
    reference: &Reference,
) -> Result<(Cell, f64), (String, Option<String>)> {
    let of = |name: &str| values.get(name).copied().unwrap_or_default();
    let id = of("indicator");
    let nearest = |wrong: &str, known: &mut dyn Iterator<Item = &str>| {
        crate::indicators::error::nearest(wrong, known).map(|name| format!("did you mean `{name}`?"))
    };
    let Some(indicator) = indicators.get(id) else {
        let help = nearest(id, &mut indicators.keys().map(String::as_str));
        return Err((format!("unknown indicator `{id}`"), help));
    };
    let mut codes = BTreeMap::new();
    for (name, code) in values.iter().filter(|(name, code)| !COLUMNS.contains(*name) && !code.is_empty()) {
        let entity = indicator.entity();
        let Some(dimension) = entity.dimension(name) else {
            let help = nearest(name, &mut entity.dimensions().iter().map(Dimension::name));
            return Err((format!("`{id}` has no dimension `{name}`"), help));
        };
        if let Some(list) = dimension.list().and_then(|list| reference.list(list))
            && !list.contains(code)
        {
            let help = nearest(code, &mut list.codes().iter().map(String::as_str));
            return Err((format!("`{code}` is no value of `{name}`"), help));
        }
        codes.insert((*name).to_owned(), (*code).to_owned());
    }
    let period = parse_period(of("period")).map_err(|sentence| (sentence, None))?;
    let value = read_number(of("value")).ok_or_else(|| {
        let help = "a number such as `1250` or `36,6`; a cell without a plan is a row that is not there";
        (format!("`{}` is no number", of("value")), Some(help.to_owned()))
    })?;
    Ok((Cell { indicator: id.to_owned(), codes, period }, value))
}

/// A number as people type it: a point or a comma before the decimals, spaces between thousands.
fn read_number(text: &str) -> Option<f64> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| if c == ',' { '.' } else { c }).collect();
    let is_number = plain.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '\u{2212}'));
    plain.replace('\u{2212}', "-").parse().ok().filter(|number: &f64| is_number && number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_people_type_them() {
        for (text, number) in [("36,6", 36.6), ("1\u{a0}250", 1250.0), ("\u{2212}3.5", -3.5), ("0", 0.0)] {
            assert_eq!(read_number(text), Some(number), "{text}");
        }
        for text in ["", "нет", "1e5", "inf", "1,2,3", "12 %"] {
            assert_eq!(read_number(text), None, "{text}");
        }
    }
}
