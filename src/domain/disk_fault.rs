//! Faults of the disk, which look alike wherever they are met, and what to do about them.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::language::Lang;

/// A fault of the disk that stops whoever writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFault {
    /// There is no room left, or none that this user may take.
    Full,
    /// Nobody may write there.
    ReadOnly,
    /// This user may not.
    Denied,
}

/// What the engines, which keep no kind, say of each fault: the words of the operating system.
const WORDS: [(&str, DiskFault); 5] = [
    ("No space left on device", DiskFault::Full),
    ("Disk quota exceeded", DiskFault::Full),
    ("File too large", DiskFault::Full),
    ("Read-only file system", DiskFault::ReadOnly),
    ("Permission denied", DiskFault::Denied),
];

impl DiskFault {
    /// The fault of the disk that an error comes from, if it comes from one.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let own = match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) => Some(Self::Full),
            Some(ErrorKind::ReadOnlyFilesystem) => Some(Self::ReadOnly),
            Some(ErrorKind::PermissionDenied) => Some(Self::Denied),
            _ => {
                let text = error.to_string();
                WORDS.iter().find(|(words, _)| text.contains(words)).map(|(_, fault)| *fault)
            }
        };
        own.or_else(|| error.source().and_then(Self::of))
    }

    /// What is wrong, in a few words.
    #[must_use]
    pub fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Full => lang.pick("на диске нет места", "the disk is full"),
            Self::ReadOnly => lang.pick("диск доступен только для чтения", "the disk is read-only"),
            Self::Denied => lang.pick("нет права на запись", "there is no right to write"),
        }
    }

    /// What to do.
    #[must_use]
    pub fn advice(self, lang: Lang) -> &'static str {
        match self {
            Self::Full => lang.pick(
                "освободите место на диске и повторите: то, что уже записано, сохранено",
                "free some room on the disk and run again: what was committed stays",
            ),
            Self::ReadOnly => lang.pick(
                "сделайте диск доступным для записи и повторите: то, что уже записано, сохранено",
                "make the disk writable and run again: what was committed stays",
            ),
            Self::Denied => lang.pick(
                "дайте пользователю svod право на запись и повторите: то, что уже записано, сохранено",
                "give the user of svod the right to write and run again: what was committed stays",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_fault_is_known_by_its_kind_and_by_its_words() {
        let of = |cause| DiskFault::of(&Outer(cause));
        assert_eq!(of(io::Error::from_raw_os_error(28)), Some(DiskFault::Full));
        assert_eq!(of(io::Error::from(ErrorKind::PermissionDenied)), Some(DiskFault::Denied));
        let told = "IO Error: Could not write file \"/data/x.parquet\": Read-only file system";
        assert_eq!(of(io::Error::other(told)), Some(DiskFault::ReadOnly));
        assert_eq!(of(io::Error::from(ErrorKind::NotFound)), None);
    }
}
