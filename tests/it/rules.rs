//! Rules of this repository that the compiler does not check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::support::project_root;

/// Modules of `src/` in reading order: a module uses only modules that stand before it.
fn modules_in_order() -> Vec<String> {
    let crate_root = fs_err::read_to_string(project_root().join("src/lib.rs")).unwrap();
    let declaration = Regex::new(r"(?m)^(?:pub )?mod (\w+);").unwrap();
    declaration.captures_iter(&crate_root).map(|found| found[1].to_owned()).collect()
}

fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            files.push(path);
        }
    }
    files
}

/// The code of a file before its unit tests.
fn code_of(path: &Path) -> String {
    let text = fs_err::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

#[test]
fn a_module_uses_only_modules_before_it() {
    let order = modules_in_order();
    let usage = Regex::new(r"(?:\bcrate::|\bsvod::)\{?(\w+)").unwrap();
    let mut wrong = BTreeSet::new();
    for (position, module) in order.iter().enumerate() {
        let folder = project_root().join("src").join(module);
        let files = if folder.is_dir() { files_below(&folder, ".rs") } else { vec![folder.with_extension("rs")] };
        for file in files {
            let code: String = code_of(&file)
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            for found in usage.captures_iter(&code) {
                let used = &found[1];
                if order.iter().position(|name| name == used).is_some_and(|place| place > position) {
                    wrong.insert(format!("{} uses crate::{used}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn plotters_stays_in_its_folder() {
    let source = project_root().join("src");
    for file in files_below(&source, ".rs") {
        if !file.starts_with(source.join("charts")) {
            assert!(!code_of(&file).contains("plotters::"), "{}", file.display());
        }
    }
}

#[test]
fn files_are_short() {
    let long: Vec<String> = files_below(&project_root().join("src"), ".rs")
        .into_iter()
        .map(|file| (fs_err::read_to_string(&file).unwrap().lines().count(), file))
        .filter(|(n_lines, _)| *n_lines > 500)
        .map(|(n_lines, file)| format!("{n_lines} {}", file.display()))
        .collect();
    assert!(long.is_empty(), "a second meaning wants a file of its own: {long:#?}");
}
