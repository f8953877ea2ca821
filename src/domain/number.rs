//! How numbers and dates are written for people: `12 345,6`, `−3,2 %`, `648,2 тыс.`, `01.04.2024`.

use chrono::{Datelike, NaiveDate};

use super::language::Lang;

/// Narrow no-break space, the separator of thousands.
pub const THIN_SPACE: char = '\u{202F}';
/// The sign of a negative number.
pub const MINUS: char = '\u{2212}';

const MONTHS_RU: [&str; 12] = [
    "январь",
    "февраль",
    "март",
    "апрель",
    "май",
    "июнь",
    "июль",
    "август",
    "сентябрь",
    "октябрь",
    "ноябрь",
    "декабрь",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A number with a fixed count of decimals, thousands apart by a narrow no-break space.
///
/// ```
/// use svod::domain::{language::Lang, number::format_number};
/// assert_eq!(format_number(-12345.67, 1, Lang::Ru), "\u{2212}12\u{202F}345,7");
/// assert_eq!(format_number(1234.0, 0, Lang::En), "1\u{202F}234");
/// ```
#[must_use]
pub fn format_number(value: f64, decimals: usize, lang: Lang) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut text = String::with_capacity(digits.len() + 6);
    let is_zero = digits.chars().all(|digit| digit == '0' || digit == '.');
    if value < 0.0 && !is_zero {
        text.push(MINUS);
    }
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            text.push(THIN_SPACE);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push(if lang == Lang::Ru { ',' } else { '.' });
        text.push_str(fraction);
    }
    text
}

/// A number cut to at most four figures and the word of its magnitude: `("648,2", "тыс.")`.
///
/// Numbers under ten thousand are written whole, with `decimals`, and no word.
#[must_use]
pub fn format_compact(value: f64, decimals: usize, lang: Lang) -> (String, &'static str) {
    let (divisor, word) = match value.abs() {
        size if size >= 1e9 => (1e9, lang.pick("млрд", "bn")),
        size if size >= 1e6 => (1e6, lang.pick("млн", "m")),
        size if size >= 1e4 => (1e3, lang.pick("тыс.", "k")),
        _ => return (format_number(value, decimals, lang), ""),
    };
    (format_number(value / divisor, 1, lang), word)
}

/// A number with an explicit sign, for changes: `+2,3`, `−0,5`, `0,0`.
#[must_use]
pub fn format_change(value: f64, decimals: usize, lang: Lang) -> String {
    let text = format_number(value, decimals, lang);
    let is_zero = text.chars().all(|digit| matches!(digit, '0' | ',' | '.'));
    if value > 0.0 && !is_zero { format!("+{text}") } else { text }
}

/// A date as people write it: `01.04.2024`.
#[must_use]
pub fn format_date(date: NaiveDate) -> String {
    date.format("%d.%m.%Y").to_string()
}

/// Name of a month, counted from 1: `апрель`.
#[must_use]
pub fn month_name(month: u32, lang: Lang) -> &'static str {
    let names = if lang == Lang::Ru { &MONTHS_RU } else { &MONTHS_EN };
    names[(month.clamp(1, 12) - 1) as usize]
}

/// First three letters of a month's name: `апр`.
#[must_use]
pub fn short_month_name(date: NaiveDate, lang: Lang) -> String {
    month_name(date.month(), lang).chars().take(3).collect()
}

/// The form of a Russian noun that goes with a count: `plural(2, ["день", "дня", "дней"])` is `дня`.
#[must_use]
pub fn plural_ru(count: u64, forms: [&str; 3]) -> &str {
    match (count % 10, count % 100) {
        (1, hundred) if hundred != 11 => forms[0],
        (2..=4, hundred) if !(12..=14).contains(&hundred) => forms[1],
        _ => forms[2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_russian_typography() {
        assert_eq!(format_number(1_234_567.0, 0, Lang::Ru), "1\u{202F}234\u{202F}567");
        assert_eq!(format_number(-0.04, 1, Lang::Ru), "0,0");
        assert_eq!(format_number(999.96, 1, Lang::Ru), "1\u{202F}000,0");
        assert_eq!(format_compact(648_240.0, 0, Lang::Ru), ("648,2".to_owned(), "тыс."));
        assert_eq!(format_compact(9_999.0, 0, Lang::Ru), ("9\u{202F}999".to_owned(), ""));
        assert_eq!(format_change(2.26, 1, Lang::Ru), "+2,3");
        assert_eq!(format_change(0.01, 1, Lang::En), "0.0");
    }

    #[test]
    fn russian_nouns_agree_with_their_count() {
        let days = ["день", "дня", "дней"];
        for (count, form) in [(1, "день"), (3, "дня"), (5, "дней"), (11, "дней"), (21, "день"), (112, "дней")]
        {
            assert_eq!(plural_ru(count, days), form, "{count}");
        }
    }
}
