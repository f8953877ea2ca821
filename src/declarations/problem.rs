//! What is wrong with a declaration, and where.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong in one file.
///
/// Written for people as
///
/// ```text
/// error: pipelines/passports.yaml:4:11: `schedule`: expected 6 or 7 fields, found 5
///   4 | schedule: "0 3 * * *"
///     |           ^^^^^^^^^^^  help: the first field is seconds, e.g. "0 0 3 * * *"
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as the user knows it: relative to the project.
    pub path: PathBuf,
    /// Line, from 1; 0 if the problem is of the whole file.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters to underline.
    pub width: usize,
    /// The text of the line.
    pub excerpt: String,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// What to do, where that can be said.
    pub help: Option<String>,
}

impl Problem {
    /// The same problem with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same problem, advising the nearest of the known names.
    #[must_use]
    pub fn suggest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<&str> = known.into_iter().collect();
        known.sort_unstable();
        let nearest = known
            .iter()
            .map(|name| (strsim::jaro_winkler(wrong, name), *name))
            .filter(|(similarity, _)| *similarity > 0.8)
            .max_by(|one, other| one.0.total_cmp(&other.0));
        match nearest {
            Some((_, name)) => self.help(format!("did you mean `{name}`?")),
            None if known.is_empty() => self,
            None => {
                self.help(format!("known: {}", known.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")))
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.path.display())?;
        if self.line > 0 {
            write!(formatter, ":{}:{}", self.line, self.column)?;
        }
        write!(formatter, ": {}", self.message)?;
        if self.line == 0 || self.excerpt.trim().is_empty() {
            return self.help.iter().try_for_each(|help| write!(formatter, "\n  help: {help}"));
        }
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let indent = " ".repeat(self.column.saturating_sub(1));
        let carets = "^".repeat(self.width.max(1));
        write!(formatter, "\n  {number} | {}\n  {gutter} | {indent}{carets}", self.excerpt)?;
        self.help.iter().try_for_each(|help| write!(formatter, "  help: {help}"))
    }
}

/// All problems of all files, sorted by place when shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// No problems so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes one more.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Notes all of another list.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Keeps the value of a result, or notes its problems.
    pub fn keep<T>(&mut self, result: Result<T, Self>) -> Option<T> {
        result.map_err(|problems| self.extend(problems)).ok()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems, in order of file, line and column, each once.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Problem> {
        let mut problems: Vec<&Problem> = self.0.iter().collect();
        problems.sort_by_key(|problem| (&problem.path, problem.line, problem.column, &problem.message));
        problems.dedup();
        problems
    }

    /// `value` if nothing is wrong.
    ///
    /// # Errors
    /// All the problems, if there are any.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.sorted().into_iter().enumerate() {
            if position > 0 {
                formatter.write_str("\n\n")?;
            }
            write!(formatter, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
