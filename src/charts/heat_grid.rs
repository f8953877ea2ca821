//! A grid of numbers on coloured cells.

use super::axis::{bucket_name, draw_buckets};
use super::bar::rows_height;
use super::canvas::{Anchor, Area, Canvas, TextStyle};
use super::font::{Weight, words};
use super::rows::{Rows, draw_name, names_width};
use super::scale::Numbers;
use super::series::{absent_sign, count};
use super::steps::{Steps, state_words};
use super::theme::Colour;
use crate::domain::figure::{Figure, State};

/// Rows by columns; the colour of a cell grows with its number.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeatGrid {
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns; of buckets as in a line chart.
    pub columns: Vec<String>,
    /// A figure per row and column.
    pub cells: Vec<Vec<Figure>>,
    /// Symbol of the unit.
    pub unit: String,
    /// Decimals of the values.
    pub decimals: usize,
    /// Positions of columns where more is worse; they are drawn in the colour of alarm.
    pub alarm_columns: Vec<usize>,
}

/// The pale steps of alarm: a full red would shout over the blue.
const N_ALARM_STEPS: usize = 4;

/// Cells narrower than this have their text in the middle.
const NARROW: f64 = 44.0;

/// Height of the key under cells without numbers.
const KEY_HEIGHT: f64 = 24.0;

/// Edges of the columns, and whether their names are labels of a time axis because words do not fit.
struct Columns {
    edges: Vec<f64>,
    are_buckets: bool,
    padding: f64,
    top: f64,
}

impl Columns {
    fn span(&self, column: usize) -> (f64, f64) {
        (self.edges[column], self.edges[column + 1])
    }

    fn narrowest(&self) -> f64 {
        self.edges.windows(2).map(|edges| edges[1] - edges[0]).fold(f64::INFINITY, f64::min)
    }

    /// Whether text stands in the middle of the columns because they are too narrow for an edge.
    fn are_narrow(&self) -> bool {
        self.narrowest() < NARROW
    }
}

