//! Names with a value each, against their mean.

use super::bar::{rows_height, value_style};
use super::canvas::{Anchor, Area, Canvas, Stroke, TextStyle};
use super::milestones::Status;
use super::rows::{Rows, draw_absent, draw_base, draw_name, names_width};
use super::scale::{Numbers, Scale, range};
use super::series::{Role, absent_sign};
use super::theme::Colour;
use crate::domain::figure::Figure;

/// Rows in reading order: dots against the mean where there is one, else bars.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RankingChart {
    /// The rows, first on top.
    pub rows: Vec<RankingRow>,
    /// The value that all are measured against.
    pub mean: Option<f64>,
    /// Name of the mean; empty for the common word.
    pub mean_label: String,
    /// Symbol of the unit.
    pub unit: String,
    /// Decimals of the values.
    pub decimals: usize,
}

/// One row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RankingRow {
    /// Name.
    pub label: String,
    /// Value.
    pub figure: Figure,
    /// Subject for the accent, context for grey.
    pub role: Role,
    /// Colour and sign of a judgement, where there is one.
    pub status: Status,
    /// Low and high limit of the value.
    pub limits: Option<(f64, f64)>,
}

impl RankingChart {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        if self.rows.iter().all(|row| row.figure.value.is_none()) {
            return canvas.say_empty();
        }
        let bounds = canvas.bounds;
        let has_dots = self.mean.is_some() || self.rows.iter().any(|row| row.limits.is_some());
        let numbers =
            Numbers::of_values(self.rows.iter().map(|row| &row.figure), self.decimals, &self.unit, canvas.lang);
        let foot = if self.mean.is_some() { 22.0 } else { 0.0 };
        let body = Area { bottom: bounds.bottom - foot, ..bounds };
        let rows = Rows::new(body, self.rows.len(), 18.0, 31.0);
        let names = names_width(canvas, self.rows.iter().map(|row| row.label.as_str()), 0.4);
        let style = value_style(canvas, Anchor::End);
        let values = self.rows.iter().filter_map(|row| row.figure.value);
        let values = values.map(|value| canvas.width(&numbers.tick(value), style)).fold(10.0, f64::max);
        let signs = if self.rows.iter().any(|row| row.status != Status::None) { 14.0 } else { 0.0 };
        let plot = Area::new(bounds.left + names + 16.0, rows.top, bounds.right - values - signs - 14.0, rows.bottom());
        let scale = self.scale(plot, has_dots);
        if let Some(mean) = self.mean {
            self.draw_mean(canvas, plot, (scale.at(mean), mean), &numbers);
        } else if !has_dots {
            draw_base(canvas, (scale.at(0.0), plot.top), (scale.at(0.0), plot.bottom));
        }
        for (index, row) in self.rows.iter().take(rows.n_shown).enumerate() {
            let middle = rows.middle(index);
            draw_name(canvas, &row.label, (bounds.left + names, middle), names, rows, Anchor::End);
            let Some(value) = row.figure.value else {
                draw_absent(canvas, row.figure, (plot.left, middle), plot.width());
                canvas.text(absent_sign(row.figure.state), (bounds.right - signs, middle + 4.3), style);
                continue;
            };
            let colour = colour(canvas, row);
            if has_dots {
                self.draw_dot(canvas, scale, (row, value), middle, colour);
            } else {
                let half = (rows.height * 0.3).min(8.0);
                let (base, end) = (scale.at(0.0), scale.at(value));
                let shape = Area::new(base.min(end), middle - half, base.max(end), middle + half);
                canvas.rectangle(shape, colour, 1.5);
            }
            canvas.hint(format!("{} · {}", row.label, numbers.full(value)));
            let style = TextStyle { colour: canvas.tokens.as_text(colour), ..style };
            canvas.text(&numbers.tick(value), (bounds.right - signs, middle + 4.3), style);
            self.draw_sign(canvas, (bounds.right - 5.0, middle), (row.status, value), colour);
        }
        rows.draw_rest(canvas, bounds.left + names, Anchor::End);
        let heading = numbers.heading();
        if !heading.is_empty() {
            let limit = bounds.right - plot.right;
            let text_style = canvas.axis_style(Anchor::End);
            let text = canvas.fonts.shorten(&heading, limit.max(60.0), text_style.size, text_style.weight);
            if foot > 0.0 {
                canvas.text(&text, (bounds.right, rows.bottom() + 16.0), text_style);
            }
        }
    }

    /// Height of all rows.
    pub(super) fn height(&self) -> u32 {
        rows_height(
            self.rows.len(),
            if self.rows.len() > 16 { 22 } else { 28 },
            if self.mean.is_some() { 24 } else { 4 },
        )
    }

    fn scale(&self, plot: Area, has_dots: bool) -> Scale {
        let values = self.rows.iter().filter_map(|row| row.figure.value);
        let limits = self.rows.iter().filter_map(|row| row.limits).flat_map(|(low, high)| [low, high]);
        let zero = if has_dots { None } else { Some(0.0) };
        let (low, high) = range(values.chain(limits).chain(self.mean).chain(zero)).unwrap_or((0.0, 1.0));
        let (low, high) = if high > low { (low, high) } else { (low - 1.0, low + 1.0) };
        let inset = if has_dots { 8.0 } else { 0.0 };
        Scale::new((low, high), (plot.left + inset, plot.right - inset))
    }

    fn draw_dot(
        &self,
        canvas: &mut Canvas<'_>,
        scale: Scale,
        (row, value): (&RankingRow, f64),
        middle: f64,
        colour: Colour,
    ) {
        let x = scale.at(value);
        if let Some((low, high)) = row.limits {
            let band = Area::new(scale.at(low) - 3.0, middle - 3.0, scale.at(high) + 3.0, middle + 3.0);
            canvas.rectangle(band, colour, 3.0);
            canvas.fade(0.25);
        } else if let Some(mean) = self.mean {
            canvas.line((scale.at(mean), middle), (x, middle), Stroke::solid(colour, 2.0));
            canvas.fade(0.4);
        }
        canvas.circle((x, middle), 5.2, colour);
    }

    /// Above or below the mean as a triangle; without a mean the shape of the judgement.
    fn draw_sign(&self, canvas: &mut Canvas<'_>, (x, y): (f64, f64), (status, value): (Status, f64), colour: Colour) {
        if status == Status::None {
            return;
        }
        let triangle = |up: f64| [(x - 4.2, y + 3.6 * up), (x + 4.2, y + 3.6 * up), (x, y - 3.8 * up)];
        match (self.mean, status) {
            (Some(mean), _) if value < mean => canvas.polygon(&triangle(-1.0), colour),
            (Some(_), _) | (None, Status::Attention) => canvas.polygon(&triangle(1.0), colour),
            (None, Status::Bad) => canvas.rectangle(Area::new(x - 3.6, y - 3.6, x + 3.6, y + 3.6), colour, 0.0),
            (None, _) => canvas.circle((x, y), 3.8, colour),
        }
    }

    fn draw_mean(&self, canvas: &mut Canvas<'_>, plot: Area, (x, mean): (f64, f64), numbers: &Numbers) {
        let ink = canvas.tokens.ink;
        canvas.line((x, plot.top), (x, plot.bottom + 4.0), Stroke::dashed(ink, 1.2, "4 3"));
        let word =
            if self.mean_label.is_empty() { canvas.lang.pick("среднее", "mean") } else { &self.mean_label };
        let style = canvas.axis_style(Anchor::Middle);
        let text = format!("{word} {}", numbers.tick(mean));
        let text = canvas.fonts.shorten(&text, canvas.bounds.width() * 0.6, style.size, style.weight);
        canvas.text(&text, (x, plot.bottom + 17.0), style);
    }
}

/// Colour of a row: its judgement, else its role.
fn colour(canvas: &Canvas<'_>, row: &RankingRow) -> Colour {
    canvas.tokens.of_status(row.status).unwrap_or_else(|| canvas.tokens.of_role(row.role))
}
