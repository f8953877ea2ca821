//! A table of figures as HTML: numbers to the right, the first column as heads of the rows.

use maud::{Markup, html};

use crate::domain::language::Lang;
use crate::domain::table::{Cell, Table, TableColumn, state_meaning};

/// The table with a caption for screen readers and the meaning of its marks.
pub(crate) fn table(table: &Table, lang: Lang) -> Markup {
    html! {
        table {
            caption .hidden { (table.title) }
            thead { tr { @for column in &table.columns { (head(column)) } } }
            tbody {
                @for row in &table.rows {
                    tr { @for (position, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
                        (body(cell, column, position == 0, lang))
                    } }
                }
            }
        }
        @if table.rows.is_empty() {
            p .note { (lang.pick("За этот период и отбор записей нет.", "No records for this period and filters.")) }
        }
        @if !table.states().is_empty() {
            p .note {
                @for (position, state) in table.states().into_iter().enumerate() {
                    @if position > 0 { "; " }
                    (state_meaning(state, lang))
                }
            }
        }
    }
}

fn head(column: &TableColumn) -> Markup {
    html! { th scope="col" .number[column.is_number()] { (column.heading()) } }
}

fn body(cell: &Cell, column: &TableColumn, is_first: bool, lang: Lang) -> Markup {
    let text = cell.display(column, lang);
    html! {
        @if column.is_number() { td .number { (text) } }
        @else if is_first { th scope="row" { (text) } }
        @else { td { (text) } }
    }
}
