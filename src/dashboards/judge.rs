//! Changes and lights: what a figure means against an earlier one and against its thresholds.

use super::kind::Compare;
use super::widget::{ChangeKind, Comparison, Light, Status};
use crate::domain::figure::Figure;
use crate::domain::language::Lang;
use crate::domain::number::{THIN_SPACE, format_change, format_number};
use crate::domain::period::Period;
use crate::indicators::{Direction, Thresholds};

/// OKEI code of percent: figures in it change by points.
const PERCENT: &str = "744";

/// What a judgement needs to know of its indicator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure<'a> {
    /// OKEI code of the unit.
    pub(super) unit: &'a str,
    /// Digits after the decimal sign.
    pub(super) decimals: usize,
    /// Which way is better.
    pub(super) direction: Direction,
    /// Where the light changes.
    pub(super) thresholds: Option<Thresholds>,
}

/// A figure against the one of an earlier period.
pub(super) fn compare(
    now: Figure,
    before: Figure,
    measure: Measure<'_>,
    kind: Compare,
    to: Period,
    lang: Lang,
) -> Comparison {
    let is_percent = measure.unit == PERCENT;
    let change = now.value.zip(before.value).and_then(|(now, before)| {
        if is_percent { Some(now - before) } else { (before != 0.0).then(|| (now - before) * 100.0 / before.abs()) }
    });
    let decimals =
        if is_percent { measure.decimals.max(1) } else { usize::from(change.is_none_or(|c| c.abs() < 100.0)) };
    let sign = if is_percent { lang.pick("п. п.", "pp") } else { "%" };
    let text = change.map_or_else(
        || lang.pick("не с чем сравнить", "nothing to compare with").to_owned(),
        |change| format!("{}{THIN_SPACE}{sign}", format_change(change, decimals, lang)),
    );
    let rounded = change.map(|change| (change * 10f64.powi(i32::try_from(decimals).unwrap_or(1))).round());
    let is_better = rounded.filter(|change| *change != 0.0).and_then(|change| match measure.direction {
        Direction::Up => Some(change > 0.0),
        Direction::Down => Some(change < 0.0),
        Direction::None => None,
    });
    let label = match kind {
        Compare::Previous => lang.pick("к предыдущему периоду", "on the period before"),
        Compare::None | Compare::YearBefore => lang.pick("к прошлому году", "on the year before"),
    };
    Comparison {
        value: before.value,
        state: before.state,
        change,
        change_kind: if is_percent { ChangeKind::Points } else { ChangeKind::Percent },
        text,
        label: label.to_owned(),
        to,
        is_better,
    }
}

/// The light of a figure: its level against the thresholds, else its movement; with the reason in words.
pub(super) fn judge(now: Figure, comparison: Option<&Comparison>, measure: Measure<'_>, lang: Lang) -> Status {
    let Some(value) = now.value else {
        return Status { light: Light::None, reason: lang.pick("нет данных", "no data").to_owned() };
    };
    let movement = comparison.and_then(|comparison| movement(comparison, lang));
    let level = measure.thresholds.and_then(|thresholds| level(value, thresholds, measure, lang));
    let by_movement = match comparison.and_then(|comparison| comparison.is_better) {
        Some(true) => Light::Good,
        Some(false) => Light::Attention,
        None => Light::None,
    };
    let light = level.as_ref().map_or(by_movement, |(light, _)| *light);
    let words: Vec<String> = level.map(|(_, words)| words).into_iter().chain(movement.map(str::to_owned)).collect();
    let nothing = lang.pick("порог не задан", "no threshold is set");
    Status { light, reason: if words.is_empty() { nothing.to_owned() } else { words.join(", ") } }
}

/// The light of a value by thresholds alone.
pub(super) fn light_of(value: f64, thresholds: Thresholds, direction: Direction) -> Light {
    let (is_good, is_bad) = match direction {
        Direction::Up => (value >= thresholds.good, value <= thresholds.bad),
        Direction::Down => (value <= thresholds.good, value >= thresholds.bad),
        Direction::None => return Light::None,
    };
    match (is_good, is_bad) {
        (true, _) => Light::Good,
        (false, true) => Light::Bad,
        (false, false) => Light::Attention,
    }
}

