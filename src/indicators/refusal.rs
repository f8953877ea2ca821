//! Questions that have no sensible answer, and why.

use std::fmt;

use super::indicator::{Additivity, Indicator};
use super::query::Query;
use super::windows::Cumulate;
use crate::domain::language::Lang;
use crate::domain::period::Grain;

/// The most buckets of a rolling window.
pub(super) const MAX_ROLLING: u32 = 1_000;

/// Why a question makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A running total or a rolling window of states, each of which is already that of a moment.
    StateOverTime(Additivity),
    /// A running total or a rolling window where time is not cut.
    NoGrain,
    /// A running total within a span that is not longer than a bucket.
    ShortSpan(Grain, Cumulate),
    /// Weeks lie across the ends of months, quarters and half-years.
    WeeksAcross(Cumulate),
    /// A rolling window of one bucket or of far too many.
    Rolling(u32),
    /// A share of what does not add up over groups.
    Share(Additivity),
    /// A share of the whole where there is only the whole.
    ShareOfOne,
    /// A value per working day of what does not add up over time.
    PerWorkingDay(Additivity),
}

impl Refusal {
    /// The first reason for which a query makes no sense for its indicator.
    pub(super) fn of(indicator: &Indicator, query: &Query) -> Option<Self> {
        let over_time = query.cumulate.is_some() || query.rolling.is_some();
        let states = [Additivity::Stock, Additivity::Last];
        let used = indicator.used_measures().map(super::indicator::Measure::additivity);
        if let Some(state) = used.clone().find(|additivity| states.contains(additivity)).filter(|_| over_time) {
            return Some(Self::StateOverTime(state));
        }
        if over_time && query.grain.is_none() {
            return Some(Self::NoGrain);
        }
        if let Some((grain, cumulate)) = query.grain.zip(query.cumulate)
            && let Some(span) = cumulate.within()
        {
            match (grain, cumulate) {
                (Grain::Week, Cumulate::Year) => {}
                (Grain::Week, _) => return Some(Self::WeeksAcross(cumulate)),
                _ if grain.n_months() >= span.n_months() => return Some(Self::ShortSpan(grain, cumulate)),
                _ => {}
            }
        }
        if let Some(n_buckets) = query.rolling.filter(|n_buckets| !(2..=MAX_ROLLING).contains(n_buckets)) {
            return Some(Self::Rolling(n_buckets));
        }
        if query.share && !matches!(indicator.additivity(), Additivity::Flow | Additivity::Stock) {
            return Some(Self::Share(indicator.additivity()));
        }
        if query.share && query.by.is_empty() {
            return Some(Self::ShareOfOne);
        }
        (query.per_working_day && indicator.additivity() != Additivity::Flow)
            .then(|| Self::PerWorkingDay(indicator.additivity()))
    }

    /// The reason as one sentence without a full stop.
    #[must_use]
    pub fn sentence(self, lang: Lang) -> String {
        let kind = |additivity| kind_of(additivity, lang);
        match self {
            Self::StateOverTime(additivity) => format!(
                "{}: {}",
                kind(additivity),
                lang.pick(
                    "нарастающего итога и скользящего окна у него нет, возьмите значение на конец периода",
                    "it has no running total and no rolling window, take its value at the end of the period",
                )
            ),
            Self::NoGrain => lang
                .pick(
                    "нарастающий итог и скользящее окно считаются по шагам времени: укажите шаг (`grain`)",
                    "a running total and a rolling window go by buckets of time: say a `grain`",
                )
                .to_owned(),
            Self::ShortSpan(grain, cumulate) => format!(
                "{} `{}`: {} `{grain}`",
                lang.pick("нарастающий итог в пределах", "a running total within"),
                cumulate.code(),
                lang.pick("отрезок не длиннее шага", "the span is not longer than the grain"),
            ),
            Self::WeeksAcross(cumulate) => format!(
                "{} `{}`, {}",
                lang.pick("недели пересекают границы отрезка", "weeks lie across the ends of a span"),
                cumulate.code(),
                lang.pick(
                    "по неделям итог считается в пределах `year` или `period`",
                    "by weeks a total runs within `year` or `period`"
                ),
            ),
            Self::Rolling(n_buckets) => format!(
                "{} {n_buckets}: {} 2 {} {MAX_ROLLING}",
                lang.pick("скользящее окно", "a rolling window of"),
                lang.pick("шагов должно быть от", "it takes from"),
                lang.pick("до", "to"),
            ),
            Self::Share(additivity) => {
                format!("{}: {}", kind(additivity), lang.pick("доли в итоге у него нет", "it has no share in a total"))
            }
            Self::ShareOfOne => lang
                .pick(
                    "доля в итоге берется по группам: укажите измерение (`by`)",
                    "a share is that of a group: say a dimension to cut `by`",
                )
                .to_owned(),
            Self::PerWorkingDay(additivity) => format!(
                "{}: {}",
                kind(additivity),
                lang.pick("на рабочие дни его не делят", "it cannot be divided among working days"),
            ),
        }
    }
}

/// What an indicator is and why it does not add up.
fn kind_of(additivity: Additivity, lang: Lang) -> &'static str {
    match additivity {
        Additivity::Flow => lang.pick("показатель складывается", "the indicator adds up"),
        Additivity::Stock => lang.pick(
            "показатель – остаток на конец периода и по времени не складывается",
            "the indicator is a state at the end of a period and does not add up over time",
        ),
        Additivity::Last => lang.pick(
            "показатель – последнее переданное значение и не складывается",
            "the indicator is the last value reported and does not add up",
        ),
        Additivity::Distinct => lang.pick(
            "показатель – число разных объектов, а один объект может стоять в нескольких группах и периодах",
            "the indicator counts different things, and one thing may stand in several groups and periods",
        ),
        Additivity::Average => lang.pick(
            "показатель – среднее, медиана или перцентиль, которые не складываются",
            "the indicator is a mean, a median or a percentile, which do not add up",
        ),
        Additivity::Extreme => lang.pick(
            "показатель – наибольшее или наименьшее значение, которые не складываются",
            "the indicator is a greatest or least value, which do not add up",
        ),
        Additivity::Ratio => lang.pick(
            "показатель вычисляется по формуле из частей, и его значения не складываются",
            "the indicator is computed from parts by a formula, and its values do not add up",
        ),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence(Lang::En))
    }
}
