//! From a widget to its table: the twin of the chart on a page, and the content of files.

use super::chart::measure;
use super::kind::WidgetKind;
use super::widget::{Key, Light, Row, Series, WidgetData};
use crate::domain::figure::{Figure, State};
use crate::domain::period::Grain;
use crate::domain::table::{Cell, Table, TableColumn};

impl WidgetData {
    /// The figures as people read them: one table in the shape of the chart.
    #[must_use]
    pub fn table(&self) -> Table {
        self.wide(false)
    }

    /// The same with a column of codes beside every name, for workbooks and CSV files.
    #[must_use]
    pub fn table_with_codes(&self) -> Table {
        self.wide(true)
    }

    /// One row per figure with every key, bucket, state and measure, for programs.
    #[must_use]
    pub fn tidy_table(&self) -> Table {
        let mut columns = vec![TableColumn::text("indicator", "indicator"), TableColumn::text("series", "series")];
        for dimension in &self.dimensions {
            columns.push(TableColumn::text(&dimension.name, &dimension.title));
            columns.push(TableColumn::text(format!("{}_name", dimension.name), &dimension.title));
        }
        columns.push(TableColumn::date("bucket", self.lang.pick("Период", "Period")));
        columns.push(TableColumn::number("value", &self.title, self.decimals, &self.unit.symbol));
        columns.push(TableColumn::text("state", self.lang.pick("Состояние", "State")));
        let mut names: Vec<&str> = self.measures.values().flatten().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        columns.extend(names.iter().map(|name| TableColumn::number(*name, *name, self.decimals, "")));
        let cells = |row: &Row| {
            let mut cells = vec![Cell::from(row.indicator.as_str()), Cell::from(row.series.code())];
            for at in 0..self.dimensions.len() {
                let key = row.keys.get(at);
                let code = key.and_then(|key| key.code.as_deref());
                cells.push(code.map_or(Cell::Empty, Cell::from));
                cells.push(key.map_or(Cell::Empty, |key| Cell::from(key.label.as_str())));
            }
            cells.push(row.bucket.map_or(Cell::Empty, Cell::from));
            cells.push(row.figure().into());
            cells.push(state_code(row.state).into());
            let measure =
                |name: &&str| row.measures.get(*name).map_or(Cell::Empty, |value| Figure::from(*value).into());
            cells.extend(names.iter().map(measure));
            cells
        };
        Table { columns, rows: self.rows.iter().map(cells).collect(), ..self.empty_table() }
    }

    fn empty_table(&self) -> Table {
        Table { title: self.headline.clone(), subtitle: self.subtitle.clone(), columns: Vec::new(), rows: Vec::new() }
    }

    fn wide(&self, with_codes: bool) -> Table {
        match self.kind {
            WidgetKind::Tile | WidgetKind::Line => self.over_time(),
            WidgetKind::Bar if self.dimensions.is_empty() => self.over_time(),
            WidgetKind::StackedBar if self.grain.is_some() => self.over_time(),
            WidgetKind::StackedBar | WidgetKind::HeatGrid => self.crossed(with_codes),
            WidgetKind::Bar | WidgetKind::Ranking | WidgetKind::TileMap | WidgetKind::Table => self.by_keys(with_codes),
            WidgetKind::PlanFact => self.plan_and_fact(),
            WidgetKind::Milestones => self.control_points(),
        }
    }

    fn number(&self, name: impl Into<String>, title: impl Into<String>) -> TableColumn {
        TableColumn::number(name, title, self.decimals, &self.unit.symbol)
    }

    /// The column of the buckets and its cells.
    fn time_axis(&self) -> (TableColumn, Vec<Cell>) {
        let title = self.lang.pick("Период", "Period");
        let buckets = self.buckets().into_iter();
        match self.grain {
            Some(Grain::Month) => {
                (TableColumn::month("month", self.lang.pick("Месяц", "Month")), buckets.map(Cell::from).collect())
            }
            Some(grain @ (Grain::Quarter | Grain::HalfYear | Grain::Year)) => {
                (TableColumn::text("period", title), buckets.map(|day| grain.label(day, self.lang).into()).collect())
            }
            _ => (TableColumn::date("day", title), buckets.map(Cell::from).collect()),
        }
    }

