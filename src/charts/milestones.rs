//! Milestones of a project: plan, fact and the slip between them.

use chrono::{Datelike, NaiveDate};

use super::bar::rows_height;
use super::canvas::{Anchor, Area, Canvas, Stroke, TextStyle};
use super::rows::{Rows, draw_name};
use super::scale::Scale;
use super::theme::Colour;
use crate::domain::number::{THIN_SPACE, format_change, format_date, short_month_name};
use crate::domain::period::Grain;

/// Milestones on a calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MilestonesChart {
    /// First day of the calendar.
    pub from: NaiveDate,
    /// Last day of the calendar.
    pub to: NaiveDate,
    /// Where the line of today stands.
    pub today: Option<NaiveDate>,
    /// The milestones in reading order.
    pub rows: Vec<MilestoneMark>,
}

/// One milestone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MilestoneMark {
    /// Code of the milestone.
    pub code: String,
    /// Its name.
    pub label: String,
    /// The planned day.
    pub planned: NaiveDate,
    /// The day of the fact, or the expected one.
    pub actual: Option<NaiveDate>,
    /// Whether `actual` is expected, not yet a fact.
    pub is_forecast: bool,
    /// How it stands.
    pub status: Status,
    /// A short remark; empty for the slip in days.
    pub note: String,
}

/// A judgement: always shown as colour and shape together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// On plan.
    Good,
    /// Attention.
    Attention,
    /// Bad.
    Bad,
    /// No judgement.
    #[default]
    None,
}

/// Half the width of a mark.
const RADIUS: f64 = 6.0;

impl MilestonesChart {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        if self.rows.is_empty() {
            return canvas.say_empty();
        }
        let bounds = canvas.bounds;
        let names = self.names_width(canvas);
        let has_years = self.from.year() != self.to.year();
        let top = bounds.top + if has_years { 34.0 } else { 20.0 };
        let foot = if self.today.is_some() { 18.0 } else { 0.0 };
        let has_codes = self.rows.iter().any(|row| !row.code.is_empty());
        let (least, most) = if has_codes { (32.0, 42.0) } else { (20.0, 34.0) };
        let rows = Rows::new(Area { top, bottom: bounds.bottom - foot, ..bounds }, self.rows.len(), least, most);
        let notes = self.rows.iter().filter_map(|row| self.note(canvas, row));
        let style = canvas.name_style(Anchor::Start);
        let notes = notes.map(|note| canvas.width(&note, style)).fold(0.0, f64::max).min(bounds.width() * 0.2);
        let plot = Area::new(bounds.left + names + 18.0, top, bounds.right - notes - 6.0, rows.bottom());
        let days = (0.0, day(self.to).max(day(self.from) + 1.0) - day(self.from));
        let scale = Scale::new(days, (plot.left + RADIUS, plot.right - RADIUS));
        let at = |date: NaiveDate| scale.at(day(date) - day(self.from));
        self.draw_calendar(canvas, plot, at);
        if let Some(today) = self.today.filter(|today| (self.from..=self.to).contains(today)) {
            draw_today(canvas, plot, at(today));
        }
        for (index, row) in self.rows.iter().take(rows.n_shown).enumerate() {
            let middle = rows.middle(index);
            draw_names(canvas, row, (bounds.left, middle), names, rows);
            self.draw_marks(canvas, row, plot, middle, at);
        }
        rows.draw_rest(canvas, bounds.left, Anchor::Start);
    }

    /// Height of all rows and the calendar.
    pub(super) fn height(&self) -> u32 {
        let has_codes = self.rows.iter().any(|row| !row.code.is_empty());
        rows_height(self.rows.len(), if has_codes { 38 } else { 30 }, 54)
    }

    fn names_width(&self, canvas: &Canvas<'_>) -> f64 {
        let style = canvas.name_style(Anchor::Start);
        let texts = self.rows.iter().flat_map(|row| [row.label.as_str(), row.code.as_str()]);
        texts.map(|text| canvas.width(text, style)).fold(0.0, f64::max).min(canvas.bounds.width() * 0.4)
    }

    /// Hairlines at the starts of months, quarters or years, as dense as their names allow.
    fn draw_calendar(&self, canvas: &mut Canvas<'_>, plot: Area, at: impl Fn(NaiveDate) -> f64) {
        let style = canvas.axis_style(Anchor::Middle);
        let days = (day(self.to) - day(self.from)).max(1.0);
        let per_day = plot.width() / days;
        let widest = canvas.width("мар", style) + 6.0;
        let (grain, n_months) = match per_day {
            per_day if per_day * 30.4 >= widest => (Grain::Month, 1),
            per_day if per_day * 91.0 >= widest => (Grain::Quarter, 3),
            _ => (Grain::Year, 12),
        };
        let mut start = grain.start(self.from);
        let mut shown_year = None;
        while start <= self.to {
            let next = grain.next(start);
            let (left, right) = (at(start.max(self.from)), at(next.min(self.to)));
            if start >= self.from {
                canvas.line((left, plot.top), (left, plot.bottom), Stroke::solid(canvas.tokens.hairline, 1.0));
            }
            let name = match n_months {
                1 => short_month_name(start, canvas.lang),
                3 => ["I", "II", "III", "IV"][(start.month0() / 3) as usize].to_owned(),
                _ => start.year().to_string(),
            };
            let top = plot.top - 8.0;
            if right - left >= canvas.width(&name, style) + 1.0 {
                canvas.text(&name, (f64::midpoint(left, right), top), style);
                if n_months < 12 && self.from.year() != self.to.year() && shown_year != Some(start.year()) {
                    shown_year = Some(start.year());
                    canvas.text(&start.year().to_string(), (f64::midpoint(left, right), top - 14.0), style);
                }
            }
            start = next;
        }
    }

    /// The plan as an open mark, the fact as a full one, the slip as the way between them.
    fn draw_marks(
        &self,
        canvas: &mut Canvas<'_>,
        row: &MilestoneMark,
        plot: Area,
        middle: f64,
        at: impl Fn(NaiveDate) -> f64,
    ) {
        let tokens = canvas.tokens;
        let colour = tokens.of_status(row.status).unwrap_or(tokens.secondary);
        let planned = at(row.planned);
        let end = row.actual.map(&at);
        if let Some(end) = end.filter(|end| (end - planned).abs() > 2.0 * RADIUS) {
            let edge = end - RADIUS.copysign(end - planned);
            canvas.line((planned, middle), (edge, middle), Stroke::dashed(colour, 1.4, "2 2"));
        }
        canvas.diamond((planned, middle), RADIUS, tokens.card, Some(tokens.ink));
        canvas.hint(format!("{} · {} {}", row.label, canvas.lang.pick("план", "planned"), format_date(row.planned)));
        if let (Some(end), Some(actual)) = (end, row.actual) {
            if row.is_forecast {
                canvas.diamond((end, middle), RADIUS, colour, None);
                canvas.fade(0.3);
                canvas.diamond_edge((end, middle), RADIUS, colour);
            } else {
                canvas.diamond((end, middle), RADIUS, colour, Some(colour));
            }
            let word = if row.is_forecast {
                canvas.lang.pick("прогноз", "expected")
            } else {
                canvas.lang.pick("факт", "done")
            };
            canvas.hint(format!("{} · {word} {}", row.label, format_date(actual)));
        }
        if let Some(note) = self.note(canvas, row) {
            draw_note(canvas, &note, (planned, end), middle, (plot, colour));
        }
    }

    /// The remark of a milestone, else its slip where there is one.
    fn note(&self, canvas: &Canvas<'_>, row: &MilestoneMark) -> Option<String> {
        if !row.note.is_empty() {
            return Some(row.note.clone());
        }
        self.days_late(row).filter(|days| *days != 0).map(|days| slip(canvas, days))
    }

    /// Days from the plan to the fact, or to today where there is no fact yet.
    fn days_late(&self, row: &MilestoneMark) -> Option<i64> {
        let end = row.actual.or_else(|| self.today.filter(|today| *today > row.planned))?;
        Some((end - row.planned).num_days())
    }
}

