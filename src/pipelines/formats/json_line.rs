//! One JSON object → the values of the declared keys.
//!
//! A register's line is a flat object, or nearly so. It is scanned once from left to right, without building a tree of it: this is what reading
//! NDJSON costs, and it is several times cheaper than a general reader. Nested values of other keys, and texts with escapes, are left to `serde_json`.

use std::borrow::Cow;

use memchr::memchr2;
use serde::de::IgnoredAny;

use super::ColumnName;

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

/// The declared columns, as the scanner looks for them. A name is a key, or a path of keys with dots between them.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) columns: Vec<ColumnName>,
    /// Whether any name may be a path, so that nested objects are worth a look.
    has_paths: bool,
}

impl Keys {
    pub(super) fn new(columns: &[ColumnName]) -> Self {
        Self { columns: columns.to_vec(), has_paths: columns.iter().any(|column| column.from.contains('.')) }
    }
}

/// What a column's name says after the keys of the objects around (`path`, with a dot after each), if it begins with them.
fn after<'a>(column: &'a ColumnName, path: &str) -> Option<&'a str> {
    if path.is_empty() { Some(&column.from) } else { column.from.strip_prefix(path) }
}

/// Values of the declared columns in one line.
pub(super) type Values<'a> = Vec<Option<Cow<'a, str>>>;

/// Reads the values of the columns out of `text` into `values`. Numbers and truth values are given as they are written; of a repeated key the last one counts.
pub(super) fn read_object<'a>(text: &'a str, keys: &Keys, values: &mut Values<'a>) -> Result<(), LineError> {
    values.clear();
    values.resize(keys.columns.len(), None);
    let mut scanner = Scanner { text, at: 0 };
    scanner.skip_spaces();
    scanner.object("", keys, values)?;
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

    fn finish(mut self) -> Result<(), LineError> {
        self.skip_spaces();
        if self.at == self.text.len() { Ok(()) } else { Err(LineError::Malformed) }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// An object that the keys of `path` lead to.
    fn object(&mut self, path: &str, keys: &Keys, values: &mut Values<'a>) -> Result<(), LineError> {
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
            let is_key = |column: &ColumnName| after(column, path).is_some_and(|rest| rest == key);
            let column = match columns.get(likely) {
                Some(column) if is_key(column) => Some(likely),
                _ => columns.iter().position(is_key),
            };
            match column {
                Some(column) => {
                    let value = self.value(Some(column))?;
                    likely = column + 1;
                    // Several columns may read one key.
                    for (column, value_of) in columns.iter().zip(values.iter_mut()).skip(column) {
                        if is_key(column) {
                            value_of.clone_from(&value);
                        }
                    }
                }
                None if keys.has_paths => self.parts(path, &key, keys, values)?,
                None => drop(self.value(None)?),
            }
            self.skip_spaces();
            match self.next() {
                Some(b',') => {}
                Some(b'}') => return Ok(()),
                _ => return Err(LineError::Malformed),
            }
        }
    }

    /// The value of a key that no column takes whole; some may take parts of it.
    fn parts(&mut self, path: &str, key: &str, keys: &Keys, values: &mut Values<'a>) -> Result<(), LineError> {
        let is_inside = |column: &ColumnName| {
            after(column, path).and_then(|rest| rest.strip_prefix(key)).is_some_and(|rest| rest.starts_with('.'))
        };
        let Some(column) = keys.columns.iter().position(is_inside) else { return self.value(None).map(drop) };
        match self.peek() {
            Some(b'{') => self.object(&format!("{path}{key}."), keys, values),
            Some(b'[') => self.value(Some(column)).map(drop),
            _ => match self.value(None)? {
                Some(_) => Err(LineError::Single(column)),
                None => Ok(()),
            },
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

    /// Any value; its text, if it is asked for by a declared column.
    fn value(&mut self, column: Option<usize>) -> Result<Option<Cow<'a, str>>, LineError> {
        match self.peek() {
            Some(b'"') => self.string().map(Some),
            Some(b'{' | b'[') => match column {
                Some(column) => {
                    self.skip_nested()?;
                    Err(LineError::Nested(column))
                }
                None => self.skip_nested().map(|()| None),
            },
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

    fn read_as(names: &[&str], line: &str) -> Result<Vec<Option<String>>, LineError> {
        let columns = names.iter().map(|name| ColumnName { from: (*name).to_owned(), name: (*name).to_owned() });
        let mut values = Values::new();
        read_object(line, &Keys::new(&columns.collect::<Vec<_>>()), &mut values)?;
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
