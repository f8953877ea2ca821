//! Checked events → rows of the lake: pseudonyms, identities, what is new, where it came from.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray, StringBuilder,
};
use arrow::compute::{cast, filter};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::{Datelike, NaiveDate};

use super::identity::{HashedColumn, Identity, KnownMonth, identify};
use super::mapping::Events;
use super::moment::ZoneClock;
use super::pseudonym::PseudonymKey;
use super::rejects::Rejects;
use crate::warehouse::contracts::{Column, Contract, OCCURRED_AT, Privacy};
use crate::warehouse::lake::LakeError;

/// Why rows of the lake could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The lake could not say what it holds.
    #[error(transparent)]
    Known(#[from] LakeError),
    /// The columns do not fit the table.
    #[error("the events do not fit the table")]
    Columns(#[from] ArrowError),
}

/// Asks the lake what it holds of a month, or of the events in it that have some keys.
pub type AskKnown = Box<dyn FnMut(&str, Option<HashSet<i64>>) -> Result<KnownMonth, LakeError> + Send>;

/// Where the rows of a batch come from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The pipeline.
    pub pipeline: String,
    /// Number of the batch.
    pub batch: i64,
    /// The file, relative to the project.
    pub file: String,
}

/// Rows of one block, ready for the lake.
#[derive(Debug)]
pub struct Assembled {
    /// The events that are new, with the schema of the lake.
    pub batch: RecordBatch,
    /// Source rows that brought at least one of them.
    pub n_accepted: u64,
    /// Source rows whose events were all known.
    pub n_duplicate: u64,
    /// The latest `occurred_at` of the new events, in microseconds of UTC.
    pub last_event_at: Option<i64>,
}

/// Makes rows of the lake out of the events of one batch.
pub struct Assembler {
    columns: Vec<Column>,
    schema: SchemaRef,
    occurred_at: usize,
    origin: Origin,
    key: PseudonymKey,
    clock: ZoneClock,
    ask_known: AskKnown,
    months: BTreeMap<i32, Month>,
}

/// A month that events of the batch occurred in.
struct Month {
    name: String,
    known: KnownMonth,
    /// Whether all events of it are known; if not, those whose keys stood in the first block that touched the month.
    is_whole: bool,
}

impl Assembler {
    /// Prepares for the events of one batch.
    #[must_use]
    pub fn new(contract: &Contract, origin: Origin, key: &PseudonymKey, clock: ZoneClock, ask_known: AskKnown) -> Self {
        Self {
            columns: contract.columns.clone(),
            schema: contract.arrow_schema(),
            occurred_at: contract.columns.iter().position(|column| column.name == OCCURRED_AT).unwrap_or_default(),
            origin,
            key: key.clone(),
            clock,
            ask_known,
            months: BTreeMap::new(),
        }
    }

    /// The rows that are new among the events of a block; `places` are the places of the block's rows in the file.
    ///
    /// # Errors
    /// [`AssembleError`]; then nothing of the batch may be committed.
    pub fn assemble(&mut self, events: &Events, places: &[u64], rejects: &Rejects) -> Result<Assembled, AssembleError> {
        let columns = self.protect(events)?;
        let identities = {
            let hashed: Vec<HashedColumn<'_>> = self
                .lake_columns()
                .zip(&columns)
                .map(|(column, values)| HashedColumn {
                    name: &column.name,
                    in_key: column.key_position.is_some(),
                    values,
                })
                .collect();
            identify(&hashed, events.rows.len())
        };
        let days = self.local_days(events);
        let (keep, n_accepted, n_duplicate) = self.find_new(events, &identities, &days, rejects)?;
        let last_event_at = self.last_event_at(events, &keep);
        let batch = self.build(columns, events, places, &identities, &days, &keep)?;
        Ok(Assembled { batch, n_accepted, n_duplicate, last_event_at })
    }

