//! The quality rules of a contract over one batch: rows that break a rule are rejected, or counted, and the batch is judged at its end.
//!
//! Counted are events of rows that are taken, those that the lake knows already among them: a file that is sent again is judged as it was
//! the first time.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use polars::prelude::{Column, DataFrame, DataType, IntoLazy, PolarsResult};

use super::bridge::to_polars;
use super::expression::{Expression, ExpressionError, collect};
use super::identity::{HashedColumn, identify};
use super::mapping::{Events, Mapper, data_type};
use super::rejects::Rejects;
use crate::declarations::{Problem, Problems};
use crate::warehouse::contracts::{Contract, Contracts, Rule, Severity, Test};

/// What became known about a batch at its end, in sentences.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Why the batch is held back.
    pub errors: Vec<String>,
    /// What marks it.
    pub warnings: Vec<String>,
}

/// The rules of one contract over one batch.
#[derive(Debug)]
pub struct Quality {
    rules: Vec<Watch>,
    /// Names of the contract's columns.
    names: Arc<[String]>,
    /// Places of the key's columns.
    key: Vec<usize>,
    n_events: u64,
}

/// A rule and what it has seen of the batch.
#[derive(Debug)]
struct Watch {
    rule: Rule,
    condition: Option<Expression>,
    /// Hash of values → hash of the key and place in the file of the event that had them first.
    seen: HashMap<u64, (i64, u64)>,
    n_broken: u64,
}

/// The types of a contract's columns, for conditions over them.
fn column_types(contract: &Contract) -> Vec<(String, DataType)> {
    contract.columns.iter().map(|column| (column.name.clone(), data_type(column.column_type))).collect()
}

/// Checks the conditions of all contracts, each at its place.
pub(super) fn check_conditions(contracts: &Contracts, problems: &mut Problems) {
    for contract in contracts.iter() {
        let columns = column_types(contract);
        for rule in &contract.rules {
            let Test::Condition { sql } = &rule.test else { continue };
            let problem = |message: String| -> Problem { contract.source.problem(sql, message) };
            match Expression::check(sql, &columns) {
                Ok((_, DataType::Boolean | DataType::Null)) => {}
                Ok(_) => problems.push(problem("`query`: what stands behind WHERE is no condition".to_owned())),
                Err(ExpressionError::UnknownColumn(name)) => {
                    let known = columns.iter().map(|(known, _)| known.as_str());
                    problems.push(problem(format!("`query`: there is no column `{name}`")).suggest(&name, known));
                }
                Err(ExpressionError::Wrong(message)) => problems.push(problem(format!("`query`: {message}"))),
            }
        }
    }
}

impl Quality {
    /// Prepares the rules, whose conditions were checked when the project was loaded.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        let columns = column_types(contract);
        let watch = |rule: &Rule| {
            let condition = match &rule.test {
                Test::Condition { sql } => Some(Expression::check(sql, &columns).ok()?.0),
                _ => None,
            };
            Some(Watch { rule: rule.clone(), condition, seen: HashMap::new(), n_broken: 0 })
        };
        Self {
            rules: contract.rules.iter().filter_map(watch).collect(),
            names: contract.columns.iter().map(|column| column.name.clone()).collect(),
            key: (0..contract.columns.len()).filter(|place| contract.columns[*place].key_position.is_some()).collect(),
            n_events: 0,
        }
    }

    /// Forgets what it has seen, as before a batch.
    pub(super) fn forget(&mut self) {
        self.n_events = 0;
        for watch in &mut self.rules {
            watch.seen.clear();
            watch.n_broken = 0;
        }
    }

    /// Rejects rows of a block that break a rule, and counts what the other rules count; `places` are the places of the block's rows in the file.
    ///
    /// # Errors
    /// If a condition cannot be computed over the values of the block.
    pub fn check(
        &mut self,
        events: &Events,
        mapper: &Mapper,
        places: &[u64],
        rejects: &mut Rejects,
    ) -> PolarsResult<()> {
        if self.rules.is_empty() {
            return Ok(());
        }
        let conditions = self.conditions(events)?;
        let keys = self.keys(events);
        let block = BlockOfEvents { events, mapper, places, keys: &keys };
        // Rows are rejected first, so that only events that come in are counted. What repeats is known last of all.
        let order = |watch: &Watch| (!watch.rule.rejects_rows(), matches!(watch.rule.test, Test::Repeated { .. }));
        let mut turns: Vec<usize> = (0..self.rules.len()).collect();
        turns.sort_by_key(|turn| self.rules.get(*turn).map(order));
        for turn in turns {
            let Some(watch) = self.rules.get_mut(turn) else { continue };
            let holds = conditions.get(turn).and_then(Option::as_ref);
            let broken = watch.broken(&block, holds, rejects);
            if !watch.rule.rejects_rows() {
                watch.n_broken += broken.len() as u64;
            }
        }
        self.n_events += events.rows.iter().filter(|row| !rejects.contains(**row as usize)).count() as u64;
        Ok(())
    }

    /// For each rule with a condition the events for which it is true.
    fn conditions(&self, events: &Events) -> PolarsResult<Vec<Option<Vec<bool>>>> {
        let conditions: Vec<&Expression> = self.rules.iter().filter_map(|watch| watch.condition.as_ref()).collect();
        let is_used = |name: &str| conditions.iter().any(|condition| condition.columns().any(|column| column == name));
        let mut columns = Vec::new();
        for (name, array) in self.names.iter().zip(&events.columns).filter(|(name, _)| is_used(name)) {
            columns.push(Column::from(to_polars(name, array)?));
        }
        let mut wanted = Vec::new();
        for (number, watch) in self.rules.iter().enumerate() {
            let condition = watch.condition.as_ref();
            wanted.extend(condition.map(|condition| condition.expr().clone().alias(format!("\u{1}{number}"))));
        }
        if wanted.is_empty() {
            return Ok(vec![None; self.rules.len()]);
        }
        let frame = DataFrame::new(events.rows.len(), columns)?;
        let computed = collect(frame.lazy().with_columns(wanted))?;
        let holds = |(number, watch): (usize, &Watch)| {
            if watch.condition.is_none() {
                return Ok(None);
            }
            let column = computed.column(&format!("\u{1}{number}"))?.cast(&DataType::Boolean)?;
            Ok(Some(column.bool()?.iter().map(|holds| holds == Some(true)).collect()))
        };
        self.rules.iter().enumerate().map(holds).collect()
    }

    /// Hashes of the events' keys, if a rule needs them.
    fn keys(&self, events: &Events) -> Vec<i64> {
        if !self.rules.iter().any(|watch| matches!(watch.rule.test, Test::Repeated { .. })) {
            return Vec::new();
        }
        hashes(&self.names, events, &self.key).into_iter().map(u64::cast_signed).collect()
    }

    /// Judges the batch.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        for watch in self.rules.iter().filter(|watch| !watch.rule.rejects_rows()) {
            let Some(sentence) = watch.judge(self.n_events, &self.names) else { continue };
            match watch.rule.severity {
                Severity::Error => verdict.errors.push(sentence),
                Severity::Warning => verdict.warnings.push(sentence),
            }
        }
        verdict
    }
}

