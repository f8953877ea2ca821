//! Hairlines with numbers for values, and labels of buckets for time.

use chrono::{Datelike, NaiveDate};

use super::canvas::{Anchor, Area, Canvas, Stroke};
use super::scale::{Numbers, Scale, Ticks};
use crate::domain::language::Lang;
use crate::domain::number::short_month_name;
use crate::domain::period::Grain;

/// Labels of buckets for a time axis: the year stands after a line break, and charts show it where it changes.
#[must_use]
pub fn bucket_labels(starts: &[NaiveDate], grain: Grain, lang: Lang) -> Vec<String> {
    starts
        .iter()
        .map(|start| match grain {
            Grain::Day | Grain::Week => format!("{:02}.{:02}\n{}", start.day(), start.month(), start.year()),
            Grain::Month => format!("{}\n{}", short_month_name(*start, lang), start.year()),
            Grain::Quarter => {
                let roman = ["I", "II", "III", "IV"][(start.month0() / 3) as usize];
                format!("{roman} {}\n{}", lang.pick("кв.", "q."), start.year())
            }
            Grain::HalfYear => {
                grain.label(*start, lang).replace(&format!(" {}", start.year()), &format!("\n{}", start.year()))
            }
            Grain::Year => start.year().to_string(),
        })
        .collect()
}

/// A label as one line, for hints: `янв 2026`.
pub(super) fn bucket_name(label: &str) -> String {
    label.replace('\n', " ")
}

/// Whether any label has a second line.
fn has_years(buckets: &[String]) -> bool {
    buckets.iter().any(|label| label.contains('\n'))
}

/// Height that the labels of the buckets need.
pub(super) fn bucket_axis_height(buckets: &[String]) -> f64 {
    if has_years(buckets) { 36.0 } else { 22.0 }
}

/// Labels of the buckets under the plot: as many as fit without touching, the year where it changes.
pub(super) fn draw_buckets(canvas: &mut Canvas<'_>, buckets: &[String], at: impl Fn(usize) -> f64, bottom: f64) {
    let style = canvas.axis_style(Anchor::Middle);
    let mut year = "";
    let names: Vec<(&str, &str)> = buckets
        .iter()
        .map(|label| {
            let (name, own_year) = label.split_once('\n').unwrap_or((label, year));
            year = own_year;
            (name, own_year)
        })
        .collect();
    let widest = names.iter().map(|(name, _)| canvas.width(name, style)).fold(0.0, f64::max);
    let slot = if buckets.len() > 1 { (at(1) - at(0)).abs() } else { canvas.bounds.width() };
    let widest = if buckets.len() > 1 { widest.min(canvas.bounds.width() / 2.0) } else { widest };
    let stride = (1..=buckets.len().max(1))
        .filter(|stride| [1, 2, 3, 4, 6, 12].contains(stride) || stride % 12 == 0)
        .find(|stride| slot * f64::from(u32::try_from(*stride).unwrap_or(1)) >= widest + 8.0)
        .unwrap_or_else(|| buckets.len().max(1));
    let mut shown_year = "";
    for (index, (name, year)) in names.iter().enumerate().step_by(stride) {
        let x = at(index);
        let name = canvas.fonts.shorten(name, canvas.bounds.width() / 2.0, style.size, style.weight);
        canvas.text(&name, (x, bottom + 16.0), style);
        if *year != shown_year {
            canvas.text(year, (x, bottom + 30.0), style);
            shown_year = year;
        }
    }
}

/// Hairlines across the plot with their numbers on the left; the zero line is darker where values fall below it.
pub(super) fn draw_values(canvas: &mut Canvas<'_>, plot: Area, scale: Scale, ticks: &Ticks, numbers: &Numbers) {
    let style = canvas.axis_style(Anchor::End);
    let tokens = canvas.tokens;
    for value in &ticks.values {
        let y = scale.at(*value);
        let is_base = *value == 0.0 && ticks.low < 0.0;
        let colour = if is_base { tokens.context } else { tokens.hairline };
        canvas.line((plot.left, y), (plot.right, y), Stroke::solid(colour, 1.0));
        canvas.text(&numbers.tick(*value), (plot.left - 8.0, y + 4.0), style);
    }
}

/// Width that the numbers of the hairlines need.
pub(super) fn value_axis_width(canvas: &Canvas<'_>, ticks: &Ticks, numbers: &Numbers) -> f64 {
    let style = canvas.axis_style(Anchor::End);
    ticks.values.iter().map(|value| canvas.width(&numbers.tick(*value), style)).fold(0.0, f64::max) + 9.0
}

/// The magnitude and unit once above the axis; returns the height that it takes.
pub(super) fn draw_heading(canvas: &mut Canvas<'_>, numbers: &Numbers, has_remarks: bool) -> f64 {
    let heading = numbers.heading();
    if heading.is_empty() {
        return if has_remarks { 20.0 } else { 8.0 };
    }
    let style = canvas.axis_style(Anchor::Start);
    let limit = canvas.bounds.width() * if has_remarks { 0.3 } else { 1.0 };
    let heading = canvas.fonts.shorten(&heading, limit, style.size, style.weight);
    let place = (canvas.bounds.left, canvas.bounds.top + 11.0);
    canvas.text(&heading, place, style);
    24.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_carry_their_year_after_a_line_break() {
        let starts = [NaiveDate::from_ymd_opt(2025, 12, 1).unwrap(), NaiveDate::from_ymd_opt(2026, 1, 1).unwrap()];
        assert_eq!(bucket_labels(&starts, Grain::Month, Lang::Ru), ["дек\n2025", "янв\n2026"]);
        assert_eq!(bucket_labels(&starts, Grain::Quarter, Lang::En), ["IV q.\n2025", "I q.\n2026"]);
        assert_eq!(bucket_labels(&starts, Grain::Year, Lang::Ru), ["2025", "2026"]);
    }
}
