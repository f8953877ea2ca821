//! Objects of an S3-compatible store, found by a pattern and told apart by their ETag.
//!
//! An object is fetched whole to a file before any row of it is read; a body that breaks off is asked for again from where it broke.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;

use fs_err::File;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::path::Path as Key;
use object_store::{GetOptions, ObjectMeta, ObjectStore};
use tokio::runtime::Handle;

use super::files::SourceFile;
use super::{Next, Surroundings, Unit};
use crate::pipelines::state::PipelineState;
use crate::s3::{ClientError, Refusal, S3Store, refusal_of};

/// Folder of fetched objects inside the data directory.
const FETCHED_FOLDER: &str = "fetched";

/// What a pipeline declares of its store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Options {
    /// The store and its bucket.
    pub store: S3Store,
    /// Pattern of the objects' keys.
    pub pattern: String,
}

/// Why objects cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// The declaration makes no client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The store does not know the keys, or they may not do this.
    #[error(
        "the store of `s3://{bucket}` refuses the keys; check `access_key` and `secret_key`, and that they may list the bucket and read its objects"
    )]
    Refused {
        /// The bucket.
        bucket: String,
    },
    /// There is no such bucket.
    #[error("the store has no bucket `{bucket}`; check `url`, `endpoint` and `path_style`")]
    NoBucket {
        /// The bucket.
        bucket: String,
    },
    /// The store does not answer, or not as it should.
    #[error("the store of `s3://{bucket}` does not answer; the next run asks again")]
    Unreachable {
        /// The bucket.
        bucket: String,
        /// What went wrong.
        #[source]
        cause: object_store::Error,
    },
    /// The object is no longer what was listed.
    #[error("the object changed while it was fetched; nothing of it is taken, the next run fetches it again")]
    Changed,
    /// The copy cannot be written.
    #[error("the object cannot be copied to the disk")]
    Copy(#[from] io::Error),
}

/// The objects of a store as one run reads them.
#[derive(Debug)]
pub struct S3Feed {
    options: S3Options,
    project: PathBuf,
    /// Where the object that is read at the moment is copied to.
    folder: PathBuf,
    /// The store and the objects still to be looked at; none before it was asked.
    listed: Option<(AmazonS3, VecDeque<ObjectMeta>)>,
    is_over: bool,
}

impl S3Feed {
    /// The objects of a store, which is asked by the first `next`.
    #[must_use]
    pub fn new(options: &S3Options, around: Surroundings<'_>) -> Self {
        Self {
            options: options.clone(),
            project: around.project.to_owned(),
            folder: around.data_dir.join(FETCHED_FOLDER).join(around.pipeline),
            listed: None,
            is_over: false,
        }
    }

    /// The next object that is new or changed.
    pub(super) fn next(&mut self, state: &PipelineState) -> Next {
        // The object before this one is in the lake, or will be fetched again.
        let _ = fs_err::remove_dir_all(&self.folder);
        if self.is_over {
            return Next::End;
        }
        match self.next_object() {
            Ok(Some((store, object))) => self.take(&store, &object, state),
            Ok(None) => Next::End,
            Err(error) => {
                self.is_over = true;
                Next::Failed(format!("s3://{}/{}", self.options.store.bucket, self.options.pattern), error.into())
            }
        }
    }

    fn take(&self, store: &AmazonS3, object: &ObjectMeta, state: &PipelineState) -> Next {
        let name = format!("s3://{}/{}", self.options.store.bucket, object.location);
        let mark = object.e_tag.as_ref().map(|tag| format!("etag {}", tag.trim_matches('"')));
        let is_known = |hash: &String| state.files.get(&name) == Some(hash);
        if mark.as_ref().is_some_and(is_known) {
            return Next::Unchanged;
        }
        match Handle::current().block_on(self.fetch(store, object)) {
            Ok((path, hash)) => {
                let hash = mark.unwrap_or(hash);
                if is_known(&hash) {
                    return Next::Unchanged;
                }
                Next::Unit(Unit { file: SourceFile { name, path }, hash, position: None })
            }
            Err(error) => Next::Failed(name, error.into()),
        }
    }

    fn next_object(&mut self) -> Result<Option<(AmazonS3, ObjectMeta)>, S3Error> {
        if self.listed.is_none() {
            let store = self.options.store.client(&self.project)?;
            let objects = Handle::current().block_on(self.list(&store))?;
            self.listed = Some((store, objects));
        }
        Ok(self.listed.as_mut().and_then(|(store, objects)| Some((store.clone(), objects.pop_front()?))))
    }

    /// The objects that the pattern names, in order of their keys.
    async fn list(&self, store: &AmazonS3) -> Result<VecDeque<ObjectMeta>, S3Error> {
        let S3Options { pattern, .. } = &self.options;
        // The declaration was checked, so the pattern is readable.
        let wanted = glob::Pattern::new(pattern).unwrap_or_default();
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
        let is_wanted = |object: &ObjectMeta| wanted.matches_with(object.location.as_ref(), options);
        let folder = fixed_folder(pattern);
        let folder = (!folder.is_empty()).then(|| Key::from(folder));
        let listed = store.list(folder.as_ref()).try_collect::<Vec<_>>().await;
        let mut objects = listed.map_err(|cause| self.not_had(cause))?;
        objects.retain(is_wanted);
        objects.sort_by(|one, other| one.location.cmp(&other.location));
        Ok(objects.into())
    }

    /// Copies an object to the disk; the copy and its hash.
    async fn fetch(&self, store: &AmazonS3, object: &ObjectMeta) -> Result<(PathBuf, String), S3Error> {
        fs_err::create_dir_all(&self.folder)?;
        let name = object.location.filename().filter(|name| name.len() < 200).unwrap_or("object");
        let path = self.folder.join(name);
        let mut copy = File::create(&path)?;
        let mut hasher = blake3::Hasher::new();
        let mut n_bytes = 0;
        let options = GetOptions { if_match: object.e_tag.clone(), ..GetOptions::default() };
        let got = store.get_opts(&object.location, options).await.map_err(|cause| self.not_had(cause))?;
        let mut chunks = got.into_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|cause| self.not_had(cause))?;
            copy.write_all(&chunk)?;
            hasher.update(&chunk);
            n_bytes += chunk.len() as u64;
        }
        if n_bytes == object.size { Ok((path, hasher.finalize().to_hex().to_string())) } else { Err(S3Error::Changed) }
    }

    /// What an error of the store means.
    fn not_had(&self, cause: object_store::Error) -> S3Error {
        let bucket = self.options.store.bucket.clone();
        match (refusal_of(&cause), cause) {
            (_, object_store::Error::Precondition { .. }) => S3Error::Changed,
            (Some(Refusal::NoBucket), _) => S3Error::NoBucket { bucket },
            (_, object_store::Error::NotFound { .. }) => S3Error::Changed,
            (Some(Refusal::Keys), _) => S3Error::Refused { bucket },
            (None, cause) => S3Error::Unreachable { bucket, cause },
        }
    }
}

/// The folders at the start of a pattern that stand for themselves.
fn fixed_folder(pattern: &str) -> &str {
    let fixed = pattern.find(['*', '?', '[']).map_or(pattern, |first| pattern.get(..first).unwrap_or_default());
    fixed.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_folders_before_the_first_star_are_fixed() {
        assert_eq!(fixed_folder("journals/2026/*.csv"), "journals/2026");
        assert_eq!(fixed_folder("journals/20*/a.csv"), "journals");
        assert_eq!(fixed_folder("journals/a.csv"), "journals");
        assert_eq!(fixed_folder("журнал*.csv"), "");
    }
}
