//! XML documents: where rows and values stand, and what is refused.

use std::collections::BTreeMap;

use svod::pipelines::formats::xml::{XmlDecoder, XmlOptions};
use svod::pipelines::formats::{BlockLimits, FormatError};

use super::bench_project::BenchProject;
use super::formats::{Rows, columns, drain, text};

pub(super) fn options(row: &str) -> XmlOptions {
    let namespaces = BTreeMap::from([
        ("s".to_owned(), "http://schemas.xmlsoap.org/soap/envelope/".to_owned()),
        ("c".to_owned(), "urn://region.example/cases/1.0".to_owned()),
    ]);
    XmlOptions { row: row.to_owned(), namespaces }
}

fn read(xml: &[u8], row: &str, names: &[&str], limits: BlockLimits) -> Result<Rows, FormatError> {
    drain(&mut XmlDecoder::new(xml, &options(row), &columns(names), limits)?)
}

fn error(xml: &str, row: &str, names: &[&str]) -> String {
    read(xml.as_bytes(), row, names, BlockLimits::default()).unwrap_err().to_string()
}

/// A message as systems of interagency exchange send it.
pub(super) const MESSAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <soap:Header><MessageID>7f1</MessageID></soap:Header>
  <soap:Body>
    <!-- <Case id="0"/> -->
    <ns2:Cases xmlns:ns2="urn://region.example/cases/1.0" region="41">
      <ns2:Office code="012"><ns2:Name>Выборг &amp; Гатчина</ns2:Name></ns2:Office>
      <ns2:Case id="A-1">
        <ns2:Applicant kind="person"><ns2:Snils>112-233-445 95</ns2:Snils></ns2:Applicant>
        <ns2:Note><![CDATA[<да> ]]>и &#1085;ет</ns2:Note>
      </ns2:Case>
      <Case xmlns="urn://region.example/cases/1.0" id="A-2"><Note/><Applicant kind="&quot;x&quot;"/></Case>
      <ns2:Case id="A-3"><ns2:Note xsi:nil="true"/></ns2:Case>
    </ns2:Cases>
    <Cases xmlns="urn://other"><Case id="B-1"/></Cases>
  </soap:Body>
</soap:Envelope>
"#;

const PATHS: [&str; 7] = [
    "@id",
    "c:Applicant/c:Snils",
    "Applicant/@kind",
    "Note",
    "../@region",
    "../Office/Name",
    "/s:Envelope/s:Header/MessageID",
];

#[test]
fn one_document_gives_several_rows() {
    let row = "/s:Envelope/s:Body/c:Cases/c:Case";
    for n_rows in [1, 2, 9] {
        let limits = BlockLimits { n_bytes: 1 << 20, n_rows };
        let (rows, broken) = read(MESSAGE.as_bytes(), row, &PATHS, limits).unwrap();
        assert!(broken.is_empty(), "{broken:?}");
        let office = || vec![text("41"), text("Выборг & Гатчина"), text("7f1")];
        let of = |own: [Option<String>; 4]| own.into_iter().chain(office()).collect::<Vec<_>>();
        assert_eq!(
            rows,
            [
                (1, of([text("A-1"), text("112-233-445 95"), text("person"), text("<да> и нет")])),
                (2, of([text("A-2"), None, text("\"x\""), text("")])),
                (3, of([text("A-3"), None, None, None])),
            ]
        );
    }
    // Without namespaces in the path, those of the document do not matter.
    let (rows, _) = read(MESSAGE.as_bytes(), "/*/Body/Cases/Case", &["@id"], BlockLimits::default()).unwrap();
    assert_eq!(rows.len(), 4);
}

#[test]
fn the_document_names_its_encoding() {
    let xml = "<?xml version='1.0' encoding='ENCODING' ?>\n<a><b>Дата</b></a>";
    let expected = [(1, vec![text("Дата")])];
    for (label, encoding) in [("windows-1251", encoding_rs::WINDOWS_1251), ("KOI8-R", encoding_rs::KOI8_R)] {
        let bytes = encoding.encode(&xml.replace("ENCODING", label)).0.into_owned();
        assert_eq!(read(&bytes, "/a/b", &["."], BlockLimits::default()).unwrap().0, expected);
    }
    let wide = xml.replace("ENCODING", "UTF-16");
    let little: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = format!("\u{feff}{wide}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = format!("\u{feff}{}", xml.replace("ENCODING", "utf-8")).into_bytes();
    for bytes in [little, big, marked] {
        assert_eq!(read(&bytes, "/a/b", &["."], BlockLimits::default()).unwrap().0, expected);
    }
    assert_eq!(
        error(&xml.replace("ENCODING", "cp-1"), "/a/b", &["."]),
        "the document says that it is in the encoding `cp-1`, which is not known"
    );
    let (rows, broken) = read(b"<a><b>\xff</b><b>1</b></a>", "/a/b", &["."], BlockLimits::default()).unwrap();
    assert_eq!(rows, [(2, vec![text("1")])]);
    assert_eq!(
        broken,
        [(1, "запись 1, строка файла 1: есть байты, которых нет в кодировке документа; исправьте выгрузку".to_owned())]
    );
}

#[test]
fn a_row_without_one_clear_value_is_broken() {
    let xml =
        "<a>\n<b><x>1</x><x>2</x></b>\n<b><x>1<y/></x></b>\n<b>\n<x>&foo;</x></b>\n<b><z>&foo;</z><x>4</x></b></a>";
    let (rows, broken) = read(xml.as_bytes(), "/a/b", &["x"], BlockLimits::default()).unwrap();
    assert_eq!(rows, [(4, vec![text("4")])]);
    let sentences: Vec<&str> = broken.iter().map(|(_, sentence)| sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "запись 1, строка файла 2: «x» – несколько значений вместо одного; исправьте выгрузку",
            "запись 2, строка файла 3: «x» – вложенные элементы вместо одного значения; исправьте выгрузку",
            "запись 3, строка файла 4: «x» – ссылка на неизвестную сущность; исправьте выгрузку",
        ]
    );
}

