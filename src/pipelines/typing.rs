//! Text of the register → typed columns.
//!
//! Spaces around a value are cut off. A text that is not of the declared type rejects its row under the rule `type`, or is left out if the
//! pipeline says so; a missing value of a
//! required column does so under `required`.

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Float64Chunked, Int32Chunked, Int64Chunked, IntoColumn, IntoSeries,
    NewChunkedArray, PolarsResult, StringChunked, StringChunkedBuilder, TimeUnit, TimeZone,
};

use super::declaration::SourceType;
use super::moment::{MomentFormat, ZoneClock};
use super::rejects::{Rejects, quoted};

/// A column of the register's export.
#[derive(Debug, Clone)]
pub struct SourceColumn {
    /// Name inside the pipeline.
    pub name: String,
    /// Name in the file.
    pub from: String,
    /// Its type.
    pub column_type: SourceType,
    /// How dates and moments are written.
    pub format: MomentFormat,
    /// Whether a row without it is rejected.
    pub required: bool,
    /// Texts that mean "no value", besides the empty one.
    pub empty: Vec<String>,
    /// Whether numbers are written with a decimal comma.
    pub decimal_comma: bool,
    /// What happens to a value that is not of the type.
    pub unfit: Unfit,
    /// Whether it feeds a personal column, so that no sentence may repeat its value.
    pub personal: bool,
}

/// What happens to a value that is not of the type of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It rejects its row.
    RejectsRow,
    /// It is left out, and counted.
    IsLeftOut,
}

impl SourceColumn {
    /// Polars' type of the parsed column.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match self.column_type {
            SourceType::String => DataType::String,
            SourceType::Integer => DataType::Int64,
            SourceType::Number => DataType::Float64,
            SourceType::Boolean => DataType::Boolean,
            SourceType::Date => DataType::Date,
            SourceType::Timestamp => moment_type(),
        }
    }

    /// What a value should have been.
    fn expectation(&self) -> String {
        match self.column_type {
            SourceType::String => "текст".to_owned(),
            SourceType::Integer => "целое число".to_owned(),
            SourceType::Number if self.decimal_comma => "число вида 1234,50".to_owned(),
            SourceType::Number => "число вида 1234.50".to_owned(),
            SourceType::Boolean => "да или нет".to_owned(),
            SourceType::Date => format!("дата вида {}", self.format.describe()),
            SourceType::Timestamp => format!("дата и время вида {}", self.format.describe()),
        }
    }
}

/// Polars' type of a moment: microseconds of UTC.
#[must_use]
pub fn moment_type() -> DataType {
    DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
}

/// The typed columns of a block of text.
///
/// # Errors
/// If Polars refuses the frame, which has one text column per declared column.
pub fn parse_columns(
    texts: &DataFrame,
    columns: &[SourceColumn],
    clock: &mut ZoneClock,
    rejects: &mut Rejects,
) -> PolarsResult<DataFrame> {
    let mut typed = Vec::with_capacity(columns.len());
    for (column, text) in columns.iter().zip(texts.columns()) {
        typed.push(parse_column(text.str()?, column, clock, rejects)?);
    }
    DataFrame::new(texts.height(), typed)
}

fn parse_column(
    texts: &StringChunked,
    column: &SourceColumn,
    clock: &mut ZoneClock,
    rejects: &mut Rejects,
) -> PolarsResult<Column> {
    let name = column.name.as_str().into();
    let comma = column.decimal_comma;
    let typed = match column.column_type {
        SourceType::String => clean(texts, column, rejects),
        SourceType::Integer => {
            Int64Chunked::from_iter_options(name, parse(texts, column, rejects, integer).into_iter()).into_column()
        }
        SourceType::Number => {
            let numbers = parse(texts, column, rejects, |text| number(text, comma));
            Float64Chunked::from_iter_options(name, numbers.into_iter()).into_column()
        }
        SourceType::Boolean => {
            let truths = parse(texts, column, rejects, boolean);
            truths.into_iter().collect::<BooleanChunked>().with_name(name).into_column()
        }
        SourceType::Date => {
            let epoch = chrono::NaiveDate::default();
            let days = parse(texts, column, rejects, |text| {
                i32::try_from(column.format.date(text)?.signed_duration_since(epoch).num_days()).ok()
            });
            Int32Chunked::from_iter_options(name, days.into_iter()).into_column().cast(&DataType::Date)?
        }
        SourceType::Timestamp => {
            let moments = parse(texts, column, rejects, |text| column.format.moment(text, clock));
            Int64Chunked::from_iter_options(name, moments.into_iter()).into_column().cast(&moment_type())?
        }
    };
    Ok(typed)
}

