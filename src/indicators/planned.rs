//! Plans: what an act says a figure should be, by indicator, period and territory.
//!
//! An act is a pair of files, `warehouse/plans/NAME.yaml` and `NAME.csv`; a later act changes a plan by a pair of its own, so
//! that no plan is ever overwritten. Of a cell the **initial** plan is that of the earliest act that names it, the **current** one that of
//! the latest act whose day has come.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use chrono::NaiveDate;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::exact::Exact;
use super::figures::{FigureRow, Figures};
use super::indicator::{Additivity, Indicator};
use crate::declarations::{Problems, Source, Spanned, list_files};
use crate::domain::language::Text;
use crate::domain::period::{Grain, Period};
use crate::warehouse::reference::Reference;

mod table;

/// Folder of the plans inside a project.
pub const PLANS_FOLDER: &str = "warehouse/plans";

/// One act with a plan, as written in `warehouse/plans/NAME.yaml`; the numbers stand in `NAME.csv`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPlan {
    /// Name of the plan, which is also the name of the file.
    pub plan: Spanned<String>,
    /// Name for people.
    pub title: Spanned<Text>,
    /// The act that sets the plan.
    pub act: Spanned<Text>,
    /// Day of the act, from which on the plan is the current one.
    pub act_on: Spanned<NaiveDate>,
}

/// An act that sets a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanAct {
    /// Name of its file.
    pub name: String,
    /// Name of the plan for people.
    pub title: Text,
    /// The act.
    pub act: Text,
    /// Day of the act.
    pub act_on: NaiveDate,
}

/// Which version of a plan is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanVersion {
    /// As it was first set.
    Initial,
    /// As it is set today.
    Current,
    /// As it was set on a day.
    On(NaiveDate),
}

impl FromStr for PlanVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "initial" => Ok(Self::Initial),
            "current" => Ok(Self::Current),
            day => day.parse().map(Self::On).map_err(|_| {
                format!("`{day}` is no version of a plan, expected `initial`, `current` or a day, 2024-03-15")
            }),
        }
    }
}

/// A planned value and the act that sets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The value, in the unit of the indicator.
    pub value: f64,
    /// The act; of a value that is put together from several cells the latest.
    pub act: Arc<PlanAct>,
}

/// What one number of a plan is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Cell {
    indicator: String,
    /// Codes by dimension.
    codes: BTreeMap<String, String>,
    period: Period,
}

/// All plans of a project.
#[derive(Debug, Clone, Default)]
pub struct Plans {
    acts: Vec<Arc<PlanAct>>,
    /// The versions of each cell, oldest first.
    cells: HashMap<Cell, Vec<Planned>>,
}

impl Plans {
    /// Reads every plan in [`PLANS_FOLDER`] and checks it against the indicators.
    ///
    /// # Errors
    /// Every problem of every plan.
    pub(super) fn load(
        project: &Path,
        indicators: &IndexMap<String, Arc<Indicator>>,
        reference: &Reference,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let mut read = Vec::new();
        for path in list_files(project, PLANS_FOLDER, ".yaml")? {
            let act = problems.keep(Source::read(project, &path).and_then(|source| read_act(&source)));
            let numbers = problems.keep(Source::read(project, &path.with_extension("csv")));
            if let Some((act, numbers)) = act.zip(numbers)
                && let Some(cells) = problems.keep(table::read(&numbers, indicators, reference))
            {
                read.push((Arc::new(act), numbers, cells));
            }
        }
        read.sort_by(|(one, ..), (other, ..)| (one.act_on, &one.name).cmp(&(other.act_on, &other.name)));
        let mut plans = Self::default();
        for (act, numbers, cells) in read {
            for (line, cell, value) in cells {
                let versions = plans.cells.entry(cell).or_default();
                if let Some(rival) = versions.last().filter(|last| last.act.act_on == act.act_on) {
                    let message = if rival.act.name == act.name {
                        "the plan of this indicator, period and place stands twice".to_owned()
                    } else {
                        format!("the act `{}` of the same day sets this plan as well", rival.act.name)
                    };
                    problems.push(numbers.problem_at(line, 1, usize::MAX, message));
                }
                versions.push(Planned { value, act: Arc::clone(&act) });
            }
            plans.acts.push(act);
        }
        problems.into_result(plans)
    }

    /// The acts, oldest first.
    pub fn acts(&self) -> impl Iterator<Item = &PlanAct> {
        self.acts.iter().map(AsRef::as_ref)
    }

    /// Whether anything is planned for an indicator.
    #[must_use]
    pub fn has(&self, indicator: &str) -> bool {
        self.cells.keys().any(|cell| cell.indicator == indicator)
    }

