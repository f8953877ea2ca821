//! Series over time as lines with their names at the ends.

use super::axis::{bucket_axis_height, bucket_name, draw_buckets, draw_heading, draw_values, value_axis_width};
use super::canvas::{Anchor, Area, Canvas, Stroke, TextStyle};
use super::font::Weight;
use super::labels::{Wish, spread};
use super::scale::{Numbers, Scale, Ticks, range, round_ticks};
use super::series::{Role, Series, absent_sign, count, runs};
use super::theme::Colour;
use crate::domain::figure::{Figure, State};

/// Lines over common buckets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LineChart {
    /// Labels of the time axis; after a line break the year, which is shown where it changes.
    pub buckets: Vec<String>,
    /// The lines; a point per bucket.
    pub series: Vec<Series>,
    /// Symbol of the unit.
    pub unit: String,
    /// Decimals of the values.
    pub decimals: usize,
    /// Whether the value axis starts at zero.
    pub from_zero: bool,
    /// Band around the forecast: a low and a high value per bucket; may be empty.
    pub band: Vec<Option<(f64, f64)>>,
    /// Dated events that explain a turn.
    pub events: Vec<LineEvent>,
}

/// Something that happened in a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineEvent {
    /// Position of the bucket.
    pub bucket: usize,
    /// Short text.
    pub label: String,
}

/// Where lines are drawn.
struct Plot {
    area: Area,
    values: Scale,
    buckets: Scale,
    numbers: Numbers,
    is_stepped: bool,
}

impl Plot {
    fn x(&self, bucket: usize) -> f64 {
        self.buckets.at(count(bucket))
    }

    fn point(&self, bucket: usize, value: f64) -> (f64, f64) {
        (self.x(bucket), self.values.at(value))
    }
}

