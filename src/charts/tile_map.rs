//! Territories as equal tiles in their rough places.

use super::canvas::{Anchor, Area, Canvas, TextStyle};
use super::font::Weight;
use super::scale::Numbers;
use super::series::absent_sign;
use super::steps::{Steps, state_words};
use crate::domain::figure::{Figure, State};

/// A map of tiles.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TileMap {
    /// The tiles in any order.
    pub tiles: Vec<Tile>,
    /// Symbol of the unit.
    pub unit: String,
    /// Decimals of the values.
    pub decimals: usize,
}

/// One territory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tile {
    /// Four letters or so.
    pub label: String,
    /// The whole name.
    pub name: String,
    /// Column from the left.
    pub column: u32,
    /// Row from the top.
    pub row: u32,
    /// Its value.
    pub figure: Figure,
}

/// Height of the scale of colours under the map.
const KEY_HEIGHT: f64 = 30.0;

impl TileMap {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        let Some(steps) = Steps::over(self.tiles.iter().filter_map(|tile| tile.figure.value)) else {
            return canvas.say_empty();
        };
        let numbers =
            Numbers::of_values(self.tiles.iter().map(|tile| &tile.figure), self.decimals, &self.unit, canvas.lang);
        let (first_column, n_columns) = span(self.tiles.iter().map(|tile| tile.column));
        let (first_row, n_rows) = span(self.tiles.iter().map(|tile| tile.row));
        let bounds = canvas.bounds;
        let side = (bounds.width() / n_columns).min((bounds.height() - KEY_HEIGHT) / n_rows).clamp(4.0, 72.0);
        let left = bounds.left + (bounds.width() - side * n_columns).max(0.0) / 2.0;
        for tile in &self.tiles {
            let x = left + side * f64::from(tile.column - first_column);
            let y = bounds.top + side * f64::from(tile.row - first_row);
            let area = Area::new(x + 1.0, y + 1.0, x + side - 1.0, y + side - 1.0);
            draw_tile(canvas, area, tile, steps, &numbers);
        }
        let key_top = bounds.top + side * n_rows + 8.0;
        let has_unreported = self.tiles.iter().any(|tile| tile.figure.state == State::NotReported);
        steps.draw_key(canvas, key_top.min(bounds.bottom - 18.0), &numbers, has_unreported);
    }

    /// Height in which the tiles fill the width.
    pub(super) fn height(&self, width: u32) -> u32 {
        let (_, n_columns) = span(self.tiles.iter().map(|tile| tile.column));
        let (_, n_rows) = span(self.tiles.iter().map(|tile| tile.row));
        let side = (f64::from(width) / n_columns).min(64.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of floats saturates")]
        let height = (side * n_rows + KEY_HEIGHT).min(4000.0) as u32;
        height
    }
}

/// One tile: its letters over its number, as far as they fit.
fn draw_tile(canvas: &mut Canvas<'_>, area: Area, tile: &Tile, steps: Steps, numbers: &Numbers) {
    let mut ink = canvas.tokens.secondary;
    if let Some(value) = tile.figure.value {
        let ground = canvas.tokens.sequential[steps.of(value, canvas.tokens.sequential.len())];
        ink = ground.text();
        canvas.rectangle(area, ground, 3.0);
    } else {
        canvas.rectangle(area, canvas.tokens.hairline, 3.0);
        canvas.fade(0.4);
        if tile.figure.state == State::NotReported {
            canvas.hatch(area);
        }
    }
    let number =
        tile.figure.value.map_or_else(|| absent_sign(tile.figure.state).to_owned(), |value| numbers.bare(value));
    let words = tile.figure.value.map_or_else(|| state_words(canvas, tile.figure.state), |value| numbers.full(value));
    let hint = format!("{} · {words}", tile.name);
    canvas.hint(hint.clone());
    let (x, y) = area.middle();
    let halo = tile.figure.state == State::NotReported;
    let label = TextStyle { size: 10.5, colour: ink, halo, ..canvas.name_style(Anchor::Middle) };
    let value = TextStyle { size: 12.5, weight: Weight::SemiBold, ..label };
    let room = area.width() - 2.0;
    if area.height() >= 30.0 {
        let text = canvas.fonts.shorten(&tile.label, room, label.size, label.weight);
        canvas.text(&text, (x, y - 3.0), label);
        canvas.hint(hint.clone());
        if canvas.width(&number, value) <= room {
            canvas.text(&number, (x, y + 12.0), value);
            canvas.hint(hint);
        }
    } else if area.height() >= 14.0 && canvas.width(&tile.label, label) <= room {
        canvas.text(&tile.label, (x, y + 3.6), label);
    }
}

/// The first of some positions, and how many there are up to the last.
fn span(positions: impl Iterator<Item = u32> + Clone) -> (u32, f64) {
    let first = positions.clone().min().unwrap_or(0);
    let last = positions.max().unwrap_or(0);
    (first, f64::from(last - first) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_both_ends() {
        assert_eq!(span([3, 5, 4].into_iter()), (3, 3.0));
        assert_eq!(span([].into_iter()), (0, 1.0));
    }
}
