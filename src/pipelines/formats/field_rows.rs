//! Rows of fields below a header, which become a block.

use std::sync::Arc;

use polars::prelude::{Column, DataFrame, IntoColumn, IntoSeries, StringChunkedBuilder};

use super::{Block, BrokenRow, ColumnChanges, FormatError, FoundColumns, RawRows, UndeclaredColumn, WantedColumns};

/// Rows of fields as a block takes them.
pub(super) struct FieldRows {
    builders: Vec<StringChunkedBuilder>,
    undeclared: Vec<UndeclaredColumn>,
    rows: Vec<u64>,
    /// Rows that could not be read.
    pub(super) broken: Vec<BrokenRow>,
}

impl FieldRows {
    pub(super) fn new(columns: &WantedColumns, found: &FoundColumns) -> Self {
        let builder = |name: &str| StringChunkedBuilder::new(name.into(), 1024);
        let undeclared = |(_, name): &(usize, String)| UndeclaredColumn { name: name.clone(), values: Vec::new() };
        Self {
            builders: columns.iter().map(|column| builder(&column.name)).collect(),
            undeclared: found.undeclared.iter().map(undeclared).collect(),
            rows: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// Rows taken, the broken ones among them.
    pub(super) fn len(&self) -> usize {
        self.rows.len() + self.broken.len()
    }

    /// Takes a row whose field at a place of the header is `text`.
    pub(super) fn push<'a>(&mut self, row: u64, found: &FoundColumns, text: impl Fn(usize) -> Option<&'a str>) {
        for (builder, place) in self.builders.iter_mut().zip(&found.places) {
            builder.append_option(place.and_then(&text));
        }
        for (column, (place, _)) in self.undeclared.iter_mut().zip(&found.undeclared) {
            let value = text(*place).filter(|value| !value.is_empty());
            column.values.extend(value.map(|value| (self.rows.len(), value.to_owned())));
        }
        self.rows.push(row);
    }

    /// The block.
    pub(super) fn into_block(
        self,
        header: &Arc<[String]>,
        found: &FoundColumns,
        separator: char,
    ) -> Result<Block, FormatError> {
        let columns: Vec<Column> =
            self.builders.into_iter().map(|builder| builder.finish().into_series().into_column()).collect();
        Ok(Block {
            frame: DataFrame::new(self.rows.len(), columns)?,
            rows: self.rows,
            raw: RawRows::Fields { header: Arc::clone(header), places: found.places.clone(), separator },
            broken: self.broken,
            changes: ColumnChanges { missing: Arc::clone(&found.missing), undeclared: self.undeclared },
            n_bytes_read: 0,
        })
    }
}
