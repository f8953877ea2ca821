//! From the values of windows to the rows of an answer: changes, running totals, rolling windows, shares.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::figures::{Compared, FigureRow, WindowFigure};
use super::fill::{Keys, Value};
use super::query::Query;
use super::windows::{Frame, FrameRow, Note, Spot};
use crate::domain::calendar::WorkingCalendar;
use crate::domain::figure::{Figure, State};
use crate::domain::period::Period;

/// What the rows are made of.
pub(super) struct Rows<'a> {
    pub(super) query: &'a Query,
    pub(super) frame: &'a Frame,
    pub(super) calendar: &'a WorkingCalendar,
    /// First day of the month in which the data begin, where that is known: what lies before is unknown and not zero.
    pub(super) data_from: Option<NaiveDate>,
}

impl Rows<'_> {
    /// All rows, from the values of all windows of each key.
    pub(super) fn make(&self, keys: Vec<Keys>, values: &[Value]) -> Vec<FigureRow> {
        let mut rows = Vec::with_capacity(keys.len() * self.frame.rows.len());
        for (key, values) in keys.into_iter().zip(values.chunks(self.frame.windows.len())) {
            rows.extend(self.frame.rows.iter().map(|row| self.row(key.clone(), row, values)));
        }
        if self.query.share {
            add_shares(&mut rows);
        }
        rows
    }

    fn row(&self, keys: Keys, row: &FrameRow, values: &[Value]) -> FigureRow {
        let own = &values[row.own.window];
        let days = row
            .to_date
            .map_or_else(|| self.window(row.own.window), |day| Period { to: day, ..self.window(row.own.window) });
        let working_days = self.calendar.n_working_days(days);
        let window_figure = |spot: &Spot, is_whole: bool| WindowFigure {
            period: self.window(spot.window),
            figure: if is_whole { self.known(spot.window, values) } else { values[spot.window].figure },
            compared: self.compared(spot, values, is_whole),
        };
        FigureRow {
            keys,
            bucket: row.bucket,
            figure: own.figure,
            measures: own.measures.clone(),
            working_days,
            per_working_day: self.per_working_day(own.figure, working_days),
            share: None,
            to_date: row.to_date,
            coverage: None,
            compared: self.compared(&row.own, values, false),
            cumulative: row.cumulative.as_ref().map(|spot| window_figure(spot, false)),
            rolling: row.rolling.as_ref().map(|spot| window_figure(spot, true)),
        }
    }

    /// What a window is compared with; `is_whole` if the data have to reach all over the window itself as well.
    fn compared(&self, spot: &Spot, values: &[Value], is_whole: bool) -> Vec<Compared> {
        let now = |window: usize| if is_whole { self.known(window, values) } else { values[window].figure };
        let now = spot.covered.and_then(|window| now(window).value);
        let compared = spot.earlier.iter().map(|earlier| {
            let Some(window) = earlier.window else {
                let state = if earlier.note == Some(Note::NotBegun) { State::NotDue } else { State::Missing };
                return Compared {
                    against: earlier.against,
                    period: None,
                    figure: Figure::without(state),
                    change: None,
                    change_percent: None,
                    working_days: None,
                    per_working_day: None,
                    note: earlier.note,
                };
            };
            let figure = self.known(window, values);
            let both = now.zip(figure.value);
            let working_days = self.calendar.n_working_days(self.window(window));
            let is_before = self.is_before_data(window);
            Compared {
                against: earlier.against,
                period: Some(self.window(window)),
                figure,
                change: both.map(|(now, before)| now - before),
                change_percent: both
                    .filter(|(_, before)| *before != 0.0)
                    .map(|(now, before)| (now - before) * 100.0 / before.abs()),
                working_days,
                per_working_day: self.per_working_day(figure, working_days),
                note: if is_before { Some(Note::BeforeData) } else { earlier.note },
            }
        });
        compared.collect()
    }

    fn window(&self, number: usize) -> Period {
        self.frame.windows[number]
    }

    fn is_before_data(&self, number: usize) -> bool {
        self.data_from.is_some_and(|data_from| self.window(number).from < data_from)
    }

    /// The value of a window that the data have to reach all over.
    fn known(&self, number: usize, values: &[Value]) -> Figure {
        let figure = values[number].figure;
        if figure.state.has_value() && self.is_before_data(number) { Figure::without(State::Missing) } else { figure }
    }

    fn per_working_day(&self, figure: Figure, working_days: Option<u32>) -> Option<f64> {
        let days = working_days.filter(|days| *days > 0 && self.query.per_working_day)?;
        figure.value.map(|value| value / f64::from(days))
    }
}

/// The share of each row in the sum of its bucket.
fn add_shares(rows: &mut [FigureRow]) {
    let mut sums: HashMap<Option<NaiveDate>, f64> = HashMap::new();
    for row in rows.iter() {
        *sums.entry(row.bucket).or_default() += row.figure.value.unwrap_or_default();
    }
    for row in rows {
        let sum = sums.get(&row.bucket).copied().filter(|sum| *sum != 0.0);
        row.share = row.figure.value.zip(sum).map(|(value, sum)| value * 100.0 / sum);
    }
}
