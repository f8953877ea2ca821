//! The work on one file between its decoder and its commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::Receiver;

use super::assemble::Assembler;
use super::columns::ColumnComparison;
use super::errors::{FileError, RunError};
use super::format::Format;
use super::formats::csv::CsvDecoder;
use super::formats::json::JsonDecoder;
use super::formats::ndjson::NdjsonDecoder;
use super::formats::parquet::ParquetDecoder;
use super::formats::unpacking::UnpackLimits;
use super::formats::xlsx::XlsxDecoder;
use super::formats::xml::XmlDecoder;
use super::formats::{Block, BlockLimits, ColumnName, Decoder, FormatError, WantedColumns};
use super::mapping::{Mapper, MappingError};
use super::options::Stop;
use super::packed::Part;
use super::quality::{Quality, Verdict};
use super::quarantine::{Quarantine, RejectedRow};
use super::rejects::Rejects;
use super::report::Progress;
use super::rules::RuleChecker;
use super::schema_change::ColumnWatch;
use super::sources::files::{FilesError, SourceFile};
use crate::warehouse::lake::LakeWriter;

/// A decoder over a part, and the count of its packed bytes that are read, if it is unpacked meanwhile.
pub(super) type OpenPart = (Box<dyn Decoder>, Option<Arc<AtomicU64>>);

/// Opens a part in its format.
pub(super) fn open_decoder(
    part: &Part,
    format: &Format,
    unpack: UnpackLimits,
    columns: &WantedColumns,
) -> Result<OpenPart, FileError> {
    fn boxed<D: Decoder + 'static>(decoder: D) -> Box<dyn Decoder> {
        Box::new(decoder)
    }
    let limits = BlockLimits::default();
    let mut n_packed_read = None;
    let mut text = || {
        let part = part.open(unpack)?;
        n_packed_read = part.n_packed_read;
        Ok::<_, FilesError>(part.bytes)
    };
    let decoder = match format {
        Format::Csv(options) => CsvDecoder::new(text()?, options.clone(), columns, limits).map(boxed),
        Format::Ndjson => Ok(boxed(NdjsonDecoder::new(text()?, columns, limits))),
        Format::Json { rows } => Ok(boxed(JsonDecoder::new(text()?, rows.as_deref(), columns, limits))),
        Format::Xml(options) => XmlDecoder::new(text()?, options, columns, limits).map(boxed),
        Format::Xlsx(options) => {
            XlsxDecoder::new(part.open_unpacked(unpack)?, options.clone(), columns, limits, unpack).map(boxed)
        }
        Format::Parquet => ParquetDecoder::new(part.open_unpacked(unpack)?, columns, limits).map(boxed),
    };
    let decoder = decoder.map_err(|cause| format_error(&part.unit.file, cause))?;
    Ok((decoder, n_packed_read))
}

/// A file that is not in its format.
pub(super) fn format_error(file: &SourceFile, cause: FormatError) -> FileError {
    FileError::Format { file: file.name.clone(), cause }
}

/// What was counted over a file.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) read: u64,
    pub(super) accepted: u64,
    pub(super) duplicate: u64,
    pub(super) rejected: u64,
    pub(super) outside: u64,
    pub(super) events: u64,
    pub(super) last_event_at: Option<i64>,
    pub(super) reasons: BTreeMap<String, u64>,
}

/// Why the work on a file stopped: by the file's fault or not.
pub(super) enum WorkError {
    File(FileError),
    Run(Box<RunError>),
}

/// Everything between the decoder and the commit.
pub(super) struct FileWork {
    pub(super) mapper: Mapper,
    pub(super) rules: RuleChecker,
    pub(super) quality: Quality,
    pub(super) watch: ColumnWatch,
    /// Where somebody wants to know of every column.
    pub(super) comparison: Option<ColumnComparison>,
    pub(super) assembler: Assembler,
    pub(super) writer: LakeWriter,
    pub(super) quarantine: Quarantine,
    pub(super) columns: Vec<ColumnName>,
    pub(super) hidden: Vec<bool>,
    pub(super) counts: Counts,
    pub(super) progress: Arc<dyn Fn(&Progress) + Send + Sync>,
    pub(super) report: Progress,
    pub(super) stop: Stop,
}

