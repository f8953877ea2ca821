//! What `svod verify` tells.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A figure is wrong or cannot be read, now or by an older snapshot.
    Fault,
    /// Nothing is wrong with any figure.
    Note,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file, table or pipeline, relative to the data directory.
    pub place: String,
    /// What is wrong.
    pub sentence: String,
    /// What mends it.
    pub mend: String,
}

impl Finding {
    /// Something that makes a figure wrong or unreadable.
    pub fn fault(place: impl Into<String>, sentence: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { severity: Severity::Fault, place: place.into(), sentence: sentence.into(), mend: mend.into() }
    }

    /// Something that is worth knowing.
    pub fn note(place: impl Into<String>, sentence: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::fault(place, sentence, mend) }
    }
}
