//! A table of figures with typed columns: what a page, a CSV file and a workbook show alike.
//!
//! Knows nothing of where the figures come from nor of any file format.

use chrono::NaiveDate;

use super::figure::{Figure, State};
use super::language::Lang;
use super::number::{format_date, format_number};
use super::period::Grain;

/// What the cells of a column hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnKind {
    /// Words and codes; a code keeps its leading zeros.
    Text,
    /// Numbers of one unit, all with the same count of decimals.
    Number {
        /// Digits after the decimal comma.
        decimals: usize,
        /// Symbol of the unit, `%` or `шт.`; empty where the figures have none.
        unit: String,
    },
    /// Days.
    Date,
    /// Months, each given by its first day.
    Month,
}

/// The head of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// The name for programs, for instance `municipality_code`.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// What the cells hold.
    pub kind: ColumnKind,
}

impl TableColumn {
    /// A column of words or codes.
    pub fn text(name: impl Into<String>, title: impl Into<String>) -> Self {
        Self { name: name.into(), title: title.into(), kind: ColumnKind::Text }
    }

    /// A column of numbers.
    pub fn number(name: impl Into<String>, title: impl Into<String>, decimals: usize, unit: impl Into<String>) -> Self {
        Self { name: name.into(), title: title.into(), kind: ColumnKind::Number { decimals, unit: unit.into() } }
    }

    /// A column of days.
    pub fn date(name: impl Into<String>, title: impl Into<String>) -> Self {
        Self { name: name.into(), title: title.into(), kind: ColumnKind::Date }
    }

    /// A column of months.
    pub fn month(name: impl Into<String>, title: impl Into<String>) -> Self {
        Self { name: name.into(), title: title.into(), kind: ColumnKind::Month }
    }

    /// Whether the cells are numbers, which stand to the right.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self.kind, ColumnKind::Number { .. })
    }

    /// The title with the unit: `Доля оказанных, %`.
    #[must_use]
    pub fn heading(&self) -> String {
        match &self.kind {
            ColumnKind::Number { unit, .. } if !unit.is_empty() && !self.title.ends_with(unit.as_str()) => {
                format!("{}, {unit}", self.title)
            }
            _ => self.title.clone(),
        }
    }
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing was ever meant to stand here.
    Empty,
    /// A word or a code.
    Text(String),
    /// A number, or the reason why there is none.
    Figure(Figure),
    /// A day, or the first day of a month.
    Date(NaiveDate),
}

impl Cell {
    /// The cell of `column` as people read it on a page.
    #[must_use]
    pub fn display(&self, column: &TableColumn, lang: Lang) -> String {
        match (self, &column.kind) {
            (Self::Empty, _) => String::new(),
            (Self::Text(text), _) => text.clone(),
            (Self::Date(date), ColumnKind::Month) => Grain::Month.label(*date, lang),
            (Self::Date(date), _) => format_date(*date),
            (Self::Figure(figure), kind) => {
                let decimals = if let ColumnKind::Number { decimals, .. } = kind { *decimals } else { 0 };
                display_figure(*figure, decimals, lang)
            }
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Figure> for Cell {
    fn from(figure: Figure) -> Self {
        Self::Figure(figure)
    }
}

impl From<NaiveDate> for Cell {
    fn from(date: NaiveDate) -> Self {
        Self::Date(date)
    }
}

/// Typed columns and rows of as many cells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// What the table is about.
    pub title: String,
    /// One line: what, unit, cut, period.
    pub subtitle: String,
    /// The heads, left to right.
    pub columns: Vec<TableColumn>,
    /// The rows, top to bottom.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Every row as texts for people.
    pub fn displayed_rows(&self, lang: Lang) -> impl Iterator<Item = Vec<String>> {
        let display = move |row: &Vec<Cell>| {
            row.iter().zip(&self.columns).map(|(cell, column)| cell.display(column, lang)).collect()
        };
        self.rows.iter().map(display)
    }

    /// States other than a plain value that occur in the table, each once, for its legend.
    #[must_use]
    pub fn states(&self) -> Vec<State> {
        let cells = || self.rows.iter().flatten();
        STATES
            .into_iter()
            .filter(|state| cells().any(|cell| matches!(cell, Cell::Figure(figure) if figure.state == *state)))
            .collect()
    }
}

const STATES: [State; 5] = [State::Provisional, State::Missing, State::Suppressed, State::NotDue, State::NotReported];

/// A figure as people read it: a number, or the mark of its state, never zero for an absent value.
#[must_use]
pub fn display_figure(figure: Figure, decimals: usize, lang: Lang) -> String {
    match figure.value {
        Some(value) if figure.state == State::Provisional => {
            format!("{}{}", format_number(value, decimals, lang), state_mark(figure.state, lang))
        }
        Some(value) => format_number(value, decimals, lang),
        None => state_mark(figure.state, lang).to_owned(),
    }
}

/// What stands in place of an absent value, or after a provisional one; not due leaves the cell empty.
#[must_use]
pub fn state_mark(state: State, lang: Lang) -> &'static str {
    match state {
        State::Value | State::NotDue => "",
        State::Provisional => "*",
        State::Missing => "–",
        State::Suppressed => "••",
        State::NotReported => lang.pick("нет отчёта", "not reported"),
    }
}

/// The sentence that explains a mark in a legend.
#[must_use]
pub fn state_meaning(state: State, lang: Lang) -> &'static str {
    match state {
        State::Value => lang.pick("значение", "value"),
        State::Provisional => {
            lang.pick("* – предварительно, может измениться", "* – provisional, later data may change it")
        }
        State::Missing => lang.pick("– – нет данных, это не ноль", "– – no data, which is not zero"),
        State::Suppressed => lang.pick("•• – скрыто для защиты личных данных", "•• – hidden to protect personal data"),
        State::NotDue => lang.pick("пусто – срок ещё не наступил", "empty – not due yet"),
        State::NotReported => lang.pick(
            "нет отчёта – значение ожидалось, но не прислано",
            "not reported – a value was expected and not sent",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_value_never_reads_as_zero() {
        let column = TableColumn::number("rate", "Доля", 1, "%");
        let text = |figure: Figure| Cell::from(figure).display(&column, Lang::Ru);
        assert_eq!(text(Figure::new(0.0)), "0,0");
        assert_eq!(text(Figure::new(-1234.56)), "\u{2212}1\u{202F}234,6");
        assert_eq!(text(Figure::without(State::Missing)), "–");
        assert_eq!(text(Figure::without(State::Suppressed)), "••");
        assert_eq!(text(Figure::without(State::NotDue)), "");
        assert_eq!(text(Figure::without(State::NotReported)), "нет отчёта");
        assert_eq!(text(Figure { value: Some(5.0), state: State::Provisional }), "5,0*");
    }

    #[test]
    fn a_heading_names_the_unit_once() {
        assert_eq!(TableColumn::number("rate", "Доля", 1, "%").heading(), "Доля, %");
        assert_eq!(TableColumn::number("rate", "Доля, %", 1, "%").heading(), "Доля, %");
        assert_eq!(TableColumn::text("code", "Код").heading(), "Код");
    }

    #[test]
    fn months_and_days_read_differently() {
        let day: NaiveDate = "2024-04-01".parse().unwrap();
        assert_eq!(Cell::from(day).display(&TableColumn::month("month", "Месяц"), Lang::Ru), "апрель 2024");
        assert_eq!(Cell::from(day).display(&TableColumn::date("day", "День"), Lang::Ru), "01.04.2024");
    }
}
