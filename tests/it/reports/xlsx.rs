use std::io::Cursor;

use calamine::{Data, DataType, Range, Reader, Xlsx};
use chrono::{DateTime, NaiveDate, Utc};
use svod::domain::figure::{Figure, State};
use svod::domain::language::Lang;
use svod::domain::table::{Cell, Table, TableColumn};
use svod::reports::{Sheet, Workbook, write_workbook};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn table() -> Table {
    let figures = [
        Figure::new(79.126),
        Figure::without(State::Suppressed),
        Figure::without(State::Missing),
        Figure::without(State::NotReported),
        Figure::without(State::NotDue),
        Figure { value: Some(-5.0), state: State::Provisional },
    ];
    let row = |figure: Figure| {
        vec![
            Cell::from("036701000"),
            Cell::from("=SUM(A1)"),
            date("2024-03-01").into(),
            date("2024-03-15").into(),
            figure.into(),
        ]
    };
    Table {
        title: "Доля оказанных мер".to_owned(),
        subtitle: "% · муниципалитет · 2024".to_owned(),
        columns: vec![
            TableColumn::text("municipality", "Муниципалитет, код"),
            TableColumn::text("name", "Муниципалитет"),
            TableColumn::month("month", "Месяц"),
            TableColumn::date("day", "День"),
            TableColumn::number("rate", "Доля", 1, "%"),
        ],
        rows: figures.map(row).to_vec(),
    }
}

fn workbook() -> Workbook {
    let sheet =
        |name: &str| Sheet { name: name.to_owned(), table: table(), notes: vec!["Примечание".to_owned()] };
    Workbook {
        title: "Сводка".to_owned(),
        lang: Lang::Ru,
        created: "2024-11-21T05:40:00Z".parse::<DateTime<Utc>>().unwrap(),
        sheets: vec![sheet("Доля: где?"), sheet("Доля где"), sheet("Доля оказанных мер поддержки по муниципалитетам")],
    }
}

fn read(bytes: Vec<u8>) -> (Vec<String>, Range<Data>) {
    let mut file: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let names = file.sheet_names();
    let range = file.worksheet_range(&names[0]).unwrap();
    (names, range)
}

#[test]
fn cells_keep_their_types() {
    let (_, range) = read(write_workbook(&workbook()).unwrap());
    let cell = |row: u32, column: u32| range.get_value((row, column)).cloned().unwrap_or(Data::Empty);
    assert_eq!(cell(0, 0), Data::String("Доля оказанных мер".to_owned()));
    assert_eq!(cell(3, 4), Data::String("Доля, %".to_owned()));
    assert_eq!(cell(4, 0), Data::String("036701000".to_owned()), "a code keeps its leading zero");
    assert_eq!(cell(4, 1), Data::String("=SUM(A1)".to_owned()), "a text is no formula");
    assert_eq!(cell(4, 2).as_date(), Some(date("2024-03-01")));
    assert_eq!(cell(4, 3).as_date(), Some(date("2024-03-15")));
    assert!(cell(4, 3).is_datetime());
    assert_eq!(cell(4, 4), Data::Float(79.126));
    assert_eq!(cell(9, 4), Data::Float(-5.0));
}

#[test]
fn an_absent_value_is_a_mark_with_a_legend_and_never_zero() {
    let (_, range) = read(write_workbook(&workbook()).unwrap());
    let text = |row: u32, column: u32| range.get_value((row, column)).map(ToString::to_string).unwrap_or_default();
    assert_eq!([text(5, 4), text(6, 4), text(7, 4), text(8, 4)], ["••", "–", "нет отчёта", ""]);
    let legend: Vec<String> = (11..17).map(|row| text(row, 0)).collect();
    assert_eq!(
        legend,
        [
            "* – предварительно, может измениться",
            "– – нет данных, это не ноль",
            "•• – скрыто для защиты личных данных",
            "пусто – срок ещё не наступил",
            "нет отчёта – значение ожидалось, но не прислано",
            "Примечание",
        ]
    );
}

#[test]
fn sheets_have_names_that_spreadsheets_accept() {
    let (names, _) = read(write_workbook(&workbook()).unwrap());
    assert_eq!(names, ["Доля где", "Доля где (2)", "Доля оказанных мер поддержки п…"]);
}

#[test]
fn the_same_figures_give_the_same_bytes() {
    assert_eq!(write_workbook(&workbook()).unwrap(), write_workbook(&workbook()).unwrap());
}
