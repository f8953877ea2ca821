//! What the README tells a newcomer to write has to work as it stands there.

use std::path::Path;

use regex::Regex;

use crate::support::{Program, project_root};

/// A copy of the shipped declarations with the files of the README's examples.
fn project_of_the_readme(folder: &Path) -> Program {
    let root = project_root();
    fs_err::copy(root.join("svod.yaml"), folder.join("svod.yaml")).unwrap();
    for name in [
        "pipelines",
        "warehouse/contracts",
        "warehouse/reference",
        "warehouse/regulations",
        "sql/models",
        "sql/indicators",
        "dashboards",
    ] {
        fs_err::create_dir_all(folder.join(name)).unwrap();
        for entry in fs_err::read_dir(root.join(name)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs_err::copy(&path, folder.join(name).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let readme = fs_err::read_to_string(root.join("README.md")).unwrap();
    let example = Regex::new(r"(?s)```(?:yaml|sql)\n(?:#|--) (\S+)\n(.*?)```").unwrap();
    let examples: Vec<_> = example.captures_iter(&readme).collect();
    assert_eq!(examples.len(), 10);
    let code = Regex::new(r"`(fuel\w*,.*?)`").unwrap();
    let codes: Vec<_> = code.captures_iter(&readme).map(|found| found[1].to_owned()).collect();
    for (name, code) in ["regulations.csv", "clocks.csv"].iter().zip(codes) {
        let path = folder.join("warehouse/reference").join(name);
        let list = fs_err::read_to_string(&path).unwrap();
        fs_err::write(path, format!("{list}{code}\n")).unwrap();
    }
    for found in examples {
        fs_err::write(folder.join(&found[1]), &found[2]).unwrap();
    }
    Program { project: folder.to_owned(), data: tempfile::tempdir().unwrap() }
}

#[test]
fn the_examples_of_the_readme_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let program = project_of_the_readme(folder.path());
    assert!(program.succeed(["check"]).starts_with("ok: 32 pipelines"));

    fs_err::create_dir_all(folder.path().join("inbox")).unwrap();
    let journal = "N;Дата обращения;ОКТМО;Способ;Дата решения;Решение\r\n\
                   1;09.01.2025;41603000;1;16.01.2025;отказ\r\n\
                   2;10.01.2025;41603000;3;17.01.2025;признан\r\n\
                   3;31.02.2025;41603000;3;;\r\n";
    let (bytes, ..) = encoding_rs::WINDOWS_1251.encode(journal);
    fs_err::write(folder.path().join("inbox/journal-2025.csv"), bytes).unwrap();
    let report = program.succeed(["run", "journal"]);
    assert!(report.contains("rejected by rule: type 1"), "{report}");
    let refusals = program.succeed(["query", "refusals", "--by", "municipality", "--format", "csv"]);
    assert!(refusals.contains("41603000,Бокситогорский,1,value"), "{refusals}");
}

#[test]
fn a_register_of_a_new_sort_needs_no_code() {
    let folder = tempfile::tempdir().unwrap();
    let program = project_of_the_readme(folder.path());
    fs_err::create_dir_all(folder.path().join("inbox")).unwrap();
    let journal = "N;ОКТМО;Прибыл;Выбыл\n1;36740000;01.02.2025;10.02.2025\n2;36740000;05.02.2025;\n\
                   3;36701305;07.03.2025;\n4;36740000;08.02.2025;09.02.2025\n2;36740000;05.02.2025;\n";
    fs_err::write(folder.path().join("inbox/shelters-2025.csv"), journal).unwrap();
    program.succeed(["run", "shelters"]);
    let on = |month: &str| {
        let period = ["--from", month, "--to", month, "--by", "municipality", "--format", "csv"];
        program.succeed([&["query", "in_shelter"], period.as_slice()].concat())
    };
    // Of the three who came in February one is there at its end; in March somebody came in a district of Samara.
    assert!(on("2025-02").contains("36740000,Тольятти,1,value"), "{}", on("2025-02"));
    assert!(on("2025-03").contains("36740000,Тольятти,1,provisional"), "{}", on("2025-03"));
    assert!(on("2025-03").contains("36701305,"), "{}", on("2025-03"));
}

#[test]
fn a_wrong_dashboard_gets_the_message_of_the_readme() {
    let folder = tempfile::tempdir().unwrap();
    let program = project_of_the_readme(folder.path());
    let dashboard = folder.path().join("dashboards/refusals.yaml");
    let text = fs_err::read_to_string(&dashboard).unwrap();
    fs_err::write(&dashboard, text.replacen("indicator: refusals,", "indicator: refusal,", 1)).unwrap();
    let outcome = program.run(["check"]);
    assert_eq!(outcome.code, Some(2));
    let readme = fs_err::read_to_string(project_root().join("README.md")).unwrap();
    let shown: String = outcome.stderr.lines().take(3).map(|line| format!("    {line}\n")).collect();
    assert!(readme.contains(&shown), "{shown}");
}

#[test]
fn an_older_snapshot_has_the_definitions_of_then() {
    let folder = tempfile::tempdir().unwrap();
    let program = project_of_the_readme(folder.path());
    fs_err::create_dir_all(folder.path().join("inbox")).unwrap();
    let journal = "N;Дата обращения;ОКТМО;Способ;Дата решения;Решение\r\n\
                   1;09.01.2025;41603000;1;16.01.2025;отказ\r\n\
                   2;10.01.2025;41603000;3;17.01.2025;признан\r\n";
    let (bytes, ..) = encoding_rs::WINDOWS_1251.encode(journal);
    fs_err::write(folder.path().join("inbox/journal-2025.csv"), bytes).unwrap();
    program.succeed(["run", "journal"]);
    let ask = |more: &[&'static str]| -> serde_json::Value {
        let arguments = ["query", "refusals", "--by", "municipality", "--format", "json"];
        serde_json::from_str(&program.succeed(arguments.into_iter().chain(more.iter().copied()))).unwrap()
    };
    let before = ask(&[]);
    assert_eq!(before["rows"][0]["value"], 1.0);

    // Another definition, another title, another name of the place; and no new data.
    let indicator = folder.path().join("sql/indicators/refusals.yaml");
    let text = fs_err::read_to_string(&indicator).unwrap();
    let changed =
        text.replacen("status = 'refused'", "status IS NOT NULL", 1).replacen("title: {ru: ", "title: {ru: Иные ", 1);
    assert_ne!(changed, text);
    fs_err::write(&indicator, changed).unwrap();
    let list = folder.path().join("warehouse/reference/municipalities.csv");
    let names = fs_err::read_to_string(&list).unwrap();
    fs_err::write(&list, names.replacen("Бокситогорский", "Переименованный", 1)).unwrap();
    program.succeed(["run", "journal"]);

    let (present, then) = (ask(&[]), ask(&["--as-of", "1"]));
    assert_eq!((&present["rows"][0]["value"], &present["snapshot"]), (&2.0.into(), &2.into()));
    assert_eq!(then["snapshot"], 1);
    for field in ["edition", "title", "rows"] {
        assert_eq!(then[field], before[field], "{field}");
        assert_ne!(then[field], present[field], "{field}");
    }
    assert_ne!(then["definitions"], ask(&["--as-of", "2"])["definitions"]);
    // An indicator that is gone since is still there in its snapshot.
    fs_err::remove_file(&indicator).unwrap();
    fs_err::remove_file(folder.path().join("dashboards/refusals.yaml")).unwrap();
    assert_eq!(program.run(["query", "refusals"]).code, Some(2));
    assert_eq!(ask(&["--as-of", "1"])["rows"], before["rows"]);
}
