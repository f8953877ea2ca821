//! Colours, light and dark: one set of tokens for pages, plotted charts and files.

use std::fmt::Write as _;

use super::milestones::Status;
use super::series::Role;

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Dark ink on light paper.
    #[default]
    Light,
    /// Light ink on dark paper.
    Dark,
}

/// A colour without transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// Every colour of one theme.
#[derive(Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Behind the cards.
    pub page: Colour,
    /// Behind text and charts.
    pub card: Colour,
    /// Thin lines.
    pub hairline: Colour,
    /// Text.
    pub ink: Colour,
    /// Axis text and remarks.
    pub secondary: Colour,
    /// What a chart is about.
    pub subject: Colour,
    /// What it is compared with.
    pub context: Colour,
    /// On plan.
    pub good: Colour,
    /// Attention.
    pub attention: Colour,
    /// Bad.
    pub bad: Colour,
    /// Steps of a number, from few to many.
    pub sequential: [Colour; 7],
    /// Steps of a number where many is bad.
    pub alarm: [Colour; 7],
    /// Colours of equal categories.
    pub categorical: [Colour; 7],
}

const fn rgb(hex: u32) -> Colour {
    let [_, red, green, blue] = hex.to_be_bytes();
    Colour { red, green, blue }
}

static LIGHT: Tokens = Tokens {
    page: rgb(0x00F5_F7F9),
    card: rgb(0x00FF_FFFF),
    hairline: rgb(0x00E3_E7EC),
    ink: rgb(0x0016_202C),
    secondary: rgb(0x005B_6776),
    subject: rgb(0x001F_5FBF),
    context: rgb(0x0083_91A2),
    good: rgb(0x002E_7D4F),
    attention: rgb(0x009C_5D0C),
    bad: rgb(0x00C0_392B),
    sequential: [
        rgb(0x00EA_F1FB),
        rgb(0x00C9_DCF5),
        rgb(0x009B_BFEA),
        rgb(0x006A_9DDC),
        rgb(0x0036_74C1),
        rgb(0x001F_579F),
        rgb(0x0012_3A70),
    ],
    alarm: [
        rgb(0x00FC_ECEA),
        rgb(0x00F6_D0CB),
        rgb(0x00EE_B0A8),
        rgb(0x00E4_8A7F),
        rgb(0x00C4_4537),
        rgb(0x00A3_2E22),
        rgb(0x0078_1E15),
    ],
    categorical: [
        rgb(0x001F_5FBF),
        rgb(0x00C8_721E),
        rgb(0x0027_968A),
        rgb(0x00B5_487B),
        rgb(0x007A_6FBE),
        rgb(0x008C_6D46),
        rgb(0x005B_6776),
    ],
};

static DARK: Tokens = Tokens {
    page: rgb(0x000F_151C),
    card: rgb(0x0016_1E27),
    hairline: rgb(0x002A_3542),
    ink: rgb(0x00E8_EDF2),
    secondary: rgb(0x009D_AAB8),
    subject: rgb(0x006F_A5F2),
    context: rgb(0x0066_7686),
    good: rgb(0x0063_C08C),
    attention: rgb(0x00E0_A64A),
    bad: rgb(0x00F0_7F73),
    sequential: [
        rgb(0x0019_2C47),
        rgb(0x0018_3F70),
        rgb(0x001F_579F),
        rgb(0x002F_68B0),
        rgb(0x006A_9DDC),
        rgb(0x009B_BFEA),
        rgb(0x00D5_E4F8),
    ],
    alarm: [
        rgb(0x003A_1F1E),
        rgb(0x005A_241F),
        rgb(0x0081_2B22),
        rgb(0x00B1_4033),
        rgb(0x00E4_8A7F),
        rgb(0x00EE_B0A8),
        rgb(0x00F9_DAD6),
    ],
    categorical: [
        rgb(0x006A_A0EC),
        rgb(0x00E6_AC72),
        rgb(0x0071_BEB4),
        rgb(0x00CE_85A7),
        rgb(0x00A6_9FD4),
        rgb(0x00B2_9E84),
        rgb(0x0092_9AA4),
    ],
};

impl Theme {
    /// The colours of the theme.
    #[must_use]
    pub fn tokens(self) -> &'static Tokens {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }

    /// The colours as CSS custom properties, one declaration per line: `--ink: #16202C;`.
    #[must_use]
    pub fn css_properties(self) -> String {
        let mut text = String::new();
        for (name, colour) in self.tokens().named() {
            let _ = writeln!(text, "  --{name}: {};", colour.hex());
        }
        text
    }
}

impl Tokens {
    /// Every colour with the name that style sheets use.
    #[must_use]
    pub fn named(&self) -> Vec<(String, Colour)> {
        let single = [
            ("page", self.page),
            ("card", self.card),
            ("hairline", self.hairline),
            ("ink", self.ink),
            ("secondary", self.secondary),
            ("subject", self.subject),
            ("context", self.context),
            ("good", self.good),
            ("attention", self.attention),
            ("bad", self.bad),
        ];
        let steps = [("sequential", self.sequential), ("alarm", self.alarm), ("categorical", self.categorical)];
        let steps = steps.into_iter().flat_map(|(name, colours)| {
            colours.into_iter().enumerate().map(move |(step, colour)| (format!("{name}-{}", step + 1), colour))
        });
        single.into_iter().map(|(name, colour)| (name.to_owned(), colour)).chain(steps).collect()
    }

