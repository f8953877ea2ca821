//! Whether rows would be taken by a run, asked before anything is stored.

use chrono::{DateTime, Utc};

use super::formats::ndjson::NdjsonDecoder;
use super::formats::{BlockLimits, Decoder, FormatError, WantedColumns};
use super::mapping::{Mapper, MappingError};
use super::pipeline::Pipeline;
use super::quality::Quality;
use super::rejects::Rejects;
use super::rules::RuleChecker;
use super::schema_change::ColumnWatch;
use crate::warehouse::contracts::Contract;
use crate::warehouse::reference::Reference;

/// A row that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its line, from 1.
    pub row: u64,
    /// The broken rule, e.g. `type`, `required`, `reference`.
    pub rule: String,
    /// What is wrong and what to do, for the people who keep the register; no personal value is in it.
    pub sentence: String,
}

/// What a body of rows holds.
#[derive(Debug, Default)]
pub(super) struct CheckedRows {
    /// All its rows.
    pub(super) n_rows: u64,
    /// Rows that break a rule, in order.
    pub(super) bad: Vec<BadRow>,
}

/// Why the rows cannot be judged.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckError {
    /// A block cannot be built, or the columns are not those that were declared.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The pipeline's expressions fail over the values.
    #[error(transparent)]
    Mapping(#[from] MappingError),
}

/// The types, the mapping and the contract of one pipeline, as a run applies them to rows.
///
/// Rules about a batch are left to the run: a body is not a batch, several make one. What repeats is looked for in the body.
#[derive(Debug)]
pub(super) struct RowChecker {
    columns: WantedColumns,
    mapper: Mapper,
    rules: RuleChecker,
    quality: Quality,
    watch: ColumnWatch,
}

impl RowChecker {
    pub(super) fn new(pipeline: &Pipeline, contract: &Contract, reference: &Reference, now: DateTime<Utc>) -> Self {
        Self {
            columns: pipeline.wanted_columns(),
            mapper: Mapper::new(pipeline, contract, reference),
            rules: RuleChecker::new(contract, reference, now, pipeline.time_zone()),
            quality: Quality::new(contract),
            watch: ColumnWatch::new(pipeline),
        }
    }

    /// Judges lines of JSON.
    pub(super) fn check(&mut self, lines: &[u8], now: DateTime<Utc>) -> Result<CheckedRows, CheckError> {
        self.rules.set_now(now);
        self.quality.forget();
        let mut checked = CheckedRows::default();
        let mut decoder = NdjsonDecoder::new(lines, &self.columns, BlockLimits::default());
        while let Some(block) = decoder.next_block()? {
            let mut rejects = Rejects::default();
            self.watch.reject(&block.changes, &mut rejects);
            let events = self.mapper.map(&block.frame, &mut rejects)?;
            self.rules.check(&events, &self.mapper, &mut rejects);
            let judged = self.quality.check(&events, &self.mapper, &block.rows, &mut rejects);
            judged.map_err(MappingError::Conditions)?;
            checked.n_rows += (block.rows.len() + block.broken.len()) as u64;
            let broken = block.broken.into_iter();
            checked.bad.extend(broken.map(|broken| BadRow {
                row: broken.row,
                rule: "format".to_owned(),
                sentence: broken.sentence,
            }));
            checked.bad.extend(rejects.iter().map(|(place, reject)| BadRow {
                row: block.rows.get(place).copied().unwrap_or_default(),
                rule: reject.rule.to_string(),
                sentence: reject.sentence.clone(),
            }));
        }
        checked.bad.sort_by_key(|bad| bad.row);
        Ok(checked)
    }
}
