//! Bars that are made of parts.

use super::axis::{bucket_axis_height, bucket_name, draw_heading, draw_values, value_axis_width};
use super::bar::{draw_labels, label_lines, rows_height, stands_upright, value_style};
use super::canvas::{Anchor, Area, Canvas, TextStyle};
use super::font::{Fonts, fonts};
use super::labels::{Wish, spread};
use super::rows::{Rows, draw_base, draw_name, names_width};
use super::scale::{Numbers, Scale, round_ticks};
use super::series::{Role, Series, count};
use crate::domain::figure::{Figure, State};

/// Bars from zero whose parts are series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StackedBarChart {
    /// One bar each.
    pub labels: Vec<String>,
    /// The parts from the base up; a point per label.
    pub series: Vec<Series>,
    /// Symbol of the unit.
    pub unit: String,
    /// Decimals of the values.
    pub decimals: usize,
}

/// One part of a bar: from where to where on the value axis.
struct Part {
    series: usize,
    value: f64,
    from: f64,
    to: f64,
}

impl StackedBarChart {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        if self.series.iter().flat_map(|series| &series.points).all(|figure| figure.value.is_none()) {
            return canvas.say_empty();
        }
        if self.is_upright(canvas.fonts, canvas.bounds.width()) {
            self.draw_columns(canvas);
        } else {
            self.draw_rows(canvas);
        }
    }

    /// Height that the bars need, upright or lying.
    pub(super) fn height(&self, width: u32) -> u32 {
        let is_upright = fonts().is_ok_and(|fonts| self.is_upright(fonts, f64::from(width)));
        if is_upright { 300 } else { rows_height(self.labels.len(), 32, 40) }
    }

    /// Upright bars share their width with the names of the series.
    fn is_upright(&self, fonts: &Fonts, width: f64) -> bool {
        let labels: Vec<&str> = self.labels.iter().map(String::as_str).collect();
        stands_upright(fonts, width * 0.75, &labels)
    }

    /// The parts of one bar; negative parts are stacked below zero.
    fn parts(&self, label: usize) -> Vec<Part> {
        let (mut above, mut below) = (0.0, 0.0);
        let mut parts = Vec::new();
        for (series, points) in self.series.iter().enumerate().map(|(index, series)| (index, &series.points)) {
            let Some(value) = points.get(label).and_then(|figure| figure.value).filter(|value| *value != 0.0) else {
                continue;
            };
            let edge = if value > 0.0 { &mut above } else { &mut below };
            parts.push(Part { series, value, from: *edge, to: *edge + value });
            *edge += value;
        }
        parts
    }

    fn extent(&self) -> (f64, f64) {
        (0..self.labels.len())
            .flat_map(|label| self.parts(label))
            .fold((0.0, 0.0), |(low, high), part| (f64::min(low, part.to), f64::max(high, part.to)))
    }

    fn total(&self, label: usize) -> Option<f64> {
        let values: Vec<f64> = self.series.iter().filter_map(|series| series.points.get(label)?.value).collect();
        if values.is_empty() { None } else { Some(values.iter().sum()) }
    }

    fn totals(&self) -> Vec<Figure> {
        (0..self.labels.len()).map(|label| Figure::from(self.total(label))).collect()
    }

    fn is_unreported(&self, label: usize) -> bool {
        self.series
            .iter()
            .any(|series| series.points.get(label).is_some_and(|figure| figure.state == State::NotReported))
    }

    fn draw_columns(&self, canvas: &mut Canvas<'_>) {
        let extent = self.extent();
        let ticks = round_ticks(extent.0, extent.1, 4);
        let numbers = Numbers::of_ticks(&ticks.values, &self.unit, canvas.lang);
        let totals = self.totals();
        let total_numbers = Numbers::of_values(totals.iter(), self.decimals, &self.unit, canvas.lang);
        let bounds = canvas.bounds;
        let top = bounds.top + draw_heading(canvas, &numbers, true) + 8.0;
        let left = bounds.left + value_axis_width(canvas, &ticks, &numbers);
        let style = TextStyle { size: 12.0, ..canvas.name_style(Anchor::Start) };
        let limit = (bounds.width() * 0.3).min(170.0);
        let names = self.series.iter().map(|series| canvas.width(&series.name, style)).fold(0.0, f64::max).min(limit);
        let foot = if label_lines(canvas, &self.labels) > 1 { 36.0 } else { bucket_axis_height(&self.labels) };
        let area = Area::new(left, top, bounds.right - names - 12.0, bounds.bottom - foot);
        let scale = Scale::new((ticks.low, ticks.high), (area.bottom, area.top));
        draw_values(canvas, area, scale, &ticks, &numbers);
        let slot = area.width() / count(self.labels.len());
        let half = (slot * 0.36).min(30.0);
        for (label, total) in totals.iter().enumerate() {
            let x = area.left + slot * (count(label) + 0.5);
            for part in self.parts(label) {
                let (one, two) = (scale.at(part.from), scale.at(part.to));
                let shape = Area::new(x - half, one.min(two), x + half, one.max(two));
                self.draw_part(canvas, shape, &part, label, &total_numbers);
            }
            if let Some(total) = total.value {
                let style = value_style(canvas, Anchor::Middle);
                let text = total_numbers.bare(total);
                let end = self.parts(label).iter().map(|part| scale.at(part.to)).fold(scale.at(0.0), f64::min);
                if total > 0.0 && canvas.width(&text, style) <= slot - 2.0 {
                    canvas.text(&text, (x, end - 5.0), TextStyle { halo: true, ..style });
                }
            } else if self.is_unreported(label) {
                canvas.hatch(Area::new(x - half, (area.bottom - 28.0).max(area.top), x + half, area.bottom));
            }
        }
        let base = scale.at(0.0);
        draw_base(canvas, (area.left, base), (area.right, base));
        draw_labels(canvas, &self.labels, area.left, slot, area.bottom);
        self.draw_names(canvas, area, scale, (style, names));
    }

    /// Names of the series beside the last bar that has parts.
    fn draw_names(&self, canvas: &mut Canvas<'_>, area: Area, scale: Scale, (style, limit): (TextStyle, f64)) {
        let last = (0..self.labels.len()).rev().find(|label| !self.parts(*label).is_empty());
        let Some(last) = last else { return };
        let parts = self.parts(last);
        let edge = scale.at(parts.iter().map(|part| part.to).fold(0.0, f64::max));
        let wishes: Vec<Wish> = (0..self.series.len())
            .map(|series| {
                let part = parts.iter().find(|part| part.series == series);
                let middle = part.map_or(edge, |part| scale.at(f64::midpoint(part.from, part.to)));
                Wish { middle, height: 15.0, rank: u8::from(part.is_some()) }
            })
            .collect();
        for (series, place) in spread(&wishes, area.top - 10.0, area.bottom + 8.0).into_iter().enumerate() {
            let Some(middle) = place else { continue };
            let colour = canvas.tokens.as_text(canvas.tokens.of_role(self.series[series].role));
            let text = canvas.fonts.shorten(&self.series[series].name, limit + 0.01, style.size, style.weight);
            canvas.text(&text, (area.right + 8.0, middle + 4.2), TextStyle { colour, ..style });
        }
    }

    fn draw_rows(&self, canvas: &mut Canvas<'_>) {
        let totals = self.totals();
        let numbers = Numbers::of_values(totals.iter(), self.decimals, &self.unit, canvas.lang);
        let bounds = canvas.bounds;
        let top = self.draw_key(canvas);
        let rows = Rows::new(Area { top, ..bounds }, self.labels.len(), 20.0, 36.0);
        let names = names_width(canvas, self.labels.iter().map(String::as_str), 0.38);
        let style = value_style(canvas, Anchor::Start);
        let widest = totals.iter().filter_map(|total| total.value);
        let widest = widest.map(|total| canvas.width(&numbers.tick(total), style)).fold(0.0, f64::max) + 8.0;
        let (low, high) = self.extent();
        let left = bounds.left + names + 12.0;
        let limits = if high > low { (low, high) } else { (0.0, 1.0) };
        let scale = Scale::new(limits, (left, (bounds.right - widest).max(left + 4.0)));
        let base = scale.at(0.0);
        let half = (rows.height * 0.32).min(11.0);
        for (label, total) in totals.iter().enumerate().take(rows.n_shown) {
            let middle = rows.middle(label);
            draw_name(canvas, &bucket_name(&self.labels[label]), (bounds.left, middle), names, rows, Anchor::Start);
            let mut end = base;
            for part in self.parts(label) {
                let (one, two) = (scale.at(part.from), scale.at(part.to));
                end = end.max(one).max(two);
                let shape = Area::new(one.min(two), middle - half, one.max(two), middle + half);
                self.draw_part(canvas, shape, &part, label, &numbers);
            }
            match total.value {
                Some(total) => canvas.text(&numbers.tick(total), (end + 6.0, middle + 4.3), style),
                None if self.is_unreported(label) => {
                    canvas.hatch(Area::new(base, middle - half, base + 36.0, middle + half));
                }
                None => canvas.text("–", (base + 6.0, middle + 4.3), style),
            }
        }
        draw_base(canvas, (base, rows.top), (base, rows.bottom()));
        rows.draw_rest(canvas, bounds.left, Anchor::Start);
    }

    /// One part with its number where there is room, and a hairline of the card's colour between parts.
    fn draw_part(&self, canvas: &mut Canvas<'_>, shape: Area, part: &Part, label: usize, numbers: &Numbers) {
        let series = &self.series[part.series];
        let colour = canvas.tokens.of_role(series.role);
        let gap = if shape.height() > 3.0 && shape.width() > 3.0 { 0.5 } else { 0.0 };
        let inner = Area::new(shape.left + gap, shape.top + gap, shape.right - gap, shape.bottom - gap);
        canvas.rectangle(inner, colour, 1.0);
        let is_pale = series.role == Role::Forecast;
        if is_pale {
            canvas.fade(0.35);
        }
        let name = &series.name;
        canvas.hint(format!("{} · {name} · {}", bucket_name(&self.labels[label]), numbers.full(part.value)));
        let ink = if is_pale { canvas.tokens.ink } else { colour.text_on_category() };
        let style = TextStyle { size: 11.5, colour: ink, ..canvas.name_style(Anchor::Middle) };
        let text = numbers.bare(part.value);
        if shape.height() >= 16.0 && canvas.width(&text, style) + 6.0 <= shape.width() {
            let (x, y) = shape.middle();
            canvas.text(&text, (x, y + 4.0), style);
        }
    }

    /// Names of the series in one or more lines above lying bars; returns where the bars may start.
    fn draw_key(&self, canvas: &mut Canvas<'_>) -> f64 {
        let bounds = canvas.bounds;
        let style = TextStyle { colour: canvas.tokens.ink, size: 12.0, ..canvas.axis_style(Anchor::Start) };
        let (mut x, mut y) = (bounds.left, bounds.top + 12.0);
        for series in 0..self.series.len() {
            let limit = bounds.width() - 16.0;
            let text = canvas.fonts.shorten(&self.series[series].name, limit, style.size, style.weight);
            let width = canvas.width(&text, style) + 15.0;
            if x > bounds.left && x + width > bounds.right {
                (x, y) = (bounds.left, y + 18.0);
            }
            let colour = canvas.tokens.of_role(self.series[series].role);
            canvas.rectangle(Area::new(x, y - 9.0, x + 10.0, y + 1.0), colour, 2.0);
            canvas.text(&text, (x + 15.0, y), style);
            x += width + 16.0;
        }
        y + 12.0
    }
}
