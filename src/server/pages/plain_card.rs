//! Cards of the plain pages: one table with a title and a note, and the cells in it.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::domain::language::Lang;
use crate::domain::number::format_number;
use crate::server::state::App;

/// A card with one table: heads, of which the first `n_words` are words and the others numbers.
pub(crate) fn card(title: &str, note: &str, heads: &[&str], n_words: usize, rows: &[Vec<Markup>]) -> Markup {
    html! {
        section .card {
            h2 { (title) }
            @if !note.is_empty() { p .sub { (note) } }
            div .body .scroll { table {
                caption .hidden { (title) }
                thead { tr { @for (position, head) in heads.iter().enumerate() {
                    th scope="col" .number[position >= n_words] { (head) }
                } } }
                tbody { @for row in rows { tr { @for (position, cell) in row.iter().enumerate() {
                    @if position == 0 { th scope="row" { (cell) } } @else { td .number[position >= n_words] { (cell) } }
                } } } }
            } }
        }
    }
}

/// The name of a pipeline for people.
pub(crate) fn title_of<'a>(app: &'a App, name: &'a str, lang: Lang) -> &'a str {
    let declared = app.project().pipelines.iter().find(|pipeline| pipeline.name() == name);
    declared.map_or(name, |pipeline| pipeline.title().get(lang))
}

/// A moment in the region's time.
pub(crate) fn moment(moment: Option<DateTime<Utc>>, app: &App) -> String {
    let local = moment.map(|moment| moment.with_timezone(&app.project().settings.time_zone));
    local.map_or("–".to_owned(), |local| local.format("%d.%m.%Y %H:%M").to_string())
}

/// A count.
#[expect(clippy::cast_precision_loss, reason = "counts of rows stay below 2^53")]
pub(crate) fn number(count: i64, lang: Lang) -> Markup {
    html! { (format_number(count as f64, 0, lang)) }
}

/// A count that cannot be negative.
pub(crate) fn count(count: u64, lang: Lang) -> Markup {
    number(i64::try_from(count).unwrap_or(i64::MAX), lang)
}

/// Seconds with the digits that matter.
pub(crate) fn seconds(seconds: f64, lang: Lang) -> Markup {
    html! { (format_number(seconds, if seconds < 10.0 { 2 } else { 0 }, lang)) }
}
