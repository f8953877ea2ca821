//! The ways in which a row of an export can be broken.

use super::dice::Dice;

/// What is wrong with a row. A broken row is a row of its own: nothing else in the export speaks of its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Defect {
    /// A day that no calendar has, e.g. 31 February.
    ImpossibleDate,
    /// An OKTMO code that belongs to no municipality.
    UnknownMunicipality,
    /// No number of the case, card, request.
    MissingNumber,
    /// A decision dated before the application.
    DecisionBeforeApplication,
    /// Way of application 7, where the journal knows 1 to 4.
    UnknownWay,
    /// A category, organisation or kind that no list has.
    UnknownCode,
    /// A sum that is a word.
    SumInWords,
    /// A discount of more than 100 %.
    ImpossibleDiscount,
    /// A CSV line with a field too many or some too few.
    RaggedLine,
    /// A quote that swallows the separators after it.
    StrayQuote,
    /// A line of JSON that is cut off.
    CutLine,
    /// Bytes that mean nothing in the encoding of the file.
    AlienBytes,
}

impl Defect {
    /// Name in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ImpossibleDate => "impossible_date",
            Self::UnknownMunicipality => "unknown_municipality",
            Self::MissingNumber => "missing_number",
            Self::DecisionBeforeApplication => "decision_before_application",
            Self::UnknownWay => "unknown_way",
            Self::UnknownCode => "unknown_code",
            Self::SumInWords => "sum_in_words",
            Self::ImpossibleDiscount => "impossible_discount",
            Self::RaggedLine => "ragged_line",
            Self::StrayQuote => "stray_quote",
            Self::CutLine => "cut_line",
            Self::AlienBytes => "alien_bytes",
        }
    }
}

/// Strikes rows with the defects of a register, each in its turn, so that a small file has many kinds.
#[derive(Debug, Clone)]
pub(super) struct Breakage {
    of: &'static [Defect],
    per_million: u32,
    n_struck: usize,
}

impl Breakage {
    /// Breaks so many of a million rows.
    pub(super) fn new(of: &'static [Defect], per_million: u32) -> Self {
        Self { of, per_million, n_struck: 0 }
    }

    /// What is wrong with the next row, if anything.
    pub(super) fn strike(&mut self, dice: &mut Dice) -> Option<Defect> {
        if self.of.is_empty() || dice.below(1_000_000) >= self.per_million {
            return None;
        }
        self.n_struck += 1;
        self.of.get((self.n_struck - 1) % self.of.len()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_gets_its_turn() {
        let mut breakage = Breakage::new(&[Defect::CutLine, Defect::StrayQuote], 500_000);
        let mut dice = Dice::new(5, 0);
        let struck: Vec<Defect> = (0..1_000).filter_map(|_| breakage.strike(&mut dice)).collect();
        assert!((400..600).contains(&struck.len()), "{}", struck.len());
        assert_eq!(struck[..3], [Defect::CutLine, Defect::StrayQuote, Defect::CutLine]);
    }

    #[test]
    fn nothing_is_struck_where_nothing_shall_be_broken() {
        let mut dice = Dice::new(5, 0);
        let mut breakage = Breakage::new(&[Defect::CutLine], 0);
        assert!((0..1_000).all(|_| breakage.strike(&mut dice).is_none()));
    }
}
