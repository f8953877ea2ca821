//! What is said about a wrong declaration.

use super::bench_project::{BenchProject, JOURNAL};

/// The problems of the journal's pipeline with a part of it replaced.
pub(super) fn problems_with(part: &str, replacement: &str) -> String {
    assert!(JOURNAL.contains(part), "{part}");
    let project = BenchProject::new();
    project.write("pipelines/journal.yaml", &JOURNAL.replacen(part, replacement, 1));
    project.load().unwrap_err().to_string()
}

#[test]
fn each_mistake_is_told_at_its_place() {
    let cases = [
        (
            "contract: cases",
            "contract: casses",
            "error: pipelines/journal.yaml:4:11: `contract`: there is no contract `casses`\n  \
             4 | contract: casses\n    |           ^^^^^^  help: did you mean `cases`?",
        ),
        (
            "municipality: {from",
            "municipaliti: {from",
            "error: pipelines/journal.yaml:19:3: `values`: the contract `cases` has no column `municipaliti`\n  \
             19 |   municipaliti: {from: oktmo}\n     |   ^^^^^^^^^^^^  help: did you mean `municipality`?",
        ),
        (
            "person_id: {from: insurance}",
            "person_id: {from: insurance, const: x}",
            "error: pipelines/journal.yaml:21:3: `person_id`: expected exactly one of `from`, `const`, `lookup`, `expr`, found 2\n  \
             21 |   person_id: {from: insurance, const: x}\n     |   ^^^^^^^^^",
        ),
        (
            "event: granted",
            "event: grantd",
            "error: pipelines/journal.yaml:26:13: `event`: the contract `cases` has no event `grantd`\n  \
             26 |   - {event: grantd, at: decided, when: \"decision = 'признан'\", values: {amount: {from: sum}}}\n     \
             |             ^^^^^^  help: did you mean `granted`?",
        ),
        (
            "\"decision = 'признан'\"",
            "\"decisio = 'признан'\"",
            "error: pipelines/journal.yaml:26:41: `when`: there is no column `decisio`\n  \
             26 |   - {event: granted, at: decided, when: \"decisio = 'признан'\", values: {amount: {from: sum}}}\n     \
             |                                         ^^^^^^^^^^^^^^^^^^^^^  help: did you mean `decision`?",
        ),
        (
            "format:\n",
            "schedule: {cron: \"0 3 * * *\"}\nformat:\n",
            "error: pipelines/journal.yaml:6:18: `cron`: expected 6 or 7 fields, found 5\n  \
             6 | schedule: {cron: \"0 3 * * *\"}\n    \
             |                  ^^^^^^^^^^^  help: the first field is seconds, e.g. \"0 0 3 * * *\"",
        ),
        (
            "format:\n",
            "schedule: {cron: \"0 0 3 * * *\", time_limit_secs: 0}\nformat:\n",
            "`time_limit_secs`: expected 1 to 604800 seconds, found 0",
        ),
    ];
    for (part, replacement, expected) in cases {
        let found = problems_with(part, replacement);
        assert!(found.contains(expected), "found:\n{found}\nexpected:\n{expected}");
    }
}

#[test]
fn other_mistakes_have_their_sentences() {
    let cases = [
        ("pipeline: journal", "pipeline: Журнал", "2:1"),
        ("at: applied}", "at: number}", "`at`: `number` is of type string, expected a date or a timestamp"),
        ("list: channels", "list: chanels", "`list`: there is no code list `chanels`"),
        ("by: journal_code", "by: jornal_code", "`by`: the code list `channels` has no column `jornal_code`"),
        ("windows-1251", "windows-1252x", "`encoding`: `windows-1252x` is not an encoding"),
        ("separator: \";\"", "separator: \";;\"", "`separator`: expected one ASCII character, found `;;`"),
        ("\"%d.%m.%Y\"", "\"%d.%m\"", "`format`: `%d.%m` does not name year, month and day"),
        ("\"'47-' || number\"", "\"applied\"", "`expr`: gives date, expected string"),
        ("\"'47-' || number\"", "\"MAX(number)\"", "`expr`: an expression sees one row at a time"),
        (
            "  municipality: {from: oktmo}\n",
            "",
            "`emit`: the contract `cases` requires `municipality`, which is not given",
        ),
        (
            "from: oktmo}",
            "from: applied}",
            "`from`: `applied` is of type date, the contract's `municipality` is of type string",
        ),
        ("{name: way,", "{name: number,", "`name`: `number` is declared twice"),
        ("type: integer", "type: int", "unknown variant `int`"),
        ("{from: oktmo}", "{const: \"5\"}", "`const`: the code list `municipalities` has no `code` `5`"),
        ("source: {files: \"in/journal-*.csv\"}", "source: {files: \"in/***.csv\"}", "`files`: "),
        ("columns:\n", "ignore: [\"ФИО\"]\ncolumns:\n", "`ignore`: has no meaning without `schema_change`"),
        (
            "columns:\n",
            "schema_change: freeze\nignore: [\"Сумма\"]\ncolumns:\n",
            "`ignore`: `Сумма` is one of the columns",
        ),
        ("columns:\n", "schema_change: thaw\ncolumns:\n", "unknown variant `thaw`"),
        ("{name: way,", "{name: extra_way,", "`name`: `extra_way` is not a name here"),
        ("contract: cases", "contract: cases\ntime_zone: Mars/Phobos", "`time_zone`: `Mars/Phobos` is not a time zone"),
    ];
    for (part, replacement, expected) in cases.into_iter().skip(1) {
        let found = problems_with(part, replacement);
        assert!(found.contains(expected), "found:\n{found}\nexpected:\n{expected}");
    }
}

#[test]
fn all_problems_of_all_files_come_at_once() {
    let project = BenchProject::new();
    project.write("pipelines/a.yaml", &JOURNAL.replace("event: granted", "event: x").replace("from: sum", "from: y"));
    project.write("pipelines/b.yaml", JOURNAL);
    project.write("pipelines/c.yaml", "pipeline: c\nshedule: 1\n");
    let problems = project.load().unwrap_err();
    let places: Vec<String> =
        problems.sorted().iter().map(|problem| format!("{}:{}", problem.path.display(), problem.line)).collect();
    assert_eq!(places, ["pipelines/a.yaml:26", "pipelines/a.yaml:26", "pipelines/b.yaml:1", "pipelines/c.yaml:2"]);
}
