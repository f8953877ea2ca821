//! What the events of a document say of its rows.

use std::io::ErrorKind;
use std::sync::Arc;

use indexmap::IndexMap;
use memchr::memchr_iter;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{NamespaceResolver, QName};

use super::super::{BrokenRow, FormatError, MAX_ROW_BYTES, mask_shape};
use super::others::Others;
use super::path::{Name, ValuePath};

/// Elements inside elements, at most; documents of registers have a dozen.
const MAX_DEPTH: usize = 100;

/// A row that was read to its end.
pub(super) struct Row {
    pub(super) place: u64,
    pub(super) values: Vec<Option<String>>,
    /// What no column takes, by name, if it is watched.
    pub(super) others: IndexMap<String, String>,
    pub(super) broken: Option<BrokenRow>,
}

/// Why the value of a column cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Repeated,
    Nested,
    Entity,
}

/// The value of a column as far as it is read.
#[derive(Debug, Default)]
struct Collected {
    value: Option<String>,
    flaw: Option<Flaw>,
    /// Rows before the element that the column shares with them began.
    n_rows_before: u64,
}

/// Follows the elements of a document.
pub(super) struct Tracker {
    row_name: String,
    row: Vec<Name>,
    paths: Vec<ValuePath>,
    names: Arc<[String]>,
    collected: Vec<Collected>,
    others: Option<Others>,
    /// For each open element the columns whose path leads to it or through it.
    open: Vec<Vec<usize>>,
    /// Open elements that are those of the row's path.
    n_matched: usize,
    /// The most elements of the row's path that were open at once.
    n_reached: usize,
    has_root: bool,
    row_line: u64,
    n_rows: u64,
    n_lines: u64,
}

impl Tracker {
    pub(super) fn new(
        row_name: String,
        row: Vec<Name>,
        paths: Vec<ValuePath>,
        names: Arc<[String]>,
        others: Option<Others>,
    ) -> Self {
        let collected = paths.iter().map(|_| Collected::default()).collect();
        Self {
            row_name,
            row,
            paths,
            names,
            collected,
            others,
            open: Vec::new(),
            n_matched: 0,
            n_reached: 0,
            has_root: false,
            row_line: 0,
            n_rows: 0,
            n_lines: 0,
        }
    }

    pub(super) fn is_in_row(&self) -> bool {
        self.n_matched == self.row.len()
    }

