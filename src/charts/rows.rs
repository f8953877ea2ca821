//! What charts of named rows share: how tall rows are, how wide names may be, and how names are written.

use super::canvas::{Anchor, Area, Canvas, Stroke, TextStyle};
use super::series::{absent_sign, count};
use crate::domain::figure::{Figure, State};

/// Rows from the top of an area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rows {
    pub(super) top: f64,
    pub(super) height: f64,
    /// How many rows are drawn; the others are only counted.
    pub(super) n_shown: usize,
    n_all: usize,
}

impl Rows {
    /// Rows between `least` and `most` pixels tall; those that find no room are left out.
    pub(super) fn new(area: Area, n_rows: usize, least: f64, most: f64) -> Self {
        let height = (area.height() / count(n_rows.max(1))).clamp(least, most);
        if height * count(n_rows) <= area.height() + 0.5 {
            return Self { top: area.top, height, n_shown: n_rows, n_all: n_rows };
        }
        let n_fit = (0..n_rows).rev().find(|n_fit| least * count(n_fit + 1) <= area.height()).unwrap_or(0);
        Self { top: area.top, height: least, n_shown: n_fit, n_all: n_rows }
    }

    /// The middle of a row.
    pub(super) fn middle(self, row: usize) -> f64 {
        self.top + self.height * (count(row) + 0.5)
    }

    /// Where the rows end.
    pub(super) fn bottom(self) -> f64 {
        self.top + self.height * count(self.n_shown)
    }

    /// Tells how many rows were left out.
    pub(super) fn draw_rest(self, canvas: &mut Canvas<'_>, x: f64, anchor: Anchor) {
        let n_left = self.n_all - self.n_shown;
        if n_left > 0 {
            let text = format!("{} {n_left}", canvas.lang.pick("и ещё", "and more:"));
            let style = canvas.axis_style(anchor);
            canvas.text(&text, (x, self.middle(self.n_shown) + 4.0), style);
        }
    }
}

/// Width of the column of names: the widest name, but no more than a share of the chart.
pub(super) fn names_width<'a>(canvas: &Canvas<'_>, names: impl Iterator<Item = &'a str>, share: f64) -> f64 {
    let style = canvas.name_style(Anchor::Start);
    let widest = names.map(|name| canvas.width(name, style)).fold(0.0, f64::max);
    widest.min(canvas.bounds.width() * share)
}

/// A name in its row, in two lines where one is too short and the row is tall enough.
pub(super) fn draw_name(
    canvas: &mut Canvas<'_>,
    name: &str,
    (x, middle): (f64, f64),
    limit: f64,
    rows: Rows,
    anchor: Anchor,
) {
    let style = canvas.name_style(anchor);
    let is_tight = canvas.width(name, style) > limit;
    let style = if is_tight { TextStyle { size: 12.0, ..style } } else { style };
    let n_lines = if rows.height >= 27.0 { 2 } else { 1 };
    let lines = canvas.fonts.wrap(name, limit + 0.01, style.size, style.weight, n_lines);
    let leading = 13.5;
    let baseline = middle - (count(lines.len()) - 1.0) * leading / 2.0 + style.size * 0.35;
    canvas.lines(&lines, (x, baseline), leading, style);
    if lines.iter().any(|line| line.ends_with('…')) {
        canvas.hint(name.to_owned());
    }
}

/// What stands in a row, from `x` on, instead of a value that is not there.
pub(super) fn draw_absent(canvas: &mut Canvas<'_>, figure: Figure, (x, middle): (f64, f64), room: f64) {
    let style = canvas.axis_style(Anchor::Start);
    if figure.state == State::NotReported {
        let swatch = Area::new(x, middle - 7.0, x + room.min(36.0), middle + 7.0);
        canvas.hatch(swatch);
        let words = canvas.lang.pick("не отчитался", "not reported");
        if canvas.width(words, style) + 42.0 <= room {
            canvas.text(words, (x + 42.0, middle + 4.0), style);
        }
    } else {
        canvas.text(absent_sign(figure.state), (x, middle + 4.0), style);
    }
}

/// The line that bars grow from.
pub(super) fn draw_base(canvas: &mut Canvas<'_>, from: (f64, f64), to: (f64, f64)) {
    let colour = canvas.tokens.context;
    canvas.line(from, to, Stroke::solid(colour, 1.0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_room_are_left_out() {
        let area = Area::new(0.0, 0.0, 100.0, 100.0);
        let rows = Rows::new(area, 4, 18.0, 30.0);
        assert_eq!((rows.n_shown, rows.height), (4, 25.0));
        let rows = Rows::new(area, 40, 18.0, 30.0);
        assert_eq!((rows.n_shown, rows.height), (4, 18.0), "one line is kept for the rest");
    }
}
