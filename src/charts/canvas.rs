//! A sheet to draw on in pixels: the only place that calls the drawing library's elements.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, IntoFont as _, RGBColor, ShapeStyle};

use super::font::{Fonts, Weight, family};
use super::svg::{Extra, UNITS, is_allowed};
use super::theme::{Colour, Tokens};
use super::{ChartError, Frame};
use crate::domain::language::Lang;

/// Size of axis text.
pub(super) const AXIS_SIZE: f64 = 11.5;

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    pub(super) fn new(left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self { left, top, right: right.max(left), bottom: bottom.max(top) }
    }

    pub(super) fn width(self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn middle(self) -> (f64, f64) {
        (f64::midpoint(self.left, self.right), f64::midpoint(self.top, self.bottom))
    }
}

/// Which end of a text stands at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextStyle {
    pub(super) size: f64,
    pub(super) weight: Weight,
    pub(super) colour: Colour,
    pub(super) anchor: Anchor,
    /// Whether a halo of the card's colour keeps lines behind the text apart from it.
    pub(super) halo: bool,
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub(super) colour: Colour,
    pub(super) width: f64,
    pub(super) dash: &'static str,
}

impl Stroke {
    pub(super) fn solid(colour: Colour, width: f64) -> Self {
        Self { colour, width, dash: "" }
    }

    pub(super) fn dashed(colour: Colour, width: f64, dash: &'static str) -> Self {
        Self { colour, width, dash }
    }
}