    /// Takes the next event; the row, if it was the last of one.
    pub(super) fn take(
        &mut self,
        event: &Event<'_>,
        resolver: &NamespaceResolver,
        is_malformed: bool,
    ) -> Result<Option<Row>, FormatError> {
        let row = match event {
            Event::Start(element) => self.start(element, resolver).map(|()| None),
            Event::End(_) => Ok(self.end(is_malformed)),
            Event::Text(text) if self.open.is_empty() => {
                if text.trim().is_empty() {
                    Ok(None)
                } else {
                    Err(self.broken("text outside of the root element"))
                }
            }
            Event::Text(text) => self.text(&text.xml10_content()).map(|()| None),
            Event::CData(text) => self.text(&text.xml10_content()).map(|()| None),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| self.broken(error))?;
                match (character, resolve_xml_entity(reference)) {
                    (Some(character), _) => self.text(character.encode_utf8(&mut [0; 4])),
                    (None, Some(text)) => self.text(text),
                    (None, None) => {
                        self.flaw(Flaw::Entity);
                        Ok(())
                    }
                }
                .map(|()| None)
            }
            Event::DocType(_) => Err(self.broken(
                "a document type (`<!DOCTYPE`) is declared, which may hide anything; ask for the document without it",
            )),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(None),
        };
        self.n_lines += memchr_iter(b'\n', event.as_bytes()).count() as u64;
        row
    }

    /// Checks the end of the document.
    pub(super) fn finish(&self) -> Result<(), FormatError> {
        if !self.open.is_empty() || !self.has_root {
            return Err(self.broken("the document breaks off"));
        }
        // A list of rows may be empty, but the list must be there. Where a row is the root, it must be there itself.
        if self.n_reached < (self.row.len() - 1).max(1) {
            let steps: Vec<&str> = self.row_name.split('/').take(self.n_reached + 2).collect();
            return Err(FormatError::NoElement { path: steps.join("/") });
        }
        Ok(())
    }

    /// The document is broken at the present place.
    #[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
    pub(super) fn broken(&self, problem: impl ToString) -> FormatError {
        FormatError::BrokenXml { line: self.n_lines + 1, n_rows: self.n_rows, problem: problem.to_string() }
    }

    /// Why there is no next event.
    pub(super) fn unreadable(&self, error: quick_xml::Error) -> FormatError {
        match error {
            quick_xml::Error::Io(cause) if cause.kind() == ErrorKind::FileTooLarge => {
                FormatError::EndlessRow { line: if self.is_in_row() { self.row_line } else { self.n_lines + 1 } }
            }
            quick_xml::Error::Io(cause) => FormatError::Read(std::io::Error::other(cause)),
            error => self.broken(error),
        }
    }

    fn start(&mut self, element: &BytesStart<'_>, resolver: &NamespaceResolver) -> Result<(), FormatError> {
        if self.open.is_empty() && std::mem::replace(&mut self.has_root, true) {
            return Err(self.broken("a second root element"));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(self.broken(format!("more than {MAX_DEPTH} elements inside each other")));
        }
        self.flaw(Flaw::Nested);
        let depth = self.open.len() + 1;
        let name = element.name();
        if self.n_matched == depth - 1 && self.row.get(depth - 1).is_some_and(|step| step.is_element(name, resolver)) {
            self.begin(depth);
        }
        let leads_here = |column: &usize| {
            let step = self.paths.get(*column).and_then(|path| path.steps.get(depth - 1));
            step.is_some_and(|step| step.is_element(name, resolver))
        };
        let active: Vec<usize> = match self.open.last() {
            Some(columns) => columns.iter().copied().filter(leads_here).collect(),
            None => (0..self.paths.len()).filter(leads_here).collect(),
        };
        for &column in &active {
            let Some(path) = self.paths.get(column).filter(|path| path.steps.len() == depth) else { continue };
            let value = match &path.attribute {
                Some(attribute) => find_attribute(element, |name| attribute.is_attribute(name, resolver)),
                None if is_nil(element) => Ok(None),
                None => Ok(Some(String::new())),
            };
            if let Some(value) = value.map_err(|error| self.broken(error))? {
                self.put(column, value)?;
            }
        }
        if let Some(others) = self.others.as_mut().filter(|_| self.n_matched == self.row.len()) {
            let is_declared = |name: QName<'_>| {
                let mut paths = active.iter().filter_map(|column| self.paths.get(*column));
                paths.any(|path| {
                    let attribute = path.attribute.as_ref().filter(|_| path.steps.len() == depth);
                    attribute.is_some_and(|attribute| attribute.is_attribute(name, resolver))
                })
            };
            let started = others.start(element, resolver, depth, !active.is_empty(), is_declared);
            started.map_err(|error| self.broken(error))?;
        }
        self.open.push(active);
        Ok(())
    }

    /// An element of the row's path begins: what was collected inside the one before is over.
    fn begin(&mut self, depth: usize) {
        self.n_matched = depth;
        self.n_reached = self.n_reached.max(depth);
        self.row_line = self.n_lines + 1;
        for (path, collected) in self.paths.iter().zip(&mut self.collected) {
            if path.anchor >= depth {
                *collected = Collected { n_rows_before: self.n_rows, ..Collected::default() };
            }
        }
    }

    fn end(&mut self, is_malformed: bool) -> Option<Row> {
        let depth = self.open.len();
        self.open.pop();
        if let Some(others) = &mut self.others {
            others.end(depth);
        }
        if self.n_matched != depth {
            return None;
        }
        self.n_matched -= 1;
        if depth != self.row.len() {
            return None;
        }
        self.n_rows += 1;
        let flaw = self.collected.iter().zip(&*self.names).find_map(|(collected, name)| Some((name, collected.flaw?)));
        let sentence = match flaw {
            Some((name, Flaw::Repeated)) => Some(format!("«{name}» – несколько значений вместо одного")),
            Some((name, Flaw::Nested)) => Some(format!("«{name}» – вложенные элементы вместо одного значения")),
            Some((name, Flaw::Entity)) => Some(format!("«{name}» – ссылка на неизвестную сущность")),
            None => None,
        };
        let values: Vec<Option<String>> = self
            .paths
            .iter()
            .zip(&mut self.collected)
            .map(
                |(path, collected)| {
                    if path.anchor == depth { collected.value.take() } else { collected.value.clone() }
                },
            )
            .collect();
        let others = self.others.as_mut().map(Others::take).unwrap_or_default();
        let has_mark = |value: &String| value.contains(char::REPLACEMENT_CHARACTER);
        let sentence = sentence.or_else(|| {
            (is_malformed && values.iter().flatten().chain(others.values()).any(has_mark))
                .then(|| "есть байты, которых нет в кодировке документа".to_owned())
        });
        let broken = sentence.map(|sentence| {
            let texts: Vec<&str> = values.iter().map(|value| value.as_deref().unwrap_or_default()).collect();
            let sentence =
                format!("запись {}, строка файла {}: {sentence}; исправьте выгрузку", self.n_rows, self.row_line);
            BrokenRow { row: self.n_rows, raw: mask_shape(&texts.join(";")), sentence }
        });
        Some(Row { place: self.n_rows, values, others, broken })
    }

    /// The columns whose value is the text of the innermost open element.
    fn text_columns(&self) -> Vec<usize> {
        let depth = self.open.len();
        let is_text = |column: &usize| {
            self.paths.get(*column).is_some_and(|path| path.steps.len() == depth && path.attribute.is_none())
        };
        self.open.last().map(|columns| columns.iter().copied().filter(is_text).collect()).unwrap_or_default()
    }

    fn text(&mut self, text: &str) -> Result<(), FormatError> {
        if let Some(others) = &mut self.others {
            others.text(text);
        }
        for column in self.text_columns() {
            let Some(value) = self.collected.get_mut(column).and_then(|collected| collected.value.as_mut()) else {
                continue;
            };
            if value.len() + text.len() > MAX_ROW_BYTES {
                return Err(FormatError::EndlessRow { line: self.row_line.max(1) });
            }
            value.push_str(text);
        }
        Ok(())
    }

    fn flaw(&mut self, flaw: Flaw) {
        for column in self.text_columns() {
            if let Some(collected) = self.collected.get_mut(column) {
                collected.flaw = collected.flaw.or(Some(flaw));
            }
        }
    }

    fn put(&mut self, column: usize, value: String) -> Result<(), FormatError> {
        let line = self.n_lines + 1;
        let Some(collected) = self.collected.get_mut(column) else { return Ok(()) };
        let anchor = self.paths.get(column).map_or(0, |path| path.anchor);
        if anchor < self.row.len() && self.n_rows > collected.n_rows_before {
            let column = self.names.get(column).cloned().unwrap_or_default();
            return Err(FormatError::LateValue { column, line });
        }
        if collected.value.replace(value).is_some() {
            collected.flaw = Some(Flaw::Repeated);
        }
        Ok(())
    }
}

/// The value of the attribute that is looked for.
fn find_attribute(
    element: &BytesStart<'_>,
    is_wanted: impl Fn(QName<'_>) -> bool,
) -> Result<Option<String>, quick_xml::Error> {
    for attribute in element.attributes() {
        let attribute = attribute?;
        if is_wanted(attribute.key) {
            return attribute.normalized_value(XmlVersion::Implicit1_0).map(|value| Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// Whether an element says that it has no value.
fn is_nil(element: &BytesStart<'_>) -> bool {
    let is_nil = |name: QName<'_>| name.local_name().as_ref() == "nil" && name.prefix().is_some();
    find_attribute(element, is_nil).is_ok_and(|value| matches!(value.as_deref(), Some("true" | "1")))
}
