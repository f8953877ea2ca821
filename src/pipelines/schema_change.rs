//! What a pipeline does when the register's columns are not those that were declared.
//!
//! | `schema_change` | a column that is not declared | a declared column that is gone | a value of another type |
//! |---|---|---|---|
//! | absent | is left alone | the file is not taken | rejects its row |
//! | `freeze` | the file is not taken | the file is not taken | rejects its row |
//! | `evolve` | becomes a column of the event table, as pseudonyms | is empty, with a warning | rejects its row |
//! | `discard_row` | rejects the rows that have a value in it | the file is not taken | rejects its row |
//! | `discard_value` | is left out, its values are counted | is empty, with a warning | is empty, and counted |
//!
//! Without the key a pipeline reads what it names and nothing else: registers export dozens of columns that no figure needs, names of persons
//! among them, and a new one among those must neither stop a load nor be kept by itself. A required column that is gone never passes.
//! Columns that a pipeline lists in `ignore` are known, and left alone whatever it declares.

use std::collections::{BTreeMap, BTreeSet};

use deunicode::deunicode;
use schemars::JsonSchema;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use super::errors::FileError;
use super::formats::{ColumnChanges, Undeclared};
use super::packed::Part;
use super::pipeline::Pipeline;
use super::rejects::Rejects;
use super::work::{format_error, open_decoder};
use crate::warehouse::contracts::{Contract, FOUND_PREFIX};

/// What happens when the register's columns are not those that were declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemaChange {
    /// A column that is not declared becomes a new column of the event table, with pseudonyms for values; one that is gone is empty.
    Evolve,
    /// Nothing of a file with other columns is taken; what was loaded before stays.
    Freeze,
    /// Rows that have a value in a column that is not declared are rejected.
    DiscardRow,
    /// Values of columns that are not declared, and values of another type in columns that are not required, are left out and counted.
    DiscardValue,
}

impl SchemaChange {
    /// What a decoder does with columns that are not declared.
    pub(super) fn undeclared(self) -> Undeclared {
        match self {
            Self::Freeze => Undeclared::Refuse,
            Self::Evolve | Self::DiscardRow | Self::DiscardValue => Undeclared::HandOver,
        }
    }

    /// Whether a column that is not required may be gone.
    pub(super) fn may_lack(self) -> bool {
        matches!(self, Self::Evolve | Self::DiscardValue)
    }
}

/// A column of a file that nobody declared, and its column in the event table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundColumn {
    /// Its name in the file.
    pub(super) from: String,
    /// Its name in the event table.
    pub(super) name: String,
}

/// The pipeline and the contract of a part with the columns that nobody declared; none if the file has no such columns, or the pipeline
/// does not evolve. Blocks the thread: a format without a header is read to its end.
pub(super) fn evolve(
    part: &Part,
    pipeline: &Pipeline,
    contract: &Contract,
) -> Result<Option<(Pipeline, Contract)>, FileError> {
    if pipeline.schema_change != Some(SchemaChange::Evolve) {
        return Ok(None);
    }
    let columns = pipeline.wanted_columns();
    let (mut decoder, _) = open_decoder(part, &pipeline.format, pipeline.unpack.limits, &columns)?;
    let mut names: BTreeSet<String> = BTreeSet::new();
    if let Some(in_header) = decoder.undeclared_in_header() {
        names.extend(in_header);
    } else {
        while let Some(block) = decoder.next_block().map_err(|cause| format_error(&part.unit.file, cause))? {
            names.extend(block.changes.undeclared.into_iter().map(|column| column.name));
        }
    }
    if names.is_empty() {
        return Ok(None);
    }
    let found = name_columns(names);
    let contract = contract.with_found_columns(found.iter().map(|column| column.name.as_str()));
    Ok(Some((pipeline.with_found_columns(&found), contract)))
}

/// Names for columns of a file: small Latin letters, digits and underscores behind a prefix that no contract uses. A name does not depend on
/// the other columns, unless two of them would have the same.
fn name_columns(names: impl IntoIterator<Item = String>) -> Vec<FoundColumn> {
    const LONGEST: usize = 48;
    let mut taken = BTreeSet::new();
    let name_column = |from: String| {
        let mut name = FOUND_PREFIX.to_owned();
        for character in deunicode(&from).to_lowercase().chars() {
            let is_plain = character.is_ascii_lowercase() || character.is_ascii_digit();
            // What is no letter in any alphabet is left out, and what stands between words is one underscore.
            match character {
                _ if is_plain => name.push(character),
                '\'' | '"' | '`' => {}
                _ if !name.ends_with('_') => name.push('_'),
                _ => {}
            }
        }
        let plain = name.trim_end_matches('_');
        let is_short = plain.len() > FOUND_PREFIX.trim_end_matches('_').len() && plain.len() <= LONGEST;
        let name = if is_short && taken.insert(plain.to_owned()) {
            plain.to_owned()
        } else {
            let start: String = plain.chars().take(LONGEST).collect();
            format!("{start}_{:08x}", xxh3_64(from.as_bytes()) >> 32)
        };
        FoundColumn { from, name }
    };
    names.into_iter().map(name_column).collect()
}