impl HeatGrid {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        let has_state = self.cells.iter().flatten().any(|figure| figure.value.is_some());
        if !has_state || self.columns.is_empty() {
            return canvas.say_empty();
        }
        let bounds = canvas.bounds;
        let numbers = Numbers::of_values(self.cells.iter().flatten(), self.decimals, &self.unit, canvas.lang);
        let names = names_width(canvas, self.rows.iter().map(String::as_str), 0.36);
        let columns = self.lay_out(canvas, bounds.left + names + 12.0, &numbers);
        let (numbers, size) = self.cell_text(canvas, &numbers, columns.narrowest());
        let foot = if size > 0.0 { 0.0 } else { KEY_HEIGHT };
        let body = Area { top: columns.top, bottom: bounds.bottom - foot, ..bounds };
        let rows = Rows::new(body, self.rows.len(), 20.0, 36.0);
        self.draw_columns(canvas, &columns);
        let anchor = if columns.are_narrow() { Anchor::Middle } else { Anchor::End };
        let blue = Steps::over(self.values(false));
        let red = Steps::over(self.values(true));
        let full = Numbers::of_values(self.cells.iter().flatten(), self.decimals, &self.unit, canvas.lang);
        for (row, name) in self.rows.iter().enumerate().take(rows.n_shown) {
            draw_name(canvas, name, (bounds.left, rows.middle(row)), names, rows, Anchor::Start);
            for column in 0..self.columns.len() {
                let (left, right) = columns.span(column);
                let y = rows.top + rows.height * count(row);
                let cell = Area::new(left + 1.0, y + 1.0, right - 1.0, y + rows.height - 1.0);
                let figure = self.cell(row, column);
                let steps = if self.alarm_columns.contains(&column) { red } else { blue };
                let ground = figure.value.zip(steps).map(|(value, steps)| self.ground(canvas, column, steps, value));
                let value = figure.value.map_or_else(|| state_words(canvas, figure.state), |value| full.full(value));
                let hint = format!("{name} · {} · {value}", bucket_name(&self.columns[column]));
                draw_cell(canvas, cell, (figure, ground), (&numbers, size), anchor, &hint);
            }
        }
        rows.draw_rest(canvas, bounds.left, Anchor::Start);
        if let Some(steps) = blue.filter(|_| size == 0.0) {
            let has_unreported = self.cells.iter().flatten().any(|figure| figure.state == State::NotReported);
            steps.draw_key(canvas, rows.bottom() + 8.0, &full, has_unreported);
        }
    }

    /// Height of all rows and the names of the columns.
    pub(super) fn height(&self) -> u32 {
        rows_height(
            self.rows.len(),
            if self.rows.len() > 12 { 26 } else { 34 },
            if self.columns.len() > 12 { 62 } else { 30 },
        )
    }

    fn cell(&self, row: usize, column: usize) -> Figure {
        self.cells.get(row).and_then(|cells| cells.get(column)).copied().unwrap_or(Figure::without(State::Missing))
    }

    fn values(&self, is_alarm: bool) -> impl Iterator<Item = f64> {
        self.cells
            .iter()
            .flat_map(|cells| cells.iter().enumerate())
            .filter(move |(column, _)| self.alarm_columns.contains(column) == is_alarm)
            .filter_map(|(_, figure)| figure.value)
    }

    fn ground(&self, canvas: &Canvas<'_>, column: usize, steps: Steps, value: f64) -> Colour {
        if self.alarm_columns.contains(&column) {
            canvas.tokens.alarm[steps.of(value, N_ALARM_STEPS)]
        } else {
            canvas.tokens.sequential[steps.of(value, canvas.tokens.sequential.len())]
        }
    }

    /// Columns as wide as their words and numbers need, the rest shared evenly; equal ones where that is too much.
    fn lay_out(&self, canvas: &Canvas<'_>, left: f64, numbers: &Numbers) -> Columns {
        let bounds = canvas.bounds;
        let style = column_style(canvas, Anchor::End);
        let number_style = canvas.name_style(Anchor::End);
        let widest_number = |column: usize| {
            let values = self.cells.iter().filter_map(|cells| cells.get(column)?.value);
            values.map(|value| canvas.width(&numbers.bare(value), number_style)).fold(0.0, f64::max)
        };
        let widest_word = |name: &str| words(name).iter().map(|word| canvas.width(word, style)).fold(0.0, f64::max);
        let wanted: Vec<f64> = self
            .columns
            .iter()
            .enumerate()
            .map(|(column, name)| widest_word(name).max(widest_number(column)))
            .collect();
        let room = (bounds.right - left).max(count(wanted.len()));
        let spare = (room - wanted.iter().sum::<f64>()) / count(wanted.len());
        let equal = room / count(wanted.len());
        let widest = self.columns.iter().map(|name| widest_word(name)).fold(0.0, f64::max);
        let fits = spare >= 6.0;
        let widths: Vec<f64> = wanted.iter().map(|width| if fits { width + spare } else { equal }).collect();
        let padding = spare.clamp(6.0, 20.0);
        let mut edges = vec![left];
        for width in widths {
            edges.push(edges.last().copied().unwrap_or(left) + width);
        }
        let are_buckets = !fits && widest + 3.0 > equal && widest < 40.0;
        let are_buckets = are_buckets || self.columns.iter().any(|name| name.contains('\n'));
        let has_years = self.columns.iter().any(|name| name.contains('\n'));
        let mut columns = Columns { edges, are_buckets, padding, top: 0.0 };
        let n_lines = if are_buckets {
            1 + usize::from(has_years)
        } else {
            let lines = (0..self.columns.len()).map(|column| self.name_lines(canvas, &columns, column).len());
            lines.max().unwrap_or(1)
        };
        columns.top = bounds.top + count(n_lines) * 14.0 + 7.0;
        columns
    }

    fn name_lines(&self, canvas: &Canvas<'_>, columns: &Columns, column: usize) -> Vec<String> {
        let (left, right) = columns.span(column);
        let style = column_style(canvas, Anchor::End);
        let limit = right - left - if columns.are_narrow() { 2.0 } else { columns.padding * 0.5 };
        canvas.fonts.wrap(&self.columns[column], limit, style.size, style.weight, 3)
    }

    /// Names above the columns, in up to three lines.
    fn draw_columns(&self, canvas: &mut Canvas<'_>, columns: &Columns) {
        if columns.are_buckets {
            let at = |column: usize| {
                let (left, right) = columns.span(column);
                f64::midpoint(left, right)
            };
            return draw_buckets(canvas, &self.columns, at, canvas.bounds.top - 5.0);
        }
        for column in 0..self.columns.len() {
            let (left, right) = columns.span(column);
            let anchor = if columns.are_narrow() { Anchor::Middle } else { Anchor::End };
            let x = if columns.are_narrow() { f64::midpoint(left, right) } else { right - columns.padding * 0.45 };
            let lines = self.name_lines(canvas, columns, column);
            let first = columns.top - 8.0 - count(lines.len().saturating_sub(1)) * 13.5;
            canvas.lines(&lines, (x, first), 13.5, column_style(canvas, anchor));
            if lines.iter().any(|line| line.ends_with('…')) {
                canvas.hint(self.columns[column].clone());
            }
        }
    }

    /// The largest size in which every number fits its cell, if need be without decimals; zero if none does.
    fn cell_text(&self, canvas: &Canvas<'_>, numbers: &Numbers, slot: f64) -> (Numbers, f64) {
        let size = |numbers: &Numbers| {
            let values = self.cells.iter().flatten().filter_map(|figure| figure.value);
            let unit_width = |value: f64| canvas.fonts.width(&numbers.bare(value), 1.0, Weight::Regular);
            let widest = values.map(unit_width).fold(0.0, f64::max);
            let sizes = [13.0, 12.0, 11.0, 10.0, 9.0];
            sizes.into_iter().find(|size| widest * size + 5.0 <= slot).unwrap_or(0.0)
        };
        let whole = numbers.with_decimals(0);
        let spread = Steps::over(self.cells.iter().flatten().filter_map(|figure| figure.value));
        let is_coarse_enough = spread.is_some_and(|steps| steps.span() >= 20.0);
        if size(numbers) == 0.0 && is_coarse_enough {
            return (whole.clone(), size(&whole));
        }
        (numbers.clone(), size(numbers))
    }
}

