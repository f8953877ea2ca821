//! The embedded typeface, and how wide text is in it.
//!
//! Text is measured by the same font files that draw the PNG, with digits as wide as the widest digit, so that
//! tabular and proportional figures both fit.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use ab_glyph::{Font as _, FontRef};
use resvg::usvg::fontdb;

use super::ChartError;
use super::assets::WebAssets;

/// Weight of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Medium,
    SemiBold,
}

impl Weight {
    const ALL: [Self; 3] = [Self::Regular, Self::Medium, Self::SemiBold];

    fn file(self) -> &'static str {
        match self {
            Self::Regular => "fonts/GolosText-Regular.ttf",
            Self::Medium => "fonts/GolosText-Medium.ttf",
            Self::SemiBold => "fonts/GolosText-SemiBold.ttf",
        }
    }

    /// The number of the weight in style sheets.
    pub(super) fn number(self) -> u16 {
        match self {
            Self::Regular => 400,
            Self::Medium => 500,
            Self::SemiBold => 600,
        }
    }
}

/// The three weights, read once.
pub(super) struct Fonts {
    faces: Vec<(Weight, FontRef<'static>)>,
    database: Arc<fontdb::Database>,
}

/// The embedded fonts.
pub(super) fn fonts() -> Result<&'static Fonts, ChartError> {
    static FONTS: OnceLock<Result<Fonts, &'static str>> = OnceLock::new();
    FONTS.get_or_init(Fonts::read).as_ref().map_err(|file| ChartError::Font { file: (*file).to_owned() })
}

impl Fonts {
    fn read() -> Result<Self, &'static str> {
        let mut database = fontdb::Database::new();
        let mut faces = Vec::new();
        for weight in Weight::ALL {
            let file = WebAssets::get(weight.file()).ok_or(weight.file())?;
            let bytes: &'static [u8] = match file.data {
                Cow::Borrowed(bytes) => bytes,
                Cow::Owned(bytes) => bytes.leak(),
            };
            faces.push((weight, FontRef::try_from_slice(bytes).map_err(|_| weight.file())?));
            database.load_font_data(bytes.to_vec());
            let family = family(weight);
            plotters::style::register_font(family, plotters::style::FontStyle::Normal, bytes)
                .map_err(|_| weight.file())?;
        }
        Ok(Self { faces, database: Arc::new(database) })
    }

    /// Fonts for the renderer: these and no others, whatever the machine has.
    pub(super) fn database(&self) -> Arc<fontdb::Database> {
        Arc::clone(&self.database)
    }

    /// Width of a text in pixels.
    pub(super) fn width(&self, text: &str, size: f64, weight: Weight) -> f64 {
        let Some((_, face)) = self.faces.iter().find(|(face_weight, _)| *face_weight == weight) else {
            return 0.0;
        };
        let per_em = face.units_per_em().unwrap_or(1000.0);
        let advance = |letter: char| face.h_advance_unscaled(face.glyph_id(letter));
        let digit = ('0'..='9').map(advance).fold(0.0, f32::max);
        let units: f32 = text.chars().map(|letter| if letter.is_ascii_digit() { digit } else { advance(letter) }).sum();
        f64::from(units) / f64::from(per_em) * size
    }

    /// The text, cut with an ellipsis if it is wider than `width`.
    pub(super) fn shorten(&self, text: &str, width: f64, size: f64, weight: Weight) -> String {
        if self.width(text, size, weight) <= width {
            return text.to_owned();
        }
        let letters: Vec<char> = text.chars().collect();
        for n_kept in (1..letters.len()).rev() {
            let kept: String = letters.iter().take(n_kept).collect();
            let candidate = format!("{}…", kept.trim_end_matches([' ', ',', '.', '-', '–', '(', '«']));
            if self.width(&candidate, size, weight) <= width {
                return candidate;
            }
        }
        if self.width("…", size, weight) <= width { "…".to_owned() } else { String::new() }
    }

    /// The text in at most `n_lines` lines of `width`; the last one ends in an ellipsis if it is not all.
    pub(super) fn wrap(&self, text: &str, width: f64, size: f64, weight: Weight, n_lines: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut words = words(text).into_iter().peekable();
        while let Some(word) = words.next() {
            let mut line = word;
            let is_last = lines.len() + 1 >= n_lines;
            let fits = |line: &str, next: &str| self.width(&format!("{line} {next}"), size, weight) <= width;
            while let Some(next) = words.next_if(|next| is_last || fits(&line, next)) {
                line.push(' ');
                line.push_str(&next);
            }
            lines.push(self.shorten(&line, width, size, weight));
        }
        lines
    }
}

/// The words of a text; a word of one or two letters, such as a preposition, stays with the next one.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_joined = false;
    for word in text.split([' ', '\n']).filter(|word| !word.is_empty()) {
        match words.last_mut() {
            Some(last) if is_joined => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        is_joined = word.chars().count() <= 2;
    }
    words
}

/// Name under which the drawing library knows a weight.
pub(super) fn family(weight: Weight) -> &'static str {
    match weight {
        Weight::Regular => "Golos Text",
        Weight::Medium => "Golos Text Medium",
        Weight::SemiBold => "Golos Text SemiBold",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_wide_as_its_letters() {
        let fonts = fonts().unwrap();
        let one = fonts.width("ы", 10.0, Weight::Regular);
        assert!((fonts.width("ыы", 10.0, Weight::Regular) - 2.0 * one).abs() < 1e-6);
        assert!((fonts.width("1", 100.0, Weight::Regular) - 62.0).abs() < 0.1, "as wide as a zero");
        assert!(fonts.width("\u{202F}", 10.0, Weight::Regular) > 0.0, "the narrow space has a glyph");
    }

    #[test]
    fn short_words_stay_with_the_next_one() {
        assert_eq!(words("Семья с ребёнком и в работе"), ["Семья", "с ребёнком", "и в работе"]);
        assert_eq!(words("  а\nб "), ["а б"]);
    }

    #[test]
    fn long_names_are_cut_to_the_width() {
        let fonts = fonts().unwrap();
        let name = "Министерство социально-демографической и семейной политики";
        let cut = fonts.shorten(name, 120.0, 12.0, Weight::Regular);
        assert!(cut.ends_with('…') && fonts.width(&cut, 12.0, Weight::Regular) <= 120.0, "{cut}");
        let lines = fonts.wrap(name, 160.0, 12.0, Weight::Regular, 2);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], "Министерство");
        assert!(lines[1].ends_with('…'));
        assert_eq!(fonts.wrap("Обращения", 5.0, 12.0, Weight::Regular, 2), [""]);
        assert!(fonts.wrap("", 100.0, 12.0, Weight::Regular, 2).is_empty());
    }
}