/// The value in a text; none where it means "no value".
fn value_of<'a>(text: &'a str, column: &SourceColumn) -> Option<&'a str> {
    let value = text.trim();
    (!value.is_empty() && !column.empty.iter().any(|empty| empty == value)).then_some(value)
}

fn reject_missing(row: usize, column: &SourceColumn, rejects: &mut Rejects) {
    rejects.add(row, "required", || format!("«{}»: обязательное поле пустое; заполните его в реестре", column.from));
}

/// Parses each value; rows where that fails are rejected.
fn parse<T>(
    texts: &StringChunked,
    column: &SourceColumn,
    rejects: &mut Rejects,
    mut parse_value: impl FnMut(&str) -> Option<T>,
) -> Vec<Option<T>> {
    let mut parsed = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let value = text.and_then(|text| value_of(text, column));
        parsed.push(match value {
            None => {
                if column.required {
                    reject_missing(row, column, rejects);
                }
                None
            }
            Some(value) => {
                let result = parse_value(value);
                if result.is_none() && column.unfit == Unfit::IsLeftOut {
                    rejects.note_unfit(row, &column.from);
                } else if result.is_none() {
                    rejects.add(row, "type", || {
                        let shown = if column.personal { "значение".to_owned() } else { quoted(value) };
                        let expected = column.expectation();
                        let hint = if column.format.is_year_short(value) {
                            ", год записан двумя цифрами"
                        } else {
                            ""
                        };
                        format!("«{}»: {shown} – не {expected}{hint}; исправьте в реестре", column.from)
                    });
                }
                result
            }
        });
    }
    parsed
}

/// Text without the spaces around it. Where nothing has to be cut, the column is taken as it is.
fn clean(texts: &StringChunked, column: &SourceColumn, rejects: &mut Rejects) -> Column {
    let is_clean = |text: &str| {
        let ends = [text.as_bytes().first(), text.as_bytes().last()];
        ends.into_iter().all(|byte| byte.is_some_and(u8::is_ascii_graphic))
            && !column.empty.iter().any(|empty| empty == text)
    };
    let all_clean = texts.iter().flatten().all(|text| is_clean(text) || value_of(text, column) == Some(text));
    if column.required && texts.null_count() > 0 || !all_clean {
        let mut builder = StringChunkedBuilder::new(column.name.as_str().into(), texts.len());
        for (row, text) in texts.iter().enumerate() {
            let value = text.and_then(|text| value_of(text, column));
            if value.is_none() && column.required {
                reject_missing(row, column, rejects);
            }
            builder.append_option(value);
        }
        return builder.finish().into_series().into_column();
    }
    texts.clone().into_series().with_name(column.name.as_str().into()).into_column()
}

/// The text without spaces between groups of digits, if it has any.
fn without_spaces(text: &str) -> std::borrow::Cow<'_, str> {
    let is_space = |character: char| matches!(character, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}');
    if text.contains(is_space) { text.replace(is_space, "").into() } else { text.into() }
}

fn integer(text: &str) -> Option<i64> {
    let text = without_spaces(text);
    // Spreadsheets like to write whole numbers as `12.0`.
    let whole =
        text.split_once('.').filter(|(_, zeros)| zeros.bytes().all(|byte| byte == b'0')).map(|(whole, _)| whole);
    whole.unwrap_or(&text).parse().ok()
}

