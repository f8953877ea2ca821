//! Editions: short hashes that change with what they are of, and with nothing else.

use serde_json::Value;

use crate::declarations::Source;
use crate::domain::short_hash::short_hash;

/// The edition of a declaration: the hash of its content, whatever its comments, line breaks and order of keys.
pub(super) fn edition(source: &Source) -> String {
    match source.parse::<Value>() {
        Ok(content) => edition_of(&content),
        Err(_) => short_hash(&source.text),
    }
}

/// The edition of some content.
pub(super) fn edition_of(content: &Value) -> String {
    short_hash(&canonical(content).to_string())
}

/// The same content with its keys in order.
fn canonical(content: &Value) -> Value {
    match content {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.clone(), canonical(value))).collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        edition(&Source { path: "a.yaml".into(), text: text.to_owned() })
    }

    #[test]
    fn an_edition_is_of_the_content_alone() {
        let written = of("a: 1\nb: {c: x, d: [1, 2]}\n");
        assert_eq!(written.len(), 16);
        assert_eq!(written, of("# remark\nb:\n  d: [1, 2]\n  c: \"x\"\na: 1\n"));
        assert_ne!(written, of("a: 1\nb: {c: x, d: [2, 1]}\n"));
        assert_ne!(written, of("a: \"1\"\nb: {c: x, d: [1, 2]}\n"));
    }
}
