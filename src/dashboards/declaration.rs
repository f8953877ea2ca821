//! `dashboards/*.yaml`: a title, a question, filters and widgets that name indicators, never SQL.

use chrono::{Months, NaiveDate};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::coverage::RawCoverage;
use super::kind::{Compare, Sort, WidgetKind};
use crate::declarations::Spanned;
use crate::domain::language::Text;
use crate::domain::period::{Grain, Period};
use crate::indicators::CoverageRule;

/// Folder of the declarations in a project.
pub const DASHBOARDS_FOLDER: &str = "dashboards";

/// Codes by dimension, as written.
pub(super) type RawCodes = IndexMap<String, Spanned<Vec<Spanned<String>>>>;

/// A dashboard as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDashboard {
    /// Id, the name of the file without its ending; part of the URL.
    pub(super) dashboard: Spanned<String>,
    /// Place in the menu, smallest first; the first is the home page.
    #[serde(default)]
    pub(super) order: u32,
    /// Name in the menu and at the top of the page.
    pub(super) title: Text,
    /// The question that the page answers, its first line.
    pub(super) question: Text,
    /// Dimensions that the reader may filter by.
    #[serde(default)]
    pub(super) filters: Vec<Spanned<String>>,
    /// The period that is shown before the reader picks one; the last 12 months with data if not said.
    pub(super) period: Option<Spanned<RawPeriod>>,
    /// What says whether the figures are complete; it stands beside their freshness.
    pub(super) coverage: Option<RawCoverage>,
    /// The widgets, in reading order.
    pub(super) widgets: Vec<RawWidget>,
}

/// A default period as written: `last_months`, or `year_to_date`, or `from` and `to`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPeriod {
    /// So many months back from the last month with data, that one included.
    pub(super) last_months: Option<u32>,
    /// `true`: from January to the last month with data.
    pub(super) year_to_date: Option<bool>,
    /// First point: `2024`, `2024-Q2`, `2024-03` or `2024-03-15`.
    pub(super) from: Option<String>,
    /// Last point, itself included.
    pub(super) to: Option<String>,
}

/// A widget as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWidget {
    /// Id, unique in the dashboard; part of the URL.
    pub(super) id: Spanned<String>,
    /// How the figures are shown.
    #[schemars(with = "WidgetKind")]
    pub(super) kind: Spanned<String>,
    /// The indicator shown. Give this or `indicators`.
    pub(super) indicator: Option<Spanned<String>>,
    /// The indicators shown together. Give this or `indicator`.
    pub(super) indicators: Option<Vec<Spanned<String>>>,
    /// Dimensions to cut by.
    #[serde(default)]
    pub(super) by: Vec<Spanned<String>>,
    /// Length of a bucket of time: day, week, month, quarter or year.
    pub(super) grain: Option<Spanned<Grain>>,
    /// Only these codes of these dimensions, whatever the reader filters by.
    #[serde(default, rename = "where")]
    pub(super) only: RawCodes,
    /// A period of this widget alone, whatever the reader picks.
    pub(super) period: Option<Spanned<RawPeriod>>,
    /// What to compare with; tiles compare with the year before if not said.
    pub(super) compare: Option<Compare>,
    /// Order of the values of the dimension.
    pub(super) sort: Option<Sort>,
    /// Show at most so many values of the dimension.
    pub(super) limit: Option<Spanned<u32>>,
    /// Columns of the page's twelve that the widget takes.
    pub(super) columns: Option<Spanned<u32>>,
    /// Title; that of the indicator if not said.
    pub(super) title: Option<Text>,
    /// One sentence under the figures.
    pub(super) note: Option<Text>,
}

/// The period that is shown before the reader picks one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultPeriod {
    /// So many months back from the last month with data, that one included.
    LastMonths(u32),
    /// From January to the last month with data.
    YearToDate,
    /// Always the same days.
    Fixed(Period),
}

impl DefaultPeriod {
    /// The days of the period, seen from the last day with data.
    #[must_use]
    pub fn days(self, last_event_on: Option<NaiveDate>, today: NaiveDate) -> Period {
        match self {
            Self::Fixed(period) => period,
            Self::LastMonths(n_months) => {
                let to = Grain::Month.end(last_event_on.unwrap_or(today));
                let first = Grain::Month.start(to);
                let back = Months::new(n_months.saturating_sub(1));
                Period { from: first.checked_sub_months(back).unwrap_or(first), to }
            }
            Self::YearToDate => {
                let last = last_event_on.unwrap_or(today);
                Period { from: Grain::Year.start(last), to: Grain::Month.end(last) }
            }
        }
    }
}

/// A dashboard whose every name is known to exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    /// Id, part of the URL.
    pub id: String,
    /// Place in the menu.
    pub order: u32,
    /// Name in the menu and at the top of the page.
    pub title: Text,
    /// The question that the page answers.
    pub question: Text,
    /// Dimensions that the reader may filter by.
    pub filters: Vec<String>,
    /// The period that is shown before the reader picks one.
    pub period: DefaultPeriod,
    /// What says whether the figures are complete.
    pub coverage: Option<CoverageRule>,
    /// The widgets, in reading order.
    pub widgets: Vec<Widget>,
}

impl Dashboard {
    /// The widget with this id.
    #[must_use]
    pub fn widget(&self, id: &str) -> Option<&Widget> {
        self.widgets.iter().find(|widget| widget.id == id)
    }
}

/// A widget whose every name is known to exist and whose shape fits its kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Widget {
    /// Id, unique in the dashboard.
    pub id: String,
    /// How the figures are shown.
    pub kind: WidgetKind,
    /// The indicators shown, at least one.
    pub indicators: Vec<String>,
    /// Dimensions to cut by.
    pub by: Vec<String>,
    /// Length of a bucket, where the declaration says.
    pub grain: Option<Grain>,
    /// Only these codes of these dimensions.
    pub only: IndexMap<String, Vec<String>>,
    /// A period of this widget alone, whatever the reader picks.
    pub period: Option<DefaultPeriod>,
    /// What to compare with.
    pub compare: Compare,
    /// Order of the values of the dimension.
    pub sort: Option<Sort>,
    /// Show at most so many values of the dimension.
    pub limit: Option<usize>,
    /// Columns of the page's twelve.
    pub columns: u8,
    /// Title, where the declaration says.
    pub title: Option<Text>,
    /// One sentence under the figures.
    pub note: Option<Text>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_months_end_with_the_month_of_the_last_event() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        let days = DefaultPeriod::LastMonths(12).days(Some(date("2024-11-21")), date("2026-01-01"));
        assert_eq!(days, Period::parse("2023-12", "2024-11").unwrap());
        let year = DefaultPeriod::YearToDate.days(Some(date("2024-11-21")), date("2026-01-01"));
        assert_eq!(year, Period::parse("2024-01", "2024-11").unwrap());
        let without_data = DefaultPeriod::LastMonths(1).days(None, date("2024-02-10"));
        assert_eq!(without_data, Period::parse("2024-02", "2024-02").unwrap());
    }
}
