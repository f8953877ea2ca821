//! A tile: one figure, its change, its course and its light with the reason.

use maud::{Markup, html};

use super::about::short_foot;
use super::icons::{Shape, light, mark};
use super::layout::inline_svg;
use crate::charts::{Frame, Theme, draw_svg};
use crate::dashboards::{Comparison, WidgetData};
use crate::domain::language::Lang;
use crate::domain::number::format_number;
use crate::server::view::View;

/// Height of the small line, in pixels.
const SPARK_HEIGHT: u32 = 32;

/// The inside of a tile that is so wide.
pub(crate) fn tile(data: &WidgetData, width: u32, view: &View) -> Markup {
    let (class, shape) = light(data.status.light);
    html! {
        h2 { (data.title) }
        p .hidden { (data.summary) }
        div aria-hidden="true" {
            (value(data))
            p .change { @if let Some(comparison) = &data.comparison { (change(comparison)) } }
            div .trend {
                div .spark { (spark(data, width, view.lang)) }
                @if let Some(thresholds) = &data.thresholds {
                    span { (view.lang.pick("порог ", "target ")) (format_number(thresholds.good, decimals_of(thresholds.good), view.lang)) }
                }
            }
            @if !data.status.reason.is_empty() { p class={ "light " (class) } title=[(!data.status.why.is_empty()).then_some(&data.status.why)] { (mark(shape)) (data.status.reason) } }
        }
        @if !data.ignored_filters.is_empty() { p .note { (ignored(data, view.lang)) } }
        (short_foot(data, view))
    }
}

/// The sentence about filters that do not reach a widget.
pub(crate) fn ignored(data: &WidgetData, lang: Lang) -> String {
    let names: Vec<&str> = data.ignored_filters.iter().map(|dimension| dimension.title.as_str()).collect();
    format!("{}: {}", lang.pick("Не учитывает отбор", "Not filtered by"), names.join(", ").to_lowercase())
}

fn value(data: &WidgetData) -> Markup {
    html! {
        p .value {
            @match &data.total {
                Some(total) => { (total.text) @if !total.unit_text.is_empty() { small { (total.unit_text) } } }
                None => "–",
            }
        }
    }
}

fn change(comparison: &Comparison) -> Markup {
    let class = match comparison.is_better {
        Some(true) => "good",
        Some(false) => "bad",
        None => "quiet",
    };
    let shape = match comparison.change {
        Some(change) if change > 0.0 => Some(Shape::Up),
        Some(change) if change < 0.0 => Some(Shape::Down),
        _ => None,
    };
    html! {
        b class=(class) { @if let Some(shape) = shape { (mark(shape)) } (comparison.text.trim_start_matches(['+', '\u{2212}'])) }
        span .quiet { (comparison.label) }
    }
}

fn spark(data: &WidgetData, width: u32, lang: Lang) -> Markup {
    let frame = Frame::new((width * 2 / 3).clamp(120, 420), SPARK_HEIGHT, lang, Theme::Light);
    let svg = data.chart().and_then(|chart| draw_svg(&chart, &frame).ok());
    html! { @if let Some(svg) = svg { (inline_svg(&svg, &data.id)) } }
}

/// Decimals that a round threshold needs.
fn decimals_of(threshold: f64) -> usize {
    usize::from(threshold.fract() != 0.0)
}