fn column_style(canvas: &Canvas<'_>, anchor: Anchor) -> TextStyle {
    TextStyle { weight: Weight::Medium, ..canvas.axis_style(anchor) }
}

/// One cell with its number, or with the sign of what is not there.
fn draw_cell(
    canvas: &mut Canvas<'_>,
    cell: Area,
    (figure, ground): (Figure, Option<Colour>),
    (numbers, size): (&Numbers, f64),
    anchor: Anchor,
    hint: &str,
) {
    let (centre, middle) = cell.middle();
    let x = if anchor == Anchor::Middle { centre } else { cell.right - 8.0 };
    if let (Some(value), Some(ground)) = (figure.value, ground) {
        canvas.rectangle(cell, ground, 3.0);
        canvas.hint(hint.to_owned());
        if size > 0.0 {
            let style = TextStyle { size, colour: ground.text(), ..canvas.name_style(anchor) };
            canvas.text(&numbers.bare(value), (x, middle + size * 0.35), style);
            canvas.hint(hint.to_owned());
        }
        return;
    }
    if figure.state == State::NotReported {
        canvas.hatch(cell);
    }
    let sign = absent_sign(figure.state);
    if !sign.is_empty() {
        let style = TextStyle { size: 12.0, ..canvas.axis_style(anchor) };
        canvas.text(sign, (x, middle + 4.2), style);
        canvas.hint(hint.to_owned());
    }
}