impl FileWork {
    /// Takes all blocks of a file.
    pub(super) fn take_all(&mut self, blocks: &Receiver<Result<Block, FileError>>) -> Result<(), WorkError> {
        while let Ok(block) = blocks.recv() {
            if let Some(cause) = self.stop.reason() {
                let Progress { pipeline, file, .. } = self.report.clone();
                return Err(WorkError::Run(Box::new(RunError::Interrupted { pipeline, file, cause })));
            }
            let block = block.map_err(WorkError::File)?;
            if let Some(comparison) = &mut self.comparison {
                comparison.note(&block);
            }
            self.take(&block)?;
        }
        Ok(())
    }

    /// What the rules about the whole file say of it: its warnings, or why it is held back.
    pub(super) fn judge(&self) -> Result<Vec<String>, WorkError> {
        let Verdict { errors, warnings } = self.quality.verdict();
        if errors.is_empty() {
            return Ok(warnings.into_iter().chain(self.watch.losses()).collect());
        }
        Err(WorkError::File(FileError::Held { file: self.report.file.clone(), reasons: errors }))
    }

    /// Removes what was written of a file that is not taken. It would be seen by nobody; if it cannot be removed, it only takes room.
    pub(super) async fn discard(self) {
        let file = self.report.file;
        if let Err(error) = self.writer.discard().await {
            tracing::warn!(file, error = %error, "events of a file that is not taken stay on the disk");
        }
        if let Err(error) = self.quarantine.discard() {
            tracing::warn!(file, error = %error, "rejected rows of a file that is not taken stay on the disk");
        }
    }

    fn take(&mut self, block: &Block) -> Result<(), WorkError> {
        let (pipeline, file) = (self.report.pipeline.clone(), self.report.file.clone());
        let unmapped = |cause| WorkError::File(FileError::Mapping { file: file.clone(), cause });
        let mut rejects = Rejects::default();
        self.watch.reject(&block.changes, &mut rejects);
        let events = self.mapper.map(&block.frame, &mut rejects).map_err(unmapped)?;
        self.rules.check(&events, &self.mapper, &mut rejects);
        let checked = self.quality.check(&events, &self.mapper, &block.rows, &mut rejects);
        checked.map_err(|cause| unmapped(MappingError::Conditions(cause)))?;
        self.watch.count(&block.changes, &rejects);
        let assembled = self.assembler.assemble(&events, &block.rows, &rejects).map_err(|cause| {
            WorkError::Run(Box::new(RunError::Assemble { pipeline: pipeline.clone(), file: file.clone(), cause }))
        })?;
        let rejected = self.rejected_rows(block, &rejects);
        for row in &rejected {
            *self.counts.reasons.entry(row.rule.clone()).or_default() += 1;
        }
        self.counts.read += (block.rows.len() + block.broken.len() - rejects.n_left_out()) as u64;
        self.counts.outside += rejects.n_left_out() as u64;
        self.counts.accepted += assembled.n_accepted;
        self.counts.duplicate += assembled.n_duplicate;
        self.counts.rejected += rejected.len() as u64;
        self.counts.events += assembled.batch.num_rows() as u64;
        self.counts.last_event_at = self.counts.last_event_at.max(assembled.last_event_at);
        self.quarantine.add(&rejected).map_err(|cause| {
            WorkError::Run(Box::new(RunError::Quarantine { pipeline: pipeline.clone(), file: file.clone(), cause }))
        })?;
        self.writer
            .write(&assembled.batch)
            .map_err(|cause| WorkError::Run(Box::new(RunError::Lake { pipeline, file, cause })))?;
        self.report.n_bytes_read = block.n_bytes_read.min(self.report.n_bytes);
        self.report.n_rows = self.counts.read;
        (self.progress)(&self.report);
        Ok(())
    }

    /// The rejected rows of a block, in the order of the file.
    fn rejected_rows(&self, block: &Block, rejects: &Rejects) -> Vec<RejectedRow> {
        let by_decoder = block.broken.iter().map(|broken| RejectedRow {
            row: broken.row,
            raw: broken.raw.clone(),
            rule: "format".to_owned(),
            sentence: broken.sentence.clone(),
        });
        let by_rule = rejects.iter().map(|(place, reject)| RejectedRow {
            row: block.rows.get(place).copied().unwrap_or_default(),
            raw: block.raw.masked(&block.frame, place, &self.columns, &self.hidden),
            rule: reject.rule.to_string(),
            sentence: reject.sentence.clone(),
        });
        let mut rejected: Vec<RejectedRow> = by_decoder.chain(by_rule).collect();
        rejected.sort_by_key(|row| row.row);
        rejected
    }
}