/// The sheet.
pub(super) struct Canvas<'a> {
    sheet: DrawingArea<SVGBackend<'a>, Shift>,
    extras: Vec<Extra>,
    failure: Option<String>,
    full: Area,
    pub(super) bounds: Area,
    pub(super) fonts: &'static Fonts,
    pub(super) tokens: &'static Tokens,
    pub(super) lang: Lang,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(target: &'a mut String, frame: &Frame, fonts: &'static Fonts) -> Self {
        let full = Area::new(0.0, 0.0, f64::from(frame.width), f64::from(frame.height));
        let size = (unsigned(full.right * UNITS), unsigned(full.bottom * UNITS));
        Self {
            sheet: SVGBackend::with_string(target, size).into_drawing_area(),
            extras: Vec::new(),
            failure: None,
            full,
            bounds: full,
            fonts,
            tokens: frame.theme.tokens(),
            lang: frame.lang,
        }
    }

    /// Ends the drawing; the extra attributes of each element are what is left to merge.
    pub(super) fn finish(self) -> Result<Vec<Extra>, ChartError> {
        self.sheet.present().map_err(|error| ChartError::Draw { message: error.to_string() })?;
        match self.failure {
            Some(message) => Err(ChartError::Draw { message }),
            None => Ok(self.extras),
        }
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        self.path(&[from, to], stroke);
    }

    pub(super) fn path(&mut self, points: &[(f64, f64)], stroke: Stroke) {
        let mut attributes = vec![("stroke-linejoin", "round".to_owned())];
        if stroke.dash.is_empty() {
            attributes.push(("stroke-linecap", "round".to_owned()));
        } else {
            attributes.push(("stroke-dasharray", stroke.dash.to_owned()));
        }
        let points: Vec<(i32, i32)> = points.iter().map(|point| place(*point)).collect();
        let style = paint(stroke.colour).stroke_width(unsigned(stroke.width * UNITS));
        self.draw(&PathElement::new(points, style), attributes);
    }

    pub(super) fn polygon(&mut self, points: &[(f64, f64)], fill: Colour) {
        let points: Vec<(i32, i32)> = points.iter().map(|point| place(*point)).collect();
        self.draw(&Polygon::new(points, paint(fill)), Vec::new());
    }

    pub(super) fn rectangle(&mut self, area: Area, fill: Colour, radius: f64) {
        let corners = [place((area.left, area.top)), place((area.right, area.bottom))];
        let attributes = if radius > 0.0 { vec![("rx", number(radius))] } else { Vec::new() };
        self.draw(&Rectangle::new(corners, paint(fill)), attributes);
    }

    pub(super) fn circle(&mut self, centre: (f64, f64), radius: f64, fill: Colour) {
        self.draw(&Circle::new(place(centre), whole(radius * UNITS), paint(fill)), Vec::new());
    }

    /// A circle of the card's colour with a coloured edge.
    pub(super) fn ring(&mut self, centre: (f64, f64), radius: f64, colour: Colour, width: f64) {
        let edge = vec![("stroke", colour.hex()), ("stroke-width", number(width))];
        self.draw(&Circle::new(place(centre), whole(radius * UNITS), paint(self.tokens.card)), edge);
    }

    /// A square on its corner; with an edge it is filled by the card's colour.
    pub(super) fn diamond(&mut self, (x, y): (f64, f64), radius: f64, fill: Colour, edge: Option<Colour>) {
        let points = [(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)].map(place);
        let attributes = edge.map_or_else(Vec::new, |colour| {
            vec![("stroke", colour.hex()), ("stroke-width", "1.3".to_owned()), ("stroke-linejoin", "round".to_owned())]
        });
        self.draw(&Polygon::new(points.to_vec(), paint(fill)), attributes);
    }

    /// The outline of a square on its corner.
    pub(super) fn diamond_edge(&mut self, (x, y): (f64, f64), radius: f64, colour: Colour) {
        let corners = [(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y), (x, y - radius)];
        self.path(&corners, Stroke::solid(colour, 1.3));
    }

    /// Diagonal hairlines: not reported.
    pub(super) fn hatch(&mut self, area: Area) {
        let stroke = Stroke::solid(self.tokens.context, 0.8);
        let gap = 6.0;
        let mut offset = area.left - area.height() + gap / 2.0;
        while offset < area.right {
            let start = offset.max(area.left);
            let end = (offset + area.height()).min(area.right);
            if end - start > 0.5 {
                let from = (start, area.bottom - (start - offset));
                self.line(from, (end, area.bottom - (end - offset)), stroke);
                self.fade(0.65);
            }
            offset += gap;
        }
    }

    /// Text on a baseline. A text that would leave the sheet is moved inside, and cut if it is wider than the sheet.
    pub(super) fn text(&mut self, text: &str, (x, y): (f64, f64), style: TextStyle) {
        let text: String = text.chars().map(|letter| if is_allowed(letter) { letter } else { ' ' }).collect();
        let text = self.fonts.shorten(text.trim(), self.full.width() - 2.0, style.size, style.weight);
        if text.is_empty() {
            return;
        }
        let width = self.width(&text, style);
        let lead = match style.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width / 2.0,
            Anchor::End => width,
        };
        let left = (x - lead).min(self.full.right - width - 0.5).max(0.5);
        let y = y.clamp(style.size * 0.8, (self.full.bottom - style.size * 0.25).max(style.size * 0.8));
        let horizontal = match style.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let mut attributes = vec![("font-size", number(style.size))];
        if style.weight != Weight::Regular {
            attributes.push(("font-weight", style.weight.number().to_string()));
        }
        if style.halo {
            attributes.push(("paint-order", "stroke".to_owned()));
            attributes.push(("stroke", self.tokens.card.hex()));
            attributes.push(("stroke-width", "4".to_owned()));
            attributes.push(("stroke-linejoin", "round".to_owned()));
        }
        let (red, green, blue) = style.colour.channels();
        let font = (family(style.weight), style.size * UNITS)
            .into_font()
            .color(&RGBColor(red, green, blue))
            .pos(Pos::new(horizontal, VPos::Bottom));
        self.draw(&Text::new(text, place((left + lead, y)), font), attributes);
    }

    /// Lines of text, the first on the given baseline.
    pub(super) fn lines(&mut self, lines: &[String], (x, mut y): (f64, f64), leading: f64, style: TextStyle) {
        for line in lines {
            self.text(line, (x, y), style);
            y += leading;
        }
    }

    /// Shows a text when the pointer rests on the element drawn last.
    pub(super) fn hint(&mut self, text: String) {
        if let Some(extra) = self.extras.last_mut() {
            extra.hint = text;
        }
    }

    /// Makes the element drawn last paler. Pale marks are faded and not mixed, so that every colour of a drawing is a
    /// token, which a page may replace by that of another theme.
    pub(super) fn fade(&mut self, opacity: f64) {
        if let Some(extra) = self.extras.last_mut() {
            extra.attributes.push(("opacity", number(opacity)));
        }
    }

    pub(super) fn width(&self, text: &str, style: TextStyle) -> f64 {
        self.fonts.width(text, style.size, style.weight)
    }

    /// Small grey text of axes and remarks.
    pub(super) fn axis_style(&self, anchor: Anchor) -> TextStyle {
        TextStyle { size: AXIS_SIZE, weight: Weight::Regular, colour: self.tokens.secondary, anchor, halo: false }
    }

    /// Text of names and values.
    pub(super) fn name_style(&self, anchor: Anchor) -> TextStyle {
        TextStyle { size: 13.0, weight: Weight::Regular, colour: self.tokens.ink, anchor, halo: false }
    }

    /// One sentence in the middle instead of a chart.
    pub(super) fn say_empty(&mut self) {
        let (x, y) = self.bounds.middle();
        let style = TextStyle { colour: self.tokens.secondary, ..self.name_style(Anchor::Middle) };
        self.text(self.lang.pick("нет данных", "no data"), (x, y + 4.5), style);
    }

    fn draw<E>(&mut self, element: &E, attributes: Vec<(&'static str, String)>)
    where
        for<'b> &'b E: PointCollection<'b, (i32, i32)>,
        E: Drawable<SVGBackend<'a>>,
    {
        match self.sheet.draw(element) {
            Ok(()) => self.extras.push(Extra { attributes, hint: String::new() }),
            Err(error) => self.failure = Some(error.to_string()),
        }
    }
}

fn paint(colour: Colour) -> ShapeStyle {
    let (red, green, blue) = colour.channels();
    RGBColor(red, green, blue).filled()
}

/// Pixels to drawing units.
fn place((x, y): (f64, f64)) -> (i32, i32) {
    (whole(x * UNITS), whole(y * UNITS))
}

#[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates, and a sheet is small")]
fn whole(value: f64) -> i32 {
    value.round() as i32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of floats saturates at zero")]
fn unsigned(value: f64) -> u32 {
    value.round() as u32
}

/// A number of an attribute, with one decimal where it needs one.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
