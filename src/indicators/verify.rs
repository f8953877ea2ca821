//! A figure computed again from its receipt, and why it is another one if it is.

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveTime, TimeZone, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::definitions::Definitions;
use super::engine::Engine;
use super::error::QueryError;
use super::receipt::{Receipt, Seen, hash_figure};
use super::scope::Scope;
use crate::domain::figure::Figure;
use crate::domain::language::Text;

/// What became of a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// The answer in one word.
    pub outcome: Outcome,
    /// Why it is another one, and what is different though the figure is the same.
    pub reasons: Vec<Reason>,
    /// The figure as it is computed now, where it can be.
    pub figure: Option<Figure>,
}

/// Whether a figure is still the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is.
    Equal,
    /// Another one is computed now.
    Differs,
    /// It cannot be computed any more.
    Gone,
}

/// What is not as it was when the receipt was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The indicator is not in the catalogue.
    IndicatorGone,
    /// The snapshot is not retained.
    SnapshotGone,
    /// The declaration of the indicator was changed.
    DefinitionChanged,
    /// Somebody asks who sees other rows.
    ScopeDiffers,
    /// The policy of lights was changed, which touches the light and not the figure.
    PolicyChanged,
    /// Another version of the program computes.
    ProgramDiffers,
    /// The answer has no such row any more.
    RowGone,
    /// Nothing that the receipt names is different, and the figure is.
    DataDiffer,
}

impl Reason {
    /// The reason in words.
    #[must_use]
    pub fn text(self) -> Text {
        let (ru, en) = match self {
            Self::IndicatorGone => {
                ("показателя больше нет в каталоге", "the indicator is not in the catalogue any more")
            }
            Self::SnapshotGone => ("снимок больше не хранится", "the snapshot is not retained any more"),
            Self::DefinitionChanged => {
                ("определение показателя с тех пор изменено", "the definition of the indicator was changed since")
            }
            Self::ScopeDiffers => {
                ("квитанция выдана с другими правами доступа", "the receipt was given under other rights")
            }
            Self::PolicyChanged => (
                "правила светофора с тех пор изменены; на само значение это не влияет",
                "the policy of lights was changed since; the figure itself does not depend on it",
            ),
            Self::ProgramDiffers => ("считала другая версия программы", "another version of the program computed it"),
            Self::RowGone => ("в ответе больше нет такой строки", "the answer has no such row any more"),
            Self::DataDiffer => (
                "определение и снимок те же, а файлы снимка – нет: проверьте хранилище командой `svod verify`",
                "definition and snapshot are the same, the snapshot's files are not: check the warehouse by `svod verify`",
            ),
        };
        Text { ru: ru.to_owned(), en: en.to_owned() }
    }
}

impl Engine {
    /// Computes a figure again: out of its snapshot, on its day, by the definitions that were kept with the snapshot if the
    /// receipt's edition is there, else by today's.
    ///
    /// # Errors
    /// If the snapshot is there and cannot be read.
    pub async fn verify_figure(&self, scope: &Scope, receipt: &Receipt) -> Result<Verification, QueryError> {
        let gone = |reasons| Verification { outcome: Outcome::Gone, reasons, figure: None };
        let definitions = match self.definitions_of(receipt).await {
            Ok(definitions) => definitions,
            Err(QueryError::UnknownSnapshot { .. } | QueryError::NoSnapshot) => {
                return Ok(gone(vec![Reason::SnapshotGone]));
            }
            Err(error) => return Err(error),
        };
        let Some(indicator) = definitions.catalog.get(&receipt.indicator) else {
            return Ok(gone(vec![Reason::IndicatorGone]));
        };
        let moment = self.moment_of(receipt.basis.seen);
        let mut reasons = Vec::new();
        let today = self.present_at(moment).today;
        for (is_other, reason) in [
            (indicator.edition != receipt.basis.edition, Reason::DefinitionChanged),
            (scope.fingerprint() != receipt.basis.scope, Reason::ScopeDiffers),
            (definitions.policy_on(today).unwrap_or_default() != receipt.basis.policy, Reason::PolicyChanged),
            (env!("CARGO_PKG_VERSION") != receipt.basis.program, Reason::ProgramDiffers),
        ] {
            reasons.extend(is_other.then_some(reason));
        }
        let engine = self.under(Arc::clone(&definitions)).pinned(receipt.snapshot, moment);
        let figures = match engine.query(scope, &receipt.query()).await {
            Ok(figures) => figures,
            // A dimension or a code that the definitions do not know any more.
            Err(error) if error.is_of_the_query() => return Ok(gone(vec![Reason::DefinitionChanged])),
            Err(error) => return Err(error),
        };
        let Some(row) = figures.rows.iter().find(|row| receipt.is_of(row)) else {
            reasons.push(Reason::RowGone);
            return Ok(Verification { outcome: Outcome::Differs, reasons, figure: None });
        };
        let is_equal = hash_figure(row.figure) == receipt.figure_hash;
        if !is_equal && reasons.iter().all(|reason| *reason == Reason::PolicyChanged) {
            reasons.push(Reason::DataDiffer);
        }
        let outcome = if is_equal { Outcome::Equal } else { Outcome::Differs };
        Ok(Verification { outcome, reasons, figure: Some(row.figure) })
    }

    /// The definitions that were kept with the snapshot of a receipt if they have its edition of the indicator, else today's.
    ///
    /// # Errors
    /// If the snapshot is not there, or its definitions cannot be read.
    pub(super) async fn definitions_of(&self, receipt: &Receipt) -> Result<Arc<Definitions>, QueryError> {
        let kept = self.definitions(Some(receipt.snapshot)).await?;
        let found = kept.catalog.get(&receipt.indicator);
        let is_of_then = found.is_some_and(|indicator| indicator.edition == receipt.basis.edition);
        Ok(if is_of_then { kept } else { Arc::clone(&self.definitions) })
    }

    /// A moment of the day that a receipt names, or the moment itself.
    pub(super) fn moment_of(&self, seen: Seen) -> DateTime<Utc> {
        match seen {
            Seen::Moment(moment) => moment,
            // The end of the day is in every zone and on every day a time that exists once.
            Seen::Day(day) => {
                let next = day.checked_add_days(Days::new(1)).unwrap_or(day).and_time(NaiveTime::MIN);
                let midnight = self.time_zone.from_local_datetime(&next).latest();
                midnight.map_or_else(|| next.and_utc(), |midnight| midnight.to_utc()) - chrono::TimeDelta::seconds(1)
            }
        }
    }
}
