//! One JSON object → the values of the declared keys.
//!
//! A register's line is a flat object, or nearly so. It is scanned once from left to right, without building a tree of it: this is what reading
//! NDJSON costs, and it is several times cheaper than a general reader. Nested values of other keys, and texts with escapes, are left to `serde_json`.

use std::borrow::Cow;

use memchr::memchr2;
use serde::de::IgnoredAny;

use super::{ColumnName, WantedColumns};

/// Why an object is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineError {
    /// It is not one JSON object.
    Malformed,
    /// A declared key, by its place, has a list or an object.
    Nested(usize),
    /// What should hold a declared key, by its place, is a single value.
    Single(usize),
}

/// The wanted columns, as the scanner looks for them. A name is a key, or a path of keys with dots between them.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) columns: WantedColumns,
    /// Whether any name may be a path, so that nested objects are worth a look.
    has_paths: bool,
}

impl Keys {
    pub(super) fn new(columns: &WantedColumns) -> Self {
        let is_path = |(place, column): (usize, &ColumnName)| !columns.is_found(place) && column.from.contains('.');
        Self { columns: columns.clone(), has_paths: columns.iter().enumerate().any(is_path) }
    }

    /// What a column's name says after the keys of the objects around (`path`, with a dot after each), if it begins with them. The name of a
    /// column that was found in the file is a key and no path, even with dots in it.
    fn after(&self, column: usize, path: &str) -> Option<&str> {
        let name = self.columns.get(column)?.from.as_str();
        if path.is_empty() {
            Some(name)
        } else if self.columns.is_found(column) {
            None
        } else {
            name.strip_prefix(path)
        }
    }

    fn is_key(&self, column: usize, path: &str, key: &str) -> bool {
        self.after(column, path).is_some_and(|rest| rest == key)
    }

    /// The first column that is a part of what a key has.
    fn inside(&self, path: &str, key: &str) -> Option<usize> {
        let is_inside = |column: &usize| {
            let rest = self.after(*column, path).and_then(|rest| rest.strip_prefix(key));
            !self.columns.is_found(*column) && rest.is_some_and(|rest| rest.starts_with('.'))
        };
        (0..self.columns.len()).find(is_inside)
    }
}

/// Values of the declared columns in one line.
pub(super) type Values<'a> = Vec<Option<Cow<'a, str>>>;

/// Reads the values of the columns out of `text` into `values`; keys of the object that are no part of a column, and what they have, go to `note`.
///
/// Numbers and truth values are given as they are written; of a repeated key the last one counts.
pub(super) fn read_object<'a>(
    text: &'a str,
    keys: &Keys,
    values: &mut Values<'a>,
    mut note: impl FnMut(Cow<'a, str>, Option<Cow<'a, str>>),
) -> Result<(), LineError> {
    values.clear();
    values.resize(keys.columns.len(), None);
    let mut scanner = Scanner { text, at: 0 };
    scanner.skip_spaces();
    scanner.object("", keys, values, &mut note)?;
    scanner.finish()
}

