//! Rejected rows are listed, shown, and sent through again when what rejected them was mended.

use crate::support::Program;

use super::bench_project::BenchProject;

const GOOD: &str = "15;25.03.2024;2;41000001;Иванов И. И.;112-233-445 95;29.03.2024;признан;1 234,50";
const UNKNOWN_PLACE: &str = "16;26.03.2024;2;41000003;Петров П. П.;112-233-445 96;;-;";
const WRONG_DATE: &str = "17;31.02.2024;1;41000001;;;;-;";

fn program(project: &BenchProject) -> Program {
    Program { project: project.root().to_owned(), data: tempfile::tempdir().unwrap() }
}

/// Adds the missing municipality to the code list.
fn mend(project: &BenchProject) {
    let list = "code,name_ru,name_en\n41000001,Выборг,Vyborg\n41000002,Гатчина,Gatchina\n41000003,Кириши,Kirishi\n";
    project.write("warehouse/reference/municipalities.csv", list);
}

fn select(program: &Program, text: &str) -> Vec<String> {
    let csv = program.succeed(["sql", "--format", "csv", text]);
    csv.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn mended_rows_are_accepted_and_leave_the_quarantine() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD, UNKNOWN_PLACE, WRONG_DATE]);
    project.write_journal("in/journal-2.csv", &[WRONG_DATE]);
    let program = program(&project);
    program.succeed(["run"]);
    let listed = program.succeed(["quarantine", "list", "--format", "csv"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 4, "{listed}");
    assert_eq!(lines[0], "pipeline,file,rule,n_rows,example");
    assert!(lines[1].starts_with("journal,in/journal-1.csv,reference,1,«ОКТМО»: код «41000003»"), "{listed}");
    assert!(lines[2].starts_with("journal,in/journal-1.csv,type,1,"), "{listed}");

    mend(&project);
    let told = program.succeed(["quarantine", "retry", "journal", "--file", "in/journal-1.csv"]);
    assert!(
        told.contains("in/journal-1.csv: 3 rows read again: 1 accepted, 1 known already, 1 still rejected"),
        "{told}"
    );
    let left = "SELECT file, \"row\", rule, batch FROM quarantine ORDER BY file";
    assert_eq!(select(&program, left), ["in/journal-1.csv,3,type,3", "in/journal-2.csv,1,type,2"]);
    assert_eq!(select(&program, "SELECT count(*) FROM cases"), ["3"]);
    let history = "SELECT batch, read, accepted, duplicate, rejected FROM runs ORDER BY batch";
    assert_eq!(select(&program, history), ["1,3,1,0,2", "2,1,0,0,1", "3,3,1,1,1"]);
    // The snapshot from before still shows what was rejected then.
    let before = program.succeed(["quarantine", "list", "--as-of", "1", "--format", "csv"]);
    assert_eq!(before, listed);
    // The file is known, so the next run leaves it alone; the lake is whole.
    assert!(program.succeed(["run"]).contains("unchanged"));
    assert!(program.succeed(["verify"]).contains("sound: 2 snapshots"));
}

#[test]
fn rows_are_shown_with_personal_values_masked() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD, UNKNOWN_PLACE, WRONG_DATE]);
    let program = program(&project);
    program.succeed(["run"]);
    let shown = program.succeed(["quarantine", "show", "journal", "--rule", "reference", "--format", "csv"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "pipeline,file,row,rule,sentence,raw,batch");
    assert_eq!(lines.len(), 2, "{shown}");
    assert!(lines[1].contains("16;26.03.2024;2;41000003;•••;•••;;-;"), "{shown}");
    assert_eq!(
        program.succeed(["quarantine", "show", "journal", "--limit", "1", "--format", "json"]).lines().count(),
        1
    );
    let table = program.succeed(["quarantine", "show", "journal"]);
    assert!(table.contains("41000003") && !table.contains("Петров") && !table.contains("112-233"), "{table}");
    let nothing = program.succeed(["quarantine", "show", "journal", "--file", "in/no.csv"]);
    assert_eq!(nothing, "no row of `journal` from `in/no.csv` is in quarantine\n");
}

#[test]
fn a_file_that_is_gone_or_changed_gets_one_sentence() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[UNKNOWN_PLACE]);
    project.write_journal("in/journal-2.csv", &[GOOD, WRONG_DATE]);
    let program = program(&project);
    program.succeed(["run"]);
    mend(&project);
    project.write_journal("in/journal-1.csv", &[UNKNOWN_PLACE, GOOD]);
    fs_err::remove_file(project.root().join("in/journal-2.csv")).unwrap();
    let outcome = program.run(["quarantine", "retry", "journal"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    for sentence in [
        "`in/journal-1.csv` has changed since batch 1 read it, so that batch's rejected rows cannot be tried again",
        "`svod run journal` reads the file as it is now",
        "`in/journal-2.csv` is not in the source any more, so its rejected rows cannot be read again",
    ] {
        assert!(outcome.stderr.contains(sentence), "{outcome:?}");
    }
    // The changed file is read by a run, and what it does not reject any more is not in quarantine.
    program.succeed(["run"]);
    assert_eq!(select(&program, "SELECT file, batch FROM quarantine"), ["in/journal-2.csv,2"]);
}

#[test]
fn wrong_names_are_exit_code_2() {
    let project = BenchProject::with_journal();
    project.write_journal("in/journal-1.csv", &[GOOD]);
    project.write_journal("in/journal-2.csv", &[WRONG_DATE]);
    let program = program(&project);
    program.succeed(["run"]);
    for (arguments, expected) in [
        (vec!["quarantine", "list", "jurnal"], "there is no pipeline `jurnal`, known: journal"),
        (vec!["quarantine", "show", "jurnal"], "there is no pipeline `jurnal`"),
        (vec!["quarantine", "retry", "jurnal"], "there is no pipeline `jurnal`"),
        (
            vec!["quarantine", "retry", "journal", "--file", "in/journal-1.csv"],
            "no row of `in/journal-1.csv` is in the quarantine of `journal`\n  help: rows of these files are: `in/journal-2.csv`",
        ),
    ] {
        let outcome = program.run(arguments.iter().copied());
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:?}");
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {}", outcome.stderr);
    }
}
