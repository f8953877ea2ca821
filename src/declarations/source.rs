//! The text of one declaration file.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::spanned::place;
use super::{Problem, Problems, Spanned};

/// A file and its text, kept so that a problem can show the line.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file, relative to the project.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
}

impl Source {
    /// Reads `path`, given relative to the folder `project`.
    ///
    /// # Errors
    /// One problem without a line, if the file cannot be read as UTF-8.
    pub fn read(project: &Path, path: &Path) -> Result<Self, Problems> {
        let text = fs_err::read_to_string(project.join(path)).map_err(|error| Problem {
            path: path.to_owned(),
            line: 0,
            column: 0,
            width: 0,
            excerpt: String::new(),
            message: format!("cannot be read: {error}"),
            help: None,
        })?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// The text as a raw declaration; unknown and missing keys are problems with their place.
    ///
    /// # Errors
    /// One problem: the first that the YAML reader finds.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Problems> {
        serde_saphyr::from_str(&self.text).map_err(|error| {
            let (line, column, width) = error.location().as_ref().map_or((0, 0, 0), place);
            let text = error.without_snippet().to_string();
            let message = text.split(" at line ").next().unwrap_or(&text).trim_start_matches("error: ").to_owned();
            Problems::from(self.problem_at(line, column, width, message))
        })
    }

    /// A problem at the place of a value.
    pub fn problem<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> Problem {
        self.problem_at(at.line, at.column, at.width, message)
    }

    /// A problem of the whole file.
    pub fn problem_of_file(&self, message: impl Into<String>) -> Problem {
        self.problem_at(0, 0, 0, message)
    }

    /// A problem at a line and column counted from 1, for instance inside an SQL file.
    pub fn problem_at(&self, line: usize, column: usize, width: usize, message: impl Into<String>) -> Problem {
        let excerpt = self.text.lines().nth(line.wrapping_sub(1)).unwrap_or_default().to_owned();
        let rest = excerpt.chars().count().saturating_sub(column.saturating_sub(1));
        Problem {
            path: self.path.clone(),
            line,
            column,
            width: width.min(rest).max(1),
            excerpt,
            message: message.into(),
            help: None,
        }
    }
}

/// Files of a project's folder with one of the endings, sorted, relative to the project; none if there is no folder.
///
/// # Errors
/// One problem, if the folder is there and cannot be listed.
pub fn list_files(project: &Path, folder: &str, ending: &str) -> Result<Vec<PathBuf>, Problems> {
    let absolute = project.join(folder);
    if !absolute.is_dir() {
        return Ok(Vec::new());
    }
    let unreadable = |error: std::io::Error| {
        let source = Source { path: PathBuf::from(folder), text: String::new() };
        Problems::from(source.problem_of_file(format!("cannot be listed: {error}")))
    };
    let mut files = Vec::new();
    for entry in fs_err::read_dir(&absolute).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        if name.to_string_lossy().ends_with(ending) {
            files.push(Path::new(folder).join(name));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Raw {
        schedule: Spanned<String>,
    }

    fn source(text: &str) -> Source {
        Source { path: "pipelines/a.yaml".into(), text: text.to_owned() }
    }

    #[test]
    fn a_problem_shows_its_place() {
        let source = source("# расписание\nschedule: \"0 3 * * *\"\n");
        let raw: Raw = source.parse().unwrap();
        let problem =
            source.problem(&raw.schedule, "`schedule`: expected 6 or 7 fields, found 5").help("seconds first");
        assert_eq!(
            problem.to_string(),
            "error: pipelines/a.yaml:2:11: `schedule`: expected 6 or 7 fields, found 5\n  \
             2 | schedule: \"0 3 * * *\"\n    |           ^^^^^^^^^^^  help: seconds first"
        );
    }

    #[test]
    fn an_unknown_key_is_a_problem_with_its_line() {
        let problems = source("schedule: x\nshedule: y\n").parse::<Raw>().unwrap_err();
        let text = problems.to_string();
        assert!(text.starts_with("error: pipelines/a.yaml:2:1: "), "{text}");
        assert!(text.contains("shedule"), "{text}");
    }
}