    /// Colour of a mark by what it stands for.
    pub(super) fn of_role(&self, role: Role) -> Colour {
        match role {
            Role::Subject | Role::Forecast => self.subject,
            Role::Context => self.context,
            Role::Plan => self.ink,
            Role::Category(position) => self.categorical[position % self.categorical.len()],
        }
    }

    /// Colour of a judgement, where there is one.
    pub(super) fn of_status(&self, status: Status) -> Option<Colour> {
        match status {
            Status::Good => Some(self.good),
            Status::Attention => Some(self.attention),
            Status::Bad => Some(self.bad),
            Status::None => None,
        }
    }

    /// The colour moved towards ink until it can be read as text on a card.
    #[must_use]
    pub fn as_text(&self, colour: Colour) -> Colour {
        if colour == self.context {
            return self.secondary;
        }
        (0..=10u8)
            .map(|step| colour.mixed(self.ink, f64::from(step) / 10.0))
            .find(|tone| tone.contrast(self.card) >= 4.5)
            .unwrap_or(self.ink)
    }
}

impl Colour {
    /// The colour as style sheets write it: `#16202C`.
    #[must_use]
    pub fn hex(self) -> String {
        format!("#{:02X}{:02X}{:02X}", self.red, self.green, self.blue)
    }

    /// Contrast with another colour as WCAG defines it, from 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// The colour with a share of another.
    #[must_use]
    pub fn mixed(self, other: Self, share: f64) -> Self {
        let mix = |one: u8, two: u8| {
            let value = f64::from(one) + (f64::from(two) - f64::from(one)) * share.clamp(0.0, 1.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
            let byte = value.round() as u8;
            byte
        };
        Self { red: mix(self.red, other.red), green: mix(self.green, other.green), blue: mix(self.blue, other.blue) }
    }

    /// Dark or light text, whichever can be read better on this colour.
    pub(super) fn text(self) -> Self {
        let (dark, light) = (rgb(0x0016_202C), rgb(0x00FF_FFFF));
        if dark.contrast(self) >= light.contrast(self) { dark } else { light }
    }

    /// As [`Colour::text`] on a category. Its dark is no token, since categories are bright in both themes: a page that
    /// replaces tokens must leave it dark.
    pub(super) fn text_on_category(self) -> Self {
        let light = rgb(0x00FF_FFFF);
        if self.text() == light { light } else { rgb(0x0012_1A24) }
    }

    pub(super) fn channels(self) -> (u8, u8, u8) {
        (self.red, self.green, self.blue)
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_the_one_of_wcag() {
        assert!((rgb(0).contrast(rgb(0x00FF_FFFF)) - 21.0).abs() < 1e-9);
        assert!((rgb(0x0077_7777).contrast(rgb(0x00FF_FFFF)) - 4.48).abs() < 0.01);
    }

    #[test]
    fn text_can_be_read_on_page_and_card() {
        for theme in [Theme::Light, Theme::Dark] {
            let tokens = theme.tokens();
            for ground in [tokens.page, tokens.card] {
                for (name, colour) in tokens.named() {
                    let is_text = ["ink", "secondary", "subject", "good", "attention", "bad"].contains(&name.as_str());
                    let contrast = colour.contrast(ground);
                    assert!(!is_text || contrast >= 4.5, "{theme:?} {name} {contrast:.2}");
                }
            }
            for colour in tokens.categorical {
                assert!(tokens.as_text(colour).contrast(tokens.card) >= 4.5);
            }
        }
    }

    #[test]
    fn marks_can_be_seen_on_a_card() {
        for theme in [Theme::Light, Theme::Dark] {
            let tokens = theme.tokens();
            let marks = [tokens.subject, tokens.context, tokens.good, tokens.attention, tokens.bad];
            for colour in marks.into_iter().chain(tokens.categorical) {
                let contrast = colour.contrast(tokens.card);
                assert!(contrast >= 3.0, "{theme:?} {} {contrast:.2}", colour.hex());
            }
        }
    }

    #[test]
    fn a_drawing_whose_tokens_are_replaced_can_still_be_read() {
        let (light, dark) = (Theme::Light.tokens(), Theme::Dark.tokens());
        let replaced = |text: Colour| if text == light.ink { dark.ink } else { dark.page };
        let steps = light.sequential.iter().zip(dark.sequential).chain(light.alarm.iter().zip(dark.alarm));
        for (ground, dark_ground) in steps {
            let contrast = replaced(ground.text()).contrast(dark_ground);
            assert!(contrast >= 4.5, "{} {contrast:.2}", dark_ground.hex());
        }
    }

    #[test]
    fn numbers_can_be_read_on_every_step_of_the_scales() {
        for theme in [Theme::Light, Theme::Dark] {
            let tokens = theme.tokens();
            for colour in tokens.sequential.into_iter().chain(tokens.alarm).chain(tokens.categorical) {
                let contrast = colour.text().contrast(colour);
                let wanted = if tokens.categorical.contains(&colour) { 4.0 } else { 4.5 };
                assert!(contrast >= wanted, "{theme:?} {} {contrast:.2}", colour.hex());
            }
        }
    }
}
