//! One JSON object per line.

use std::io::Read;

use super::json_rows::{ObjectReader, Place};
use super::lines::LineBlocks;
use super::{Block, BlockLimits, Decoder, FormatError, WantedColumns};

/// Reads lines of JSON.
///
/// The place of a row is its line, from 1. Lines of spaces are no rows. Numbers and truth values become text exactly as they are written; a
/// missing key is null. A line that is not an object, not UTF-8, or has a list or an object in a declared column, is broken.
pub struct NdjsonDecoder<R> {
    blocks: LineBlocks<R>,
    objects: ObjectReader,
}

impl<R: Read> NdjsonDecoder<R> {
    /// Opens a file.
    pub fn new(input: R, columns: &WantedColumns, limits: BlockLimits) -> Self {
        Self { blocks: LineBlocks::new(input, limits), objects: ObjectReader::new(columns, Place::Line) }
    }
}

impl<R: Read + Send> Decoder for NdjsonDecoder<R> {
    fn next_block(&mut self) -> Result<Option<Block>, FormatError> {
        match self.blocks.next_block().map_err(FormatError::Read)? {
            Some(text) => self.objects.read(text, self.blocks.n_bytes_read()).map(Some),
            None => self.objects.finish().map(|()| None),
        }
    }
}
