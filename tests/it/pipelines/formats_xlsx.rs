//! Workbooks: sheets, headers of several rows, values as text, and what is refused.

use std::io::{Cursor, Read, Write};

use rust_xlsxwriter::{Format, Formula, Workbook};
use svod::pipelines::formats::unpacking::UnpackLimits;
use svod::pipelines::formats::xlsx::{Sheet, XlsxDecoder, XlsxOptions};
use svod::pipelines::formats::{BlockLimits, FormatError};

use super::bench_project::BenchProject;
use super::formats::{Rows, columns, drain, text};

pub(super) fn options() -> XlsxOptions {
    XlsxOptions { sheet: Sheet::Number(1), header_row: 1, header_rows: 1, skip_rows: Vec::new() }
}

pub(super) fn read(bytes: Vec<u8>, options: XlsxOptions, names: &[&str]) -> Result<Rows, FormatError> {
    let limits = BlockLimits { n_bytes: 1 << 20, n_rows: 2 };
    drain(&mut XlsxDecoder::new(Cursor::new(bytes), options, &columns(names), limits, UnpackLimits::default())?)
}

fn error(bytes: Vec<u8>, options: XlsxOptions) -> String {
    read(bytes, options, &["a"]).unwrap_err().to_string()
}

/// A sheet with a title, a header of two rows, and what people put below.
pub(super) fn journal() -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("О файле").unwrap().write(0, 0, "Выгрузка").unwrap();
    let sheet = book.add_worksheet().set_name("Лист1").unwrap();
    let plain = Format::new();
    let date = Format::new().set_num_format("dd.mm.yyyy");
    let moment = Format::new().set_num_format("dd.mm.yyyy hh:mm");
    sheet.merge_range(0, 0, 0, 6, "Журнал за март", &plain).unwrap();
    sheet.merge_range(2, 0, 3, 0, "№\n п/п", &plain).unwrap();
    sheet.merge_range(2, 1, 2, 2, "Период", &plain).unwrap();
    sheet.write(3, 1, "с").unwrap().write(3, 2, "по").unwrap();
    sheet.write(2, 3, "Сумма").unwrap().write(3, 3, "руб.").unwrap();
    sheet.merge_range(2, 4, 3, 4, "Решение", &plain).unwrap();
    sheet.write(4, 0, 1).unwrap();
    sheet.write_with_format(4, 1, 45_376, &date).unwrap();
    sheet.write_with_format(4, 2, 45_376.437_5, &moment).unwrap();
    sheet.write_formula(4, 3, Formula::new("=1200+34.5").set_result("1234.5")).unwrap();
    sheet.write(4, 4, true).unwrap().write(4, 9, "заметка").unwrap();
    sheet.write(6, 0, "11223344595").unwrap().write(6, 1, "26.03.2024").unwrap().write(6, 3, 0.1 + 0.2).unwrap();
    sheet.write(7, 0, 3).unwrap().write_formula(7, 3, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    sheet.write(8, 1, " Итого:").unwrap().write(8, 3, 5).unwrap();
    sheet.write(9, 0, "  ").unwrap();
    book.save_to_buffer().unwrap()
}

fn journal_options() -> XlsxOptions {
    let sheet = Sheet::Name("Лист1".to_owned());
    XlsxOptions { sheet, header_row: 3, header_rows: 2, skip_rows: vec!["итого".to_owned()] }
}

#[test]
fn a_header_of_two_rows_names_the_columns() {
    let names = ["№ п/п", "Период / с", "Период / по", "Сумма / руб.", "Решение"];
    let (rows, broken) = read(journal(), journal_options(), &names).unwrap();
    assert_eq!(
        rows,
        [
            (5, vec![text("1"), text("2024-03-25"), text("2024-03-25T10:30:00"), text("1234.5"), text("true")]),
            (7, vec![text("11223344595"), text("26.03.2024"), None, text("0.3"), None]),
        ]
    );
    assert_eq!(
        broken,
        [(8, "строка листа 8, «Сумма / руб.»: ошибка формулы #DIV/0! вместо значения; исправьте файл".to_owned())]
    );
    // The error stands in no declared column.
    let (rows, broken) = read(journal(), journal_options(), &["№ п/п"]).unwrap();
    assert_eq!((rows.len(), broken.len()), (3, 0));
}

