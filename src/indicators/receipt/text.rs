//! The text of a receipt: fields apart by points, lists by colons and commas, a checksum at the end.
//!
//! ```text
//! svod1.appeals.3f2ab1c0d4e5f607.42.d2026-11-21.municipality=36740000.status=new,open.2025-01-01_2025-06-30.month_2025-03-01.all..0~2e1~2e0.91c0….5b7d…
//! ```

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};

use super::{Basis, Receipt, Seen};
use crate::domain::period::{Grain, Period};
use crate::domain::short_hash::short_hash;

/// First field, which says how the others are written.
const FORM: &str = "svod1";
/// Fields before the checksum.
const N_FIELDS: usize = 13;
/// Characters of the checksum.
const CHECK_LENGTH: usize = 6;

/// Why a text is no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It does not begin as one.
    #[error("`{0}` is no receipt: a receipt begins with `svod1.`")]
    Form(String),
    /// A part of it is missing, or one character is another.
    #[error("the receipt is cut off or mistyped: its checksum does not fit")]
    Checksum,
    /// A field cannot be read.
    #[error("the {field} of the receipt cannot be read: `{text}`")]
    Field {
        /// Which one.
        field: &'static str,
        /// What stands there.
        text: String,
    },
}

pub(super) fn write(receipt: &Receipt) -> String {
    let Receipt { basis, indicator, snapshot, keys, grain, bucket, figure_hash } = receipt;
    let seen = match basis.seen {
        Seen::Day(day) => format!("d{day}"),
        Seen::Moment(moment) => format!("m{}", moment.timestamp_micros()),
    };
    let key = |(name, code): &(String, Option<String>)| match code {
        Some(code) => format!("{}={}", escape(name), escape(code)),
        None => escape(name),
    };
    let filter = |(name, values): (&String, &Vec<String>)| {
        let values: Vec<String> = values.iter().map(|value| escape(value)).collect();
        if values.is_empty() { escape(name) } else { format!("{}={}", escape(name), values.join(",")) }
    };
    let fields = [
        FORM.to_owned(),
        escape(indicator),
        escape(&basis.edition),
        snapshot.to_string(),
        seen,
        keys.iter().map(key).collect::<Vec<_>>().join(":"),
        basis.filters.iter().map(filter).collect::<Vec<_>>().join(":"),
        basis.period.map_or_else(String::new, |Period { from, to }| format!("{from}_{to}")),
        grain.zip(*bucket).map_or_else(String::new, |(grain, bucket)| format!("{}_{bucket}", escape(grain.code()))),
        escape(&basis.scope),
        escape(&basis.policy),
        escape(&basis.program),
        escape(figure_hash),
    ];
    let text = fields.join(".");
    format!("{text}.{}", checksum(&text))
}

