//! What a row has that no column takes: other elements in it and other attributes of it.
//!
//! Each is one text by its name without a prefix, attributes with `@` before it. What lies inside such an element, attributes among it, and what
//! is repeated, is put behind each other with spaces between. What stands beside a declared value inside an element of its path belongs to that element,
//! which is declared; text between the elements of a row is no value.

use indexmap::IndexMap;
use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use quick_xml::name::{NamespaceResolver, QName, ResolveResult};

/// Namespaces of attributes that tell a reader how to take a document, and are no data.
const OF_XML: [&str; 2] = ["http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/XML/1998/namespace"];

/// Collects what no column takes of the row that is read.
#[derive(Debug)]
pub(super) struct Others {
    /// Elements that are open where a row begins, with the row.
    row_depth: usize,
    texts: IndexMap<String, String>,
    /// Name of the element in the row that is open and that no column takes.
    inside: Option<String>,
}

impl Others {
    pub(super) fn new(row_depth: usize) -> Self {
        Self { row_depth, texts: IndexMap::new(), inside: None }
    }

    /// An element begins that is a row or lies in one. It `is_taken` if the path of a column leads to it or through it.
    pub(super) fn start(
        &mut self,
        element: &BytesStart<'_>,
        resolver: &NamespaceResolver,
        depth: usize,
        is_taken: bool,
        is_declared: impl Fn(QName<'_>) -> bool,
    ) -> Result<(), quick_xml::Error> {
        if depth == self.row_depth + 1 && !is_taken {
            self.inside = Some(element.local_name().as_ref().to_owned());
        }
        if depth != self.row_depth && self.inside.is_none() {
            return Ok(());
        }
        // A text that goes on behind an element is another one.
        self.text(" ");
        for attribute in element.attributes() {
            let attribute = attribute?;
            let name = attribute.key;
            if name.as_namespace_binding().is_some() || is_of_xml(name, resolver) {
                continue;
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
            if self.inside.is_some() {
                self.text(&value);
                self.text(" ");
            } else if !is_declared(name) {
                let name = format!("@{}", name.local_name().as_ref());
                self.texts.entry(name).or_default().push_str(&value);
            }
        }
        Ok(())
    }

    /// A text of the innermost open element.
    pub(super) fn text(&mut self, text: &str) {
        if let Some(name) = &self.inside {
            match self.texts.get_mut(name) {
                Some(known) => known.push_str(text),
                None => drop(self.texts.insert(name.clone(), text.to_owned())),
            }
        }
    }

    /// The innermost open element ends.
    pub(super) fn end(&mut self, depth: usize) {
        self.text(" ");
        if depth == self.row_depth + 1 {
            self.inside = None;
        }
    }

    /// What was collected of the row that ends.
    pub(super) fn take(&mut self) -> IndexMap<String, String> {
        let texts = std::mem::take(&mut self.texts).into_iter();
        texts.map(|(name, text)| (name, text.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
    }
}

fn is_of_xml(name: QName<'_>, resolver: &NamespaceResolver) -> bool {
    match resolver.resolve_attribute(name).0 {
        ResolveResult::Bound(namespace) => OF_XML.contains(&namespace.as_ref()),
        ResolveResult::Unbound | ResolveResult::Unknown(_) => false,
    }
}
