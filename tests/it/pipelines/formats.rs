//! Decoders over any bytes, any cut into blocks, and what they wrote themselves.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use svod::pipelines::formats::csv::{CsvDecoder, CsvOptions};
use svod::pipelines::formats::ndjson::NdjsonDecoder;
use svod::pipelines::formats::parquet::ParquetDecoder;
use svod::pipelines::formats::{BlockLimits, ColumnName, Decoder, FormatError, WantedColumns};

/// Rows of a file: place and values of each, then places and sentences of broken ones.
pub(super) type Rows = (Vec<(u64, Vec<Option<String>>)>, Vec<(u64, String)>);

pub(super) fn columns(names: &[&str]) -> WantedColumns {
    let name = |name: &&str| ColumnName { from: (*name).to_owned(), name: format!("_{name}") };
    names.iter().map(name).collect::<Vec<_>>().into()
}

pub(super) fn drain(decoder: &mut dyn Decoder) -> Result<Rows, FormatError> {
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    while let Some(block) = decoder.next_block()? {
        for (row, place) in block.rows.iter().enumerate() {
            let value = |column: &polars::prelude::Column| column.str().unwrap().get(row).map(str::to_owned);
            rows.push((*place, block.frame.columns().iter().map(value).collect()));
        }
        broken.extend(block.broken.into_iter().map(|row| (row.row, row.sentence)));
    }
    Ok((rows, broken))
}

pub(super) fn csv_options() -> CsvOptions {
    CsvOptions {
        separator: b';',
        quote: Some(b'"'),
        encoding: encoding_rs::UTF_8,
        skip_lines: 0,
        has_header: true,
        skip_rows: Vec::new(),
    }
}

pub(super) fn read_csv(bytes: &[u8], limits: BlockLimits) -> Result<Rows, FormatError> {
    drain(&mut CsvDecoder::new(bytes, csv_options(), &columns(&["a", "б"]), limits)?)
}

pub(super) fn read_ndjson(bytes: &[u8], limits: BlockLimits) -> Result<Rows, FormatError> {
    drain(&mut NdjsonDecoder::new(bytes, &columns(&["a", "б"]), limits))
}

pub(super) fn read_parquet(bytes: Vec<u8>, names: &[&str], limits: BlockLimits) -> Result<Rows, FormatError> {
    drain(&mut ParquetDecoder::new(axum::body::Bytes::from(bytes), &columns(names), limits)?)
}

/// A value that is there.
pub(super) fn text(value: &str) -> Option<String> {
    Option::from(value.to_owned())
}

#[test]
fn csv_with_quotes_line_breaks_and_ragged_rows() {
    let csv = "\u{feff}x;б;a\r\n1;\"два\nряда; \"\"в кавычках\"\"\";3\r\n\r\n1;2\r\n4;5;6;7\r\n8;9;";
    let (rows, broken) = read_csv(csv.as_bytes(), BlockLimits::default()).unwrap();
    assert_eq!(rows, [(1, vec![text("3"), text("два\nряда; \"в кавычках\"")]), (4, vec![text(""), text("9")])]);
    assert_eq!(
        broken,
        [
            (2, "строка файла 5: полей 2, а должно быть 3; проверьте разделители и кавычки".to_owned()),
            (3, "строка файла 6: полей 4, а должно быть 3; проверьте разделители и кавычки".to_owned()),
        ]
    );
}

#[test]
fn csv_bytes_outside_the_encoding_break_their_row_only() {
    let (rows, broken) = read_csv(b"a;\xd0\xb1\n1;\xff\n2;3\n", BlockLimits::default()).unwrap();
    assert_eq!(rows, [(2, vec![text("2"), text("3")])]);
    assert_eq!(
        broken,
        [(1, "строка файла 2: есть байты, которых нет в кодировке utf-8; проверьте кодировку выгрузки".to_owned())]
    );
}

#[test]
fn an_unclosed_quote_does_not_swallow_the_memory() {
    let mut text = b"a;\xd0\xb1\n1;\"2\n".to_vec();
    text.extend(std::iter::repeat_n(*b"3;4\n", 4 << 20).flatten());
    let error = read_csv(&text, BlockLimits::default()).unwrap_err();
    assert_eq!(error.to_string(), "the row that begins on line 2 is longer than 8 MiB; is a quote not closed?");
}

#[test]
fn columns_without_a_header_are_numbered() {
    let options = CsvOptions { has_header: false, ..csv_options() };
    let names = columns(&["2"]);
    let mut decoder = CsvDecoder::new(&b"1;x\n2;y\n"[..], options, &names, BlockLimits::default()).unwrap();
    assert_eq!(drain(&mut decoder).unwrap().0, [(1, vec![text("x")]), (2, vec![text("y")])]);
}

#[test]
fn a_repeated_header_is_refused() {
    let error = read_csv("a;б;a\n1;2;3\n".as_bytes(), BlockLimits::default()).unwrap_err();
    assert_eq!(error.to_string(), "column `a` is in the file 2 times");
}

#[test]
fn ndjson_lines_stand_alone() {
    let mut lines = "\u{feff}{\"a\":1,\"б\":\"x\"}\r\n\r\n  [1]\n{\"a\":{}}\n{\"a\":\n".as_bytes().to_vec();
    lines.extend_from_slice(b"{\"a\":\"\xff\"}\n{\"a\":true}");
    let (rows, broken) = read_ndjson(&lines, BlockLimits::default()).unwrap();
    assert_eq!(rows, [(1, vec![text("1"), text("x")]), (7, vec![text("true"), None])]);
    let advice = "каждая строка должна быть одним объектом JSON";
    assert_eq!(
        broken,
        [
            (3, format!("строка файла 3: не объект JSON; {advice}")),
            (4, "строка файла 4: «a» – список или объект вместо одного значения; исправьте выгрузку".to_owned()),
            (5, format!("строка файла 5: не JSON, ошибка в позиции 5; {advice}")),
            (6, "строка файла 6: не читается в кодировке utf-8; проверьте кодировку выгрузки".to_owned()),
        ]
    );
}

