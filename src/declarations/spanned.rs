//! A value and the place where it stands in its file.

use std::borrow::Cow;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Location;

/// A value with its line and column, counted from 1 in characters; 0 where the place is not known.
///
/// Does not keep its place inside `#[serde(flatten)]`, `untagged` and internally tagged enums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Length in characters, 0 where unknown.
    pub width: usize,
}

impl<T> Spanned<T> {
    /// A value that stands in no file.
    pub fn nowhere(value: T) -> Self {
        Self { value, line: 0, column: 0, width: 0 }
    }

    /// Another value at the same place.
    pub fn with<U>(&self, value: U) -> Spanned<U> {
        Spanned { value, line: self.line, column: self.column, width: self.width }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let serde_saphyr::Spanned { value, referenced, .. } = serde_saphyr::Spanned::deserialize(deserializer)?;
        let (line, column, width) = place(&referenced);
        Ok(Self { value, line, column, width })
    }
}

/// Line, column and width of a parser's location.
pub(super) fn place(location: &Location) -> (usize, usize, usize) {
    let number = |value: u64| usize::try_from(value).unwrap_or(0);
    (number(location.line()), number(location.column()), usize::try_from(location.span().len()).unwrap_or(0))
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
