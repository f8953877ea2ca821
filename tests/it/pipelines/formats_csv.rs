//! CSV as registers write it: encodings, titles, totals, dates and numbers.

use encoding_rs::Encoding;
use svod::pipelines::formats::BlockLimits;
use svod::pipelines::formats::csv::{CsvDecoder, CsvOptions};

use super::bench_project::{BenchProject, HEADER};
use super::formats::{columns, csv_options, drain, text};

#[test]
fn every_encoding_is_read() {
    let csv = "N;Имя\n1;Ёлка «ж» №\n";
    let of = |label: &str| Encoding::for_label(label.as_bytes()).unwrap();
    let wide = |mark: &str, to: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{csv}").encode_utf16().flat_map(to).collect()
    };
    let narrow = |label: &str| of(label).encode(&csv.replace(['«', '»'], "\"")).0.into_owned();
    let cases: [(&str, Vec<u8>); 12] = [
        ("utf-8", csv.as_bytes().to_vec()),
        ("utf-8", format!("\u{feff}{csv}").into_bytes()),
        ("windows-1251", of("windows-1251").encode(csv).0.into_owned()),
        ("cp1251", of("windows-1251").encode(csv).0.into_owned()),
        ("windows-1251", format!("\u{feff}{csv}").into_bytes()),
        ("cp866", narrow("ibm866")),
        ("ibm866", narrow("ibm866")),
        ("utf-16le", wide("", u16::to_le_bytes)),
        ("utf-16le", wide("\u{feff}", u16::to_le_bytes)),
        ("utf-16be", wide("", u16::to_be_bytes)),
        ("utf-16be", wide("\u{feff}", u16::to_be_bytes)),
        ("utf-8", wide("\u{feff}", u16::to_be_bytes)),
    ];
    for (label, bytes) in cases {
        let options = CsvOptions { encoding: of(label), quote: None, ..csv_options() };
        let mut decoder = CsvDecoder::new(&bytes[..], options, &columns(&["Имя"]), BlockLimits::default()).unwrap();
        let (rows, broken) = drain(&mut decoder).unwrap();
        assert!(broken.is_empty(), "{label}: {broken:?}");
        let found = rows[0].1[0].as_deref().unwrap().replace('"', "«");
        assert_eq!(found.replace('»', "«"), "Ёлка «ж« №", "{label}");
    }
    let koi8 = of("koi8-r").encode("N;Имя\n1;Ёлка\n").0.into_owned();
    let options = CsvOptions { encoding: of("koi8-r"), ..csv_options() };
    let mut decoder = CsvDecoder::new(&koi8[..], options, &columns(&["Имя"]), BlockLimits::default()).unwrap();
    assert_eq!(drain(&mut decoder).unwrap().0, [(1, vec![text("Ёлка")])]);
}

#[test]
fn titles_and_totals_are_left_out() {
    let csv = "Журнал за \"март\n\nN;Сумма\n1;5\n;\"Итого \"\n2;x;y\nИТОГО: 5\nИсполнитель;Иванов\n3;6\n";
    let skip_rows = vec!["итого".to_owned(), "исполнитель".to_owned()];
    for n_rows in [1, 2, 9] {
        let options = CsvOptions { skip_lines: 2, skip_rows: skip_rows.clone(), ..csv_options() };
        let limits = BlockLimits { n_bytes: 5, n_rows };
        let mut decoder = CsvDecoder::new(csv.as_bytes(), options, &columns(&["N"]), limits).unwrap();
        let (rows, broken) = drain(&mut decoder).unwrap();
        assert_eq!(rows, [(1, vec![text("1")]), (6, vec![text("3")])]);
        assert_eq!(
            broken,
            [(3, "строка файла 6: полей 3, а должно быть 2; проверьте разделители и кавычки".to_owned())]
        );
    }
}

#[tokio::test]
async fn a_journal_of_tabs_serials_and_short_years_becomes_events() {
    let project = BenchProject::with_format(
        "in/*.tsv",
        "  csv: {separator: tab, encoding: cp866, skip_lines: 1, skip_rows: [Итого], decimal_comma: true}",
    );
    let pipeline = fs_err::read_to_string(project.root().join("pipelines/journal.yaml")).unwrap();
    let pipeline = pipeline.replacen("format: \"%d.%m.%Y\"", "format: excel", 1).replacen(
        "format: \"%d.%m.%Y\"",
        "format: \"%d.%m.%y\", two_digit_years: 1950",
        1,
    );
    project.write("pipelines/journal.yaml", &pipeline);
    let rows = [
        "15;45376;2;41000001;;;29.03.24;признан;1 234,50",
        "16;25.03.2024;2;41000001;;;29.03.2024;;",
        "Итого;;;;;;;;1",
    ];
    let text = format!("Журнал\r\n{HEADER}\r\n{}\r\n", rows.join("\r\n")).replace(';', "\t");
    project.write_bytes("in/journal.tsv", &encoding_rs::IBM866.encode(&text).0);
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.rejected), (2, 1, 1));
    assert_eq!(
        project.events(&["case_id", "event", "occurred_on", "amount"]).await,
        ["47-15 | granted | 2024-03-29 | 1234.5", "47-15 | registered | 2024-03-25 | "]
    );
    assert_eq!(
        project.rejected(&["row", "sentence"]).await,
        ["2 | «Дата обращения»: «25.03.2024» – не дата вида 45376 (число дней в Excel); исправьте в реестре"]
    );
}
