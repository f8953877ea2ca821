//! One bar per label.

use super::axis::{bucket_axis_height, bucket_name, draw_buckets, draw_heading, draw_values, value_axis_width};
use super::canvas::{AXIS_SIZE, Anchor, Area, Canvas, Stroke, TextStyle};
use super::font::{Fonts, Weight, fonts};
use super::rows::{Rows, draw_absent, draw_base, draw_name, names_width};
use super::scale::{Numbers, Scale, range, round_ticks};
use super::series::{Role, absent_sign, count};
use super::theme::Colour;
use crate::domain::figure::{Figure, State};

/// Bars from zero, upright where their labels fit, else lying.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BarChart {
    /// The bars in reading order.
    pub bars: Vec<Bar>,
    /// Symbol of the unit.
    pub unit: String,
    /// Decimals of the values.
    pub decimals: usize,
}

/// One bar.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bar {
    /// Name under or beside the bar; of a bucket as in a line chart.
    pub label: String,
    /// Its length.
    pub figure: Figure,
    /// Its colour.
    pub role: Role,
}

impl BarChart {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        let Some((low, high)) = range(self.bars.iter().filter_map(|bar| bar.figure.value)) else {
            return canvas.say_empty();
        };
        let extent = (low.min(0.0), high.max(0.0));
        let labels: Vec<&str> = self.bars.iter().map(|bar| bar.label.as_str()).collect();
        if stands_upright(canvas.fonts, canvas.bounds.width(), &labels) {
            self.draw_columns(canvas, extent);
        } else {
            self.draw_rows(canvas, extent);
        }
    }

    /// Height that the bars need, upright or lying.
    pub(super) fn height(&self, width: u32) -> u32 {
        let labels: Vec<&str> = self.bars.iter().map(|bar| bar.label.as_str()).collect();
        let is_upright = fonts().is_ok_and(|fonts| stands_upright(fonts, f64::from(width), &labels));
        if is_upright { 280 } else { rows_height(self.bars.len(), if self.bars.len() > 16 { 22 } else { 30 }, 24) }
    }

    fn draw_columns(&self, canvas: &mut Canvas<'_>, extent: (f64, f64)) {
        let numbers =
            Numbers::of_values(self.bars.iter().map(|bar| &bar.figure), self.decimals, &self.unit, canvas.lang);
        let style = value_style(canvas, Anchor::Middle);
        let widest = self.bars.iter().filter_map(|bar| bar.figure.value);
        let widest = widest.map(|value| canvas.width(&numbers.bare(value), style)).fold(0.0, f64::max);
        let labels: Vec<String> = self.bars.iter().map(|bar| bar.label.clone()).collect();
        let bounds = canvas.bounds;
        let has_values = widest + 4.0 <= bounds.width() / count(self.bars.len());
        let ticks = round_ticks(extent.0, extent.1, 4);
        let tick_numbers = Numbers::of_ticks(&ticks.values, &self.unit, canvas.lang);
        let heading = if has_values { &numbers } else { &tick_numbers };
        let top = bounds.top + draw_heading(canvas, heading, has_values);
        let left = if has_values { 0.0 } else { value_axis_width(canvas, &ticks, &tick_numbers) };
        let n_lines = label_lines(canvas, &labels);
        let foot = if n_lines > 1 { 36.0 } else { bucket_axis_height(&labels) };
        let room_below = if has_values && extent.0 < 0.0 { 16.0 } else { 0.0 };
        let area = Area::new(bounds.left + left, top, bounds.right, bounds.bottom - foot - room_below);
        let limits = if has_values { extent } else { (ticks.low, ticks.high) };
        let limits = if limits.1 > limits.0 { limits } else { (0.0, 1.0) };
        let scale = Scale::new(limits, (area.bottom, area.top));
        if !has_values {
            draw_values(canvas, area, scale, &ticks, &tick_numbers);
        }
        let slot = area.width() / count(self.bars.len());
        let half = (slot * 0.34).min(26.0);
        let base = scale.at(0.0);
        for (index, bar) in self.bars.iter().enumerate() {
            let x = area.left + slot * (count(index) + 0.5);
            if let Some(value) = bar.figure.value {
                let end = scale.at(value);
                let shape = Area::new(x - half, base.min(end), x + half, base.max(end));
                draw_bar(canvas, shape, bar);
                canvas.hint(format!("{} · {}", bucket_name(&bar.label), numbers.full(value)));
                let y = if value < 0.0 { end + 14.0 } else { end - 5.0 };
                if has_values {
                    canvas.text(&numbers.bare(value), (x, y), style);
                }
            } else if bar.figure.state == State::NotReported {
                canvas.hatch(Area::new(x - half, (base - 28.0).max(area.top), x + half, base));
            } else {
                let style = canvas.axis_style(Anchor::Middle);
                canvas.text(absent_sign(bar.figure.state), (x, base - 6.0), style);
            }
        }
        draw_base(canvas, (area.left, base), (area.right, base));
        let bottom = area.bottom + room_below;
        draw_labels(canvas, &labels, area.left, slot, bottom);
    }

    fn draw_rows(&self, canvas: &mut Canvas<'_>, extent: (f64, f64)) {
        let numbers =
            Numbers::of_values(self.bars.iter().map(|bar| &bar.figure), self.decimals, &self.unit, canvas.lang);
        let bounds = canvas.bounds;
        let top = bounds.top + if numbers.heading().is_empty() { 0.0 } else { draw_heading(canvas, &numbers, false) };
        let rows = Rows::new(Area { top, ..bounds }, self.bars.len(), 18.0, 34.0);
        let names = names_width(canvas, self.bars.iter().map(|bar| bar.label.as_str()), 0.42);
        let style = value_style(canvas, Anchor::Start);
        let widest = self.bars.iter().filter_map(|bar| bar.figure.value);
        let widest = widest.map(|value| canvas.width(&numbers.tick(value), style)).fold(0.0, f64::max) + 8.0;
        let left_margin = if extent.0 < 0.0 { widest } else { 0.0 };
        let (left, right) = (bounds.left + names + 12.0 + left_margin, bounds.right - widest);
        let limits = if extent.1 > extent.0 { extent } else { (0.0, 1.0) };
        let scale = Scale::new(limits, (left, right.max(left + 4.0)));
        let base = scale.at(0.0);
        let half = (rows.height * 0.3).min(9.0);
        for (index, bar) in self.bars.iter().take(rows.n_shown).enumerate() {
            let middle = rows.middle(index);
            draw_name(canvas, &bucket_name(&bar.label), (bounds.left, middle), names, rows, Anchor::Start);
            let Some(value) = bar.figure.value else {
                draw_absent(canvas, bar.figure, (base + 6.0, middle), right - base);
                continue;
            };
            let end = scale.at(value);
            draw_bar(canvas, Area::new(base.min(end), middle - half, base.max(end), middle + half), bar);
            canvas.hint(format!("{} · {}", bucket_name(&bar.label), numbers.full(value)));
            let (x, anchor) = if value < 0.0 { (end - 6.0, Anchor::End) } else { (end + 6.0, Anchor::Start) };
            canvas.text(&numbers.tick(value), (x, middle + 4.3), TextStyle { anchor, ..style });
        }
        draw_base(canvas, (base, rows.top), (base, rows.bottom()));
        rows.draw_rest(canvas, bounds.left, Anchor::Start);
    }
}

