//! From values to pixels: round ticks, and numbers that share one magnitude.

use crate::domain::figure::Figure;
use crate::domain::language::Lang;
use crate::domain::number::{THIN_SPACE, format_number};

/// A straight line from values to pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Scale {
    /// Maps `low..high` to `start..end`.
    pub(super) fn new((low, high): (f64, f64), (start, end): (f64, f64)) -> Self {
        Self { low, high, start, end }
    }

    /// The pixel of a value, kept inside the scale.
    pub(super) fn at(self, value: f64) -> f64 {
        let span = self.high - self.low;
        let share = if span > 0.0 { ((value - self.low) / span).clamp(0.0, 1.0) } else { 0.5 };
        self.start + (self.end - self.start) * share
    }
}

/// How far, in steps, values may pass the upper tick.
const SLACK: f64 = 0.12;

/// A range of values with round ticks inside; the range ends at a tick or a little beyond.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ticks {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) values: Vec<f64>,
}

/// Round ticks around values, about `n_wanted` steps.
pub(super) fn round_ticks(low: f64, high: f64, n_wanted: usize) -> Ticks {
    let (low, high) = if high > low {
        (low, high)
    } else if low == 0.0 || !low.is_finite() {
        return Ticks { low: 0.0, high: 1.0, values: vec![0.0] };
    } else {
        (low - low.abs() * 0.1, low + low.abs() * 0.1)
    };
    let wanted = f64::from(u32::try_from(n_wanted.max(1)).unwrap_or(1));
    let rough = (high / wanted - low / wanted).max(f64::MIN_POSITIVE * 1e6);
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|factor| factor * power >= rough * 0.999).unwrap_or(10.0);
    let step = factor * power;
    // A value that passes the last tick by little needs no further one.
    let first = (low / step + 1e-9).floor();
    let last = if high <= 0.0 { (high / step - 1e-9).ceil() } else { (high / step - SLACK).ceil() };
    let mut values = Vec::new();
    let mut position = first;
    while position <= last && values.len() < 64 {
        values.push(position * step);
        position += 1.0;
    }
    Ticks { low: low.min(first * step), high: high.max(last * step), values }
}

/// Lowest and highest of the values there are.
pub(super) fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
    })
}

/// How numbers of one chart are written: one magnitude, one count of decimals.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    divisor: f64,
    decimals: usize,
    /// Word of the magnitude, such as `тыс.`; may be empty.
    pub(super) word: &'static str,
    /// Symbol of the unit.
    pub(super) unit: String,
    lang: Lang,
}

impl Numbers {
    /// Numbers of an axis with these ticks.
    pub(super) fn of_ticks(ticks: &[f64], unit: &str, lang: Lang) -> Self {
        let largest = ticks.iter().copied().map(f64::abs).fold(0.0, f64::max);
        let (divisor, word) = magnitude(largest, 1e4, lang);
        let decimals =
            (0..=6).find(|decimals| ticks.iter().all(|tick| is_exact(tick / divisor, *decimals))).unwrap_or(2);
        Self { divisor, decimals, word, unit: unit.to_owned(), lang }
    }

