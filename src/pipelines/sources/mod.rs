//! Where rows come from.
//!
//! A source hands out units one after the other: a file, an object, a page of an endpoint, the answer to a query. Each unit
//! lies on the local disk as a file, whole, before any row of it is read, so that a source which breaks off never gives half a
//! unit, and everything behind it is the same for all sources. A unit becomes one batch. Knows neither formats nor contracts.

pub mod files;

use serde_json::Value;

use super::errors::FileError;
use super::state::PipelineState;
use files::{FilesError, SourceFile, find_files};

/// The declared source of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files that a pattern names, relative to the project.
    Files {
        /// The pattern.
        pattern: String,
    },
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
    Files(std::vec::IntoIter<SourceFile>),
}

impl Feed {
    /// Looks what there is.
    ///
    /// # Errors
    /// [`FilesError`], if the source cannot be listed.
    pub fn open(source: &Source, project: &std::path::Path) -> Result<Self, FilesError> {
        match source {
            Source::Files { pattern } => Ok(Self::Files(find_files(project, pattern)?.into_iter())),
        }
    }

    /// The next unit that `state` does not have. Blocks the thread while the source answers.
    pub fn next(&mut self, state: &PipelineState) -> Next {
        match self {
            Self::Files(files) => {
                let Some(file) = files.next() else { return Next::End };
                match file.hash() {
                    Ok(hash) if state.files.get(&file.name) == Some(&hash) => Next::Unchanged,
                    Ok(hash) => Next::Unit(Unit { file, hash, position: None }),
                    Err(error) => Next::Failed(file.name, error.into()),
                }
            }
        }
    }
}