    /// Buckets down, series across.
    fn over_time(&self) -> Table {
        let (axis, buckets) = self.time_axis();
        let series = self.series();
        let is_single = series.iter().filter(|(_, series, _)| *series == Series::Fact).count() == 1;
        let mut columns = vec![axis];
        for (at, (name, kind, _)) in series.iter().enumerate() {
            let title = if is_single && *kind == Series::Fact { self.title.clone() } else { name.clone() };
            columns.push(self.number(format!("{}_{}", kind.code(), at + 1), title));
        }
        let cells = |(at, bucket): (usize, Cell)| {
            let figures = series.iter().map(|(.., points)| Cell::from(points[at]));
            std::iter::once(bucket).chain(figures).collect()
        };
        Table { columns, rows: buckets.into_iter().enumerate().map(cells).collect(), ..self.empty_table() }
    }

    /// One dimension down, the other, or time, across.
    fn crossed(&self, with_codes: bool) -> Table {
        let (rows, heads, cells) = self.grid();
        let mut columns = self.key_columns(1, with_codes);
        columns.extend(
            heads.iter().zip(1..).map(|(head, at)| self.number(format!("column_{at}"), head.replace('\n', " "))),
        );
        let line = |(key, figures): (Key, Vec<Figure>)| {
            let code = with_codes.then(|| key.code.map_or(Cell::Empty, Cell::from));
            code.into_iter().chain([Cell::from(key.label)]).chain(figures.into_iter().map(Cell::from)).collect()
        };
        Table { columns, rows: rows.into_iter().zip(cells).map(line).collect(), ..self.empty_table() }
    }

    fn key_columns(&self, n_dimensions: usize, with_codes: bool) -> Vec<TableColumn> {
        let mut columns = Vec::new();
        for dimension in self.dimensions.iter().take(n_dimensions) {
            if with_codes {
                let title = format!("{}, {}", dimension.title, self.lang.pick("код", "code"));
                columns.push(TableColumn::text(&dimension.name, title));
            }
            columns.push(TableColumn::text(format!("{}_name", dimension.name), &dimension.title));
        }
        columns
    }

    /// Keys and buckets down, indicators across; the whole as the last row.
    fn by_keys(&self, with_codes: bool) -> Table {
        let mut columns = self.key_columns(self.dimensions.len(), with_codes);
        let has_buckets = self.rows.iter().any(|row| row.bucket.is_some());
        if has_buckets {
            columns.push(self.time_axis().0);
        }
        let n_heads = columns.len();
        for passport in &self.indicators {
            let is_only = self.indicators.len() == 1;
            let title = if is_only { &self.title } else { &passport.title };
            columns.push(TableColumn::number(&passport.id, title, passport.decimals, &passport.unit.symbol));
        }
        let mut lines: Vec<(&Row, Vec<Cell>)> = Vec::new();
        for row in &self.rows {
            let Some(at) = self.indicators.iter().position(|passport| passport.id == row.indicator) else { continue };
            let same = |other: &Row| other.keys == row.keys && other.bucket == row.bucket && other.series == row.series;
            let line = lines.iter().position(|(other, _)| same(other)).unwrap_or_else(|| {
                let mut cells = self.head_cells(row, with_codes);
                if has_buckets {
                    cells.push(self.bucket_cell(row));
                }
                cells.resize(n_heads + self.indicators.len(), Figure::without(State::Missing).into());
                lines.push((row, cells));
                lines.len() - 1
            });
            lines[line].1[n_heads + at] = row.figure().into();
        }
        Table { columns, rows: lines.into_iter().map(|(_, cells)| cells).collect(), ..self.empty_table() }
    }

