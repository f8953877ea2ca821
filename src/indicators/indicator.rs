//! A checked indicator: every name in it exists, every expression has its type.

use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::declaration::{Direction, Thresholds};
use super::entity::Entity;
use crate::domain::figure::State;
use crate::domain::language::Text;

/// How values of an indicator go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Additivity {
    /// Adds up over time and over every dimension.
    Flow,
    /// State at the end of a bucket: adds up over dimensions, not over time.
    Stock,
    /// The latest value of a bucket: adds up over neither.
    Last,
    /// Counted anew at every level, because one value may stand in several groups.
    Distinct,
    /// Mean, median or percentile: computed anew from the rows at every level.
    Average,
    /// Least or greatest value.
    Extreme,
    /// Computed from its parts at every level, never from its own values.
    Ratio,
}

/// A checked indicator.
#[derive(Debug, Clone)]
pub struct Indicator {
    pub(super) id: String,
    /// Short hash of the declaration.
    pub(super) edition: String,
    pub(super) title: Text,
    pub(super) description: Text,
    pub(super) entity: Arc<Entity>,
    pub(super) time: String,
    /// The rows that the indicator is about.
    pub(super) condition: Option<Expr>,
    pub(super) measures: Vec<Measure>,
    pub(super) formula: Option<Formula>,
    /// Conditions over the measures under which a state stands in place of the value; the first that holds counts.
    pub(super) states: Vec<(State, Arc<dyn PhysicalExpr>)>,
    pub(super) additivity: Additivity,
    pub(super) unit: String,
    pub(super) decimals: usize,
    pub(super) direction: Direction,
    pub(super) requires: Vec<String>,
    pub(super) passport: Passport,
    pub(super) thresholds: Option<Thresholds>,
    pub(super) coverage: Option<CoverageRule>,
}

/// What tells how complete the values of an indicator are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageRule {
    /// The indicator that counts those who reported.
    pub indicator: String,
    /// Its measure that counts all who had to.
    pub of: String,
    /// Only these codes of these dimensions.
    pub only: IndexMap<String, Vec<String>>,
}

impl Indicator {
    /// Identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Edition: a short hash of the declaration, which changes with everything in it.
    #[must_use]
    pub fn edition(&self) -> &str {
        &self.edition
    }

    /// Short name for people.
    #[must_use]
    pub fn title(&self) -> &Text {
        &self.title
    }

    /// What the indicator says, in one sentence.
    #[must_use]
    pub fn description(&self) -> &Text {
        &self.description
    }

    /// What is counted.
    #[must_use]
    pub fn entity(&self) -> &Entity {
        &self.entity
    }

    /// DATE column that a period and a grain cut.
    #[must_use]
    pub fn time(&self) -> &str {
        &self.time
    }

    /// The measures, in the order of the declaration and of [`super::FigureRow::measures`].
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// The formula as written, where there is one.
    #[must_use]
    pub fn formula(&self) -> Option<&str> {
        self.formula.as_ref().map(|formula| formula.text.as_str())
    }

    /// How values go together.
    #[must_use]
    pub fn additivity(&self) -> Additivity {
        self.additivity
    }

    /// Code of the unit in OKEI.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Digits after the decimal point.
    #[must_use]
    pub fn decimals(&self) -> usize {
        self.decimals
    }

    /// Which way is better.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The measures that make the value.
    pub(super) fn used_measures(&self) -> impl Iterator<Item = &Measure> + Clone {
        let uses = self.formula.as_ref().map(|formula| formula.uses.as_slice());
        let is_used = move |at: &usize| uses.is_none_or(|uses| uses.contains(at));
        self.measures.iter().enumerate().filter(move |(at, _)| is_used(at)).map(|(_, measure)| measure)
    }

    /// Dimensions that a query must cut by or fix.
    #[must_use]
    pub fn requires(&self) -> &[String] {
        &self.requires
    }