impl LineChart {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        self.draw_lines(canvas, false);
    }

    /// Draws straight lines, or values that hold until the next bucket.
    pub(super) fn draw_lines(&self, canvas: &mut Canvas<'_>, is_stepped: bool) {
        let Some(ticks) = self.ticks(canvas) else {
            return canvas.say_empty();
        };
        let numbers = Numbers::of_ticks(&ticks.values, &self.unit, canvas.lang);
        let plot = self.lay_out(canvas, &ticks, numbers, is_stepped);
        self.draw_unreported(canvas, &plot);
        draw_values(canvas, plot.area, plot.values, &ticks, &plot.numbers);
        draw_buckets(canvas, &self.buckets, |bucket| plot.x(bucket), plot.area.bottom);
        self.draw_events(canvas, &plot);
        self.draw_band(canvas, &plot);
        let mut order: Vec<&Series> = self.series.iter().collect();
        order.sort_by_key(|series| rank(series.role));
        for series in &order {
            self.draw_series(canvas, &plot, series);
        }
        self.draw_absent(canvas, &plot);
        self.draw_names(canvas, &plot);
        self.draw_last_value(canvas, &plot);
    }

    fn ticks(&self, canvas: &Canvas<'_>) -> Option<Ticks> {
        let of_series = self.series.iter().flat_map(|series| &series.points).filter_map(|figure| figure.value);
        let of_band = self.band.iter().flatten().flat_map(|(low, high)| [*low, *high]);
        let (low, high) = range(of_series.chain(of_band))?;
        let (low, high) = match (low, high) {
            (low, high) if low > 0.0 && (self.from_zero || low < high * 0.35) => (0.0, high),
            (low, high) if high < 0.0 && self.from_zero => (low, 0.0),
            both => both,
        };
        let n_wanted = if canvas.bounds.height() < 170.0 { 2 } else { 4 };
        Some(round_ticks(low, high, n_wanted))
    }

    fn lay_out(&self, canvas: &mut Canvas<'_>, ticks: &Ticks, numbers: Numbers, is_stepped: bool) -> Plot {
        let bounds = canvas.bounds;
        let top = bounds.top + draw_heading(canvas, &numbers, self.has_events());
        let left = bounds.left + value_axis_width(canvas, ticks, &numbers);
        let names = self.end_names(canvas, &numbers);
        let style = name_style(canvas, canvas.tokens.ink);
        let widest = names
            .iter()
            .flat_map(|name| &name.lines)
            .map(|line| canvas.width(line, TextStyle { weight: Weight::SemiBold, ..style }))
            .fold(0.0, f64::max);
        let margin = if widest > 0.0 { widest + 12.0 } else { 14.0 };
        let area = Area::new(left, top, bounds.right - margin, bounds.bottom - bucket_axis_height(&self.buckets));
        let last = count(self.buckets.len().saturating_sub(1));
        Plot {
            area,
            values: Scale::new((ticks.low, ticks.high), (area.bottom, area.top)),
            buckets: Scale::new((0.0, last), (area.left, area.right)),
            numbers,
            is_stepped,
        }
    }

    fn has_events(&self) -> bool {
        self.events.iter().any(|event| event.bucket < self.buckets.len())
    }

    /// Hatched columns where the subject was not reported.
    fn draw_unreported(&self, canvas: &mut Canvas<'_>, plot: &Plot) {
        let half = if self.buckets.len() > 1 { (plot.x(1) - plot.x(0)) / 2.0 } else { plot.area.width() / 2.0 };
        let Some(subject) = self.subject() else { return };
        let is_unreported = |figure: &Figure| (figure.state == State::NotReported).then_some(());
        let gaps: Vec<Option<()>> = subject.points.iter().take(self.buckets.len()).map(is_unreported).collect();
        for (start, gap) in runs(&gaps) {
            let left = (plot.x(start) - half).max(plot.area.left);
            let right = (plot.x(start + gap.len() - 1) + half).min(plot.area.right);
            let column = Area::new(left, plot.area.top, right, plot.area.bottom);
            canvas.hatch(column);
            let words = canvas.lang.pick("не отчитался", "not reported");
            let style = TextStyle { halo: true, ..canvas.axis_style(Anchor::Middle) };
            if canvas.width(words, style) <= column.width() {
                canvas.text(words, (column.middle().0, column.bottom - 8.0), style);
            } else if canvas.width(words, style) + 5.0 <= plot.area.right - right {
                let after = subject.points.iter().skip(start + gap.len()).find_map(|point| point.value);
                let is_low = after.is_some_and(|value| plot.values.at(value) > plot.area.middle().1);
                let end = right + 12.0 + canvas.width(words, style);
                let is_low = is_low || self.has_sign_between(subject, plot, (right, end));
                let y = if is_low { column.top + 14.0 } else { column.bottom - 8.0 };
                canvas.text(words, (right + 5.0, y), TextStyle { anchor: Anchor::Start, ..style });
            }
        }
    }

    /// Whether a sign of absence stands at the base between two places.
    fn has_sign_between(&self, subject: &Series, plot: &Plot, (left, right): (f64, f64)) -> bool {
        let points = subject.points.iter().enumerate().take(self.buckets.len());
        points
            .filter(|(_, point)| !absent_sign(point.state).is_empty())
            .any(|(bucket, _)| (left..right).contains(&plot.x(bucket)))
    }

    /// Signs at the base for values that are suppressed or missing.
    fn draw_absent(&self, canvas: &mut Canvas<'_>, plot: &Plot) {
        let Some(subject) = self.subject() else { return };
        let style = TextStyle { halo: true, ..canvas.axis_style(Anchor::Middle) };
        for (bucket, figure) in subject.points.iter().enumerate().take(self.buckets.len()) {
            let sign = absent_sign(figure.state);
            if !sign.is_empty() {
                canvas.text(sign, (plot.x(bucket), plot.area.bottom - 6.0), style);
            }
        }
    }

    fn draw_events(&self, canvas: &mut Canvas<'_>, plot: &Plot) {
        let colour = canvas.tokens.context;
        for event in self.events.iter().filter(|event| event.bucket < self.buckets.len()) {
            let x = plot.x(event.bucket);
            canvas.line((x, plot.area.top - 6.0), (x, plot.area.bottom), Stroke::dashed(colour, 1.0, "1.5 2.5"));
            let (before, after) = (x - plot.area.left, canvas.bounds.right - x);
            let anchor = if after >= before { Anchor::Start } else { Anchor::End };
            let style = canvas.axis_style(anchor);
            let text = canvas.fonts.shorten(&event.label, before.max(after) - 8.0, style.size, style.weight);
            let shift = if anchor == Anchor::Start { 5.0 } else { -5.0 };
            canvas.text(&text, (x + shift, plot.area.top - 3.0), style);
        }
    }

    fn draw_band(&self, canvas: &mut Canvas<'_>, plot: &Plot) {
        let colour = canvas.tokens.subject;
        let band: Vec<Option<(f64, f64)>> = self.band.iter().copied().take(self.buckets.len()).collect();
        for (start, part) in runs(&band) {
            let upper = part.iter().enumerate().map(|(index, limits)| plot.point(start + index, limits.1));
            let lower = part.iter().enumerate().rev().map(|(index, limits)| plot.point(start + index, limits.0));
            let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
            canvas.polygon(&outline, colour);
            canvas.fade(0.14);
        }
    }

    fn draw_series(&self, canvas: &mut Canvas<'_>, plot: &Plot, series: &Series) {
        let stroke = stroke(canvas, series.role);
        let values: Vec<Option<f64>> = series.points.iter().take(self.buckets.len()).map(|point| point.value).collect();
        let mut parts = runs(&values);
        if series.role == Role::Forecast {
            self.join_to_subject(&mut parts);
        }
        for (start, part) in &parts {
            let points: Vec<(f64, f64)> =
                part.iter().enumerate().map(|(index, value)| plot.point(start + index, *value)).collect();
            if points.len() == 1 {
                canvas.circle(points[0], stroke.width + 1.0, stroke.colour);
            } else {
                canvas.path(&if plot.is_stepped { stepped(&points) } else { points }, stroke);
            }
        }
        if self.buckets.len() > MOST_HINTS {
            return;
        }
        for (bucket, figure) in series.points.iter().enumerate().take(self.buckets.len()) {
            if let Some(value) = figure.value {
                self.draw_hover(canvas, plot, series, (bucket, value), figure.state);
            }
        }
    }

    /// An open mark on values that may change, and an unseen one that tells each value to the pointer.
    fn draw_hover(
        &self,
        canvas: &mut Canvas<'_>,
        plot: &Plot,
        series: &Series,
        (bucket, value): (usize, f64),
        state: State,
    ) {
        let place = plot.point(bucket, value);
        let colour = stroke(canvas, series.role).colour;
        if state == State::Provisional && series.role == Role::Subject {
            canvas.ring(place, 3.5, colour, 1.6);
        } else {
            canvas.circle(place, 5.0, colour);
            canvas.fade(0.0);
        }
        let number = plot.numbers.close(value, self.decimals);
        let parts = [series.name.as_str(), &bucket_name(&self.buckets[bucket]), &number];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        canvas.hint(parts.join(" · "));
    }

    /// Lets the forecast start where the subject ends.
    fn join_to_subject(&self, parts: &mut [(usize, Vec<f64>)]) {
        let Some((last, value)) = self.subject().and_then(|subject| self.last_point(subject)) else { return };
        if let Some((start, part)) = parts.first_mut().filter(|(start, _)| *start == last + 1) {
            *start = last;
            part.insert(0, value);
        }
    }

    fn subject(&self) -> Option<&Series> {
        self.series.iter().find(|series| series.role == Role::Subject)
    }

    fn last_point(&self, series: &Series) -> Option<(usize, f64)> {
        let points = series.points.iter().enumerate().take(self.buckets.len());
        points.rev().find_map(|(bucket, figure)| Some((bucket, figure.value?)))
    }

    /// Names of the lines that reach the right edge, the subject with its value.
    fn end_names(&self, canvas: &Canvas<'_>, numbers: &Numbers) -> Vec<EndName> {
        let limit = (canvas.bounds.width() * 0.3).min(170.0);
        let last = self.buckets.len().saturating_sub(1);
        let has_several = self.series.len() > 1;
        let mut names = Vec::new();
        for series in &self.series {
            let Some((_, value)) = self.last_point(series).filter(|(bucket, _)| *bucket == last) else { continue };
            let name = if has_several { name_of(canvas, series) } else { String::new() };
            let style = name_style(canvas, canvas.tokens.ink);
            let mut lines = canvas.fonts.wrap(&name, limit, style.size, Weight::SemiBold, 2);
            if series.role == Role::Subject {
                let number = numbers.close(value, self.decimals);
                lines.push(canvas.fonts.shorten(&number, limit, style.size, Weight::SemiBold));
            }
            if !lines.is_empty() {
                names.push(EndName { lines, role: series.role, value });
            }
        }
        names
    }

    fn draw_names(&self, canvas: &mut Canvas<'_>, plot: &Plot) {
        let names = self.end_names(canvas, &plot.numbers);
        let wishes: Vec<Wish> = names
            .iter()
            .map(|name| Wish {
                middle: plot.values.at(name.value),
                height: count(name.lines.len()) * LEADING + 2.0,
                rank: rank(name.role),
            })
            .collect();
        let top = if self.has_events() { plot.area.top + 2.0 } else { plot.area.top - 8.0 };
        let places = spread(&wishes, top, plot.area.bottom + 12.0);
        for (name, place) in names.iter().zip(places) {
            let Some(middle) = place else { continue };
            let colour = canvas.tokens.of_role(name.role);
            let tone = canvas.tokens.as_text(colour);
            let wanted = plot.values.at(name.value);
            let last = self.buckets.len().saturating_sub(1);
            let edge = plot.x(last);
            if name.role == Role::Subject {
                draw_end(canvas, (edge, wanted), self.subject().and_then(|subject| subject.points.get(last)));
            }
            if (middle - wanted).abs() > 9.0 {
                let (from, to) = ((edge + 2.0, wanted), (edge + 8.0, middle));
                canvas.line(from, to, Stroke::solid(colour, 1.0));
                canvas.fade(0.5);
            }
            let style = name_style(canvas, tone);
            let mut baseline = middle - (count(name.lines.len()) - 1.0) * LEADING / 2.0 + 4.2;
            for (index, line) in name.lines.iter().enumerate() {
                let is_value = name.role == Role::Subject && index + 1 == name.lines.len();
                let weight = if is_value { Weight::SemiBold } else { style.weight };
                canvas.text(line, (edge + 10.0, baseline), TextStyle { weight, ..style });
                baseline += LEADING;
            }
        }
    }

    /// The last value of a subject that ends before the right edge, beside its last point.
    fn draw_last_value(&self, canvas: &mut Canvas<'_>, plot: &Plot) {
        let Some(subject) = self.subject() else { return };
        let Some((bucket, value)) = self.last_point(subject).filter(|(bucket, _)| bucket + 1 < self.buckets.len())
        else {
            return;
        };
        let (x, y) = plot.point(bucket, value);
        let before = bucket.checked_sub(1).and_then(|previous| subject.points[previous].value);
        let rises = before.is_none_or(|before| before <= value);
        let colour = canvas.tokens.subject;
        draw_end(canvas, (x, y), subject.points.get(bucket));
        let anchor = if rises { Anchor::End } else { Anchor::Start };
        let style = TextStyle { anchor, halo: true, weight: Weight::SemiBold, ..name_style(canvas, colour) };
        let number = plot.numbers.close(value, self.decimals);
        let named = format!("{} {number}", subject.name);
        let has_room = canvas.width(&named, style) <= plot.area.width() * 0.35;
        let text = if subject.name.is_empty() || !has_room { number } else { named };
        let shift = match (plot.is_stepped, rises) {
            (true, _) => -8.0,
            (false, true) => 3.0,
            (false, false) => -3.0,
        };
        let anchor = if plot.is_stepped { Anchor::End } else { style.anchor };
        canvas.text(&text, (x + shift, (y - 9.0).max(plot.area.top - 2.0)), TextStyle { anchor, ..style });
    }
}