    fn lake_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.privacy != Privacy::Dropped)
    }

    /// The columns that reach the lake, personal ones as pseudonyms.
    fn protect(&self, events: &Events) -> Result<Vec<ArrayRef>, AssembleError> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for (column, values) in self.columns.iter().zip(&events.columns) {
            match column.privacy {
                Privacy::Open => columns.push(Arc::clone(values)),
                Privacy::Pseudonym => {
                    let texts = values.as_string_view_opt().ok_or_else(|| {
                        ArrowError::SchemaError(format!("the personal column `{}` is not a string", column.name))
                    })?;
                    columns.push(Arc::new(self.key.pseudonyms(texts)));
                }
                Privacy::Dropped => {}
            }
        }
        Ok(columns)
    }

    /// The local day of each event, in days since 1970.
    fn local_days(&mut self, events: &Events) -> Vec<i32> {
        let Some(moments) = events.columns.get(self.occurred_at) else { return Vec::new() };
        let moments = moments.as_primitive::<TimestampMicrosecondType>();
        moments
            .iter()
            .map(|moment| moment.and_then(|moment| self.clock.day_of_utc(moment)).unwrap_or_default())
            .collect()
    }

    /// Which events are new, and how many rows bring new ones and only known ones.
    fn find_new(
        &mut self,
        events: &Events,
        identities: &[Identity],
        days: &[i32],
        rejects: &Rejects,
    ) -> Result<(Vec<bool>, u64, u64), AssembleError> {
        // Events stand rule after rule; versions of one event must be met in the order of the file.
        let mut order: Vec<usize> = (0..events.rows.len()).collect();
        if !events.rows.is_sorted() {
            order.sort_by_key(|event| events.rows.get(*event).copied());
        }
        self.learn_known(identities, days)?;
        let mut keep = vec![false; events.rows.len()];
        let (mut n_accepted, mut n_duplicate) = (0, 0);
        let row_of = |event: usize| events.rows.get(event).copied().unwrap_or_default();
        for of_row in order.chunk_by(|one, other| row_of(*one) == row_of(*other)) {
            let Some(first) = of_row.first() else { continue };
            if rejects.contains(row_of(*first) as usize) {
                continue;
            }
            let mut any_new = false;
            for event in of_row {
                let (Some(identity), Some(day)) = (identities.get(*event), days.get(*event)) else { continue };
                let Some(month) = self.months.get_mut(&month_number(*day)) else { continue };
                let is_new = month.known.note(*identity);
                any_new |= is_new;
                if let Some(keep) = keep.get_mut(*event) {
                    *keep = is_new;
                }
            }
            if any_new {
                n_accepted += 1;
            } else {
                n_duplicate += 1;
            }
        }
        Ok((keep, n_accepted, n_duplicate))
    }

    /// Asks the lake about the events of a block. What a small file needs is looked up by its keys; of a month that a
    /// second block touches everything is read, once.
    fn learn_known(&mut self, identities: &[Identity], days: &[i32]) -> Result<(), LakeError> {
        let mut asked: BTreeMap<i32, HashSet<i64>> = BTreeMap::new();
        for (identity, day) in identities.iter().zip(days) {
            let number = month_number(*day);
            if self.months.get(&number).is_none_or(|month| !month.is_whole) {
                asked.entry(number).or_default().insert(identity.key);
            }
        }
        for (number, keys) in asked {
            if let Some(month) = self.months.get_mut(&number) {
                month.known.learn((self.ask_known)(&month.name, None)?);
                month.is_whole = true;
            } else {
                let name = format!("{:04}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1);
                let known = (self.ask_known)(&name, Some(keys))?;
                self.months.insert(number, Month { name, known, is_whole: false });
            }
        }
        Ok(())
    }

    fn last_event_at(&self, events: &Events, keep: &[bool]) -> Option<i64> {
        let moments = events.columns.get(self.occurred_at)?.as_primitive::<TimestampMicrosecondType>();
        moments.iter().zip(keep).filter(|(_, keep)| **keep).filter_map(|(moment, _)| moment).max()
    }

    fn build(
        &self,
        columns: Vec<ArrayRef>,
        events: &Events,
        places: &[u64],
        identities: &[Identity],
        days: &[i32],
        keep: &[bool],
    ) -> Result<RecordBatch, AssembleError> {
        let all = keep.iter().all(|keep| *keep);
        let n_kept = keep.iter().filter(|keep| **keep).count();
        let mask = BooleanArray::from(keep.to_vec());
        let mut arrays = Vec::with_capacity(self.schema.fields().len());
        for (values, field) in columns.into_iter().zip(self.schema.fields()) {
            let values = if all { values } else { filter(&values, &mask)? };
            arrays.push(if values.data_type() == field.data_type() {
                values
            } else {
                cast(&values, field.data_type())?
            });
        }
        let kept = |event: &usize| keep.get(*event).copied().unwrap_or(false);
        let kept_events = || (0..keep.len()).filter(kept);
        let number =
            |pick: &dyn Fn(usize) -> i64| -> ArrayRef { Arc::new(kept_events().map(pick).collect::<Int64Array>()) };
        let same =
            |text: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, n_kept))) };
        let identity = |event: usize| identities.get(event).copied().unwrap_or(Identity { key: 0, content: 0 });
        let day = |event: usize| days.get(event).copied().unwrap_or_default();
        let mut months = StringBuilder::with_capacity(n_kept, 7 * n_kept);
        for event in kept_events() {
            months.append_value(self.months.get(&month_number(day(event))).map_or("", |month| month.name.as_str()));
        }
        arrays.push(Arc::new(Date32Array::from_iter_values(kept_events().map(day))));
        arrays.push(Arc::new(months.finish()));
        arrays.push(number(&|event| identity(event).key));
        arrays.push(number(&|event| identity(event).content));
        arrays.push(same(&self.origin.pipeline));
        arrays.push(number(&|_| self.origin.batch));
        arrays.push(same(&self.origin.file));
        arrays.push(number(&|event| {
            let place = events.rows.get(event).and_then(|row| places.get(*row as usize)).copied();
            place.and_then(|place| i64::try_from(place).ok()).unwrap_or_default()
        }));
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)
    }
}

/// Months since year 0 of a day given in days since 1970.
fn month_number(day: i32) -> i32 {
    // Days of 0001-01-01 … 1970-01-01 in the proleptic calendar.
    const EPOCH: i32 = 719_163;
    let date = NaiveDate::from_num_days_from_ce_opt(day.saturating_add(EPOCH)).unwrap_or_default();
    date.year() * 12 + date.month0().cast_signed()
}
