//! JSON documents: where the list is, how it is cut, and what a break costs.

use proptest::prelude::*;
use svod::pipelines::formats::json::JsonDecoder;
use svod::pipelines::formats::{BlockLimits, FormatError};

use super::bench_project::BenchProject;
use super::formats::{Rows, columns, drain, text};

fn read(json: &str, rows: Option<&str>, names: &[&str], limits: BlockLimits) -> Result<Rows, FormatError> {
    drain(&mut JsonDecoder::new(json.as_bytes(), rows, &columns(names), limits))
}

fn error(json: &str, rows: Option<&str>) -> String {
    read(json, rows, &["a"], BlockLimits::default()).unwrap_err().to_string()
}

#[test]
fn a_list_is_found_at_the_top_and_at_a_path() {
    let list = "[{\"a\": 1, \"b\": {\"c\": \"д]}\\\"\"}},\n {\"a\": null}\n, {}]";
    let expected = [(1, vec![text("1"), text("д]}\"")]), (2, vec![None, None]), (3, vec![None, None])];
    let document = format!("\u{feff} {{\"total\": 3, \"data\": {{\"items\": {list}, \"x\": [1]}}, \"y\": {{}}}}\n");
    for n_rows in [1, 2, 9] {
        let limits = BlockLimits { n_bytes: 1 << 20, n_rows };
        assert_eq!(read(list, None, &["a", "b.c"], limits).unwrap(), (expected.to_vec(), Vec::new()));
        assert_eq!(
            read(&document, Some("data.items"), &["a", "b.c"], limits).unwrap(),
            (expected.to_vec(), Vec::new())
        );
    }
    for nothing in ["[]", "null", " [ ] "] {
        let document = format!("{{\"rows\":{nothing}}}");
        assert_eq!(read(&document, Some("rows"), &["a"], BlockLimits::default()).unwrap(), Rows::default());
    }
}

#[test]
fn a_broken_element_costs_itself() {
    let json = "[{\"a\": 01}, 5, {\"a\": [1]}, {\"a\":\n tru}, {\"a\": 2}, {\"b\": 3}]";
    let (rows, broken) = read(json, None, &["a", "b.c"], BlockLimits::default()).unwrap();
    assert_eq!(rows, [(5, vec![text("2"), None])]);
    let sentences: Vec<String> = broken.into_iter().map(|(row, sentence)| format!("{row} {sentence}")).collect();
    let advice = "каждый элемент списка должен быть объектом JSON";
    assert_eq!(
        sentences,
        [
            format!("1 элемент списка 1: не JSON, ошибка в позиции 8; {advice}"),
            format!("2 элемент списка 2: не объект JSON; {advice}"),
            "3 элемент списка 3: «a» – список или объект вместо одного значения; исправьте выгрузку".to_owned(),
            format!("4 элемент списка 4: не JSON, ошибка в его строке 2, позиция 5; {advice}"),
            "6 элемент списка 6: «b.c» не найти: на пути к нему одно значение вместо объекта; исправьте выгрузку"
                .to_owned(),
        ]
    );
}

#[test]
fn an_endless_element_is_left_out() {
    let json = format!("[{{\"a\":1}},\n{{\"a\":\"{}\"}},{{\"a\":3}}]", "x".repeat(20 << 20));
    let (rows, broken) = read(&json, None, &["a"], BlockLimits { n_bytes: 1 << 20, n_rows: 10 }).unwrap();
    assert_eq!(rows, [(1, vec![text("1")]), (3, vec![text("3")])]);
    assert_eq!(broken, [(2, "элемент списка 2: длиннее 8 МиБ; исправьте выгрузку".to_owned())]);
}

#[test]
fn a_broken_document_is_refused_with_its_place() {
    let broken = |line, n_rows, problem| format!("the JSON is broken on line {line}, after {n_rows} rows: {problem}");
    assert_eq!(error("[{\"a\":1},\n{\"a\":2}", None), broken(2, 2, "the file breaks off"));
    assert_eq!(error("[{\"a\":1},\n{\"a\":", None), broken(2, 1, "the file breaks off"));
    assert_eq!(error("", None), broken(1, 0, "the file breaks off"));
    assert_eq!(error("[{\"a\":1}\n\n {\"a\":2}]", None), broken(3, 1, "`,` or `]` is missing after an element"));
    assert_eq!(error("[{\"a\":1},]", None), broken(1, 1, "a value is missing"));
    assert_eq!(error("[{\"a\":1]}]", None), broken(1, 0, "a bracket is closed by the wrong one"));
    assert_eq!(error("[] []", None), broken(1, 0, "something follows the end of the document"));
    assert_eq!(error("{\"r\":[],\"r\":[{}]}", Some("r")), broken(1, 0, "a key on the way to the rows is there twice"));
    assert_eq!(error(&"[".repeat(300), None), broken(1, 0, "brackets are nested too deeply"));
    assert_eq!(
        error("{\"data\":{\"rows\":[]}}", Some("data.items")),
        "there is no list of rows at `data.items`; `rows` of the format says where it is"
    );
    assert_eq!(
        error("{\"data\":[]}", None),
        "there is no list of rows at the top of the document; `rows` of the format says where it is"
    );
}

#[tokio::test]
async fn a_document_becomes_events() {
    let project = BenchProject::with_format("in/*.json", "  json: {rows: data.items, decimal_comma: true}");
    let row = r#"{"N": 15, "Дата обращения": "25.03.2024", "Способ": 2, "ОКТМО": "41000001", "СНИЛС": "112-233-445 95",
        "Дата решения": "29.03.2024", "Решение": "признан", "Сумма": "1 234,50"}"#;
    let broken = row.replace("41000001", "999");
    project.write("in/page.json", &format!(r#"{{"data": {{"items": [{row}, {broken}]}}}}"#));
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.rejected, report.events), (2, 1, 1, 2));
    assert_eq!(
        project.events(&["case_id", "event", "amount", "_file", "_row"]).await,
        ["47-15 | granted | 1234.5 | in/page.json | 1", "47-15 | registered |  | in/page.json | 1"]
    );
    let rejected = project.rejected(&["row", "rule", "raw"]).await;
    assert!(rejected[0].starts_with("2 | reference | {\"N\":15,"), "{rejected:?}");
    assert!(rejected[0].contains("\"СНИЛС\":\"•••\""), "{rejected:?}");
}

proptest! {
    #[test]
    fn any_list_is_cut_as_a_general_reader_cuts_it(
        values in proptest::collection::vec((any::<Option<String>>(), any::<i64>()), 0..8),
        pretty in any::<bool>(),
        n_bytes in 1_usize..200,
    ) {
        let list: Vec<_> = values.iter().map(|(a, b)| serde_json::json!({"x": [a, {"y": a}], "a": a, "б": {"в": b}})).collect();
        let document = serde_json::json!({"page": 1, "data": {"a": [[]], "items": list}, "end": "]"});
        let json = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) }.unwrap();
        let limits = BlockLimits { n_bytes, n_rows: 3 };
        let (rows, broken) = read(&json, Some("data.items"), &["a", "б.в"], limits).unwrap();
        prop_assert!(broken.is_empty());
        let expected: Vec<_> =
            values.iter().zip(1..).map(|((a, b), place)| (place, vec![a.clone(), Some(b.to_string())])).collect();
        prop_assert_eq!(rows, expected);
    }
}
