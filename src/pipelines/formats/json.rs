//! One JSON document with a list of objects somewhere inside.

use std::io::Read;

use super::elements::ElementBlocks;
use super::json_rows::{ObjectReader, Place};
use super::{Block, BlockLimits, Decoder, FormatError, WantedColumns};

/// Reads the objects of an array.
///
/// The place of a row is its number in the array, from 1. Values are read as in NDJSON. An element that is not an object, not UTF-8, or has
/// a list or an object in a declared column, is broken, and so is what lies between its braces. Where the JSON around the elements is
/// broken, nobody knows where the next one begins, and nothing of the file is taken. A `null` in place of the array is an empty one.
pub struct JsonDecoder<R> {
    elements: ElementBlocks<R>,
    objects: ObjectReader,
}

impl<R: Read> JsonDecoder<R> {
    /// Opens a file whose array lies at a path of keys with dots between them; without a path the document itself is the array.
    pub fn new(input: R, rows: Option<&str>, columns: &WantedColumns, limits: BlockLimits) -> Self {
        Self { elements: ElementBlocks::new(input, rows, limits), objects: ObjectReader::new(columns, Place::Element) }
    }
}

impl<R: Read + Send> Decoder for JsonDecoder<R> {
    fn next_block(&mut self) -> Result<Option<Block>, FormatError> {
        match self.elements.next_block()? {
            Some(text) => self.objects.read(text, self.elements.n_bytes_read()).map(Some),
            None => self.objects.finish().map(|()| None),
        }
    }
}
