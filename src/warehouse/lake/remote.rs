//! A lake that lies in a bucket: what is written here is uploaded before it is committed, what is read here is fetched before.
//!
//! ```text
//! s3://BUCKET/PREFIX/lake/…        as `<data>/lake`: tables with their logs, rejected rows
//! s3://BUCKET/PREFIX/snapshots/…   the manifests, of which `<data>/snapshots` is a copy
//! <data>/lake-cache/…              Parquet files of the lake, each under its own name; `origin` says of which lake
//! ```
//!
//! Parquet files have unique names and never change, so a file in the cache is the object of its name. A commit is an object
//! that is put only where none is (`If-None-Match: *`), so of two servers that commit at once one is refused.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore};
use fs_err::File;
use futures::{StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::super::snapshot::SNAPSHOTS_FOLDER;
use super::cached_store::{CachedStore, problem_in};
use super::{LAKE_FOLDER, LakeError};
use crate::clock::Clock;
use crate::settings::LakeAddress;

/// Folder of fetched and written files inside the data directory.
pub const CACHE_FOLDER: &str = "lake-cache";
/// File in the cache that says of which lake it is.
const ORIGIN_FILE: &str = "origin";
/// Object that is there since the store has proved that it knows conditional writes.
const PROBE: &str = "svod.json";
/// Files that are fetched or uploaded at once.
const AT_ONCE: usize = 4;

/// The bucket of a lake, and its cache.
#[derive(Debug)]
pub(super) struct Remote {
    store: Arc<CachedStore>,
    bucket: String,
    /// Where everything begins in the bucket.
    base: Key,
    /// `s3://BUCKET/`.
    url: Url,
    data_dir: PathBuf,
    cache: PathBuf,
    cache_bytes: u64,
}

impl Remote {
    /// The lake at an address. Its manifests are copied to the data directory.
    pub(super) async fn open(address: &LakeAddress, data_dir: &Path) -> Result<Self, LakeError> {
        refuse_local_lake(data_dir)?;
        let cache = data_dir.join(CACHE_FOLDER);
        fs_err::create_dir_all(&cache)?;
        let cache = fs_err::canonicalize(cache)?;
        let bucket = address.store.bucket.clone();
        let base = Key::from(address.prefix.as_str());
        let store =
            CachedStore::new(&bucket, address.store.client(&address.project)?, base.clone().join(LAKE_FOLDER), &cache);
        let store = Arc::new(store.map_err(store_error)?);
        let url = Url::parse(&format!("s3://{bucket}/")).map_err(|_| LakeError::Bucket { bucket: bucket.clone() })?;
        let (data_dir, cache_bytes) = (data_dir.to_owned(), address.cache_bytes);
        let remote = Self { store, bucket, base, url, data_dir, cache, cache_bytes };
        let origin = remote.cache.join(ORIGIN_FILE);
        let here = address.to_string();
        match fs_err::read_to_string(&origin) {
            Ok(known) if known == here => {}
            Ok(known) => return Err(LakeError::OtherLake { known, here }),
            Err(_) => {
                remote.probe().await?;
                fs_err::write(&origin, here)?;
            }
        }
        remote.copy_manifests().await?;
        Ok(remote)
    }

    /// Root of the files as they lie on this disk.
    pub(super) fn cache(&self) -> &Path {
        &self.cache
    }

    /// The bucket for DataFusion.
    pub(super) fn object_store(&self) -> (Url, Arc<dyn ObjectStore>) {
        (self.url.clone(), Arc::clone(&self.store) as Arc<dyn ObjectStore>)
    }

    /// Address of a file or folder of the lake, by its place in the cache.
    pub(super) fn url_of(&self, path: &Path) -> String {
        format!("{}{}", self.url, self.key_of(path))
    }

    /// The log of a table, by its folder in the cache.
    pub(super) fn log_store(&self, folder: &Path) -> Result<LogStoreRef, LakeError> {
        let root: Arc<dyn ObjectStore> = Arc::clone(&self.store) as _;
        let key = self.key_of(folder);
        let url = Url::parse(&format!("{}{key}/", self.url))
            .map_err(|_| LakeError::Bucket { bucket: self.bucket.clone() })?;
        let prefixed = Arc::new(PrefixStore::new(Arc::clone(&root), key));
        Ok(default_logstore(prefixed, root, &url, &StorageConfig::default()))
    }

    /// The object of a file, by its place in the cache.
    fn key_of(&self, path: &Path) -> Key {
        let below = path.strip_prefix(&self.cache).unwrap_or(path);
        let parts = below.iter().map(|part| part.to_string_lossy());
        parts.fold(self.base.clone().join(LAKE_FOLDER), |key, part| key.join(part.as_ref()))
    }

    fn path_of(&self, key: &Key) -> PathBuf {
        let root = self.base.clone().join(LAKE_FOLDER);
        let parts =
            key.prefix_match(&root).map(|parts| parts.map(|part| part.as_ref().to_owned()).collect::<PathBuf>());
        self.cache.join(parts.unwrap_or_default())
    }

    /// Whether an object of the lake is there.
    pub(super) async fn has(&self, path: &Path) -> Result<bool, LakeError> {
        match self.store.head(&self.key_of(path)).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(store_error(error)),
        }
    }

    /// Copies files of the cache to the bucket.
    pub(super) async fn upload(&self, paths: Vec<PathBuf>) -> Result<(), LakeError> {
        let uploads = paths.into_iter().map(|path| async move {
            let mut file = tokio::fs::File::open(&path).await?;
            let mut object = BufWriter::new(Arc::clone(&self.store) as Arc<dyn ObjectStore>, self.key_of(&path));
            let sent = async {
                tokio::io::copy(&mut file, &mut object).await?;
                object.shutdown().await
            };
            sent.await.map_err(|error| problem_in(&error).map_or(LakeError::File(error), LakeError::Store))
        });
        futures::stream::iter(uploads).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Copies objects to the cache that are not there yet; with `anew` in any case.
    pub(super) async fn fetch(&self, paths: Vec<PathBuf>, anew: bool) -> Result<(), LakeError> {
        let used_at = Clock::System.now().into();
        let fetches = paths.into_iter().map(|path| async move {
            let touched = File::options().append(true).open(&path).and_then(|file| file.file().set_modified(used_at));
            if !anew && touched.is_ok() { Ok(()) } else { self.fetch_object(&path).await }
        });
        futures::stream::iter(fetches).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Copies one object to the cache. A copy of an object that is gone is removed, so that nobody takes it for the object.
    async fn fetch_object(&self, path: &Path) -> Result<(), LakeError> {
        let folder = path.parent().unwrap_or(&self.cache);
        fs_err::create_dir_all(folder)?;
        let key = self.key_of(path);
        // The store itself is asked: the cached store would answer with the copy.
        let got = match self.store.get_from_store(&key).await {
            Ok(got) => got,
            Err(Error::NotFound { .. }) => {
                let _ = fs_err::remove_file(path);
                return Err(LakeError::NoObject { object: self.url_of(path) });
            }
            Err(error) => return Err(store_error(error)),
        };
        let copy = tempfile::NamedTempFile::new_in(folder)?;
        let mut file = tokio::fs::File::from_std(copy.reopen()?);
        let mut chunks = got.into_stream();
        while let Some(chunk) = chunks.next().await {
            file.write_all(&chunk.map_err(|error| store_error(self.store.tell(error)))?).await?;
        }
        file.flush().await?;
        copy.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// All files below a folder of the lake: their places in the cache, bytes and moments.
    pub(super) async fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, u64, DateTime<Utc>)>, LakeError> {
        let objects = self.store.list_all(&self.key_of(folder)).await.map_err(store_error)?;
        Ok(objects
            .into_iter()
            .map(|object| (self.path_of(&object.location), object.size, object.last_modified))
            .collect())
    }

    /// Names of the folders directly below a folder of the lake.
    pub(super) async fn folders(&self, folder: &Path) -> Result<Vec<String>, LakeError> {
        let listed = self.store.list_with_delimiter(Some(&self.key_of(folder))).await.map_err(store_error)?;
        Ok(listed.common_prefixes.iter().filter_map(|key| Some(key.filename()?.to_owned())).collect())
    }

    /// Deletes objects of the lake and their copies.
    pub(super) async fn delete(&self, paths: &[PathBuf]) -> Result<(), LakeError> {
        let keys = paths.iter().map(|path| self.key_of(path)).collect();
        self.store.delete_all(keys).await.map_err(store_error)?;
        for path in paths.iter().filter(|path| path.exists()) {
            fs_err::remove_file(path)?;
        }
        Ok(())
    }

    /// Copies the whole lake to a folder; what lies in the cache is linked where the file system can do that.
    pub(super) async fn copy_to(&self, folder: &Path) -> Result<(), LakeError> {
        let listed = self.list(&self.cache).await?;
        let paths: Vec<PathBuf> = listed.into_iter().map(|(path, ..)| path).collect();
        let (logs, files): (Vec<_>, Vec<_>) =
            paths.into_iter().partition(|path| path.iter().any(|part| part == "_delta_log"));
        self.fetch(files.clone(), false).await?;
        // Commits are not kept in the cache: only the store knows which there are.
        self.fetch(logs.clone(), true).await?;
        for path in files.iter().chain(&logs) {
            let to = folder.join(path.strip_prefix(&self.cache).unwrap_or(path));
            if let Some(parent) = to.parent() {
                fs_err::create_dir_all(parent)?;
            }
            if fs_err::hard_link(path, &to).is_err() {
                fs_err::copy(path, &to)?;
            }
        }
        for path in &logs {
            fs_err::remove_file(path)?;
        }
        Ok(())
    }

    /// Removes the files that were not used for longest, until the cache is as small as declared.
    pub(super) fn trim(&self) -> Result<(), LakeError> {
        let mut files = Vec::new();
        let mut folders = vec![self.cache.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs_err::read_dir(folder)? {
                let (path, metadata) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
                if metadata.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".tmp")) {
                    // A fetch was killed.
                    fs_err::remove_file(path)?;
                } else if path.extension().is_some() {
                    files.push((metadata.modified()?, path, metadata.len()));
                }
            }
        }
        files.sort();
        let mut n_bytes: u64 = files.iter().map(|(.., n_bytes)| n_bytes).sum();
        for (_, path, n_freed) in files {
            if n_bytes <= self.cache_bytes {
                break;
            }
            fs_err::remove_file(path)?;
            n_bytes -= n_freed;
        }
        Ok(())
    }

    fn manifest_key(&self, number: u64) -> Key {
        self.base.clone().join(SNAPSHOTS_FOLDER).join(format!("{number:06}.json"))
    }

    /// Puts a manifest into the bucket, unless another server has published that number.
    pub(super) async fn put_manifest(&self, number: u64, text: Vec<u8>) -> Result<(), LakeError> {
        let key = self.manifest_key(number);
        if self.put_once(&key, text.clone()).await? {
            return Ok(());
        }
        // A repeated request may meet what its first try has written.
        let there = async { self.store.get(&key).await?.bytes().await };
        if there.await.map_err(store_error)? == text { Ok(()) } else { Err(LakeError::Published { number }) }
    }

    /// Takes a manifest out of the bucket.
    pub(super) async fn delete_manifest(&self, number: u64) -> Result<(), LakeError> {
        self.store.delete_all(vec![self.manifest_key(number)]).await.map_err(store_error)
    }

    /// Makes the manifests in the data directory those of the bucket.
    async fn copy_manifests(&self) -> Result<(), LakeError> {
        let folder = self.data_dir.join(SNAPSHOTS_FOLDER);
        fs_err::create_dir_all(&folder)?;
        // Listed before the bucket: a manifest is in the bucket before it is here, so one that is not there any more was given up.
        let mut given_up = BTreeSet::new();
        for entry in fs_err::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                given_up.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
        }
        let listed: Vec<ObjectMeta> =
            self.store.list_all(&self.base.clone().join(SNAPSHOTS_FOLDER)).await.map_err(store_error)?;
        for object in listed {
            let Some(name) = object.location.filename() else { continue };
            if given_up.remove(name) {
                continue;
            }
            let text = async { self.store.get(&object.location).await?.bytes().await };
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            std::io::Write::write_all(&mut file, &text.await.map_err(store_error)?)?;
            file.persist(folder.join(name)).map_err(|error| error.error)?;
        }
        for name in given_up {
            fs_err::remove_file(folder.join(name))?;
        }
        Ok(())
    }

    /// Proves that the store refuses a conditional write where an object is, since commits rest on it.
    async fn probe(&self) -> Result<(), LakeError> {
        let key = self.base.clone().join(PROBE);
        let text = br#"{"layout": 1}"#;
        let is_conditional = match self.put_once(&key, text.to_vec()).await {
            Ok(true) => !self.put_once(&key, text.to_vec()).await?,
            Ok(false) => true,
            Err(error) if crate::domain::error_chain::chain(&error).contains("501 Not Implemented") => false,
            Err(error) => return Err(error),
        };
        if is_conditional { Ok(()) } else { Err(LakeError::Unconditional { bucket: self.bucket.clone() }) }
    }

    /// Puts an object where none is; whether it was put.
    async fn put_once(&self, key: &Key, text: Vec<u8>) -> Result<bool, LakeError> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(key, text.into(), options).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(store_error(error)),
        }
    }
}

/// A lake that was kept on the disk would be seen by nobody any more.
fn refuse_local_lake(data_dir: &Path) -> Result<(), LakeError> {
    let folder = data_dir.join(LAKE_FOLDER);
    let has_tables = |kind: &str| fs_err::read_dir(folder.join(kind)).is_ok_and(|mut tables| tables.next().is_some());
    if has_tables("events") { Err(LakeError::LocalLake { folder }) } else { Ok(()) }
}

/// The error of the store as one of the lake.
fn store_error(error: Error) -> LakeError {
    match problem_in(&error) {
        Some(problem) => LakeError::Store(problem),
        None => LakeError::File(std::io::Error::other(error)),
    }
}
