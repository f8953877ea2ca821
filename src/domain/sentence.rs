//! A sentence for people about something that happened, kept in both languages and told in one.

use serde::{Deserialize, Serialize};

use super::language::{Lang, Text};

/// A sentence about something that happened. Written down it is `{"ru": …, "en": …}`, or a text that is the same in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Sentence {
    /// In both languages.
    Both(Text),
    /// In one, whichever is asked for.
    One(String),
}

impl Sentence {
    /// A sentence in both languages.
    #[must_use]
    pub fn new(ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Both(Text { ru: ru.into(), en: en.into() })
    }

    /// The sentence in one language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match self {
            Self::Both(text) => text.get(lang),
            Self::One(text) => text,
        }
    }

    /// The sentence in one language only.
    #[must_use]
    pub fn told(&self, lang: Lang) -> Self {
        Self::One(self.get(lang).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_in_both_languages_and_told_in_one() {
        let sentence = Sentence::new("диск полон", "the disk is full");
        let kept = serde_json::to_string(&sentence).unwrap();
        assert_eq!(kept, r#"{"ru":"диск полон","en":"the disk is full"}"#);
        assert_eq!(serde_json::from_str::<Sentence>(&kept).unwrap(), sentence);
        assert_eq!(serde_json::to_string(&sentence.told(Lang::En)).unwrap(), r#""the disk is full""#);
        assert_eq!(serde_json::from_str::<Sentence>("\"as it was\"").unwrap().get(Lang::Ru), "as it was");
    }
}