    /// The plan of a row of figures.
    ///
    /// It is the plan of the row's own codes – those it is cut by, and those that a filter fixes to one value – and of its own days: the
    /// bucket, or the period as a whole. Where no number is of just these days, the plans of shorter periods that make them up without a
    /// gap are put together: flows by their sum, stocks and last values by the one at the end. Plans of places are never added.
    #[must_use]
    pub fn of(
        &self,
        indicator: &Indicator,
        figures: &Figures,
        row: &FigureRow,
        version: PlanVersion,
    ) -> Option<Planned> {
        let mut codes = BTreeMap::new();
        for (dimension, values) in &figures.basis.filters {
            match values.as_slice() {
                [one] => codes.insert(dimension.clone(), one.clone()),
                // Of several values at once nothing is planned, unless the row is of one of them.
                _ if figures.dimensions.contains(dimension) => None,
                _ => return None,
            };
        }
        for (dimension, code) in figures.dimensions.iter().zip(&row.keys) {
            codes.insert(dimension.clone(), code.clone()?);
        }
        let period = match (figures.grain, row.bucket) {
            (Some(grain), Some(from)) => Period { from, to: grain.end(from) },
            _ => figures.basis.period?,
        };
        let cell = Cell { indicator: indicator.id().to_owned(), codes, period };
        let today = figures.today;
        self.value(&cell, version, today).or_else(|| self.put_together(indicator, &cell, version, today))
    }

    fn value(&self, cell: &Cell, version: PlanVersion, today: NaiveDate) -> Option<Planned> {
        let versions = self.cells.get(cell)?;
        let until = |day: NaiveDate| versions.iter().rev().find(|one| one.act.act_on <= day);
        match version {
            PlanVersion::Initial => versions.first(),
            PlanVersion::Current => until(today),
            PlanVersion::On(day) => until(day),
        }
        .cloned()
    }

    /// The plan of a period out of those of the shorter periods that make it up, the longest that do.
    fn put_together(
        &self,
        indicator: &Indicator,
        whole: &Cell,
        version: PlanVersion,
        today: NaiveDate,
    ) -> Option<Planned> {
        let period = whole.period;
        Grain::ALL.into_iter().rev().find_map(|grain| {
            let is_whole = grain.start(period.from) == period.from && grain.end(period.to) == period.to;
            let buckets = if is_whole { period.buckets(grain) } else { Vec::new() };
            let of = |from: &NaiveDate| {
                let cell = Cell { period: Period { from: *from, to: grain.end(*from) }, ..whole.clone() };
                self.value(&cell, version, today)
            };
            match indicator.additivity() {
                Additivity::Flow => {
                    let parts = buckets.iter().map(of).collect::<Option<Vec<_>>>().filter(|parts| !parts.is_empty())?;
                    let value = parts.iter().map(|part| Exact::nearest(part.value)).sum::<Exact>().number();
                    let latest = parts.iter().map(|part| &part.act).max_by_key(|act| act.act_on)?;
                    Some(Planned { value, act: Arc::clone(latest) })
                }
                Additivity::Stock | Additivity::Last => buckets.last().and_then(of),
                Additivity::Distinct | Additivity::Average | Additivity::Extreme | Additivity::Ratio => None,
            }
        })
    }
}

fn read_act(source: &Source) -> Result<PlanAct, Problems> {
    let raw: RawPlan = source.parse()?;
    let mut problems = Problems::new();
    let stem = source.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if raw.plan.value != stem {
        let problem = source.problem(&raw.plan, format!("the plan `{}` is not named as its file", raw.plan.value));
        problems.push(problem.help(format!("the file should be `{}.yaml`", raw.plan.value)));
    }
    for (name, text) in [("title", &raw.title), ("act", &raw.act)] {
        if text.ru.trim().is_empty() || text.en.trim().is_empty() {
            problems.push(source.problem(text, format!("`{name}` is empty")));
        }
    }
    let RawPlan { plan, title, act, act_on } = raw;
    problems.into_result(PlanAct { name: plan.value, title: title.value, act: act.value, act_on: act_on.value })
}

impl Figures {
    /// Whether the days of a row are over.
    #[must_use]
    pub fn is_over(&self, row: &FigureRow) -> bool {
        let end = self.grain.zip(row.bucket).map_or(self.period.to, |(grain, bucket)| grain.end(bucket));
        end < self.today
    }
}

/// The days of a point in time, `2024`, `2024-Q1`, `2024-03`, `2024-03-15`, or from one to another: `2024-01/2024-05`.
///
/// # Errors
/// A sentence, if it cannot be read or ends before it starts.
pub fn parse_period(text: &str) -> Result<Period, String> {
    let (from, to) = text.split_once('/').unwrap_or((text, text));
    Period::parse(from.trim(), to.trim())
}
