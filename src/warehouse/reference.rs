//! Code lists: `warehouse/reference/NAME.csv` with the values and `NAME.yaml` with title, source and date.
//!
//! The first column of every list is `code`; `name_ru` and `name_en`, where present, are its labels.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use chrono::NaiveDate;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::declarations::{Problem, Problems, Source, Spanned, list_files};
use crate::domain::calendar::{DayKind, WorkingCalendar};
use crate::domain::language::{Lang, Text};

/// Folder of the code lists inside a project.
pub const REFERENCE_FOLDER: &str = "warehouse/reference";

/// The description of one code list, as its author writes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCodeList {
    /// Name of the list, the same as the name of the file.
    pub list: Spanned<String>,
    /// What the list is, for people.
    pub title: Spanned<Text>,
    /// What the list holds and how it is used.
    #[serde(default)]
    pub description: Option<String>,
    /// Where the values come from: act, classifier or site.
    pub source: Spanned<String>,
    /// Day on which the values were taken or became valid, e.g. `2024-01-01`.
    pub date: Spanned<NaiveDate>,
    /// Meaning of the columns, by name.
    #[serde(default)]
    pub columns: IndexMap<String, Spanned<String>>,
}

/// One code list.
#[derive(Debug, Clone)]
pub struct CodeList {
    /// Name of the list, which is the name of its file.
    pub name: String,
    /// What the list is.
    pub title: Text,
    /// What the list holds.
    pub description: Option<String>,
    /// Where the values come from.
    pub source: String,
    /// Day of the values.
    pub date: NaiveDate,
    columns: IndexMap<String, Vec<String>>,
    positions: HashMap<String, usize>,
}

impl CodeList {
    /// Whether the list has this code.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.positions.contains_key(code)
    }

    /// The label of a code in one language, from `name_ru` or `name_en`; the other language where one is empty.
    #[must_use]
    pub fn label(&self, code: &str, lang: Lang) -> Option<&str> {
        let filled = |column| self.value(code, column).filter(|text| !text.is_empty());
        let (first, second) = match lang {
            Lang::Ru => ("name_ru", "name_en"),
            Lang::En => ("name_en", "name_ru"),
        };
        filled(first).or_else(|| filled(second))
    }

    /// All values of a column, in the order of the file.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&[String]> {
        self.columns.get(name).map(Vec::as_slice)
    }

    /// Names of the columns, in the order of the file.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// The codes, in the order of the file.
    #[must_use]
    pub fn codes(&self) -> &[String] {
        self.columns.first().map(|(_, codes)| codes.as_slice()).unwrap_or_default()
    }

    /// Where a code stands in the file, from 0.
    #[must_use]
    pub fn position(&self, code: &str) -> Option<usize> {
        self.positions.get(code).copied()
    }

    /// The value of a column for a code; an empty cell is an empty text.
    #[must_use]
    pub fn value(&self, code: &str, column: &str) -> Option<&str> {
        self.columns.get(column)?.get(self.position(code)?).map(String::as_str)
    }

    /// Codes by the value of another column; of equal values the first wins, empty cells are left out.
    #[must_use]
    pub fn lookup(&self, by: &str) -> Option<HashMap<String, String>> {
        let mut codes = HashMap::new();
        for (value, code) in self.column(by)?.iter().zip(self.codes()) {
            if !value.is_empty() {
                codes.entry(value.clone()).or_insert_with(|| code.clone());
            }
        }
        Some(codes)
    }

    fn read(project: &Path, path: &Path) -> Result<Self, Problems> {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let values = Source::read(project, path)?;
        let mut problems = Problems::new();
        let description = problems.keep(Source::read(project, &path.with_extension("yaml")));
        let raw: Option<RawCodeList> = description.as_ref().and_then(|source| problems.keep(source.parse()));
        let read = problems.keep(read_columns(&values));
        let (Some(source), Some(raw), Some((columns, positions))) = (description, raw, read) else {
            return Err(problems);
        };
        for (column, meaning) in &raw.columns {
            if !columns.contains_key(column) {
                let problem = source.problem(meaning, format!("the list has no column `{column}`"));
                problems.push(problem.suggest(column, columns.keys().map(String::as_str)));
            }
        }
        if raw.list.value != name {
            let problem = source.problem(&raw.list, format!("`list`: expected `{name}`, found `{}`", raw.list.value));
            problems.push(problem.help("the name of the list is the name of its file"));
        }
        if raw.title.ru.trim().is_empty() || raw.title.en.trim().is_empty() {
            problems.push(source.problem(&raw.title, "`title` is empty"));
        }
        if raw.source.trim().is_empty() {
            problems.push(source.problem(&raw.source, "`source` is empty").help("name the act, classifier or site"));
        }
        problems.into_result(Self {
            name,
            title: raw.title.value,
            description: raw.description,
            source: raw.source.value,
            date: raw.date.value,
            columns,
            positions,
        })
    }
}

type Columns = (IndexMap<String, Vec<String>>, HashMap<String, usize>);

