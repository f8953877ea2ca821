//! A small line without axes.

use super::canvas::{Canvas, Stroke};
use super::scale::{Scale, range};
use super::series::count;
use crate::domain::figure::Figure;

/// A line of a few pixels' height that ends in a dot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sparkline {
    /// The figures in order.
    pub points: Vec<Figure>,
}

impl Sparkline {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        let bounds = canvas.bounds;
        let colour = canvas.tokens.subject;
        let Some((low, high)) = range(self.points.iter().filter_map(|point| point.value)) else {
            let (_, y) = bounds.middle();
            let stroke = Stroke::dashed(canvas.tokens.context, 1.0, "2 3");
            return canvas.line((bounds.left + 2.0, y), (bounds.right - 2.0, y), stroke);
        };
        let last = count(self.points.len().saturating_sub(1));
        let across = Scale::new((0.0, last), (bounds.left + 2.0, bounds.right - 4.5));
        let (_, middle) = bounds.middle();
        let up = Scale::new((low, high), ((bounds.bottom - 4.5).max(middle), (bounds.top + 4.5).min(middle)));
        let mut run: Vec<(f64, f64)> = Vec::new();
        let mut end = None;
        for (index, point) in self.points.iter().enumerate() {
            match point.value {
                Some(value) => {
                    let place = (across.at(count(index)), up.at(value));
                    run.push(place);
                    end = Some(place);
                }
                None => draw_run(canvas, &std::mem::take(&mut run)),
            }
        }
        draw_run(canvas, &run);
        if let Some(place) = end {
            canvas.circle(place, 2.8, colour);
        }
    }
}

/// One unbroken part; a lone point is a dot.
fn draw_run(canvas: &mut Canvas<'_>, points: &[(f64, f64)]) {
    let colour = canvas.tokens.subject;
    match points {
        [] => {}
        [point] => canvas.circle(*point, 1.4, colour),
        points => canvas.path(points, Stroke::solid(colour, 1.6)),
    }
}