#[test]
fn an_endless_line_is_left_out_and_the_rest_is_read() {
    let mut lines = b"{\"a\":1}\n".to_vec();
    lines.extend(std::iter::repeat_n(b'x', 20 << 20));
    lines.extend_from_slice(b"\n{\"a\":3}\n");
    let (rows, broken) = read_ndjson(&lines, BlockLimits { n_bytes: 1 << 20, n_rows: 10 }).unwrap();
    assert_eq!(rows, [(1, vec![text("1"), None]), (3, vec![text("3"), None])]);
    assert_eq!(broken, [(2, "строка файла 2: длиннее 8 МиБ; исправьте выгрузку".to_owned())]);
}

pub(super) fn parquet_file() -> Vec<u8> {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("day", Arc::new(Date32Array::from(vec![Some(19_807), None, Some(0)]))),
        ("other", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("sum", Arc::new(Float64Array::from(vec![1.5, 2.0, -0.25]))),
        ("name", Arc::new(StringArray::from(vec![Some("Выборг"), Some(""), None]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn parquet_is_read_as_text_in_the_declared_order() {
    for n_rows in [1, 2, 10] {
        let limits = BlockLimits { n_rows, ..BlockLimits::default() };
        let (rows, _) = read_parquet(parquet_file(), &["name", "day", "sum"], limits).unwrap();
        assert_eq!(
            rows,
            [
                (1, vec![text("Выборг"), text("2024-03-25"), text("1.5")]),
                (2, vec![text(""), None, text("2.0")]),
                (3, vec![None, text("1970-01-01"), text("-0.25")]),
            ]
        );
    }
    let error = read_parquet(parquet_file(), &["город"], BlockLimits::default()).unwrap_err();
    assert_eq!(error.to_string(), "column `город` is not in the file, which has `day`, `other`, `sum`, `name`");
}

/// Texts that look like CSV or JSON often enough to reach the depth of a decoder.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        "(a;б\n)?([ab1;\"\n\r {}\\[\\]:,\\\\u-]|\\PC){0,200}".prop_map(String::into_bytes),
        "(\\{\"a\":(1|\"x\"|null|\\[\\]|\"\\\\\"\"),\"б\":[0-9a\"]{1,3}\\}\n?){0,9}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in bytes(), encoding in 0_usize..4) {
        let encoding = [encoding_rs::UTF_8, encoding_rs::WINDOWS_1251, encoding_rs::IBM866, encoding_rs::UTF_16LE][encoding];
        let options = CsvOptions { encoding, ..csv_options() };
        if let Ok(mut decoder) = CsvDecoder::new(&bytes[..], options, &columns(&[]), BlockLimits::default()) {
            drain(&mut decoder).unwrap();
        }
        read_ndjson(&bytes, BlockLimits::default()).unwrap();
        let _ = read_parquet(bytes, &["a"], BlockLimits::default());
    }

    #[test]
    fn damaged_parquet_is_an_error_or_other_rows(place in 0_usize..600, byte in any::<u8>()) {
        let mut bytes = parquet_file();
        let place = place % bytes.len();
        bytes[place] = byte;
        let _ = read_parquet(bytes, &["name", "day", "sum"], BlockLimits::default());
    }

    #[test]
    fn blocks_do_not_change_the_rows(bytes in bytes(), n_bytes in 1_usize..60, n_rows in 1_usize..5) {
        let limits = BlockLimits { n_bytes, n_rows };
        prop_assert_eq!(
            read_ndjson(&bytes, limits).unwrap(),
            read_ndjson(&bytes, BlockLimits::default()).unwrap()
        );
        let mut csv = "a;б\n".as_bytes().to_vec();
        csv.extend(bytes);
        prop_assert_eq!(read_csv(&csv, limits).unwrap(), read_csv(&csv, BlockLimits::default()).unwrap());
    }

    #[test]
    fn what_is_written_as_csv_is_read(rows in proptest::collection::vec(("\\PC{0,8}", "[a;\"\n б]{0,8}"), 1..6)) {
        let mut writer = csv::WriterBuilder::new().delimiter(b';').quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        writer.write_record(["a", "б"]).unwrap();
        for (a, b) in &rows {
            writer.write_record([a, b]).unwrap();
        }
        let (read, broken) = read_csv(&writer.into_inner().unwrap(), BlockLimits::default()).unwrap();
        prop_assert!(broken.is_empty());
        let expected: Vec<_> =
            rows.iter().zip(1..).map(|((a, b), place)| (place, vec![Some(a.clone()), Some(b.clone())])).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn what_is_written_as_json_is_read(rows in proptest::collection::vec((any::<Option<String>>(), any::<i64>()), 1..6)) {
        let lines: String = rows.iter().map(|(a, b)| serde_json::json!({"a": a, "б": b}).to_string() + "\n").collect();
        let (read, broken) = read_ndjson(lines.as_bytes(), BlockLimits { n_bytes: 20, n_rows: 1 }).unwrap();
        prop_assert!(broken.is_empty());
        let expected: Vec<_> =
            rows.iter().zip(1..).map(|((a, b), place)| (place, vec![a.clone(), Some(b.to_string())])).collect();
        prop_assert_eq!(read, expected);
    }
}