/// Watches the columns of one file that are not as declared.
#[derive(Debug)]
pub(super) struct ColumnWatch {
    change: Option<SchemaChange>,
    /// Texts that mean "no value".
    empty: Vec<String>,
    /// Columns that are new in the event table.
    found: Vec<FoundColumn>,
    missing: BTreeSet<String>,
    /// Values left out by column: of columns that are not declared, and of another type.
    left_out: BTreeMap<String, u64>,
    unfit: BTreeMap<String, u64>,
}

impl ColumnWatch {
    /// Watches a file of a pipeline.
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self {
            change: pipeline.schema_change,
            empty: pipeline.empty.clone(),
            found: pipeline.found_columns(),
            missing: BTreeSet::new(),
            left_out: BTreeMap::new(),
            unfit: BTreeMap::new(),
        }
    }

    fn is_value(&self, text: &str) -> bool {
        let text = text.trim();
        !text.is_empty() && self.empty.iter().all(|empty| empty != text)
    }

    /// Rejects rows of a block for what is in columns that are not declared.
    pub(super) fn reject(&self, changes: &ColumnChanges, rejects: &mut Rejects) {
        if self.change != Some(SchemaChange::DiscardRow) {
            return;
        }
        for column in &changes.undeclared {
            for (row, _) in column.values.iter().filter(|(_, value)| self.is_value(value)) {
                rejects.add(*row, "undeclared", || {
                    format!(
                        "«{}»: столбец не объявлен, а в нём есть значение; объявите его в конвейере или уберите из выгрузки",
                        column.name
                    )
                });
            }
        }
    }

    /// Counts what is left out of the rows of a block that are taken.
    pub(super) fn count(&mut self, changes: &ColumnChanges, rejects: &Rejects) {
        self.missing.extend(changes.missing.iter().cloned());
        for (_, column) in rejects.unfit().filter(|(row, _)| !rejects.contains(*row)) {
            *self.unfit.entry(column.to_owned()).or_default() += 1;
        }
        if self.change != Some(SchemaChange::DiscardValue) {
            return;
        }
        for column in &changes.undeclared {
            let values = column.values.iter().filter(|(row, value)| self.is_value(value) && !rejects.contains(*row));
            let n_values = values.count() as u64;
            if n_values > 0 {
                *self.left_out.entry(column.name.clone()).or_default() += n_values;
            }
        }
    }

    /// What is told once in a run: columns that came and columns that went.
    pub(super) fn changes(&self) -> Vec<String> {
        let came = self.found.iter().map(|FoundColumn { from, name }| {
            format!(
                "«{from}»: столбец не объявлен, его значения хранятся псевдонимами в {name}; объявите его в columns и values \
                 и назовите в контракте или внесите в ignore"
            )
        });
        let went = self.missing.iter().map(|name| {
            format!("«{name}»: столбца нет в файле, значения пусты; верните его в выгрузку или уберите из columns")
        });
        came.chain(went).collect()
    }

    /// What is told of every file: how many values were left out.
    pub(super) fn losses(&self) -> Vec<String> {
        let left_out = self.left_out.iter().map(|(name, n_values)| {
            format!("«{name}»: столбец не объявлен, отброшено значений: {n_values}; объявите его в columns или внесите в ignore")
        });
        let unfit = self.unfit.iter().map(|(name, n_values)| {
            format!("«{name}»: отброшено значений не того типа: {n_values}; исправьте в реестре")
        });
        left_out.chain(unfit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> Vec<String> {
        name_columns(of.iter().map(|name| (*name).to_owned())).into_iter().map(|column| column.name).collect()
    }

    #[test]
    fn a_header_becomes_a_safe_name() {
        assert_eq!(
            names(&["Код льготы", "Срок (дн.)", "eventType", "7", "Категория льготы, подъезд"]),
            ["extra_kod_lgoty", "extra_srok_dn", "extra_eventtype", "extra_7", "extra_kategoriia_lgoty_podezd"]
        );
    }

    #[test]
    fn names_are_told_apart_and_never_too_long() {
        let found = names(&["Код", "код", "№", "***", &"длинный заголовок ".repeat(9)]);
        assert_eq!(found[0], "extra_kod");
        assert!(found[1].starts_with("extra_kod_") && found[1].len() == "extra_kod_".len() + 8, "{found:?}");
        let distinct: BTreeSet<&String> = found.iter().collect();
        assert_eq!(distinct.len(), found.len(), "{found:?}");
        assert!(found.iter().all(|name| name.len() <= 60 && name.is_ascii()), "{found:?}");
    }
}