fn level(value: f64, thresholds: Thresholds, measure: Measure<'_>, lang: Lang) -> Option<(Light, String)> {
    let light = light_of(value, thresholds, measure.direction);
    let is_up = measure.direction == Direction::Up;
    let words = match (light, is_up) {
        (Light::None, _) => return None,
        (Light::Good, true) => lang.pick("достигнут порог", "reached the threshold of"),
        (Light::Good, false) => lang.pick("в пределах порога", "within the threshold of"),
        (Light::Attention, true) => lang.pick("ниже порога", "below the threshold of"),
        (Light::Attention, false) => lang.pick("выше порога", "above the threshold of"),
        (Light::Bad, true) => lang.pick("ниже допустимого", "below the tolerable"),
        (Light::Bad, false) => lang.pick("выше допустимого", "above the tolerable"),
    };
    let limit = if light == Light::Bad { thresholds.bad } else { thresholds.good };
    let decimals = if limit.fract() == 0.0 { 0 } else { measure.decimals.max(1) };
    Some((light, format!("{words} {}", format_number(limit, decimals, lang))))
}

fn movement(comparison: &Comparison, lang: Lang) -> Option<&'static str> {
    let change = comparison.change?;
    let is_still = change.abs() < 0.05;
    Some(match (is_still, change > 0.0) {
        (true, _) => lang.pick("без изменений", "unchanged"),
        (false, true) => lang.pick("растёт", "rising"),
        (false, false) => lang.pick("снижается", "falling"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(unit: &str, direction: Direction, thresholds: Option<Thresholds>) -> Measure<'_> {
        Measure { unit, decimals: 1, direction, thresholds }
    }

    fn compare_ru(now: f64, before: f64, measure: Measure<'_>) -> Comparison {
        let to = Period::parse("2023", "2023").unwrap();
        compare(Figure::new(now), Figure::new(before), measure, Compare::YearBefore, to, Lang::Ru)
    }

    #[test]
    fn shares_change_by_points_and_counts_by_percent() {
        let share = compare_ru(79.1, 81.4, measure("744", Direction::Up, None));
        assert_eq!((share.text.as_str(), share.is_better), ("−2,3\u{202F}п. п.", Some(false)));
        let count = compare_ru(1174.0, 1000.0, measure("642", Direction::None, None));
        assert_eq!((count.text.as_str(), count.is_better), ("+17,4\u{202F}%", None));
        let doubled = compare_ru(250.0, 100.0, measure("642", Direction::Down, None));
        assert_eq!((doubled.text.as_str(), doubled.is_better), ("+150\u{202F}%", Some(false)));
    }

    #[test]
    fn growth_from_nothing_is_no_percentage() {
        let comparison = compare_ru(5.0, 0.0, measure("642", Direction::Up, None));
        assert_eq!((comparison.change, comparison.text.as_str()), (None, "не с чем сравнить"));
    }

    #[test]
    fn a_light_says_why() {
        let thresholds = Some(Thresholds { good: 85.0, bad: 70.0 });
        let measure = measure("744", Direction::Up, thresholds);
        let status = |value: f64, before: f64| {
            judge(Figure::new(value), Some(&compare_ru(value, before, measure)), measure, Lang::Ru)
        };
        assert_eq!(status(85.0, 80.0), Status { light: Light::Good, reason: "достигнут порог 85, растёт".into() });
        assert_eq!(status(79.1, 81.4), Status { light: Light::Attention, reason: "ниже порога 85, снижается".into() });
        assert_eq!(
            status(70.0, 70.0),
            Status {
                light: Light::Bad, reason: "ниже допустимого 70, без изменений".into()
            }
        );
        let missing = judge(Figure::from(None), None, measure, Lang::En);
        assert_eq!(missing, Status { light: Light::None, reason: "no data".into() });
    }

    #[test]
    fn fewer_is_better_where_the_direction_says_so() {
        let thresholds = Thresholds { good: 50.0, bad: 100.0 };
        let light = |value| light_of(value, thresholds, Direction::Down);
        assert_eq!([light(50.0), light(71.0), light(100.0)], [Light::Good, Light::Attention, Light::Bad]);
        assert_eq!(light_of(1.0, thresholds, Direction::None), Light::None);
    }
}
