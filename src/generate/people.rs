//! Made-up people: numbers that look like insurance numbers and can belong to nobody.

use super::dice::{Dice, Weights, fixed_number};
use super::territory::Territory;

/// Numbers that fit into nine digits without the leading zeros that were never issued.
const N_NUMBERS: u64 = 900_000_000;
/// Numbers kept for each municipality.
const PER_MUNICIPALITY: u64 = 19_000_000;
/// Shares no factor with [`N_NUMBERS`], so that every person gets a number of their own.
const SPREAD: u64 = 618_033_989;

/// A person that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Person {
    /// First nine digits of the number.
    digits: u32,
}

impl Person {
    /// One of the people of a municipality. Some people come back several times.
    ///
    /// `n_people` is how many live in the whole region.
    pub(super) fn pick(territory: &Territory, municipality: usize, n_people: u64, dice: &mut Dice) -> Self {
        let share = territory.municipalities.get(municipality).map_or(1, |place| u64::from(place.share));
        let n_local = (n_people * share / 1_000_000).clamp(1, PER_MUNICIPALITY);
        let limit = u32::try_from(n_local).unwrap_or(u32::MAX);
        let place = u64::from(dice.below(limit).min(dice.below(limit)));
        let index = municipality as u64 * PER_MUNICIPALITY + place + 1;
        let digits = 100_000_000 + index * SPREAD % N_NUMBERS;
        Self { digits: u32::try_from(digits).unwrap_or(100_000_000) }
    }

    /// The number as registers write it, `123-456-789 01`, with a checksum that is always wrong.
    pub(super) fn write_number(self, into: &mut Vec<u8>) {
        let digit = |place: u32| u8::try_from(self.digits / 10_u32.pow(8 - place) % 10).unwrap_or_default();
        for place in 0..9 {
            into.push(b'0' + digit(place));
            if place == 2 || place == 5 {
                into.push(b'-');
            }
        }
        let wrong = (checksum(self.digits) + 1 + self.digits % 97) % 100;
        into.extend_from_slice(&[b' ', b'0' + u8::try_from(wrong / 10).unwrap_or_default()]);
        into.push(b'0' + u8::try_from(wrong % 10).unwrap_or_default());
    }

    /// The same number for the same person, for counting people.
    pub(super) fn key(self) -> u32 {
        self.digits
    }

    /// Position in a list of weights that stays the person's own.
    pub(super) fn position(self, weights: &Weights) -> usize {
        weights.position_of(fixed_number(&self.digits.to_string()))
    }
}

/// The official checksum: digits times 9, 8, … 1, modulo 101, where 100 counts as 0.
fn checksum(digits: u32) -> u32 {
    let sum: u32 = (0..9).map(|place| digits / 10_u32.pow(8 - place) % 10 * (9 - place)).sum();
    sum % 101 % 100
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::generate::Region;

    #[test]
    fn the_checksum_is_the_official_one() {
        // The example of the Pension Fund's own leaflet: 112-233-445 95.
        assert_eq!(checksum(112_233_445), 95);
    }

    #[test]
    fn nobody_can_have_such_a_number() {
        let territory = Territory::load(Region::Samara).unwrap();
        let mut dice = Dice::new(1, 1);
        let mut seen = BTreeSet::new();
        for n in 0..3_000 {
            let person = Person::pick(&territory, n % 46, 20_000, &mut dice);
            let mut text = Vec::new();
            person.write_number(&mut text);
            let text = String::from_utf8(text).unwrap();
            let written: u32 = text.split(' ').nth(1).unwrap().parse().unwrap();
            assert_ne!(written, checksum(person.digits), "{text}");
            seen.insert(text);
        }
        assert!((1_500..3_000).contains(&seen.len()), "some come twice: {}", seen.len());
    }
}
