//! The colours of the pages as a style sheet, from the tokens of the charts.
//!
//! Charts on a page are drawn once, for light. The sheet maps each colour of that drawing to the property of its name,
//! so that the same drawing is dark on a dark page and light again in print.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::charts::Theme;

/// Name of the style sheet among the assets.
pub(crate) const THEME_SHEET: &str = "theme.css";

static SHEET: LazyLock<String> = LazyLock::new(write_sheet);

/// The style sheet.
pub(crate) fn theme_sheet() -> &'static str {
    &SHEET
}

fn write_sheet() -> String {
    let light = properties(Theme::Light, "#FFFFFF");
    let dark = properties(Theme::Dark, &Theme::Dark.tokens().page.hex());
    let mut sheet = format!(
        ":root {{\n  color-scheme: light;\n{light}}}\n\
         @media screen and (prefers-color-scheme: dark) {{\n\
         :root:not([data-theme=\"light\"]) {{\n  color-scheme: dark;\n{dark}}}\n}}\n\
         @media screen {{\n:root[data-theme=\"dark\"] {{\n  color-scheme: dark;\n{dark}}}\n}}\n"
    );
    let mut seen = Vec::new();
    for (name, colour) in Theme::Light.tokens().named() {
        map_colour(&mut sheet, &mut seen, &colour.hex(), &name);
    }
    let light = Theme::Light.tokens();
    for (position, colour) in light.categorical.into_iter().enumerate() {
        map_colour(&mut sheet, &mut seen, &light.as_text(colour).hex(), &format!("categorical-text-{}", position + 1));
    }
    // White in a drawing is text on a strong colour, or the edge that keeps a mark apart from the card.
    sheet.push_str("svg text[fill=\"#FFFFFF\" i] { fill: var(--on-mark); }\n");
    sheet
}

/// One declaration per colour: the tokens, text on marks, and the categories as text.
fn properties(theme: Theme, on_mark: &str) -> String {
    let tokens = theme.tokens();
    let mut text = theme.css_properties();
    let _ = writeln!(text, "  --on-mark: {on_mark};");
    for (position, colour) in tokens.categorical.into_iter().enumerate() {
        let _ = writeln!(text, "  --categorical-text-{}: {};", position + 1, tokens.as_text(colour).hex());
    }
    text
}

/// Rules for one colour of the drawing, unless an earlier name has it already.
fn map_colour(sheet: &mut String, seen: &mut Vec<String>, hex: &str, name: &str) {
    if seen.iter().any(|known| known == hex) {
        return;
    }
    seen.push(hex.to_owned());
    for attribute in ["fill", "stroke"] {
        let _ = writeln!(sheet, "svg [{attribute}=\"{hex}\" i] {{ {attribute}: var(--{name}); }}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_of_a_drawing_has_a_name_in_both_themes() {
        let sheet = theme_sheet();
        for (name, colour) in Theme::Light.tokens().named() {
            assert_eq!(sheet.matches(&format!("  --{name}: ")).count(), 3, "{name}");
            assert!(sheet.contains(&format!("svg [fill=\"{}\" i]", colour.hex())), "{name}");
        }
    }
}
