//! A file of lines, in blocks that end where a line ends.

use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr_iter, memrchr};

use super::{BlockLimits, MAX_ROW_BYTES};

/// Lines of one block, or elements of an array.
#[derive(Debug, Default)]
pub(super) struct LineBlock {
    /// Text of the block.
    pub(super) bytes: Vec<u8>,
    /// Number and place of each line that holds more than spaces, without the spaces around it.
    pub(super) lines: Vec<(u64, Range<usize>)>,
    /// Numbers of lines longer than [`MAX_ROW_BYTES`]; their text is gone.
    pub(super) too_long: Vec<u64>,
}

impl LineBlock {
    pub(super) fn n_rows(&self) -> usize {
        self.lines.len() + self.too_long.len()
    }
}

/// Cuts a stream into blocks.
pub(super) struct LineBlocks<R> {
    input: R,
    limits: BlockLimits,
    /// Start of a line whose end was not in the block before.
    rest: Vec<u8>,
    n_lines: u64,
    n_bytes_read: u64,
    at_end: bool,
}

impl<R: Read> LineBlocks<R> {
    pub(super) fn new(input: R, limits: BlockLimits) -> Self {
        Self { input, limits, rest: Vec::new(), n_lines: 0, n_bytes_read: 0, at_end: false }
    }

    pub(super) fn n_bytes_read(&self) -> u64 {
        self.n_bytes_read
    }

    /// The next block, which may have no line with anything in it; none at the end of the file.
    pub(super) fn next_block(&mut self) -> io::Result<Option<LineBlock>> {
        let mut block = LineBlock::default();
        let mut bytes = std::mem::take(&mut self.rest);
        let mut searched = 0;
        let end = loop {
            // A line longer than a block is read in steps that double.
            let missing = self.limits.n_bytes.saturating_sub(bytes.len());
            let wanted = if missing > 0 { missing } else { bytes.len().max(1) };
            self.fill(&mut bytes, wanted)?;
            if let Some(newline) = memrchr(b'\n', bytes.get(searched..).unwrap_or_default()) {
                break searched + newline + 1;
            }
            if self.at_end {
                break bytes.len();
            }
            if bytes.len() > MAX_ROW_BYTES {
                self.skip_line(&mut bytes)?;
                self.n_lines += 1;
                block.too_long.push(self.n_lines);
                // The start of the next line came with the end of this one.
                self.rest = bytes;
                return Ok(Some(block));
            }
            searched = bytes.len();
        };
        if self.at_end && bytes.is_empty() && block.too_long.is_empty() {
            return Ok(None);
        }
        // At the end of the file a last line without a newline is a line as any other.
        let end = if self.at_end { bytes.len() } else { end };
        self.rest = bytes.split_off(end);
        self.find_lines(&bytes, &mut block);
        block.bytes = bytes;
        Ok(Some(block))
    }

    /// Appends up to `wanted` bytes.
    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<()> {
        let n_read = self.input.by_ref().take(wanted as u64).read_to_end(bytes)?;
        self.n_bytes_read += n_read as u64;
        self.at_end = n_read < wanted;
        Ok(())
    }

    /// Throws away the rest of a line that is too long; what follows it remains in `bytes`.
    fn skip_line(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        loop {
            bytes.clear();
            self.fill(bytes, 64 << 10)?;
            if let Some(newline) = memchr::memchr(b'\n', bytes) {
                bytes.drain(..=newline);
                return Ok(());
            }
            if self.at_end {
                bytes.clear();
                return Ok(());
            }
        }
    }

    fn find_lines(&mut self, bytes: &[u8], block: &mut LineBlock) {
        let mut start = 0;
        for end in memchr_iter(b'\n', bytes).chain((!bytes.ends_with(b"\n")).then_some(bytes.len())) {
            if start == bytes.len() {
                break;
            }
            self.n_lines += 1;
            let mut from = start;
            if self.n_lines == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
                from += 3;
            }
            let line = bytes.get(from..end).unwrap_or_default();
            let trimmed = line.trim_ascii();
            if !trimmed.is_empty() {
                let lead = line.len() - line.trim_ascii_start().len();
                block.lines.push((self.n_lines, from + lead..from + lead + trimmed.len()));
            }
            start = end + 1;
        }
    }
}
