//! An array inside a JSON document, cut into its elements as a stream.
//!
//! Only brackets, commas and texts are told apart here; what lies between the brackets of an element is read by [`super::json_line`].

use std::io::Read;

use memchr::{memchr_iter, memchr2};

use super::lines::LineBlock;
use super::{BlockLimits, FormatError, MAX_ROW_BYTES};

/// Bytes read from the file at once.
const CHUNK: usize = 256 << 10;
/// Brackets inside brackets, at most; documents of registers have a handful.
const MAX_DEPTH: usize = 128;
/// Longest key that is compared with the path, in bytes.
const MAX_KEY_BYTES: usize = 64 << 10;

/// Where the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Before an element; the first one may be missing.
    Element {
        first: bool,
    },
    End,
}

/// Cuts the elements of an array out of a document.
pub(super) struct ElementBlocks<R> {
    input: R,
    limits: BlockLimits,
    /// Keys that lead to the array.
    path: Vec<String>,
    state: State,
    chunk: Vec<u8>,
    at: usize,
    /// Line breaks before the chunk.
    n_lines: u64,
    n_bytes_read: u64,
    n_elements: u64,
}

/// Where the bytes of a value go: at most [`MAX_ROW_BYTES`] of them.
struct Sink<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
    limit: usize,
    too_long: bool,
}

impl Sink<'_> {
    fn take(&mut self, bytes: &[u8]) {
        if self.bytes.len() - self.start + bytes.len() > self.limit {
            self.too_long = true;
            self.bytes.truncate(self.start);
        } else if !self.too_long {
            self.bytes.extend_from_slice(bytes);
        }
    }
}

impl<R: Read> ElementBlocks<R> {
    pub(super) fn new(input: R, path: Option<&str>, limits: BlockLimits) -> Self {
        Self {
            input,
            limits,
            path: path.map(|path| path.split('.').map(str::to_owned).collect()).unwrap_or_default(),
            state: State::Start,
            chunk: Vec::new(),
            at: 0,
            n_lines: 0,
            n_bytes_read: 0,
            n_elements: 0,
        }
    }

    pub(super) fn n_bytes_read(&self) -> u64 {
        self.n_bytes_read
    }

    /// The next elements; none at the end of the document, which is read to its last byte.
    pub(super) fn next_block(&mut self) -> Result<Option<LineBlock>, FormatError> {
        if self.state == State::Start {
            self.state = if self.enter()? { State::Element { first: true } } else { State::End };
        }
        let mut block = LineBlock::default();
        while let State::Element { first } = self.state {
            self.skip_spaces()?;
            if first && self.peek()? == Some(b']') {
                self.leave()?;
                break;
            }
            self.take_element(&mut block)?;
            self.skip_spaces()?;
            match self.peek()? {
                Some(b',') => {
                    self.at += 1;
                    self.state = State::Element { first: false };
                }
                Some(b']') => self.leave()?,
                found => return Err(self.broken(found, "`,` or `]` is missing after an element")),
            }
            if block.bytes.len() >= self.limits.n_bytes || block.n_rows() >= self.limits.n_rows {
                break;
            }
        }
        Ok((block.n_rows() > 0).then_some(block))
    }

    fn take_element(&mut self, block: &mut LineBlock) -> Result<(), FormatError> {
        let start = block.bytes.len();
        let mut sink = Sink { bytes: &mut block.bytes, start, limit: MAX_ROW_BYTES, too_long: false };
        self.pass_value(Some(&mut sink))?;
        self.n_elements += 1;
        if sink.too_long {
            block.too_long.push(self.n_elements);
        } else {
            block.lines.push((self.n_elements, start..block.bytes.len()));
        }
        Ok(())
    }

    /// Goes to the first element; false where `null` stands for the array.
    fn enter(&mut self) -> Result<bool, FormatError> {
        self.skip_mark()?;
        for level in 0..self.path.len() {
            self.skip_spaces()?;
            match self.peek()? {
                Some(b'{') => self.at += 1,
                None => return Err(self.broken(None, "")),
                Some(_) => return Err(self.no_rows()),
            }
            self.skip_spaces()?;
            if self.peek()? == Some(b'}') {
                return Err(self.no_rows());
            }
            while !self.pass_key(level)? {
                self.pass_value(None)?;
                if !self.pass_comma()? {
                    return Err(self.no_rows());
                }
            }
        }
        self.skip_spaces()?;
        match self.peek()? {
            Some(b'[') => {
                self.at += 1;
                Ok(true)
            }
            Some(b'n') => {
                let mut word = Vec::new();
                self.pass_value(Some(&mut Sink { bytes: &mut word, start: 0, limit: 8, too_long: false }))?;
                if word != b"null" {
                    return Err(self.broken(Some(b'n'), "a value is not JSON"));
                }
                self.pass_end()?;
                Ok(false)
            }
            None => Err(self.broken(None, "")),
            Some(_) => Err(self.no_rows()),
        }
    }

    /// Passes the end of the array and what follows it.
    fn leave(&mut self) -> Result<(), FormatError> {
        self.at += 1;
        self.pass_end()?;
        self.state = State::End;
        Ok(())
    }

    /// Passes the rest of the document; a second array at the path would be lost in silence, so there must be none.
    fn pass_end(&mut self) -> Result<(), FormatError> {
        for level in (0..self.path.len()).rev() {
            while self.pass_comma()? {
                if self.pass_key(level)? {
                    return Err(self.broken(Some(b'"'), "a key on the way to the rows is there twice"));
                }
                self.pass_value(None)?;
            }
        }
        self.skip_spaces()?;
        match self.peek()? {
            None => Ok(()),
            found => Err(self.broken(found, "something follows the end of the document")),
        }
    }

