//! Tables as a workbook: a sheet per table, typed cells, a frozen head, marks with a legend for absent values.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, IgnoreError, Worksheet, XlsxError,
};

use crate::domain::figure::{Figure, State};
use crate::domain::language::Lang;
use crate::domain::table::{Cell, ColumnKind, Table, TableColumn, state_mark, state_meaning};

/// Longest name of a sheet that spreadsheets accept.
const MAX_SHEET_NAME: usize = 31;
/// Most rows of data on one sheet, so that head and legend still fit under the limit of 1 048 576.
const MAX_ROWS: usize = 1_048_000;
const INK: Color = Color::RGB(0x0016_202C);
const SECONDARY_INK: Color = Color::RGB(0x005B_6776);
const HEAD_FILL: Color = Color::RGB(0x00EA_F1FB);
const HAIRLINE: Color = Color::RGB(0x00E3_E7EC);

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The writer of workbooks refused a cell or a sheet.
    #[error("cannot write sheet `{sheet}`")]
    Sheet {
        /// Name of the sheet.
        sheet: String,
        /// What the writer says.
        #[source]
        cause: XlsxError,
    },
    /// The whole file could not be put together.
    #[error("cannot put the workbook together")]
    Assemble(#[source] XlsxError),
    /// A sheet holds no more rows than a spreadsheet can open.
    #[error("`{sheet}` has {n_rows} rows, a sheet holds at most {MAX_ROWS}")]
    TooManyRows {
        /// Name of the sheet.
        sheet: String,
        /// Rows of the table.
        n_rows: usize,
    },
}

/// One table of a workbook.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Wanted name; shortened, cleaned and made unique when written.
    pub name: String,
    /// The cells, with title and subtitle above them.
    pub table: Table,
    /// Lines under the table.
    pub notes: Vec<String>,
}

/// What a workbook consists of.
#[derive(Debug, Clone)]
pub struct Workbook {
    /// Title in the properties of the file.
    pub title: String,
    /// Language of marks and legends.
    pub lang: Lang,
    /// Time of creation in the properties: that of the snapshot, so that the same figures give the same bytes.
    pub created: DateTime<Utc>,
    /// The sheets, left to right.
    pub sheets: Vec<Sheet>,
}

/// The workbook as the bytes of an XLSX file, equal for equal input.
///
/// Numbers are numbers with a format by their decimals, days and months are dates, codes are text. A state without a
/// value becomes its mark, never zero, and a legend under the table says what the mark means.
///
/// # Errors
/// [`ReportError::TooManyRows`] for a table that no spreadsheet opens, else what the writer says.
pub fn write_workbook(workbook: &Workbook) -> Result<Vec<u8>, ReportError> {
    let mut file = rust_xlsxwriter::Workbook::new();
    let created = ExcelDateTime::from_timestamp(workbook.created.timestamp()).map_err(ReportError::Assemble)?;
    file.set_properties(
        &DocProperties::new().set_title(&workbook.title).set_author("svod").set_creation_datetime(&created),
    );
    let mut taken = HashSet::new();
    for sheet in &workbook.sheets {
        let name = sheet_name(&sheet.name, &mut taken);
        let n_rows = sheet.table.rows.len();
        if n_rows > MAX_ROWS {
            return Err(ReportError::TooManyRows { sheet: name, n_rows });
        }
        let worksheet = file.add_worksheet();
        write_sheet(worksheet, &name, sheet, workbook.lang)
            .map_err(|cause| ReportError::Sheet { sheet: name.clone(), cause })?;
    }
    file.save_to_buffer().map_err(ReportError::Assemble)
}

fn write_sheet(worksheet: &mut Worksheet, name: &str, sheet: &Sheet, lang: Lang) -> Result<(), XlsxError> {
    let table = &sheet.table;
    let plain = Format::new().set_font_color(INK);
    let small = Format::new().set_font_color(SECONDARY_INK).set_font_size(9);
    worksheet
        .set_name(name)?
        .set_screen_gridlines(false)
        .set_landscape()
        .set_paper_size(9)
        .set_print_fit_to_pages(1, 0);
    worksheet.write_string_with_format(0, 0, &table.title, &plain.clone().set_bold().set_font_size(14))?;
    worksheet.write_string_with_format(1, 0, &table.subtitle, &small)?;
    let head = Format::new()
        .set_bold()
        .set_font_color(INK)
        .set_background_color(HEAD_FILL)
        .set_border_bottom(FormatBorder::Thin)
        .set_border_bottom_color(SECONDARY_INK)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap();
    let looks: Vec<Look> = table.columns.iter().map(|column| Look::of(column, &plain, lang)).collect();
    for (column, position) in table.columns.iter().zip(0u16..) {
        let align = if column.is_number() { FormatAlign::Right } else { FormatAlign::Left };
        worksheet.write_string_with_format(3, position, column.heading(), &head.clone().set_align(align))?;
        worksheet.set_column_width(position, column_width(table, usize::from(position), lang))?;
    }
    for (line, row) in table.rows.iter().zip(4u32..) {
        for ((cell, position), look) in line.iter().zip(0u16..).zip(&looks) {
            write_cell(worksheet, row, position, cell, look, lang)?;
        }
    }
    let last = 3 + u32::try_from(table.rows.len()).unwrap_or(0);
    for (column, position) in table.columns.iter().zip(0u16..) {
        if column.kind == ColumnKind::Text && last > 3 {
            worksheet.ignore_error_range(4, position, last, position, IgnoreError::NumberStoredAsText)?;
        }
    }
    let after = last + 2;
    let legend = table.states().into_iter().map(|state| state_meaning(state, lang).to_owned());
    for (line, row) in legend.chain(sheet.notes.iter().cloned()).zip(after..) {
        worksheet.write_string_with_format(row, 0, line, &small)?;
    }
    worksheet.set_freeze_panes(4, u16::from(table.columns.len() > 3))?;
    worksheet.set_repeat_rows(3, 3)?.set_footer("&L&8&A&R&8&P / &N");
    Ok(())
}

