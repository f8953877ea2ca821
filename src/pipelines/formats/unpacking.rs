//! How large packed bytes may become: a few kilobytes can unpack to more than any disk holds.

use std::io::{self, Read};

/// Unpacked bytes below which the ratio says nothing yet.
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// How large unpacked bytes may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Most bytes.
    pub max_bytes: u64,
    /// Most bytes for one packed byte, once they are many.
    pub max_ratio: u64,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self { max_bytes: 16 << 30, max_ratio: 200 }
    }
}

/// What some packed bytes may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "unpacked it is larger than {n_bytes} bytes, the most that `{key}: {value}` of `unpack` allows; if the file is right, raise that limit in the pipeline"
)]
pub struct TooLarge {
    /// Most bytes.
    pub n_bytes: u64,
    key: &'static str,
    value: u64,
}

impl UnpackLimits {
    /// What so many packed bytes may become; the error to raise beyond that.
    #[must_use]
    pub fn allowed(&self, n_packed: u64) -> TooLarge {
        let by_ratio = n_packed.saturating_mul(self.max_ratio).max(ALWAYS_ALLOWED);
        if by_ratio < self.max_bytes {
            TooLarge { n_bytes: by_ratio, key: "max_ratio", value: self.max_ratio }
        } else {
            TooLarge { n_bytes: self.max_bytes, key: "max_bytes", value: self.max_bytes }
        }
    }
}

/// Unpacked bytes that end with an error where they become too many.
#[derive(Debug)]
pub struct Limited<R> {
    input: R,
    n_read: u64,
    limit: TooLarge,
}

impl<R> Limited<R> {
    /// Limits a stream of unpacked bytes.
    pub fn new(input: R, limit: TooLarge) -> Self {
        Self { input, n_read: 0, limit }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n_read = self.input.read(out)?;
        self.n_read += n_read as u64;
        if self.n_read > self.limit.n_bytes { Err(io::Error::other(self.limit)) } else { Ok(n_read) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_was_met_is_named() {
        let limits = UnpackLimits { max_bytes: 100 << 20, max_ratio: 10 };
        assert_eq!(limits.allowed(7 << 20).n_bytes, 70 << 20);
        assert_eq!(limits.allowed(1).n_bytes, 64 << 20);
        assert_eq!(limits.allowed(u64::MAX).n_bytes, 100 << 20);
        let limits = UnpackLimits { max_bytes: 3, max_ratio: 10 };
        let error = Limited::new(&b"1234"[..], limits.allowed(4)).read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unpacked it is larger than 3 bytes, the most that `max_bytes: 3` of `unpack` allows; if the file is right, raise that limit in the pipeline"
        );
        assert_eq!(Limited::new(&b"123"[..], limits.allowed(4)).read_to_end(&mut Vec::new()).unwrap(), 3);
    }
}
