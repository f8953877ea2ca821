//! A bucket as Delta and DataFusion read it: Parquet files that lie in the cache are read there, everything else is asked of the store.
//!
//! Errors of the store leave here as one sentence that says what to do and repeats no key.

use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::clock::Clock;
use crate::domain::error_chain::chain;
use crate::s3::{Refusal, refusal_of};

/// What is wrong with the store of the lake, and what to do.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{sentence}")]
pub struct StoreProblem {
    sentence: String,
}

/// A bucket with a cache of Parquet files before it.
#[derive(Debug)]
pub(super) struct CachedStore {
    bucket: String,
    remote: AmazonS3,
    /// Where the lake begins in the bucket.
    lake: Key,
    cache: LocalFileSystem,
}

impl CachedStore {
    /// A bucket whose objects below `lake` are cached in a folder, which is there.
    pub(super) fn new(bucket: &str, remote: AmazonS3, lake: Key, folder: &Path) -> Result<Self> {
        Ok(Self { bucket: bucket.to_owned(), remote, lake, cache: LocalFileSystem::new_with_prefix(folder)? })
    }

    /// Where an object lies in the cache, if it is one that never changes.
    fn place_in_cache(&self, location: &Key) -> Option<Key> {
        let is_log = location.parts().any(|part| part.as_ref() == "_delta_log");
        if is_log || location.extension() != Some("parquet") {
            return None;
        }
        Some(location.prefix_match(&self.lake)?.collect())
    }

    /// What an error of the store means. What callers act on stays as it is.
    pub(super) fn tell(&self, error: Error) -> Error {
        let bucket = &self.bucket;
        let sentence = match (refusal_of(&error), &error) {
            (Some(Refusal::NoBucket), _) => format!(
                "the store has no bucket `{bucket}`; make it, or check `bucket`, `endpoint` and `path_style` of `lake` in svod.yaml"
            ),
            (Some(Refusal::Keys), _) => format!(
                "the store of `s3://{bucket}` refuses the keys; check `access_key` and `secret_key` of `lake` in svod.yaml, and that \
                 they may list, read, write and delete in the bucket"
            ),
            (None, Error::NotFound { .. } | Error::AlreadyExists { .. } | Error::Precondition { .. }) => return error,
            (None, error) => format!(
                "the store of `s3://{bucket}` does not answer as it should; nothing that is committed is lost, the next run goes on \
                 from there: {}",
                chain(error)
            ),
        };
        Error::Generic { store: "S3", source: Box::new(StoreProblem { sentence }) }
    }
}

/// The sentence about the store among the causes of an error, if that is what it comes from.
pub(super) fn problem_in(error: &(dyn std::error::Error + 'static)) -> Option<StoreProblem> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(problem) = error.downcast_ref::<StoreProblem>() {
            return Some(problem.clone());
        }
        cause = error.source();
    }
    None
}

impl fmt::Display for CachedStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{} with a cache", self.bucket)
    }
}

#[async_trait]
impl ObjectStore for CachedStore {
    async fn put_opts(&self, location: &Key, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.remote.put_opts(location, payload, options).await.map_err(|error| self.tell(error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Key,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.remote.put_multipart_opts(location, options).await.map_err(|error| self.tell(error))
    }

    async fn get_opts(&self, location: &Key, options: GetOptions) -> Result<GetResult> {
        if let Some(place) = self.place_in_cache(location) {
            match self.cache.get_opts(&place, options.clone()).await {
                Err(Error::NotFound { .. }) => {}
                got => {
                    return got.map(|mut got| {
                        got.meta.location = location.clone();
                        if let GetResultPayload::File(file, _) = &got.payload {
                            // What is read is used; that it cannot be noted only makes it leave the cache earlier.
                            let _ = file.set_modified(Clock::System.now().into());
                        }
                        got
                    });
                }
            }
        }
        self.remote.get_opts(location, options).await.map_err(|error| self.tell(error))
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Key>>) -> BoxStream<'static, Result<Key>> {
        self.remote.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.remote.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Key>, offset: &Key) -> BoxStream<'static, Result<ObjectMeta>> {
        self.remote.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> Result<ListResult> {
        self.remote.list_with_delimiter(prefix).await.map_err(|error| self.tell(error))
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> Result<()> {
        self.remote.copy_opts(from, to, options).await.map_err(|error| self.tell(error))
    }
}

impl CachedStore {
    /// An object as the store has it, whatever lies in the cache.
    pub(super) async fn get_from_store(&self, key: &Key) -> Result<GetResult> {
        self.remote.get_opts(key, GetOptions::default()).await.map_err(|error| self.tell(error))
    }

    /// All objects below a folder.
    pub(super) async fn list_all(&self, folder: &Key) -> Result<Vec<ObjectMeta>> {
        self.remote.list(Some(folder)).try_collect().await.map_err(|error| self.tell(error))
    }

    /// Deletes objects; one that is not there is deleted already.
    pub(super) async fn delete_all(&self, keys: Vec<Key>) -> Result<()> {
        let mut deleted = self.remote.delete_stream(futures::stream::iter(keys.into_iter().map(Ok)).boxed());
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(self.tell(error)),
            }
        }
        Ok(())
    }
}
