//! What is said about a wrong format.

use super::bench_project::BenchProject;
use super::declarations::problems_with;

const CSV: &str = "csv: {separator: \";\", encoding: windows-1251, decimal_comma: true}";

#[test]
fn a_year_of_two_digits_is_told_at_its_place() {
    let line = "  - {name: applied, from: \"Дата обращения\", type: date, format: \"%d.%m.%y\", required: true}";
    let expected = format!(
        "error: pipelines/journal.yaml:10:65: `format`: `%d.%m.%y` has years of two digits, whose century nobody can know\n  \
         10 | {line}\n     | {}^^^^^^^^^^  help: let the register write four digits, or add `two_digit_years: 1930`, \
         the first year they can mean",
        " ".repeat(64)
    );
    let found = problems_with("\"%d.%m.%Y\"", "\"%d.%m.%y\"");
    assert!(found.contains(&expected), "found:\n{found}\nexpected:\n{expected}");
}

#[test]
fn each_mistake_in_a_format_has_its_sentence() {
    let cases = [
        ("\"%d.%m.%Y\"", "\"%D\"", "`format`: `%D` has years of two digits, whose century nobody can know"),
        (
            "\"%d.%m.%Y\"",
            "\"%d.%m.%y\", two_digit_years: 30",
            "`two_digit_years`: expected a year from 1800 to 2100, found 30",
        ),
        ("\"%d.%m.%Y\"", "excel, two_digit_years: 1930", "`two_digit_years`: `excel` has no `%y`"),
        (", format: \"%d.%m.%Y\"", ", two_digit_years: 1930", "`two_digit_years`: needs a `format` with `%y`"),
        ("separator: \";\"", "separator: \"\\n\"", "`separator`: expected one ASCII character, found `\n`"),
        ("separator: \";\"", "separator: \";\", quote: \";\"", "`quote`: is the separator as well"),
        ("separator: \";\"", "separator: \";\", skip_rows: [\" \"]", "`skip_rows`: an empty text begins every row"),
        ("encoding: windows-1251", "encoding: cp-866", "help: did you mean `cp866`?"),
        (CSV, "json: {rows: data..items}", "`rows`: `data..items` is not a path of keys"),
        (CSV, "xlsx: {header_row: 0}", "`header_row`: expected a number from 1 to 1000, found 0"),
        (CSV, "xlsx: {header_rows: 11}", "`header_rows`: expected a number from 1 to 10, found 11"),
        (CSV, "xlsx: {sheet: 0}", "`sheet`: sheets are counted from 1"),
        (CSV, "xml: {row: Case}", "`row`: `Case` does not begin with `/`, the root of the document"),
        (CSV, "xml: {row: \"/c:Case\"}", "`row`: the prefix `c` is not among `namespaces`, which have nothing"),
        (CSV, "xml: {row: /Case}", "`from`: `Дата обращения` is not the name of an element or attribute"),
        (CSV, "xml: {row: /Case, namespaces: {c: \"\"}}", "`namespaces`: `c: ` is not a prefix and its namespace"),
        ("columns:", "unpack: {member: \"a***\"}\ncolumns:", "`member`: "),
        ("columns:", "unpack: {max_ratio: 0}\ncolumns:", "`max_ratio`: nothing can be unpacked to 0 bytes"),
    ];
    for (part, replacement, expected) in cases {
        let found = problems_with(part, replacement);
        assert!(found.contains(expected), "found:\n{found}\nexpected:\n{expected}");
    }
}

#[test]
fn every_format_can_be_declared() {
    for format in [
        "  csv: {separator: tab, encoding: cp866, skip_lines: 2, skip_rows: [Итого], quote: null}",
        "  ndjson: {decimal_comma: true}",
        "  json: {}",
        "  json: {rows: data.items}",
        "  xlsx: {}",
        "  xlsx: {sheet: Лист1, header_row: 3, header_rows: 2, skip_rows: [Итого], decimal_comma: true}",
        "  xlsx: {sheet: 2}",
        "  parquet: {}",
    ] {
        let project = BenchProject::with_format("in/*", format);
        project.load().unwrap_or_else(|problems| panic!("{format}\n{problems}"));
    }
}
