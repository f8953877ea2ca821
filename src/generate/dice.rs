//! Random choices that give the same bytes on every machine.
//!
//! Only whole numbers are used: floating-point functions such as `exp` differ between platforms in the last digit, and
//! the sampling algorithms of general libraries change between their versions.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A source of choices; the same seed and stream give the same choices.
#[derive(Debug, Clone)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The choices of one register. Streams of one seed do not depend on each other, so a register made alone is the
    /// same as one made together with the others.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut bytes = [0_u8; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(b"svod-gen");
        let mut generator = ChaCha8Rng::from_seed(bytes);
        generator.set_stream(stream);
        Self(generator)
    }

    /// A number from 0 to `limit - 1`; 0 if the limit is 0.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        let product = u64::from(self.0.next_u32()) * u64::from(limit);
        u32::try_from(product >> 32).unwrap_or_default()
    }

    /// A number from `from` to `to`, both included.
    pub(super) fn between(&mut self, from: u32, to: u32) -> u32 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// True in so many of a thousand cases.
    pub(super) fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < permille
    }

    /// A number drawn from 21 quantiles (0 %, 5 %, …, 100 %), straight between them.
    pub(super) fn quantile(&mut self, quantiles: &[u16; 21]) -> u32 {
        let place = self.below(2000);
        let step = (place / 100) as usize;
        let (low, high) = (u32::from(quantiles[step]), u32::from(quantiles[step + 1]));
        low + (high.saturating_sub(low) * (place % 100) + 50) / 100
    }

    /// One of equally likely things.
    pub(super) fn one_of<T: Copy>(&mut self, things: &[T]) -> Option<T> {
        let limit = u32::try_from(things.len()).unwrap_or(u32::MAX);
        things.get(self.below(limit) as usize).copied()
    }

    /// Position in a list of weights, each as likely as its weight; 0 for an empty list.
    pub(super) fn weighted(&mut self, weights: &Weights) -> usize {
        let ticket = self.below(weights.total);
        weights.upper.partition_point(|upper| *upper <= ticket)
    }
}

/// Running totals of a list of weights.
#[derive(Debug, Clone, Default)]
pub(super) struct Weights {
    upper: Vec<u32>,
    total: u32,
}

impl Weights {
    /// Totals of weights that together stay under 2³².
    pub(super) fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let mut total = 0_u32;
        let upper = weights
            .into_iter()
            .map(|weight| {
                total = total.saturating_add(weight);
                total
            })
            .collect();
        Self { upper, total }
    }

    /// Position that a fixed number points at, each as likely as its weight.
    pub(super) fn position_of(&self, number: u32) -> usize {
        let ticket = (u64::from(number) * u64::from(self.total)) >> 32;
        self.upper.partition_point(|upper| u64::from(*upper) <= ticket)
    }
}

/// A number that belongs to a text for ever, whatever the seed (FNV-1a).
pub(super) fn fixed_number(text: &str) -> u32 {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mixed = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    mixed ^ (mixed >> 13)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_follow_the_seed_and_the_stream() {
        let draw = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            (0..5).map(|_| dice.below(1_000_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(2, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
    }

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::new(7, 0);
        let weights = Weights::new([1, 0, 3]);
        let mut counts = [0; 3];
        for _ in 0..40_000 {
            counts[dice.weighted(&weights)] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((9_500..10_500).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn quantiles_are_kept() {
        let mut dice = Dice::new(7, 0);
        let table: [u16; 21] = std::array::from_fn(|step| u16::try_from(step * 10).unwrap());
        let draws: Vec<u32> = (0..20_000).map(|_| dice.quantile(&table)).collect();
        let below_half = draws.iter().filter(|draw| **draw < 100).count();
        assert!((9_500..10_500).contains(&below_half), "{below_half}");
        assert!(draws.iter().all(|draw| *draw <= 200));
    }
}
