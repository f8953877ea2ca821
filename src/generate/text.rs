//! Writing rows byte by byte, since a million of them have to be written in a few seconds.

use super::days::{Calendar, Day, Moment};

/// A number with leading zeros to a width.
pub(super) fn push_number(into: &mut Vec<u8>, number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    let mut rest = number;
    while rest > 0 || digits.len() - start < width.max(1) {
        start -= 1;
        digits[start] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    into.extend_from_slice(&digits[start..]);
}

/// A sum of kopecks as `1234.50`, or with another decimal mark.
pub(super) fn push_sum(into: &mut Vec<u8>, kopecks: u64, decimal_mark: u8) {
    push_number(into, kopecks / 100, 1);
    into.push(decimal_mark);
    push_number(into, kopecks % 100, 2);
}

/// A moment as `2025-03-31T14:05:09`.
pub(super) fn push_moment(into: &mut Vec<u8>, calendar: &Calendar, moment: Moment) {
    into.extend_from_slice(calendar.iso(moment.day));
    into.push(b'T');
    push_clock(into, moment.second);
}

/// A time of day as `14:05:09`.
pub(super) fn push_clock(into: &mut Vec<u8>, second: u32) {
    push_number(into, u64::from(second / 3600), 2);
    into.push(b':');
    push_number(into, u64::from(second / 60 % 60), 2);
    into.push(b':');
    push_number(into, u64::from(second % 60), 2);
}

/// A day as `31.03.2025`.
pub(super) fn push_dotted(into: &mut Vec<u8>, calendar: &Calendar, day: Day) {
    into.extend_from_slice(calendar.dotted(day));
}

/// Fields of one JSON object, in order; absent values are left out.
#[derive(Debug)]
pub(super) struct JsonLine<'a> {
    into: &'a mut Vec<u8>,
}

impl<'a> JsonLine<'a> {
    /// Starts an object.
    pub(super) fn start(into: &'a mut Vec<u8>) -> Self {
        into.clear();
        Self { into }
    }

    fn key(&mut self, key: &str) {
        self.into.push(if self.into.is_empty() { b'{' } else { b',' });
        self.into.push(b'"');
        self.into.extend_from_slice(key.as_bytes());
        self.into.extend_from_slice(b"\":");
    }

    /// A text that needs no escaping.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.quoted(key, |into| into.extend_from_slice(value.as_bytes()));
    }

    /// A text written by the caller, without anything that needs escaping.
    pub(super) fn quoted(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.key(key);
        self.into.push(b'"');
        write(self.into);
        self.into.push(b'"');
    }

    /// A number written by the caller.
    pub(super) fn bare(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.key(key);
        write(self.into);
    }

    /// Closes the object.
    pub(super) fn end(self) {
        self.into.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut bytes = Vec::new();
        write(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn numbers_and_sums_are_written_as_registers_do() {
        assert_eq!(written(|into| push_number(into, 0, 1)), "0");
        assert_eq!(written(|into| push_number(into, 42, 6)), "000042");
        assert_eq!(written(|into| push_number(into, u64::MAX, 0)), u64::MAX.to_string());
        assert_eq!(written(|into| push_sum(into, 123_405, b',')), "1234,05");
        assert_eq!(written(|into| push_clock(into, 50_709)), "14:05:09");
    }

    #[test]
    fn a_line_is_one_json_object() {
        let mut bytes = b"rest of the line before".to_vec();
        let mut line = JsonLine::start(&mut bytes);
        line.text("number", "63-1");
        line.bare("amount", |into| push_sum(into, 5_000, b'.'));
        line.end();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value, serde_json::json!({"number": "63-1", "amount": 50.0}));
    }
}