fn number(text: &str, decimal_comma: bool) -> Option<f64> {
    let text = without_spaces(text);
    let text = if decimal_comma { text.replace(',', ".").into() } else { text };
    // Rust also reads `inf` and `nan`, which no register means.
    let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse().ok().filter(|value: &f64| is_number && value.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "да" => Some(true),
        "false" | "0" | "нет" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn column(column_type: SourceType) -> SourceColumn {
        SourceColumn {
            name: "x".to_owned(),
            from: "Поле".to_owned(),
            column_type,
            format: MomentFormat::from_pattern("%d.%m.%Y", false).unwrap(),
            required: false,
            empty: vec!["-".to_owned()],
            decimal_comma: true,
            unfit: Unfit::RejectsRow,
            personal: false,
        }
    }

    fn parse_texts(column: &SourceColumn, texts: &[Option<&str>]) -> (Vec<String>, Vec<(usize, String)>) {
        let frame = DataFrame::new(texts.len(), vec![Column::new("x".into(), texts)]).unwrap();
        let mut rejects = Rejects::default();
        let mut clock = ZoneClock::new(Tz::Europe__Samara);
        let typed = parse_columns(&frame, std::slice::from_ref(column), &mut clock, &mut rejects).unwrap();
        let values = (0..texts.len()).map(|row| typed.columns()[0].get(row).unwrap().to_string()).collect();
        (values, rejects.iter().map(|(row, reject)| (row, reject.sentence.clone())).collect())
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(integer("1 234"), Some(1234));
        assert_eq!(integer("12.0"), Some(12));
        assert_eq!(integer("12.5"), None);
        assert_eq!(integer("9223372036854775808"), None);
        assert_eq!(number("1\u{a0}234,50", true), Some(1234.5));
        assert_eq!(number("1234.50", true), Some(1234.5));
        assert_eq!(number("1234,50", false), None);
        assert_eq!(number("inf", false), None);
        assert_eq!(number("1e400", false), None);
        assert_eq!(boolean("ДА"), Some(true));
        assert_eq!(boolean("maybe"), None);
    }

    #[test]
    fn a_day_that_does_not_exist_is_told() {
        let (values, rejects) =
            parse_texts(&column(SourceType::Date), &[Some(" 29.02.2024"), Some("31.02.2024"), Some("-"), None]);
        assert_eq!(values, ["2024-02-29", "null", "null", "null"]);
        assert_eq!(rejects, [(1, "«Поле»: «31.02.2024» – не дата вида дд.мм.гггг; исправьте в реестре".to_owned())]);
    }

    #[test]
    fn a_year_of_two_digits_is_told() {
        let (_, rejects) = parse_texts(&column(SourceType::Date), &[Some("29.02.24")]);
        let expected = "«Поле»: «29.02.24» – не дата вида дд.мм.гггг, год записан двумя цифрами; исправьте в реестре";
        assert_eq!(rejects, [(0, expected.to_owned())]);
    }

    #[test]
    fn a_personal_value_is_not_told() {
        let personal = SourceColumn { personal: true, ..column(SourceType::Integer) };
        let (_, rejects) = parse_texts(&personal, &[Some("112-233")]);
        assert_eq!(rejects, [(0, "«Поле»: значение – не целое число; исправьте в реестре".to_owned())]);
    }

    #[test]
    fn a_lenient_column_leaves_out_what_does_not_fit() {
        let lenient = SourceColumn { unfit: Unfit::IsLeftOut, ..column(SourceType::Integer) };
        let (values, rejects) = parse_texts(&lenient, &[Some("1"), Some("x"), None]);
        assert_eq!((values, rejects.len()), (vec!["1".to_owned(), "null".to_owned(), "null".to_owned()], 0));
    }

    #[test]
    fn text_is_trimmed_and_required() {
        let required = SourceColumn { required: true, ..column(SourceType::String) };
        let (values, rejects) = parse_texts(&required, &[Some(" а "), Some("б"), Some(" - "), None]);
        assert_eq!(values, ["\"а\"", "\"б\"", "null", "null"]);
        assert_eq!(rejects.len(), 2);
        assert_eq!(rejects[0].1, "«Поле»: обязательное поле пустое; заполните его в реестре");
    }
}
