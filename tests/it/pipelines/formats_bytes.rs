//! Every decoder survives every byte: random ones, and valid files with some of theirs changed.

use std::io::Cursor;

use proptest::prelude::*;
use svod::pipelines::formats::csv::{CsvDecoder, CsvOptions};
use svod::pipelines::formats::json::JsonDecoder;
use svod::pipelines::formats::ndjson::NdjsonDecoder;
use svod::pipelines::formats::unpacking::UnpackLimits;
use svod::pipelines::formats::xlsx::XlsxDecoder;
use svod::pipelines::formats::xml::XmlDecoder;
use svod::pipelines::formats::{BlockLimits, Decoder, FormatError, Undeclared, WantedColumns};

use super::formats::{columns, csv_options, parquet_file, read_parquet};
use super::{formats_xlsx, formats_xml};

const JSON: &str = r#"{"total": 2, "data": {"items": [{"a": "x\u0416", "б": {"в": 1.5e3}}, {"a": null, "z": [[{}], true]}]}, "end": []}"#;
const NDJSON: &str = "{\"a\":\"x\\u0416\",\"б\":{\"в\":1}}\n{\"a\":null,\"z\":[[{}],true]}\n";
const CSV: &str = "Журнал\na;б\n1;\"два\nряда\"\nИтого;5\n2;\n";

/// One change of a file.
#[derive(Debug, Clone)]
enum Change {
    Set(usize, u8),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    Repeat(usize, usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let telling = prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\"\\,:;<>/&=!?\n\r\0 ".to_vec())];
    let place = any::<prop::sample::Index>().prop_map(|index| index.index(1 << 20));
    prop_oneof![
        (place.clone(), telling.clone()).prop_map(|(place, byte)| Change::Set(place, byte)),
        (place.clone(), proptest::collection::vec(telling, 1..9))
            .prop_map(|(place, bytes)| Change::Insert(place, bytes)),
        (place.clone(), 1_usize..40).prop_map(|(place, n_bytes)| Change::Remove(place, n_bytes)),
        (place.clone(), 1_usize..40).prop_map(|(place, n_bytes)| Change::Repeat(place, n_bytes)),
        place.prop_map(Change::Cut),
    ]
}

fn changed(file: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for change in changes {
        let n_all = bytes.len();
        let start = |place: usize| place % n_all.max(1);
        let range = |place: usize, n_bytes: usize| start(place)..(start(place) + n_bytes).min(n_all);
        match change {
            Change::Set(place, byte) => bytes[range(*place, 1)].fill(*byte),
            Change::Insert(place, inserted) => {
                let place = range(*place, 0).start;
                bytes.splice(place..place, inserted.iter().copied());
            }
            Change::Remove(place, n_bytes) => {
                let range = range(*place, *n_bytes);
                bytes.drain(range);
            }
            Change::Repeat(place, n_bytes) => {
                let range = range(*place, *n_bytes);
                let repeated = bytes[range.clone()].to_vec();
                bytes.splice(range.end..range.end, repeated);
            }
            Change::Cut(place) => bytes.truncate(start(*place)),
        }
    }
    bytes
}

/// Reads to the end or to the first error. Places of rows must differ, and no broken row may show a letter.
fn survive(decoder: Result<impl Decoder, FormatError>) {
    let Ok(mut decoder) = decoder else { return };
    while let Ok(Some(block)) = decoder.next_block() {
        assert_eq!(block.frame.height(), block.rows.len());
        let others = block.changes.undeclared.iter().flat_map(|column| &column.values);
        assert!(others.into_iter().all(|(row, _)| *row < block.rows.len()));
        let raw = block.raw.masked(&block.frame, 0, &columns(&["a"]), &[true]);
        assert!(raw.chars().count() <= 4001);
        for broken in &block.broken {
            assert!(!broken.raw.chars().any(|character| character.is_alphabetic() && character != 'x'), "{broken:?}");
        }
    }
}

/// The same columns, and others are handed over.
fn watched(columns: &WantedColumns) -> WantedColumns {
    columns.clone().strictly(Undeclared::HandOver, true, vec![false; columns.len()], [])
}

