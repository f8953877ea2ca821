//! Files that leave the house, read back by another library.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

mod xlsx;