/// The events of a block, and what is needed to speak of them.
struct BlockOfEvents<'a> {
    events: &'a Events,
    mapper: &'a Mapper,
    places: &'a [u64],
    keys: &'a [i64],
}

impl BlockOfEvents<'_> {
    fn row(&self, event: usize) -> usize {
        self.events.rows.get(event).map_or(usize::MAX, |row| *row as usize)
    }

    fn column(&self, place: usize) -> Option<&ArrayRef> {
        self.events.columns.get(place)
    }

    /// The events of rows that are not rejected.
    fn taken<'a>(&'a self, rejects: &'a Rejects) -> impl Iterator<Item = usize> + 'a {
        (0..self.events.rows.len()).filter(|event| !rejects.contains(self.row(*event)))
    }

    /// What a sentence says of a column: its name in the file, and the value unless it is personal.
    fn describe(&self, event: usize, column: usize) -> String {
        let made_by = self.events.rules.get(event).copied().unwrap_or_default();
        let Some(label) = self.mapper.label(made_by, column) else { return String::new() };
        match self.text(event, column) {
            Some(text) => format!("«{}»: {}", label.name, label.show(text)),
            None => format!("«{}»: значение", label.name),
        }
    }

    fn text(&self, event: usize, column: usize) -> Option<&str> {
        let texts: &StringViewArray = self.column(column)?.as_string_view_opt()?;
        texts.is_valid(event).then(|| texts.value(event))
    }
}