/// The line of today with its word.
fn draw_today(canvas: &mut Canvas<'_>, plot: Area, x: f64) {
    let colour = canvas.tokens.subject;
    canvas.line((x, plot.top - 4.0), (x, plot.bottom + 4.0), Stroke::solid(colour, 1.4));
    let style = TextStyle { colour, ..canvas.axis_style(Anchor::Middle) };
    let word = canvas.lang.pick("сегодня", "today");
    canvas.text(word, (x, plot.bottom + 16.0), style);
}

/// The slip in words: `+16 дн.`
fn slip(canvas: &Canvas<'_>, days: i64) -> String {
    let days = i32::try_from(days).map_or(f64::MAX, f64::from);
    format!("{}{THIN_SPACE}{}", format_change(days, 0, canvas.lang), canvas.lang.pick("дн.", "d."))
}

/// The note right of the marks, or left of them where the right has no room.
fn draw_note(
    canvas: &mut Canvas<'_>,
    note: &str,
    (planned, end): (f64, Option<f64>),
    middle: f64,
    (plot, colour): (Area, Colour),
) {
    let style =
        TextStyle { size: 12.0, colour: canvas.tokens.as_text(colour), halo: true, ..canvas.name_style(Anchor::Start) };
    let (first, last) = end.map_or((planned, planned), |end| (planned.min(end), planned.max(end)));
    let (before, after) = (first - plot.left - RADIUS - 5.0, canvas.bounds.right - last - RADIUS - 5.0);
    let width = canvas.width(note, style);
    let is_right = width <= after || after >= before;
    let text = canvas.fonts.shorten(note, if is_right { after } else { before }, style.size, style.weight);
    if is_right {
        canvas.text(&text, (last + RADIUS + 5.0, middle + 4.2), style);
    } else {
        canvas.text(&text, (first - RADIUS - 5.0, middle + 4.2), TextStyle { anchor: Anchor::End, ..style });
    }
}

/// The code in grey over the name.
fn draw_names(canvas: &mut Canvas<'_>, row: &MilestoneMark, (x, middle): (f64, f64), limit: f64, rows: Rows) {
    if row.code.is_empty() {
        return draw_name(canvas, &row.label, (x, middle), limit, rows, Anchor::Start);
    }
    let style = canvas.axis_style(Anchor::Start);
    let code = canvas.fonts.shorten(&row.code, limit, style.size, style.weight);
    canvas.text(&code, (x, middle - 3.5), style);
    let mut single = rows;
    single.height = 20.0;
    draw_name(canvas, &row.label, (x, middle + 7.5), limit, single, Anchor::Start);
}

/// Days since a fixed day.
fn day(date: NaiveDate) -> f64 {
    f64::from(date.num_days_from_ce())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_milestone_without_a_fact_slips_until_today() {
        let date = |day| NaiveDate::from_ymd_opt(2026, 8, day).unwrap();
        let chart = MilestonesChart { from: date(1), to: date(31), today: Some(date(20)), rows: Vec::new() };
        let mark = MilestoneMark { planned: date(10), ..MilestoneMark::default() };
        assert_eq!(chart.days_late(&mark), Some(10));
        assert_eq!(chart.days_late(&MilestoneMark { actual: Some(date(8)), ..mark.clone() }), Some(-2));
        assert_eq!(chart.days_late(&MilestoneMark { planned: date(25), ..mark }), None);
    }
}
