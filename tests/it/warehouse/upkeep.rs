//! Compacting, checking and rebuilding the small project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use svod::clock::Clock;
use svod::warehouse::compact::CompactionProgress;
use svod::warehouse::refresh::{RefreshProgress, forget_entities};
use svod::warehouse::verify::VerifyProgress;
use svod::warehouse::{
    CompactionReport, Reference, RefreshContext, RefreshOutcome, Retention, Snapshot, Snapshots, VerifyReport,
    WarehouseLock, compact, verify,
};

use super::small_project::{SmallProject, moment, time_zone};

/// The moment of every refresh, compaction and check.
pub(crate) const NOW: &str = "2024-07-01T09:00:00Z";

impl SmallProject {
    pub(crate) async fn compact(&self, retention: Retention, dry_run: bool) -> CompactionReport {
        let progress: CompactionProgress = Arc::new(|_| ());
        self.compact_with(retention, dry_run, &progress).await
    }

    pub(crate) async fn compact_with(
        &self,
        retention: Retention,
        dry_run: bool,
        progress: &CompactionProgress,
    ) -> CompactionReport {
        let lock = WarehouseLock::acquire(&self.data_dir()).unwrap();
        let silent: RefreshProgress = Arc::new(|_| ());
        let context = RefreshContext {
            data_dir: &self.data_dir(),
            project: None,
            lake: &self.lake,
            contracts: &self.contracts,
            reference: &Reference::default(),
            models: &self.models,
            time_zone: time_zone(),
            clock: Clock::Fixed(moment(NOW)),
            progress: &silent,
        };
        compact(context, retention, dry_run, progress, &lock).await.unwrap()
    }

    pub(crate) async fn verify(&self) -> VerifyReport {
        let lock = WarehouseLock::acquire(&self.data_dir()).unwrap();
        let progress: VerifyProgress = Arc::new(|_, _, _| ());
        verify(&self.data_dir(), &self.lake, moment(NOW), &progress, &lock).await.unwrap()
    }

    /// Folds every model again.
    pub(crate) async fn rebuild(&self) -> RefreshOutcome {
        forget_entities(&self.data_dir(), &WarehouseLock::acquire(&self.data_dir()).unwrap()).unwrap();
        self.refresh().await
    }

    pub(crate) fn snapshots(&self) -> Vec<Snapshot> {
        Snapshots::new(&self.data_dir()).list().unwrap()
    }

    /// Entities of every snapshot, by its number.
    pub(crate) async fn all_entities(&self) -> BTreeMap<u64, Vec<String>> {
        let mut entities = BTreeMap::new();
        for snapshot in self.snapshots() {
            entities.insert(snapshot.number, self.entities(&snapshot, "cases").await);
        }
        entities
    }

    /// Every file of the data directory with the hash of its bytes.
    pub(crate) fn all_files(&self) -> BTreeMap<PathBuf, String> {
        files_below(&self.data_dir())
    }
}

/// Every file below a folder with the hash of its bytes.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            let hash = blake3::hash(&fs_err::read(&path).unwrap()).to_hex().to_string();
            files.insert(path, hash);
        }
    }
    files
}

/// Makes a file look as if it was written at a moment.
pub(crate) fn written_at(path: &Path, at: &str) {
    let file = fs_err::OpenOptions::new().write(true).open(path).unwrap();
    file.file().set_modified(moment(at).into()).unwrap();
}
