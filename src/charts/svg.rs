//! Turns what the drawing library wrote into the SVG that pages and files carry.
//!
//! The library counts in whole units and knows no dashes, weights or titles. So charts are drawn ten units to the
//! pixel, and this one place brings the numbers back to pixels, merges the extra attributes of each element, and
//! writes a head with role, title and description.

use std::fmt::Write as _;

use super::Frame;

/// How many drawing units make a pixel.
pub(super) const UNITS: f64 = 10.0;

/// What an element carries besides what the library wrote.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    /// Attributes to add or replace.
    pub(super) attributes: Vec<(&'static str, String)>,
    /// Text that is shown when the pointer rests on the element.
    pub(super) hint: String,
}

/// The finished document. `extras` holds one entry per element, in drawing order.
pub(super) fn finish(raw: &str, extras: &[Extra], frame: &Frame) -> String {
    let mut svg = String::with_capacity(raw.len() + 512);
    let (width, height) = (frame.width, frame.height);
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" \
         font-family=\"'Golos Text Variable', 'Golos Text', sans-serif\" \
         style=\"font-variant-numeric:tabular-nums\">\n<title>{}</title>\n",
        escape(&frame.title)
    );
    if !frame.summary.is_empty() {
        let _ = writeln!(svg, "<desc>{}</desc>", escape(&frame.summary));
    }
    let mut lines = raw.lines().skip(1);
    let mut extras = extras.iter();
    while let Some(line) = lines.next() {
        let Some(element) = line.strip_prefix('<').filter(|element| !element.starts_with('/')) else {
            continue;
        };
        let nothing = Extra::default();
        let extra = extras.next().unwrap_or(&nothing);
        let (tag, attributes) = element.split_once(' ').unwrap_or((element, ""));
        let _ = write!(svg, "<{tag}");
        for (name, value) in merge(attributes, extra) {
            let _ = write!(svg, " {name}=\"{value}\"");
        }
        let content = if tag == "text" { lines.next().unwrap_or_default() } else { "" };
        if content.is_empty() && extra.hint.is_empty() {
            svg.push_str("/>\n");
        } else {
            svg.push('>');
            if !extra.hint.is_empty() {
                let _ = write!(svg, "<title>{}</title>", escape(&extra.hint));
            }
            let _ = writeln!(svg, "{content}</{tag}>");
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Attributes of the library in pixels, without those that say nothing, and the extra ones.
fn merge(attributes: &str, extra: &Extra) -> Vec<(String, String)> {
    let mut merged: Vec<(String, String)> = Vec::new();
    let mut pieces = attributes.split('"');
    while let (Some(name), Some(value)) = (pieces.next(), pieces.next()) {
        let name = name.trim().trim_end_matches('=');
        if name.is_empty() || extra.attributes.iter().any(|(replaced, _)| *replaced == name) {
            continue;
        }
        let value = match name {
            "dy" | "font-family" => continue,
            "opacity" if value == "1" => continue,
            "text-anchor" if value == "start" => continue,
            "stroke" if value == "none" => continue,
            "stroke-width" if attributes.contains("stroke=\"none\"") => continue,
            "x" | "y" | "x1" | "x2" | "y1" | "y2" | "cx" | "cy" | "r" | "width" | "height" | "stroke-width" => {
                pixels(value)
            }
            "points" => value
                .split_whitespace()
                .map(|point| point.split(',').map(pixels).collect::<Vec<_>>().join(","))
                .collect::<Vec<_>>()
                .join(" "),
            _ => value.to_owned(),
        };
        merged.push((name.to_owned(), value));
    }
    merged.extend(extra.attributes.iter().map(|(name, value)| ((*name).to_owned(), escape(value))));
    merged
}

/// Drawing units as pixels: `125` is `12.5`.
fn pixels(units: &str) -> String {
    let Ok(number) = units.parse::<i64>() else { return units.to_owned() };
    let (sign, number) = (if number < 0 { "-" } else { "" }, number.abs());
    match number % 10 {
        0 => format!("{sign}{}", number / 10),
        tenth => format!("{sign}{}.{tenth}", number / 10),
    }
}

/// Text that is safe inside markup.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            letter if is_allowed(letter) => safe.push(letter),
            _ => safe.push(' '),
        }
    }
    safe
}

/// Whether a letter may stand in an XML document on one line.
pub(super) fn is_allowed(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{FFFE}' | '\u{FFFF}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::Theme;
    use crate::domain::language::Lang;

    #[test]
    fn units_become_pixels() {
        assert_eq!(pixels("125"), "12.5");
        assert_eq!(pixels("-5"), "-0.5");
        assert_eq!(pixels("300"), "30");
        assert_eq!(pixels("none"), "none");
    }

    #[test]
    fn extra_attributes_replace_those_of_the_library() {
        let raw = "<svg width=\"1\">\n<rect x=\"15\" opacity=\"1\" fill=\"#000000\" stroke=\"none\"/>\n\
                   <text x=\"0\" y=\"20\" dy=\"0.5ex\" text-anchor=\"start\">\nа &lt; б\n</text>\n</svg>";
        let extras =
            [Extra { attributes: vec![("fill", "url(#a\"b)".to_owned())], hint: "5 < 6".to_owned() }, Extra::default()];
        let frame = Frame::new(10, 20, Lang::Ru, Theme::Light).with_texts("Т&Д", "");
        let svg = finish(raw, &extras, &frame);
        assert!(svg.contains("<title>Т&amp;Д</title>"), "{svg}");
        assert!(svg.contains("<rect x=\"1.5\" fill=\"url(#a&quot;b)\"><title>5 &lt; 6</title></rect>"), "{svg}");
        assert!(svg.contains("<text x=\"0\" y=\"2\">а &lt; б</text>"), "{svg}");
    }
}