fn read_as_everything(bytes: &[u8]) {
    let limits = BlockLimits { n_bytes: 64, n_rows: 3 };
    let names = columns(&["a", "б.в"]);
    survive(Ok::<_, FormatError>(NdjsonDecoder::new(bytes, &names, limits)));
    survive(Ok::<_, FormatError>(NdjsonDecoder::new(bytes, &watched(&names), limits)));
    survive(Ok::<_, FormatError>(JsonDecoder::new(bytes, None, &names, limits)));
    survive(Ok::<_, FormatError>(JsonDecoder::new(bytes, Some("data.items"), &names, limits)));
    for row in ["/s:Envelope/s:Body/c:Cases/c:Case", "/*/*", "/a"] {
        let names = columns(&["@id", ".", "../@region", "Note", "*/@kind"]);
        survive(XmlDecoder::new(bytes, &formats_xml::options(row), &names, limits));
        survive(XmlDecoder::new(bytes, &formats_xml::options(row), &watched(&names), limits));
    }
    for encoding in [encoding_rs::UTF_8, encoding_rs::IBM866, encoding_rs::UTF_16LE, encoding_rs::UTF_16BE] {
        let options = CsvOptions { encoding, skip_lines: 1, skip_rows: vec!["итого".to_owned()], ..csv_options() };
        survive(CsvDecoder::new(bytes, options, &columns(&[]), limits));
    }
    let options = formats_xlsx::options();
    survive(XlsxDecoder::new(Cursor::new(bytes.to_vec()), options, &columns(&[]), limits, UnpackLimits::default()));
    let _ = read_parquet(bytes.to_vec(), &["a"], limits);
}

proptest! {
    #[test]
    fn random_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn text_of_brackets_is_survived(text in "([ab1;\"\n\r {}\\[\\]:,\\\\u<>/&!?=-]|<a|</a>|<!--|\\[CDATA\\[|&#1;|\\PC){0,120}") {
        read_as_everything(text.as_bytes());
    }

    #[test]
    fn changed_files_are_survived(file in 0_usize..4, changes in proptest::collection::vec(change(), 1..6)) {
        let file = [JSON, NDJSON, CSV, formats_xml::MESSAGE][file];
        read_as_everything(&changed(file.as_bytes(), &changes));
    }

    #[test]
    fn changed_parquet_is_survived(changes in proptest::collection::vec(change(), 1..4)) {
        let _ = read_parquet(changed(&parquet_file(), &changes), &["name", "day", "sum"], BlockLimits::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_workbooks_are_survived(changes in proptest::collection::vec(change(), 1..4)) {
        let bytes = changed(&formats_xlsx::journal(), &changes);
        let _ = formats_xlsx::read(bytes, formats_xlsx::options(), &["Выгрузка"]);
    }

    #[test]
    fn changed_sheets_are_survived(changes in proptest::collection::vec(change(), 1..6), part in 0_usize..4) {
        let name = ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml"][part];
        let bytes = formats_xlsx::with_changed_part(name, |content| changed(&content, &changes));
        let _ = formats_xlsx::read(bytes, formats_xlsx::options(), &["Выгрузка"]);
    }
}

#[test]
fn memory_does_not_grow_with_the_file() {
    // Three million elements, of which no more than a block is ever held.
    struct Endless(u64);
    impl std::io::Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            const ELEMENT: &[u8] = b"{\"a\":1},";
            for (place, byte) in out.iter_mut().enumerate() {
                let at = self.0 + place as u64;
                *byte = if at == 0 { b'[' } else { ELEMENT[(at as usize - 1) % ELEMENT.len()] };
            }
            self.0 += out.len() as u64;
            Ok(out.len())
        }
    }
    let mut decoder = JsonDecoder::new(Endless(0), None, &columns(&["a"]), BlockLimits::default());
    let mut n_rows = 0;
    while n_rows < 3_000_000 {
        let block = decoder.next_block().unwrap().unwrap();
        assert!(block.rows.len() <= BlockLimits::default().n_rows);
        n_rows += block.rows.len();
    }
}