    /// Numbers of values that stand beside each other: whole up to a million, then by magnitude.
    pub(super) fn of_values<'a>(
        figures: impl Iterator<Item = &'a Figure>,
        decimals: usize,
        unit: &str,
        lang: Lang,
    ) -> Self {
        let largest = figures.filter_map(|figure| figure.value).map(f64::abs).fold(0.0, f64::max);
        let (divisor, word) = magnitude(largest, 1e6, lang);
        let decimals = if divisor > 1.0 { 2 } else { decimals };
        Self { divisor, decimals, word, unit: unit.to_owned(), lang }
    }

    /// The same magnitude with other decimals.
    pub(super) fn with_decimals(&self, decimals: usize) -> Self {
        Self { decimals, ..self.clone() }
    }

    /// A single value beside the axis: about four figures where a magnitude stands, else with the decimals of the
    /// indicator or the axis, whichever are more.
    pub(super) fn close(&self, value: f64, decimals: usize) -> String {
        let decimals = match (value / self.divisor).abs() {
            _ if self.divisor <= 1.0 => decimals.max(self.decimals),
            size if size < 10.0 => 2,
            size if size < 1000.0 => 1,
            _ => 0,
        };
        self.with_decimals(decimals).full(value)
    }

    /// The number alone.
    pub(super) fn bare(&self, value: f64) -> String {
        format_number(value / self.divisor, self.decimals, self.lang)
    }

    /// The number with its magnitude and a short unit: `648,2 тыс.`, `79,1 %`.
    pub(super) fn full(&self, value: f64) -> String {
        let mut text = self.bare(value);
        for part in [self.word, if self.has_short_unit() { &self.unit } else { "" }] {
            if !part.is_empty() {
                text.push(THIN_SPACE);
                text.push_str(part);
            }
        }
        text
    }

    /// What stands once above the axis: magnitude and unit, if they are not on every number.
    pub(super) fn heading(&self) -> String {
        let unit = if self.has_short_unit() { "" } else { self.unit.as_str() };
        [self.word, unit].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// A tick: a short unit stands on it, a magnitude does not.
    pub(super) fn tick(&self, value: f64) -> String {
        if self.has_short_unit() { format!("{}{THIN_SPACE}{}", self.bare(value), self.unit) } else { self.bare(value) }
    }

    fn has_short_unit(&self) -> bool {
        matches!(self.unit.as_str(), "%" | "‰" | "₽")
    }
}

/// Divisor and word of a magnitude, from a threshold on.
fn magnitude(largest: f64, threshold: f64, lang: Lang) -> (f64, &'static str) {
    match largest {
        size if size < threshold => (1.0, ""),
        size if size >= 1e12 => (1e12, lang.pick("трлн", "tn")),
        size if size >= 1e9 => (1e9, lang.pick("млрд", "bn")),
        size if size >= 1e6 => (1e6, lang.pick("млн", "m")),
        _ => (1e3, lang.pick("тыс.", "k")),
    }
}

/// Whether a number loses nothing when written with so many decimals.
fn is_exact(value: f64, decimals: usize) -> bool {
    let power = 10f64.powi(i32::try_from(decimals).unwrap_or(0));
    let shifted = value * power;
    (shifted - shifted.round()).abs() < 1e-6 * shifted.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        assert_eq!(round_ticks(380.0, 648.0, 4).values, [300.0, 400.0, 500.0, 600.0, 700.0]);
        assert_eq!(round_ticks(0.0, 9.0, 4).values, [0.0, 2.5, 5.0, 7.5, 10.0]);
        assert_eq!(round_ticks(-3.0, 8.0, 4).values, [-5.0, 0.0, 5.0, 10.0]);
        assert_eq!(round_ticks(0.0, 0.0, 4).values, [0.0]);
        let one = round_ticks(7.0, 7.0, 4);
        assert!(one.low <= 7.0 && one.high >= 7.0 && one.values.len() >= 3, "{one:?}");
        let huge = round_ticks(1e15, 9e15, 4);
        assert!(huge.low <= 1e15 && huge.high >= 9e15 && huge.values.len() < 8);
    }

    #[test]
    fn numbers_of_one_axis_share_their_magnitude() {
        let numbers = Numbers::of_ticks(&[0.0, 250_000.0, 500_000.0], "случаев", Lang::Ru);
        assert_eq!((numbers.tick(250_000.0).as_str(), numbers.heading().as_str()), ("250", "тыс. случаев"));
        assert_eq!(numbers.close(248_270.0, 0), "248,3\u{202F}тыс.");
        let shares = Numbers::of_ticks(&[0.0, 2.5, 5.0], "%", Lang::Ru);
        assert_eq!((shares.tick(2.5).as_str(), shares.heading().as_str()), ("2,5\u{202F}%", ""));
        let figures = [Figure::new(1_250_000.0), Figure::new(80_000.0)];
        let values = Numbers::of_values(figures.iter(), 0, "", Lang::En);
        assert_eq!(values.full(1_250_000.0), "1.25\u{202F}m");
    }

    #[test]
    fn a_scale_keeps_values_inside() {
        let scale = Scale::new((0.0, 10.0), (100.0, 200.0));
        assert!((scale.at(5.0) - 150.0).abs() < 1e-9);
        assert!((scale.at(50.0) - 200.0).abs() < 1e-9);
    }
}
