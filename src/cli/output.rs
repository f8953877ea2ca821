//! The one place that prints. A closed pipe (`svod query … | head`) ends the output, not the program.

use std::io::{IsTerminal, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// Prints text and a line end on standard output.
pub(super) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints bytes as they are on standard output.
pub(super) fn bytes(bytes: &[u8]) {
    let _ = std::io::stdout().lock().write_all(bytes);
}

/// Prints text and a line end on standard error.
pub(super) fn error_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Whether somebody watches standard error.
pub(super) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// A number of bytes for people.
pub(super) fn size(n_bytes: u64) -> String {
    indicatif::DecimalBytes(n_bytes).to_string()
}

/// A table with a header; columns from `first_number` on are aligned right.
pub(super) fn table<Row>(header: &[&str], rows: impl IntoIterator<Item = Row>, first_number: usize) -> String
where
    Row: IntoIterator<Item = String>,
{
    table_with_numbers(header, rows, |column| column >= first_number)
}

/// A table with a header; columns of numbers are aligned right.
pub(super) fn table_with_numbers<Row>(
    header: &[&str],
    rows: impl IntoIterator<Item = Row>,
    is_number: impl Fn(usize) -> bool,
) -> String
where
    Row: IntoIterator<Item = String>,
{
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    for row in rows {
        table.add_row(row.into_iter().collect::<Vec<_>>());
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        if is_number(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}