/// A place in a line. It always stands between characters: it only moves over ASCII bytes and whole texts.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    fn expect(&mut self, byte: u8) -> Result<(), LineError> {
        if self.next() == Some(byte) { Ok(()) } else { Err(LineError::Malformed) }
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Whether another key follows, or else the end of the object.
    fn goes_on(&mut self) -> Result<bool, LineError> {
        self.skip_spaces();
        match self.next() {
            Some(b',') => Ok(true),
            Some(b'}') => Ok(false),
            _ => Err(LineError::Malformed),
        }
    }

    fn finish(mut self) -> Result<(), LineError> {
        self.skip_spaces();
        if self.at == self.text.len() { Ok(()) } else { Err(LineError::Malformed) }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// An object that the keys of `path` lead to.
    fn object(
        &mut self,
        path: &str,
        keys: &Keys,
        values: &mut Values<'a>,
        note: &mut impl FnMut(Cow<'a, str>, Option<Cow<'a, str>>),
    ) -> Result<(), LineError> {
        let columns = &keys.columns;
        self.expect(b'{')?;
        self.skip_spaces();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        // Objects of one file nearly always have their keys in the same order.
        let mut likely = 0;
        loop {
            self.skip_spaces();
            let key = self.string()?;
            self.skip_spaces();
            self.expect(b':')?;
            self.skip_spaces();
            let column = if keys.is_key(likely, path, &key) {
                Some(likely)
            } else {
                (0..columns.len()).find(|column| keys.is_key(*column, path, &key))
            };
            let part = if column.is_none() && keys.has_paths { keys.inside(path, &key) } else { None };
            match (column, part) {
                (Some(column), _) => {
                    let value = self.value((!columns.is_found(column)).then_some(column))?;
                    likely = column + 1;
                    // Several columns may read one key.
                    for (column, value_of) in values.iter_mut().enumerate().skip(column) {
                        if keys.is_key(column, path, &key) {
                            value_of.clone_from(&value);
                        }
                    }
                }
                (None, Some(column)) => match self.peek() {
                    Some(b'{') => self.object(&format!("{path}{key}."), keys, values, note)?,
                    Some(b'[') => drop(self.value(Some(column))?),
                    _ if self.value(None)?.is_some() => return Err(LineError::Single(column)),
                    _ => {}
                },
                (None, None) => {
                    let value = self.value(None)?;
                    if path.is_empty() {
                        note(key, value);
                    }
                }
            }
            if !self.goes_on()? {
                return Ok(());
            }
        }
    }

    /// A text in quotes.
    fn string(&mut self) -> Result<Cow<'a, str>, LineError> {
        let quoted = self.rest();
        self.expect(b'"')?;
        let rest = self.rest();
        let end = memchr2(b'"', b'\\', rest.as_bytes()).ok_or(LineError::Malformed)?;
        if rest.as_bytes().get(end) == Some(&b'"') {
            self.at += end + 1;
            return rest.get(..end).map(Cow::Borrowed).ok_or(LineError::Malformed);
        }
        let mut texts = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
        let text = texts.next().and_then(Result::ok).ok_or(LineError::Malformed)?;
        self.at = self.at - 1 + texts.byte_offset();
        Ok(Cow::Owned(text))
    }

    /// Any value as text. A list or an object is none for a declared column.
    fn value(&mut self, column: Option<usize>) -> Result<Option<Cow<'a, str>>, LineError> {
        match self.peek() {
            Some(b'"') => self.string().map(Some),
            Some(b'{' | b'[') => {
                let text = self.rest();
                let start = self.at;
                self.skip_nested()?;
                match column {
                    Some(column) => Err(LineError::Nested(column)),
                    None => Ok(text.get(..self.at - start).map(Cow::Borrowed)),
                }
            }
            _ => {
                let rest = self.rest();
                let is_end = |byte: u8| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
                let end = rest.bytes().position(is_end).ok_or(LineError::Malformed)?;
                let word = rest.get(..end).ok_or(LineError::Malformed)?;
                self.at += end;
                match word {
                    "null" => Ok(None),
                    "true" | "false" => Ok(Some(word.into())),
                    _ if is_number(word.as_bytes()) => Ok(Some(word.into())),
                    _ => Err(LineError::Malformed),
                }
            }
        }
    }

    fn skip_nested(&mut self) -> Result<(), LineError> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<IgnoredAny>();
        values.next().and_then(Result::ok).ok_or(LineError::Malformed)?;
        self.at += values.byte_offset();
        Ok(())
    }
}