#[test]
fn what_is_not_there_is_told() {
    let sheet = |sheet| XlsxOptions { sheet, ..options() };
    assert_eq!(
        error(journal(), sheet(Sheet::Name("Лист2".to_owned()))),
        "sheet `Лист2` is not in the workbook, which has `О файле`, `Лист1`"
    );
    assert_eq!(
        error(journal(), sheet(Sheet::Number(3))),
        "sheet 3 is not in the workbook, which has `О файле`, `Лист1`"
    );
    assert_eq!(error(journal(), options()), "column `a` is not in the file, which has `Выгрузка`");
    assert_eq!(
        error(journal(), XlsxOptions { header_row: 40, ..options() }),
        "the sheet has no row 40, where its header should be; `header_row` of the format says where it is"
    );
    assert!(
        error(b"a;b\n1;2\n".to_vec(), options()).starts_with("the workbook cannot be read: it is not an `.xlsx` file")
    );
    assert!(error(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), options()).contains("of the old kind (`.xls`)"));
}

/// The workbook with one part changed.
pub(super) fn with_changed_part(name: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let mut source = zip::ZipArchive::new(Cursor::new(journal())).unwrap();
    let mut content = Vec::new();
    source.by_name(name).unwrap().read_to_end(&mut content).unwrap();
    let mut target = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..source.len() {
        let part = source.by_index_raw(index).unwrap();
        if part.name().unwrap() != name {
            target.raw_copy_file(part).unwrap();
        }
    }
    target.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    target.write_all(&change(content)).unwrap();
    target.finish().unwrap().into_inner()
}

fn with_part(name: &str, content: &[u8]) -> Vec<u8> {
    with_changed_part(name, |_| content.to_vec())
}

#[test]
fn a_workbook_cannot_swallow_the_memory() {
    let lie = b"<sst uniqueCount=\"99999999999999\"><si><t>x</t></si></sst>";
    assert_eq!(
        error(with_part("xl/sharedStrings.xml", lie), options()),
        "the workbook cannot be read: its part `xl/sharedstrings.xml` says that it has 99999999999999 texts, which it has not"
    );
    let long = format!(
        "<worksheet><sheetData><row r=\"1\"><c t=\"str\"><v>{}</v></c></row></sheetData></worksheet>",
        "x".repeat(20 << 20)
    );
    assert_eq!(
        error(with_part("xl/worksheets/sheet1.xml", long.as_bytes()), options()),
        "the workbook cannot be read: its part `xl/worksheets/sheet1.xml` has a value longer than 8 MiB"
    );
    let bomb = with_part("xl/worksheets/sheet1.xml", &vec![b' '; 100 << 20]);
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    assert_eq!(
        error(bomb, options()),
        "the workbook cannot be read: unpacked it is larger than 67108864 bytes, the most that `max_ratio: 200` of `unpack` allows; if the file is right, raise that limit in the pipeline"
    );
}

#[tokio::test]
async fn a_workbook_becomes_events() {
    let project =
        BenchProject::with_format("in/*.xlsx", "  xlsx: {sheet: Журнал, skip_rows: [Итого], decimal_comma: true}");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Журнал").unwrap();
    for (column, name) in super::bench_project::HEADER.split(';').enumerate() {
        sheet.write(0, column as u16, name).unwrap();
    }
    let date = Format::new().set_num_format("dd.mm.yyyy");
    sheet.write(1, 0, 15).unwrap().write_with_format(1, 1, 45_376, &date).unwrap().write(1, 2, 2).unwrap();
    sheet.write(1, 3, "41000001").unwrap().write(1, 6, "29.03.2024").unwrap().write(1, 7, "признан").unwrap();
    sheet.write(1, 8, "1 234,50").unwrap();
    sheet.write(2, 0, "Итого").unwrap().write(2, 8, 1).unwrap();
    project.write_bytes("in/journal.xlsx", &book.save_to_buffer().unwrap());
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.events), (1, 1, 2));
    assert_eq!(
        project.events(&["case_id", "event", "occurred_on", "amount", "_row"]).await,
        ["47-15 | granted | 2024-03-29 | 1234.5 | 2", "47-15 | registered | 2024-03-25 |  | 2"]
    );
}