/// Columns of a CSV file and the positions of its codes.
fn read_columns(source: &Source) -> Result<Columns, Problems> {
    let text = source.text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let unreadable = |error: &csv::Error| -> Problems {
        let line = error.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(0));
        source.problem_at(line, 1, usize::MAX, format!("cannot be read as CSV: {error}")).into()
    };
    let header = reader.headers().map_err(|error| unreadable(&error))?.clone();
    if header.get(0) != Some("code") {
        let width = header.get(0).map_or(1, |name| name.chars().count());
        let problem = source.problem_at(1, 1, width, "the first column is not `code`");
        return Err(problem.help("a code list starts with the column `code`").into());
    }
    let mut problems = Problems::new();
    let mut columns: IndexMap<String, Vec<String>> = IndexMap::new();
    for name in &header {
        if columns.insert(name.to_owned(), Vec::new()).is_some() {
            problems.push(source.problem_at(1, 1, usize::MAX, format!("the column `{name}` stands twice")));
        }
    }
    let mut positions = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        let code = record.get(0).unwrap_or_default();
        let at_code = |message: String| -> Problem { source.problem_at(line, 1, code.chars().count(), message) };
        if code.is_empty() {
            problems.push(at_code("the code is empty".to_owned()));
        } else if positions.insert(code.to_owned(), positions.len()).is_some() {
            problems.push(at_code(format!("the code `{code}` stands twice")));
        }
        for ((_, values), value) in columns.iter_mut().zip(&record) {
            values.push(value.to_owned());
        }
    }
    problems.into_result((columns, positions))
}

/// All code lists of a project.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    lists: BTreeMap<String, CodeList>,
}

impl Reference {
    /// Reads every list in [`REFERENCE_FOLDER`].
    ///
    /// # Errors
    /// Every problem of every list.
    pub fn load(project: &Path) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let mut lists = BTreeMap::new();
        for path in list_files(project, REFERENCE_FOLDER, ".csv")? {
            if let Some(list) = problems.keep(CodeList::read(project, &path)) {
                lists.insert(list.name.clone(), list);
            }
        }
        problems.into_result(Self { lists })
    }

    /// One list.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&CodeList> {
        self.lists.get(name)
    }

    /// The working calendar: the list `calendar` with its columns `is_working` and `is_short`. Where it is missing, working days are
    /// those from Monday to Friday.
    #[must_use]
    pub fn working_calendar(&self) -> WorkingCalendar {
        let Some(list) = self.list("calendar") else { return WorkingCalendar::default() };
        let is = |day: &str, column| list.value(day, column) == Some("1");
        let days = list.codes().iter().filter_map(|code| {
            let day = code.parse::<NaiveDate>().ok()?;
            let kind = match (is(code, "is_working"), is(code, "is_short")) {
                (false, _) => DayKind::Off,
                (true, true) => DayKind::Short,
                (true, false) => DayKind::Working,
            };
            Some((day, kind))
        });
        days.collect()
    }

    /// Names of the lists, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }

    /// The lists, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &CodeList> {
        self.lists.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(csv: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let reference = folder.path().join(REFERENCE_FOLDER);
        fs_err::create_dir_all(&reference).unwrap();
        fs_err::write(reference.join("channels.csv"), csv).unwrap();
        let yaml = "list: channels\ntitle: {ru: Каналы, en: Channels}\nsource: Приказ 1\ndate: 2024-01-01\n";
        fs_err::write(reference.join("channels.yaml"), yaml).unwrap();
        folder
    }

    #[test]
    fn a_list_answers_by_code_and_by_column() {
        let folder = project("code,name_ru,name_en,journal_code\nmfc,МФЦ,,1\nportal,Портал,Portal,2\n");
        let reference = Reference::load(folder.path()).unwrap();
        let list = reference.list("channels").unwrap();
        assert_eq!(list.codes(), ["mfc", "portal"]);
        assert_eq!(list.position("portal"), Some(1));
        assert_eq!(list.label("mfc", Lang::En), Some("МФЦ"));
        assert_eq!(list.label("portal", Lang::En), Some("Portal"));
        assert_eq!(list.lookup("journal_code").unwrap()["2"], "portal");
        assert!(!list.contains("post") && list.lookup("no_such").is_none());
    }

    #[test]
    fn a_code_twice_is_a_problem_at_its_line() {
        let folder = project("code,name_ru\nmfc,МФЦ\nmfc,Снова\n");
        let text = Reference::load(folder.path()).unwrap_err().to_string();
        assert!(text.starts_with("error: warehouse/reference/channels.csv:3:1: the code `mfc` stands twice"), "{text}");
    }

    #[test]
    fn the_first_column_must_be_code() {
        let folder = project("id,name_ru\nmfc,МФЦ\n");
        let text = Reference::load(folder.path()).unwrap_err().to_string();
        assert!(text.contains("channels.csv:1:1: the first column is not `code`"), "{text}");
    }
}
