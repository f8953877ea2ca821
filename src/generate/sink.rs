//! Writes the rows of a register into its files, some of them a second time a little later.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::GenerateError;
use super::report::FileReport;

/// The files of one register.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    folder: &'a Path,
    /// Bytes at the start of every file.
    header: Vec<u8>,
    line_end: &'static [u8],
    open: Option<(String, BufWriter<fs_err::File>)>,
    files: BTreeMap<String, FileReport>,
    n_rows: u64,
    /// Rows that wait for their place, by the row that they follow.
    late: BTreeMap<(u64, u64), Vec<u8>>,
    n_late: u64,
}

impl<'a> Sink<'a> {
    /// A register without files yet.
    pub(super) fn new(folder: &'a Path, header: Vec<u8>, line_end: &'static [u8]) -> Self {
        Self {
            folder,
            header,
            line_end,
            open: None,
            files: BTreeMap::new(),
            n_rows: 0,
            late: BTreeMap::new(),
            n_late: 0,
        }
    }

    /// Writes a row into a file, and after it the late rows whose place has come.
    ///
    /// # Errors
    /// [`GenerateError::Write`] if the file cannot be written.
    pub(super) fn put(&mut self, file: &str, row: &[u8]) -> Result<(), GenerateError> {
        if self.open.as_ref().is_none_or(|(name, _)| name != file) {
            self.close()?;
            let path = self.folder.join(file);
            let created = fs_err::File::create(&path).map_err(|cause| GenerateError::Write { path, cause })?;
            self.open = Some((file.to_owned(), BufWriter::with_capacity(1 << 20, created)));
            let header = std::mem::take(&mut self.header);
            self.write(&header)?;
            self.header = header;
        }
        self.write_row(row)?;
        while let Some(entry) = self.late.first_entry().filter(|entry| entry.key().0 <= self.n_rows) {
            let row = entry.remove();
            self.write_row(&row)?;
        }
        Ok(())
    }

    /// Writes a row again, or a later version of it, so many rows later or at the end.
    pub(super) fn put_late(&mut self, row: Vec<u8>, n_rows_later: u32) {
        self.n_late += 1;
        self.late.insert((self.n_rows + u64::from(n_rows_later), self.n_late), row);
    }

    /// Writes what still waits and closes the files.
    ///
    /// # Errors
    /// [`GenerateError::Write`] if the last file cannot be written.
    pub(super) fn finish(mut self) -> Result<BTreeMap<String, FileReport>, GenerateError> {
        for row in std::mem::take(&mut self.late).into_values() {
            self.write_row(&row)?;
        }
        self.close()?;
        Ok(self.files)
    }

    fn write_row(&mut self, row: &[u8]) -> Result<(), GenerateError> {
        self.n_rows += 1;
        self.write(row)?;
        self.write(self.line_end)?;
        if let Some((name, _)) = &self.open
            && let Some(file) = self.files.get_mut(name)
        {
            file.rows += 1;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), GenerateError> {
        let Some((name, writer)) = &mut self.open else { return Ok(()) };
        let failed = |cause| GenerateError::Write { path: self.folder.join(&*name), cause };
        writer.write_all(bytes).map_err(failed)?;
        if !self.files.contains_key(name.as_str()) {
            self.files.insert(name.clone(), FileReport::default());
        }
        if let Some(file) = self.files.get_mut(name.as_str()) {
            file.bytes += bytes.len() as u64;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), GenerateError> {
        let Some((name, mut writer)) = self.open.take() else { return Ok(()) };
        writer.flush().map_err(|cause| GenerateError::Write { path: self.folder.join(name), cause })
    }
}
