//! Pure decoders: bytes of a file → blocks of rows whose values are still text.
//!
//! A decoder holds one block at a time, so its memory does not depend on the size of the file, and it survives any
//! bytes: a row that cannot be read is set aside with a sentence, and the rest of the file goes on. It knows neither
//! types nor contracts; see [`super::typing`].

pub mod csv;
mod elements;
mod encoding;
mod field_rows;
pub mod json;
mod json_line;
mod json_rows;
mod lines;
pub mod ndjson;
pub mod parquet;
mod raw;
pub mod unpacking;
mod wanted;
pub mod xlsx;
pub mod xml;

use polars::prelude::DataFrame;

pub use raw::{MASK, RawRows, mask_shape};
pub use wanted::{ColumnChanges, FoundColumns, Undeclared, UndeclaredColumn, WantedColumns};

/// Longest row or line in bytes; a longer one is usually an unclosed quote.
pub const MAX_ROW_BYTES: usize = 8 << 20;

/// How much a block holds.
#[derive(Debug, Clone, Copy)]
pub struct BlockLimits {
    /// Bytes of text after which a block is closed.
    pub n_bytes: usize,
    /// Rows after which a block is closed.
    pub n_rows: usize,
}

impl Default for BlockLimits {
    fn default() -> Self {
        Self { n_bytes: 16 << 20, n_rows: 1 << 17 }
    }
}

/// A column to read: its name in the file and in the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnName {
    /// Name in the file, or its number from 1 where the file has no header; a path where rows have parts.
    pub from: String,
    /// Name in the block.
    pub name: String,
}

/// Rows that follow each other in a file.
#[derive(Debug)]
pub struct Block {
    /// One text column per declared column, in their order; null where the file has no value.
    pub frame: DataFrame,
    /// Place of each row of the frame, from 1: line for NDJSON, row of the sheet for XLSX, number of the data row, element or object else.
    pub rows: Vec<u64>,
    /// What the rows of the frame looked like in the file.
    pub raw: RawRows,
    /// Rows that could not be read.
    pub broken: Vec<BrokenRow>,
    /// Columns that are not declared or not there.
    pub changes: ColumnChanges,
    /// Bytes of the file read so far.
    pub n_bytes_read: u64,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRow {
    /// Its place, counted as in [`Block::rows`].
    pub row: u64,
    /// Its text without any letter or digit, since nobody knows which of them are personal.
    pub raw: String,
    /// What is wrong with it, for the people who keep the register.
    pub sentence: String,
}

/// Reads a file block by block.
pub trait Decoder: Send {
    /// The next block; none at the end of the file.
    ///
    /// # Errors
    /// Whatever makes the whole file unreadable: nothing of it may be taken then.
    fn next_block(&mut self) -> Result<Option<Block>, FormatError>;

