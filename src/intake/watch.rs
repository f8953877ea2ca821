//! Folders that are watched: a pipeline runs when its files have changed and come to rest.
//!
//! The folder is looked at every second. The system's own notices (inotify) are not used: of what another machine writes to a network share,
//! which is how most exports arrive, they tell nothing, and a file must be left alone for a while in any case.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::pipelines::FileStamps;

/// What is known of one watched folder.
#[derive(Debug)]
pub(super) struct FolderWatch {
    /// The files as they are, and since when they are so.
    current: FileStamps,
    since: Instant,
    /// The files as they were when the last run began.
    taken: FileStamps,
}

impl FolderWatch {
    /// A watch that has not seen anything yet.
    pub(super) fn new(now: Instant) -> Self {
        Self { current: BTreeMap::new(), since: now, taken: BTreeMap::new() }
    }

    /// Looks at the files; whether some of them are new or changed, and all have been at rest for so long.
    pub(super) fn is_due(&mut self, found: FileStamps, now: Instant, quiet: Duration) -> bool {
        if found != self.current {
            (self.current, self.since) = (found, now);
        }
        let is_new = self.current.iter().any(|(name, stamp)| self.taken.get(name) != Some(stamp));
        is_new && now.duration_since(self.since) >= quiet
    }

    /// A run has begun, which takes the files as they are.
    pub(super) fn take(&mut self) {
        self.taken.clone_from(&self.current);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipelines::files_now;

    #[test]
    fn files_are_due_when_they_have_changed_and_come_to_rest() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs_err::write(folder.path().join(name), text).unwrap();
        let start = Instant::now();
        let quiet = Duration::from_secs(5);
        let mut watch = FolderWatch::new(start);
        let is_due_after = |seconds: u64, watch: &mut FolderWatch| {
            let found = files_now(folder.path(), "*.csv").unwrap();
            watch.is_due(found, start + Duration::from_secs(seconds), quiet)
        };
        assert!(!is_due_after(0, &mut watch) && !is_due_after(60, &mut watch), "nothing is there");
        write("a.csv", "1");
        assert!(!is_due_after(61, &mut watch));
        write("a.csv", "1, 2");
        assert!(!is_due_after(66, &mut watch), "it grew meanwhile");
        assert!(!is_due_after(70, &mut watch));
        assert!(is_due_after(71, &mut watch));
        assert!(is_due_after(72, &mut watch), "as long as no run has begun");
        watch.take();
        write("other.txt", "");
        assert!(!is_due_after(90, &mut watch), "as it was");
        fs_err::remove_file(folder.path().join("a.csv")).unwrap();
        assert!(!is_due_after(91, &mut watch) && !is_due_after(100, &mut watch), "a file that is gone brings nothing");
        write("b.csv", "1");
        assert!(!is_due_after(101, &mut watch) && is_due_after(106, &mut watch));
    }
}