#[test]
fn a_document_of_another_shape_is_refused() {
    let empty = read(b"<a><b/></a>", "/a/b/c", &["x"], BlockLimits::default()).unwrap();
    assert_eq!(empty, Rows::default());
    assert_eq!(
        error("<a><d/></a>", "/a/b/c", &["x"]),
        "there is no element `/a/b` in the document; `row` of the format says which elements are rows"
    );
    assert!(error("<x/>", "/a", &["."]).starts_with("there is no element `/a` in the document"));
    assert_eq!(
        error("<a><b/>\n<h>1</h></a>", "/a/b", &["../h"]),
        "`../h` stands on line 2, behind the first row that it belongs to; documents are read from front to back, so it cannot be had"
    );
    let broken = |line, n_rows, problem| format!("the XML is broken on line {line}, after {n_rows} rows: {problem}");
    assert_eq!(error("<a><b/>\n<b>", "/a/b", &["."]), broken(2, 1, "the document breaks off"));
    assert_eq!(error("", "/a/b", &["."]), broken(1, 0, "the document breaks off"));
    assert_eq!(error("<a/>\n<a/>", "/a/b", &["."]), broken(2, 0, "a second root element"));
    assert_eq!(error("<a/>x", "/a/b", &["."]), broken(1, 0, "text outside of the root element"));
    assert_eq!(error(&"<a>".repeat(200), "/a/b", &["."]), broken(1, 0, "more than 100 elements inside each other"));
    assert!(error("<a>\n<b></c></a>", "/a/b", &["."]).starts_with("the XML is broken on line 2, after 0 rows: "));
}

#[test]
fn nothing_hides_in_a_document_type() {
    let xml = "<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;&x;\">]>\n<a><b>&y;</b></a>";
    assert_eq!(
        error(xml, "/a/b", &["."]),
        "the XML is broken on line 1, after 0 rows: a document type (`<!DOCTYPE`) is declared, which may hide anything; ask for the document without it"
    );
}

#[test]
fn an_endless_row_does_not_swallow_the_memory() {
    let xml = format!("<a>\n<b>{}</b></a>", "<x>1</x>".repeat(2 << 20));
    assert!(error(&xml, "/a/b", &["x"]).starts_with("the row that begins on line 2 is longer than 8 MiB"));
    let xml = format!("<a>\n<x>{}</x></a>", "1".repeat(20 << 20));
    assert!(error(&xml, "/a/b", &["."]).starts_with("the row that begins on line 2 is longer than 8 MiB"));
}

#[tokio::test]
async fn a_document_becomes_events() {
    let project = BenchProject::new();
    project.write(
        "pipelines/journal.yaml",
        r#"pipeline: journal
title: {ru: Журнал, en: Journal}
description: Applications of the exchange.
contract: cases
source: {files: "in/*.xml"}
format:
  xml: {row: "/c:Cases/c:Case", namespaces: {c: "urn://region.example/cases/1.0"}}
columns:
  - {name: number, from: "@id", type: string, required: true}
  - {name: applied, from: "c:Applied", type: date, required: true}
  - {name: oktmo, from: "../@oktmo", type: string}
  - {name: insurance, from: "c:Applicant/c:Snils", type: string}
values:
  case_id: {from: number}
  municipality: {from: oktmo}
  person_id: {from: insurance}
emit:
  - {event: registered, at: applied}
"#,
    );
    let case = |id: &str, day: &str| {
        format!(
            "<n:Case id=\"{id}\"><n:Applied>{day}</n:Applied><n:Applicant><n:Snils>112-233-445 95</n:Snils></n:Applicant></n:Case>"
        )
    };
    let cases = [case("A-1", "2024-03-25"), case("A-2", "2024-03-32")].concat();
    let xml = format!("<n:Cases xmlns:n=\"urn://region.example/cases/1.0\" oktmo=\"41000001\">{cases}</n:Cases>");
    project.write("in/1.xml", &xml);
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.rejected), (2, 1, 1));
    assert_eq!(
        project.events(&["case_id", "occurred_on", "municipality", "_row"]).await,
        ["A-1 | 2024-03-25 | 41000001 | 1"]
    );
    assert_eq!(project.rejected(&["row", "raw"]).await, ["2 | A-2;2024-03-32;41000001;•••"]);
}
