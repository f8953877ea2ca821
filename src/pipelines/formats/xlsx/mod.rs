//! A sheet of an Excel workbook.
//!
//! The spreadsheet reader lends the texts of a workbook to the reader of its cells, so both live on a thread of their own, which hands out
//! blocks. A panic over damaged bytes ends that thread and nothing else.

mod cell;
mod inspect;

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use calamine::{DataRef, Dimensions, Reader, Xlsx, XlsxCellReader};

use super::field_rows::FieldRows;
use super::unpacking::UnpackLimits;
use super::{Block, BlockLimits, BrokenRow, Decoder, FormatError, FoundColumns, WantedColumns, is_skipped, mask_shape};
use inspect::{inspect, workbook};

/// Columns of a sheet, at most: Excel's own limit.
const MAX_COLUMNS: u32 = 16_384;

/// Which sheet of a workbook is read, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XlsxOptions {
    /// The sheet.
    pub sheet: Sheet,
    /// Number of the first row of the header, from 1.
    pub header_row: u32,
    /// Rows of the header.
    pub header_rows: u32,
    /// Starts of the first value, in lower case, of rows that are none.
    pub skip_rows: Vec<String>,
}

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sheet {
    /// By its number, from 1.
    Number(u32),
    /// By its name.
    Name(String),
}

/// Reads the rows of a sheet below its header.
///
/// The place of a row is its number as Excel shows it. Dates and moments are written in ISO 8601, numbers with a decimal point, formulas as
/// the values that were kept with them. Rows without any value are no rows. A row with the error of a formula in a declared column is broken.
pub struct XlsxDecoder {
    blocks: Receiver<Result<Option<Block>, FormatError>>,
    /// Names of the columns that are not declared, once the header is read.
    undeclared: Receiver<Vec<String>>,
    is_done: bool,
}

/// What the thread is told.
struct Task<F> {
    file: F,
    options: XlsxOptions,
    columns: WantedColumns,
    limits: BlockLimits,
    unpack: UnpackLimits,
}

impl XlsxDecoder {
    /// Opens a workbook. What is wrong with it comes with the first block.
    ///
    /// # Errors
    /// [`FormatError::Read`], if there are no more threads.
    pub fn new<F: Read + Seek + Send + 'static>(
        file: F,
        options: XlsxOptions,
        columns: &WantedColumns,
        limits: BlockLimits,
        unpack: UnpackLimits,
    ) -> Result<Self, FormatError> {
        let (sender, blocks) = sync_channel(1);
        let task = Task { file, options, columns: columns.clone(), limits, unpack };
        let (header_sender, undeclared) = sync_channel(1);
        let reading = std::thread::Builder::new().name("workbook".to_owned()).spawn(move || {
            // A decoder that is dropped in the middle does not listen any more.
            let _ = sender.send(task.read(&header_sender, &sender).map(|()| None));
        });
        reading.map_err(FormatError::Read)?;
        Ok(Self { blocks, undeclared, is_done: false })
    }
}

impl Decoder for XlsxDecoder {
    fn next_block(&mut self) -> Result<Option<Block>, FormatError> {
        if self.is_done {
            return Ok(None);
        }
        let next = self.blocks.recv().unwrap_or(Err(FormatError::Damaged));
        self.is_done = !matches!(next, Ok(Some(_)));
        next
    }

    fn undeclared_in_header(&self) -> Option<Vec<String>> {
        // Where there is no header, the first block says why.
        self.undeclared.recv().ok()
    }
}

