//! From a widget to the chart that draws it.

use chrono::{Datelike, Days, NaiveDate};

use super::judge::light_of;
use super::kind::WidgetKind;
use super::widget::{Key, Light, Row, Series, WidgetData};
use crate::charts::{
    Bar, BarChart, Chart, HeatGrid, LineChart, MilestoneMark, MilestonesChart, PlanFactChart, RankingChart, RankingRow,
    Role, Sparkline, StackedBarChart, Status, Tile, TileMap,
};
use crate::domain::figure::{Figure, State};
use crate::domain::number::short_month_name;
use crate::domain::period::Grain;

/// Share of the largest value under which the smallest makes the axis start at zero.
const FROM_ZERO_BELOW: f64 = 0.4;

impl WidgetData {
    /// The chart of the widget; none for a table, and none where there is nothing to draw.
    #[must_use]
    pub fn chart(&self) -> Option<Chart> {
        if self.rows.is_empty() {
            return None;
        }
        let (unit, decimals) = (self.unit.symbol.clone(), self.decimals);
        Some(match self.kind {
            WidgetKind::Table => return None,
            WidgetKind::Tile => Chart::Sparkline(Sparkline { points: self.facts().map(Row::figure).collect() }),
            WidgetKind::Line => Chart::Line(self.line()),
            WidgetKind::Bar => Chart::Bar(BarChart { bars: self.bars(), unit, decimals }),
            WidgetKind::StackedBar => Chart::StackedBar(self.stacked_bar()),
            WidgetKind::Ranking => Chart::Ranking(self.ranking()),
            WidgetKind::HeatGrid => {
                let (keys, columns, cells) = self.grid();
                let rows = labels(keys);
                Chart::HeatGrid(HeatGrid { rows, columns, cells, unit, decimals, ..HeatGrid::default() })
            }
            WidgetKind::TileMap => Chart::TileMap(TileMap { tiles: self.tiles(), unit, decimals }),
            WidgetKind::PlanFact => Chart::PlanFact(self.plan_fact()),
            WidgetKind::Milestones => Chart::Milestones(self.milestones()?),
        })
    }