fn write_cell(
    worksheet: &mut Worksheet,
    row: u32,
    position: u16,
    cell: &Cell,
    look: &Look,
    lang: Lang,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => worksheet.write_blank(row, position, &look.known)?,
        Cell::Text(text) => worksheet.write_string_with_format(row, position, text, &look.known)?,
        Cell::Date(date) => worksheet.write_datetime_with_format(row, position, date, &look.known)?,
        Cell::Figure(Figure { value: Some(value), state: State::Provisional }) => {
            worksheet.write_number_with_format(row, position, *value, &look.provisional)?
        }
        Cell::Figure(Figure { value: Some(value), .. }) => {
            worksheet.write_number_with_format(row, position, *value, &look.known)?
        }
        Cell::Figure(Figure { value: None, state }) => {
            worksheet.write_string_with_format(row, position, state_mark(*state, lang), &look.absent)?
        }
    };
    Ok(())
}

/// How the cells of a column look.
struct Look {
    known: Format,
    provisional: Format,
    absent: Format,
}

impl Look {
    fn of(column: &TableColumn, plain: &Format, lang: Lang) -> Self {
        let cell = plain.clone().set_border_bottom(FormatBorder::Hair).set_border_bottom_color(HAIRLINE);
        let cell = cell.set_align(FormatAlign::VerticalCenter);
        let absent = cell.clone().set_align(FormatAlign::Right).set_font_color(SECONDARY_INK);
        let known = match &column.kind {
            ColumnKind::Text => cell.set_num_format("@").set_text_wrap(),
            ColumnKind::Number { decimals, .. } => cell.set_num_format(number_format(*decimals)),
            ColumnKind::Date => cell.set_num_format("dd.mm.yyyy").set_align(FormatAlign::Left),
            ColumnKind::Month => cell.set_num_format("mm.yyyy").set_align(FormatAlign::Left),
        };
        let decimals = if let ColumnKind::Number { decimals, .. } = column.kind { decimals } else { 0 };
        let mark = state_mark(State::Provisional, lang);
        let provisional = known.clone().set_num_format(format!("{}\"{mark}\"", number_format(decimals)));
        Self { known, provisional, absent }
    }
}

/// The format of a number with thousands apart, which each spreadsheet shows in its own language.
fn number_format(decimals: usize) -> String {
    if decimals == 0 { "#,##0".to_owned() } else { format!("#,##0.{}", "0".repeat(decimals)) }
}

/// Width that shows head and cells, within bounds.
fn column_width(table: &Table, position: usize, lang: Lang) -> f64 {
    let Some(column) = table.columns.get(position) else { return 10.0 };
    let cells = table.rows.iter().take(1000).filter_map(|row| row.get(position));
    let longest = cells.map(|cell| cell.display(column, lang).chars().count()).max().unwrap_or(0);
    let head = column.heading().chars().count();
    let wanted = longest.max(head.min(18)) + 3;
    f64::from(u32::try_from(wanted).unwrap_or(60)).clamp(9.0, 60.0)
}

/// A name that a spreadsheet accepts and that no earlier sheet has.
fn sheet_name(wanted: &str, taken: &mut HashSet<String>) -> String {
    let clean: String = wanted
        .chars()
        .map(
            |sign| {
                if matches!(sign, '[' | ']' | ':' | '*' | '?' | '/' | '\\') || sign.is_control() { ' ' } else { sign }
            },
        )
        .collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = clean.trim_matches('\'').trim();
    let clean = if clean.is_empty() { "Лист" } else { clean };
    for number in 1usize.. {
        let ending = if number == 1 { String::new() } else { format!(" ({number})") };
        let room = MAX_SHEET_NAME - ending.chars().count();
        let name = if clean.chars().count() <= room {
            format!("{clean}{ending}")
        } else {
            let cut: String = clean.chars().take(room - 1).collect();
            format!("{}…{ending}", cut.trim_end())
        };
        if taken.insert(name.to_lowercase()) {
            return name;
        }
    }
    clean.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheet_names_are_short_clean_and_unique() {
        let mut taken = HashSet::new();
        let mut name = |wanted: &str| sheet_name(wanted, &mut taken);
        assert_eq!(name("Что [просят]: семьи? */\\"), "Что просят семьи");
        assert_eq!(name("что просят семьи"), "что просят семьи (2)");
        assert_eq!(name("'Апостроф'"), "Апостроф");
        let long = name("Доля оказанных мер поддержки по муниципалитетам");
        assert_eq!(long, "Доля оказанных мер поддержки п…");
        assert_eq!(long.chars().count(), MAX_SHEET_NAME);
        assert_eq!(name("Доля оказанных мер поддержки по районам").chars().count(), MAX_SHEET_NAME);
        assert_eq!(name("  "), "Лист");
    }
}