pub(super) fn read(text: &str) -> Result<Receipt, ReceiptError> {
    let text = text.trim();
    if !text.starts_with("svod1.") {
        return Err(ReceiptError::Form(text.chars().take(40).collect()));
    }
    let (body, check) = text.rsplit_once('.').ok_or(ReceiptError::Checksum)?;
    let fields: Vec<&str> = body.split('.').collect();
    let [_, indicator, edition, snapshot, seen, keys, filters, period, bucket, scope, policy, program, hash] =
        <[&str; N_FIELDS]>::try_from(fields).map_err(|_| ReceiptError::Checksum)?;
    if check != checksum(body) {
        return Err(ReceiptError::Checksum);
    }
    let field = |field, text: &str| ReceiptError::Field { field, text: text.to_owned() };
    let plain = |name, text: &str| unescape(text).ok_or_else(|| field(name, text));
    let list = |text: &str| text.split(':').filter(|item| !item.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let mut cut = Vec::new();
    for item in list(keys) {
        let (name, code) = item.split_once('=').map_or((item.as_str(), None), |(name, code)| (name, Some(code)));
        cut.push((plain("cut", name)?, code.map(|code| plain("cut", code)).transpose()?));
    }
    let mut let_through = BTreeMap::new();
    for item in list(filters) {
        let (name, values) = item.split_once('=').map_or((item.as_str(), None), |(name, code)| (name, Some(code)));
        let values = values.iter().flat_map(|values| values.split(',')).map(|value| plain("filter", value));
        let_through.insert(plain("filter", name)?, values.collect::<Result<Vec<_>, _>>()?);
    }
    let time = read_unless_empty("grain", bucket, read_bucket)?;
    Ok(Receipt {
        basis: Basis {
            edition: plain("edition", edition)?,
            seen: read_seen(seen).ok_or_else(|| field("day", seen))?,
            filters: let_through,
            period: read_unless_empty("period", period, read_period)?,
            scope: plain("scope", scope)?,
            policy: plain("policy", policy)?,
            program: plain("program", program)?,
        },
        indicator: plain("indicator", indicator)?,
        snapshot: snapshot.parse().map_err(|_| field("snapshot", snapshot))?,
        keys: cut,
        grain: time.map(|(grain, _)| grain),
        bucket: time.map(|(_, bucket)| bucket),
        figure_hash: plain("hash", hash)?,
    })
}

fn checksum(text: &str) -> String {
    short_hash(text).chars().take(CHECK_LENGTH).collect()
}

fn read_seen(text: &str) -> Option<Seen> {
    if let Some(day) = text.strip_prefix('d') {
        return day.parse().ok().map(Seen::Day);
    }
    DateTime::from_timestamp_micros(text.strip_prefix('m')?.parse().ok()?).map(Seen::Moment)
}

fn read_period(text: &str) -> Option<Period> {
    let (from, to) = text.split_once('_')?;
    Some(Period { from: from.parse().ok()?, to: to.parse().ok()? })
}

fn read_bucket(text: &str) -> Option<(Grain, NaiveDate)> {
    let (grain, bucket) = text.rsplit_once('_')?;
    Some((unescape(grain)?.parse().ok()?, bucket.parse().ok()?))
}

/// A field that may be empty.
fn read_unless_empty<T>(
    name: &'static str,
    text: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ReceiptError> {
    if text.is_empty() {
        return Ok(None);
    }
    read(text).map(Some).ok_or_else(|| ReceiptError::Field { field: name, text: text.to_owned() })
}

/// Every byte but Latin letters, digits, `_` and `-` as `~` and two hexadecimal digits.
fn escape(text: &str) -> String {
    let digit = |number: u8| char::from_digit(u32::from(number), 16).unwrap_or('0');
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            escaped.push(char::from(byte));
        } else {
            escaped.extend(['~', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'~' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn receipt(code: Option<String>, values: Vec<String>, micros: i64) -> Receipt {
        Receipt {
            basis: Basis {
                edition: "3f2ab1c0d4e5f607".to_owned(),
                seen: Seen::Moment(DateTime::from_timestamp_micros(micros).unwrap()),
                filters: BTreeMap::from([("канал".to_owned(), values)]),
                period: Some(Period::parse("2025", "2025-Q2").unwrap()),
                scope: "all".to_owned(),
                policy: String::new(),
                program: "0.1.0".to_owned(),
            },
            indicator: "appeals".to_owned(),
            snapshot: 42,
            keys: vec![("municipality".to_owned(), code), ("status".to_owned(), None)],
            grain: Some(Grain::Month),
            bucket: "2025-03-01".parse().ok(),
            figure_hash: "91c0".to_owned(),
        }
    }

    proptest! {
        #[test]
        fn every_receipt_is_read_back_and_is_safe_in_an_address(
            code in proptest::option::of(any::<String>()), values in proptest::collection::vec(any::<String>(), 0..4),
            micros in 0..4_000_000_000_000_000i64,
        ) {
            let receipt = receipt(code, values, micros);
            let text = receipt.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-~=,:".contains(&byte)), "{}", text);
            prop_assert_eq!(text.parse::<Receipt>().unwrap(), receipt);
        }
    }

    #[test]
    fn a_mistyped_receipt_is_told() {
        let text = receipt(Some("36740000".to_owned()), Vec::new(), 0).to_string();
        for wrong in
            [text.replacen("36740000", "36740001", 1), text.rsplit_once('.').unwrap().0.to_owned(), format!("{text}0")]
        {
            assert_eq!(wrong.parse::<Receipt>(), Err(ReceiptError::Checksum), "{wrong}");
        }
        let error = "42".parse::<Receipt>().unwrap_err().to_string();
        assert_eq!(error, "`42` is no receipt: a receipt begins with `svod1.`");
    }
}
