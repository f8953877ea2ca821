//! A card: what one widget shows, or the sentence that says why it cannot.

use maud::{Markup, html};

use super::about::foot;
use super::icons::{Shape, mark};
use super::layout::inline_svg;
use super::table::table;
use super::tile::{ignored, tile};
use crate::charts::{Chart, Frame, Theme, draw_svg};
use crate::dashboards::{Widget, WidgetData, WidgetKind};
use crate::domain::language::Lang;
use crate::server::view::View;

/// Width of a phone's card, in pixels.
const NARROW: u32 = 320;
/// Width of a drawing that a phone shows in parts, because its numbers could not be read otherwise.
const DENSE: u32 = 640;
/// Tallest that a chart is stretched to fill its row.
const TALLEST: u32 = 440;

/// A widget and its figures, or the sentence that says why there are none.
pub(crate) type Built<'a> = (&'a Widget, Result<WidgetData, String>);

/// The cards of a page. Charts of one row of the grid get one height where they can.
pub(crate) fn cards(built: &[Built], view: &View) -> Markup {
    let charts: Vec<Option<Chart>> = built
        .iter()
        .map(|(_, data)| data.as_ref().ok().filter(|data| data.kind != WidgetKind::Tile)?.chart())
        .collect();
    let heights = row_heights(built, &charts);
    html! {
        div .grid {
            @for (((widget, data), chart), height) in built.iter().zip(&charts).zip(heights) {
                section class={ "card c" (widget.columns) @if widget.kind == WidgetKind::Tile { " tile" } }
                    id={ "w-" (widget.id) } {
                    @match data {
                        Ok(data) if widget.kind == WidgetKind::Tile => (tile(data, card_width(widget.columns), view)),
                        Ok(data) => (card(data, widget, chart.as_ref(), height, view)),
                        Err(sentence) => (problem(widget, sentence, view.lang)),
                    }
                }
            }
        }
    }
}

fn card(data: &WidgetData, widget: &Widget, chart: Option<&Chart>, height: u32, view: &View) -> Markup {
    let lang = view.lang;
    html! {
        h2 { (data.headline) }
        p .sub { (data.subtitle) }
        div .body {
            @match chart {
                Some(chart) => (pictures(data, widget, chart, height, lang)),
                None => div .long tabindex="0" role="region" aria-label=(data.title) { (table(&data.table(), lang)) },
            }
            @if let Some(note) = &data.note { p .note { (note) } }
            @if !data.ignored_filters.is_empty() { p .note { (ignored(data, lang)) } }
        }
        (foot(data, view, chart.is_some(), chart.is_some()))
    }
}

/// The chart as wide as its card, and once more for a phone, where scaled text could not be read.
fn pictures(data: &WidgetData, widget: &Widget, chart: &Chart, height: u32, lang: Lang) -> Markup {
    let picture = |width: u32, height: u32, prefix: &str| {
        let frame = Frame::new(width, height, lang, Theme::Light).with_texts(&data.headline, &data.summary);
        match draw_svg(chart, &frame) {
            Ok(svg) => inline_svg(&svg, &format!("{prefix}-{}", data.id)),
            Err(error) => html! { p .problem { (error) } },
        }
    };
    html! {
        div .chart .wide { (picture(card_width(widget.columns), height, "wide")) }
        @let narrow = if is_dense(chart) { DENSE } else { NARROW };
        div .chart .narrow .scroll tabindex=[is_dense(chart).then_some("0")] {
            div .dense[is_dense(chart)] { (picture(narrow, chart.height(narrow), "narrow")) }
        }
    }
}

fn problem(widget: &Widget, sentence: &str, lang: Lang) -> Markup {
    let title = widget.title.as_ref().map_or(widget.id.as_str(), |title| title.get(lang));
    html! {
        h2 { (title) }
        div .body {
            p .problem role="note" {
                span .attention { (mark(Shape::Up)) }
                span { (lang.pick("Показать не удалось: ", "Cannot be shown: ")) (sentence) }
            }
        }
    }
}

/// Width of the drawing in a card of so many columns, on a page 1440 pixels wide.
fn card_width(columns: u8) -> u32 {
    u32::from(columns) * 116 - 16 - 38
}

/// Heights of the charts: what suits each, and the tallest of its row for those that may stretch.
fn row_heights(built: &[Built], charts: &[Option<Chart>]) -> Vec<u32> {
    let suiting: Vec<u32> = built
        .iter()
        .zip(charts)
        .map(|((widget, _), chart)| chart.as_ref().map_or(0, |chart| chart.height(card_width(widget.columns))))
        .collect();
    let mut heights = suiting.clone();
    let mut start = 0;
    while start < built.len() {
        let end = row_end(built, start);
        let tallest = suiting[start..end].iter().copied().max().unwrap_or(0).min(TALLEST);
        for position in start..end {
            if charts[position].as_ref().is_some_and(stretches) {
                heights[position] = suiting[position].max(tallest);
            }
        }
        start = end;
    }
    heights
}

/// Position after the last card of the row of twelve columns that starts at `start`.
fn row_end(built: &[Built], start: usize) -> usize {
    let mut columns = 0;
    let fits = |(widget, _): &&Built| {
        columns += widget.columns;
        columns <= 12
    };
    start + built[start..].iter().take_while(fits).count().max(1)
}

/// Whether the numbers of a chart do not fit on a phone.
fn is_dense(chart: &Chart) -> bool {
    matches!(chart, Chart::HeatGrid(grid) if grid.columns.len() > 4)
}

fn stretches(chart: &Chart) -> bool {
    match chart {
        Chart::Line(_) | Chart::PlanFact(_) | Chart::StackedBar(_) | Chart::Bar(_) => true,
        Chart::Ranking(_) | Chart::HeatGrid(_) | Chart::Sparkline(_) | Chart::Milestones(_) | Chart::TileMap(_) => {
            false
        }
    }
}