    fn bucket_cell(&self, row: &Row) -> Cell {
        match (row.bucket, self.grain) {
            (Some(day), Some(grain @ (Grain::Quarter | Grain::HalfYear | Grain::Year))) => {
                grain.label(day, self.lang).into()
            }
            (Some(day), _) => day.into(),
            (None, _) => Cell::Empty,
        }
    }

    fn head_cells(&self, row: &Row, with_codes: bool) -> Vec<Cell> {
        let mut cells = Vec::new();
        for at in 0..self.dimensions.len() {
            let key = row.keys.get(at);
            if with_codes {
                cells.push(key.and_then(|key| key.code.as_deref()).map_or(Cell::Empty, Cell::from));
            }
            let whole = if at == 0 { Cell::from(row.label.as_str()) } else { Cell::Empty };
            cells.push(key.map_or(whole, |key| Cell::from(key.label.as_str())));
        }
        cells
    }

    fn plan_and_fact(&self) -> Table {
        let (axis, buckets) = self.time_axis();
        let names = [("plan", "План", "Plan"), ("fact", "Факт", "Fact"), ("forecast", "Прогноз", "Forecast")];
        let is_known = |name: &str| self.measures.values().flatten().any(|measure| measure == name);
        let names: Vec<_> = names.into_iter().filter(|(name, ..)| is_known(name)).collect();
        let mut columns = vec![axis];
        columns.extend(names.iter().map(|(name, ru, en)| self.number(*name, self.lang.pick(ru, en))));
        let line = |(bucket, row): (Cell, &Row)| {
            let figures = names.iter().map(|(name, ..)| Cell::from(measure(row, name)));
            std::iter::once(bucket).chain(figures).collect()
        };
        Table { columns, rows: buckets.into_iter().zip(self.facts()).map(line).collect(), ..self.empty_table() }
    }

    fn control_points(&self) -> Table {
        let pick = |ru, en| self.lang.pick(ru, en);
        let columns = vec![
            TableColumn::text("code", pick("№", "No")),
            TableColumn::text("name", pick("Контрольная точка", "Control point")),
            TableColumn::date("planned_on", pick("План", "Plan")),
            TableColumn::date("actual_on", pick("Факт или прогноз", "Fact or forecast")),
            TableColumn::text("kind", pick("Дата – это", "The date is")),
            TableColumn::number("slip_days", pick("Отклонение", "Slip"), 0, pick("дн.", "days")),
            TableColumn::text("state", pick("Состояние", "State")),
        ];
        let line = |row: &Row| {
            let point = row.milestone.as_ref()?;
            let kind = if point.is_forecast { pick("прогноз", "forecast") } else { pick("факт", "fact") };
            Some(vec![
                Cell::from(point.code.as_str()),
                Cell::from(point.name.as_str()),
                Cell::from(point.planned_on),
                point.actual_on.map_or(Cell::Empty, Cell::from),
                point.actual_on.map_or(Cell::Empty, |_| Cell::from(kind)),
                Cell::from(row.figure()),
                Cell::from(format!("{}{}", light_sign(point.light), point.state)),
            ])
        };
        Table { columns, rows: self.facts().filter_map(line).collect(), ..self.empty_table() }
    }
}

impl Series {
    /// The word of the series in files.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Before => "before",
            Self::Total => "total",
        }
    }
}

/// The shape that says a light without its colour.
fn light_sign(light: Light) -> &'static str {
    match light {
        Light::Good => "● ",
        Light::Attention => "▲ ",
        Light::Bad => "■ ",
        Light::None => "",
    }
}

/// The word of a state in files for programs.
fn state_code(state: State) -> &'static str {
    match state {
        State::Value => "value",
        State::Provisional => "provisional",
        State::Missing => "missing",
        State::Suppressed => "suppressed",
        State::NotDue => "not_due",
        State::NotReported => "not_reported",
    }
}
