//! The kinds of widget and what each asks of its declaration.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a widget shows its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WidgetKind {
    /// One figure of the whole period with its change, a sparkline by month and a light.
    Tile,
    /// A line over time, one per indicator or per value of a dimension.
    Line,
    /// Bars of one indicator over time or over the values of a dimension.
    Bar,
    /// Bars made of parts: over time by one dimension, or over one dimension by another.
    StackedBar,
    /// The values of a dimension from best to worst, against the whole.
    Ranking,
    /// Two dimensions, or a dimension and time, as a grid of shaded cells.
    HeatGrid,
    /// Territories as equal tiles in their rough places; the code list says where each lies.
    TileMap,
    /// Figures of several indicators side by side.
    Table,
    /// Plan, fact and forecast of a key figure by month.
    PlanFact,
    /// Control points with planned and actual or forecast date.
    Milestones,
}

/// What a kind asks of the keys of its widget.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Most indicators.
    pub(super) max_indicators: usize,
    /// Fewest and most dimensions to cut by.
    pub(super) cuts: (usize, usize),
    /// Whether time may be an axis, so that `grain` has a meaning.
    pub(super) has_time: bool,
    /// Measures that the indicator must have.
    pub(super) measures: &'static [&'static str],
    /// A correct use, shown as help.
    pub(super) example: &'static str,
}

impl WidgetKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Tile,
        Self::Line,
        Self::Bar,
        Self::StackedBar,
        Self::Ranking,
        Self::HeatGrid,
        Self::TileMap,
        Self::Table,
        Self::PlanFact,
        Self::Milestones,
    ];

    /// The word of the kind in a declaration.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Tile => "tile",
            Self::Line => "line",
            Self::Bar => "bar",
            Self::StackedBar => "stacked_bar",
            Self::Ranking => "ranking",
            Self::HeatGrid => "heat_grid",
            Self::TileMap => "tile_map",
            Self::Table => "table",
            Self::PlanFact => "plan_fact",
            Self::Milestones => "milestones",
        }
    }

    /// Columns of twelve that the widget takes if its declaration does not say.
    #[must_use]
    pub fn default_columns(self) -> u8 {
        match self {
            Self::Tile => 3,
            Self::Line | Self::Bar | Self::StackedBar | Self::Ranking | Self::PlanFact | Self::TileMap => 6,
            Self::HeatGrid | Self::Table | Self::Milestones => 12,
        }
    }

    pub(super) fn rule(self) -> Rule {
        let rule =
            |max_indicators, cuts, has_time, example| Rule { max_indicators, cuts, has_time, measures: &[], example };
        match self {
            Self::Tile => rule(1, (0, 0), false, "{kind: tile, indicator: appeals}"),
            Self::Line => rule(6, (0, 1), true, "{kind: line, indicator: appeals, by: [channel], grain: month}"),
            Self::Bar => rule(1, (0, 1), true, "{kind: bar, indicator: appeals, by: [category]}"),
            Self::StackedBar => rule(1, (1, 2), true, "{kind: stacked_bar, indicator: appeals, by: [status]}"),
            Self::Ranking => rule(1, (1, 1), false, "{kind: ranking, indicator: support_rate, by: [municipality]}"),
            Self::HeatGrid => rule(1, (1, 2), true, "{kind: heat_grid, indicator: appeals, by: [category, status]}"),
            Self::TileMap => rule(1, (1, 1), false, "{kind: tile_map, indicator: support_rate, by: [municipality]}"),
            Self::Table => rule(12, (0, 2), true, "{kind: table, indicators: [appeals, support_rate], by: [agency]}"),
            Self::PlanFact => Rule {
                measures: &["plan", "fact"],
                ..rule(1, (0, 0), true, "{kind: plan_fact, indicator: kpi_value, where: {kpi: [\"1.1\"]}}")
            },
            Self::Milestones => {
                rule(2, (1, 2), false, "{kind: milestones, indicators: [milestones, milestone_slip], by: [milestone]}")
            }
        }
    }
}

impl fmt::Display for WidgetKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// The period that a figure is compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// No comparison.
    #[default]
    None,
    /// The same days one year earlier.
    YearBefore,
    /// The period of the same length right before.
    Previous,
}

/// The order in which the values of a dimension stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Best first, by the direction of the indicator; largest first where it has none.
    Best,
    /// Worst first.
    Worst,
    /// Largest first.
    Largest,
    /// Smallest first.
    Smallest,
    /// By name.
    Name,
    /// As the code list has them.
    List,
}