impl Watch {
    /// Taken events of a block that break the rule; the rows of them are rejected if the rule says so.
    fn broken(&mut self, block: &BlockOfEvents<'_>, holds: Option<&Vec<bool>>, rejects: &mut Rejects) -> Vec<usize> {
        if let Test::Repeated { columns } = self.rule.test.clone() {
            return self.repeated(block, &columns, rejects);
        }
        let is_broken = |event: &usize| match &self.rule.test {
            Test::Missing { column, texts } => {
                let is_null = block.column(*column).is_none_or(|values| values.is_null(*event));
                is_null || block.text(*event, *column).is_some_and(|text| texts.iter().any(|missing| missing == text))
            }
            Test::Invalid { column, allowed, pattern } => block.text(*event, *column).is_some_and(|text| {
                allowed.as_ref().is_some_and(|allowed| allowed.iter().all(|value| value != text))
                    || pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text))
            }),
            Test::Condition { .. } => holds.and_then(|holds| holds.get(*event)).copied().unwrap_or(false),
            Test::Rows => true,
            Test::Repeated { .. } => false,
        };
        let broken: Vec<usize> = block.taken(rejects).filter(is_broken).collect();
        if self.rule.rejects_rows() {
            for event in &broken {
                rejects.add(block.row(*event), self.rule.name.clone(), || self.sentence(block, *event));
            }
        }
        broken
    }

    /// What is wrong with a row and what to do.
    fn sentence(&self, block: &BlockOfEvents<'_>, event: usize) -> String {
        let told = self.rule.sentence.clone();
        match &self.rule.test {
            Test::Missing { column, .. } => {
                let made_by = block.events.rules.get(event).copied().unwrap_or_default();
                let name = block.mapper.label(made_by, *column).map_or("", |label| label.name.as_str());
                told.unwrap_or_else(|| format!("«{name}»: обязательное поле пустое; заполните его в реестре"))
            }
            Test::Invalid { column, .. } => {
                let wrong = "не из допустимых; исправьте в реестре";
                told.unwrap_or_else(|| format!("{} {wrong}", block.describe(event, *column)))
            }
            _ => told.unwrap_or_else(|| "строка нарушает правило контракта; исправьте в реестре".to_owned()),
        }
    }

    /// Events whose values an earlier event with another key has. A row is looked at as a whole, in the order of the file: if one of its
    /// events is rejected, none of them counts as seen.
    fn repeated(&mut self, block: &BlockOfEvents<'_>, columns: &[usize], rejects: &mut Rejects) -> Vec<usize> {
        let names: Vec<String> = (0..block.events.columns.len()).map(|place| place.to_string()).collect();
        let values = hashes(&names, block.events, columns);
        let is_whole =
            |event: &usize| columns.iter().all(|place| block.column(*place).is_some_and(|of| of.is_valid(*event)));
        let mut order: Vec<usize> = block.taken(rejects).filter(is_whole).collect();
        order.sort_by_key(|event| block.row(*event));
        let rejects_rows = self.rule.rejects_rows();
        let mut broken = Vec::new();
        for of_row in order.chunk_by(|one, other| block.row(*one) == block.row(*other)) {
            let mut of_this_row: HashMap<u64, (i64, u64)> = HashMap::new();
            let mut first_broken = None;
            for event in of_row {
                let (Some(value), Some(key)) = (values.get(*event), block.keys.get(*event)) else { continue };
                let place = block.places.get(block.row(*event)).copied().unwrap_or_default();
                match self.seen.get(value).or_else(|| of_this_row.get(value)) {
                    Some((known, first)) if known != key => {
                        broken.push(*event);
                        first_broken.get_or_insert((*event, *first));
                    }
                    _ => drop(of_this_row.insert(*value, (*key, place))),
                }
            }
            match first_broken {
                Some((event, first)) if rejects_rows => {
                    let told = self.rule.sentence.clone();
                    rejects.add(block.row(event), self.rule.name.clone(), || {
                        let described = columns.iter().map(|column| block.describe(event, *column));
                        let described = described.collect::<Vec<_>>().join(", ");
                        told.unwrap_or_else(|| {
                            format!(
                                "{described} уже есть у другого события (запись {first} файла); исправьте в реестре"
                            )
                        })
                    });
                }
                _ => self.seen.extend(of_this_row),
            }
        }
        broken
    }

    /// Why the batch is not as it must be; none if it is.
    fn judge(&self, n_events: u64, names: &[String]) -> Option<String> {
        #[expect(clippy::cast_precision_loss, reason = "counts of rows stay below 2^53")]
        let (n_broken, n_all) = (self.n_broken as f64, n_events.max(1) as f64);
        let count = if self.rule.in_percent { 100.0 * n_broken / n_all } else { n_broken };
        if self.rule.limit.holds(count) {
            return None;
        }
        let name = |place: &usize| names.get(*place).map_or("", String::as_str);
        let counted = match &self.rule.test {
            Test::Missing { column, .. } => format!("событий без «{}»", name(column)),
            Test::Invalid { column, .. } => format!("событий с недопустимым «{}»", name(column)),
            Test::Repeated { columns } => {
                format!("событий с повтором «{}»", columns.iter().map(name).collect::<Vec<_>>().join("», «"))
            }
            Test::Condition { .. } => "событий, нарушающих правило,".to_owned(),
            Test::Rows => "событий".to_owned(),
        };
        let share = if self.rule.in_percent { " %" } else { "" };
        let told = self.rule.sentence.as_ref().map(|told| format!("; {}", told.trim())).unwrap_or_default();
        let found = (count * 100.0).round() / 100.0;
        let limit = self.rule.limit.words();
        Some(format!("{}: {counted} {found}{share}, а должно быть {limit}{share}{told}", self.rule.name))
    }
}

/// A hash of some columns of each event.
fn hashes(names: &[String], events: &Events, places: &[usize]) -> Vec<u64> {
    let column = |place: &usize| {
        Some(HashedColumn { name: names.get(*place)?, in_key: true, values: events.columns.get(*place)? })
    };
    let columns: Vec<HashedColumn<'_>> = places.iter().filter_map(column).collect();
    identify(&columns, events.rows.len()).into_iter().map(|identity| identity.key.cast_unsigned()).collect()
}