/// A filled bar; a plan is only an outline, a forecast is pale.
fn draw_bar(canvas: &mut Canvas<'_>, shape: Area, bar: &Bar) {
    let colour: Colour = canvas.tokens.of_role(bar.role);
    let is_provisional = bar.figure.state == State::Provisional || bar.role == Role::Forecast;
    let corners = [
        (shape.left, shape.bottom),
        (shape.left, shape.top),
        (shape.right, shape.top),
        (shape.right, shape.bottom),
        (shape.left, shape.bottom),
    ];
    if bar.role == Role::Plan {
        canvas.path(&corners, Stroke::dashed(colour, 1.2, "4 3"));
    } else if is_provisional {
        canvas.rectangle(shape, colour, 1.5);
        canvas.fade(0.35);
        canvas.path(&corners, Stroke::dashed(colour, 1.0, "2 2"));
    } else {
        canvas.rectangle(shape, colour, 1.5);
    }
}

/// Text of values at the ends of bars.
pub(super) fn value_style(canvas: &Canvas<'_>, anchor: Anchor) -> TextStyle {
    TextStyle { size: 12.0, weight: Weight::Medium, ..canvas.name_style(anchor) }
}

/// Whether bars can stand: they are buckets, or each label fits under its bar in two lines.
pub(super) fn stands_upright(fonts: &Fonts, width: f64, labels: &[&str]) -> bool {
    let slot = width / count(labels.len().max(1)) - 8.0;
    let fits = |label: &&str| {
        let lines = fonts.wrap(label, slot, AXIS_SIZE, Weight::Regular, 2);
        !lines.is_empty() && lines.iter().all(|line| !line.ends_with('…') && !line.is_empty())
    };
    let are_buckets = labels.iter().all(|label| label.contains('\n') || label.chars().count() <= 5);
    !labels.is_empty() && (are_buckets || (slot >= 30.0 && labels.iter().all(fits)))
}

/// Whether any label needs two lines under its bar.
pub(super) fn label_lines(canvas: &Canvas<'_>, labels: &[String]) -> usize {
    let style = canvas.axis_style(Anchor::Middle);
    let slot = canvas.bounds.width() / count(labels.len().max(1)) - 6.0;
    labels
        .iter()
        .filter(|label| !label.contains('\n'))
        .map(|label| canvas.fonts.wrap(label, slot, style.size, style.weight, 2).len())
        .max()
        .unwrap_or(1)
}

/// Labels under upright bars: buckets as on a time axis, names in up to two lines.
pub(super) fn draw_labels(canvas: &mut Canvas<'_>, labels: &[String], left: f64, slot: f64, bottom: f64) {
    let at = |index: usize| left + slot * (count(index) + 0.5);
    if labels.iter().all(|label| label.contains('\n') || label.chars().count() <= 5) {
        return draw_buckets(canvas, labels, at, bottom);
    }
    let style = canvas.axis_style(Anchor::Middle);
    for (index, label) in labels.iter().enumerate() {
        let lines = canvas.fonts.wrap(label, slot - 4.0, style.size, style.weight, 2);
        canvas.lines(&lines, (at(index), bottom + 16.0), 13.0, style);
    }
}

/// Height of so many rows and what stands around them.
pub(super) fn rows_height(n_rows: usize, row: u32, around: u32) -> u32 {
    u32::try_from(n_rows.max(1)).unwrap_or(u32::MAX).saturating_mul(row).saturating_add(around).min(4000)
}