/// Whether the text is a number of JSON.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || whole > 1 && rest.first() == Some(&b'0') {
        return false;
    }
    if whole == rest.len() {
        return true;
    }
    let mut rest = rest.get(whole..).unwrap_or_default();
    if rest.first() == Some(&b'.') {
        let fraction = digits(rest.get(1..).unwrap_or_default());
        if fraction == 0 {
            return false;
        }
        rest = rest.get(1 + fraction..).unwrap_or_default();
    }
    if matches!(rest.first(), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(rest.get(1), Some(b'+' | b'-')));
        let exponent = digits(rest.get(1 + sign..).unwrap_or_default());
        if exponent == 0 {
            return false;
        }
        rest = rest.get(1 + sign + exponent..).unwrap_or_default();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(names: &[&str]) -> Keys {
        let columns = names.iter().map(|name| ColumnName { from: (*name).to_owned(), name: (*name).to_owned() });
        Keys::new(&columns.collect::<Vec<_>>().into())
    }

    fn read_as(names: &[&str], line: &str) -> Result<Vec<Option<String>>, LineError> {
        let mut values = Values::new();
        read_object(line, &keys(names), &mut values, |_, _| {})?;
        Ok(values.into_iter().map(|value| value.map(Cow::into_owned)).collect())
    }

    fn read(line: &str) -> Result<Vec<Option<String>>, LineError> {
        read_as(&["a", "б"], line)
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(read(r#"{"a":"x","б":12.50}"#), Ok(vec![text("x"), text("12.50")]));
        assert_eq!(read(r#" { "б" : true , "a" : null } "#), Ok(vec![None, text("true")]));
        assert_eq!(read(r#"{"a":"\u0416\n\"","c":{"a":[1,"}"]},"б":-1e5}"#), Ok(vec![text("Ж\n\""), text("-1e5")]));
        assert_eq!(read(r#"{"\u0061":"1","a":"2"}"#), Ok(vec![text("2"), None]));
        assert_eq!(read("{}"), Ok(vec![None, None]));
    }

    #[test]
    fn what_is_not_one_flat_object_is_refused() {
        for line in [
            "",
            "{",
            "[1]",
            "5",
            "null",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":1,}",
            "{\"a\":tru}",
            "{\"a\":1}{\"a\":2}",
            "{\"a\":\"x}",
            "{\"a\":1 2}",
            "{a:1}",
            "{\"a\":\"\\ud800\"}",
            "{\"c\":[}",
        ] {
            assert_eq!(read(line), Err(LineError::Malformed), "{line}");
        }
        assert_eq!(read(r#"{"a":1,"б":[1]}"#), Err(LineError::Nested(1)));
    }

    #[test]
    fn paths_lead_into_nested_objects() {
        let names = ["a", "b.c", "b.d.e", "b.d.f", "x.y"];
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            read_as(&names, r#"{"b":{"z":[{}],"c":"1","d":{"f":2,"e":{}, "f":3}},"a":0,"x.y":"whole"}"#),
            Err(LineError::Nested(2))
        );
        assert_eq!(
            read_as(&names, r#"{"b":{"z":[{}],"c":"1","d":{"f":2,"e":"й"}},"a":0,"x.y":"whole"}"#),
            Ok(vec![text("0"), text("1"), text("й"), text("2"), text("whole")])
        );
        assert_eq!(read_as(&names, r#"{"b":null,"x":{}}"#), Ok(vec![None; 5]));
        assert_eq!(read_as(&names, r#"{"b":{"d":5}}"#), Err(LineError::Single(2)));
        assert_eq!(read_as(&names, r#"{"b":[{"c":5}]}"#), Err(LineError::Nested(1)));
        assert_eq!(read_as(&names, r#"{"b":{"d":{}}"#), Err(LineError::Malformed));
    }

    #[test]
    fn other_keys_are_noted_with_what_they_have() {
        let noted_of = |keys: &Keys, line: &str| {
            let (mut values, mut noted) = (Values::new(), Vec::new());
            let note = |key: Cow<'_, str>, value: Option<Cow<'_, str>>| {
                noted.push((key.into_owned(), value.map(Cow::into_owned)));
            };
            read_object(line, keys, &mut values, note).unwrap();
            noted
        };
        let noted = noted_of(&keys(&["a", "б"]), r#"{"c":[1,{"d":"x"}],"a":"y","\u0436":null,"e":{},"f":1.50}"#);
        let noted: Vec<(&str, Option<&str>)> =
            noted.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        assert_eq!(noted, [("c", Some(r#"[1,{"d":"x"}]"#)), ("ж", None), ("e", Some("{}")), ("f", Some("1.50"))]);
        // The first key of a path is declared, and with it all that lies inside.
        let noted = noted_of(&keys(&["a.b", "a.c.d"]), r#"{"a":{"b":1,"x":2,"c":{"y":3}},"b":4}"#);
        assert_eq!(noted, [("b".to_owned(), Some("4".to_owned()))]);
    }

    #[test]
    fn the_name_of_a_found_column_is_no_path() {
        let columns = ["a", "x.y", "z"].map(|name| ColumnName { from: name.to_owned(), name: name.to_owned() });
        let keys = Keys::new(&WantedColumns::from(columns.to_vec()).declared_up_to(1));
        let mut values = Values::new();
        read_object(r#"{"x":{"y":1},"a":2,"x.y":3,"z":[4]}"#, &keys, &mut values, |_, _| {}).unwrap();
        assert_eq!(values, [Some("2".into()), Some("3".into()), Some("[4]".into())]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(line in "\\PC*") {
            let _ = read(&line);
            let _ = read_as(&["a.b", "a"], &line);
        }

        #[test]
        fn the_scanner_agrees_with_serde_json(a in any::<Option<String>>(), b in any::<f64>(), extra in any::<String>()) {
            let line = serde_json::json!({"c": [extra.clone(), {"d": extra}], "a": a, "б": b}).to_string();
            let values = read(&line).unwrap();
            prop_assert_eq!(&values[0], &a);
            let number = values[1].as_ref().map(|text| text.parse::<f64>().unwrap());
            prop_assert_eq!(number, b.is_finite().then_some(b));
        }

        #[test]
        fn what_is_taken_is_json(line in r#"[\{\}\[\]",:a1 .e-]{0,20}"#) {
            if read(&line).is_ok() || read_as(&["a.a", "a.1"], &line).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&line).is_ok(), "{}", line);
            }
        }
    }
}
