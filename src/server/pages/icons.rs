//! Marks that always go with words: shape and colour together.

use maud::{Markup, html};

use crate::dashboards::Light;

/// A small shape in the colour of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// ●
    Circle,
    /// ▲
    Up,
    /// ▼
    Down,
    /// ■
    Square,
    /// –
    Dash,
}

/// The shape as an image that screen readers pass over.
pub(crate) fn mark(shape: Shape) -> Markup {
    let path = match shape {
        Shape::Circle => "M5 .4a4.6 4.6 0 1 1 0 9.2A4.6 4.6 0 0 1 5 .4z",
        Shape::Up => "M5 .4 10 9.6H0z",
        Shape::Down => "M5 9.6 10 .4H0z",
        Shape::Square => "M.6.6h8.8v8.8H.6z",
        Shape::Dash => "M0 4h10v2H0z",
    };
    html! { svg .mark viewBox="0 0 10 10" width="9" height="9" aria-hidden="true" { path d=(path); } }
}

/// Class and shape of a light.
pub(crate) fn light(light: Light) -> (&'static str, Shape) {
    match light {
        Light::Good => ("good", Shape::Circle),
        Light::Attention => ("attention", Shape::Up),
        Light::Bad => ("bad", Shape::Square),
        Light::None => ("none", Shape::Dash),
    }
}
