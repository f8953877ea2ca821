//! Charts: figures in, SVG or PNG out.
//!
//! One chart kind per file, drawn with `plotters`, which never leaves this folder. Every chart follows the same
//! rules: one accent, grey for context, a thin dashed plan, a dotted forecast, names at the ends of lines, missing
//! values visible as what they are. The same input gives the same bytes.
//!
//! Nothing here knows an indicator, a query or a page.

mod assets;
mod axis;
mod bar;
mod canvas;
mod font;
mod heat_grid;
mod labels;
mod line;
mod milestones;
mod plan_fact;
mod png;
mod ranking;
mod rows;
mod scale;
mod series;
mod sparkline;
mod stacked_bar;
mod standalone;
mod steps;
mod svg;
mod theme;
mod tile_map;

use crate::domain::language::Lang;
use canvas::Canvas;

pub use assets::WebAssets;
pub use axis::bucket_labels;
pub use bar::{Bar, BarChart};
pub use heat_grid::HeatGrid;
pub use line::{LineChart, LineEvent};
pub use milestones::{MilestoneMark, MilestonesChart, Status};
pub use plan_fact::PlanFactChart;
pub use ranking::{RankingChart, RankingRow};
pub use series::{Role, Series};
pub use sparkline::Sparkline;
pub use stacked_bar::StackedBarChart;
pub use standalone::Standalone;
pub use theme::{Colour, Theme, Tokens};
pub use tile_map::{Tile, TileMap};

/// A chart of one of the kinds.
#[derive(Debug, Clone, PartialEq)]
pub enum Chart {
    /// Series over time.
    Line(LineChart),
    /// One bar per label.
    Bar(BarChart),
    /// Bars that are made of parts.
    StackedBar(StackedBarChart),
    /// Names with a value each, as dots or bars, against their mean.
    Ranking(RankingChart),
    /// A grid of numbers on coloured cells.
    HeatGrid(HeatGrid),
    /// A small line without axes.
    Sparkline(Sparkline),
    /// A plan against what happened.
    PlanFact(PlanFactChart),
    /// Milestones of a project: plan, fact and the slip between them.
    Milestones(MilestonesChart),
    /// Territories as equal tiles in their rough places.
    TileMap(TileMap),
}

/// Where and how a chart is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels; [`Chart::height`] tells a fitting one.
    pub height: u32,
    /// Language of words and numbers.
    pub lang: Lang,
    /// Light or dark.
    pub theme: Theme,
    /// The name of the image for those who do not see it.
    pub title: String,
    /// One sentence with what the chart shows.
    pub summary: String,
    /// Set for a chart that leaves the page: it gets a background, a heading and its source.
    pub standalone: Option<Standalone>,
}

impl Frame {
    /// A frame for a page, without texts.
    #[must_use]
    pub fn new(width: u32, height: u32, lang: Lang, theme: Theme) -> Self {
        Self { width, height, lang, theme, title: String::new(), summary: String::new(), standalone: None }
    }

    /// The frame with the texts for those who do not see the image.
    #[must_use]
    pub fn with_texts(self, title: impl Into<String>, summary: impl Into<String>) -> Self {
        Self { title: title.into(), summary: summary.into(), ..self }
    }

    /// The frame for a file, with a background, a heading and a source.
    #[must_use]
    pub fn with_standalone(self, standalone: Standalone) -> Self {
        Self { standalone: Some(standalone), ..self }
    }

    /// The frame in sizes that can be drawn.
    fn checked(self) -> Self {
        Self { width: self.width.clamp(24, 8000), height: self.height.clamp(16, 8000), ..self }
    }
}

/// Why a chart could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The embedded font is missing or damaged.
    #[error("cannot read the embedded font `{file}`")]
    Font {
        /// File inside the web assets.
        file: String,
    },
    /// The drawing library failed.
    #[error("cannot draw the chart: {message}")]
    Draw {
        /// What it said.
        message: String,
    },
    /// The SVG could not be turned into pixels.
    #[error("cannot render the chart as pixels: {message}")]
    Render {
        /// What went wrong.
        message: String,
    },
}

impl Chart {
    /// A height that suits the chart at this width: rows as tall as they should be, lines at a calm proportion.
    #[must_use]
    pub fn height(&self, width: u32) -> u32 {
        match self {
            Self::Line(_) | Self::PlanFact(_) => (width * 9 / 20).clamp(200, 340),
            Self::Bar(chart) => chart.height(width),
            Self::StackedBar(chart) => chart.height(width),
            Self::Ranking(chart) => chart.height(),
            Self::HeatGrid(chart) => chart.height(),
            Self::Sparkline(_) => 36,
            Self::Milestones(chart) => chart.height(),
            Self::TileMap(chart) => chart.height(width),
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        match self {
            Self::Line(chart) => chart.draw(canvas),
            Self::Bar(chart) => chart.draw(canvas),
            Self::StackedBar(chart) => chart.draw(canvas),
            Self::Ranking(chart) => chart.draw(canvas),
            Self::HeatGrid(chart) => chart.draw(canvas),
            Self::Sparkline(chart) => chart.draw(canvas),
            Self::PlanFact(chart) => chart.draw(canvas),
            Self::Milestones(chart) => chart.draw(canvas),
            Self::TileMap(chart) => chart.draw(canvas),
        }
    }
}

/// The chart as SVG text.
///
/// # Errors
/// [`ChartError::Font`] or [`ChartError::Draw`] if the drawing library fails; never because of the figures.
pub fn draw_svg(chart: &Chart, frame: &Frame) -> Result<String, ChartError> {
    let frame = frame.clone().checked();
    let mut raw = String::new();
    let mut canvas = Canvas::new(&mut raw, &frame, font::fonts()?);
    if let Some(standalone) = &frame.standalone {
        standalone::draw(standalone, &mut canvas);
    }
    chart.draw(&mut canvas);
    let extras = canvas.finish()?;
    Ok(svg::finish(&raw, &extras, &frame))
}

/// The chart as a PNG image, `scale` pixels per unit of the frame.
///
/// # Errors
/// As [`draw_svg`], and [`ChartError::Render`] if the image would be empty or too large.
pub fn draw_png(chart: &Chart, frame: &Frame, scale: f32) -> Result<Vec<u8>, ChartError> {
    png::render(&draw_svg(chart, frame)?, scale)
}
