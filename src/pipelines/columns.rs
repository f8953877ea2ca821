//! Which columns a file has, against those that are declared.
//!
//! A run needs only the declared columns and leaves others alone; somebody who tries a pipeline wants to know of both.

use std::collections::BTreeSet;

use super::format::Format;
use super::formats::Block;
use super::pipeline::Pipeline;

/// How the columns of a file differ from those of its pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDifference {
    /// The file, relative to the project.
    pub file: String,
    /// Columns that the file has and nobody declared.
    pub undeclared: Vec<String>,
    /// Declared columns that the file lacks or, where each row names its own keys, that no row has a value in.
    pub missing: Vec<String>,
}

/// Compares the columns of one file with the declared ones, block by block.
#[derive(Debug)]
pub(super) struct ColumnComparison {
    undeclared: BTreeSet<String>,
    missing: BTreeSet<String>,
    /// Declared columns without a value so far, by place and name; none where a header names the columns.
    unseen: Vec<(usize, String)>,
}

impl ColumnComparison {
    /// A comparison for a file of a pipeline, which knows by now what was found in the file.
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        let names_keys = matches!(pipeline.format, Format::Ndjson | Format::Json { .. } | Format::Xml(_));
        let found: BTreeSet<String> = pipeline.found_columns().into_iter().map(|column| column.from).collect();
        let columns = pipeline.column_names().into_iter().map(|column| column.from).enumerate();
        let unseen = columns.filter(|(_, name)| names_keys && !found.contains(name)).collect();
        Self { undeclared: found, missing: BTreeSet::new(), unseen }
    }

    /// Looks at a block.
    pub(super) fn note(&mut self, block: &Block) {
        self.undeclared.extend(block.changes.undeclared.iter().map(|column| column.name.clone()));
        self.missing.extend(block.changes.missing.iter().cloned());
        let columns = block.frame.columns();
        let is_empty = |place: &usize| columns.get(*place).is_none_or(|column| column.null_count() == column.len());
        self.unseen.retain(|(place, _)| is_empty(place));
    }

    /// How the columns differ; none where they are the same.
    pub(super) fn difference(self, file: &str) -> Option<ColumnDifference> {
        let undeclared: Vec<String> = self.undeclared.into_iter().collect();
        let missing: Vec<String> =
            self.missing.into_iter().chain(self.unseen.into_iter().map(|(_, name)| name)).collect();
        let differs = !undeclared.is_empty() || !missing.is_empty();
        differs.then(|| ColumnDifference { file: file.to_owned(), undeclared, missing })
    }
}
