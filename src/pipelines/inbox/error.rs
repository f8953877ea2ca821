//! Why an inbox does not do what it should.

use std::io;

/// Why pushed bodies cannot be kept or handed on.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// A file of the inbox cannot be read or written.
    #[error("the inbox cannot be read or written")]
    File(#[from] io::Error),
    /// Bytes that were on the disk are no longer what they were.
    #[error(
        "`{file}` is damaged from byte {from} on; nothing of it is taken: put the inbox's file `{segment}` back from a copy, or move it away and have its rows pushed again"
    )]
    Damaged {
        /// The unit as runs and quarantine name it.
        file: String,
        /// The file inside the inbox.
        segment: String,
        /// Where the damage begins.
        from: u64,
    },
}

impl InboxError {
    /// Whether the disk has no room left.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::File(cause) if matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}