/// What stands at the end of a line.
struct EndName {
    lines: Vec<String>,
    role: Role,
    value: f64,
}

/// With more buckets, single values cannot be pointed at.
const MOST_HINTS: usize = 130;

/// Distance of baselines in names.
const LEADING: f64 = 14.5;

fn name_style(canvas: &Canvas<'_>, colour: Colour) -> TextStyle {
    TextStyle { size: 12.0, colour, ..canvas.name_style(Anchor::Start) }
}

/// Which line lies over which: the subject over all.
fn rank(role: Role) -> u8 {
    match role {
        Role::Context => 0,
        Role::Plan => 1,
        Role::Category(_) => 2,
        Role::Forecast => 3,
        Role::Subject => 4,
    }
}

/// The mark at the end of the subject: open where the value may still change.
fn draw_end(canvas: &mut Canvas<'_>, place: (f64, f64), figure: Option<&Figure>) {
    let colour = canvas.tokens.subject;
    if figure.is_some_and(|figure| figure.state == State::Provisional) {
        canvas.ring(place, 3.8, colour, 1.8);
    } else {
        canvas.circle(place, 3.6, colour);
    }
}

/// The name of a line; plan and forecast have common words.
fn name_of(canvas: &Canvas<'_>, series: &Series) -> String {
    match series.role {
        _ if !series.name.is_empty() => series.name.clone(),
        Role::Plan => canvas.lang.pick("план", "plan").to_owned(),
        Role::Forecast => canvas.lang.pick("прогноз", "forecast").to_owned(),
        _ => String::new(),
    }
}

/// How the line of a role is drawn.
fn stroke(canvas: &Canvas<'_>, role: Role) -> Stroke {
    let colour = canvas.tokens.of_role(role);
    match role {
        Role::Subject => Stroke::solid(colour, 2.4),
        Role::Context => Stroke::solid(colour, 1.5),
        Role::Plan => Stroke::dashed(colour, 1.2, "5 3.5"),
        Role::Forecast => Stroke::dashed(colour, 1.8, "1.8 2.8"),
        Role::Category(_) => Stroke::solid(colour, 2.0),
    }
}

/// Points with a corner before each change.
fn stepped(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut corners = Vec::with_capacity(points.len() * 2);
    for (index, (x, y)) in points.iter().enumerate() {
        if index > 0 {
            corners.push((*x, points[index - 1].1));
        }
        corners.push((*x, *y));
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_until_the_next_bucket() {
        assert_eq!(stepped(&[(0.0, 5.0), (1.0, 7.0)]), [(0.0, 5.0), (1.0, 5.0), (1.0, 7.0)]);
    }
}
