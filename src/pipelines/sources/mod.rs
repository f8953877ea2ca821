//! Where rows come from.
//!
//! A source hands out units one after the other: a file, an object, a page of an endpoint, the answer to a query. Each unit
//! lies on the local disk as a file, whole, before any row of it is read, so that a source which breaks off never gives half a
//! unit, and everything behind it is the same for all sources. A unit becomes one batch. Knows no contracts.

pub mod cursor;
pub mod files;
pub mod http;
pub mod postgres;
mod pulled;
pub mod push;
pub mod retry;
pub mod s3;
mod stamps;
pub mod trust;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::errors::FileError;
use super::state::PipelineState;
use crate::clock::Clock;
use files::{FilesError, SourceFile, find_files};
use http::{HttpFeed, HttpSource};
use postgres::{PostgresFeed, PostgresSource};
use push::{PushFeed, PushOptions};
use s3::{S3Feed, S3Options};
use stamps::Stamps;

/// The declared source of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files that a pattern names, relative to the project.
    Files {
        /// The pattern.
        pattern: String,
    },
    /// An HTTP endpoint.
    Http(Arc<HttpSource>),
    /// A query to a database.
    Postgres(Arc<PostgresSource>),
    /// Rows that are pushed to the server.
    Push(PushOptions),
    /// Objects of a store.
    S3(S3Options),
}

impl Source {
    /// A unit by its name, or by that of a member in it, as it is now; none if the source does not have it any more, as nothing of what was pulled
    /// over the network is kept. Blocks the thread.
    ///
    /// # Errors
    /// [`FileError`], if it cannot be read.
    pub fn find(&self, project: &Path, name: &str) -> Result<Option<Unit>, FileError> {
        match self {
            Self::Files { pattern } => {
                let holds = |file: &SourceFile| {
                    name.strip_prefix(file.name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                let Some(file) = find_files(project, pattern)?.into_iter().find(holds) else {
                    return Ok(None);
                };
                Ok(Some(Unit { hash: file.hash()?, file, position: None }))
            }
            Self::Http(_) | Self::Postgres(_) | Self::S3(_) | Self::Push(_) => Ok(None),
        }
    }
}

/// What becomes one batch, or one for each member if it is an archive.
#[derive(Debug, Clone)]
pub struct Unit {
    /// The file to read.
    pub file: SourceFile,
    /// Hash of its content, in hexadecimal.
    pub hash: String,
    /// Where the next run goes on after this unit, for a source that is read from a place on. A unit without one is
    /// remembered by its name and hash.
    pub position: Option<Value>,
}

/// The next thing that a source has.
#[derive(Debug)]
pub enum Next {
    /// A unit to read.
    Unit(Unit),
    /// Something that was read before and is as it was.
    Unchanged,
    /// Something that cannot be had now, by its name; what comes after it may be.
    Failed(String, FileError),
    /// Nothing more.
    End,
}

/// A source that is being read by one run.
#[derive(Debug)]
pub enum Feed {
    /// Files of the project.
    Files(FilesFeed),
    /// Pages of an endpoint.
    Http(Box<HttpFeed>),
    /// The answer of a database.
    Postgres(PostgresFeed),
    /// Pushed rows.
    Push(PushFeed),
    /// Objects of a store.
    S3(Box<S3Feed>),
}

/// Files of the project that are not looked at yet.
#[derive(Debug)]
pub struct FilesFeed {
    files: std::vec::IntoIter<SourceFile>,
    stamps: Stamps,
}

/// Where a run stands: what a source needs to know besides its own declaration.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Folder of the project.
    pub project: &'a Path,
    /// Folder of run-time state.
    pub data_dir: &'a Path,
    /// Name of the pipeline.
    pub pipeline: &'a str,
    /// The clock of the run.
    pub clock: Clock,
}

impl Feed {
    /// Looks what files there are; an endpoint or a database is asked with the first unit.
    ///
    /// # Errors
    /// [`FilesError`], if the source cannot be listed.
    pub fn open(source: &Source, around: Surroundings<'_>) -> Result<Self, FilesError> {
        match source {
            Source::Files { pattern } => Ok(Self::Files(FilesFeed {
                files: find_files(around.project, pattern)?.into_iter(),
                stamps: Stamps::load(around.data_dir, around.pipeline),
            })),
            Source::Http(source) => Ok(Self::Http(Box::new(HttpFeed::new(Arc::clone(source), around)))),
            Source::Postgres(source) => Ok(Self::Postgres(PostgresFeed::new(Arc::clone(source), around))),
            Source::S3(options) => Ok(Self::S3(Box::new(S3Feed::new(options, around)))),
            Source::Push(options) => Ok(Self::Push(PushFeed::new(options, around))),
        }
    }

    /// The next unit that `state` does not have. Blocks the thread while the source answers.
    pub fn next(&mut self, state: &PipelineState) -> Next {
        match self {
            Self::Files(FilesFeed { files, stamps }) => {
                let Some(file) = files.next() else {
                    stamps.save();
                    return Next::End;
                };
                match stamps.hash(&file) {
                    Ok(hash) if state.files.get(&file.name) == Some(&hash) => Next::Unchanged,
                    Ok(hash) => Next::Unit(Unit { file, hash, position: None }),
                    Err(error) => Next::Failed(file.name, error.into()),
                }
            }
            Self::Http(feed) => feed.next(state),
            Self::Postgres(feed) => feed.next(state),
            Self::Push(feed) => feed.next(state),
            Self::S3(feed) => feed.next(state),
        }
    }
}
