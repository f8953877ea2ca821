//! What is said about a wrong source, without asking the network.

use regex::Regex;

use super::http_register::project;
use crate::support::project_root;

/// The problems of an HTTP source.
fn problems_of(source: &str) -> String {
    let source =
        if source.starts_with("url:") { source.to_owned() } else { format!("url: \"http://a.example/b\", {source}") };
    project(&source, "{ndjson: {}}").load().unwrap_err().to_string()
}

#[test]
fn a_secret_never_stands_in_a_declaration_and_is_not_repeated() {
    for source in [
        "auth: {bearer: s3cret}",
        "auth: {basic: {user: a, password: s3cret}}",
        "auth: {oauth2: {token_url: \"http://a.example/t\", client_id: a, client_secret: s3cret}}",
        "headers: {Authorization: Bearer s3cret}",
        "headers: {X-Api-Key: s3cret}",
        "query: {access_token: s3cret}",
        "url: \"http://user:s3cret@a.example/b\"",
    ] {
        let told = problems_of(source);
        assert!(told.starts_with("error: pipelines/journal.yaml:5:"), "{told}");
        assert!(
            told.contains("a secret never stands in a declaration\n  help: write `{env: NAME}` or `{file: path}`"),
            "{told}"
        );
        assert!(!told.contains("s3cret"), "{told}");
    }
}

#[test]
fn mistakes_of_http_have_their_sentences() {
    let cases = [
        ("url: \"ftp://a.example\"", "`url`: expected an address that begins with https:// or http://"),
        ("url: \"http://a.example/b?c=1\"", "`url`: parameters do not belong to the address"),
        ("headers: {\"a b\": c}", "`headers`: `a b` is no name of a header"),
        ("timeouts: {idle: 5 parsecs}", "`idle`: `5 parsecs` is no length of time"),
        ("paging: {pages: {}}", "unknown variant `pages`, expected one of page, offset, cursor, link"),
        ("paging: {cursor: {}}", "`paging`: `cursor` needs exactly one of `path` and `header`"),
        ("paging: {cursor: {path: next}}", "`path`: only a JSON body has a path"),
        ("rows: a..b", "`rows`: `a..b` is no path"),
        ("cursor: {column: savd, parameter: a}", "`column`: there is no column `savd`"),
        ("cursor: {column: saved, parameter: a, late_window: soon}", "`late_window`: `soon` does not fit the column"),
        ("cursor: {column: id, parameter: a, late_window: 3d}", "`late_window`: `3d` does not fit the column"),
        ("cursor: {column: id, parameter: a, format: \"%Y\"}", "`format`: only dates and timestamps have one"),
        ("cursor: {column: at, parameter: a, format: \"%H\"}", "`format`: `%H` is not a date pattern for this column"),
        ("cursor: {column: at, parameter: a, start: yesterday}", "`start`: `yesterday` does not fit the column"),
        ("auth: {bearer: {env: \"\"}}", "`bearer`: `` is no name of a variable or file"),
        ("auth: {bearer: {vault: a}}", "unknown variant `vault`"),
        ("retry: {}", "`retry`"),
        ("auth: {bearer: {env: A, file: b}}", "expected exactly one of `env` and `file`"),
    ];
    for (source, expected) in cases {
        let told = problems_of(source);
        assert!(told.contains(expected), "{source}\nfound:\n{told}\nexpected:\n{expected}");
        assert!(told.starts_with("error: pipelines/journal.yaml:5:"), "{told}");
    }
    let csv = project("url: \"http://a.example/b\", rows: a", "{csv: {}}").load().unwrap_err().to_string();
    assert!(csv.contains("`rows`: the rows of a JSON body are NDJSON"), "{csv}");
}

#[test]
fn mistakes_of_postgres_have_their_sentences() {
    let good = "connection: {env: REGISTER}, query: SELECT 1";
    let told = |source: &str, more: &str| {
        let project = project("url: \"http://a.example/b\"", "{ndjson: {}}");
        let text = fs_err::read_to_string(project.root().join("pipelines/journal.yaml")).unwrap();
        let text = text.replace("http: {url: \"http://a.example/b\"}", &format!("postgres: {{{source}}}"));
        project.write("pipelines/journal.yaml", &text.replace("format: {ndjson: {}}\n", more));
        project.load().map(|_| ()).map_err(|problems| problems.to_string())
    };
    assert_eq!(told(good, ""), Ok(()));
    let cases = [
        (
            "connection: \"postgres://u:s3cret@h/d\", query: SELECT 1",
            "`connection`: a secret never stands in a declaration",
        ),
        ("connection: {env: A}, query: DELETE FROM a", "`query`: does not begin with SELECT"),
        ("connection: {env: A}, query: SELECT 1; SELECT 2", "`query`: has more than one statement"),
        ("connection: {env: A}, query: SELECT 1, sslmode: strong", "unknown variant `strong`"),
        ("connection: {env: A}, query: SELECT 1, cursor: {column: nothing}", "`column`: there is no column `nothing`"),
        ("connection: {env: A}, query: SELECT 1, connect_timeout: 0s", "`connect_timeout`: `0s` is no length of time"),
    ];
    for (source, expected) in cases {
        let told = told(source, "").unwrap_err();
        assert!(told.contains(expected) && !told.contains("s3cret"), "{source}\nfound:\n{told}\nexpected:\n{expected}");
    }
    let format = told(good, "format: {ndjson: {}}\n").unwrap_err();
    assert!(format.contains("`format`: the rows of a query have none"), "{format}");
}

#[test]
fn a_personal_column_is_no_cursor_and_other_sources_have_a_format() {
    let project = project("url: \"http://a.example/b\", cursor: {column: id, parameter: a}", "{ndjson: {}}");
    let path = project.root().join("pipelines/journal.yaml");
    let text = fs_err::read_to_string(&path).unwrap();
    project.write("pipelines/journal.yaml", &text.replace("values:\n", "values:\n  person_id: {from: id}\n"));
    let told = project.load().unwrap_err().to_string();
    assert!(told.contains("`column`: `id` feeds a personal column of the contract"), "{told}");
    project.write("pipelines/journal.yaml", &text.replace("format: {ndjson: {}}\n", ""));
    let told = project.load().unwrap_err().to_string();
    assert!(told.contains("`format`: is missing"), "{told}");
}

#[test]
fn the_examples_of_the_manual_are_right() {
    let manual = fs_err::read_to_string(project_root().join("pipelines/README.md")).unwrap();
    let example = Regex::new(r"(?s)```yaml\n(source:\n.*?)```").unwrap();
    let examples: Vec<_> = example.captures_iter(&manual).map(|found| found[1].to_owned()).collect();
    assert_eq!(examples.len(), 4);
    for example in examples {
        let project = project("url: \"http://a.example/b\"", "{ndjson: {}}");
        let text = fs_err::read_to_string(project.root().join("pipelines/journal.yaml")).unwrap();
        let has_format = !example.contains("postgres:") && !example.contains("\nformat:");
        let text = if has_format { text } else { text.replace("format: {ndjson: {}}\n", "") };
        let text =
            text.replace("source: {http: {url: \"http://a.example/b\"}}\n", &example).replace("saved", "changed");
        project.write("pipelines/journal.yaml", &text);
        let (_, _, pipelines) = project.load().unwrap_or_else(|problems| panic!("{problems}"));
        assert!(!matches!(pipelines[0].source(), svod::pipelines::sources::Source::Files { .. }));
    }
}
