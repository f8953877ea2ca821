//! A table as comma-separated text, in a flavour for people and one for programs.

use std::borrow::Cow;

use crate::domain::figure::{Figure, State};
use crate::domain::language::Lang;
use crate::domain::number::format_date;
use crate::domain::period::Grain;
use crate::domain::table::{Cell, ColumnKind, Table, TableColumn, state_mark};

/// Who is going to read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsvFlavour {
    /// A person with a spreadsheet: byte order mark, semicolons, titles as heads, numbers rounded as on the page with
    /// the decimal sign of the language, a mark in place of an absent value.
    Human(Lang),
    /// A program: RFC 4180 without a byte order mark, names as heads, full precision, ISO dates, an absent value empty.
    Machine,
}

/// The table in one flavour, as UTF-8 with CR LF.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe in front, in both flavours; numbers are left
/// alone, so `-5` stays a number.
///
/// ```
/// use svod::domain::figure::Figure;
/// use svod::domain::table::{Table, TableColumn};
/// use svod::reports::{CsvFlavour, write_csv};
///
/// let table = Table {
///     columns: vec![TableColumn::text("code", "Код"), TableColumn::number("rate", "Доля", 1, "%")],
///     rows: vec![vec!["036701000".into(), Figure::new(79.126).into()]],
///     ..Table::default()
/// };
/// assert_eq!(write_csv(&table, CsvFlavour::Machine), "code,rate\r\n036701000,79.126\r\n");
/// ```
#[must_use]
pub fn write_csv(table: &Table, flavour: CsvFlavour) -> String {
    let separator = if flavour == CsvFlavour::Machine { ',' } else { ';' };
    let mut text = String::new();
    if flavour != CsvFlavour::Machine {
        text.push('\u{FEFF}');
    }
    let heads = table.columns.iter().map(|column| match flavour {
        CsvFlavour::Human(_) => column.heading(),
        CsvFlavour::Machine => column.name.clone(),
    });
    push_record(&mut text, heads.map(|head| guard(&head).into_owned()), separator);
    for row in &table.rows {
        let cells = row.iter().zip(&table.columns).map(|(cell, column)| field(cell, column, flavour));
        push_record(&mut text, cells, separator);
    }
    text
}

/// One cell, not yet quoted.
fn field(cell: &Cell, column: &TableColumn, flavour: CsvFlavour) -> String {
    match (cell, flavour) {
        (Cell::Empty, _) => String::new(),
        (Cell::Text(text), _) => guard(text).into_owned(),
        (Cell::Figure(figure), CsvFlavour::Human(lang)) => human_number(*figure, column, lang),
        (Cell::Figure(figure), CsvFlavour::Machine) => figure.value.map(|value| value.to_string()).unwrap_or_default(),
        (Cell::Date(date), CsvFlavour::Machine) if column.kind == ColumnKind::Month => date.format("%Y-%m").to_string(),
        (Cell::Date(date), CsvFlavour::Machine) => date.to_string(),
        (Cell::Date(date), CsvFlavour::Human(lang)) if column.kind == ColumnKind::Month => {
            Grain::Month.label(*date, lang)
        }
        (Cell::Date(date), CsvFlavour::Human(_)) => format_date(*date),
    }
}

/// A number that a spreadsheet of the language reads as a number: no thousands, ASCII minus.
fn human_number(figure: Figure, column: &TableColumn, lang: Lang) -> String {
    let decimals = if let ColumnKind::Number { decimals, .. } = column.kind { decimals } else { 0 };
    let Some(value) = figure.value else {
        let mark = state_mark(figure.state, lang);
        return if figure.state == State::NotDue { String::new() } else { mark.to_owned() };
    };
    let text = format!("{value:.decimals$}");
    let is_negative_zero = text.starts_with('-') && text.chars().all(|sign| matches!(sign, '-' | '0' | '.'));
    let text = if is_negative_zero { text.trim_start_matches('-').to_owned() } else { text };
    if lang == Lang::Ru { text.replace('.', ",") } else { text }
}

/// The text, with an apostrophe if a spreadsheet would take it for a formula.
fn guard(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// One line of fields, quoted where RFC 4180 asks for it.
fn push_record(text: &mut String, fields: impl Iterator<Item = String>, separator: char) {
    for (position, field) in fields.enumerate() {
        if position > 0 {
            text.push(separator);
        }
        if field.contains([separator, '"', '\r', '\n']) || field.starts_with(' ') || field.ends_with(' ') {
            text.push('"');
            text.push_str(&field.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&field);
        }
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            columns: vec![
                TableColumn::text("code", "Код"),
                TableColumn::text("name", "Название"),
                TableColumn::month("month", "Месяц"),
                TableColumn::number("rate", "Доля", 1, "%"),
            ],
            rows: vec![
                vec![
                    "036701000".into(),
                    "Самара; \"центр\"".into(),
                    Cell::Date("2024-03-01".parse().unwrap()),
                    Figure::new(-1234.56).into(),
                ],
                vec!["-5".into(), "=SUM(A1)".into(), Cell::Empty, Figure::without(State::Suppressed).into()],
                vec!["@x".into(), "+7".into(), Cell::Empty, Figure::new(-0.04).into()],
            ],
            ..Table::default()
        }
    }

    #[test]
    fn people_get_what_their_spreadsheet_reads() {
        assert_eq!(
            write_csv(&table(), CsvFlavour::Human(Lang::Ru)),
            "\u{FEFF}Код;Название;Месяц;Доля, %\r\n\
             036701000;\"Самара; \"\"центр\"\"\";март 2024;-1234,6\r\n\
             '-5;'=SUM(A1);;••\r\n\
             '@x;'+7;;0,0\r\n"
        );
    }

    #[test]
    fn programs_get_plain_rfc_4180() {
        assert_eq!(
            write_csv(&table(), CsvFlavour::Machine),
            "code,name,month,rate\r\n\
             036701000,\"Самара; \"\"центр\"\"\",2024-03,-1234.56\r\n\
             '-5,'=SUM(A1),,\r\n\
             '@x,'+7,,-0.04\r\n"
        );
    }

    #[test]
    fn english_people_get_a_decimal_point() {
        let text = write_csv(&table(), CsvFlavour::Human(Lang::En));
        assert!(text.contains("March 2024;-1234.6\r\n"), "{text}");
    }
}