    /// Passes `,` or the end of an object; whether it was a comma.
    fn pass_comma(&mut self) -> Result<bool, FormatError> {
        self.skip_spaces()?;
        match self.peek()? {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(b'}') => {
                self.at += 1;
                Ok(false)
            }
            found => Err(self.broken(found, "`,` or `}` is missing after a value")),
        }
    }

    /// Passes a key and its colon; whether it is the key of the path at this level.
    fn pass_key(&mut self, level: usize) -> Result<bool, FormatError> {
        self.skip_spaces()?;
        if self.peek()? != Some(b'"') {
            let found = self.peek()?;
            return Err(self.broken(found, "a key in quotes is missing"));
        }
        let mut key = Vec::new();
        self.pass_value(Some(&mut Sink { bytes: &mut key, start: 0, limit: MAX_KEY_BYTES, too_long: false }))?;
        self.skip_spaces()?;
        match self.peek()? {
            Some(b':') => self.at += 1,
            found => return Err(self.broken(found, "`:` is missing after a key")),
        }
        let key = serde_json::from_slice::<String>(&key).ok();
        Ok(key.is_some() && key.as_ref() == self.path.get(level))
    }

    /// Passes one value, whatever it is.
    fn pass_value(&mut self, mut sink: Option<&mut Sink<'_>>) -> Result<(), FormatError> {
        self.skip_spaces()?;
        let mut open: Vec<u8> = Vec::new();
        let mut in_text = false;
        let mut escaped = false;
        let mut is_empty = true;
        loop {
            if self.at == self.chunk.len() && !self.fill()? {
                // A word ends where the document does; brackets and texts do not.
                return if open.is_empty() && !in_text && !is_empty { Ok(()) } else { Err(self.broken(None, "")) };
            }
            let bytes = self.chunk.get(self.at..).unwrap_or_default();
            let mut n_passed = 0;
            let mut ended = false;
            let mut mismatch = None;
            while let Some(&byte) = bytes.get(n_passed) {
                if in_text {
                    if escaped {
                        escaped = false;
                        n_passed += 1;
                        continue;
                    }
                    let rest = bytes.get(n_passed..).unwrap_or_default();
                    let Some(end) = memchr2(b'"', b'\\', rest) else {
                        n_passed = bytes.len();
                        break;
                    };
                    escaped = rest.get(end) == Some(&b'\\');
                    in_text = escaped;
                    n_passed += end + 1;
                    ended = !in_text && open.is_empty();
                } else {
                    let is_end = matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\r' | b'\n');
                    if open.is_empty() && is_end {
                        ended = true;
                        if is_empty {
                            mismatch = Some(byte);
                        }
                        break;
                    }
                    n_passed += 1;
                    match byte {
                        b'"' => in_text = true,
                        b'{' | b'[' if open.len() == MAX_DEPTH => mismatch = Some(byte),
                        b'{' => open.push(b'}'),
                        b'[' => open.push(b']'),
                        b'}' | b']' => {
                            if open.pop() != Some(byte) {
                                mismatch = Some(byte);
                            }
                            ended = open.is_empty();
                        }
                        _ => {}
                    }
                }
                is_empty = false;
                if ended || mismatch.is_some() {
                    break;
                }
            }
            if let Some(sink) = &mut sink {
                sink.take(bytes.get(..n_passed).unwrap_or_default());
            }
            self.at += n_passed;
            if let Some(byte) = mismatch {
                let problem = match byte {
                    b'{' | b'[' => "brackets are nested too deeply",
                    _ if open.is_empty() && is_empty => "a value is missing",
                    _ => "a bracket is closed by the wrong one",
                };
                return Err(self.broken(mismatch, problem));
            }
            if ended {
                return Ok(());
            }
        }
    }

    fn skip_mark(&mut self) -> Result<(), FormatError> {
        self.peek()?;
        if self.chunk.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        Ok(())
    }

    fn skip_spaces(&mut self) -> Result<(), FormatError> {
        while matches!(self.peek()?, Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<u8>, FormatError> {
        if self.at == self.chunk.len() && !self.fill()? {
            return Ok(None);
        }
        Ok(self.chunk.get(self.at).copied())
    }

    /// Reads the next chunk; false at the end of the file.
    fn fill(&mut self) -> Result<bool, FormatError> {
        self.n_lines += memchr_iter(b'\n', &self.chunk).count() as u64;
        self.chunk.clear();
        self.at = 0;
        let n_read = self.input.by_ref().take(CHUNK as u64).read_to_end(&mut self.chunk).map_err(FormatError::Read)?;
        self.n_bytes_read += n_read as u64;
        Ok(n_read > 0)
    }

    fn no_rows(&self) -> FormatError {
        FormatError::NoRows { path: self.path.join(".") }
    }

    /// The document is broken at the present place; nothing found means that it ends there.
    fn broken(&self, found: Option<u8>, problem: &str) -> FormatError {
        let passed = self.chunk.get(..self.at).unwrap_or_default();
        let line = self.n_lines + 1 + memchr_iter(b'\n', passed).count() as u64;
        let problem = if found.is_none() { "the file breaks off" } else { problem };
        FormatError::BrokenJson { line, n_rows: self.n_elements, problem: problem.to_owned() }
    }
}
