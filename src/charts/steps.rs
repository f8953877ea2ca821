//! Steps of colour over a range of values, and the key that explains them.

use super::canvas::{Anchor, Area, Canvas};
use super::scale::{Numbers, range};
use super::series::count;
use crate::domain::figure::State;

/// Steps of colour over a range of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Steps {
    low: f64,
    high: f64,
    is_logarithmic: bool,
}

impl Steps {
    /// Even steps, or even ratios where the largest value is far above the smallest.
    pub(super) fn over(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (low, high) = range(values)?;
        let is_logarithmic = low >= 0.0 && high > 40.0 * low.max(1.0);
        Some(Self { low, high, is_logarithmic })
    }

    /// The step of a value, counted from 0, of `n_steps`.
    pub(super) fn of(self, value: f64, n_steps: usize) -> usize {
        let place = |value: f64| if self.is_logarithmic { value.max(0.0).ln_1p() } else { value };
        let span = place(self.high) - place(self.low);
        if span <= 0.0 {
            return if self.high == 0.0 { 0 } else { n_steps / 2 };
        }
        let share = ((place(value) - place(self.low)) / span).clamp(0.0, 1.0);
        (1..n_steps).take_while(|step| share >= count(*step) / count(n_steps)).count()
    }

    /// From the lowest to the highest value.
    pub(super) fn span(self) -> f64 {
        self.high - self.low
    }

    /// The steps between the lowest and the highest value, and the hatching where something uses it.
    pub(super) fn draw_key(self, canvas: &mut Canvas<'_>, top: f64, numbers: &Numbers, has_unreported: bool) {
        let style = canvas.axis_style(Anchor::Start);
        let mut x = canvas.bounds.left;
        let from = numbers.bare(self.low);
        canvas.text(&from, (x, top + 10.0), style);
        x += canvas.width(&from, style) + 6.0;
        let step = ((canvas.bounds.width() - 150.0) / 7.0).clamp(6.0, 22.0);
        for colour in canvas.tokens.sequential {
            canvas.rectangle(Area::new(x, top + 1.0, x + step - 1.0, top + 10.0), colour, 1.0);
            x += step;
        }
        let to = numbers.full(self.high);
        canvas.text(&to, (x + 5.0, top + 10.0), style);
        x += canvas.width(&to, style) + 24.0;
        let words = state_words(canvas, State::NotReported);
        if has_unreported && x + 16.0 + canvas.width(&words, style) <= canvas.bounds.right {
            canvas.hatch(Area::new(x, top, x + 11.0, top + 11.0));
            canvas.text(&words, (x + 16.0, top + 10.0), style);
        }
    }
}

/// A state in words, for hints.
pub(super) fn state_words(canvas: &Canvas<'_>, state: State) -> String {
    let (ru, en) = match state {
        State::Suppressed => ("скрыто", "suppressed"),
        State::NotDue => ("срок не наступил", "not due"),
        State::NotReported => ("не отчитался", "not reported"),
        State::Missing | State::Value | State::Provisional => ("нет данных", "no data"),
    };
    canvas.lang.pick(ru, en).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_the_range_evenly() {
        let steps = Steps::over([0.0, 70.0].into_iter()).unwrap();
        let even = Steps { is_logarithmic: false, ..steps };
        assert_eq!([0.0, 9.0, 35.0, 70.0].map(|value| even.of(value, 7)), [0, 0, 3, 6]);
        assert!(steps.is_logarithmic, "from nothing to many");
        assert_eq!(Steps::over([5.0, 5.0].into_iter()).unwrap().of(5.0, 7), 3);
        assert_eq!(Steps::over([0.0].into_iter()).unwrap().of(0.0, 7), 0);
    }
}