    /// Names of the columns that are not declared and to be handed over, if they are known before any row is read.
    fn undeclared_in_header(&self) -> Option<Vec<String>> {
        None
    }
}

/// Why a whole file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The file has no such column.
    #[error("column `{column}` is not in the file, which has {}", list(found))]
    MissingColumn {
        /// The declared column.
        column: String,
        /// Columns of the file.
        found: Vec<String>,
    },
    /// The file has other columns than were declared, which the pipeline does not allow.
    #[error(
        "the columns have changed: {}; what was loaded before stays; declare new columns in `columns` or name them in `ignore`, take vanished ones out of `columns`, or have the export mended",
        describe_changes(undeclared, missing)
    )]
    ChangedColumns {
        /// Columns that are not declared.
        undeclared: Vec<String>,
        /// Declared columns that the file lacks.
        missing: Vec<String>,
    },
    /// The file has two columns of that name.
    #[error("column `{column}` is in the file {n_times} times")]
    RepeatedColumn {
        /// The declared column.
        column: String,
        /// How often it is there.
        n_times: usize,
    },
    /// A column holds lists or structures.
    #[error("column `{column}` is of type {found}, which is not a single value")]
    NestedColumn {
        /// The declared column.
        column: String,
        /// Its type in the file.
        found: String,
    },
    /// A row never ends.
    #[error("the row that begins on line {line} is longer than {} MiB; is a quote not closed?", MAX_ROW_BYTES >> 20)]
    EndlessRow {
        /// Where the row begins.
        line: u64,
    },
    /// The list of rows is not where the declaration says.
    #[error("there is no list of rows at {}; `rows` of the format says where it is", if path.is_empty() { "the top of the document".to_owned() } else { format!("`{path}`") })]
    NoRows {
        /// Keys that lead to it.
        path: String,
    },
    /// The JSON around the rows is broken, so nobody knows where the next row begins.
    #[error("the JSON is broken on line {line}, after {n_rows} rows: {problem}")]
    BrokenJson {
        /// Where.
        line: u64,
        /// Rows before it.
        n_rows: u64,
        /// What is wrong.
        problem: String,
    },
    /// An XML document cannot be read on.
    #[error("the XML is broken on line {line}, after {n_rows} rows: {problem}")]
    BrokenXml {
        /// Where.
        line: u64,
        /// Rows before it.
        n_rows: u64,
        /// What is wrong.
        problem: String,
    },
    /// An XML document has another shape than the declaration says.
    #[error("there is no element `{path}` in the document; `row` of the format says which elements are rows")]
    NoElement {
        /// Path of the element that should be there.
        path: String,
    },
    /// A value for all rows stands behind some of them.
    #[error(
        "`{column}` stands on line {line}, behind the first row that it belongs to; documents are read from front to back, so it cannot be had"
    )]
    LateValue {
        /// The declared column.
        column: String,
        /// Where.
        line: u64,
    },
    /// A path of a column cannot be followed.
    #[error("`{column}` is not a path of this format: {problem}")]
    Path {
        /// The declared column.
        column: String,
        /// What is wrong.
        problem: String,
    },
    /// The document names an encoding that nobody knows.
    #[error("the document says that it is in the encoding `{0}`, which is not known")]
    Encoding(String),
    /// A workbook has no such sheet.
    #[error("sheet {sheet} is not in the workbook, which has {}", list(found))]
    NoSheet {
        /// The declared sheet.
        sheet: String,
        /// Sheets of the workbook.
        found: Vec<String>,
    },
    /// The sheet ends before its header.
    #[error("the sheet has no row {row}, where its header should be; `header_row` of the format says where it is")]
    NoHeader {
        /// The declared row.
        row: u32,
    },
    /// The workbook is not one, or holds more than a workbook of a register does.
    #[error("the workbook cannot be read: {0}")]
    Workbook(String),
    /// The file could not be read.
    #[error("the file cannot be read")]
    Read(#[source] std::io::Error),
    /// The Parquet reader gave up.
    #[error("the file is not readable as Parquet")]
    Parquet(#[source] ::parquet::errors::ParquetError),
    /// The Arrow kernels gave up.
    #[error("the columns cannot be turned into text")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The reader of a binary format panicked over damaged bytes.
    #[error("the file is damaged: its reader stopped with an internal error")]
    Damaged,
    /// A block could not be built.
    #[error("a block of rows cannot be built")]
    Frame(#[from] polars::error::PolarsError),
}

/// Names in backticks, at most twenty.
fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "no columns".to_owned();
    }
    let shown: Vec<String> = names.iter().take(20).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > 20 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Which columns are new and which are gone.
fn describe_changes(undeclared: &[String], missing: &[String]) -> String {
    let say = |names: &[String], one: &str, more: &str| {
        let verb = if names.len() == 1 { one } else { more };
        (!names.is_empty()).then(|| format!("{} {verb}", list(names)))
    };
    let parts = [
        say(undeclared, "is not declared", "are not declared"),
        say(missing, "is not in the file", "are not in the file"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Whether the first value of a row that is not empty begins with one of these texts, which are in lower case.
fn is_skipped<'a>(mut values: impl Iterator<Item = &'a str>, starts: &[String]) -> bool {
    let first = values.find_map(|value| Some(value.trim_start()).filter(|value| !value.is_empty()));
    first.is_some_and(|first| {
        let first = first.to_lowercase();
        starts.iter().any(|start| first.starts_with(start))
    })
}
