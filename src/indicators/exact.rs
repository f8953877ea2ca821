//! Amounts that add up to the last digit: whole millionths.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

use serde::{Serialize, Serializer};

/// Millionths in one.
const SCALE: f64 = 1e6;

/// An amount in whole millionths. Differences and sums of such amounts leave nothing over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exact(i128);

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The nearest amount to a number.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast of a float to an integer stops at the ends of the integer"
    )]
    pub fn nearest(number: f64) -> Self {
        Self((number * SCALE).round() as i128)
    }

    /// The amount as a number; its shortest decimal form has at most six digits after the point.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "amounts of this program lie far below 2^53 millionths times a million"
    )]
    pub fn number(self) -> f64 {
        self.0 as f64 / SCALE
    }

    /// Cuts an amount into parts as large as the numbers say, so that nothing is left over: each part is rounded, and the millionths
    /// that the rounding lost go to the parts that lost most.
    ///
    /// The numbers have to add up to the amount but for rounding.
    #[must_use]
    pub fn split(self, numbers: &[f64]) -> Vec<Self> {
        let mut parts: Vec<Self> = numbers.iter().map(|number| Self::nearest(*number)).collect();
        let Self(left) = self - parts.iter().copied().sum::<Self>();
        let lost = |at: usize| numbers[at] * SCALE - (numbers[at] * SCALE).round();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by(|one, other| lost(*other).total_cmp(&lost(*one)));
        if left < 0 {
            order.reverse();
        }
        let mut left_over = left.unsigned_abs();
        while left_over > 0 && !order.is_empty() {
            let share = (left_over / order.len() as u128).max(1);
            for at in &order {
                let step = share.min(left_over);
                parts[*at].0 += i128::try_from(step).unwrap_or_default() * left.signum();
                left_over -= step;
            }
        }
        parts
    }
}

impl Add for Exact {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Exact {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Exact {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Exact {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / 1_000_000, self.0.unsigned_abs() % 1_000_000);
        let text = format!("{sign}{whole}.{rest:06}");
        formatter.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.number())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_add_up_to_the_last_digit(numbers in proptest::collection::vec(-1e9..1e9f64, 1..60)) {
            let whole = Exact::nearest(numbers.iter().sum());
            let parts = whole.split(&numbers);
            prop_assert_eq!(parts.iter().copied().sum::<Exact>(), whole);
            for (part, number) in parts.iter().zip(&numbers) {
                prop_assert!((part.number() - number).abs() <= 1e-5, "{} for {}", part, number);
            }
        }
    }

    #[test]
    fn thirds_leave_nothing_over() {
        let parts = Exact::nearest(1.0).split(&[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]);
        assert_eq!(parts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["0.333334", "0.333333", "0.333333"]);
        assert_eq!(Exact::nearest(-0.5).to_string(), "-0.5");
        assert_eq!(Exact::nearest(1200.0).to_string(), "1200");
    }
}
