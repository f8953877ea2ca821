//! Hashes that people and logs can name.

/// Characters of a short hash: 64 bits, far more than a region will ever have of anything that is told apart by one.
const LENGTH: usize = 16;

/// The first digits of a text's hash, in hexadecimal.
#[must_use]
pub fn short_hash(text: &str) -> String {
    first_digits(&blake3::hash(text.as_bytes()))
}

/// The first digits of a hash, in hexadecimal.
#[must_use]
pub fn first_digits(hash: &blake3::Hash) -> String {
    hash.to_hex().chars().take(LENGTH).collect()
}