    /// The rows of the period itself.
    pub(super) fn facts(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.series == Series::Fact)
    }

    /// The buckets of the period.
    pub(super) fn buckets(&self) -> Vec<NaiveDate> {
        self.grain.map(|grain| self.period.buckets(grain)).unwrap_or_default()
    }

    /// Lines of figures over the buckets: by key, by indicator, or a single one; the earlier period last.
    pub(super) fn series(&self) -> Vec<(String, Series, Vec<Figure>)> {
        let buckets = self.buckets();
        let mut lines: Vec<(String, Series, Vec<Figure>)> = Vec::new();
        let mut ids: Vec<(Series, &str, Option<&str>)> = Vec::new();
        for row in self.rows.iter().filter(|row| row.series != Series::Total) {
            let code = row.keys.first().map(|key| key.code.as_deref().unwrap_or_default());
            let id = (row.series, row.indicator.as_str(), code);
            let at = ids.iter().position(|other| *other == id).unwrap_or_else(|| {
                ids.push(id);
                let nothing = Figure::without(State::Missing);
                lines.push((self.series_name(row), row.series, vec![nothing; buckets.len()]));
                lines.len() - 1
            });
            let place = row.bucket.and_then(|bucket| buckets.iter().position(|other| *other == bucket));
            if let Some(place) = place {
                lines[at].2[place] = row.figure();
            }
        }
        lines
    }

    /// What stands at the end of a line.
    fn series_name(&self, row: &Row) -> String {
        if let Some(key) = row.keys.first() {
            return key.label.clone();
        }
        if self.indicators.len() > 1 {
            let passport = self.indicators.iter().find(|passport| passport.id == row.indicator);
            return passport.map_or_else(String::new, |passport| passport.title.clone());
        }
        match (row.series, self.comparison.as_ref()) {
            (Series::Before, Some(comparison)) => comparison.to.label(self.lang),
            (Series::Before, None) => self.lang.pick("раньше", "before").to_owned(),
            _ => self.period_label.clone(),
        }
    }

    fn line(&self) -> LineChart {
        let lines = self.series();
        let n_subjects = lines.iter().filter(|(_, series, _)| *series == Series::Fact).count();
        let role = |at: usize, series: Series| match series {
            Series::Before => Role::Context,
            _ if n_subjects > 1 => Role::Category(at),
            _ => Role::Subject,
        };
        let known = || lines.iter().flat_map(|(.., points)| points).filter_map(|point| point.value);
        let largest = known().fold(0.0, f64::max);
        let from_zero = known().fold(f64::INFINITY, f64::min) < largest * FROM_ZERO_BELOW;
        let series = lines.iter().enumerate().map(|(at, (name, series, points))| crate::charts::Series {
            name: if n_subjects == 1 && *series == Series::Fact && lines.len() == 1 {
                String::new()
            } else {
                name.clone()
            },
            role: role(at, *series),
            points: points.clone(),
        });
        LineChart {
            buckets: self.axis_labels(),
            series: series.collect(),
            unit: self.unit.symbol.clone(),
            decimals: self.decimals,
            from_zero,
            ..LineChart::default()
        }
    }

    /// Labels of the time axis; the year on a second line, where it changes.
    fn axis_labels(&self) -> Vec<String> {
        let grain = self.grain.unwrap_or(Grain::Month);
        let mut year = None;
        let label = |bucket: NaiveDate| {
            let short = match grain {
                Grain::Day | Grain::Week => bucket.format("%d.%m").to_string(),
                Grain::Month => short_month_name(bucket, self.lang),
                Grain::Quarter | Grain::HalfYear => {
                    let whole = grain.label(bucket, self.lang);
                    whole.rsplit_once(' ').map_or_else(|| whole.clone(), |(quarter, _)| quarter.to_owned())
                }
                Grain::Year => return bucket.year().to_string(),
            };
            let changes = year.replace(bucket.year()) != Some(bucket.year());
            if changes { format!("{short}\n{}", bucket.year()) } else { short }
        };
        self.buckets().into_iter().map(label).collect()
    }

    fn bars(&self) -> Vec<Bar> {
        let bar = |label: String, row: &Row| Bar { label, figure: row.figure(), role: Role::Subject };
        if self.dimensions.is_empty() {
            self.axis_labels().into_iter().zip(self.facts()).map(|(label, row)| bar(label, row)).collect()
        } else {
            self.facts().map(|row| bar(row.label.clone(), row)).collect()
        }
    }

    fn stacked_bar(&self) -> StackedBarChart {
        let category = |(at, (name, points)): (usize, (String, Vec<Figure>))| crate::charts::Series {
            name,
            role: Role::Category(at),
            points,
        };
        let (labels, series) = if self.grain.is_some() {
            let lines = self.series().into_iter().map(|(name, _, points)| (name, points));
            (self.axis_labels(), lines.enumerate().map(category).collect())
        } else {
            let (rows, columns, cells) = self.grid();
            let column = |at: usize| cells.iter().map(|row| row[at]).collect::<Vec<_>>();
            let lines = columns.into_iter().enumerate().map(|(at, name)| (name, column(at)));
            (labels(rows), lines.enumerate().map(category).collect())
        };
        StackedBarChart { labels, series, unit: self.unit.symbol.clone(), decimals: self.decimals }
    }

    fn ranking(&self) -> RankingChart {
        let row = |row: &Row| RankingRow {
            label: row.label.clone(),
            figure: row.figure(),
            role: Role::Subject,
            status: row
                .value
                .zip(self.thresholds)
                .map_or(Status::None, |(value, thresholds)| light_of(value, thresholds, self.direction).into()),
            limits: None,
        };
        RankingChart {
            rows: self.facts().map(row).collect(),
            mean: self.total.as_ref().filter(|_| self.total_is_a_mean()).and_then(|total| total.value),
            mean_label: self.lang.pick("в целом", "overall").to_owned(),
            unit: self.unit.symbol.clone(),
            decimals: self.decimals,
        }
    }

    /// Whether the figure of the whole lies among the figures of its parts, not above them all.
    fn total_is_a_mean(&self) -> bool {
        let total = self.total.as_ref().and_then(|total| total.value);
        let largest = self.facts().filter_map(|row| row.value).fold(f64::NEG_INFINITY, f64::max);
        total.is_some_and(|total| total <= largest)
    }

    /// Names of rows and columns, and the figures between them.
    pub(super) fn grid(&self) -> (Vec<Key>, Vec<String>, Vec<Vec<Figure>>) {
        let mut rows: Vec<&Key> = Vec::new();
        let mut columns: Vec<&Key> = Vec::new();
        let buckets = self.buckets();
        let mut places: Vec<(usize, usize, Figure)> = Vec::new();
        for row in self.facts() {
            let Some(first) = row.keys.first() else { continue };
            let column = match (row.keys.get(1), row.bucket) {
                (Some(key), _) => place_of(&mut columns, key),
                (None, bucket) => buckets.iter().position(|other| Some(*other) == bucket).unwrap_or(0),
            };
            places.push((place_of(&mut rows, first), column, row.figure()));
        }
        let names: Vec<String> = match self.grain {
            Some(_) => self.axis_labels(),
            None => columns.iter().map(|key| key.label.clone()).collect(),
        };
        let mut cells = vec![vec![Figure::without(State::Missing); names.len()]; rows.len()];
        for (line, column, figure) in places {
            cells[line][column] = figure;
        }
        (rows.into_iter().cloned().collect(), names, cells)
    }

    fn tiles(&self) -> Vec<Tile> {
        let tile = |row: &Row| {
            let place = row.place.as_ref()?;
            let (label, name) = (place.label.clone(), row.label.clone());
            Some(Tile { label, name, column: place.column, row: place.row, figure: row.figure() })
        };
        self.facts().filter_map(tile).collect()
    }

    fn plan_fact(&self) -> PlanFactChart {
        let of_all = |name: &str| self.facts().map(|row| measure(row, name)).collect::<Vec<_>>();
        let has_forecast = self.facts().any(|row| row.measures.get("forecast").copied().flatten().is_some());
        PlanFactChart {
            buckets: self.axis_labels(),
            plan: of_all("plan"),
            fact: of_all("fact"),
            forecast: if has_forecast { of_all("forecast") } else { Vec::new() },
            unit: self.unit.symbol.clone(),
            decimals: self.decimals,
            step: true,
        }
    }

    fn milestones(&self) -> Option<MilestonesChart> {
        let points = || self.facts().filter_map(|row| row.milestone.as_ref());
        let days = || points().flat_map(|point| [Some(point.planned_on), point.actual_on]).flatten();
        let (first, last) = (days().min()?, days().max()?);
        let mark = |point: &super::widget::Milestone| MilestoneMark {
            code: point.code.clone(),
            label: point.name.clone(),
            planned: point.planned_on,
            actual: point.actual_on,
            is_forecast: point.is_forecast,
            status: point.light.into(),
            note: String::new(),
        };
        let to = Grain::Month.end(last);
        Some(MilestonesChart {
            from: Grain::Month.start(first),
            to: if to - last < chrono::Duration::days(5) { to + Days::new(15) } else { to },
            today: self.today,
            rows: points().map(mark).collect(),
        })
    }
}

fn labels(keys: Vec<Key>) -> Vec<String> {
    keys.into_iter().map(|key| key.label).collect()
}

/// Where a key stands among those seen so far; the end, if it is seen first.
fn place_of<'a>(keys: &mut Vec<&'a Key>, key: &'a Key) -> usize {
    keys.iter().position(|other| other.code == key.code).unwrap_or_else(|| {
        keys.push(key);
        keys.len() - 1
    })
}

/// One measure by bucket: what was planned, reported or expected.
pub(super) fn measure(row: &Row, name: &str) -> Figure {
    match (row.measures.get(name).copied().flatten(), row.state) {
        (Some(value), _) => Figure::new(value),
        (None, state) if name == "fact" && !state.has_value() => Figure::without(state),
        (None, _) => Figure::without(State::NotDue),
    }
}

impl From<Light> for Status {
    fn from(light: Light) -> Self {
        match light {
            Light::Good => Self::Good,
            Light::Attention => Self::Attention,
            Light::Bad => Self::Bad,
            Light::None => Self::None,
        }
    }
}
