//! Files of the lake, whether they lie on this disk or in a bucket: what a lake on the disk has nothing to do for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use tokio::runtime::Handle;
use url::Url;

use super::{Lake, LakeError, TableKind};
use crate::warehouse::lock::WarehouseLock;

/// A file of the lake, or one that a killed process left beside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct DiskFile {
    /// Its place on this disk, if only in the cache.
    pub(in super::super) path: PathBuf,
    pub(in super::super) n_bytes: u64,
    pub(in super::super) modified_at: DateTime<Utc>,
}

impl Lake {
    /// Whether the lake lies in a bucket.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// The bucket in which the lake lies, for an engine that reads it; none if it lies on the disk.
    #[must_use]
    pub fn object_store(&self) -> Option<(Url, Arc<dyn ObjectStore>)> {
        self.remote.as_ref().map(|remote| remote.object_store())
    }

    /// Where a file or folder lies, by its place on this disk, for an engine that has [`Lake::object_store`]: of the lake in the bucket,
    /// if it lies in one.
    #[must_use]
    pub fn address_of(&self, path: &Path) -> String {
        let remote = self.remote.as_ref().filter(|_| path.starts_with(&self.root));
        remote.map_or_else(|| path.to_string_lossy().into_owned(), |remote| remote.url_of(path))
    }

    /// Copies files that were written on this disk to the bucket.
    pub(super) async fn upload(&self, paths: Vec<PathBuf>) -> Result<(), LakeError> {
        match &self.remote {
            Some(remote) => remote.upload(paths).await,
            None => Ok(()),
        }
    }

    /// Makes sure that files lie on this disk.
    pub(super) async fn fetch(&self, paths: impl IntoIterator<Item = PathBuf>) -> Result<(), LakeError> {
        match &self.remote {
            Some(remote) => remote.fetch(paths.into_iter().collect(), false).await,
            None => Ok(()),
        }
    }

    /// Makes sure that files lie on this disk, from a thread of the runtime that may block.
    ///
    /// # Errors
    /// [`LakeError::NoObject`] if one is not there, [`LakeError::Store`] if the bucket cannot be read.
    pub(in super::super) fn fetch_blocking(&self, paths: impl IntoIterator<Item = PathBuf>) -> Result<(), LakeError> {
        if self.is_remote() { Handle::current().block_on(self.fetch(paths)) } else { Ok(()) }
    }

    /// Makes a file on this disk what it is in the bucket now, or removes it where it is there no more. Blocks as
    /// [`Lake::fetch_blocking`] does.
    ///
    /// # Errors
    /// [`LakeError::Store`] if the bucket cannot be read.
    pub(in super::super) fn fetch_anew_blocking(&self, path: &Path) -> Result<(), LakeError> {
        let Some(remote) = &self.remote else { return Ok(()) };
        match Handle::current().block_on(remote.fetch(vec![path.to_owned()], true)) {
            Err(LakeError::NoObject { .. }) => Ok(()),
            fetched => fetched,
        }
    }

    /// Removes from the cache what was not used for longest, if it is too large. Nobody may read with DuckDB meanwhile: the lock is
    /// proof of that.
    ///
    /// # Errors
    /// [`LakeError::File`].
    pub(in super::super) fn trim_cache(&self, _lock: &WarehouseLock) -> Result<(), LakeError> {
        self.remote.as_ref().map_or(Ok(()), |remote| remote.trim())
    }

    /// Copies a lake in a bucket to the place that a lake on the disk has in a data directory; one on the disk is left to the caller.
    ///
    /// # Errors
    /// [`LakeError`]; then the copy is not whole.
    pub async fn copy_to_disk(&self, data_dir: &Path) -> Result<(), LakeError> {
        match &self.remote {
            Some(remote) => remote.copy_to(&data_dir.join(super::LAKE_FOLDER)).await,
            None => Ok(()),
        }
    }

    /// All files below a folder of the lake, sorted; none if it is not there.
    pub(in super::super) async fn files_below(&self, folder: &Path) -> Result<Vec<DiskFile>, LakeError> {
        let mut files = Vec::new();
        if let Some(remote) = &self.remote {
            let listed = remote.list(folder).await?.into_iter();
            files.extend(listed.map(|(path, n_bytes, modified_at)| DiskFile { path, n_bytes, modified_at }));
        } else if folder.is_dir() {
            let mut folders = vec![folder.to_owned()];
            while let Some(folder) = folders.pop() {
                for entry in fs_err::read_dir(folder)? {
                    let path = entry?.path();
                    if path.is_dir() { folders.push(path) } else { files.push(DiskFile::at(path)?) }
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// Data files of a table by path relative to its folder.
    ///
    /// # Errors
    /// [`LakeError`] if they cannot be listed.
    pub(in super::super) async fn files_of_table(
        &self,
        kind: TableKind,
        table: &str,
    ) -> Result<Vec<(String, DiskFile)>, LakeError> {
        let folder = self.table_folder(kind, table);
        let named = self.files_below(&folder).await?.into_iter().filter_map(|file| {
            let parts: Vec<_> =
                file.path.strip_prefix(&folder).ok()?.iter().map(|part| part.to_string_lossy()).collect();
            let is_data = parts.len() == 2 && !parts[0].starts_with('_');
            is_data.then(|| (parts.join("/"), file.clone()))
        });
        Ok(named.collect())
    }

    /// Deletes files of the lake, or such as a killed process left beside it.
    ///
    /// # Errors
    /// [`LakeError`]; then some are left.
    pub(in super::super) async fn delete<'a>(
        &self,
        files: impl Iterator<Item = &'a DiskFile>,
    ) -> Result<(), LakeError> {
        let (own, beside): (Vec<_>, Vec<_>) =
            files.map(|file| file.path.clone()).partition(|path| self.is_remote() && path.starts_with(&self.root));
        if let Some(remote) = &self.remote {
            remote.delete(&own).await?;
        }
        for path in beside {
            fs_err::remove_file(path)?;
        }
        Ok(())
    }

    /// Puts a manifest where it survives this server, before it is published here.
    pub(in super::super) async fn keep_manifest(&self, number: u64, text: Vec<u8>) -> Result<(), LakeError> {
        match &self.remote {
            Some(remote) => remote.put_manifest(number, text).await,
            None => Ok(()),
        }
    }

    /// Gives up a manifest that was kept.
    pub(in super::super) async fn give_up_manifest(&self, number: u64) -> Result<(), LakeError> {
        match &self.remote {
            Some(remote) => remote.delete_manifest(number).await,
            None => Ok(()),
        }
    }
}

impl DiskFile {
    /// A file that is on this disk.
    pub(in super::super) fn at(path: PathBuf) -> Result<Self, std::io::Error> {
        let metadata = fs_err::metadata(&path)?;
        Ok(Self { n_bytes: metadata.len(), modified_at: metadata.modified()?.into(), path })
    }
}