impl<F: Read + Seek> Task<F> {
    fn read(
        mut self,
        undeclared: &SyncSender<Vec<String>>,
        sender: &SyncSender<Result<Option<Block>, FormatError>>,
    ) -> Result<(), FormatError> {
        inspect(&mut self.file, self.unpack)?;
        let n_bytes = self.file.seek(SeekFrom::End(0)).map_err(FormatError::Read)?;
        self.file.rewind().map_err(FormatError::Read)?;
        let mut book = Xlsx::new(BufReader::new(&mut self.file)).map_err(workbook)?;
        let sheets = book.sheet_names();
        let sheet = match &self.options.sheet {
            Sheet::Number(number) => sheets.get(*number as usize - 1).ok_or_else(|| number.to_string()),
            Sheet::Name(name) => sheets.iter().find(|sheet| *sheet == name).ok_or_else(|| format!("`{name}`")),
        };
        let sheet = sheet.map_err(|sheet| FormatError::NoSheet { sheet, found: sheets.clone() })?;
        let merged = match self.options.header_rows {
            1 => Vec::new(),
            _ => book.merge_cells_by_sheet_name(sheet).map_err(workbook)?,
        };
        let cells = book.worksheet_cells_reader(sheet).map_err(workbook)?;
        let last_row = u64::from(cells.dimensions().end.0) + 1;
        let mut rows = SheetRows { cells, next: None, is_done: false };
        let header = self.options.read_header(&mut rows, &merged)?;
        let found = self.columns.find(&header)?;
        // There is room for the names, and whoever asked for blocks only does not listen.
        let _ = undeclared.send(found.undeclared.iter().map(|(_, name)| name.clone()).collect());
        let builder = BlockBuilder { columns: &self.columns, header: header.into(), found, limits: self.limits };
        while let Some(mut block) = builder.build(&mut rows, &self.options.skip_rows)? {
            let row = block.rows.iter().chain(block.broken.iter().map(|row| &row.row)).max().copied().unwrap_or(0);
            block.n_bytes_read = n_bytes.saturating_mul(row.min(last_row)) / last_row;
            if sender.send(Ok(Some(block))).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Cells of one row: the place of each among the columns, and its value.
type Cells<'a> = Vec<(u32, DataRef<'a>)>;

/// The rows of a sheet, one after the other.
struct SheetRows<'a, R: Read + Seek> {
    cells: XlsxCellReader<'a, R>,
    /// The first cell of the next row with its row and column, once it is read.
    next: Option<(u32, u32, DataRef<'a>)>,
    /// Whether the last cell was read, behind which the reader must not be asked.
    is_done: bool,
}

impl<'a, R: Read + Seek> SheetRows<'a, R> {
    /// The number, from 0, of the next row with a value in it.
    fn peek(&mut self) -> Result<Option<u32>, FormatError> {
        if self.next.is_none() {
            self.next = self.next_cell()?;
        }
        Ok(self.next.as_ref().map(|(row, ..)| *row))
    }

    /// The next row with a value in it, and its number from 0.
    fn next_row(&mut self) -> Result<Option<(u32, Cells<'a>)>, FormatError> {
        let Some(number) = self.peek()? else { return Ok(None) };
        let mut cells = Cells::new();
        while let Some((_, column, value)) = self.next.take_if(|(row, ..)| *row == number) {
            if cells.len() == MAX_COLUMNS as usize {
                return Err(workbook(format!("its row {} has more than {MAX_COLUMNS} cells", u64::from(number) + 1)));
            }
            cells.push((column, value));
            self.next = self.next_cell()?;
        }
        Ok(Some((number, cells)))
    }

    fn next_cell(&mut self) -> Result<Option<(u32, u32, DataRef<'a>)>, FormatError> {
        while !self.is_done {
            let Some(cell) = self.cells.next_cell().map_err(workbook)? else {
                self.is_done = true;
                break;
            };
            let (row, column) = cell.get_position();
            let value = cell.get_value().clone();
            if !matches!(value, DataRef::Empty) {
                return Ok(Some((row, column, value)));
            }
        }
        Ok(None)
    }
}

impl XlsxOptions {
    /// Reads the rows up to the end of the header; the names of all columns.
    fn read_header<R: Read + Seek>(
        &self,
        rows: &mut SheetRows<'_, R>,
        merged: &[Dimensions],
    ) -> Result<Vec<String>, FormatError> {
        let first = self.header_row - 1;
        let last = first + self.header_rows - 1;
        let mut texts: BTreeMap<(u32, u32), String> = BTreeMap::new();
        while rows.peek()?.is_some_and(|row| row <= last) {
            let Some((row, cells)) = rows.next_row()? else { break };
            for (column, value) in cells.into_iter().filter(|(column, _)| row >= first && *column < MAX_COLUMNS) {
                let text = cell::text(&value).unwrap_or_else(Some).unwrap_or_default();
                texts.insert((row, column), text.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
        if texts.is_empty() {
            return Err(FormatError::NoHeader { row: self.header_row });
        }
        let in_header = |area: &&Dimensions| area.start.0 <= last && area.end.0 >= first;
        let areas: Vec<&Dimensions> = merged.iter().filter(in_header).collect();
        let ends = areas.iter().map(|area| area.end.1).chain(texts.keys().map(|(_, column)| *column));
        let n_columns = ends.max().unwrap_or(0).min(MAX_COLUMNS - 1) + 1;
        let name = |column: u32| {
            let cells = (first..=last).map(|row| {
                let area = areas.iter().find(|area| area.contains(row, column));
                area.map_or((row, column), |area| area.start)
            });
            let mut parts: Vec<&str> = Vec::new();
            let mut before = None;
            for cell in cells {
                let text = texts.get(&cell).map_or("", String::as_str);
                if before.replace(cell) != Some(cell) && !text.is_empty() {
                    parts.push(text);
                }
            }
            parts.join(" / ")
        };
        Ok((0..n_columns).map(name).collect())
    }
}

/// Turns rows of a sheet into blocks.
struct BlockBuilder<'a> {
    columns: &'a WantedColumns,
    header: Arc<[String]>,
    found: FoundColumns,
    limits: BlockLimits,
}

impl BlockBuilder<'_> {
    /// Whether a declared column stands at a place of the header.
    fn is_declared(&self, place: usize) -> bool {
        let mut places = self.found.places.iter().enumerate();
        places.any(|(column, at)| *at == Some(place) && !self.columns.is_found(column))
    }

    /// The next block; none at the end of the sheet.
    fn build<R: Read + Seek>(
        &self,
        sheet: &mut SheetRows<'_, R>,
        skip_rows: &[String],
    ) -> Result<Option<Block>, FormatError> {
        let mut fields = FieldRows::new(self.columns, &self.found);
        let mut n_bytes = 0;
        let mut is_end = false;
        while n_bytes < self.limits.n_bytes && fields.len() < self.limits.n_rows {
            let Some((number, cells)) = sheet.next_row()? else {
                is_end = true;
                break;
            };
            let row = u64::from(number) + 1;
            let mut texts: Vec<Option<String>> = vec![None; self.header.len()];
            let mut error = None;
            for (column, value) in &cells {
                let place = *column as usize;
                // Cells beyond the header have no column.
                let Some(slot) = texts.get_mut(place) else { continue };
                match cell::text(value) {
                    Ok(text) => *slot = text,
                    Err(found) if self.is_declared(place) => error = error.or(Some((place, found))),
                    Err(found) => *slot = Some(found),
                }
            }
            n_bytes += texts.iter().flatten().map(String::len).sum::<usize>() + texts.len();
            let is_blank = error.is_none() && texts.iter().flatten().all(|text| text.trim().is_empty());
            if is_blank || is_skipped(texts.iter().flatten().map(String::as_str), skip_rows) {
                continue;
            }
            if let Some((place, error)) = error {
                let name = self.header.get(place).map_or("", String::as_str);
                let sentence =
                    format!("строка листа {row}, «{name}»: ошибка формулы {error} вместо значения; исправьте файл");
                let raw: Vec<&str> = texts.iter().map(|text| text.as_deref().unwrap_or_default()).collect();
                fields.broken.push(BrokenRow { row, raw: mask_shape(&raw.join(";")), sentence });
                continue;
            }
            fields.push(row, &self.found, |place| texts.get(place).and_then(Option::as_deref));
        }
        if is_end && fields.len() == 0 {
            return Ok(None);
        }
        fields.into_block(&self.header, &self.found, ';').map(Some)
    }
}
