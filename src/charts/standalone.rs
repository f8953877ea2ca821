//! What surrounds a chart that leaves the page: background, heading and source.

use super::canvas::{Anchor, Area, Canvas, TextStyle};
use super::font::Weight;
use super::series::count;

/// What a chart that leaves the page carries with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standalone {
    /// The headline.
    pub title: String,
    /// The grey line under it: what, unit, cut, period.
    pub subtitle: String,
    /// Where the figures come from.
    pub source: String,
}

impl Standalone {
    /// How much height the texts take beyond that of the chart.
    #[must_use]
    pub fn height() -> u32 {
        120
    }
}

/// Space around everything.
const MARGIN: f64 = 20.0;

/// Draws the surroundings and leaves the room between them as the bounds of the chart.
pub(super) fn draw(standalone: &Standalone, canvas: &mut Canvas<'_>) {
    let full = canvas.bounds;
    canvas.rectangle(full, canvas.tokens.card, 0.0);
    let (left, width) = (full.left + MARGIN, full.width() - 2.0 * MARGIN);
    let mut y = full.top + MARGIN;
    let title = TextStyle { size: 17.0, weight: Weight::SemiBold, ..canvas.name_style(Anchor::Start) };
    let lines = canvas.fonts.wrap(&standalone.title, width, title.size, title.weight, 2);
    canvas.lines(&lines, (left, y + 14.0), 22.0, title);
    y += 22.0 * count(lines.len());
    let subtitle = TextStyle { size: 13.0, ..canvas.axis_style(Anchor::Start) };
    let lines = canvas.fonts.wrap(&standalone.subtitle, width, subtitle.size, subtitle.weight, 2);
    canvas.lines(&lines, (left, y + 13.0), 17.0, subtitle);
    y += 17.0 * count(lines.len()) + 12.0;
    let mut bottom = full.bottom - MARGIN;
    if !standalone.source.is_empty() {
        let style = canvas.axis_style(Anchor::Start);
        let source = canvas.fonts.shorten(&standalone.source, width, style.size, style.weight);
        canvas.text(&source, (left, bottom - 1.0), style);
        bottom -= 24.0;
    }
    canvas.bounds = Area::new(left, y.min(bottom), full.right - MARGIN, bottom);
}
