//! Paths of a declaration into an XML document: which elements are rows, and where the values of a row stand.

use std::collections::BTreeMap;

use quick_xml::name::{NamespaceResolver, QName, ResolveResult};

/// How an XML document is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlOptions {
    /// Path of the elements that are rows.
    pub row: String,
    /// Namespaces by the prefix that the paths use.
    pub namespaces: BTreeMap<String, String>,
}

/// Name of an element or attribute in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name without a prefix; none is any name.
    local: Option<String>,
    /// The namespace; none is any namespace.
    namespace: Option<String>,
}

/// Where the value of a column stands, counted from the root of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePath {
    /// The elements that lead to it.
    pub(super) steps: Vec<Name>,
    /// Its attribute of the last element; none is the text of that element.
    pub(super) attribute: Option<Name>,
    /// How many elements it shares with the path of the rows: all of them if it stands in the row itself.
    pub(super) anchor: usize,
}

impl Name {
    fn parse(text: &str, namespaces: &BTreeMap<String, String>) -> Result<Self, String> {
        let (prefix, local) = text.split_once(':').map_or((None, text), |(prefix, local)| (Some(prefix), local));
        let is_name = |text: &str| {
            let mut characters = text.chars();
            characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
                && characters.all(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | '.'))
        };
        if local != "*" && !is_name(local) {
            return Err(format!("`{text}` is not the name of an element or attribute"));
        }
        let namespace = match prefix {
            None => None,
            Some(prefix) => Some(namespaces.get(prefix).cloned().ok_or_else(|| {
                let known: Vec<&str> = namespaces.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "nothing".to_owned() } else { format!("`{}`", known.join("`, `")) };
                format!("the prefix `{prefix}` is not among `namespaces`, which have {known}")
            })?),
        };
        Ok(Self { local: (local != "*").then(|| local.to_owned()), namespace })
    }

    /// Whether an element has this name.
    pub(super) fn is_element(&self, name: QName<'_>, resolver: &NamespaceResolver) -> bool {
        self.is_local(name) && self.is_in(|| resolver.resolve_element(name).0)
    }

    /// Whether an attribute has this name.
    pub(super) fn is_attribute(&self, name: QName<'_>, resolver: &NamespaceResolver) -> bool {
        name.as_namespace_binding().is_none()
            && self.is_local(name)
            && self.is_in(|| resolver.resolve_attribute(name).0)
    }

    fn is_local(&self, name: QName<'_>) -> bool {
        self.local.as_ref().is_none_or(|local| name.local_name().as_ref() == local.as_str())
    }

    fn is_in<'n>(&self, resolve: impl FnOnce() -> ResolveResult<'n>) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| match resolve() {
            ResolveResult::Bound(found) => found.as_ref() == namespace.as_str(),
            ResolveResult::Unbound | ResolveResult::Unknown(_) => false,
        })
    }
}

impl XmlOptions {
    /// The elements that lead to a row, which is the last of them.
    ///
    /// # Errors
    /// What is wrong with the path.
    pub fn row_path(&self) -> Result<Vec<Name>, String> {
        let Some(steps) = self.row.strip_prefix('/') else {
            return Err(format!("`{}` does not begin with `/`, the root of the document", self.row));
        };
        steps.split('/').map(|step| Name::parse(step, &self.namespaces)).collect()
    }

    /// Where the values of a column stand, by its path from the row's element or, with `/` before it, from the root.
    ///
    /// # Errors
    /// What is wrong with the path.
    pub fn value_path(&self, path: &str, row: &[Name]) -> Result<ValuePath, String> {
        let (mut steps, mut rest) = match path.strip_prefix('/') {
            Some(rest) => (Vec::new(), rest),
            None => (row.to_vec(), path),
        };
        while let Some(above) = rest.strip_prefix("../") {
            if steps.pop().is_none() {
                return Err(format!("`{path}` leads above the root of the document"));
            }
            rest = above;
        }
        let mut attribute = None;
        if rest != "." {
            let mut parts = rest.split('/').peekable();
            while let Some(part) = parts.next() {
                match part.strip_prefix('@') {
                    Some(name) if parts.peek().is_none() => attribute = Some(Name::parse(name, &self.namespaces)?),
                    Some(_) => return Err(format!("`{path}` goes on after the attribute `{part}`")),
                    None => steps.push(Name::parse(part, &self.namespaces)?),
                }
            }
        }
        if steps.is_empty() {
            return Err(format!("`{path}` names no element"));
        }
        let anchor = steps.iter().zip(row).take_while(|(step, of_row)| step == of_row).count();
        Ok(ValuePath { steps, attribute, anchor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(row: &str) -> XmlOptions {
        let namespaces = BTreeMap::from([("c".to_owned(), "urn:cases".to_owned())]);
        XmlOptions { row: row.to_owned(), namespaces }
    }

    #[test]
    fn paths_are_counted_from_the_root() {
        let options = options("/*/Cases/c:Case");
        let row = options.row_path().unwrap();
        assert_eq!(row.len(), 3);
        let path = |text: &str| options.value_path(text, &row).map(|path| (path.steps.len(), path.anchor));
        assert_eq!(path("Applicant/Snils"), Ok((5, 3)));
        assert_eq!(path("@id"), Ok((3, 3)));
        assert_eq!(path("."), Ok((3, 3)));
        assert_eq!(path("../@region"), Ok((2, 2)));
        assert_eq!(path("../../Header/c:Date"), Ok((3, 1)));
        assert_eq!(path("/Envelope/Header/Date"), Ok((3, 0)));
    }

    #[test]
    fn wrong_paths_are_told() {
        let row = options("/Cases/Case").row_path().unwrap();
        let problem = |path: &str| options("/Cases/Case").value_path(path, &row).unwrap_err();
        assert_eq!(problem("../../../x"), "`../../../x` leads above the root of the document");
        assert_eq!(problem("@id/x"), "`@id/x` goes on after the attribute `@id`");
        assert_eq!(problem("a//b"), "`` is not the name of an element or attribute");
        assert_eq!(problem("д:а"), "the prefix `д` is not among `namespaces`, which have `c`");
        assert_eq!(problem("a[1]"), "`a[1]` is not the name of an element or attribute");
        assert_eq!(options("Case").row_path().unwrap_err(), "`Case` does not begin with `/`, the root of the document");
        assert!(options("/Cases/@id").row_path().is_err());
    }
}