    /// Where the values come from and who answers for them.
    #[must_use]
    pub fn passport(&self) -> &Passport {
        &self.passport
    }

    /// Values at which the traffic light changes.
    #[must_use]
    pub fn thresholds(&self) -> Option<Thresholds> {
        self.thresholds
    }
}

/// Where the values come from and who answers for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passport {
    /// How a value is computed, in words.
    pub method: Text,
    /// The register or system that the data come from.
    pub source: Text,
    /// The body that answers for the values.
    pub owner: Text,
    /// How often the values change.
    pub periodicity: Text,
    /// The legal act that prescribes the indicator, where there is one.
    pub act: Option<Text>,
    /// Why it is watched.
    pub rationale: Option<Text>,
    /// Code of the list [`LEVELS`].
    pub level: Option<String>,
    /// Code of the list [`VALUE_TYPES`].
    pub value_type: Option<String>,
    /// What stands above the line of a share.
    pub numerator: Option<Text>,
    /// What stands under the line of a share.
    pub denominator: Option<Text>,
    /// Code of the list [`REGISTERS`].
    pub register: Option<String>,
    /// Value before the work on it began.
    pub base: Option<Text>,
    /// What a reader must know.
    pub caveats: Option<Text>,
    /// First day for which the definition holds.
    pub valid_from: Option<NaiveDate>,
    /// Last day for which it holds.
    pub valid_to: Option<NaiveDate>,
    /// What changed, the newest first.
    pub changes: Vec<Text>,
}

/// Code list of the levels at which indicators are prescribed.
pub const LEVELS: &str = "indicator_levels";
/// Code list of what values are.
pub const VALUE_TYPES: &str = "value_types";
/// Code list of the registers behind indicators, with what holds for all figures of a register.
pub const REGISTERS: &str = "indicator_registers";

/// One measure of an indicator.
#[derive(Debug, Clone)]
pub struct Measure {
    pub(super) name: String,
    pub(super) way: Way,
    pub(super) condition: Option<Expr>,
}

impl Measure {
    /// Name of the measure.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How values of the measure go together.
    #[must_use]
    pub fn additivity(&self) -> Additivity {
        match self.way {
            Way::Count | Way::Sum { .. } => Additivity::Flow,
            Way::Distinct(_) => Additivity::Distinct,
            Way::Mean { .. } | Way::Median(_) | Way::Percentile { .. } => Additivity::Average,
            Way::Min(_) | Way::Max(_) => Additivity::Extreme,
            Way::Last(_) => Additivity::Last,
            Way::Stock { .. } => Additivity::Stock,
        }
    }

    /// Whether the measure is computed from openings and closings.
    pub(super) fn is_stock(&self) -> bool {
        matches!(self.way, Way::Stock { .. })
    }

    /// Whether the value of a group can be made of the values of its parts; if not, only its rows will do.
    pub(super) fn has_parts(&self) -> bool {
        !matches!(self.way, Way::Distinct(_) | Way::Median(_) | Way::Percentile { .. })
    }

    /// The value of a bucket without rows: nothing happened, or nothing is known.
    pub(super) fn empty(&self) -> Option<f64> {
        matches!(self.additivity(), Additivity::Flow | Additivity::Distinct).then_some(0.0)
    }
}

/// How rows are put together.
#[derive(Debug, Clone)]
pub(super) enum Way {
    Count,
    Sum { value: Expr, is_whole: bool },
    Distinct(Expr),
    Mean { value: Expr, is_whole: bool },
    Median(Expr),
    Percentile { value: Expr, at: f64 },
    Min(Expr),
    Max(Expr),
    Last(Expr),
    Stock { from: String, until: String },
}

/// How the value follows from the measures.
#[derive(Debug, Clone)]
pub(super) struct Formula {
    pub(super) text: String,
    pub(super) expr: Arc<dyn PhysicalExpr>,
    /// Positions of the measures that it uses.
    pub(super) uses: Vec<usize>,
}
